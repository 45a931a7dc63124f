"""/metrics tells of the queue and of requests, to this machine and to who has the token, and nothing of what is read."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from starlette.testclient import TestClient


def local(site: Any) -> TestClient:
    return TestClient(site.app, client=("127.0.0.1", 50000))


def test_this_machine_may_read_it(site: Any) -> None:
    site.as_("office").get("/")
    told = local(site).get("/metrics").text
    assert 'biaogan_analyses{state="waiting"} 0.0' in told
    assert "biaogan_queue_age_seconds 0.0" in told
    assert 'biaogan_request_seconds_count{method="GET",route="/",status="303"} 1.0' in told


def test_for_others_it_is_not_there(site: Any) -> None:
    assert site.as_("admin").get("/metrics").status_code == 404
    assert local(site).get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404


def test_with_the_token_it_is(site: Any) -> None:
    other = TestClient(site.app, client=("10.0.0.9", 50000))
    assert other.get("/metrics", headers={"Authorization": "Bearer geheim"}).status_code == 404
    object.__setattr__(site.settings, "metrics_token", "geheim")
    assert other.get("/metrics", headers={"Authorization": "Bearer geheim"}).status_code == 200
    assert other.get("/metrics", headers={"Authorization": "Bearer falsch"}).status_code == 404


def test_the_log_names_the_route_and_no_address(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "service.web.requests"):
        site.as_("office").get("/submissions/4711?q=机密")
    record = caplog.records[-1]
    assert "4711" not in str(vars(record)["route"])
    assert "机密" not in str(vars(record))
