"""What was, is being and is to be analysed: a row for each file, edition, program, models and library revision, however often wanted.

`want` asks for an analysis in the transaction that stores the upload; a worker makes it (service/jobs); `report` gives it when it is there.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from service import __version__, models
from service.database import queue
from service.database.programme_tables import analyses, draft_versions, submission_versions, submissions
from service.database.tables import library_state
from service.model import Edition, Report

State = Literal["waiting", "running", "done", "failed"]
_LATER = -10  # of comparing: reports come first
SOON = 10  # priority of what someone sits and waits for; a batch has 0
_FORM = 1  # of a stored report: raised when model.Report changes so that an old one would be read wrongly
_AHEAD = """
SELECT count(*) FROM queue.procrastinate_jobs mine JOIN queue.procrastinate_jobs other
  ON other.status = 'todo' AND other.task_name = mine.task_name
  AND (other.priority > mine.priority OR (other.priority = mine.priority AND other.id < mine.id))
WHERE mine.status = 'todo' AND mine.queueing_lock = :key
"""
_reports = msgspec.msgpack.Decoder(Report)


@dataclass(frozen=True, slots=True)
class Current:
    """What would analyse a file now: a result under another program or other models is another result."""

    program: str
    models: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an analysis is. `reason` (Chinese) says why it failed, or is tried again; `ahead` how many wait before it."""

    state: State
    reason: str | None
    tries: int
    ahead: int


@cache
def current(folder: Path | None = None, embedding: Path | None = None) -> Current:
    """For the models in these folders (settings.models, settings.embedding); nothing is loaded. Asked once a process."""
    versions = models.versions(folder, embedding)
    return Current(f"{__version__}/{_FORM}", " ".join(f"{name}={version}" for name, version in sorted(versions.items())))


def want(connection: Connection, *, sha256: str, file_name: str, edition: Edition, current: Current, priority: int = 0) -> int:
    """analyses.id of the file's analysis: the one that there is, or a new one, put into the queue when the caller commits.

    One that had failed is tried again. The file must be in the store already; `priority` SOON for what someone waits for.
    """
    revision = connection.execute(select(library_state.c.revision)).scalar_one()
    key = {"sha256": sha256, "edition_hash": edition.hash, "program": current.program, "models": current.models, "library": revision}
    while True:
        new: int | None = connection.execute(
            insert(analyses).values(**key, edition=edition.id).on_conflict_do_nothing().returning(analyses.c.id)
        ).scalar()
        if new is not None:
            _put(connection, new, file_name, priority=priority)
            return new
        # Locked, so that `forget` cannot remove it before the caller refers to it.
        there = connection.execute(
            select(analyses.c.id, analyses.c.state).filter_by(**key).with_for_update(key_share=True, read=True)
        ).one_or_none()
        if there is not None:
            if there.state == "failed":
                again(connection, there.id, file_name=file_name, priority=priority)
            found: int = there.id
            return found


def report(connection: Connection, id: int, *, file_name: str) -> Report | None:  # noqa: A002 - what it is
    """The report, under the name that this upload had; None while there is none, or where there never will be (`state` tells).

    One that this program cannot read any more is made again.
    """
    stored = connection.execute(select(analyses.c.report).where(analyses.c.id == id, analyses.c.state == "done")).scalar()
    if stored is None:
        return None
    try:
        found = decoded(stored)
    except (msgspec.DecodeError, zlib.error):
        again(connection, id, file_name=file_name, priority=SOON)
        return None
    submission = found.submission
    if submission is not None:
        submission = replace(submission, document=replace(submission.document, name=file_name))
    return replace(found, name=file_name, path=file_name, submission=submission)


def state(connection: Connection, id: int) -> Progress:  # noqa: A002
    """How far it is; NoResultFound where there is no such analysis."""
    row = connection.execute(select(analyses.c.state, analyses.c.reason, analyses.c.tries).where(analyses.c.id == id)).one()
    ahead = 0
    if row.state == "waiting":
        ahead = connection.execute(text(_AHEAD), {"key": f"{queue.ANALYSE}:{id}"}).scalar_one()
    return Progress(row.state, row.reason, row.tries, ahead)


def again(connection: Connection, id: int, *, file_name: str | None = None, priority: int = 0) -> bool:  # noqa: A002
    """Makes an analysis anew that has failed or is done; False where it is under way already."""
    found = connection.execute(
        analyses.update()
        .where(analyses.c.id == id, analyses.c.state.in_(("failed", "done")))
        .values(state="waiting", tries=0, reason=None, report=None, wanted_at=func.now(), started_at=None, finished_at=None)
        .returning(analyses.c.id)
    ).scalar()
    if found is None:
        return False
    _put(connection, id, file_name or _name(connection, id), priority=priority)
    return True


def forget(connection: Connection, id: int) -> bool:  # noqa: A002
    """Removes an analysis that no version of a draft or submission refers to any more; False where one does."""
    versions, others = draft_versions.c.analysis == id, submission_versions.c.analysis == id
    needed = or_(exists().where(versions), exists().where(others), exists().where(submissions.c.analysis == id))
    if connection.execute(select(needed)).scalar_one():
        return False  # not locked: who submits a draft of it holds the record's lock already, and would wait for us
    connection.execute(select(analyses.c.id).where(analyses.c.id == id).with_for_update())  # whoever wants it now is seen below
    gone = connection.execute(delete(analyses).where(analyses.c.id == id, ~needed).returning(analyses.c.id)).scalar()
    return gone is not None


def compare_soon(connection: Connection, submission: int) -> None:
    """Compares a submission with the others of its edition, now or when its analysis is done. Call it for every new version."""
    queue.enqueue(connection, queue.COMPARE, submission, {"submission": submission}, priority=-SOON)


def encoded(report: Report) -> bytes:
    """The report as it is stored."""
    return zlib.compress(msgspec.msgpack.encode(report), 6)


def decoded(stored: bytes) -> Report:
    """DecodeError (msgspec) or zlib.error where it is no report that this program knows."""
    return _reports.decode(zlib.decompress(stored))


def _put(connection: Connection, id: int, file_name: str, *, priority: int) -> None:  # noqa: A002
    queue.enqueue(connection, queue.ANALYSE, id, {"analysis": id, "name": file_name}, priority=priority)


def _name(connection: Connection, id: int) -> str:  # noqa: A002
    """What its first upload was called."""
    both = [select(v.c.file_name, v.c.uploaded_at).where(v.c.analysis == id) for v in (submission_versions, draft_versions)]
    rows = both[0].union_all(both[1]).subquery()
    found: str | None = connection.execute(select(rows.c.file_name).order_by(rows.c.uploaded_at).limit(1)).scalar()
    return found or queue.NAMELESS
