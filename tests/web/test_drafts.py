"""An applicant's drafts through the pages: report, next version, deletion that leaves nothing, and nobody else who gets in."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from draft_desk import EDITION, FIRST, SECOND, upload
from sqlalchemy import func, select, text

from service.database.programme_tables import analyses, draft_versions, drafts, events, rounds
from service.errors import ServiceError
from service.programme import drafts as domain
from service.settings import Web

SAMPLES = Path(__file__).resolve().parents[2] / "corpora/samples"


def test_a_draft_goes_from_upload_to_report(site: Any) -> None:
    client = site.as_("applicant")
    assert "还没有草稿" in client.get("/drafts").text
    address = upload(client, (SAMPLES / "s1.docx").read_bytes(), name="一稿.docx")
    waiting = client.get(address)
    assert "data-poll" in waiting.text
    assert "http-equiv" in waiting.text, "without JavaScript the page reads itself again"
    assert "data-poll" in client.get(f"{address}/progress").text
    assert client.get(f"{address}/annotated.docx").status_code == 409
    site.run_jobs()
    assert "data-poll" not in client.get(f"{address}/progress").text
    page = client.get(address).text
    assert "先看这里" in page
    assert 'class="report"' in page
    assert "草稿只有您自己能看到" in page
    for jump in re.findall(r'errors-first">.*?</ol>', page, re.DOTALL):
        assert all(f'id="{target}"' in page for target in re.findall(r'href="#(\w+)"', jump))
    word = client.get(f"{address}/annotated.docx")
    assert word.content.startswith(b"PK")
    assert "attachment" in word.headers["content-disposition"]
    assert client.get(f"{address}/report.html").text.startswith("<!doctype html>")
    assert client.get(f"{address}/file").content == (SAMPLES / "s1.docx").read_bytes()
    assert "已审读" in client.get("/drafts").text


def test_the_next_version_tells_what_was_mended(site: Any) -> None:
    client = site.as_("applicant")
    address = upload(client)
    site.run_jobs()
    assert "缺少必备部分" in client.get(address).text
    assert client.get(f"{address}/compare").status_code == 409
    answer = client.submit(f"{address}/versions", files={"file": ("二稿.txt", SECOND.encode())})
    assert answer.headers["location"] == address
    site.run_jobs()
    page = client.get(address).text
    assert "与第 1 版相比" in page
    assert re.search(r"已改好</span> <b>[1-9]", page)
    assert "只写进 .docx" in page or "批注只能写进 .docx" in page
    compared = client.get(f"{address}/compare?from=1&to=2").text
    assert "第 1 版与第 2 版对照" in compared
    assert "质量损失率由2021年的" in compared
    assert client.get(f"{address}/compare?from=1&to=9").status_code == 404
    assert "较早的第 1 版" in client.get(f"{address}?version=1").text
    assert client.get(f"{address}?version=3").status_code == 404


def test_nobody_else_sees_a_draft(site: Any) -> None:
    owner = site.as_("applicant")
    address = upload(owner)
    site.run_jobs()
    other = site.as_("applicant", name="another")
    for path in ("", "/progress", "/compare", "/annotated.docx", "/report.html", "/file", "/submit"):
        assert other.get(address + path).status_code == 404, path
        for role in ("office", "admin", "reviewer", "unit"):
            assert site.as_(role).get(address + path, follow_redirects=False).status_code == 403, (role, path)
    for path in ("/versions", "/again", "/name", "/delete", "/submit"):
        assert other.submit(address + path, files={"file": ("a.txt", b"text")}).status_code == 404, path
        assert site.as_("admin").submit(address + path).status_code == 403, path
    assert address not in other.get("/drafts").text
    assert site.as_(None).get(address, follow_redirects=False).status_code == 303
    assert owner.get(address).status_code == 200
    assert owner.get("/drafts/%00").status_code == 404


def test_a_change_needs_the_token(site: Any) -> None:
    client = site.as_("applicant")
    address = upload(client)
    client.csrf = "wrong"
    for path in ("/versions", "/again", "/name", "/delete", "/submit"):
        assert client.submit(address + path, files={"file": ("a.txt", b"text")}).status_code == 403, path
    assert client.submit("/drafts/new", {"edition": EDITION}, files={"file": ("a.txt", b"text")}).status_code == 403


def test_names_are_shown_as_text(site: Any) -> None:
    payload = "<img src=x onerror=alert(1)>\"'&"
    client = site.as_("applicant")
    content = FIRST.replace("阀门装配防错", "<script>alert(1)</script>").replace("某阀门公司", payload)
    address = upload(client, content, name=f"{payload}.txt", name_="x")
    site.run_jobs()
    client.submit(f"{address}/name", {"name": f"{payload}甲"})
    client.submit(f"{address}/versions", files={"file": ("<svg onload=alert(1)>.txt", SECOND.encode())})
    site.run_jobs()
    for path in ("/drafts", address, f"{address}?version=1", f"{address}/compare", f"{address}/submit"):
        page = client.get(path).text
        for bad in ("<img src=x", "<script>alert", "<svg onload", 'onerror=alert(1)>"'):
            assert bad not in page, (path, bad)
    name = client.get(f"{address}/file?version=1").headers["content-disposition"]
    assert "<" not in name
    assert "\n" not in name


@pytest.mark.parametrize(
    ("name", "data", "told", "status"),
    [
        ("a.docx", b"", "文件是空的", 422),
        ("a.docx", b"MZ" + b"\0" * 100, "Windows 程序", 422),
        ("", b"", "请选择要上传的文件", 422),
        ("a.txt", b"a" * (2 * 1024 * 1024), "超过 1 MB", 413),
    ],
)
def test_what_cannot_be_read_is_refused_at_once(place: Any, name: str, data: bytes, told: str, status: int) -> None:
    from conftest import Site

    site = Site(place, settings=Web(url="http://testserver", upload_mb=1))
    client = site.as_("applicant")
    answer = client.submit("/drafts/new", {"edition": EDITION, "name": "我的名字"}, files={"file": (name, data)})
    assert answer.status_code == status
    assert told in answer.text
    assert "我的名字" in answer.text
    assert "还没有草稿" in client.get("/drafts").text
    assert list(site.files.iterate()) == []
    site.close()


def test_an_unknown_edition_is_told(site: Any) -> None:
    answer = site.as_("applicant").submit("/drafts/new", {"edition": "2099-mars"}, files={"file": ("a.txt", FIRST.encode())})
    assert answer.status_code == 422
    assert "请选择按哪一届" in answer.text


def test_uploads_within_an_hour_are_limited_also_when_drafts_are_deleted(place: Any) -> None:
    from conftest import Site

    site = Site(place, settings=Web(url="http://testserver", uploads_an_hour=2))
    client = site.as_("applicant")
    client.submit(f"{upload(client)}/delete")
    address = upload(client)
    answer = client.submit(f"{address}/versions", files={"file": ("a.txt", SECOND.encode())})
    assert answer.status_code == 429
    assert "上限" in answer.text
    assert upload(site.as_("applicant", name="another"))
    site.close()


def test_deletion_leaves_nothing(site: Any) -> None:
    client = site.as_("applicant")
    address = upload(client, name="机密.txt")
    site.run_jobs()
    client.submit(f"{address}/versions", files={"file": ("机密二.txt", SECOND.encode())})
    site.run_jobs()
    assert len(list(site.files.iterate())) == 2
    answer = client.submit(f"{address}/delete")
    assert answer.headers["location"] == "/drafts"
    assert client.get(address).status_code == 404
    with site.connection() as db:
        for table in (drafts, draft_versions, analyses):
            assert db.execute(select(func.count()).select_from(table)).scalar_one() == 0
        told = db.execute(select(events.c.action, events.c.details)).all()
        assert [row.action for row in told][-1] == "draft.deleted"
        assert not any("机密" in str(row) for row in told)
        assert db.execute(text("SELECT count(*) FROM queue.procrastinate_jobs WHERE args::text LIKE '%机密%'")).scalar_one() == 0
    assert list(site.files.iterate()) == []


def test_what_another_refers_to_outlives_a_deletion(site: Any) -> None:
    one, other = site.as_("applicant"), site.as_("applicant", name="another")
    mine, theirs = upload(one), upload(other, name="同一份.txt")
    site.run_jobs()
    one.submit(f"{mine}/delete")
    assert len(list(site.files.iterate())) == 1
    page = other.get(theirs).text
    assert "先看这里" in page
    assert "材料.txt" not in page, "nobody sees what another called the same bytes"
    other.submit(f"{theirs}/delete")
    assert list(site.files.iterate()) == []


def test_drafts_end_by_themselves(site: Any) -> None:
    client = site.as_("applicant")
    old, new = upload(client, name="旧.txt"), upload(client, SECOND, name="新.txt")
    with site.connection() as db:
        assert domain.expire(db, site.files) == 0
        over = datetime.now(UTC) - timedelta(minutes=1)
        db.execute(drafts.update().where(drafts.c.id == old.rpartition("/")[2]).values(expires_at=over))
        assert domain.expire(db, site.files) == 1
    assert client.get(old).status_code == 404
    assert client.get(new).status_code == 200
    assert len(list(site.files.iterate())) == 1


def test_touching_a_draft_puts_its_end_off(site: Any) -> None:
    client = site.as_("applicant")
    address = upload(client)
    soon = datetime.now(UTC) + timedelta(days=1)
    with site.connection() as db:
        db.execute(drafts.update().values(expires_at=soon))
    client.submit(f"{address}/name", {"name": " 第一稿\n "})
    with site.connection() as db:
        row = db.execute(select(drafts.c.name, drafts.c.expires_at)).one()
    assert row.name == "第一稿"
    assert row.expires_at > soon + timedelta(days=80)


def test_a_failed_analysis_can_be_tried_again(site: Any) -> None:
    client = site.as_("applicant")
    address = upload(client)
    with site.connection() as db:
        db.execute(analyses.update().values(state="failed", reason="处理这份文件的程序三次异常终止。"))
        db.execute(text("DELETE FROM queue.procrastinate_jobs"))
    page = client.get(address)
    assert "三次异常终止" in page.text
    assert client.submit(f"{address}/again").status_code == 303
    assert site.run_jobs() == 1
    assert "先看这里" in client.get(address).text


def test_a_file_that_cannot_be_read_says_why(site: Any) -> None:
    from docx_parts import zipped

    client = site.as_("applicant")
    address = upload(client, zipped({"word/nothing.xml": "<a/>", "[Content_Types].xml": "<Types/>"}), name="坏.docx")
    site.run_jobs()
    page = client.get(address).text
    assert "这份文件没有读出来" in page
    assert "未能审读" in client.get("/drafts").text


def test_editions_that_accept_come_first(site: Any) -> None:
    last = date.today() + timedelta(days=40)  # noqa: DTZ011
    with site.connection() as db:
        db.execute(rounds.insert().values(edition="2016-jiangsu", closes_on=last))
    page = site.as_("applicant").get("/drafts/new").text
    assert page.index('value="2016-jiangsu"') < page.index('value="2024-caq"')
    assert re.search(r"正在接收申报</b>，还有 (39|40) 天", page)
    assert "可用来练习" in page
    client = site.as_("applicant")
    upload(client, edition="2016-jiangsu")
    assert re.search(r"还有 (39|40) 天截止", client.get("/drafts").text)


def test_a_user_has_so_many_drafts_and_no_more(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MOST", 1)
    client = site.as_("applicant")
    upload(client)
    answer = client.submit("/drafts/new", {"edition": EDITION}, files={"file": ("a.txt", SECOND.encode())})
    assert answer.status_code == 409
    assert len(list(site.files.iterate())) == 1


def test_others_do_not_change_a_draft(site: Any) -> None:
    from service.programme.viewer import Viewer

    id_ = upload(site.as_("applicant")).rpartition("/")[2]
    with site.connection() as db:
        stranger = Viewer(site.user("office"), "office", "office", "office")
        with pytest.raises(ServiceError) as refused:
            domain.delete(db, stranger, site.files, id_)
    assert refused.value.status == 404
