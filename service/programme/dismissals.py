"""Findings that staff judged wrong: known again by their rule and their words on later versions, left out of the counts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from service.database.programme_tables import dismissals, submissions, users
from service.model import Report
from service.render.masked import masked
from service.render.view import Item, items

_FIGURES = re.compile(r"[\d.,]+")


@dataclass(frozen=True, slots=True)
class Dismissal:
    id: int
    version: int  # of the submission, where it was dismissed
    rule: str
    quote: str
    message: str
    reason: str
    by: str
    at: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.rule, self.quote


def findings(report: Report) -> tuple[Item, ...]:
    """Every finding as staff see it: personal data are masked, here and wherever its words are kept."""
    return items(masked(report))


def key(item: Item) -> tuple[str, str]:
    """What makes two findings the same one: the rule and the words that are marked.

    Of a finding on the whole write-up no words are marked: its message tells, without the figures that change from version to version.
    """
    return item.rule, item.snippet or _FIGURES.sub("#", item.message)


def of(connection: Connection, submission: int) -> list[Dismissal]:
    """Those in force, the newest first; the caller has seen to it that the submission may be seen."""
    rows = connection.execute(
        select(dismissals, users.c.shown)
        .join(users, users.c.id == dismissals.c.by)
        .where(dismissals.c.submission == submission, dismissals.c.undone_at.is_(None))
        .order_by(dismissals.c.id.desc())
    )
    return [Dismissal(row.id, row.version, row.rule, row.quote, row.message, row.reason, row.shown, row.at) for row in rows]


def apart(found: Iterable[Item], dismissed: Collection[tuple[str, str]]) -> tuple[list[Item], list[Item]]:
    """The findings that stand, and those that were dismissed."""
    standing: list[Item] = []
    gone: list[Item] = []
    for item in found:
        (gone if key(item) in dismissed else standing).append(item)
    return standing, gone


def recount(connection: Connection, submission: int, report: Report) -> None:
    """How many errors and warnings of the newest version are dismissed. Call it when its analysis is done and when one is dismissed."""
    dismissed = {each.key for each in of(connection, submission)}
    gone = apart(findings(report), dismissed)[1] if dismissed else []
    counts = {f"dismissed_{kind}s": sum(item.severity == kind for item in gone) for kind in ("error", "warning")}
    connection.execute(update(submissions).where(submissions.c.id == submission).values(**counts))
