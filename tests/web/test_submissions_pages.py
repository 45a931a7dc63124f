"""The office's table and the page of one submission: filters, views, files, rights, and nothing that a sender wrote becomes markup."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from office_desk import hand_in, send_again, text, viewer

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_the_table_shows_what_was_handed_in(site: Any) -> None:
    hand_in(site)
    office = site.as_("office")
    before = office.get("/submissions").text
    assert "等待审读" in before
    site.run_jobs()
    page = office.get("/submissions").text
    assert "2024-caq-0001" in page
    assert "示例液压公司（构造）" in page
    assert re.search(r"错误 </span>\d+", page)
    assert 'href="/submissions/1"' in page
    assert "质量管理方法" in page or "全面质量管理" in page


def test_filters_stand_in_the_address_and_can_be_taken_off(site: Any) -> None:
    hand_in(site)
    hand_in(site, title="另一份经验", organisation="别的公司（构造）")
    office = site.as_("office")
    page = office.get("/submissions", params={"q": "别的", "state": "received", "sort": "-words"}).text
    assert "2024-caq-0002" in page
    assert "2024-caq-0001" not in page
    assert 'href="/submissions?state=received&amp;sort=-words"' in page  # the chip takes the search off and leaves the rest
    assert "没有符合条件的材料" in office.get("/submissions?q=没有这个").text
    assert office.get("/submissions?unit=x&state=y&sort=z&page=99999999999&size=3&share=%00&at=1e9").status_code == 200


def test_an_empty_table_says_what_to_do(site: Any) -> None:
    assert "/batches/new" in site.as_("office").get("/submissions").text
    assert "由贵单位推荐的材料" in site.as_("unit").get("/submissions").text


def test_what_a_sender_wrote_never_becomes_markup(site: Any) -> None:
    made = hand_in(site, text(title=HOSTILE), title=HOSTILE, organisation=HOSTILE, file_name=f"{HOSTILE}.md")
    site.run_jobs()
    office = site.as_("office")
    for path in ("/submissions", f"/submissions?q={quote(HOSTILE)}", *(f"/submissions/{made.id}{end}" for end in ("", "/return", "/edit"))):
        page = office.get(path).text
        assert "alert(1)" in page, path
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
    office.submit("/submissions/views", {"name": HOSTILE[:40], "query": f"q={quote(HOSTILE)}"})
    assert "<script>alert" not in office.get("/submissions").text
    answer = office.get(f"/submissions/{made.id}/file")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert "<" not in answer.headers["content-disposition"]


def test_files_and_versions(site: Any) -> None:
    made = hand_in(site)
    site.run_jobs()
    send_again(site, made.id, text(background="补充了背景。"))
    site.run_jobs()
    office = site.as_("office")
    assert "补充了背景" in office.get(f"/submissions/{made.id}/file").text
    assert "补充了背景" not in office.get(f"/submissions/{made.id}/file?version=1").text
    assert office.get(f"/submissions/{made.id}/file?version=3").status_code == 404
    assert "attachment" in office.get(f"/submissions/{made.id}/report.html").headers["content-disposition"]
    assert office.get(f"/submissions/{made.id}/annotated.docx").status_code == 409  # Markdown holds no comments
    page = office.get(f"/submissions/{made.id}").text
    assert page.count("回执") == 2
    assert "第 2 版" in page


def test_two_versions_are_laid_side_by_side(site: Any) -> None:
    made = hand_in(site)
    site.run_jobs()
    office = site.as_("office")
    assert office.get(f"/submissions/{made.id}/compare").status_code == 409
    send_again(site, made.id, text(background="补充了背景。"))
    assert "暂时不能对照" in office.get(f"/submissions/{made.id}/compare").text
    site.run_jobs()
    page = office.get(f"/submissions/{made.id}/compare?from=1&to=2").text
    assert re.search(r"<ins>[^<]*补充了背景[^<]*</ins>", page)
    assert site.as_("unit").get(f"/submissions/{made.id}/compare").status_code == 404


def test_progress_is_shown_until_there_is_a_report(site: Any) -> None:
    made = hand_in(site)
    office = site.as_("office")
    assert "data-poll" in office.get(f"/submissions/{made.id}/progress").text
    assert 'class="report"' not in office.get(f"/submissions/{made.id}").text
    assert office.get(f"/submissions/{made.id}/report.html").status_code == 409
    site.run_jobs()
    assert "data-poll" not in office.get(f"/submissions/{made.id}/progress").text
    assert 'class="report"' in office.get(f"/submissions/{made.id}").text


def test_a_unit_sees_its_own_and_changes_nothing(site: Any) -> None:
    with site.connection() as db:
        mine, other = site.unit(db, "甲协会（构造）"), site.unit(db, "乙协会（构造）")
    ours, theirs = hand_in(site, unit=mine), hand_in(site, unit=other, organisation="秘密公司（构造）")
    site.run_jobs()
    unit = site.as_("unit", name="unit-a", unit=mine)
    page = unit.get("/submissions").text
    assert ours.number in page
    assert "秘密公司" not in page
    assert "乙协会" not in page
    shown = unit.get(f"/submissions/{ours.id}").text
    assert "忽略此问题" not in shown
    assert "/decide" not in shown
    for end in ("", "/file", "/report.html", "/annotated.docx", "/progress"):
        assert unit.get(f"/submissions/{theirs.id}{end}").status_code == 404, end
    for end in ("decide", "dismiss", "restore", "area", "edit", "retry"):
        assert unit.submit(f"/submissions/{ours.id}/{end}", {"revision": 1}).status_code == 403, end
    assert unit.submit("/submissions/bulk", {"act": "pass", "pick": f"{ours.id}-1"}).status_code == 403


@pytest.mark.parametrize("role", ["applicant", "reviewer"])
def test_applicants_and_reviewers_have_pages_of_their_own(site: Any, role: str) -> None:
    made = hand_in(site)
    client = site.as_(role)
    assert client.get("/submissions").status_code == 403
    assert client.get(f"/submissions/{made.id}").status_code == 403


def test_views_are_kept_for_their_owner(site: Any) -> None:
    office, other = site.as_("office"), site.as_("office", name="office-2")
    answer = office.submit("/submissions/views", {"name": "待审有错误", "query": "state=received&has=errors&page=4"})
    assert answer.headers["location"] == "/submissions?state=received&has=errors"
    assert "待审有错误" in office.get("/submissions").text
    assert "待审有错误" not in other.get("/submissions").text
    view = re.search(r"/submissions/views/(\d+)/rename", office.get("/submissions").text)
    assert view is not None
    assert other.submit(f"/submissions/views/{view[1]}/delete").status_code == 404
    assert office.submit(f"/submissions/views/{view[1]}/rename", {"name": "新名"}).status_code == 303
    assert office.submit(f"/submissions/views/{view[1]}/delete").status_code == 303
    assert "新名" not in office.get("/submissions").text.partition("<main")[2]


def test_a_failed_analysis_can_be_tried_again(site: Any) -> None:
    from service.database.programme_tables import analyses

    made = hand_in(site)
    site.run_jobs()
    with site.connection() as db:
        db.execute(analyses.update().values(state="failed", reason="程序中断三次", report=None))
    office = site.as_("office")
    assert "程序中断三次" in office.get(f"/submissions/{made.id}").text
    assert "未能审读" in office.get("/submissions?analysis=failed").text
    assert office.submit(f"/submissions/{made.id}/retry").status_code == 303
    assert site.run_jobs() >= 1
    assert "程序中断三次" not in office.get(f"/submissions/{made.id}").text


def test_a_file_that_cannot_be_read_is_told_with_its_reason(site: Any) -> None:
    made = hand_in(site, b"PK\x03\x04 broken", file_name="broken.docx")
    site.run_jobs()
    office = site.as_("office")
    assert "未能读出" in office.get("/submissions?analysis=failed").text
    assert made.number not in office.get("/submissions?analysis=partial").text
    assert "文件没有读出来" in office.get(f"/submissions/{made.id}").text
    assert "没有可以预先填写的问题" in office.get(f"/submissions/{made.id}/return").text


def test_a_unit_reads_the_report_without_what_was_dismissed(site: Any) -> None:
    with site.connection() as db:
        unit = site.unit(db, "甲协会（构造）")
    made = hand_in(site, unit=unit)
    site.run_jobs()
    office = site.as_("office")
    place = re.search(r'name="place" value="([^"]+)"', office.get(f"/submissions/{made.id}").text)
    assert place is not None
    office.submit(f"/submissions/{made.id}/dismiss", {"place": place[1], "reason": "内部的理由", "revision": 1})
    page = site.as_("unit", name="unit-a", unit=unit).get(f"/submissions/{made.id}").text
    assert "办公室核对后判断不成立" in page
    assert "内部的理由" not in page


def test_walking_stays_within_the_filter(site: Any) -> None:
    made = [hand_in(site, title=f"第{number}份经验") for number in range(3)]
    office = site.as_("office")
    page = office.get(f"/submissions/{made[1].id}?sort=number&state=received").text
    assert f'href="/submissions/{made[0].id}?state=received&amp;sort=number" rel="prev"' in page
    assert f'href="/submissions/{made[2].id}?state=received&amp;sort=number" rel="next"' in page
    assert "2 / 3" in page
    assert 'rel="next"' not in office.get(f"/submissions/{made[1].id}?state=passed").text


def test_staff_sees_the_contact_data(site: Any) -> None:
    from service.programme.submissions import Contact

    made = hand_in(site, contact=Contact("张三", "0311-0000000", "a@example.org"), by=viewer(site, "applicant"))
    page = site.as_("office").get(f"/submissions/{made.id}").text
    assert all(word in page for word in ("张三", "0311-0000000", "a@example.org"))
