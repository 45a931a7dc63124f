"""Report -> a part of a page of the service: the standalone page's own markup (html.py), between the navigation and what the page adds.

The page loads static/palette.css, report.css and report.js; nothing stands inline, so that its policy allows files of ours alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from service.model import Edition, Past, Report
from service.render.html import PARTS, spots_of, template, values_of
from service.render.insight import Insight, Priority
from service.render.view import Item, View, view
from service.render.wording import printable

Link = tuple[str, str]  # address, words


@dataclass(frozen=True, slots=True)
class Fragment:
    html: Markup  # one <div class="report">
    items: tuple[Item, ...]  # the findings that count, as numbered on the page
    dismissed: tuple[Item, ...]


def report_fragment(
    report: Report,
    edition: Edition,
    *,
    parts: Sequence[str] = PARTS,
    dismissed: Callable[[Item], str | None] | None = None,
    actions: Callable[[Item], str] | None = None,
    links: Callable[[Past], Sequence[Link]] | None = None,
) -> Fragment:
    """The report, or those `parts` of it that a page wants: head (it has the page's h1), bars, digest, matches, text, findings, foot.

    `dismissed` says why a finding does not count; such findings stand apart, are marked nowhere and in no number. `actions` gives what
    stands below a finding: Markup, other text is escaped. `links` gives where a past benchmark can be read. Items have the offsets of
    the report's text; their words are masked.
    """
    shown, without = _without(view(report, edition), dismissed)
    spots = spots_of(shown, [(item.start, item.end) for item, _ in without])
    alike = () if shown.likeness is None else shown.likeness.matches
    found = {} if links is None else {one.number: links(match.past) for one, match in zip(alike, report.matches, strict=True)}
    values = values_of(shown, spots) | {"web": True, "parts": tuple(parts), "dismissed": without, "actions": actions, "links": found}
    body = printable(template("body.html.j2").render(values))
    html = Markup('<div class="report">{}</div>').format(Markup(body))  # noqa: S704 - rendered with escaping
    return Fragment(html, shown.items, tuple(item for item, _ in without))


def pair_fragment(report: Report, edition: Edition, *, parts: Sequence[str] = ("matches", "text")) -> Fragment:
    """What two texts share, beside the first one's text, without rules (service/pair.py)."""
    shown = view(report, edition)
    values = values_of(shown, spots_of(shown)) | {"web": True, "pair": True, "parts": tuple(parts)}
    body = printable(template("body.html.j2").render(values))
    return Fragment(Markup('<div class="report">{}</div>').format(Markup(body)), (), ())  # noqa: S704 - rendered with escaping


def _without(shown: View, dismissed: Callable[[Item], str | None] | None) -> tuple[View, tuple[tuple[Item, str], ...]]:
    """The view without the findings that were dismissed, and those, numbered after the others."""
    if dismissed is None:
        return shown, ()
    told = [(item, dismissed(item)) for item in shown.items]
    kept = tuple(replace(item, number=number) for number, item in enumerate((item for item, why in told if why is None), 1))
    gone = tuple((item, why) for item, why in told if why is not None)
    gone = tuple((replace(item, number=number), why) for number, (item, why) in enumerate(gone, len(kept) + 1))
    return replace(shown, items=kept, insight=_advised(shown.insight, [item for item, _ in gone])), gone


def _advised(told: Insight | None, gone: Sequence[Item]) -> Insight | None:
    """The digest without advice on what was dismissed."""
    if told is None or not gone:
        return told
    places = {(item.rule, item.start, item.end) for item in gone}

    def kept(priorities: Sequence[Priority]) -> tuple[Priority, ...]:
        return tuple(one for one in priorities if (one.rule, one.start, one.end) not in places)

    sections = tuple(replace(part, priorities=kept(part.priorities)) for part in told.sections)
    return replace(told, priorities=kept(told.priorities), sections=sections)
