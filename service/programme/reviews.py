"""A reviewer's own work: what is assigned to him, whether he has a conflict of interest, notes and comments.

Until he has declared that he has none he learns title and organisation alone; once he has declared one, the submission is closed to him.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.postgresql import insert

from service.database.programme_tables import assignments, reviews, submission_versions, submissions, users
from service.errors import ServiceError
from service.model import Edition
from service.programme import audit
from service.programme.viewer import Viewer, not_found

State = Literal["assigned", "started", "finished", "conflict"]
COMMENT = "comment"  # the one criterion of an edition that declares none
LONGEST = 5_000  # characters of a comment
LONGEST_NOTES = 20_000
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Task:
    """An assignment as its reviewer lists it."""

    id: int
    edition: str
    title: str
    organisation: str
    state: State
    at: datetime
    changed_at: datetime | None
    finished_at: datetime | None

    @property
    def declared(self) -> bool:
        """Whether he may read it; told apart from the state by `conflict` alone."""
        return self.state != "conflict"


@dataclass(frozen=True, slots=True)
class Work:
    """An assignment that its reviewer may read, and what he has written. `revision` 0: nothing is saved yet."""

    id: int
    submission: int
    number: str
    edition: str
    title: str
    organisation: str
    version: int
    analysis: int
    file_name: str
    uploaded_at: datetime
    hidden: tuple[str, ...]  # contact data and credit code, wherever they should turn up in the text
    notes: str = ""
    comments: Mapping[str, str] = field(default_factory=dict)  # criterion -> 评语
    overall: str = ""
    revision: int = 0
    changed_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def renewed(self) -> bool:
        """Whether the file is newer than what was last written about it."""
        return self.changed_at is not None and self.uploaded_at > self.changed_at

    @property
    def state(self) -> State:
        return "finished" if self.finished_at else "started" if self.revision else "assigned"


@dataclass(frozen=True, slots=True)
class Written:
    """What a reviewer saves."""

    notes: str
    comments: Mapping[str, str]
    overall: str


def criteria(edition: Edition) -> tuple[tuple[str, str], ...]:
    """Key and name of what is commented on: the edition's criteria; none where the one comment is all."""
    return tuple((one.id, one.name) for one in edition.criteria)


def state_of(row: Row[Any]) -> State:
    """From an assignment joined with its review."""
    if row.conflict:
        return "conflict"
    if row.finished_at is not None:
        return "finished"
    return "assigned" if row.changed_at is None else "started"


def listed(connection: Connection, viewer: Viewer) -> list[Task]:
    """What the viewer reviews: still to be done first, in the order of assigning."""
    rows = connection.execute(_own(viewer).order_by(assignments.c.id)).all()
    found = [Task(row.id, row.edition, row.title, row.organisation, state_of(row), row.at, row.changed_at, row.finished_at) for row in rows]
    rank = {"started": 0, "assigned": 1, "finished": 2, "conflict": 3}
    return sorted(found, key=lambda one: rank[one.state])


def task(connection: Connection, viewer: Viewer, assignment: int) -> tuple[Task, bool]:
    """One of the viewer's assignments, and whether he has declared himself; not_found where it is another's."""
    row = connection.execute(_own(viewer).where(assignments.c.id == fit(assignment))).one_or_none()
    if row is None:
        not_found("这份评审材料")
    found = Task(row.id, row.edition, row.title, row.organisation, state_of(row), row.at, row.changed_at, row.finished_at)
    return found, row.conflict is not None


def declare(connection: Connection, viewer: Viewer, assignment: int, *, conflict: bool | None, reason: str = "") -> None:
    """Whether the viewer has a conflict of interest. Who had none may find one later. 422 where he says neither (None)."""
    if conflict is None:
        raise ServiceError("review_undeclared", "请选择“没有”或“有”需要回避的情形，再继续。", status=422)
    found, _ = task(connection, viewer, assignment)
    if found.state == "conflict":
        raise ServiceError("review_conflict", "您已声明回避，这份材料不再开放。如系误报，请联系办公室。", status=409)
    if found.state == "finished" and conflict:
        raise ServiceError("review_finished", "这份评审已经完成。若发现应当回避，请联系办公室退回评审。", status=409)
    reason = reason.strip()[:LONGEST_REASON]
    if conflict and not reason:
        raise ServiceError("review_reason_missing", "请写明回避的原因，例如“与申报单位有合作项目”，以便办公室改派。", status=422)
    values = {"conflict": conflict, "conflict_reason": reason or None, "declared_at": func.now()}
    row = connection.execute(
        assignments.update().where(assignments.c.id == assignment).values(**values).returning(assignments.c.submission)
    ).one()
    action = "review.conflict_declared" if conflict else "review.conflict_denied"
    audit.record(connection, viewer, action, f"submission:{row.submission}", details={"assignment": assignment})


def work(connection: Connection, viewer: Viewer, assignment: int) -> Work:
    """What the viewer reads and writes; not_found unless he has declared that he has no conflict of interest."""
    row = connection.execute(_readable(viewer).where(assignments.c.id == fit(assignment))).one_or_none()
    if row is None:
        not_found("这份评审材料")
    known = (row.credit_code, row.contact_name, row.contact_phone, row.contact_email)
    written = {} if row.changed_at is None else {name: getattr(row, name) for name in ("notes", "comments", "overall", "revision")}
    return Work(
        id=row.id,
        submission=row.submission,
        number=row.number,
        edition=row.edition,
        title=row.title,
        organisation=row.organisation,
        version=row.version,
        analysis=row.analysis,
        file_name=row.file_name,
        uploaded_at=row.uploaded_at,
        hidden=tuple(value for value in known if value and len(value) > 1),
        changed_at=row.changed_at,
        finished_at=row.finished_at,
        **written,
    )


def save(connection: Connection, viewer: Viewer, assignment: int, written: Written, *, edition: Edition, revision: int) -> int:
    """Keeps what the viewer wrote; the new revision. 409 where it was changed since `revision` (another window), or is finished."""
    found = work(connection, viewer, assignment)
    if found.finished_at is not None:
        raise ServiceError("review_finished", "这份评审已经完成，不能再改。需要修改时，请联系办公室退回评审。", status=409)
    values = _fitting(written, edition)
    new = insert(reviews).values(assignment=assignment, **values).on_conflict_do_nothing().returning(reviews.c.revision)
    if revision == 0 and (first := connection.execute(new).scalar()) is not None:
        audit.record(connection, viewer, "review.started", f"submission:{found.submission}", details={"assignment": assignment})
        return int(first)
    changed = connection.execute(
        reviews.update()
        .where(reviews.c.assignment == assignment, reviews.c.revision == revision, reviews.c.finished_at.is_(None))
        .values(**values, revision=reviews.c.revision + 1, changed_at=func.now())
        .returning(reviews.c.revision)
    ).scalar()
    if changed is None:
        told = "评语在别的窗口或设备上改过，这里的内容没有保存。请先复制您刚写的文字，再刷新页面，把它合并进去。"
        raise ServiceError("review_changed", told, status=409)
    return int(changed)


def finish(connection: Connection, viewer: Viewer, assignment: int, *, revision: int) -> None:
    """Hands the comments to the office; from now on they cannot be changed."""
    found = work(connection, viewer, assignment)
    if found.finished_at is not None:
        return
    if found.revision != revision:
        raise ServiceError("review_changed", "评语在别的窗口或设备上改过。请刷新页面，核对后再完成。", status=409)
    if not found.overall.strip() and not any(value.strip() for value in found.comments.values()):
        raise ServiceError("review_empty", "还没有写评语。请至少写一条评语，再点“完成评审”。", status=422)
    connection.execute(
        reviews.update().where(reviews.c.assignment == assignment).values(finished_at=func.now(), revision=reviews.c.revision + 1)
    )
    audit.record(connection, viewer, "review.finished", f"submission:{found.submission}", details={"assignment": assignment})


def _fitting(written: Written, edition: Edition) -> dict[str, Any]:
    """The columns; 422 where a text is too long. What is no criterion of the edition is left out."""
    known = dict(criteria(edition))
    comments = {key: _clean(value) for key, value in written.comments.items() if key in known and value.strip()}
    for name, value, most in (
        *((known[key], value, LONGEST) for key, value in comments.items()),
        ("总体评语", written.overall, LONGEST),
        ("私人笔记", written.notes, LONGEST_NOTES),
    ):
        if len(value) > most:
            raise ServiceError("review_too_long", f"“{name}”有 {len(value):,} 字，最多 {most:,} 字。请压缩后再保存。", status=422)
    return {"notes": _clean(written.notes), "comments": comments, "overall": _clean(written.overall)}


def _clean(value: str) -> str:
    """Line ends as they are kept; PostgreSQL holds no NUL."""
    return value.replace("\r\n", "\n").replace("\x00", "")


def fit(id_: int) -> int:
    """What PostgreSQL's integer can hold; nothing is found under anything else."""
    return id_ if 0 < id_ < 2**31 else 0


def _own(viewer: Viewer) -> Any:
    """The viewer's assignments; what was withdrawn is nobody's to read any more."""
    columns = (submissions.c.edition, submissions.c.title, submissions.c.organisation, reviews.c.changed_at, reviews.c.finished_at)
    return (
        select(assignments, *columns)
        .join(submissions, submissions.c.id == assignments.c.submission)
        .join(users, users.c.id == assignments.c.reviewer)
        .outerjoin(reviews, reviews.c.assignment == assignments.c.id)
        .where(assignments.c.reviewer == viewer.id, users.c.role == "reviewer", submissions.c.state != "withdrawn")
    )


def _readable(viewer: Viewer) -> Any:
    more = (
        *(submissions.c[name] for name in ("number", "version", "analysis", "credit_code")),
        *(submissions.c[name] for name in ("contact_name", "contact_phone", "contact_email")),
        *(reviews.c[name] for name in ("notes", "comments", "overall", "revision")),
        submission_versions.c.file_name,
        submission_versions.c.uploaded_at,
    )
    newest = (submission_versions.c.submission == submissions.c.id) & (submission_versions.c.number == submissions.c.version)
    return _own(viewer).add_columns(*more).join(submission_versions, newest).where(assignments.c.conflict.is_(False))
