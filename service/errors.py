"""What can go wrong for a caller: a code, a Chinese message that says what, where and how to mend it, and an HTTP status."""

from __future__ import annotations

import errno

_REASONS = {
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.ENOENT: "文件或文件夹不存在",
    errno.EISDIR: "这是文件夹",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.EROFS: "磁盘是只读的",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "空间配额已满",
    errno.ENAMETOOLONG: "名字太长",
}


def reason(error: OSError) -> str:
    """Why the system would not read or write, in Chinese."""
    return _REASONS.get(error.errno or 0, "系统没有允许")


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
