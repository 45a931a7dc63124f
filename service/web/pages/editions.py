"""Notices and their rules, as people read them. For everyone who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, select

from service import rulebook
from service.database.programme_tables import rounds
from service.model import Edition
from service.programme.viewer import not_found
from service.render.edition import edition_shown
from service.web import context

router = APIRouter()
_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Round:
    """How an edition is run here, on a day."""

    state: str  # open, soon, closed, none: not run here
    opens_on: date | None = None
    closes_on: date | None = None
    days_left: int | None = None
    note: str = ""


@router.get("/editions")
def listed(request: Request, db: context.Db, _viewer: context.Anyone) -> HTMLResponse:
    """Every rulebook as a card; those that accept first, then the newest."""
    run = running(db)
    editions = [rulebook.load(each.id) for each in rulebook.editions()]
    cards = [(edition, run.get(edition.id, Round("none"))) for edition in editions]
    cards.sort(key=lambda card: (card[1].state != "open", -card[0].year, card[0].id))
    return context.page(request, "editions/list.html.j2", cards=cards, sums={edition.id: sums(edition) for edition in editions})


@router.get("/editions/{edition_id}")
def one(request: Request, edition_id: str, db: context.Db, _viewer: context.Anyone) -> HTMLResponse:
    """One rulebook in full: sections, layout, focus areas, criteria, rules by severity, what is not judged."""
    edition = known(edition_id)
    run = running(db).get(edition_id, Round("none"))
    return context.page(request, "editions/one.html.j2", shown=edition_shown(edition), edition=edition, run=run)


def known(edition_id: str) -> Edition:
    """ServiceError `not_found` where there is none of this id."""
    if edition_id not in {each.id for each in rulebook.editions()}:
        not_found("这一届的规则")
    return rulebook.load(edition_id)


def sums(edition: Edition) -> dict[str, int]:
    """How many rules there are and how many of them are judged."""
    judged = sum(rule.unavailable is None for rule in edition.rules)
    return {"rules": len(edition.rules), "judged": judged, "areas": len(edition.areas)}


def running(db: Connection) -> dict[str, Round]:
    """Edition -> how it is run here today (Chinese time)."""
    today = datetime.now(UTC).astimezone(_ZONE).date()
    return {row.edition: _round(row, today) for row in db.execute(select(rounds))}


def _round(row: object, today: date) -> Round:
    opens, closes = row.opens_on, row.closes_on  # type: ignore[attr-defined]
    state = "open"
    if not row.accepting or (closes is not None and closes < today):  # type: ignore[attr-defined]
        state = "closed"
    elif opens is not None and opens > today:
        state = "soon"
    left = (closes - today).days if closes is not None and state == "open" else None
    return Round(state, opens, closes, left, row.note or "")  # type: ignore[attr-defined]
