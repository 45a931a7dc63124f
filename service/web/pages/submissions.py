"""The office's table of submissions, with its filters, tabs and saved views; the page of one; its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from service import rulebook
from service.errors import ServiceError
from service.programme import analyses, listing, submissions, views
from service.programme.listing import Choices, Filters
from service.programme.submissions import Version
from service.programme.viewer import Viewer, not_found
from service.render.wording import cut
from service.web import names, results, triaging, versions
from service.web.context import Db, Staff, StaffOrUnit, Store, page, redirect, with_query

router = APIRouter()
Text = Annotated[str, Form()]
Number = Annotated[int | None, Query(ge=1, le=100_000)]
TABS = {"": "全部", "received": "待形审", "passed": "已通过", "returned": "退回修改", "set_aside": "搁置", "withdrawn": "已撤回"}
HAS = {"errors": "有错误", "warnings": "有提醒", "clean": "没有错误和提醒"}
FLAGS = {"near_duplicate": "高度相似", "reuse": "有沿用", "related": "主题相近"}
ANALYSES = {"waiting": "还没审读完", "failed": "未能审读", "partial": "审读不完整"}
ASSIGNED = {"yes": "已分配评审", "no": "未分配评审"}
SHARES = (10, 20, 30, 50)


@dataclass(frozen=True, slots=True)
class Active:
    """A filter that is set, and the address without it."""

    words: str
    href: str


# --- the table ---------------------------------------------------------------------------------------------------------------------


@router.get("/submissions")
def table(request: Request, connection: Db, viewer: StaffOrUnit) -> HTMLResponse:
    filters = listing.parse(request.query_params)
    found = listing.listed(connection, viewer, filters)
    offered = listing.choices(connection, viewer, filters)
    at = request.query_params.get("at", "")
    return page(
        request,
        "submissions/list.html.j2",
        found=found,
        filters=found.filters,
        options=_options(offered, found.filters),
        active=list(_active(offered, found.filters)),
        tabs=[(address(found.filters, state=state), words, filters.state == state, found.states[state]) for state, words in TABS.items()],
        views=views.mine(connection, viewer),
        kept=found.filters.query(),
        suffix=with_query("", found.filters.query()),
        address=address,
        names=names,
        sizes=listing.SIZES,
        at=int(at) if at.isdecimal() and len(at) < 10 else None,
        flags=FLAGS,
    )


def address(filters: Filters, **changes: Any) -> str:
    """Of the table with these filters."""
    return with_query("/submissions", filters.query(**changes))


def _options(offered: Choices, filters: Filters) -> dict[str, list[tuple[str, str]]]:
    """What each filter can be set to; what it is set to is always among them."""
    editions = [filters.edition] if filters.edition else offered.editions
    areas = {area: name for (edition, area), name in names.areas().items() if edition in editions}
    found = {
        "edition": [(id_, names.editions().get(id_, id_)) for id_ in offered.editions],
        "unit": [*((str(id_), name) for id_, name in offered.units), ("0", "（没有推荐单位）")],
        "area": [*areas.items(), ("-", "（无法判断）")],
        "has": list(HAS.items()),
        "rule": [(id_, name) for id_, name in names.rules().items() if id_.partition("/")[0] in editions],
        "flag": list(FLAGS.items()),
        "share": [(str(share), f"{share}% 以上") for share in SHARES],
        "analysis": list(ANALYSES.items()),
        "assigned": list(ASSIGNED.items()),
        "batch": [(str(id_), name or f"第 {id_} 批") for id_, name, _ in offered.batches],
    }
    for name, options in found.items():
        value = filters.query().get(name)
        if value is not None and value not in dict(options):
            options.append((value, names.rule(value) if name == "rule" else value))
    return found


def _active(offered: Choices, filters: Filters) -> Iterator[Active]:
    labels = {
        "edition": "版（届）",
        "unit": "推荐单位",
        "area": "重点方向",
        "has": "问题",
        "rule": "规则",
        "flag": "相似",
        "share": "相似",
        "analysis": "审读",
        "assigned": "评审",
        "batch": "批次",
        "q": "搜索",
    }
    options, values, usual = _options(offered, filters), filters.query(), Filters()
    for name in filters.active:
        told = dict(options.get(name, [])).get(values[name], values[name])
        yield Active(f"{labels[name]}：{cut(told, 30)}", address(filters, **{name: getattr(usual, name)}))


@router.post("/submissions/views")
def save_view(
    request: Request, connection: Db, viewer: StaffOrUnit, name: Annotated[str, Form()], query: Annotated[str, Form()] = ""
) -> Response:
    view = views.save(connection, viewer, name, views.read(query))
    return redirect(request, f"/submissions?{view.query}", flash=f"已保存视图“{view.name}”。")


@router.post("/submissions/views/{view:int}/rename")
def rename_view(request: Request, connection: Db, viewer: StaffOrUnit, view: int, name: Text) -> Response:
    views.rename(connection, viewer, view, name)
    return redirect(request, "/submissions", flash="已改名。")


@router.post("/submissions/views/{view:int}/delete")
def delete_view(request: Request, connection: Db, viewer: StaffOrUnit, view: int) -> Response:
    views.remove(connection, viewer, view)
    return redirect(request, "/submissions", flash="已删除这个视图。")


# --- one submission ----------------------------------------------------------------------------------------------------------------


@router.get("/submissions/{id_:int}")
def detail(request: Request, connection: Db, viewer: StaffOrUnit, id_: int) -> HTMLResponse:
    return triaging.detail(request, connection, viewer, id_)


@router.get("/submissions/{id_:int}/progress")
def progress(request: Request, connection: Db, viewer: StaffOrUnit, id_: int) -> HTMLResponse:
    """The element that the page swaps until the analysis is done (app.js)."""
    found = submissions.one(connection, viewer, id_)
    return page(request, "submissions/progress.html.j2", row=found, stand=analyses.state(connection, found.analysis))


@router.post("/submissions/{id_:int}/retry")
def retry(request: Request, connection: Db, viewer: Staff, id_: int) -> Response:
    found = submissions.one(connection, viewer, id_)
    again = analyses.again(connection, found.analysis, file_name=found.file_name, priority=analyses.SOON)
    return redirect(request, f"/submissions/{id_}", flash="已重新安排审读。" if again else "这份材料已在审读，没有重复安排。")


@router.get("/submissions/{id_:int}/file")
def original(connection: Db, viewer: StaffOrUnit, files: Store, id_: int, version: Number = None) -> Response:
    found = _version(connection, viewer, id_, version)
    return results.original(files, found.sha256, found.file_name)


@router.get("/submissions/{id_:int}/annotated.docx")
def annotated(connection: Db, viewer: StaffOrUnit, files: Store, id_: int, version: Number = None) -> Response:
    found = _version(connection, viewer, id_, version)
    return results.annotated(files, _report(connection, found))


@router.get("/submissions/{id_:int}/report.html")
def report_file(connection: Db, viewer: StaffOrUnit, id_: int, version: Number = None) -> Response:
    edition = submissions.one(connection, viewer, id_).edition
    return results.standalone(_report(connection, _version(connection, viewer, id_, version)), rulebook.load(edition))


@router.get("/submissions/{id_:int}/compare")
def compare(
    request: Request,
    connection: Db,
    viewer: StaffOrUnit,
    id_: int,
    first: Annotated[int | None, Query(alias="from", ge=1, le=100_000)] = None,
    second: Annotated[int | None, Query(alias="to", ge=1, le=100_000)] = None,
) -> HTMLResponse:
    """Two versions side by side; without a choice the newest and the one before."""
    row = submissions.one(connection, viewer, id_)
    if row.version < 2:
        raise ServiceError("versions_too_few", "这份材料只有一个版本，没有可对照的。", status=409)
    new = _version(connection, viewer, id_, second)
    old = _version(connection, viewer, id_, first or max(1, new.number - 1))
    before, after = (analyses.report(connection, each.analysis, file_name=each.file_name) for each in (old, new))
    compared = None if before is None or after is None else versions.compared(before, after, rulebook.load(row.edition))
    offered = submissions.versions(connection, viewer, id_)
    way = triaging.around(connection, viewer, request.query_params, id_)
    return page(request, "submissions/compare.html.j2", row=row, old=old, new=new, versions=offered, compared=compared, way=way)


def _version(connection: Connection, viewer: Viewer, id_: int, number: int | None) -> Version:
    """The newest where no number is given."""
    found = submissions.versions(connection, viewer, id_)
    chosen = next((each for each in found if number in {None, each.number}), None)
    if chosen is None:
        not_found("这个版本")
    return chosen


def _report(connection: Connection, version: Version) -> Any:
    report = analyses.report(connection, version.analysis, file_name=version.file_name)
    if report is None:
        raise ServiceError("report_not_ready", "这个版本还没有审读完，或未能审读。请稍后在材料页查看进度。", status=409)
    return report
