"""Exports: all rows of a filter in a workbook, all reports in a ZIP that is streamed; no formula, no foreign path, recorded."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest
from library_shelf import TEXTS
from programme_shelf import handed_in, office

from service.database.programme_tables import analyses, decisions, dismissals, events, similar_submissions, submissions
from service.programme import exporting
from service.programme.submissions import Contact
from service.web.pages import exports

EDITION = "2024-caq"
TEXT = (TEXTS / "p01.md").read_text("utf-8")
NASTY = '=HYPERLINK("http://x","y")'


@pytest.fixture(name="filled")
def _filled(site: Any) -> list[int]:
    with site.connection() as db:
        viewer, unit = office(db), site.unit(db, "北辰/质量协会..（构造）")
        more = {"edition": EDITION, "contact": Contact("王某", "-13800000000", "@x.example")}
        one = handed_in(db, viewer, TEXT, title=NASTY, organisation="＋甲公司（构造）", unit=unit, **more)
        two = handed_in(db, viewer, TEXT + "\n另一段。", title="乙题", organisation="乙公司（构造）", file_name="../../b.txt", **more)
        three = handed_in(db, viewer, "没有审读", title="丙题", organisation="丙公司（构造）", edition=EDITION)
        db.execute(analyses.update().where(analyses.c.id == _analysis(three.id)).values(state="waiting", report=None))
        said = {"submission": one.id, "version": 1, "by": viewer.id}
        db.execute(decisions.insert().values(**said, action="return", reasons="+请压缩"))
        db.execute(dismissals.insert().values(**said, rule=f"{EDITION}/2.7", quote="原文", message="问题", reason="@误判"))
        db.execute(similar_submissions.insert().values(one=one.id, other=two.id, flag="near_duplicate", share=0.9, score=0.9))
    return [one.id, two.id, three.id]


def _analysis(id_: int) -> Any:
    return submissions.select().with_only_columns(submissions.c.analysis).where(submissions.c.id == id_).scalar_subquery()


def book(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def column(sheet: Any, head: str) -> list[Any]:
    heads = [cell.value for cell in sheet[1]]
    return [row[heads.index(head)].value for row in sheet.iter_rows(min_row=2)]


def test_the_workbook_holds_every_row_of_the_filter(site: Any, filled: list[int]) -> None:
    client = site.as_("office")
    answer = client.get("/submissions/export.xlsx", params={"edition": EDITION, "sort": "number", "size": 50})
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    assert "filename*=UTF-8''%E7%94%B3%E6%8A%A5" in answer.headers["content-disposition"]
    found = book(answer.content)
    assert found.sheetnames == ["申报材料", "处理记录", "忽略的问题", "本届相似材料", "说明"]
    sheet = found["申报材料"]
    assert sheet.freeze_panes == "D2"
    assert column(sheet, "编号") == [f"{EDITION}-000{number}" for number in (1, 2, 3)]
    assert sheet["B2"].hyperlink.target == f"http://testserver/submissions/{filled[0]}"
    assert column(sheet, "处理意见") == ["'+请压缩", None, None]
    assert column(sheet, "联系电话")[:2] == ["'-13800000000"] * 2
    assert column(sheet, "相似度")[0] == 0.9
    assert column(sheet, "关系")[0] == "高度相似"
    assert column(sheet, "审读")[2] == "等待审读"
    assert column(sheet, "错误")[2] is None
    only = client.get("/submissions/export.xlsx", params={"q": "乙公司"})
    assert column(book(only.content)["申报材料"], "单位") == ["乙公司（构造）"]


def test_no_text_is_a_formula(site: Any, filled: list[int]) -> None:
    found = book(site.as_("office").get("/submissions/export.xlsx").content)
    cells = [cell for sheet in found for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert not [cell.value for cell in cells if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@", "＝", "＋"))]
    assert "'" + NASTY in [cell.value for cell in cells]
    assert filled


def test_the_zip_holds_a_report_for_each(site: Any, filled: list[int]) -> None:
    answer = site.as_("office").get("/submissions/reports.zip", params={"edition": EDITION, "key": "abcdef123456"})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert sorted(names) == [
            "北辰 质量协会..（构造）/2024-caq-0001 ＋甲公司（构造）.html",
            "未指定推荐单位/2024-caq-0002 乙公司（构造）.html",
            "申报材料.xlsx",
        ]
        page = archive.read(names[0]).decode()
        assert page.startswith("<!doctype html>")
        sheet = book(archive.read("申报材料.xlsx"))["申报材料"]
    assert {unquote(sheet[cell].hyperlink.target) for cell in ("B3", "B4")} <= set(names)  # the newest first
    assert site.as_("office").get("/submissions/export/progress", params={"key": "abcdef123456"}).json() == {"done": 3, "of": 3}
    assert site.as_("admin").get("/submissions/export/progress", params={"key": "abcdef123456"}).json() == {"done": 0, "of": 0}
    assert exports._under.running == 0
    assert filled


def test_exports_are_recorded(site: Any, filled: list[int]) -> None:
    client = site.as_("office")
    client.get("/submissions/export.xlsx", params={"state": "received"})
    client.get("/submissions/reports.zip")
    with site.connection() as db:
        found = db.execute(events.select().where(events.c.action.like("submissions.%")).order_by(events.c.id)).all()
    assert [(row.action, row.details["rows"]) for row in found] == [("submissions.exported", 3), ("submissions.reports_exported", 3)]
    assert found[0].details["filter"] == {"state": "received"}
    assert filled


def test_too_many_at_once_are_refused(site: Any, filled: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.as_("office")
    monkeypatch.setattr(exporting, "MOST_REPORTS", 2)
    assert "一次最多导出 2 份" in client.get("/submissions/reports.zip").text
    monkeypatch.undo()
    monkeypatch.setattr(exports._under, "running", 2)
    assert client.get("/submissions/reports.zip").status_code == 429
    assert filled


def test_the_choice_tells_how_much_it_is(site: Any, filled: list[int]) -> None:
    page = site.as_("office").get("/submissions/export", params={"edition": EDITION, "state": "received"}).text
    for told in ("3 份", "待形审", "export.xlsx?edition=2024-caq&amp;state=received", 'name="word"'):
        assert told in page
    assert "没有材料" in site.as_("office").get("/submissions/export", params={"q": "没有这样的"}).text
    assert filled


def test_a_unit_exports_its_own_alone(site: Any, filled: list[int]) -> None:
    with site.connection() as db:
        unit = site.unit(db, "北辰/质量协会..（构造）")
    found = book(site.as_("unit", unit=unit).get("/submissions/export.xlsx").content)
    assert found.sheetnames == ["申报材料", "处理记录", "说明"]
    assert column(found["申报材料"], "编号") == [f"{EDITION}-0001"]
    assert filled
    assert column(found["处理记录"], "处理人") == ["办公室"]
    assert column(book(site.as_("office").get("/submissions/export.xlsx").content)["处理记录"], "处理人") == ["office"]


@pytest.mark.parametrize("role", ["applicant", "reviewer", "unit"])
def test_for_whom(site: Any, role: str) -> None:
    client = site.as_(role)
    for path in ("/submissions/export", "/submissions/reports.zip", "/submissions/export/progress"):
        assert client.get(path).status_code == 403
    assert client.get("/submissions/export.xlsx").status_code == (200 if role == "unit" else 403)


def test_two_side_by_side(site: Any, filled: list[int]) -> None:
    client = site.as_("office")
    page = client.get(f"/submissions/{filled[0]}/similar/{filled[1]}")
    assert page.status_code == 200
    assert "乙公司（构造）" in page.text
    assert "高度相似" in page.text
    assert "style=" not in page.text
    assert client.get(f"/submissions/{filled[0]}/similar/{filled[2]}").status_code == 409
    assert client.get(f"/submissions/{filled[0]}/similar/{filled[0]}").status_code == 404
    assert client.get(f"/submissions/{filled[0]}/similar/999999").status_code == 404
    assert site.as_("unit").get(f"/submissions/{filled[0]}/similar/{filled[1]}").status_code == 404
    assert site.as_("applicant").get(f"/submissions/{filled[0]}/similar/{filled[1]}").status_code == 403


def test_an_export_that_is_broken_off_makes_room() -> None:
    def pieces() -> Any:
        yield b"a"
        yield b"b"

    for started in (True, False):
        exports._under.begin()
        stream = iter(exports._Stream(pieces()))
        assert not started or next(stream) == b"a"
        del stream
        assert exports._under.running == 0
