"""create(): the application, with its database, its store of files and every route."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from prometheus_client import CollectorRegistry
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from service import __version__
from service.database.engine import close, connect
from service.database.files import open_store
from service.database.place import Place
from service.database.queue import prepare
from service.errors import ServiceError
from service.settings import Settings, Web
from service.web import context, errors, health, metrics, oidc, security, statics
from service.web.api import all_routers, describe
from service.web.pages import (
    account,
    admin,
    applications,
    batches,
    dashboard,
    drafts,
    editions,
    exports,
    findings,
    help,  # noqa: A004 - the page's name
    home,
    library,
    library_changes,
    receipts,
    reviews,
    submissions,
    triage,
    units,
)

_log = logging.getLogger(__name__)
_PAGES = (
    home,
    account,
    drafts,
    applications,
    receipts,
    exports,
    submissions,
    triage,
    batches,
    dashboard,
    units,
    findings,
    reviews,
    library_changes,  # before the page of one benchmark: /library/new is none
    library,
    editions,
    admin,
    help,
)


def create(place: Place, *, settings: Web, analysis: Settings) -> FastAPI:
    """The application. `analysis` says where models are, for the versions that a result is kept under."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.engine = await run_in_threadpool(connect, place)
        await run_in_threadpool(prepare, app.state.engine)
        app.state.files = open_store(place)
        try:
            yield
        finally:
            await run_in_threadpool(close, app.state.engine)

    app = FastAPI(
        title="标杆审读",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        dependencies=[Depends(context.guard), Depends(context.token_guard, scope="function")],
    )
    app.state.settings, app.state.place, app.state.analysis = settings, place, analysis
    app.state.registry, app.state.oidc = CollectorRegistry(), oidc.Issuer()
    app.add_middleware(metrics.Timings, registry=app.state.registry)
    app.add_route("/static/{digest}/{name:path}", statics.one)
    app.add_route("/healthz", health.health)
    app.include_router(health.router, include_in_schema=False)
    app.include_router(metrics.router, include_in_schema=False)
    for module in _PAGES:
        app.include_router(module.router, include_in_schema=False)
    for router in all_routers():
        app.include_router(router, prefix="/api/v1")
    describe(app)
    _answer_errors(app)
    app.add_middleware(security.Hardened, settings=settings)  # the last one added is the first one asked
    return app


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(ServiceError)
    def told(request: Request, error: ServiceError) -> Response:
        return errors.answer(request, error)

    @app.exception_handler(context.SignInNeeded)
    def sign_in(request: Request, _error: context.SignInNeeded) -> Response:
        return errors.sign_in(request)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        return errors.http(request, error)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        return errors.invalid(request, error)

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> Response:
        """The last resort: logged with its trace, told without one."""
        route = getattr(request.scope.get("route"), "path", "-")  # an address may hold a secret: /welcome/{token}
        _log.error("unhandled error at %s %s", request.method, route, exc_info=error)
        answer = errors.broken(request)
        security.stamp(answer.headers, request.app.state.settings)  # Starlette answers this one outside of all middleware
        return answer
