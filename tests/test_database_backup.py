"""Backup and restore: the same contents come back, and nothing is touched by an archive that is not as it should be."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, insert, select, text

from service.database.archive import structure
from service.database.backup import backup
from service.database.engine import close, connect
from service.database.files import Files, open_store
from service.database.place import Place
from service.database.restore import restore
from service.database.tables import (
    benchmarks,
    changed,
    common_phrases,
    fingerprints,
    imports,
    library_state,
    metadata,
    passages,
    set_width,
    width,
)
from service.errors import ServiceError

SOURCE = "扭矩管控".encode() * 1000


def quiet(_what: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture(name="other")
def _other(cluster: Path, tmp_path: Path) -> Iterator[tuple[Engine, Files]]:
    """A second database, and another store."""
    with database(cluster, tmp_path / "other") as both:
        yield both


def fill(engine: Engine, files: Files) -> None:
    name = files.put(SOURCE)
    row = {
        "year": 2022,
        "level": "national",
        "organisation": "江屿阀门有限公司",
        "title": "经验",
        "areas": ["质量", "班组"],
        "former_names": ["江屿厂"],
    }
    with engine.begin() as connection:
        connection.execute(
            insert(benchmarks).values(row | {"id": "2022-0001", "sha256": name, "file_name": "经验.docx", "text": "一、扭矩\n" * 99})
        )
        more = {"id": "2021-0001", "year": 2021, "status": "revoked", "revoked_on": date(2025, 5, 1), "sections": {"键": [1, None]}}
        connection.execute(
            insert(benchmarks).values(row | more | {"normal": b"\x00\xff", "search": text("array_to_tsvector(ARRAY['扭矩'])")})
        )
        connection.execute(insert(benchmarks).values(row | {"id": "gone"}))
        connection.execute(benchmarks.delete().where(benchmarks.c.id == "gone"))  # its number is not given again
        connection.execute(
            insert(passages), [{"benchmark": 1, "number": n, "start": n, "stop": n + 9, "embedding": [n / 64] * 256} for n in range(20)]
        )
        connection.execute(insert(passages).values(benchmark=1, number=20, start=0, stop=5))
        connection.execute(text("INSERT INTO fingerprints SELECT n * 7919::bigint << 20, -n, 1, n FROM generate_series(1, 5000) n"))
        connection.execute(insert(common_phrases).values(phrase="以客户为中心", source="office", kept=True))
        connection.execute(insert(imports).values(folder="/材料", file="a.docx", state="done", benchmark="2022-0001", sha256=name))
        connection.execute(library_state.update().values(settings={"model": "a"}))
        changed(connection)


def contents(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(text(f"{table.name}::text")).select_from(table)).scalars()))
            for table in metadata.sorted_tables
        }


def indexes(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        query = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        return list(connection.execute(text(query)).all())


@contextmanager
def database(cluster: Path, folder: Path) -> Iterator[tuple[Engine, Files]]:
    """A database with empty tables, and a store."""
    name = f"o{uuid4().hex}"
    with psycopg.connect(host=str(cluster), user="biaogan", dbname="biaogan", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template")  # type: ignore[call-overload]
        place = Place(folder, f"postgresql://biaogan@/{name}?host={cluster}")
        engine = connect(place)
        yield engine, open_store(place)
        close(engine)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


@pytest.fixture(name="source", scope="module")
def _source(cluster: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, bytes]]:
    """A filled database and its backup."""
    folder = tmp_path_factory.mktemp("source")
    with database(cluster, folder / "data") as (engine, files):
        fill(engine, files)
        backup(engine, files, folder / "b.zip", tell=quiet)
        assert (folder / "b.zip").stat().st_mode & 0o077 == 0
        yield engine, (folder / "b.zip").read_bytes()


@pytest.fixture(name="made")
def _made(source: tuple[Engine, bytes], tmp_path: Path) -> Path:
    path = tmp_path / "备份.zip"
    path.write_bytes(source[1])
    return path


@pytest.fixture(name="refusing", scope="module")
def _refusing(cluster: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Files]]:
    """A database that no archive of the tests gets into; a row shows it."""
    with database(cluster, tmp_path_factory.mktemp("refusing")) as (engine, files):
        with engine.begin() as connection:
            connection.execute(insert(common_phrases).values(phrase="本有", source="office"))
        yield engine, files


def test_all_comes_back(place: Place, engine: Engine, tmp_path: Path, other: tuple[Engine, Files]) -> None:
    fill(engine, open_store(place))
    made = tmp_path / "b.zip"
    backup(engine, open_store(place), made, tell=quiet)
    target, files = other
    before = indexes(target)
    manifest = restore(target, files, made, replace=False, tell=quiet)
    assert contents(target) == contents(engine)
    assert len(contents(target)["fingerprints"]) == 5000
    assert indexes(target) == before
    assert files.get(sha256(SOURCE).hexdigest()) == SOURCE
    assert (len(manifest.files), manifest.missing) == (1, ())
    for one in (engine, target):
        with one.begin() as connection:
            new = insert(benchmarks).values(id="next", year=2026, organisation="乙", title="丙").returning(benchmarks.c.number)
            assert connection.execute(new).scalar_one() == 4


def test_a_backup_never_overwrites(engine: Engine, place: Place, made: Path) -> None:
    kept = made.read_bytes()
    with pytest.raises(ServiceError) as error:
        backup(engine, open_store(place), made, tell=quiet)
    assert error.value.code == "backup_exists"
    assert made.read_bytes() == kept
    assert [path.name for path in made.parent.iterdir() if path.suffix == ".part"] == []


def test_a_backup_into_nowhere(engine: Engine, place: Place, tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as error:
        backup(engine, open_store(place), tmp_path / "no" / "x.zip", tell=quiet)
    assert error.value.code == "backup_unwritable"


def test_a_damaged_file_does_not_stop_the_backup(engine: Engine, place: Place, tmp_path: Path, other: tuple[Engine, Files]) -> None:
    files = open_store(place)
    fill(engine, files)
    name = sha256(SOURCE).hexdigest()
    assert files.folder is not None
    (files.folder / name[:2] / name).write_bytes(b"x")
    made = backup(engine, files, tmp_path / "b.zip", tell=quiet)
    assert made.manifest.missing == (name,)
    assert restore(*other, tmp_path / "b.zip", replace=False, tell=quiet).missing == (name,)


def test_a_database_that_holds_something_is_replaced_only_when_asked(
    made: Path, source: tuple[Engine, bytes], other: tuple[Engine, Files]
) -> None:
    target, files = other
    with target.begin() as connection:
        connection.execute(insert(common_phrases).values(phrase="本有", source="office"))
        for _ in range(5):
            changed(connection)
    with pytest.raises(ServiceError, match="--replace") as error:
        restore(target, files, made, replace=False, tell=quiet)
    assert error.value.code == "database_not_empty"
    assert "common_phrases" in error.value.message
    restore(target, files, made, replace=True, tell=quiet)
    assert contents(target)["common_phrases"] == contents(source[0])["common_phrases"]
    with target.begin() as connection:
        assert connection.execute(select(library_state.c.revision)).scalar_one() == 6  # never one that was there before


def test_embeddings_of_another_width_come_back(engine: Engine, place: Place, tmp_path: Path, other: tuple[Engine, Files]) -> None:
    fill(engine, open_store(place))
    with engine.begin() as connection:
        set_width(connection, 64)
        connection.execute(passages.update().values(embedding=[0.125] * 64))
    backup(engine, open_store(place), tmp_path / "b.zip", tell=quiet)
    target, files = other
    restore(target, files, tmp_path / "b.zip", replace=False, tell=quiet)
    assert contents(target) == contents(engine)
    with target.connect() as connection:
        assert width(connection) == 64


def test_a_backup_is_one_moment(engine: Engine, place: Place, tmp_path: Path) -> None:
    """What is written meanwhile is either all in it or not at all."""
    fill(engine, open_store(place))

    def meanwhile(what: str, _done: int, _total: int) -> None:
        if what == "备份表 fingerprints":
            with engine.begin() as connection:
                connection.execute(fingerprints.delete())
                connection.execute(benchmarks.delete())

    made = backup(engine, open_store(place), tmp_path / "b.zip", tell=meanwhile)
    rows = {table.name: table.rows for table in made.manifest.tables}
    assert rows["fingerprints"] == 5000
    assert rows["benchmarks"] == 2


# --- archives that are not as they should be ----------------------------------------------------------------------------------------


def rewrite(path: Path, *, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in source.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as target:
        for name, data in members.items():
            target.writestr(name, data)


def manifest(members: dict[str, bytes], **values: object) -> None:
    found = json.loads(members["manifest.json"])
    members["manifest.json"] = json.dumps(found | values).encode()


def _altered(members: dict[str, bytes]) -> None:
    members["tables/benchmarks"] = members["tables/benchmarks"].replace("江屿".encode(), "河屿".encode())


def _forged(members: dict[str, bytes]) -> None:
    """Fits its hashes, but is no dump."""
    members["tables/benchmarks"] = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8 + b"\x7f\xff"
    tables = json.loads(members["manifest.json"])["tables"]
    for table in tables:
        if table["name"] == "benchmarks":
            table["sha256"] = sha256(members["tables/benchmarks"]).hexdigest()
    manifest(members, tables=tables)


def _fewer(members: dict[str, bytes]) -> None:
    tables = json.loads(members["manifest.json"])["tables"]
    tables[0]["rows"] += 1
    manifest(members, tables=tables)


def _column(members: dict[str, bytes]) -> None:
    tables = json.loads(members["manifest.json"])["tables"]
    tables[0]["columns"][0][0] = "x; DROP TABLE benchmarks"
    manifest(members, tables=tables)


def _outside(members: dict[str, bytes]) -> None:
    members["files/../../../etc/cron.d/x"] = b"x"


def _named_outside(members: dict[str, bytes]) -> None:
    manifest(members, files=["../../../etc/cron.d/x"])
    members["files/../../../etc/cron.d/x"] = b"x"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_altered, "backup_damaged"),
        (_forged, "backup_damaged"),
        (_fewer, "backup_damaged"),
        (_column, "backup_damaged"),
        (lambda members: members.pop("manifest.json"), "backup_damaged"),
        (lambda members: members.pop("tables/passages"), "backup_damaged"),
        (lambda members: members.update({"manifest.json": b"[]"}), "backup_damaged"),
        (lambda members: manifest(members, tables=7), "backup_damaged"),
        (
            lambda members: manifest(members, sequences=[{"table": "benchmarks", "column": "id", "last": 1, "called": True}]),
            "backup_damaged",
        ),
        (lambda members: manifest(members, format=2), "backup_newer"),
        (lambda members: manifest(members, revision="0999"), "backup_newer"),
        (lambda members: manifest(members, revision="0000"), "backup_damaged"),
        (_outside, "backup_refused"),
        (_named_outside, "backup_refused"),
    ],
)
def test_an_archive_that_was_changed_is_refused(
    made: Path, refusing: tuple[Engine, Files], change: Callable[[dict[str, bytes]], None], code: str
) -> None:
    rewrite(made, change=change)
    target, files = refusing
    before = contents(target)
    with pytest.raises(ServiceError) as error:
        restore(target, files, made, replace=True, tell=quiet)
    assert error.value.code == code, error.value.message
    assert str(made) in error.value.message
    assert contents(target) == before
    assert not (made.parent.parent / "etc").exists()


def test_a_broken_byte_or_end_is_seen(made: Path, refusing: tuple[Engine, Files]) -> None:
    data = made.read_bytes()
    for part in (0.0, 0.3, 0.5, 0.7, 0.95, 1.0):
        place = min(int(len(data) * part), len(data) - 200)
        for broken in (data[:place], data[:place] + bytes(byte ^ 0x55 for byte in data[place : place + 64]) + data[place + 64 :]):
            made.write_bytes(broken)
            with pytest.raises(ServiceError) as error:
                restore(*refusing, made, replace=True, tell=quiet)
            assert error.value.code in ("backup_damaged", "backup_refused")


def test_no_archive_there(tmp_path: Path, refusing: tuple[Engine, Files]) -> None:
    for path in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(ServiceError) as error:
            restore(*refusing, path, replace=True, tell=quiet)
        assert error.value.code == "backup_missing"


def test_tables_come_after_those_they_refer_to(engine: Engine) -> None:
    with engine.connect() as connection:
        names = list(structure(connection))
    assert sorted(names) == sorted(table.name for table in metadata.sorted_tables)
    assert names.index("benchmarks") < min(names.index("passages"), names.index("fingerprints"))
