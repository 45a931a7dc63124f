"""The record of who did what when: append-only, each row's hash taking in the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select, text

from service.database.programme_tables import events
from service.programme.viewer import Viewer

_LOCK = 0x62_69_61_6F_6C_6F_67  # "biaolog": one writer at a time, so that the chain has no forks


def record(
    connection: Connection, viewer: Viewer, action: str, object_: str | None = None, *, details: Mapping[str, Any] | None = None
) -> None:
    """Adds an event in the caller's transaction; the chain is locked until that ends, so call it late."""
    hold(connection)
    previous = connection.execute(select(events.c.hash).order_by(events.c.id.desc()).limit(1)).scalar()
    at = connection.execute(select(func.clock_timestamp())).scalar_one()
    row = {
        "at": at,
        "actor": viewer.id,
        "actor_name": viewer.shown,
        "address": viewer.address,
        "action": action,
        "object": object_,
        "details": dict(details or {}),
    }
    connection.execute(events.insert().values(**row, previous=previous, hash=_digest(previous, row)))


def hold(connection: Connection) -> None:
    """Takes the chain's lock until the transaction ends: for who must be alone from before his first change on (submission numbers)."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _digest(previous: bytes | None, row: Mapping[str, Any]) -> bytes:
    told = json.dumps({**row, "at": row["at"].isoformat()}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((previous or b"") + told.encode()).digest()
