"""Past benchmarks in the browser: found, read, compared; added, imported, changed, revoked. Who may, and what is recorded."""

from __future__ import annotations

import re
from typing import Any

import pytest
from library_shelf import benchmark_text, fill, prepared, titled

from service.database.programme_tables import events
from service.library.read import shown

_EVERY = {"2014-0001", "2015-0001", "2016-0001", "2022-0001", "2023-0001"}
_XSS = "<script>alert(1)</script>"


@pytest.fixture(name="shelf")
def _shelf(site: Any) -> Any:
    """Five benchmarks: two that share words, one of the same organisation, one revoked, one by title alone."""
    text, oil = benchmark_text("p01"), "霁垣液压件有限公司"
    old = {"edition": "2014-miit"}
    fill(
        site.engine,
        prepared(text, year=2014, organisation=oil, title="阀块内泄漏的六西格玛改进", areas=("dfss", "lean"), **old),
        prepared(
            benchmark_text("r01"), year=2015, organisation="砺衡液压", title="液压阀块的DMAIC改进", areas=("dfss",), level="province", **old
        ),
        prepared(
            text.replace("六西格玛", "6西格玛"),
            year=2022,
            organisation=oil,
            title="阀块改进的新版",
            edition="2022-hebei",
            areas=("methods",),
        ),
        prepared(
            benchmark_text("p02"),
            year=2023,
            organisation=f"苜澄乳业{_XSS}",
            title=f"来料分级{_XSS}",
            edition="2024-caq",
            areas=("supply_chain", f"自拟方向{_XSS}"),
            status="revoked",
            revoked_reason=f"质量事故{_XSS}",
        ),
        titled(year=2016, organisation="只有题目公司", title="质量文化经验"),
    )
    return site


@pytest.mark.parametrize("role", ["applicant", "unit"])
@pytest.mark.parametrize("path", ["/library", "/library/2014-0001", "/library/compare", "/library/new", "/library/2014-0001/file"])
def test_applicants_and_units_do_not_come_in(shelf: Any, role: str, path: str) -> None:
    assert shelf.as_(role).get(path).status_code == 403


@pytest.mark.parametrize("path", ["/library/new", "/library/import", "/library/2014-0001/edit", "/library/2014-0001/file"])
def test_reviewers_read_but_change_nothing(shelf: Any, path: str) -> None:
    reviewer = shelf.as_("reviewer")
    assert reviewer.get(path).status_code == 403
    assert reviewer.submit("/library/2014-0001/revoke", {"reason": "不该"}).status_code == 403
    assert reviewer.submit("/library/new", {"title": "x"}).status_code == 403
    page = reviewer.get("/library/2014-0001").text
    assert "撤销这份标杆" not in page
    assert "统一社会信用代码" not in page


def test_the_table_has_official_names_and_counts(shelf: Any) -> None:
    page = shelf.as_("reviewer").get("/library").text
    assert "共 5 份，其中 1 份只有题目" in page
    assert "六西格玛设计、精益管理" in page
    assert re.search(r'<option value="2014">2014 年（1）', page)
    assert re.search(r'<option value="六西格玛设计">六西格玛设计（2）', page)
    assert _XSS not in page
    assert "只有题目" in page
    assert page.index("2023-0001") < page.index("2014-0001"), "the newest first"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"year": "2014"}, {"2014-0001"}),
        ({"level": "province"}, {"2015-0001"}),
        ({"status": "revoked"}, {"2023-0001"}),
        ({"area": "六西格玛设计"}, {"2014-0001", "2015-0001"}),
        ({"area": "质量管理方法"}, {"2022-0001"}),
        ({"area": "没有的方向"}, set()),
        ({"q": "内泄漏"}, {"2014-0001", "2015-0001", "2022-0001"}),
        ({"q": "内泄漏", "year": "2015"}, {"2015-0001"}),
        ({"q": "只有题目公司"}, {"2016-0001"}),
        ({"q": "查无此词啊"}, set()),
        ({"year": "abcd", "level": "x", "status": "y", "page": "-3", "sort": "drop table"}, _EVERY),
    ],
)
def test_filters_and_search(shelf: Any, query: dict[str, str], found: set[str]) -> None:
    page = shelf.as_("reviewer").get("/library", params=query)
    assert page.status_code == 200
    assert set(re.findall(r'href="/library/(\d{4}-\d{4})"', page.text)) == found
    if not found:
        assert "没有符合条件的标杆" in page.text


@pytest.mark.parametrize("query", ["q=%00", "q=%25_%5C", "area=%00", "page=99999", "sort=-title", "q=" + "长" * 500, "q='%20OR%201=1"])
def test_odd_questions_are_answered(shelf: Any, query: str) -> None:
    assert shelf.as_("reviewer").get(f"/library?{query}").status_code == 200


def test_snippets_mark_what_was_looked_for(shelf: Any) -> None:
    assert "<mark>内泄漏</mark>" in shelf.as_("reviewer").get("/library?q=内泄漏").text


def test_sorted_by_column(shelf: Any) -> None:
    page = shelf.as_("reviewer").get("/library?sort=year").text
    assert page.index("/library/2014-0001") < page.index("/library/2023-0001")


def test_an_empty_library_says_what_to_do(site: Any) -> None:
    office, reviewer = site.as_("office").get("/library").text, site.as_("reviewer").get("/library").text
    assert "/library/import" in office
    assert "/library/import" not in reviewer
    assert "标杆库里还没有内容" in reviewer


def test_a_benchmark_is_read_in_full(shelf: Any) -> None:
    page = shelf.as_("reviewer").get("/library/2014-0001").text
    assert "阀块内泄漏的六西格玛改进" in page
    assert "各部分要点" in page
    leads = re.findall(r'<li><a href="#(k\d+)">', page)
    assert leads
    for anchor in leads:
        assert f'id="{anchor}"' in page, "each sentence of the summary leads to its place"
    with shelf.connection() as db:
        _, text = shown(db, "2014-0001")
    last = [line for line in (text or "").splitlines() if line.strip() and "\t" not in line][-1]
    assert last[-12:] in re.sub(r"<[^>]+>", "", page)
    assert "主题相近的标杆" in page
    assert "阀块改进的新版" in page, "of the same organisation"
    assert 'href="/library/compare?a=2014-0001&amp;b=2022-0001"' in page


def test_a_revoked_one_says_what_that_means(shelf: Any) -> None:
    page = shelf.as_("reviewer").get("/library/2023-0001").text
    assert "已撤销" in page
    assert "审读新材料时照常比对" in page
    assert "质量事故&lt;script&gt;" in page
    assert _XSS not in page


def test_a_title_without_text_is_shown_as_such(shelf: Any) -> None:
    page = shelf.as_("reviewer").get("/library/2016-0001")
    assert page.status_code == 200
    assert "标杆库里没有这一份的正文" in page.text


@pytest.mark.parametrize("wanted", ["2099-0001", "x", "%00", "2014-0001%20", "..%2Fnew"])
def test_what_is_not_there(shelf: Any, wanted: str) -> None:
    assert shelf.as_("office").get(f"/library/{wanted}").status_code == 404


def test_two_are_compared(shelf: Any) -> None:
    reviewer = shelf.as_("reviewer")
    page = reviewer.get("/library/compare", params={"a": "2014-0001", "b": "2022-0001"})
    assert page.status_code == 200
    assert "阀块改进的新版" in page.text
    assert "按部分对照" in page.text
    assert page.text.count("<h1") == 1
    assert "抄袭" not in page.text.replace("不等于抄袭", "")
    assert _XSS not in reviewer.get("/library/compare", params={"a": "2023-0001", "b": "2014-0001"}).text
    assert _XSS not in reviewer.get("/library/compare", params={"a": "2014-0001", "b": "2023-0001"}).text
    boxes = reviewer.get("/library/compare", params={"with": ["2014-0001", "2015-0001"]})
    assert boxes.status_code == 200
    assert "正好两份" in reviewer.get("/library/compare", params={"with": ["2014-0001"]}).text
    assert reviewer.get("/library/compare", params={"a": "2014-0001", "b": "2016-0001"}).status_code == 200
    assert reviewer.get("/library/compare", params={"a": "2014-0001", "b": "2099-0001"}).status_code == 404


# --- changes -------------------------------------------------------------------------------------------------------------------------


def _actions(site: Any) -> list[str]:
    with site.connection() as db:
        return list(db.execute(events.select().with_only_columns(events.c.action).order_by(events.c.id)).scalars())


def test_facts_are_changed_and_emptied(shelf: Any) -> None:
    office = shelf.as_("office")
    form = office.get("/library/2015-0001/edit").text
    assert 'value="六西格玛设计"' in form
    values = {
        "title": "改过的题目",
        "year": "2015年",
        "organisation": "砺衡液压科技有限公司",
        "level": "",
        "edition": "2014-miit",
        "areas": "精益管理",
    }
    answer = office.submit("/library/2015-0001/edit", values)
    assert answer.status_code == 303
    with shelf.connection() as db:
        entry = shown(db, "2015-0001")[0].entry
    assert (entry.title, entry.level, entry.areas) == ("改过的题目", None, ("lean",))
    assert office.get("/library?q=改过的题目").text.count("/library/2015-0001") == 1
    assert "benchmark.changed" in _actions(shelf)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"title": "", "year": "2015"}, "请写明题目"),
        ({"title": "x", "year": "15"}, "年度“15”不对"),
        ({"title": "x", "year": "2015", "credit_code": "91990000MB00000190"}, "校验码"),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_lost(shelf: Any, values: dict[str, str], told: str) -> None:
    answer = shelf.as_("office").submit("/library/2015-0001/edit", {**values, "organisation": f"保留{_XSS}"})
    assert answer.status_code == 422
    assert told in answer.text
    assert "保留&lt;script&gt;" in answer.text
    with shelf.connection() as db:
        assert shown(db, "2015-0001")[0].entry.title == "液压阀块的DMAIC改进"


def test_revoked_and_reinstated(shelf: Any) -> None:
    office = shelf.as_("office")
    assert office.submit("/library/2014-0001/revoke", {"reason": " "}).status_code == 422
    assert office.submit("/library/2014-0001/revoke", {"reason": "事故", "on": "2999-01-01"}).status_code in {400, 422}
    assert office.submit("/library/2014-0001/revoke", {"reason": "重大质量\x00事故", "on": "2024-05-01"}).status_code == 303
    assert "重大质量" in office.get("/library/2014-0001").text
    again = office.submit("/library/2014-0001/revoke", {"reason": "再来"})
    assert again.status_code == 409
    assert "--replace" not in again.text, "no command line in the browser"
    assert office.submit("/library/2014-0001/reinstate").status_code == 303
    assert office.submit("/library/2014-0001/reinstate").status_code == 409
    assert office.submit("/library/2099-0001/revoke", {"reason": "x"}).status_code == 404
    assert _actions(shelf)[-2:] == ["benchmark.revoked", "benchmark.reinstated"]


def test_what_came_in_by_mistake_is_removed_with_its_file(site: Any) -> None:
    office = site.as_("office")
    data = benchmark_text("p01").encode()
    assert office.submit("/library/new", {"year": "2014"}, files={"file": ("误加.md", data)}).status_code == 303
    assert len(list(site.files.iterate())) == 1
    assert site.as_("reviewer").submit("/library/2014-0001/remove").status_code == 403
    assert office.submit("/library/2014-0001/remove").headers["location"] == "/library"
    assert office.get("/library/2014-0001").status_code == 404
    assert office.submit("/library/2014-0001/remove").status_code == 404
    assert list(site.files.iterate()) == []
    assert _actions(site)[-1] == "benchmark.removed"


def test_changes_need_the_token(shelf: Any) -> None:
    office = shelf.as_("office")
    assert office.post("/library/2014-0001/revoke", data={"reason": "x"}).status_code == 403


def test_one_is_added_with_its_file(site: Any) -> None:
    office = site.as_("office")
    data = benchmark_text("p01").encode()
    answer = office.submit(
        "/library/new",
        {"year": "2014", "level": "national", "areas": "精益管理", "edition": "2014-miit"},
        files={"file": ("材料<b>.md", data)},
    )
    assert answer.status_code == 303, answer.text
    page = office.get(answer.headers["location"]).text
    assert "国家级" in page
    assert "精益管理" in page
    file = office.get("/library/2014-0001/file")
    assert file.content == data
    assert file.headers["content-disposition"].startswith("attachment")
    again = office.submit("/library/new", {"organisation": "另写的单位"}, files={"file": ("b.md", data)})
    assert again.headers["location"] == "/library/2014-0001"
    assert "另写的单位" in office.get("/library/2014-0001").text
    assert _actions(site) == ["benchmark.added", "benchmark.changed"]


def test_a_title_alone_is_added(site: Any) -> None:
    office = site.as_("office")
    lacking = office.submit("/library/new", {"title": "只有题目"})
    assert lacking.status_code == 422
    assert "缺年度、单位" in lacking.text
    answer = office.submit("/library/new", {"title": "只有题目", "year": "2019", "organisation": "某公司（构造）"})
    assert answer.status_code == 303
    assert "只有题目" in office.get(answer.headers["location"]).text


def test_a_file_that_cannot_be_read_is_refused(site: Any) -> None:
    office = site.as_("office")
    answer = office.submit("/library/new", {"year": "2019"}, files={"file": ("x.docx", b"PK\x03\x04broken")})
    assert answer.status_code == 422
    assert "请" in answer.text


def test_many_are_imported_with_a_table(site: Any) -> None:
    office = site.as_("office")
    rows = ("文件,年度,级别,单位,标题,无用", "甲.md,2014,国家级,霁垣液压件有限公司,=阀块经验,x", "乙.md,2015,省级,砺衡公司,乙的经验,")
    table = "\n".join((*rows, ",2016,市级,丙公司,丙的题目,", "丁.md,2016,,,,", ""))
    files = [
        ("files", ("甲.md", benchmark_text("p01").encode())),
        ("files", ("乙.md", benchmark_text("p02").encode())),
        ("files", ("坏.docx", b"PK\x03\x04broken")),
        ("manifest", ("清单.csv", table.encode("gb18030"))),
    ]
    page = office.submit("/library/import", {"level": "市级"}, files=files)
    assert page.status_code == 200, page.text
    assert "已导入 <b>3</b>" in page.text
    assert "没有成功 <b>2</b>" in page.text
    assert "没有文件“丁.md”" in page.text
    assert "没有用到的列：无用" in page.text
    assert "/tmp" not in page.text
    again = office.submit("/library/import", {}, files=files[:1])
    assert "库里已有" in again.text
    assert _actions(site).count("benchmark.imported") == 3


def test_too_many_files_are_told_of_the_command_line(site: Any) -> None:
    files = [("files", (f"{number}.md", b"x")) for number in range(51)]
    answer = site.as_("office").submit("/library/import", {}, files=files)
    assert answer.status_code == 422
    assert "biaogan library import" in answer.text


def test_nothing_chosen_and_a_table_that_is_none(site: Any) -> None:
    office = site.as_("office")
    assert "没有选择文件" in office.submit("/library/import", {}).text
    answer = office.submit("/library/import", {}, files=[("manifest", ("我的清单.xlsx", b"nothing"))])
    assert answer.status_code == 422
    assert "“我的清单.xlsx”" in answer.text
    assert "/tmp" not in answer.text
