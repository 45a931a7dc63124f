"""Reads many files with a few warm child processes; a file that cannot be read is a value, and the next one goes on."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from service.errors import Unreadable
from service.model import Document, Format, Note
from service.parse.children import Children
from service.parse.limits import Limits
from service.parse.loading import allowed, begins_with, load, shown_name
from service.parse.wire import Done, NeedsConversion, NeedsOcr, Refused, Reply, Request

if TYPE_CHECKING:
    from service.parse.ocr import OcrChild
    from service.parse.ocr_page import OcrPage

_LEGACY = (b"\xd0\xcf\x11\xe0", b"{\\rt")  # what LibreOffice has to convert begins so
_PDF = b"%PDF-"
_AHEAD = 4  # files a child that are read before the caller asks for them
_OCR_OFF = "本次没有启用文字识别，扫描件里的文字未读出。请启用文字识别，或提交 Word 文件、带文字层的 PDF。"
_NOTHING_RECOGNISED = "扫描件里没有识别出任何文字。请提交清晰的扫描件（200 DPI 以上），或提交 Word 文件。"


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one file. `sha256` is empty where the bytes could not be had; `format` is None where it is not known."""

    path: Path
    name: str
    sha256: str
    format: Format | None
    outcome: Document | Unreadable
    milliseconds: float  # spent on this file, waiting apart


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` files are handed over; `stage` says what is going on with the file `name`, in OCR with its page of `pages`."""

    name: str
    done: int
    total: int
    stage: Literal["read", "convert", "ocr"] = "read"
    page: int = 0
    pages: int = 0


@dataclass(slots=True)
class _Call:
    """One `read_all` and how far it is."""

    total: int
    tell: Callable[[Progress], None]
    done: int = 0

    def report(self, name: str, *, stage: Literal["read", "convert", "ocr"] = "read", page: int = 0, pages: int = 0) -> None:
        self.tell(Progress(name, self.done, self.total, stage, page, pages))


@dataclass(slots=True, eq=False)
class _Job:
    """A file on its way; `promise` holds its Reading in the end."""

    path: Path
    call: _Call
    given: bytes | None = None  # its bytes, where they need not be loaded
    promise: Future[Reading] = field(default_factory=Future)
    data: bytes = b""
    sha256: str = ""
    format: Format | None = None
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return shown_name(self.path)

    @property
    def is_legacy(self) -> bool:
        return begins_with(self.path, _LEGACY) if self.given is None else self.given.startswith(_LEGACY)

    def load(self, *, limits: Limits) -> None:
        self.data = load(self.path, limits=limits) if self.given is None else allowed(self.given, limits=limits)
        self.given = None

    def finish(self, outcome: Document | Unreadable) -> None:
        self.data = b""
        self.promise.set_result(Reading(self.path, self.name, self.sha256, self.format, outcome, self.seconds * 1000))


class Reader:
    """A context manager around `jobs` parser children, started when first needed and ended with it.

    `convert` lets LibreOffice turn doc, wps and rtf into docx (`soffice` names its program, else it is looked for);
    `ocr` lets scanned pages be recognised where the optional packages are installed.
    """

    def __init__(
        self, *, jobs: int | None = None, limits: Limits | None = None, convert: bool = True, ocr: bool = True, soffice: str | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._jobs = max(1, jobs or min(os.cpu_count() or 1, 8))
        self._convert = convert
        self._ocr = ocr
        self._soffice = soffice
        self._stopped = threading.Event()
        self._recogniser: OcrChild | None = None
        self.children = Children(limits=self.limits)
        self._pool = ThreadPoolExecutor(self._jobs, "read")
        # One run of LibreOffice and one of OCR at a time: each takes a processor or more.
        self._converting = ThreadPoolExecutor(1, "convert")
        self._recognising = ThreadPoolExecutor(1, "ocr")

    def __enter__(self) -> Self:
        # The first child starts while the caller goes on importing.
        self.children.warm()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends everything, also what is still being read."""
        self._stopped.set()
        self.children.kill()
        if self._recogniser is not None:
            self._recogniser.kill()
        for pool in (self._converting, self._recognising, self._pool):
            pool.shutdown(cancel_futures=True)
        self.children.close()
        if self._recogniser is not None:
            self._recogniser.close()

    def read(self, path: str | Path) -> Reading:
        """One file; see `read_all`."""
        return next(self.read_all([path]))

    def read_all(self, paths: Iterable[str | Path], *, progress: Callable[[Progress], None] | None = None) -> Iterator[Reading]:
        """A Reading for each path, in order. `progress` may be called from another thread.

        Files are read ahead while the caller works; those for LibreOffice all go first, since one run of it converts many.
        """
        ordered = [Path(path) for path in paths]
        call = _Call(len(ordered), progress or (lambda _: None))
        yield from self._read_jobs([_Job(path, call) for path in ordered], call)

    def read_data(self, data: bytes, name: str) -> Reading:
        """One file whose bytes are at hand; `name` says what it is called and is no path."""
        call = _Call(1, lambda _: None)
        return next(self._read_jobs([_Job(Path(name.replace("/", "_")), call, data)], call))

    def _read_jobs(self, jobs: list[_Job], call: _Call) -> Iterator[Reading]:
        apart = [job for job in jobs if self._convert and job.is_legacy]
        if apart:
            _fail_with(self._converting.submit(self._convert_all, apart), apart)
        legacy = set(apart)
        others = iter([job for job in jobs if job not in legacy])
        self._begin_next(others, _AHEAD * self._jobs)
        jobs.reverse()
        del apart  # the caller alone shall keep what was read
        while jobs:
            job = jobs.pop()
            call.report(job.name)
            reading = job.promise.result()
            if job not in legacy:
                self._begin_next(others, 1)
            legacy.discard(job)
            del job
            yield reading
            call.done += 1
        call.report("")

    def _begin_next(self, jobs: Iterator[_Job], count: int) -> None:
        for job in (job for _, job in zip(range(count), jobs, strict=False)):
            _fail_with(self._pool.submit(self._read_first, job), [job])

    def _read_first(self, job: _Job) -> bool:
        """Reads the file; True where it waits to be converted."""
        began = time.perf_counter()
        try:
            job.load(limits=self.limits)
        except Unreadable as refusal:
            job.finish(refusal)
            return False
        job.sha256 = hashlib.sha256(job.data).hexdigest()
        job.seconds += time.perf_counter() - began
        reply = self._ask(job, job.data)
        if isinstance(reply, NeedsConversion) and self._convert:
            job.format = reply.format
            return True
        self._settle(job, reply)
        return False

    def _ask(self, job: _Job, data: bytes, *, recognised: dict[int, OcrPage] | None = None) -> Reply:
        began = time.perf_counter()
        limits = dataclasses.replace(self.limits, seconds=self.limits.pdf_seconds) if _PDF in data[:1024] else self.limits
        reply = self.children.ask(Request(job.name, job.sha256, data, limits, job.format, recognised or {}))
        job.seconds += time.perf_counter() - began
        return reply

    def _settle(self, job: _Job, reply: Reply) -> None:
        """Ends a job with what the child said, or hands it on to OCR."""
        match reply:
            case Done(document):
                job.format = document.format
                job.finish(document)
            case Refused(code, message, kind):
                job.format = job.format or kind
                job.finish(Unreadable(code, message))
            case NeedsConversion(kind):
                job.format = kind
                job.finish(
                    Unreadable("convert_off", f"这是 .{kind} 格式，本次没有启用转换。请用 Word 或 WPS 打开并“另存为”.docx 后再提交。")
                )
            case NeedsOcr(pages, document):
                job.format = document.format
                lack = self._ocr_lack()
                if lack is None:
                    _fail_with(self._recognising.submit(self._recognise, job, pages), [job])
                else:
                    job.finish(_without_ocr(document, lack))

    def _ocr_lack(self) -> Note | None:
        """Why there is no OCR; None where there is."""
        if not self._ocr:
            return Note("ocr_off", _OCR_OFF)
        from service.parse import ocr  # noqa: PLC0415 - only scanned files come here

        return None if ocr.is_installed() else Note("ocr_missing", ocr.MISSING)

    def _recognise(self, job: _Job, pages: tuple[int, ...]) -> None:
        """Runs OCR over the pages and reads the file again with what it found; pages it could not read stay noted."""
        from service.parse.ocr import OcrChild  # noqa: PLC0415

        self._recogniser = self._recogniser or OcrChild()
        began = time.perf_counter()
        found = self._recogniser.recognise(
            job.data,
            pages[: self.limits.ocr_pages],
            page_seconds=self.limits.ocr_page_seconds,
            total_seconds=self.limits.ocr_seconds,
            progress=lambda page, of: job.call.report(job.name, stage="ocr", page=page, pages=of),
        )
        job.seconds += time.perf_counter() - began
        read = {number: page for number, page in found.items() if not page.failed}
        reply = self._ask(job, job.data, recognised=read)
        if isinstance(reply, NeedsOcr):  # some pages could not be read: the document's notes name them
            reply = Done(reply.document) if reply.document.text.strip() else Refused("no_text", _NOTHING_RECOGNISED, "pdf")
        self._settle(job, reply)

    def _convert_all(self, jobs: list[_Job]) -> None:
        from service.parse.convert import convert_many  # noqa: PLC0415 - most calls hold no such file

        for start in range(0, len(jobs), self.limits.convert_batch):
            batch = jobs[start : start + self.limits.convert_batch]
            firsts = [self._pool.submit(self._read_first, job) for job in batch]
            wait(firsts)
            pending = [job for job, first in zip(batch, firsts, strict=True) if first.result()]
            sources = [(job.data, job.format or "doc") for job in pending]
            for job in pending:
                job.call.report(job.name, stage="convert")
            began = time.perf_counter()
            for position, outcome in convert_many(sources, limits=self.limits, soffice=self._soffice, stopped=self._stopped.is_set):
                now = time.perf_counter()
                pending[position].seconds += now - began
                began = now
                _fail_with(self._pool.submit(self._read_converted, pending[position], outcome), [pending[position]])

    def _read_converted(self, job: _Job, converted: bytes | Unreadable) -> None:
        if isinstance(converted, Unreadable):
            job.finish(converted)
        else:
            self._settle(job, self._ask(job, converted))


def _fail_with(future: Future[Any], jobs: list[_Job]) -> None:
    """A fault of ours in a thread is raised where the file is waited for, instead of leaving it waiting for ever."""

    def pass_on(ended: Future[Any]) -> None:
        error = None if ended.cancelled() else ended.exception()
        for job in jobs if error else ():
            if not job.promise.done():
                job.promise.set_exception(error)

    future.add_done_callback(pass_on)


def _without_ocr(document: Document, lack: Note) -> Document | Unreadable:
    if not document.text.strip():
        return Unreadable(lack.code, lack.message)
    return dataclasses.replace(document, notes=(*document.notes, lack))
