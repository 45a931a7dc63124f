"""The list of submissions: filters, search, order, pages, counts, neighbours, saved views; what others have is never counted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from service.database.programme_tables import analyses, assignments, similar_submissions, submission_versions, submissions, units, users
from service.errors import ServiceError
from service.programme import listing, views
from service.programme.listing import Filters, parse
from service.programme.viewer import Viewer


class Shelf:
    """Rows written straight into the tables."""

    def __init__(self, db: Any) -> None:
        self.db = db
        self.count = 0
        self.office = self.person("office", "office")

    def person(self, name: str, role: str, **more: Any) -> Viewer:
        id_ = self.db.execute(users.insert().values(name=name, shown=name, role=role, **more).returning(users.c.id)).scalar_one()
        return Viewer(id_, name, name, role, unit=more.get("unit"))  # type: ignore[arg-type]

    def unit(self, name: str) -> int:
        return int(self.db.execute(units.insert().values(name=name).returning(units.c.id)).scalar_one())

    def add(self, *, file_name: str = "申报书.docx", analysis: dict[str, Any] | None = None, **more: Any) -> int:
        self.count += 1
        told = {"state": "done", "status": "complete", "errors": 0, "warnings": 0, "words": 5000, "rules": [], **(analysis or {})}
        key = {"sha256": f"{self.count:064}", "edition": "2024-caq", "edition_hash": "e", "program": "p", "models": "m", "library": 0}
        made = self.db.execute(insert(analyses).values(**key, **told).returning(analyses.c.id)).scalar_one()
        row = {
            "number": f"2024-caq-{self.count:04d}",
            "edition": "2024-caq",
            "organisation": f"示例公司{self.count}（构造）",
            "title": "实施精益管理的经验",
            "analysis": made,
            **more,
        }
        id_ = self.db.execute(submissions.insert().values(**row).returning(submissions.c.id)).scalar_one()
        version = {"sha256": key["sha256"], "file_name": file_name, "size": 1, "analysis": made, "by": self.office.id, "receipt": f"R{id_}"}
        self.db.execute(submission_versions.insert().values(submission=id_, number=1, **version))
        return int(id_)


@pytest.fixture(name="shelf")
def _shelf(engine: Any) -> Any:
    with engine.begin() as db:
        yield Shelf(db)


def ids(shelf: Shelf, viewer: Viewer | None = None, **filters: Any) -> list[int]:
    return [row.id for row in listing.listed(shelf.db, viewer or shelf.office, Filters(**{"sort": "number", **filters})).rows]


def test_each_filter_leaves_what_it_says(shelf: Shelf) -> None:
    unit, other = shelf.unit("甲协会（构造）"), shelf.unit("乙协会（构造）")
    a = shelf.add(unit=unit, analysis={"errors": 2, "rules": ["2024-caq/1"], "primary_area": "digital", "flag": "reuse", "similarity": 0.3})
    b = shelf.add(unit=other, state="passed", analysis={"warnings": 1, "primary_area": "lean"}, area="digital")
    c = shelf.add(edition="2022-hebei", number="2022-hebei-0001", analysis={"state": "failed", "errors": None, "warnings": None})
    shelf.db.execute(similar_submissions.insert().values(one=b, other=a, flag="near_duplicate", share=0.8, score=0.9))
    reviewer = shelf.person("r", "reviewer")
    shelf.db.execute(assignments.insert().values(submission=b, reviewer=reviewer.id, by=shelf.office.id))
    for filters, wanted in (
        ({}, [c, a, b]),
        ({"edition": "2022-hebei"}, [c]),
        ({"unit": unit}, [a]),
        ({"unit": 0}, [c]),
        ({"area": "digital"}, [a, b]),
        ({"area": "lean"}, []),
        ({"area": "-"}, []),
        ({"state": "passed"}, [b]),
        ({"has": "errors"}, [a]),
        ({"has": "warnings"}, [b]),
        ({"has": "clean"}, []),
        ({"rule": "2024-caq/1"}, [a]),
        ({"flag": "reuse"}, [a]),
        ({"flag": "near_duplicate"}, [b]),
        ({"share": 30}, [a, b]),
        ({"share": 31}, [b]),
        ({"analysis": "failed"}, [c]),
        ({"analysis": "waiting"}, []),
        ({"assigned": "yes"}, [b]),
        ({"assigned": "no"}, [c, a]),
        ({"edition": "2024-caq", "assigned": "no"}, [a]),
    ):
        assert ids(shelf, **filters) == wanted, filters
    row = listing.chosen(shelf.db, shelf.office, [b])[0]
    assert (row.flag, row.similarity, row.among, row.area, row.corrected, row.assigned) == ("near_duplicate", 0.8, True, "digital", True, 1)
    row = listing.chosen(shelf.db, shelf.office, [a])[0]
    assert (row.flag, row.similarity, row.among, row.unit_name) == ("reuse", 0.3, False, "甲协会（构造）")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("精益", 3),
        ("一号", 1),
        ("一号 精益", 1),
        ("一号 没有", 0),
        ("2024-CAQ-0002", 1),
        ("特别.PDF", 1),
        ("91130100000000000X", 1),
        ("100%", 1),
        ("_", 1),
        ("\\", 0),
        ("' OR 1=1 --", 0),
    ],
)
def test_search_takes_words_as_they_are(shelf: Shelf, words: str, found: int) -> None:
    shelf.add(organisation="一号公司（构造）", credit_code="91130100000000000X")
    shelf.add(title="精益管理 100% 达标", file_name="特别.pdf")
    shelf.add(file_name="a_b.docx")
    assert len(ids(shelf, q=words)) == found


def test_order_by_any_column_with_what_is_not_known_last(shelf: Shelf) -> None:
    unit, other = shelf.unit("北京协会（构造）"), shelf.unit("安徽协会（构造）")
    a = shelf.add(organisation="重庆公司（构造）", unit=unit, analysis={"words": 900, "errors": 3})
    b = shelf.add(organisation="北京公司（构造）", unit=other, rank=2, analysis={"words": 800, "errors": 1})
    c = shelf.add(organisation="安阳公司（构造）", unit=other, rank=1, analysis={"words": None, "errors": None, "state": "waiting"})
    assert ids(shelf, sort="words") == [b, a, c]
    assert ids(shelf, sort="-words") == [a, b, c]
    assert ids(shelf, sort="-errors") == [a, b, c]
    assert ids(shelf, sort="unit") == [c, b, a]
    assert ids(shelf, sort="organisation") == [c, b, a]  # by pinyin
    for sort in listing.ORDERS:
        assert sorted(ids(shelf, sort=sort)) == sorted(ids(shelf, sort=f"-{sort}")) == [a, b, c]


def test_pages_and_counts(shelf: Shelf) -> None:
    made = [shelf.add(state="passed" if place % 3 else "received") for place in range(60)]
    listed = listing.listed(shelf.db, shelf.office, Filters(sort="number"))
    assert [row.id for row in listed.rows] == made[:50]
    assert (listed.total, listed.pages) == (60, 2)
    assert dict(listed.states) == {"": 60, "received": 20, "passed": 40, "returned": 0, "set_aside": 0, "withdrawn": 0}
    far = listing.listed(shelf.db, shelf.office, Filters(sort="number", page=9))
    assert (far.filters.page, len(far.rows)) == (2, 10)
    some = listing.listed(shelf.db, shelf.office, Filters(state="received"))
    assert (some.total, some.states["passed"]) == (20, 40)
    assert len(listing.everything(shelf.db, shelf.office, Filters())) == 60


def test_neighbours_are_those_of_the_filter(shelf: Shelf) -> None:
    a, b, c = shelf.add(), shelf.add(state="passed"), shelf.add()
    filters = Filters(state="received", sort="number")
    place = listing.place_of(shelf.db, shelf.office, filters, a)
    assert place is not None
    assert (place.position, place.total, place.previous, place.next) == (1, 2, None, c)
    assert listing.place_of(shelf.db, shelf.office, filters, b) is None


def test_others_are_not_listed_counted_or_offered(shelf: Shelf) -> None:
    unit, other = shelf.unit("甲协会（构造）"), shelf.unit("乙协会（构造）")
    mine = shelf.add(unit=unit)
    shelf.add(unit=other, edition="2022-hebei", number="2022-hebei-0001", organisation="秘密公司（构造）", analysis={"rules": ["x/1"]})
    viewer = shelf.person("u", "unit", unit=unit)
    assert ids(shelf, viewer) == [mine]
    assert ids(shelf, viewer, q="秘密") == []
    assert listing.listed(shelf.db, viewer, Filters(unit=other)).states[""] == 0
    found = listing.choices(shelf.db, viewer, Filters())
    assert (found.editions, [name for _, name in found.units]) == (("2024-caq",), ["甲协会（构造）"])
    assert listing.chosen(shelf.db, viewer, [mine + 1]) == []


def test_likeness_to_what_others_have_is_not_told(shelf: Shelf) -> None:
    unit, other = shelf.unit("甲协会（构造）"), shelf.unit("乙协会（构造）")
    mine, theirs, again = shelf.add(unit=unit), shelf.add(unit=other), shelf.add(unit=unit)
    pairs = [(mine, theirs, "near_duplicate", 0.9), (mine, again, "reuse", 0.4)]
    for one, two, flag, share in pairs:
        shelf.db.execute(similar_submissions.insert().values(one=one, other=two, flag=flag, share=share, score=share))
    shelf.db.execute(assignments.insert().values(submission=mine, reviewer=shelf.person("r", "reviewer").id, by=shelf.office.id))
    viewer = shelf.person("u", "unit", unit=unit)
    row = listing.chosen(shelf.db, viewer, [mine])[0]
    assert (row.flag, row.similarity, row.assigned) == ("reuse", 0.4, 0)
    assert ids(shelf, viewer, flag="near_duplicate") == []
    assert ids(shelf, viewer, share=50) == []
    assert ids(shelf, viewer, sort="-similarity")[0] == mine
    assert len(ids(shelf, viewer, assigned="yes")) == len(ids(shelf, viewer, assigned="no")) == 2
    assert listing.chosen(shelf.db, shelf.office, [mine])[0].flag == "near_duplicate"
    shelf.db.execute(submissions.update().where(submissions.c.id.in_([theirs, again])).values(state="withdrawn"))
    assert listing.chosen(shelf.db, shelf.office, [mine])[0].flag is None
    assert ids(shelf, flag="near_duplicate") == []


def test_an_address_is_read_with_patience() -> None:
    given = {
        "state": "nonsense",
        "unit": "x",
        "page": "0",
        "size": "7",
        "sort": "-words; drop",
        "q": " a\x00b ",
        "share": "30",
        "else": "1",
    }
    assert parse(given) == Filters(q="ab", share=30)
    filters = Filters(q="x", page=3, state="passed")
    assert filters.query() == {"q": "x", "page": "3", "state": "passed"}
    assert filters.query(page=4) == {"q": "x", "page": "4", "state": "passed"}
    assert filters.query(q="") == {"state": "passed"}
    assert parse(filters.query()) == filters
    assert Filters(unit=0).query() == {"unit": "0"}
    assert filters.active == ("q",)


def test_views_are_their_owners_own(shelf: Shelf) -> None:
    other = shelf.person("p", "office")
    view = views.save(shelf.db, shelf.office, " 待审 有错误 ", {"state": "received", "has": "errors", "page": "3", "x": "1"})
    assert views.mine(shelf.db, shelf.office) == [view]
    assert view.query == "state=received&has=errors"
    assert views.mine(shelf.db, other) == []
    for change in (lambda: views.rename(shelf.db, other, view.id, "新"), lambda: views.remove(shelf.db, other, view.id)):
        with pytest.raises(ServiceError, match="没有找到"):
            change()
    again = views.save(shelf.db, shelf.office, "待审 有错误", {"has": "warnings"})
    assert (again.id, [each.query for each in views.mine(shelf.db, shelf.office)]) == (view.id, ["has=warnings"])
    views.save(shelf.db, shelf.office, "第二个", {})
    with pytest.raises(ServiceError, match="已有名为"):
        views.rename(shelf.db, shelf.office, view.id, "第二个")
    views.rename(shelf.db, shelf.office, view.id, "第一个")
    views.remove(shelf.db, shelf.office, view.id)
    assert [each.name for each in views.mine(shelf.db, shelf.office)] == ["第二个"]
    with pytest.raises(ServiceError, match="名称"):
        views.save(shelf.db, shelf.office, " ", {})
