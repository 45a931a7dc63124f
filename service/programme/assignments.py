"""Who reviews what, as the office arranges it: assigned evenly, never to a submission's own organisation."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.postgresql import insert

from service.database.programme_tables import assignments, reviews, submissions, users
from service.errors import ServiceError
from service.programme import audit
from service.programme.reviews import State, fit, state_of
from service.programme.viewer import Viewer, not_found
from service.text import fold

MOST = 500  # submissions assigned in one go
_SHORTEST = 4  # characters of an organisation's name below which it is not looked for inside another


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A reviewer and what he has: `open` is still to be done, `conflicts` are those he has told of."""

    id: int
    shown: str
    organisation: str | None
    credit_code: str | None
    open: int
    finished: int
    conflicts: int


@dataclass(frozen=True, slots=True)
class Assigned:
    """A submission's reviewer as the office sees it; comments only when he has finished, his notes never."""

    id: int
    submission: int
    number: str
    title: str
    organisation: str
    reviewer: int
    shown: str
    state: State
    conflict_reason: str | None
    at: datetime
    declared_at: datetime | None
    changed_at: datetime | None
    finished_at: datetime | None
    comments: dict[str, str]
    overall: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What assigning several has come to; `short` are the numbers of submissions that lack reviewers still."""

    made: int
    short: tuple[str, ...]


def kin(one: str | None, other: str | None) -> bool:
    """Whether two organisations are the same, or one is named within the other (a firm and its works)."""
    first, second = sorted((_bare(one), _bare(other)), key=len)
    return bool(first) and (first == second or (len(first) >= _SHORTEST and first in second))


def related(one: Reviewer, submission: Row[*tuple[Any, ...]]) -> bool:
    """Whether a submission is of the reviewer's own house."""
    same = one.credit_code is not None and one.credit_code == submission.credit_code
    return same or kin(one.organisation, submission.organisation)


def _bare(name: str | None) -> str:
    return "".join(letter for letter in fold(name or "") if letter.isalnum())


def reviewers(connection: Connection) -> list[Reviewer]:
    """Everyone who can be asked, by what he has still to do, then by name."""
    finished, conflict = reviews.c.finished_at.is_not(None), assignments.c.conflict.is_(True)
    counted = func.count(assignments.c.id)
    rows = connection.execute(
        select(
            users.c.id,
            users.c.shown,
            users.c.organisation,
            users.c.credit_code,
            counted.filter(~finished, assignments.c.conflict.is_not(True)).label("open"),
            counted.filter(finished, assignments.c.conflict.is_not(True)).label("finished"),
            counted.filter(conflict).label("conflicts"),
        )
        .outerjoin(assignments, assignments.c.reviewer == users.c.id)
        .outerjoin(reviews, reviews.c.assignment == assignments.c.id)
        .where(users.c.role == "reviewer", users.c.active)
        .group_by(users.c.id)
    )
    found = [Reviewer(row.id, row.shown, row.organisation, row.credit_code, row.open, row.finished, row.conflicts) for row in rows]
    return sorted(found, key=lambda one: (one.open, one.shown, one.id))


def assign(connection: Connection, viewer: Viewer, submission: int, chosen: Sequence[int]) -> int:
    """Assigns a submission to these reviewers; how many have it newly. Those who have it, or declared a conflict, stay as they are."""
    _staff(viewer)
    audit.hold(connection)  # before the rows: two who assign at once do not wait for each other in a circle
    row = _submissions(connection, [submission])[0]
    known = {one.id: one for one in reviewers(connection)}
    if not chosen or any(one not in known for one in chosen):
        raise ServiceError("reviewer_unknown", "请至少勾选一位评审专家；停用的账号不能再分配。")
    for one in chosen:
        if related(known[one], row):
            told = f"{known[one].shown}的单位（{known[one].organisation}）与申报单位相同或有隶属关系，不能评审《{row.title}》。请另选专家。"
            raise ServiceError("reviewer_own_organisation", told, status=409)
    return sum(_put(connection, viewer, row, one) for one in dict.fromkeys(chosen))


def assign_many(connection: Connection, viewer: Viewer, wanted: Sequence[int], chosen: Collection[int], *, each: int) -> Outcome:
    """Gives each submission reviewers of `chosen` until it has `each` who may review it; who has the least to do comes first."""
    _staff(viewer)
    audit.hold(connection)
    rows = _submissions(connection, wanted)
    pool = [one for one in reviewers(connection) if one.id in set(chosen)]
    if not pool:
        raise ServiceError("reviewer_unknown", "请至少勾选一位评审专家；停用的账号不能再分配。")
    load = {one.id: one.open for one in pool}
    had = _had(connection, [row.id for row in rows])
    able = {row.id: [one.id for one in pool if one.id not in had[row.id] and not related(one, row)] for row in rows}
    made, short = 0, []
    # The hardest to place go first, so that others do not take the few who may read them.
    for row in sorted(rows, key=lambda row: (len(able[row.id]), row.id)):
        lacking = each - sum(not conflict for conflict in had[row.id].values())
        for one in sorted(able[row.id], key=lambda one: (load[one], one))[: max(lacking, 0)]:
            made += _put(connection, viewer, row, one)
            load[one] += 1
            lacking -= 1
        if lacking > 0:
            short.append(row.number)
    return Outcome(made, tuple(sorted(short)))


def unassign(connection: Connection, viewer: Viewer, assignment: int) -> int:
    """Takes an assignment back, with what its reviewer had begun to write; the submission's id."""
    _staff(viewer)
    row = _one(connection, assignment)
    if row.conflict:
        raise ServiceError(
            "review_conflict_kept", "这位专家已声明回避。回避记录要保留，不能取消分配；误报的可以改为“重新询问”。", status=409
        )
    if row.finished_at is not None:
        raise ServiceError("review_finished", "这份评审已经完成，不能取消分配。需要重评时，请先退回评审。", status=409)
    connection.execute(assignments.delete().where(assignments.c.id == assignment))
    audit.record(connection, viewer, "review.unassigned", f"submission:{row.submission}", details={"reviewer": row.reviewer})
    return int(row.submission)


def ask_again(connection: Connection, viewer: Viewer, assignment: int) -> int:
    """Lets a reviewer declare anew whether he has a conflict of interest; the submission's id."""
    _staff(viewer)
    row = _one(connection, assignment)
    connection.execute(
        assignments.update().where(assignments.c.id == assignment).values(conflict=None, conflict_reason=None, declared_at=None)
    )
    details = {"reviewer": row.reviewer, "reason": row.conflict_reason}
    audit.record(connection, viewer, "review.asked_again", f"submission:{row.submission}", details=details)
    return int(row.submission)


def reopen(connection: Connection, viewer: Viewer, assignment: int) -> int:
    """Gives a finished review back to its reviewer to change; the submission's id."""
    _staff(viewer)
    row = _one(connection, assignment)
    if row.finished_at is None:
        raise ServiceError("review_open", "这份评审还没有完成，不需要退回。", status=409)
    connection.execute(reviews.update().where(reviews.c.assignment == assignment).values(finished_at=None, revision=reviews.c.revision + 1))
    audit.record(connection, viewer, "review.reopened", f"submission:{row.submission}", details={"reviewer": row.reviewer})
    return int(row.submission)


def of_submission(connection: Connection, viewer: Viewer, submission: int) -> list[Assigned]:
    """Its reviewers in the order in which they were asked."""
    _staff(viewer)
    return [
        _assigned(row)
        for row in connection.execute(_select().where(assignments.c.submission == fit(submission)).order_by(assignments.c.id))
    ]


def overview(connection: Connection, viewer: Viewer, *, edition: str | None = None, reviewer: int | None = None) -> list[Assigned]:
    """Everything assigned; conflicts first, then what is not finished, by submission."""
    _staff(viewer)
    wanted = _select()
    if edition is not None:
        wanted = wanted.where(submissions.c.edition == edition)
    if reviewer is not None:
        wanted = wanted.where(assignments.c.reviewer == fit(reviewer))
    found = [_assigned(row) for row in connection.execute(wanted)]
    rank = {"conflict": 0, "assigned": 1, "started": 2, "finished": 3}
    return sorted(found, key=lambda one: (rank[one.state], one.number, one.shown))


def chosen_submissions(connection: Connection, viewer: Viewer, wanted: Sequence[int]) -> list[Row[*tuple[Any, ...]]]:
    """Number, title, organisation, state and how many may review each: of what is to be assigned."""
    _staff(viewer)
    return _submissions(connection, wanted)


def _select() -> Any:
    return (
        select(
            assignments,
            submissions.c.number,
            submissions.c.title,
            submissions.c.organisation,
            users.c.shown,
            reviews.c.comments,
            reviews.c.overall,
            reviews.c.changed_at,
            reviews.c.finished_at,
        )
        .join(submissions, submissions.c.id == assignments.c.submission)
        .join(users, users.c.id == assignments.c.reviewer)
        .outerjoin(reviews, reviews.c.assignment == assignments.c.id)
    )


def _assigned(row: Row[*tuple[Any, ...]]) -> Assigned:
    done = row.finished_at is not None
    return Assigned(
        id=row.id,
        submission=row.submission,
        number=row.number,
        title=row.title,
        organisation=row.organisation,
        reviewer=row.reviewer,
        shown=row.shown,
        state=state_of(row),
        conflict_reason=row.conflict_reason if row.conflict else None,
        at=row.at,
        declared_at=row.declared_at,
        changed_at=row.changed_at,
        finished_at=row.finished_at,
        comments=dict(row.comments) if done else {},
        overall=row.overall if done else "",
    )


def _staff(viewer: Viewer) -> None:
    if not viewer.is_staff:
        not_found("这项评审安排")


def _one(connection: Connection, assignment: int) -> Row[*tuple[Any, ...]]:
    row = connection.execute(_select().where(assignments.c.id == fit(assignment)).with_for_update(of=assignments)).one_or_none()
    if row is None:
        not_found("这项评审安排")
    return row


def _submissions(connection: Connection, wanted: Sequence[int]) -> list[Row[*tuple[Any, ...]]]:
    """In the order of their numbers; not_found where one is not there."""
    ids = {fit(one) for one in wanted}
    if not ids:
        raise ServiceError("nothing_chosen", "没有选中申报材料。请回到列表勾选后再分配评审。")
    if len(ids) > MOST:
        raise ServiceError("too_many_chosen", f"一次最多分配 {MOST} 份，现在选了 {len(ids)} 份。请分几次进行。")
    columns = [submissions.c[name] for name in ("id", "number", "edition", "title", "organisation", "credit_code", "state")]
    rows = connection.execute(select(*columns).where(submissions.c.id.in_(ids)).order_by(submissions.c.number)).all()
    if len(rows) < len(ids):
        not_found("其中的申报材料")
    withdrawn = [row.number for row in rows if row.state == "withdrawn"]
    if withdrawn:
        raise ServiceError("submission_withdrawn", f"已撤回的申报材料不能分配评审：{'、'.join(withdrawn[:5])}。请去掉后再试。", status=409)
    return list(rows)


def _had(connection: Connection, wanted: Sequence[int]) -> dict[int, dict[int, bool]]:
    """Submission -> reviewer -> whether he declared a conflict."""
    found: dict[int, dict[int, bool]] = {one: {} for one in wanted}
    columns = (assignments.c.submission, assignments.c.reviewer, assignments.c.conflict)
    for row in connection.execute(select(*columns).where(assignments.c.submission.in_(wanted))):
        found[row.submission][row.reviewer] = bool(row.conflict)
    return found


def _put(connection: Connection, viewer: Viewer, row: Row[*tuple[Any, ...]], reviewer: int) -> bool:
    values = {"submission": row.id, "reviewer": reviewer, "by": viewer.id}
    new = connection.execute(insert(assignments).values(**values).on_conflict_do_nothing().returning(assignments.c.id)).scalar()
    if new is not None:
        audit.record(connection, viewer, "review.assigned", f"submission:{row.id}", details={"reviewer": reviewer})
    return new is not None
