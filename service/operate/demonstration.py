"""What `biaogan demo` fills a database with: accounts of every role, rounds, units, submissions in every state, reviews, a draft.

Everything is done by the functions that the pages call, as the people whose work it would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, select

from service import rulebook
from service.artefacts import CORPORA
from service.database.files import Files
from service.database.programme_tables import users
from service.errors import ServiceError
from service.operate.demo_files import Writeup, word, writeups
from service.programme import accounts, analyses, assignments, batches, drafts, links, reviews, rounds, submissions, triage, units, uploads
from service.programme.accounts import Wanted
from service.programme.analyses import Current
from service.programme.china import ZONE
from service.programme.reviews import Written
from service.programme.submissions import Contact, Submitted
from service.programme.viewer import SYSTEM, Viewer

EDITIONS = ("2024-caq", "2022-hebei")
_WEEKS = 4  # until the deadline
_MOST_MB = 50
_DAYS = 90  # that the draft lives
_BATCH = 6  # files brought in by the office together
_UNITS = (("示例市工业和信息化局（构造）", 12), ("示例行业质量协会（构造）", 8), ("示例控股集团质量部（构造）", 6))  # name, quota
# Name, role, shown, organisation; all of them invented.
_ACCOUNTS = (
    ("demo-admin", "admin", "管理员·演示", "示例质量协会秘书处（构造）"),
    ("demo-office", "office", "办公室·演示", "示例质量协会秘书处（构造）"),
    ("demo-reviewer", "reviewer", "评审专家甲·演示", "示例大学质量研究中心（构造）"),
    ("demo-reviewer-2", "reviewer", "评审专家乙·演示", "示例计量检测院（构造）"),
    ("demo-applicant", "applicant", "申报单位·演示", "示例精密机械有限公司（构造）"),
    ("demo-unit", "unit", "推荐单位·演示", _UNITS[0][0]),
)
_RETURNED = "一、实施成效部分没有与同行业先进水平的对比数据，请补充并写明数据来源。\n二、企业概况偏长，请压缩。"
_LATER = "申报主体资格有待核实，先搁置。"
# What becomes of every ten submissions, in their order; None: still to be looked at.
_FATES = ("pass", None, "pass", "return", None, "pass", "pass", "set_aside", "pass", None)
_COMMENTS = {
    "science": "方法针对企业的实际问题，适用条件写得清楚；与通行做法相比改进在哪里，可以再点明。",
    "system": "从立项、推行到固化过程完整，职责和制度有交代；经验教训写得较少。",
    "effect": "近三年的指标连续、口径一致，并有与行业水平的对比。",
}
_CONFLICT = "近三年曾为该单位提供质量管理咨询。"


def fill(connection: Connection, files: Files, now: Current, *, most: int) -> int:
    """How many submissions were made: none where the demonstration is there already. ServiceError where others work here."""
    names = list(connection.execute(select(users.c.name).order_by(users.c.id)).scalars())
    others = [name for name in names if not name.startswith("demo-")]
    if others:
        told = f"数据库里已有 {len(others)} 个账号（{'、'.join(others[:3])}），演示内容只放进空的数据库。"
        raise ServiceError("demo_not_empty", told + "请用 BIAOGAN_DATA_DIR 另指一个文件夹，再运行 biaogan demo。", status=409)
    if names:
        return 0
    people = _people(connection)
    wanted = list(islice((one for one in writeups(CORPORA) if one.edition in EDITIONS), most + 1))
    if len(wanted) < 4:
        raise ServiceError("demo_without_texts", "没有找到虚构的样例材料（corpora 文件夹）。请在源代码文件夹里运行 biaogan demo。")
    made = _hand_in(connection, files, now, people, wanted[:-1])
    _decide(connection, people, made)
    _bring_in(connection, files, now, people, wanted[-_BATCH - 1 : -1])
    _review(connection, people, [one.id for number, one in enumerate(made) if _FATES[number % len(_FATES)] == "pass"])
    _draft(connection, files, now, people["demo-applicant"], next((one for one in wanted if one.lines), wanted[-1]))
    return len(made)


def links_of(connection: Connection) -> list[tuple[str, str]]:
    """Role and token of each demonstration account's new sign-in link."""
    rows = connection.execute(select(users).where(users.c.name.startswith("demo-"), users.c.active).order_by(users.c.id)).all()
    return [(row.shown, links.demo(connection, row.id)) for row in rows]


def _people(connection: Connection) -> dict[str, Viewer]:
    today = datetime.now(ZONE).date()
    known = {one.id for one in rulebook.editions()}
    for edition in EDITIONS:
        opened, closes = today - timedelta(weeks=2), today + timedelta(weeks=_WEEKS)
        rounds.save(connection, SYSTEM, rounds.Round(edition, True, opened, closes, "演示用的起止日期"), editions=known)  # noqa: FBT003
    for name, places in _UNITS:
        unit = units.add(connection, SYSTEM, name)
        for edition in EDITIONS:
            units.set_quota(connection, SYSTEM, unit, edition=edition, places=places)
    first = min(unit.id for unit in units.listed(connection) if unit.name == _UNITS[0][0])
    for name, role, shown, organisation in _ACCOUNTS:
        wanted = Wanted(name=name, role=role, shown=shown, organisation=organisation, unit=first if role == "unit" else None)
        accounts.add(connection, SYSTEM, wanted)
    return {row.name: _viewer(row) for row in connection.execute(select(users))}


def _viewer(row: Row[Any]) -> Viewer:
    return Viewer(row.id, row.name, row.shown, row.role, row.organisation, row.unit)


def _hand_in(connection: Connection, files: Files, now: Current, people: dict[str, Viewer], wanted: Sequence[Writeup]) -> list[Submitted]:
    """Each with a recommending unit; the first four by the applicant, the others entered by the office."""
    units_ = [unit.id for unit in units.listed(connection)]
    made = []
    for number, one in enumerate(wanted):
        edition = rulebook.load(one.edition)
        kept = uploads.stored(connection, files, uploads.checked(one.data, one.file_name, most_mb=_MOST_MB))
        own = number < 4
        made.append(
            submissions.submit(
                connection,
                people["demo-applicant" if own else "demo-office"],
                edition=edition.id,
                file=kept,
                analysis=analyses.want(connection, sha256=kept.sha256, file_name=kept.file_name, edition=edition, current=now),
                title=one.title,
                organisation=one.organisation,
                contact=Contact("示例联系人", "0000-0000000", "nobody@example.com"),
                unit=units_[number % len(units_)],
            )
        )
    return made


def _decide(connection: Connection, people: dict[str, Viewer], made: Sequence[Submitted]) -> None:
    reasons = {"return": _RETURNED, "set_aside": _LATER}
    for number, one in enumerate(made):
        action = _FATES[number % len(_FATES)]
        if action is not None:
            triage.decide(connection, people["demo-office"], one.id, action, reasons=reasons.get(action, ""))


def _bring_in(connection: Connection, files: Files, now: Current, people: dict[str, Viewer], wanted: Sequence[Writeup]) -> None:
    """A batch of files without a word on whose they are, the same as before: what the office brings in from a disk."""
    office, edition = people["demo-office"], rulebook.load(EDITIONS[0])
    batch = batches.create(connection, office, edition=edition.id, name="补交材料（演示）")
    for one in wanted:
        batches.receive(connection, office, files, batch, data=one.data, name=one.file_name, edition=edition, current=now, most_mb=_MOST_MB)


def _review(connection: Connection, people: dict[str, Viewer], passed: Sequence[int]) -> None:
    """Two reviewers for what has passed: one review finished, one begun, one conflict of interest."""
    first, second = people["demo-reviewer"], people["demo-reviewer-2"]
    ids = [one.id for one in (first, second) if one.id is not None]
    assignments.assign_many(connection, people["demo-office"], passed, ids, each=1)
    assignments.assign_many(connection, people["demo-office"], passed[:4], ids, each=2)
    tasks = reviews.listed(connection, first)
    for task in tasks[:3]:
        reviews.declare(connection, first, task.id, conflict=False)
    for number, task in enumerate(tasks[:2]):
        edition = rulebook.load(task.edition)
        written = Written("待核对：成效数据的口径。", _COMMENTS, "总体较好，建议推荐。" if number == 0 else "")
        revision = reviews.save(connection, first, task.id, written, edition=edition, revision=0)
        if number == 0:
            reviews.finish(connection, first, task.id, revision=revision)
    reviews.declare(connection, second, reviews.listed(connection, second)[0].id, conflict=True, reason=_CONFLICT)


def _draft(connection: Connection, files: Files, now: Current, owner: Viewer, one: Writeup) -> None:
    """The applicant's: the first version lacks the last section, the second has it."""
    edition = rulebook.load(one.edition)
    cuts = [number for number, line in enumerate(one.lines) if line.startswith("## ")]
    begun = word(one.lines[: cuts[-1]]) if len(cuts) > 1 else one.data
    name, ending = "质量标杆典型经验", ".docx"
    first = uploads.checked(begun, f"{name}-初稿{ending}", most_mb=_MOST_MB)
    draft = drafts.create(connection, owner, files, edition=edition, file=first, name="明年申报用的草稿", days=_DAYS, current=now)
    second = uploads.checked(one.data, f"{name}-第二稿{ending}", most_mb=_MOST_MB)
    drafts.add_version(connection, owner, files, draft, edition=edition, file=second, days=_DAYS, current=now)
