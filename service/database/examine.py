"""examine(): what is in use, how large it is, and what is wrong with it (`biaogan doctor`). Changes nothing; `mend` does, where asked."""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, func, select, text

from service import __version__
from service.database.archive import Tell
from service.database.backup import quoted
from service.database.engine import shown
from service.database.files import Files
from service.database.migrate import current
from service.database.place import Place
from service.database.schema import metadata
from service.database.tables import FILES, REVISION, benchmarks, fingerprints, passages, width
from service.errors import ServiceError

SETTLED = 3600.0  # seconds after which a file that no row names is orphaned: an import keeps the file before its row
_LOW = 1 << 30  # bytes of free disk
_MANY = 5  # names in a message


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong: a stable code, and in Chinese what, where and how to mend it."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Examination:
    facts: tuple[tuple[str, str], ...]
    troubles: tuple[Trouble, ...]


def examine(engine: Engine, files: Files, place: Place, *, tell: Tell) -> Examination:
    """Reads everything once: rows, long texts, files. ServiceError where the database cannot be reached at all."""
    facts = [("程序", __version__), ("数据文件夹", str(place.data)), ("数据库", shown(engine, place)), ("原文件", files.shown)]
    troubles = list(_disk(place))
    named: set[str] | None = None
    with engine.connect() as connection:
        facts += _versions(connection)
        revision = current(connection)
        if revision == REVISION:
            try:
                named = _tables(connection, facts, troubles, tell)
            except ServiceError as error:
                if error.code != "database_damaged":
                    raise
                troubles.append(_damaged("有的内容读不出来"))
        else:
            facts.append(("表", f"版本 {revision or '无'}，下次使用时升级到 {REVISION}"))
    found, wrong = _files(files, named, tell)
    return Examination((*facts, *found, *_space(place)), (*troubles, *wrong))


def glance(connection: Connection, place: Place) -> tuple[tuple[str, str], ...]:
    """What is told at once, without reading the data."""
    return (*_versions(connection), *_space(place))


def _tables(connection: Connection, facts: list[tuple[str, str]], troubles: list[Trouble], tell: Tell) -> set[str]:
    """Adds to facts and troubles; the files that the rows name."""
    named = _named(connection)
    facts += _sizes(connection, tell)
    troubles += [*_server(connection), *_indexes(connection), *_rows(connection, tell)]
    return named


def _damaged(what: str) -> Trouble:
    return Trouble("database_damaged", f"数据库{what}，磁盘可能有故障。请检查磁盘，再从备份恢复（biaogan restore）。")


def mend(engine: Engine, files: Files, *, age: float = SETTLED) -> tuple[int, int]:
    """Mends what can be mended without loss: makes missing and invalid indexes anew, removes orphaned files and leftovers at least `age`
    seconds old. How many indexes, how many files.
    """
    with engine.begin() as connection:
        if current(connection) != REVISION:
            return 0, 0
        made = 0
        for table in metadata.sorted_tables:
            valid = _valid(connection, table)
            for index in table.indexes:
                if not valid.get(str(index.name), False):
                    connection.execute(text(f"DROP INDEX IF EXISTS {quoted(str(index.name))}"))
                    index.create(connection)
                    made += 1
        named = _named(connection)
    orphans = _orphans(files, named, age)
    for name in orphans:
        files.delete(name)
    return made, len(orphans) + files.sweep(age)


# --- facts -------------------------------------------------------------------------------------------------------------------------


def _versions(connection: Connection) -> Iterator[tuple[str, str]]:
    yield "PostgreSQL", connection.execute(text("SHOW server_version")).scalar_one()
    vector = connection.execute(text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")).scalar()
    yield "pgvector", vector or "没有安装"
    size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    yield "数据库大小", _bytes(size)


def _sizes(connection: Connection, tell: Tell) -> Iterator[tuple[str, str]]:
    connection.execute(text("SET LOCAL enable_indexonlyscan = off"))  # every page is read, and its checksum verified
    connection.execute(text("SET LOCAL enable_indexscan = off"))
    tables = metadata.sorted_tables
    for number, table in enumerate(tables):
        tell(f"读取表 {table.name}", number, len(tables))
        name = quoted(table.name)
        rows = connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608 - our tables
        size = connection.execute(text(f"SELECT pg_total_relation_size('{name}')")).scalar_one()
        yield f"表 {table.name}", f"{rows} 行，{_bytes(size)}"
    models = connection.execute(select(benchmarks.c.model).where(benchmarks.c.model.is_not(None)).distinct()).scalars().all()
    yield "向量", f"{width(connection)} 维，模型 {'、'.join(sorted(m for m in models if m)) or '无'}"


def _space(place: Place) -> Iterator[tuple[str, str]]:
    folder = _existing(place.data)
    usage = shutil.disk_usage(folder)
    yield "磁盘余量", f"{_bytes(usage.free)}（{folder}）"


def _bytes(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


# --- troubles ----------------------------------------------------------------------------------------------------------------------


def _disk(place: Place) -> Iterator[Trouble]:
    folder = _existing(place.data)
    free = shutil.disk_usage(folder).free
    if free < _LOW:
        yield Trouble("disk_low", f"{folder} 所在的磁盘只剩 {_bytes(free)}。请清出空间，满了以后不能再存入。")
    if place.data.exists() and place.data.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Trouble("data_folder_open", f"数据文件夹 {place.data} 对其他用户可写。请运行 chmod go-w '{place.data}'。")


def _server(connection: Connection) -> Iterator[Trouble]:
    failed = connection.execute(text("SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()")).scalar()
    if failed:
        yield _damaged(f"有 {failed} 个数据页的校验值不符")
    if connection.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'vector'")).scalar() is None:
        yield Trouble("pgvector_missing", "数据库里没有 pgvector 扩展。请让管理员执行 CREATE EXTENSION vector，再从备份恢复。")


def _valid(connection: Connection, table: Table) -> dict[str, bool]:
    query = text("SELECT relname, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = CAST(:table AS regclass)")
    return {str(row.relname): bool(row.indisvalid) for row in connection.execute(query, {"table": quoted(table.name)})}


def _indexes(connection: Connection) -> Iterator[Trouble]:
    for table in metadata.sorted_tables:
        found = _valid(connection, table)
        for name in sorted(found):
            if not found[name]:
                told = f"表 {table.name} 的索引 {name} 无效，查找可能漏掉内容。请运行 biaogan doctor --mend 重建。"
                yield Trouble("index_invalid", told)
        for index in sorted(str(index.name) for index in table.indexes):
            if index not in found:
                told = f"表 {table.name} 缺少索引 {index}，查找会很慢。请运行 biaogan doctor --mend 重建。"
                yield Trouble("index_missing", told)


def _rows(connection: Connection, tell: Tell) -> Iterator[Trouble]:
    tell("核对内容", 0, 1)
    empty = connection.execute(select(func.count()).select_from(passages).where(passages.c.embedding.is_(None))).scalar_one()
    if empty:
        yield Trouble("embedding_missing", f"有 {empty} 个段落没有向量，改写的相似内容会漏掉。请运行 biaogan library reindex。")
    models = connection.execute(select(benchmarks.c.model).where(benchmarks.c.model.is_not(None)).distinct()).scalars().all()
    if len(models) > 1:
        told = f"各标杆的向量出自不同的模型（{'、'.join(sorted(str(m) for m in models))}），不能相比。请运行 biaogan library reindex。"
        yield Trouble("embedding_mixed", told)
    for table, what in ((passages, "段落"), (fingerprints, "指纹")):
        some = select(table.c.benchmark).where(table.c.benchmark == benchmarks.c.number).exists()
        # A text of a few characters has no fingerprints; one of a passage's length has both.
        long = func.length(benchmarks.c.text) > _SHORT
        lacking = connection.execute(select(benchmarks.c.id).where(long, ~some).order_by(benchmarks.c.id)).scalars().all()
        if lacking:
            told = f"有 {len(lacking)} 份标杆没有{what}，比对时会漏掉：{_some(lacking)}。请运行 biaogan library reindex。"
            yield Trouble("benchmark_unindexed", told)
    outside = (passages.c.start < 0) | (passages.c.stop <= passages.c.start) | (passages.c.stop > func.length(benchmarks.c.text))
    joined = passages.join(benchmarks, passages.c.benchmark == benchmarks.c.number)
    wrong = (
        connection.execute(select(benchmarks.c.id).select_from(joined).where(outside).distinct().order_by(benchmarks.c.id)).scalars().all()
    )
    if wrong:
        told = f"有 {len(wrong)} 份标杆的段落位置超出了正文：{_some(wrong)}。请运行 biaogan library reindex。"
        yield Trouble("passage_outside", told)


_SHORT = 100  # characters


def _named(connection: Connection) -> set[str]:
    return {name for column in FILES for name in connection.execute(select(column).where(column.is_not(None))).scalars() if name}


def _files(files: Files, named: set[str] | None, tell: Tell) -> tuple[list[tuple[str, str]], list[Trouble]]:
    stored = list(files.iterate())
    altered = []
    for number, one in enumerate(stored):
        tell("核对原文件", number, len(stored))
        try:
            files.get(one.sha256)
        except ServiceError as error:
            if error.code not in ("stored_file_damaged", "stored_file_missing"):
                raise
            altered.append(one.sha256)
    facts = [("原文件数", f"{len(stored)} 个，{_bytes(sum(one.size for one in stored))}")]
    troubles = []
    if altered:
        told = (
            f"有 {len(altered)} 个原文件与存入时不同，已被改动或损坏：{_some(altered)}（{files.shown}）。请从备份恢复，或重新导入这些材料。"
        )
        troubles.append(Trouble("stored_file_damaged", told))
    if named is not None:
        missing = sorted(named - {one.sha256 for one in stored})
        if missing:
            told = f"有 {len(missing)} 个原文件不见了：{_some(missing)}（{files.shown}）。请从备份恢复，或重新导入这些材料。"
            troubles.append(Trouble("stored_file_missing", told))
        left = len(_orphans(files, named, SETTLED)) + len(files.leftovers(SETTLED))
        if left:
            told = f"有 {left} 个文件不属于任何标杆（中断的导入或已移除的标杆留下的）。运行 biaogan doctor --mend 可删除它们。"
            troubles.append(Trouble("stored_file_orphaned", told))
    return facts, troubles


def _orphans(files: Files, named: set[str], age: float) -> list[str]:
    then = time.time() - age
    return [one.sha256 for one in files.iterate() if one.sha256 not in named and (one.modified is None or one.modified <= then)]


def _some(names: Iterable[str]) -> str:
    listed = [name if len(name) < 20 else f"{name[:12]}…" for name in map(str, names)]
    return "、".join(listed[:_MANY]) + ("等" if len(listed) > _MANY else "")
