"""What every route asks for: a connection, who is asking, whether he may; and how a page is answered."""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from weakref import WeakKeyDictionary

from fastapi import Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection, Engine
from starlette.exceptions import HTTPException

from service.database.files import Files
from service.errors import ServiceError
from service.programme import analyses, sessions, tokens
from service.programme.analyses import Current
from service.programme.viewer import Role, Viewer
from service.settings import Web
from service.web import rendering, security

FLASH = "biaogan_flash"  # scripts of the pages set it as well
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})
_AT_ONCE = 8  # requests with a connection; the engine's pool has ten, two for what streams its answer
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
_FORM_TOKEN = re.compile(r"[\w-]{43}")
_FORM_SECONDS = 86_400  # that a sign-in page may stay open
_LONGEST_PATH = 2000


# --- what the application holds ----------------------------------------------------------------------------------------------------


def engine(request: Request) -> Engine:
    found: Engine = request.app.state.engine
    return found


def web(request: Request) -> Web:
    found: Web = request.app.state.settings
    return found


def files(request: Request) -> Files:
    found: Files = request.app.state.files
    return found


async def turn() -> AsyncIterator[None]:
    """Waits, without a thread, until there is a connection for the request.

    Requests that waited for one in threads would hold all of these, and those that have one wait for a thread: for ever.
    """
    async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE)):
        yield


def current(request: Request) -> Current:
    """What would analyse a file now."""
    settings = request.app.state.analysis
    return analyses.current(settings.models, settings.embedding)


def connection(request: Request, _turn: Annotated[None, Depends(turn, scope="function")]) -> Iterator[Connection]:
    """One transaction a request: committed before the answer goes out, undone where the route fails."""
    with engine(request).begin() as opened:
        yield opened


Db = Annotated[Connection, Depends(connection, scope="function")]
Store = Annotated[Files, Depends(files)]
Settings = Annotated[Web, Depends(web)]
Id = Annotated[int, Path(ge=1, le=2**31 - 1)]  # of a row, in the path: no larger than its column
Page = Annotated[int, Query(ge=1, le=100_000)]  # of a list


# --- who asks ----------------------------------------------------------------------------------------------------------------------


class SignInNeeded(Exception):
    """Nobody is signed in: a page leads to the sign-in, the API answers 401."""


def cookie_name(settings: Web, what: str = "") -> str:
    """Under https no other site of the same domain, and nothing that listens in, can set or read it."""
    return f"{'__Host-' if settings.secure else ''}biaogan{what}"


def set_cookie(answer: Response, settings: Web, value: str, *, what: str = "", seconds: int) -> None:
    options: dict[str, Any] = {"path": "/", "httponly": True, "samesite": "lax", "secure": settings.secure}
    answer.set_cookie(cookie_name(settings, what), value, max_age=seconds, **options)


def drop_cookie(answer: Response, settings: Web, *, what: str = "") -> None:
    answer.delete_cookie(cookie_name(settings, what), path="/", httponly=True, samesite="lax", secure=settings.secure)


def address_of(request: Request) -> str | None:
    """Where the request came from; what a reverse proxy says is believed of the one in the settings alone."""
    peer = request.client.host if request.client else None
    if peer is not None and peer == web(request).proxy:
        return security.address(request.headers.get("x-forwarded-for", "").rpartition(",")[2]) or peer
    return peer


def who(request: Request, connection: Db) -> Viewer | None:
    """The viewer of the session's cookie or of the API token."""
    address, token = address_of(request), bearer(request)
    if token is not None:
        found = tokens.viewer(connection, token, address=address)
    else:
        cookie = session_token(request)
        found = sessions.viewer(connection, cookie, address=address) if cookie else None
    request.state.viewer = found
    return found


def session_token(request: Request) -> str:
    """What the session's cookie says; "" without one."""
    return request.cookies.get(cookie_name(web(request)), "")


def bearer(request: Request) -> str | None:
    """The API token; under /api alone, and then the cookie counts for nothing."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if is_api(request) and scheme.lower() == "bearer" else None


Who = Annotated[Viewer | None, Depends(who, scope="function")]


def allow(*roles: Role) -> Callable[..., Viewer]:
    """The dependency of a route for these roles; without any, for everyone who is signed in."""

    def permitted(viewer: Who) -> Viewer:
        if viewer is None:
            raise SignInNeeded
        if roles and viewer.role not in roles:
            raise ServiceError("forbidden", "您的账号没有使用这一页的权限。如确有需要，请联系管理员调整角色。", status=403)
        return viewer

    permitted.roles = frozenset(roles)  # type: ignore[attr-defined]  # read by tests/web/test_matrix.py
    return permitted


async def public(request: Request, viewer: Who) -> None:
    """The dependency of a route that needs no sign-in; the viewer is known where there is one.

    Where there is none, a form is ours when it repeats the cookie that came with its page: nobody is signed in as someone else unawares.
    """
    if request.method not in _SAFE and viewer is None:
        kept = request.cookies.get(cookie_name(web(request), "_form"), "")
        if not _FORM_TOKEN.fullmatch(kept) or not _same(await _given(request), kept):
            raise _refused()


PUBLIC = Depends(public, scope="function")
Anyone = Annotated[Viewer, Depends(allow(), scope="function")]
Staff = Annotated[Viewer, Depends(allow("office", "admin"), scope="function")]
Admin = Annotated[Viewer, Depends(allow("admin"), scope="function")]
Applicant = Annotated[Viewer, Depends(allow("applicant"), scope="function")]
Reviewer = Annotated[Viewer, Depends(allow("reviewer"), scope="function")]
StaffOrUnit = Annotated[Viewer, Depends(allow("office", "admin", "unit"), scope="function")]


async def guard(request: Request) -> None:
    """Refuses changes that did not come from our own pages (CSRF); a request with an API token carries no cookie's authority."""
    if request.method in _SAFE or bearer(request) is not None:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in _OURS:
        raise _refused()
    if origin is not None and not security.is_our_origin(origin, request.headers.get("host", ""), web(request)):
        raise _refused()


async def token_guard(request: Request, viewer: Who) -> None:
    """The session's CSRF token, from the header or the form. Where nobody is signed in, `public` asks for the page's own."""
    if request.method in _SAFE or viewer is None or bearer(request) is not None:
        return
    if not viewer.csrf or not _same(await _given(request), viewer.csrf):
        raise _refused()


async def _given(request: Request) -> str:
    given = request.headers.get("x-csrf-token")
    if given is None:
        # A route that takes a form has had it read already, and its files are closed with that; of another route nobody reads it again.
        read = getattr(request, "_form", None) is not None
        form = await request.form()
        value = form.get("csrf")
        given = value if isinstance(value, str) else ""
        if not read:
            await form.close()
    return given


def _same(given: str, kept: str) -> bool:
    """In a time that tells nothing of where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), kept.encode("utf-8", "replace"))


def _refused() -> ServiceError:
    return ServiceError("csrf", "这次操作没有得到确认，可能因为页面打开太久。请返回上一页，刷新后再操作一次。", status=403)


def is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


# --- answers -----------------------------------------------------------------------------------------------------------------------


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page of a template; the flash message is shown once."""
    settings, viewer = web(request), viewer_of(request)
    told = request.cookies.get(FLASH)
    form = _form_token(request)
    answer = HTMLResponse(rendering.render(request, template, viewer=viewer, csrf=form, flash=told, **values), status)
    if told:
        answer.delete_cookie(FLASH, path="/")
    if viewer is None and form.encode() in bytes(answer.body):
        set_cookie(answer, settings, form, what="_form", seconds=_FORM_SECONDS)
    return answer


def _form_token(request: Request) -> str:
    """Of the forms of who is not signed in; the same in all his tabs."""
    kept = request.cookies.get(cookie_name(web(request), "_form"), "")
    return kept if _FORM_TOKEN.fullmatch(kept) else secrets.token_urlsafe(32)


def viewer_of(request: Request) -> Viewer | None:
    return getattr(request.state, "viewer", None)


def redirect(request: Request, path: str, *, flash: str = "") -> RedirectResponse:
    """To a path of ours, after a change."""
    answer = RedirectResponse(path, 303)
    if flash:
        answer.set_cookie(FLASH, quote(flash), max_age=60, path="/", httponly=True, samesite="lax", secure=web(request).secure)
    return answer


def download(data: bytes, name: str, *, media: str = "application/octet-stream") -> Response:
    """A file to save: never shown by the browser, its name nothing but data."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(data, media_type=media, headers={"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"})


def local_path(value: str | None, default: str = "/") -> str:
    """A path of ours to go on to; anything that could lead elsewhere is replaced."""
    if not value or len(value) > _LONGEST_PATH or not value.startswith("/") or value.startswith("//") or "\\" in value:
        return default
    return default if any(ord(letter) < 33 or ord(letter) == 127 for letter in value) else value


def with_query(path: str, query: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in query.items() if value not in (None, "", [], ())}
    return f"{path}?{urlencode(kept, doseq=True)}" if kept else path


def sign_in_first(request: Request) -> Response:
    """What `SignInNeeded` is answered with."""
    if is_api(request):
        raise HTTPException(401)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(with_query("/sign-in", {"next": here if request.method == "GET" else None}), 303)
