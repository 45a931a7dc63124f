"""Reads many files with a few warm child processes; a file that cannot be read is a value, and the next one goes on."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

from service.errors import Unreadable
from service.model import Document, Format
from service.parse.limits import MIB, Limits
from service.parse.process import Child, ChildDiedError
from service.parse.wire import Done, NeedsConversion, NeedsOcr, Refused, Reply, Request

_LEGACY = (b"\xd0\xcf\x11\xe0", b"{\\rt")  # what LibreOffice has to convert begins so
_AHEAD = 4  # files a child that are read before the caller asks for them
_DIED = {
    "time": ("read_timeout", "读取超过 {seconds:.0f} 秒仍未完成，已停止。文件可能过大或异常，请用 Word 另存为新的 .docx，或拆分后再提交。"),
    "size": ("file_over_limit", "读出的内容过多，超过限制。请拆分后再提交。"),
    "crash": ("read_crashed", "读取时程序异常终止，这个文件没有读成。文件可能已损坏，请用 Word 打开后另存为新的 .docx 再提交。"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one file. `sha256` is empty where the bytes could not be had; `format` is None where it is not known."""

    path: Path
    name: str
    sha256: str
    format: Format | None
    outcome: Document | Unreadable
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` files are read; `stage` says what is going on with the file `name`, for OCR with its page of `pages`."""

    name: str
    done: int
    total: int
    stage: Literal["read", "convert", "ocr"] = "read"
    page: int = 0
    pages: int = 0


@dataclass(slots=True)
class _Job:
    """A file on its way; `promise` holds its Reading in the end."""

    path: Path
    promise: Future[Reading]
    began: float = 0.0
    data: bytes = b""
    sha256: str = ""
    format: Format | None = None


def load(path: Path, *, limits: Limits) -> bytes:
    """The bytes of a plain file; Unreadable for anything else, or more bytes than allowed."""
    try:
        with _open(path) as file:
            data = file.read(limits.file_bytes + 1)
    except FileNotFoundError as error:
        raise Unreadable("file_missing", "找不到这个文件。请检查路径是否写对、文件是否已被移走。", status=404) from error
    except PermissionError as error:
        raise Unreadable("file_forbidden", "没有权限读取这个文件。请检查权限，或关闭正在占用它的程序。", status=403) from error
    except OSError as error:
        raise Unreadable("file_missing", f"打不开这个文件（{error.strerror}）。请检查路径和磁盘。") from error
    if len(data) > limits.file_bytes:
        raise Unreadable(
            "file_too_large", f"文件超过 {limits.file_bytes // MIB} MB 的上限。请在 Word 中压缩图片（图片格式→压缩图片）或拆分后再提交。"
        )
    return data


class Reader:
    """A context manager around `jobs` children, started when first needed and ended with it.

    `convert` lets LibreOffice turn doc, wps and rtf into docx (`soffice` names its program, else it is looked for);
    `ocr` lets scanned pages be recognised.
    """

    def __init__(
        self, *, jobs: int | None = None, limits: Limits | None = None, convert: bool = True, ocr: bool = True, soffice: str | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._jobs = max(1, jobs or min(os.cpu_count() or 1, 8))
        self._convert = convert
        self._ocr = ocr
        self._soffice = soffice
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._children: set[Child] = set()
        self._closed = False
        self._pool = ThreadPoolExecutor(self._jobs, "read")
        self._slow = ThreadPoolExecutor(1, "convert")
        self._recogniser = ThreadPoolExecutor(1, "ocr")

    def __enter__(self) -> Self:
        # The first child starts while the caller goes on importing.
        self._idle.append(self._start_child())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            children = list(self._children)
        for child in children:
            child.kill()
        for pool in (self._slow, self._recogniser, self._pool):
            pool.shutdown(cancel_futures=True)
        for child in children:
            child.close()
        self._children.clear()
        self._idle.clear()

    def read(self, path: str | Path) -> Reading:
        """One file; see `read_all`."""
        return next(self.read_all([path]))

    def read_all(self, paths: Iterable[str | Path], *, progress: Callable[[Progress], None] | None = None) -> Iterator[Reading]:
        """A Reading for each path, in order. `progress` may be called from another thread.

        Files are read ahead while the caller works; those for LibreOffice all go first, since one run of it converts many.
        """
        jobs = [_Job(Path(path), Future()) for path in paths]
        tell = progress or (lambda _: None)
        legacy = [job for job in jobs if self._convert and _begins_with(job.path, _LEGACY)]
        if legacy:
            self._hand_on(self._slow.submit(self._convert_all, legacy, tell, len(jobs)), legacy)
        apart = set(map(id, legacy))
        waiting = iter([job for job in jobs if id(job) not in apart])
        for job in _take(waiting, _AHEAD * self._jobs):
            self._begin(job)
        for done, job in enumerate(jobs):
            tell(Progress(job.path.name, done, len(jobs)))
            yield job.promise.result()
            jobs[done] = _Job(job.path, Future())  # the caller alone keeps the document
            for following in _take(waiting, 0 if id(job) in apart else 1):
                self._begin(following)
        tell(Progress("", len(jobs), len(jobs)))

    def _begin(self, job: _Job) -> Future[_Job | None]:
        future = self._pool.submit(self._first_pass, job)
        self._hand_on(future, [job])
        return future

    def _hand_on(self, future: Future[object] | Future[_Job | None] | Future[None], jobs: list[_Job]) -> None:
        """A fault of ours in a thread reaches whoever waits for the file."""

        def pass_on(ended: Future[object]) -> None:
            if ended.cancelled():
                return
            error = ended.exception()
            for job in jobs if error else ():
                if not job.promise.done():
                    job.promise.set_exception(error)

        future.add_done_callback(pass_on)  # type: ignore[arg-type]

    def _first_pass(self, job: _Job) -> _Job | None:
        """Reads the file; the job itself where it has to be converted first."""
        job.began = time.perf_counter()
        try:
            job.data = load(job.path, limits=self.limits)
        except Unreadable as refusal:
            self._finish(job, refusal)
            return None
        job.sha256 = hashlib.sha256(job.data).hexdigest()
        reply = self._ask(job, job.data)
        if isinstance(reply, NeedsConversion):
            job.format = reply.format
            if self._convert:
                return job
            self._finish(job, _not_converted(job.format))
            return None
        self._settle(job, reply)
        return None

    def _settle(self, job: _Job, reply: Reply | Unreadable) -> None:
        match reply:
            case Done(document):
                job.format = document.format
                self._finish(job, document)
            case Refused(code, message, kind):
                job.format = job.format or kind
                self._finish(job, Unreadable(code, message))
            case NeedsOcr(_, document):
                self._finish(job, document)
            case NeedsConversion():
                self._finish(job, Unreadable("convert_failed", "转换后的文件仍无法读取。请用 Word 另存为 .docx 后再提交。"))
            case Unreadable():
                self._finish(job, reply)

    def _finish(self, job: _Job, outcome: Document | Unreadable) -> None:
        job.data = b""
        spent = (time.perf_counter() - job.began) * 1000
        job.promise.set_result(Reading(job.path, job.path.name, job.sha256, job.format, outcome, spent))

    def _convert_all(self, jobs: list[_Job], tell: Callable[[Progress], None], total: int) -> None:
        from service.parse.convert import convert_many  # noqa: PLC0415 - most calls hold no such file

        for start in range(0, len(jobs), self.limits.convert_batch):
            batch = jobs[start : start + self.limits.convert_batch]
            firsts = [self._begin(job) for job in batch]
            wait(firsts)
            pending = [job for job in (future.result() for future in firsts) if job]
            sources = [(job.data, job.format or "doc") for job in pending]
            for position, outcome in convert_many(sources, limits=self.limits, soffice=self._soffice):
                job = pending[position]
                tell(Progress(job.path.name, 0, total, stage="convert"))
                self._hand_on(self._pool.submit(self._second_pass, job, outcome), [job])

    def _second_pass(self, job: _Job, converted: bytes | Unreadable) -> None:
        self._settle(job, converted if isinstance(converted, Unreadable) else self._ask(job, converted))

    def _ask(self, job: _Job, data: bytes) -> Reply | Unreadable:
        request = Request(job.path.name, job.sha256, data, self.limits, job.format)
        child = self._take_child()
        try:
            reply = child.ask(request, seconds=self.limits.seconds)
        except ChildDiedError as death:
            self._drop_child(child)
            code, message = _DIED[death.reason]
            return Unreadable(code, message.format(seconds=self.limits.seconds))
        if child.is_worn(files=self.limits.files_per_child, growth=self.limits.child_growth):
            self._drop_child(child)
        else:
            with self._lock:
                self._idle.append(child)
        return reply

    def _take_child(self) -> Child:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._start_child()

    def _start_child(self) -> Child:
        child = Child(memory=self.limits.memory)
        with self._lock:
            self._children.add(child)
            if self._closed:
                child.kill()
        return child

    def _drop_child(self, child: Child) -> None:
        with self._lock:
            self._children.discard(child)
        child.close()


def _not_converted(kind: Format) -> Unreadable:
    return Unreadable("convert_off", f"这是 .{kind} 格式，本次没有启用转换。请用 Word 或 WPS 打开并“另存为”.docx 后再提交。")


def _open(path: Path) -> BinaryIO:
    """A plain file opened for reading; Unreadable for a folder, a device or a pipe. OSError as `open` does."""
    # Non-blocking: opening a pipe that nobody writes to would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise Unreadable("file_not_plain", "这不是普通文件（是文件夹、设备或管道），不能读取。请指定 Word、PDF 或文本文件。")


def _begins_with(path: Path, marks: tuple[bytes, ...]) -> bool:
    try:
        with _open(path) as file:
            return file.read(8).startswith(marks)
    except (OSError, Unreadable):  # said when the file's turn comes
        return False


def _take(jobs: Iterator[_Job], count: int) -> Iterator[_Job]:
    for _ in range(count):
        job = next(jobs, None)
        if job is None:
            return
        yield job
