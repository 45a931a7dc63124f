"""The page of one submission as the office works on it: also shown again, with what was typed, where a change was not saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from sqlalchemy import Connection

from service import rulebook
from service.errors import ServiceError
from service.model import Edition, Past, Report
from service.programme import alike, analyses, assignments, dismissals, listing, submissions, triage, units
from service.programme.dismissals import Dismissal
from service.programme.listing import Filters, Row
from service.programme.submissions import Submission
from service.programme.viewer import Viewer
from service.render.insight import AreaShown, insight
from service.render.masked import masked
from service.render.page import Fragment, report_fragment
from service.render.view import Item
from service.web import names, results
from service.web.context import page, viewer_of, with_query

_AREAS = 3  # shown of those that were not chosen
_PARTS = ("bars", "digest", "matches", "text", "findings")
_FORM = Markup(
    '<details class="dismiss"><summary>忽略此问题</summary><form method="post" action="{action}">'
    '<input type="hidden" name="csrf" value="{csrf}"><input type="hidden" name="revision" value="{revision}">'
    '<input type="hidden" name="place" value="{place}">'
    '<p class="field full"><label for="why-{number}">为什么不成立</label>'
    '<input id="why-{number}" name="reason" required maxlength="500" value="{reason}"></p>'
    '<button class="button plain small" type="submit">忽略</button></form></details>'
)
_BACK = Markup(
    '<form method="post" action="{action}"><input type="hidden" name="csrf" value="{csrf}">'
    '<input type="hidden" name="revision" value="{revision}"><input type="hidden" name="dismissal" value="{dismissal}">'
    '<button class="button quiet small" type="submit">恢复</button></form>'
)


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed that was not saved, to be shown again."""

    reason: str = ""
    place: str = ""
    areas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """The filter that the page was opened from, and where it leads."""

    filters: Filters
    place: listing.Place | None

    @property
    def suffix(self) -> str:
        return with_query("", self.filters.query())

    @property
    def back(self) -> str:
        return with_query("/submissions", self.filters.query())

    def href(self, id_: int | None) -> str:
        return "" if id_ is None else f"/submissions/{id_}{self.suffix}"


def around(connection: Connection, viewer: Viewer, given: Mapping[str, str], id_: int) -> Around:
    filters = listing.parse(given)
    return Around(filters, listing.place_of(connection, viewer, filters, id_))


def report_of(connection: Connection, row: Submission) -> Report | None:
    return analyses.report(connection, row.analysis, file_name=row.file_name)


def place_key(item: Item) -> str:
    """What a form says of a finding."""
    return f"{item.start}-{item.end}-{item.rule}"


def place_from(key: str) -> tuple[str, int, int]:
    start, _, rest = key.partition("-")
    end, _, rule = rest.partition("-")
    if not (start.isdecimal() and end.isdecimal() and len(start) < 10 and len(end) < 10):
        return "", 0, 0
    return rule, int(start), int(end)


def detail(
    request: Request,
    connection: Connection,
    viewer: Viewer,
    id_: int,
    *,
    error: ServiceError | None = None,
    typed: Typed | None = None,
) -> HTMLResponse:
    row = submissions.one(connection, viewer, id_)
    report, edition = report_of(connection, row), rulebook.load(row.edition)
    known = dismissals.of(connection, id_)
    way = around(connection, viewer, request.query_params, id_)
    shown = None if report is None else _shown(request, report, edition, row, known, way, typed)
    return page(
        request,
        "submissions/one.html.j2",
        status=error.status if error else 200,
        row=row,
        line=_line(connection, viewer, id_),
        edition=edition,
        edition_areas=[(area.id, area.name) for area in edition.areas],
        names_area=partial(names.area, row.edition),
        stand=analyses.state(connection, row.analysis),
        report=report,
        shown=shown,
        unread=None if report is None or report.submission is not None else "；".join(note.message for note in report.notes),
        no_word=None if report is None else results.no_word(report),
        areas=() if report is None else _areas(report),
        undecided="" if report is None or report.focus is None else report.focus.reason or "",
        alike=alike.of(connection, viewer, id_),
        past=() if report is None else tuple(_past(report)),
        versions=submissions.versions(connection, viewer, id_),
        history=triage.history(connection, viewer, id_),
        reviewers=assignments.of_submission(connection, viewer, id_) if viewer.is_staff else [],
        steps=triage.steps(viewer, row.state),
        way=way,
        error=error,
        typed=typed,
    )


def edit(
    request: Request,
    connection: Connection,
    viewer: Viewer,
    id_: int,
    *,
    error: ServiceError | None = None,
    typed: Mapping[str, Any] | None = None,
) -> HTMLResponse:
    """The form of what was entered with the file."""
    row = submissions.one(connection, viewer, id_)
    told = {"title": row.title, "organisation": row.organisation, "credit_code": row.credit_code or "", "unit": row.unit or ""}
    offered = [(unit.id, unit.name) for unit in units.listed(connection, active=True)]
    if row.unit is not None and row.unit not in dict(offered):
        offered.append((row.unit, row.unit_name or ""))
    way = around(connection, viewer, request.query_params, id_)
    values = {"row": row, "told": {**told, **(typed or {})}, "units": offered, "way": way, "error": error}
    return page(request, "submissions/edit.html.j2", status=error.status if error else 200, **values)


def _line(connection: Connection, viewer: Viewer, id_: int) -> Row:
    return listing.chosen(connection, viewer, [id_])[0]


def _shown(
    request: Request, report: Report, edition: Edition, row: Submission, known: list[Dismissal], way: Around, typed: Typed | None
) -> Fragment:
    """The report without what was dismissed; with the reasons, and a form on each finding, where staff reads it."""
    viewer = viewer_of(request)
    why = {each.key: each for each in known}
    if viewer is None or not viewer.is_staff:
        told_others = "办公室核对后判断不成立"
        return report_fragment(report, edition, parts=_PARTS, dismissed=lambda item: told_others if dismissals.key(item) in why else None)
    told = {"csrf": viewer.csrf, "revision": row.revision}

    def dismissed(item: Item) -> str | None:
        found = why.get(dismissals.key(item))
        return None if found is None else f"{found.reason}（{found.by}）"

    def actions(item: Item) -> str:
        found = why.get(dismissals.key(item))
        if found is not None:
            return _BACK.format(action=f"/submissions/{row.id}/restore{way.suffix}", dismissal=found.id, **told)
        reason = typed.reason if typed is not None and typed.place == place_key(item) else ""
        action = f"/submissions/{row.id}/dismiss{way.suffix}"
        return _FORM.format(action=action, place=place_key(item), number=item.number, reason=reason, **told)

    return report_fragment(report, edition, parts=_PARTS, dismissed=dismissed, actions=actions, links=_links)


def _links(past: Past) -> list[tuple[str, str]]:
    return [] if past.among else [(f"/library/{past.id}", "在标杆库中阅读")]


def _areas(report: Report) -> tuple[AreaShown, ...]:
    """Those that the program chose, and the first few of the others."""
    told = insight(masked(report))
    return () if told is None else tuple(area for number, area in enumerate(told.areas) if area.chosen or number < _AREAS)


@dataclass(frozen=True, slots=True)
class PastShown:
    id: str
    title: str
    organisation: str
    year: int | None
    flag: str
    share: float


def _past(report: Report) -> Iterator[PastShown]:
    """Past benchmarks that share something with it, most first."""
    for match in sorted(report.matches, key=lambda match: -match.share):
        if not match.past.among:
            past = match.past
            yield PastShown(past.id, past.title, past.organisation or "", past.year, match.flag, match.share)
