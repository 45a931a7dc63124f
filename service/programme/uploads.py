"""A file that someone sends: looked at before it is kept, and no more of them within an hour than the setting allows."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import PurePath

from sqlalchemy import Connection, func, or_, select

from service.database.files import Files
from service.database.keeping import keep
from service.database.programme_tables import batch_files, batches, events, submission_versions, submissions
from service.errors import ServiceError
from service.model import Format
from service.parse.limits import MIB, Limits
from service.parse.sniff import sniff
from service.programme.submissions import Uploaded
from service.programme.viewer import Viewer

ACCEPT = ".docx,.doc,.wps,.rtf,.pdf,.txt,.md"  # what the browser offers to choose
DRAFTED = ("draft.created", "draft.version_added", "draft.retried")  # counted by their events: a deleted draft was uploaded all the same
_NAMELESS = "未命名"
_LONGEST = 180  # characters of a file's name
_STAFF = 10  # times the setting: the office brings in whole batches


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept."""

    data: bytes
    file_name: str
    format: Format


def checked(data: bytes, name: str, *, most_mb: int) -> Checked:
    """The file, if it is one that can be read by its size and its first bytes; ServiceError (Unreadable) with reason and mend if not."""
    shown = file_name(name)
    if len(data) > most_mb * MIB:
        raise ServiceError("upload_too_large", f"“{shown}”超过 {most_mb} MB，没有接收。请压缩其中的图片，或另存后再上传。", status=413)
    limits = replace(Limits(), file_bytes=most_mb * MIB)
    return Checked(data, shown, sniff(data, shown, limits=limits))


def stored(connection: Connection, files: Files, file: Checked) -> Uploaded:
    """Kept in the store; name it in a row of the same transaction."""
    return Uploaded(keep(connection, files, file.data), file.file_name, len(file.data))


def allow(connection: Connection, viewer: Viewer, *, an_hour: int, more: int = 1) -> None:
    """ServiceError (429) where the user would have sent more files within the hour than the setting (staff: ten times as many) allows."""
    most = an_hour * (_STAFF if viewer.is_staff else 1)
    if sent(connection, viewer) + more > most:
        told = f"您一小时内上传的文件已达上限（{most} 个），这次没有接收。请稍后再传；确需更多，请联系管理员调整上限。"
        raise ServiceError("uploads_too_many", told, status=429)


def sent(connection: Connection, viewer: Viewer) -> int:
    """How many files the user sent within the last hour, of all kinds."""
    since = func.now() - timedelta(hours=1)
    drafted = select(func.count()).where(events.c.actor == viewer.id, events.c.at > since, events.c.action.in_(DRAFTED))
    brought = (
        select(func.count())
        .select_from(batch_files.join(batches, batch_files.c.batch == batches.c.id))
        .where(batches.c.by == viewer.id, batch_files.c.at > since)
    )
    # The first version of what came in a batch is counted there already.
    versions = (
        select(func.count())
        .select_from(submission_versions.join(submissions, submission_versions.c.submission == submissions.c.id))
        .where(
            submission_versions.c.by == viewer.id,
            submission_versions.c.uploaded_at > since,
            or_(submissions.c.batch.is_(None), submission_versions.c.number > 1),
        )
    )
    total: int = connection.execute(select(drafted.scalar_subquery() + brought.scalar_subquery() + versions.scalar_subquery())).scalar_one()
    return total


def file_name(given: str) -> str:
    """The name without folders and without characters that cannot be seen or stored; cut in the middle where it is long."""
    last = given.replace("\\", "/").rpartition("/")[2]
    plain = "".join(letter for letter in unicodedata.normalize("NFC", last) if unicodedata.category(letter)[0] != "C").strip()
    if not plain.strip("."):
        return _NAMELESS
    if len(plain) <= _LONGEST:
        return plain
    suffix = PurePath(plain).suffix[:10]
    return plain[: _LONGEST - len(suffix) - 1] + "…" + suffix
