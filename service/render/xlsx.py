"""Reports -> one workbook: 初审表 (a row a document), 问题清单 (a finding), 各部分摘要 (a section), 说明. No text is ever a formula."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from itertools import count
from urllib.parse import quote

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from service import lexicon
from service.model import Edition, Report, Severity
from service.render.insight import Insight
from service.render.likeness import Likeness, marks_of, not_compared
from service.render.limits import Row, row_names
from service.render.sheets import Cells, Pen, Styles, new_sheet, set_page
from service.render.view import Item, View, views
from service.render.wording import SEVERITIES, words_for

_STATE_FILLS = {"over": "error", "under": "warning", "missing": "error", "within": "good"}
_STATUS_FILLS = {"failed": "error", "partial": "warning"}


def workbook(reports: Sequence[Report], edition: Edition, pages: Mapping[str, str] | None = None) -> bytes:
    """The workbook's bytes. Personal data is masked; reports stand in the order given.

    `pages`: where the web page of each report (by its `path`) lies, seen from the workbook's folder, with / between folders.
    """
    shown = views(reports, edition)
    book = Workbook(write_only=True)
    styles: Styles = {}
    _triage(book, shown, edition, styles, pages or {})
    _findings(book, shown, styles)
    if any(one.insight is not None for one in shown):
        _summaries(book, shown, styles)
    _explanation(book, shown, edition, styles)
    target = BytesIO()
    book.save(target)
    return target.getvalue()


_FILE = 1  # index of the column 文件
_LIKENESS_COLUMNS = (("相似度\n（不计引文）", 11.0), ("最相似的标杆", 36.0), ("关系", 11.0), ("本单位", 8.0))
_FLAG_FILLS = {"near_duplicate": "alike", "reuse": "alike", "related": None}
_CONTENT_COLUMNS = (("重点方向\n（建议）", 15.0), ("得分", 7.0), ("其他方向", 20.0), ("一句话概括", 44.0), ("首要建议", 44.0))


def _triage(book: Workbook, shown: Sequence[View], edition: Edition, styles: Styles, pages: Mapping[str, str]) -> None:
    allowed = {row.name: row.allowed for one in shown for row in one.rows}
    names = [name for name in row_names(edition) if name in allowed]
    total = next((one.total.allowed for one in shown), "")
    content = any(one.insight is not None for one in shown)
    compared = any(one.likeness is not None for one in shown)
    columns = [
        ("序号", 6.0),
        ("文件", 30.0),
        ("题目", 36.0),
        ("单位", 24.0),
        ("状态", 10.0),
        *((words_for("severities", severity), 7.0) for severity in SEVERITIES),
        ("未检查", 8.0),
        ("缺少部分", 16.0),
        *(_LIKENESS_COLUMNS if compared else ()),
        *(_CONTENT_COLUMNS if content else ()),
        ("字数", 10.0),
        ("不计空格\n字符数", 11.0),
        ("汉字数", 10.0),
        (f"{words_for('rows', 'body')}\n{total}".strip(), 14.0),
        *((f"{name}\n{allowed[name]}".strip(), 12.0) for name in names),
        ("说明", 48.0),
    ]
    pen = new_sheet(book, "初审表", columns, styles, rows=len(shown), frozen="C2")
    if content:  # on one page's width nobody could read it
        pen.sheet.page_setup.fitToWidth = 2
        pen.sheet.print_title_cols = "A:B"
    widths = [width for _, width in columns]
    for number, one in enumerate(shown, 1):
        page = pages.get(one.report.path)
        row = _triage_row(pen, number, one, names, content=content, alike=_likeness(pen, one, page) if compared else [])
        if page is not None:
            row[_FILE] = pen.link(one.name, page)
        pen.append(row, widths, row=number + 1)


def _triage_row(pen: Pen, number: int, one: View, names: Sequence[str], *, content: bool, alike: Cells) -> Cells:
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
        return [*cells, *(pen.text("") for _ in range(9 + len(names) + len(alike) + (len(_CONTENT_COLUMNS) if content else 0))), notes]
    rows = {row.name: row for row in one.rows}
    return [
        *cells,
        *(_tally(pen, one, severity) for severity in SEVERITIES),
        pen.number(one.rules["not_checked"], fill="skipped" if one.rules["not_checked"] else None),
        pen.text("、".join(one.missing), fill="error" if one.missing else None),
        *alike,
        *(_content(pen, one.insight) if content else ()),
        pen.number(one.words),
        pen.number(one.characters),
        pen.number(one.han),
        pen.number(one.total.words, fill=_STATE_FILLS.get(one.total.state)),
        *(_section(pen, rows.get(name)) for name in names),
        notes,
    ]


def _likeness(pen: Pen, one: View, page: str | None) -> Cells:
    """The columns of _LIKENESS_COLUMNS; the share leads to what is shared, on the web page."""
    found = one.likeness
    if found is None or not found.matches:
        said = "" if not one.judged else words_for("lines", _nothing(found))
        share = pen.text("") if found is None else pen.number(0, form="0.0%")
        return [share, pen.text(said, fill="skipped" if said else None), pen.text(""), pen.text("")]
    first = found.matches[0]
    title = f"{first.title}（{first.source}）" if first.source else first.title
    title += "".join(f"【{mark}】" for mark in marks_of(own=False, among=first.among, revoked=first.revoked))  # own has its column
    return [
        pen.number(found.similarity.without_quotes, form="0.0%", link=None if page is None else f"{quote(page, safe='/')}#matches"),
        pen.text(title),
        pen.text(words_for("flags", first.flag), fill=_FLAG_FILLS[first.flag]),
        pen.text("是" if first.own else ""),
    ]


def _nothing(found: Likeness | None) -> str:
    """Why no benchmark is named."""
    if found is None:
        return "not_compared_short"
    return "only_among_short" if found.similarity.only_among else "nothing_alike_short"


def _content(pen: Pen, told: Insight | None) -> Cells:
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


def _tally(pen: Pen, one: View, severity: Severity) -> Cell:
    """How many findings; empty where nothing was judged, for a nought would say that all is well."""
    number = one.tally[severity]
    return pen.number(number, fill=severity if number else None) if one.judged else pen.text("")


def _section(pen: Pen, row: Row | None) -> Cell:
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


def _findings(book: Workbook, shown: Sequence[View], styles: Styles) -> None:
    pen = new_sheet(book, "问题清单", _FINDING_COLUMNS, styles, rows=sum(len(one.items) for one in shown), frozen="C2")
    widths = [width for _, width in _FINDING_COLUMNS]
    pairs = ((one, item) for one in shown for item in one.items)
    for number, (one, item) in enumerate(pairs, 1):
        pen.append(_finding_row(pen, number, one, item), widths, row=number + 1)


def _finding_row(pen: Pen, number: int, one: View, item: Item) -> Cells:
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


def _value(pen: Pen, value: str | float | None) -> Cell:
    if isinstance(value, str) or value is None:
        return pen.text("" if value is None else value)
    return pen.number(value)


_SUMMARY_COLUMNS = (("序号", 6.0), ("文件", 28.0), ("单位", 20.0), ("部分", 12.0), ("摘要（原文语句）", 80.0), ("优先修改", 60.0))


def _summaries(book: Workbook, shown: Sequence[View], styles: Styles) -> None:
    """A row a section of which there is something to say."""
    pairs = [(one, part) for one in shown if one.insight is not None for part in one.insight.sections if part.sentences or part.priorities]
    pen = new_sheet(book, "各部分摘要", _SUMMARY_COLUMNS, styles, rows=len(pairs), frozen="C2")
    widths = [width for _, width in _SUMMARY_COLUMNS]
    for number, (one, part) in enumerate(pairs, 1):
        advised = "\n".join(f"{place}. {item.message}" for place, item in enumerate(part.priorities, 1))
        name = pen.text(part.name, fill="error" if part.missing else None)
        told = [pen.text(part.summary), pen.text(advised)]
        row = [pen.number(number), pen.text(one.name), pen.text(one.organisation or ""), name, *told]
        pen.append(row, widths, row=number + 1)


_EXPLANATION_WIDTHS = (26.0, 90.0, 10.0)


def _explanation(book: Workbook, shown: Sequence[View], edition: Edition, styles: Styles) -> None:
    sheet: Worksheet = book.create_sheet("说明")
    for index, width in enumerate(_EXPLANATION_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    set_page(sheet)
    say: Mapping[str, str] = lexicon.load("display")["lines"]
    pen, rows = Pen(sheet, styles), count(1)

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
    if any(one.likeness is not None for one in shown):
        line("相似内容", say["likeness"] + say["shares"])
    for reason, files in not_compared([one.report for one in shown]):
        line("没有比对往年标杆", f"{files} 个文件：{reason}")
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
