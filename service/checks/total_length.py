"""Whether the whole write-up keeps within its number of characters. Cover, contents, form and evidence are not counted.

反例：通知要求“字数10000字左右”，正文写了13,500字。
正例：正文9,800字。
"""

from __future__ import annotations

from dataclasses import dataclass

from service.model import NotChecked, Submission, Violation
from service.text import words

VALUES = frozenset({"measured", "allowed", "difference"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    max: int | None = None
    min: int | None = None


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    measured = words(submission.text[submission.start : submission.end])
    if measured == 0:
        return NotChecked("没有读到正文，无法判断字数。")
    limit = None
    if params.max is not None and measured > params.max:
        limit = params.max
    elif params.min is not None and measured < params.min:
        limit = params.min
    if limit is None:
        return ()
    start, end = (submission.title.start, submission.title.end) if submission.title else (submission.start, submission.start)
    return (Violation(start, end, {"measured": measured, "allowed": limit, "difference": abs(measured - limit)}),)
