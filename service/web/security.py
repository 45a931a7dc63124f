"""What protects every answer and every request, before any route: headers, the host's name, the size and pace of a body."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.settings import Web

# Scripts, styles and pictures of our own alone; nothing inline, no frames, no other site. Pictures of a report may be data.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_POLICY_OF_FILES = "default-src 'none'; sandbox"  # a download that a browser shows all the same does nothing
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # browsers that do not know frame-ancestors
    # Not no-referrer: browsers then call the origin of our own forms `null`, and context.guard could not tell them from others'.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_YEAR = 31_536_000
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})  # asked by monitors that know an address only
_MB = 1 << 20
_FORM = 2 * _MB  # of a body that holds no file
_BESIDE = 2 * _MB  # of a body with a file: its other fields
_MANY = ("/batches", "/library", "/api/v1/batches", "/api/v1/library")  # where many files come at once
_FILES = 20  # of the largest size, there
_DRAINED = 4  # times the limit that is read and thrown away, so that a browser gets to see the answer
_PATIENCE = 60.0  # seconds for the next piece of a body


@dataclass(frozen=True, slots=True)
class Hardened:
    """ASGI middleware; the outermost."""

    app: ASGIApp
    settings: Web

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                stamp(MutableHeaders(scope=message), self.settings)
            await send(message)

        headers = Headers(scope=scope)
        if scope["path"] not in _ANY_HOST and not is_our_host(headers.get("host", ""), self.settings):
            told = f"请用 {self.settings.url} 打开本系统。\n（管理员：如用户使用的是别的网址，请把 BIAOGAN_URL 设为那个网址。）\n"
            await PlainTextResponse(told, 400)(scope, receive, stamped)
            return
        limit = most(scope["path"], headers, self.settings)
        await self.app(scope, _limited(receive, limit), stamped)


def stamp(headers: MutableHeaders, settings: Web) -> None:
    """Sets what an answer lacks. What is not marked otherwise is private: no browser or proxy keeps it."""
    is_file = headers.get("content-disposition", "").startswith("attachment")
    headers.setdefault("Content-Security-Policy", _POLICY_OF_FILES if is_file else _POLICY)
    headers.setdefault("Cache-Control", "private, no-cache" if "etag" in headers else "no-store")
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if settings.secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}")


def most(path: str, headers: Mapping[str, str], settings: Web) -> int:
    """Bytes that the body of a request may have. It is read before anyone looks who sends it: who does not even say, sends no files."""
    holds_files = headers.get("content-type", "").startswith(("multipart/form-data", "application/octet-stream"))
    is_known = "authorization" in headers or "biaogan=" in headers.get("cookie", "")
    if not holds_files or not is_known:
        return _FORM
    files = _FILES if path.startswith(_MANY) else 1
    return settings.upload_mb * _MB * files + _BESIDE


def _limited(receive: Receive, limit: int) -> Receive:
    """Counts the bytes that really come, whatever the header says: over the limit the route is told 413, too slow 408."""
    seen, whole = 0, False

    async def counted() -> Message:
        nonlocal seen, whole
        if whole:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), _PATIENCE)
        except TimeoutError:
            whole = True
            raise HTTPException(408) from None
        if message["type"] != "http.request":
            return message
        seen += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if seen > limit:
            whole = True
            await _drain(receive, message, limit * _DRAINED - seen)
            raise HTTPException(413)
        return message

    return counted


async def _drain(receive: Receive, message: Message, most_bytes: int) -> None:
    while message["type"] == "http.request" and message.get("more_body", False) and most_bytes > 0:
        try:
            message = await asyncio.wait_for(receive(), _PATIENCE)
        except TimeoutError:
            return
        most_bytes -= len(message.get("body", b""))


# --- names of hosts and origins -----------------------------------------------------------------------------------------------------


def is_our_host(host: str, settings: Web) -> bool:
    """A name that leads here: the one of the settings, or this machine's own. Another site's name that was made to point here does not
    (DNS rebinding).
    """
    name = _name(host)
    return name is not None and (name in _LOOPBACK or name == urlsplit(settings.url).hostname)


def is_our_origin(origin: str, host: str, settings: Web) -> bool:
    """Whether a page that calls itself `origin` is ours; `null` (a sandbox, a file) is not."""
    given, ours = _origin(origin), _origin(settings.url)
    if given is None:
        return False
    return given == ours or (_name(host) in _LOOPBACK and given == _origin(f"http://{host}"))


def address(given: str) -> str | None:
    """An IP address as one writes it; None where it is none."""
    try:
        return str(ip_address(given.strip().strip("[]")))
    except ValueError:
        return None


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80)
