"""The application starts, leads to the sign-in, and tells errors in two forms."""

from __future__ import annotations

from typing import Any


def test_who_is_not_signed_in_is_led_to_the_sign_in(site: Any) -> None:
    answer = site.as_(None).get("/", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2F"


def test_each_role_is_led_to_its_work(site: Any) -> None:
    homes = {"applicant": "/drafts", "unit": "/submissions", "reviewer": "/reviews", "office": "/submissions", "admin": "/dashboard"}
    for role, home in homes.items():
        answer = site.as_(role).get("/", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, home)


def test_the_service_tells_whether_it_is_ready(site: Any) -> None:
    client = site.as_(None)
    assert client.get("/healthz").text == "ok"
    assert client.get("/readyz").text == "ready"


def test_an_unknown_address_is_told_in_the_callers_form(site: Any) -> None:
    page = site.as_("office").get("/nowhere")
    assert page.status_code == 404
    assert "没有这个页面" in page.text
    problem = site.as_(None).get("/api/v1/nowhere")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "not_found"
