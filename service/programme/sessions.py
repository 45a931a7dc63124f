"""Server-side sessions: a random token in the cookie, its SHA-256 in the database.

A session ends after `IDLE` without use and at its fixed end, whichever comes first, and at once when the account is disabled, its
role changes or its password is set.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, select

from service.database.programme_tables import sessions, users
from service.programme.viewer import Viewer

IDLE = timedelta(hours=2)
_NOTED_EVERY = timedelta(minutes=1)  # a use is written down no more often, so that reading a page writes nothing


@dataclass(frozen=True, slots=True)
class Session:
    """One of an account's sessions, as its owner sees it. `key` names it and opens nothing."""

    key: str
    address: str | None
    agent: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def open_session(connection: Connection, user: int, *, hours: int, address: str | None = None, agent: str | None = None) -> str:
    """The new session's token (256 random bits), which is kept nowhere else."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        sessions.insert().values(
            token_hash=digest(token),
            account=user,
            csrf=secrets.token_urlsafe(32),
            address=address,
            agent=_clean(agent),
            expires_at=datetime.now(UTC) + timedelta(hours=hours),
        )
    )
    return token


def viewer(connection: Connection, token: str, *, address: str | None = None) -> Viewer | None:
    """Whose session it is; None where it is unknown, over, or its account may not sign in any more."""
    row = connection.execute(
        select(users, sessions.c.csrf, (sessions.c.seen_at < func.now() - _NOTED_EVERY).label("stale"))
        .join(sessions, sessions.c.account == users.c.id)
        .where(sessions.c.token_hash == digest(token), _alive(), users.c.active)
    ).one_or_none()
    if row is None:
        return None
    if row.stale:
        _note_use(connection, token)
    return Viewer(row.id, row.name, row.shown, row.role, row.organisation, row.unit, row.csrf, address)


def close_session(connection: Connection, token: str) -> None:
    connection.execute(sessions.delete().where(sessions.c.token_hash == digest(token)))


def of(connection: Connection, user: int) -> list[Session]:
    """Those that are alive, the last used first."""
    query = select(sessions).where(sessions.c.account == user, _alive()).order_by(sessions.c.seen_at.desc())
    return [
        Session(row.token_hash.hex(), row.address, row.agent, row.created_at, row.seen_at, row.expires_at)
        for row in connection.execute(query)
    ]


def close_one(connection: Connection, user: int, key: str) -> bool:
    """Whether there was one of this user's with that key."""
    try:
        token_hash = bytes.fromhex(key)
    except ValueError:
        return False
    return _deleted(connection, and_(sessions.c.account == user, sessions.c.token_hash == token_hash)) > 0


def close_all(connection: Connection, user: int, *, but: str | None = None) -> int:
    """Ends the user's sessions; the one of the token `but` stays. How many were ended."""
    condition = sessions.c.account == user
    return _deleted(connection, condition if but is None else and_(condition, sessions.c.token_hash != digest(but)))


def sweep(connection: Connection) -> int:
    """Deletes those that are over; how many."""
    return _deleted(connection, ~_alive())


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _alive() -> ColumnElement[bool]:
    return and_(sessions.c.expires_at > func.now(), sessions.c.seen_at > func.now() - IDLE)


def _note_use(connection: Connection, token: str) -> None:
    """Another request of the same session may be writing the same: then it need not be written twice, and nobody waits."""
    mine = select(sessions.c.token_hash).where(sessions.c.token_hash == digest(token)).with_for_update(skip_locked=True)
    connection.execute(sessions.update().where(sessions.c.token_hash.in_(mine)).values(seen_at=func.now()))


def _deleted(connection: Connection, condition: ColumnElement[bool]) -> int:
    return connection.execute(sessions.delete().where(condition)).rowcount


def _clean(agent: str | None) -> str | None:
    return "".join(letter for letter in agent or "" if letter.isprintable())[:300] or None
