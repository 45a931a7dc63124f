"""Accounts: who may sign in and as what. Administrators make and change them; who holds one sets his own password."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn, get_args

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, true
from sqlalchemy.dialects.postgresql import insert

from service.database.programme_tables import one_time_links, units, users
from service.errors import ServiceError
from service.programme import audit, links, passwords, sessions, throttle, tokens
from service.programme.viewer import Role, Viewer, not_found

ROLES = get_args(Role)
_LONGEST = {"shown": 40, "organisation": 120, "email": 200}  # characters
_NAME = re.compile(r"[\w.@-]{2,64}")
_EMAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\".]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an administrator fills in."""

    name: str
    role: str
    shown: str = ""  # "": the name
    organisation: str | None = None
    credit_code: str | None = None  # already checked (service/credit_code.py)
    unit: int | None = None  # needed for the role unit, left out for others
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    name: str
    shown: str
    role: Role
    organisation: str | None
    credit_code: str | None
    unit: int | None
    unit_name: str | None
    email: str | None
    active: bool
    has_password: bool
    has_subject: bool  # signs in by OpenID Connect
    created_at: datetime
    signed_in_at: datetime | None

    @property
    def state(self) -> str:
        """active, disabled, or invited: nobody has signed in with it yet."""
        if not self.active:
            return "disabled"
        return "active" if self.has_password or self.has_subject else "invited"


@dataclass(frozen=True, slots=True)
class Filter:
    text: str = ""  # part of the name, what is shown, the organisation or the e-mail
    role: str = ""
    state: str = ""  # active, invited, disabled


# --- reading ------------------------------------------------------------------------------------------------------------------------


def listed(connection: Connection, viewer: Viewer, wanted: Filter, *, limit: int, offset: int = 0) -> tuple[list[Account], int]:
    """Accounts by name, and how many there are in all."""
    _need_admin(viewer)
    condition = _narrowed(wanted)
    total = connection.execute(select(func.count()).select_from(users).where(condition)).scalar_one()
    rows = connection.execute(_query().where(condition).order_by(users.c.name).limit(limit).offset(offset))
    return [_account(row) for row in rows], total


def one(connection: Connection, viewer: Viewer, id_: int) -> Account:
    """For administrators, and for everyone his own."""
    if viewer.id != id_:
        _need_admin(viewer)
    row = connection.execute(_query().where(users.c.id == id_)).one_or_none()
    return not_found("这个账号") if row is None else _account(row)


def by_name(connection: Connection, viewer: Viewer, name: str) -> Account:
    _need_admin(viewer)
    row = connection.execute(_query().where(users.c.name == folded(name))).one_or_none()
    if row is None:
        raise ServiceError("account_unknown", f"没有登录名为“{name}”的账号。请运行 biaogan user list 查看。", status=404)
    return _account(row)


# --- administration -----------------------------------------------------------------------------------------------------------------


def add(connection: Connection, viewer: Viewer, wanted: Wanted) -> int:
    """The new account's id. It has no password: make a link (links.make) and hand it to its owner."""
    _need_admin(viewer)
    values = _checked(connection, wanted)
    id_ = _insert(connection, values)
    told = {name: values[name] for name in ("name", "shown", "role", "organisation", "unit")}
    audit.record(connection, viewer, "user.added", f"user:{id_}", details=told)
    return id_


def change(connection: Connection, viewer: Viewer, id_: int, wanted: Wanted) -> None:
    """All but the name. Where role or unit change, the account's sessions end at once: what was open was opened with other rights."""
    _need_admin(viewer)
    before = one(connection, viewer, id_)
    values = _checked(connection, replace(wanted, name=before.name), known=id_)
    if before.role == "admin" and values["role"] != "admin":
        _keep_an_admin(connection, viewer, before, "改为其他角色")
    told = {name: value for name, value in values.items() if value != getattr(before, name)}
    if not told:
        return
    connection.execute(users.update().where(users.c.id == id_).values(**values, changed_at=func.now()))
    if {"role", "unit"} & set(told):
        sessions.close_all(connection, id_)
    shown = {**told, "email": "（已改）"} if "email" in told else told
    audit.record(connection, viewer, "user.changed", f"user:{id_}", details={**shown, "was_role": before.role})


def disable(connection: Connection, viewer: Viewer, id_: int) -> None:
    """From now on nobody is signed in with it; its links and API tokens open nothing any more."""
    _need_admin(viewer)
    account = one(connection, viewer, id_)
    if account.role == "admin":
        _keep_an_admin(connection, viewer, account, "停用")
    connection.execute(users.update().where(users.c.id == id_).values(active=False, changed_at=func.now()))
    sessions.close_all(connection, id_)
    tokens.revoke_all(connection, id_)
    connection.execute(one_time_links.delete().where(one_time_links.c.account == id_))
    audit.record(connection, viewer, "user.disabled", f"user:{id_}", details={"name": account.name})


def enable(connection: Connection, viewer: Viewer, id_: int) -> None:
    _need_admin(viewer)
    account = one(connection, viewer, id_)
    connection.execute(users.update().where(users.c.id == id_).values(active=True, changed_at=func.now()))
    audit.record(connection, viewer, "user.enabled", f"user:{id_}", details={"name": account.name})


def _keep_an_admin(connection: Connection, viewer: Viewer, account: Account, what: str) -> None:
    if viewer.id == account.id:
        raise ServiceError("own_account", f"不能把自己的账号{what}。请由另一位管理员操作。", status=409)
    able = and_(users.c.role == "admin", users.c.active, or_(users.c.password.is_not(None), users.c.subject.is_not(None)))
    others = select(users.c.id).where(able, users.c.id != account.id).order_by(users.c.id).with_for_update()
    if account.state == "active" and not connection.execute(others).all():
        raise ServiceError("last_admin", f"这是唯一能登录的管理员，不能{what}。请先另设一位管理员。", status=409)


def _need_admin(viewer: Viewer) -> None:
    if viewer.role != "admin":
        raise ServiceError("forbidden", "只有管理员能管理账号。", status=403)


def _checked(connection: Connection, wanted: Wanted, *, known: int | None = None) -> dict[str, Any]:
    """The columns of an account; ServiceError where they make no sense."""
    name = folded(wanted.name)
    if known is None:
        _refuse_name(connection, name)
    if wanted.role not in ROLES:
        raise ServiceError("role_unknown", f"没有角色“{wanted.role}”，可选：{'、'.join(ROLES)}。", status=422)
    unit = wanted.unit if wanted.role == "unit" else None
    if wanted.role == "unit" and (unit is None or connection.execute(select(units.c.id).where(units.c.id == unit)).scalar() is None):
        raise ServiceError("unit_missing", "推荐单位的账号要选定一个推荐单位。请先建立推荐单位，再选它。", status=422)
    email = _text("email", "电子邮箱", wanted.email)
    values = {
        "name": name,
        "shown": _text("shown", "显示名称", wanted.shown) or wanted.name.strip(),
        "role": wanted.role,
        "organisation": _text("organisation", "单位名称", wanted.organisation),
        "credit_code": wanted.credit_code,
        "unit": unit,
        "email": email,
    }
    if email and not _EMAIL.fullmatch(email):
        raise ServiceError("email_invalid", f"电子邮箱“{email}”不对，请写成 name@example.com 的样子，或留空。", status=422)
    return values


def _insert(connection: Connection, values: Mapping[str, Any]) -> int:
    statement = insert(users).values(values).on_conflict_do_nothing(index_elements=["name"]).returning(users.c.id)
    id_: int | None = connection.execute(statement).scalar()
    return _refuse_taken(values["name"]) if id_ is None else id_


def _refuse_taken(name: str) -> NoReturn:
    raise ServiceError("name_taken", f"登录名“{name}”已被使用。请换一个。", status=409)


def _refuse_name(connection: Connection, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ServiceError("name_invalid", "登录名须有 2 到 64 个字，可用汉字、字母、数字和 . _ - @，不能有空格。", status=422)
    if connection.execute(select(users.c.id).where(users.c.name == name)).scalar() is not None:
        _refuse_taken(name)


def _text(field_: str, label: str, given: str | None) -> str | None:
    text = " ".join(unicodedata.normalize("NFC", given or "").split())
    if len(text) > _LONGEST[field_] or not text.isprintable():
        told = f"{label}最多 {_LONGEST[field_]} 个字，不能有控制字符。请改正后再保存。"
        raise ServiceError("text_too_long", told, status=422)
    return text or None


# --- one's own account --------------------------------------------------------------------------------------------------------------


def register(connection: Connection, wanted: Wanted, password: str, *, address: str | None) -> int:
    """An applicant makes his own account (only where the settings allow it)."""
    values = _checked(connection, replace(wanted, role="applicant"))
    if not values["organisation"] or not values["credit_code"]:
        raise ServiceError("organisation_missing", "请填写单位全称和统一社会信用代码。", status=422)
    passwords.refuse_weak(password, own=(values["name"], values["shown"], values["organisation"]))
    values["password"] = passwords.hashed(password)
    id_ = _insert(connection, values)
    who = Viewer(id_, values["name"], values["shown"], "applicant", address=address)
    audit.record(
        connection, who, "user.registered", f"user:{id_}", details={"name": values["name"], "organisation": values["organisation"]}
    )
    return id_


def set_by_link(connection: Connection, token: str, password: str, *, address: str | None) -> int | None:
    """The account whose password was set; None where the link is used up or over. ServiceError where the password is weak."""
    link = links.look(connection, token)
    if link is None:
        return None
    passwords.refuse_weak(password, own=(link.name, link.shown, link.organisation))
    kept = passwords.hashed(password)
    if links.use(connection, token) is None:
        return None
    _set(connection, link.account, kept)
    tokens.revoke_all(connection, link.account)
    who = Viewer(link.account, link.name, link.shown, "applicant", address=address)
    audit.record(connection, who, "user.password_set", f"user:{link.account}", details={"by": "link"})
    return link.account


def change_password(connection: Connection, viewer: Viewer, *, old: str, new: str) -> str | None:
    """None when it was changed (every session of the account has ended, also this one); otherwise, in Chinese, why it was not.

    Wrong old passwords count like wrong sign-ins: a session left open is no way to guess.
    """
    row = connection.execute(select(users).where(users.c.id == viewer.id)).one()
    wait = throttle.seconds_to_wait(connection, row.name, viewer.address or "")
    if wait:
        return throttle.told(wait)
    if not passwords.verify(old, row.password)[0]:
        throttle.failed(connection, row.name, viewer.address or "")
        return "现在的密码不对。请重新输入。"
    passwords.refuse_weak(new, own=(row.name, row.shown, row.organisation))
    _set(connection, row.id, passwords.hashed(new))
    throttle.forget(connection, row.name)
    audit.record(connection, viewer, "user.password_set", f"user:{row.id}", details={"by": "self"})
    return None


def _set(connection: Connection, id_: int, kept: str) -> None:
    connection.execute(users.update().where(users.c.id == id_).values(password=kept, changed_at=func.now()))
    sessions.close_all(connection, id_)
    connection.execute(one_time_links.delete().where(one_time_links.c.account == id_, one_time_links.c.purpose == "password"))


def folded(name: str) -> str:
    """As names are kept: they differ by more than capitals, width or blanks around them."""
    return unicodedata.normalize("NFKC", name.encode("utf-8", "replace").decode()).strip().casefold().replace("\x00", "")


# --- rows ---------------------------------------------------------------------------------------------------------------------------


def _query() -> Select[Any]:
    return select(users, units.c.name.label("unit_name")).outerjoin(units, units.c.id == users.c.unit)


def _narrowed(wanted: Filter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if wanted.text.strip():
        columns = (users.c.name, users.c.shown, users.c.organisation, users.c.email)
        conditions.append(or_(*(column.icontains(wanted.text.strip(), autoescape=True) for column in columns)))
    if wanted.role:
        conditions.append(users.c.role == wanted.role)
    able = or_(users.c.password.is_not(None), users.c.subject.is_not(None))
    states = {"disabled": ~users.c.active, "active": and_(users.c.active, able), "invited": and_(users.c.active, ~able)}
    if wanted.state in states:
        conditions.append(states[wanted.state])
    return and_(*conditions)


def _account(row: Row[Any]) -> Account:
    plain = ("id", "name", "shown", "role", "organisation", "credit_code", "unit", "unit_name", "email", "active", "created_at")
    return Account(
        **{name: getattr(row, name) for name in plain},
        has_password=row.password is not None,
        has_subject=row.subject is not None,
        signed_in_at=row.signed_in_at,
    )
