"""Assembles what a reader finds into `Document.text` and its blocks: the one place where offsets are counted."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from service.model import Block, BlockKind, Cell, Layout

# A caption: 表1 …, 图 2-1 …, 附表3： …; not a sentence that begins with one ("表1是……。").
_CAPTION = re.compile(r"(?:附|续)?[表图]\s*(?:[0-9０-９]+|[一二三四五六七八九十]+)(?:[-－–—.．][0-9０-９]+)*(?![0-9０-９])")
_CAPTION_MAX = 60
_LEVEL = 6.0  # points, half a line: what stands no farther apart is printed as one line
_SENTENCE_MARK = re.compile(r"[。；！？!?;]")
_AFTER_NUMBER_OF_A_SENTENCE = re.compile(r"[是为中所显表列给反展说可的与和及，,至到（(没未里仅只]|[0-9]")


@dataclass(frozen=True, slots=True)
class CellText:
    """A table cell as a reader finds it; rows and columns from 0, spans at least 1."""

    row: int
    column: int
    text: str
    rows: int = 1
    columns: int = 1
    lines: tuple[tuple[float, str], ...] = ()  # as printed in a PDF: how far down in points, text; () where lines are not known


def is_caption(text: str) -> bool:
    """Whether a paragraph's text has the form of a table's or figure's caption."""
    line = text.strip()
    if len(line) > _CAPTION_MAX or _SENTENCE_MARK.search(line):
        return False
    match = _CAPTION.match(line)
    if not match:
        return False
    rest = line[match.end() :]
    return not rest or rest[0] in " \t　:：、.．" or not _AFTER_NUMBER_OF_A_SENTENCE.match(rest)


def _printed_lines(cells: Sequence[CellText]) -> Iterator[tuple[float, int, int, str]]:
    """Each line of each cell as (how far down, column, cell, text); lines that stand level are put equally far down."""
    lines = sorted((y, cell.column, index, text) for index, cell in enumerate(cells) for y, text in cell.lines)
    level = -math.inf
    for y, column, index, text in lines:
        if y - level > _LEVEL:
            level = y
        yield level, column, index, text


class Builder:
    """Collects blocks in document order; `text` and `blocks` hold the result at any time."""

    __slots__ = ("_blocks", "_length", "_parts")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._blocks)

    @property
    def length(self) -> int:
        return self._length

    @property
    def last_kind(self) -> BlockKind | None:
        return self._blocks[-1].kind if self._blocks else None

    def _append(self, text: str) -> tuple[int, int]:
        if self._parts:
            self._parts.append("\n")
            self._length += 1
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        return start, self._length

    def add(
        self,
        text: str,
        *,
        kind: BlockKind = "paragraph",
        level: int | None = None,
        label: str = "",
        page: int | None = None,
        layout: Layout | None = None,
    ) -> tuple[int, int]:
        """One paragraph; its span in the text. A plain one that has a caption's form becomes one. The caller leaves empty ones out."""
        if kind in {"paragraph", "list"} and text[:1] in "表图附续 　" and is_caption(text):
            kind = "caption"
        start, end = self._append(text)
        self._blocks.append(Block(kind, start, end, level=level, label=label, page=page, layout=layout))
        return start, end

    def add_table(
        self, cells: Iterable[CellText], *, page: int | None = None, layout: Layout | None = None, columns: int | None = None
    ) -> tuple[Cell, ...]:
        """A table in row order; the cells with their spans, in the order given (sorted by row, then column)."""
        ordered = sorted(cells, key=lambda cell: (cell.row, cell.column))
        if any(len(cell.lines) > 1 for cell in ordered):
            return self._add_printed(ordered, page=page, layout=layout, columns=columns)
        pieces: list[str] = []
        placed: list[Cell] = []
        offset = self._length + (1 if self._parts else 0)
        row: int | None = None
        for cell in ordered:
            if row is not None:
                pieces.append("\t" if cell.row == row else "\n")
                offset += 1
            row = cell.row
            pieces.append(cell.text)
            placed.append(Cell(cell.row, cell.column, cell.rows, cell.columns, offset, offset + len(cell.text)))
            offset += len(cell.text)
        start, end = self._append("".join(pieces))
        width = columns if columns is not None else max((cell.column + cell.columns for cell in placed), default=0)
        self._blocks.append(Block("table", start, end, page=page, layout=layout, cells=tuple(placed), columns=width))
        return tuple(placed)

    def _add_printed(self, cells: list[CellText], *, page: int | None, layout: Layout | None, columns: int | None) -> tuple[Cell, ...]:
        """A table whose cells run over several lines, line by line across the cells as it is printed; each cell knows its lines."""
        base = self._length + (1 if self._parts else 0)
        text = ""
        spans: dict[int, list[tuple[int, int]]] = {}
        down: float | None = None
        for y, column, index, line in sorted(_printed_lines(cells)):
            text += ("" if down is None else "\t" if y == down else "\n") + line
            down = y
            spans.setdefault(index, []).append((base + len(text) - len(line), base + len(text)))
            del column
        start, end = self._append(text)
        placed = []
        for index, cell in enumerate(cells):
            first, *more = spans.get(index, [(start, start)])
            placed.append(Cell(cell.row, cell.column, cell.rows, cell.columns, *first, tuple(more), cell.text if more else ""))
        width = columns if columns is not None else max((cell.column + cell.columns for cell in placed), default=0)
        self._blocks.append(Block("table", start, end, page=page, layout=layout, cells=tuple(placed), columns=width))
        return tuple(placed)

    def add_figure(self, *, page: int | None = None, layout: Layout | None = None) -> None:
        """A picture: a block without text at the end of what was added so far."""
        self._blocks.append(Block("figure", self._length, self._length, page=page, layout=layout))
