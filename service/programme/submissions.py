"""Submissions: handing one in, a new version of it, reading one; who may see it, and telling two people who change it at once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, false, func, select, true, update

from service.database.programme_tables import assignments, events, submission_versions, submissions, units, users
from service.errors import ServiceError
from service.programme import analyses, audit, dismissals
from service.programme.china import ZONE
from service.programme.viewer import Viewer, not_found

_RECEIPT = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's 32: none is taken for another
_OPEN = frozenset({"received", "returned"})  # states in which a new version is taken
_OPEN_TO_STAFF = frozenset({*_OPEN, "set_aside", "passed"})
_LONGEST_TITLE, _LONGEST_NAME = 200, 120  # characters
_DONE = {
    "submission.submitted": "提交",
    "submission.updated": "上传新版本",
    "submission.edited": "修改登记信息",
    "submission.passed": "形审通过",
    "submission.returned": "退回修改",
    "submission.set_aside": "搁置",
    "submission.reopened": "重新受理",
    "submission.withdrawn": "撤回",
    "submission.area_corrected": "更正重点方向",
    "finding.dismissed": "忽略一个问题",
    "finding.restored": "恢复一个忽略的问题",
    "submission.ranked": "调整推荐顺序",
}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file in the store; its name is as the sender called it and is data only."""

    sha256: str
    file_name: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Contact:
    name: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """What the one who handed in holds: `receipt` cannot be guessed, and every version has its own."""

    id: int
    number: str
    receipt: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission with its newest version. For reviewers `contact`, `credit_code` and `owner_name` are None, whatever is known."""

    id: int
    number: str
    edition: str
    owner: int | None
    owner_name: str | None
    unit: int | None
    unit_name: str | None
    rank: int | None
    organisation: str
    credit_code: str | None
    contact: Contact | None
    title: str
    areas: tuple[str, ...]  # as the applicant ticked them
    area: str | None  # main area as staff corrected it
    state: str
    revision: int
    version: int
    analysis: int
    dismissed_errors: int
    dismissed_warnings: int
    batch: int | None
    submitted_at: datetime
    changed_at: datetime
    sha256: str
    file_name: str
    size: int

    @property
    def etag(self) -> str:
        return f'"{self.id}-{self.revision}"'


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    sha256: str
    file_name: str
    size: int
    analysis: int
    by: str
    receipt: str | None  # None for who did not hand it in and is no staff
    uploaded_at: datetime


class ChangedMeanwhile(ServiceError):
    """Somebody saved first. `revision` is what the object has now, `by`, `at` and `what` tell of the last change."""

    def __init__(self, message: str, *, revision: int) -> None:
        super().__init__("changed_meanwhile", message, status=409)
        self.revision = revision


# --- who may see what --------------------------------------------------------------------------------------------------------------


def visible(viewer: Viewer, rows: FromClause = submissions) -> ColumnElement[bool]:
    """The condition on `rows` (submissions, or an alias of it) that leaves what the viewer may see; it stands before every other one.

    A reviewer sees what is assigned to him once he has declared that he has no conflict of interest.
    """
    if viewer.is_staff:
        return true()
    if viewer.role == "applicant":
        return rows.c.owner == viewer.id
    if viewer.role == "unit":
        return false() if viewer.unit is None else rows.c.unit == viewer.unit
    if viewer.role == "reviewer":
        mine = select(assignments.c.submission).where(assignments.c.reviewer == viewer.id, assignments.c.conflict.is_(false()))
        return rows.c.id.in_(mine) & (rows.c.state != "withdrawn")
    return false()


def one(connection: Connection, viewer: Viewer, id_: int) -> Submission:
    """The submission with its newest version; not_found for what the viewer may not see."""
    newest = (submission_versions.c.submission == submissions.c.id) & (submission_versions.c.number == submissions.c.version)
    row = connection.execute(
        select(
            submissions,
            units.c.name.label("unit_name"),
            users.c.shown.label("owner_name"),
            submission_versions.c.sha256,
            submission_versions.c.file_name,
            submission_versions.c.size,
        )
        .join(submission_versions, newest)
        .outerjoin(units, units.c.id == submissions.c.unit)
        .outerjoin(users, users.c.id == submissions.c.owner)
        .where(visible(viewer), submissions.c.id == _fit(id_))
    ).one_or_none()
    if row is None:
        not_found("这份申报材料")
    told = dict(row._mapping)
    contact = Contact(told.pop("contact_name"), told.pop("contact_phone"), told.pop("contact_email"))
    told["areas"] = tuple(told["areas"])
    if viewer.role == "reviewer":
        told["owner_name"] = told["credit_code"] = None
        return Submission(**told, contact=None)
    return Submission(**told, contact=contact)


def versions(connection: Connection, viewer: Viewer, id_: int) -> list[Version]:
    """The newest first."""
    rows = connection.execute(
        select(submission_versions, users.c.shown)
        .join(submissions, submissions.c.id == submission_versions.c.submission)
        .join(users, users.c.id == submission_versions.c.by)
        .where(visible(viewer), submissions.c.id == _fit(id_))
        .order_by(submission_versions.c.number.desc())
    ).all()
    if not rows:
        not_found("这份申报材料")
    told = viewer.role != "reviewer"
    return [
        Version(
            row.number,
            row.sha256,
            row.file_name,
            row.size,
            row.analysis,
            row.shown if told else "",
            row.receipt if told else None,
            row.uploaded_at,
        )
        for row in rows
    ]


# --- handing in --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Named:
    title: str
    organisation: str


def submit(
    connection: Connection,
    viewer: Viewer,
    *,
    edition: str,
    file: Uploaded,
    analysis: int,
    title: str,
    organisation: str,
    credit_code: str | None = None,
    contact: Contact | None = None,
    areas: Sequence[str] = (),
    unit: int | None = None,
    owner: int | None = None,
    batch: int | None = None,
) -> Submitted:
    """A new submission, numbered within its edition without gaps; also of a file that others handed in: each has its own receipt.

    An applicant owns what he hands in and a recommending unit's user enters its own unit, whatever is said; `edition` is the id. The
    credit code is the caller's to check. Calls that come at once wait for each other from here to the end of the transaction.
    """
    if viewer.id is None or viewer.role == "reviewer":
        raise ServiceError("forbidden", "您的账号不能提交申报材料。如确有需要，请联系管理员调整角色。", status=403)
    told = checked(title, organisation)
    contact = contact or Contact()
    audit.hold(connection)  # the one lock of all who record: numbers are given in its order
    number = _next_number(connection, edition)
    values = {
        "number": number,
        "edition": edition,
        "owner": viewer.id if viewer.role == "applicant" else owner,
        "unit": viewer.unit if viewer.role == "unit" else unit,
        "organisation": told.organisation,
        "credit_code": credit_code or None,
        "contact_name": line(contact.name),
        "contact_phone": line(contact.phone),
        "contact_email": line(contact.email),
        "title": told.title,
        "areas": list(areas),
        "analysis": analysis,
        "batch": batch,
    }
    id_ = int(connection.execute(submissions.insert().values(**values).returning(submissions.c.id)).scalar_one())
    receipt = _version(connection, viewer, id_, 1, file, analysis)
    analyses.compare_soon(connection, id_)
    audit.record(connection, viewer, "submission.submitted", f"submission:{id_}", details={"number": number, "sha256": file.sha256})
    return Submitted(id_, number, receipt)


def new_version(
    connection: Connection, viewer: Viewer, id_: int, *, file: Uploaded, analysis: int, expect: int | None = None, title: str | None = None
) -> Submitted:
    """The next version, which waits for triage again; an applicant may send one until it has been passed, staff always.

    Dismissed findings stay dismissed: they are counted again when the analysis is done (dismissals.recount).
    """
    if viewer.role == "reviewer":
        not_found("这份申报材料")
    found = held(connection, viewer, id_, expect=expect)
    if found.state not in (("received", "returned") if not viewer.is_staff else ("received", "returned", "set_aside", "passed")):
        raise ServiceError(
            "submission_closed", "这份材料现在不能上传新版本：已通过、搁置或撤回。如需修改，请联系办公室退回后再上传。", status=409
        )
    if one(connection, viewer, id_).sha256 == file.sha256:
        raise ServiceError("file_unchanged", "这个文件与当前版本完全相同，没有保存。请选择修改后的文件再上传。", status=409)
    number = found.version + 1
    values: dict[str, Any] = {"version": number, "analysis": analysis, "state": "received", "dismissed_errors": 0, "dismissed_warnings": 0}
    if title is not None:
        values["title"] = checked(title, found.organisation).title
    changed(connection, id_, **values)
    receipt = _version(connection, viewer, id_, number, file, analysis)
    analyses.compare_soon(connection, id_)
    report = analyses.report(connection, analysis, file_name=file.file_name)
    if report is not None:  # read before, as a draft: nothing will finish any more
        dismissals.recount(connection, id_, report)
    audit.record(connection, viewer, "submission.updated", f"submission:{id_}", details={"version": number, "sha256": file.sha256})
    return Submitted(id_, found.number, receipt, number)


# --- changing ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """A submission that nobody else changes until the transaction ends."""

    id: int
    number: str
    edition: str
    state: str
    revision: int
    version: int
    analysis: int
    title: str
    organisation: str
    areas: tuple[str, ...] = field(default=())
    area: str | None = None


def held(connection: Connection, viewer: Viewer, id_: int, *, expect: int | None = None) -> Held:
    """Locks the row for a change; ChangedMeanwhile where its revision is not the one that the viewer saw.

    Who changes several locks them all (`held_all`) before he records anything, so that nobody waits in a circle.
    """
    found = held_all(connection, viewer, [id_])
    if not found:
        not_found("这份申报材料")
    if expect is not None and found[0].revision != expect:
        raise meanwhile(connection, found[0])
    return found[0]


def held_all(connection: Connection, viewer: Viewer, ids: Sequence[int]) -> list[Held]:
    """Those of them that the viewer may see, locked, in the order of their ids."""
    columns = [submissions.c[name] for name in Held.__slots__]
    wanted = submissions.c.id.in_([_fit(id_) for id_ in ids])
    chosen = select(*columns).where(visible(viewer), wanted).order_by(submissions.c.id).with_for_update(key_share=True)
    return [Held(**{**row._mapping, "areas": tuple(row.areas)}) for row in connection.execute(chosen)]


def changed(connection: Connection, id_: int, **values: Any) -> int:
    """Writes the values and raises the revision; the new revision. The caller holds the row and records what was done."""
    statement = (
        update(submissions)
        .where(submissions.c.id == id_)
        .values(**values, revision=submissions.c.revision + 1, changed_at=func.now())
        .returning(submissions.c.revision)
    )
    return int(connection.execute(statement).scalar_one())


def meanwhile(connection: Connection, found: Held) -> ChangedMeanwhile:
    """What the later of two who save is told: who changed what when."""
    row = connection.execute(
        select(events.c.actor_name, events.c.at, events.c.action)
        .where(events.c.object == f"submission:{found.id}", events.c.action.in_(_DONE))
        .order_by(events.c.id.desc())
        .limit(1)
    ).one_or_none()
    told = "有人刚刚改过"
    if row is not None:
        told = f"{row.actor_name}在 {row.at.astimezone(ZONE):%Y-%m-%d %H:%M} 做了“{_DONE[row.action]}”"
    return ChangedMeanwhile(f"您打开 {found.number} 之后，{told}，所以这次操作没有保存。请看过现在的状态再决定。", revision=found.revision)


# --- inside ------------------------------------------------------------------------------------------------------------------------


def checked(title: str, organisation: str) -> Named:
    told = Named(line(title) or "", line(organisation) or "")
    if not told.title:
        raise ServiceError("title_missing", "请填写题目。")
    if not told.organisation:
        raise ServiceError("organisation_missing", "请填写单位名称。")
    if len(told.title) > _LONGEST_TITLE:
        raise ServiceError("title_too_long", f"题目有 {len(told.title)} 个字，超过 {_LONGEST_TITLE} 个字。请核对后缩短。")
    if len(told.organisation) > _LONGEST_NAME:
        raise ServiceError("organisation_too_long", f"单位名称有 {len(told.organisation)} 个字，超过 {_LONGEST_NAME} 个字。请核对后缩短。")
    return told


def line(value: str | None) -> str | None:
    """One line without control characters; None where nothing is left."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", value).split()) or None if value else None


def _fit(id_: int) -> int:
    """What PostgreSQL's integer can hold; nothing is found under anything else."""
    return id_ if 0 < id_ < 2**31 else 0


def _next_number(connection: Connection, edition: str) -> str:
    """One more than the last, which has the highest id: both are given under the same lock."""
    numbers = select(submissions.c.number).where(submissions.c.edition == edition).order_by(submissions.c.id.desc()).limit(1)
    last = connection.execute(numbers).scalar()
    return f"{edition}-{(int(last.rpartition('-')[2]) if last else 0) + 1:04d}"


def _version(connection: Connection, viewer: Viewer, id_: int, number: int, file: Uploaded, analysis: int) -> str:
    receipt = "-".join("".join(secrets.choice(_RECEIPT) for _ in range(4)) for _ in range(5))
    kept = {"sha256": file.sha256, "file_name": file.file_name, "size": file.size, "analysis": analysis, "by": viewer.id}
    connection.execute(submission_versions.insert().values(submission=id_, number=number, receipt=receipt, **kept))
    return receipt
