"""report.js beside app.js on a page of the service: what a link leads to is lit, filters, keys; axe-core minds nothing grave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from service import rulebook
from service.model import Block, Document, Finding, Outcome, Report, Section, Submission, Summary, SummarySentence
from service.render.page import report_fragment
from service.web import rendering

pytestmark = pytest.mark.slow
EDITION = rulebook.load("2022-hebei")
FIRST, SECOND = "公司推行看板管理，合格率显著提升。", "客户满意度大幅提高，效果很好。"
TEXT = f"看板管理\n三、实施过程\n{FIRST}\n{SECOND}"
PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>t</title>
<link rel="stylesheet" href="/s/palette.css"><link rel="stylesheet" href="/s/app.css">
<link rel="stylesheet" href="/s/report.css"><script src="/s/app.js" defer></script><script src="/s/report.js" defer></script></head>
<body id="top"><main>{keys}{report}</main></body></html>"""
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"


def made() -> Report:
    places = [(TEXT.index(words), TEXT.index(words) + len(words)) for words in ("显著提升", "大幅提高")]
    blocks = tuple(Block("paragraph", TEXT.index(line), TEXT.index(line) + len(line)) for line in TEXT.split("\n"))
    begin, body = TEXT.index("三、"), TEXT.index(FIRST)
    section = Section("process", TEXT[begin : body - 1], begin, body, len(TEXT), 30)
    document = Document("材料.docx", "a" * 64, "docx", TEXT, blocks=blocks)
    submission = Submission(document, None, None, (section,), (), (), EDITION.sections, start=0, end=len(TEXT))
    return Report(
        "材料.docx",
        "a" * 64,
        "docx",
        "2022-hebei",
        "ff",
        "complete",
        submission=submission,
        outcomes=(
            Outcome("2022-hebei/1", "vague_claims", "ours", None, "fail", "warning", findings=(Finding("空泛", *places[0]),)),
            Outcome("2022-hebei/2", "vague_claims", "ours", None, "fail", "advice", findings=(Finding("空泛二", *places[1]),)),
        ),
        summaries=(Summary("process", begin, (SummarySentence(TEXT.index(SECOND), len(TEXT), SECOND),)),),
    )


@pytest.fixture(name="at")
def _at(serve: Callable[[Any], str]) -> str:
    html = report_fragment(made(), EDITION).html

    async def page(request: Request) -> Response:
        keys = '<button type="button" data-key="p">通过</button>' if "keys" in request.query_params else ""
        return HTMLResponse(PAGE.format(keys=keys, report=html), headers={"Content-Security-Policy": POLICY})

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        return Response(rendering.static_file(name).read_bytes(), media_type="text/css" if name.endswith("css") else "text/javascript")

    return serve(Starlette(routes=[Route("/", page), Route("/s/{name}", static)]))


def test_a_sentence_of_the_summary_leads_to_its_place_and_lights_it(page: Page, at: str) -> None:
    page.goto(at)
    page.click(".told a")
    expect(page.locator(".text .lit").first).to_be_visible()
    assert "".join(page.locator(".text .lit").all_inner_texts()) == SECOND


def test_findings_are_walked_by_n_and_filtered(page: Page, at: str) -> None:
    page.goto(at)
    page.keyboard.press("n")
    expect(page.locator("#f1")).to_have_class("item warning current")
    page.keyboard.press("n")
    expect(page.locator("#f2")).to_have_class("item advice current")
    page.uncheck("#show-advice")
    expect(page.locator("#f2")).to_be_hidden()
    expect(page.locator("#f1")).to_be_visible()


def test_filters_work_where_the_style_cannot_ask_for_boxes(page: Page, at: str) -> None:
    page.add_init_script("CSS.supports = () => false;")
    page.goto(at)
    page.uncheck("#show-warning")
    expect(page.locator(".report")).to_have_class("report no-warning")


def test_a_letter_that_the_page_wants_is_left_to_it(page: Page, at: str) -> None:
    page.goto(f"{at}/?keys")
    page.keyboard.press("n")
    page.keyboard.press("p")
    expect(page.locator("#f1")).to_have_class("item warning current")
    assert page.url.endswith("#p1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_minds_nothing_grave(page: Page, at: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(at)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
