"""Report -> one standalone HTML file: the text with every finding marked beside the list of findings.

No asset is loaded and no network used: style and script stand in the file and are allowed by their hash alone. Everything works without
the script, which only lights up what belongs together.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from service.model import Block, Edition, Report, Section, Submission
from service.render.insight import MOST
from service.render.likeness import EXCLUSIONS, KINDS, Likeness, MatchShown, PassageShown, percent
from service.render.limits import Row
from service.render.marks import Leaf, Matched, Piece, Spot, pieces
from service.render.stretches import stretches
from service.render.view import View, view
from service.render.wording import SEVERITIES, cut, printable, section_name, words_for

_QUOTE = 84  # characters of a sentence that speaks for a focus area
_BRIEF = 48  # of one that speaks for a criterion
_SHUT = 3  # matches shown open; the others open on demand
_FEW = 8  # passages of a match shown at once
PARTS = ("head", "bars", "digest", "matches", "text", "findings", "foot")
_TEMPLATES = Path(__file__).parent / "templates"
_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Cell:
    rows: int
    columns: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class SectionTag:
    anchor: str  # "" for the second of a key
    name: str
    section: Section


@dataclass(frozen=True, slots=True)
class Part:
    """A block as shown."""

    kind: str
    level: int
    label: str
    pieces: tuple[Piece, ...]
    table: tuple[tuple[Cell, ...], ...]
    sections: tuple[SectionTag, ...]  # sections that begin here
    page: int | None  # where a new page begins
    outside: bool  # cover, contents, application form, evidence: not judged


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of the section bar; lengths are shares of 100."""

    row: Row
    href: str
    fill: float
    limit: float | None


def report_html(report: Report, edition: Edition) -> str:
    """The whole page. Also a file that could not be read has one: its notes."""
    return _page(report, edition, pair=False)


def pair_html(report: Report, edition: Edition) -> str:
    """The page of two files compared with each other (service/pair.py): what they share beside the first one's text, and no rules."""
    return _page(report, edition, pair=True)


def _page(report: Report, edition: Edition, *, pair: bool) -> str:
    shown = view(report, edition)
    spots = spots_of(shown)
    style = "".join((_asset("palette.css"), _asset("report.css"), *(_lit(spot) for spot in spots)))
    script = _asset("report.js")
    page = template("report.html.j2").render(
        values_of(shown, spots)
        | {
            "pair": pair,
            "style": Markup(style),  # noqa: S704 - our own file
            "script": Markup(script),  # noqa: S704 - our own file
            "style_hash": _hash(style),
            "script_hash": _hash(script),
        }
    )
    return printable(page)


def values_of(shown: View, spots: Sequence[Spot]) -> dict[str, Any]:
    """What the templates of the report are filled with, as it stands on a page of its own."""
    return {
        "view": shown,
        "pair": False,
        "web": False,
        "parts": PARTS,
        "blocks": tuple(_parts(shown, spots)),
        "sums": _sums(shown.report),
        "spots": {(spot.start, spot.end): spot.number for spot in spots if spot.match is None},
        "places": {spot.start: spot for spot in spots if spot.match is not None},
        "anchored": {row.key for row in shown.rows if row.start is not None},
        "bars": tuple(_bars(shown)),
        "groups": tuple((severity, tuple(item for item in shown.items if item.severity == severity)) for severity in SEVERITIES),
        "dismissed": (),
        "actions": None,
        "links": {},
        "most": MOST,
        "say": words_for,
        "kinds": KINDS,
        "exclusions": EXCLUSIONS,
        "shut": _SHUT,
        "few": _FEW,
    }


def _sums(report: Report) -> str:
    """What the page adds up shares from; "" where nothing was found."""
    if report.submission is None or report.similarity is None or not any(match.passages for match in report.matches):
        return ""
    return stretches(report.submission, report.matches, report.similarity)


@cache
def template(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cut"] = lambda value: cut(value, _QUOTE)
    environment.filters["brief"] = lambda value: cut(value, _BRIEF)
    environment.filters["percent"] = percent
    environment.filters["number"] = lambda value: f"{value:,}"
    return environment.get_template(name)


@cache
def _asset(name: str) -> str:
    return (_STATIC / name).read_text("utf-8")


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def spots_of(shown: View, also: Sequence[tuple[int, int]] = ()) -> tuple[Spot, ...]:
    """Every place that the page leads to, once each, numbered: the digest's first, then `also`, then what matches count."""
    told = shown.insight
    others: list[tuple[int, int]] = []
    keys: list[tuple[int, int]] = []
    if told is not None:
        keys += [(quote.start, quote.end) for part in told.sections for quote in part.sentences]
        others += [(quote.start, quote.end) for area in told.areas for quote in area.evidence]
        others += [(quote.start, quote.end) for one in told.criteria for shown in one.shown for quote in shown.quotes]
        others += [(quote.start, quote.end) for part in told.sections for quote in part.strengths]
        others += [(item.start, item.end) for item in told.priorities]
    if shown.likeness is not None:
        others += [(one.start, one.end) for match in shown.likeness.matches for one in match.left_out]
    others += also
    places = dict.fromkeys(others, False) | dict.fromkeys(keys, True)
    spots = [Spot(number, start, end, key) for number, ((start, end), key) in enumerate(places.items(), 1)]
    return (*spots, *_matched(shown.likeness, len(spots)))


def _matched(found: Likeness | None, before: int) -> Iterator[Spot]:
    """A spot for each place at which a counted passage begins; it leads to the longest of them, of equals that of the first match."""
    by_start: dict[int, list[tuple[MatchShown, PassageShown]]] = {}
    for match in () if found is None else found.matches:
        for passage in match.counted:
            by_start.setdefault(passage.start, []).append((match, passage))
    for label, (start, passages) in enumerate(sorted(by_start.items()), 1):
        _, longest = max(passages, key=lambda pair: pair[1].size)
        title = "\n".join(f"{words_for('match_kinds', one.kind)}：{match.title}" for match, one in passages)
        yield Spot(before + label, start, longest.end, match=Matched(str(label), longest.kind, longest.id, title))


def _lit(spot: Spot) -> str:
    """The style of a spot's words while the page's address ends in its number: a link lights them up without a script."""
    return f'body:has(#k{spot.number}:target) [data-k~="{spot.number}"]{{background:var(--lit)}}\n' if spot.lit else ""


def _bars(shown: View) -> Iterator[Bar]:
    for row in (shown.total, *shown.rows):
        bound = row.most or row.least
        scale = max(row.words, bound or 0, 1)
        limit = None if bound is None else round(100 * bound / scale, 2)
        href = "#top" if row.key is None else "" if row.start is None else f"#s-{row.key}"
        yield Bar(row, href, 0.0 if bound is None else round(100 * row.words / scale, 2), limit)


def _parts(shown: View, spots: Sequence[Spot]) -> Iterator[Part]:
    submission = shown.report.submission
    if submission is None:
        return
    blocks = submission.document.blocks
    leaves = [leaf for block in blocks for leaf in _leaves(block)]
    order = sorted(range(len(leaves)), key=lambda index: (leaves[index].start, leaves[index].end))
    cut = dict(zip(order, pieces(submission.text, [leaves[index] for index in order], shown.items, spots), strict=True))
    titled = None if submission.title is None else submission.title.block
    position = 0
    page = None
    beginning = _beginnings(submission)
    for index, block in enumerate(blocks):
        count = len(_leaves(block))
        mine = [cut[number] for number in range(position, position + count)]
        position += count
        turned = block.page is not None and block.page != page
        page = block.page or page
        yield Part(
            kind="title" if titled == index else block.kind,
            level=_level(submission, index, block),
            label=block.label,
            pieces=() if block.cells else mine[0],
            table=_table(block, mine) if block.cells else (),
            sections=tuple(beginning.get(index, ())),
            page=page if turned else None,
            outside=not submission.start <= block.start < max(submission.end, submission.start + 1),
        )


def _leaves(block: Block) -> list[Leaf]:
    if block.cells:
        return [Leaf(start, end) for start, end, _ in _lines(block)]
    return [Leaf(block.start, block.end, figure=block.kind == "figure")]


def _lines(block: Block) -> list[tuple[int, int, int]]:
    """The lines of a table's cells in the text's order: start, end, index of the cell."""
    return sorted((start, end, index) for index, cell in enumerate(block.cells) for start, end in cell.spans)


def _table(block: Block, cut: Sequence[tuple[Piece, ...]]) -> tuple[tuple[Cell, ...], ...]:
    of_cell: dict[int, tuple[Piece, ...]] = {}
    for (_, _, index), mine in zip(_lines(block), cut, strict=True):
        of_cell[index] = of_cell.get(index, ()) + mine
    placed: dict[int, list[tuple[int, Cell]]] = {}
    for index, cell in enumerate(block.cells):
        placed.setdefault(cell.row, []).append((cell.column, Cell(cell.rows, cell.columns, of_cell[index])))
    return tuple(tuple(cell for _, cell in sorted(placed.get(row, []), key=itemgetter(0))) for row in range(max(placed) + 1))


def _beginnings(submission: Submission) -> dict[int, list[SectionTag]]:
    """Which sections begin before which block."""
    tags: dict[int, list[SectionTag]] = {}
    seen: set[str] = set()
    for section in submission.sections:
        index = next((index for index, block in enumerate(submission.document.blocks) if block.start >= section.start), None)
        if index is not None:
            anchor = "" if section.key in seen else f"s-{section.key}"
            tags.setdefault(index, []).append(SectionTag(anchor, section_name(submission, section.key), section))
            seen.add(section.key)
    return tags


def _level(submission: Submission, index: int, block: Block) -> int:
    """Depth of a heading: in the tree that was found, else as the file has it."""
    return next((heading.level for heading in submission.headings if heading.block == index), block.level or 1)
