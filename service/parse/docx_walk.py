"""Walks the body of a .docx and says what is printed: paragraphs as pieces of text, tables, figures, text boxes, in document order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lxml import etree

from service.parse.docx_drawing import MC, M, branch, equation_text, inspect
from service.parse.docx_format import Formats, RunFormat, RunProps, Style, W, is_on, para_props, to_int
from service.parse.docx_items import Figure, Item, Para, Table, TableCell
from service.parse.docx_numbering import Numbering
from service.parse.docx_symbols import plain_symbols, symbol

_P: Final = W + "p"
_PPR: Final = W + "pPr"
_R: Final = W + "r"
_RPR: Final = W + "rPr"
_T: Final = W + "t"
_TC: Final = W + "tc"
_TR: Final = W + "tr"
_TBL: Final = W + "tbl"
_SECTION: Final = W + "sectPr"
_FRAME: Final = W + "framePr"
_SDT: Final = W + "sdt"
_CONTENT: Final = W + "sdtContent"
_CELL: Final = W + "tcPr"
_CELL_DELETED: Final = W + "cellDel"
_SPAN: Final = W + "gridSpan"
_MERGED_DOWN: Final = W + "vMerge"
_MERGED_ACROSS: Final = W + "hMerge"
_VAL: Final = W + "val"
_ALTERNATE: Final = MC + "AlternateContent"
_KEPT: Final = frozenset({W + "ins", W + "moveTo"})
_DROPPED: Final = frozenset({W + "del", W + "moveFrom"})
_WRAPPERS: Final = frozenset(W + name for name in ("hyperlink", "smartTag", "customXml", "dir", "bdo", "sdtContent", "rubyBase"))
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
_XML_BLANKS: Final = " \t\r\n"
_LINE_MARKS: Final = str.maketrans("\t\r\n", "   ")
# Zero-width blanks, marks of direction and of byte order: not seen, not counted, and in the way of every comparison.
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffc]")
_VISIBLE: Final = re.compile("[^\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffc]+")
_NO_PROPS: Final = RunProps()
_SPANNING_FIELDS: Final = ("IF", "SET", "QUOTE", "COMPARE", "INCLUDETEXT")
_MAX_COLUMNS: Final = 2000


@dataclass(slots=True)
class _Field:
    """A complex field that is open."""

    instruction: str = ""
    result: bool = False  # the result has begun
    contents: bool = False  # it makes a table of contents


class Walker:
    """Goes through the document once; what is found beside the text stands in its attributes."""

    __slots__ = ("_carry", "_contents", "_fields", "_formats", "_instructions", "_numbering", "chunks", "notes", "revisions", "sections")

    def __init__(self, formats: Formats, numbering: Numbering) -> None:
        self._formats = formats
        self._numbering = numbering
        self._fields: list[_Field] = []
        self._instructions = 0  # open fields whose result has not begun: what stands there is not printed
        self._contents = 0  # open fields that make a contents page
        self._carry: Para | None = None  # a paragraph whose mark is deleted: its text begins the next one
        self.revisions = 0
        self.chunks = 0
        self.notes: list[tuple[str, str]] = []  # ("footnote" | "endnote", id), in order of reference
        self.sections: list[etree._Element] = []

    def flow(self, container: Iterable[etree._Element]) -> list[Item]:
        """The blocks of a body, cell, text box or note."""
        outer, self._carry = self._carry, None
        items: list[Item] = []
        self._blocks(container, items, toc=False)
        self._flush(items)
        self._carry = outer
        return items

    def _flush(self, items: list[Item]) -> None:
        if self._carry is not None:
            items.append(self._carry)
            self._carry = None

    def _blocks(self, container: Iterable[etree._Element], items: list[Item], *, toc: bool) -> None:  # noqa: C901 - one branch an element
        for child in container:
            tag = child.tag
            if tag == _P:
                self._paragraph(child, items, toc=toc)
            elif tag == _CELL:
                continue
            elif tag == _TBL:
                self._flush(items)
                items.append(self._table(child))
            elif tag == _SDT:
                content = child.find(_CONTENT)
                if content is not None:
                    self._blocks(content, items, toc=toc or _is_contents(child))
            elif tag in _KEPT or tag in _WRAPPERS:
                self._blocks(child, items, toc=toc)
            elif tag == _ALTERNATE:
                shown = branch(child)
                if shown is not None:
                    self._blocks(shown, items, toc=toc)
            elif tag == W + "altChunk":
                self.chunks += 1
            elif tag == _SECTION:
                self.sections.append(child)

    def _paragraph(self, element: etree._Element, items: list[Item], *, toc: bool) -> None:
        children = list(element)
        properties = _head(children, _PPR)
        props = para_props(properties)
        style = self._formats.style(props.style)
        para = Para(element, style, props, toc=toc)
        deleted = hidden = initial = False
        if properties is not None:
            for child in properties.iterchildren(_RPR, _SECTION, _FRAME):
                if child.tag == _SECTION:
                    self.sections.append(child)
                elif child.tag == _FRAME:
                    initial = child.get(W + "dropCap") in {"drop", "margin"}
                else:
                    deleted, hidden = self._mark(child, style)
        if self._carry is not None:
            para.pieces, para.figures, para.boxes = self._carry.pieces, self._carry.figures, self._carry.boxes
            self._carry = None
        self._inline(children, para)
        self._end_fields()
        if deleted or initial:  # a large initial letter is a paragraph of its own and begins the next one's first word
            self._carry = para
            return
        if not (hidden and not para.pieces):
            self._number(para)
        items.append(para)

    def _mark(self, mark: etree._Element, style: Style) -> tuple[bool, bool]:
        """Whether a paragraph's mark is deleted, and whether it is hidden."""
        deleted = hidden = False
        for child in mark:
            tag = child.tag
            if tag in _DROPPED:
                deleted = True
                self.revisions += 1
            elif tag in _KEPT:
                self.revisions += 1
            elif tag == W + "vanish":
                hidden = is_on(child)
        return deleted, hidden or style.run.hidden

    def _number(self, para: Para) -> None:
        style = para.style.para
        number = para.props.number if para.props.number is not None else style.number
        if not number or number == "0":
            return
        level = para.props.level
        if level is None:
            level = style.level if number == style.number else 0
        if level is None:
            level = self._numbering.level_of_style(number, para.style.number_style)
        found = self._numbering.label(number, level)
        if found is not None:
            para.label = found[0]
            para.level = level + 1

    def _end_fields(self) -> None:
        """A field without an end must not swallow the rest of the document: only few instructions run over several paragraphs."""
        while self._instructions and not self._fields[-1].result:
            if self._fields[-1].instruction.upper().startswith(_SPANNING_FIELDS):
                break
            self._fields.pop()
            self._instructions -= 1

    def _inline(self, children: Iterable[etree._Element], para: Para) -> None:  # noqa: C901 - one branch an element
        for child in children:
            tag = child.tag
            if tag == _R:
                self._run(child, para)
            elif tag == _PPR:
                continue
            elif tag in _WRAPPERS:
                self._inline(child, para)
            elif tag in _KEPT:
                self.revisions += 1
                self._inline(child, para)
            elif tag in _DROPPED:
                self.revisions += 1
            elif tag == _SDT:
                content = child.find(_CONTENT)
                if content is not None:
                    self._inline(content, para)
            elif tag == W + "fldSimple":
                para.toc = para.toc or (child.get(W + "instr") or "").strip().upper().startswith("TOC")
                self._inline(child, para)
            elif tag == _ALTERNATE:
                shown = branch(child)
                if shown is not None:
                    self._inline(shown, para)
            elif tag == M + "oMath":
                self._add(para, equation_text(child), child, para.style.run)
            elif tag == M + "oMathPara":
                self._inline(child, para)

    def _run(self, run: etree._Element, para: Para) -> None:
        children = list(run)
        properties = _head(children, _RPR)
        props = self._formats.run_props(properties) if properties is not None else _NO_PROPS
        before = len(para.pieces)
        self._run_content(children, para, self._formats.run(para.style, props))
        if self._contents and len(para.pieces) > before:
            para.toc = True

    def _run_content(self, children: Iterable[etree._Element], para: Para, looks: RunFormat) -> None:  # noqa: C901 - one branch an element
        for child in children:
            tag = child.tag
            if tag == _T:
                if not self._instructions and not looks.hidden:
                    _add_text(para, child, looks)
            elif tag == _RPR:
                continue
            elif tag == W + "fldChar":
                self._field(child, para, looks)
            elif tag == W + "instrText":
                if self._fields and not self._fields[-1].result:
                    self._fields[-1].instruction = (self._fields[-1].instruction + (child.text or "")).lstrip()
            elif self._instructions or looks.hidden:
                continue
            elif tag in {W + "tab", W + "ptab"}:
                para.pieces.append(("\t", child, 0, looks))
            elif tag in {W + "br", W + "cr"}:
                para.pieces.append(("\f" if child.get(W + "type") in {"page", "column"} else "\n", child, 0, looks))
            elif tag == W + "noBreakHyphen":
                para.pieces.append(("-", child, 0, looks))
            elif tag == W + "sym":
                self._add(para, symbol(child.get(W + "char"), child.get(W + "font")), child, looks)
            elif tag in {W + "drawing", W + "pict", W + "object"}:
                self._drawing(child, para)
            elif tag in {W + "footnoteReference", W + "endnoteReference"}:
                self.notes.append(("footnote" if tag == W + "footnoteReference" else "endnote", child.get(W + "id") or ""))
            elif tag == W + "ruby":
                base = child.find(W + "rubyBase")
                if base is not None:
                    self._inline(base, para)
            elif tag == _ALTERNATE:
                shown = branch(child)
                if shown is not None:
                    self._run_content(shown, para, looks)

    @staticmethod
    def _add(para: Para, text: str, element: etree._Element, looks: RunFormat) -> None:
        if text:
            para.pieces.append((text, element, 0, looks))

    def _field(self, mark: etree._Element, para: Para, looks: RunFormat) -> None:
        kind = mark.get(W + "fldCharType")
        if kind == "begin":
            if not self._instructions and not looks.hidden:
                self._add(para, _form_checkbox(mark), mark, looks)
            self._fields.append(_Field())
            self._instructions += 1
        elif kind == "separate" and self._fields and not self._fields[-1].result:
            last = self._fields[-1]
            last.result = True
            last.contents = last.instruction.upper().startswith("TOC")
            self._contents += last.contents
            self._instructions -= 1
        elif kind == "end" and self._fields:
            closed = self._fields.pop()
            self._contents -= closed.contents
            self._instructions -= not closed.result

    def _drawing(self, element: etree._Element, para: Para) -> None:
        found = inspect(element)
        if found.figure:
            para.figures.append(Figure(len(para.pieces), found.anchored, element))
        if not found.boxes:
            return
        outer = self._fields, self._instructions, self._contents
        self._fields, self._instructions, self._contents = [], 0, 0
        items = [item for box in found.boxes for item in self.flow(box)]
        self._fields, self._instructions, self._contents = outer
        if items:
            para.boxes.append((items, found.grouped and len(found.boxes) > 1))

    def _table(self, element: etree._Element) -> Table:
        cells: list[TableCell] = []
        above: dict[int, TableCell] = {}  # by first column: cells that a vertical merge may go on from
        columns = 0
        row = 0
        for tr in self._parts(element, _TR):
            properties = tr.find(W + "trPr")
            column = 0
            if properties is not None:
                if any(properties.find(tag) is not None for tag in _DROPPED):
                    self.revisions += 1
                    continue
                self.revisions += properties.find(W + "ins") is not None
                hidden = properties.find(W + "hidden")
                if hidden is not None and is_on(hidden):
                    continue
                before = properties.find(W + "gridBefore")
                column = _span(before, 0)
            column = self._row(tr, row, column, cells, above)
            columns = max(columns, column)
            row += 1
        return Table(element, cells, columns)

    def _row(self, tr: etree._Element, row: int, column: int, cells: list[TableCell], above: dict[int, TableCell]) -> int:
        """Adds the cells of a row; the first free column after it."""
        for tc in self._parts(tr, _TC):
            children = list(tc)
            properties = _head(children, _CELL)
            facts = {} if properties is None else {child.tag: child for child in properties}
            if _CELL_DELETED in facts:
                self.revisions += 1
                continue
            span = _span(facts.get(_SPAN), 1)
            vertical, sideways = facts.get(_MERGED_DOWN), facts.get(_MERGED_ACROSS)
            merge = None if vertical is None else vertical.get(_VAL) or "continue"
            if sideways is not None and sideways.get(_VAL) != "restart" and cells and cells[-1].row == row:
                cells[-1].columns += span
                column += span
                continue
            upper = above.get(column)
            if merge == "continue" and upper is not None:
                upper.rows = row - upper.row + 1
                column += span
                continue
            cell = TableCell(row, column, self.flow(children), 1, span)
            cells.append(cell)
            if merge is None:
                above.pop(column, None)
            else:
                above[column] = cell
            column += span
        return column

    def _parts(self, parent: etree._Element, wanted: str) -> list[etree._Element]:
        """Rows of a table or cells of a row, those in content controls and the like as well."""
        found: list[etree._Element] = []
        for child in parent:
            tag = child.tag
            if tag == wanted:
                found.append(child)
            elif tag == _SDT:
                content = child.find(_CONTENT)
                if content is not None:
                    found += self._parts(content, wanted)
            elif tag in _KEPT or tag in _WRAPPERS:
                found += self._parts(child, wanted)
        return found


def _head(children: list[etree._Element], tag: str) -> etree._Element | None:
    """The first child, where it is of that name: properties always stand first."""
    return children[0] if children and children[0].tag == tag else None


def _add_text(para: Para, element: etree._Element, looks: RunFormat) -> None:
    text = element.text
    if not text:
        return
    offset = 0
    if (text[0] in _XML_BLANKS or text[-1] in _XML_BLANKS) and element.get(_SPACE) != "preserve":
        stripped = text.lstrip(_XML_BLANKS)
        offset = len(text) - len(stripped)
        text = stripped.rstrip(_XML_BLANKS)
        if not text:
            return
    if not text.isprintable():
        text = plain_symbols(text.translate(_LINE_MARKS))
        if _INVISIBLE.search(text):
            para.pieces += [(part[0], element, offset + part.start(), looks) for part in _VISIBLE.finditer(text)]
            return
    para.pieces.append((text, element, offset, looks))


def _span(element: etree._Element | None, default: int) -> int:
    value = to_int(element.get(_VAL)) if element is not None else None
    return default if value is None else max(default, min(value, _MAX_COLUMNS))


def _is_contents(sdt: etree._Element) -> bool:
    gallery = sdt.find(f"{W}sdtPr/{W}docPartObj/{W}docPartGallery")
    return gallery is not None and (gallery.get(_VAL) or "").lower() in {"table of contents", "目录"}


def _form_checkbox(mark: etree._Element) -> str:
    """The tick box of a legacy form field; nothing for other fields."""
    box = mark.find(f"{W}ffData/{W}checkBox")
    if box is None:
        return ""
    checked = box.find(W + "checked")
    if checked is None:
        checked = box.find(W + "default")
    return "☑" if checked is not None and is_on(checked) else "☐"
