"""A stage that fails leaves a note and a partial report; a file that cannot be read is a failed report."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import models, pipeline, rulebook
from service.errors import ServiceError, Unreadable
from service.model import Document, Rule
from service.parse import Reading
from service.parse.blocks import Builder


def _reading(outcome: Document | Unreadable) -> Reading:
    return Reading(Path("x/样例.txt"), "样例.txt", "0" * 64, "txt", outcome, 1.0)


def _document() -> Document:
    builder = Builder()
    for text in ("实施扭矩管控的经验", "一、企业概况", "某厂生产阀门，员工六百人，成立于一九九八年，主要产品为蝶阀。"):
        builder.add(text)
    return Document("样例.txt", "0" * 64, "txt", builder.text, builder.blocks)


def test_a_report_is_complete() -> None:
    report = pipeline.analyse(_reading(_document()), rulebook.load("2022-hebei"))
    assert report.status == "complete"
    assert report.submission is not None
    assert len(report.outcomes) == len(rulebook.load("2022-hebei").rules)
    assert set(report.timing) == {"read", "segment", "checks", "advice"}
    assert report.focus is None
    assert report.advice is not None


def test_with_models_everything_is_said() -> None:
    report = pipeline.analyse(_reading(_document()), rulebook.load("2022-hebei"), models=models.load())
    assert report.status == "complete"
    assert set(report.timing) == {"read", "segment", "checks", "focus", "summaries", "one_line", "advice"}
    assert set(report.models) == {"embedding", "focus", "sections"}
    assert report.focus is not None
    assert {score.area for score in report.focus.areas} == {area.id for area in rulebook.load("2022-hebei").areas}
    assert [summary.section for summary in report.summaries] == ["overview"]


def test_an_unreadable_file_is_a_failed_report() -> None:
    report = pipeline.analyse(_reading(Unreadable("pdf_encrypted", "有密码，请另存。")), rulebook.load("2022-hebei"))
    assert report.status == "failed"
    assert [(note.code, note.message) for note in report.notes] == [("pdf_encrypted", "有密码，请另存。")]
    assert report.submission is None


def test_a_failing_stage_makes_the_report_partial(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fails(submission: object, rules: tuple[Rule, ...]) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline.checks, "run", fails)
    report = pipeline.analyse(_reading(_document()), rulebook.load("2022-hebei"))
    assert report.status == "partial"
    assert report.submission is not None
    assert report.submission.sections
    assert [note.code for note in report.notes] == ["stage_failed"]
    assert "逐项检查" in report.notes[0].message
    assert "checks failed" in caplog.text


def test_a_further_stage_that_fails_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    report = pipeline.analyse(_reading(_document()), rulebook.load("2022-hebei"))
    assert pipeline.further(report, "html", "网页报告", lambda: "页面")[0] == "页面"
    refused = ServiceError("annotate_other_file", "文件被改动过，请重新审读。")

    def refuse() -> str:
        raise refused

    def break_down() -> str:
        raise ZeroDivisionError

    for work, code in ((refuse, "annotate_other_file"), (break_down, "stage_failed")):
        result, noted = pipeline.further(report, "annotate", "Word 批注", work)
        assert (result, noted.status, noted.notes[-1].code) == (None, "partial", code)
    assert "ZeroDivisionError" in caplog.text
