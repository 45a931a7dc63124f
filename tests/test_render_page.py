"""The report as a part of a page: the standalone page's markup, nothing inline, dismissed findings apart."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from documents_made import make_submission
from markupsafe import Markup
from test_render_html import CASE, PAYLOAD, Page, find, outcome, report
from test_render_matches import report as report_with_matches

from service import rulebook
from service.model import Edition, Finding, Report
from service.render.page import pair_fragment, report_fragment
from service.render.view import Item


@pytest.fixture(scope="module")
def edition() -> Edition:
    return rulebook.load("2022-hebei")


def two_findings() -> Report:
    submission = make_submission(CASE)
    findings = [Finding(f"意见：{words}", *find(submission, words)) for words in ("显著提升", "大幅提高")]
    return report(submission, outcome("vague_claims", "warning", *findings))


def without(words: str, made: Report) -> Callable[[Item], str | None]:
    assert made.submission is not None
    text = made.submission.text
    return lambda item: "术语，<b>不</b>是空话" if text[item.start : item.end] == words else None


def test_it_is_one_box_that_the_policy_of_the_service_allows(edition: Edition) -> None:
    html = str(report_fragment(two_findings(), edition).html)
    assert html.startswith('<div class="report">') and html.endswith("</div>")
    assert not re.search(r"<(style|script|main|html|body)\b|\sstyle=|\son\w+=", html)
    page = Page(html)
    ids = set(page.ids())
    assert {values["href"] for values in page.all("a") if values.get("href")} <= {f"#{name}" for name in ids | {"top"}}


def test_a_dismissed_finding_stands_apart_and_in_no_number(edition: Edition) -> None:
    made = two_findings()
    fragment = report_fragment(made, edition, dismissed=without("显著提升", made))
    assert [item.message for item in fragment.items] == ["意见：大幅提高"]
    assert [item.number for item in (*fragment.items, *fragment.dismissed)] == [1, 2]
    page = Page(str(fragment.html))
    assert page.marked == {"1": "大幅提高"}
    assert "提醒 1" in re.sub(r"\s+", " ", page.text)
    assert "已忽略的问题" in page.text and "意见：显著提升" in page.text
    assert "术语，<b>不</b>是空话" in page.text  # as text
    assert len(page.ids()) == len(set(page.ids()))
    assert {values["href"] for values in page.all("a") if values.get("href")} <= {f"#{name}" for name in {*page.ids(), "top"}}


def test_what_a_page_adds_stands_at_its_finding_and_is_escaped(edition: Edition) -> None:
    html = str(report_fragment(two_findings(), edition, actions=lambda item: Markup("<b>第{}处</b>").format(item.number)).html)
    assert html.count('<div class="acts"><b>第') == 2
    assert PAYLOAD not in str(report_fragment(two_findings(), edition, actions=lambda _: PAYLOAD).html)


def test_parts_are_left_out(edition: Edition) -> None:
    page = Page(str(report_fragment(two_findings(), edition, parts=("text",)).html))
    assert page.marked
    assert not page.all("h1") and "审读意见" not in str([values for _, values in page.tags])


def test_a_benchmark_can_be_opened_from_its_match(edition: Edition) -> None:
    made = report_with_matches()
    html = str(report_fragment(made, edition, links=lambda past: [(f"/library/{past.id}", "打开")]).html)
    assert html.count('class="to-past"') == len(made.matches)
    assert html.count("/library/") == len(made.matches)


def test_two_texts_have_a_part_without_rules(edition: Edition) -> None:
    html = str(pair_fragment(report_with_matches(), edition).html)
    assert "两份材料" in html and 'class="item' not in html
