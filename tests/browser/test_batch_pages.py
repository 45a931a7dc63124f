"""A batch in a browser: rows change by themselves; an export tells how far it is; a unit orders with a script and without."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from live_service import SAMPLES, Live
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.slow
PATIENCE = 60_000  # milliseconds


def test_rows_change_by_themselves(live: Live, browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "setup.exe").write_bytes(b"MZ\x90\x00" + bytes(60))
    (tmp_path / "重复.docx").write_bytes((SAMPLES / "s5.docx").read_bytes())
    context = live.context(browser)
    page = live.enter(context, "demo-office")
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto("/batches/new")
    page.set_input_files("#f-files", [SAMPLES / "s5.docx", SAMPLES / "s7.pdf", tmp_path / "setup.exe", tmp_path / "重复.docx"])
    page.get_by_role("button", name="建立批次并上传").click()
    page.wait_for_url(re.compile(r"/batches/\d+"))
    page.evaluate("document.body.dataset.same = '1'")
    expect(page.locator("[data-count-of=settled]")).to_have_text("4", timeout=PATIENCE)
    rows = page.locator("tbody tr[data-row]")
    expect(rows).to_have_count(4)
    expect(rows.filter(has_text="已审读")).to_have_count(3, timeout=PATIENCE)
    expect(rows.filter(has_text="未接收")).to_contain_text("Windows 程序")
    expect(rows.filter(has_text="内容完全相同")).to_have_count(1)
    page.locator("summary", has_text="再加文件").click()
    page.set_input_files("#f-files", [SAMPLES / "s6.docx"])
    page.get_by_role("button", name="上传所选文件").click()
    expect(rows).to_have_count(5, timeout=PATIENCE)
    assert wrong == []
    context.close()


def test_all_reports_come_in_a_zip(live: Live, browser: Browser, tmp_path: Path) -> None:
    live.settle()
    context = live.context(browser)
    page = live.enter(context, "demo-office")
    page.goto("/submissions/export?edition=2024-caq")
    with page.expect_download(timeout=PATIENCE) as started:
        page.get_by_role("button", name="打包下载").click()
    expect(page.locator("[data-told] p")).to_contain_text("全部生成", timeout=PATIENCE)
    saved = tmp_path / "reports.zip"
    started.value.save_as(saved)
    with zipfile.ZipFile(saved) as archive:
        names = archive.namelist()
    assert "申报材料.xlsx" in names
    assert any(name.endswith(".html") for name in names)
    context.close()


@pytest.mark.parametrize("js", [True, False], ids=["script", "plain"])
def test_a_unit_orders_what_it_recommends(live: Live, browser: Browser, *, js: bool) -> None:
    context = live.context(browser, js=js)
    page = live.enter(context, "demo-unit")
    page.goto("/units")
    places = page.locator("input.place")
    count = places.count()
    assert count >= 1
    numbers = page.locator("tr[data-row] a[data-open]").all_inner_texts()
    for index in range(count):
        places.nth(index).fill(str(count - index))
    page.get_by_role("button", name="保存推荐顺序").click()
    expect(page.locator(".flash")).to_contain_text("推荐顺序")
    assert page.locator("tr[data-row] a[data-open]").all_inner_texts() == numbers[::-1]
    if count > 1:
        page.get_by_role("button", name=f"{numbers[-1]} 下移").click()
        assert page.locator("tr[data-row] a[data-open]").nth(1).inner_text() == numbers[-1]
    context.close()
