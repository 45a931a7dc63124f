"""The rows of a list as one workbook: what was decided, dismissed and is alike beside them. No text is ever a formula."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from service import rulebook
from service.programme.china import ZONE
from service.programme.listing import Row
from service.render.sheets import Cell, Cells, Pen, Styles, Workbook, new_sheet
from service.render.wording import words_for

if TYPE_CHECKING:
    from service.programme.exporting import Rows

_STATES = {"received": "待形审", "passed": "已通过", "returned": "退回修改", "set_aside": "搁置", "withdrawn": "已撤回"}
_ANALYSES = {"waiting": "等待审读", "running": "正在审读", "failed": "未能审读"}
_ACTIONS = {"pass": "通过", "return": "退回修改", "set_aside": "搁置", "reopen": "重新受理", "withdraw": "撤回"}
_FILLS = {"passed": "good", "returned": "warning", "received": "advice"}
_FLAG_FILLS = {"near_duplicate": "alike", "reuse": "alike"}
_CONTACT = ("credit_code", "contact_name", "contact_phone", "contact_email")
_COLUMNS = (
    ("序号", 6.0),
    ("编号", 16.0),
    ("单位", 28.0),
    ("题目", 40.0),
    ("推荐单位", 22.0),
    ("推荐\n顺序", 7.0),
    ("状态", 10.0),
    ("错误", 7.0),
    ("提醒", 7.0),
    ("建议", 7.0),
    ("已忽略", 8.0),
    ("缺少部分", 18.0),
    ("重点方向", 18.0),
    ("方向\n得分", 8.0),
    ("方向\n来源", 9.0),
    ("申报时所选方向", 22.0),
    ("字数", 10.0),
    ("相似度", 9.0),
    ("关系", 11.0),
    ("相似对象", 12.0),
    ("最近处理", 11.0),
    ("处理意见", 48.0),
    ("处理人", 10.0),
    ("处理时间", 17.0),
    ("评审\n专家", 7.0),
    ("统一社会信用代码", 22.0),
    ("联系人", 11.0),
    ("联系电话", 16.0),
    ("电子邮箱", 24.0),
    ("审读", 20.0),
    ("版（届）", 14.0),
    ("版本", 7.0),
    ("文件", 30.0),
    ("提交时间", 17.0),
    ("更新时间", 17.0),
)
_WIDTHS = [width for _, width in _COLUMNS]


def workbook(found: Rows, *, url: str, pages: Mapping[int, str] | None = None) -> bytes:
    """The workbook's bytes: the rows, what was decided, dismissed, and is alike. No text is ever a formula.

    A number leads to the submission at the service (`url`), or to the file in `pages` (id -> path beside the workbook).
    """
    book = Workbook(write_only=True)
    styles: Styles = {}
    pen = new_sheet(book, "申报材料", _COLUMNS, styles, rows=len(found.rows), frozen="D2")
    pen.sheet.page_setup.fitToWidth = 3  # on one page's width nobody could read it
    pen.sheet.print_title_cols = "A:C"
    for number, row in enumerate(found.rows, 1):
        pen.append(_row(pen, number, row, found, url=url, page=(pages or {}).get(row.id)), _WIDTHS, row=number + 1)
    _decisions_sheet(book, found, styles)
    if found.dismissed:
        _dismissed_sheet(book, found, styles)
    if found.alike:
        _alike_sheet(book, found, styles)
    _explained(book, found, styles)
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def _row(pen: Pen, number: int, row: Row, found: Rows, *, url: str, page: str | None) -> Cells:
    more, last = found.contacts.get(row.id), next(iter(found.decisions.get(row.id, ())), None)
    judged = row.analysis_state == "done" and row.errors is not None
    return [
        pen.number(number),
        _link(pen, row.number, f"{url}/submissions/{row.id}") if page is None else pen.link(row.number, page),
        pen.text(row.organisation),
        pen.text(row.title),
        pen.text(row.unit_name or ""),
        _number(pen, row.rank),
        pen.text(_STATES.get(row.state, row.state), fill=_FILLS.get(row.state)),
        _count(pen, row.errors if judged else None, "error"),
        _count(pen, row.warnings if judged else None, "warning"),
        _count(pen, row.advice if judged else None, "advice"),
        _number(pen, row.dismissed or None),
        _missing(pen, row, more),
        *_area(pen, row, more),
        _number(pen, row.words),
        pen.text("") if row.similarity is None else pen.number(round(row.similarity, 4), form="0.0%", fill=_FLAG_FILLS.get(row.flag or "")),
        pen.text(words_for("flags", row.flag) if row.flag else ""),
        pen.text("" if row.flag is None else "本届材料" if row.among else "往年标杆"),
        pen.text("" if last is None else _ACTIONS[last.action]),
        pen.text("" if last is None else last.reasons or ""),
        pen.text("" if last is None else last.shown),
        _time(pen, None if last is None else last.at),
        _number(pen, row.assigned or None),
        *(pen.text("" if more is None else getattr(more, name) or "") for name in _CONTACT),
        pen.text(_analysis(row), fill="error" if row.analysis_state == "failed" else None),
        pen.text(row.edition),
        pen.number(row.version),
        pen.text(row.file_name),
        _time(pen, row.submitted_at),
        _time(pen, row.changed_at),
    ]


def _area(pen: Pen, row: Row, more: Any) -> Cells:
    """Main area, score, who says so, what the applicant ticked."""
    told = _areas(row.edition)
    if row.area is None:
        undecided = row.analysis_state == "done" and row.area_score is not None
        first = [
            pen.text(words_for("verdicts", "undecided") if undecided else "", fill="skipped" if undecided else None),
            pen.text(""),
            pen.text(""),
        ]
    else:
        score = pen.text("") if row.corrected or row.area_score is None else pen.number(round(row.area_score, 2), form="0.00")
        first = [pen.text(told.get(row.area, row.area)), score, pen.text("人工更正" if row.corrected else "程序建议")]
    return [*first, pen.text("、".join(told.get(area, area) for area in (more.areas if more is not None else ())))]


def _missing(pen: Pen, row: Row, more: Any) -> Cell:
    names = _sections(row.edition)
    told = "、".join(names.get(key, key) for key in (more.missing or ()) if row.analysis_state == "done") if more is not None else ""
    return pen.text(told, fill="error" if told else None)


def _analysis(row: Row) -> str:
    if row.analysis_state != "done":
        return _ANALYSES.get(row.analysis_state, row.analysis_state) + (f"：{row.reason}" if row.reason else "")
    return words_for("statuses", row.status if row.errors is not None or row.status == "failed" else "not_writeup") if row.status else ""


def _decisions_sheet(book: Workbook, found: Rows, styles: Styles) -> None:
    columns = (
        ("序号", 6.0),
        ("编号", 16.0),
        ("单位", 28.0),
        ("题目", 40.0),
        ("处理", 11.0),
        ("意见", 60.0),
        ("版本", 7.0),
        ("处理人", 10.0),
        ("时间", 17.0),
    )
    pairs = [(row, each) for row in found.rows for each in reversed(found.decisions.get(row.id, ()))]
    pen = new_sheet(book, "处理记录", columns, styles, rows=len(pairs), frozen="C2")
    for number, (row, each) in enumerate(pairs, 1):
        cells = [
            pen.number(number),
            *(pen.text(value) for value in (row.number, row.organisation, row.title, _ACTIONS[each.action], each.reasons or "")),
            pen.number(each.version),
            pen.text(each.shown),
            _time(pen, each.at),
        ]
        pen.append(cells, [width for _, width in columns], row=number + 1)


def _dismissed_sheet(book: Workbook, found: Rows, styles: Styles) -> None:
    columns = (
        ("序号", 6.0),
        ("编号", 16.0),
        ("单位", 28.0),
        ("规则", 18.0),
        ("问题", 50.0),
        ("原文", 40.0),
        ("忽略的理由", 40.0),
        ("忽略人", 10.0),
        ("时间", 17.0),
    )
    pen = new_sheet(book, "忽略的问题", columns, styles, rows=len(found.dismissed), frozen="C2")
    for number, each in enumerate(found.dismissed, 1):
        told = (each.number, each.organisation, each.rule, each.message, each.quote, each.reason, each.shown)
        cells = [pen.number(number), *(pen.text(value) for value in told), _time(pen, each.at)]
        pen.append(cells, [width for _, width in columns], row=number + 1)


def _alike_sheet(book: Workbook, found: Rows, styles: Styles) -> None:
    columns = (
        ("序号", 6.0),
        ("编号", 16.0),
        ("单位", 28.0),
        ("题目", 36.0),
        ("相同部分\n占比", 10.0),
        ("关系", 11.0),
        ("对方编号", 16.0),
        ("对方单位", 28.0),
        ("对方题目", 36.0),
    )
    pen = new_sheet(book, "本届相似材料", columns, styles, rows=len(found.alike), frozen="C2")
    for number, each in enumerate(found.alike, 1):
        cells = [
            pen.number(number),
            *(pen.text(value) for value in (each.one_number, each.one_organisation, each.one_title)),
            pen.number(round(each.share, 4), form="0.0%"),
            pen.text(words_for("flags", each.flag), fill=_FLAG_FILLS.get(each.flag)),
            *(pen.text(value) for value in (each.other_number, each.other_organisation, each.other_title)),
        ]
        pen.append(cells, [width for _, width in columns], row=number + 1)


def _explained(book: Workbook, found: Rows, styles: Styles) -> None:
    columns = (("说明", 26.0), ("", 90.0))
    told = [
        ("导出人", found.viewer),
        ("导出时间", f"{datetime.now(ZONE):%Y-%m-%d %H:%M}"),
        (
            "范围",
            f"共 {len(found.rows)} 份；筛选条件："
            + ("、".join(f"{name}={value}" for name, value in found.filters.query().items()) or "全部"),
        ),
        ("错误、提醒、建议", "不含已忽略的问题；空白表示没有判断（还没审读完、未能审读，或没有找到申报正文）。"),
        ("相似度", "与往年标杆（不计引文）和本届另一份材料中较大的一个。相似是供核对的事实，不是结论。"),
        ("联系信息", "含个人信息，只供本次组织工作使用，请妥善保管，用毕删除。"),
    ]
    pen = new_sheet(book, "说明", columns, styles, rows=len(told), frozen="A2")
    for number, (label, value) in enumerate(told, 1):
        pen.append([pen.text(label, bold=True), pen.text(value)], [width for _, width in columns], row=number + 1)


def _link(pen: Pen, value: str, address: str) -> Cell:
    cell = pen.text(value, link=True)
    cell.hyperlink = address
    return cell


def _number(pen: Pen, value: float | None) -> Cell:
    return pen.text("") if value is None else pen.number(value)


def _count(pen: Pen, value: int | None, severity: str) -> Cell:
    return pen.text("") if value is None else pen.number(value, fill=severity if value else None)


def _time(pen: Pen, value: datetime | None) -> Cell:
    return pen.text("" if value is None else f"{value.astimezone(ZONE):%Y-%m-%d %H:%M}")


@cache
def _areas(edition: str) -> dict[str, str]:
    return {area.id: area.name for area in rulebook.load(edition).areas}


@cache
def _sections(edition: str) -> dict[str, str]:
    return {spec.key: spec.name for spec in rulebook.load(edition).sections}
