"""Reports -> one workbook: 初审表 (a row a document), 问题清单 (a finding), 各部分摘要 (a section), 说明. No text is ever a formula."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import count
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

from service import lexicon
from service.model import Edition, Report, Severity
from service.render.insight import Insight
from service.render.limits import Row, row_names
from service.render.view import Item, View, views
from service.render.wording import SEVERITIES, words_for

_LONGEST = 32_767  # characters a cell holds
_TAIL = "……（后略）"
# A text that begins so is a formula to a spreadsheet once it is pasted or saved as CSV (OWASP; full-width forms are folded by some).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NONCHARACTERS = dict.fromkeys((0xFFFE, 0xFFFF), "\N{REPLACEMENT CHARACTER}")
_FONT = "微软雅黑"
_FILLS = {"error": "FBD9D5", "warning": "FDE7B8", "advice": "D5E6F8", "good": "DDF0E3", "head": "E9EEF3", "skipped": "EEF0F2"}
_STATE_FILLS = {"over": "error", "under": "warning", "missing": "error", "within": "good"}
_STATUS_FILLS = {"failed": "error", "partial": "warning"}
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
_Styles = dict[tuple[str, str, str | None, bool, bool, bool], StyleArray]


def workbook(reports: Sequence[Report], edition: Edition, pages: Mapping[str, str] | None = None) -> bytes:
    """The workbook's bytes. Personal data is masked; reports stand in the order given.

    `pages`: where the web page of each report (by its `path`) lies, seen from the workbook's folder, with / between folders.
    """
    shown = views(reports, edition)
    book = Workbook(write_only=True)
    styles: _Styles = {}
    _triage(book, shown, edition, styles, pages or {})
    _findings(book, shown, styles)
    if any(one.insight is not None for one in shown):
        _summaries(book, shown, styles)
    _explanation(book, shown, edition, styles)
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def text_value(value: object) -> str:
    """A string that every spreadsheet keeps as text: no control characters, no formula, not longer than a cell holds."""
    cleaned = ILLEGAL_CHARACTERS_RE.sub("", str(value)).translate(_NONCHARACTERS).encode("utf-8", "replace").decode("utf-8")
    # The cell's type keeps it a text here; the apostrophe keeps it one when the sheet is saved as CSV or a cell is entered again.
    if cleaned.startswith(_FORMULA):
        cleaned = "'" + cleaned
    return cleaned if len(cleaned) <= _LONGEST else cleaned[: _LONGEST - len(_TAIL)] + _TAIL


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes the cells of one sheet. A style is made once a workbook: openpyxl compares all of it for every cell that asks anew."""

    sheet: Worksheet
    styles: _Styles

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

    def number(self, value: float, *, fill: str | None = None, form: str = "") -> Cell:
        form = form or ("#,##0" if value == int(value) else "General")
        return self._styled(WriteOnlyCell(self.sheet, value=value), form, alignment="number", fill=fill)

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


def _sheet(book: Workbook, name: str, columns: Sequence[tuple[str, float]], styles: _Styles, *, rows: int, frozen: str) -> _Pen:
    """A sheet with its head written: widths in characters, filter, head row repeated in print, landscape on one page's width."""
    sheet: Worksheet = book.create_sheet(name)
    for index, (_, width) in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.freeze_panes = frozen
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{rows + 1}"
    sheet.print_title_rows = "1:1"
    _page(sheet)
    sheet.row_dimensions[1].height = 36
    pen = _Pen(sheet, styles)
    sheet.append([pen.text(title, fill="head", bold=True, alignment="head") for title, _ in columns])
    return pen


def _page(sheet: Worksheet) -> None:
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


_FILE = 1  # index of the column 文件
_CONTENT_COLUMNS = (("重点方向\n（建议）", 15.0), ("得分", 7.0), ("其他方向", 20.0), ("一句话概括", 44.0), ("首要建议", 44.0))


def _triage(book: Workbook, shown: Sequence[View], edition: Edition, styles: _Styles, pages: Mapping[str, str]) -> None:
    allowed = {row.name: row.allowed for one in shown for row in one.rows}
    names = [name for name in row_names(edition) if name in allowed]
    total = next((one.total.allowed for one in shown), "")
    content = any(one.insight is not None for one in shown)
    columns = [
        ("序号", 6.0),
        ("文件", 30.0),
        ("题目", 36.0),
        ("单位", 24.0),
        ("状态", 10.0),
        *((words_for("severities", severity), 7.0) for severity in SEVERITIES),
        ("未检查", 8.0),
        ("缺少部分", 16.0),
        *(_CONTENT_COLUMNS if content else ()),
        ("字数", 10.0),
        ("不计空格\n字符数", 11.0),
        ("汉字数", 10.0),
        (f"{words_for('rows', 'body')}\n{total}".strip(), 14.0),
        *((f"{name}\n{allowed[name]}".strip(), 12.0) for name in names),
        ("说明", 48.0),
    ]
    pen = _sheet(book, "初审表", columns, styles, rows=len(shown), frozen="C2")
    if content:  # on one page's width nobody could read it
        pen.sheet.page_setup.fitToWidth = 2
        pen.sheet.print_title_cols = "A:B"
    widths = [width for _, width in columns]
    for number, one in enumerate(shown, 1):
        row = _triage_row(pen, number, one, names, content=content)
        page = pages.get(one.report.path)
        if page is not None:
            row[_FILE] = pen.link(one.name, page)
        pen.append(row, widths, row=number + 1)


def _triage_row(pen: _Pen, number: int, one: View, names: Sequence[str], *, content: bool) -> Cells:
    status = one.report.status
    judged = one.judged or status == "failed"
    cells = [
        pen.number(number),
        pen.text(one.name),
        pen.text(one.title or ""),
        pen.text(one.organisation or ""),
        pen.text(words_for("statuses", status if judged else "not_writeup"), fill=_STATUS_FILLS.get(status, None if judged else "warning")),
    ]
    notes = pen.text("\n".join(note.message for note in one.notes))
    if one.report.submission is None:
        return [*cells, *(pen.text("") for _ in range(9 + len(names) + (len(_CONTENT_COLUMNS) if content else 0))), notes]
    rows = {row.name: row for row in one.rows}
    return [
        *cells,
        *(_tally(pen, one, severity) for severity in SEVERITIES),
        pen.number(one.rules["not_checked"], fill="skipped" if one.rules["not_checked"] else None),
        pen.text("、".join(one.missing), fill="error" if one.missing else None),
        *(_content(pen, one.insight) if content else ()),
        pen.number(one.words),
        pen.number(one.characters),
        pen.number(one.han),
        pen.number(one.total.words, fill=_STATE_FILLS.get(one.total.state)),
        *(_section(pen, rows.get(name)) for name in names),
        notes,
    ]


def _content(pen: _Pen, told: Insight | None) -> Cells:
    """The columns of _CONTENT_COLUMNS."""
    if told is None:
        return [pen.text("") for _ in _CONTENT_COLUMNS]
    primary, first = told.primary, next(iter(told.priorities), None)
    name = primary.name if primary else words_for("verdicts", "undecided") if told.undecided else ""
    return [
        pen.text(name, fill=None if primary or not name else "skipped"),
        pen.text("") if primary is None else pen.number(round(primary.score, 2), form="0.00"),
        pen.text("、".join(f"{area.name} {area.shown}" for area in told.areas if area.chosen and not area.primary)),
        pen.text(told.one_line or ""),
        pen.text("" if first is None else f"{first.section}：{first.message}"),
    ]


def _tally(pen: _Pen, one: View, severity: Severity) -> Cell:
    """How many findings; empty where nothing was judged, for a nought would say that all is well."""
    number = one.tally[severity]
    return pen.number(number, fill=severity if number else None) if one.judged else pen.text("")


def _section(pen: _Pen, row: Row | None) -> Cell:
    if row is None or (row.start is None and row.state != "missing"):
        return pen.text("")
    if row.state == "missing":
        return pen.text(words_for("states", "missing"), fill="error", bold=True, alignment="number")
    return pen.number(row.words, fill=_STATE_FILLS.get(row.state))


_FINDING_COLUMNS = (
    ("序号", 6.0),
    ("文件", 28.0),
    ("单位", 20.0),
    ("轻重", 7.0),
    ("检查项", 13.0),
    ("部分", 12.0),
    ("小标题", 18.0),
    ("页", 6.0),
    ("问题与修改意见", 56.0),
    ("现状", 14.0),
    ("要求", 14.0),
    ("依据", 9.0),
    ("条款", 16.0),
    ("原文", 42.0),
    ("规则", 18.0),
)


def _findings(book: Workbook, shown: Sequence[View], styles: _Styles) -> None:
    pen = _sheet(book, "问题清单", _FINDING_COLUMNS, styles, rows=sum(len(one.items) for one in shown), frozen="C2")
    widths = [width for _, width in _FINDING_COLUMNS]
    pairs = ((one, item) for one in shown for item in one.items)
    for number, (one, item) in enumerate(pairs, 1):
        pen.append(_finding_row(pen, number, one, item), widths, row=number + 1)


def _finding_row(pen: _Pen, number: int, one: View, item: Item) -> Cells:
    return [
        pen.number(number),
        pen.text(one.name),
        pen.text(one.organisation or ""),
        pen.text(words_for("severities", item.severity), fill=item.severity),
        pen.text(words_for("checks", item.check)),
        pen.text(item.section),
        pen.text(item.heading),
        _value(pen, item.page),
        pen.text(item.message),
        _value(pen, item.measured),
        _value(pen, item.allowed),
        pen.text(words_for("bases", item.basis)),
        pen.text(item.clause or ""),
        pen.text(item.snippet),
        pen.text(item.rule),
    ]


def _value(pen: _Pen, value: str | float | None) -> Cell:
    if isinstance(value, str) or value is None:
        return pen.text("" if value is None else value)
    return pen.number(value)


_SUMMARY_COLUMNS = (("序号", 6.0), ("文件", 28.0), ("单位", 20.0), ("部分", 12.0), ("摘要（原文语句）", 80.0), ("优先修改", 60.0))


def _summaries(book: Workbook, shown: Sequence[View], styles: _Styles) -> None:
    """A row a section of which there is something to say."""
    pairs = [(one, part) for one in shown if one.insight is not None for part in one.insight.sections if part.sentences or part.priorities]
    pen = _sheet(book, "各部分摘要", _SUMMARY_COLUMNS, styles, rows=len(pairs), frozen="C2")
    widths = [width for _, width in _SUMMARY_COLUMNS]
    for number, (one, part) in enumerate(pairs, 1):
        advised = "\n".join(f"{place}. {item.message}" for place, item in enumerate(part.priorities, 1))
        name = pen.text(part.name, fill="error" if part.missing else None)
        told = [pen.text(part.summary), pen.text(advised)]
        row = [pen.number(number), pen.text(one.name), pen.text(one.organisation or ""), name, *told]
        pen.append(row, widths, row=number + 1)


_EXPLANATION_WIDTHS = (26.0, 90.0, 10.0)


def _explanation(book: Workbook, shown: Sequence[View], edition: Edition, styles: _Styles) -> None:
    sheet: Worksheet = book.create_sheet("说明")
    for index, width in enumerate(_EXPLANATION_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    _page(sheet)
    say: Mapping[str, str] = lexicon.load("display")["lines"]
    pen, rows = _Pen(sheet, styles), count(1)

    def line(*values: object, fill: str | None = None, bold: bool = False) -> None:
        cells = [pen.text(value, fill=fill if index == 0 else None, bold=bold, plain=True) for index, value in enumerate(values)]
        pen.append(cells or [pen.text("", plain=True)], _EXPLANATION_WIDTHS[: len(cells) or 1], row=next(rows))

    line("标杆审读 初审表", bold=True)
    line("规则", f"{edition.name}，{edition.document}（版本 {edition.id} {edition.hash[:12]}）")
    line("文件", f"共 {len(shown)} 个，其中未能读取 {sum(one.report.status == 'failed' for one in shown)} 个")
    line("性质", say["machine"])
    line("字数", say["words"])
    if any(one.insight is not None for one in shown):
        line("重点方向", say["focus"])
        line("摘要", say["summaries"])
    line()
    line("颜色", bold=True)
    for state, fill in _STATE_FILLS.items():
        line(words_for("states", state), say[f"state_{state}"], fill=fill)
    line()
    line("未检查的规则", say["not_passed"], "文件数", bold=True)
    for reason, names, files in _skipped(shown):
        line("、".join(names), reason, files)


def _skipped(shown: Sequence[View]) -> Iterable[tuple[str, tuple[str, ...], int]]:
    """Reasons with the rules and the number of files they stand for; the most frequent first."""
    counted = Counter((skipped.reason, skipped.rules) for one in shown for skipped in one.unchecked)
    return ((reason, names, files) for (reason, names), files in counted.most_common())
