"""What can go wrong for a caller: a code, a Chinese message that says what, where and how to mend it, and an HTTP status."""

from __future__ import annotations


class ServiceError(Exception):
    """A caller's mistake or a file that cannot be used.

    `code` is stable (documented in docs/errors.md); `message` is Chinese; `status` is the HTTP status the service answers.
    """

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class Unreadable(ServiceError):
    """The file cannot be read: damaged, encrypted, over a limit, not a document. The next file goes on."""

    def __init__(self, code: str, message: str, *, status: int = 422) -> None:
        super().__init__(code, message, status=status)
