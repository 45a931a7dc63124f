"""The parent's handle on one child process: starts it clean, asks it, kills it at its limit."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import msgspec

import service
from service.parse.wire import LENGTH, Reply, Request, pack

_LOG = logging.getLogger(__name__)
_ROOT = str(Path(service.__file__).parent.parent)
_PAGE = 4096
_DYING_SECONDS = 2.0
# pdfium aborts where memory is refused; the system ends what has used up its processor time.
_DEATHS = {-signal.SIGABRT: "memory", -signal.SIGTRAP: "memory", -signal.SIGXCPU: "time"}
_TAIL = 2000  # bytes of a dead child's last words that go into the log


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that leads its own session, and whatever it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class ChildDiedError(Exception):
    """The child ended without an answer; `reason` is "time", "memory", "size" or "crash"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def clean_environment() -> dict[str, str]:
    """Nothing of ours but what a program needs to start: no secrets, no proxies, no way to fetch a model."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONPATH": _ROOT, "PYTHONUTF8": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


class Child:
    """A warm `service.parse.child`, or another module that speaks wire.py. For one thread at a time, but `kill` may come from any."""

    __slots__ = ("_decoder", "_ended", "_errors", "_process", "_timed_out", "files", "started_at")

    def __init__(self, *, memory: int, module: str = "service.parse.child") -> None:
        self._errors = tempfile.TemporaryFile()  # a pipe would have to be read all the time  # noqa: SIM115
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-s", "-P", "-m", module, str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=clean_environment(),
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
        self._decoder: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
        self._timed_out = False
        self._ended = False
        self.files = 0
        self.started_at = 0  # resident bytes after the first file

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: Request, *, seconds: float) -> Reply:
        """The child's answer; ChildDiedError where there is none within `seconds` or it is too long. A dead child is of no use."""
        watch = threading.Timer(seconds, self._give_up)
        watch.daemon = True
        watch.start()
        try:
            return self._exchange(request)
        except (BrokenPipeError, EOFError, msgspec.MsgspecError) as error:
            status = self._wait_briefly()
            self._log_last_words(request.name, status)
            reason = "time" if self._timed_out else _DEATHS.get(status, "crash")
            raise ChildDiedError(reason) from error
        finally:
            watch.cancel()

    def _wait_briefly(self) -> int:
        """The status with which the child ended; it is ended if it goes on without its pipe."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(_DYING_SECONDS)
        self.kill()
        return self._process.wait()

    def _exchange(self, request: Request) -> Reply:
        source, sink = self._process.stdout, self._process.stdin
        assert source is not None
        assert sink is not None
        sink.write(pack(request))
        sink.flush()
        head = source.read(LENGTH.size)
        if len(head) < LENGTH.size:
            raise EOFError
        length = LENGTH.unpack(head)[0]
        if length > request.limits.reply_bytes:
            self.kill()
            raise ChildDiedError("size")
        body = source.read(length)
        if len(body) < length:
            raise EOFError
        self.files += 1
        return self._decoder.decode(body)

    def _give_up(self) -> None:
        self._timed_out = True
        self.kill()

    def is_worn(self, *, files: int, growth: int) -> bool:
        """Whether a fresh child should take over: after so many files, or when it has grown since its first."""
        resident = self.resident()
        if not self.started_at:
            self.started_at = resident
        return self.files >= files or resident - self.started_at > growth

    def resident(self) -> int:
        """Resident memory in bytes; 0 where the system does not tell."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]) * _PAGE
        except (OSError, IndexError, ValueError):
            return 0

    def end(self) -> None:
        """Ends the child because nobody needs it any more: no death to report."""
        self._ended = True
        self.kill()

    def kill(self) -> None:
        """Ends the child and whatever it started; harmless when it is gone."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()
        self._errors.close()

    def _log_last_words(self, name: str, status: int) -> None:
        if self._ended:
            return
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _TAIL))
        words = self._errors.read().decode("utf-8", "replace").strip()
        _LOG.warning("parser child ended with status %d on %s (time out: %s): %s", status, name, self._timed_out, words)
