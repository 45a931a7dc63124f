"""Signing in by OpenID Connect, where the settings name an issuer: authorization code with PKCE, state and nonce.

Nobody gets an account this way: an identity is bound to one that an administrator made (signing_in.by_subject).
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadData, URLSafeTimedSerializer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from service.errors import ServiceError
from service.programme import signing_in
from service.settings import Web
from service.web import context

router = APIRouter()
_log = logging.getLogger(__name__)
_COOKIE, _SECONDS = "_oidc", 600  # from the first page to the way back
_FRESH = 3600.0  # seconds for which the issuer's description and keys are believed
_TIMEOUT = 10.0
_LEEWAY = 60  # seconds by which clocks may differ
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]  # none that shares a secret
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Doubtful(Exception):
    """Why an identity was not believed; for the log."""


@dataclass(slots=True)
class Issuer:
    """What the issuer says of itself, fetched when first needed and again after a while."""

    metadata: dict[str, Any] = field(default_factory=dict)
    keys: Any = field(default_factory=dict)  # a JSON Web Key Set, as it was fetched
    at: float = -_FRESH
    lock: threading.Lock = field(default_factory=threading.Lock)


def is_set_up(settings: Web) -> bool:
    return bool(settings.oidc_issuer and settings.oidc_client and settings.oidc_secret)


@router.get("/oidc/start")
def start(request: Request, next: str = "") -> Response:  # noqa: A002 - the query's name
    settings = _need(request)
    try:
        metadata = _known(request, settings).metadata
        with _client(settings) as client:
            verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
            url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    except (httpx.HTTPError, KeyError, ValueError, Doubtful) as error:
        raise _unreachable(error) from error
    answer = RedirectResponse(url, 303)
    kept = {"state": state, "nonce": nonce, "verifier": verifier, "next": context.local_path(next)}
    context.set_cookie(answer, settings, _signer(settings).dumps(kept), what=_COOKIE, seconds=_SECONDS)
    return answer


@router.get("/oidc/back")
def back(request: Request, db: context.Db) -> Response:
    from service.web.pages.sign_in import entered  # noqa: PLC0415 - that page has these routes

    settings = _need(request)
    try:
        kept = _kept(request, settings)
        claims = _claims(request, settings, kept)
    except (httpx.HTTPError, AuthlibBaseError, JoseError, KeyError, ValueError, Doubtful) as error:
        _log.warning("identity not believed", extra={"why": str(error) if isinstance(error, Doubtful) else type(error).__name__})
        raise ServiceError(
            "oidc_failed", f"{settings.oidc_name}没有完成。请回到登录页重新开始；多次不成请告知管理员。", status=401
        ) from error
    email = claims.get("email") if claims.get("email_verified") is True else None
    account = signing_in.by_subject(db, subject=f"{claims['iss']}|{claims['sub']}", email=email, address=context.address_of(request))
    if account is None:
        told = f"{settings.oidc_name}已确认您的身份，但本系统没有与之对应的账号，或账号已停用。请联系管理员，告知您的姓名和邮箱。"
        raise ServiceError("oidc_unknown", told, status=403)
    answer = context.redirect(request, context.local_path(kept["next"]))
    context.drop_cookie(answer, settings, what=_COOKIE)
    return entered(request, db, account, by="oidc", answer=answer)


def _need(request: Request) -> Web:
    settings = context.web(request)
    if not is_set_up(settings):
        raise ServiceError("oidc_off", "本系统没有启用统一身份认证。请用登录名和密码登录。", status=404)
    return settings


def _kept(request: Request, settings: Web) -> dict[str, str]:
    """What `start` put into the browser; Doubtful where the answer belongs to another start."""
    try:
        kept: dict[str, str] = _signer(settings).loads(request.cookies.get(context.cookie_name(settings, _COOKIE), ""), max_age=_SECONDS)
    except BadData as error:
        raise Doubtful("no cookie, or too old") from error
    if not hmac.compare_digest(request.query_params.get("state", "").encode(), kept["state"].encode()):
        raise Doubtful("state")
    if request.query_params.get("error"):
        raise Doubtful("the issuer answered with an error")
    if request.query_params.get("iss", settings.oidc_issuer) != settings.oidc_issuer:
        raise Doubtful("answer of another issuer")  # RFC 9207
    return kept


def _claims(request: Request, settings: Web, kept: dict[str, str]) -> dict[str, Any]:
    """The identity that the code stands for, checked as OpenID Connect Core 3.1.3.7 asks."""
    issuer = _known(request, settings)
    with _client(settings) as client:
        code = request.query_params.get("code", "")
        token = client.fetch_token(issuer.metadata["token_endpoint"], code=code, code_verifier=kept["verifier"])
    try:
        decoded = jwt.decode(token["id_token"], KeySet.import_key_set(issuer.keys), algorithms=_ALGORITHMS)
    except (JoseError, ValueError):  # perhaps signed with a key that is new
        issuer = _known(request, settings, afresh=True)
        decoded = jwt.decode(token["id_token"], KeySet.import_key_set(issuer.keys), algorithms=_ALGORITHMS)
    wanted = {"iss": {"essential": True, "value": settings.oidc_issuer}, "aud": {"essential": True, "value": settings.oidc_client}}
    checks = {"nonce": kept["nonce"], "client_id": settings.oidc_client, "access_token": token.get("access_token")}
    claims = CodeIDToken(decoded.claims, decoded.header, wanted, checks)
    claims.validate(leeway=_LEEWAY)
    if not isinstance(claims.get("sub"), str) or not claims["sub"] or "nonce" not in claims:
        raise Doubtful("no subject or nonce")
    return dict(claims)


def _known(request: Request, settings: Web, *, afresh: bool = False) -> Issuer:
    issuer: Issuer = request.app.state.oidc
    with issuer.lock:
        if afresh or time.monotonic() - issuer.at > _FRESH:
            with httpx.Client(timeout=_TIMEOUT) as client:
                found = client.get(f"{str(settings.oidc_issuer).rstrip('/')}/.well-known/openid-configuration").raise_for_status().json()
                if found["issuer"] != settings.oidc_issuer:
                    raise Doubtful("the issuer calls itself otherwise")
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    _need_tls(found[name])
                issuer.metadata, issuer.keys = found, client.get(found["jwks_uri"]).raise_for_status().json()
                issuer.at = time.monotonic()
    return issuer


def _need_tls(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise Doubtful("an address of the issuer without https")


def _client(settings: Web) -> OAuth2Client:
    return OAuth2Client(
        settings.oidc_client,
        settings.oidc_secret,
        scope="openid email profile",
        redirect_uri=f"{settings.url}/oidc/back",
        code_challenge_method="S256",
        timeout=_TIMEOUT,
    )


def _signer(settings: Web) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(settings.oidc_secret), salt="biaogan.oidc")


def _unreachable(error: Exception) -> ServiceError:
    _log.warning("issuer not reached", extra={"why": str(error) if isinstance(error, Doubtful) else type(error).__name__})
    return ServiceError("oidc_unreachable", "统一身份认证现在连不上。请稍后再试，或用登录名和密码登录。", status=503)
