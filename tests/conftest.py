"""Fixtures of all tests: documents from plain dicts, a real database."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from documents_made import make_submission


@pytest.fixture(name="make_submission")
def _make_submission_fixture() -> Any:
    return make_submission


@pytest.fixture(autouse=True)
def _no_library_of_the_user(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a library of their own."""
    monkeypatch.setenv("BIAOGAN_DATA_DIR", str(tmp_path_factory.getbasetemp() / "nothing"))
    for name in ("BIAOGAN_DATABASE_URL", "BIAOGAN_FILES_URL"):
        monkeypatch.delenv(name, raising=False)


# --- a real embedded PostgreSQL (docs/database.md): one server for the session, a database for each test -----------------------------


@pytest.fixture(name="memory", scope="session")
def _memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for servers: in memory where there is some, because what a test keeps need not outlive it and a disk may be slow."""
    shared = Path("/dev/shm")
    if shared.is_dir() and shutil.disk_usage(shared).free > 2 << 30:
        with tempfile.TemporaryDirectory(prefix="biaogan-tests-", dir=shared) as folder:
            yield Path(folder)
    else:
        yield tmp_path_factory.mktemp("servers")


@pytest.fixture(name="blank", scope="session")
def _blank(memory: Path) -> Path:
    """Folder of an embedded server that was made and stopped: tests that need one of their own copy it, which is quicker."""
    from service.database.server import Server

    server = Server(memory / "blank" / "postgres")
    server.ensure()
    server.leave()
    return server.folder


@pytest.fixture(name="cluster", scope="session")
def _cluster(blank: Path, memory: Path) -> Iterator[Path]:
    """Folder of the sockets of the session's server; it holds the database `template` with all tables."""
    import psycopg

    from service.database.engine import close, connect
    from service.database.place import Place
    from service.database.queue import prepare
    from service.database.server import Server

    shutil.copytree(blank, memory / "postgres")
    server = Server(memory / "postgres")
    sockets = server.ensure()
    with psycopg.connect(host=str(sockets), user="biaogan", dbname="biaogan", autocommit=True) as admin:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing here has to outlive a loss of power
            admin.execute(f"ALTER SYSTEM SET {name} = off")
        admin.execute("SELECT pg_reload_conf()")
        admin.execute("CREATE DATABASE template")
    template = connect(Place(memory, f"postgresql://biaogan@/template?host={sockets}"))
    prepare(template)
    close(template)
    yield sockets
    server.leave()


@pytest.fixture(name="database_url")
def _database_url(cluster: Path) -> Iterator[str]:
    """A database of the test's own, with all tables, empty."""
    import psycopg

    name = f"t{uuid4().hex}"
    with psycopg.connect(host=str(cluster), user="biaogan", dbname="biaogan", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template")
        yield f"postgresql://biaogan@/{name}?host={cluster}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(name="place")
def _place(database_url: str, tmp_path: Path) -> Any:
    from service.database.place import Place

    return Place(tmp_path / "data", database_url)


@pytest.fixture(name="engine")
def _engine(place: Any) -> Iterator[Any]:
    from service.database.engine import close, connect

    engine = connect(place)
    yield engine
    close(engine)


# --- what is quick -------------------------------------------------------------------------------------------------------------------


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on a database server and those of hostile files are slow ones: `make check` leaves them to `make test`."""
    for item in items:
        if {"memory", "blank", "cluster"} & set(getattr(item, "fixturenames", ())) or "hostile" in item.path.parts:
            item.add_marker(pytest.mark.slow)
