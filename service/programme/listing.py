"""The list of submissions: filters, search, order, pages, the counts of its tabs, the next one within a filter, saved views.

What the viewer may not see is left out before anything else is asked of a row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Integer,
    Subquery,
    and_,
    any_,
    case,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)

from service.database.programme_tables import (
    STATES,
    analyses,
    assignments,
    batches,
    similar_submissions,
    submission_versions,
    submissions,
    units,
)
from service.programme.submissions import visible
from service.programme.viewer import Viewer

SIZES = (50, 100, 200)  # rows a page
FLAGS = ("near_duplicate", "reuse", "related")  # the gravest first
HAS = ("errors", "warnings", "clean")
ANALYSES = ("waiting", "failed", "partial")
_LONGEST = 200  # characters of a search
_BATCHES = 50  # the newest, to choose from
_NUMBERS = frozenset({"unit", "share", "batch", "page", "size"})


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list shows and how; "" and None: whatever there is. Its fields are the names in the address of the page."""

    edition: str = ""
    unit: int | None = None  # 0: without one
    area: str = ""  # "-": none could be told
    state: str = ""
    has: str = ""  # errors, warnings, clean
    rule: str = ""
    flag: str = ""  # of past benchmarks or of the same edition
    share: int | None = None  # per cent, at least
    analysis: str = ""  # waiting, failed, partial
    batch: int | None = None
    assigned: str = ""  # yes, no
    q: str = ""
    sort: str = ""  # a key of ORDERS, "-" before it: falling; "": the newest first
    page: int = 1
    size: int = SIZES[0]

    def query(self, **changes: Any) -> dict[str, str]:
        """Name -> value as they stand in an address; what is as usual is left out. A change of anything else leads to the first page."""
        told = replace(self, **({} if set(changes) <= {"page"} else {"page": 1}) | changes)
        usual = Filters()
        return {
            field.name: str(getattr(told, field.name))
            for field in fields(Filters)
            if getattr(told, field.name) not in {getattr(usual, field.name), None, ""}
        }

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the filters that are set, tabs, order and page apart."""
        return tuple(name for name in self.query() if name not in {"state", "sort", "page", "size"})


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list. Counts are without what was dismissed; None where nothing was judged (yet)."""

    id: int
    number: str
    edition: str
    organisation: str
    title: str
    file_name: str
    unit: int | None
    unit_name: str | None
    rank: int | None
    area: str | None  # as corrected, else as proposed
    corrected: bool
    area_score: float | None
    words: int | None
    errors: int | None
    warnings: int | None
    advice: int | None
    dismissed: int
    similarity: float | None  # of past benchmarks and of one other submission of the edition the greater, 0-1
    flag: str | None
    among: bool  # whether the greater is another submission
    state: str
    revision: int
    version: int
    analysis: int
    analysis_state: str
    status: str | None
    reason: str | None  # why the analysis failed
    assigned: int
    submitted_at: datetime
    changed_at: datetime

    @property
    def pick(self) -> str:
        """What a ticked box says: the row and the revision that was seen."""
        return f"{self.id}-{self.revision}"


@dataclass(frozen=True, slots=True)
class Listed:
    rows: tuple[Row, ...]
    total: int  # rows of the filter
    states: Mapping[str, int]  # state -> rows of the filter whatever its own state; "" all of them
    filters: Filters  # with the page that there is

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.filters.size))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a submission stands in the list of a filter."""

    position: int
    total: int
    previous: int | None
    next: int | None


def parse(given: Mapping[str, str]) -> Filters:
    """The filters of an address; what makes no sense is passed over, since addresses are kept and passed on."""
    told: dict[str, Any] = {}
    for field in fields(Filters):
        value = given.get(field.name, "").replace("\x00", "").strip()
        if field.name in _NUMBERS:
            if re.fullmatch(r"\d{1,9}", value):
                told[field.name] = int(value)
        elif value:
            told[field.name] = value[:_LONGEST]
    for name, known in (("state", STATES), ("has", HAS), ("flag", FLAGS), ("analysis", ANALYSES), ("assigned", ("yes", "no"))):
        if told.get(name) not in known:
            told.pop(name, None)
    if told.get("sort", "").lstrip("-") not in ORDERS:
        told.pop("sort", None)
    if told.get("size") not in SIZES:
        told.pop("size", None)
    told["page"] = max(1, told.get("page", 1))
    return Filters(**told)


# --- asking ------------------------------------------------------------------------------------------------------------------------


def listed(connection: Connection, viewer: Viewer, filters: Filters) -> Listed:
    """A page of the list; a page beyond the last is the last."""
    wanted = _conditions(viewer, replace(filters, state=""))
    counted = select(submissions.c.state, func.count()).select_from(_tables(viewer, filters)).where(*wanted).group_by(submissions.c.state)
    states = dict.fromkeys(("", *STATES), 0) | {row[0]: row[1] for row in connection.execute(counted)}
    states[""] = sum(states.values())
    total = states[filters.state]
    filters = replace(filters, page=min(filters.page, max(1, -(-total // filters.size))))
    asked = (
        select(submissions.c.id).select_from(_tables(viewer, filters)).where(*_conditions(viewer, filters)).order_by(*_order(filters.sort))
    )
    ids = list(connection.execute(asked.limit(filters.size).offset((filters.page - 1) * filters.size)).scalars())
    rows = {row.id: row for row in _rows(connection, viewer, submissions.c.id.in_(ids))}  # all the columns of the page's rows alone
    return Listed(tuple(rows[id_] for id_ in ids), total, states, filters)


def everything(connection: Connection, viewer: Viewer, filters: Filters) -> list[Row]:
    """All rows of the filter in its order: for what goes out as a file."""
    return _rows(connection, viewer, *_conditions(viewer, filters), order=_order(filters.sort))


def chosen(connection: Connection, viewer: Viewer, ids: Sequence[int]) -> list[Row]:
    """The rows of these submissions, in the order of their numbers."""
    return _rows(connection, viewer, visible(viewer), submissions.c.id.in_(ids), order=[submissions.c.id])


def place_of(connection: Connection, viewer: Viewer, filters: Filters, id_: int) -> Place | None:
    """Previous and next within the filter; None where the submission is not of it."""
    order = list(_order(filters.sort))
    ordered = (
        select(
            submissions.c.id,
            func.row_number().over(order_by=order).label("position"),
            func.lag(submissions.c.id).over(order_by=order).label("previous"),
            func.lead(submissions.c.id).over(order_by=order).label("next"),
            func.count().over().label("total"),
        )
        .select_from(_tables(viewer, filters))
        .where(*_conditions(viewer, filters))
        .subquery()
    )
    row = connection.execute(select(ordered).where(ordered.c.id == id_)).one_or_none()
    return None if row is None else Place(row.position, row.total, row.previous, row.next)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters can be set to, from what there is."""

    editions: tuple[str, ...]
    units: tuple[tuple[int, str], ...]
    batches: tuple[tuple[int, str | None, datetime], ...]


def choices(connection: Connection, viewer: Viewer, filters: Filters) -> Choices:
    seen = visible(viewer)
    asked = seen if not filters.edition else and_(seen, submissions.c.edition == filters.edition)
    editions = select(submissions.c.edition).where(seen).distinct().order_by(submissions.c.edition.desc())
    used = select(units.c.id, units.c.name).where(units.c.id.in_(select(submissions.c.unit).where(asked))).order_by(_by_name(units.c.name))
    brought = select(batches.c.id, batches.c.name, batches.c.at).where(batches.c.id.in_(select(submissions.c.batch).where(asked)))
    return Choices(
        editions=tuple(connection.execute(editions).scalars()),
        units=tuple((row.id, row.name) for row in connection.execute(used)),
        batches=tuple((row.id, row.name, row.at) for row in connection.execute(brought.order_by(batches.c.id.desc()).limit(_BATCHES))),
    )


# --- the statement -----------------------------------------------------------------------------------------------------------------


def _ranked(flag: ColumnElement[Any]) -> ColumnElement[Any]:
    return case({name: place for place, name in enumerate(FLAGS)}, value=flag)


def _alike(viewer: Viewer) -> Subquery:
    """What each submission shares with others of its edition that the viewer may see: the greatest part, the gravest flag."""
    pairs = similar_submissions.join(_other, _other.c.id == similar_submissions.c.other)
    columns = (
        similar_submissions.c.one.label("submission"),
        func.max(similar_submissions.c.share).label("share"),
        func.min(_ranked(similar_submissions.c.flag)).label("rank"),
    )
    there = (visible(viewer, _other), _other.c.state != "withdrawn")
    return select(*columns).select_from(pairs).where(*there).group_by(similar_submissions.c.one).subquery("alike")


_other = submissions.alias("other")
_share_among: ColumnElement[float] = literal_column("alike.share", Float)  # of the subquery above, which is another for each viewer
_rank_among: ColumnElement[int] = literal_column("alike.rank", Integer)
_area: ColumnElement[Any] = func.coalesce(submissions.c.area, analyses.c.primary_area)
_errors = analyses.c.errors - submissions.c.dismissed_errors
_warnings = analyses.c.warnings - submissions.c.dismissed_warnings
_share = func.greatest(analyses.c.similarity, _share_among)  # PostgreSQL passes over what is null
_rank = func.least(_ranked(analyses.c.flag), _rank_among)
_assigned = (
    select(func.count()).where(assignments.c.submission == submissions.c.id, assignments.c.conflict.is_not(true())).scalar_subquery()
)


def _by_name(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """By pinyin, as far as GB 18030 has the common characters in that order; every PostgreSQL knows it, and every character is in it."""
    return func.convert_to(column, "GB18030")


ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "number": (submissions.c.edition, submissions.c.id),
    "organisation": (_by_name(submissions.c.organisation),),
    "title": (_by_name(submissions.c.title),),
    "unit": (_by_name(units.c.name), submissions.c.rank),
    "area": (_area, analyses.c.area_score),
    "words": (analyses.c.words,),
    "errors": (_errors, _warnings),
    "similarity": (_share,),
    "state": (case({state: place for place, state in enumerate(STATES)}, value=submissions.c.state), submissions.c.changed_at),
    "submitted": (submissions.c.submitted_at,),
}


def _order(sort: str) -> tuple[ColumnElement[Any], ...]:
    columns = (*ORDERS[sort.lstrip("-") or "submitted"], submissions.c.id)
    falling = sort.startswith("-") or not sort
    return tuple(column.desc().nulls_last() if falling else column.asc().nulls_last() for column in columns)


def _tables(viewer: Viewer, filters: Filters, *, whole: bool = False) -> FromClause:
    """Only what the filter and the order need; `whole`: for the columns of a row."""
    newest = and_(submission_versions.c.submission == submissions.c.id, submission_versions.c.number == submissions.c.version)
    tables: FromClause = submissions.join(analyses, analyses.c.id == submissions.c.analysis)
    if whole or filters.q:
        tables = tables.join(submission_versions, newest)
    if whole or filters.sort.lstrip("-") == "unit":
        tables = tables.outerjoin(units, units.c.id == submissions.c.unit)
    if whole or filters.flag or filters.share or filters.sort.lstrip("-") == "similarity":
        alike = _alike(viewer)
        tables = tables.outerjoin(alike, alike.c.submission == submissions.c.id)
    return tables


def _rows(connection: Connection, viewer: Viewer, *conditions: ColumnElement[bool], order: Sequence[ColumnElement[Any]] = ()) -> list[Row]:
    of_submission = ("id", "number", "edition", "organisation", "title", "unit", "rank", "state", "revision", "version", "analysis")
    statement = select(
        *(submissions.c[name] for name in (*of_submission, "submitted_at", "changed_at")),
        *(analyses.c[name] for name in ("area_score", "words", "advice", "status", "reason")),
        submission_versions.c.file_name,
        units.c.name.label("unit_name"),
        _area.label("area"),
        submissions.c.area.is_not(None).label("corrected"),
        _errors.label("errors"),
        _warnings.label("warnings"),
        (submissions.c.dismissed_errors + submissions.c.dismissed_warnings).label("dismissed"),
        _share.label("similarity"),
        func.coalesce(_share_among > func.coalesce(analyses.c.similarity, 0), False).label("among"),
        case(dict(enumerate(FLAGS)), value=_rank).label("flag"),
        analyses.c.state.label("analysis_state"),
        (_assigned if viewer.is_staff else literal(0)).label("assigned"),
    ).select_from(_tables(viewer, Filters(), whole=True))
    return [Row(**row._mapping) for row in connection.execute(statement.where(*conditions).order_by(*order))]


def _conditions(viewer: Viewer, filters: Filters) -> list[ColumnElement[bool]]:
    """The first is what the viewer may see."""
    found = [visible(viewer)]
    plain = {"edition": submissions.c.edition, "state": submissions.c.state, "batch": submissions.c.batch}
    found += [column == getattr(filters, name) for name, column in plain.items() if getattr(filters, name)]
    if filters.unit is not None:
        found.append(submissions.c.unit == filters.unit if filters.unit else submissions.c.unit.is_(None))
    if filters.area:
        found.append(_area == filters.area if filters.area != "-" else and_(_area.is_(None), analyses.c.state == "done"))
    if filters.has:
        found.append({"errors": _errors > 0, "warnings": _warnings > 0, "clean": and_(_errors == 0, _warnings == 0)}[filters.has])
    if filters.rule:
        found.append(literal(filters.rule) == any_(analyses.c.rules))
    if filters.flag:
        found.append(or_(analyses.c.flag == filters.flag, _among(viewer, filters.flag)))
    if filters.share:
        found.append(_share >= filters.share / 100)
    if filters.analysis:
        found.append(
            {
                "waiting": analyses.c.state.in_(("waiting", "running")),
                "failed": or_(analyses.c.state == "failed", analyses.c.status == "failed"),  # not analysed, or not readable
                "partial": analyses.c.status == "partial",
            }[filters.analysis]
        )
    if filters.assigned and viewer.is_staff:  # who reviews what is the office's to know
        someone = exists().where(assignments.c.submission == submissions.c.id, assignments.c.conflict.is_not(true()))
        found.append(someone if filters.assigned == "yes" else ~someone)
    return found + [_holds(word) for word in filters.q.split()[:8]]


def _among(viewer: Viewer, flag: str) -> ColumnElement[bool]:
    mine = (similar_submissions.c.one == submissions.c.id, similar_submissions.c.other == _other.c.id, similar_submissions.c.flag == flag)
    return exists().where(*mine, visible(viewer, _other), _other.c.state != "withdrawn")


def _holds(word: str) -> ColumnElement[bool]:
    """The word somewhere in what people look for."""
    where = (
        submissions.c.organisation,
        submissions.c.title,
        submissions.c.number,
        submission_versions.c.file_name,
        submissions.c.credit_code,
    )
    return or_(*(column.icontains(word, autoescape=True) for column in where))
