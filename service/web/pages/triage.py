"""形审 in the browser: decide on one or on many, return with reasons, dismiss findings, correct the area and what was entered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection
from starlette.datastructures import FormData

from service import rulebook
from service.credit_code import credit_code
from service.errors import ServiceError
from service.model import Report
from service.programme import analyses, dismissals, listing, submissions, triage
from service.programme.listing import Filters
from service.programme.submissions import Submission
from service.programme.viewer import Viewer
from service.render.view import Item
from service.web import triaging
from service.web.context import Db, Staff, page, redirect, with_query
from service.web.triaging import Typed, around

router = APIRouter()
Text = Annotated[str, Form()]
Revision = Annotated[int, Form(ge=0, lt=2**31)]
_WORDS = {"pass": "已通过", "return": "已退回修改", "set_aside": "已搁置", "reopen": "已重新受理", "withdraw": "已撤回"}
_LEFT = 6  # submissions that were left alone, named in the message


# --- one ---------------------------------------------------------------------------------------------------------------------------


@router.post("/submissions/{id_:int}/decide")
def decide(
    request: Request, connection: Db, viewer: Staff, id_: int, action: Text, revision: Revision, reasons: Text = "", then: Text = "next"
) -> Response:
    """On to the next one of the filter; where somebody saved first, back to the page with what was typed."""
    way = around(connection, viewer, request.query_params, id_)
    number = submissions.one(connection, viewer, id_).number
    try:
        with connection.begin_nested():
            triage.decide(connection, viewer, id_, action, reasons=reasons, expect=revision)
    except ServiceError as error:
        if error.status == 404:
            raise
        if action == "return":
            return _return_page(request, connection, viewer, id_, reasons=reasons, error=error)
        return triaging.detail(request, connection, viewer, id_, error=error)
    told = f"{number} {_WORDS[action]}。"
    after = None if way.place is None else way.place.next or way.place.previous
    if then == "stay" or action == "reopen":
        return redirect(request, f"/submissions/{id_}{way.suffix}", flash=told)
    if after is None:
        return redirect(request, way.back, flash=told)
    return redirect(request, way.href(after), flash=f"{told}接着看下一份。")


@router.get("/submissions/{id_:int}/return")
def return_form(request: Request, connection: Db, viewer: Staff, id_: int) -> HTMLResponse:
    return _return_page(request, connection, viewer, id_)


def _return_page(
    request: Request, connection: Connection, viewer: Viewer, id_: int, *, reasons: str | None = None, error: ServiceError | None = None
) -> HTMLResponse:
    """The reasons, from the findings where nothing was typed yet."""
    row = submissions.one(connection, viewer, id_)
    if reasons is None:
        reasons = _reasons(connection, row)
    values = {"row": row, "reasons": reasons, "error": error, "way": around(connection, viewer, request.query_params, id_)}
    history = triage.history(connection, viewer, id_)
    return page(request, "submissions/return.html.j2", status=error.status if error else 200, history=history, **values)


def _reasons(connection: Connection, row: Submission) -> str:
    report = analyses.report(connection, row.analysis, file_name=row.file_name)
    return "" if report is None else triage.reasons_from(_standing(connection, row.id, report))


def _standing(connection: Connection, id_: int, report: Report) -> list[Item]:
    """The findings that were not dismissed, as they stand on the page."""
    return dismissals.apart(dismissals.findings(report), {each.key for each in dismissals.of(connection, id_)})[0]


@router.post("/submissions/{id_:int}/dismiss")
def dismiss(request: Request, connection: Db, viewer: Staff, id_: int, place: Text, reason: Text, revision: Revision) -> Response:
    row = submissions.one(connection, viewer, id_)
    report = triaging.report_of(connection, row)
    if report is None:
        raise ServiceError("report_not_ready", "这份材料正在重新审读，现在不能忽略问题。请稍后再试。", status=409)

    def change() -> str:
        """On to the finding that has its number now."""
        standing = [triaging.place_key(item) for item in _standing(connection, id_, report)]
        at = triaging.place_from(place)
        triage.dismiss(connection, viewer, id_, report=report, place=at, reason=reason, expect=revision)
        left = len(_standing(connection, id_, report))
        return f"#f{min(standing.index(place) + 1, left)}" if left and place in standing else "#dismissed"

    told = "已忽略这个问题：它不再计入数目，以后的版本里同样的内容也不再计入。"
    return _changed(request, connection, viewer, id_, change, told=told, typed=Typed(reason=reason, place=place))


@router.post("/submissions/{id_:int}/restore")
def restore(
    request: Request, connection: Db, viewer: Staff, id_: int, dismissal: Annotated[int, Form(ge=0, lt=2**31)], revision: Revision
) -> Response:
    row = submissions.one(connection, viewer, id_)
    report = triaging.report_of(connection, row)

    def change() -> str:
        triage.restore(connection, viewer, id_, dismissal, report=report, expect=revision)
        return ""

    return _changed(request, connection, viewer, id_, change, told="已恢复：这个问题重新计入数目。", typed=Typed())


@router.post("/submissions/{id_:int}/area")
def area(
    request: Request,
    connection: Db,
    viewer: Staff,
    id_: int,
    revision: Revision,
    main: Text = "",
    others: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    edition = rulebook.load(submissions.one(connection, viewer, id_).edition)
    areas = [each for each in (main, *others) if each]

    def change() -> str:
        triage.correct_area(connection, viewer, id_, areas, edition=edition, expect=revision)
        return ""

    return _changed(request, connection, viewer, id_, change, told="已更正重点方向。", typed=Typed(areas=tuple(areas)))


def _changed(
    request: Request, connection: Connection, viewer: Viewer, id_: int, change: Callable[[], str], *, told: str, typed: Typed
) -> Response:
    """Makes the change and goes back to the page, to the place that it names; where it was not saved, the page as it is now."""
    suffix = around(connection, viewer, request.query_params, id_).suffix
    try:
        with connection.begin_nested():
            at = change()
    except ServiceError as error:
        if error.status == 404:
            raise
        return triaging.detail(request, connection, viewer, id_, error=error, typed=typed)
    return redirect(request, f"/submissions/{id_}{suffix}{at}", flash=told)


@router.get("/submissions/{id_:int}/edit")
def edit_form(request: Request, connection: Db, viewer: Staff, id_: int) -> HTMLResponse:
    return triaging.edit(request, connection, viewer, id_)


@router.post("/submissions/{id_:int}/edit")
def edit(
    request: Request,
    connection: Db,
    viewer: Staff,
    id_: int,
    *,
    revision: Revision,
    title: Text = "",
    organisation: Text = "",
    code: Text = "",
    unit: Text = "",
) -> Response:
    typed = {"title": title, "organisation": organisation, "credit_code": code, "unit": unit}
    try:
        with connection.begin_nested():
            triage.enter(
                connection,
                viewer,
                id_,
                title=title,
                organisation=organisation,
                credit_code=credit_code(code) if code.strip() else None,
                unit=int(unit) if unit.isdecimal() and len(unit) < 10 else None,
                expect=revision,
            )
    except ServiceError as error:
        if error.status == 404:
            raise
        return triaging.edit(request, connection, viewer, id_, error=error, typed=typed)
    return redirect(request, f"/submissions/{id_}{around(connection, viewer, request.query_params, id_).suffix}", flash="已保存登记信息。")


# --- many --------------------------------------------------------------------------------------------------------------------------


@router.post("/submissions/bulk")
def bulk(
    request: Request,
    connection: Db,
    viewer: Staff,
    act: Text,
    pick: Annotated[list[str], Form()] = [],  # noqa: B006
) -> Response:
    """What is done with the ticked rows; `act` of a row's own button is "pass:12-3"."""
    action, _, only = act.partition(":")
    picked = _picked([only] if only else pick)
    filters = listing.parse(request.query_params)
    back = with_query("/submissions", filters.query())
    if not picked:
        return redirect(request, back, flash="请先勾选材料。")
    if action == "assign":
        return redirect(request, with_query("/reviews/assign", {"ids": ",".join(str(id_) for id_, _ in picked)}))
    if action == "return":
        return redirect(request, with_query("/submissions/return", {**filters.query(), "pick": [f"{id_}-{seen}" for id_, seen in picked]}))
    if action == "retry":
        return redirect(request, back, flash=_retried(connection, viewer, [id_ for id_, _ in picked]))
    at = _after(connection, viewer, filters, picked[-1][0]) if only else None
    done = triage.decide_many(connection, viewer, picked, action)
    if at is not None:
        back = with_query("/submissions", {**filters.query(), "at": at}) + f"#row-{at}"
    return redirect(request, back, flash=_told(done, action))


async def _fields(request: Request) -> FormData:
    return await request.form()


@router.get("/submissions/return")
def bulk_return_form(request: Request, connection: Db, viewer: Staff) -> HTMLResponse:
    """Each one's reasons, to be read and altered. The revisions are those that were seen in the list."""
    seen = dict(_picked(request.query_params.getlist("pick")))
    found = listing.chosen(connection, viewer, list(seen)[: triage.MANY])
    rows = [(replace(row, revision=seen[row.id]), _reasons(connection, submissions.one(connection, viewer, row.id)), "") for row in found]
    back = with_query("/submissions", listing.parse(request.query_params).query())
    return page(request, "submissions/return_many.html.j2", rows=rows, done=0, back=back)


@router.post("/submissions/bulk/return")
def bulk_return(request: Request, connection: Db, viewer: Staff, form: Annotated[FormData, Depends(_fields)]) -> Response:
    """Each with the reasons that stand in its own field `reasons-<id>`."""
    picked = _picked([str(value) for value in form.getlist("pick")])
    reasons = {id_: str(form.get(f"reasons-{id_}") or "") for id_, _ in picked}
    done = triage.decide_many(connection, viewer, picked, "return", reasons=reasons)
    back = with_query("/submissions", listing.parse(request.query_params).query())
    if done.left:
        numbers = dict(done.left)
        rows = [row for row in listing.chosen(connection, viewer, list(reasons)) if row.number in numbers]
        typed = [(row, reasons[row.id], numbers[row.number]) for row in rows]
        return page(request, "submissions/return_many.html.j2", status=409, rows=typed, done=len(done.done), back=back)
    return redirect(request, back, flash=_told(done, "return"))


def _picked(given: list[str]) -> list[tuple[int, int]]:
    """Id and revision of "12-3"; anything else is passed over."""
    found = (re.fullmatch(r"(\d{1,9})-(\d{1,9})", each) for each in given)
    return [(int(each[1]), int(each[2])) for each in found if each]


def _after(connection: Connection, viewer: Viewer, filters: Filters, id_: int) -> int | None:
    """The row that the keyboard goes on with."""
    place = listing.place_of(connection, viewer, filters, id_)
    return None if place is None else place.next or place.previous


def _retried(connection: Connection, viewer: Viewer, ids: list[int]) -> str:
    rows = [row for row in listing.chosen(connection, viewer, ids) if row.analysis_state == "failed"]
    done = sum(analyses.again(connection, row.analysis, file_name=row.file_name) for row in rows)
    return f"已重新安排审读 {done} 份。" if done else "所选材料里没有未能审读的，没有需要重试的。"


def _told(done: triage.Many, action: str) -> str:
    words = _WORDS.get(action, "已处理")
    told = f"{done.done[0]} {words}。" if len(done.done) == 1 else f"{len(done.done)} 份{words}。"
    if not done.left:
        return told
    if len(done.left) == 1:
        return (told if done.done else "") + done.left[0][1]
    numbers = "、".join(number for number, _ in done.left[:_LEFT]) + ("等" if len(done.left) > _LEFT else "")
    return f"{told}有 {len(done.left)} 份没有处理：状态已不同，或刚刚有人改过（{numbers}）。请看过现在的状态再决定。"
