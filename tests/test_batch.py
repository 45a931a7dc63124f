"""Many files are analysed by several processes, with the same reports in the same order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from service import batch, pipeline, rulebook
from service.errors import Unreadable
from service.model import Document, Report
from service.parse import Reading
from service.parse.blocks import Builder


def _reading(number: int) -> Reading:
    builder = Builder()
    for text in (
        f"实施第{number}号扭矩管控的经验",
        "一、企业概况",
        f"某厂生产阀门，员工{number}百人，成立于1998年，主要产品为蝶阀。电话13900001111。",
    ):
        builder.add(text)
    name = f"{number}.txt"
    outcome = (
        Document(name, f"{number:064}", "txt", builder.text, builder.blocks)
        if number % 5
        else Unreadable("file_damaged", "文件已损坏，请重新导出。")
    )
    return Reading(Path(name), name, f"{number:064}", "txt", outcome, 1.0)


def _plain(report: Report) -> tuple[object, ...]:
    submission = report.submission
    found = (
        () if submission is None else (submission.document, submission.title, submission.sections, submission.headings, submission.missing)
    )
    return replace(report, submission=None, timing={}), *found


@pytest.mark.parametrize("count", [3, 40])
def test_reports_are_the_same_and_in_order(count: int) -> None:
    edition = rulebook.load("2022-hebei")
    readings = [_reading(number) for number in range(count)]
    known = batch.Folders().load()
    expected = [pipeline.analyse(reading, edition, models=known) for reading in readings]
    found = list(batch.analyse_all(iter(readings), edition, files=count, jobs=2))
    assert [_plain(report) for report in found] == [_plain(report) for report in expected]


def test_a_process_that_dies_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_prepare", int)  # int() of these raises in every process that starts
    edition = rulebook.load("2022-hebei")
    readings = [_reading(number) for number in range(20)]
    found = list(batch.analyse_all(iter(readings), edition, files=20, jobs=2))
    assert [report.name for report in found] == [reading.name for reading in readings]


def test_the_same_file_twice_is_noted() -> None:
    one, other = _reading(1), replace(_reading(1), path=Path("甲公司/材料.txt"))
    first, second = batch.analyse_all(iter([one, other]), rulebook.load("2022-hebei"), files=2, jobs=1)
    assert [note.code for note in first.notes] == []
    assert [(note.code, "1.txt" in note.message) for note in second.notes] == [("same_file", True)]
