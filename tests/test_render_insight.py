"""Focus areas, summaries and advice in every output: shown, led to their place, masked, and never a verdict."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace

import pytest
from documents_made import make_submission
from docx_parts import SECTION, docx, para
from openpyxl import load_workbook
from rich.cells import cell_len
from rich.console import Console

from service import rulebook
from service.model import (
    Advice,
    AdviceItem,
    CriterionEvidence,
    Edition,
    Finding,
    Focus,
    FocusEvidence,
    FocusScore,
    Note,
    Outcome,
    Report,
    Section,
    Strength,
    Submission,
    Summary,
    SummarySentence,
    Title,
)
from service.parse.docx import read_docx
from service.render import rulebooks, terminal
from service.render.html import report_html
from service.render.insight import insight
from service.render.json import line, report_json
from service.render.word import annotate
from service.render.xlsx import workbook

PHONE = "13800138000"
KEY = f"合格率由93.1%提高到98.6%，联系人电话{PHONE}。"
METHOD = "小组用控制图监控磨削尺寸。"


@pytest.fixture(scope="module")
def edition() -> Edition:
    return rulebook.load("2022-hebei")


def submission() -> Submission:
    return make_submission(
        {
            "title": "实施看板管理的经验",
            "organisation": "星河轴承有限公司",
            "sections": [
                {
                    "key": "process",
                    "heading": "三、实施过程",
                    "blocks": [{"heading": "（一）推行", "level": 2}, f"先量后改。{METHOD}收尾。"],
                },
                {
                    "key": "results",
                    "heading": "四、实施成效",
                    "blocks": [f"开头。{KEY}", {"table": [["指标", "2021年"], ["返修率", "0.8%"]]}],
                },
            ],
        }
    )


def place(submission: Submission, quote: str) -> tuple[int, int]:
    start = submission.text.index(quote)
    return start, start + len(quote)


def advice(written: Submission) -> Advice:
    key, method = place(written, KEY), place(written, METHOD)
    items = (
        AdviceItem(
            1, "results", f"补近三年数据{PHONE}。", f"附件2 一、5（{PHONE}）。", f"2019年94.1%，{PHONE}。", *key, rule="2022-hebei/5"
        ),
        AdviceItem(2, "results", "写明同行水平。", "附件2 一、5。", "同行平均96.5%。", *key),
        AdviceItem(3, "results", "写明核定部门。", "本系统建议。", "经财务部核定。", *key),
        AdviceItem(4, "results", "第四件不显示。", "", "", *key),
        AdviceItem(1, "background", "补写「实施背景」。", "附件2 一、3。", "2018年退回217台。", 0, 9),
        AdviceItem(1, "process", "点明方法。", "本系统建议。", "以控制图为主线。", *method),
    )
    shown = Strength("process", f"用数据验证了原因{PHONE}", *method)
    criteria = (CriterionEvidence("science", "科学性和创新性", "附件 第八条（一）", (shown,), (f"没有说明为什么选用{PHONE}。",)),)
    return Advice(items, (shown,), criteria)


def report(*, primary: str | None = "process_control", reason: str | None = None) -> Report:
    written = submission()
    key, method = place(written, KEY), place(written, METHOD)
    row = place(written, "返修率\t0.8%")
    areas = (
        FocusScore("process_control", "过程控制", 0.91349, primary is not None, (FocusEvidence(*method, ("控制图", PHONE)),)),
        FocusScore("methods", "质量管理方法", 0.12, False, (FocusEvidence(*key, ("看不见",)),)),
    )
    summaries = (
        Summary("process", written.sections[0].start, (SummarySentence(*method, METHOD),)),
        Summary("results", written.sections[1].start, (SummarySentence(*key, KEY), SummarySentence(*row, "返修率：2021年 0.8%。"))),
    )
    failing = Outcome(
        "2022-hebei/5", "three_year_data", "notice", "附件2 一、5", "fail", "warning", findings=(Finding("没有三年数据。", *key),)
    )
    skipped = Outcome("2022-hebei/7", "body_format", "notice", "附件2 二", "not_checked", "warning", reason="不知道字体。")
    return Report(
        "材料.docx", "ab" * 32, "docx", "2022-hebei", "ff", "complete",
        submission=written, outcomes=(failing, skipped), path="/a/材料.docx",
        focus=Focus(areas, primary, {"process_control": 0.87654}, reason), summaries=summaries,
        one_line=f"星河轴承用控制图把合格率提高到98.6%（{PHONE}）。", advice=advice(written), models={"focus": "3"},
    )  # fmt: skip


# --- JSON --------------------------------------------------------------------------------------------------------------------------


def test_json_has_the_keys_of_the_contract() -> None:
    value = report_json(report())
    first = value["focus"]["areas"][0]
    assert first.keys() == {"area", "name", "score", "chosen", "evidence"}
    assert (first["area"], first["score"], first["chosen"]) == ("process_control", 0.913, True)
    assert first["evidence"][0].keys() == {"start", "end", "terms"}
    assert value["focus"]["primary"] == "process_control"
    assert value["focus"]["themes"] == {"process_control": 0.877}
    assert value["focus"]["reason"] is None
    assert [summary["section"] for summary in value["summaries"]] == ["process", "results"]
    assert value["summaries"][0]["sentences"][0]["text"] == METHOD
    assert value["advice"]["items"][1] == {
        "priority": 2, "section": "results", "message": "写明同行水平。", "reason": "附件2 一、5。", "example": "同行平均96.5%。",
        "start": value["summaries"][1]["sentences"][0]["start"], "end": value["summaries"][1]["sentences"][0]["end"], "rule": None,
    }  # fmt: skip
    assert value["advice"]["criteria"][0].keys() == {"criterion", "name", "clause", "shown", "sought"}
    assert value["models"] == {"focus": "3"}
    assert "focus_not_learned" not in {note["code"] for note in value["notes"]}


def test_personal_data_is_masked_in_every_new_string_and_offsets_stay(edition: Edition) -> None:
    made = report()
    value = report_json(made)
    written = line(value).decode()
    page = report_html(made, edition)
    book = zipfile.ZipFile(io.BytesIO(workbook([made], edition)))
    for output in (written, page, shown(made, edition=edition), *(book.read(name).decode("utf-8", "replace") for name in book.namelist())):
        assert PHONE not in output
    assert written.count("138****8000") >= 8  # text, summary, line, term, three of the advice, strength, criterion
    sentence = value["summaries"][1]["sentences"][0]
    assert sentence["text"] == value["text"][sentence["start"] : sentence["end"]] == KEY.replace(PHONE, "138****8000")


# --- terminal ----------------------------------------------------------------------------------------------------------------------


def shown(*reports: Report, edition: Edition, width: int = 80) -> str:
    target = io.StringIO()
    terminal.show_reports(reports, edition, console=Console(file=target, width=width, highlight=False))
    return target.getvalue()


def test_one_report_says_what_it_is_and_what_to_mend_first(edition: Edition) -> None:
    text = shown(report(), edition=edition)
    assert "星河轴承用控制图把合格率提高到98.6%" in text
    assert "过程控制 0.91（首选）：文中有控制图" in text
    assert "其余：质量管理方法 0.12" in text
    assert [text.index(part) for part in ("补近三年数据", "补写「实施背景」", "点明方法", "其余2条见网页报告")] == sorted(
        text.index(part) for part in ("补近三年数据", "补写「实施背景」", "点明方法", "其余2条见网页报告")
    )
    assert "写明同行水平" not in text
    assert max(cell_len(row) for row in text.splitlines()) <= 80


def test_where_nothing_is_suggested_it_says_so_with_the_reason(edition: Edition) -> None:
    undecided = report(primary=None, reason="各方向得分都低于界限。")
    text = shown(undecided, edition=edition)
    assert "重点方向：无法判断" in text
    assert "各方向得分都低于界限。" in text
    page = report_html(undecided, edition)
    assert "<b>无法判断。</b>各方向得分都低于界限。" in page
    assert "首选" not in page
    table = shown(undecided, report(), replace(report(), focus=None), edition=edition)
    assert "重点方向" in table
    assert "过程控制 0.91" in table
    assert "无法判断" in table
    assert "重点方向" not in shown(replace(report(), focus=None), replace(report(), focus=None), edition=edition)


# --- HTML --------------------------------------------------------------------------------------------------------------------------


def words_of(page: str, number: str) -> str:
    """The text that is lit up where a link leads to that number."""
    parts = re.findall(rf'<(?:mark|span)[^>]*data-k="(?:[\d ]* )?{number}(?: [\d ]*)?"[^>]*>([^<]*)<', page)
    return "".join(parts)


def test_every_link_of_the_digest_leads_to_its_words(edition: Edition) -> None:
    page = report_html(report(), edition)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    digest = page[page.index('id="digest"') : page.index('<div class="columns')]
    links = re.findall(r'href="#k(\d+)">([^<]+)<', digest)
    assert {f"k{number}" for number, _ in links} == {name for name in ids if re.fullmatch(r"k\d+", name)}
    by_words = {words: number for number, words in links}
    assert words_of(page, by_words[METHOD]) == METHOD
    assert words_of(page, by_words["返修率：2021年 0.8%。"]) == "返修率0.8%"
    assert words_of(page, by_words[KEY.replace(PHONE, "138****8000")]) == KEY.replace(PHONE, "138****8000")
    number = by_words[METHOD]
    assert f'body:has(#k{number}:target) [data-k~="{number}"]' in page


def test_the_page_shows_summaries_priorities_strengths_and_criteria(edition: Edition) -> None:
    page = report_html(report(), edition)
    for part in (
        "首选",
        "0.91",
        "摘自原文",
        "优先修改",
        "示例（虚构）：",
        "同行平均96.5%。",
        "亮点",
        "文中已有",
        "读者还会找的",
        "附件 第八条（一）",
        "没有说明为什么选用",
    ):
        assert part in page, part
    assert "第四件不显示" not in page
    assert '<h3 class="missing">实施背景<small>缺少</small></h3>' in page
    assert 'class="key"' in page  # the sentences of a summary are seen in the text


def test_a_report_of_which_nothing_is_said_has_no_digest(edition: Edition) -> None:
    bare = replace(report(), focus=None, summaries=(), one_line=None, advice=None)
    page = report_html(bare, edition)
    assert 'id="digest"' not in page
    assert 'id="show-key"' not in page
    assert insight(bare) is None


# --- Excel -------------------------------------------------------------------------------------------------------------------------


def rows(data: bytes, sheet: str) -> list[dict[str, object]]:
    head, *others = load_workbook(io.BytesIO(data))[sheet].iter_rows(values_only=True)
    return [dict(zip(map(str, head), values, strict=True)) for values in others]


def test_the_workbook_has_the_area_the_line_the_first_priority_and_the_summaries(edition: Edition) -> None:
    undecided = replace(report(primary=None), path="/b/材料.docx")
    failed = Report("坏.pdf", "00", None, "2022-hebei", "ff", "failed", notes=(Note("x", "坏了。"),))
    data = workbook([report(), undecided, failed], edition)
    first, second, third = rows(data, "初审表")
    assert (first["重点方向\n（建议）"], first["得分"], first["其他方向"]) == ("过程控制", 0.91, None)
    assert str(first["一句话概括"]).startswith("星河轴承用控制图")
    assert str(first["首要建议"]).startswith("实施成效：补近三年数据")
    assert (second["重点方向\n（建议）"], second["得分"]) == ("无法判断", None)
    assert (third["重点方向\n（建议）"], third["说明"]) == (None, "坏了。")
    told = [row for row in rows(data, "各部分摘要") if row["文件"] == "a/材料.docx"]
    assert [row["部分"] for row in told] == ["实施背景", "实施过程", "实施成效"]
    assert told[1]["摘要（原文语句）"] == METHOD
    assert str(told[2]["优先修改"]).splitlines()[1] == "2. 写明同行水平。"


def test_nothing_of_a_model_becomes_a_formula(edition: Edition) -> None:
    evil = "=1+1"
    made = report()
    assert made.focus is not None
    assert made.advice is not None
    area = replace(made.focus.areas[0], name=evil)
    made = replace(
        made, focus=replace(made.focus, areas=(area,)), one_line=evil, summaries=(Summary("results", 0, (SummarySentence(0, 2, evil),)),),
        advice=replace(made.advice, items=(replace(made.advice.items[0], message=evil),)),
    )  # fmt: skip
    for sheet in load_workbook(io.BytesIO(workbook([made], edition, {made.path: evil}))):
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            assert cell.data_type in ("s", "n"), cell.coordinate
            assert not str(cell.value or "").startswith("="), cell.coordinate


def test_a_row_leads_to_its_page(edition: Edition) -> None:
    other = replace(report(), path="/b/材料.docx")
    sheet = load_workbook(io.BytesIO(workbook([report(), other], edition, {"/a/材料.docx": "网页/材料 #1.html"})))["初审表"]
    assert sheet["B2"].value == "a/材料.docx"
    assert sheet["B2"].hyperlink.target == "%E7%BD%91%E9%A1%B5/%E6%9D%90%E6%96%99%20%231.html"
    assert sheet["B3"].hyperlink is None


# --- Word --------------------------------------------------------------------------------------------------------------------------


def test_word_comments_say_it_in_short_and_give_examples_at_their_places() -> None:
    data = docx(para("实施看板管理的经验") + para("实施过程") + para(METHOD) + para(KEY) + SECTION)
    document = read_docx(data, "材料.docx")
    text = document.text
    key, method = (text.index(KEY), text.index(KEY) + len(KEY)), (text.index(METHOD), text.index(METHOD) + len(METHOD))
    made = report()
    assert made.advice is not None
    assert made.focus is not None
    moved = {place(submission(), KEY): key, place(submission(), METHOD): method, (0, 9): (0, 9)}
    items = tuple(replace(item, start=moved[item.start, item.end][0], end=moved[item.start, item.end][1]) for item in made.advice.items)
    outcomes = (replace(made.outcomes[0], findings=(Finding("没有三年数据。", *key),)), made.outcomes[1])
    written = Submission(
        document, Title(text[:9], 0, 9), None, (Section("process", None, 10, 10, len(text), 0),), (), (), submission().specs, 0, len(text)
    )
    areas = tuple(replace(area, evidence=()) for area in made.focus.areas)
    made = replace(
        made, submission=written, outcomes=outcomes, summaries=(), advice=Advice(items), focus=replace(made.focus, areas=areas)
    )  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(annotate(data, made))) as archive:
        xml = archive.read("word/comments.xml").decode()
    found = [re.findall(r"<w:t[^>]*>([^<]*)<", comment) for comment in re.findall(r"<w:comment .*?</w:comment>", xml, re.DOTALL)]
    assert [part[:6] for part in found[0]] == ["【概要】星河", "【重点方向】", "【相似内容】", "【未检查】“", "正文格式（附"]
    assert "过程控制 0.91（首选）" in found[0][1]
    assert found[1] == ["【提醒】没有三年数据。", "依据：附件2 一、5", f"示例（虚构）：2019年94.1%，{PHONE}。"]  # the applicant's own file
    assert ["【优先修改】补写「实施背景」。", "附件2 一、3。", "示例（虚构）：2018年退回217台。"] in found
    at_key = next(comment for comment in found if "【优先修改】写明同行水平。" in comment)
    assert "【优先修改】写明核定部门。" in at_key
    assert "第四件不显示" not in xml
    assert len(found) == 5


# --- rulebooks ---------------------------------------------------------------------------------------------------------------------


def test_an_edition_says_what_its_areas_stand_for_and_its_criteria(edition: Edition) -> None:
    target = io.StringIO()
    rulebooks.show_edition(edition, console=Console(file=target, width=4000, highlight=False))
    text = target.getvalue()
    assert "重点方向（可报几个）" in text
    assert "文章主题：质量管理数字化" in text
    assert "企业情况（有其一）：专精特新或中小企业称号" in text
    for criterion in edition.criteria:
        assert f"{criterion.name}（{criterion.clause}）：{criterion.wording}" in text
