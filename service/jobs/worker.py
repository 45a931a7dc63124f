"""The worker: procrastinate takes tasks out of the queue, as many at a time as there are analysing children, until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import queue as queues
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException

from service.database import queue
from service.database.engine import closing, connect, parameters
from service.database.files import open_store
from service.errors import ServiceError
from service.jobs import tasks, upkeep
from service.jobs.analyst import PROGRAM, Analyst, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from procrastinate.jobs import Job
    from sqlalchemy import Engine

    from service.jobs.analysing import Made

GRACE = 12.0  # seconds that what is under way has to end; then it is handed back
_PAUSE = 2.0  # seconds before a worker that lost the database begins again
_TEND = 5.0  # seconds between two looks for what dead workers left
_POLL = 2.0  # seconds between two looks for what was put off; of what is new the database tells at once
_MOST = 5  # tries of a task that fails in a way that nobody foresaw
_HOURLY = "17 * * * *"
_LOST = (ConnectorException, psycopg.OperationalError)
_log = logging.getLogger(__name__)


class _Crew:
    """The analysts: one is taken, asked and put back. `stop` ends them all, whatever they do."""

    def __init__(self, setting: Setting, *, size: int, program: Sequence[str]) -> None:
        self._all = [Analyst(setting, program=program) for _ in range(size)]
        self._idle: queues.LifoQueue[Analyst] = queues.LifoQueue()
        for analyst in self._all:
            self._idle.put(analyst)

    @contextmanager
    def one(self) -> Iterator[Analyst]:
        analyst = self._idle.get()
        try:
            yield analyst
        finally:
            self._idle.put(analyst)

    def analyse(self, file: Any) -> Made:
        with self.one() as analyst:
            return analyst.analyse(file)

    def compare(self, submission: int) -> None:
        with self.one() as analyst:
            analyst.compare(submission)

    def stop(self) -> None:
        for analyst in self._all:
            analyst.stop()


class _Retry(BaseRetryStrategy):
    """What asks for it itself is tried again; a task that fails otherwise, five times, later each time."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, tasks.TryAgain):
            return RetryDecision(retry_in={"seconds": round(exception.seconds)})
        if job.attempts + 1 >= _MOST:
            return None
        return RetryDecision(retry_in={"seconds": 5 * 2**job.attempts})


def run(setting: Setting, *, jobs: int, program: Sequence[str] = PROGRAM) -> None:
    """Works until SIGTERM or SIGINT. What is then under way is finished, or after GRACE handed back.

    `program` is what an analysing child runs after `python`; tests have one that misbehaves.
    """
    place = setting.place
    with closing(connect(place)) as engine:
        queue.prepare(engine)
        crew = _Crew(setting, size=jobs, program=program)
        try:
            app = _app(engine, crew, files=open_store(place))
            asyncio.run(_work(app, engine, crew, jobs=jobs))
        finally:
            crew.stop()


def _app(engine: Engine, crew: _Crew, *, files: Any) -> App:
    """What procrastinate is to do, on the engine's database, in the schema of the queue."""

    async def configure(connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute("SET search_path = queue, public")
        await connection.commit()

    connector = PsycopgConnector(kwargs=partial(parameters, engine), configure=configure, min_size=1, max_size=4, timeout=30.0)
    app = App(connector=connector)

    @app.task(name=queue.ANALYSE, retry=_Retry())
    async def analyse(analysis: int, name: str) -> None:
        await asyncio.to_thread(tasks.analyse, engine, analysis, name, crew.analyse)

    @app.task(name=queue.COMPARE, retry=_Retry())
    async def compare(submission: int) -> None:
        await asyncio.to_thread(tasks.compare, engine, submission, crew.compare)

    @app.periodic(cron=_HOURLY)
    @app.task(name=queue.EXPIRE, queue="work", queueing_lock=queue.EXPIRE, retry=_Retry())
    async def expire(timestamp: int) -> None:  # noqa: ARG001 - procrastinate's
        await asyncio.to_thread(upkeep.expire, engine, files)

    return app


async def _work(app: App, engine: Engine, crew: _Crew, *, jobs: int) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(jobs + 2, "task"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    tending = asyncio.create_task(_tend(engine))
    try:
        while not ending.is_set():
            await _until(ending, _once(app, jobs=jobs), crew.stop)
    finally:
        tending.cancel()
        with suppress(asyncio.CancelledError):
            await tending


async def _once(app: App, *, jobs: int) -> None:
    """Works until it is cancelled; returns where the database was lost, after a pause."""
    try:
        async with app.open_async():
            _log.info("working", extra={"jobs": jobs})
            await app.run_worker_async(
                queues=["work"],
                concurrency=jobs,
                fetch_job_polling_interval=_POLL,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=upkeep.HEARTBEAT,
                stalled_worker_timeout=upkeep.SILENCE,
            )
    except _LOST as error:
        _log.warning("the database is not reached", extra={"error": type(error).__qualname__})
    except ServiceError as error:
        _log.warning("the database is not reached", extra={"code": error.code})
    await asyncio.sleep(_PAUSE)


async def _until(ending: asyncio.Event, work: Any, stop: Callable[[], None]) -> None:
    """Runs `work` to its end, or until `ending`; then it has GRACE seconds before `stop` cuts off what it is at."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(ending.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
            return
        _log.info("ending")
        asyncio.get_running_loop().call_later(GRACE, stop)
        working.cancel()
        with suppress(asyncio.CancelledError, *_LOST):
            await working
    finally:
        waiting.cancel()


async def _tend(engine: Engine) -> None:
    while True:
        with suppress(ServiceError):  # the database is not there; the worker says so
            await asyncio.to_thread(upkeep.mend, engine)
        await asyncio.sleep(_TEND)
