"""What a list shows, as files to take away: one workbook, and all reports in a ZIP that is made while it is sent.

Whose rows they are is decided by the list (`listing.everything`); what a viewer may not see there is not in the file either.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, cast

from sqlalchemy import Connection, Engine, case, select

from service import rulebook
from service.database.files import Files
from service.database.programme_tables import analyses as stored
from service.database.programme_tables import decisions, dismissals, similar_submissions, submission_versions, submissions, users
from service.errors import ServiceError
from service.model import Report
from service.programme import analyses, audit, listing
from service.programme.china import ZONE
from service.programme.listing import Filters, Row
from service.programme.sheets import workbook
from service.programme.submissions import visible
from service.programme.viewer import STAFF, Viewer
from service.render.html import report_html
from service.render.names import fitting
from service.render.word import annotate

MOST_ROWS = 10_000  # of a workbook
MOST_REPORTS = 1_000  # of a ZIP
NO_UNIT = "未指定推荐单位"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+')
_PIECE = 1 << 16  # bytes of the ZIP that are sent at once
_WORKBOOK = "申报材料.xlsx"
_OFFICE = "办公室"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a list with what else goes into the file."""

    rows: tuple[Row, ...]
    filters: Filters
    viewer: str  # who exports
    contacts: Mapping[int, Any]  # credit_code, contact_*, areas, sha256, missing
    decisions: Mapping[int, Sequence[Any]]  # the newest first
    dismissed: Sequence[Any]
    alike: Sequence[Any]


def collect(connection: Connection, viewer: Viewer, filters: Filters, *, what: str, most: int) -> Rows:
    """All rows of the filter, in its order; ServiceError where there are too many. That they were exported is recorded."""
    rows = tuple(listing.everything(connection, viewer, filters))
    if len(rows) > most:
        told = f"这个筛选有 {len(rows)} 份材料，一次最多导出 {most} 份。请按推荐单位、状态等缩小范围后再导出。"
        raise ServiceError("export_too_large", told, status=422)
    ids = [row.id for row in rows]
    found = Rows(
        rows,
        filters,
        viewer.shown,
        {row.id: row for row in connection.execute(_contacts().where(visible(viewer), submissions.c.id.in_(ids)))},
        _decided(connection, viewer, ids),
        connection.execute(_dismissed().where(dismissals.c.submission.in_(ids))).all() if viewer.is_staff else (),
        connection.execute(_alike().where(similar_submissions.c.one.in_(ids))).all() if viewer.is_staff else (),
    )
    audit.record(connection, viewer, f"submissions.{what}", details={"rows": len(rows), "filter": filters.query()})
    return found


def _contacts() -> Any:
    newest = (submission_versions.c.submission == submissions.c.id) & (submission_versions.c.number == submissions.c.version)
    names = ("id", "credit_code", "contact_name", "contact_phone", "contact_email", "areas")
    return (
        select(*(submissions.c[name] for name in names), submission_versions.c.sha256, submission_versions.c.receipt, stored.c.missing)
        .join(submission_versions, newest)
        .join(stored, stored.c.id == submissions.c.analysis)
    )


def _decided(connection: Connection, viewer: Viewer, ids: Sequence[int]) -> dict[int, list[Any]]:
    """Who decided is told to staff; others read that the office did."""
    by = users.c.shown if viewer.is_staff else case((users.c.role.in_(STAFF), _OFFICE), else_=users.c.shown).label("shown")
    query = select(decisions, by).join(users, users.c.id == decisions.c.by).where(decisions.c.submission.in_(ids))
    found: dict[int, list[Any]] = {}
    for row in connection.execute(query.order_by(decisions.c.id.desc())):
        found.setdefault(row.submission, []).append(row)
    return found


def _dismissed() -> Any:
    columns = (submissions.c.number, submissions.c.organisation, users.c.shown)
    return (
        select(dismissals, *columns)
        .join(submissions, submissions.c.id == dismissals.c.submission)
        .join(users, users.c.id == dismissals.c.by)
        .where(dismissals.c.undone_at.is_(None))
        .order_by(dismissals.c.rule, dismissals.c.id)
    )


def _alike() -> Any:
    one, other = submissions.alias("one"), submissions.alias("other")
    columns = [
        each.c[name].label(f"{which}_{name}")
        for which, each in (("one", one), ("other", other))
        for name in ("number", "organisation", "title")
    ]
    return (
        select(similar_submissions, *columns)
        .join(one, one.c.id == similar_submissions.c.one)
        .join(other, other.c.id == similar_submissions.c.other)
        .where(other.c.state != "withdrawn")
        .order_by(similar_submissions.c.share.desc(), similar_submissions.c.one)
    )


# --- the ZIP -----------------------------------------------------------------------------------------------------------------------


class _Sink:
    """Where the ZIP is written: taken away as it grows. It cannot be searched, so sizes stand behind each file."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self._size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self, *, least: int = 0) -> bytes:
        """What was written since; b"" while it is less than that."""
        if self._size < max(1, least):
            return b""
        found, self._parts, self._size = b"".join(self._parts), [], 0
        return found


def reports(
    engine: Engine, found: Rows, *, files: Files, url: str, word: bool = False, step: Callable[[int, int], None] = lambda _done, _of: None
) -> Iterator[bytes]:
    """A ZIP in pieces: a folder a unit with one HTML report for each submission, and the workbook, which leads to them.

    `word`: also each .docx with the report's remarks as comments. A submission without a report has none; the workbook says why. `step` is
    told how many are done.
    """
    sink, pages = _Sink(), dict[int, str]()
    with zipfile.ZipFile(cast("Any", sink), "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for number, row in enumerate(found.rows):
            report = _report(engine, row)
            if report is not None:
                stem = _path(row)
                pages[row.id] = f"{stem}.html"
                _add(archive, pages[row.id], report_html(report, rulebook.load(row.edition)).encode(), row.changed_at)
                annotated = _annotated(files, report) if word else None
                if annotated is not None:
                    _add(archive, f"{stem}（批注）.docx", annotated, row.changed_at)
            step(number + 1, len(found.rows))
            if piece := sink.taken(least=_PIECE):
                yield piece
        _add(archive, _WORKBOOK, workbook(found, url=url, pages=pages), datetime.now(ZONE))
    yield sink.taken()


def _report(engine: Engine, row: Row) -> Report | None:
    with engine.begin() as connection:
        return analyses.report(connection, row.analysis, file_name=row.file_name)


def _annotated(files: Files, report: Report) -> bytes | None:
    """None where the file takes no comments, or is not there any more."""
    if report.format != "docx" or report.submission is None:
        return None
    try:
        return annotate(files.get(report.sha256), report)
    except ServiceError:
        return None


def _path(row: Row) -> str:
    """Folder of the unit, then number and organisation, as every system takes them; without the suffix."""
    folder = fitting(_safe(row.unit_name or NO_UNIT), "", most=90)
    return str(PurePosixPath(folder, fitting(_safe(f"{row.number} {row.organisation}"), "", most=120)))


def _safe(name: str) -> str:
    return " ".join(_UNSAFE.sub(" ", name).split()).strip(". ") or "未命名"


def _add(archive: zipfile.ZipFile, name: str, data: bytes, at: datetime) -> None:
    entry = zipfile.ZipInfo(name, at.astimezone(ZONE).timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)
