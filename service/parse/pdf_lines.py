"""Runs of characters to lines in reading order: blanks between words, two columns, simulated bold."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from service.parse.pdf_page import SPLIT, Page, Run

_WIDE = frozenset("\u2014\u2018\u2019\u201c\u201d\u2026\u00b7" + "".join(map(chr, range(0x2460, 0x2500))))
# Radicals and compatibility forms that subset fonts map to instead of the ordinary character.
_COMPATIBLE = re.compile("[\u2e80-\u2fdf\uf900-\ufaff\ufb00-\ufb06\ufe30-\ufe4f]")
_FEW = 8  # lines of a page that tell nothing sure of its margins


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line of one column. `left` and `right` are the column's text edges."""

    text: str
    x0: float
    x1: float
    y: float  # baseline
    size: float
    page: int
    font: str | None = None
    bold: bool = False
    left: float = 0.0
    right: float = 0.0
    recognised: bool = False
    body: bool = True  # False: stands in a table's cell or the like
    runs: tuple[Run, ...] = ()

    @property
    def top(self) -> float:
        return self.y - 0.86 * self.size

    @property
    def bottom(self) -> float:
        return self.y + 0.14 * self.size


def is_wide(character: str) -> bool:
    """Whether no blank stands between this character and its like: Chinese characters and full-width marks."""
    return "\u2e80" <= character <= "\uffef" or character in _WIDE or character >= "\U00020000"


def ordinary(text: str) -> str:
    """Radicals, ligatures and compatibility forms as the ordinary characters."""
    return _COMPATIBLE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


def cluster(runs: Iterable[Run]) -> list[list[Run]]:
    """Runs that share a baseline, from top to bottom; raised and lowered small characters stay in their line."""
    rows: list[list[Run]] = []
    base = size = 0.0  # of the row's largest run
    for run in sorted(runs, key=lambda r: (round(r.y, 1), r.x0)):
        if rows and abs(run.y - base) < 0.45 * max(size, run.size):
            rows[-1].append(run)
            if run.size > size * 1.15:
                base, size = run.y, run.size
            continue
        rows.append([run])
        base, size = run.y, run.size
    return rows


def line_of(runs: Sequence[Run], page: int, *, recognised: bool = False) -> Line:
    """One line from the runs of one baseline."""
    ordered, doubled = _once(sorted(runs, key=lambda run: run.x0))
    sizes: Counter[float] = Counter()
    fonts: Counter[str | None] = Counter()
    bold = 0
    total = 0
    for run in ordered:
        weight = _weight(run.text)
        sizes[run.size] += weight
        fonts[run.font] += weight
        total += weight
        bold += weight if run.bold else 0
    size = sizes.most_common(1)[0][0]
    base = max(ordered, key=lambda run: (run.size == size, len(run.text))).y
    x0 = min(run.x0 for run in ordered)
    x1 = max(run.x1 for run in ordered)
    is_bold = bold * 2 > total or doubled * 2 > len(ordered)
    return Line(
        _join(ordered, size), x0, x1, base, size, page, fonts.most_common(1)[0][0], is_bold, recognised=recognised, runs=tuple(ordered)
    )


def _once(ordered: list[Run]) -> tuple[list[Run], int]:
    """Runs struck twice at nearly one place (simulated bold, shadows) once, and how many were."""
    kept: list[Run] = []
    doubled = 0
    for run in ordered:
        near = next((other for other in kept[-3:] if other.text == run.text and abs(other.x0 - run.x0) < 0.3 * run.size), None)
        if near is None:
            kept.append(run)
        else:
            doubled += 1
    return kept, doubled


def _weight(text: str) -> int:
    """East-Asian characters decide which font and size a line has."""
    return 1000 * sum(map(is_wide, text)) + len(text)


def _join(ordered: Sequence[Run], size: float) -> str:
    """The line's text. Blanks of the file are kept but between close Chinese characters; gaps part Latin words."""
    out: list[str] = []
    before: Run | None = None
    for run in ordered:
        if before is not None and _parted(before, run, size):
            out.append(" ")
        out.append(run.text)
        before = run
    return ordinary("".join(out))


def _parted(before: Run, after: Run, size: float) -> bool:
    """Whether a blank stands between two runs of a line."""
    gap = after.x0 - before.x1
    if gap > 1.9 * size:
        return True
    left, right = is_wide(before.text[-1]), is_wide(after.text[0])
    if left and right:
        return after.blank and gap > 0.4 * size
    return after.blank or (not left and not right and gap > SPLIT * size)


def edges_of(pages: Sequence[Page], runs: Sequence[Sequence[Run]]) -> list[tuple[float, float]]:
    """Left and right edge of each page's running text: the outermost that several lines share, on pages of few lines the others'."""
    own = [_edges(page, each) for page, each in zip(pages, runs, strict=True)]
    out: list[tuple[float, float]] = []
    for page, (left, right, rows) in zip(pages, own, strict=True):
        if rows >= _FEW:
            out.append((left, right))
            continue
        others = [edges for other, edges in zip(pages, own, strict=True) if edges[2] >= _FEW and abs(other.width - page.width) < 1]
        if others:
            out.append((min(left, *(edges[0] for edges in others)), max(right, *(edges[1] for edges in others))))
        else:
            out.append((left, max(right, page.width - max(left, 0.1 * page.width))))
    return out


def _edges(page: Page, runs: Sequence[Run]) -> tuple[float, float, int]:
    """The edges by the page's own lines, and how many lines it has."""
    if not runs:
        return 0.12 * page.width, 0.88 * page.width, 0
    rows: dict[int, tuple[float, float]] = {}
    for run in runs:
        key = round(run.y / 3)
        x0, x1 = rows.get(key, (run.x0, run.x1))
        rows[key] = (min(x0, run.x0), max(x1, run.x1))
    need = min(max(1, len(rows) // 12), len(rows)) - 1
    return sorted(x0 for x0, _ in rows.values())[need], sorted((x1 for _, x1 in rows.values()), reverse=True)[need], len(rows)


def lines_of(runs: Sequence[Run], page: int, *, left: float, right: float) -> list[Line]:
    """A page's lines in reading order: top down, two columns one after the other where the page has them. left, right: the text's edges."""
    rows = cluster(runs)
    gutter = _gutter(rows, left, right)
    if gutter is None:
        return [replace(line_of(row, page), left=left, right=right) for row in rows]
    out: list[Line] = []
    sides: tuple[list[Line], list[Line]] = ([], [])
    for row in rows:
        parts = _parts(row, gutter)
        if parts is None:
            out += sides[0] + sides[1]
            sides = ([], [])
            out.append(replace(line_of(row, page), left=left, right=right))
            continue
        for side, part in zip(sides, parts, strict=True):
            if part:
                edges = (left, gutter) if side is sides[0] else (gutter, right)
                side.append(replace(line_of(part, page), left=edges[0], right=edges[1]))
    return _with_edges(out + sides[0] + sides[1], gutter)


def _with_edges(lines: list[Line], gutter: float) -> list[Line]:
    """Columns end where their text ends, not in the middle of the gutter."""
    ends = [line.x1 for line in lines if line.right == gutter]
    starts = [line.x0 for line in lines if line.left == gutter]
    if not ends or not starts:
        return lines
    end, start = max(ends), min(starts)
    return [
        replace(line, right=end) if line.right == gutter else replace(line, left=start) if line.left == gutter else line for line in lines
    ]


def _parts(row: Sequence[Run], gutter: float) -> tuple[list[Run], list[Run]] | None:
    """A row's runs left and right of the gutter; None if one of them crosses it."""
    if any(run.x0 < gutter < run.x1 for run in row):
        return None
    return [run for run in row if run.x1 <= gutter + 1], [run for run in row if run.x1 > gutter + 1]


def _gutter(rows: Sequence[Sequence[Run]], left: float, right: float) -> float | None:
    """The x of a gutter between two columns of running text, or None. Both sides must be filled with long lines; tables are not."""
    width = right - left
    if len(rows) < 8 or width < 200:
        return None
    edges = Counter(round(run.x0) for row in rows for run in row if left + 0.35 * width < run.x0 < left + 0.65 * width)
    for x, _ in edges.most_common(4):
        gutter = x - 3.0
        both = full = 0
        for row in rows:
            parts = _parts(row, gutter)
            if parts is None or not parts[0] or not parts[1]:
                continue
            both += 1
            end, start = max(run.x1 for run in parts[0]), min(run.x0 for run in parts[1])
            wide = end - min(run.x0 for run in parts[0]) > 0.33 * width and max(run.x1 for run in parts[1]) - start > 0.33 * width
            full += wide and start - end > 4
        if both >= 6 and full >= 0.6 * both and both >= 0.4 * len(rows):
            return gutter
    return None
