"""/metrics for Prometheus: the queue, the stages of the analyses, how long pages take; and a line in the log for each request.

No text of a write-up, no name of a file or person is in either.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import time
from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import jobs
from service.web import context

router = APIRouter()
_log = logging.getLogger("service.web.requests")
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


class Timings:
    """ASGI middleware: how long each route takes until its last byte, by route and status, never by address."""

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry) -> None:
        self._app = app
        self._seconds = Histogram(
            "biaogan_request_seconds", "Time to the last byte", ("method", "route", "status"), buckets=_BUCKETS, registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", "-")
            self._seconds.labels(scope["method"], route, str(status)).observe(seconds)
            if route not in _QUIET and not route.startswith("/static"):
                told = {"method": scope["method"], "route": route, "status": status, "milliseconds": round(seconds * 1000, 1)}
                _log.info("request", extra=told)


class _Queue(Collector):
    """What the database says of the queue at this moment."""

    def __init__(self, figures: jobs.Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        depth = GaugeMetricFamily("biaogan_analyses", "Analyses that are not done, by state", labels=["state"])
        for state, number in (("waiting", figures.waiting), ("running", figures.running), ("failed", figures.failed)):
            depth.add_metric([state], number)
        yield depth
        yield GaugeMetricFamily("biaogan_queue_age_seconds", "How long the oldest has been waiting", value=figures.oldest_seconds)
        spent = CounterMetricFamily("biaogan_stage_seconds", "Time spent in a stage of the analyses", labels=["stage"])
        files = CounterMetricFamily("biaogan_stage_files", "Files that a stage has seen", labels=["stage"])
        for stage, (milliseconds, number) in figures.stages.items():
            spent.add_metric([stage], milliseconds / 1000)
            files.add_metric([stage], number)
        yield spent
        yield files


@router.get("/metrics", dependencies=[context.PUBLIC])
def metrics(request: Request, db: context.Db) -> Response:
    """For this machine, or with the token of BIAOGAN_METRICS_TOKEN; for anyone else there is no such page."""
    if not _may(request):
        raise HTTPException(404)
    queue = CollectorRegistry()
    queue.register(_Queue(jobs.figures(db)))
    return Response(generate_latest(request.app.state.registry) + generate_latest(queue), media_type=CONTENT_TYPE_LATEST)


def _may(request: Request) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    wanted = context.web(request).metrics_token
    if wanted is not None and scheme.lower() == "bearer":
        return hmac.compare_digest(token.strip().encode(), wanted.encode())
    peer = request.client.host if request.client else ""
    try:
        return ipaddress.ip_address(peer).is_loopback and "x-forwarded-for" not in request.headers
    except ValueError:
        return False
