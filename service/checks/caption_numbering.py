"""Whether tables and figures are numbered by kind, from 1, one after the other, none twice. 表2-1 counts within its chapter; 附表 apart.

A number that is missing because the table there has no caption at all is left to table_caption.

反例：表1、表2之后是表4；两处都标“图3”。
正例：表1、表2、表3与图1、图2各自连续；表2-1、表2-2、表3-1；续表2。
"""

from __future__ import annotations

from dataclasses import dataclass

from service.captions import Caption, captioned_figures, captioned_tables, captions
from service.model import NotChecked, Submission, Violation

VALUES = frozenset({"caption", "kind", "measured", "allowed"})
_QUOTE_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    rows: int = 2  # smaller tables are frames
    columns: int = 2


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    uncaptioned = [
        item
        for item in (*captioned_tables(submission, rows=params.rows, columns=params.columns), *captioned_figures(submission))
        if item.caption is None
    ]
    series: dict[tuple[str, str, tuple[int, ...]], list[Caption]] = {}
    for caption in captions(submission):
        if not caption.continued:
            series.setdefault((caption.kind, caption.series, caption.parts[:-1]), []).append(caption)
    found = []
    for (kind, prefix, _), items in series.items():
        expected, seen, position = 1, set[int](), -1
        for caption in items:
            number = caption.parts[-1]
            between = sum(1 for item in uncaptioned if item.kind == kind and position < item.start < caption.start)
            if number in seen or not expected <= number <= expected + between:
                found.append(_violation(submission, caption, prefix + kind, expected))
            if number not in seen:
                expected = number + 1 if number >= expected else expected
            seen.add(number)
            position = caption.start
    return tuple(sorted(found, key=lambda violation: violation.start))


def _violation(submission: Submission, caption: Caption, kind: str, expected: int) -> Violation:
    separator = next((character for character in caption.number if character in "-－–—.．·"), "-")
    allowed = kind + separator.join(str(part) for part in (*caption.parts[:-1], expected))
    quote = submission.text[caption.start : caption.end].strip()[:_QUOTE_MAX]
    return Violation(caption.start, caption.end, {"caption": quote, "kind": kind, "measured": caption.number, "allowed": allowed})
