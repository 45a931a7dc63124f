"""What stands on a PDF's pages without belonging to its text: page headers and footers, page numbers, watermarks, hidden text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from service.parse.pdf_lines import cluster
from service.parse.pdf_page import Page, Run
from service.parse.pdf_shapes import Box

_DIGITS = re.compile(r"[0-9０-９]+|(?<=第)[一二三四五六七八九十百]+(?=页)")
_PAGE_NUMBER = re.compile(
    r"[-—–－·.~～\s]*(?:第?\s*#\s*页?|[ivxIVX]{1,6})(?:\s*[/,，、共of]*\s*#\s*页?)?[-—–－·.~～\s]*|page#(?:of#)?", re.IGNORECASE
)
_HEAD, _FOOT = 0.2, 0.85  # zones of the page's height where headers and footers may stand
_NUMBER_HEAD, _NUMBER_FOOT = 0.09, 0.9


def without_furniture(pages: Sequence[Page], tables: Sequence[Sequence[Box]]) -> tuple[list[list[Run]], tuple[str, ...]]:
    """Each page's runs that belong to the text, and the distinct lines that do not.

    Rows of a table (boxes by page) that reaches out of the zones stay: its head may recur.
    """
    kept = [_printed(page) for page in pages]
    rows = [[(_key(row, page), row) for row in cluster(runs)] for page, runs in zip(pages, kept, strict=True)]
    repeated = _repeated(pages, rows)
    out: list[list[Run]] = []
    left_out = {text: None for page, runs in zip(pages, kept, strict=True) for text in _watermarks(page, runs)}
    for page, page_rows, boxes in zip(pages, rows, tables, strict=True):
        long = [box for box in boxes if box[3] > _HEAD * page.height and box[1] < _FOOT * page.height]
        runs: list[Run] = []
        for index, (key, row) in enumerate(page_rows):
            zone = _zone(row, page)
            if zone and (key, zone) in repeated and not any(box[1] <= row[0].y <= box[3] for box in long):
                left_out["".join(run.text for run in sorted(row, key=lambda run: run.x0)).strip()] = None
                continue
            if index in {0, len(page_rows) - 1} and _is_page_number(key, row, page):
                continue
            runs.extend(row)
        out.append(runs)
    return out, tuple(text for text in left_out if text)


def _watermarks(page: Page, kept: Sequence[Run]) -> list[str]:
    stay = set(map(id, kept))
    return [run.text.strip() for run in page.runs if id(run) not in stay and not run.invisible]


def has_turned_text(page: Page) -> bool:
    """Whether dark text that stands on its side was taken for a watermark."""
    turned = sum(len(run.text) for run in page.runs if not run.upright and not run.light)
    return turned >= 4 and turned * 2 <= sum(len(run.text) for run in page.runs)


def _printed(page: Page) -> list[Run]:
    """Runs without watermarks (turned or pale and large) and without invisible text that no scan lies under."""
    scanned = any((p.x1 - p.x0) * (p.bottom - p.top) > 0.5 * page.width * page.height for p in page.pictures)
    sizes: Counter[float] = Counter()
    for run in page.runs:
        sizes[run.size] += len(run.text)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    turned = sum(len(run.text) for run in page.runs if not run.upright)
    mostly_turned = turned * 2 > sum(len(run.text) for run in page.runs)
    return [
        run
        for run in page.runs
        if (run.upright or mostly_turned) and not (run.light and run.size > 1.6 * body) and (scanned or not run.invisible)
    ]


def _key(row: Sequence[Run], page: Page) -> str:
    """What a row says, numbers alike; only of rows that may be furniture."""
    if not _zone(row, page):
        return ""
    return _DIGITS.sub("#", "".join(run.text for run in sorted(row, key=lambda run: run.x0)))


def _zone(row: Sequence[Run], page: Page) -> str:
    y = max(run.y for run in row)
    if y < _HEAD * page.height:
        return "head"
    return "foot" if y > _FOOT * page.height else ""


def _repeated(pages: Sequence[Page], rows: Sequence[Sequence[tuple[str, list[Run]]]]) -> set[tuple[str, str]]:
    """Rows that stand in the same zone of at least half of the pages (two fifths where left and right pages differ)."""
    counts: Counter[tuple[str, str]] = Counter()
    for page, page_rows in zip(pages, rows, strict=True):
        counts.update({(key, zone) for key, row in page_rows if key and (zone := _zone(row, page))})
    enough = max(2, 0.5 * len(pages)) if len(pages) < 6 else 0.4 * len(pages)
    return {key for key, count in counts.items() if count >= enough}


def _is_page_number(key: str, row: Sequence[Run], page: Page) -> bool:
    y = max(run.y for run in row) / page.height
    return bool(_PAGE_NUMBER.fullmatch(key)) and (y > _NUMBER_FOOT or y < _NUMBER_HEAD)
