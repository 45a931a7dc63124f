"""Editions as they are run here: whether applications are taken, from when until when, and what is said beside it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from service.database import programme_tables as tables
from service.errors import ServiceError
from service.programme import audit
from service.programme.viewer import Viewer

State = Literal["open", "early", "over", "stopped"]
_MOST = 500  # characters of a note


@dataclass(frozen=True, slots=True)
class Round:
    """Days are Chinese days; `closes_on` is the last one that counts."""

    edition: str
    accepting: bool = False
    opens_on: date | None = None
    closes_on: date | None = None
    note: str | None = None

    def state(self, today: date) -> State:
        if not self.accepting:
            return "stopped"
        if self.opens_on is not None and today < self.opens_on:
            return "early"
        return "over" if self.closes_on is not None and today > self.closes_on else "open"

    def is_open(self, today: date) -> bool:
        return self.state(today) == "open"

    def days_left(self, today: date) -> int | None:
        """0 on the last day; None without one, and after it."""
        if self.closes_on is None or today > self.closes_on:
            return None
        return (self.closes_on - today).days


def listed(connection: Connection) -> dict[str, Round]:
    """The rounds that were set up, by edition; an edition without one takes no applications."""
    rows = connection.execute(select(tables.rounds).order_by(tables.rounds.c.edition))
    return {row.edition: Round(row.edition, row.accepting, row.opens_on, row.closes_on, row.note) for row in rows}


def of(connection: Connection, edition: str) -> Round:
    row = connection.execute(select(tables.rounds).where(tables.rounds.c.edition == edition)).one_or_none()
    return Round(edition) if row is None else Round(row.edition, row.accepting, row.opens_on, row.closes_on, row.note)


def need_open(connection: Connection, edition: str, *, today: date) -> Round:
    """The round; ServiceError with status 409 where applicants may not hand in now."""
    found = of(connection, edition)
    match found.state(today):
        case "stopped":
            raise ServiceError("round_closed", "这一届现在不接收申报。草稿仍可继续修改和审读；接收时间请看通知或询问办公室。", status=409)
        case "early":
            told = f"这一届从 {found.opens_on} 起接收申报，今天还不能提交。草稿可以先准备好。"
            raise ServiceError("round_closed", told, status=409)
        case "over":
            told = f"这一届的申报已于 {found.closes_on} 截止，不能再提交。如有特殊情况请联系办公室。"
            raise ServiceError("round_closed", told, status=409)
    return found


def save(connection: Connection, viewer: Viewer, wanted: Round, *, editions: Collection[str]) -> None:
    """Sets up the round of one of the program's `editions`."""
    if wanted.edition not in editions:
        raise ServiceError("edition_unknown", f"没有规则“{wanted.edition}”，可选：{'、'.join(sorted(editions))}。", status=404)
    if wanted.opens_on and wanted.closes_on and wanted.closes_on < wanted.opens_on:
        raise ServiceError("round_dates", f"截止日期 {wanted.closes_on} 早于开始日期 {wanted.opens_on}。请改正后再保存。", status=422)
    note = (wanted.note or "").strip() or None
    if note and len(note) > _MOST:
        raise ServiceError("text_too_long", f"说明有 {len(note)} 字，最多 {_MOST} 字。请删减后再保存。", status=422)
    values = {"accepting": wanted.accepting, "opens_on": wanted.opens_on, "closes_on": wanted.closes_on, "note": note}
    statement = insert(tables.rounds).values(edition=wanted.edition, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["edition"], set_=values))
    told = {name: str(value) if isinstance(value, date) else value for name, value in values.items()}
    audit.record(connection, viewer, "round.changed", f"edition:{wanted.edition}", details=told)
