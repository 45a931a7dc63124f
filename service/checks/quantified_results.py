"""Whether the results are told in figures: numbers with a unit, in text or tables, as many as the rule asks for by length.

反例：一千多字的实施成效只说“质量大幅提升、效益稳步攀升”，只有“获专利3项”一个数字。
正例：正文和表格中有合格率、损失额、周期等十余处数据。
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from service.captions import tables_of
from service.model import NotChecked, Section, Submission, Violation
from service.quantities import fold, quantities

VALUES = frozenset({"section", "measured", "allowed", "words"})
_LONGEST_CELL = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    sections: tuple[str, ...]
    minimum: int = 5
    per_thousand: float = 5.0  # figures a thousand 字


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    sections = submission.named(*params.sections)
    if not sections:
        return NotChecked(f"没有找到「{submission.name_of(params.sections[0])}」部分，无法判断成效有无数据。")
    words = sum(section.words for section in sections)
    allowed = max(params.minimum, math.ceil(words * params.per_thousand / 1000))
    measured = sum(1 for _ in islice(_figures(submission, sections), allowed))  # as many as are asked for are enough
    if measured >= allowed:
        return ()
    first = sections[0]
    values: dict[str, str | int | float] = {
        "section": first.heading or submission.name_of(first.key),
        "measured": measured,
        "allowed": allowed,
        "words": words,
    }
    return (Violation(first.start, max(first.start, first.body_start - 1), values),)


def _figures(submission: Submission, sections: Sequence[Section]) -> Iterator[int]:
    """Numbers with a unit in the text, and tables' cells that hold a number: where each begins."""
    text = fold(submission.text)
    for block in submission.blocks_of(*sections):
        if block.kind not in {"table", "caption", "figure", "toc"}:
            yield from (number.start for number in quantities(text, block.start, block.end) if number.unit)
    for table in tables_of(submission, sections):
        cells = {(field.start, field.text) for row in table.rows for field in row if field is not None and len(field.text) <= _LONGEST_CELL}
        yield from (start for start, cell in cells if any(True for _ in quantities(fold(cell))))
