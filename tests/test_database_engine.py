"""connect(): migrations, what the tables promise, and every failure told in Chinese without a password."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from service import settings
from service.database import migrate
from service.database.engine import close, connect, open_engine
from service.database.machine import answers
from service.database.place import Place
from service.database.tables import (
    FILES,
    HISTORY,
    REVISION,
    benchmarks,
    changed,
    fingerprints,
    library_state,
    metadata,
    passages,
    set_width,
    width,
)
from service.errors import ServiceError

ROOT = Path(__file__).parent.parent
BENCHMARK = {"id": "2022-0001", "year": 2022, "organisation": "江屿阀门有限公司", "title": "实施扭矩管控的经验", "areas": ["质量控制"]}


@pytest.fixture(name="empty")
def _empty(cluster: Path) -> Iterator[str]:
    """Name of a database without tables."""
    name = f"e{uuid4().hex}"
    with psycopg.connect(host=str(cluster), user="biaogan", dbname="biaogan", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        yield name
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


def url(cluster: Path, name: str, user: str = "biaogan") -> str:
    return f"postgresql://{user}@/{name}?host={cluster}"


def execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def caught(place: Place) -> ServiceError:
    with pytest.raises(ServiceError) as error:
        close(connect(place))
    return error.value


# --- migrations --------------------------------------------------------------------------------------------------------------------


def test_processes_that_start_together_migrate_once(cluster: Path, empty: str) -> None:
    code = (
        "import sys; from pathlib import Path; from service.database.engine import close, connect\n"
        "from service.database.place import Place; close(connect(Place(Path('/nowhere'), sys.argv[1])))"
    )
    processes = [subprocess.Popen([sys.executable, "-W", "error", "-c", code, url(cluster, empty)], cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    engine = connect(Place(Path("/nowhere"), url(cluster, empty)))
    with engine.connect() as connection:
        assert migrate.current(connection) == REVISION
        assert connection.execute(select(library_state)).all() == [(True, 0, {})]
    close(engine)


def test_a_second_start_does_not_need_alembic(database_url: str) -> None:
    code = (
        "import sys; from pathlib import Path; from service.database.engine import close, connect\n"
        "from service.database.place import Place\n"
        "close(connect(Place(Path('/nowhere'), sys.argv[1]))); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, database_url], cwd=ROOT, check=True)


def test_the_migrations_lead_to_the_tables(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(ROOT / "service/database/migrations")).get_current_head() == REVISION
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, metadata) == []
        made = indexes(connection)
        checks = constraints(connection)
        connection.rollback()
        for name in ("alembic_version", *(table.name for table in metadata.sorted_tables)):
            connection.execute(text(f"DROP TABLE {name} CASCADE"))
        metadata.create_all(connection)
        assert indexes(connection) == made
        assert constraints(connection) == checks
        connection.rollback()


def indexes(connection: Any) -> list[Any]:
    query = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
    return list(connection.execute(text(query)).all())


def constraints(connection: Any) -> list[Any]:
    query = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace "
        "AND contype <> 'n' AND conrelid <> coalesce(to_regclass('alembic_version'), 0) ORDER BY 1"
    )
    return list(connection.execute(text(query)).all())


def test_a_newer_database_is_left_alone(place: Place, engine: Engine) -> None:
    execute(engine, "UPDATE alembic_version SET version_num = '9999'")
    error = caught(place)
    assert error.code == "database_newer"
    assert "升级本程序" in error.message


def test_a_migration_that_fails_leaves_nothing(cluster: Path, empty: str) -> None:
    place = Place(Path("/nowhere"), url(cluster, empty))
    engine = open_engine(place)
    execute(engine, "CREATE TABLE imports (mine int)")  # in the way
    with pytest.raises(Exception, match="imports"):
        connect(place)
    with engine.connect() as connection:
        assert migrate.current(connection) is None
        assert connection.execute(text("SELECT to_regclass('benchmarks')")).scalar() is None
    close(engine)


# --- tables ------------------------------------------------------------------------------------------------------------------------


def test_what_belongs_to_a_benchmark_goes_with_it(engine: Engine) -> None:
    with engine.begin() as connection:
        number = connection.execute(insert(benchmarks).values(BENCHMARK).returning(benchmarks.c.number)).scalar_one()
        connection.execute(insert(passages).values(benchmark=number, number=0, start=0, stop=9, embedding=[1.0] + [0.0] * 255))
        connection.execute(insert(fingerprints).values(hash=1, around=2, benchmark=number, position=3))
        connection.execute(benchmarks.delete())
        assert connection.execute(select(func.count()).select_from(passages)).scalar_one() == 0
        assert connection.execute(select(func.count()).select_from(fingerprints)).scalar_one() == 0


def test_the_same_file_is_one_benchmark_and_title_only_entries_are_many(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(benchmarks), [{**BENCHMARK, "id": name, "sha256": None} for name in ("a", "b")])
        connection.execute(insert(benchmarks).values({**BENCHMARK, "id": "c", "sha256": "0" * 64}))
    with pytest.raises(IntegrityError) as error, engine.begin() as connection:
        connection.execute(insert(benchmarks).values({**BENCHMARK, "id": "d", "sha256": "0" * 64}))
    assert "江屿" not in str(error.value)  # what is kept of write-ups does not go into logs


@pytest.mark.parametrize("wrong", [{"level": "county"}, {"status": "gone"}])
def test_unknown_levels_and_states_are_refused(engine: Engine, wrong: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(benchmarks).values({**BENCHMARK, **wrong}))


def test_the_revision_rises(engine: Engine) -> None:
    with engine.begin() as connection:
        assert [changed(connection), changed(connection)] == [1, 2]
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(library_state).values(one=False))


def test_a_look_up_of_fingerprints_touches_the_index_only(engine: Engine) -> None:
    with engine.begin() as connection:
        number = connection.execute(insert(benchmarks).values(BENCHMARK).returning(benchmarks.c.number)).scalar_one()
        connection.execute(text(f"INSERT INTO fingerprints SELECT n, n, {number}, n FROM generate_series(1, 20000) n"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE) fingerprints"))
        plan = connection.execute(text("EXPLAIN SELECT * FROM fingerprints WHERE hash = ANY(ARRAY[5, 7]::bigint[])")).scalars().all()
    assert "Index Only Scan" in plan[0]


def test_embeddings_of_another_width(engine: Engine) -> None:
    vector = [0.6, 0.8] + [0.0] * 1022
    with engine.begin() as connection:
        number = connection.execute(insert(benchmarks).values(BENCHMARK).returning(benchmarks.c.number)).scalar_one()
        connection.execute(insert(passages).values(benchmark=number, number=0, start=0, stop=9, embedding=[1.0] + [0.0] * 255))
        set_width(connection, 256)
        assert connection.execute(select(passages.c.embedding)).scalar_one() is not None
        set_width(connection, 1024)
        assert width(connection) == 1024
        assert connection.execute(select(passages.c.embedding)).scalar_one() is None
        connection.execute(passages.update().values(embedding=vector))
        nearest = passages.c.embedding.max_inner_product(vector)
        assert connection.execute(select(nearest).order_by(nearest)).scalar_one() == pytest.approx(-1, abs=1e-3)
        assert any(name == "passages_embedding" for name, _ in indexes(connection))
        with pytest.raises(ServiceError, match="维"):
            set_width(connection, 5000)


def test_every_column_of_hashes_is_known_to_doctor() -> None:
    hashes = {column for table in metadata.sorted_tables for column in table.columns if column.name == "sha256"}
    assert {str(column) for column in hashes} == {str(column) for column in (*FILES, *HISTORY)}


# --- failures ----------------------------------------------------------------------------------------------------------------------


def test_no_server(tmp_path: Path) -> None:
    error = caught(Place(tmp_path, "postgresql://amy:geheim@127.0.0.1:9/library?sslmode=disable"))
    assert error.code == "database_unreachable"
    assert "127.0.0.1:9/library" in error.message
    assert "拒绝连接" in error.message
    assert "refused" not in error.message
    assert "BIAOGAN_DATABASE_URL" in error.message
    assert "geheim" not in error.message


def test_a_wrong_password(cluster: Path, empty: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    user = f"u{empty[1:]}"
    with psycopg.connect(host=str(cluster), user="biaogan", dbname="biaogan", autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'right'")  # type: ignore[call-overload]
        row = admin.execute("SELECT current_setting('hba_file')").fetchone()
        assert row is not None
        rules = Path(row[0])
        kept = rules.read_text()
        rules.write_text(f"local {empty} {user} scram-sha-256\n{kept}")
        admin.execute("SELECT pg_reload_conf()")
        try:
            place = Place(Path("/nowhere"), f"postgresql://{user}:geheim@/{empty}?host={cluster}")
            error = next(filter(lambda e: e.code != "pgvector_missing", (caught(place) for _ in range(100))))  # the rules take a moment
        finally:
            rules.write_text(kept)
            admin.execute("SELECT pg_reload_conf()")
            admin.execute(f"DROP ROLE {user}")  # type: ignore[call-overload]
    assert error.code == "database_password"
    assert "geheim" not in error.message + caplog.text + repr(place)


def test_no_such_database(cluster: Path) -> None:
    assert caught(Place(Path("/nowhere"), url(cluster, "nothing"))).code == "database_missing"


@pytest.mark.parametrize("given", ["mysql://amy:geheim@host/x", "geheim", "postgresql://amy:geheim@host:port/x", "sqlite:///geheim"])
def test_an_address_that_is_none(tmp_path: Path, given: str) -> None:
    error = caught(Place(tmp_path, given))
    assert error.code == "setting_invalid"
    assert "geheim" not in error.message
    assert error.__cause__ is None


def test_no_pgvector(cluster: Path, empty: str) -> None:
    with psycopg.connect(host=str(cluster), user="biaogan", dbname="biaogan", autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {empty} SET extension_control_path = '/nowhere'")  # type: ignore[call-overload]
    error = caught(Place(Path("/nowhere"), url(cluster, empty)))
    assert error.code == "pgvector_missing"
    assert "CREATE EXTENSION vector" in error.message


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("53100", "disk_full"),
        ("53200", "database_memory"),
        ("25006", "database_readonly"),
        ("42501", "database_forbidden"),
        ("XX001", "database_damaged"),
    ],
)
def test_what_the_server_says_is_told_in_chinese(engine: Engine, state: str, code: str) -> None:
    with pytest.raises(ServiceError) as error, engine.begin() as connection:
        connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"))
    assert error.value.code == code
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_waiting_for_a_lock_has_an_end(engine: Engine) -> None:
    with engine.begin() as holder, pytest.raises(ServiceError) as error, engine.begin() as connection:
        holder.execute(text("LOCK TABLE benchmarks"))
        connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
        connection.execute(text("LOCK TABLE benchmarks"))
    assert error.value.code == "database_busy"


def test_a_lost_connection_is_told_and_the_next_one_works(engine: Engine) -> None:
    with pytest.raises(ServiceError) as error, engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert error.value.code == "database_lost"
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_an_engine_outlives_its_embedded_server(blank: Path, memory: Path) -> None:
    """All of it: new tables, a kill, a start by the same engine, and the last one stops it."""
    place = Place(memory / "outlived")
    assert not place.begun
    shutil.copytree(blank, place.server)
    engine = connect(place)
    assert place.begun
    with engine.begin() as connection:
        connection.execute(insert(benchmarks).values(BENCHMARK | {"revoked_on": date(2026, 1, 2)}))
    pid = place.server / "data" / "postmaster.pid"
    os.kill(int(pid.read_text().splitlines()[0]), signal.SIGKILL)
    while answers(place.server):
        time.sleep(0.01)
    with engine.connect() as connection:
        assert connection.execute(select(benchmarks.c.revoked_on)).scalar_one() == date(2026, 1, 2)
    close(engine)
    assert not pid.exists()


# --- settings ----------------------------------------------------------------------------------------------------------------------


def test_settings_say_where_the_data_are(tmp_path: Path) -> None:
    found = settings.read(
        {"BIAOGAN_DATA_DIR": str(tmp_path), "BIAOGAN_DATABASE_URL": "postgresql://a:geheim@b/c", "BIAOGAN_FILES_URL": "s3://k:geheim@x"}
    )
    assert found.data == tmp_path
    assert found.database == "postgresql://a:geheim@b/c"
    assert "geheim" not in repr(found)
    assert settings.read({}).data.name == "biaogan"


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(ServiceError, match="BIAOGAN_DATA_DIR"):
        settings.read({"BIAOGAN_DATA_DIR": str(tmp_path / "x")})


def test_a_call_without_a_library_imports_none_of_it() -> None:
    code = "import sys; import service.cli, service.database.place\n"
    code += "print([m for m in ('sqlalchemy', 'psycopg', 'fsspec', 'alembic', 'psutil') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
