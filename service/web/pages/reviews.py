"""Reviews: a reviewer's list, the reading view with his comments; whom the office asks, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from service import rulebook
from service.errors import ServiceError
from service.model import Past
from service.programme import analyses, assignments, reviews
from service.programme.reviews import Written
from service.programme.viewer import Viewer
from service.render.reading import Chapter, Reading, reading
from service.web.context import Db, Reviewer, Staff, local_path, page, redirect, with_query

router = APIRouter()
_PANES = ("read", "comment", "similar")
_MODES = ("scroll", "tabs")


# --- the reviewer ------------------------------------------------------------------------------------------------------------------


@router.get("/reviews")
def listed(request: Request, connection: Db, viewer: Reviewer) -> HTMLResponse:
    tasks = reviews.listed(connection, viewer)
    names = {edition.id: edition.name for edition in rulebook.editions()}
    return page(request, "reviews/list.html.j2", tasks=tasks, names=names)


# --- the office (before the addresses with an assignment's number) -------------------------------------------------------------------


@router.get("/reviews/overview")
def overview(request: Request, connection: Db, viewer: Staff, edition: str = "", reviewer: str = "") -> HTMLResponse:
    chosen = int(reviewer) if reviewer.isdecimal() else None
    people = assignments.reviewers(connection)
    return page(
        request,
        "reviews/overview.html.j2",
        people=people,
        people_options=[(one.id, one.shown) for one in people],
        rows=assignments.overview(connection, viewer, edition=edition or None, reviewer=chosen),
        editions=[(one.id, one.name) for one in rulebook.editions()],
        edition=edition,
        reviewer=reviewer,
    )


@router.get("/reviews/assign")
def assign_several(request: Request, connection: Db, viewer: Staff, ids: Annotated[list[str], Query()] = []) -> HTMLResponse:  # noqa: B006
    return _assign_page(request, connection, viewer, _numbers(ids))


@router.post("/reviews/assign")
def assigned_several(
    request: Request,
    connection: Db,
    viewer: Staff,
    ids: Annotated[list[str], Form()] = [],  # noqa: B006
    reviewer: Annotated[list[int], Form()] = [],  # noqa: B006
    each: Annotated[int, Form(ge=1, le=9)] = 2,
) -> Response:
    wanted = _numbers(ids)
    try:
        made = assignments.assign_many(connection, viewer, wanted, reviewer, each=each)
    except ServiceError as error:
        return _assign_page(request, connection, viewer, wanted, chosen=reviewer, each=each, error=error)
    told = f"已新分配 {made.made} 份次评审。"
    if made.short:
        more = "等" if len(made.short) > 8 else ""
        told += f"有 {len(made.short)} 份还没有达到每份 {each} 位（所选专家不够或需要回避）：{'、'.join(made.short[:8])}{more}。"
    return redirect(request, "/reviews/overview", flash=told)


@router.get("/submissions/{submission:int}/assign")
def assign_one(request: Request, connection: Db, viewer: Staff, submission: int) -> HTMLResponse:
    return _submission_page(request, connection, viewer, submission)


@router.post("/submissions/{submission:int}/assign")
def assigned_one(
    request: Request,
    connection: Db,
    viewer: Staff,
    submission: int,
    reviewer: Annotated[list[int], Form()] = [],  # noqa: B006
) -> Response:
    try:
        made = assignments.assign(connection, viewer, submission, reviewer)
    except ServiceError as error:
        if error.status == 404:
            raise
        return _submission_page(request, connection, viewer, submission, chosen=reviewer, error=error)
    return redirect(
        request, f"/submissions/{submission}/assign", flash=f"已分配给 {made} 位专家。" if made else "所选专家都已分配过，没有变化。"
    )


@router.post("/reviews/{assignment:int}/unassign")
def unassign(request: Request, connection: Db, viewer: Staff, assignment: int, back: Annotated[str, Form()] = "") -> Response:
    submission = assignments.unassign(connection, viewer, assignment)
    return redirect(request, local_path(back, f"/submissions/{submission}/assign"), flash="已取消这项分配。")


@router.post("/reviews/{assignment:int}/ask")
def ask_again(request: Request, connection: Db, viewer: Staff, assignment: int, back: Annotated[str, Form()] = "") -> Response:
    submission = assignments.ask_again(connection, viewer, assignment)
    return redirect(request, local_path(back, f"/submissions/{submission}/assign"), flash="已请专家重新声明是否需要回避。")


@router.post("/reviews/{assignment:int}/reopen")
def reopen(request: Request, connection: Db, viewer: Staff, assignment: int, back: Annotated[str, Form()] = "") -> Response:
    submission = assignments.reopen(connection, viewer, assignment)
    return redirect(request, local_path(back, f"/submissions/{submission}/assign"), flash="已退回评审，专家可以继续修改评语。")


# --- the reading view --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layout:
    """How the reading view is laid out: kept in the address, so that it can be left and come back to."""

    assignment: int
    pane: str  # read, comment, similar
    mode: str  # of the text: scroll, tabs (one section at a time)
    section: int  # from 1, in tabs

    def url(self, **changes: Any) -> str:
        kept = {"pane": self.pane, "mode": self.mode, "section": self.section, **changes}
        if kept["mode"] == "scroll":
            kept["section"] = None
        defaults = {"pane": "read", "mode": "scroll", "section": 1}
        return with_query(f"/reviews/{self.assignment}", {name: value for name, value in kept.items() if value != defaults[name]})


@router.get("/reviews/{assignment:int}")
def read(
    request: Request, connection: Db, viewer: Reviewer, assignment: int, pane: str = "", mode: str = "", section: str = ""
) -> HTMLResponse:
    found, declared = reviews.task(connection, viewer, assignment)
    if not declared or found.state == "conflict":
        return _conflict_page(request, connection, viewer, assignment)
    return _reading_page(request, connection, viewer, _layout(assignment, pane, mode, section))


@router.get("/reviews/{assignment:int}/conflict")
def conflict(request: Request, connection: Db, viewer: Reviewer, assignment: int) -> HTMLResponse:
    """Where one who has begun to read declares a conflict that he sees only now."""
    return _conflict_page(request, connection, viewer, assignment)


@router.post("/reviews/{assignment:int}/conflict")
def declare(
    request: Request,
    connection: Db,
    viewer: Reviewer,
    assignment: int,
    conflict: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    try:
        reviews.declare(connection, viewer, assignment, conflict={"yes": True, "no": False}.get(conflict), reason=reason)
    except ServiceError as error:
        if error.status != 422:
            raise
        return _conflict_page(request, connection, viewer, assignment, chosen=conflict, reason=reason, error=error)
    if conflict == "yes":
        return redirect(request, "/reviews", flash="已声明回避，这份材料不再开放；办公室会看到并改派。")
    return redirect(request, f"/reviews/{assignment}")


async def _fields(request: Request) -> dict[str, str]:
    """The form's fields, whatever criteria they are for."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


Fields = Annotated[dict[str, str], Depends(_fields)]


@router.post("/reviews/{assignment:int}/save")
def save(request: Request, connection: Db, viewer: Reviewer, assignment: int, form: Fields) -> Response:
    return _save(request, connection, viewer, assignment, form)


@router.post("/reviews/{assignment:int}/finish")
def finish(request: Request, connection: Db, viewer: Reviewer, assignment: int, form: Fields) -> Response:
    return _save(request, connection, viewer, assignment, form, done=True)


def _save(request: Request, connection: Db, viewer: Viewer, assignment: int, form: Mapping[str, str], *, done: bool = False) -> Response:
    """Keeps what the form holds; what is not kept is shown again, never lost."""
    work = reviews.work(connection, viewer, assignment)
    written = Written(
        notes=form.get("notes", ""),
        comments={name.removeprefix("comment-"): value for name, value in form.items() if name.startswith("comment-")},
        overall=form.get("overall", ""),
    )
    said = request.headers.get("if-match", "").strip('" ') or form.get("revision", "")
    layout = _layout(assignment, form.get("pane", ""), form.get("mode", ""), form.get("section", ""))
    plain = "application/json" not in request.headers.get("accept", "")
    try:
        revision = int(said) if said.isdecimal() and len(said) < 10 else 0
        revision = reviews.save(connection, viewer, assignment, written, edition=rulebook.load(work.edition), revision=revision)
        if done:
            reviews.finish(connection, viewer, assignment, revision=revision)
    except ServiceError as error:
        if not plain:
            return JSONResponse({"code": error.code, "detail": error.message}, error.status)
        if error.status == 404:
            raise
        return _reading_page(request, connection, viewer, layout, written=written, error=error)
    if not plain:
        return JSONResponse({"revision": revision})
    if done:
        return redirect(request, "/reviews", flash=f"《{work.title}》的评审已完成，评语已交给办公室。")
    return redirect(request, layout.url(), flash="评语和笔记已保存。")


def _layout(assignment: int, pane: str, mode: str, section: str) -> Layout:
    return Layout(
        assignment,
        pane if pane in _PANES else _PANES[0],
        mode if mode in _MODES else _MODES[0],
        int(section) if section.isdecimal() and len(section) < 5 else 1,
    )


def _reading_page(
    request: Request,
    connection: Db,
    viewer: Viewer,
    layout: Layout,
    *,
    written: Written | None = None,
    error: ServiceError | None = None,
) -> HTMLResponse:
    """`written` and `error`: what could not be kept, and why; it stands in the boxes again, beside what is kept."""
    work = reviews.work(connection, viewer, layout.assignment)
    edition = rulebook.load(work.edition)
    report = analyses.report(connection, work.analysis, file_name=work.file_name)
    text = None if report is None or report.submission is None else reading(report, edition, hidden=work.hidden, links=_links)
    return page(
        request,
        "reviews/read.html.j2",
        status=error.status if error else 200,
        work=work,
        edition=edition,
        text=text,
        progress=None if report else analyses.state(connection, work.analysis),
        layout=layout,
        chapters=() if text is None else _chapters(layout, text),
        jump=lambda quote: "" if text is None else _jump(layout, text, text.places[quote.start, quote.end]),
        spot=lambda number: "" if text is None else _jump(layout, text, number),
        finding=lambda item: "" if text is None else _at(layout, text, item.start) + f"#p{item.number}",
        written=written or Written(work.notes, work.comments, work.overall),
        clash=error is not None and error.code == "review_changed",
        error=error,
        most=reviews.LONGEST,
        most_notes=reviews.LONGEST_NOTES,
    )


def _links(past: Past) -> tuple[tuple[str, str], ...]:
    return () if past.among else ((f"/library/{quote(past.id, safe='')}", "查看这篇往年标杆"),)


def _chapters(layout: Layout, text: Reading) -> tuple[Chapter, ...]:
    """All in one scroll, or the one whose tab is open."""
    if layout.mode == "scroll":
        return text.chapters
    return text.chapters[min(layout.section, len(text.chapters)) - 1 :][:1]


def _jump(layout: Layout, text: Reading, number: int) -> str:
    """The address of an anchor in the text."""
    return _at(layout, text, text.spots[number]) + f"#k{number}"


def _at(layout: Layout, text: Reading, place: int) -> str:
    """Where the text of a place is shown; empty where it is on this page."""
    if layout.pane == "read" and (layout.mode == "scroll" or text.chapter_at(place) == layout.section):
        return ""
    return layout.url(pane="read", section=text.chapter_at(place))


def _conflict_page(
    request: Request,
    connection: Db,
    viewer: Viewer,
    assignment: int,
    *,
    chosen: str = "",
    reason: str = "",
    error: ServiceError | None = None,
) -> HTMLResponse:
    found, declared = reviews.task(connection, viewer, assignment)
    name = next((one.name for one in rulebook.editions() if one.id == found.edition), found.edition)
    values = {"task": found, "declared": declared, "edition": name, "chosen": chosen, "reason": reason, "error": error}
    return page(request, "reviews/conflict.html.j2", status=error.status if error else 200, **values)


# --- the office's pages ------------------------------------------------------------------------------------------------------------


def _numbers(given: list[str]) -> list[int]:
    """ids=1&ids=2 and ids=1,2 alike; what is no number is passed over."""
    parts = [part.strip() for one in given for part in one.split(",")]
    return list(dict.fromkeys(int(part) for part in parts if part.isdecimal() and len(part) < 11))


def _assign_page(
    request: Request,
    connection: Db,
    viewer: Viewer,
    ids: list[int],
    *,
    chosen: list[int] | None = None,
    each: int = 2,
    error: ServiceError | None = None,
) -> HTMLResponse:
    rows = assignments.chosen_submissions(connection, viewer, ids) if ids else []
    people = assignments.reviewers(connection)
    ticked = [one.id for one in people] if chosen is None else chosen
    values = {"rows": rows, "people": people, "chosen": ticked, "each": each, "error": error}
    return page(request, "reviews/assign.html.j2", status=error.status if error else 200, **values)


def _submission_page(
    request: Request, connection: Db, viewer: Viewer, submission: int, *, chosen: list[int] | None = None, error: ServiceError | None = None
) -> HTMLResponse:
    row = assignments.chosen_submissions(connection, viewer, [submission])[0]
    given = assignments.of_submission(connection, viewer, submission)
    had = {one.reviewer for one in given}
    people = [(one, one.id in had, assignments.related(one, row)) for one in assignments.reviewers(connection)]
    values = {"row": row, "given": given, "people": people, "chosen": chosen or [], "error": error}
    criteria = rulebook.load(row.edition).criteria
    return page(request, "reviews/submission.html.j2", status=error.status if error else 200, criteria=criteria, **values)
