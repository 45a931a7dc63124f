"""backup(): the database as it was at one moment and the files of the store, in one archive that says what is in it."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select

from service import __version__
from service.database import archive, failures
from service.database.archive import Manifest, TableDump, Tell
from service.database.files import Files
from service.database.migrate import current
from service.database.tables import FILES, width
from service.errors import ServiceError, reason

_LEVEL = 1  # of compression: vectors and hashes hardly shrink, text does at once


@dataclass(frozen=True, slots=True)
class Made:
    manifest: Manifest
    size: int  # bytes of the archive


def backup(engine: Engine, files: Files, path: Path, *, tell: Tell) -> Made:
    """Writes the archive; under its name it appears only when it is whole. An existing file is never overwritten.

    Files that are gone or altered are left out and named in the manifest's `missing`: a backup of the rest is better than none.
    """
    if path.exists():
        raise ServiceError("backup_exists", f"{path} 已经存在，为免覆盖旧的备份已停止。请换一个文件名。")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as target:
                manifest = _write(engine, files, target, tell)
            stream.flush()
            os.fsync(stream.fileno())
        size = part.stat().st_size
        part.replace(path)
    except OSError as error:
        told = f"备份写不进 {path}（{reason(error)}）。请检查文件夹、权限和磁盘空间。"
        raise ServiceError("backup_unwritable", told) from error
    finally:
        part.unlink(missing_ok=True)
    return Made(manifest, size)


def _write(engine: Engine, files: Files, target: zipfile.ZipFile, tell: Tell) -> Manifest:
    with engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
        revision = current(connection)
        assert revision is not None, "the engine comes from connect()"
        tables = archive.structure(connection)
        dumps = []
        for number, (name, columns) in enumerate(tables.items()):
            tell(f"备份表 {name}", number, len(tables))
            dumps.append(_dump(connection, name, columns, target))
        counters = archive.sequences(connection)
        named: set[str] = set()
        for column in FILES:
            named.update(connection.execute(select(column).where(column.is_not(None))).scalars())
        numbers = width(connection)
    kept, missing = _copy_files(files, named, target, tell)
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = Manifest(archive.FORMAT, __version__, revision, made_at, numbers, tuple(dumps), counters, kept, missing)
    target.writestr(archive.MANIFEST, manifest.text())
    return manifest


def _dump(connection: Connection, name: str, columns: tuple[tuple[str, str], ...], target: zipfile.ZipFile) -> TableDump:
    digest = sha256()
    with (
        failures.explained(name),
        target.open(f"tables/{name}", "w", force_zip64=True) as stream,
        cursor_of(connection) as cursor,
    ):
        with cursor.copy(f"COPY {quoted(name)} ({column_list(columns)}) TO STDOUT (FORMAT binary)") as rows:
            for chunk in rows:
                digest.update(chunk)
                stream.write(chunk)
        count: int = cursor.rowcount
    return TableDump(name, columns, count, digest.hexdigest())


def _copy_files(files: Files, named: set[str], target: zipfile.ZipFile, tell: Tell) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Everything in the store, and which of the named files were not to be had."""
    present = {stored.sha256 for stored in files.iterate()}
    kept, missing = [], []
    for number, name in enumerate(sorted(present | named)):
        tell("备份原文件", number, len(present | named))
        try:
            data = files.get(name)
        except ServiceError as error:
            if error.code not in ("stored_file_missing", "stored_file_damaged"):
                raise
            missing.append(name)
            continue
        target.writestr(zipfile.ZipInfo(f"files/{name}"), data, zipfile.ZIP_STORED)  # Word and PDF files are compressed already
        kept.append(name)
    return tuple(kept), tuple(missing)


def cursor_of(connection: Connection) -> Any:
    """A psycopg cursor in the connection's transaction, for COPY."""
    raw = connection.connection.driver_connection
    assert raw is not None
    return raw.cursor()


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def column_list(columns: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(quoted(name) for name, _ in columns)
