"""The office's overview: what is counted, where each number leads, for staff alone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from library_shelf import TEXTS
from test_units import EDITION, quota, submitted  # type: ignore[import-not-found]

from service.database.programme_tables import analyses, assignments, rounds, similar_submissions, submissions
from service.programme import dashboard
from service.programme.viewer import SYSTEM
from service.web import rendering


@pytest.fixture(name="filled")
def _filled(site: Any) -> list[int]:
    unit = quota(site, "北辰质量协会（构造）", 1)
    ids = submitted(site, unit, "甲", "乙")
    ids += submitted(site, None, "丙", state="passed")
    ids += submitted(site, None, "丁", state="withdrawn")
    rule = f"{EDITION}/2.7"
    told = [
        {"errors": 0, "words": 9000, "rules": [rule], "primary_area": "digital", "flag": "reuse"},
        {"errors": 3, "words": 12900, "rules": [rule, f"{EDITION}/none"], "primary_area": None},
        {"state": "waiting", "errors": None, "words": None},
        {"errors": 1, "words": 5000, "rules": [rule]},
    ]
    with site.connection() as db:
        for id_, values in zip(ids, told, strict=True):
            analysis = submissions.select().with_only_columns(submissions.c.analysis).where(submissions.c.id == id_).scalar_subquery()
            db.execute(analyses.update().where(analyses.c.id == analysis).values(**values))
        db.execute(similar_submissions.insert().values(one=ids[0], other=ids[1], flag="reuse", share=0.4, score=0.3))
        db.execute(assignments.insert().values(submission=ids[0], reviewer=site.user("reviewer"), by=site.user("office")))
        db.execute(rounds.insert().values(edition=EDITION, accepting=True, closes_on=rendering.today() + timedelta(days=5)))
    return ids


def test_what_is_counted(site: Any, filled: list[int]) -> None:
    with site.connection() as db:
        board = dashboard.board(db, SYSTEM, EDITION, today=rendering.today())
    assert (board.total, dict(board.states)["withdrawn"]) == (3, 1)
    assert dict(board.analyses) == {"waiting": 1, "running": 0, "done": 2, "failed": 0}
    assert board.areas == (("digital", 1), (None, 1))
    assert [(one.rule, one.submissions) for one in board.typical] == [(f"{EDITION}/2.7", 2)]
    assert sorted(board.words) == [9000, 12900]
    assert (board.least, board.most) == (8000, 12000)
    assert len(board.days) == 14
    assert board.days[-1] == (rendering.today(), 3)
    assert (board.judged, board.without_errors, board.reused, board.alike, board.assigned) == (2, 1, 1, 1, 1)
    assert [share.name for share in board.over] == ["北辰质量协会（构造）"]
    assert filled


def test_the_page_leads_to_the_lists(site: Any, filled: list[int]) -> None:
    page = site.as_("office").get("/dashboard", params={"edition": EDITION})
    assert page.status_code == 200
    for told in (
        "距截止还有",
        f"/submissions?edition={EDITION}&amp;state=received",
        f"/submissions?edition={EDITION}&amp;rule=2024-caq%2F2.7",
        "2 / 名额 1",
        "超 1 份",
        "下限 8,000 字，上限 12,000 字",
        "1 份正在等待审读",
    ):
        assert told in page.text
    assert page.text.count("<svg") == 5
    assert "style=" not in page.text
    assert filled


def test_before_anything_came(site: Any) -> None:
    page = site.as_("admin").get("/dashboard")
    assert page.status_code == 200
    assert "还没有收到材料" in page.text
    assert site.as_("office").get("/dashboard", params={"edition": "1999"}).status_code == 200


def test_days_without_any_are_shown_and_old_ones_summed(site: Any) -> None:
    (old, new, _) = submitted(site, None, "甲", "乙", "丙")
    with site.connection() as db:
        for id_, day in ((old, "2024-01-01T00:00:00+08:00"), (new, "2024-03-01T23:59:00+08:00")):
            db.execute(submissions.update().where(submissions.c.id == id_).values(submitted_at=day))
        db.execute(submissions.update().where(submissions.c.id.not_in((old, new))).values(submitted_at="2024-03-02T00:01:00+08:00"))
        board = dashboard.board(db, SYSTEM, EDITION, today=date(2024, 3, 3))
    assert board.days[-3:] == ((date(2024, 3, 1), 1), (date(2024, 3, 2), 1), (date(2024, 3, 3), 0))
    assert len(board.days) == 42
    assert board.days_before == 1


@pytest.mark.parametrize("role", ["applicant", "reviewer", "unit"])
def test_for_staff_alone(site: Any, role: str) -> None:
    assert site.as_(role).get("/dashboard").status_code == 403


def test_words_are_those_of_the_write_up() -> None:
    """As the limits are meant: what stands before and after it does not count."""
    from programme_shelf import report

    from service.programme.digest import digest
    from service.text import words

    made = report("封面 某某公司 申报书\n\n" + (TEXTS / "p01.md").read_text("utf-8"))
    submission = made.submission
    assert submission is not None
    assert made.counts is not None
    assert digest(made)["words"] == words(submission.text[submission.start : submission.end]) <= made.counts.words
