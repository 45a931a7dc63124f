"""API tokens: made by their user, shown once, kept as a hash."""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select

from service.database.programme_tables import api_tokens, users
from service.programme.sessions import digest
from service.programme.viewer import Viewer


def viewer(connection: Connection, token: str, *, address: str | None = None) -> Viewer | None:
    """Whose token it is; None where it is unknown, over, or its account may not sign in any more."""
    row = connection.execute(
        select(users)
        .join(api_tokens, api_tokens.c.account == users.c.id)
        .where(
            api_tokens.c.token_hash == digest(token),
            api_tokens.c.revoked_at.is_(None),
            or_(api_tokens.c.expires_at.is_(None), api_tokens.c.expires_at > func.now()),
            users.c.active,
        )
    ).one_or_none()
    return None if row is None else Viewer(row.id, row.name, row.shown, row.role, row.organisation, row.unit, "", address)
