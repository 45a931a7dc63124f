"""Tables as grids of cells: those that the file has, and runs of lines whose fields stand under one another (plain text, unruled PDF)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from service.model import Block, Document, Submission

_FIELD_GAP = re.compile(r"[ ]*\t[ \t]*| {2,}|　+")
_ANY_GAP = re.compile("[ \\t　]")
_ONE_BLANK = re.compile(r" +")
_NUMERIC = re.compile(r"(?:20|19)[0-9]{2}年(?:度)?|[-—–−/]|[<>≤≥约＜＞±+-]?[0-9][0-9,.]*[%％‰]?(?:[~～—-][0-9][0-9,.]*[%％‰]?)?")
_LINE_KINDS = ("paragraph", "list", "heading", "caption")
_FEWEST_ROWS = 2
_LONGEST_ROW = 300


@dataclass(frozen=True, slots=True)
class Field:
    """A cell of a grid: its text without outer blanks, and its place in Document.text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A grid, equal only to itself. A merged cell stands at each of its places; None: nothing stands there.

    `first` and `last` index Document.blocks.
    """

    first: int
    last: int
    start: int
    end: int
    rows: tuple[tuple[Field | None, ...], ...]
    lines: bool = False  # made of lines of text, not a table of the file

    @property
    def columns(self) -> int:
        return max((len(row) for row in self.rows), default=0)


def body(submission: Submission) -> range:
    """The indexes of the write-up's blocks: from its first section to its last one; cover, form and evidence are outside."""
    indexes = [index for section in submission.sections for index in section.blocks]
    if indexes:
        return range(min(indexes), max(indexes) + 1)
    blocks = submission.document.blocks
    inside = [
        i for i, block in enumerate(blocks) if submission.start <= block.start and (not submission.end or block.end <= submission.end)
    ]
    return range(inside[0], inside[-1] + 1) if inside else range(0)


@lru_cache(maxsize=2)  # several checks ask; a submission is equal only to itself
def tables(submission: Submission) -> tuple[Table, ...]:
    """The tables of the write-up, in order."""
    text, blocks = submission.text, submission.document.blocks
    found: list[Table] = []
    lines: list[tuple[int, tuple[Field, ...]]] = []
    for index in body(submission):
        block = blocks[index]
        fields = _fields(text, block) if block.kind in _LINE_KINDS else ()
        if lines and len(fields) != len(lines[-1][1]):
            found.extend(_from_lines(lines))
            lines = []
        if fields:
            lines.append((index, fields))
        if block.kind == "table" and block.cells:
            found.append(Table(index, index, block.start, block.end, _grid(submission.document, block)))
    found.extend(_from_lines(lines))
    return tuple(sorted(found, key=lambda table: table.start))


def _grid(document: Document, block: Block) -> tuple[tuple[Field | None, ...], ...]:
    height = max(cell.row + cell.rows for cell in block.cells)
    width = max(block.columns, *(cell.column + cell.columns for cell in block.cells))
    rows: list[list[Field | None]] = [[None] * width for _ in range(height)]
    for cell in block.cells:
        field = Field(document.cell_text(cell).strip(), cell.start, cell.end)
        for row in range(cell.row, cell.row + cell.rows):
            for column in range(cell.column, cell.column + cell.columns):
                rows[row][column] = field
    return tuple(tuple(row) for row in rows)


def _fields(text: str, block: Block) -> tuple[Field, ...]:
    """The fields of a line that looks like a table's row; () where it does not."""
    line = text[block.start : block.end]
    if len(line) > _LONGEST_ROW or "。" in line or not _ANY_GAP.search(line):
        return ()
    fields = tuple(_split(text, block, _FIELD_GAP))
    if len(fields) > 2:
        return fields
    fields = tuple(_split(text, block, _ONE_BLANK))
    numeric = sum(1 for field in fields if _NUMERIC.fullmatch(field.text))
    return fields if len(fields) > 2 and numeric >= 2 else ()


def _split(text: str, block: Block, gap: re.Pattern[str]) -> Iterator[Field]:
    position = block.start
    for match in gap.finditer(text, block.start, block.end):
        if match.start() > position:
            yield Field(text[position : match.start()].strip(), position, match.start())
        position = match.end()
    if position < block.end:
        yield Field(text[position : block.end].strip(), position, block.end)


def _from_lines(lines: Sequence[tuple[int, tuple[Field, ...]]]) -> Iterable[Table]:
    if len(lines) < _FEWEST_ROWS:
        return ()
    rows = tuple(fields for _, fields in lines)
    return (Table(lines[0][0], lines[-1][0], rows[0][0].start, rows[-1][-1].end, rows, lines=True),)
