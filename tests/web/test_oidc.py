"""Signing in by OpenID Connect, against an issuer on this machine that can be made to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Site
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from service.programme import accounts
from service.programme.accounts import Wanted
from service.programme.viewer import SYSTEM
from service.settings import Web


class Issuer:
    """One subject signs in. `claims`, `key`, `header` and `metadata` replace what an honest issuer says."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.published = [self.key]
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.asked: dict[str, list[str]] = {}
        self.exchanged: dict[str, list[str]] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def _say(self, told: Any, status: int = 200) -> None:
                data = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                self._say(KeySet(issuer.published).as_dict(private=False) if self.path == "/keys" else issuer.description())

            def do_POST(self) -> None:
                issuer.exchanged = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                challenge = base64.urlsafe_b64encode(hashlib.sha256(issuer.exchanged["code_verifier"][0].encode()).digest())
                if issuer.exchanged["code"] != ["good"] or challenge.decode().rstrip("=") != issuer.asked["code_challenge"][0]:
                    self._say({"error": "invalid_grant"}, 400)
                else:
                    self._say({"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": issuer.token()})

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def description(self) -> dict[str, Any]:
        own = {"issuer": self.url, "authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token"}
        return {**own, "jwks_uri": f"{self.url}/keys", **self.metadata}

    def token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "sub": "42", "aud": "biaogan", "iat": now, "exp": now + 60, "nonce": self.asked["nonce"][0]}
        claims |= {"email": "zhang@example.com", "email_verified": True, **self.claims}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(self.header, kept, self.key, algorithms=[self.header["alg"]])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture(name="site")
def _site(place: Any, issuer: Issuer) -> Iterator[Site]:
    settings = Web(url="http://testserver", oidc_issuer=issuer.url, oidc_client="biaogan", oidc_secret="s3cret" * 6)
    site = Site(place, settings=settings)
    with site.connection() as db:
        accounts.add(db, SYSTEM, Wanted("zhang", "office", "张三", email="Zhang@example.com"))
    yield site
    site.close()


def _start(client: Any, issuer: Issuer, **query: str) -> None:
    answer = client.get("/oidc/start", params=query, follow_redirects=False)
    assert answer.status_code == 303
    issuer.asked = parse_qs(urlsplit(answer.headers["location"]).query)


def _back(client: Any, issuer: Issuer, **query: str) -> Any:
    given = {"code": "good", "state": issuer.asked["state"][0], **query}
    return client.get("/oidc/back", params=given, follow_redirects=False)


def test_an_identity_signs_in_to_the_account_with_its_address(site: Site, issuer: Issuer) -> None:
    client = site.as_(None)
    assert "/oidc/start" in client.get("/sign-in?next=/account").text
    _start(client, issuer, next="/account")
    assert issuer.asked["redirect_uri"] == ["http://testserver/oidc/back"]
    assert issuer.asked["code_challenge_method"] == ["S256"]
    assert "openid" in issuer.asked["scope"][0]
    answer = _back(client, issuer)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "张三" in client.get("/account").text
    issuer.claims = {"email": "new@example.com", "email_verified": False}  # bound by now: the address counts for nothing
    again = site.as_(None)
    _start(again, issuer, next="//evil.example")
    assert _back(again, issuer).headers["location"] == "/"
    assert site.as_(None).get("/account", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "other@example.com"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email": None},
    ],
)
def test_who_has_no_account_gets_none(site: Site, issuer: Issuer, claims: dict[str, Any]) -> None:
    issuer.claims = claims
    client = site.as_(None)
    _start(client, issuer)
    answer = _back(client, issuer)
    assert answer.status_code == 403
    assert "没有与之对应的账号" in answer.text
    assert client.get("/account", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "someone-else"},
        {"aud": None},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"aud": ["biaogan", "x"], "azp": "x"},
    ],
)
def test_a_token_that_is_not_for_this_start_is_not_believed(site: Site, issuer: Issuer, claims: dict[str, Any]) -> None:
    issuer.claims = claims
    client = site.as_(None)
    _start(client, issuer)
    answer = _back(client, issuer)
    assert answer.status_code == 401
    assert "重新开始" in answer.text


def test_a_token_that_somebody_else_signed_is_not_believed(site: Site, issuer: Issuer) -> None:
    issuer.key = RSAKey.generate_key(2048, {"kid": "one"})
    client = site.as_(None)
    _start(client, issuer)
    assert _back(client, issuer).status_code == 401
    # What both sides know is no signature: HS256 is never accepted.
    issuer.key = OctKey.import_key("s3cret" * 6, {"kid": "one"})
    issuer.header = {"alg": "HS256", "kid": "one"}
    _start(client, issuer)
    assert _back(client, issuer).status_code == 401


def test_a_new_key_of_the_issuer_is_fetched(site: Site, issuer: Issuer) -> None:
    client = site.as_(None)
    _start(client, issuer)
    issuer.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    issuer.published, issuer.header = [issuer.key], {"alg": "RS256", "kid": "two"}
    assert _back(client, issuer).status_code == 303


def test_an_answer_to_another_start_is_refused(site: Site, issuer: Issuer) -> None:
    client, other = site.as_(None), site.as_(None)
    assert client.get("/oidc/back", params={"code": "good", "state": "x"}, follow_redirects=False).status_code == 401
    _start(client, issuer)
    assert _back(other, issuer).status_code == 401  # login CSRF: the browser of somebody who never started
    assert _back(client, issuer, state="x").status_code == 401
    assert _back(client, issuer, error="access_denied").status_code == 401
    assert _back(client, issuer, iss="https://evil.example").status_code == 401
    assert _back(client, issuer, code="bad").status_code == 401
    assert _back(client, issuer, iss=issuer.url).status_code == 303


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "ftp://x"},
        {"token_endpoint": None},
    ],
)
def test_an_issuer_that_does_not_fit_the_settings_is_not_used(site: Site, issuer: Issuer, metadata: dict[str, Any]) -> None:
    issuer.metadata = metadata
    answer = site.as_(None).get("/oidc/start", follow_redirects=False)
    assert answer.status_code == 503
    assert "连不上" in answer.text


def test_without_settings_there_is_none(place: Any) -> None:
    site = Site(place)
    try:
        client = site.as_(None)
        assert "/oidc/" not in client.get("/sign-in").text
        assert client.get("/oidc/start").status_code == 404
        assert client.get("/oidc/back").status_code == 404
    finally:
        site.close()
