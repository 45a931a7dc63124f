"""形审: pass, return with reasons, set aside, reopen, withdraw; dismiss a finding; correct the focus area. All of it recorded.

Whatever changes a submission takes `expect`, the revision that its viewer saw: the later of two who save is told what changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NoReturn

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from service.database.programme_tables import (
    analyses,
    area_corrections,
    decisions,
    dismissals,
    submission_versions,
    submissions,
    units,
    users,
)
from service.errors import ServiceError
from service.model import Edition, Report
from service.programme import audit
from service.programme import dismissals as known
from service.programme.submissions import Held, changed, checked, held, held_all, line, meanwhile, one
from service.programme.viewer import Viewer, not_found
from service.render.view import Item

Action = Literal["pass", "return", "set_aside", "reopen", "withdraw"]


@dataclass(frozen=True, slots=True)
class _Step:
    before: frozenset[str]
    after: str
    event: str
    words: str


STEPS: dict[str, _Step] = {
    "pass": _Step(frozenset({"received", "returned", "set_aside"}), "passed", "submission.passed", "通过"),
    "return": _Step(frozenset({"received", "passed", "set_aside"}), "returned", "submission.returned", "退回修改"),
    "set_aside": _Step(frozenset({"received", "returned", "passed"}), "set_aside", "submission.set_aside", "搁置"),
    "reopen": _Step(frozenset({"returned", "passed", "set_aside", "withdrawn"}), "received", "submission.reopened", "重新受理"),
    "withdraw": _Step(frozenset({"received", "returned", "passed", "set_aside"}), "withdrawn", "submission.withdrawn", "撤回"),
}
_STATES = {"received": "待形审", "passed": "已通过", "returned": "退回修改", "set_aside": "搁置", "withdrawn": "已撤回"}
_LONGEST_REASONS = 8000  # characters
_LONGEST_REASON = 500
_PLACES = 3  # of findings of one rule that are named in the reasons of a return
_OF_ONE = frozenset({"changed_meanwhile", "step_impossible", "reasons_missing", "reasons_too_long"})  # faults that leave the others alone
MANY = 200  # submissions of one bulk action


@dataclass(frozen=True, slots=True)
class Decision:
    id: int
    version: int
    action: str
    reasons: str | None
    by: str
    at: datetime

    @property
    def words(self) -> str:
        return STEPS[self.action].words


# --- decisions ---------------------------------------------------------------------------------------------------------------------


def steps(viewer: Viewer, state: str) -> tuple[str, ...]:
    """What the viewer may do with a submission in this state."""
    if viewer.is_staff:
        return tuple(action for action, step in STEPS.items() if state in step.before)
    return ("withdraw",) if viewer.role == "applicant" and state in STEPS["withdraw"].before else ()


def decide(connection: Connection, viewer: Viewer, id_: int, action: str, *, reasons: str = "", expect: int | None = None) -> str:
    """The new state. A return needs reasons, which the applicant reads; an applicant may withdraw his own and nothing else."""
    return _decided(connection, viewer, held(connection, viewer, id_, expect=expect), action, reasons)


def decide_many(
    connection: Connection, viewer: Viewer, picked: Sequence[tuple[int, int]], action: str, *, reasons: Mapping[int, str] | None = None
) -> Many:
    """Decides all (id, revision) that nobody changed meanwhile and that can be; the others are told by number and why, and left alone."""
    if len(picked) > MANY:
        raise ServiceError("too_many_picked", f"一次最多处理 {MANY} 份，您选了 {len(picked)} 份。请分几次处理。")
    expected = dict(picked)
    done: list[str] = []
    left: list[tuple[str, str]] = []
    for found in held_all(connection, viewer, list(expected)):  # all locked before the first is recorded
        try:
            if found.revision != expected[found.id]:
                raise meanwhile(connection, found)
            _decided(connection, viewer, found, action, (reasons or {}).get(found.id, ""))
            done.append(found.number)
        except ServiceError as error:
            if error.code not in _OF_ONE:
                raise
            left.append((found.number, error.message))
    return Many(tuple(done), tuple(left))


@dataclass(frozen=True, slots=True)
class Many:
    done: tuple[str, ...]  # numbers
    left: tuple[tuple[str, str], ...]  # number, why it was left alone


def _decided(connection: Connection, viewer: Viewer, found: Held, action: str, reasons: str) -> str:
    step = STEPS.get(action)
    if step is None or action not in steps(viewer, found.state):
        _impossible(found, step)
    reasons = reasons.replace("\r\n", "\n").replace("\x00", "").strip()
    if action == "return" and not reasons:
        raise ServiceError("reasons_missing", "请写明退回的理由：申报单位会看到，并照此修改。")
    if len(reasons) > _LONGEST_REASONS:
        raise ServiceError("reasons_too_long", f"理由有 {len(reasons)} 个字，超过 {_LONGEST_REASONS} 个字。请删减后再保存。")
    row = {"submission": found.id, "version": found.version, "action": action, "reasons": reasons or None, "by": viewer.id}
    connection.execute(decisions.insert().values(**row))
    changed(connection, found.id, state=step.after)
    audit.record(connection, viewer, step.event, f"submission:{found.id}", details={"number": found.number, "version": found.version})
    return step.after


def _impossible(found: Held, step: _Step | None) -> NoReturn:
    told = "不能这样处理" if step is None else f"不能再“{step.words}”"
    message = f"{found.number} 现在是“{_STATES[found.state]}”，{told}。请刷新后看看有哪些操作可用。"
    raise ServiceError("step_impossible", message, status=409)


def history(connection: Connection, viewer: Viewer, id_: int) -> list[Decision]:
    """The newest first. Reviewers have no part in it."""
    if viewer.role == "reviewer":
        not_found("这份申报材料")
    one(connection, viewer, id_)
    rows = connection.execute(
        select(decisions, users.c.shown, users.c.role)
        .join(users, users.c.id == decisions.c.by)
        .where(decisions.c.submission == id_)
        .order_by(decisions.c.id.desc())
    )
    named = viewer.is_staff
    return [
        Decision(row.id, row.version, row.action, row.reasons, row.shown if named or row.by == viewer.id else "办公室", row.at)
        for row in rows
    ]


def reasons_from(found: Iterable[Item]) -> str:
    """The reasons of a return as they can be written from errors and warnings: a line a rule, the applicant's own to mend."""
    lines: list[str] = []
    for severity, head in (("error", "必须修改："), ("warning", "请核对并修改：")):
        rules: dict[str, list[Item]] = {}
        for item in found:
            if item.severity == severity:
                rules.setdefault(item.rule if not item.whole else f"{item.rule} {item.message}", []).append(item)
        if rules:
            lines += ["", head, *(f"{number}. {_reason(items)}" for number, items in enumerate(rules.values(), 1))]
    return "\n".join(lines).strip()


def _reason(items: Sequence[Item]) -> str:
    first, clause = items[0], f"（{items[0].clause}）" if items[0].clause else ""
    place = "" if first.whole or first.section in first.message else f"【{first.section}】"
    told = f"{place}{first.message}{clause}"
    if len(items) == 1:
        return told
    places = list(dict.fromkeys(item.place for item in items))[:_PLACES]
    return f"{told} 同类问题共 {len(items)} 处，在{'、'.join(places)}{'等处' if len(items) > len(places) else ''}。"


# --- what was entered with it ------------------------------------------------------------------------------------------------------


def enter(
    connection: Connection,
    viewer: Viewer,
    id_: int,
    *,
    title: str,
    organisation: str,
    credit_code: str | None,
    unit: int | None,
    expect: int | None = None,
) -> None:
    """Staff mends what was entered with the file; the credit code is the caller's to check."""
    _staff(viewer)
    found = held(connection, viewer, id_, expect=expect)
    told = checked(title, organisation)
    if unit is not None and not connection.execute(select(units.c.id).where(units.c.id == unit)).scalar():
        raise ServiceError("unit_unknown", "没有这个推荐单位。请刷新后重新选择。")
    before = connection.execute(select(submissions.c.unit, submissions.c.credit_code).where(submissions.c.id == id_)).one()
    after: dict[str, Any] = {"title": told.title, "organisation": told.organisation, "credit_code": line(credit_code), "unit": unit}
    was = {"title": found.title, "organisation": found.organisation, "credit_code": before.credit_code, "unit": before.unit}
    new = {name: value for name, value in after.items() if value != was[name]}
    if new:
        changed(connection, id_, **new, **({"rank": None} if "unit" in new else {}))
        audit.record(connection, viewer, "submission.edited", f"submission:{id_}", details={"fields": sorted(new)})


# --- findings ----------------------------------------------------------------------------------------------------------------------


def settled(connection: Connection, submission: int, report: Report) -> None:
    """The analysis of a submission's newest version is done: what was dismissed before stays out of the counts."""
    known.recount(connection, submission, report)


def dismiss(
    connection: Connection,
    viewer: Viewer,
    id_: int,
    *,
    report: Report,
    place: tuple[str, int, int],
    reason: str,
    expect: int | None = None,
) -> Item:
    """Leaves a finding (its rule, start and end in the report) out of the counts, here and on later versions where the same words stand."""
    _staff(viewer)
    reason = line(reason) or ""
    if not reason or len(reason) > _LONGEST_REASON:
        raise ServiceError("reason_missing", f"请写明为什么忽略这个问题（1 到 {_LONGEST_REASON} 个字），规则的维护者会看到。")
    found = held(connection, viewer, id_, expect=expect)
    item = next((item for item in known.findings(report) if (item.rule, item.start, item.end) == place), None)
    if item is None:
        raise ServiceError("finding_gone", "报告里已没有这个问题，可能有了新的版本。请刷新后再看。", status=409)
    rule, quote = known.key(item)
    if (rule, quote) not in {each.key for each in known.of(connection, id_)}:
        row = {"submission": id_, "version": found.version, "rule": rule, "quote": quote, "message": item.message, "reason": reason}
        connection.execute(dismissals.insert().values(**row, by=viewer.id))
        changed(connection, id_)
        known.recount(connection, id_, report)
        audit.record(connection, viewer, "finding.dismissed", f"submission:{id_}", details={"rule": rule, "reason": reason})
    return item


def restore(connection: Connection, viewer: Viewer, id_: int, dismissal: int, *, report: Report | None, expect: int | None = None) -> None:
    """The finding counts again. `report` None: the counts follow when the analysis is done."""
    _staff(viewer)
    held(connection, viewer, id_, expect=expect)
    there = and_(dismissals.c.id == dismissal, dismissals.c.submission == id_, dismissals.c.undone_at.is_(None))
    rule = connection.execute(update(dismissals).where(there).values(undone_at=func.now()).returning(dismissals.c.rule)).scalar()
    if rule is None:
        not_found("这个忽略的问题")
    changed(connection, id_)
    if report is not None:
        known.recount(connection, id_, report)
    audit.record(connection, viewer, "finding.restored", f"submission:{id_}", details={"rule": rule})


@dataclass(frozen=True, slots=True)
class Dismissed:
    """A dismissed finding as the rulebook's keeper reads it."""

    id: int
    submission: int
    number: str
    edition: str
    organisation: str
    title: str
    version: int
    rule: str
    quote: str
    message: str
    reason: str
    by: str
    at: datetime


def dismissed(connection: Connection, viewer: Viewer, *, edition: str = "", rule: str = "") -> list[Dismissed]:
    """All that are in force, by rule, the newest first."""
    _staff(viewer)
    asked: list[ColumnElement[bool]] = [dismissals.c.undone_at.is_(None)]
    asked += [submissions.c.edition == edition] if edition else []
    asked += [dismissals.c.rule == rule] if rule else []
    rows = connection.execute(
        select(
            *(dismissals.c[name] for name in ("id", "submission", "version", "rule", "quote", "message", "reason", "at")),
            *(submissions.c[name] for name in ("number", "edition", "organisation", "title")),
            users.c.shown.label("by"),
        )
        .join(submissions, submissions.c.id == dismissals.c.submission)
        .join(users, users.c.id == dismissals.c.by)
        .where(*asked)
        .order_by(dismissals.c.rule, dismissals.c.id.desc())
    )
    return [Dismissed(**row._mapping) for row in rows]


# --- the focus area ----------------------------------------------------------------------------------------------------------------


def correct_area(
    connection: Connection, viewer: Viewer, id_: int, areas: Sequence[str], *, edition: Edition, expect: int | None = None
) -> None:
    """The main area first. Kept with what the program had proposed, for training (`biaogan train focus --with-corrections`)."""
    _staff(viewer)
    areas = list(dict.fromkeys(areas))
    _refuse_unknown(areas, {area.id for area in edition.areas})
    if edition.choice == "one" and len(areas) > 1:
        raise ServiceError("area_invalid", "本届每份材料只能申报一个重点方向。请只选一个。")
    found = held(connection, viewer, id_, expect=expect)
    version = and_(submission_versions.c.submission == id_, submission_versions.c.number == found.version)
    sha256 = connection.execute(select(submission_versions.c.sha256).where(version)).scalar_one()
    told = connection.execute(select(analyses.c.primary_area, analyses.c.areas).where(analyses.c.id == found.analysis)).one()
    proposed = list(dict.fromkeys([*filter(None, [told.primary_area]), *(told.areas or ())]))
    row = {"submission": id_, "sha256": sha256, "edition": found.edition, "areas": areas, "proposed": proposed, "by": viewer.id}
    connection.execute(area_corrections.insert().values(**row))
    changed(connection, id_, area=areas[0])
    details = {"areas": areas, "proposed": proposed}
    audit.record(connection, viewer, "submission.area_corrected", f"submission:{id_}", details=details)


@dataclass(frozen=True, slots=True)
class Correction:
    """The last correction of a file's focus areas."""

    submission: int
    sha256: str
    file_name: str
    edition: str
    analysis: int
    areas: tuple[str, ...]  # the main one first
    proposed: tuple[str, ...]


def corrections(connection: Connection) -> list[Correction]:
    """The last of each submission that was not withdrawn, with the version that it was made on; by submission."""
    newest = select(func.max(area_corrections.c.id)).group_by(area_corrections.c.submission)
    file = and_(
        submission_versions.c.submission == area_corrections.c.submission, submission_versions.c.sha256 == area_corrections.c.sha256
    )
    rows = connection.execute(
        select(area_corrections, submission_versions.c.file_name, submission_versions.c.analysis)
        .join(submissions, submissions.c.id == area_corrections.c.submission)
        .join(submission_versions, file)
        .where(area_corrections.c.id.in_(newest), submissions.c.state != "withdrawn")
        .order_by(area_corrections.c.submission, submission_versions.c.number)
    )
    found = {
        row.submission: Correction(
            row.submission, row.sha256, row.file_name, row.edition, row.analysis, tuple(row.areas), tuple(row.proposed)
        )
        for row in rows  # of one file in two versions the later counts
    }
    return list(found.values())


def _refuse_unknown(areas: Sequence[str], declared: Collection[str]) -> None:
    if not areas or not set(areas) <= set(declared):
        raise ServiceError("area_invalid", "请从本届的重点方向里选择主要方向。")


def _staff(viewer: Viewer) -> None:
    if not viewer.is_staff:
        raise ServiceError("forbidden", "只有办公室和管理员可以这样操作。", status=403)
