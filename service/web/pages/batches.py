"""批量收稿: staff bring in many files at once and watch what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy import Connection

from service import rulebook
from service.errors import ServiceError
from service.programme import batches, rounds, units, unpacking, uploads
from service.programme.batches import Batch
from service.programme.viewer import Viewer
from service.web import context, rendering

router = APIRouter()
_SHOWN = {"failed": ("failed", "refused"), "open": ("waiting", "running"), "done": ("done",)}
_ACCEPT = f"{uploads.ACCEPT},.zip"
_FRESH = 600  # seconds after which an empty batch is no longer watched


@router.get("/batches")
def listed(request: Request, db: context.Db, viewer: context.Staff, page: Annotated[int, Query(ge=1, le=100_000)] = 1) -> HTMLResponse:
    """All batches, the newest first."""
    found, total = batches.listed(db, viewer, page=page)
    pages = max(1, -(-total // batches.PAGE))
    return context.page(request, "batches/list.html.j2", batches=found, total=total, page=page, pages=pages, editions=_names())


@router.get("/batches/new")
def new(request: Request, db: context.Db, _viewer: context.Staff) -> HTMLResponse:
    return _form(request, db)


@router.post("/batches")
def create(
    request: Request,
    db: context.Db,
    viewer: context.Staff,
    edition: Annotated[str, Form()],
    unit: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    files: Annotated[list[UploadFile] | None, File()] = None,
) -> Response:
    """A new batch, with the files that the form brings (a browser without JavaScript sends them all at once)."""
    if edition not in _names():
        return _form(request, db, error="请选择一个版（届）。", edition=edition, unit=unit, name=name)
    chosen = int(unit) if unit.isascii() and unit.isdigit() and len(unit) < 10 else None
    with context.engine(request).begin() as connection:  # there before its first file is
        made = batches.one(connection, viewer, batches.create(connection, viewer, edition=edition, unit=chosen, name=name))
    _receive(request, viewer, made, files or [])
    return context.redirect(request, f"/batches/{made.id}")


@router.get("/batches/{batch}")
def one(request: Request, db: context.Db, viewer: context.Staff, batch: int, show: str = "") -> HTMLResponse:
    """A row for each file; what is not done yet is told as it goes on (progress)."""
    found = batches.one(db, viewer, batch)
    rows = batches.rows(db, viewer, batch, states=_SHOWN.get(show, ()))
    values: dict[str, Any] = {"batch": found, "rows": rows, "show": show, "since": batches.now(db).isoformat(), "watched": _watched(found)}
    values |= {"edition": _names().get(found.edition, found.edition), "most_mb": context.web(request).upload_mb, "accept": _ACCEPT}
    return context.page(request, "batches/one.html.j2", **values)


@router.get("/batches/{batch}/progress")
def progress(request: Request, db: context.Db, viewer: context.Staff, batch: int, since: str = "") -> JSONResponse:
    """The counts, and the rows (as HTML) that changed since the time that the last answer, or the page, told."""
    until = batches.now(db)
    try:
        then = datetime.fromisoformat(since) if since else None
    except ValueError:
        then = None
    if then is not None and then.tzinfo is None:
        then = None
    found = batches.one(db, viewer, batch)
    rows = batches.rows(db, viewer, batch, since=then)
    counts = {name: getattr(found, name) for name in ("files", "settled", "open", "refused", "done", "failed")}
    lines = rendering.render(request, "batches/rows.html.j2", viewer=viewer, flash=None, rows=rows, batch=found) if rows else ""
    return JSONResponse({**counts, "since": until.isoformat(), "rows": lines, "over": not _watched(found)})


@router.post("/batches/{batch}/files")
def add(
    request: Request, db: context.Db, viewer: context.Staff, batch: int, files: Annotated[list[UploadFile] | None, File()] = None
) -> Response:
    """More files of a batch. With `X-Upload: each` one at a time from the page's script, answered with 204."""
    found = batches.one(db, viewer, batch)
    refused = _receive(request, viewer, found, files or [])
    if request.headers.get("x-upload") == "each":
        return Response(status_code=204)
    some = any(file.filename for file in files or [])
    told = f"文件已收到，其中 {refused} 个没有接收，原因见下。" if refused else "文件已收到。" if some else "没有选择文件。"
    return context.redirect(request, f"/batches/{batch}", flash=told)


@router.post("/batches/{batch}/retry")
def retry(request: Request, db: context.Db, viewer: context.Staff, batch: int, number: Annotated[int | None, Form()] = None) -> Response:
    """Analyses again what failed: one file or all."""
    done = batches.retry(db, viewer, batch, number=number)
    told = f"已重新安排审读 {done} 份材料。" if done else "没有需要重试的材料，可能已经重试过。"
    return context.redirect(request, f"/batches/{batch}", flash=told)


# --- inside ------------------------------------------------------------------------------------------------------------------------


def _receive(request: Request, viewer: Viewer, batch: Batch, files: list[UploadFile]) -> int:
    """Every file of the request, those in a ZIP one by one, each kept or noted with the reason why not; how many were not.

    Each in a transaction of its own: many in one would hold up everyone else's changes until the last of them.
    """
    return sum(_kept(request, viewer, batch, name, data) == "refused" for name, data in _files(request, viewer, batch, files))


def _files(request: Request, viewer: Viewer, batch: Batch, files: list[UploadFile]) -> Iterator[tuple[str, bytes]]:
    """Name and content; an archive that cannot be read (on) is noted as a file of its own."""
    for file in files:
        if not file.filename:
            continue
        data, name = file.file.read(), uploads.file_name(file.filename)
        if not unpacking.is_archive(data, name):
            yield name, data
            continue
        try:
            yield from unpacking.members(data, name, most_mb=context.web(request).upload_mb)
        except ServiceError as error:
            with context.engine(request).begin() as db:
                batches.refuse(db, viewer, batch.id, name=name, reason=error.message)


def _kept(request: Request, viewer: Viewer, batch: Batch, name: str, data: bytes) -> str:
    settings = context.web(request)
    with context.engine(request).begin() as db:
        try:
            uploads.allow(db, viewer, an_hour=settings.uploads_an_hour)
        except ServiceError as error:
            batches.refuse(db, viewer, batch.id, name=name, reason=error.message)
            return "refused"
        return batches.receive(
            db,
            viewer,
            context.files(request),
            batch.id,
            data=data,
            name=name,
            edition=rulebook.load(batch.edition),
            current=context.current(request),
            most_mb=settings.upload_mb,
        )


def _watched(batch: Batch) -> bool:
    """Whether something will still change by itself, or files may be on their way."""
    return batch.open > 0 or (datetime.now(batch.at.tzinfo) - batch.at).total_seconds() < _FRESH


def _form(request: Request, db: Connection, *, error: str = "", **given: Any) -> HTMLResponse:
    running = rounds.listed(db)
    today = rendering.today()
    names = _names()
    order = sorted(names, key=lambda id_: (id_ not in running or not running[id_].is_open(today), -_year(id_), id_))
    values: dict[str, Any] = {
        "editions": [(id_, names[id_]) for id_ in order],
        "units": [(unit.id, unit.name) for unit in units.listed(db, active=True)],
        "given": {"edition": order[0], "unit": "", "name": "", **given},
        "error": error,
        "most_mb": context.web(request).upload_mb,
        "accept": _ACCEPT,
    }
    return context.page(request, "batches/new.html.j2", status=422 if error else 200, **values)


def _names() -> dict[str, str]:
    return {edition.id: edition.name for edition in rulebook.editions()}


def _year(edition: str) -> int:
    return next(each.year for each in rulebook.editions() if each.id == edition)
