"""The record of who did what when: append-only, each row's hash taking in the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, func, select, text

from service.database.migrate import current
from service.database.programme_tables import events
from service.database.tables import REVISION
from service.programme.viewer import Viewer

_LOCK = 0x62_69_61_6F_6C_6F_67  # "biaolog": one writer at a time, so that the chain has no forks
_CHUNK = 2000  # rows fetched at once
_HASHED = ("at", "actor", "actor_name", "address", "action", "object", "details")


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    at: datetime
    actor: int | None  # None: the system, or nobody who is known
    actor_name: str
    address: str | None
    action: str
    object: str | None
    details: Mapping[str, Any]
    previous: bytes | None
    hash: bytes


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the record to look at; what is None does not narrow."""

    actor: str | None = None  # part of the name that was shown
    action: str | None = None  # "user.signed_in", or "user." for all of a kind
    object: str | None = None  # "submission:12", exactly
    since: datetime | None = None
    until: datetime | None = None  # not included


@dataclass(frozen=True, slots=True)
class Chain:
    """What `verify` found: `broken` is the first event that is not as it was written, or stands after a gap."""

    events: int
    last: bytes | None  # hash of the newest event: kept elsewhere, it proves that the end was not cut off
    broken: int | None = None


def record(
    connection: Connection, viewer: Viewer, action: str, object_: str | None = None, *, details: Mapping[str, Any] | None = None
) -> None:
    """Adds an event in the caller's transaction; the chain is locked until that ends, so call it late.

    `details` are small and hold no text of documents. Numbers with a fraction and dates are kept as texts.
    """
    hold(connection)
    previous = connection.execute(select(events.c.hash).order_by(events.c.id.desc()).limit(1)).scalar()
    at = connection.execute(select(func.clock_timestamp())).scalar_one()
    row = {
        "at": at,
        "actor": viewer.id,
        "actor_name": _plain(viewer.shown),
        "address": _plain(viewer.address),
        "action": action,
        "object": _plain(object_),
        "details": _plain(details or {}),
    }
    connection.execute(events.insert().values(**row, previous=previous, hash=_digest(previous, row)))


def hold(connection: Connection) -> None:
    """Takes the chain's lock until the transaction ends: for who must be alone from before his first change on (submission numbers)."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _plain(value: Any) -> Any:
    """As JSON and PostgreSQL give it back: otherwise the hash of what is read would not be that of what was written."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Mapping):
        return {str(_plain(str(key))): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    return str(value).encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _digest(previous: bytes | None, row: Mapping[str, Any]) -> bytes:
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    told = json.dumps({**row, "at": at}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((previous or b"") + told.encode()).digest()


# --- reading ------------------------------------------------------------------------------------------------------------------------


def listed(connection: Connection, wanted: Filter, *, limit: int, before: int | None = None) -> list[Event]:
    """The newest first; `before` an id, for the next page."""
    query = _narrowed(wanted).order_by(events.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(events.c.id < before)
    return [_event(row) for row in connection.execute(query)]


def every(connection: Connection, wanted: Filter) -> Generator[Event]:
    """The oldest first, without holding them all."""
    query = _narrowed(wanted).order_by(events.c.id).execution_options(yield_per=_CHUNK)
    with connection.execute(query) as rows:
        for row in rows:
            yield _event(row)


def count(connection: Connection, wanted: Filter) -> int:
    found: int = connection.execute(select(func.count()).select_from(_narrowed(wanted).subquery())).scalar_one()
    return found


def actions(connection: Connection) -> list[str]:
    """Those that occur."""
    return list(connection.execute(select(events.c.action).distinct().order_by(events.c.action)).scalars())


def recent(connection: Connection, action: str, *, address: str | None, hours: int) -> int:
    """How often it was done from this address of late."""
    here = events.c.address.is_(None) if address is None else events.c.address == address
    since = func.now() - timedelta(hours=hours)
    query = select(func.count()).where(events.c.action == action, here, events.c.at > since)
    found: int = connection.execute(query).scalar_one()
    return found


def verify(connection: Connection) -> Chain:
    """Computes every hash anew. What it cannot see is a record whose end was cut off: compare `last` with one noted earlier."""
    seen, last = 0, None
    with closing(every(connection, Filter())) as found:
        for event in found:
            if event.previous != last or event.hash != _digest(last, {name: getattr(event, name) for name in _HASHED}):
                break
            seen, last = seen + 1, event.hash
        else:
            return Chain(seen, last)
    return Chain(count(connection, Filter()), last, event.id)


def look(engine: Engine) -> Chain | None:
    """`verify` for who does not know the state of the tables: None where they are not up to date."""
    with engine.connect() as connection:
        return verify(connection) if current(connection) == REVISION else None


def _narrowed(wanted: Filter) -> Select[Any]:
    query = select(events)
    if wanted.actor:
        query = query.where(events.c.actor_name.icontains(wanted.actor, autoescape=True))
    if wanted.action:
        kind = events.c.action.startswith(wanted.action, autoescape=True)
        query = query.where(kind if wanted.action.endswith(".") else events.c.action == wanted.action)
    if wanted.object:
        query = query.where(events.c.object == wanted.object)
    if wanted.since is not None:
        query = query.where(events.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(events.c.at < wanted.until)
    return query


def _event(row: Row[Any]) -> Event:
    return Event(**{name: getattr(row, name) for name in Event.__dataclass_fields__})
