"""app.js in a browser against a small server: uploads, live parts, autosave, keys, boxes over the page, under a strict policy."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from service.web import rendering

pytestmark = pytest.mark.slow
POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'"
FRAME = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>t</title>
<link rel="stylesheet" href="/s/palette.css"><link rel="stylesheet" href="/s/app.css"><script src="/s/app.js" defer></script></head>
<body><p class="flash" role="status">{flash}</p><main><h1>{heading}</h1>{body}</main></body></html>"""
PAGES = Path(__file__).parent / "pages"  # what stands in <main>


class Stub:
    """What the pages talk to; remembers what it was sent."""

    def __init__(self) -> None:
        self.files: list[list[str]] = []
        self.polls = 0
        self.posts = 0
        self.saved: list[tuple[str | None, str]] = []
        self.answer = 200
        self.app = Starlette(
            routes=[
                Route("/s/{name}", self.static),
                Route("/upload", self.upload, methods=["POST"]),
                Route("/each", self.each, methods=["POST"]),
                Route("/poll", self.poll),
                Route("/json", self.json),
                Route("/save", self.save, methods=["POST"]),
                Route("/count", self.count, methods=["POST"]),
                Route("/{name}", self.page),
            ]
        )

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        media = "text/css" if name.endswith(".css") else "text/javascript"
        return Response(rendering.static_file(name).read_bytes(), media_type=media)

    async def page(self, request: Request) -> Response:
        name = request.path_params["name"]
        file = PAGES / f"{name}.html"
        body = file.read_text("utf-8") if file.is_file() else ""
        flash = request.cookies.get("biaogan_flash", "")
        answer = HTMLResponse(FRAME.format(heading=name, body=body, flash=flash), headers={"Content-Security-Policy": POLICY})
        answer.delete_cookie("biaogan_flash", path="/")
        return answer

    async def upload(self, request: Request) -> Response:
        self.files.append(await sent(request))
        if self.answer != 200:
            return HTMLResponse('<p class="failure-message">文件太大，请压缩图片。</p>', self.answer)
        answer = RedirectResponse("/done", 303)
        answer.set_cookie("biaogan_flash", "received", httponly=True)
        return answer

    async def each(self, request: Request) -> Response:
        assert request.headers["x-upload"] == "each"
        names = await sent(request)
        self.files.append(names)
        if "bad.docx" in names:
            return JSONResponse({"detail": "不是 Word 文件。"}, 422)
        return Response(status_code=204)

    async def poll(self, request: Request) -> Response:
        self.polls += 1
        still = ' data-poll="/poll" data-every="100"' if self.polls < 3 else ""
        return HTMLResponse(f"<div{still}>第{self.polls}次</div>")

    async def json(self, request: Request) -> Response:
        self.polls += 1
        return JSONResponse({"done_files": self.polls, "done": self.polls >= 3})

    async def save(self, request: Request) -> Response:
        async with request.form() as form:
            self.saved.append((request.headers.get("if-match"), str(form["comment"])))
        if self.answer != 200:
            return JSONResponse({"detail": "别人已保存。"}, self.answer)
        return JSONResponse({"revision": 3 + len(self.saved)})

    async def count(self, request: Request) -> Response:
        self.posts += 1
        await asyncio.sleep(0.3)
        return RedirectResponse("/done", 303)


async def sent(request: Request) -> list[str]:
    """Names of the files of a request."""
    async with request.form() as form:
        return [str(one.filename) for one in form.getlist("file") if not isinstance(one, str)]


@pytest.fixture(name="stub")
def _stub() -> Stub:
    return Stub()


@pytest.fixture(name="at")
def _at(stub: Stub, serve: Callable[[Any], str]) -> str:
    return serve(stub.app)


def some(*names: str) -> list[Any]:
    return [{"name": name, "mimeType": "application/octet-stream", "buffer": b"x" * 4096} for name in names]


def test_an_upload_is_sent_and_its_answer_opened_with_its_message(page: Page, stub: Stub, at: str) -> None:
    page.goto(f"{at}/one")
    page.set_input_files("#f", some("a.docx", "b.docx"))
    page.click("text=上传")
    page.wait_for_url("**/done")
    assert stub.files == [["a.docx", "b.docx"]]
    expect(page.locator(".flash")).to_have_text("received")


def test_a_refused_upload_says_why_and_can_be_sent_again(page: Page, stub: Stub, at: str) -> None:
    stub.answer = 413
    page.goto(f"{at}/one")
    page.set_input_files("#f", some("a.docx"))
    page.click("text=上传")
    expect(page.locator(".drop-files .wrong")).to_have_text("文件太大，请压缩图片。")
    stub.answer = 200
    page.click("text=上传")
    page.wait_for_url("**/done")


def test_many_files_go_one_by_one_each_with_its_row(page: Page, stub: Stub, at: str) -> None:
    page.goto(f"{at}/many")
    page.set_input_files("#f", some("a.docx", "bad.docx", "c.docx"))
    page.click("text=上传")
    expect(page.locator(".drop-files .wrong")).to_have_text("不是 Word 文件。")
    expect(page.locator(".drop-files .done")).to_have_count(2)
    assert sorted(stub.files) == [["a.docx"], ["bad.docx"], ["c.docx"]]
    assert page.url.endswith("/many")
    page.set_input_files("#f", some("d.docx"))
    page.click("text=上传")
    page.wait_for_url("**/done")


def test_files_can_be_dropped(page: Page, stub: Stub, at: str) -> None:
    page.goto(f"{at}/one")
    data = page.evaluate_handle("() => { const d = new DataTransfer(); d.items.add(new File(['x'], 'dropped.docx')); return d; }")
    page.dispatch_event(".drop", "drop", {"dataTransfer": data})
    page.click("text=上传")
    page.wait_for_url("**/done")
    assert stub.files == [["dropped.docx"]]


@pytest.mark.parametrize("path", ["live", "numbers"])
def test_a_live_part_is_asked_for_until_it_ends(page: Page, stub: Stub, at: str, path: str) -> None:
    page.goto(f"{at}/{path}")
    page.wait_for_url("**/done")
    assert stub.polls == 3


def test_text_is_saved_by_itself_with_its_revision(page: Page, stub: Stub, at: str) -> None:
    page.goto(f"{at}/note")
    page.fill("#t", "数据完整")
    expect(page.locator("[data-saved]")).to_have_text(re.compile(r"已保存 \d\d:\d\d"))
    page.fill("#t", "数据完整，可推广")
    expect(page.locator("form")).to_have_attribute("data-revision", "5")
    assert stub.saved == [('"3"', "数据完整"), ('"4"', "数据完整，可推广")]


def test_the_later_of_two_is_told_and_nothing_is_overwritten(page: Page, stub: Stub, at: str) -> None:
    stub.answer = 412
    page.goto(f"{at}/note")
    page.fill("#t", "一")
    expect(page.locator("[data-saved]")).to_have_text(re.compile("冲突"))
    page.fill("#t", "二")
    page.wait_for_timeout(1500)
    assert len(stub.saved) == 1


def test_rows_are_walked_opened_and_ticked_by_keys(page: Page, at: str) -> None:
    page.goto(f"{at}/table")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr.current")).to_contain_text("第2行")
    page.keyboard.press("x")
    expect(page.locator("[data-count]")).to_have_text("1")
    page.keyboard.press("k")
    expect(page.locator("tr.current")).to_contain_text("第1行")
    page.keyboard.press("o")
    page.wait_for_url("**/row1")


def test_a_letter_inside_rows_means_the_present_row(page: Page, at: str) -> None:
    page.goto(f"{at}/table")
    page.keyboard.press("p")
    assert page.url.endswith("/table")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("p")
    page.wait_for_url("**/passed2")


def test_a_letter_presses_its_button_and_not_while_somebody_types(page: Page, stub: Stub, at: str) -> None:
    page.goto(f"{at}/table")
    page.keyboard.press("/")
    page.keyboard.type("rjr")
    assert page.input_value("#q") == "rjr"
    assert stub.posts == 0
    page.locator("#q").blur()
    page.click("summary")
    page.keyboard.press("r")
    page.wait_for_url("**/done")
    assert stub.posts == 1


def test_a_form_is_sent_once(page: Page, stub: Stub, at: str) -> None:
    page.goto(f"{at}/table")
    page.click("summary")
    page.evaluate("() => { const b = document.querySelector('[data-key=r]'); b.click(); b.click(); b.click(); }")
    page.wait_for_url("**/done")
    assert stub.posts == 1


def test_a_page_of_rows_is_ticked_whole(page: Page, at: str) -> None:
    page.goto(f"{at}/table")
    expect(page.locator("[data-needs]")).to_be_disabled()
    page.check("[data-all]")
    expect(page.locator("[data-count]")).to_have_text("5")
    expect(page.locator("[data-needs]")).to_be_enabled()
    page.uncheck("[value='3']")
    expect(page.locator("[data-count]")).to_have_text("4")
    page.click("[data-all]")
    expect(page.locator("[data-count]")).to_have_text("5")
    page.click("[data-all]")
    expect(page.locator("[data-count]")).to_have_text("0")


def test_keys_are_told_and_a_box_keeps_the_focus_until_it_is_shut(page: Page, at: str) -> None:
    page.goto(f"{at}/table")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("下一行")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_have_count(0)
    page.click("text=保存视图")
    expect(page.locator("#view")).to_be_visible()
    expect(page.locator("#n")).to_be_focused()
    for _ in range(5):
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('#view').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(page.locator("#view")).to_be_hidden()
    expect(page.locator("text=保存视图")).to_be_focused()
