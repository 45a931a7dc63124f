"""The workbook says what the reports say, and nothing in it is ever a formula."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from documents_made import make_submission
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from service import rulebook
from service.model import Edition, Finding, Note, Outcome, Report
from service.render.sheets import text_value
from service.render.xlsx import workbook

EVIL = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠A1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","y")',
]


@pytest.fixture(scope="module")
def edition() -> Edition:
    return rulebook.load("2022-hebei")


def report(evil: str = "实施看板管理的经验") -> Report:
    case = {
        "title": evil,
        "organisation": evil,
        "sections": [
            {"key": "overview", "heading": "一、企业概况", "blocks": ["质" * 600, f"电话13800138000。{evil}"]},
            {"key": "process", "heading": evil, "blocks": [evil]},
            {"key": "results", "blocks": ["提升"]},
        ],
    }
    submission = make_submission(case)
    start = submission.text.rindex(evil)
    failing = Outcome(
        "2022-hebei/1", "placeholder", "notice", evil, "fail", "error", findings=(Finding(evil, start, start + len(evil), evil, evil),)
    )
    numbers = Outcome(
        "2022-hebei/2", "section_length", "ours", None, "fail", "warning", findings=(Finding("超过要求13800138000", 0, 2, 612, 500),)
    )
    skipped = Outcome("2022-hebei/3", "page_format", "notice", evil, "not_checked", "warning", reason=evil)
    return Report(
        evil, "ab" * 32, "docx", "2022-hebei", "ff", "complete",
        notes=(Note("x", evil),), submission=submission, outcomes=(failing, numbers, skipped),
    )  # fmt: skip


def opened(content: bytes) -> Workbook:
    return load_workbook(BytesIO(content))


def rows(sheet: Worksheet) -> list[dict[str, object]]:
    head, *others = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, head), values, strict=True)) for values in others]


def test_the_sheets_and_their_heads(edition: Edition) -> None:
    book = opened(workbook([report(), report()], edition))
    assert book.sheetnames == ["初审表", "问题清单", "说明"]
    for name, count in (("初审表", 2), ("问题清单", 4)):
        sheet = book[name]
        assert sheet.max_row == count + 1
        assert sheet.freeze_panes == "C2"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert all(sheet.column_dimensions[cell.column_letter].width > 4 for cell in sheet[1])


def test_a_row_a_document_with_sections_against_limits(edition: Edition) -> None:
    book = opened(workbook([report()], edition))
    (row,) = rows(book["初审表"])
    assert (row["文件"], row["题目"], row["单位"], row["状态"]) == ("实施看板管理的经验",) * 3 + ("已审读",)
    assert (row["错误"], row["提醒"], row["建议"], row["未检查"]) == (1, 1, 0, 1)
    assert row["缺少部分"] == "实施背景"
    assert row["实施背景\n≤ 1,000"] == "缺少"
    assert row["企业概况\n≤ 500"] == 613
    colours = {cell.value: cell.fill.fgColor.rgb for cell in book["初审表"][2]}
    assert colours[613] == colours["缺少"] == "00FBD9D5"
    assert colours[2] == "00DDF0E3"


def test_a_row_a_finding(edition: Edition) -> None:
    first, second = rows(opened(workbook([report()], edition))["问题清单"])
    assert (first["轻重"], first["检查项"], first["部分"], first["依据"]) == ("错误", "未填内容", "实施过程", "通知")
    assert first["原文"] == "实施看板管理的经验"
    assert (second["轻重"], second["现状"], second["要求"], second["依据"], second["条款"]) == ("提醒", 612, 500, "本系统", None)


def test_personal_data_is_masked(edition: Edition) -> None:
    book = opened(workbook([report()], edition))
    values = [str(value) for sheet in book for line in sheet.iter_rows(values_only=True) for value in line]
    assert not any("13800138000" in value for value in values)
    assert any("138****8000" in value for value in values)


@pytest.mark.parametrize("evil", EVIL)
def test_no_cell_becomes_a_formula(evil: str, edition: Edition) -> None:
    for sheet in opened(workbook([report(evil)], edition)):
        for line in sheet.iter_rows():
            for cell in line:
                assert cell.data_type in ("s", "n"), cell.coordinate
                if isinstance(cell.value, str):
                    assert not cell.value.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_libreoffice_saves_it_again_without_a_formula(edition: Edition, tmp_path: Path) -> None:
    (tmp_path / "in.xlsx").write_bytes(workbook([report(evil) for evil in EVIL], edition))
    command = [
        "soffice",
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--convert-to",
        "xlsx",
        "--outdir",
        str(tmp_path / "out"),
    ]
    subprocess.run([*command, str(tmp_path / "in.xlsx")], check=True, capture_output=True, timeout=120)
    book = load_workbook(tmp_path / "out" / "in.xlsx")
    assert book["初审表"].max_row == len(EVIL) + 1
    assert {cell.data_type for sheet in book for line in sheet.iter_rows() for cell in line} <= {"s", "n"}


@pytest.mark.parametrize(
    ("value", "kept"), [("甲\x00\x0b\x1f乙", "甲乙"), ("甲\ud800", "甲?"), ("a=b", "a=b"), ("", ""), ("=1", "'=1"), ("\x00=1", "'=1")]
)
def test_what_a_cell_cannot_hold_is_removed(value: str, kept: str) -> None:
    assert text_value(value) == kept


def test_a_text_longer_than_a_cell_is_cut_and_says_so(edition: Edition) -> None:
    assert len(text_value("长" * 40_000)) == 32_767
    assert text_value("=" * 40_000).endswith("（后略）")
    long = replace(report(), notes=(Note("x", "长" * 40_000),))
    (row,) = rows(opened(workbook([long], edition))["初审表"])
    assert len(str(row["说明"])) == 32_767


def test_a_file_that_could_not_be_read_has_a_row_with_the_reason(edition: Edition) -> None:
    failed = Report("坏.pdf", "00", None, "2022-hebei", "ff", "failed", notes=(Note("file_encrypted", "文件已加密。"),))
    second = rows(opened(workbook([report(), failed], edition))["初审表"])[1]
    assert (second["文件"], second["状态"], second["说明"], second["字数"]) == ("坏.pdf", "未能读取", "文件已加密。", None)


def test_the_explanation_says_what_was_not_checked(edition: Edition) -> None:
    values = [value for line in opened(workbook([report(), report()], edition))["说明"].iter_rows(values_only=True) for value in line]
    assert "“未检查”不等于“通过”：下列规则本次没有判断，请人工核对。" in values
    assert "纸张与页面（实施看板管理的经验）" in values


def test_what_is_no_write_up_has_no_noughts_and_lacks_nothing(edition: Edition) -> None:
    form = make_submission({"sections": [], "before": ["质量标杆申报书"], "is_writeup": False, "missing": ["overview", "results"]})
    (row, _) = rows(opened(workbook([replace(report(), submission=form, outcomes=()), report()], edition))["初审表"])
    assert row["状态"] == "非经验材料"
    assert (row["错误"], row["提醒"], row["缺少部分"], row["企业概况\n≤ 500"]) == (None, None, None, None)
