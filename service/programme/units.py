"""推荐单位 and how many submissions each may recommend in an edition (推荐名额)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from service.database import programme_tables as tables
from service.database.programme_tables import unit_quotas, users
from service.errors import ServiceError
from service.programme import audit
from service.programme.viewer import Viewer, not_found

_LONGEST = 80  # characters of a name
_MOST = 10_000  # places


@dataclass(frozen=True, slots=True)
class Unit:
    id: int
    name: str
    active: bool = True
    users: int = 0  # accounts that may sign in for it
    quotas: Mapping[str, int] = field(default_factory=dict)  # edition -> places; an edition without one has no limit


def listed(connection: Connection, *, active: bool | None = None) -> list[Unit]:
    """By name; `active` leaves those that are, or are not, in use."""
    quotas: dict[int, dict[str, int]] = {}
    for row in connection.execute(select(unit_quotas)):
        quotas.setdefault(row.unit, {})[row.edition] = row.places
    counted = select(users.c.unit, func.count().label("n")).where(users.c.active).group_by(users.c.unit).subquery()
    query = select(tables.units, func.coalesce(counted.c.n, 0).label("n")).outerjoin(counted, counted.c.unit == tables.units.c.id)
    if active is not None:
        query = query.where(tables.units.c.active == active)
    return [
        Unit(row.id, row.name, row.active, row.n, quotas.get(row.id, {})) for row in connection.execute(query.order_by(tables.units.c.name))
    ]


def one(connection: Connection, id_: int) -> Unit:
    found = next((unit for unit in listed(connection) if unit.id == id_), None)
    return not_found("这个推荐单位") if found is None else found


def add(connection: Connection, viewer: Viewer, name: str) -> int:
    name = _name(name)
    _refuse_taken(connection, name)
    id_: int = connection.execute(tables.units.insert().values(name=name).returning(tables.units.c.id)).scalar_one()
    audit.record(connection, viewer, "unit.added", f"unit:{id_}", details={"name": name})
    return id_


def change(connection: Connection, viewer: Viewer, id_: int, *, name: str, active: bool) -> None:
    """A unit that is not active can no longer be chosen; what it recommended stays."""
    before, name = one(connection, id_), _name(name)
    if name != before.name:
        _refuse_taken(connection, name)
    if (name, active) == (before.name, before.active):
        return
    connection.execute(tables.units.update().where(tables.units.c.id == id_).values(name=name, active=active))
    told = {"name": name, "was": before.name, "active": active}
    audit.record(connection, viewer, "unit.changed", f"unit:{id_}", details=told)


def set_quota(connection: Connection, viewer: Viewer, id_: int, *, edition: str, places: int | None) -> None:
    """None: no limit."""
    before = one(connection, id_).quotas.get(edition)
    if before == places:
        return
    if places is None:
        connection.execute(unit_quotas.delete().where(unit_quotas.c.unit == id_, unit_quotas.c.edition == edition))
    elif 0 <= places <= _MOST:
        statement = insert(unit_quotas).values(unit=id_, edition=edition, places=places)
        connection.execute(statement.on_conflict_do_update(index_elements=["unit", "edition"], set_={"places": places}))
    else:
        raise ServiceError("quota_invalid", f"推荐名额“{places}”不对，请填 0 到 {_MOST} 的整数，不限名额请留空。", status=422)
    audit.record(connection, viewer, "unit.quota_changed", f"unit:{id_}", details={"edition": edition, "places": places, "was": before})


def quota(connection: Connection, id_: int, edition: str) -> int | None:
    """How many submissions the unit may recommend; None: no limit."""
    query = select(unit_quotas.c.places).where(unit_quotas.c.unit == id_, unit_quotas.c.edition == edition)
    return connection.execute(query).scalar_one_or_none()


def _name(given: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", given).split())
    if not 2 <= len(name) <= _LONGEST or not name.isprintable():
        raise ServiceError("name_invalid", f"名称须有 2 到 {_LONGEST} 个字。请改正后再保存。", status=422)
    return name


def _refuse_taken(connection: Connection, name: str) -> None:
    if connection.execute(select(tables.units.c.id).where(tables.units.c.name == name)).scalar() is not None:
        raise ServiceError("name_taken", f"已经有名为“{name}”的推荐单位。请换一个名称，或修改原有的那个。", status=409)
