"""Tables in plain text: cells parted by tabs, by ruling characters, or by blanks that line up."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_TRAILING = " \t\u3000\xa0\r"
_WIDE = re.compile("[^\x00-\x7f\uff61-\uffdc]")
_GAP = re.compile(r"[ \xa0]{2,}|[ \xa0]*\u3000[ \xa0\u3000]*")
_RULE = re.compile(r"[│┃|]")
_RULE_LINE = re.compile(r"[\s\u2500-\u257f+|:=-]*[\u2500-\u257f+|=-]{3}[\s\u2500-\u257f+|:=-]*")
# A typed or exported list number: Word puts a tab after it when it saves as text.
_LIST_NUMBER = re.compile(
    r"(?:第?[一二三四五六七八九十百\d]+(?:[.．]\d+)*[章节条、.．)）]?|[（(][一二三四五六七八九十\d]+[)）]|[①-⑳●•◆■○·*-])"
)
_LONGEST_LINE = 1000  # characters of a table's row
_TRIED_AGAIN = 30  # rows
_LONGEST_SPACED_CELL = 40
_LONGEST_PAIRED_CELL = 30
_MISALIGNED = 2  # columns


@dataclass(frozen=True, slots=True)
class TextTable:
    rows: list[list[str]]
    end: int  # index of the line after it


@dataclass(frozen=True, slots=True)
class _Row:
    cells: list[str]
    starts: list[int]  # display column of each cell


def display_width(text: str) -> int:
    """Columns in an editor's Chinese font: everything but ASCII and half-width forms takes two."""
    return len(text) + len(_WIDE.findall(text))


def table_at(lines: Sequence[str], position: int) -> TextTable | None:
    """The table that begins at a line; None where there is none, without rows where none begins before its end.

    A table has two rows at least.
    """
    line = lines[position]
    if len(line) > _LONGEST_LINE:
        return None
    if "\t" in line.strip(_TRAILING):
        return _by_tabs(lines, position)
    if _RULE.search(line) or _RULE_LINE.fullmatch(line):
        return _by_rules(lines, position)
    if _GAP.search(line.strip(_TRAILING)):
        return _by_blanks(lines, position)
    return None


def _by_tabs(lines: Sequence[str], position: int) -> TextTable | None:
    rows: list[list[str]] = []
    for line in lines[position:]:
        if "\t" not in line.strip(_TRAILING) or len(line) > _LONGEST_LINE:
            break
        rows.append([cell.strip(_TRAILING) for cell in line.rstrip(_TRAILING).split("\t")])
    if len(rows) < 2 or all(len(row) == 2 and _LIST_NUMBER.fullmatch(row[0]) for row in rows):
        return None
    while all(not row[0] for row in rows):  # indentation; an empty corner is kept
        rows = [row[1:] for row in rows]
    return TextTable(rows, position + len(rows))


def _by_rules(lines: Sequence[str], position: int) -> TextTable | None:
    rows: list[list[str]] = []
    end = position
    for line in lines[position:]:
        text = line[:_LONGEST_LINE].strip(_TRAILING)
        if not _RULE_LINE.fullmatch(text):
            cells = [cell.strip(_TRAILING) for cell in _RULE.split(text)]
            if len(cells) < 3:
                break
            rows.append(cells[1:-1] if not cells[0] and not cells[-1] else cells)
        end += 1
    return TextTable(rows, end) if len(rows) >= 2 else None


def _by_blanks(lines: Sequence[str], position: int) -> TextTable | None:
    first = _spaced(lines[position])
    rows: list[_Row] = []
    for line in lines[position:]:
        row = _spaced(line[: _LONGEST_LINE + 1])
        if len(line) > _LONGEST_LINE or len(row.cells) != len(first.cells):
            break
        rows.append(row)
    if _is_spaced_table(rows):
        return TextTable([row.cells for row in rows], position + len(rows))
    # A short run is tried again from its next line, which may be better; a long one once, or its time would grow with its square.
    return TextTable([], position + len(rows)) if len(rows) > _TRIED_AGAIN else None


def _spaced(line: str) -> _Row:
    text = line.rstrip(_TRAILING)
    at = len(text) - len(text.lstrip(_TRAILING))
    cells: list[str] = []
    starts: list[int] = []
    for gap in [*_GAP.finditer(text, at), None]:
        cells.append(text[at : gap.start() if gap else len(text)])
        starts.append(display_width(text[:at]))
        at = gap.end() if gap else at
    return _Row(cells, starts)


def _is_spaced_table(rows: Sequence[_Row]) -> bool:
    """Short cells in enough rows that line up: two columns need three rows, more columns two that line up or three."""
    columns = len(rows[0].cells)
    longest = max(len(cell) for row in rows for cell in row.cells)
    aligned: Callable[[int], bool] = lambda column: _spread([row.starts[column] for row in rows]) <= _MISALIGNED  # noqa: E731
    if columns < 2 or len(rows) < 2:
        return False
    if columns == 2:
        return len(rows) >= 3 and longest <= _LONGEST_PAIRED_CELL and aligned(1)
    return longest <= _LONGEST_SPACED_CELL and (len(rows) >= 3 or any(aligned(column) for column in range(1, columns)))


def _spread(values: Sequence[int]) -> int:
    return max(values) - min(values)
