"""/admin/units: 推荐单位 and their quotas; /admin/rounds: which edition takes applications, and until when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from service import rulebook
from service.errors import ServiceError
from service.model import Edition
from service.programme import rounds, units
from service.programme.rounds import Round
from service.web import context, rendering

router = APIRouter()
_PLACES = re.compile(r"places-(\d{1,9})")


def _editions() -> list[Edition]:
    """The newest first."""
    return sorted((rulebook.load(each.id) for each in rulebook.editions()), key=lambda edition: (-edition.year, edition.id))


# --- units ---------------------------------------------------------------------------------------------------------------------------


@router.get("/units")
def listed(request: Request, db: context.Db, _viewer: context.Admin, edition: str = "") -> HTMLResponse:
    return _units(request, db, edition=edition)


def _units(request: Request, db: context.Db, *, edition: str, name: str = "", wrong: str = "") -> HTMLResponse:
    """Quotas are those of one edition: the one asked for, else one that takes applications, else the newest."""
    editions, known = _editions(), rounds.listed(db)
    ids = [each.id for each in editions]
    if edition not in ids:
        edition = next((id_ for id_ in ids if id_ in known and known[id_].accepting), ids[0])
    return context.page(
        request,
        "admin/units.html.j2",
        status=422 if wrong else 200,
        units=units.listed(db),
        edition=edition,
        choices=[(each.id, each.name) for each in editions],
        name=name,
        wrong=wrong,
    )


@router.post("/units")
def add(request: Request, db: context.Db, viewer: context.Admin, name: Annotated[str, Form()] = "") -> Response:
    try:
        units.add(db, viewer, name)
    except ServiceError as error:
        return _units(request, db, edition="", name=name, wrong=error.message)
    return context.redirect(request, "/admin/units", flash=f"已添加“{name.strip()}”。请设定它的名额，并为它建立账号。")


async def _fields(request: Request) -> dict[str, str]:
    """All fields of the form: there is one for each unit."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


@router.post("/units/quotas")
def set_quotas(request: Request, db: context.Db, viewer: context.Admin, fields: Annotated[Mapping[str, str], Depends(_fields)]) -> Response:
    """Fields places-<unit>; an empty one: no limit."""
    edition = fields.get("edition", "")
    if edition not in {each.id for each in rulebook.editions()}:
        raise ServiceError("edition_unknown", f"没有规则“{edition}”。请从列表重新选择。", status=404)
    known = {unit.id for unit in units.listed(db)}
    for name, given in fields.items():
        if (found := _PLACES.fullmatch(name)) and int(found[1]) in known:
            units.set_quota(db, viewer, int(found[1]), edition=edition, places=_number(given))
    return context.redirect(request, f"/admin/units?edition={edition}", flash="名额已保存。")


def _number(given: str) -> int | None:
    given = given.strip()
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 9):
        raise ServiceError("quota_invalid", f"推荐名额“{given}”不对，请填 0 或更大的整数，不限名额请留空。", status=422)
    return int(given)


@router.get("/units/{unit}")
def one(request: Request, unit: context.Id, db: context.Db, _viewer: context.Admin) -> HTMLResponse:
    found = units.one(db, unit)
    return context.page(request, "admin/unit.html.j2", unit=found, name=found.name, active=found.active, wrong="")


@router.post("/units/{unit}")
def change(
    request: Request,
    unit: context.Id,
    db: context.Db,
    viewer: context.Admin,
    name: Annotated[str, Form()] = "",
    active: Annotated[str, Form()] = "",
) -> Response:
    found = units.one(db, unit)
    try:
        units.change(db, viewer, unit, name=name, active=bool(active))
    except ServiceError as error:
        values = {"unit": found, "name": name, "active": bool(active), "wrong": error.message}
        return context.page(request, "admin/unit.html.j2", status=422, **values)
    return context.redirect(request, "/admin/units", flash="已保存。")


# --- rounds --------------------------------------------------------------------------------------------------------------------------


class Given(BaseModel):
    """What the form sends."""

    accepting: str = ""
    opens_on: str = ""
    closes_on: str = ""
    note: str = ""

    def round(self, edition: str) -> Round:
        days = _day("开始日期", self.opens_on), _day("截止日期", self.closes_on)
        return Round(edition, bool(self.accepting), *days, self.note)


@router.get("/rounds")
def running(request: Request, db: context.Db, _viewer: context.Admin) -> HTMLResponse:
    return _rounds(request, db)


@router.post("/rounds/{edition}")
def set_round(request: Request, edition: str, db: context.Db, viewer: context.Admin, given: Annotated[Given, Form()]) -> Response:
    names = {each.id: each.name for each in rulebook.editions()}
    try:
        rounds.save(db, viewer, given.round(edition), editions=names)
    except ServiceError as error:
        if error.status == 404:
            raise
        return _rounds(request, db, edition=edition, given=given, wrong=error.message)
    return context.redirect(request, f"/admin/rounds#{edition}", flash=f"“{names[edition]}”已保存。")


def _rounds(request: Request, db: context.Db, *, edition: str = "", given: Given | None = None, wrong: str = "") -> HTMLResponse:
    known, today = rounds.listed(db), rendering.today()
    cards = [(each, found := known.get(each.id, Round(each.id)), found.state(today), found.days_left(today)) for each in _editions()]
    values = {"cards": cards, "today": today, "wrong_in": edition, "given": given, "wrong": wrong}
    return context.page(request, "admin/rounds.html.j2", status=422 if wrong else 200, **values)


def _day(label: str, given: str) -> date | None:
    try:
        return date.fromisoformat(given.strip()) if given.strip() else None
    except ValueError:
        raise ServiceError("date_invalid", f"{label}“{given}”不对，请写成 2026-05-01 的样子，或留空。", status=422) from None
