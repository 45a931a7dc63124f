"""Signing in and out: by password, by a link, by OpenID Connect."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select

from service.database.programme_tables import users
from service.programme import audit, links, passwords, sessions, throttle
from service.programme.accounts import folded
from service.programme.sessions import digest
from service.programme.viewer import Viewer

NOBODY = Viewer(None, "", "未登录者", "applicant")  # who tries to sign in, in the record
_TRIES, _PAUSE = 10, 0.2  # seconds between them, while another sign-in with the same name is under way
_WRONG = "登录名或密码不对。请核对大小写和中英文输入法后再试；忘记密码请联系管理员。"


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a sign-in ended: `user`, or a Chinese `message` and how long to wait before the next one."""

    user: int | None = None
    message: str = ""
    seconds: int = 0


def attempt(connection: Connection, name: str, password: str, *, address: str | None) -> Attempt:
    """Tries a name and password. Nothing is raised for a wrong one: the failure has to be committed.

    An unknown name, a wrong password, an account without one and one that is disabled are answered alike and take as long.
    """
    name, where = folded(name)[:64], address or ""
    if not _alone(connection, name):
        return Attempt(message="有人正用这个登录名登录。请稍等几秒再试。", seconds=2)
    wait = throttle.seconds_to_wait(connection, name, where)
    if wait:
        return Attempt(message=throttle.told(wait), seconds=wait)
    row = connection.execute(select(users).where(users.c.name == name)).one_or_none()
    right, better = passwords.verify(password, None if row is None else row.password)
    if row is None or not right or not row.active:
        throttle.failed(connection, name, where)
        # What was typed as a name may be a password: names that no account has are not kept for good.
        known = None if row is None else f"user:{row.id}"
        audit.record(connection, replace(NOBODY, address=address), "user.sign_in_failed", known)
        return Attempt(message=_WRONG, seconds=throttle.seconds_to_wait(connection, name, where))
    throttle.forget(connection, name)
    if better is not None:
        connection.execute(users.update().where(users.c.id == row.id).values(password=better))
    return Attempt(user=row.id)


def enter(connection: Connection, id_: int, *, by: str, hours: int, address: str | None, agent: str | None) -> str:
    """Signs the account in: the token of a new session. `by`: password, link, demo, oidc or registration."""
    _sweep(connection)
    token = sessions.open_session(connection, id_, hours=hours, address=address, agent=agent)
    noted = users.update().where(users.c.id == id_).values(signed_in_at=func.now())
    row = connection.execute(noted.returning(users.c.name, users.c.shown, users.c.role)).one()
    who = Viewer(id_, row.name, row.shown, row.role, address=address)
    audit.record(connection, who, "user.signed_in", f"user:{id_}", details={"by": by})
    return token


def leave(connection: Connection, viewer: Viewer, token: str) -> None:
    sessions.close_session(connection, token)
    audit.record(connection, viewer, "user.signed_out", f"user:{viewer.id}")


def by_subject(connection: Connection, *, subject: str, email: str | None, address: str | None) -> int | None:
    """The account of an OpenID Connect identity: the one it is bound to, or else the only active one with this (verified) e-mail that
    an administrator made and that is bound to no identity yet. Nobody makes an account by signing in.
    """
    bound = connection.execute(select(users.c.id, users.c.active).where(users.c.subject == subject)).one_or_none()
    if bound is not None:
        return bound.id if bound.active else None
    if not email:
        return None
    free = select(users).where(func.lower(users.c.email) == email.lower(), users.c.active, users.c.subject.is_(None)).limit(2)
    found = connection.execute(free.with_for_update()).all()
    if len(found) != 1:
        return None
    connection.execute(users.update().where(users.c.id == found[0].id).values(subject=subject, changed_at=func.now()))
    who = Viewer(found[0].id, found[0].name, found[0].shown, found[0].role, address=address)
    audit.record(connection, who, "user.identity_bound", f"user:{who.id}")
    return who.id


def _alone(connection: Connection, name: str) -> bool:
    """Whether nobody else is trying this name just now: tries at the same moment would not see each other's failures."""
    key = int.from_bytes(digest(f"sign-in {name}")[:8], "big", signed=True)
    for number in range(_TRIES):
        if number:
            time.sleep(_PAUSE)
        if connection.execute(select(func.pg_try_advisory_xact_lock(key))).scalar_one():
            return True
    return False


def _sweep(connection: Connection) -> None:
    sessions.sweep(connection)
    throttle.sweep(connection)
    links.sweep(connection)
