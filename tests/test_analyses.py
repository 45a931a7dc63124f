"""Analyses are wanted once for each key, in the caller's transaction; reports come back under the name of the upload."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, text

from service import models
from service.database import queue
from service.database.programme_tables import analyses as table
from service.database.programme_tables import draft_versions, drafts, users
from service.programme import analyses
from service.programme.analyses import Current
from service.rulebook import load

CURRENT = Current("0/1", "embedding=a")


@pytest.fixture(name="connection")
def _connection(engine: Any) -> Iterator[Any]:
    queue.prepare(engine)
    with engine.begin() as connection:
        yield connection


def want(connection: Any, letter: str = "a", *, current: Current = CURRENT, edition: str = "2022-hebei", priority: int = 0) -> int:
    return analyses.want(
        connection, sha256=letter * 64, file_name=f"{letter}.docx", edition=load(edition), current=current, priority=priority
    )


def jobs(connection: Any) -> list[tuple[str, dict[str, Any]]]:
    rows = connection.execute(text("SELECT task_name, args FROM queue.procrastinate_jobs ORDER BY priority DESC, id"))
    return [(row.task_name, row.args) for row in rows]


def test_one_analysis_for_each_key(connection: Any) -> None:
    first = want(connection)
    assert want(connection) == first
    others = {want(connection, current=Current("0/2", "embedding=a")), want(connection, edition="2024-caq"), want(connection, "b")}
    assert first not in others
    assert len(others) == 3
    assert jobs(connection)[0] == ("analyse", {"analysis": first, "name": "a.docx"})
    assert len(jobs(connection)) == 4


def test_a_change_of_the_library_makes_another(connection: Any) -> None:
    first = want(connection)
    connection.execute(text("UPDATE library_state SET revision = revision + 1"))
    assert want(connection) != first


def test_nothing_is_wanted_when_the_upload_is_undone(engine: Any) -> None:
    queue.prepare(engine)
    with engine.connect() as connection:
        want(connection)
        connection.rollback()
        assert jobs(connection) == []
        assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_a_failed_one_is_wanted_anew(connection: Any) -> None:
    wanted = want(connection)
    connection.execute(text("DELETE FROM queue.procrastinate_jobs"))
    connection.execute(table.update().values(state="failed", tries=3, reason="坏"))
    assert want(connection) == wanted
    assert analyses.state(connection, wanted) == analyses.Progress("waiting", None, 0, 0)
    assert len(jobs(connection)) == 1


def test_how_many_wait_before_it(connection: Any) -> None:
    ids = [want(connection, letter) for letter in "abc"]
    soon = want(connection, "d", priority=analyses.SOON)
    assert [analyses.state(connection, each).ahead for each in (*ids, soon)] == [1, 2, 3, 0]


def test_models_are_known_without_loading() -> None:
    assert models.versions() == models.load().versions
    now = analyses.current()
    assert all(f"{name}={version}" in now.models for name, version in models.load().versions.items())


def test_the_queue_is_made_anew_for_another_version_with_what_waits(engine: Any) -> None:
    queue.prepare(engine)
    with engine.begin() as connection:
        wanted = want(connection)
        connection.execute(text("COMMENT ON SCHEMA queue IS 'procrastinate 1.0'"))
        connection.execute(table.update().values(wanted_at=text("now() - interval '1 hour'")))
    queue.prepare(engine)
    queue.prepare(engine)
    with engine.begin() as connection:
        assert jobs(connection) == [("analyse", {"analysis": wanted, "name": queue.NAMELESS})]


def test_what_a_draft_refers_to_is_not_forgotten(connection: Any) -> None:
    wanted = want(connection)
    user = connection.execute(users.insert().values(name="a", shown="a", role="applicant").returning(users.c.id)).scalar_one()
    connection.execute(drafts.insert().values(id="d", owner=user, edition="2022-hebei", expires_at=func.now()))
    version = {"draft": "d", "number": 1, "sha256": "a" * 64, "file_name": "原名.docx", "size": 1, "analysis": wanted}
    connection.execute(draft_versions.insert().values(version))
    assert not analyses.forget(connection, wanted)
    connection.execute(text("DELETE FROM queue.procrastinate_jobs"))
    connection.execute(table.update().values(state="failed"))
    assert analyses.again(connection, wanted)
    assert jobs(connection) == [("analyse", {"analysis": wanted, "name": "原名.docx"})]
    assert not analyses.again(connection, wanted)
    connection.execute(drafts.delete())
    assert analyses.forget(connection, wanted)


def test_wanted_by_many_at_once_it_is_one(engine: Any) -> None:
    queue.prepare(engine)

    def one(_number: int) -> int:
        with engine.begin() as connection:
            return want(connection)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(24)))) == 1
    with engine.begin() as connection:
        assert len(jobs(connection)) == 1
