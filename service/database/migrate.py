"""Brings the tables up to date. Alembic is imported only where there is something to do: it costs a third of a second."""

from __future__ import annotations

from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from service.database.tables import REVISION
from service.errors import ServiceError

_LOCK = 0x62_69_61_6F_67_61_6E  # "biaogan": the advisory lock of everyone who changes the tables
_OLDEST_PGVECTOR = (0, 7)  # the first with halfvec


def bring_up(engine: Engine) -> None:
    """One query where the tables are up to date; otherwise the missing steps, in one transaction that only one process has at a time."""
    with engine.connect() as connection:
        if current(connection) == REVISION:
            return
    with engine.begin() as connection:
        lock(connection)
        if current(connection) != REVISION:
            upgrade(connection)


def current(connection: Connection) -> str | None:
    """The revision of the tables, None where there are none; ServiceError where they are newer than the program."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found > REVISION:
        told = f"数据库是较新版本的程序建立的（{found}，本程序只到 {REVISION}）。请升级本程序；不要用旧版本写入。"
        raise ServiceError("database_newer", told, status=500)
    return found


def lock(connection: Connection) -> None:
    """Until the transaction ends no one else changes the tables."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def upgrade(connection: Connection, revision: str = REVISION) -> None:
    """The steps up to `revision`, inside the connection's transaction."""
    from alembic import command  # noqa: PLC0415 - slow, and seldom needed
    from alembic.config import Config  # noqa: PLC0415

    _ensure_pgvector(connection)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _ensure_pgvector(connection: Connection) -> None:
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    except (DBAPIError, ServiceError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error.__cause__
        if not isinstance(cause, psycopg.errors.FeatureNotSupported | psycopg.errors.UndefinedFile | psycopg.errors.InsufficientPrivilege):
            raise
        told = "数据库里没有 pgvector 扩展。请让管理员在服务器上安装 pgvector 0.7 或更新版本，并在这个库里执行 CREATE EXTENSION vector。"
        raise ServiceError("pgvector_missing", told, status=500) from error
    version: str = connection.execute(text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")).scalar_one()
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_PGVECTOR:
        told = f"数据库里的 pgvector 是 {version} 版，至少要 0.7。请让管理员升级后执行 ALTER EXTENSION vector UPDATE。"
        raise ServiceError("pgvector_old", told, status=500)
