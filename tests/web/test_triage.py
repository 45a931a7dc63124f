"""形审: decisions with reasons, two people on one submission, findings dismissed over versions, corrected areas, many at once."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any

import openpyxl
import pytest
from office_desk import hand_in, send_again, text, viewer
from sqlalchemy import select

from service.database.programme_tables import analyses, area_corrections, decisions, dismissals, events, submissions
from service.programme import triage

HOSTILE = "</textarea><script>alert(1)</script>"


@pytest.fixture(name="one")
def _one(site: Any) -> int:
    """A submission that was read."""
    made = hand_in(site)
    site.run_jobs()
    return made.id


def row(site: Any, id_: int) -> Any:
    with site.connection() as db:
        return db.execute(
            select(submissions, analyses.c.errors, analyses.c.warnings)
            .join(analyses, analyses.c.id == submissions.c.analysis)
            .where(submissions.c.id == id_)
        ).one()


def reasons_on(page: str) -> str:
    found = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def test_pass_goes_on_to_the_next_of_the_filter(site: Any, one: int) -> None:
    second = hand_in(site, title="第二份").id
    office = site.as_("office")
    answer = office.submit(f"/submissions/{one}/decide?state=received&sort=number", {"action": "pass", "revision": 1})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/submissions/{second}?state=received&sort=number")
    assert row(site, one).state == "passed"
    last = office.submit(f"/submissions/{second}/decide?state=received", {"action": "set_aside", "revision": 1})
    assert last.headers["location"] == "/submissions?state=received"
    stays = office.submit(f"/submissions/{second}/decide", {"action": "reopen", "revision": 2, "then": "stay"})
    assert stays.headers["location"] == f"/submissions/{second}"
    with site.connection() as db:
        told = db.execute(select(events.c.action, events.c.object).order_by(events.c.id)).all()
    assert [tuple(each) for each in told[-3:]] == [
        ("submission.passed", f"submission:{one}"),
        ("submission.set_aside", f"submission:{second}"),
        ("submission.reopened", f"submission:{second}"),
    ]


def test_a_return_begins_with_the_reasons_of_the_findings(site: Any, one: int) -> None:
    office = site.as_("office")
    reasons = reasons_on(office.get(f"/submissions/{one}/return").text)
    assert "必须修改：" in reasons or "请核对并修改：" in reasons
    assert re.search(r"^1\. ", reasons, re.MULTILINE)
    assert office.submit(f"/submissions/{one}/decide", {"action": "return", "revision": 1, "reasons": " "}).status_code == 400
    answer = office.submit(f"/submissions/{one}/decide", {"action": "return", "revision": 1, "reasons": f"请补充数据。{HOSTILE}"})
    assert answer.status_code == 303
    page = office.get(f"/submissions/{one}").text
    assert "请补充数据" in page
    assert "<script>alert" not in page
    with site.connection() as db:
        assert db.execute(select(decisions.c.action, decisions.c.reasons)).one()[0] == "return"


def test_the_later_of_two_is_told_and_keeps_his_words(site: Any, one: int) -> None:
    first, second = site.as_("office", name="甲"), site.as_("office", name="乙")
    assert first.submit(f"/submissions/{one}/decide", {"action": "set_aside", "revision": 1}).status_code == 303
    answer = second.submit(f"/submissions/{one}/decide", {"action": "return", "revision": 1, "reasons": "我写了很久的理由"})
    assert answer.status_code == 409
    assert "甲在 " in answer.text
    assert "做了“搁置”" in answer.text
    assert reasons_on(answer.text) == "我写了很久的理由"
    assert 'name="revision" value="2"' in answer.text  # he may save it once more, knowing what changed
    assert row(site, one).state == "set_aside"
    assert (
        second.submit(f"/submissions/{one}/decide", {"action": "return", "revision": 2, "reasons": "我写了很久的理由"}).status_code == 303
    )
    late = first.submit(f"/submissions/{one}/decide", {"action": "pass", "revision": 2})
    assert late.status_code == 409
    assert "乙在 " in late.text


def test_what_cannot_follow_is_refused(site: Any, one: int) -> None:
    office = site.as_("office")
    assert office.submit(f"/submissions/{one}/decide", {"action": "reopen", "revision": 1}).status_code == 409
    assert office.submit(f"/submissions/{one}/decide", {"action": "nonsense", "revision": 1}).status_code == 409
    assert office.submit("/submissions/999/decide", {"action": "pass", "revision": 1}).status_code == 404
    assert row(site, one).state == "received"


def test_an_applicant_withdraws_his_own_and_decides_nothing(site: Any, one: int) -> None:
    applicant = viewer(site, "applicant")
    with site.connection() as db:
        with pytest.raises(Exception, match="不能再“通过”"):
            triage.decide(db, applicant, one, "pass")
        assert triage.decide(db, applicant, one, "withdraw") == "withdrawn"
        assert [each.words for each in triage.history(db, applicant, one)] == ["撤回"]


# --- findings ----------------------------------------------------------------------------------------------------------------------


def places(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'name="place" value="([^"]+)"', page)]


def test_a_dismissed_finding_stays_dismissed_on_the_next_version(site: Any, one: int) -> None:
    office = site.as_("office")
    page = office.get(f"/submissions/{one}").text
    before = row(site, one)
    found = places(page)
    assert len(found) >= 1
    answer = office.submit(f"/submissions/{one}/dismiss", {"place": found[0], "reason": "本单位情况特殊", "revision": 1})
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("#f1" if len(found) > 1 else "#dismissed")
    page = office.get(f"/submissions/{one}").text
    assert "已忽略的问题" in page
    assert "本单位情况特殊" in page
    assert len(places(page)) == len(found) - 1
    after = row(site, one)
    assert (after.dismissed_errors + after.dismissed_warnings, after.errors, after.warnings) == (1, before.errors, before.warnings)
    assert f"{found[0].split('-', 2)[2]}" in office.get("/findings").text

    send_again(site, one, text(background="这里补充了一句背景，后面的内容都往后移了。"))
    assert row(site, one).dismissed_errors + row(site, one).dismissed_warnings == 0  # not yet read
    site.run_jobs()
    again = row(site, one)
    assert again.dismissed_errors + again.dismissed_warnings == 1
    page = office.get(f"/submissions/{one}").text
    assert "已忽略的问题" in page

    restore = re.search(r'name="dismissal" value="(\d+)"', page)
    assert restore is not None
    office.submit(f"/submissions/{one}/restore", {"dismissal": restore[1], "revision": again.revision})
    last = row(site, one)
    assert last.dismissed_errors + last.dismissed_warnings == 0
    assert "已忽略的问题" not in office.get(f"/submissions/{one}").text
    assert "还没有忽略过问题" in office.get("/findings").text


def test_what_is_dismissed_leaves_the_reasons_of_a_return(site: Any, one: int) -> None:
    office = site.as_("office")
    before = reasons_on(office.get(f"/submissions/{one}/return").text)
    for _ in range(20):
        page = office.get(f"/submissions/{one}").text
        if not places(page):
            break
        revision = row(site, one).revision
        office.submit(f"/submissions/{one}/dismiss", {"place": places(page)[0], "reason": "不成立", "revision": revision})
    assert before
    assert reasons_on(office.get(f"/submissions/{one}/return").text) == ""


def test_a_version_that_was_read_before_is_counted_at_once(site: Any, one: int) -> None:
    office = site.as_("office")
    found = places(office.get(f"/submissions/{one}").text)
    office.submit(f"/submissions/{one}/dismiss", {"place": found[0], "reason": "不成立", "revision": 1})
    new = text(background="补充一句。")
    hand_in(site, new)  # somebody else's, of the same file
    site.run_jobs()
    send_again(site, one, new)
    assert row(site, one).dismissed_errors + row(site, one).dismissed_warnings == 1


def test_the_later_of_two_keeps_the_reason_of_a_dismissal(site: Any, one: int) -> None:
    office = site.as_("office")
    place = places(office.get(f"/submissions/{one}").text)[0]
    office.submit(f"/submissions/{one}/decide", {"action": "pass", "revision": 1, "then": "stay"})
    answer = office.submit(f"/submissions/{one}/dismiss", {"place": place, "reason": "想好的理由", "revision": 1})
    assert answer.status_code == 409
    assert 'value="想好的理由"' in answer.text
    for at, reason in ((place, ""), ("9-9-nonsense", "x"), ("x", "x"), (place, "长" * 501)):
        refused = office.submit(f"/submissions/{one}/dismiss", {"place": at, "reason": reason, "revision": row(site, one).revision})
        assert refused.status_code in {400, 409, 422}, (at, reason)
    with site.connection() as db:
        assert db.execute(select(dismissals)).all() == []


def test_reasons_of_dismissals_are_text(site: Any, one: int) -> None:
    office = site.as_("office")
    place = places(office.get(f"/submissions/{one}").text)[0]
    office.submit(f"/submissions/{one}/dismiss", {"place": place, "reason": HOSTILE, "revision": 1})
    for path in (f"/submissions/{one}", "/findings"):
        assert "<script>alert" not in office.get(path).text


def test_the_keepers_list_goes_out_as_a_workbook_without_formulas(site: Any, one: int) -> None:
    office = site.as_("office")
    place = places(office.get(f"/submissions/{one}").text)[0]
    office.submit(f"/submissions/{one}/dismiss", {"place": place, "reason": "=HYPERLINK(1)", "revision": 1})
    answer = office.get("/findings/export.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]][:2] == ["规则", "名称"]
    assert (sheet["E2"].value, sheet["E2"].data_type) == ("'=HYPERLINK(1)", "s")
    assert "没有符合条件" in office.get("/findings?edition=2014-miit").text


# --- area and what was entered ---------------------------------------------------------------------------------------------------------


def test_a_corrected_area_is_kept_with_what_was_proposed(site: Any, one: int) -> None:
    office = site.as_("office")
    answer = office.submit(f"/submissions/{one}/area", {"main": "supply-chain", "others": ["systems", "supply-chain"], "revision": 1})
    known = re.findall(r'<option value="([\w-]+)"', office.get(f"/submissions/{one}").text)
    if answer.status_code != 303:
        main, other = known[0], known[1]
        answer = office.submit(f"/submissions/{one}/area", {"main": main, "others": [other, main], "revision": 1})
    assert answer.status_code == 303
    with site.connection() as db:
        kept = db.execute(select(area_corrections)).one()
    assert kept.areas[0] == row(site, one).area
    assert len(kept.areas) == len(set(kept.areas))
    assert kept.proposed
    assert "办公室更正" in office.get(f"/submissions/{one}").text
    for wrong in ({"main": ""}, {"main": "no-such-area"}):
        refused = office.submit(f"/submissions/{one}/area", {**wrong, "revision": row(site, one).revision})
        assert refused.status_code == 400


def test_what_was_entered_can_be_mended(site: Any, one: int) -> None:
    office = site.as_("office")
    told = {"title": "改正后的题目", "organisation": "改正后的公司（构造）", "code": "", "unit": "", "revision": 1}
    assert office.submit(f"/submissions/{one}/edit", told).status_code == 303
    assert row(site, one).title == "改正后的题目"
    wrong = office.submit(f"/submissions/{one}/edit", {**told, "title": "又一个题目", "code": "123", "revision": 2})
    assert wrong.status_code == 400
    assert 'value="又一个题目"' in wrong.text
    late = office.submit(f"/submissions/{one}/edit", {**told, "title": "又一个题目"})
    assert late.status_code == 409
    assert 'value="又一个题目"' in late.text
    assert "改正后的题目" in late.text


# --- many --------------------------------------------------------------------------------------------------------------------------


def test_many_at_once_leaves_alone_what_changed_meanwhile(site: Any) -> None:
    made = [hand_in(site, title=f"第{number}份").id for number in range(3)]
    office = site.as_("office")
    office.submit(f"/submissions/{made[1]}/decide", {"action": "set_aside", "revision": 1})
    answer = office.submit("/submissions/bulk?state=received", {"act": "pass", "pick": [f"{id_}-1" for id_ in made]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/submissions?state=received")
    assert [row(site, id_).state for id_ in made] == ["passed", "set_aside", "passed"]
    assert "2 份已通过" in office.get("/submissions").text
    assert office.submit("/submissions/bulk", {"act": "pass"}).status_code == 303


def test_a_key_on_a_row_decides_it_and_goes_on(site: Any) -> None:
    made = [hand_in(site, title=f"第{number}份").id for number in range(2)]
    office = site.as_("office")
    answer = office.submit("/submissions/bulk?state=received&sort=number", {"act": f"pass:{made[0]}-1", "pick": [f"{made[1]}-1"]})
    assert answer.headers["location"] == f"/submissions?state=received&sort=number&at={made[1]}#row-{made[1]}"
    assert [row(site, id_).state for id_ in made] == ["passed", "received"]
    page = office.get(f"/submissions?state=received&at={made[1]}").text
    assert f'id="row-{made[1]}" data-row class="current"' in page


def test_many_are_returned_each_with_its_own_reasons(site: Any) -> None:
    made = [hand_in(site, title=f"第{number}份").id for number in range(2)]
    site.run_jobs()
    office = site.as_("office")
    answer = office.submit("/submissions/bulk?state=received", {"act": "return", "pick": [f"{id_}-1" for id_ in made]})
    assert answer.headers["location"] == f"/submissions/return?state=received&pick={made[0]}-1&pick={made[1]}-1"
    page = office.get(answer.headers["location"])
    assert page.text.count("<textarea") == 2
    assert reasons_on(page.text)
    office.submit(f"/submissions/{made[1]}/decide", {"action": "pass", "revision": 1})
    told = {"pick": [f"{id_}-1" for id_ in made], f"reasons-{made[0]}": "请改一", f"reasons-{made[1]}": "请改二"}
    answer = office.submit("/submissions/bulk/return", told)
    assert answer.status_code == 409
    assert reasons_on(answer.text) == "请改二"
    assert [row(site, id_).state for id_ in made] == ["returned", "passed"]


def test_many_are_sent_to_be_assigned(site: Any, one: int) -> None:
    answer = site.as_("office").submit("/submissions/bulk", {"act": "assign", "pick": [f"{one}-1"]})
    assert answer.headers["location"] == f"/reviews/assign?ids={one}"
