"""A child process that analyses files, one at a time: what goes wrong there costs one try of one file, never the worker.

It is a Python of its own, started with a socket: requests and answers are msgpack with their length before them, never pickle. It ends
when the socket does, so that none outlives its worker.
"""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from service import batch
from service.database.place import Place
from service.errors import ServiceError
from service.jobs import analysing
from service.jobs.analysing import File, Made
from service.jobs.tasks import Died, Stopped
from service.parse import Limits, Reader

PROGRAM = ("-m", "service.jobs.analyst")
_LIMITS = Limits()
_READING = _LIMITS.ocr_seconds + 2 * _LIMITS.pdf_seconds + _LIMITS.convert_seconds + _LIMITS.convert_start_seconds
_STAGES = 300.0  # seconds for all that follows reading; of 100,000字 it takes less than one
_START = 60.0  # seconds to import everything and load the models
_NICE = 5  # pages are answered first
_WORN = 1 << 30  # bytes of resident memory at which a child is replaced after its file
_LATER = 10.0  # seconds until a child that did not start is started again
_LENGTH = struct.Struct("<Q")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
_CRASHED = "分析这份材料时程序异常终止。"
_TOO_LONG = "分析这份材料超过 {minutes:.0f} 分钟仍未完成，已停止。"
_log = logging.getLogger(__name__)


class Setting(msgspec.Struct, frozen=True):
    """Everything a child must know; its first message. URLs may hold passwords: they go over the socket alone."""

    data: str
    database: str | None = None
    files: str | None = None
    models: str | None = None
    embedding: str | None = None
    convert: bool = True
    ocr: bool = True
    soffice: str | None = None

    @property
    def place(self) -> Place:
        return Place(Path(self.data), self.database, self.files)

    @property
    def folders(self) -> batch.Folders:
        """With the library: whoever has a worker has a database."""
        models, embedding = (Path(given) if given else None for given in (self.models, self.embedding))
        return batch.Folders(models, embedding, self.place)


class Comparison(msgspec.Struct, frozen=True, tag="comparison"):
    submission: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The models are loaded; or the file has been read."""


class Compared(msgspec.Struct, frozen=True, tag="compared"):
    pass


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """A ServiceError."""

    code: str
    message: str
    status: int


Request = File | Comparison
Reply = Ready | Made | Compared | Refused
_replies = msgspec.msgpack.Decoder(Reply)
_requests = msgspec.msgpack.Decoder(Request)


# --- in the worker -----------------------------------------------------------------------------------------------------------------


class Analyst:
    """The worker's end of one child, started when it is made and again when it has died. Used by one thread at a time."""

    def __init__(self, setting: Setting, *, program: Sequence[str] = PROGRAM) -> None:
        self._setting = setting
        self._program = program
        self._stopped = False
        self._guard = threading.Lock()  # of starting and stopping
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._ready = False
        self._start()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def analyse(self, file: File) -> Made:
        """Died where the child did, or took too long; Stopped where it was told to."""
        reply = self._ask(file, _READING)
        if isinstance(reply, Ready):  # it has been read
            reply = self._await(_STAGES)
        assert isinstance(reply, Made)
        return reply

    def compare(self, submission: int) -> None:
        self._ask(Comparison(submission), _STAGES)

    def stop(self) -> None:
        """Ends the child, whatever it is at; from any thread."""
        with self._guard:
            self._stopped = True
            self._end()

    def _start(self) -> None:
        with self._guard:
            if self._stopped:
                raise Stopped
            self._end()
            ours, theirs = socket.socketpair()
            with theirs:
                command = [sys.executable, *self._program, str(theirs.fileno())]
                environment = {**os.environ, **_ONE_THREAD}
                self._process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, env=environment)  # noqa: S603
            self._line = ours
            self._ready = False
            _send(ours, self._setting)

    def _ask(self, request: Request, seconds: float) -> Reply:
        if self._process is None or self._process.poll() is not None:
            self._start()
        if not self._ready:
            try:
                self._await(_START)
            except Died:
                _log.error("the analysing process does not start")
                raise Stopped(_LATER) from None
            self._ready = True
        line = self._line
        try:
            if line is not None:
                _send(line, request)
        except OSError:
            raise self._death(_CRASHED) from None
        reply = self._await(seconds)
        if not isinstance(reply, Ready) and self._is_worn():
            self._death("")
        return reply

    def _is_worn(self) -> bool:
        with suppress(psutil.Error):
            return self._process is None or psutil.Process(self._process.pid).memory_info().rss > _WORN
        return True

    def _await(self, seconds: float) -> Reply:
        line = self._line
        try:
            body = None if line is None else _receive(line, time.monotonic() + seconds)
        except TimeoutError:
            raise self._death(_TOO_LONG.format(minutes=seconds / 60)) from None
        except (OSError, ValueError):
            body = None
        if body is None:
            raise self._death(_CRASHED)
        reply: Reply = _replies.decode(body)
        if isinstance(reply, Refused):
            raise ServiceError(reply.code, reply.message, status=reply.status)
        return reply

    def _death(self, told: str) -> Died | Stopped:
        """The child is ended; the next question starts another."""
        with self._guard:
            self._end()
            return Stopped() if self._stopped else Died(told)

    def _end(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)  # whoever waits for an answer is told
            self._line.close()
        self._process, self._line = None, None


def _send(line: socket.socket, message: Any) -> None:
    body = msgspec.msgpack.encode(message)
    line.sendall(_LENGTH.pack(len(body)) + body)


def _receive(line: socket.socket, deadline: float | None = None) -> bytes | None:
    """A message; None where the other end has gone; TimeoutError at the deadline (monotonic)."""
    head = _exactly(line, _LENGTH.size, deadline)
    return None if head is None else _exactly(line, _LENGTH.unpack(head)[0], deadline)


def _exactly(line: socket.socket, size: int, deadline: float | None) -> bytes | None:
    parts: list[bytes] = []
    while size:
        if deadline is not None and not select.select([line], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        part = line.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


# --- in the child ------------------------------------------------------------------------------------------------------------------


class _Desk:
    """What the child keeps between requests."""

    def __init__(self, setting: Setting) -> None:
        from service.database.files import open_store  # noqa: PLC0415 - the worker's end has no need of it

        self._setting = setting
        self._folders = setting.folders
        self._files = open_store(setting.place)
        self._reader = Reader(jobs=1, convert=setting.convert, ocr=setting.ocr, soffice=setting.soffice)
        self._engine: Any = None

    def prepare(self) -> None:
        self._reader.children.warm()
        batch.open_ahead(self._folders)
        with suppress(ServiceError):  # told in the first report
            self._folders.load()
        gc.freeze()

    def answer(self, request: Request, line: socket.socket) -> Reply:
        try:
            if isinstance(request, File):
                return analysing.analysed(
                    request, files=self._files, reader=self._reader, folders=self._folders, read=lambda: _send(line, Ready())
                )
            analysing.compared(self._connected(), request.submission, folders=self._folders)
        except ServiceError as error:
            return Refused(error.code, error.message, error.status)
        return Compared()

    def _connected(self) -> Any:
        from service.database.engine import connect  # noqa: PLC0415

        self._engine = self._engine or connect(self._setting.place)
        return self._engine


def main(descriptor: int) -> None:
    """Answers requests until the worker has gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group, meant for the worker
    with suppress(OSError):
        os.nice(_NICE)
    line = socket.socket(fileno=descriptor)
    body = _receive(line)
    if body is None:
        return
    desk = _Desk(msgspec.msgpack.decode(body, type=Setting))
    desk.prepare()
    _send(line, Ready())
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    while (body := _receive(line)) is not None:
        _send(line, desk.answer(_requests.decode(body), line))


def _watch(worker: int) -> None:
    """An analysis that never ends must not outlive its worker."""
    while os.getppid() == worker:
        time.sleep(1.0)
    os._exit(1)


if __name__ == "__main__":
    from service import logs

    logs.begin()
    main(int(sys.argv[1]))
