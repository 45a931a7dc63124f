"""Analyses many files with several processes, in the order in which they were read; a few files are analysed in place.

Reading happens in the parser's children already; what follows is our own code on text that they checked. What crosses between the
processes is msgpack. The stages and their models are imported where they run: a call with many files has no need of them here.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from service import rulebook
from service.database.place import Place
from service.errors import ServiceError
from service.library import opening
from service.model import Document, Edition, Note, Report
from service.parse import Reading

if TYPE_CHECKING:
    from service.library.candidates import Library
    from service.models import Models

_FEW = 16  # files up to which starting processes takes longer than it saves
_AHEAD = 4  # files a process that wait for it
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
_NO_DOCUMENT = Document("", "", "txt", "")


@dataclass(frozen=True, slots=True)
class Folders:
    """Where models and library are: each process opens them itself. None: the models that came with the program."""

    models: Path | None = None
    embedding: Path | None = None
    library: Place | None = None  # where the past benchmarks are; None: nothing is compared

    def load(self) -> Models:
        from service.models import load  # noqa: PLC0415

        return load(self.models, self.embedding)


def analyse_all(
    readings: Iterable[Reading], edition: Edition, *, files: int, jobs: int, folders: Folders = Folders(), among: bool = False
) -> Iterator[Report]:
    """A Report for each reading, in order. `files` is how many there will be. A file that came before, byte for byte, is noted.

    With `among` the files are compared with each other too, which can only begin when all have been read.
    """
    seen: dict[str, str] = {}
    reports = _analysed(readings, edition, files=files, jobs=jobs, folders=folders)
    for report in compared_among(reports, edition, folders=folders) if among else reports:
        before = seen.setdefault(report.sha256, report.path) if report.sha256 else report.path
        if before == report.path:
            yield report
            continue
        other = Path(before).parent.name + "/" + Path(before).name
        note = Note("same_file", f"与本次的另一个文件“{other.lstrip('/')}”内容完全相同，请核对是否重复提交。")
        yield replace(report, notes=(*report.notes, note))


def _analysed(readings: Iterable[Reading], edition: Edition, *, files: int, jobs: int, folders: Folders) -> Iterator[Report]:
    if files <= _FEW or jobs < 2:
        yield from (_here(reading, edition, folders) for reading in readings)
        return
    with ProcessPoolExecutor(jobs, mp_context=_context(), initializer=_prepare, initargs=(edition.id, folders)) as pool:
        waiting: deque[tuple[Reading, Future[bytes] | None]] = deque()
        for reading in readings:
            waiting.append((reading, _submit(pool, reading, edition, folders)))
            if len(waiting) > _AHEAD * jobs:
                yield _result(*waiting.popleft(), edition, folders)
        while waiting:
            yield _result(*waiting.popleft(), edition, folders)


def compared_among(reports: Iterable[Report], edition: Edition, *, folders: Folders) -> Iterator[Report]:
    """The reports with what each file shares with the others of the call; an interruption is passed on after those that were made."""
    from service import among, pipeline  # noqa: PLC0415 - only where it is asked for

    made: list[Report] = []
    try:
        made.extend(reports)
    except KeyboardInterrupt:
        yield from made
        raise
    models = folders.load()
    submissions = [report.submission for report in made if report.submission is not None and report.submission.is_writeup]
    batch = among.among(submissions, encoder=models.encoder, common=_common(folders.library, models))
    for report in made:
        if report.submission is None or not report.submission.is_writeup or not batch.compared:
            yield report
            continue
        work = partial(pipeline.with_batch, report, edition, batch, encoder=models.encoder)
        found, told = pipeline.further(report, "among", "与本次其他材料比对", work)
        yield told if found is None else replace(told, matches=found[0], similarity=found[1])


def _common(place: Place | None, models: Models) -> Collection[str]:
    """The library's common phrases; none where it cannot be asked, which each report says already."""
    with suppress(ServiceError):
        library = None if place is None else _opened(place, models)
        if library is not None:
            return library.common
    return ()


def _context() -> BaseContext:
    """How processes start: clean, and where the system can, as copies of one that has imported everything.

    There are as many as cores, so libraries that start threads of their own are told not to.
    """
    for name, value in _ONE_THREAD.items():
        os.environ.setdefault(name, value)
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["service.batch", "service.pipeline", "service.models", "service.match"])
    return context


def _here(reading: Reading, edition: Edition, folders: Folders) -> Report:
    """The report, made in this process."""
    from service import pipeline  # noqa: PLC0415

    models, place = folders.load(), folders.library
    library = None if place is None else lambda: _opened(place, models)
    return pipeline.analyse(reading, edition, models=models, library=library)


def _submit(pool: ProcessPoolExecutor, reading: Reading, edition: Edition, folders: Folders) -> Future[bytes] | None:
    if not isinstance(reading.outcome, Document):
        return None
    try:
        return pool.submit(_analyse, msgspec.msgpack.encode(reading.outcome), reading.milliseconds, edition.id, folders)
    except BrokenProcessPool:
        return None


def _result(reading: Reading, future: Future[bytes] | None, edition: Edition, folders: Folders) -> Report:
    """What the process found; a file whose process died, and one that could not be read, is seen to here."""
    try:
        encoded = None if future is None else future.result()
    except BrokenProcessPool:
        encoded = None
    if encoded is None or not isinstance(reading.outcome, Document):
        return _here(reading, edition, folders)
    report = msgspec.msgpack.decode(encoded, type=Report)
    assert report.submission is not None
    return replace(report, submission=replace(report.submission, document=reading.outcome), path=str(reading.path))


def _prepare(edition: str, folders: Folders) -> None:
    """In the process: an interrupt is the parent's affair, and rulebook and models are read while the first file is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    rulebook.load(edition)
    open_ahead(folders)
    with suppress(ServiceError):  # told where the first file asks for them
        folders.load()
    gc.freeze()  # none of it will go: no collection need look at it again


def open_ahead(folders: Folders) -> None:
    """Begins to open the library, where there is one, while other things go on."""
    if folders.library is not None:
        opening.begin(folders.library)


def _opened(place: Place, models: Models) -> Library | None:
    found = opening.begin(place)
    return None if found is None else found.library(models)


def _analyse(encoded: bytes, milliseconds: float, edition: str, folders: Folders) -> bytes:
    document = msgspec.msgpack.decode(encoded, type=Document)
    reading = Reading(Path(), document.name, document.sha256, document.format, document, milliseconds)
    report = _here(reading, rulebook.load(edition), folders)
    assert report.submission is not None
    return msgspec.msgpack.encode(replace(report, submission=replace(report.submission, document=_NO_DOCUMENT)))
