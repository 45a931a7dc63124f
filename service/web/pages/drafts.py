"""An applicant's drafts: upload, report, next version, what was mended, the end of it. Nobody else comes here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from service import rulebook
from service.errors import ServiceError
from service.model import Edition, Report
from service.parse.limits import MIB
from service.programme import analyses, drafts, rounds, submissions, uploads
from service.programme.drafts import Draft, Version
from service.programme.mended import mended
from service.programme.uploads import Checked
from service.programme.viewer import Viewer
from service.settings import Web
from service.web import context, names, results, versions
from service.web.pages.editions import known
from service.web.rendering import today

router = APIRouter()
Number = Annotated[int | None, Query(ge=1, le=100_000)]


@dataclass(frozen=True, slots=True)
class Choice:
    """An edition that a draft may be made for."""

    edition: Edition
    run: rounds.Round
    open: bool
    days_left: int | None


@router.get("/drafts")
def listed(request: Request, db: context.Db, viewer: context.Applicant, settings: context.Settings) -> HTMLResponse:
    run, day = rounds.listed(db), today()
    left = {edition: one.days_left(day) for edition, one in run.items() if one.is_open(day)}
    mine = drafts.mine(db, viewer)
    return context.page(request, "drafts/list.html.j2", drafts=mine, names=names.editions(), left=left, run=run, days=settings.draft_days)


@router.get("/drafts/new")
def new(request: Request, db: context.Db, _viewer: context.Applicant, settings: context.Settings, edition: str = "") -> HTMLResponse:
    return _form(request, db, settings.upload_mb, settings.draft_days, chosen=edition)


@router.post("/drafts/new")
def create(
    request: Request,
    db: context.Db,
    viewer: context.Applicant,
    files: context.Store,
    settings: context.Settings,
    edition: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    file: UploadFile | None = None,
) -> Response:
    """The first version; whatever is wrong is told beside its field, with the other fields as they were."""
    try:
        rules = _chosen(edition)
        checked = received(file, most_mb=settings.upload_mb)
        uploads.allow(db, viewer, an_hour=settings.uploads_an_hour)
    except ServiceError as error:
        return _form(request, db, settings.upload_mb, settings.draft_days, chosen=edition, name=name, error=error)
    made = drafts.create(
        db,
        viewer,
        files,
        edition=rules,
        file=checked,
        name=name,
        days=settings.draft_days,
        current=context.current(request),
    )
    return context.redirect(request, f"/drafts/{made}")


@router.get("/drafts/{id_}")
def one(
    request: Request, db: context.Db, viewer: context.Applicant, settings: context.Settings, id_: str, version: Number = None
) -> HTMLResponse:
    """A version, the newest where none is named: how far it is, or its report and what was mended since the one before."""
    return _page(request, db, viewer, settings, id_, version=version)


def _page(
    request: Request,
    db: Connection,
    viewer: Viewer,
    settings: Web,
    id_: str,
    *,
    version: int | None = None,
    error: ServiceError | None = None,
) -> HTMLResponse:
    draft = drafts.one(db, viewer, id_)
    shown = draft.newest if version is None else draft.version(version)
    edition = known(draft.edition)
    report = _report(db, shown)
    before = next((one for one in draft.versions if one.number < shown.number), None)
    earlier = None if before is None or report is None else _report(db, before)
    run = rounds.of(db, draft.edition)
    return context.page(
        request,
        "drafts/one.html.j2",
        status=200 if error is None else error.status,
        draft=draft,
        shown=shown,
        edition=edition,
        result=None if report is None else results.result(report, edition),
        progress=analyses.state(db, shown.analysis),
        before=before,
        mended=None if earlier is None or report is None else mended(earlier, report),
        run=run,
        is_open=run.is_open(today()),
        days_left=run.days_left(today()),
        accept=uploads.ACCEPT,
        handed_in=_is_handed_in(db, viewer, draft),
        upload_mb=settings.upload_mb,
        days=settings.draft_days,
        error="" if error is None else error.message,
    )


@router.post("/drafts/{id_}/versions")
def add(
    request: Request,
    db: context.Db,
    viewer: context.Applicant,
    files: context.Store,
    settings: context.Settings,
    id_: str,
    file: UploadFile | None = None,
) -> Response:
    draft = drafts.one(db, viewer, id_)
    try:
        checked = received(file, most_mb=settings.upload_mb)
        uploads.allow(db, viewer, an_hour=settings.uploads_an_hour)
    except ServiceError as error:
        return _page(request, db, viewer, settings, id_, error=error)
    edition = known(draft.edition)
    drafts.add_version(db, viewer, files, id_, edition=edition, file=checked, days=settings.draft_days, current=context.current(request))
    return context.redirect(request, f"/drafts/{id_}")


@router.get("/drafts/{id_}/progress")
def progress(request: Request, db: context.Db, viewer: context.Applicant, id_: str) -> HTMLResponse:
    """The part of the page that tells how far the newest version is, alone."""
    draft = drafts.one(db, viewer, id_)
    told = analyses.state(db, draft.newest.analysis)
    return context.page(request, "drafts/progress.html.j2", progress=told, address=f"/drafts/{id_}")


@router.post("/drafts/{id_}/again")
def again(request: Request, db: context.Db, viewer: context.Applicant, settings: context.Settings, id_: str) -> Response:
    """Tries an analysis once more that failed for a reason of ours."""
    draft = drafts.one(db, viewer, id_)
    uploads.allow(db, viewer, an_hour=settings.uploads_an_hour)
    drafts.retry(db, viewer, id_, edition=known(draft.edition), current=context.current(request))
    return context.redirect(request, f"/drafts/{id_}")


@router.post("/drafts/{id_}/name")
def rename(
    request: Request,
    db: context.Db,
    viewer: context.Applicant,
    settings: context.Settings,
    id_: str,
    name: Annotated[str, Form()] = "",
) -> Response:
    drafts.rename(db, viewer, id_, name=name, days=settings.draft_days)
    return context.redirect(request, f"/drafts/{id_}", flash="名称已保存。")


@router.post("/drafts/{id_}/delete")
def delete(request: Request, db: context.Db, viewer: context.Applicant, files: context.Store, id_: str) -> Response:
    drafts.delete(db, viewer, files, id_)
    return context.redirect(request, "/drafts", flash="草稿已删除，原文件和报告也一并删除。")


@router.get("/drafts/{id_}/compare")
def compare(
    request: Request,
    db: context.Db,
    viewer: context.Applicant,
    id_: str,
    first: Annotated[int | None, Query(alias="from", ge=1, le=100_000)] = None,
    second: Annotated[int | None, Query(alias="to", ge=1, le=100_000)] = None,
) -> HTMLResponse:
    """Two versions side by side; without a choice the newest and the one before."""
    draft = drafts.one(db, viewer, id_)
    if len(draft.versions) < 2:
        raise ServiceError("versions_too_few", "这份草稿只有一个版本，还没有可比较的。请先上传新版本。", status=409)
    new = draft.newest if second is None else draft.version(second)
    old = draft.version(first) if first is not None else next((one for one in draft.versions if one.number < new.number), draft.versions[1])
    edition = known(draft.edition)
    reports = _report(db, old), _report(db, new)
    compared = None if reports[0] is None or reports[1] is None else versions.compared(reports[0], reports[1], edition)
    return context.page(request, "drafts/compare.html.j2", draft=draft, old=old, new=new, edition=edition, compared=compared)


@router.get("/drafts/{id_}/annotated.docx")
def annotated(db: context.Db, viewer: context.Applicant, files: context.Store, id_: str, version: Number = None) -> Response:
    _, report = _done(db, viewer, id_, version)
    return results.annotated(files, report)


@router.get("/drafts/{id_}/report.html")
def report_file(db: context.Db, viewer: context.Applicant, id_: str, version: Number = None) -> Response:
    draft, report = _done(db, viewer, id_, version)
    return results.standalone(report, known(draft.edition))


@router.get("/drafts/{id_}/file")
def original(db: context.Db, viewer: context.Applicant, files: context.Store, id_: str, version: Number = None) -> Response:
    draft = drafts.one(db, viewer, id_)
    file = (draft.newest if version is None else draft.version(version)).file
    return results.original(files, file.sha256, file.file_name)


# --- for the pages of applicants ---------------------------------------------------------------------------------------------------


def received(file: UploadFile | None, *, most_mb: int) -> Checked:
    """What the form sent, looked at; ServiceError where there is nothing or nothing that can be read."""
    if file is None or not file.filename:
        raise ServiceError("upload_missing", "请选择要上传的文件。", status=422)
    return uploads.checked(file.file.read(most_mb * MIB + 1), file.filename, most_mb=most_mb)


def choices(db: Connection) -> list[Choice]:
    """All editions: those that accept first, the nearest deadline before the others; then the newest."""
    run, day = rounds.listed(db), today()
    made = []
    for each in rulebook.editions():
        here = run.get(each.id, rounds.Round(each.id))
        made.append(Choice(rulebook.load(each.id), here, here.is_open(day), here.days_left(day)))
    far = 1_000_000
    return sorted(made, key=lambda one: (not one.open, far if one.days_left is None else one.days_left, -one.edition.year, one.edition.id))


# --- inside ------------------------------------------------------------------------------------------------------------------------


def _form(request: Request, db: Connection, upload_mb: int, days: int, *, error: ServiceError | None = None, **given: Any) -> HTMLResponse:
    return context.page(
        request,
        "drafts/new.html.j2",
        status=200 if error is None else error.status,
        choices=choices(db),
        chosen=given.get("chosen", ""),
        name=given.get("name", ""),
        error="" if error is None else error.message,
        accept=uploads.ACCEPT,
        upload_mb=upload_mb,
        days=days,
    )


def _chosen(edition: str) -> Edition:
    if edition not in {each.id for each in rulebook.editions()}:
        raise ServiceError("edition_unknown", "请选择按哪一届的要求审读。", status=422)
    return rulebook.load(edition)


def _report(db: Connection, version: Version) -> Report | None:
    return analyses.report(db, version.analysis, file_name=version.file.file_name) if version.state == "done" else None


def _is_handed_in(db: Connection, viewer: Viewer, draft: Draft) -> bool:
    """Whether the newest version is what was submitted of it last."""
    return draft.submission is not None and submissions.one(db, viewer, draft.submission).sha256 == draft.newest.file.sha256


def _done(db: Connection, viewer: Viewer, id_: str, number: int | None) -> tuple[Draft, Report]:
    draft = drafts.one(db, viewer, id_)
    report = _report(db, draft.newest if number is None else draft.version(number))
    if report is None:
        raise results.not_yet()
    return draft, report
