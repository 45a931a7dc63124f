"""Submitting a draft, and what an applicant has submitted: how it stands, why it came back, the next version, withdrawing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from service.errors import ServiceError
from service.model import Edition, FocusScore, Report
from service.programme import analyses, applications, dismissals, drafts, rounds, submissions, triage, units, uploads
from service.programme.applications import Application
from service.programme.drafts import Draft
from service.programme.mended import mended
from service.programme.submissions import Submission, Version
from service.programme.viewer import Viewer
from service.render.view import Item
from service.web import context, names, results
from service.web.pages.drafts import received
from service.web.pages.editions import known
from service.web.rendering import today

router = APIRouter()
Line = Annotated[str, Field(max_length=2000)]
Number = Annotated[int | None, Query(ge=1, le=100_000)]
_DISMISSED = "办公室已核对"


class Typed(BaseModel):
    """The form's fields."""

    title: Line = ""
    organisation: Line = ""
    credit_code: Line = ""
    contact_name: Line = ""
    phone: Line = ""
    email: Line = ""
    areas: Annotated[list[Line], Field(max_length=50)] = []
    unit: Line = ""
    agreed: Line = ""


# --- submitting --------------------------------------------------------------------------------------------------------------------


@router.get("/drafts/{id_}/submit")
def form(request: Request, db: context.Db, viewer: context.Applicant, id_: str) -> Response:
    """What is to be declared; the newest version of what was submitted already leads to its receipt."""
    draft = drafts.one(db, viewer, id_)
    if draft.submission is not None:
        return _renewal(request, db, viewer, draft)
    newest = draft.newest
    given = applications.proposed(
        db, viewer, title=newest.title or "", organisation=newest.organisation or "", areas=_proposed(newest.areas, known(draft.edition))
    )
    return _form(request, db, viewer, draft, given)


@router.post("/drafts/{id_}/submit")
def submit(
    request: Request,
    db: context.Db,
    viewer: context.Applicant,
    id_: str,
    typed: Annotated[Typed, Form()],
) -> Response:
    draft = drafts.one(db, viewer, id_)
    given = Application(**{**typed.model_dump(), "areas": tuple(typed.areas), "agreed": bool(typed.agreed)})
    try:
        with db.begin_nested():
            made = applications.hand_in(
                db, viewer, id_, given, edition=known(draft.edition), recommending=units.listed(db, active=True), today=today()
            )
    except applications.WrongError as error:
        return _form(request, db, viewer, draft, given, error=error, fields=error.fields)
    except ServiceError as error:
        if error.code != "round_closed":
            raise
        return _form(request, db, viewer, draft, given, error=error)
    return context.redirect(request, f"/receipts/{made.receipt}", flash=f"已提交，申报编号 {made.number}。请保存回执。")


def _form(
    request: Request,
    db: Connection,
    viewer: Viewer,
    draft: Draft,
    given: Application,
    *,
    error: ServiceError | None = None,
    fields: dict[str, str] | None = None,
) -> HTMLResponse:
    edition, run = known(draft.edition), rounds.of(db, draft.edition)
    report = analyses.report(db, draft.newest.analysis, file_name=draft.newest.file.file_name) if draft.newest.state == "done" else None
    return context.page(
        request,
        "applications/submit.html.j2",
        status=200 if error is None else error.status,
        draft=draft,
        given=given,
        edition=edition,
        scores=_scores(report),
        lacking=[spec.name for spec in edition.sections if spec.key in draft.newest.missing],
        recommending=units.listed(db, active=True),
        run=run,
        state=run.state(today()),
        days_left=run.days_left(today()),
        others=[one for one in applications.mine(db, viewer) if one.edition == draft.edition and one.state != "withdrawn"],
        error="" if error is None else error.message,
        fields=fields or {},
    )


def _renewal(request: Request, db: Connection, viewer: Viewer, draft: Draft) -> HTMLResponse:
    """The newest version of a draft, to be sent as the next version of what was submitted of it."""
    assert draft.submission is not None
    found = submissions.one(db, viewer, draft.submission)
    same = next((one for one in submissions.versions(db, viewer, found.id) if one.sha256 == draft.newest.file.sha256), None)
    why = applications.closed(found.state, rounds.of(db, found.edition), today())
    return context.page(request, "applications/renew.html.j2", draft=draft, found=found, same=same, closed=why)


def _scores(report: Report | None) -> dict[str, FocusScore]:
    return {} if report is None or report.focus is None else {one.area: one for one in report.focus.areas}


def _proposed(areas: tuple[str, ...], edition: Edition) -> tuple[str, ...]:
    """The boxes that are ticked at first: what the analysis chose; one alone where the edition lets one be chosen."""
    return areas[:1] if edition.choice == "one" else areas


# --- what was submitted ------------------------------------------------------------------------------------------------------------


@router.get("/my")
def mine(request: Request, db: context.Db, viewer: context.Applicant) -> HTMLResponse:
    run, day = rounds.listed(db), today()
    rows = applications.mine(db, viewer)
    may = {row.id: applications.closed(row.state, run.get(row.edition, rounds.Round(row.edition)), day) is None for row in rows}
    return context.page(request, "applications/list.html.j2", rows=rows, may=may, names=names.editions(), run=run, day=day)


@router.get("/my/{id_:int}")
def one(request: Request, db: context.Db, viewer: context.Applicant, settings: context.Settings, id_: int) -> HTMLResponse:
    return _page(request, db, viewer, id_, upload_mb=settings.upload_mb)


def _page(request: Request, db: Connection, viewer: Viewer, id_: int, *, upload_mb: int, error: ServiceError | None = None) -> HTMLResponse:
    found = submissions.one(db, viewer, id_)
    every = submissions.versions(db, viewer, id_)
    edition = known(found.edition)
    report = _report(db, every[0])
    earlier = _report(db, every[1]) if len(every) > 1 and report is not None else None
    return context.page(
        request,
        "applications/one.html.j2",
        status=200 if error is None else error.status,
        row=found,
        versions=every,
        edition=edition,
        decisions=triage.history(db, viewer, id_),
        progress=analyses.state(db, found.analysis),
        result=None if report is None else results.result(report, edition, dismissed=_dismissed(db, id_)),
        mended=None if report is None or earlier is None else mended(earlier, report),
        before=every[1] if len(every) > 1 else None,
        closed=applications.closed(found.state, rounds.of(db, found.edition), today()),
        may_withdraw="withdraw" in triage.steps(viewer, found.state),
        area_names=[names.area(found.edition, area) for area in found.areas],
        accept=uploads.ACCEPT,
        upload_mb=upload_mb,
        error="" if error is None else error.message,
    )


@router.get("/my/{id_:int}/progress")
def progress(request: Request, db: context.Db, viewer: context.Applicant, id_: int) -> HTMLResponse:
    told = analyses.state(db, submissions.one(db, viewer, id_).analysis)
    return context.page(request, "drafts/progress.html.j2", progress=told, address=f"/my/{id_}")


@router.post("/my/{id_:int}/versions")
def add(
    request: Request,
    db: context.Db,
    viewer: context.Applicant,
    files: context.Store,
    settings: context.Settings,
    id_: int,
    file: UploadFile | None = None,
) -> Response:
    """The next version; its receipt."""
    found = submissions.one(db, viewer, id_)
    edition = known(found.edition)
    try:
        applications.need_open(found.state, rounds.of(db, found.edition), today())  # before anything is kept
        checked = received(file, most_mb=settings.upload_mb)
        uploads.allow(db, viewer, an_hour=settings.uploads_an_hour)
        with db.begin_nested():
            kept = uploads.stored(db, files, checked)
            wanted = analyses.want(
                db, sha256=kept.sha256, file_name=kept.file_name, edition=edition, current=context.current(request), priority=analyses.SOON
            )
            made = applications.renew(db, viewer, id_, file=kept, analysis=wanted, today=today())
    except ServiceError as error:
        if error.status == 404:
            raise
        return _page(request, db, viewer, id_, upload_mb=settings.upload_mb, error=error)
    return context.redirect(request, f"/receipts/{made.receipt}", flash=f"已收到 {made.number} 的第 {made.version} 版。请保存回执。")


@router.post("/my/{id_:int}/withdraw")
def withdraw(
    request: Request, db: context.Db, viewer: context.Applicant, id_: int, revision: Annotated[int, Form(ge=0, lt=2**31)]
) -> Response:
    triage.decide(db, viewer, id_, "withdraw", expect=revision)
    return context.redirect(request, "/my", flash="申报已撤回。如需重新申报，可在草稿里再次提交。")


@router.get("/my/{id_:int}/annotated.docx")
def annotated(db: context.Db, viewer: context.Applicant, files: context.Store, id_: int) -> Response:
    _, report = _done(db, viewer, id_)
    return results.annotated(files, report)


@router.get("/my/{id_:int}/report.html")
def report_file(db: context.Db, viewer: context.Applicant, id_: int) -> Response:
    found, report = _done(db, viewer, id_)
    return results.standalone(report, known(found.edition))


@router.get("/my/{id_:int}/file")
def original(db: context.Db, viewer: context.Applicant, files: context.Store, id_: int, version: Number = None) -> Response:
    every = submissions.versions(db, viewer, id_)
    wanted = every[0] if version is None else next((one for one in every if one.number == version), None)
    if wanted is None:
        raise ServiceError("not_found", "没有找到这个版本。请从“我的申报”重新进入。", status=404)
    return results.original(files, wanted.sha256, wanted.file_name)


# --- inside ------------------------------------------------------------------------------------------------------------------------


def _report(db: Connection, version: Version) -> Report | None:
    return analyses.report(db, version.analysis, file_name=version.file_name)


def _done(db: Connection, viewer: Viewer, id_: int) -> tuple[Submission, Report]:
    found = submissions.one(db, viewer, id_)
    report = _report(db, submissions.versions(db, viewer, id_)[0])
    if report is None:
        raise results.not_yet()
    return found, report


def _dismissed(db: Connection, id_: int) -> Callable[[Item], str | None]:
    """Which findings staff judged wrong; their reason is the office's own."""
    keys = {one.key for one in dismissals.of(db, id_)}

    def why(item: Item) -> str | None:
        return _DISMISSED if dismissals.key(item) in keys else None

    return why
