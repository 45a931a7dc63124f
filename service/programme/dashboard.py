"""概况: what an edition's submissions look like together, counted where they are. For staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Integer, case, cast, func, select

from service import rulebook
from service.database.programme_tables import STATES, analyses, assignments, similar_submissions, submissions
from service.model import Edition
from service.programme import ranking, rounds
from service.programme.china import ZONE
from service.programme.ranking import Share
from service.programme.rounds import Round
from service.programme.viewer import Viewer, not_found

_RULES = 12  # of the typical errors
_DAYS = 42  # days of arrivals shown at most, the last ones
_FEWEST = 14
_ANALYSES = ("waiting", "running", "done", "failed")
_GRAVE = ("error", "warning")


@dataclass(frozen=True, slots=True)
class Typical:
    """A rule and how many submissions have a finding of it."""

    rule: str
    severity: str
    submissions: int


@dataclass(frozen=True, slots=True)
class Board:
    """Withdrawn submissions are counted under `states` alone."""

    edition: Edition
    round: Round
    states: Mapping[str, int]
    analyses: Mapping[str, int]  # waiting, running, done, failed
    areas: tuple[tuple[str | None, int], ...]  # None: none could be told
    units: tuple[Share, ...]
    typical: tuple[Typical, ...]
    words: tuple[int, ...]
    least: int | None  # 字数 that the edition asks for
    most: int | None
    days: tuple[tuple[date, int], ...]
    days_before: int  # submissions that came before the first of these days
    without_errors: int  # of those judged
    judged: int
    reused: int  # like a past benchmark: near_duplicate or reuse
    alike: int  # like another submission of the edition
    assigned: int  # with at least one reviewer

    @property
    def total(self) -> int:
        return sum(number for state, number in self.states.items() if state != "withdrawn")

    @property
    def over(self) -> tuple[Share, ...]:
        """Units with more submissions than places."""
        return tuple(share for share in self.units if share.over)


def editions(connection: Connection, *, today: date) -> list[str]:
    """Editions that are run here or have submissions: those that accept first, then the newest. At least one."""
    years = {each.id: each.year for each in rulebook.editions()}
    running = rounds.listed(connection)
    used = set(connection.execute(select(submissions.c.edition).distinct()).scalars()) | set(running)
    known = [id_ for id_ in used if id_ in years] or sorted(years)
    return sorted(known, key=lambda id_: (id_ not in running or not running[id_].is_open(today), -years[id_], id_))


def board(connection: Connection, viewer: Viewer, edition: str, *, today: date) -> Board:
    """Everything that the page shows."""
    if not viewer.is_staff:
        not_found("这一页")
    rules = rulebook.load(edition)
    least, most = _limits(rules)
    days, before = _days(connection, edition, today=today)
    return Board(
        edition=rules,
        round=rounds.of(connection, edition),
        states=_states(connection, edition),
        analyses=dict.fromkeys(_ANALYSES, 0) | dict(_counted(connection, edition, analyses.c.state)),
        areas=_areas(connection, edition),
        units=tuple(ranking.shares(connection, viewer, edition)),
        typical=_typical(connection, rules),
        words=_words(connection, edition),
        least=least,
        most=most,
        days=days,
        days_before=before,
        **_facts(connection, edition),
    )


# --- inside ------------------------------------------------------------------------------------------------------------------------


def _in(edition: str) -> ColumnElement[bool]:
    return (submissions.c.edition == edition) & (submissions.c.state != "withdrawn")


def _counted(connection: Connection, edition: str, column: ColumnElement[Any]) -> list[tuple[Any, int]]:
    """Values of a column with the number of submissions, the most first."""
    joined = submissions.join(analyses, analyses.c.id == submissions.c.analysis)
    query = select(column, func.count()).select_from(joined).where(_in(edition)).group_by(column).order_by(func.count().desc(), column)
    return [(value, number) for value, number in connection.execute(query)]


def _states(connection: Connection, edition: str) -> dict[str, int]:
    query = select(submissions.c.state, func.count()).where(submissions.c.edition == edition).group_by(submissions.c.state)
    return dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in connection.execute(query)}


def _areas(connection: Connection, edition: str) -> tuple[tuple[str | None, int], ...]:
    """As corrected, else as proposed; those that could not be told last, those not analysed not at all."""
    told = case((analyses.c.state == "done", func.coalesce(submissions.c.area, analyses.c.primary_area, "-")), else_=submissions.c.area)
    found = [(area, number) for area, number in _counted(connection, edition, told) if area is not None]
    return tuple((None if area == "-" else area, number) for area, number in sorted(found, key=lambda pair: pair[0] == "-"))


def _typical(connection: Connection, edition: Edition) -> tuple[Typical, ...]:
    """Errors and warnings that most submissions have."""
    severities = {rule.id: rule.severity for rule in edition.rules}
    rule = func.unnest(analyses.c.rules)
    counted = ((name, severities.get(name), number) for name, number in _counted(connection, edition.id, rule))
    found = [Typical(name, severity, number) for name, severity, number in counted if severity in _GRAVE]
    found.sort(key=lambda one: (-one.submissions, _GRAVE.index(one.severity), one.rule))
    return tuple(found[:_RULES])


def _words(connection: Connection, edition: str) -> tuple[int, ...]:
    query = select(analyses.c.words).join(submissions, submissions.c.analysis == analyses.c.id)
    return tuple(connection.execute(query.where(_in(edition), analyses.c.errors.is_not(None), analyses.c.words > 0)).scalars())


def _limits(edition: Edition) -> tuple[int | None, int | None]:
    """The least and the most 字数 of a whole write-up."""
    params = [rule.params for rule in edition.rules if rule.check == "total_length" and rule.unavailable is None]
    least = [value for each in params if (value := getattr(each, "min", None)) is not None]
    most = [value for each in params if (value := getattr(each, "max", None)) is not None]
    return max(least, default=None), min(most, default=None)


def _days(connection: Connection, edition: str, *, today: date) -> tuple[tuple[tuple[date, int], ...], int]:
    """Chinese days until today, a fortnight at least, also those without any; and how many came before."""
    day = cast(func.timezone(ZONE.key, submissions.c.submitted_at), Date)
    query = select(day.label("day"), func.count()).where(_in(edition)).group_by(day).order_by(day)
    counted = {row[0]: row[1] for row in connection.execute(query)}
    if not counted:
        return (), 0
    first = max(min(*counted, today - timedelta(days=_FEWEST - 1)), today - timedelta(days=_DAYS - 1))
    shown = [first + timedelta(days=offset) for offset in range((max(today, *counted) - first).days + 1)]
    return tuple((when, counted.get(when, 0)) for when in shown), sum(number for when, number in counted.items() if when < first)


def _facts(connection: Connection, edition: str) -> dict[str, int]:
    joined = submissions.join(analyses, analyses.c.id == submissions.c.analysis)
    left = analyses.c.errors - submissions.c.dismissed_errors
    other = select(similar_submissions.c.one).where(similar_submissions.c.flag.in_(("near_duplicate", "reuse")))
    reviewed = select(assignments.c.submission).where(assignments.c.conflict.is_not(True))
    counts = {
        "judged": analyses.c.errors.is_not(None),
        "without_errors": left <= 0,
        "reused": analyses.c.flag.in_(("near_duplicate", "reuse")),
        "alike": submissions.c.id.in_(other),
        "assigned": submissions.c.id.in_(reviewed),
    }
    query = select(*(cast(func.count().filter(condition), Integer).label(name) for name, condition in counts.items()))
    row = connection.execute(query.select_from(joined).where(_in(edition))).one()
    return {name: getattr(row, name) for name in counts}
