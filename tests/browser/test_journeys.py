"""The three journeys end to end on real files, in a browser, with JavaScript and without."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from live_service import SAMPLES, Live, until
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.slow
PATIENCE = 60_000  # milliseconds


@pytest.fixture(name="js", params=[True, False], ids=["script", "plain"])
def _js(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(name="enter")
def _enter(live: Live, browser: Browser, js: bool) -> Iterator[object]:
    """Signs people in; at the end nothing may have gone wrong on their pages."""
    contexts = []
    wrong: list[str] = []

    def entered(name: str, *, width: int = 1440) -> Page:
        context = live.context(browser, js=js, width=width)
        contexts.append(context)
        context.on("page", lambda page: page.on("pageerror", lambda error: wrong.append(str(error))))
        context.on("response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
        context.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        page = live.enter(context, name)
        page.set_default_timeout(PATIENCE)
        return page

    yield entered
    for context in contexts:
        context.close()
    assert wrong == []


def wait_for(page: Page, selector: str, *, js: bool) -> None:
    """Without scripts a page is read again, as its reader would."""
    if js:
        expect(page.locator(selector).first).to_be_visible(timeout=PATIENCE)
        return

    def there() -> bool:
        if page.locator(selector).count():
            return True
        page.reload()
        return False

    until(there)


def test_an_applicant_mends_a_draft_and_hands_it_in(live: Live, enter: object, js: bool) -> None:
    page = enter("demo-applicant")  # type: ignore[operator]
    page.goto("/drafts/new")
    page.get_by_role("radio", name=re.compile("2022年全国质量标杆")).check()
    page.set_input_files("#f-file", SAMPLES / "s7.docx")
    page.get_by_role("button", name="上传并审读").click()
    page.wait_for_url(re.compile(r"/drafts/[0-9a-f]+$"))
    wait_for(page, "#first-things", js=js)
    expect(page.locator(".lacking")).to_contain_text("实施背景")
    first = page.locator(".report .told a").first
    target = first.get_attribute("href") or ""
    assert page.locator(target).count() == 1, "a sentence of the summary leads to its place"

    page.locator("summary", has_text="上传新版本").click()
    page.set_input_files(".upload-next input[type=file]", SAMPLES / "s1.docx")
    page.locator(".upload-next").get_by_role("button", name="上传并审读").click()
    wait_for(page, "#became", js=js)
    expect(page.locator("details.third.good")).to_contain_text("实施背景")

    page.get_by_role("link", name="提交申报", exact=True).first.click()
    page.get_by_label("单位名称").fill("示例泵阀有限公司（构造）")
    page.get_by_label("统一社会信用代码").fill("91990000MB00000198")
    page.get_by_label("联系人").fill("示例联系人")
    page.get_by_label("联系电话").fill("010-00000000")
    page.locator("input[name=areas]").first.check()
    page.get_by_label("推荐单位").select_option(index=1)
    page.get_by_role("checkbox", name=re.compile("真实、准确")).check()
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#f-credit_code-hint")).to_contain_text("校验")
    page.get_by_label("统一社会信用代码").fill("91990000MB00000197")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", name="提交回执")).to_be_visible(timeout=PATIENCE)
    number = page.locator(".receipt-number").inner_text()
    assert re.fullmatch(r"2022-hebei-\d{4}", number)
    page.goto("/my")
    expect(page.locator("main")).to_contain_text(number)


def test_the_office_brings_in_a_batch_and_decides(live: Live, enter: object, js: bool) -> None:
    page = enter("demo-office")  # type: ignore[operator]
    page.goto("/batches/new")
    page.get_by_label("版（届）").select_option("2024-caq")
    page.set_input_files("#f-files", [SAMPLES / "s3.docx", SAMPLES / "s8.pdf"])
    page.get_by_role("button", name="建立批次并上传").click()
    page.wait_for_url(re.compile(r"/batches/\d+"))
    batch = re.search(r"/batches/(\d+)", page.url)
    assert batch is not None
    live.settle()
    page.reload()
    expect(page.locator("main")).to_contain_text("s8.pdf")

    page.goto(f"/submissions?batch={batch[1]}")
    expect(page.locator("tbody tr[data-row]")).to_have_count(2)
    page.locator("tbody a[data-open]").first.click()
    page.locator("details.dismiss summary").first.click()
    page.locator("details.dismiss input[name=reason]").first.fill("原文没有错，是程序看错了")
    page.locator("details.dismiss button").first.click()
    expect(page.locator("#dismissed")).to_be_visible()
    page.locator("summary", has_text="更正方向").click()
    page.get_by_label("主要方向").select_option(index=1)
    page.get_by_role("button", name="保存更正").click()
    expect(page.locator("main")).to_contain_text("办公室更正")

    page.locator("a[data-key=r]").first.click()
    reasons = page.get_by_label(re.compile("退回理由"))
    assert len(reasons.input_value()) > 10, "the reasons are filled in from the findings"
    reasons.fill(reasons.input_value() + "\n请按要求修改后重新提交。")
    page.get_by_role("button", name="退回修改", exact=True).click()
    page.goto(f"/submissions?batch={batch[1]}&state=returned")
    expect(page.locator("tbody tr[data-row]")).to_have_count(1)
    page.goto(f"/submissions?batch={batch[1]}&state=received")
    if js:
        page.keyboard.press("j")
        page.keyboard.press("p")
    else:
        page.locator("input[name=pick]").check()
        page.locator(".bulk button[value=pass]").click()
    expect(page.locator(".flash")).to_be_visible(timeout=PATIENCE)
    page.goto(f"/submissions?batch={batch[1]}&state=passed")
    expect(page.locator("tbody tr[data-row]")).to_have_count(1)


def test_a_reviewer_declares_reads_and_comments(live: Live, enter: object, js: bool) -> None:
    page = enter("demo-reviewer", width=1440 if js else 820)  # type: ignore[operator]
    page.goto("/reviews")
    rows = page.locator("tr[data-row]", has_text="待评审")
    for href in [rows.nth(at).locator("a[data-open]").get_attribute("href") for at in range(rows.count())]:
        page.goto(href or "")
        if page.get_by_role("heading", name="回避声明").count():
            break
    expect(page.get_by_role("heading", name="回避声明")).to_be_visible()
    page.get_by_role("radio", name="没有，可以评审").check()
    page.get_by_role("button", name="提交声明").click()
    expect(page.locator(".review-summary")).to_be_visible()

    sentence = page.locator(".review-told a").first
    target = sentence.get_attribute("href") or ""
    sentence.click()
    assert page.url.endswith(target)
    assert page.locator(target).count() == 1

    page.get_by_role("navigation", name="评审").get_by_role("link", name="评审依据与评语").click()
    page.get_by_label("评语：科学性和创新性").fill("方法适用，交代清楚。")
    page.get_by_role("textbox", name="私人笔记").fill("只给自己看。")
    if js:
        expect(page.locator("[data-saved]")).to_contain_text("已保存", timeout=PATIENCE)
        page.wait_for_function("!document.querySelector('form[data-autosave]').dataset.dirty")
    else:
        page.get_by_role("button", name="保存", exact=True).click()
    page.reload()
    assert page.get_by_label("评语：科学性和创新性").input_value() == "方法适用，交代清楚。"
    page.get_by_role("button", name="完成评审").click()
    expect(page.locator(".flash")).to_contain_text("评语已交给办公室")
