"""One's own account: password, sessions, API tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from service.errors import ServiceError
from service.programme import accounts, audit, passwords, sessions, signing_in, tokens
from service.programme.sessions import digest
from service.programme.viewer import Viewer, not_found
from service.web import context
from service.web.pages import sign_in

router = APIRouter()
router.include_router(sign_in.router)
_NOT_THE_SAME = "两次输入的新密码不一样。请重新输入。"


@router.get("/account")
def mine(request: Request, db: context.Db, viewer: context.Anyone) -> HTMLResponse:
    return _page(request, db, viewer)


def _page(request: Request, db: context.Db, viewer: Viewer, *, status: int = 200, wrong: str = "", token: str = "") -> HTMLResponse:
    """`wrong`: why the password was not changed; `token`: a new API token, shown this once."""
    assert viewer.id is not None
    return context.page(
        request,
        "account/mine.html.j2",
        status=status,
        account=accounts.one(db, viewer, viewer.id),
        sessions=sessions.of(db, viewer.id),
        here=digest(context.session_token(request)).hex(),
        idle=sessions.IDLE,
        tokens=tokens.of(db, viewer),
        days=tokens.DAYS,
        limits=passwords,
        wrong=wrong,
        token=token,
    )


@router.post("/account/password")
def change_password(
    request: Request,
    db: context.Db,
    viewer: context.Anyone,
    old: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Ends every session of the account and opens a new one here."""
    assert viewer.id is not None
    try:
        wrong = _NOT_THE_SAME if new != again else accounts.change_password(db, viewer, old=old, new=new)
    except ServiceError as error:
        wrong = error.message
    if wrong:
        return _page(request, db, viewer, status=422, wrong=wrong)
    answer = context.redirect(request, "/account", flash="密码已修改，其他地方的登录都已退出。")
    return sign_in.entered(request, db, viewer.id, by="password", answer=answer)


@router.post("/account/sessions/end")
def end_sessions(request: Request, db: context.Db, viewer: context.Anyone, key: Annotated[str, Form()] = "") -> Response:
    """One session by its key; without one, all but this."""
    assert viewer.id is not None
    if key:
        if not sessions.close_one(db, viewer.id, key):
            not_found("这个登录")
        ended = 1
    else:
        ended = sessions.close_all(db, viewer.id, but=context.session_token(request))
    audit.record(db, viewer, "user.sessions_ended", f"user:{viewer.id}", details={"number": ended})
    return context.redirect(request, "/account#sessions", flash=f"已退出 {ended} 处登录。")


@router.post("/account/tokens")
def make_token(
    request: Request,
    db: context.Db,
    viewer: context.Anyone,
    name: Annotated[str, Form()] = "",
    days: Annotated[int, Form()] = tokens.DAYS[0],
) -> HTMLResponse:
    return _page(request, db, viewer, token=tokens.make(db, viewer, name=name, days=days))


@router.post("/account/tokens/{token}/revoke")
def revoke_token(request: Request, token: context.Id, db: context.Db, viewer: context.Anyone) -> Response:
    tokens.revoke(db, viewer, token)
    return context.redirect(request, "/account#tokens", flash="令牌已撤销，用它的程序不能再访问。")


@router.post("/sign-out")
def sign_out(request: Request, db: context.Db, viewer: context.Anyone) -> Response:
    signing_in.leave(db, viewer, context.session_token(request))
    answer = context.redirect(request, "/sign-in", flash="已退出登录。")
    context.drop_cookie(answer, context.web(request))
    return answer
