"""The queue and its workers: each analysis made once, whatever is killed; what cannot be analysed is set aside with its reason."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docx
import pytest
from sqlalchemy import func, select, text

from service import jobs
from service.database import queue
from service.database.engine import closing, connect
from service.database.files import open_store
from service.database.place import Place
from service.database.programme_tables import analyses as table
from service.database.programme_tables import similar_submissions, users
from service.errors import ServiceError
from service.jobs import tasks, upkeep
from service.jobs.analysing import File, Made
from service.parse import Reader
from service.programme import analyses, sessions, submissions
from service.programme.analyses import Current
from service.programme.viewer import Viewer
from service.rulebook import load

ROOT = Path(__file__).parent.parent
CURRENT = Current("0/1", "embedding=a")
WRITEUP = (
    "基于数据驱动的质量管理实践经验", "一、企业概况", "某公司成立于2001年，主营工业机器人减速器。", "二、经验产生的背景",
    "公司原有的检验方式效率低。", "三、主要做法", "建立了覆盖全过程的质量数据平台，导入六西格玛方法。", "四、实施效果",
    "一次交检合格率由2019年的92.1%提高到2021年的98.5%。",
)  # fmt: skip


def writeup(mark: str) -> bytes:
    """A small one; `mark` also stands in the bytes as it is, where poisoned_analyst.py sees it."""
    document = docx.Document()
    for line in (*WRITEUP, mark):
        document.add_paragraph(line)
    stream = io.BytesIO()
    document.save(stream)
    with zipfile.ZipFile(stream, "a") as package:
        package.comment = mark.encode()
    return stream.getvalue()


@pytest.fixture(name="files")
def _files(place: Any, engine: Any) -> Any:
    queue.prepare(engine)
    return open_store(place)


@pytest.fixture(name="reader", scope="module")
def _reader() -> Iterator[Reader]:
    with Reader(jobs=1) as reader:
        yield reader


def wanted(engine: Any, files: Any, data: bytes, name: str = "材料.docx") -> int:
    with engine.begin() as connection:
        return analyses.want(connection, sha256=files.put(data), file_name=name, edition=load("2022-hebei"), current=CURRENT)


def state(engine: Any, which: int) -> analyses.Progress:
    with engine.begin() as connection:
        return analyses.state(connection, which)


def waiting(engine: Any) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text("SELECT count(*) FROM queue.procrastinate_jobs WHERE task_name <> 'expire'")).scalar_one())


def made(_file: File) -> Made:
    return Made(b"x", {"status": "complete", "milliseconds": 1}, {"read": 1.0})


def dies(_file: File) -> Made:
    raise tasks.Died("分析这份材料时程序异常终止。")


# --- in this process ---------------------------------------------------------------------------------------------------------------


def test_what_waits_is_analysed_and_kept(engine: Any, files: Any, reader: Reader) -> None:
    which = wanted(engine, files, writeup("甲"))
    assert state(engine, which) == analyses.Progress("waiting", None, 0, 0)
    assert jobs.run_waiting(engine, files, reader=reader) == 1
    assert state(engine, which).state == "done"
    assert waiting(engine) == 0
    with engine.begin() as connection:
        report = analyses.report(connection, which, file_name="别名.docx")
        row = connection.execute(select(table)).one()
        told = jobs.figures(connection)
    assert report is not None and report.submission is not None
    assert (report.name, report.submission.document.name) == ("别名.docx", "别名.docx")
    assert (row.title, row.status, row.primary_area) == (WRITEUP[0], report.status, report.focus and report.focus.primary)
    assert (row.errors, row.missing) == (
        sum(len(o.findings) or 1 for o in report.outcomes if o.verdict == "fail" and o.severity == "error"),
        list(report.submission.missing),
    )
    assert (told.waiting, told.running, told.failed, told.oldest_seconds) == (0, 0, 0, 0.0)
    assert {"read", "checks", "focus"} <= set(told.stages)


def test_a_file_that_cannot_be_read_has_a_failed_report(engine: Any, files: Any, reader: Reader) -> None:
    which = wanted(engine, files, b"\x00\x01\x02nothing")
    jobs.run_waiting(engine, files, reader=reader)
    with engine.begin() as connection:
        report = analyses.report(connection, which, file_name="x.docx")
    assert report is not None
    assert (report.status, state(engine, which).state) == ("failed", "done")
    assert report.notes[0].message


def test_an_old_report_that_no_one_can_read_is_made_again(engine: Any, files: Any, reader: Reader) -> None:
    which = wanted(engine, files, writeup("甲"))
    jobs.run_waiting(engine, files, reader=reader)
    with engine.begin() as connection:
        connection.execute(table.update().values(report=b"\x01"))
        assert analyses.report(connection, which, file_name="x.docx") is None
    assert jobs.run_waiting(engine, files, reader=reader) == 1
    with engine.begin() as connection:
        assert analyses.report(connection, which, file_name="x.docx") is not None


def test_three_tries_then_it_is_set_aside(engine: Any, files: Any) -> None:
    which = wanted(engine, files, b"x")
    for number in (1, 2):
        with pytest.raises(tasks.TryAgain):
            tasks.analyse(engine, which, "x.docx", dies)
        told = state(engine, which)
        assert (told.state, told.tries) == ("waiting", number)
        assert f"第 {number} 次" in (told.reason or "")
    tasks.analyse(engine, which, "x.docx", dies)
    assert state(engine, which).state == "failed"
    assert "不再自动重试" in (state(engine, which).reason or "")
    with engine.begin() as connection:
        assert analyses.again(connection, which)
    tasks.analyse(engine, which, "x.docx", made)
    assert state(engine, which) == analyses.Progress("done", None, 1, 0)


def test_a_worker_that_died_three_times_over_a_file(engine: Any, files: Any) -> None:
    which = wanted(engine, files, b"x")
    for _ in range(3):
        assert tasks._take(engine, which, "x.docx") is not None
    tasks.analyse(engine, which, "x.docx", made)
    told = state(engine, which)
    assert (told.state, told.tries) == ("failed", 3)
    assert "后台进程意外中断" in (told.reason or "")


def test_a_late_result_of_an_earlier_try_is_not_taken(engine: Any, files: Any) -> None:
    which = wanted(engine, files, b"x")

    def overtaken(_file: File) -> Made:
        tasks.analyse(engine, which, "x.docx", made)
        return Made(b"late", {"status": "failed", "milliseconds": 1}, {})

    tasks.analyse(engine, which, "x.docx", overtaken)
    with engine.begin() as connection:
        assert connection.execute(select(table.c.report, table.c.tries, table.c.status)).one() == (b"x", 2, "complete")


def test_what_is_handed_back_costs_no_try(engine: Any, files: Any) -> None:
    which = wanted(engine, files, b"x")

    def stopped(_file: File) -> Made:
        raise tasks.Stopped(3.0)

    with pytest.raises(tasks.TryAgain) as again:
        tasks.analyse(engine, which, "x.docx", stopped)
    assert again.value.seconds == 3.0
    assert state(engine, which).tries == 0


def test_a_report_that_lacks_what_another_try_may_give(engine: Any, files: Any) -> None:
    which = wanted(engine, files, b"x")

    def lacking(_file: File) -> Made:
        return Made(b"x", {"status": "partial", "milliseconds": 1}, {}, passing="与数据库的连接中断了。")

    for _ in range(2):
        with pytest.raises(tasks.TryAgain):
            tasks.analyse(engine, which, "x.docx", lacking)
    tasks.analyse(engine, which, "x.docx", lacking)
    assert state(engine, which).state == "done"


def test_a_file_that_is_gone_from_the_store_is_told_at_once(engine: Any, files: Any) -> None:
    which = wanted(engine, files, b"x")
    with engine.begin() as connection:
        files.delete(connection.execute(select(table.c.sha256)).scalar_one())
    jobs.run_waiting(engine, files)
    told = state(engine, which)
    assert (told.state, told.tries) == ("failed", 1)
    assert "不见了" in (told.reason or "")


def test_an_analysis_that_was_forgotten_is_not_made(engine: Any, files: Any) -> None:
    which = wanted(engine, files, b"x")
    with engine.begin() as connection:
        assert analyses.forget(connection, which)
        assert not analyses.forget(connection, which)
    assert jobs.run_waiting(engine, files) == 1
    assert waiting(engine) == 0


def test_work_of_a_dead_worker_is_put_back(engine: Any, files: Any) -> None:
    wanted(engine, files, b"x")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO queue.procrastinate_workers DEFAULT VALUES"))
        connection.execute(text("SELECT queue.procrastinate_fetch_job_v2(NULL, (SELECT max(id) FROM queue.procrastinate_workers))"))
    assert upkeep.mend(engine) == 0
    with engine.begin() as connection:
        connection.execute(text("UPDATE queue.procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"))
    assert upkeep.mend(engine) == 1
    assert upkeep.mend(engine) == 0


def test_what_waits_without_a_job_is_given_one(engine: Any, files: Any) -> None:
    wanted(engine, files, b"x")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM queue.procrastinate_jobs"))
    assert upkeep.mend(engine) == 0
    with engine.begin() as connection:
        connection.execute(table.update().values(wanted_at=func.now() - text("interval '2 minutes'")))
    assert upkeep.mend(engine) == 1
    assert waiting(engine) == 1


def handed_in(engine: Any, files: Any, data: bytes) -> int:
    """A submission whose analysis waits."""
    which = wanted(engine, files, data)
    with engine.begin() as connection:
        user = connection.execute(
            users.insert().values(name=f"u{which}", shown="甲公司", role="applicant").returning(users.c.id)
        ).scalar_one()
        viewer = Viewer(user, f"u{which}", "甲公司", "applicant")
        file = submissions.Uploaded(files.put(data), "材料.docx", len(data))
        handed = submissions.submit(
            connection, viewer, edition="2022-hebei", file=file, analysis=which, title="经验", organisation="甲公司"
        )
    return handed.id


def test_submissions_are_compared_when_they_are_analysed(engine: Any, files: Any, reader: Reader) -> None:
    ids = [handed_in(engine, files, writeup(mark)) for mark in ("甲", "乙")]
    assert jobs.run_waiting(engine, files, reader=reader) >= 4
    with engine.begin() as connection:
        pairs = connection.execute(select(similar_submissions.c.one, similar_submissions.c.other)).all()
    assert sorted(map(tuple, pairs)) == [tuple(ids), tuple(reversed(ids))]
    assert waiting(engine) == 0


def test_a_submission_is_not_compared_before_it_is_analysed(engine: Any, files: Any) -> None:
    def never(_submission: int) -> None:
        raise AssertionError

    tasks.compare(engine, handed_in(engine, files, writeup("甲")), never)


def test_what_has_expired_is_removed(engine: Any, files: Any) -> None:
    with engine.begin() as connection:
        user = connection.execute(users.insert().values(name="a", shown="a", role="applicant").returning(users.c.id)).scalar_one()
        for hours in (1, -1):
            sessions.open_session(connection, user, hours=hours)
    upkeep.expire(engine, files)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM sessions")).scalar_one() == 1


# --- workers that are processes ----------------------------------------------------------------------------------------------------


class Workers:
    """Workers as real processes on one queue, with short signs of life."""

    def __init__(self, place: Any, folder: Path) -> None:
        self._folder = folder
        self._environment = {**os.environ, "BIAOGAN_DATA_DIR": str(place.data), "BIAOGAN_DATABASE_URL": place.database or ""}
        self._environment |= {"PYTHONPATH": str(ROOT), "BIAOGAN_OCR": "0"}
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *, jobs: int = 1) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "tests" / "poisoned_worker.py"), str(jobs), "0.5", "2"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env=self._environment, stderr=log, stdin=subprocess.DEVNULL)
        self._processes.append(process)
        return process

    @property
    def log(self) -> Path:
        return self._folder / "workers.log"

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


@pytest.fixture(name="workers")
def _workers(place: Any, tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(place, tmp_path)
    yield workers
    workers.end()


def until(what: Callable[[], bool], seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "took too long"
        time.sleep(0.1)


def states(engine: Any) -> dict[str, int]:
    try:
        return _states(engine)
    except ServiceError:  # the database was killed just then
        return {}


def _states(engine: Any) -> dict[str, int]:
    with engine.begin() as connection:
        rows = connection.execute(select(table.c.state, func.count().label("number")).group_by(table.c.state)).all()
    return {row.state: row.number for row in rows}


# Every result that is stored leaves a row.
ENDINGS = """
CREATE TABLE ended (analysis bigint);
CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ended VALUES (new.id); RETURN new; END $$;
CREATE TRIGGER note_end AFTER UPDATE ON analyses FOR EACH ROW WHEN (new.state IN ('done', 'failed')) EXECUTE FUNCTION note_end();
"""


def test_a_killed_worker_loses_nothing_and_nothing_is_made_twice(engine: Any, files: Any, workers: Workers) -> None:
    for number in range(12):
        wanted(engine, files, writeup(f"SLOW {number}") if number % 3 == 0 else writeup(f"{number}"))
    with engine.begin() as connection:
        connection.execute(text(ENDINGS))
    first = workers.start()
    until(lambda: states(engine).get("running", 0) > 0 and states(engine).get("done", 0) > 0)
    first.send_signal(signal.SIGKILL)
    first.wait()
    workers.start()
    workers.start()
    until(lambda: states(engine) == {"done": 12})
    until(lambda: waiting(engine) == 0)
    with engine.begin() as connection:
        ended = connection.execute(text("SELECT analysis FROM ended")).scalars().all()
    assert len(ended) == len(set(ended)) == 12


def test_a_file_that_kills_its_process_is_set_aside_and_the_others_go_on(engine: Any, files: Any, workers: Workers) -> None:
    poison, broken = wanted(engine, files, b"DIE"), wanted(engine, files, b"RAISE")
    good = [wanted(engine, files, writeup(f"{number}")) for number in range(2)]
    with engine.begin() as connection:
        connection.execute(table.update().where(table.c.id.in_((poison, broken))).values(tries=1))
    workers.start()
    until(lambda: states(engine) == {"done": 2, "failed": 2})
    assert {state(engine, which).state for which in good} == {"done"}
    for which in (poison, broken):
        assert state(engine, which).tries == 3
        assert "已尝试 3 次" in (state(engine, which).reason or "")
    assert "某公司" not in workers.log.read_text()


def test_a_worker_that_is_told_to_end_finishes_first(engine: Any, files: Any, workers: Workers) -> None:
    wanted(engine, files, writeup("SLOW"))
    worker = workers.start()
    until(lambda: states(engine) == {"running": 1})
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert states(engine) == {"done": 1}
    assert waiting(engine) == 0


def test_what_does_not_end_in_time_is_handed_back(engine: Any, files: Any, workers: Workers) -> None:
    which = wanted(engine, files, b"STUCK")
    worker = workers.start()
    until(lambda: states(engine) == {"running": 1})
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert state(engine, which) == analyses.Progress("waiting", None, 0, 0)
    assert waiting(engine) == 1


def test_a_worker_goes_on_when_the_database_was_killed(blank: Path, memory: Path, tmp_path: Path) -> None:
    """The embedded server: whoever asks next starts it again."""
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        place = Place(Path(folder))
        shutil.copytree(blank, place.server)
        with closing(connect(place)) as engine:
            queue.prepare(engine)
            files = open_store(place)
            workers = Workers(place, tmp_path)
            try:
                for number in range(6):
                    wanted(engine, files, writeup(f"SLOW {number}" if number == 1 else f"{number}"))
                running = workers.start()
                until(lambda: states(engine).get("running", 0) > 0)
                os.kill(int((place.server / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
                until(lambda: states(engine) == {"done": 6})
                until(lambda: waiting(engine) == 0)
                running.send_signal(signal.SIGTERM)
                assert running.wait(20) == 0
            finally:
                workers.end()
