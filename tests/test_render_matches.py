"""What is shared with past benchmarks in every output: both texts, linked with their place, never a verdict, never a formula."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from documents_made import make_submission
from docx_parts import SECTION, docx, para
from library_shelf import benchmark_text, indexer
from library_shelf import submission as read
from openpyxl import load_workbook
from rich.console import Console

from service import rulebook
from service.match import match
from service.model import (
    Edition,
    LeftOut,
    Match,
    MatchedPassage,
    MatchFlag,
    MatchKind,
    Note,
    Past,
    Report,
    Section,
    Similarity,
    Submission,
    Title,
)
from service.parse.docx import read_docx
from service.render import pair, terminal
from service.render.html import pair_html, report_html
from service.render.json import report_json
from service.render.likeness import EXCLUSIONS, heading_above, likeness, percent
from service.render.stretches import stretches
from service.render.word import annotate
from service.render.xlsx import workbook

SAME = "公司每周一在现场开十分钟的站立会，只说昨天的不良和今天的对策。"
EDITED = "三年来返修率由4.2%降到0.8%，客户投诉减少九成。"
THEIR_EDITED = "两年来返修率由5.1%降到0.9%，客户投诉减少九成。"
REWORDED = "班组长把难题写在白板上，谁先想出办法就由谁牵头去试。"
QUOTED = "“质量是企业的生命，也是员工的饭碗。”"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&=1+1"
FACT = "请核对，不等于抄袭"
SIMILARITY = Similarity(
    total=0.62,
    without_quotes=0.5,
    without_own=0.41,
    largest_single=0.45,
    first_half=0.38,
    second_half=0.62,
    characters=80,
    passages=4,
    compared=62,
)


@pytest.fixture(scope="module")
def edition() -> Edition:
    return rulebook.load("2022-hebei")


def submission() -> Submission:
    return make_submission(
        {
            "title": "实施看板管理的经验",
            "organisation": "星河轴承有限公司",
            "sections": [
                {"key": "process", "heading": "三、实施过程", "blocks": [{"heading": "（一）站立会", "level": 2}, SAME + REWORDED, QUOTED]},
                {"key": "results", "heading": "四、实施成效", "blocks": [EDITED + "联系电话13800138000。"]},
            ],
        }
    )


def passage(text: str, words: str, their_text: str, kind: MatchKind, **more: Any) -> MatchedPassage:
    start = text.index(words)
    return MatchedPassage(start, start + len(words), 0, len(their_text), their_text, kind, 1.0, **more)


def past(name: str, **more: Any) -> Past:
    return Past(name, **{"title": "用看板管理提升装配质量的经验", "text": "甲", "organisation": "澄岳阀门有限公司", "year": 2019, **more})


def matches(text: str) -> tuple[Match, ...]:
    begin = text.index(EDITED)
    changed = tuple((text.index(part, begin), text.index(part, begin) + len(part)) for part in ("三", "4.2", "0.8%"))
    edited = passage(text, EDITED, THEIR_EDITED, "edited", changed=changed)
    reworded = passage(text, REWORDED, "疑难写上墙，能者揭榜攻关。", "paraphrase")
    quoted = passage(text, QUOTED, QUOTED, "verbatim", excluded="quote")
    same = passage(text, SAME, SAME, "verbatim")
    return (
        Match(past("b1"), "near_duplicate", 0.4, 0.45, own=False, passages=(same, reworded, quoted, edited)),
        Match(past("b2", organisation="星河轴承有限公司", year=2020), "reuse", 0.2, 0.2, own=True, passages=(same,)),
        Match(past("b3", text="", title="看板管理在轴承行业的应用", organisation=None, year=None), "related", 0.8, 0.0, own=False),
    )


def report(*found: Match, similarity: Similarity | None = SIMILARITY) -> Report:
    made = submission()
    shown = found or matches(made.text)
    shown = () if similarity is None else shown
    return Report("材料.docx", "ab" * 32, "docx", "2022-hebei", "ff", "complete", submission=made, matches=shown, similarity=similarity)


def with_title(title: str, flag: MatchFlag = "reuse") -> Report:
    made = submission()
    same = passage(made.text, SAME, SAME.replace("站立会", HOSTILE), "edited")
    return report(Match(past("b1", title=title, organisation=title), flag, 0.4, 0.45, own=False, passages=(same,)))


def test_groups_keep_the_own_organisation_and_other_files_of_the_call_apart() -> None:
    made = report()
    among = replace(made.matches[0], past=past("c1", among=True))
    found = likeness(replace(made, matches=(*made.matches, among)))
    assert found is not None
    assert [(group.key, [one.number for one in group.matches]) for group in found.groups] == [
        ("others", [1]),
        ("among", [4]),
        ("own", [2]),
        ("related", [3]),
    ]
    assert found.matches[0].kinds == "逐字 1 处、改动 1 处、改写 1 处"
    assert [one.excluded for one in found.matches[0].left_out] == ["quote"]


def test_what_differs_is_marked_on_both_sides() -> None:
    found = likeness(report())
    assert found is not None
    edited = next(one for one in found.matches[0].counted if one.kind == "edited")
    for runs, whole in ((edited.mine, EDITED), (edited.theirs, THEIR_EDITED)):
        assert "".join(run.text for run in runs) == whole
    assert [run.text for run in edited.mine if run.changed] == ["三", "4.2", "0.8%"]
    assert [run.text for run in edited.theirs if run.changed] == ["两", "5.1", "0.9"]


@pytest.mark.parametrize(("share", "shown"), [(0.0, "0.0%"), (0.0004, "<0.1%"), (0.0005, "0.1%"), (0.1234, "12.3%"), (1.0, "100.0%")])
def test_a_share_is_never_rounded_to_nothing(share: float, shown: str) -> None:
    assert percent(share) == shown


# --- the page ----------------------------------------------------------------------------------------------------------------------


def test_the_page_has_both_texts_and_leads_both_ways(edition: Edition) -> None:
    page = report_html(report(), edition)
    text = re.sub(r"<[^>]+>", "", page.split('id="matches"')[1].split('class="columns')[0])
    for words in (SAME, EDITED, THEIR_EDITED, REWORDED, "疑难写上墙", QUOTED, "不计入：引文", "本单位的往年标杆", FACT, "只有题目"):
        assert words in text
    for figure in ("62.0%", "50.0%", "41.0%", "45.0%", "38.0%"):
        assert f">{figure}</b>" in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    leads = set(re.findall(r'href="#([^"]+)"', page))
    assert leads <= set(ids)
    blocks = set(re.findall(r'<li class="passage [^>]* id="(m\d+-\d+)"', page))
    at = re.findall(r'<a class="at (\w+)" id="(k\d+)" href="#(m\d+-\d+)"', page)
    assert [kind for kind, _, _ in at] == ["verbatim", "paraphrase", "edited"]  # two benchmarks share one place
    assert {block for _, _, block in at} <= blocks
    assert {spot for _, spot, _ in at} <= leads
    assert 'class=" alike verbatim"' in page


def test_the_page_escapes_what_comes_from_outside_and_keeps_its_policy(edition: Edition) -> None:
    page = report_html(with_title(HOSTILE), edition)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("<script") == 1
    sums = json.loads(re.search(r'data-sums="([^"]+)"', page)[1].replace("&#34;", '"'))  # type: ignore[index]
    assert sums["own"] == [0]


def test_personal_data_of_either_side_is_masked(edition: Edition) -> None:
    made = submission()
    theirs = "联系电话13912345678。"
    shared = passage(made.text, "联系电话13800138000。", theirs, "edited")
    page = report_html(report(Match(past("b1", text=theirs), "reuse", 0.2, 0.2, own=False, passages=(shared,))), edition)
    assert "13800138000" not in page
    assert "13912345678" not in page


def test_long_lists_fold(edition: Edition) -> None:
    made = submission()
    many = tuple(replace(passage(made.text, SAME, SAME, "verbatim"), start=made.text.index(SAME) + place) for place in range(12))
    page = report_html(report(*(Match(past(f"b{n}"), "reuse", 0.2, 0.2, own=False, passages=many) for n in range(5))), edition)
    assert page.count("<summary>其余 4 处</summary>") == 5
    assert page.count('<details class="match reuse" open>') == 3


@pytest.mark.parametrize("similarity", [None, replace(SIMILARITY, total=0, without_quotes=0, passages=0)])
def test_nothing_compared_is_told_from_nothing_found(edition: Edition, similarity: Similarity | None) -> None:
    made = replace(report(similarity=similarity), matches=())
    page = report_html(made, edition)
    for shown in (page, on_terminal(edition, made)):
        assert "没有相似" not in shown
        assert ("没有比对" in shown) == (similarity is None)
        assert ("已与 62 份材料比对" in shown) == (similarity is not None)
    assert "data-sums" not in page.split("<script>")[0]


def test_what_is_no_write_up_has_no_part_on_it(edition: Edition) -> None:
    made = replace(report(similarity=None), submission=replace(submission(), is_writeup=False))
    assert 'id="matches"' not in report_html(made, edition)


def test_two_files_have_a_page_without_rules(edition: Edition) -> None:
    page = pair_html(report(matches(submission().text)[0]), edition)
    assert "两份材料的相似内容" in page
    for words in ("符合的规则", "未检查", "全文</span>"):
        assert words not in page.split("<body")[1]


# --- the figures anew --------------------------------------------------------------------------------------------------------------


def add_up(told: dict[str, Any], counted: set[int], *, own: bool, whole: bool = False) -> float:
    """What report.js does."""
    body = {0, 1, *counted}
    counted = {0, *counted, *({1} if whole else ())}
    size = sum(weight for weight, reason, _ in told["stretches"] if reason in body)

    def counts(number: int) -> bool:
        match, reason = told["passages"][number]
        return reason in counted and (own or not told["own"][match])

    shared = sum(weight for weight, reason, over in told["stretches"] if reason in counted and any(map(counts, over)))
    return float(shared / max(1.0, size))


def test_stretches_add_up_to_what_was_matched() -> None:
    quote = benchmark_text("q07").split("\n")[8][:80].replace("“", "").replace("”", "")
    parts = [part for part in benchmark_text("p14").split("\n") if part.strip()]
    mixed = "\n\n".join([*parts[:9], f"宣传材料写道：“{quote}”，执行《质量管理体系 要求》。", *benchmark_text("p02").split("\n")[:30]])
    made = replace(read(mixed), organisation="星河轴承有限公司")
    pasts = [past(name, text=benchmark_text(name), organisation=None) for name in ("p14", "q07")]
    pasts.append(past("p02", text=benchmark_text("p02"), organisation="星河轴承有限公司"))
    found, similarity = match(made, pasts, encoder=indexer().encoder, common=("质量管理小组",), notice=("质量管理体系",))
    assert similarity.left_out
    assert {one.own for one in found} == {True, False}
    told = json.loads(stretches(made, found, similarity))
    assert add_up(told, set(), own=True) == pytest.approx(similarity.without_quotes, abs=2e-4)
    assert add_up(told, set(), own=False) == pytest.approx(similarity.without_own, abs=2e-4)
    assert add_up(told, set(), own=True, whole=True) == pytest.approx(similarity.total, abs=2e-4)
    assert similarity.without_own < similarity.without_quotes <= similarity.total
    assert add_up(told, {1, 2, 3, 4}, own=True) > similarity.without_quotes


def test_stretches_are_told_apart_by_what_counts() -> None:
    made = submission()
    start = made.text.index(QUOTED)
    left_out = (LeftOut(start, start + len(QUOTED), "quote"),)
    told = json.loads(stretches(made, matches(made.text), replace(SIMILARITY, left_out=left_out)))
    assert told["own"] == [0, 1, 0]
    assert [reason for _, reason in told["passages"]] == [0, 0, 1 + EXCLUSIONS.index("quote"), 0, 0]
    assert [over for _, reason, over in told["stretches"] if reason == 1] == [[2]]
    assert [0, 4] in [over for _, _, over in told["stretches"]]


# --- terminal, Excel, Word ---------------------------------------------------------------------------------------------------------


def on_terminal(edition: Edition, *reports: Report, width: int = 80) -> str:
    console = Console(width=width, highlight=False, record=True, file=io.StringIO())
    terminal.show_reports(reports, edition, console=console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_the_terminal_has_a_line_a_benchmark(edition: Edition) -> None:
    shown = on_terminal(edition, report(), width=120)
    assert FACT in shown
    assert re.search(r"高度相似 +45\.0% 用看板管理提升装配质量的经验（澄岳阀门有限公司，2019年）", shown)
    assert re.search(r"有沿用 +20\.0% 【本单位】", shown)
    assert re.search(r"主题相近 +— 看板管理在轴承行业的应用", shown)
    several = on_terminal(edition, report(), report(similarity=None), width=120)
    assert "50.0%" in several
    assert FACT in several


def test_two_files_on_the_terminal() -> None:
    console = Console(width=100, highlight=False, file=io.StringIO())
    made = report(replace(matches(submission().text)[0], past=past("b1", file="乙\x1b[2J.docx")))
    pair.show_pair(made, console=console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "共 4 处，计入 3 处" in shown
    assert "不计入（引文）" in shown
    assert "\x1b[2J" not in shown


@pytest.mark.parametrize("title", ['=HYPERLINK("http://x","y")', "+1", "@SUM(A1)", HOSTILE, "-1\x07"])
def test_the_workbook_names_the_most_alike_benchmark(edition: Edition, title: str) -> None:
    rows = [with_title(title), replace(report(similarity=None), path="b"), replace(report(), path="c", matches=())]
    book = load_workbook(io.BytesIO(workbook(rows, edition, {"": "报告 1.html"})))
    sheet = book["初审表"]
    at = {str(cell.value).split("\n")[0]: column for column, cell in enumerate(sheet[1], 1)}

    def cells(row: int) -> list[Any]:
        return [sheet.cell(row, at[name]) for name in ("相似度", "最相似的标杆", "关系", "本单位")]

    share, name, flag, own = cells(2)
    assert (share.value, share.number_format, flag.value, own.value) == (0.5, "0.0%", "有沿用", None)
    assert share.hyperlink.target == "%E6%8A%A5%E5%91%8A%201.html#matches"
    assert name.data_type == "s"
    assert name.value[0] not in "=+-@"
    assert [cell.value for cell in cells(3)] == [None, "没有比对", None, None]
    assert [cell.value for cell in cells(4)] == [0, "没有列出", None, None]
    assert FACT in "".join(str(row[1].value) for row in book["说明"].iter_rows(max_row=8))


def test_the_workbook_of_a_call_without_a_library_has_no_such_columns(edition: Edition) -> None:
    sheet = load_workbook(io.BytesIO(workbook([report(similarity=None)], edition)))["初审表"]
    assert not any("相似" in str(cell.value) for cell in sheet[1])


def comments(data: bytes, made: Report) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(annotate(data, made))) as archive:
        xml = archive.read("word/comments.xml").decode()
    return [re.findall(r"<w:t[^>]*>([^<]*)<", comment) for comment in re.findall(r"<w:comment .*?</w:comment>", xml, re.DOTALL)]


def word(*paragraphs: str) -> tuple[bytes, Submission]:
    data = docx("".join(para(one) for one in paragraphs) + SECTION)
    document = read_docx(data, "材料.docx")
    first = len(paragraphs[0])
    section = Section("process", None, first + 1, first + 1, len(document.text), 0)
    specs = submission().specs
    return data, Submission(document, Title(paragraphs[0], 0, first), None, (section,), (), (), specs, 0, len(document.text))


def test_word_comments_name_source_share_and_kind() -> None:
    data, made = word("实施看板管理的经验", SAME, REWORDED, QUOTED, EDITED)
    found = comments(data, replace(report(), submission=made, matches=matches(made.text)))
    assert found[0][0].startswith("【相似内容】")
    assert found[0][1] == "《用看板管理提升装配质量的经验》（澄岳阀门有限公司，2019年）：高度相似，共占本文 45.0%。"
    assert found[0][2].endswith("：有沿用，共占本文 20.0%，本单位。")
    assert found[0][3] == "《看板管理在轴承行业的应用》：主题相近，只有题目可比。"
    assert len(found) == 4  # the quotation does not count
    assert [FACT in "".join(comment) for comment in found] == [True, False, False, False]  # said once
    assert [line.rpartition("】")[2][:3] for line in found[1]] == ["逐字：", "逐字："]
    assert found[2][0].startswith("【相似内容】改写：《用看板管理")
    assert "，这一处 26 字；这一篇高度相似，共占本文 45.0%。" in found[2][0]
    assert not any(SAME in line for comment in found for line in comment)


def test_word_comments_are_for_the_longest_passages_alone() -> None:
    sentences = [f"第{number}项做法是每天班后把{'零件' * number}擦净摆正再登记。" for number in range(1, 31)]
    data, made = word("实施看板管理的经验", *sentences)
    shared = tuple(passage(made.text, one, one, "verbatim") for one in sentences)
    found = comments(data, replace(report(Match(past("b1"), "reuse", 0.9, 0.9, own=False, passages=shared)), submission=made))
    assert len(found) == 21
    assert found[0][-1] == "另有10处没有逐一批注，见网页报告。"


def test_no_word_of_blame_anywhere(edition: Edition) -> None:
    made = report()
    page = report_html(made, edition)
    shown = page.split("<body")[1].split("<script>")[0] + on_terminal(edition, made)
    for before, _ in pairwise(re.split("抄袭", shown)):
        assert before.endswith("不等于")
    for words in ("剽窃", "雷同", "查重", "违规"):
        assert words not in shown


# --- what was not compared, what was withdrawn -------------------------------------------------------------------------------------


def only_among() -> Report:
    return replace(
        report(),
        status="partial",
        matches=(),
        similarity=replace(SIMILARITY, without_quotes=0.0, compared=2, only_among=True),
        notes=(Note("database_unreachable", "连不上数据库。"),),
    )


def test_files_of_the_call_alone_are_not_past_benchmarks(edition: Edition) -> None:
    made = only_among()
    told = "只与 2 份同批材料比对，没有与往年标杆比对"
    assert told in on_terminal(edition, made, width=120)
    page = report_html(made, edition)
    assert told in page
    assert "与往年标杆的相似内容" not in page
    book = load_workbook(io.BytesIO(workbook([made], edition)))
    assert "同批材料中没有；没有比对往年标杆" in [cell.value for cell in book["初审表"][2]]
    assert ("没有比对往年标杆", "1 个文件：连不上数据库。") in [row[:2] for row in book["说明"].iter_rows(values_only=True)]
    data, text = word("实施看板管理的经验", SAME)
    assert told in comments(data, replace(made, submission=text))[0][0]
    assert report_json(made)["similarity"]["only_among"] is True


@pytest.mark.parametrize("made", [only_among(), replace(only_among(), similarity=None)], ids=["among", "alone"])
def test_a_batch_tells_that_the_library_was_not_asked(edition: Edition, made: Report) -> None:
    shown = on_terminal(edition, made, made, width=120)
    assert "没有比对往年标杆（2 个文件）：连不上数据库。" in shown
    assert "其中 2 个部分完成" in shown
    assert "与往年标杆相同" not in shown


def test_a_revoked_benchmark_is_marked_everywhere(edition: Edition) -> None:
    data, text = word("实施看板管理的经验", SAME)
    same = passage(text.text, SAME, SAME, "verbatim")
    made = replace(report(Match(past("b1", status="revoked"), "reuse", 0.4, 0.45, own=False, passages=(same,))), submission=text)
    sheet = load_workbook(io.BytesIO(workbook([made], edition)))["初审表"]
    outputs = (
        on_terminal(edition, made),
        on_terminal(edition, made, made),
        report_html(made, edition),
        str([cell.value for cell in sheet[2]]),
        comments(data, made)[1][0],
    )
    assert all("已撤销" in shown for shown in outputs)
    assert [match["status"] for match in report_json(made)["matches"]] == ["revoked"]


def test_a_batch_names_what_each_file_is_most_like(edition: Edition) -> None:
    own = report(Match(past("b1", title="看板" * 40), "reuse", 0.4, 0.45, own=True, passages=matches(submission().text)[0].passages))
    twin = report(replace(own.matches[0], past=past("c", among=True, file="乙.docx"), own=False))
    shown = on_terminal(edition, own, twin, width=120)
    assert re.search(r"材料.docx：45.0% 看板看[^\n]*…【本单位】", shown)
    assert "材料.docx：45.0% 乙.docx【本批材料】" in shown


def test_a_passage_is_labelled_with_the_sections_that_it_holds() -> None:
    made = submission()
    start, begin = made.text.index("三、实施过程"), made.text.index(EDITED)
    shared = [MatchedPassage(first, last, 0, 1, "甲", "verbatim", 1.0) for first, last in ((0, begin - 7), (start, begin + 5), (0, 4))]
    found = likeness(report(Match(past("b1"), "reuse", 0.4, 0.45, own=False, passages=tuple(shared))))
    assert found is not None
    assert [one.place for one in found.matches[0].counted] == ["题目、实施过程", "实施过程、实施成效", "题目"]


@pytest.mark.parametrize(
    ("words", "heading"),
    [
        ("题目", None),
        ("概况在此", "一、企业概况"),
        ("（一）推行", "二、怎样做成的"),
        ("成效在此", "实施成效"),
        ("二、怎", "二、怎样做成的"),
    ],
)
def test_the_heading_of_the_other_text_is_told_where_it_is_sure(words: str, heading: str | None) -> None:
    text = "题目\n一、企业概况\n概况在此。\n二、怎样做成的\n（一）推行\n一、先做这件事，再做那件事。\n实施成效\n成效在此。"
    assert heading_above(text, text.index(words)) == heading
