"""biaogan doctor: what it finds, and how the commands end. Also backup and restore as they are called."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, insert, text

from service.cli import main
from service.database import examine
from service.database.engine import close, open_engine
from service.database.files import Files, open_store
from service.database.place import Place
from service.database.tables import benchmarks, fingerprints, passages
from service.programme import audit
from service.programme.viewer import SYSTEM

SOURCE = b"source"
NAME = sha256(SOURCE).hexdigest()
ROW = {
    "id": "2022-0001",
    "year": 2022,
    "organisation": "江屿阀门有限公司",
    "title": "经验",
    "text": "一" * 300,
    "model": "a",
    "sha256": NAME,
}


def quiet(_what: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture(name="files")
def _files(place: Place) -> Files:
    return open_store(place)


@pytest.fixture(name="sound")
def _sound(engine: Engine, files: Files) -> Engine:
    """A library of one benchmark with all that belongs to it."""
    files.put(SOURCE)
    with engine.begin() as connection:
        number = connection.execute(insert(benchmarks).values(ROW).returning(benchmarks.c.number)).scalar_one()
        connection.execute(insert(passages).values(benchmark=number, number=0, start=0, stop=300, embedding=[1.0] + [0.0] * 255))
        connection.execute(insert(fingerprints).values(hash=1, around=2, benchmark=number, position=3))
    return engine


def troubles(engine: Engine, files: Files, place: Place) -> dict[str, str]:
    return {trouble.code: trouble.message for trouble in examine.examine(engine, files, place, tell=quiet).troubles}


def execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_a_sound_library(sound: Engine, files: Files, place: Place) -> None:
    found = examine.examine(sound, files, place, tell=quiet)
    assert found.troubles == ()
    facts = dict(found.facts)
    assert facts["表 benchmarks"].startswith("1 行")
    assert facts["原文件数"] == "1 个，6 B"
    assert facts["向量"] == "256 维，模型 a"
    assert {"程序", "PostgreSQL", "pgvector", "数据库大小", "磁盘余量"} <= facts.keys()


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE passages SET embedding = NULL", "embedding_missing"),
        ("DELETE FROM passages", "benchmark_unindexed"),
        ("DELETE FROM fingerprints", "benchmark_unindexed"),
        ("UPDATE passages SET stop = 301", "passage_outside"),
        ("INSERT INTO benchmarks (id, year, organisation, title, model) VALUES ('x', 2020, 'y', 'z', 'b')", "embedding_mixed"),
        ("DROP INDEX fingerprints_hash", "index_missing"),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'passages_embedding'::regclass", "index_invalid"),
    ],
)
def test_what_is_wrong_in_the_database_is_found(sound: Engine, files: Files, place: Place, statement: str, code: str) -> None:
    execute(sound, statement)
    found = troubles(sound, files, place)
    assert list(found) == [code]
    if code.startswith("index_"):
        assert "biaogan doctor --mend" in found[code]
        assert examine.mend(sound, files) == (1, 0)
        assert troubles(sound, files, place) == {}
    else:
        assert "biaogan library reindex" in found[code]


def test_a_title_only_entry_is_no_trouble(sound: Engine, files: Files, place: Place) -> None:
    execute(sound, "INSERT INTO benchmarks (id, year, organisation, title) VALUES ('x', 2020, 'y', 'z')")
    assert troubles(sound, files, place) == {}


def test_files_altered_missing_and_left_over_are_found(sound: Engine, files: Files, place: Place) -> None:
    assert files.folder is not None
    path = files.folder / NAME[:2] / NAME
    path.write_bytes(b"sourcE")
    assert list(troubles(sound, files, place)) == ["stored_file_damaged"]
    path.unlink()
    found = troubles(sound, files, place)
    assert list(found) == ["stored_file_missing"]
    assert NAME[:12] in found["stored_file_missing"]
    files.put(SOURCE)
    orphan = files.put(b"orphan")
    assert troubles(sound, files, place) == {}  # an import may be about to name it
    os.utime(files.folder / orphan[:2] / orphan, (1, 1))
    assert list(troubles(sound, files, place)) == ["stored_file_orphaned"]
    assert examine.mend(sound, files) == (0, 1)
    assert [one.sha256 for one in files.iterate()] == [NAME]
    assert troubles(sound, files, place) == {}


def test_an_open_data_folder_and_a_full_disk(sound: Engine, files: Files, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.data.chmod(0o777)
    assert list(troubles(sound, files, place)) == ["data_folder_open"]
    place.data.chmod(0o700)
    usage = shutil.disk_usage(place.data)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    assert list(troubles(sound, files, place)) == ["disk_low"]


def test_a_page_that_the_disk_spoilt_is_found(sound: Engine, files: Files, place: Place, cluster: Path) -> None:
    with sound.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        path = connection.execute(
            text("SELECT current_setting('data_directory') || '/' || pg_relation_filepath('fingerprints')")
        ).scalar_one()
        name = connection.execute(text("SELECT current_database()")).scalar_one()
    sound.dispose()
    with Path(path).open("r+b") as stream:
        stream.seek(5000)
        stream.write(b"spoilt")
    with psycopg.connect(host=str(cluster), user="biaogan", dbname="biaogan", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE spoilt TEMPLATE {name} STRATEGY file_copy")  # type: ignore[call-overload]
        try:
            spoilt = replace(place, database=f"postgresql://biaogan@/spoilt?host={cluster}")
            engine = open_engine(spoilt)
            found = troubles(engine, files, spoilt)
            close(engine)
        finally:
            admin.execute("DROP DATABASE spoilt WITH (FORCE)")
    assert list(found) == ["database_damaged"]
    assert "biaogan restore" in found["database_damaged"]


# --- as they are called --------------------------------------------------------------------------------------------------------------


@pytest.fixture(name="run")
def _run(capfd: pytest.CaptureFixture[str], place: Place, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("BIAOGAN_DATA_DIR", str(place.data))
    monkeypatch.setenv("BIAOGAN_DATABASE_URL", place.database or "")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_doctor_verifies_the_record_of_events(run: Any, sound: Engine) -> None:
    with sound.begin() as connection:
        audit.record(connection, SYSTEM, "draft.expired", "draft:a")
        audit.record(connection, SYSTEM, "draft.expired", "draft:b")
    code, out, _ = run("doctor")
    assert code == 0
    assert re.search(r"^操作记录\t2 条，最后的校验值 [0-9a-f]{64}$", out, re.MULTILINE)
    execute(sound, "ALTER TABLE events DISABLE TRIGGER USER")
    execute(sound, "DELETE FROM events WHERE object = 'draft:a'")
    code, out, _ = run("doctor")
    assert code == 1
    assert "它前面缺了记录" in out


def test_doctor_ends_with_1_where_something_is_wrong(run: Any, sound: Engine, files: Files) -> None:
    code, out, err = run("doctor")
    assert (code, err) == (0, "")
    assert "没有发现问题。" in out
    assert files.folder is not None
    (files.folder / NAME[:2] / NAME).unlink()
    code, out, err = run("doctor")
    assert (code, err) == (1, "")
    assert "问题\t有 1 个原文件不见了" in out


def test_doctor_makes_nothing(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BIAOGAN_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("BIAOGAN_DATABASE_URL")
    code, out, _ = run("doctor")
    assert code == 0
    assert "还没有数据库" in out
    assert not (tmp_path / "none").exists()


def test_doctor_mends_when_asked(run: Any, sound: Engine, files: Files) -> None:
    orphan = files.put(b"orphan")
    assert files.folder is not None
    os.utime(files.folder / orphan[:2] / orphan, (1, 1))
    assert run("doctor")[0] == 1
    code, out, _ = run("doctor", "--mend")
    assert code == 0
    assert "1 个" in out
    assert not files.exists(orphan)


def test_backup_and_restore_as_they_are_called(run: Any, sound: Engine, files: Files, tmp_path: Path) -> None:
    path = str(tmp_path / "b.zip")
    code, out, err = run("backup", path)
    assert (code, err) == (0, "")
    assert "1 个原文件" in out
    assert run("backup", path)[0] == 2
    code, _, err = run("restore", path)
    assert code == 2
    assert "--replace" in err
    files.delete(NAME)
    execute(sound, "DELETE FROM benchmarks")
    code, out, err = run("restore", path, "--replace")
    assert (code, err) == (0, "")
    assert files.get(NAME) == SOURCE
    assert run("doctor")[0] == 0


def test_a_backup_without_a_file_says_so(run: Any, sound: Engine, files: Files, tmp_path: Path) -> None:
    files.delete(NAME)
    code, _, err = run("backup", str(tmp_path / "b.zip"))
    assert code == 1
    assert "biaogan doctor" in err


def test_an_unreachable_server_ends_with_2(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIAOGAN_DATABASE_URL", "postgresql://amy:geheim@127.0.0.1:9/x")
    code, out, err = run("doctor")
    assert (code, out) == (2, "")
    assert "127.0.0.1:9" in err
    assert "geheim" not in err
