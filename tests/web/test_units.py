"""Recommending units: quota, how many are in, the order in which they recommend; a unit's user sees its own alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from service.database.programme_tables import analyses, events, submissions, unit_quotas
from service.programme import ranking
from service.programme import submissions as handing_in
from service.programme.ranking import Ranked
from service.programme.submissions import Uploaded
from service.programme.viewer import SYSTEM, Viewer

EDITION = "2024-caq"


def submitted(site: Any, unit: int | None, *titles: str, state: str = "received") -> list[int]:
    office = Viewer(site.user("office"), "office", "office", "office")
    found = []
    with site.connection() as db:
        for title in titles:
            key = {"sha256": title, "edition": EDITION, "edition_hash": "h", "program": "0", "models": "", "library": 0, "state": "done"}
            analysis = db.execute(analyses.insert().values(**key, errors=2, warnings=1).returning(analyses.c.id)).scalar_one()
            made = handing_in.submit(
                db,
                office,
                edition=EDITION,
                file=Uploaded("a" * 64, "a.docx", 1),
                analysis=analysis,
                title=title,
                organisation=f"{title}公司（构造）",
                unit=unit,
            )
            db.execute(submissions.update().where(submissions.c.id == made.id).values(state=state))
            found.append(made.id)
    return found


def quota(site: Any, name: str, places: int | None) -> int:
    with site.connection() as db:
        unit = site.unit(db, name)
        if places is not None:
            db.execute(unit_quotas.insert().values(unit=unit, edition=EDITION, places=places))
    return int(unit)


def order(site: Any, unit: int) -> list[int]:
    with site.connection() as db:
        rows = db.execute(
            select(submissions.c.id).where(submissions.c.unit == unit, submissions.c.rank.is_not(None)).order_by(submissions.c.rank)
        )
        return list(rows.scalars())


def version(page: Any) -> str:
    found = re.search(r'name="version" value="([0-9a-f]+)"', page.text)
    assert found
    return found[1]


def row(id_: int, rank: int | None) -> Ranked:
    return Ranked(id_, str(id_), "", "", "received", rank, "done", 0, 0, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ({}, [1, 2, 3]),
        ({3: 1}, [3, 1, 2]),
        ({1: 3}, [2, 3, 1]),
        ({1: 99}, [2, 3, 1]),
        ({4: 1}, [4, 1, 2, 3]),
        ({2: None}, [1, 3]),
        ({1: 2, 2: 1}, [2, 1, 3]),
        ({1: 1, 2: 2, 3: 3, 4: 4}, [1, 2, 3, 4]),
        ({4: 2, 3: None}, [1, 4, 2]),
    ],
)
def test_who_gets_a_place_stands_there(places: dict[int, int | None], expected: list[int]) -> None:
    assert ranking.placed([row(1, 1), row(2, 2), row(3, 3), row(4, None)], places) == expected


def test_staff_see_who_is_over(site: Any) -> None:
    unit = quota(site, "北辰质量协会（构造）", 1)
    quota(site, "南岭质量协会（构造）", 5)
    submitted(site, unit, "甲", "乙")
    submitted(site, unit, "丙", state="withdrawn")
    submitted(site, None, "丁")
    text = site.as_("office").get("/units", params={"edition": EDITION}).text
    assert "1 个单位超出推荐名额" in text
    assert "超出 1 份" in text
    assert "余 5" in text
    assert "未指定推荐单位" in text


def test_a_unit_orders_its_own(site: Any) -> None:
    unit = quota(site, "北辰质量协会（构造）", 2)
    one, two, three = submitted(site, unit, "甲", "乙", "丙")
    client = site.as_("unit", unit=unit)
    home = client.get("/units", follow_redirects=False)
    assert home.headers["location"] == f"/units/{unit}"
    path = f"/units/{unit}/order"
    page = client.get(f"/units/{unit}", params={"edition": EDITION})
    assert "超出 1 份" in page.text
    assert "请先排出前 2 位" in page.text
    assert "以下在推荐名额（2 份）之外" not in page.text
    form = {"edition": EDITION, "version": version(page), f"place-{three}": "1", f"place-{one}": "2", f"place-{two}": ""}
    assert client.submit(path, form).status_code == 303
    assert order(site, unit) == [three, one]
    page = client.get(f"/units/{unit}", params={"edition": EDITION})
    assert "推荐顺序已保存" in page.text
    assert "以下在推荐名额（2 份）之外" in page.text
    for move, expected in ((f"up-{two}", [three, one, two]), (f"up-{two}", [three, two, one]), (f"down-{three}", [two, three, one])):
        client.submit(path, {"edition": EDITION, "version": version(page), "move": move})
        assert order(site, unit) == expected
        page = client.get(f"/units/{unit}", params={"edition": EDITION})
    with site.connection() as db:
        told = db.execute(events.select().where(events.c.action == "unit.ranked").order_by(events.c.id)).all()
    assert len(told) == 4
    assert told[0].object == f"unit:{unit}"
    assert told[0].details == {"edition": EDITION, "order": [f"{EDITION}-0003", f"{EDITION}-0001"]}


def test_the_later_of_two_is_told(site: Any) -> None:
    unit = quota(site, "北辰质量协会（构造）", None)
    one, two = submitted(site, unit, "甲", "乙")
    client, office = site.as_("unit", unit=unit), site.as_("office")
    seen = version(client.get(f"/units/{unit}"))
    office.submit(f"/units/{unit}/order", {"edition": EDITION, "version": seen, f"place-{two}": "1", f"place-{one}": "2"})
    answer = client.submit(f"/units/{unit}/order", {"edition": EDITION, "version": seen, f"place-{one}": "1"})
    assert answer.status_code == 409
    assert "“office”改过" in answer.text
    assert order(site, unit) == [two, one]


def test_what_is_no_place_is_told(site: Any) -> None:
    unit = quota(site, "北辰质量协会（构造）", None)
    (one,) = submitted(site, unit, "甲")
    client = site.as_("unit", unit=unit)
    seen = version(client.get(f"/units/{unit}"))
    for value in ("0", "-1", "第一", "1e3", "99999999", "<b>"):
        answer = client.submit(f"/units/{unit}/order", {"edition": EDITION, "version": seen, f"place-{one}": value})
        assert answer.status_code == 422
        assert "<b>”" not in answer.text
    assert order(site, unit) == []


def test_no_unit_sees_or_orders_anothers(site: Any) -> None:
    ours, theirs = quota(site, "北辰质量协会（构造）", None), quota(site, "南岭质量协会（构造）", None)
    (one,) = submitted(site, theirs, "甲")
    (own,) = submitted(site, ours, "乙")
    client = site.as_("unit", unit=ours)
    assert client.get(f"/units/{theirs}").status_code == 404
    assert client.submit(f"/units/{theirs}/order", {"edition": EDITION, "version": "x", f"place-{one}": "1"}).status_code == 404
    seen = version(client.get(f"/units/{ours}"))
    client.submit(f"/units/{ours}/order", {"edition": EDITION, "version": seen, f"place-{one}": "1", f"place-{own}": "2"})
    assert order(site, theirs) == []
    assert order(site, ours) == [own]
    for role in ("applicant", "reviewer"):
        assert site.as_(role).get("/units").status_code == 403


def test_the_system_may_ask_for_a_unit_without_anything(site: Any) -> None:
    unit = quota(site, "空单位（构造）", None)
    with site.connection() as db:
        assert ranking.order(db, SYSTEM, unit, EDITION).rows == ()
    assert "还没有本单位推荐的材料" in site.as_("office").get(f"/units/{unit}").text
