"""restore(): an archive back into a database and a store. Nothing is changed before all of it has been read and found right."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from service.database import archive, failures, migrate
from service.database.archive import Manifest, Tell
from service.database.backup import column_list, cursor_of, quoted
from service.database.files import Files
from service.database.schema import metadata
from service.database.tables import REVISION, library_state, set_width
from service.errors import ServiceError

_PATIENCE = "30s"  # for other processes that use the tables


def restore(engine: Engine, files: Files, path: Path, *, replace: bool, tell: Tell) -> Manifest:
    """The archive's contents, in one transaction: a failure leaves the database as it was.

    Raises ServiceError where the archive is damaged, newer or strange, and where the database holds something and `replace` is False.
    Files come first; what else the store holds stays there (`doctor` calls it orphaned).
    """
    with archive.open_archive(path) as source:
        manifest = archive.read_manifest(source, path)
        archive.verify(source, manifest, path, tell)
        if not replace:
            with engine.connect() as connection:
                _refuse_full(connection)
        for number, name in enumerate(manifest.files):
            tell("恢复原文件", number, len(manifest.files))
            if files.put(source.read(f"files/{name}")) != name:
                raise archive.damaged(path, "文件在恢复时被改动")
        with _explained(path), engine.begin() as connection:
            migrate.lock(connection)
            connection.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
            if not replace:
                _refuse_full(connection)
            before = connection.execute(select(library_state.c.revision)).scalar() or 0
            _load(connection, source, manifest, path, tell)
            if before:  # who remembers the library by its revision must not take the new one for the old
                newer = func.greatest(library_state.c.revision, before) + 1
                connection.execute(library_state.update().values(revision=newer))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))  # index-only look-ups need the visibility map
    return manifest


def _refuse_full(connection: Connection) -> None:
    full = [name for name in archive.structure(connection) if _holds(connection, name)]
    if full:
        told = f"数据库里已有内容（{'、'.join(full)}），没有恢复。确要用备份替换全部现有内容，请加 --replace；建议先另做一份备份。"
        raise ServiceError("database_not_empty", told)


def _holds(connection: Connection, name: str) -> bool:
    condition = " WHERE revision > 0 OR settings <> '{}'" if name == "library_state" else ""
    found: bool = connection.execute(text(f"SELECT EXISTS (SELECT FROM {quoted(name)}{condition})")).scalar_one()  # noqa: S608 - our tables
    return found


def _load(connection: Connection, source: zipfile.ZipFile, manifest: Manifest, path: Path, tell: Tell) -> None:
    names = ", ".join(quoted(table.name) for table in metadata.sorted_tables)
    connection.execute(text(f"DROP TABLE IF EXISTS {names}, alembic_version CASCADE"))
    migrate.upgrade(connection, manifest.revision)
    set_width(connection, manifest.width)
    expected = archive.structure(connection)
    if {table.name: table.columns for table in manifest.tables} != expected:
        raise archive.damaged(path, "表的结构与其版本不符")
    if {(one.table, one.column) for one in manifest.sequences} != {(one.table, one.column) for one in archive.sequences(connection)}:
        raise archive.damaged(path, "编号的计数与其版本不符")
    dumps = {table.name: table for table in manifest.tables}
    indexes = _drop_indexes(connection)
    for number, (name, columns) in enumerate(expected.items()):
        tell(f"恢复表 {name}", number, len(expected) + len(indexes))
        connection.execute(text(f"DELETE FROM {quoted(name)}"))  # noqa: S608 - rows that a migration put there
        _copy(connection, source, name, columns)
        found = connection.execute(text(f"SELECT count(*) FROM {quoted(name)}")).scalar_one()  # noqa: S608
        if found != dumps[name].rows:
            raise archive.damaged(path, f"表 {name} 的行数与清单不符")
    for number, statement in enumerate(indexes):
        tell("重建索引", len(expected) + number, len(expected) + len(indexes))
        connection.exec_driver_sql(statement.replace("%", "%%"))
    for counter in manifest.sequences:
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(quote_ident(:table), :column), :last, :called)"),
            {"table": counter.table, "column": counter.column, "last": counter.last, "called": counter.called},
        )
    if manifest.revision != REVISION:
        migrate.upgrade(connection)


def _drop_indexes(connection: Connection) -> list[str]:
    """Drops the indexes that stand behind no constraint and gives the statements that make them again: once is quicker than row by row."""
    rows = connection.execute(
        text(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
            "WHERE c.relname = ANY(:names) AND c.relnamespace = current_schema()::regnamespace "
            "AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) ORDER BY 1"
        ),
        {"names": [table.name for table in metadata.sorted_tables]},
    ).all()
    for name, _ in rows:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    return [statement for _, statement in rows]


def _copy(connection: Connection, source: zipfile.ZipFile, name: str, columns: tuple[tuple[str, str], ...]) -> None:
    statement = f"COPY {quoted(name)} ({column_list(columns)}) FROM STDIN (FORMAT binary)"
    with source.open(f"tables/{name}") as stream, cursor_of(connection) as cursor, cursor.copy(statement) as rows:
        for chunk in archive.chunks(stream):
            rows.write(chunk)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """An archive that was tampered with and fits its own hashes still fails in the database's hands: as a damaged one, not as a crash."""
    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        told = failures.explain(cause, str(path)) if cause is not None else None
        raise told or archive.damaged(path, "数据库不接受其中的内容") from error
