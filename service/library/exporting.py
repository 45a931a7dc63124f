"""The list of benchmarks as a file for the office: CSV, XLSX or JSONL, by its suffix. Nothing in it is taken for a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from service.errors import ServiceError
from service.library.benchmark import Benchmark

HEADS = {
    "id": "编号",
    "year": "年度",
    "level": "级别",
    "organisation": "单位",
    "credit_code": "统一社会信用代码",
    "former_names": "曾用名",
    "title": "标题",
    "edition": "版本",
    "areas": "方向",
    "status": "状态",
    "revoked_reason": "撤销原因",
    "revoked_on": "撤销日期",
    "file": "文件",
    "sha256": "SHA-256",
    "words": "字数",
    "passages": "段落数",
}
WORDS = {"national": "国家级", "province": "省级", "city": "市级", "in_force": "有效", "revoked": "已撤销"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
SUFFIXES = (".csv", ".xlsx", ".jsonl")
_WIDTHS = {"organisation": 28, "title": 48, "former_names": 20, "file": 24, "revoked_reason": 28, "credit_code": 22, "areas": 24}


def exported(several: Sequence[Benchmark], suffix: str) -> bytes:
    """The file's bytes; ServiceError for another suffix. A table that was exported can be imported again."""
    rows = [each.row() for each in several]
    match suffix.lower():
        case ".jsonl":
            return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf8", "replace")
        case ".csv":
            return _csv(rows)
        case ".xlsx":
            return _xlsx(rows)
    raise ServiceError("export_suffix", f"不能导出为“{suffix}”，文件名请以 {'、'.join(SUFFIXES)} 结尾。")


def cell(name: str, value: Any) -> str | int:
    """A value of `Benchmark.row` as people read it; empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "、".join(value)
    if isinstance(value, int):
        return value
    return WORDS.get(value, value) if name in {"level", "status"} else str(value)


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(HEADS.values())
    for row in rows:
        writer.writerow([_safe(cell(name, row[name])) for name in HEADS])
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf8", "replace")  # with its mark, Excel reads it as UTF-8


def _safe(value: str | int) -> str | int:
    """Excel takes what begins so for a formula; with an apostrophe before it, it does not."""
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value


def _xlsx(rows: Sequence[dict[str, Any]]) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415 - only for such files
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet("标杆库")
    sheet.freeze_panes = "A2"
    for column, name in enumerate(HEADS, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = _WIDTHS.get(name, 12)

    def filled(value: str | int) -> Any:
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value)
        if isinstance(value, str):
            made.data_type = "s"  # never a formula
        return made

    head = [filled(name) for name in HEADS.values()]
    for each in head:
        each.font = Font(bold=True)
    sheet.append(head)
    for row in rows:
        sheet.append([filled(cell(name, row[name])) for name in HEADS])
    if rows:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(HEADS))}{len(rows) + 1}"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def suffix_of(path: Path) -> str:
    """The suffix, checked before anything is read."""
    if path.suffix.lower() not in SUFFIXES:
        raise ServiceError("export_suffix", f"不能导出为“{path.suffix or path.name}”，文件名请以 {'、'.join(SUFFIXES)} 结尾。")
    return path.suffix
