"""推荐名额 and 推荐顺序: how many submissions each recommending unit has in an edition, and the order in which it recommends them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from service.database import programme_tables as tables
from service.database.programme_tables import STATES, events, submissions, unit_quotas
from service.errors import ServiceError
from service.programme import audit
from service.programme.viewer import Viewer, not_found

_OUT = "withdrawn"  # takes no place
_CHANGED = "推荐顺序刚被{who}改过，您的调整没有保存。请看过现在的顺序再调整。"


@dataclass(frozen=True, slots=True)
class Share:
    """A unit in an edition; `unit` None: submissions without one. `places` None: no limit. Withdrawn ones take no place."""

    unit: int | None
    name: str
    active: bool
    places: int | None
    states: Mapping[str, int]
    unranked: int

    @property
    def taken(self) -> int:
        return sum(number for state, number in self.states.items() if state != _OUT)

    @property
    def over(self) -> int:
        """How many more than it may recommend."""
        return 0 if self.places is None else max(0, self.taken - self.places)

    @property
    def left(self) -> int | None:
        return None if self.places is None else max(0, self.places - self.taken)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A submission in its unit's order; `rank` None: not put into the order yet."""

    id: int
    number: str
    organisation: str
    title: str
    state: str
    rank: int | None
    analysis_state: str
    errors: int | None
    warnings: int | None
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """A unit's submissions, ranked ones first; `version` changes whenever the order does."""

    share: Share
    rows: tuple[Ranked, ...]
    version: str


def shares(connection: Connection, viewer: Viewer, edition: str) -> list[Share]:
    """For staff all units, by name, and what has none; for a unit's user the own one."""
    _need(viewer)
    own = None if viewer.is_staff else viewer.unit
    counted: dict[int | None, dict[str, int]] = {}
    unranked: dict[int | None, int] = {}
    tally = (
        select(submissions.c.unit, submissions.c.state, func.count(), func.count().filter(submissions.c.rank.is_(None)))
        .where(_mine(viewer), submissions.c.edition == edition)
        .group_by(submissions.c.unit, submissions.c.state)
    )
    for unit, state, number, without in connection.execute(tally):
        counted.setdefault(unit, {})[state] = number
        unranked[unit] = unranked.get(unit, 0) + (without if state != _OUT else 0)
    quota = (unit_quotas.c.unit == tables.units.c.id) & (unit_quotas.c.edition == edition)
    query = select(tables.units.c.id, tables.units.c.name, tables.units.c.active, unit_quotas.c.places).outerjoin(unit_quotas, quota)
    if not viewer.is_staff:
        query = query.where(tables.units.c.id == own)
    found = [
        Share(row.id, row.name, row.active, row.places, _states(counted.get(row.id, {})), unranked.get(row.id, 0))
        for row in connection.execute(query.order_by(tables.units.c.name))
        if row.active or counted.get(row.id) or row.places is not None
    ]
    if None in counted:
        found.append(Share(None, "未指定推荐单位", True, None, _states(counted[None]), unranked[None]))  # noqa: FBT003
    return found


def order(connection: Connection, viewer: Viewer, unit: int, edition: str) -> Order:
    """A unit's submissions of an edition, without those withdrawn; not_found for a unit that is not the viewer's."""
    _need(viewer)
    share = next((share for share in shares(connection, viewer, edition) if share.unit == unit), None)
    if share is None:
        share = _empty(connection, viewer, unit)
    rows = _rows(connection, unit, edition)
    return Order(share, rows, _version(rows))


def save(connection: Connection, viewer: Viewer, unit: int, edition: str, *, places: Mapping[int, int | None], expect: str) -> bool:
    """Puts the submissions (by id) at these places, from 1; None takes one out of the order, and who is not named keeps his place.

    Whether anything changed. ServiceError `changed_meanwhile` where the order is not the one that the viewer saw.
    """
    held = _held(connection, viewer, unit, edition, expect=expect)
    return _write(connection, viewer, unit, edition, held, placed(held, places))


def move(connection: Connection, viewer: Viewer, unit: int, edition: str, id_: int, *, up: bool, expect: str) -> bool:
    """One place up or down; one without a place comes last of those that have one (up), or stays (down)."""
    held = _held(connection, viewer, unit, edition, expect=expect)
    ranked = [row.id for row in held if row.rank is not None]
    if id_ not in ranked:
        wanted = {id_: len(ranked) + 1} if up and any(row.id == id_ for row in held) else {}
    else:
        wanted = {id_: max(1, ranked.index(id_) + (0 if up else 2))}
    return _write(connection, viewer, unit, edition, held, placed(held, wanted))


def placed(rows: Sequence[Ranked], places: Mapping[int, int | None]) -> list[int]:
    """The ids in their new order: who got another place stands exactly there, the others keep their order around them."""
    ranked = [row.id for row in rows if row.rank is not None]
    now = {id_: place for place, id_ in enumerate(ranked, 1)}
    wanted = {row.id: places[row.id] for row in rows if row.id in places and places[row.id] != now.get(row.id)}
    stay = [id_ for id_ in ranked if id_ not in wanted]
    for id_, place in sorted(((id_, place) for id_, place in wanted.items() if place is not None), key=lambda pair: pair[1]):
        stay.insert(max(0, place - 1), id_)
    return stay


# --- inside ------------------------------------------------------------------------------------------------------------------------


def _need(viewer: Viewer) -> None:
    if not viewer.is_staff and (viewer.role != "unit" or viewer.unit is None):
        not_found("这个推荐单位")


def _mine(viewer: Viewer) -> ColumnElement[bool]:
    return submissions.c.unit == viewer.unit if not viewer.is_staff else submissions.c.id.is_not(None)


def _states(counted: Mapping[str, int]) -> dict[str, int]:
    return {state: counted[state] for state in STATES if state in counted}


def _empty(connection: Connection, viewer: Viewer, unit: int) -> Share:
    """A unit that is no longer used and has nothing in this edition."""
    query = select(tables.units.c.name, tables.units.c.active).where(tables.units.c.id == (unit if 0 < unit < 2**31 else 0))
    row = connection.execute(query).one_or_none()
    if row is None or (not viewer.is_staff and unit != viewer.unit):
        not_found("这个推荐单位")
    return Share(unit, row.name, row.active, None, {}, 0)


def _rows(connection: Connection, unit: int, edition: str) -> tuple[Ranked, ...]:
    source = tables.analyses.c
    query = (
        select(
            submissions.c.id,
            submissions.c.number,
            submissions.c.organisation,
            submissions.c.title,
            submissions.c.state,
            submissions.c.rank,
            source.state.label("analysis_state"),
            (source.errors - submissions.c.dismissed_errors).label("errors"),
            (source.warnings - submissions.c.dismissed_warnings).label("warnings"),
            submissions.c.submitted_at,
        )
        .join(tables.analyses, source.id == submissions.c.analysis)
        .where(submissions.c.unit == unit, submissions.c.edition == edition, submissions.c.state != _OUT)
        .order_by(submissions.c.rank.nulls_last(), submissions.c.id)
    )
    return tuple(Ranked(**row._mapping) for row in connection.execute(query))


def _held(connection: Connection, viewer: Viewer, unit: int, edition: str, *, expect: str) -> tuple[Ranked, ...]:
    """The rows as they are, which nobody else orders until the transaction ends."""
    order(connection, viewer, unit, edition)
    connection.execute(select(tables.units.c.id).where(tables.units.c.id == unit).with_for_update())
    rows = _rows(connection, unit, edition)
    if _version(rows) != expect:
        query = select(events.c.actor_name).where(events.c.action == "unit.ranked", events.c.object == f"unit:{unit}")
        who = connection.execute(query.order_by(events.c.id.desc()).limit(1)).scalar()
        raise ServiceError("changed_meanwhile", _CHANGED.format(who=f"“{who}”" if who else "别人"), status=409)
    return rows


def _write(connection: Connection, viewer: Viewer, unit: int, edition: str, rows: Sequence[Ranked], wanted: Sequence[int]) -> bool:
    ranks = {id_: place for place, id_ in enumerate(wanted, 1)}
    changed: list[dict[str, Any]] = [{"one": row.id, "place": ranks.get(row.id)} for row in rows if row.rank != ranks.get(row.id)]
    if not changed:
        return False
    connection.execute(
        submissions.update().where(submissions.c.id == bindparam("one")).values(rank=bindparam("place")),
        sorted(changed, key=lambda one: one["one"]),
    )
    numbers = {row.id: row.number for row in rows}
    details = {"edition": edition, "order": [numbers[id_] for id_ in wanted]}
    audit.record(connection, viewer, "unit.ranked", f"unit:{unit}", details=details)
    return True


def _version(rows: Sequence[Ranked]) -> str:
    told = ",".join(f"{row.id}:{row.rank}" for row in rows if row.rank is not None)  # new ones without a place disturb nobody
    return hashlib.sha256(told.encode()).hexdigest()[:16]
