"""Files that rows name, kept and let go: what someone is just uploading is never deleted because someone else lets go of the same bytes."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import Connection, func, or_, select

from service.database.files import Files
from service.database.tables import FILES


def keep(connection: Connection, files: Files, data: bytes) -> str:
    """Stores the bytes and gives their SHA-256; until the transaction ends nobody deletes them, so name them in a row before that."""
    name = sha256(data).hexdigest()
    connection.execute(select(func.pg_advisory_xact_lock_shared(_lock(name))))
    return files.put(data)


def hold(connection: Connection, names: Iterable[str]) -> None:
    """Waits for whoever is uploading the same bytes, and makes others wait; before any row is locked that an upload locks as well."""
    for name in sorted(set(names)):
        connection.execute(select(func.pg_advisory_xact_lock(_lock(name))))


def let_go(connection: Connection, files: Files, names: Iterable[str]) -> int:
    """Deletes those files that no row names any more (call it after the rows are deleted); how many."""
    wanted = sorted(set(names))
    hold(connection, wanted)
    gone = 0
    for name in wanted:
        named = or_(*(select(column).where(column == name).exists() for column in FILES))
        if not connection.execute(select(named)).scalar_one():
            files.delete(name)
            gone += 1
    return gone


def _lock(name: str) -> int:
    """Of the file, among PostgreSQL's advisory locks: 63 bits of its hash."""
    return int(name[:16], 16) >> 1
