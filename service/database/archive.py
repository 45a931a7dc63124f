"""What a backup looks like: a ZIP with tables/NAME (PostgreSQL's binary COPY), files/SHA256 and, last, manifest.json with their hashes."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from service.database.migrate import current
from service.database.tables import REVISION
from service.errors import ServiceError, reason

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK = 1 << 20  # bytes
_STEPS = Path(__file__).parent / "migrations" / "versions"
_LARGEST_MANIFEST = 256 << 20
_TABLE = re.compile(r"[a-z_][a-z0-9_]*")
_FILE = re.compile(r"[0-9a-f]{64}")

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)  # what zipfile raises on a damaged archive

Tell = Callable[[str, int, int], None]  # what is being done, so much of so much


@dataclass(frozen=True, slots=True)
class TableDump:
    name: str
    columns: tuple[tuple[str, str], ...]  # name, type
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Sequence:
    table: str
    column: str
    last: int
    called: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    format: int
    program: str
    revision: str
    made_at: str
    width: int  # of embeddings
    tables: tuple[TableDump, ...]
    sequences: tuple[Sequence, ...]
    files: tuple[str, ...]
    missing: tuple[str, ...]  # files that the database names and that were gone or altered when it was made

    def text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)


def structure(connection: Connection) -> dict[str, tuple[tuple[str, str], ...]]:
    """Tables of the program with their columns and types, those first that others refer to."""
    known = current(connection)
    assert known is not None
    rows = connection.execute(
        text(
            "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'alembic_version'::regclass) "
            "AND c.relname <> 'alembic_version' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' "
            "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1, a.attname"
        )
    )
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for table, column, kind in rows:
        found[table] = (*found.get(table, ()), (column, kind))
    return {name: found[name] for name in _ordered(set(found), _references(connection))}


def sequences(connection: Connection) -> tuple[Sequence, ...]:
    """Where the counters of identity columns stand: a number is not given twice, even when its row was removed."""
    rows = connection.execute(
        text(
            "SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name) FROM information_schema.columns "
            "WHERE is_identity = 'YES' AND table_schema = current_schema() ORDER BY 1, 2"
        )
    ).all()
    found = []
    for table, column, name in rows:
        last, called = connection.execute(text(f"SELECT last_value, is_called FROM {name}")).one()  # noqa: S608 - a name of the catalogue's
        found.append(Sequence(table, column, last, called))
    return tuple(found)


def _references(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        text(
            "SELECT a.relname, b.relname FROM pg_constraint k JOIN pg_class a ON a.oid = k.conrelid JOIN pg_class b ON b.oid = k.confrelid "
            "WHERE k.contype = 'f' AND a.relname <> b.relname"
        )
    )
    return [(child, parent) for child, parent in rows]


def _ordered(names: set[str], references: list[tuple[str, str]]) -> list[str]:
    done: list[str] = []
    while len(done) < len(names):
        free = sorted(name for name in names - set(done) if all(p in done for c, p in references if c == name and p in names))
        assert free, "tables that refer to each other in a circle cannot be restored"
        done += free
    return done


# --- reading -----------------------------------------------------------------------------------------------------------------------


def open_archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise ServiceError("backup_missing", f"找不到备份文件 {path}。请检查路径是否写对。") from None
    except zipfile.BadZipFile:
        raise ServiceError("backup_damaged", f"{path} 不是完整的备份文件，可能没有复制完整或已损坏。请换一份备份。") from None
    except OSError as error:
        told = f"打不开备份文件 {path}（{reason(error)}）。请检查路径和权限。"
        raise ServiceError("backup_missing", told) from error


def read_manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """The manifest of an archive that holds what it says and nothing else; contents are not read yet."""
    try:
        if archive.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
            raise damaged(path, "清单过大")
        manifest = _manifest(json.loads(archive.read(MANIFEST)), path)
    except KeyError:
        raise damaged(path, "缺少清单或清单不全") from None
    except (ValueError, TypeError, AttributeError, *BROKEN) as error:
        raise damaged(path, "清单读不出来") from error
    names = [member.filename for member in archive.infolist()]
    expected = {MANIFEST, *(f"tables/{table.name}" for table in manifest.tables), *(f"files/{name}" for name in manifest.files)}
    if strange := sorted(set(names) - expected):
        told = f"备份文件 {path} 里有清单以外的内容（{strange[0][:80]}），可能被改动过，已拒绝恢复。请换一份备份。"
        raise ServiceError("backup_refused", told)
    if len(names) != len(set(names)) or set(names) != expected:
        raise damaged(path, "内容与清单不符")
    return manifest


def _manifest(given: dict[str, Any], path: Path) -> Manifest:
    form, revision = given["format"], str(given["revision"])
    if form > FORMAT or revision > REVISION:
        told = f"备份文件 {path} 是较新版本的程序（{given['program']}）制作的，本版本不能恢复。请升级本程序后再试。"
        raise ServiceError("backup_newer", told)
    if revision not in {step.name.partition("_")[0] for step in _STEPS.glob("[0-9]*.py")}:
        raise damaged(path, "表的版本不明")
    dumps = tuple(
        TableDump(str(t["name"]), tuple((str(n), str(k)) for n, k in t["columns"]), int(t["rows"]), str(t["sha256"]))
        for t in given["tables"]
    )
    counters = tuple(Sequence(str(s["table"]), str(s["column"]), int(s["last"]), bool(s["called"])) for s in given["sequences"])
    files = tuple(str(name) for name in given["files"])
    missing = tuple(str(name) for name in given["missing"])
    if not all(_TABLE.fullmatch(table.name) for table in dumps) or not all(_FILE.fullmatch(name) for name in (*files, *missing)):
        told = f"备份文件 {path} 的清单里有不允许的名称（如指向文件夹以外的路径），已拒绝恢复。请换一份备份。"
        raise ServiceError("backup_refused", told)
    made = (str(given["program"]), revision, str(given["made_at"]), int(given["width"]))
    return Manifest(int(form), *made, dumps, counters, files, missing)


def verify(archive: zipfile.ZipFile, manifest: Manifest, path: Path, tell: Tell) -> None:
    """Reads everything once and compares the hashes; ServiceError where one differs."""
    expected = {f"tables/{table.name}": table.sha256 for table in manifest.tables} | {f"files/{name}": name for name in manifest.files}
    for number, (name, digest) in enumerate(sorted(expected.items())):
        tell("核对备份", number, len(expected))
        found = sha256()
        try:
            with archive.open(name) as stream:
                for chunk in chunks(stream):
                    found.update(chunk)
        except (*BROKEN, ValueError) as error:
            raise damaged(path, f"{name} 读不出来") from error
        if found.hexdigest() != digest:
            raise damaged(path, f"{name} 与清单不符")


def chunks(stream: Any) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def damaged(path: Path, why: str) -> ServiceError:
    return ServiceError("backup_damaged", f"备份文件 {path} 已损坏（{why}），没有恢复任何内容。请换一份备份。")
