"""Each task on the database: taken, done, its result stored exactly once.

Every try of an analysis has a number, `analyses.tries`, which is raised when it is taken: what an earlier try still brings when a later
one is under way is not taken. A try that ends in whatever way but with a result counts; after the third the file is set aside.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, func, select, text

from service.database.programme_tables import analyses, submissions
from service.errors import ServiceError
from service.jobs.analysing import File, Made
from service.programme import analyses as analyses_
from service.programme import batches, dismissals

TRIES = 3
_PAUSES = (1.0, 5.0)  # seconds before the second and the third try
_PATIENCE = 120.0  # seconds in which a result waits for a database that does not answer
_PAUSE = 1.0
_AGAIN = "{reason}已自动安排重试（第 {tries} 次尝试未成功，共尝试 {most} 次）。"
_SET_ASIDE = "{reason}已尝试 {most} 次，不再自动重试。请用 Word 打开这份材料，确认内容正常后另存为新的 .docx 再提交；仍不行请联系管理员。"
_CUT_OFF = "分析这份材料时，后台进程意外中断。"
_STAGE_TIME = """
INSERT INTO queue.stage_times (stage, milliseconds, files) VALUES (:stage, :milliseconds, 1)
ON CONFLICT (stage) DO UPDATE SET milliseconds = stage_times.milliseconds + excluded.milliseconds, files = stage_times.files + 1
"""
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class TryAgain(Exception):
    """The work is to be done once more, after so many seconds."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(f"again in {seconds:.0f} s")
        self.seconds = seconds


class Died(Exception):
    """What did the work broke down under it. The message is Chinese."""


class Stopped(Exception):
    """The work was broken off by no fault of the file: the worker ends, or cannot begin. It is to be done in so many seconds."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__("stopped")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Taken:
    """An analysis that is this try's."""

    id: int
    tries: int
    file: File


def analyse(engine: Engine, id: int, name: str, make: Callable[[File], Made]) -> None:  # noqa: A002
    """Makes an analysis with `make` and stores it; nothing where that is done already, or nobody wants it any more."""
    taken = _take(engine, id, name)
    if taken is None:
        return
    try:
        made = make(taken.file)
    except Died as death:
        _not_made(engine, taken, str(death))
    except Stopped as stop:
        _hand_back(engine, taken)
        raise TryAgain(stop.seconds) from None
    except ServiceError as error:
        # 503: the store of files, or what stands behind it, cannot be reached now. The rest stays as it is however often it is tried.
        _not_made(engine, taken, error.message, final=error.status != 503)
    else:
        if made.passing is not None and taken.tries < TRIES:
            _not_made(engine, taken, made.passing)
        else:
            _patiently(lambda: _store(engine, taken, made))


def _take(engine: Engine, id: int, name: str) -> Taken | None:  # noqa: A002
    open_ = (analyses.c.id == id) & analyses.c.state.in_(("waiting", "running"))
    with engine.begin() as connection:
        row = connection.execute(
            analyses.update()
            .where(open_, analyses.c.tries < TRIES)
            .values(state="running", tries=analyses.c.tries + 1, started_at=func.now())
            .returning(analyses.c.sha256, analyses.c.edition, analyses.c.tries)
        ).one_or_none()
        if row is not None:
            return Taken(id, row.tries, File(row.sha256, name, row.edition))
        # The third try began and never ended: its worker died each time.
        told = _SET_ASIDE.format(reason=_CUT_OFF, most=TRIES)
        connection.execute(analyses.update().where(open_).values(state="failed", reason=told, finished_at=func.now()))
    return None


def _store(engine: Engine, taken: Taken, made: Made) -> None:
    with engine.begin() as connection:
        if not _end(connection, taken, state="done", reason=None, report=made.report, **made.columns):
            _log.warning("a result came too late", extra={"analysis": taken.id, "try": taken.tries})
            return
        for submission in _settle(connection, taken.id):
            analyses_.compare_soon(connection, submission)
        # In one order, so that two workers do not wait for each other.
        times = [{"stage": stage, "milliseconds": spent} for stage, spent in sorted(made.timing.items())]
        if times:
            connection.execute(text(_STAGE_TIME), times)
    details = {"analysis": taken.id, "status": made.columns["status"], "milliseconds": made.columns["milliseconds"]}
    _log.info("analysed", extra=details)


def _settle(connection: Connection, analysis: int) -> list[int]:
    """What submissions take from their finished analysis: the names of a batch's, the findings that stay dismissed. Those submissions."""
    batches.named(connection, analysis)
    newest = select(submissions.c.id).where(submissions.c.analysis == analysis).order_by(submissions.c.id)
    wanting = list(connection.execute(newest).scalars())
    dismissing = [submission for submission in wanting if dismissals.of(connection, submission)]
    if dismissing:
        report = analyses_.decoded(connection.execute(select(analyses.c.report).where(analyses.c.id == analysis)).scalar_one())
        for submission in dismissing:
            dismissals.recount(connection, submission, report)
    return wanting


def _not_made(engine: Engine, taken: Taken, reason: str, *, final: bool = False) -> None:
    """Notes why a try came to nothing; TryAgain where there is another."""
    last = final or taken.tries >= TRIES
    told = reason if final else (_SET_ASIDE if last else _AGAIN).format(reason=reason, tries=taken.tries, most=TRIES)

    def note() -> bool:
        with engine.begin() as connection:
            return _end(connection, taken, state="failed" if last else "waiting", reason=told)

    _log.warning("not analysed", extra={"analysis": taken.id, "try": taken.tries, "last": last})
    if _patiently(note) and not last:
        raise TryAgain(_PAUSES[taken.tries - 1])


def _hand_back(engine: Engine, taken: Taken) -> None:
    with engine.begin() as connection:
        _end(connection, taken, state="waiting", tries=analyses.c.tries - 1)


def _end(connection: Connection, taken: Taken, *, state: str, **values: Any) -> bool:
    """Ends this try; False where it is this try's no more: another began, or the analysis was removed."""
    finished = func.now() if state in ("done", "failed") else None
    mine = (analyses.c.id == taken.id) & (analyses.c.state == "running") & (analyses.c.tries == taken.tries)
    ended = analyses.update().where(mine).values(state=state, finished_at=finished, **values).returning(analyses.c.id)
    return connection.execute(ended).scalar() is not None


def _patiently(work: Callable[[], _Result]) -> _Result:
    """Does it again while the database does not answer: what was found out need not be found out again."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return work()
        except ServiceError as error:
            if error.status != 503 or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE)


def compare(engine: Engine, submission: int, make: Callable[[int], None]) -> None:
    """Compares a submission with `make`; nothing while it is not analysed: that puts it into the queue again."""
    with engine.begin() as connection:
        done = connection.execute(
            select(analyses.c.id)
            .join(submissions, submissions.c.analysis == analyses.c.id)
            .where(submissions.c.id == submission, analyses.c.state == "done")
        ).scalar()
        if done is None:
            return
        _settle(connection, done)  # once more: it may have been handed in just when the analysis ended
    try:
        make(submission)
    except Stopped as stop:
        raise TryAgain(stop.seconds) from None
