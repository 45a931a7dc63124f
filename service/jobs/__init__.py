"""Durable work in the background: analyses, comparing submissions, expiry.

Work is put in by the transaction that stores what it is about (service/database/queue.py); workers on any machine that reaches database
and files take it out (worker.py), have it done by child processes of their own (analyst.py, analysing.py) and store what came of it
(tasks.py). `run_waiting` does the same in this process, for tests.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, func, select, text

from service.database import queue
from service.database.programme_tables import analyses
from service.database.queue import prepare

if TYPE_CHECKING:
    from service.batch import Folders
    from service.database.files import Files
    from service.parse import Reader

__all__ = ["Figures", "figures", "prepare", "run_waiting"]


@dataclass(frozen=True, slots=True)
class Figures:
    """How the queue is: for /metrics and the page of the system."""

    waiting: int
    running: int
    failed: int
    oldest_seconds: float  # since what has waited longest was wanted; 0 where nothing waits
    stages: dict[str, tuple[float, int]]  # stage -> milliseconds summed, files; since the queue was made


def figures(connection: Connection) -> Figures:
    counted = {state: (number, age) for state, number, age in connection.execute(
        select(analyses.c.state, func.count(), func.extract("epoch", func.now() - func.min(analyses.c.wanted_at)))
        .where(analyses.c.state != "done").group_by(analyses.c.state)
    )}  # fmt: skip
    stages = connection.execute(text("SELECT stage, milliseconds, files FROM queue.stage_times ORDER BY stage"))
    waiting, age = counted.get("waiting", (0, 0))
    return Figures(
        waiting=waiting,
        running=counted.get("running", (0, 0))[0],
        failed=counted.get("failed", (0, 0))[0],
        oldest_seconds=max(0.0, float(age)),
        stages={row.stage: (row.milliseconds, row.files) for row in stages},
    )


def run_waiting(engine: Engine, files: Files, *, folders: Folders | None = None, reader: Reader | None = None) -> int:
    """Does all that waits in the queue, in this process, and what comes of it; how many tasks it were. For tests."""
    from service.batch import Folders  # noqa: PLC0415 - the service asks for figures alone
    from service.jobs import analysing, tasks, upkeep  # noqa: PLC0415
    from service.parse import Reader  # noqa: PLC0415

    folders = folders or Folders()
    done = 0
    with ExitStack() as stack:
        while job := _fetched(engine):
            again, arguments = False, job.args
            try:
                if job.task_name == queue.ANALYSE:
                    reader = reader or stack.enter_context(Reader(jobs=1))
                    make = partial(analysing.analysed, files=files, reader=reader, folders=folders)
                    tasks.analyse(engine, arguments["analysis"], arguments["name"], make)
                elif job.task_name == queue.COMPARE:
                    tasks.compare(engine, arguments["submission"], partial(analysing.compared, engine, folders=folders))
                elif job.task_name == queue.EXPIRE:
                    upkeep.expire(engine, files)
            except tasks.TryAgain:
                again = True
            _finish(engine, job.id, again=again)
            done += 1
    return done


def _fetched(engine: Engine) -> Any:
    with engine.begin() as connection:
        job = connection.execute(text("SELECT * FROM queue.procrastinate_fetch_job_v2(NULL, NULL)")).one()
    return job if job.id is not None else None


def _finish(engine: Engine, job: int, *, again: bool) -> None:
    call = "procrastinate_retry_job_v2(:job, now(), NULL, NULL, NULL)" if again else "procrastinate_finish_job_v1(:job, 'succeeded', true)"
    with engine.begin() as connection:
        connection.execute(text(f"SELECT queue.{call}"), {"job": job})
