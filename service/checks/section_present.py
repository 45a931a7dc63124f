"""Whether the write-up has the sections that the notice asks for. Each missing one is a finding of its own, at the title.

反例：全文只有“企业概况”“实施过程”“实施成效”，没有“实施背景”。
正例：四个部分都有；标题写作“公司简介”“项目背景”“主要做法”“取得的成效”也算。
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from service.model import NotChecked, Submission, Violation

VALUES = frozenset({"section", "measured", "allowed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    sections: tuple[str, ...]
    # each: every section by itself; group: the heading above them, missing where none of them is there; parts: every section by itself,
    # not judged where the group as a whole is missing
    mode: Literal["each", "group", "parts"] = "each"


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    absent = [submission.name_of(key) for key in params.sections if not submission.named(key)]
    if params.mode != "each":
        group = _group(submission, params.sections)
        whole = len(absent) == len(params.sections)
        if params.mode == "parts" and whole:
            return NotChecked(f"没有找到“{group}”部分，无法判断其中各项。")
        if params.mode == "group":
            absent = [group] if whole else []
    start, end = (submission.title.start, submission.title.end) if submission.title else (submission.start, submission.start)
    return tuple(Violation(start, end, {"section": name, "measured": "缺少", "allowed": "必备"}) for name in absent)


def _group(submission: Submission, keys: tuple[str, ...]) -> str:
    groups = (spec.group for spec in submission.specs if spec.key in keys and spec.group)
    return next(groups, submission.name_of(keys[0]))
