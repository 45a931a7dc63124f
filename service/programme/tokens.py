"""API tokens: made by their user, shown once, kept as a hash. A token may do what its user may, under /api alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, or_, select

from service.database.programme_tables import api_tokens, users
from service.errors import ServiceError
from service.programme import audit
from service.programme.sessions import digest
from service.programme.viewer import Viewer, not_found

DAYS = (30, 90, 365)
_PREFIX = "biaogan_"  # scanners for forgotten secrets find it by this
_MOST = 20  # of one user at a time
_LONGEST = 60  # characters of a name
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    name: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None

    @property
    def over(self) -> bool:
        return self.expires_at is not None and self.expires_at <= datetime.now(UTC)


def make(connection: Connection, viewer: Viewer, *, name: str, days: int) -> str:
    """The token, which is kept nowhere else."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= _LONGEST or not name.isprintable():
        raise ServiceError("name_invalid", f"请给令牌起一个 1 到 {_LONGEST} 个字的名称，例如“汇总脚本”。", status=422)
    if days not in DAYS:
        raise ServiceError("token_days", f"有效期请从 {'、'.join(map(str, DAYS))} 天中选择。", status=422)
    if len(of(connection, viewer)) >= _MOST:
        raise ServiceError("too_many_tokens", f"最多同时有 {_MOST} 个令牌。请先撤销不用的。", status=409)
    token = _PREFIX + secrets.token_urlsafe(32)
    values = {"account": viewer.id, "name": name, "token_hash": digest(token), "expires_at": datetime.now(UTC) + timedelta(days=days)}
    id_ = connection.execute(api_tokens.insert().values(values).returning(api_tokens.c.id)).scalar_one()
    audit.record(connection, viewer, "token.made", f"user:{viewer.id}", details={"token": id_, "name": name, "days": days})
    return token


def of(connection: Connection, viewer: Viewer) -> list[Token]:
    """The viewer's own that were not revoked, the newest first."""
    mine = (api_tokens.c.account == viewer.id) & api_tokens.c.revoked_at.is_(None)
    rows = connection.execute(select(api_tokens).where(mine).order_by(api_tokens.c.id.desc()))
    return [Token(row.id, row.name, row.created_at, row.expires_at, row.used_at) for row in rows]


def revoke(connection: Connection, viewer: Viewer, id_: int) -> None:
    mine = (api_tokens.c.id == id_) & (api_tokens.c.account == viewer.id) & api_tokens.c.revoked_at.is_(None)
    name = connection.execute(api_tokens.update().where(mine).values(revoked_at=func.now()).returning(api_tokens.c.name)).scalar()
    if name is None:
        not_found("这个令牌")
    audit.record(connection, viewer, "token.revoked", f"user:{viewer.id}", details={"token": id_, "name": name})


def revoke_all(connection: Connection, account: int) -> None:
    """When a password is set anew or the account is disabled: whoever made a token knew the old one."""
    mine = (api_tokens.c.account == account) & api_tokens.c.revoked_at.is_(None)
    connection.execute(api_tokens.update().where(mine).values(revoked_at=func.now()))


def viewer(connection: Connection, token: str, *, address: str | None = None) -> Viewer | None:
    """Whose token it is; None where it is unknown, over, or its account may not sign in any more."""
    row = connection.execute(
        select(users, api_tokens.c.id.label("token"), api_tokens.c.used_at)
        .join(api_tokens, api_tokens.c.account == users.c.id)
        .where(
            api_tokens.c.token_hash == digest(token),
            api_tokens.c.revoked_at.is_(None),
            or_(api_tokens.c.expires_at.is_(None), api_tokens.c.expires_at > func.now()),
            users.c.active,
        )
    ).one_or_none()
    if row is None:
        return None
    if row.used_at is None or row.used_at < datetime.now(UTC) - _NOTED_EVERY:
        mine = select(api_tokens.c.id).where(api_tokens.c.id == row.token).with_for_update(skip_locked=True)
        connection.execute(api_tokens.update().where(api_tokens.c.id.in_(mine)).values(used_at=func.now()))
    return Viewer(row.id, row.name, row.shown, row.role, row.organisation, row.unit, "", address)
