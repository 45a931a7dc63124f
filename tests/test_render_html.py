"""One standalone page a document: every finding marked, whatever the text holds, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from documents_made import make_submission
from hypothesis import given, settings
from hypothesis import strategies as st

from service import rulebook
from service.model import Document, Edition, Finding, Note, Outcome, Report, Severity, Submission
from service.parse.blocks import Builder, CellText
from service.render.html import report_html
from service.render.marks import Leaf, pieces
from service.render.view import Item

PAYLOAD = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
CASE = {
    "title": "实施看板管理的经验",
    "organisation": "星河轴承有限公司",
    "before": [{"toc": "一、企业概况\t1"}],
    "sections": [
        {
            "key": "overview",
            "heading": {"heading": "企业概况", "label": "一、"},
            "blocks": ["公司成立于2003年，主营轴承，电话13800138000。"],
        },
        {
            "key": "process",
            "heading": "三、实施过程",
            "blocks": ["做法见图1。", {"figure": True}, {"caption": "图1 流程"}, {"table": [["工序", "控制限"], ["车削", "0.05"]]}],
        },
        {"key": "results", "blocks": ["合格率显著提升，客户满意度大幅提高，效果很好。"]},
    ],
    "after": ["附件：营业执照"],
}  # fmt: skip


@pytest.fixture(scope="module")
def edition() -> Edition:
    return rulebook.load("2022-hebei")


def outcome(check: str, severity: Severity, *findings: Finding, clause: str | None = "附件2 一") -> Outcome:
    basis = "notice" if clause else "ours"
    return Outcome(f"2022-hebei/{check}", check, basis, clause, "fail" if findings else "pass", severity, findings=findings)  # type: ignore[arg-type]


def report(submission: Submission, *outcomes: Outcome, notes: tuple[Note, ...] = ()) -> Report:
    return Report("材料.docx", "ab" * 32, "docx", "2022-hebei", "ff", "complete", notes=notes, submission=submission, outcomes=outcomes)


def find(submission: Submission, quote: str) -> tuple[int, int]:
    start = submission.text.index(quote)
    return start, start + len(quote)


class Page(HTMLParser):
    """What a reader of the page gets: tags, ids, links and, by finding number, the marked text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.marked: dict[str, str] = {}
        self.classes: dict[str, str] = {}
        self.text = ""
        self._mark: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag == "mark":
            self._mark = (values["data-f"] or "").split()
            for number in self._mark:
                self.classes[number] = values["class"] or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "mark":
            self._mark = []

    def handle_data(self, data: str) -> None:
        self.text += data
        for number in self._mark:
            self.marked[number] = self.marked.get(number, "") + data

    def ids(self) -> list[str]:
        return [values["id"] for _, values in self.tags if values.get("id")]  # type: ignore[misc]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [values for name, values in self.tags if name == tag]


def test_every_finding_is_marked_and_each_leads_to_the_other(edition: Edition) -> None:
    submission = make_submission(CASE)
    quotes = ["公司成立", "13800138000", "显著提升，客户满意度大幅提高", "大幅提高，效果很好", "0.05", "实施看板管理的经验", "做法见图1"]
    findings = [Finding(f"意见{quote}", *find(submission, quote)) for quote in quotes]
    figure = next(block for block in submission.document.blocks if block.kind == "figure")
    findings.append(Finding("图没有被提到", figure.start, figure.start))
    page = Page(report_html(report(submission, outcome("vague_claims", "warning", *findings)), edition))
    numbers = [str(number) for number in range(1, len(findings) + 1)]
    ids = page.ids()
    assert len(ids) == len(set(ids))
    targets = {values["href"] for values in page.all("a")}
    for number in numbers:
        assert {f"p{number}", f"f{number}"} <= set(ids)
        assert {f"#p{number}", f"#f{number}"} <= targets
    assert {target.lstrip("#") for target in targets if target} <= set(ids)
    ordered = sorted(findings, key=lambda finding: (finding.start, finding.end))
    shown = submission.text.replace("13800138000", "138****8000")
    for number, finding in zip(numbers, ordered, strict=True):
        assert page.marked.get(number, "") == shown[finding.start : finding.end]


def test_the_number_of_a_finding_about_a_figure_stands_at_the_figure(edition: Edition) -> None:
    submission = make_submission(CASE)
    figure = next(block for block in submission.document.blocks if block.kind == "figure")
    html = report_html(report(submission, outcome("figure_caption", "warning", Finding("没有图题", figure.start, figure.start))), edition)
    assert re.search(r'<p class="figure"><a class="badge warning" id="p1"', html)


def test_overlapping_findings_keep_their_words(edition: Edition) -> None:
    submission = make_submission(CASE)
    first = Finding("甲", *find(submission, "显著提升，客户满意度"))
    second = Finding("乙", *find(submission, "客户满意度大幅提高"))
    page = Page(
        report_html(report(submission, outcome("vague_claims", "warning", first), outcome("secret_marking", "error", second)), edition)
    )
    assert page.marked == {"2": "显著提升，客户满意度", "1": "客户满意度大幅提高"}
    both = [values for values in page.all("mark") if values["data-f"] in ("1 2", "2 1")]
    assert [set((values["class"] or "").split()) for values in both] == [{"error", "warning", "deep"}]


def test_what_a_file_holds_is_text_and_nothing_else(edition: Edition) -> None:
    case = CASE | {
        "title": PAYLOAD,
        "organisation": PAYLOAD,
        "sections": [{"key": "overview", "heading": PAYLOAD, "blocks": [PAYLOAD, {"table": [[PAYLOAD]]}, {"caption": PAYLOAD}]}],
    }
    submission = make_submission(case)
    finding = Finding(PAYLOAD, *find(submission, "alert(1)"), measured=PAYLOAD)
    failing = replace(outcome("placeholder", "warning", finding, clause=PAYLOAD))
    skipped = Outcome("x", PAYLOAD, "notice", PAYLOAD, "not_checked", "error", reason=PAYLOAD)
    made = replace(report(submission, failing, skipped, notes=(Note("x", PAYLOAD),)), name=PAYLOAD)
    page = Page(report_html(made, edition))
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert not [key for _, values in page.tags for key in values if key.startswith("on") or key == "style"]
    assert page.text.count("<script>alert(1)</script>") >= 8


def test_nothing_is_fetched_and_only_our_own_style_and_script_may_run(edition: Edition) -> None:
    html = report_html(report(make_submission(CASE), outcome("title_length", "error", Finding("长", 0, 3))), edition)
    page = Page(html)
    assert not [(tag, values) for tag, values in page.tags for key in values if key in ("src", "srcset", "action", "data", "poster")]
    assert page.all("link") == []
    assert all((values.get("href") or "#").startswith("#") for values in page.all("a"))
    assert not re.search(r"https?://|url\(|@import", html)
    policy = next(values["content"] for values in page.all("meta") if values.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        content = html.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" in policy


def test_personal_data_is_masked(edition: Edition) -> None:
    submission = make_submission(CASE)
    html = report_html(report(submission, outcome("personal_data", "warning", Finding("有手机号13800138000", 0, 2))), edition)
    assert "13800138000" not in html
    assert "138****8000" in html


def test_automatic_numbers_tables_captions_and_sections_are_shown(edition: Edition) -> None:
    html = report_html(report(make_submission(CASE)), edition)
    assert '<span class="label">一、</span>企业概况</h2>' in html
    assert "<td>工序</td><td>控制限</td>" in html
    assert '<p class="caption">图1 流程</p>' in html
    assert '<p class="toc outside">' in html
    assert '<p class="paragraph outside">附件：营业执照</p>' in html
    assert "文中没有标题，按内容判定" in html
    assert 'id="s-overview"' in html


def test_merged_cells_span(edition: Edition) -> None:
    submission = make_submission(CASE)
    blocks = list(submission.document.blocks)
    index = next(index for index, block in enumerate(blocks) if block.cells)
    first, *others = blocks[index].cells
    blocks[index] = replace(blocks[index], cells=(replace(first, rows=2, columns=3), *others))
    changed = replace(submission, document=replace(submission.document, blocks=tuple(blocks)))
    assert '<td rowspan="2" colspan="3">工序</td>' in report_html(report(changed), edition)


def test_what_was_not_checked_is_said_with_the_reason(edition: Edition) -> None:
    skipped = Outcome("2022-hebei/7.2", "body_format", "notice", "附件2 二", "not_checked", "warning", reason="不知道字体。")
    page = Page(report_html(report(make_submission(CASE), skipped), edition))
    assert "不等于“通过”" in page.text
    assert "正文格式（附件2 二）" in page.text
    assert "不知道字体。" in page.text
    assert "程序自动审读" in page.text


def test_a_rule_of_our_own_is_shown_as_ours(edition: Edition) -> None:
    submission = make_submission(CASE)
    page = Page(report_html(report(submission, outcome("placeholder", "warning", Finding("补全", 0, 1), clause=None)), edition))
    assert "本系统建议" in page.text
    notice = Page(report_html(report(submission, outcome("title_length", "error", Finding("长", 0, 1))), edition))
    assert "依据：附件2 一" in notice.text
    prompted = replace(outcome("vague_claims", "warning", Finding("空", 0, 1)), basis="ours")
    assert "本系统建议（参照 附件2 一）" in Page(report_html(report(submission, prompted), edition)).text


def test_a_file_that_could_not_be_read_says_why(edition: Edition) -> None:
    made = Report("坏.pdf", "00", None, "2022-hebei", "ff", "failed", notes=(Note("file_encrypted", "文件已加密，请取消密码。"),))
    page = Page(report_html(made, edition))
    assert "文件已加密，请取消密码。" in page.text
    assert "坏.pdf" in page.text


def test_control_characters_and_turned_writing_do_not_reach_the_page(edition: Edition) -> None:
    html = report_html(replace(report(make_submission(CASE | {"title": "甲\x00\x1b[31m乙\ud800"})), name="表\u202exslx.exe"), edition)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\ud800-\udfff]", html)
    html.encode("utf-8")


def item(number: int, start: int, end: int) -> Item:
    return Item(number, "warning", "r", "c", f"m{number}", "ours", None, "", "", "", None, "", start, end, False, None, None)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_pieces_give_the_text_once_and_open_each_finding_once(data: Any) -> None:
    text = "".join(chr(0x4E00 + index) for index in range(40))
    cuts = sorted(data.draw(st.sets(st.integers(0, 40), max_size=8)) | {0, 40})
    leaves = [Leaf(left, right - (right < 40 and right - left > 1)) for left, right in pairwise(cuts)]
    spans = data.draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted), max_size=12))
    items = [item(number, start, end) for number, (start, end) in enumerate(spans, 1)]
    made = pieces(text, leaves, items)
    for leaf, cut in zip(leaves, made, strict=True):
        assert "".join(piece.text for piece in cut) == text[leaf.start : leaf.end]
    flat = [piece for cut in made for piece in cut]
    assert sorted(opened.number for piece in flat for opened in piece.opens) == [one.number for one in items]
    shown = {place for leaf in leaves for place in range(leaf.start, leaf.end)}
    for one in items:
        marked = {ord(character) - 0x4E00 for piece in flat if str(one.number) in piece.numbers.split() for character in piece.text}
        assert marked == set(range(one.start, one.end)) & shown


def test_a_cell_printed_in_lines_is_one_cell_of_the_page() -> None:
    builder = Builder()
    cells = [
        CellText(0, 0, "主要过程与控制方法", lines=((10.0, "主要过程与"), (26.0, "控制方法"))),
        CellText(0, 1, "<说明>", lines=((10.0, "<说明>"),)),
        CellText(0, 2, ""),
    ]
    builder.add_table(cells)
    assert builder.text == "主要过程与\t<说明>\n控制方法"
    edition = rulebook.load("2022-hebei")
    document = Document("样例.pdf", "0" * 64, "pdf", builder.text, builder.blocks)
    submission = Submission(document, None, None, (), (), (), (), end=len(builder.text))
    page = report_html(Report("样例.pdf", "00", "pdf", edition.id, "ff", "complete", submission=submission), edition)
    cell = re.sub(r"<(?!/?td)[^>]*>|\s", "", page)
    assert "主要过程与控制方法" in cell
    assert "&lt;说明&gt;" in cell
