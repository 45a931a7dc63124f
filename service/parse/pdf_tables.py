"""Ruled tables of a PDF page, from its ruled lines: cells, spans, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from service.parse.blocks import CellText
from service.parse.pdf_lines import Line, cluster, is_wide, line_of
from service.parse.pdf_page import Page, Run
from service.parse.pdf_paragraphs import lead
from service.parse.pdf_shapes import Rule

_MOST_RULES = 12_000  # of a page, before the pieces of one line are joined; a drawing has more
_MOST_CROSSINGS = 4000  # lines across times lines down: the search for cells takes seconds from there
_SNAP = 3.0
_HEAD = 0.2
_ASIDE = 15.0
_PAGE = 100_000.0  # points: a line's place on a later page is lower than any on the page before
_PADDING = 10.0  # of a cell, left and right together

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table: its grid and its cells' texts."""

    box: Box
    columns: tuple[float, ...]  # x of the grid's vertical lines
    cells: tuple[CellText, ...]
    size: float
    font: str | None
    bold: bool
    page: int


def tables_of(page: Page, runs: Sequence[Run], grids: Sequence[Sequence[Box]]) -> tuple[list[Table], list[Run]]:
    """The page's ruled tables from top to bottom, and the runs outside them."""
    tables: list[Table] = []
    rest = list(runs)
    for grid in grids:
        inside: list[Run] = []
        outside: list[Run] = []
        box = around(grid)
        for run in rest:
            (inside if _within(run, box) else outside).append(run)
        table = _table(page, grid, box, inside)
        if table is not None:
            tables.append(table)
            rest = outside
    return sorted(tables, key=lambda table: table.box[1]), rest


def around(grid: Sequence[Box]) -> Box:
    """The box of a grid's cells."""
    return min(c[0] for c in grid), min(c[1] for c in grid), max(c[2] for c in grid), max(c[3] for c in grid)


def _within(run: Run, box: Box) -> bool:
    middle = (run.x0 + run.x1) / 2
    return box[0] - 1 <= middle <= box[2] + 1 and box[1] - 1 <= run.y - 0.3 * run.size <= box[3] + 1


def grids_of(rules: Sequence[Rule]) -> list[list[Box]]:
    """Groups of cells that ruled lines enclose, by pdfplumber's search on pdfium's lines."""
    across = [rule for rule in rules if rule.horizontal]
    down = [rule for rule in rules if not rule.horizontal]
    if len(across) < 2 or len(down) < 2 or len(rules) > _MOST_RULES:
        return []
    from pdfplumber import table as finder  # noqa: PLC0415 -- slow to import, and needed by pages with ruled lines alone

    edges = [_edge(rule, "h") for rule in across] + [_edge(rule, "v") for rule in down]
    merged = finder.merge_edges(edges, _SNAP, _SNAP, _SNAP, _SNAP)
    merged = [edge for edge in merged if max(edge["x1"] - edge["x0"], edge["bottom"] - edge["top"]) > 4]
    down_count = sum(1 for edge in merged if edge["orientation"] == "v")
    if down_count * (len(merged) - down_count) > _MOST_CROSSINGS:
        return []
    crossings = finder.edges_to_intersections(merged, _SNAP, _SNAP)
    cells = finder.intersections_to_cells(crossings)
    return [list(group) for group in finder.cells_to_tables(cells)] if cells else []


def _edge(rule: Rule, orientation: str) -> dict[str, object]:
    return {
        "x0": rule.x0,
        "x1": rule.x1,
        "top": rule.top,
        "bottom": rule.bottom,
        "width": rule.x1 - rule.x0,
        "height": rule.bottom - rule.top,
        "orientation": orientation,
        "object_type": "line",
    }


def _table(page: Page, grid: Sequence[Box], box: Box, runs: Sequence[Run]) -> Table | None:
    """A table where at least two cells hold text; frames and charts are none."""
    xs = _merged(x for cell in grid for x in (cell[0], cell[2]))
    ys = _merged(y for cell in grid for y in (cell[1], cell[3]))
    if len(grid) < 2:
        return None
    parts: list[list[Run]] = [[] for _ in grid]
    for run in runs:
        _deal(run, grid, parts)
    filled = sum(1 for part in parts if part)
    if filled < 1 or (filled < 2 and box[1] > _HEAD * page.height):
        return None  # a frame or a chart; at the top of a page it may be the rest of a row
    cells: list[CellText] = []
    for cell, part in zip(grid, parts, strict=True):
        row, column = _nearest(ys, cell[1]), _nearest(xs, cell[0])
        rows, columns = max(1, _nearest(ys, cell[3]) - row), max(1, _nearest(xs, cell[2]) - column)
        lines = _cell_lines(part, page.number)
        printed = tuple((page.number * _PAGE + line.y, line.text) for line in lines)
        cells.append(CellText(row, column, _cell_text(lines, cell), rows, columns, printed))
    sample = line_of(max(parts, key=lambda part: sum(len(run.text) for run in part)), page.number)
    return Table(box, tuple(xs), tuple(sorted(cells, key=lambda c: (c.row, c.column))), sample.size, sample.font, sample.bold, page.number)


def _merged(values: Iterable[float]) -> list[float]:
    out: list[float] = []
    for value in sorted(values):
        if not out or value - out[-1] > 1.0:
            out.append(value)
    return out


def _nearest(values: Sequence[float], value: float) -> int:
    return min(range(len(values)), key=lambda index: abs(values[index] - value))


def _deal(run: Run, grid: Sequence[Box], parts: list[list[Run]]) -> None:
    """Puts a run's characters into the cells that hold their middles; a run may reach over a ruled line."""
    height = run.y - 0.3 * run.size
    start = 0
    current: int | None = None
    for index, (left, right) in enumerate(zip(run.lefts, run.rights, strict=True)):
        owner = _owner(grid, (left + right) / 2, height)
        if owner is None:
            owner = current
        if owner != current and current is not None:
            parts[current].append(_slice(run, start, index))
            start = index
        current = owner
    if current is None:
        current = _closest(grid, (run.x0 + run.x1) / 2, height)
    parts[current].append(_slice(run, start, len(run.text)))


def _owner(grid: Sequence[Box], x: float, y: float) -> int | None:
    return next((index for index, cell in enumerate(grid) if cell[0] <= x <= cell[2] and cell[1] <= y <= cell[3]), None)


def _closest(grid: Sequence[Box], x: float, y: float) -> int:
    return min(
        range(len(grid)),
        key=lambda index: max(grid[index][0] - x, 0, x - grid[index][2]) + max(grid[index][1] - y, 0, y - grid[index][3]),
    )


def _slice(run: Run, start: int, end: int) -> Run:
    if start == 0 and end == len(run.text):
        return run
    return replace(run, text=run.text[start:end], lefts=run.lefts[start:end], rights=run.rights[start:end])


def _cell_lines(runs: Sequence[Run], page: int) -> list[Line]:
    lines = (line_of(row, page) for row in cluster(runs) if any(run.text.strip() for run in row))
    return [line for line in lines if line.text]


def _cell_text(lines: Sequence[Line], cell: Box) -> str:
    """A cell's lines as one text: wrapped lines joined, its paragraphs apart by one blank."""
    text = ""
    previous: Line | None = None
    for line in lines:
        if previous is not None:
            text += _between(previous, line, cell)
        text += line.text
        previous = line
    return text


def _between(before: Line, after: Line, cell: Box) -> str:
    """What joins two lines of a cell: nothing where the first was full, else a blank for the line or paragraph that ended."""
    room = (cell[2] - cell[0]) - (before.x1 - before.x0) - _PADDING
    wrapped = room < lead(after) + 0.5 * after.size
    latin = not is_wide(before.text[-1]) and not is_wide(after.text[0])
    return "" if wrapped and not latin else " "


def continues(before: Table, after: Table) -> bool:
    """Whether a table at the top of a page is the rest of the one that ended the page before; scanned pages may lie a little aside."""
    if len(before.columns) != len(after.columns):
        return False
    shifts = [b - a for a, b in zip(before.columns, after.columns, strict=True)]
    return max(shifts) - min(shifts) < 4 and abs(shifts[0]) < _ASIDE


def joined(before: Table, after: Table) -> Table:
    """Both parts as one table: a repeated head once, a row that the page break cut in two whole again."""
    rows = max((cell.row + cell.rows for cell in before.cells), default=0)
    first = [cell for cell in before.cells if cell.row == 0]
    head = [cell for cell in after.cells if cell.row == 0]
    rest = list(after.cells)
    shift = rows
    if any(cell.text for cell in head) and [c.text for c in head] == [c.text for c in first]:
        rest = [cell for cell in rest if cell.row > 0]
        shift = rows - 1
    kept = list(before.cells)
    if rest and shift == rows and _cut(kept, head, rows):
        tails = {cell.column: cell for cell in head}
        kept = [_with_tail(cell, tails.get(cell.column)) if cell.row + cell.rows == rows else cell for cell in kept]
        rest = [cell for cell in rest if cell.row > 0]
        shift = rows - 1
    moved = [replace(cell, row=cell.row + shift) for cell in rest]
    return replace(before, cells=tuple(kept + moved))


def _with_tail(cell: CellText, tail: CellText | None) -> CellText:
    return cell if tail is None else replace(cell, text=cell.text + tail.text, lines=cell.lines + tail.lines)


def _cut(cells: Sequence[CellText], head: Sequence[CellText], rows: int) -> bool:
    """Whether a row stands half on one page and half on the next: the second half has empty cells where the table has none."""
    last = [cell for cell in cells if cell.row + cell.rows == rows]
    if [(c.column, c.columns) for c in last] != [(c.column, c.columns) for c in head]:
        return False
    whole = sum(1 for cell in cells if cell.text) >= 0.95 * len(cells)
    return whole and len(head) > 1 and not all(cell.text for cell in head)
