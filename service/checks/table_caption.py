"""Whether every table of the write-up has a caption beside it (above is asked for; its place is judged by caption_position).

A table that goes on over a page break counts with the one before it; frames of a row or a column are layout. A short line that names the
table without a number is accepted.

反例：正文说“主要指标如下：”，接着就是表格，没有“表3 主要质量指标”。
正例：表格上一段是“表3 主要质量指标”，其下可有“单位：万元”；或表格首行通栏写着表题；续表。
"""

from __future__ import annotations

from dataclasses import dataclass

from service.captions import captioned_tables
from service.model import NotChecked, Submission, Violation

VALUES = frozenset({"ordinal", "quote", "section", "measured", "allowed"})
_QUOTE_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    rows: int = 2  # smaller ones are frames, not tables
    columns: int = 2


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    found = []
    for table in captioned_tables(submission, rows=params.rows, columns=params.columns):
        if table.caption is not None:
            continue
        section = next((item for item in submission.sections if item.start <= table.start < item.end), None)
        words = " ".join(submission.text[table.start : table.end].split())
        found.append(
            Violation(
                table.start,
                min(table.end, _first_line(submission.text, table.start, table.end)),
                {
                    "ordinal": table.ordinal,
                    "quote": words[:_QUOTE_MAX],
                    "section": "正文" if section is None else section.heading or submission.name_of(section.key),
                    "measured": "无表题",
                    "allowed": "有表题",
                },
            )
        )
    return tuple(found)


def _first_line(text: str, start: int, end: int) -> int:
    """The end of the table's first row: what a comment is put at."""
    stop = text.find("\n", start, end)
    return end if stop < 0 else stop
