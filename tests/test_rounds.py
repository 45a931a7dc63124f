"""Rounds of an edition, and the recommending units with their quotas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection

from service.database.engine import close, connect
from service.database.programme_tables import events, users
from service.errors import ServiceError
from service.programme import rounds, units
from service.programme.rounds import Round
from service.programme.viewer import SYSTEM

TODAY = date(2026, 3, 10)


@pytest.fixture(name="db")
def _db(place: Any) -> Iterator[Connection]:
    engine = connect(place)
    with engine.connect() as connection:
        yield connection
    close(engine)


@pytest.mark.parametrize(
    ("given", "state", "left"),
    [
        (Round("a"), "stopped", None),
        (Round("a", True), "open", None),
        (Round("a", True, date(2026, 3, 11)), "early", None),
        (Round("a", True, date(2026, 3, 10), date(2026, 3, 10)), "open", 0),
        (Round("a", True, None, date(2026, 3, 12)), "open", 2),
        (Round("a", True, None, date(2026, 3, 9)), "over", None),
        (Round("a", False, None, date(2026, 3, 12)), "stopped", 2),
    ],
)
def test_a_round_is_open_to_its_last_day(given: Round, state: str, left: int | None) -> None:
    assert (given.state(TODAY), given.days_left(TODAY)) == (state, left)
    assert given.is_open(TODAY) == (state == "open")


def test_a_round_is_saved_changed_and_recorded(db: Connection) -> None:
    assert rounds.of(db, "2022-hebei") == Round("2022-hebei")
    with pytest.raises(ServiceError, match="不接收申报"):
        rounds.need_open(db, "2022-hebei", today=TODAY)
    wanted = Round("2022-hebei", True, date(2026, 3, 1), date(2026, 3, 31), "纸质材料同时寄送")
    for _ in range(2):
        rounds.save(db, SYSTEM, wanted, editions=["2022-hebei"])
    assert rounds.listed(db) == {"2022-hebei": wanted}
    assert rounds.need_open(db, "2022-hebei", today=TODAY) == wanted
    with pytest.raises(ServiceError, match="2026-03-31 截止") as told:
        rounds.need_open(db, "2022-hebei", today=date(2026, 4, 1))
    assert told.value.status == 409
    with pytest.raises(ServiceError, match="从 2026-03-01 起"):
        rounds.need_open(db, "2022-hebei", today=date(2026, 2, 28))
    assert db.execute(events.select()).first().details["closes_on"] == "2026-03-31"


@pytest.mark.parametrize(
    "wanted", [Round("1999"), Round("2022-hebei", True, date(2026, 3, 2), date(2026, 3, 1)), Round("2022-hebei", note="字" * 501)]
)
def test_a_round_that_makes_no_sense_is_refused(db: Connection, wanted: Round) -> None:
    with pytest.raises(ServiceError):
        rounds.save(db, SYSTEM, wanted, editions=["2022-hebei"])


def test_units_have_names_users_and_quotas(db: Connection) -> None:
    one = units.add(db, SYSTEM, "  某市工业和信息化局（构造） ")
    db.execute(users.insert().values(name="u", shown="u", role="unit", unit=one))
    units.set_quota(db, SYSTEM, one, edition="2022-hebei", places=3)
    units.set_quota(db, SYSTEM, one, edition="2022-hebei", places=5)
    units.set_quota(db, SYSTEM, one, edition="2024-caq", places=0)
    (found,) = units.listed(db)
    assert (found.name, found.active, found.users, found.quotas) == (
        "某市工业和信息化局（构造）",
        True,
        1,
        {"2022-hebei": 5, "2024-caq": 0},
    )
    assert units.quota(db, one, "2022-hebei") == 5
    units.set_quota(db, SYSTEM, one, edition="2022-hebei", places=None)
    assert units.quota(db, one, "2022-hebei") is None
    units.change(db, SYSTEM, one, name="某市工信局（构造）", active=False)
    assert units.listed(db, active=True) == []
    assert units.one(db, one).name == "某市工信局（构造）"


def test_a_unit_that_makes_no_sense_is_refused(db: Connection) -> None:
    one = units.add(db, SYSTEM, "甲（构造）")
    other = units.add(db, SYSTEM, "乙（构造）")
    for name in ("甲（构造）", "乙", "x" * 81, "a\u202eb"):
        with pytest.raises(ServiceError):
            units.add(db, SYSTEM, name)
    with pytest.raises(ServiceError):
        units.change(db, SYSTEM, other, name="甲（构造）", active=True)
    with pytest.raises(ServiceError):
        units.set_quota(db, SYSTEM, one, edition="2022-hebei", places=-1)
    with pytest.raises(ServiceError):
        units.one(db, one + 99)
