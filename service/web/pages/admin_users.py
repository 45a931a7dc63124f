"""/admin/users: who may sign in and as what. A new account gets a one-time link, which is shown once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from service.credit_code import credit_code
from service.errors import ServiceError
from service.programme import accounts, links, sessions, units
from service.programme.accounts import Account, Wanted
from service.programme.viewer import Viewer
from service.web import context

router = APIRouter(prefix="/users")
_ON_A_PAGE = 100
_MENDABLE = frozenset({409, 422, 400})


class Fields(BaseModel):
    """What the form sends; everything is checked by accounts.py."""

    name: str = ""
    role: str = ""
    shown: str = ""
    organisation: str = ""
    code: str = ""  # 统一社会信用代码
    unit: str = ""
    email: str = ""

    def wanted(self) -> Wanted:
        code = credit_code(self.code) if self.code.strip() else None
        unit = int(self.unit) if self.unit.isascii() and self.unit.isdigit() and len(self.unit) < 10 else None
        return Wanted(self.name, self.role, self.shown, self.organisation, code, unit, self.email)


@router.get("")
def listed(
    request: Request,
    db: context.Db,
    viewer: context.Admin,
    q: str = "",
    role: str = "",
    state: str = "",
    page: context.Page = 1,
) -> HTMLResponse:
    wanted = accounts.Filter(q, role, state)
    found, total = accounts.listed(db, viewer, wanted, limit=_ON_A_PAGE, offset=(page - 1) * _ON_A_PAGE)
    pages = max(1, -(-total // _ON_A_PAGE))
    return context.page(request, "admin/users.html.j2", accounts=found, total=total, wanted=wanted, page=page, pages=pages)


@router.get("/new")
def new(request: Request, db: context.Db, _viewer: context.Admin) -> HTMLResponse:
    return _form(request, db, None, Fields(role="office"))


@router.post("/new")
def add(request: Request, db: context.Db, viewer: context.Admin, fields: Annotated[Fields, Form()]) -> HTMLResponse:
    try:
        id_ = accounts.add(db, viewer, fields.wanted())
    except ServiceError as error:
        return _form(request, db, None, fields, wrong=_mendable(error))
    return _one(request, db, viewer, id_, link=links.make(db, viewer, id_))


@router.get("/{user}")
def one(request: Request, user: context.Id, db: context.Db, viewer: context.Admin) -> HTMLResponse:
    return _one(request, db, viewer, user)


@router.post("/{user}/link")
def make_link(request: Request, user: context.Id, db: context.Db, viewer: context.Admin) -> HTMLResponse:
    return _one(request, db, viewer, user, link=links.make(db, viewer, user))


@router.get("/{user}/edit")
def edit(request: Request, user: context.Id, db: context.Db, viewer: context.Admin) -> HTMLResponse:
    account = accounts.one(db, viewer, user)
    given = {name: getattr(account, name) or "" for name in ("name", "role", "shown", "organisation", "email")}
    return _form(request, db, account, Fields(**given, code=account.credit_code or "", unit=str(account.unit or "")))


@router.post("/{user}/edit")
def change(request: Request, user: context.Id, db: context.Db, viewer: context.Admin, fields: Annotated[Fields, Form()]) -> Response:
    account = accounts.one(db, viewer, user)
    try:
        accounts.change(db, viewer, user, fields.wanted())
    except ServiceError as error:
        return _form(request, db, account, fields, wrong=_mendable(error))
    return context.redirect(request, f"/admin/users/{user}", flash="已保存。")


@router.post("/{user}/disable")
def disable(request: Request, user: context.Id, db: context.Db, viewer: context.Admin) -> Response:
    accounts.disable(db, viewer, user)
    return context.redirect(request, f"/admin/users/{user}", flash="账号已停用，正在进行的登录已全部退出。")


@router.post("/{user}/enable")
def enable(request: Request, user: context.Id, db: context.Db, viewer: context.Admin) -> Response:
    accounts.enable(db, viewer, user)
    return context.redirect(request, f"/admin/users/{user}", flash="账号已恢复，可以用原来的密码登录。")


def _one(request: Request, db: context.Db, viewer: Viewer, id_: int, *, link: str = "") -> HTMLResponse:
    """`link`: the token of a new link, shown this once."""
    values: dict[str, Any] = {"account": accounts.one(db, viewer, id_), "sessions": sessions.of(db, id_), "hours": links.HOURS}
    shown = f"{context.web(request).url}/welcome/{link}" if link else ""
    return context.page(request, "admin/user.html.j2", link=shown, **values)


def _form(request: Request, db: context.Db, account: Account | None, fields: Fields, *, wrong: str = "") -> HTMLResponse:
    choices = [(unit.id, unit.name) for unit in units.listed(db) if unit.active or str(unit.id) == fields.unit]
    values: dict[str, Any] = {"account": account, "fields": fields, "wrong": wrong, "units": choices}
    return context.page(request, "admin/user_form.html.j2", status=422 if wrong else 200, **values)


def _mendable(error: ServiceError) -> str:
    """What is shown above the form; anything else is no matter of the form."""
    if error.status not in _MENDABLE:
        raise error
    return error.message
