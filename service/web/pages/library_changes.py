"""What staff change in the library: one added, many imported, facts changed, revoked, reinstated, removed. Each change is recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, NoReturn

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from service import rulebook
from service.errors import ServiceError
from service.library import areas, phrases, upkeep
from service.library.benchmark import FIRST_YEAR, LEVELS, Entry, past_day
from service.library.change import amend, reinstate_one, remove, revoke_one
from service.library.describing import Given, given
from service.library.exporting import WORDS
from service.library.importing import Importer, Item, Outcome, items
from service.library.manifest import Manifest
from service.library.manifest import read as read_manifest
from service.parse import Reader
from service.parse.limits import MIB
from service.programme import audit, uploads
from service.render.wording import printable
from service.web import context
from service.web.pages.library import found, indexer
from service.web.rendering import today

router = APIRouter()
MOST = 50  # files at once; the command line takes any number
_MANY = 10  # benchmarks from which on the indexes are tidied and set phrases learnt anew at once
_FIELDS = ("year", "level", "organisation", "title", "credit_code", "former_names", "edition", "areas")
_FIELD_OF = {  # error code -> the field it is about
    "year_invalid": "year",
    "credit_code_invalid": "credit_code",
    "edition_unknown": "edition",
    "manifest_value": "title",
}
_MAY_BE_EMPTY = ("level", "credit_code", "former_names", "edition", "areas")
Text = Annotated[str, Form(max_length=2000)]


def _facts(
    year: Text = "",
    level: Text = "",
    organisation: Text = "",
    title: Text = "",
    credit_code: Text = "",
    former_names: Text = "",
    edition: Text = "",
    areas_: Annotated[str, Form(alias="areas", max_length=2000)] = "",
) -> dict[str, str]:
    """The form's fields as they were typed."""
    typed = (year, level, organisation, title, credit_code, former_names, edition, areas_)
    return {name: printable(value).strip() for name, value in zip(_FIELDS, typed, strict=True)}


Facts = Annotated[dict[str, str], Depends(_facts)]


@dataclass(frozen=True, slots=True)
class Received:
    """Files that came in, each in a folder of its own number, so that names may recur; and those that were refused."""

    paths: tuple[Path, ...]
    refused: tuple[Outcome, ...]


# --- one -----------------------------------------------------------------------------------------------------------------------------


@router.get("/library/new")
def new(request: Request, _viewer: context.Staff) -> HTMLResponse:
    return _form(request, "library/new.html.j2", {})


@router.post("/library/new")
def add(
    request: Request,
    db: context.Db,
    viewer: context.Staff,
    settings: context.Settings,
    values: Facts,
    file: UploadFile | None = None,
) -> Response:
    """With a file: what the form leaves out is taken from its text. Without: title-only, which needs year, organisation and title."""
    try:
        said = given(values, Given())
        with tempfile.TemporaryDirectory(prefix="biaogan-") as folder:
            received = _received([file] if file is not None and file.filename else [], Path(folder), most_mb=settings.upload_mb)
            if received.refused:
                _refuse("file_refused", received.refused[0].message)
            several = [Item(path.name, path, said, None) for path in received.paths] or [Item("只有题目", None, said, None)]
            outcome = _bring(request, several)[0]
    except ServiceError as error:
        return _form(request, "library/new.html.j2", values, error=error)
    if outcome.id is None or outcome.state == "failed":
        return _form(
            request, "library/new.html.j2", values, error=ServiceError("benchmark_refused", outcome.message or "没有加入。", status=422)
        )
    if outcome.state == "added":
        audit.record(
            db, viewer, "benchmark.added", f"benchmark:{outcome.id}", details={"title": outcome.entry.title if outcome.entry else ""}
        )
    elif outcome.state == "updated":
        audit.record(db, viewer, "benchmark.changed", f"benchmark:{outcome.id}", details={"changes": outcome.message})
    return context.redirect(request, f"/library/{outcome.id}", flash=_flash(outcome))


def _flash(outcome: Outcome) -> str:
    if outcome.state == "added":
        guessed = "" if outcome.message in ("", "只有标题") else f" 请核对：{outcome.message}。"
        return f"已加入标杆库，编号 {outcome.id}。{guessed}"
    return f"库里已有这一份。已更新：{outcome.message}。" if outcome.state == "updated" else "库里已有这一份，没有改动。"


# --- many ----------------------------------------------------------------------------------------------------------------------------


@router.get("/library/import")
def choose(request: Request, _viewer: context.Staff) -> HTMLResponse:
    return _form(request, "library/import.html.j2", {})


@router.post("/library/import")
def bring(
    request: Request,
    db: context.Db,
    viewer: context.Staff,
    settings: context.Settings,
    values: Facts,
    files: list[UploadFile] | None = None,
    manifest: UploadFile | None = None,
) -> Response:
    """Files and the table that tells of them, read and stored while the page waits; a row for each on the page that answers."""
    sent = [each for each in files or () if each.filename]
    try:
        if len(sent) > MOST:
            told = f"一次最多导入 {MOST} 个文件，这次选了 {len(sent)} 个。请分几次导入，或在服务器上运行 biaogan library import 文件夹。"
            _refuse("files_too_many", told)
        default = given(values, Given())
        with tempfile.TemporaryDirectory(prefix="biaogan-") as folder:
            table = _manifest(manifest, Path(folder))
            received = _received(sent, Path(folder) / "files", most_mb=settings.upload_mb)
            several = items(received.paths, default, root=Path(folder) / "files", manifest=table)
            if not several and not received.refused:
                _refuse("no_files", "没有选择文件，也没有清单。请选择标杆材料，或给出一份清单。")
            outcomes = [*_bring(request, _named(several)), *received.refused]
    except ServiceError as error:
        return _form(request, "library/import.html.j2", values, error=error)
    for outcome in outcomes:
        if outcome.id is not None and outcome.state in {"added", "updated"}:
            action = "benchmark.imported" if outcome.state == "added" else "benchmark.changed"
            details = {"file": outcome.name, "message": outcome.message}
            audit.record(db, viewer, action, f"benchmark:{outcome.id}", details=details)
    return context.page(request, "library/imported.html.j2", outcomes=outcomes, table=table)


def _manifest(sent: UploadFile | None, folder: Path) -> Manifest | None:
    if sent is None or not sent.filename:
        return None
    suffix = ".xlsx" if sent.filename.lower().endswith((".xlsx", ".xlsm")) else ".csv"
    path = folder / f"清单{suffix}"
    path.write_bytes(sent.file.read())
    try:
        return read_manifest(path)
    except ServiceError as error:
        message = error.message.replace(str(path), f"“{uploads.file_name(sent.filename)}”")
        raise ServiceError(error.code, message, status=422) from error


def _received(sent: Sequence[UploadFile], folder: Path, *, most_mb: int) -> Received:
    """Written where the importer reads them: 0/name, 1/name …; a manifest finds them by name."""
    paths: list[Path] = []
    refused: list[Outcome] = []
    for number, each in enumerate(sent):
        name = uploads.file_name(each.filename or "")
        try:
            checked = uploads.checked(each.file.read(most_mb * MIB + 1), name, most_mb=most_mb)
        except ServiceError as error:
            refused.append(Outcome(name, "failed", message=error.message))
            continue
        path = folder / str(number) / "".join("_" if letter in '/\\:*?"<>|' else letter for letter in checked.file_name)
        path.parent.mkdir(parents=True)
        path.write_bytes(checked.data)
        paths.append(path)
    return Received(tuple(paths), tuple(refused))


def _named(several: Sequence[Item]) -> list[Item]:
    """Items by the names that their sender knows, without our numbers."""
    return [each if each.path is None else replace(each, name=each.path.name) for each in several]


def _bring(request: Request, several: Sequence[Item]) -> list[Outcome]:
    """Reads and stores them; each is wholly in the library or not at all."""
    state = request.app.state
    engine, analysis = context.engine(request), state.analysis
    known = indexer(request)
    upkeep.check(engine, known)
    with Reader(convert=analysis.convert, ocr=analysis.ocr, soffice=analysis.soffice) as reader:
        importer = Importer(engine, context.files(request), lambda: known, reader.read_all, today())
        outcomes = list(importer.run(several))
    if sum(each.state == "added" for each in outcomes) >= _MANY:
        upkeep.after_import(engine)
        phrases.learn(engine)
    return outcomes


# --- changed -------------------------------------------------------------------------------------------------------------------------


@router.get("/library/{benchmark_id}/edit")
def edit(request: Request, benchmark_id: str, db: context.Db, _viewer: context.Staff) -> HTMLResponse:
    entry = found(db, benchmark_id).benchmark.entry
    return _form(request, "library/edit.html.j2", _said(entry), id=benchmark_id, entry=entry)


@router.post("/library/{benchmark_id}/edit")
def change(
    request: Request,
    benchmark_id: str,
    db: context.Db,
    viewer: context.Staff,
    values: Facts,
) -> Response:
    """What a field says is written over what the entry said; emptied fields are emptied, but for year and title."""
    entry = found(db, benchmark_id).benchmark.entry
    try:
        if not values["title"]:
            _refuse("manifest_value", "请写明题目。")
        emptied = [name for name in _MAY_BE_EMPTY if not values[name]]
        differences = amend(db, lambda: indexer(request), benchmark_id, given(values, Given()), emptied=emptied)
    except ServiceError as error:
        return _form(request, "library/edit.html.j2", values, error=error, id=benchmark_id, entry=entry)
    if differences:
        told = [each.told() for each in differences]
        audit.record(db, viewer, "benchmark.changed", f"benchmark:{benchmark_id}", details={"changes": told})
    return context.redirect(request, f"/library/{benchmark_id}", flash="已保存更改。" if differences else "没有改动。")


@router.post("/library/{benchmark_id}/revoke")
def revoke(request: Request, benchmark_id: str, db: context.Db, viewer: context.Staff, reason: Text = "", on: Text = "") -> Response:
    """动态管理. The first reason and day stay where it was revoked before."""
    found(db, benchmark_id)
    why = " ".join(printable(reason).split())
    if not why:
        raise ServiceError("reason_missing", "请写明撤销的原因，例如“发生重大质量事故”。请返回上一页补写。", status=422)
    day = past_day(on, today()) if on.strip() else today()
    try:
        revoke_one(db, benchmark_id, reason=why, on=day)
    except ServiceError as error:
        if error.code == "already_revoked":
            raise ServiceError("already_revoked", f"{benchmark_id} 已经撤销，没有改动。要改原因，请先恢复再撤销。", status=409) from error
        raise
    audit.record(db, viewer, "benchmark.revoked", f"benchmark:{benchmark_id}", details={"reason": why, "on": day.isoformat()})
    return context.redirect(request, f"/library/{benchmark_id}", flash="已撤销。正文仍保留，比对时照常使用。")


@router.post("/library/{benchmark_id}/reinstate")
def reinstate(request: Request, benchmark_id: str, db: context.Db, viewer: context.Staff) -> Response:
    before = found(db, benchmark_id).benchmark.entry
    try:
        reinstate_one(db, benchmark_id)
    except ServiceError as error:
        if error.code == "not_revoked":
            raise ServiceError("not_revoked", f"{benchmark_id} 没有撤销，不需要恢复。", status=409) from error
        raise
    on = before.revoked_on.isoformat() if before.revoked_on else None
    audit.record(db, viewer, "benchmark.reinstated", f"benchmark:{benchmark_id}", details={"reason": before.revoked_reason, "on": on})
    return context.redirect(request, f"/library/{benchmark_id}", flash="已恢复，撤销的原因和日期已去掉。")


@router.post("/library/{benchmark_id}/remove")
def take_out(request: Request, benchmark_id: str, db: context.Db, viewer: context.Staff) -> Response:
    """For what came in by mistake; a benchmark that lost its title is revoked instead."""
    entry = found(db, benchmark_id).benchmark.entry
    remove(context.engine(request), context.files(request), benchmark_id)
    details = {"title": entry.title, "sha256": entry.sha256}
    audit.record(db, viewer, "benchmark.removed", f"benchmark:{benchmark_id}", details=details)
    return context.redirect(request, "/library", flash=f"已从标杆库删除 {benchmark_id}。")


# --- the forms -----------------------------------------------------------------------------------------------------------------------


def _refuse(code: str, message: str) -> NoReturn:
    raise ServiceError(code, message, status=422)


def _said(entry: Entry) -> dict[str, str]:
    """An entry as the form's fields have it."""
    return {
        "year": str(entry.year),
        "level": entry.level or "",
        "organisation": entry.organisation,
        "title": entry.title,
        "credit_code": entry.credit_code or "",
        "former_names": "、".join(entry.former_names),
        "edition": entry.edition or "",
        "areas": "、".join(areas.names_of(entry)),
    }


def _form(request: Request, template: str, values: Mapping[str, str], *, error: ServiceError | None = None, **more: Any) -> HTMLResponse:
    """The form with what was typed; an error stands beside its field, or above all where it is of none."""
    field = "" if error is None else _FIELD_OF.get(error.code, "")
    return context.page(
        request,
        template,
        status=200 if error is None else 422,
        given={name: values.get(name, "") for name in _FIELDS},
        wrong={field: error.message} if error is not None else {},
        levels=[(level, WORDS[level]) for level in LEVELS],
        editions=[(each.id, each.name) for each in rulebook.editions()],
        first=FIRST_YEAR,
        last=today().year,
        most=MOST,
        accept=uploads.ACCEPT,
        **more,
    )
