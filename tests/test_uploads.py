"""What is sent is looked at before it is kept; bytes that someone is uploading are not deleted by another who lets go of them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from service.database.files import open_store
from service.database.keeping import keep, let_go
from service.database.programme_tables import batch_files, batches, users
from service.errors import ServiceError
from service.programme import audit, uploads
from service.programme.viewer import Viewer

SAMPLE = Path(__file__).resolve().parents[1] / "corpora/samples/s1.docx"


def test_a_readable_file_is_let_pass_whatever_its_suffix() -> None:
    file = uploads.checked(SAMPLE.read_bytes(), "C:\\材料\\申报<b>.docx", most_mb=50)
    assert (file.file_name, file.format) == ("申报<b>.docx", "docx")


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "file_empty"), (b"\0\0\0 \n", "file_empty"), (b"MZ\x90\0" + b"\0" * 80, "format_unknown"), (b"PK\x03\x04junk", "file_damaged")],
)
def test_what_cannot_be_read_is_refused_with_the_reason(data: bytes, code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        uploads.checked(data, "材料.docx", most_mb=50)
    assert refused.value.code == code
    assert "请" in refused.value.message


def test_a_file_above_the_limit_is_refused() -> None:
    with pytest.raises(ServiceError, match="超过 1 MB") as refused:
        uploads.checked(b"a" * (1024 * 1024 + 1), "材料.txt", most_mb=1)
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..", "未命名"),
        ("", "未命名"),
        ("a\u202egpj.docx", "agpj.docx"),
        ("甲\x00\n乙\ud800.docx", "甲乙.docx"),
        ("长" * 300 + ".docx", "长" * 174 + "….docx"),
    ],
)
def test_a_file_name_is_data(given: str, shown: str) -> None:
    assert uploads.file_name(given) == shown


def test_uploads_are_counted_by_user_and_hour(engine: Any) -> None:
    with engine.begin() as db:
        row = {"name": "a", "shown": "a", "role": "applicant"}
        user = db.execute(users.insert().values(**row).returning(users.c.id)).scalar_one()
        viewer = Viewer(user, "a", "a", "applicant")
        uploads.allow(db, viewer, an_hour=2, more=2)
        audit.record(db, viewer, "draft.created", "draft:x")
        batch = db.execute(batches.insert().values(by=user, edition="2024-caq").returning(batches.c.id)).scalar_one()
        db.execute(batch_files.insert().values(batch=batch, number=1, file_name="b", state="refused"))
        assert uploads.sent(db, viewer) == 2
        with pytest.raises(ServiceError) as refused:
            uploads.allow(db, viewer, an_hour=2)
        assert (refused.value.code, refused.value.status) == ("uploads_too_many", 429)
        uploads.allow(db, Viewer(user, "a", "a", "office"), an_hour=2)


def test_bytes_being_uploaded_are_not_deleted(engine: Any, place: Any) -> None:
    files = open_store(place)
    with engine.begin() as uploading:
        name = keep(uploading, files, b"one text")

        def forget() -> None:
            with engine.begin() as other:
                let_go(other, files, [name])

        thread = threading.Thread(target=forget)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "it waits for the upload"
        assert files.exists(name)
    thread.join(10)
    assert not files.exists(name), "no row named it in the end"
