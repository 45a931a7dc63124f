"""Notices and their rules, as people read them. For everyone who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service import rulebook
from service.model import Edition
from service.programme import rounds
from service.programme.viewer import not_found
from service.render.edition import edition_shown
from service.web import context
from service.web.rendering import today

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Run:
    """How an edition is run here today."""

    state: str  # open, early, over, stopped; none: not set up
    opens_on: date | None = None
    closes_on: date | None = None
    days_left: int | None = None
    note: str = ""


@router.get("/editions")
def listed(request: Request, db: context.Db, _viewer: context.Anyone) -> HTMLResponse:
    """Every rulebook as a card; those that accept first, then the newest."""
    running = rounds.listed(db)
    editions = [rulebook.load(each.id) for each in rulebook.editions()]
    cards = [(edition, run(running.get(edition.id))) for edition in editions]
    cards.sort(key=lambda card: (card[1].state != "open", -card[0].year, card[0].id))
    return context.page(request, "editions/list.html.j2", cards=cards, sums={edition.id: sums(edition) for edition in editions})


@router.get("/editions/{edition_id}")
def one(request: Request, edition_id: str, db: context.Db, _viewer: context.Anyone) -> HTMLResponse:
    """One rulebook in full: sections, layout, focus areas, criteria, rules by severity, what is not judged."""
    edition = known(edition_id)
    found = run(rounds.listed(db).get(edition_id))
    return context.page(request, "editions/one.html.j2", shown=edition_shown(edition), edition=edition, run=found)


def known(edition_id: str) -> Edition:
    """ServiceError `not_found` where there is none of this id."""
    if edition_id not in {each.id for each in rulebook.editions()}:
        not_found("这一届的规则")
    return rulebook.load(edition_id)


def sums(edition: Edition) -> dict[str, int]:
    """How many rules there are and how many of them are judged."""
    judged = sum(rule.unavailable is None for rule in edition.rules)
    return {"rules": len(edition.rules), "judged": judged, "areas": len(edition.areas)}


def run(found: rounds.Round | None) -> Run:
    if found is None:
        return Run("none")
    day = today()
    return Run(found.state(day), found.opens_on, found.closes_on, found.days_left(day), found.note or "")
