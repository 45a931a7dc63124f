"""Applying: what an applicant declares when he hands in a draft, new versions of what was handed in, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, select

from service.credit_code import credit_code
from service.database.programme_tables import analyses, decisions, submission_versions, submissions, units, users
from service.errors import ServiceError
from service.model import Edition
from service.programme import drafts, rounds
from service.programme import submissions as handed
from service.programme.rounds import Round
from service.programme.submissions import Contact, Submitted, Uploaded
from service.programme.units import Unit
from service.programme.viewer import Viewer

_LONGEST = {"title": ("题目", 200), "organisation": ("单位名称", 120), "contact_name": ("联系人", 40), "email": ("邮箱", 120)}
_PHONE = re.compile(r"\+?[0-9][0-9 ()（）\-—转,，]{5,28}[0-9]")
_EMAIL = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\"]+")
_CODE_WRONG = "统一社会信用代码应为 18 位，末位校验码要与前 17 位相符；请对照营业执照核对。"


@dataclass(frozen=True, slots=True)
class Application:
    """What is declared, as it was typed."""

    title: str = ""
    organisation: str = ""
    credit_code: str = ""
    contact_name: str = ""
    phone: str = ""
    email: str = ""
    areas: tuple[str, ...] = ()
    unit: str = ""
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class Mine:
    """A submission of the viewer's as his list shows it. `reasons`: of the last return, while it stands."""

    id: int
    number: str
    edition: str
    title: str
    organisation: str
    unit_name: str | None
    state: str
    version: int
    submitted_at: datetime
    changed_at: datetime
    analysis_state: str
    errors: int | None
    warnings: int | None
    receipt: str
    reasons: str | None
    sha256: str


class WrongError(ServiceError):
    """Some fields are not right: field -> what is wrong with it and how to mend it."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("application_invalid", f"有 {len(fields)} 处需要改正，还没有提交。", status=422)
        self.fields = fields


def wrong(given: Application, edition: Edition, recommending: Sequence[Unit]) -> dict[str, str]:
    """Field -> what is wrong with it."""
    found: dict[str, str] = {}
    for name, (label, most) in _LONGEST.items():
        value = " ".join(getattr(given, name).split())
        if not value and name != "email":
            found[name] = f"请填写{label}。"
        elif len(value) > most:
            found[name] = f"{label}有 {len(value)} 个字，超过 {most} 个字，请缩短。"
    try:
        credit_code(given.credit_code)
    except ServiceError:
        typed = bool(given.credit_code.strip())
        found["credit_code"] = _CODE_WRONG if typed else "请填写统一社会信用代码。"
    if not _PHONE.fullmatch(given.phone.strip()):
        found["phone"] = "请填写手机或带区号的固定电话，例如 010-12345678。" if given.phone.strip() else "请填写联系电话。"
    if given.email.strip() and not _EMAIL.fullmatch(given.email.strip()):
        found["email"] = "邮箱的写法不对，应像 name@example.com。"
    return found | _wrong_choices(given, edition, recommending)


def _wrong_choices(given: Application, edition: Edition, recommending: Sequence[Unit]) -> dict[str, str]:
    found: dict[str, str] = {}
    declared = {area.id for area in edition.areas}
    if declared and not given.areas:
        found["areas"] = "请选择申报方向。"
    elif not declared.issuperset(given.areas):
        found["areas"] = "请从列出的方向中选择。"
    elif edition.choice == "one" and len(given.areas) > 1:
        found["areas"] = "这一届只能选一个方向。"
    if recommending and given.unit not in {str(unit.id) for unit in recommending}:
        found["unit"] = "请选择推荐单位。"
    if not given.agreed:
        found["agreed"] = "请确认内容真实、准确后再提交。"
    return found


def hand_in(
    connection: Connection,
    viewer: Viewer,
    draft_id: str,
    given: Application,
    *,
    edition: Edition,
    recommending: Sequence[Unit],
    today: date,
) -> Submitted:
    """Submits the newest version of the draft. Submitting it once more leads to the same receipt; a later one of
    the draft is the submission's next version.

    WrongError names the fields; `round_closed` where the edition does not accept today.
    """
    drafts.hold(connection, viewer, draft_id)
    draft = drafts.one(connection, viewer, draft_id)
    if draft.submission is not None:
        return renew(connection, viewer, draft.submission, file=draft.newest.file, analysis=draft.newest.analysis, today=today)
    rounds.need_open(connection, draft.edition, today=today)
    fields = wrong(given, edition, recommending)
    if fields:
        raise WrongError(fields)
    made = handed.submit(
        connection,
        viewer,
        edition=draft.edition,
        file=draft.newest.file,
        analysis=draft.newest.analysis,
        title=given.title,
        organisation=given.organisation,
        credit_code=credit_code(given.credit_code),
        contact=Contact(given.contact_name, given.phone, given.email),
        areas=tuple(area.id for area in edition.areas if area.id in given.areas),
        unit=int(given.unit) if recommending else None,
    )
    drafts.became(connection, viewer, draft_id, made.id)
    return made


def renew(connection: Connection, viewer: Viewer, id_: int, *, file: Uploaded, analysis: int, today: date) -> Submitted:
    """A new version of what the viewer handed in; the receipt of the version that has this file already, if there is one."""
    handed.held(connection, viewer, id_)
    found = handed.one(connection, viewer, id_)
    had = next((one for one in handed.versions(connection, viewer, id_) if one.sha256 == file.sha256), None)
    if had is not None and had.number == found.version and had.receipt is not None:
        return Submitted(id_, found.number, had.receipt, had.number)
    need_open(found.state, rounds.of(connection, found.edition), today)
    return handed.new_version(connection, viewer, id_, file=file, analysis=analysis)


def closed(state: str, run: Round, today: date) -> str | None:
    """Why no new version is taken; None where one is: of what was returned at any time, of what waits until the deadline."""
    if state == "returned" or (state == "received" and run.is_open(today)):
        return None
    if state == "received":
        return f"申报已于 {run.closes_on} 截止，材料正在形审；退回修改后可以上传新版本。" if run.closes_on else "这一届现在不接收新版本。"
    told = {"passed": "材料已通过形审", "set_aside": "材料已搁置", "withdrawn": "材料已撤回"}[state]
    return f"{told}，不能再上传新版本。如需修改，请联系办公室。"


def need_open(state: str, run: Round, today: date) -> None:
    """ServiceError with what `closed` says."""
    why = closed(state, run, today)
    if why is not None:
        raise ServiceError("submission_closed", why, status=409)


def mine(connection: Connection, viewer: Viewer) -> list[Mine]:
    """What the viewer handed in, the last changed first."""
    newest = (submission_versions.c.submission == submissions.c.id) & (submission_versions.c.number == submissions.c.version)
    returned = (
        select(decisions.c.reasons)
        .where(decisions.c.submission == submissions.c.id, decisions.c.action == "return")
        .order_by(decisions.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(
            submissions,
            units.c.name.label("unit_name"),
            analyses.c.state.label("analysis_state"),
            analyses.c.errors,
            analyses.c.warnings,
            submission_versions.c.receipt,
            submission_versions.c.sha256,
            returned.label("reasons"),
        )
        .join(submission_versions, newest)
        .join(analyses, analyses.c.id == submissions.c.analysis)
        .outerjoin(units, units.c.id == submissions.c.unit)
        .where(submissions.c.owner == viewer.id)
        .order_by(submissions.c.changed_at.desc(), submissions.c.id.desc())
    )
    return [
        Mine(
            id=row.id,
            number=row.number,
            edition=row.edition,
            title=row.title,
            organisation=row.organisation,
            unit_name=row.unit_name,
            state=row.state,
            version=row.version,
            submitted_at=row.submitted_at,
            changed_at=row.changed_at,
            analysis_state=row.analysis_state,
            errors=None if row.errors is None else max(0, row.errors - row.dismissed_errors),
            warnings=None if row.warnings is None else max(0, row.warnings - row.dismissed_warnings),
            receipt=row.receipt,
            reasons=row.reasons if row.state == "returned" else None,
            sha256=row.sha256,
        )
        for row in rows
    ]


def proposed(connection: Connection, viewer: Viewer, *, title: str, organisation: str, areas: Sequence[str]) -> Application:
    """What the form begins with: what the analysis read, and of the account and the viewer's last submission what seldom changes."""
    account = connection.execute(select(users.c.credit_code, users.c.email).where(users.c.id == viewer.id)).one()
    last = connection.execute(
        select(submissions).where(submissions.c.owner == viewer.id).order_by(submissions.c.id.desc()).limit(1)
    ).one_or_none()
    known = Application(
        title=title,
        organisation=viewer.organisation or (last.organisation if last else organisation),
        credit_code=account.credit_code or (last.credit_code or "" if last else ""),
        email=account.email or "",
        areas=tuple(areas),
    )
    if last is None:
        return known
    return replace(
        known,
        contact_name=last.contact_name or "",
        phone=last.contact_phone or "",
        email=last.contact_email or known.email,
        unit=str(last.unit or ""),
    )
