"""Many files brought in by staff at once: each becomes a submission or is refused with its reason, and what is there twice is told.

Until its analysis is done a submission from a batch is called after its file; then title and organisation are taken from the text.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal_column, null, or_, select

from service.database import programme_tables as tables
from service.database.files import Files
from service.database.programme_tables import batch_files, submission_versions, submissions, units, users
from service.errors import ServiceError
from service.model import Edition
from service.programme import analyses, audit, uploads
from service.programme import submissions as handing_in
from service.programme.analyses import Current
from service.programme.viewer import Viewer, not_found

PENDING = "（单位待识别）"
UNKNOWN = "（单位未识别）"
MOST = 1000  # files of a batch
PAGE = 50  # batches of a page
_LONGEST = 80  # characters of a name
_TITLE, _ORGANISATION = 200, 120  # characters that a submission holds
_TEMPORARY = "这是 Word 或系统的临时文件，不是申报材料，没有接收。"
_DUPLICATE_HERE = "与本批第 {number} 个文件内容完全相同，请核对是否重复。"
_DUPLICATE_THERE = "与已收的 {numbers} 文件内容完全相同，请核对是否重复。"

State = Literal["refused", "waiting", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Batch:
    """`by` is who brought it in. The counts are of its files; the files of `waiting` and `running` will change by themselves."""

    id: int
    name: str | None
    edition: str
    unit: int | None
    unit_name: str | None
    by: str
    at: datetime
    files: int
    refused: int
    waiting: int
    running: int
    done: int
    failed: int

    @property
    def open(self) -> int:
        """How many are still to be analysed."""
        return self.waiting + self.running

    @property
    def settled(self) -> int:
        return self.files - self.open


@dataclass(frozen=True, slots=True)
class Row:
    """A file. `state` is that of its analysis, or refused; `reason` why, or what else is to be said of it (Chinese)."""

    number: int
    file_name: str
    state: State
    reason: str | None
    submission: int | None
    submission_number: str | None
    title: str | None
    organisation: str | None
    report: str | None  # complete, partial, failed
    words: int | None
    errors: int | None
    warnings: int | None


# --- bringing in -------------------------------------------------------------------------------------------------------------------


def create(connection: Connection, viewer: Viewer, *, edition: str, unit: int | None = None, name: str = "") -> int:
    """A new, empty batch; `edition` is the id of one that there is."""
    _need_staff(viewer)
    if unit is not None and connection.execute(select(units.c.id).where(units.c.id == unit)).scalar() is None:
        raise ServiceError("unit_unknown", "没有这个推荐单位，可能刚被删除。请重新选择。", status=422)
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    if len(name) > _LONGEST:
        raise ServiceError("text_too_long", f"名称有 {len(name)} 字，最多 {_LONGEST} 字。请缩短后再保存。", status=422)
    values = {"by": viewer.id, "edition": edition, "unit": unit, "name": name or None}
    id_: int = connection.execute(tables.batches.insert().values(**values).returning(tables.batches.c.id)).scalar_one()
    audit.record(connection, viewer, "batch.created", f"batch:{id_}", details={"edition": edition, "unit": unit, "name": name or None})
    return id_


def receive(
    connection: Connection,
    viewer: Viewer,
    files: Files,
    batch: int,
    *,
    data: bytes,
    name: str,
    edition: Edition,
    current: Current,
    most_mb: int,
) -> State:
    """One file of a batch: a submission, or a refused row with the reason. `edition` is the batch's.

    The bytes are in the store, and its analysis is in the queue, when the transaction ends.
    """
    _need_staff(viewer)
    shown = uploads.file_name(name)
    try:
        _refuse_temporary(shown)
        kept = uploads.stored(connection, files, uploads.checked(data, name, most_mb=most_mb))
    except ServiceError as error:
        if error.status >= 500:
            raise
        return _refuse(connection, batch, shown, error.message)
    analysis = analyses.want(connection, sha256=kept.sha256, file_name=kept.file_name, edition=edition, current=current)
    number, unit = _next(connection, batch)
    told = _twice(connection, batch, edition.id, kept.sha256)
    submitted = handing_in.submit(
        connection,
        viewer,
        edition=edition.id,
        file=handing_in.Uploaded(kept.sha256, kept.file_name, kept.size),
        analysis=analysis,
        title=_stem(kept.file_name),
        organisation=PENDING,
        unit=unit,
        batch=batch,
    )
    row = {"file_name": kept.file_name, "sha256": kept.sha256, "state": "received", "reason": told, "submission": submitted.id}
    connection.execute(batch_files.insert().values(batch=batch, number=number, **row))
    if analyses.state(connection, analysis).state == "done":  # the same file was analysed before
        named(connection, analysis)
    return "waiting"


def refuse(connection: Connection, viewer: Viewer, batch: int, *, name: str, reason: str) -> None:
    """Notes a file that was not looked at."""
    _need_staff(viewer)
    _refuse(connection, batch, uploads.file_name(name), reason)


def named(connection: Connection, analysis: int) -> None:
    """Gives title and organisation from the text to submissions of a batch that were called after their file. Call it when it is done.

    The revision stays: nobody decided anything.
    """
    source = tables.analyses
    blank = func.nullif(func.btrim(func.left(source.c.title, _TITLE)), "")
    owner = func.nullif(func.btrim(func.left(source.c.organisation, _ORGANISATION)), "")
    connection.execute(
        submissions.update()
        .where(source.c.id == analysis, submissions.c.analysis == source.c.id, source.c.state == "done")
        .where(submissions.c.batch.is_not(None), submissions.c.organisation == PENDING)
        .values(title=func.coalesce(blank, submissions.c.title), organisation=func.coalesce(owner, UNKNOWN))
    )


def retry(connection: Connection, viewer: Viewer, batch: int, *, number: int | None = None) -> int:
    """Analyses again what failed: one file, or all of the batch; how many."""
    one(connection, viewer, batch)
    query = (
        select(submissions.c.analysis, func.min(batch_files.c.file_name).label("file_name"))
        .join(batch_files, batch_files.c.submission == submissions.c.id)
        .join(tables.analyses, tables.analyses.c.id == submissions.c.analysis)
        .where(batch_files.c.batch == batch, tables.analyses.c.state == "failed")
        .group_by(submissions.c.analysis)
        .order_by(submissions.c.analysis)
    )
    if number is not None:
        query = query.where(batch_files.c.number == number)
    rows = connection.execute(query).all()
    done = sum(analyses.again(connection, row.analysis, file_name=row.file_name) for row in rows)
    if done:
        audit.record(connection, viewer, "batch.retried", f"batch:{batch}", details={"files": done})
    return done


# --- looking at them ---------------------------------------------------------------------------------------------------------------


def listed(connection: Connection, viewer: Viewer, *, page: int = 1) -> tuple[list[Batch], int]:
    """The newest first, and how many there are."""
    _need_staff(viewer)
    total = connection.execute(select(func.count()).select_from(tables.batches)).scalar_one()
    query = _counted().order_by(tables.batches.c.id.desc()).limit(PAGE).offset((max(1, page) - 1) * PAGE)
    return [Batch(**row._mapping) for row in connection.execute(query)], total


def one(connection: Connection, viewer: Viewer, id_: int) -> Batch:
    _need_staff(viewer)
    row = connection.execute(_counted().where(tables.batches.c.id == (id_ if 0 < id_ < 2**31 else 0))).one_or_none()
    return not_found("这一批材料") if row is None else Batch(**row._mapping)


def rows(connection: Connection, viewer: Viewer, batch: int, *, states: Collection[str] = (), since: datetime | None = None) -> list[Row]:
    """The files in the order in which they came: those in these states (default: all), those that changed since then."""
    _need_staff(viewer)
    query = _rows().where(batch_files.c.batch == batch).order_by(batch_files.c.number)
    if states:
        query = query.where(_STATE.in_(states))
    if since is not None:
        source = tables.analyses.c
        changed = func.greatest(batch_files.c.at, source.wanted_at, source.started_at, source.finished_at)
        query = query.where(changed >= since)
    return [Row(**row._mapping) for row in connection.execute(query)]


def now(connection: Connection) -> datetime:
    """The database's time, to ask for what changed `since`: a little before, for what other transactions have not committed yet."""
    found: datetime = connection.execute(select(func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, 3))).scalar_one()
    return found


# --- inside ------------------------------------------------------------------------------------------------------------------------

_STATE: ColumnElement[Any] = case((batch_files.c.submission.is_(None), "refused"), else_=tables.analyses.c.state)
_JOINED = batch_files.outerjoin(submissions, submissions.c.id == batch_files.c.submission).outerjoin(
    tables.analyses, tables.analyses.c.id == submissions.c.analysis
)


def _is(state: str) -> ColumnElement[bool]:
    return _STATE.is_not_distinct_from(state)


def _rows() -> Select[Any]:
    source = tables.analyses.c
    failed = and_(source.state == "failed", source.reason.is_not(None))
    again = and_(source.state == "waiting", source.reason.is_not(None))
    return select(
        batch_files.c.number,
        batch_files.c.file_name,
        _STATE.label("state"),
        case((or_(failed, again), source.reason), else_=batch_files.c.reason).label("reason"),
        batch_files.c.submission,
        submissions.c.number.label("submission_number"),
        submissions.c.title,
        case((submissions.c.organisation == PENDING, null()), else_=submissions.c.organisation).label("organisation"),
        source.status.label("report"),
        source.words,
        source.errors,
        source.warnings,
    ).select_from(_JOINED)


def _counted() -> Select[Any]:
    """The columns of Batch."""
    counts: dict[str, Any] = {
        state: func.count().filter(_is(state)).label(state) for state in ("refused", "waiting", "running", "done", "failed")
    }
    tally = (
        select(batch_files.c.batch, func.count().label("files"), *counts.values())
        .select_from(_JOINED)
        .group_by(batch_files.c.batch)
        .subquery("tally")
    )
    batches = tables.batches.c
    zero: ColumnElement[int] = literal_column("0")
    return (
        select(
            batches.id,
            batches.name,
            batches.edition,
            batches.unit,
            units.c.name.label("unit_name"),
            users.c.shown.label("by"),
            batches.at,
            *(func.coalesce(tally.c[name], zero).label(name) for name in ("files", *counts)),
        )
        .outerjoin(tally, tally.c.batch == batches.id)
        .outerjoin(units, units.c.id == batches.unit)
        .join(users, users.c.id == batches.by)
    )


def _next(connection: Connection, batch: int) -> tuple[int, int | None]:
    """The number of the batch's next file and its unit; the batch is locked until the transaction ends."""
    held = connection.execute(select(tables.batches.c.unit).where(tables.batches.c.id == batch).with_for_update()).one_or_none()
    if held is None:
        not_found("这一批材料")
    last = connection.execute(select(func.max(batch_files.c.number)).where(batch_files.c.batch == batch)).scalar() or 0
    if last >= MOST:
        raise ServiceError("batch_full", f"这一批已有 {MOST} 个文件，不能再加。其余文件请新建一批。", status=409)
    return last + 1, held.unit


def _refuse(connection: Connection, batch: int, name: str, reason: str) -> State:
    number, _ = _next(connection, batch)
    connection.execute(batch_files.insert().values(batch=batch, number=number, file_name=name, state="refused", reason=reason))
    return "refused"


def _refuse_temporary(name: str) -> None:
    if name.startswith(("~$", ".")) or name.lower() in {"thumbs.db", "desktop.ini"}:
        raise ServiceError("file_temporary", _TEMPORARY, status=422)


def _twice(connection: Connection, batch: int, edition: str, sha256: str) -> str | None:
    """Where the same bytes are already: in the batch, else among the edition's submissions."""
    here = select(func.min(batch_files.c.number)).where(batch_files.c.batch == batch, batch_files.c.sha256 == sha256)
    number = connection.execute(here).scalar()
    if number is not None:
        return _DUPLICATE_HERE.format(number=number)
    there = (
        select(submissions.c.number)
        .join(submission_versions, submission_versions.c.submission == submissions.c.id)
        .where(submission_versions.c.sha256 == sha256, submissions.c.edition == edition, submissions.c.state != "withdrawn")
        .distinct()
        .order_by(submissions.c.number)
        .limit(3)
    )
    numbers: Sequence[str] = connection.execute(there).scalars().all()
    return _DUPLICATE_THERE.format(numbers="、".join(numbers)) if numbers else None


def _stem(name: str) -> str:
    return (PurePath(name).stem or name)[:_TITLE]


def _need_staff(viewer: Viewer) -> None:
    if not viewer.is_staff:
        not_found("这一批材料")
