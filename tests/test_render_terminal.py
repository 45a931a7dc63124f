"""The terminal: a table for many, a page for one, 80 columns, plain text when piped."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from documents_made import make_submission
from rich.cells import cell_len
from rich.console import Console

from service import checks, lexicon, rulebook
from service.model import Edition, Finding, Note, Outcome, Report
from service.render import rulebooks, terminal
from service.rulebook import EditionName


@pytest.fixture(scope="module")
def edition() -> Edition:
    return rulebook.load("2022-hebei")


def report(name: str = "材料.docx") -> Report:
    submission = make_submission(
        {
            "title": "实施看板管理的经验",
            "organisation": "星河轴承有限公司",
            "sections": [
                {"key": "overview", "heading": "一、企业概况", "blocks": ["质" * 600, "电话13800138000。"]},
                {"key": "process", "heading": "三、实施过程", "blocks": [{"heading": "（一）推行", "level": 2}, "数据按××规则处理。"]},
                {"key": "results", "blocks": ["提升"]},
            ],
        }
    )
    start = submission.text.index("××")
    title = submission.title
    assert title is not None
    outcomes = (
        Outcome("2022-hebei/6", "placeholder", "ours", None, "fail", "warning", findings=(Finding("请补全「××」。", start, start + 2),)),
        Outcome("2022-hebei/2", "section_present", "notice", "附件2 一", "fail", "error",
                findings=(Finding("没有找到「实施背景」部分，请补写。", title.start, title.end),)),
        Outcome("2022-hebei/7", "body_format", "notice", "附件2 二", "not_checked", "warning", reason="不知道字体。"),
        Outcome("2022-hebei/1", "title_length", "notice", "附件2 一", "pass", "error"),
    )  # fmt: skip
    return Report(
        name, "ab" * 32, "docx", "2022-hebei", "ff", "complete", notes=(Note("x", "有修订。"),), submission=submission, outcomes=outcomes
    )


FAILED = Report("坏.pdf", "00", None, "2022-hebei", "ff", "failed", notes=(Note("file_encrypted", "文件已加密，请取消密码。"),))


def console(*, width: int = 80, terminal: bool = False) -> tuple[Console, io.StringIO]:
    target = io.StringIO()
    return Console(file=target, width=width, force_terminal=terminal, highlight=False), target


def shown(*reports: Report, edition: Edition, width: int = 80, passed_over: tuple[tuple[str, str], ...] = ()) -> str:
    out, target = console(width=width)
    terminal.show_reports(reports, edition, passed_over=passed_over, console=out)
    return target.getvalue()


def test_one_report_is_shown_in_full(edition: Edition) -> None:
    text = shown(report(), edition=edition)
    for part in (
        "实施看板管理的经验", "星河轴承有限公司", "不计空格字符数", "汉字数",
        "≤ 500", "超出要求", "缺少",
        "错误 1", "提醒 1", "必备部分  全文",
        "未填内容  实施过程 · （一）推行",
        "请补全「××」。", "原文：××", "依据：附件2 一", "本系统建议", "正文格式（附件2 二）：不知道字体。",
        "不等于“通过”", "有修订。", "程序自动审读",
    ):  # fmt: skip
        assert part in text, part
    assert text.index("错误 1\n") < text.index("没有找到「实施背景」") < text.index("请补全")


def test_many_reports_are_a_table_with_the_reasons_for_failures(edition: Edition) -> None:
    text = shown(report("甲.docx"), FAILED, report("乙.docx"), edition=edition, passed_over=(("图.png", "不是文档"),))
    for part in (
        "甲.docx",
        "乙.docx",
        "实施背景",
        "坏.pdf：文件已加密，请取消密码。",
        "图.png：不是文档",
        "（2 个文件）",
        "共 3 个文件：有错误 2，未能读取 1。",
    ):
        assert part in text, part
    assert "星河轴承" in shown(report(), report(), edition=edition, width=140)


def test_files_of_one_name_are_told_apart_by_their_folder(edition: Edition) -> None:
    reports = [replace(report(), path=f"/var/申报/{folder}/材料.docx") for folder in ("甲公司", "乙公司")]
    text = shown(*reports, replace(report("丙.docx"), path="/var/申报/丙公司/丙.docx"), edition=edition)
    assert "甲公司/材料.docx" in text
    assert "乙公司/材料.docx" in text
    assert "丙公司" not in text


def test_a_failed_file_alone_says_why(edition: Edition) -> None:
    text = shown(FAILED, edition=edition)
    assert "坏.pdf" in text
    assert "文件已加密，请取消密码。" in text


@pytest.mark.parametrize("reports", [(report(),), (report("一份名字很长很长的文件" * 6 + ".docx"), FAILED)], ids=["one", "many"])
def test_eighty_columns_do_and_a_pipe_gets_plain_text(reports: tuple[Report, ...], edition: Edition) -> None:
    text = shown(*reports, edition=edition)
    assert "\x1b" not in text
    for line in text.splitlines():
        assert cell_len(line) <= 80
        assert line == line.rstrip()


def test_a_terminal_gets_colours_but_no_file_gets_to_send_commands(edition: Edition) -> None:
    out, target = console(terminal=True)
    evil = replace(report(), name="甲\x1b]0;owned\x07[bold]乙\u202e.docx")
    terminal.show_reports([evil], edition, console=out)
    text = target.getvalue()
    assert "\x1b[" in text
    assert "\x1b]0" not in text
    assert "\u202e" not in text
    assert "[bold]乙" in text


def test_personal_data_is_masked(edition: Edition) -> None:
    out, target = console()
    made = report()
    assert made.submission is not None
    terminal.show_read(made.submission.document, console=out)
    assert "138****8000" in target.getvalue()
    assert "13800138000" not in target.getvalue() + shown(made, edition=edition)


def test_reading_shows_each_block_with_its_kind() -> None:
    out, target = console()
    made = report()
    assert made.submission is not None
    terminal.show_read(made.submission.document, console=out)
    lines = target.getvalue().splitlines()
    assert any(line.split() == ["标题1", "一、企业概况"] for line in lines)
    assert any(line.startswith("段落") and "××" in line for line in lines)
    out, target = console()
    terminal.show_read(FAILED, console=out)
    assert "文件已加密" in target.getvalue()


@pytest.mark.parametrize("name", rulebook.editions(), ids=lambda name: name.id)
def test_a_rulebook_is_shown_readably_and_in_full(name: EditionName) -> None:
    edition = rulebook.load(name.id)
    out, target = console(width=4000)
    rulebooks.show_edition(edition, console=out)
    text = target.getvalue()
    for rule in edition.rules:
        assert rule.id in text
        assert (rule.unavailable or rule.message) in text
        assert rule.clause is None or rule.clause in text
    for part in (edition.document, *(spec.name for spec in edition.sections), *(area.name for area in edition.areas)):
        assert part in text
    out, target = console(width=200)
    rulebooks.show_editions(rulebook.editions(), console=out)
    assert name.id in target.getvalue()


def test_every_check_has_a_chinese_name() -> None:
    named = lexicon.load("display")["checks"]
    assert set(checks.names()) <= set(named)
    assert len(set(named.values())) == len(named)
    assert all(2 <= len(value) <= 8 for value in named.values())


def test_what_is_no_write_up_lacks_nothing_and_has_no_noughts(edition: Edition) -> None:
    form = make_submission({"sections": [], "before": ["质量标杆申报书"], "is_writeup": False, "missing": ["overview", "results"]})
    skipped = tuple(
        Outcome(f"2022-hebei/{number}", check, "notice", "附件2", "not_checked", "error", reason="没有正文。")
        for number, check in enumerate(("title_length", "section_present"))
    )
    shown_form = replace(report("申报书.docx"), submission=form, outcomes=skipped)
    text = shown(shown_form, report(), edition=edition)
    (row,) = (line for line in text.splitlines() if line.startswith("申报书.docx"))
    assert row.split()[2:] == ["—", "—", "—", "2", "非经验材料"]
    assert "共 2 个文件：有错误 1，不是经验材料 1。" in text
    assert "全部规则（2条）：没有正文。" in text
    assert "缺少" not in shown(shown_form, edition=edition)
