"""The record of who did what: in order, unchangeable, verifiable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from service.database.engine import close, connect
from service.errors import ServiceError
from service.programme import audit
from service.programme.audit import Filter
from service.programme.viewer import SYSTEM

WHO = replace(SYSTEM, id=7, shown="张三", address="10.0.0.8")


@pytest.fixture(name="engine")
def _engine(place: Any) -> Iterator[Engine]:
    engine = connect(place)
    yield engine
    close(engine)


@pytest.fixture(name="db")
def _db(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


def _fill(db: Connection) -> None:
    audit.record(
        db, WHO, "draft.created", "draft:a", details={"名": "值", "n": 3, "share": 0.1, "day": date(2026, 1, 2), "x": [1, None, True]}
    )
    audit.record(db, SYSTEM, "draft.expired", "draft:a")
    audit.record(db, WHO, "user.signed_in", details={"nul": "a\x00b\ud800", "nested": {"b": 1, "a": {"c": 10**30}}})


def test_the_chain_holds_whatever_is_recorded(db: Connection) -> None:
    _fill(db)
    found = audit.verify(db)
    assert (found.events, found.broken) == (3, None)
    newest = audit.listed(db, Filter(), limit=1)[0]
    assert found.last == newest.hash
    assert newest.details["nul"] == "a\N{REPLACEMENT CHARACTER}b?"
    db.execute(text("SET TIME ZONE 'Asia/Shanghai'"))
    assert audit.verify(db) == found


def test_an_event_can_be_neither_changed_nor_deleted(db: Connection) -> None:
    _fill(db)
    for statement in ("UPDATE events SET actor_name = 'x'", "DELETE FROM events", "TRUNCATE events"):
        with pytest.raises(ServiceError) as told, db.begin_nested():
            db.execute(text(statement))
        assert "append-only" in str(told.value.__cause__)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE events SET actor_name = '李四' WHERE action = 'draft.expired'",
        "UPDATE events SET details = '{\"n\": 4}' WHERE action = 'draft.created'",
        "UPDATE events SET at = at + interval '1 microsecond' WHERE action = 'draft.expired'",
        "DELETE FROM events WHERE action = 'draft.expired'",
    ],
)
def test_tampering_past_the_database_is_seen(db: Connection, tampering: str) -> None:
    _fill(db)
    db.execute(text("ALTER TABLE events DISABLE TRIGGER USER"))
    db.execute(text(tampering))
    assert audit.verify(db).broken is not None


def test_an_end_that_was_cut_off_is_seen_by_a_hash_noted_before(db: Connection) -> None:
    _fill(db)
    noted = audit.verify(db).last
    db.execute(text("ALTER TABLE events DISABLE TRIGGER USER"))
    db.execute(text("DELETE FROM events WHERE action = 'user.signed_in'"))
    found = audit.verify(db)
    assert found.broken is None
    assert found.last != noted


def test_many_at_once_make_one_chain(engine: Engine) -> None:
    def write() -> None:
        for _ in range(5):
            with engine.begin() as db:
                audit.record(db, WHO, "draft.created")

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as db:
        found = audit.verify(db)
    assert (found.events, found.broken) == (30, None)


def test_what_was_undone_is_not_recorded(engine: Engine) -> None:
    with engine.connect() as db:
        _fill(db)
        db.rollback()
    with engine.begin() as db:
        audit.record(db, WHO, "draft.created")
        assert audit.verify(db).events == 1


def test_the_record_is_narrowed(db: Connection) -> None:
    _fill(db)
    now = datetime.now(UTC)
    for wanted, number in (
        (Filter(), 3),
        (Filter(actor="张"), 2),
        (Filter(actor="%"), 0),
        (Filter(action="draft."), 2),
        (Filter(action="draft.expired"), 1),
        (Filter(action="draft"), 0),
        (Filter(object="draft:a"), 2),
        (Filter(since=now + timedelta(hours=1)), 0),
        (Filter(until=now + timedelta(hours=1)), 3),
    ):
        assert audit.count(db, wanted) == number == len(audit.listed(db, wanted, limit=9)) == len(list(audit.every(db, wanted)))
    ids = [event.id for event in audit.listed(db, Filter(), limit=9)]
    assert ids == sorted(ids, reverse=True)
    assert [event.id for event in audit.listed(db, Filter(), limit=9, before=ids[0])] == ids[1:]
    assert audit.actions(db) == ["draft.created", "draft.expired", "user.signed_in"]
