"""The analysing child: it answers, is ended in time, and never outlives its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from service.database.files import open_store
from service.errors import ServiceError
from service.jobs import analyst as module
from service.jobs.analysing import File
from service.jobs.analyst import Analyst, Setting
from service.jobs.tasks import Died, Stopped

ROOT = Path(__file__).parent.parent
POISONED = (str(ROOT / "tests" / "poisoned_analyst.py"),)


@pytest.fixture(name="analyst")
def _analyst(place: Any, engine: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Analyst]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    analyst = Analyst(Setting(str(place.data), place.database, ocr=False), program=POISONED)
    yield analyst
    analyst.stop()


def file(place: Any, text: str, edition: str = "2022-hebei") -> File:
    return File(open_store(place).put(text.encode()), "材料.txt", edition)


def test_it_answers_one_file_after_another(place: Any, analyst: Analyst) -> None:
    made = [analyst.analyse(file(place, f"一、企业概况\n公司成立于{year}年。")) for year in (2001, 2002)]
    assert [each.columns["status"] for each in made] == ["complete", "complete"]
    assert "matches" in made[0].timing


def test_an_error_of_ours_comes_back_as_it_was(place: Any, analyst: Analyst) -> None:
    with pytest.raises(ServiceError) as error:
        analyst.analyse(file(place, "x", edition="1999-nowhere"))
    assert (error.value.code, error.value.status) == ("edition_unknown", error.value.status)
    with pytest.raises(ServiceError) as error:
        analyst.analyse(File("0" * 64, "x.txt", "2022-hebei"))
    assert error.value.code == "stored_file_missing"


def test_a_child_that_dies_costs_its_file_alone(place: Any, analyst: Analyst) -> None:
    with pytest.raises(Died, match="异常终止"):
        analyst.analyse(file(place, "DIE"))
    assert analyst.analyse(file(place, "一、企业概况")).columns["status"] == "complete"


def test_a_child_that_takes_too_long_is_ended(place: Any, analyst: Analyst, monkeypatch: pytest.MonkeyPatch) -> None:
    analyst.analyse(file(place, "一、企业概况"))
    monkeypatch.setattr(module, "_READING", 0.5)
    before = analyst.pid
    with pytest.raises(Died, match="仍未完成"):
        analyst.analyse(file(place, "STUCK"))
    assert before is not None
    assert not psutil.pid_exists(before)


def test_what_is_under_way_is_broken_off(place: Any, analyst: Analyst) -> None:
    analyst.analyse(file(place, "一、企业概况"))
    threading.Timer(0.5, analyst.stop).start()
    with pytest.raises(Stopped):
        analyst.analyse(file(place, "STUCK"))
    with pytest.raises(Stopped):
        analyst.analyse(file(place, "一、企业概况"))


def test_a_child_that_cannot_begin_is_no_fault_of_the_file(place: Any, engine: Any) -> None:
    analyst = Analyst(Setting(str(place.data), place.database), program=("-c", "raise SystemExit(1)"))
    with pytest.raises(Stopped) as stop:
        analyst.analyse(file(place, "一、企业概况"))
    assert stop.value.seconds > 0
    analyst.stop()


def test_no_child_outlives_its_worker(place: Any, engine: Any) -> None:
    script = (
        "import sys\nfrom service.jobs.analyst import Analyst, Setting\nfrom service.jobs.analysing import File\n"
        "analyst = Analyst(Setting(sys.argv[1], sys.argv[2], ocr=False), program=(sys.argv[3],))\n"
        "print(analyst.pid, flush=True)\nanalyst.analyse(File(sys.argv[4], 'x.txt', '2022-hebei'))\n"
    )
    command = [sys.executable, "-c", script, str(place.data), place.database, *POISONED, file(place, "STUCK").sha256]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}) as worker:
        assert worker.stdout is not None
        child = psutil.Process(int(worker.stdout.readline()))
        time.sleep(4)
        assert child.is_running()
        worker.send_signal(signal.SIGKILL)
    assert child.wait(10) is None or not child.is_running()
