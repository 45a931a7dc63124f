"""Reviewing: only what is assigned and after the declaration; notes that nobody else reads; the later of two who save; what is hidden."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from service import batch, rulebook
from service.artefacts import CORPORA
from service.database import queue
from service.database.programme_tables import analyses, assignments, events, reviews, submission_versions, users
from service.errors import ServiceError
from service.model import Match, MatchedPassage, Past, Report, Similarity
from service.parse import Reader
from service.programme import analyses as stored
from service.programme import assignments as arranging
from service.programme import submissions
from service.programme.assignments import kin
from service.programme.submissions import Contact, Uploaded
from service.programme.viewer import Viewer
from service.render.reading import reading, veiled

EVIL = "<script>alert(1)</script>"
OFFICE = Viewer(None, "system", "系统", "admin")


@cache
def report() -> Report:
    """A constructed write-up with contact data and a script in its text; one passage stands in a past benchmark too."""
    text = (CORPORA / "benchmarks" / "texts" / "p04.md").read_text("utf-8")
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines) if number > 8 and len(line) > 60)
    lines.insert(at, f"联系人：张三丰，联系电话：0311-85123456，邮箱 quality@example.com，代码 91990000MB0000043P。{EVIL}")
    data = "\n".join(lines).encode()
    with Reader(jobs=1) as reader:
        found = next(batch.analyse_all([reader.read_data(data, "材料.md")], rulebook.load("2022-hebei"), files=1, jobs=1))
    assert found.submission is not None
    start = found.submission.text.index(lines[at + 1][:40])
    passage = MatchedPassage(start, start + 40, 0, 40, found.submission.text[start : start + 40], "verbatim", 1.0)
    past = Past(
        "b-2020-1", f"往年标杆{EVIL}", passage.their_text + "，联系电话：0311-85123456。", organisation="某某公司（构造）", year=2020
    )
    return replace(
        found, matches=(Match(past, "reuse", 1.0, 0.01, own=False, passages=(passage,)),), similarity=Similarity(*[0.01] * 6, 40, 1, 1)
    )


@pytest.fixture(autouse=True)
def _queue(site: Any) -> None:
    queue.prepare(site.engine)


def hand_in(site: Any, **more: Any) -> int:
    """A submission whose analysis is done."""
    edition = more.pop("edition", "2022-hebei")
    owner = Viewer(site.user("applicant", name="firm"), "firm", "firm", "applicant")
    with site.connection() as db:
        analysis = db.execute(select(analyses.c.id).where(analyses.c.sha256 == report().sha256)).scalar()
        if analysis is None:
            values = {"sha256": report().sha256, "edition": edition, "edition_hash": "e", "program": "p", "models": "m", "library": 0}
            values |= {"state": "done", "report": stored.encoded(report())}
            analysis = db.execute(insert(analyses).values(**values).returning(analyses.c.id)).scalar_one()
        told = {"title": "数字化质量预警的经验", "organisation": "汐簟空调电器有限公司（构造）", "credit_code": "91990000MB0000043P"}
        contact = Contact("李联络", "13912345678", "li@example.com")
        file = Uploaded(report().sha256, "材料.md", 1200)
        return submissions.submit(db, owner, edition=edition, file=file, analysis=analysis, contact=contact, **{**told, **more}).id


def assigned(site: Any, submission: int, reviewer: str = "reviewer", *, declared: bool = True) -> int:
    person = site.user("reviewer", name=reviewer)
    with site.connection() as db:
        arranging.assign(db, staff(site), submission, [person])
        found = assignments.c.submission == submission, assignments.c.reviewer == person
        if declared:
            db.execute(assignments.update().where(*found).values(conflict=False))
        return int(db.execute(select(assignments.c.id).where(*found)).scalar_one())


def staff(site: Any) -> Viewer:
    return Viewer(site.user("office"), "office", "office", "office")


# --- the reviewer ------------------------------------------------------------------------------------------------------------------


def test_before_the_declaration_nothing_but_title_and_organisation_is_shown(site: Any) -> None:
    one = assigned(site, hand_in(site), declared=False)
    client = site.as_("reviewer")
    assert "数字化质量预警的经验" in client.get("/reviews").text
    page = client.get(f"/reviews/{one}").text
    assert "回避声明" in page
    assert "汐簟空调" in page
    assert "摘要" not in page
    assert client.submit(f"/reviews/{one}/save", {"notes": "x", "revision": "0"}).status_code == 404
    assert client.submit(f"/reviews/{one}/conflict", {}).status_code == 422
    assert client.submit(f"/reviews/{one}/conflict", {"conflict": "no"}).status_code == 303
    assert "摘要" in client.get(f"/reviews/{one}").text


def test_a_declared_conflict_closes_the_submission_and_tells_the_office(site: Any) -> None:
    submission = hand_in(site)
    one = assigned(site, submission, declared=False)
    client = site.as_("reviewer")
    assert "请写明回避的原因" in client.submit(f"/reviews/{one}/conflict", {"conflict": "yes"}).text
    assert client.submit(f"/reviews/{one}/conflict", {"conflict": "yes", "reason": f"曾任职{EVIL}"}).status_code == 303
    assert "不再开放" in client.get(f"/reviews/{one}").text
    assert client.submit(f"/reviews/{one}/save", {"notes": "x", "revision": "0"}).status_code == 404
    assert client.submit(f"/reviews/{one}/conflict", {"conflict": "no"}).status_code == 409
    with site.connection() as db, pytest.raises(ServiceError, match="没有找到"):
        submissions.one(db, Viewer(client.user, "reviewer", "reviewer", "reviewer"), submission)
    office = site.as_("office")
    page = office.get("/reviews/overview").text
    assert "1 份次声明了回避" in page
    assert EVIL not in page
    assert office.submit(f"/reviews/{one}/unassign").status_code == 409
    assert office.submit(f"/reviews/{one}/ask").status_code == 303
    assert "回避声明" in client.get(f"/reviews/{one}").text


def test_another_reviewer_and_other_roles_find_nothing(site: Any) -> None:
    one = assigned(site, hand_in(site))
    other = site.as_("reviewer", name="another")
    for path in (f"/reviews/{one}", f"/reviews/{one}/conflict"):
        assert other.get(path).status_code == 404
    for action in ("save", "finish", "conflict"):
        assert other.submit(f"/reviews/{one}/{action}", {"conflict": "no", "revision": "0"}).status_code == 404
    assert "数字化质量预警" not in other.get("/reviews").text
    for role in ("applicant", "unit", "office", "admin"):
        assert site.as_(role).get(f"/reviews/{one}").status_code == 403
    assert site.as_("reviewer").get("/reviews/99999999999999").status_code == 404
    for path in ("/reviews/overview", "/reviews/assign"):
        assert other.get(path).status_code == 403


def test_what_was_withdrawn_is_nobodys_to_read(site: Any) -> None:
    submission = hand_in(site)
    one = assigned(site, submission)
    with site.connection() as db:
        db.execute(submissions.submissions.update().where(submissions.submissions.c.id == submission).values(state="withdrawn"))
    client = site.as_("reviewer")
    assert client.get(f"/reviews/{one}").status_code == 404
    assert "还没有分配给您的材料" in client.get("/reviews").text


def test_the_reading_view_has_no_contact_data_and_no_script(site: Any) -> None:
    one = assigned(site, hand_in(site, title=f"经验{EVIL}"))
    client = site.as_("reviewer")
    for pane in ("read", "comment", "similar"):
        page = client.get(f"/reviews/{one}?pane={pane}").text
        assert EVIL not in page
        for secret in ("张三丰", "85123456", "quality@example.com", "91990000MB0000043P", "李联络", "13912345678", "li@example.com"):
            assert secret not in page, (pane, secret)
    assert "&lt;script&gt;" in client.get(f"/reviews/{one}").text


def test_links_lead_to_their_place_in_one_scroll_and_in_tabs(site: Any) -> None:
    one = assigned(site, hand_in(site))
    client = site.as_("reviewer")
    scroll = client.get(f"/reviews/{one}").text
    anchors = set(re.findall(r'href="#(k\d+|p\d+|f\d+)"', scroll))
    assert anchors
    assert all(f'id="{anchor}"' in scroll for anchor in anchors)
    assert f'href="/reviews/{one}?pane=similar#m1-1"' in scroll
    tabs = client.get(f"/reviews/{one}?mode=tabs&section=3").text
    assert len(re.findall("<table", tabs)) <= len(re.findall("<table", scroll))
    similar = client.get(f"/reviews/{one}?pane=similar&mode=tabs").text
    target = re.search(rf'href="(/reviews/{one}[^"]*)#(k\d+)"', similar)
    assert target is not None
    assert f'id="{target[2]}"' in client.get(target[1].replace("&amp;", "&")).text
    assert 'href="/library/b-2020-1"' in similar


def test_unknown_panes_and_sections_are_passed_over(site: Any) -> None:
    one = assigned(site, hand_in(site))
    for query in ("pane=x", "mode=tabs&section=999", "mode=tabs&section=-1", "section=zwei", "mode=tabs&section=0"):
        assert site.as_("reviewer").get(f"/reviews/{one}?{query}").status_code == 200


# --- writing -----------------------------------------------------------------------------------------------------------------------


def test_comments_are_saved_by_the_form_and_by_themselves(site: Any) -> None:
    one = assigned(site, hand_in(site))
    client = site.as_("reviewer")
    said = {"comment-science": f"方法适用\r\n{EVIL}", "comment-system": "", "comment-wrong": "x", "overall": "", "notes": "我的笔记"}
    assert client.submit(f"/reviews/{one}/save", {**said, "revision": "0", "pane": "comment"}).headers["location"].endswith("?pane=comment")
    with site.connection() as db:
        row = db.execute(select(reviews)).one()
    assert row.comments == {"science": f"方法适用\n{EVIL}"}
    answer = client.submit(f"/reviews/{one}/save", {**said, "overall": "好"}, headers={"If-Match": '"1"', "Accept": "application/json"})
    assert answer.json() == {"revision": 2}
    page = client.get(f"/reviews/{one}?pane=comment").text
    assert "我的笔记" in page
    assert EVIL not in page
    assert 'data-revision="2"' in page


def test_the_later_of_two_windows_is_told_and_loses_nothing(site: Any) -> None:
    one = assigned(site, hand_in(site))
    client = site.as_("reviewer")
    client.submit(f"/reviews/{one}/save", {"overall": "第一个窗口", "revision": "0"})
    answer = client.submit(f"/reviews/{one}/save", {"overall": "第二个窗口", "revision": "0"})
    assert answer.status_code == 409
    assert "第二个窗口" in answer.text
    assert "第一个窗口" in answer.text
    headers = {"If-Match": '"0"', "Accept": "application/json"}
    told = client.submit(f"/reviews/{one}/save", {"overall": "第三个"}, headers=headers)
    assert (told.status_code, told.json()["code"]) == (409, "review_changed")
    with site.connection() as db:
        assert db.execute(select(reviews.c.overall)).scalar_one() == "第一个窗口"


def test_too_long_a_comment_is_refused_with_its_length_and_kept_on_the_page(site: Any) -> None:
    one = assigned(site, hand_in(site))
    answer = site.as_("reviewer").submit(f"/reviews/{one}/save", {"overall": "长" * 5001, "revision": "0"})
    assert answer.status_code == 422
    assert "5,001 字，最多 5,000 字" in answer.text
    assert "长" * 5001 in answer.text


def test_finishing_hands_the_comments_to_the_office_but_never_the_notes(site: Any) -> None:
    submission = hand_in(site)
    one = assigned(site, submission)
    client, office = site.as_("reviewer"), site.as_("office")
    empty = client.submit(f"/reviews/{one}/finish", {"notes": "只有笔记", "revision": "0"})
    assert empty.status_code == 422
    client.submit(f"/reviews/{one}/save", {"overall": "总体不错", "notes": "只有笔记", "revision": "1"})
    page = office.get(f"/submissions/{submission}/assign").text
    assert "总体不错" not in page
    done = client.submit(f"/reviews/{one}/finish", {"overall": f"总体不错{EVIL}", "notes": "只有笔记", "revision": "2"})
    assert done.status_code == 303
    page = office.get(f"/submissions/{submission}/assign").text
    assert "总体不错" in page
    assert EVIL not in page
    assert "只有笔记" not in page
    assert client.submit(f"/reviews/{one}/save", {"overall": "再改", "revision": "4"}).status_code == 409
    assert office.submit(f"/reviews/{one}/unassign").status_code == 409
    assert office.submit(f"/reviews/{one}/reopen").status_code == 303
    assert client.submit(f"/reviews/{one}/save", {"overall": "改过", "revision": "5"}).status_code == 303
    with site.connection() as db:
        said = [row.action for row in db.execute(select(events).where(events.c.object == f"submission:{submission}"))]
    assert [action for action in said if action.startswith("review.")] == [
        "review.assigned",
        "review.started",
        "review.finished",
        "review.reopened",
    ]


def test_an_edition_without_criteria_has_one_comment(site: Any) -> None:
    one = assigned(site, hand_in(site, edition="2014-miit"))
    page = site.as_("reviewer").get(f"/reviews/{one}?pane=comment").text
    assert "综合评语" in page
    assert "comment-" not in page


# --- the office --------------------------------------------------------------------------------------------------------------------


def test_many_are_assigned_evenly_and_never_to_their_own_organisation(site: Any) -> None:
    firms = [f"示例{number}公司（构造）" for number in range(6)]
    ids = [hand_in(site, organisation=firm) for firm in firms]
    people = [site.user("reviewer", name=f"r{n}", organisation="示例0公司（构造）" if n == 0 else "某某大学（构造）") for n in range(3)]
    office = site.as_("office")
    assert "6 份材料" in office.get(f"/reviews/assign?ids={','.join(map(str, ids))}").text
    answer = office.submit("/reviews/assign", {"ids": ",".join(map(str, ids)), "reviewer": [str(one) for one in people], "each": "2"})
    assert answer.status_code == 303
    with site.connection() as db:
        found = db.execute(select(assignments.c.submission, assignments.c.reviewer)).all()
        load = {one.id: one.open for one in arranging.reviewers(db)}
    assert len(found) == 12
    assert (ids[0], people[0]) not in [tuple(row) for row in found]
    assert sorted(load.values()) == [4, 4, 4]


def test_what_cannot_be_placed_is_told(site: Any) -> None:
    submission = hand_in(site)
    person = site.user("reviewer", name="kin", organisation="汐簟空调电器有限公司（构造）")
    with site.connection() as db:
        made = arranging.assign_many(db, staff(site), [submission], [person], each=1)
        assert made.made == 0
        assert made.short == ("2022-hebei-0001",)
    answer = site.as_("office").submit(f"/submissions/{submission}/assign", {"reviewer": str(person)})
    assert answer.status_code == 409
    assert "不能评审" in answer.text
    for ids in ("", "999999"):
        assert site.as_("office").submit("/reviews/assign", {"ids": ids, "reviewer": str(person)}).status_code in (400, 404)


def test_a_reviewer_of_the_same_credit_code_is_not_asked(site: Any) -> None:
    submission, person = hand_in(site), site.user("reviewer", name="code", organisation="别的名称")
    with site.connection() as db:
        db.execute(users.update().where(users.c.id == person).values(credit_code="91990000MB0000043P"))
    assert site.as_("office").submit(f"/submissions/{submission}/assign", {"reviewer": str(person)}).status_code == 409


def test_a_newer_file_than_the_comments_is_told(site: Any) -> None:
    one = assigned(site, hand_in(site))
    client = site.as_("reviewer")
    client.submit(f"/reviews/{one}/save", {"overall": "好", "revision": "0"})
    assert "新的一版" not in client.get(f"/reviews/{one}").text
    with site.connection() as db:
        db.execute(submission_versions.update().values(uploaded_at=func.now()))
    assert "新的一版" in client.get(f"/reviews/{one}").text


def test_organisations_of_one_house_are_known() -> None:
    assert kin("河北沣澜泵阀有限公司", "河北沣澜泵阀 有限公司")
    assert kin("河北沣澜泵阀有限公司", "河北沣澜泵阀有限公司铸造厂")
    assert not kin("某大学", None)
    assert not kin("泵阀", "河北沣澜泵阀有限公司")


# --- the text ----------------------------------------------------------------------------------------------------------------------


def test_hiding_leaves_every_offset_where_it_was() -> None:
    whole = veiled(report(), hidden=("汐簟",))
    assert whole.submission is not None
    assert report().submission is not None
    assert len(whole.submission.text) == len(report().submission.text)
    assert "汐簟" not in whole.submission.text
    assert "@" not in whole.submission.text
    assert whole.submission.document.blocks == report().submission.document.blocks


def test_an_application_form_in_the_file_is_left_out() -> None:
    path = Path(CORPORA / "samples" / "s9.docx")
    edition = rulebook.load("2022-hebei")
    with Reader(jobs=1) as reader:
        found = next(batch.analyse_all([reader.read_data(path.read_bytes(), path.name)], edition, files=1, jobs=1))
    whole = veiled(found)
    assert found.submission is not None
    assert whole.submission is not None
    before = found.submission.text[: found.submission.start]
    assert "联系人" in before
    assert set(whole.submission.text[: whole.submission.start]) == {"＊", "\n", "\t"}
    assert len(whole.submission.text) == len(found.submission.text)
    assert whole.submission.text[whole.submission.start :][:40] == found.submission.text[found.submission.start :][:40]
    shown = reading(found, edition)
    text = str(shown.text(shown.chapters, similar="/x"))
    assert "申报书" not in text
    assert "outside" not in text
    assert len(shown.chapters) >= 4
