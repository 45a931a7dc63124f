"""What is done with one file or one submission, wherever it runs: in a worker's child, or in this process for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from service import batch, rulebook
from service.database.files import Files
from service.parse import Reader
from service.programme import analyses
from service.programme.digest import digest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.model import Report

# The database could not be asked for a moment: the report lacks a comparison that another try will have.
_PASSING = frozenset({"database_lost", "database_unreachable", "database_busy"})


class File(msgspec.Struct, frozen=True, tag="file"):
    """A file of the store that is to be analysed."""

    sha256: str
    name: str
    edition: str


class Made(msgspec.Struct, frozen=True, tag="made"):
    """Its report as it is stored, and the columns of the table `analyses`. `passing` (Chinese): what it lacks that another try may give."""

    report: bytes
    columns: dict[str, Any]
    timing: dict[str, float]  # milliseconds a stage
    passing: str | None = None


def analysed(file: File, *, files: Files, reader: Reader, folders: batch.Folders, read: Callable[[], None] = lambda: None) -> Made:
    """The file's report, made in this process; `read` is called when the file has been read. ServiceError where it cannot be had."""
    edition = rulebook.load(file.edition)
    reading = reader.read_data(files.get(file.sha256), file.name)
    read()
    report = next(batch.analyse_all([reading], edition, files=1, jobs=1, folders=folders))
    passing = next((note.message for note in report.notes if note.code in _PASSING), None)
    return Made(analyses.encoded(report), _columns(report), dict(report.timing), passing)


def _columns(report: Report) -> dict[str, Any]:
    return {**digest(report), "milliseconds": round(sum(report.timing.values()))}


def compared(engine: Engine, submission: int, *, folders: batch.Folders) -> None:
    """Compares the submission with the others of its edition and keeps what they share."""
    from service.programme import alike  # noqa: PLC0415 - with the models, only where something is compared

    alike.compare(engine, submission, models=folders.load())
