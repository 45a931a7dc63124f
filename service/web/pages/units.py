"""推荐单位: quotas and how many are in, for staff; a unit's own submissions in the order in which it recommends them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from service.errors import ServiceError
from service.programme import dashboard, ranking, rounds
from service.programme.viewer import Viewer
from service.web import context, names, rendering

router = APIRouter()
_PLACE = re.compile(r"place-(\d{1,9})")
_MOST = 10_000  # places


@router.get("/units")
def listed(request: Request, db: context.Db, viewer: context.StaffOrUnit, edition: str = "") -> Response:
    """All units for staff; a unit's user is led to its own."""
    if not viewer.is_staff:
        return context.redirect(request, context.with_query(f"/units/{viewer.unit or 0}", {"edition": edition}))
    edition, choices = _edition(db, edition)
    shares = ranking.shares(db, viewer, edition)
    return context.page(request, "units/list.html.j2", shares=shares, edition=edition, choices=choices)


@router.get("/units/{unit}")
def one(request: Request, db: context.Db, viewer: context.StaffOrUnit, unit: int, edition: str = "") -> HTMLResponse:
    """A unit's submissions in its order, with a field and two buttons for each place."""
    edition, choices = _edition(db, edition)
    return _shown(request, db, viewer, unit, edition, choices)


async def _form(request: Request) -> dict[str, str]:
    """All fields of the form: there is one for each submission."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


@router.post("/units/{unit}/order")
def order(
    request: Request, db: context.Db, viewer: context.StaffOrUnit, unit: int, form: Annotated[dict[str, str], Depends(_form)]
) -> Response:
    """Saves the places of the form's fields (place-12), or moves one submission (move: up-12, down-12)."""
    edition, choices = _edition(db, form.get("edition", ""))
    try:
        changed = _order(db, viewer, unit, edition, form)
    except ServiceError as error:
        if error.status not in (409, 422):
            raise
        return _shown(request, db, viewer, unit, edition, choices, error=error)
    told = "推荐顺序已保存。" if changed else "推荐顺序没有变化。"
    return context.redirect(request, context.with_query(f"/units/{unit}", {"edition": edition}), flash=told)


# --- inside ------------------------------------------------------------------------------------------------------------------------


def _order(db: Connection, viewer: Viewer, unit: int, edition: str, form: Mapping[str, str]) -> bool:
    version = form.get("version", "")
    if match := re.fullmatch(r"(up|down)-(\d{1,9})", form.get("move", "")):
        return ranking.move(db, viewer, unit, edition, int(match[2]), up=match[1] == "up", expect=version)
    places: dict[int, int | None] = {}
    for name, value in form.items():
        if match := _PLACE.fullmatch(name):
            places[int(match[1])] = _place(value)
    return ranking.save(db, viewer, unit, edition, places=places, expect=version)


def _place(value: str) -> int | None:
    value = value.strip()
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", value) or not 1 <= int(value) <= _MOST:
        raise ServiceError("place_invalid", f"推荐顺序“{value[:20]}”不对，请填 1、2、3……，不排序请留空。没有保存。", status=422)
    return int(value)


def _edition(db: Connection, wanted: str) -> tuple[str, list[tuple[str, str]]]:
    """The edition to show, and those to choose from."""
    used = dashboard.editions(db, today=rendering.today())
    if wanted in names.editions() and wanted not in used:
        used.append(wanted)
    chosen = wanted if wanted in names.editions() else used[0]
    return chosen, [(id_, names.editions().get(id_, id_)) for id_ in used]


def _shown(
    request: Request,
    db: Connection,
    viewer: Viewer,
    unit: int,
    edition: str,
    choices: list[tuple[str, str]],
    *,
    error: ServiceError | None = None,
) -> HTMLResponse:
    order = ranking.order(db, viewer, unit, edition)
    values: dict[str, Any] = {"order": order, "unit": unit, "edition": edition, "choices": choices, "error": error}
    values["left"] = rounds.of(db, edition).days_left(rendering.today())
    answer = context.page(request, "units/one.html.j2", status=200 if error is None else error.status, **values)
    answer.headers["ETag"] = f'"{order.version}"'
    return answer
