"""Whether the write-up has the sections that the notice asks for. Each missing one is a finding of its own, at the title.

反例：全文只有“企业概况”“实施过程”“实施成效”，没有“实施背景”。
正例：四个部分都有；标题写作“公司简介”“项目背景”“主要做法”“取得的成效”也算。
"""

from __future__ import annotations

from dataclasses import dataclass

from service.model import NotChecked, Submission, Violation

VALUES = frozenset({"section", "measured", "allowed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    sections: tuple[str, ...]


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    if submission.title is not None:
        start, end = submission.title.start, submission.title.end
    else:
        start = end = submission.start
    return tuple(
        Violation(start, end, {"section": submission.name_of(key), "measured": "缺少", "allowed": "必备"})
        for key in params.sections
        if not submission.named(key)
    )
