"""Drafts: private to their owner. Nobody else sees them, staff and administrators included; they are compared with past benchmarks alone.

A draft ends with its owner's word or by itself when it has not been touched for the time that is set; its versions, files and analyses end
with it, unless somebody else refers to the same bytes. What was submitted of it stays with the submission.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from service.database import keeping
from service.database.files import Files
from service.database.programme_tables import analyses as analysed
from service.database.programme_tables import draft_versions, drafts
from service.errors import ServiceError
from service.model import Edition
from service.programme import analyses, audit, uploads
from service.programme.analyses import Current
from service.programme.submissions import Uploaded
from service.programme.uploads import Checked
from service.programme.viewer import SYSTEM, Viewer, not_found

MOST = 100  # drafts of one user
MOST_VERSIONS = 200  # of one draft
_LONGEST = 80  # characters of a name
_AT_ONCE = 200  # drafts that one run of `expire` ends
_ID = re.compile(r"[0-9a-f]{16}")
_DIGEST = ("state", "reason", "status", "title", "words", "errors", "warnings", "advice", "missing", "areas", "organisation")


@dataclass(frozen=True, slots=True)
class Version:
    """An upload with what lists show of its report; counts are None where nothing was judged."""

    number: int  # from 1
    file: Uploaded
    analysis: int
    uploaded_at: datetime
    state: analyses.State
    reason: str | None
    status: str | None
    title: str | None
    words: int | None
    errors: int | None
    warnings: int | None
    advice: int | None
    missing: tuple[str, ...]
    areas: tuple[str, ...]
    organisation: str | None

    @property
    def shown(self) -> str:
        """How far its analysis is, as the state chip names it; a file that could not be read has failed."""
        return "failed" if self.state == "done" and self.status == "failed" else self.state


@dataclass(frozen=True, slots=True)
class Draft:
    id: str
    edition: str
    name: str | None
    created_at: datetime
    changed_at: datetime
    expires_at: datetime
    submission: int | None
    versions: tuple[Version, ...]  # the newest first

    @property
    def newest(self) -> Version:
        return self.versions[0]

    @property
    def shown(self) -> str:
        """What it is called: by its owner, else by its title, else by its file."""
        return self.name or self.newest.title or self.newest.file.file_name

    def version(self, number: int) -> Version:
        found = next((version for version in self.versions if version.number == number), None)
        return found or not_found("草稿的这个版本")


def mine(connection: Connection, viewer: Viewer) -> list[Draft]:
    """The viewer's drafts with their newest versions alone, the last changed first."""
    return _read(connection, drafts.c.owner == viewer.id, newest_only=True)


def one(connection: Connection, viewer: Viewer, id_: str) -> Draft:
    """With all versions; `not_found` for everyone but its owner."""
    found = _read(connection, drafts.c.owner == viewer.id, drafts.c.id == _fit(id_))
    return found[0] if found else not_found("这份草稿")


def hold(connection: Connection, viewer: Viewer, id_: str) -> None:
    """Locks the draft until the transaction ends; `not_found` where it is not the viewer's."""
    own = select(drafts.c.id).where(drafts.c.owner == viewer.id, drafts.c.id == _fit(id_))
    if connection.execute(own.with_for_update()).scalar() is None:
        not_found("这份草稿")


def create(
    connection: Connection, viewer: Viewer, files: Files, *, edition: Edition, file: Checked, name: str, days: int, current: Current
) -> str:
    """A new draft of one version; its id, which says nothing. `days` until it ends if it is not touched."""
    have: int = connection.execute(select(func.count()).where(drafts.c.owner == viewer.id)).scalar_one()
    if have >= MOST:
        raise ServiceError("drafts_too_many", f"您已有 {have} 份草稿，达到上限。请先删除不再需要的草稿。", status=409)
    id_ = secrets.token_hex(8)
    connection.execute(drafts.insert().values(id=id_, owner=viewer.id, edition=edition.id, name=_name(name), expires_at=_until(days)))
    _add(connection, files, id_, 1, edition=edition, file=file, current=current)
    audit.record(connection, viewer, "draft.created", f"draft:{id_}", details={"edition": edition.id})
    return id_


def add_version(
    connection: Connection, viewer: Viewer, files: Files, id_: str, *, edition: Edition, file: Checked, days: int, current: Current
) -> int:
    """The next version; its number."""
    hold(connection, viewer, id_)
    draft = one(connection, viewer, id_)
    if len(draft.versions) >= MOST_VERSIONS:
        raise ServiceError("drafts_too_many", f"这份草稿已有 {len(draft.versions)} 个版本，达到上限。请另建一份草稿。", status=409)
    number = draft.newest.number + 1
    _add(connection, files, id_, number, edition=edition, file=file, current=current)
    _touch(connection, id_, days=days)
    audit.record(connection, viewer, "draft.version_added", f"draft:{id_}", details={"version": number})
    return number


def retry(connection: Connection, viewer: Viewer, id_: str, *, edition: Edition, current: Current) -> None:
    """Analyses the newest version again where that failed; also one that rules, models or library have left behind."""
    hold(connection, viewer, id_)
    newest = one(connection, viewer, id_).newest
    wanted = analyses.want(
        connection,
        sha256=newest.file.sha256,
        file_name=newest.file.file_name,
        edition=edition,
        current=current,
        priority=analyses.SOON,
    )
    mine = (draft_versions.c.draft == id_) & (draft_versions.c.number == newest.number)
    connection.execute(draft_versions.update().where(mine).values(analysis=wanted))
    if wanted != newest.analysis:
        analyses.forget(connection, newest.analysis)
    audit.record(connection, viewer, "draft.retried", f"draft:{id_}", details={"version": newest.number})


def rename(connection: Connection, viewer: Viewer, id_: str, *, name: str, days: int) -> None:
    """What its owner calls it; nothing: its title."""
    hold(connection, viewer, id_)
    _touch(connection, id_, days=days, name=_name(name))


def became(connection: Connection, viewer: Viewer, id_: str, submission: int) -> None:
    """Remembers what was submitted of it."""
    hold(connection, viewer, id_)
    connection.execute(drafts.update().where(drafts.c.id == id_).values(submission=submission))


def delete(connection: Connection, viewer: Viewer, files: Files, id_: str) -> None:
    """With all versions; files and analyses that nobody else refers to are gone as well."""
    hold(connection, viewer, id_)
    _remove(connection, files, [id_])
    audit.record(connection, viewer, "draft.deleted", f"draft:{id_}")


def expire(connection: Connection, files: Files, *, now: datetime | None = None) -> int:
    """Ends the drafts whose time is over, those that nobody is just changing; how many. For the periodic task."""
    over = (
        select(drafts.c.id)
        .where(drafts.c.expires_at <= (now or datetime.now(UTC)))
        .order_by(drafts.c.expires_at)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    ids = list(connection.execute(over).scalars())
    if ids:
        _remove(connection, files, ids)
        for id_ in ids:
            audit.record(connection, SYSTEM, "draft.expired", f"draft:{id_}")
    return len(ids)


# --- inside ------------------------------------------------------------------------------------------------------------------------


def _read(connection: Connection, *conditions: ColumnElement[bool], newest_only: bool = False) -> list[Draft]:
    query = (
        select(drafts, draft_versions, *(analysed.c[name].label(f"a_{name}") for name in _DIGEST))
        .join(draft_versions, draft_versions.c.draft == drafts.c.id)
        .join(analysed, analysed.c.id == draft_versions.c.analysis)
        .where(*conditions)
        .order_by(drafts.c.changed_at.desc(), drafts.c.id, draft_versions.c.number.desc())
    )
    if newest_only:
        latest = select(func.max(draft_versions.c.number)).where(draft_versions.c.draft == drafts.c.id).correlate(drafts).scalar_subquery()
        query = query.where(draft_versions.c.number == latest)
    by_draft: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query):
        by_draft.setdefault(row.id, []).append(row)
    return [_draft(rows) for rows in by_draft.values()]


def _draft(rows: Sequence[Row[Any]]) -> Draft:
    head = rows[0]
    return Draft(
        id=head.id,
        edition=head.edition,
        name=head.name,
        created_at=head.created_at,
        changed_at=head.changed_at,
        expires_at=head.expires_at,
        submission=head.submission,
        versions=tuple(map(_version, rows)),
    )


def _version(row: Row[Any]) -> Version:
    told = {name: getattr(row, f"a_{name}") for name in _DIGEST}
    told["missing"], told["areas"] = tuple(told["missing"] or ()), tuple(told["areas"] or ())
    file = Uploaded(row.sha256, row.file_name, row.size)
    return Version(number=row.number, file=file, analysis=row.analysis, uploaded_at=row.uploaded_at, **told)


def _add(connection: Connection, files: Files, id_: str, number: int, *, edition: Edition, file: Checked, current: Current) -> None:
    kept = uploads.stored(connection, files, file)
    wanted = analyses.want(
        connection, sha256=kept.sha256, file_name=kept.file_name, edition=edition, current=current, priority=analyses.SOON
    )
    connection.execute(
        draft_versions.insert().values(
            draft=id_, number=number, sha256=kept.sha256, file_name=kept.file_name, size=kept.size, analysis=wanted
        )
    )


def _touch(connection: Connection, id_: str, *, days: int, **values: Any) -> None:
    changed = {"changed_at": func.now(), "expires_at": _until(days), **values}
    connection.execute(drafts.update().where(drafts.c.id == id_).values(**changed))


def _until(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def _remove(connection: Connection, files: Files, ids: Sequence[str]) -> None:
    """The locked drafts with what only they refer to."""
    mine = draft_versions.c.draft.in_(ids)
    keeping.hold(connection, connection.execute(select(draft_versions.c.sha256).where(mine)).scalars())
    rows = connection.execute(draft_versions.delete().where(mine).returning(draft_versions.c.analysis, draft_versions.c.sha256)).all()
    connection.execute(drafts.delete().where(drafts.c.id.in_(ids)))
    for analysis in sorted({row.analysis for row in rows}):
        analyses.forget(connection, analysis)
    keeping.let_go(connection, files, {row.sha256 for row in rows})


def _fit(id_: str) -> str:
    """What PostgreSQL can hold; nothing is found under anything else."""
    return id_ if _ID.fullmatch(id_) else ""


def _name(given: str) -> str | None:
    told = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", given).split())
    return told[:_LONGEST] or None
