"""connect(): a SQLAlchemy Engine on the embedded server or on another, its tables up to date, its errors told in Chinese."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import Dialect, ExceptionContext
from sqlalchemy.exc import ArgumentError

from service.database import failures, migrate
from service.database.place import Place
from service.database.server import DATABASE, USER, Server
from service.errors import ServiceError

_POOL = 5
_SECONDS = 10  # to reach a server
_TRIES, _PAUSE = 3, 0.1  # seconds, while the embedded server is dying or stopping
_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_servers: weakref.WeakKeyDictionary[Engine, Server] = weakref.WeakKeyDictionary()


def connect(place: Place) -> Engine:
    """An Engine with a small pool; the embedded server is started and the tables are made or migrated as needed.

    Statements that fail raise ServiceError where the caller or the machine can mend it (failures.py), SQLAlchemy's errors otherwise.
    `close` it when done: the last process that does so, or ends, stops the embedded server.
    """
    engine = open_engine(place)
    try:
        migrate.bring_up(engine)
    except BaseException:
        close(engine)
        raise
    return engine


def open_engine(place: Place) -> Engine:
    """An Engine whose tables are as they are, perhaps none: for `restore` and `doctor`."""
    server = None if place.database is not None else Server(place.server)
    url = _embedded() if place.database is None else _other(place.database)
    engine = create_engine(
        url,
        pool_size=_POOL,
        max_overflow=_POOL,
        pool_pre_ping=True,
        hide_parameters=True,  # texts of write-ups and names do not belong in messages
        use_native_hstore=False,
        connect_args={"connect_timeout": _SECONDS, "application_name": "biaogan"},
    )
    where = shown(engine, place)

    def open_connection(dialect: Dialect, _record: object, arguments: list[Any], options: dict[str, Any]) -> Any:
        """A server that was killed is started again, also for a process that has been using it for long."""
        if server is None:
            return dialect.connect(*arguments, **options)
        for _ in range(_TRIES):
            options["host"] = str(server.ensure())
            with suppress(psycopg.OperationalError):  # it stopped in between
                return dialect.connect(*arguments, **options)
            time.sleep(_PAUSE)
        return dialect.connect(*arguments, **options)

    def explain(context: ExceptionContext) -> None:
        told = None if context.is_pre_ping else failures.explain(context.original_exception, where)
        if told is not None:
            raise told from context.original_exception

    event.listen(engine, "do_connect", open_connection)
    event.listen(engine, "handle_error", explain)
    if server is not None:
        _servers[engine] = server
    return engine


def parameters(engine: Engine) -> dict[str, Any]:
    """What libpq is told to reach the engine's server, started where it is the embedded one: for connections of another library."""
    found: dict[str, Any] = dict(engine.dialect.create_connect_args(engine.url)[1])
    found.pop("context", None)  # SQLAlchemy's own conversions
    server = _servers.get(engine)
    if server is not None:
        found["host"] = str(server.ensure())
    return {"connect_timeout": _SECONDS, "application_name": "biaogan", **found}


def close(engine: Engine) -> None:
    """Closes the pool and leaves the embedded server."""
    engine.dispose()
    server = _servers.pop(engine, None)
    if server is not None:
        server.leave()


@contextmanager
def closing(engine: Engine) -> Iterator[Engine]:
    """`close` at the end, whatever happens."""
    try:
        yield engine
    finally:
        close(engine)


def shown(engine: Engine, place: Place) -> str:
    """Where the database is, for messages: no password, none of the URL's options."""
    if place.database is None:
        return str(place.server)
    url = engine.url
    host = url.host or url.query.get("host") or "localhost"
    return f"{host}:{url.port or 5432}/{url.database or ''}"


def _embedded() -> URL:
    return URL.create("postgresql+psycopg", username=USER, database=DATABASE)


def _other(given: str) -> URL:
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _SCHEMES:
        told = "环境变量 BIAOGAN_DATABASE_URL 不是 PostgreSQL 的地址。请写成 postgresql://用户名:密码@主机:端口/库名，特殊字符用 %XX 写。"
        raise ServiceError("setting_invalid", told)
    return url.set(drivername="postgresql+psycopg")
