"""The report and reading objects keep the contract of REPORT.md, one line each, without personal data."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from service.model import Block, Document, Finding, Note, Outcome, Report, Section, Submission, Title
from service.render.json import line, read_json, report_json

KEYS = {
    "schema", "document", "edition", "edition_hash", "models", "status", "notes", "text", "sections", "missing", "outcomes", "focus",
    "matches", "similarity", "summaries", "one_line", "advice", "timing",
}  # fmt: skip
PHONE = "13800138000"
TEXT = f"实施看板管理的经验\n一、企业概况\n星河轴承有限公司，联系人电话{PHONE}。"


def report(text: str = TEXT) -> Report:
    document = Document("a.docx", "ab" * 32, "docx", text, (Block("title", 0, 9), Block("heading", 10, 16, level=1, label="一、")))
    submission = Submission(
        document=document,
        title=Title(text[:9], 0, 9, 0),
        organisation=f"星河轴承有限公司{PHONE}",
        sections=(Section("overview", f"一、企业概况{PHONE}", 10, 17, len(text), 20),),
        headings=(),
        missing=("results",),
        specs=(),
        notes=(Note("form_found", "认出申报书"),),
    )
    outcome = Outcome(
        rule="2022-hebei/8",
        check="personal_data",
        basis="ours",
        clause=None,
        verdict="fail",
        severity="warning",
        findings=(Finding(f"「联系人电话{PHONE}」有手机号", 20, 30, measured=PHONE, allowed=0),),
    )
    skipped = Outcome("2022-hebei/9", "page_format", "notice", "附件2", "not_checked", "warning", reason=f"不知道{PHONE[:8]}…")
    return Report(
        "a.docx", "ab" * 32, "docx", "2022-hebei", "ff", "complete",
        notes=(Note("form_found", "认出申报书"), Note("slow", "慢")), submission=submission, outcomes=(outcome, skipped),
        timing={"parse": 1.23456},
    )  # fmt: skip


def test_every_key_of_the_contract_is_there() -> None:
    value = report_json(report())
    assert set(value) == KEYS
    assert value["schema"] == "report/1"
    assert value["document"].keys() == {
        "name", "sha256", "format", "title", "organisation", "words", "characters", "han", "pages",
    }  # fmt: skip
    assert value["document"]["title"] == "实施看板管理的经验"
    assert value["sections"][0].keys() == {"key", "heading", "start", "end", "words"}
    assert value["missing"] == ["results"]
    assert value["outcomes"][0].keys() == {"rule", "check", "basis", "clause", "verdict", "severity", "reason", "findings"}
    assert value["outcomes"][0]["findings"][0].keys() == {"message", "start", "end", "measured", "allowed"}
    assert value["timing"] == {"parse": 1.2}


def test_counts_are_the_three_of_the_contract() -> None:
    counts = report_json(report("质量 ISO 9001，好。\n"))["document"]
    assert (counts["words"], counts["characters"], counts["han"]) == (7, 12, 3)


def test_what_later_stages_will_fill_has_its_empty_value() -> None:
    value = report_json(report())
    assert value["models"] == {}
    assert value["focus"] == {"areas": [], "primary": None}
    assert value["matches"] == value["summaries"] == []
    shares = ("total", "without_quotes", "without_own", "largest_single", "first_half", "second_half")
    assert value["similarity"] == dict.fromkeys((*shares, "characters", "passages", "compared", "only_among"))
    assert value["advice"] == {"items": [], "strengths": [], "criteria": []}
    assert [note["code"] for note in value["notes"]] == ["form_found", "slow", "focus_not_learned"]


def test_personal_data_appears_nowhere_and_offsets_stay() -> None:
    value = report_json(report())
    written = line(value).decode()
    assert PHONE not in written
    assert PHONE[:8] not in written
    assert len(value["text"]) == len(TEXT)
    assert value["text"].startswith(TEXT.partition(PHONE)[0])


def test_a_failed_file_has_every_key_with_empty_values() -> None:
    value = report_json(Report("b.pdf", "00", None, "2022-hebei", "ff", "failed", notes=(Note("file_encrypted", "文件已加密"),)))
    assert set(value) == KEYS
    assert value["document"].keys() == report_json(report())["document"].keys()
    assert (value["text"], value["sections"], value["missing"], value["outcomes"]) == ("", [], [], [])
    assert value["notes"] == [{"code": "file_encrypted", "message": "文件已加密"}]


def test_read_gives_blocks_with_labels_and_masks_the_text() -> None:
    value = read_json(report().submission.document)  # type: ignore[union-attr]
    assert set(value) == {"document", "status", "notes", "text", "blocks"}
    assert value["document"]["title"] == "实施看板管理的经验"
    assert value["blocks"][1] == {"kind": "heading", "level": 1, "label": "一、", "start": 10, "end": 16, "page": None}
    assert PHONE not in value["text"]
    failed = read_json(Report("b.pdf", "00", None, "", "", "failed", notes=(Note("file_encrypted", "文件已加密"),)))
    assert set(failed) == set(value)
    assert failed["document"].keys() == value["document"].keys()


@pytest.mark.parametrize("odd", ["\x85", "\u2028", "\u2029", "\n", "\r", "\x0b", "\ud800", "\x00"])
def test_a_report_is_one_line_whatever_its_text(odd: str) -> None:
    base = report(f"甲{odd}乙")
    written = line(report_json(base))
    assert len(written.decode().splitlines()) == 1
    assert json.loads(written)["text"] == f"甲{odd}乙".encode("utf-8", "replace").decode()


def test_a_report_without_title_says_null() -> None:
    base = report()
    assert base.submission is not None
    value = report_json(replace(base, submission=replace(base.submission, title=None, organisation=None)))
    assert value["document"]["title"] is None
    assert value["document"]["organisation"] is None
