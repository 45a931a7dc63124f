"""Many files at once: each becomes a submission or is refused with its reason; what is there twice is told; only staff see it."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import docx
import pytest
from sqlalchemy import select

from service.artefacts import CORPORA
from service.database.programme_tables import analyses, batch_files, events, submissions

SAMPLES = CORPORA / "samples"


def word(text: str = "实施背景") -> bytes:
    document = docx.Document()
    document.add_paragraph(text)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def named(*pairs: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", pair) for pair in pairs]


def made(client: Any, *pairs: tuple[str, bytes], **data: Any) -> str:
    answer = client.submit("/batches", {"edition": "2024-caq", **data}, files=named(*pairs) or None)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def rows(site: Any) -> list[Any]:
    with site.connection() as db:
        return list(db.execute(batch_files.select().order_by(batch_files.c.batch, batch_files.c.number)))


def test_each_file_becomes_a_submission_or_is_refused(site: Any) -> None:
    client = site.as_("office")
    with site.connection() as db:
        unit = site.unit(db, "北辰质量协会（构造）")
    page = made(
        client, ("甲.docx", word("甲")), ("乙.exe", b"MZ\x90\x00"), ("~$甲.docx", b"x"), ("空.docx", b""), unit=str(unit), name="九月"
    )
    found = rows(site)
    assert [row.state for row in found] == ["received", "refused", "refused", "refused"]
    assert [row.number for row in found] == [1, 2, 3, 4]
    assert "临时文件" in found[2].reason
    with site.connection() as db:
        (submission,) = db.execute(submissions.select()).all()
    assert (submission.title, submission.organisation, submission.unit) == ("甲", "（单位待识别）", unit)
    assert (submission.owner, submission.edition, submission.batch) == (None, "2024-caq", found[0].batch)
    text = client.get(page).text
    for told in ("九月", "北辰质量协会（构造）", "甲.docx", "乙.exe", "等待审读", "未接收", found[1].reason):
        assert told in text


def test_what_is_there_twice_is_accepted_and_told(site: Any) -> None:
    client = site.as_("office")
    same = word("同一份")
    made(client, ("一.docx", same), ("二.docx", same))
    made(client, ("三.docx", same))
    first, second, third = rows(site)
    assert [first.reason, second.reason] == [None, "与本批第 1 个文件内容完全相同，请核对是否重复。"]
    assert third.reason == "与已收的 2024-caq-0001、2024-caq-0002 文件内容完全相同，请核对是否重复。"
    with site.connection() as db:
        assert len(db.execute(select(analyses.c.id)).all()) == 1
        assert len(db.execute(select(submissions.c.id)).all()) == 3


def test_title_and_organisation_come_from_the_text(site: Any) -> None:
    client = site.as_("office")
    page = made(client, ("扫描件.docx", (SAMPLES / "s1.docx").read_bytes()), ("空白.docx", word("没有正文")))
    assert "审读后自动识别" in client.get(page).text
    site.run_jobs()
    with site.connection() as db:
        first, second = db.execute(submissions.select().order_by(submissions.c.id)).all()
        told = db.execute(analyses.select().where(analyses.c.id == first.analysis)).one()
    assert first.title == told.title
    assert first.organisation == (told.organisation or "（单位未识别）")
    assert first.revision == 1
    assert second.organisation == "（单位未识别）"
    assert second.title
    text = client.get(page).text
    assert first.title in text
    assert "已审读" in text


def test_the_pages_script_sends_one_file_a_request(site: Any) -> None:
    client = site.as_("office")
    page = made(client)
    for name in ("a.docx", "b.docx"):
        answer = client.submit(f"{page}/files", files=named((name, word(name))), headers={"X-Upload": "each"})
        assert answer.status_code == 204
    told = client.get(f"{page}/progress").json()
    assert (told["files"], told["open"], told["settled"], told["over"]) == (2, 2, 0, False)
    assert told["rows"].count("<tr") == 2
    site.run_jobs()
    later = client.get(f"{page}/progress", params={"since": told["since"]}).json()
    assert (later["open"], later["done"]) == (0, 2)
    assert later["rows"].count("<tr") == 2
    assert client.get(f"{page}/progress", params={"since": "2999-01-01T00:00:00+00:00"}).json()["rows"] == ""
    assert client.get(f"{page}/progress", params={"since": "gestern"}).status_code == 200


def test_without_a_script_more_files_come_in_one_form(site: Any) -> None:
    client = site.as_("office")
    page = made(client)
    answer = client.submit(f"{page}/files", files=named(("a.docx", word()), ("b.exe", b"MZ\x90\x00")))
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert "其中 1 个没有接收" in client.get(page).text
    client.submit(f"{page}/files")
    assert "没有选择文件" in client.get(page).text


def test_what_failed_can_be_tried_again(site: Any) -> None:
    client = site.as_("office")
    page = made(client, ("a.docx", word("a")), ("b.docx", word("b")))
    with site.connection() as db:
        db.execute(analyses.update().values(state="failed", reason="后台进程意外中断。", tries=3))
    text = client.get(page, params={"show": "failed"}).text
    assert "后台进程意外中断。" in text
    assert "重试失败的 2 份" in text
    client.submit(f"{page}/retry", {"number": "2"})
    with site.connection() as db:
        assert sorted(db.execute(select(analyses.c.state)).scalars()) == ["failed", "waiting"]
    client.submit(f"{page}/retry")
    with site.connection() as db:
        assert set(db.execute(select(analyses.c.state)).scalars()) == {"waiting"}
        actions = list(db.execute(select(events.c.action).where(events.c.object.like("batch:%")).order_by(events.c.id)).scalars())
    assert actions == ["batch.created", "batch.retried", "batch.retried"]


def test_too_large_and_too_many_are_told_in_their_rows(place: Any) -> None:
    from conftest import Site  # type: ignore[attr-defined]

    from service.settings import Web

    small = Site(place, settings=Web(url="http://testserver", upload_mb=1, uploads_an_hour=1))
    try:
        client = small.as_("office")
        page = made(client, ("大.docx", b"PK" + b"x" * (1 << 20)))
        assert "超过 1 MB" in rows(small)[0].reason
        for number in range(10):
            client.submit(f"{page}/files", files=named((f"{number}.docx", word(str(number)))), headers={"X-Upload": "each"})
        assert "上限" in rows(small)[-1].reason
    finally:
        small.close()


def test_names_are_data(site: Any) -> None:
    client = site.as_("office")
    page = made(client, ("<script>alert(1)</script>.docx", word()), ("../../etc/passwd.docx", word("b")), name="<b>x</b>")
    text = client.get(page).text + client.get("/batches").text
    assert "<script>alert" not in text
    assert "<b>x</b>" not in text
    assert rows(site)[1].file_name == "passwd.docx"


def test_a_wrong_form_is_told(site: Any) -> None:
    client = site.as_("office")
    assert client.submit("/batches", {"edition": "1999"}).status_code == 422
    assert client.submit("/batches", {"edition": "2024-caq", "unit": "77"}).status_code == 422
    assert client.submit("/batches", {"edition": "2024-caq", "name": "x" * 99}).status_code == 422
    assert rows(site) == []
    odd = client.submit("/batches", {"edition": "2024-caq", "name": "a\x00b\u202ec"})
    assert "a b c" in client.get(odd.headers["location"]).text


@pytest.mark.parametrize("role", ["applicant", "reviewer", "unit"])
def test_only_staff_bring_in_batches(site: Any, role: str) -> None:
    page = made(site.as_("office"), ("a.docx", word()))
    client = site.as_(role)
    for path in ("/batches", "/batches/new", page, f"{page}/progress"):
        assert client.get(path).status_code == 403
    assert client.submit(f"{page}/files", files=named(("b.docx", word("b")))).status_code == 403


def test_empty_pages_say_what_to_do(site: Any) -> None:
    client = site.as_("admin")
    assert "还没有批量收过稿" in client.get("/batches").text
    assert "这一批还没有文件" in client.get(made(client)).text
    assert client.get("/batches/999999").status_code == 404
    assert client.get("/batches/99999999999").status_code == 404


def packed(*pairs: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in pairs:
            archive.writestr(name, data)
    return stream.getvalue()


def packed_in_gb(name: str, data: bytes) -> bytes:
    """As Windows in Chinese packs: the name in its own encoding, without the mark of UTF-8."""
    written = name.encode("gb18030")
    return packed(("p" * len(written), data)).replace(b"p" * len(written), written)


def test_a_zip_is_unpacked(site: Any) -> None:
    client = site.as_("office")
    inside = packed(("../甲/一.docx", word("一")), ("__MACOSX/._一.docx", b"x"), ("二.zip", packed(("三.docx", word()))), ("空/", b""))
    old = packed_in_gb("乙公司.docx", word("乙"))
    page = made(client, ("来稿.zip", inside), ("坏.zip", b"PK\x03\x04" + b"x" * 99), ("旧.zip", old))
    found = {row.file_name: row.state for row in rows(site)}
    assert found == {"一.docx": "received", "二.zip": "refused", "坏.zip": "refused", "乙公司.docx": "received"}
    assert "解压后直接上传" in client.get(page).text


def test_a_bomb_is_refused(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.programme import unpacking

    monkeypatch.setattr(unpacking, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(unpacking, "MOST_FILES", 3)
    bomb = packed(("a.txt", b"a" * (1 << 19)), ("b.txt", b"b" * (1 << 20)))
    made(site.as_("office"), ("bomb.zip", bomb), ("many.zip", packed(*((f"{n}.docx", b"x") for n in range(4)))))
    told = {row.file_name: row.reason or "" for row in rows(site)}
    assert "超过 1 MB" in told["bomb.zip"]
    assert "最多 3 个" in told["many.zip"]
    assert "b.txt" not in told
