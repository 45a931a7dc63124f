"""One worksheet of a workbook: its head, and a pen that writes cells. No text is ever a formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from rich.cells import cell_len

__all__ = ["Cell", "Cells", "Pen", "Styles", "Workbook", "new_sheet", "set_page", "text_value"]
_LONGEST = 32_767  # characters a cell holds
_TAIL = "……（后略）"
# A text that begins so is a formula to a spreadsheet once it is pasted or saved as CSV (OWASP; full-width forms are folded by some).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NONCHARACTERS = dict.fromkeys((0xFFFE, 0xFFFF), "\N{REPLACEMENT CHARACTER}")
_FONT = "微软雅黑"
_FILLS = {
    "error": "FBD9D5",
    "warning": "FDE7B8",
    "advice": "D5E6F8",
    "good": "DDF0E3",
    "head": "E9EEF3",
    "skipped": "EEF0F2",
    "alike": "EBDDF8",
}
_THIN = Border(*(Side("thin", color="D5DBE1"),) * 4)
_LINK: dict[str, Any] = {"color": "1B5FA8", "underline": "single"}
_LINE = 15.0  # points of a line at 10 points
_MOST_LINES = 12  # a longer cell is read by opening it
_ALIGNMENTS = {
    "text": Alignment(vertical="top", wrap_text=True),
    "number": Alignment(vertical="top", horizontal="right", indent=1),
    "head": Alignment(vertical="center", horizontal="center", wrap_text=True),
}

Cells = list[Cell]
Styles = dict[tuple[str, str, str | None, bool, bool, bool], StyleArray]


def text_value(value: object) -> str:
    """A string that every spreadsheet keeps as text: no control characters, no formula, not longer than a cell holds."""
    cleaned = ILLEGAL_CHARACTERS_RE.sub("", str(value)).translate(_NONCHARACTERS).encode("utf-8", "replace").decode("utf-8")
    # The cell's type keeps it a text here; the apostrophe keeps it one when the sheet is saved as CSV or a cell is entered again.
    if cleaned.startswith(_FORMULA):
        cleaned = "'" + cleaned
    return cleaned if len(cleaned) <= _LONGEST else cleaned[: _LONGEST - len(_TAIL)] + _TAIL


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes the cells of one sheet. A style is made once a workbook: openpyxl compares all of it for every cell that asks anew."""

    sheet: Worksheet
    styles: Styles

    def text(
        self,
        value: object,
        *,
        fill: str | None = None,
        bold: bool = False,
        plain: bool = False,
        alignment: str = "text",
        link: bool = False,
    ) -> Cell:
        """A cell that is a text, or empty."""
        written = text_value(value)
        cell = WriteOnlyCell(self.sheet, value=written or None)
        if written:
            cell.data_type = "s"
        return self._styled(cell, alignment=alignment, fill=fill, bold=bold, plain=plain, link=link)

    def number(self, value: float, *, fill: str | None = None, form: str = "", link: str | None = None) -> Cell:
        """`link`: a file beside the workbook and an anchor in it, quoted."""
        form = form or ("#,##0" if value == int(value) else "General")
        cell = self._styled(WriteOnlyCell(self.sheet, value=value), form, alignment="number", fill=fill, link=link is not None)
        if link is not None:
            cell.hyperlink = link
        return cell

    def link(self, value: object, page: str) -> Cell:
        """A text that opens a file beside the workbook."""
        cell = self.text(value, link=True)
        cell.hyperlink = quote(page, safe="/")
        return cell

    def append(self, cells: Cells, widths: Sequence[float], *, row: int) -> None:
        """Adds the row, as high as its fullest cell needs: programs that do not measure wrapped text would show one line."""
        lines = max(_lines(cell.value, width) for cell, width in zip(cells, widths, strict=True))
        self.sheet.row_dimensions[row].height = _LINE * min(lines, _MOST_LINES) + 3
        self.sheet.append(cells)

    def _styled(
        self,
        cell: Cell,
        form: str = "General",
        *,
        alignment: str,
        fill: str | None,
        bold: bool = False,
        plain: bool = False,
        link: bool = False,
    ) -> Cell:
        key = (form, alignment, fill, bold, plain, link)
        if key not in self.styles:
            cell.number_format = form
            cell.alignment = _ALIGNMENTS[alignment]
            cell.font = Font(name=_FONT, size=10, bold=bold, **(_LINK if link else {}))
            if not plain:
                cell.border = _THIN
            if fill is not None:
                cell.fill = PatternFill("solid", fgColor=_FILLS[fill])
            self.styles[key] = cell._style  # type: ignore[attr-defined]
        cell._style = self.styles[key]  # type: ignore[attr-defined]
        return cell


def new_sheet(book: Workbook, name: str, columns: Sequence[tuple[str, float]], styles: Styles, *, rows: int, frozen: str) -> Pen:
    """A sheet with its head written: widths in characters, filter, head row repeated in print, landscape on one page's width."""
    sheet: Worksheet = book.create_sheet(name)
    for index, (_, width) in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.freeze_panes = frozen
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{rows + 1}"
    sheet.print_title_rows = "1:1"
    set_page(sheet)
    sheet.row_dimensions[1].height = 36
    pen = Pen(sheet, styles)
    sheet.append([pen.text(title, fill="head", bold=True, alignment="head") for title, _ in columns])
    return pen


def set_page(sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_margins = PageMargins(left=0.3, right=0.3, top=0.4, bottom=0.5)  # inches
    if sheet.oddFooter is not None:
        sheet.oddFooter.center.text = "第 &P 页，共 &N 页"
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _lines(value: object, width: float) -> int:
    if not isinstance(value, str):
        return 1
    return sum(max(1, math.ceil(cell_len(line) / width)) for line in value.split("\n"))
