"""Ways in: name and password, a one-time link, registration, a demonstration link."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from service.credit_code import credit_code
from service.errors import ServiceError
from service.programme import accounts, audit, links, passwords, sessions, signing_in
from service.web import context, oidc

router = APIRouter(dependencies=[context.PUBLIC])
router.include_router(oidc.router)
_NOT_THE_SAME = "两次输入的密码不一样。请重新输入。"
_REGISTRATIONS = 10  # of one address within an hour


def entered(request: Request, db: context.Db, account: int, *, by: str, answer: Response) -> Response:
    """The answer with the cookie of a new session. Whatever session the browser brought is over: it may be known to somebody else."""
    settings = context.web(request)
    sessions.close_session(db, context.session_token(request))
    address, agent = context.address_of(request), request.headers.get("user-agent")
    token = signing_in.enter(db, account, by=by, hours=settings.session_hours, address=address, agent=agent)
    context.set_cookie(answer, settings, token, seconds=settings.session_hours * 3600)
    context.drop_cookie(answer, settings, what="_form")
    return answer


# --- name and password ---------------------------------------------------------------------------------------------------------------


@router.get("/sign-in")
def ask(request: Request, next: str = "") -> Response:  # noqa: A002 - the query's name
    if context.viewer_of(request) is not None:
        return context.redirect(request, context.local_path(next))
    return _ask(request, onward=next)


@router.post("/sign-in")
def sign_in(
    request: Request,
    db: context.Db,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    onward: Annotated[str, Form(alias="next")] = "",
) -> Response:
    tried = signing_in.attempt(db, name, password, address=context.address_of(request))
    if tried.user is None:
        status = 429 if tried.seconds else 401
        answer = _ask(request, onward=onward, status=status, name=name, wrong=tried.message)
        if tried.seconds:
            answer.headers["Retry-After"] = str(tried.seconds)
        return answer
    return entered(request, db, tried.user, by="password", answer=context.redirect(request, context.local_path(onward)))


def _ask(request: Request, *, onward: str, status: int = 200, name: str = "", wrong: str = "") -> HTMLResponse:
    settings = context.web(request)
    return context.page(
        request,
        "account/sign_in.html.j2",
        status=status,
        onward=context.local_path(onward, ""),
        name=name[:64],
        wrong=wrong,
        registration=settings.registration,
        oidc=settings.oidc_name if oidc.is_set_up(settings) else "",
    )


# --- a one-time link -----------------------------------------------------------------------------------------------------------------


@router.get("/welcome/{token}")
def welcome(request: Request, token: str, db: context.Db) -> HTMLResponse:
    """Looking does not use the link: programs that fetch links ahead would."""
    return _welcome(request, links.look(db, token))


@router.post("/welcome/{token}")
def set_password(
    request: Request,
    token: str,
    db: context.Db,
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    link = links.look(db, token)
    if link is None:
        return _welcome(request, None)
    if password != again:
        return _welcome(request, link, wrong=_NOT_THE_SAME)
    try:
        account = accounts.set_by_link(db, token, password, address=context.address_of(request))
    except ServiceError as error:
        return _welcome(request, link, wrong=error.message)
    if account is None:
        return _welcome(request, None)
    answer = context.redirect(request, "/", flash=f"密码已设好。以后请用登录名 {link.name} 和这个密码登录。")
    return entered(request, db, account, by="link", answer=answer)


def _welcome(request: Request, link: links.Link | None, *, wrong: str = "") -> HTMLResponse:
    status = 404 if link is None else 422 if wrong else 200
    return context.page(request, "account/welcome.html.j2", status=status, link=link, wrong=wrong, limits=passwords)


@router.get("/demo/{token}")
def demo(request: Request, token: str, db: context.Db) -> HTMLResponse:
    link = links.look(db, token, purpose="demo")
    return context.page(request, "account/demo.html.j2", status=200 if link else 404, link=link)


@router.post("/demo/{token}")
def enter_demo(request: Request, token: str, db: context.Db) -> Response:
    link = links.look(db, token, purpose="demo")
    if link is None:
        return context.page(request, "account/demo.html.j2", status=404, link=None)
    return entered(request, db, link.account, by="demo", answer=context.redirect(request, "/"))


# --- registration --------------------------------------------------------------------------------------------------------------------


class Registration(BaseModel):
    organisation: str = ""
    credit_code: str = ""
    shown: str = ""
    email: str = ""
    name: str = ""
    password: str = ""
    again: str = ""


@router.get("/register")
def register(request: Request) -> HTMLResponse:
    _need_registration(request)
    return _register(request, Registration())


@router.post("/register")
def registered(request: Request, db: context.Db, given: Annotated[Registration, Form()]) -> Response:
    _need_registration(request)
    address = context.address_of(request)
    if audit.recent(db, "user.registered", address=address, hours=1) >= _REGISTRATIONS:
        return _register(request, given, wrong="这台机器一小时内注册的账号太多。请过一会儿再试，或联系管理员建立账号。", status=429)
    if given.password != given.again:
        return _register(request, given, wrong=_NOT_THE_SAME)
    try:
        code = credit_code(given.credit_code)
        wanted = accounts.Wanted(given.name, "applicant", given.shown, given.organisation, code, email=given.email)
        account = accounts.register(db, wanted, given.password, address=address)
    except ServiceError as error:
        return _register(request, given, wrong=error.message)
    answer = context.redirect(request, "/", flash="账号已建立。请先上传一份草稿，看看审读报告。")
    return entered(request, db, account, by="registration", answer=answer)


def _register(request: Request, given: Registration, *, wrong: str = "", status: int = 422) -> HTMLResponse:
    """The form with what was filled in, passwords left out."""
    kept = given.model_dump(exclude={"password", "again"})
    return context.page(request, "account/register.html.j2", status=status if wrong else 200, given=kept, wrong=wrong, limits=passwords)


def _need_registration(request: Request) -> None:
    if not context.web(request).registration:
        raise HTTPException(404)
