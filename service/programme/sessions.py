"""Server-side sessions: a random token in the cookie, its SHA-256 in the database."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

from service.database.programme_tables import sessions, users
from service.programme.viewer import Viewer


def open_session(connection: Connection, user: int, *, hours: int, address: str | None = None, agent: str | None = None) -> str:
    """The new session's token, which is kept nowhere else."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        sessions.insert().values(
            token_hash=digest(token),
            account=user,
            csrf=secrets.token_urlsafe(24),
            address=address,
            agent=(agent or "")[:300] or None,
            expires_at=datetime.now(UTC) + timedelta(hours=hours),
        )
    )
    return token


def viewer(connection: Connection, token: str, *, address: str | None = None) -> Viewer | None:
    """Whose session it is; None where it is unknown, over, or its account may not sign in any more."""
    row = connection.execute(
        select(users, sessions.c.csrf)
        .join(sessions, sessions.c.account == users.c.id)
        .where(sessions.c.token_hash == digest(token), sessions.c.expires_at > func.now(), users.c.active)
    ).one_or_none()
    if row is None:
        return None
    return Viewer(row.id, row.name, row.shown, row.role, row.organisation, row.unit, row.csrf, address)


def close_session(connection: Connection, token: str) -> None:
    connection.execute(sessions.delete().where(sessions.c.token_hash == digest(token)))


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
