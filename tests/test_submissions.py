"""Handing in: numbers, receipts, who may see what, the later of two who save."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import insert, select

from service.database import queue
from service.database.programme_tables import analyses, assignments, submission_versions, units, users
from service.errors import ServiceError
from service.programme import submissions
from service.programme.submissions import Contact, Uploaded
from service.programme.viewer import Viewer

FILE = Uploaded("ab" * 32, "申报书.docx", 1200)


@pytest.fixture(autouse=True)
def _queue(engine: Any) -> None:
    queue.prepare(engine)


def person(db: Any, name: str, role: str, **more: Any) -> Viewer:
    id_ = db.execute(users.insert().values(name=name, shown=name, role=role, **more).returning(users.c.id)).scalar_one()
    return Viewer(id_, name, name, role, unit=more.get("unit"))  # type: ignore[arg-type]


def analysed(db: Any, sha256: str = FILE.sha256) -> int:
    values = {"sha256": sha256, "edition": "2024-caq", "edition_hash": "e", "program": "p", "models": "m", "library": 0}
    return int(db.execute(insert(analyses).values(**values).returning(analyses.c.id)).scalar_one())


def hand_in(db: Any, viewer: Viewer, analysis: int, **more: Any) -> submissions.Submitted:
    told = {"edition": "2024-caq", "file": FILE, "analysis": analysis, "title": "实施精益管理的经验", "organisation": "示例公司（构造）"}
    return submissions.submit(db, viewer, **{**told, **more})


def test_numbers_follow_each_other_without_gaps_when_many_hand_in_at_once(engine: Any) -> None:
    with engine.begin() as db:
        owner, analysis = person(db, "a", "applicant"), analysed(db)
    receipts = []

    def go() -> None:
        for _ in range(5):
            with engine.begin() as db:
                receipts.append(hand_in(db, owner, analysis))

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.number for each in receipts) == [f"2024-caq-{number:04d}" for number in range(1, 31)]
    assert len({each.receipt for each in receipts}) == 30
    assert all(len(each.receipt) == 24 for each in receipts)


def test_an_edition_counts_by_itself(engine: Any) -> None:
    with engine.begin() as db:
        owner, analysis = person(db, "a", "applicant"), analysed(db)
        assert [hand_in(db, owner, analysis, edition=edition).number for edition in ("2024-caq", "2022-hebei", "2024-caq")] == [
            "2024-caq-0001",
            "2022-hebei-0001",
            "2024-caq-0002",
        ]


def test_everyone_sees_his_own(engine: Any) -> None:
    with engine.begin() as db:
        unit = db.execute(units.insert().values(name="协会（构造）").returning(units.c.id)).scalar_one()
        other_unit = db.execute(units.insert().values(name="另一协会（构造）").returning(units.c.id)).scalar_one()
        owner, stranger = person(db, "a", "applicant"), person(db, "b", "applicant")
        office, reviewer = person(db, "o", "office"), person(db, "r", "reviewer")
        ours, theirs = person(db, "u", "unit", unit=unit), person(db, "v", "unit", unit=other_unit)
        mine = hand_in(db, owner, analysed(db), contact=Contact("张三", "13800000000", "a@example.org"), unit=unit).id
        for viewer in (owner, office, ours):
            found = submissions.one(db, viewer, mine)
            assert found.contact == Contact("张三", "13800000000", "a@example.org")
            assert submissions.versions(db, viewer, mine)[0].receipt
        for viewer in (stranger, theirs, reviewer, Viewer(99, "x", "x", "unit")):
            for ask in (submissions.one, submissions.versions, submissions.held):
                with pytest.raises(ServiceError) as told:
                    ask(db, viewer, mine)
                assert told.value.status == 404
        db.execute(assignments.insert().values(submission=mine, reviewer=reviewer.id, by=office.id))
        for declared in (None, True):
            db.execute(assignments.update().values(conflict=declared))
            with pytest.raises(ServiceError, match="没有找到"):
                submissions.one(db, reviewer, mine)
        db.execute(assignments.update().values(conflict=False))
        assert submissions.one(db, reviewer, mine).contact is None
        assert submissions.one(db, reviewer, mine).owner_name is None
        assert submissions.versions(db, reviewer, mine)[0].receipt is None


def test_an_applicant_owns_and_a_unit_enters_its_own_whatever_is_said(engine: Any) -> None:
    with engine.begin() as db:
        unit = db.execute(units.insert().values(name="协会（构造）").returning(units.c.id)).scalar_one()
        owner, other, ours = person(db, "a", "applicant"), person(db, "b", "applicant"), person(db, "u", "unit", unit=unit)
        analysis = analysed(db)
        assert submissions.one(db, owner, hand_in(db, owner, analysis, owner=other.id).id).owner == owner.id
        assert submissions.one(db, ours, hand_in(db, ours, analysis, unit=None).id).unit == unit
        with pytest.raises(ServiceError, match="不能提交"):
            hand_in(db, person(db, "r", "reviewer"), analysis)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"title": " \n"}, "title_missing"),
        ({"organisation": ""}, "organisation_missing"),
        ({"title": "长" * 201}, "title_too_long"),
    ],
)
def test_what_is_missing_or_too_long_is_said(engine: Any, more: dict[str, str], code: str) -> None:
    with engine.begin() as db:
        owner = person(db, "a", "applicant")
        with pytest.raises(ServiceError) as told:
            hand_in(db, owner, analysed(db), **more)
    assert told.value.code == code


def test_a_new_version_waits_again_and_has_its_own_receipt(engine: Any) -> None:
    with engine.begin() as db:
        owner = person(db, "a", "applicant")
        first = hand_in(db, owner, analysed(db))
        newer = Uploaded("cd" * 32, "申报书 修改.docx", 1300)
        submissions.held(db, owner, first.id)
        submissions.changed(db, first.id, state="returned")
        again = submissions.new_version(db, owner, first.id, file=newer, analysis=analysed(db, newer.sha256), expect=2)
        assert (again.version, again.number, again.receipt != first.receipt) == (2, first.number, True)
        found = submissions.one(db, owner, first.id)
        assert (found.state, found.version, found.file_name, found.revision) == ("received", 2, newer.file_name, 3)
        assert [each.number for each in submissions.versions(db, owner, first.id)] == [2, 1]
        with pytest.raises(ServiceError, match="完全相同"):
            submissions.new_version(db, owner, first.id, file=newer, analysis=found.analysis)
        submissions.changed(db, first.id, state="passed")
        with pytest.raises(ServiceError, match="不能上传新版本"):
            submissions.new_version(db, owner, first.id, file=FILE, analysis=found.analysis)
        assert db.execute(select(submission_versions)).rowcount == 2


def test_the_later_of_two_is_told_who_changed_what(engine: Any) -> None:
    with engine.begin() as db:
        owner = person(db, "张三", "applicant")
        mine = hand_in(db, owner, analysed(db)).id
        newer = Uploaded("cd" * 32, "b.docx", 1)
        submissions.new_version(db, owner, mine, file=newer, analysis=analysed(db, newer.sha256), expect=1)
        with pytest.raises(submissions.ChangedMeanwhile, match=r"张三在 .* 做了“上传新版本”") as told:
            submissions.held(db, person(db, "o", "office"), mine, expect=1)
        assert (told.value.status, told.value.revision, told.value.code) == (409, 2, "changed_meanwhile")
