"""/admin/events: who did what when; narrowed, exported, and checked to be as it was written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from service import lexicon
from service.errors import ServiceError
from service.programme import audit
from service.programme.audit import Event, Filter
from service.programme.china import ZONE
from service.render.sheets import text_value
from service.web import context, rendering

router = APIRouter(prefix="/events")
_ON_A_PAGE = 100
_WORDED = frozenset({"by", "role", "was_role"})  # details whose values have words
_MOST = 200_000  # events in one export
_HEADS = ("编号", "时间（北京时间）", "谁", "账号编号", "地址", "做了什么", "操作代码", "对象", "详情", "前一条校验值", "校验值")
_PAGES = {"submission": "/submissions/", "user": "/admin/users/", "unit": "/admin/units/", "batch": "/batches/", "benchmark": "/library/"}


def _wanted(who: str = "", action: str = "", object: str = "", since: str = "", until: str = "") -> Filter:  # noqa: A002 - the query's names
    """Days are Chinese days; `until` is the last one that counts."""
    last = _day(until)
    return Filter(who.strip() or None, action or None, object.strip() or None, _day(since), last and last + timedelta(days=1))


Wanted = Annotated[Filter, Depends(_wanted)]
Before = Annotated[int, Query(ge=0, le=2**62)]


def _day(given: str) -> datetime | None:
    try:
        return datetime.combine(datetime.fromisoformat(given.strip()).date(), time(), ZONE) if given.strip() else None
    except (ValueError, OverflowError):
        raise ServiceError("date_invalid", f"日期“{given}”不对，请写成 2026-05-01 的样子，或留空。", status=422) from None


@router.get("")
def listed(request: Request, db: context.Db, _viewer: context.Admin, wanted: Wanted, before: Before = 0) -> HTMLResponse:
    found = audit.listed(db, wanted, limit=_ON_A_PAGE + 1, before=before or None)
    return context.page(
        request,
        "admin/events.html.j2",
        events=[(event, action_name(event.action), _link(event), _told(event)) for event in found[:_ON_A_PAGE]],
        older=found[_ON_A_PAGE - 1].id if len(found) > _ON_A_PAGE else None,
        total=audit.count(db, wanted),
        actions=_choices(audit.actions(db)),
    )


@router.get("/check")
def check(request: Request, db: context.Db, _viewer: context.Admin) -> HTMLResponse:
    """Computes every hash anew."""
    return context.page(request, "admin/events_check.html.j2", chain=audit.verify(db), at=datetime.now(UTC))


@router.get("/export.csv")
def as_csv(db: context.Db, _viewer: context.Admin, wanted: Wanted) -> Response:
    """For a spreadsheet: no cell is a formula, and the mark at the beginning tells Excel that it is UTF-8."""
    _refuse_many(audit.count(db, wanted))
    told = io.StringIO()
    writer = csv.writer(told)
    writer.writerow(_HEADS)
    with closing(audit.every(db, wanted)) as found:
        writer.writerows([text_value("" if cell is None else cell) for cell in _cells(event)] for event in found)
    return context.download(told.getvalue().encode("utf-8-sig"), f"操作记录-{rendering.today()}.csv", media="text/csv; charset=utf-8")


@router.get("/export.json")
def as_json(db: context.Db, _viewer: context.Admin, wanted: Wanted) -> Response:
    """As it is stored, with what is needed to compute the hashes anew (docs/accounts.md)."""
    _refuse_many(audit.count(db, wanted))
    with closing(audit.every(db, wanted)) as found:
        told = json.dumps([_plain(event) for event in found], ensure_ascii=False, indent=1)
    return context.download(told.encode(), f"操作记录-{rendering.today()}.json", media="application/json")


def _refuse_many(number: int) -> None:
    if number > _MOST:
        told = f"符合条件的记录有 {number:,} 条，一次最多导出 {_MOST:,} 条。请用起止日期分几次导出。"
        raise ServiceError("export_too_large", told, status=422)


def action_name(action: str) -> str:
    """The Chinese words of an action; the action itself where there are none yet."""
    return str(lexicon.load("events")["actions"].get(action, action))


def _choices(occurring: Iterable[str]) -> list[tuple[str, str]]:
    """Kinds of actions, each followed by its own, as far as they occur."""
    kinds, choices, last = lexicon.load("events")["kinds"], [], ""
    for action in occurring:
        kind = action.partition(".")[0]
        if kind != last:
            choices.append((f"{kind}.", f"{kinds.get(kind, kind)}：全部"))
            last = kind
        choices.append((action, f"　{action_name(action)}"))
    return choices


def _link(event: Event) -> str:
    """Where what it was done to is shown; "" where it has no page, or none for administrators."""
    kind, _, id_ = (event.object or "").partition(":")
    return f"{_PAGES[kind]}{id_}" if kind in _PAGES and id_ else ""


def _told(event: Event) -> list[tuple[str, str]]:
    """The details that say something, with the words of their names."""
    names = lexicon.load("events")["details"]
    return [(str(names.get(name, name)), _value(name, value)) for name, value in event.details.items() if value not in (None, "", [], {})]


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str):
        return str(lexicon.load("events")["values"].get(value, value)) if name in _WORDED else value
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def _plain(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        **{name: getattr(event, name) for name in ("actor", "actor_name", "address", "action", "object", "details")},
        "previous": event.previous and event.previous.hex(),
        "hash": event.hash.hex(),
    }


def _cells(event: Event) -> tuple[object, ...]:
    plain = _plain(event)
    at = event.at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
    details = json.dumps(event.details, ensure_ascii=False, sort_keys=True) if event.details else ""
    done = (action_name(event.action), event.action, event.object, details)
    return (event.id, at, event.actor_name, event.actor, event.address, *done, plain["previous"], plain["hash"])
