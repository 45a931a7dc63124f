"""回执: what was handed in when, with the file's SHA-256, for who handed it in, the recommending unit and staff."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from service.database.programme_tables import submission_versions, submissions, units
from service.programme.china import ZONE
from service.programme.submissions import visible
from service.programme.viewer import Viewer, not_found

_RECEIPT = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class Receipt:
    receipt: str
    number: str
    submission: int
    version: int
    edition: str
    organisation: str
    title: str
    unit_name: str | None
    file_name: str
    size: int  # bytes
    sha256: str
    at: datetime

    @property
    def time(self) -> str:
        """To the second, Chinese time."""
        return f"{self.at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}（北京时间）"


def one(connection: Connection, viewer: Viewer, receipt: str) -> Receipt:
    """`not_found` for reviewers and for who may not see the submission."""
    if viewer.role == "reviewer" or not _RECEIPT.fullmatch(receipt):
        not_found("这份回执")
    named = {
        "receipt": submission_versions.c.receipt,
        "number": submissions.c.number,
        "submission": submissions.c.id,
        "version": submission_versions.c.number,
        "edition": submissions.c.edition,
        "organisation": submissions.c.organisation,
        "title": submissions.c.title,
        "unit_name": units.c.name,
        "file_name": submission_versions.c.file_name,
        "size": submission_versions.c.size,
        "sha256": submission_versions.c.sha256,
        "at": submission_versions.c.uploaded_at,
    }
    row = connection.execute(
        select(*(column.label(name) for name, column in named.items()))
        .select_from(submission_versions)
        .join(submissions, submissions.c.id == submission_versions.c.submission)
        .outerjoin(units, units.c.id == submissions.c.unit)
        .where(visible(viewer), submission_versions.c.receipt == receipt.upper())
    ).one_or_none()
    return not_found("这份回执") if row is None else Receipt(**row._mapping)


def lines(receipt: Receipt, *, edition: str) -> list[tuple[str, str]]:
    """Names and values, as page and text file show them."""
    return [
        ("申报编号", receipt.number),
        ("回执编号", receipt.receipt),
        ("接收时间", receipt.time),
        ("版（届）", edition),
        ("单位名称", receipt.organisation),
        ("题目", receipt.title),
        ("推荐单位", receipt.unit_name or "无"),
        ("版本", f"第 {receipt.version} 版"),
        ("文件", f"{receipt.file_name}（{receipt.size:,} 字节）"),
        ("SHA-256", receipt.sha256),
    ]
