"""Role × route, from the routes themselves: what is not granted to a role is refused, on pages and in the API, and nothing is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from service.database.place import Place
from service.programme.viewer import Role
from service.settings import Settings, Web
from service.web import context
from service.web.app import create

ROLES = get_args(Role)
# Routes that need no sign-in. Whoever adds one here has thought about it.
PUBLIC = {
    "/readyz",
    "/metrics",
    "/sign-in",
    "/welcome/{token}",
    "/demo/{token}",
    "/register",
    "/oidc/start",
    "/oidc/back",
}
# Plain routes: no dependency, no database.
PLAIN = {"/static/{digest}/{name:path}", "/healthz", "/api/v1/openapi.json"}


def _dependencies(dependant: Any) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from _dependencies(one)


@cache
def routes() -> tuple[tuple[str, str, frozenset[str] | None], ...]:
    """Method, path and the roles that may use it; None where it needs no sign-in."""
    app = create(Place(data=None), settings=Web(), analysis=Settings())  # type: ignore[arg-type]  # never started
    found = []
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute):
            assert route.path in PLAIN, f"{route.path} is no route of ours"
            continue
        calls = set(_dependencies(route.dependant))
        granted = {frozenset(call.roles) or frozenset(ROLES) for call in calls if hasattr(call, "roles")}
        is_public = context.public in calls
        assert len(granted) + is_public == 1, f"{route.path}: exactly one of allow(...) and PUBLIC"
        assert context.guard in calls, f"{route.path} is not guarded against other sites"
        assert context.token_guard in calls, f"{route.path} is not guarded against other sites"
        found += [(method, route.path, None if is_public else next(iter(granted))) for method in sorted(route.methods)]
    return tuple(found)


def test_what_is_public_is_meant() -> None:
    assert {path for _, path, roles in routes() if roles is None} <= PUBLIC


def test_each_role_has_something_to_do() -> None:
    for role in ROLES:
        assert sum(roles is not None and role in roles for _, _, roles in routes()) >= 5


def _address(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "999999", path)


@pytest.mark.parametrize("role", [*ROLES, None])
def test_what_is_not_granted_is_refused(site: Any, role: str | None) -> None:
    client = site.as_(role)
    asked = 0
    for method, path, roles in routes():
        if roles is None or role in roles:
            continue
        asked += 1
        answer = client.request(method, _address(path), headers={"X-CSRF-Token": client.csrf}, follow_redirects=False)
        if role is not None:
            assert answer.status_code == 403, (method, path)
            assert "权限" in answer.text, (method, path)
        elif path.startswith("/api/"):
            assert answer.status_code == 401, (method, path)
        else:
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in"), (method, path)
    assert asked or role == "admin"


@pytest.mark.parametrize("role", ROLES)
def test_changes_without_the_sessions_token_are_refused(site: Any, role: str) -> None:
    client = site.as_(role)
    for method, path, roles in routes():
        if roles is None or role not in roles or method in ("GET", "HEAD"):
            continue
        for headers in ({}, {"X-CSRF-Token": "x" * 32}, {"X-CSRF-Token": client.csrf, "Sec-Fetch-Site": "cross-site"}):
            answer = client.request(method, _address(path), headers=headers, follow_redirects=False)
            assert answer.status_code == 403, (method, path, headers)
            assert "刷新" in answer.text, (method, path)


@pytest.mark.parametrize("role", ROLES)
def test_what_is_not_there_is_told_as_such(site: Any, role: str) -> None:
    """Pages and answers about an object that does not exist, or is another's, end in 404 and never in a fault of ours."""
    client = site.as_(role)
    for method, path, roles in routes():
        if roles is None or role not in roles or "{" not in path:
            continue
        answer = client.request(method, _address(path), headers={"X-CSRF-Token": client.csrf}, follow_redirects=False)
        refused = {404} if method == "GET" else {400, 404, 409, 412, 415, 422, 428}
        assert answer.status_code in refused, (method, path, answer.status_code)
