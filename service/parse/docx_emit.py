"""Turns what the walk found into blocks: lines of a paragraph, kinds, layouts, tables and the tables that only frame text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lxml import etree

from service.model import BlockKind, Layout
from service.parse.blocks import Builder, CellText, is_caption
from service.parse.docx_format import Formats, ParaProps, RunFormat, merge_para
from service.parse.docx_items import Figure, Item, Para, Table, TableCell
from service.parse.docx_lines import Piece, around, inner, joined, lines, plain, trimmed

_STOP: Final = re.compile(r"[。；！？]")
_HEADING_MAX: Final = 60  # longer, and with a sentence's end, it is a paragraph whatever its outline level
_SHORT_LINE: Final = 40  # lines of a title broken by hand
_LONG: Final = 60  # a paragraph of prose
_PROSE: Final = 300  # characters of prose that make a cell a frame
_FORM_PROSE: Final = 600  # the same beside a label
_LABEL_MAX: Final = 30
_ASCII_WEIGHT: Final = 0.01  # the East-Asian font is asked for: other characters decide only where there are no Chinese ones


@dataclass(frozen=True, slots=True)
class Segment:
    """text[start:end] stands in `element` (w:t, w:tab, w:sym, m:oMath …), from `offset` of its own text."""

    start: int
    end: int
    element: etree._Element
    offset: int


class Emitter:
    """Adds items to a builder; `segments` collects where each character stands in the XML, where that is wanted."""

    __slots__ = ("_formats", "builder", "segments")

    def __init__(self, formats: Formats, *, segments: list[Segment] | None = None) -> None:
        self._formats = formats
        self.builder = Builder()
        self.segments = segments

    def items(self, items: Iterable[Item]) -> None:
        for item in items:
            if isinstance(item, Para):
                self._para(item)
            else:
                self._table(item)

    def notes(self, items: Iterable[Item], *, label: str) -> None:
        """A footnote or endnote: its paragraphs as `note` blocks, the number at the first."""
        for para in _paragraphs(items):
            for line, _ in lines(para):
                if self._add(para, trimmed(line), kind="note", label=label):
                    label = ""

    def _para(self, para: Para) -> None:
        label = para.label
        layout_props = merge_para(para.props, para.style.para)
        for line, figures in lines(para):
            pieces = trimmed(line)
            text = "".join([piece[0] for piece in pieces])
            if figures:
                looks = self._formats.layout(para.style, layout_props, {})
                before, after = around(line, text, figures)
                for figure in before:
                    self._figure(figure, looks)
                self._line(para, pieces, text, label, layout_props)
                for figure in after:
                    self._figure(figure, looks)
            else:
                self._line(para, pieces, text, label, layout_props)
            label = "" if text else label
        for content, grouped in para.boxes:
            self._box(content, grouped=grouped)

    def _figure(self, figure: Figure, looks: Layout | None) -> None:
        self.builder.add_figure(layout=looks)
        if self.segments is not None:
            place = self.builder.length
            self.segments.append(Segment(place, place, figure.element, 0))

    def _line(self, para: Para, pieces: list[Piece], text: str, label: str, props: ParaProps) -> None:
        if not text:
            return
        kind, level = _kind(para, props, text, label)
        self._add(para, pieces, kind=kind, level=level, label=label, props=props)

    def _add(
        self, para: Para, pieces: list[Piece], *, kind: BlockKind, level: int | None = None, label: str = "", props: ParaProps | None = None
    ) -> bool:
        if not pieces:
            return False
        looks = self._looks(para, pieces, props or merge_para(para.props, para.style.para))
        start, _ = self.builder.add("".join([piece[0] for piece in pieces]), kind=kind, level=level, label=label, layout=looks)
        self._record(start, pieces)
        return True

    def _looks(self, para: Para, pieces: list[Piece], props: ParaProps) -> Layout:
        weights: dict[RunFormat, float] = {}
        for text, element, _, looks in pieces:
            if element is not None:
                weight = len(text) * _ASCII_WEIGHT if text.isascii() else float(len(text))
                weights[looks] = weights.get(looks, 0.0) + weight
        return self._formats.layout(para.style, props, weights)

    def _record(self, start: int, pieces: list[Piece]) -> None:
        if self.segments is None:
            return
        for text, element, offset, _ in pieces:
            if element is not None:
                self.segments.append(Segment(start, start + len(text), element, offset))
            start += len(text)

    def _box(self, items: list[Item], *, grouped: bool) -> None:
        """A text box. The labels of one drawing's boxes make one paragraph, so that none of them looks like a heading."""
        paragraphs = [para for para in _paragraphs(items) if _has_text(para)]
        if grouped and len(paragraphs) > 1 and all(isinstance(item, Para) and _length(item) < _SHORT_LINE for item in items):
            first = paragraphs[0]
            self._add(first, joined(inner(paragraphs), first.style.run), kind="paragraph")
        else:
            self.items(items)

    def _table(self, table: Table) -> None:
        if _frames_pictures(table):
            self._picture_table(table)
            return
        rows: dict[int, list[TableCell]] = {}
        for cell in table.cells:
            rows.setdefault(cell.row, []).append(cell)
        unrolled = {row for row, cells in rows.items() if _is_frame_row(cells, rows, table.columns)}
        if rows and all(len(cells) == 1 for cells in rows.values()) and (len(rows) == 1 or unrolled):
            unrolled = set(rows)  # a table of one column is a frame as a whole
        grid: list[TableCell] = []
        for row, cells in sorted(rows.items()):
            if row in unrolled:
                self._grid(grid, table)
                grid = []
                for cell in cells:
                    self.items(cell.items)
            else:
                grid += cells
        self._grid(grid, table)

    def _grid(self, cells: list[TableCell], table: Table) -> None:
        """A real table, or the part of one between frames."""
        if not cells:
            return
        cells = sorted(cells, key=lambda cell: (cell.row, cell.column))
        first = cells[0].row
        inside = [_paragraphs(cell.items) for cell in cells]
        content = [_joined(paragraphs) for paragraphs in inside]
        texts = ["".join([piece[0] for piece in pieces]) for pieces in content]
        figures = [figure for paragraphs in inside for para in paragraphs for figure in para.figures]
        captioned = self.builder.last_kind == "caption"
        if any(texts):
            placed = self.builder.add_table(
                [CellText(cell.row - first, cell.column, text, cell.rows, cell.columns) for cell, text in zip(cells, texts, strict=True)],
                columns=table.columns,
            )
            for cell, pieces in zip(placed, content, strict=True) if self.segments is not None else ():
                self._record(cell.start, pieces)
        if figures and not captioned:  # pictures under a table's own caption belong to the table
            self._figure(figures[0], None)

    def _picture_table(self, table: Table) -> None:
        """A table that only puts pictures side by side: each picture with the caption below it."""
        below = {(cell.row, cell.column): cell for cell in table.cells}
        done: set[int] = set()
        for cell in table.cells:
            if id(cell) in done:
                continue
            done.add(id(cell))
            self.items(cell.items)
            under = below.get((cell.row + cell.rows, cell.column))
            if (
                under is not None
                and any(para.figures for para in _paragraphs(cell.items))
                and not any(map(_has_text, _paragraphs(cell.items)))
            ):
                done.add(id(under))
                self.items(under.items)


def _paragraphs(items: Iterable[Item]) -> list[Para]:
    """Paragraphs in order, those of nested tables and of text boxes as well."""
    found: list[Para] = []
    for item in items:
        if isinstance(item, Para):
            found.append(item)
            for content, _ in item.boxes:
                found += _paragraphs(content)
        else:
            for cell in item.cells:
                found += _paragraphs(cell.items)
    return found


def _has_text(para: Para) -> bool:
    return any(piece[0].strip() for piece in para.pieces)


def _length(para: Para) -> int:
    return sum(len(piece[0]) for piece in para.pieces)


def _kind(para: Para, props: ParaProps, text: str, label: str) -> tuple[BlockKind, int | None]:
    style = para.style
    if para.toc or style.kind == "toc":
        return "toc", None
    sentence = len(text) > _HEADING_MAX and (text[-1] in "。；;" or _STOP.search(text) is not None or len(text) > 2 * _HEADING_MAX)
    if style.kind == "title" and not sentence:
        return "title", None
    if (style.kind == "caption" and text[:1] in "表图" and not sentence) or (label[:1] in {"表", "图"} and is_caption(f"{label} {text}")):
        return "caption", None
    outline = para.props.outline
    level = (outline + 1 if 0 <= outline <= 8 else None) if outline is not None else style.level
    if level is not None and not sentence:
        return "heading", level
    if para.level is not None and label:
        return "list", para.level
    return ("paragraph", None) if not label or props.number is None else ("list", para.level)


def _joined(paragraphs: list[Para]) -> list[Piece]:
    return joined(inner(paragraphs), paragraphs[0].style.run) if paragraphs else []


def _is_prose(items: list[Item], *, least: int) -> bool:
    """Whether a cell holds paragraphs of a write-up and not a value."""
    lengths = [_length(para) for para in _paragraphs(items)]
    return sum(lengths) >= least and sum(1 for length in lengths if length >= _LONG) >= 2


def _is_frame_row(cells: list[TableCell], rows: dict[int, list[TableCell]], columns: int) -> bool:
    if any(cell.rows > 1 for cell in cells) or sum(cell.columns for cell in cells) < columns:
        return False
    if len(cells) == 1:
        return _is_prose(cells[0].items, least=_PROSE)
    label = sum(_length(para) for para in _paragraphs(cells[0].items))
    return len(cells) == 2 and label <= _LABEL_MAX and len(rows) > 0 and _is_prose(cells[1].items, least=_FORM_PROSE)


def _frames_pictures(table: Table) -> bool:
    """Whether a table only arranges pictures: every text in it is a caption."""
    paragraphs = [para for cell in table.cells for para in _paragraphs(cell.items)]
    if not any(para.figures for para in paragraphs):
        return False
    texts = [plain(list(para.pieces)) for para in paragraphs]
    return all(not text or is_caption(text) for text in texts)
