"""One-time links: with one the holder sets the password of an account. Shown once to whoever made it, kept as a hash.

A link of purpose `demo` signs in without a password, as often as one likes until it expires; `biaogan demo` alone makes them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, select, text

from service.database.programme_tables import one_time_links as links
from service.database.programme_tables import users
from service.programme import audit, throttle
from service.programme.sessions import digest
from service.programme.viewer import SYSTEM, Viewer, not_found

HOURS = 72
_DEMO_HOURS = 24
_LOCK = 0x62_69_61_6F_31_73_74  # "biao1st": two processes that start at once make one administrator


@dataclass(frozen=True, slots=True)
class Link:
    account: int
    name: str
    shown: str
    organisation: str | None
    expires_at: datetime


def make(connection: Connection, viewer: Viewer, account: int) -> str:
    """The new link's token; earlier ones of the account open nothing any more, and a throttled name may try at once."""
    name = connection.execute(select(users.c.name).where(users.c.id == account, users.c.active)).scalar()
    if name is None:
        not_found("这个账号（或它已停用）")
    connection.execute(links.delete().where(links.c.account == account, links.c.purpose == "password"))
    throttle.forget(connection, name)
    token = _add(connection, account, "password", timedelta(hours=HOURS))
    audit.record(connection, viewer, "user.link_made", f"user:{account}", details={"name": name, "hours": HOURS})
    return token


def demo(connection: Connection, account: int) -> str:
    """A token for /demo/{token}. Only for accounts made of invented data."""
    token = _add(connection, account, "demo", timedelta(hours=_DEMO_HOURS))
    audit.record(connection, SYSTEM, "user.demo_link_made", f"user:{account}", details={"hours": _DEMO_HOURS})
    return token


def look(connection: Connection, token: str, *, purpose: str = "password") -> Link | None:
    """What the link is for; None where it is unknown, used, over, or its account is disabled. Looking does not use it."""
    row = connection.execute(
        select(users.c.id, users.c.name, users.c.shown, users.c.organisation, links.c.expires_at)
        .join(links, links.c.account == users.c.id)
        .where(_alive(token, purpose), users.c.active)
    ).one_or_none()
    return None if row is None else Link(*row)


def use(connection: Connection, token: str) -> int | None:
    """The account, for the first who asks; None for everybody after him."""
    used = links.update().where(_alive(token, "password")).values(used_at=func.now()).returning(links.c.account)
    return connection.execute(used).scalar()


def sweep(connection: Connection) -> None:
    connection.execute(links.delete().where(links.c.expires_at < datetime.now(UTC)))


def is_demonstration(connection: Connection) -> bool:
    """Whether links of a demonstration are alive: its administrator needs no other."""
    alive = select(links.c.account).where(links.c.purpose == "demo", links.c.used_at.is_(None), links.c.expires_at > func.now())
    return connection.execute(alive.limit(1)).first() is not None


def first_link(connection: Connection) -> str | None:
    """A link for the first administrator, made when nobody could sign in as one yet; None otherwise."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    admins = connection.execute(select(users).where(users.c.role == "admin", users.c.active).order_by(users.c.id)).all()
    if any(admin.password is not None or admin.subject is not None for admin in admins):
        return None
    if admins:
        return make(connection, SYSTEM, admins[0].id)
    taken = set(connection.execute(select(users.c.name).where(users.c.name.startswith("admin"))).scalars())
    name = next(name for name in ("admin", *(f"admin{number}" for number in range(2, 10_000))) if name not in taken)
    values = {"name": name, "shown": "管理员", "role": "admin"}
    id_: int = connection.execute(users.insert().values(values).returning(users.c.id)).scalar_one()
    audit.record(connection, SYSTEM, "user.added", f"user:{id_}", details=values)
    return make(connection, SYSTEM, id_)


def _add(connection: Connection, account: int, purpose: str, life: timedelta) -> str:
    token = secrets.token_urlsafe(32)
    values = {"token_hash": digest(token), "account": account, "purpose": purpose, "expires_at": datetime.now(UTC) + life}
    connection.execute(links.insert().values(values))
    return token


def _alive(token: str, purpose: str) -> ColumnElement[bool]:
    named = and_(links.c.token_hash == digest(token), links.c.purpose == purpose)
    return and_(named, links.c.used_at.is_(None), links.c.expires_at > func.now())
