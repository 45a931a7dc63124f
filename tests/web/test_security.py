"""Headers of every answer, hosts and origins, the size of bodies, CSRF with a session."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import own_loop
import pytest
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from test_accounts import form_token

from service.settings import Web
from service.web import context, security

_MB = 1 << 20
_WEB = Web(url="https://biaogan.example.com")


# --- headers ----------------------------------------------------------------------------------------------------------------------------


def _checked(headers: Any) -> None:
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy.get("script-src", "'self'") == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


def test_every_answer_is_protected(site: Any) -> None:
    client = site.as_("admin")
    for url in ("/account", "/sign-in", "/", "/nowhere", "/healthz", "/api/v1/nowhere", "/api/v1/openapi.json", "/admin/events/export.csv"):
        answer = client.get(url, follow_redirects=False)
        _checked(answer.headers)
        assert answer.headers["cache-control"] in ("no-store", "private, no-cache"), url
    assert "frame-ancestors 'none'" in client.get("/account").headers["content-security-policy"]
    assert "strict-transport-security" not in client.get("/account").headers


def test_a_page_asks_for_nothing_that_its_policy_forbids(site: Any) -> None:
    for url in ("/account", "/admin/users", "/admin/events", "/admin/rounds", "/admin/system"):
        page = site.as_("admin").get(url).text
        assert " style=" not in page
        assert " onclick=" not in page
        assert "<style" not in page
        assert "<script>" not in page
        assert "http://" not in page.replace("http://testserver", "").replace("http://www.w3.org", "").replace("http://127.0.0.1", "")


def test_static_files_are_kept_and_protected(site: Any) -> None:
    client = site.as_(None)
    page = client.get("/sign-in").text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = client.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    _checked(answer.headers)


def test_a_fault_of_ours_is_protected_too_and_tells_nothing(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from starlette.testclient import TestClient

    monkeypatch.setattr(context, "address_of", lambda _: 1 / 0)
    answer = TestClient(site.app, base_url="http://testserver", raise_server_exceptions=False).get("/sign-in")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    _checked(answer.headers)


def test_a_download_can_do_nothing_where_it_is_shown() -> None:
    headers = MutableHeaders({"content-disposition": "attachment; filename=x"})
    security.stamp(headers, _WEB)
    assert "sandbox" in headers["content-security-policy"]
    assert headers["strict-transport-security"] == "max-age=31536000"


# --- hosts and origins ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("biaogan.example.com", True),
        ("BIAOGAN.example.com:443", True),
        ("127.0.0.1:8000", True),
        ("localhost", True),
        ("[::1]:8000", True),
        ("evil.example", False),
        ("biaogan.example.com.evil.example", False),
        ("evil.example:8000", False),
        ("evil@biaogan.example.com", True),
        ("", False),
        ("[", False),
        ("10.0.0.1", False),
    ],
)
def test_a_name_that_was_made_to_point_here_is_refused(host: str, ours: bool) -> None:
    assert security.is_our_host(host, _WEB) == ours


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("https://biaogan.example.com", "biaogan.example.com", True),
        ("https://biaogan.example.com:443", "biaogan.example.com", True),
        ("http://biaogan.example.com", "biaogan.example.com", False),
        ("https://evil.example", "biaogan.example.com", False),
        ("https://evil.example", "evil.example", False),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://127.0.0.1:9000", "127.0.0.1:8000", False),
        ("http://localhost:8000", "127.0.0.1:8000", False),
        ("null", "biaogan.example.com", False),
        ("", "biaogan.example.com", False),
        ("https://[", "biaogan.example.com", False),
        ("https://biaogan.example.com:x", "biaogan.example.com", False),
    ],
)
def test_an_origin_is_ours_or_not(origin: str, host: str, ours: bool) -> None:
    assert security.is_our_origin(origin, host, _WEB) == ours


def test_another_hosts_name_is_told_where_to_go(site: Any) -> None:
    client = site.as_("office")
    answer = client.get("/account", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "http://testserver" in answer.text
    _checked(answer.headers)
    assert client.get("/healthz", headers={"Host": "10.0.0.7:8000"}).status_code == 200


@pytest.mark.parametrize(
    ("proxy", "forwarded", "found"),
    [
        (None, "10.0.0.7", "testclient"),
        ("10.9.9.9", "10.0.0.7", "testclient"),
        ("testclient", "10.0.0.7", "10.0.0.7"),
        ("testclient", "1.2.3.4, 10.0.0.7", "10.0.0.7"),
        ("testclient", "'; DROP TABLE users", "testclient"),
        ("testclient", "", "testclient"),
        ("testclient", "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_only_the_proxy_is_believed_where_a_request_came_from(place: Any, proxy: str | None, forwarded: str, found: str) -> None:
    from fastapi import Request

    class App:
        class state:  # noqa: N801
            settings = Web(proxy=proxy)

    scope = {"type": "http", "app": App, "client": ("testclient", 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    assert context.address_of(Request(scope)) == found


# --- the size of a body -----------------------------------------------------------------------------------------------------------------


def test_a_body_may_have_what_its_kind_and_place_need() -> None:
    form = {"content-type": "application/x-www-form-urlencoded", "cookie": "__Host-biaogan=x"}
    file = {**form, "content-type": "multipart/form-data; boundary=x"}
    api = {"content-type": "application/octet-stream", "authorization": "Bearer x"}
    assert security.most("/drafts/x/versions", form, _WEB) == 2 * _MB
    assert security.most("/drafts/x/versions", file, _WEB) == 52 * _MB
    assert security.most("/drafts/x/versions", api, _WEB) == 52 * _MB
    assert security.most("/batches/1/files", file, _WEB) > 500 * _MB
    assert security.most("/batches/1/files", form, _WEB) == 2 * _MB
    assert security.most("/batches/1/files", {**file, "cookie": "biaogan_form=x"}, _WEB) == 2 * _MB


def test_a_body_that_is_too_large_is_refused_in_chinese(site: Any) -> None:
    client = site.as_(None)
    token = form_token(client)
    for body in ({"content": b"csrf=" + b"x" * (3 * _MB)}, {"content": (b"x" * 65536 for _ in range(60))}):
        answer = client.post("/sign-in", headers={"Content-Type": "application/x-www-form-urlencoded"}, **body)
        assert answer.status_code == 413
        assert "太大" in answer.text
    data = {"csrf": token, "name": "x", "password": "x" * (_MB // 2)}
    assert client.post("/sign-in", data=data).status_code == 401


def _receive(*messages: dict[str, Any], pause: float = 0.0) -> Any:
    left = list(messages)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        return left.pop(0)

    return receive


def test_what_really_comes_is_counted_whatever_the_header_says() -> None:
    async def read() -> int:
        receive = security._limited(_receive(*[{"type": "http.request", "body": b"x" * 400, "more_body": True}] * 20), 1000)
        seen = 0
        while True:
            seen += len((await receive())["body"])

    with pytest.raises(HTTPException) as told:
        own_loop.run(read())
    assert told.value.status_code == 413


def test_a_body_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "_PATIENCE", 0.05)
    receive = security._limited(_receive({"type": "http.request"}, pause=1.0), 1000)
    with pytest.raises(HTTPException) as told:
        own_loop.run(receive())
    assert told.value.status_code == 408


def test_after_the_body_one_may_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "_PATIENCE", 0.05)

    async def both() -> str:
        receive = security._limited(_receive({"type": "http.request", "body": b""}, {"type": "http.disconnect"}, pause=0.03), 1000)
        await receive()
        monkeypatch.setattr(security, "_PATIENCE", 0.001)
        return str((await receive())["type"])

    assert own_loop.run(both()) == "http.disconnect"


@pytest.fixture(name="port")
def _port(site: Any) -> Iterator[int]:
    """The service behind a real socket."""
    import uvicorn

    with socket.create_server(("127.0.0.1", 0)) as line:
        server = uvicorn.Server(uvicorn.Config(site.app, log_config=None, access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([line],))
        thread.start()
        yield line.getsockname()[1]
        server.should_exit = True
        thread.join()


def _raw(port: int, head: str, *pieces: bytes) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(f"{head}\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n".encode())
        for piece in pieces:
            line.sendall(piece)
        told = b""
        while piece := line.recv(65536):
            told += piece
    return told.decode()


def test_a_browser_gets_to_see_that_its_upload_is_too_large(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "_BESIDE", -46 * _MB)  # 4 MB are left of 50
    head, kind = "POST /sign-in HTTP/1.1", b"Cookie: biaogan=x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.docx"\r\n\r\n'
    body = part + b"x" * (9 * _MB) + b"\r\n--x--\r\n"
    whole = _raw(port, head, kind, b"Content-Length: %d\r\n\r\n" % len(body), body)
    chunked = _raw(port, head, kind, b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n" % (len(body), body), b"0\r\n\r\n")
    for told in (whole, chunked):
        assert told.startswith("HTTP/1.1 413")
        assert "太大" in told


# --- CSRF with a session ------------------------------------------------------------------------------------------------------------------


def test_a_change_needs_the_sessions_token_from_our_own_page(site: Any) -> None:
    client, other = site.as_("office"), site.as_("reviewer")
    ours = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    for token, headers in (
        ("", {}),
        ("x" * 43, {}),
        (other.csrf, {}),
        ("\ud7ff", {}),
        (client.csrf, {"Sec-Fetch-Site": "cross-site"}),
        (client.csrf, {"Sec-Fetch-Site": "same-site"}),
        (client.csrf, {"Origin": "https://evil.example"}),
        (client.csrf, {"Origin": "null"}),
    ):
        answer = client.post("/account/sessions/end", data={"csrf": token}, headers=headers, follow_redirects=False)
        assert answer.status_code == 403, (token, headers)
        assert "刷新" in answer.text
    assert client.post("/account/sessions/end", data={"csrf": client.csrf}, headers=ours, follow_redirects=False).status_code == 303
    assert client.post("/account/sessions/end", headers={"X-CSRF-Token": client.csrf}, follow_redirects=False).status_code == 303


def test_an_authorization_header_does_not_get_round_the_token(site: Any) -> None:
    client = site.as_("office")
    for value in ("Basic eDp4", "Bearer", "bearer x", "Negotiate"):
        answer = client.post("/account/sessions/end", headers={"Authorization": value}, follow_redirects=False)
        assert answer.status_code == 403


def test_nothing_is_changed_by_looking(site: Any) -> None:
    client = site.as_("admin")
    for url in ("/sign-out", "/account/sessions/end", "/account/password", f"/admin/users/{client.user}/disable"):
        assert client.get(url, follow_redirects=False).status_code in (404, 405), url
