"""Whether the name of the experience keeps within the number of characters (字数 as Word counts).

反例：“实施以设备联网和检测数据在线采集为手段、以精益生产为基础的高强度紧固件质量效益双提升管理实践”。
正例：“实施六西格玛设计的经验”。
"""

from __future__ import annotations

from dataclasses import dataclass

from service.model import NotChecked, Submission, Violation
from service.text import words

VALUES = frozenset({"title", "measured", "allowed", "excess"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    max: int


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    title = submission.title
    if title is None:
        return NotChecked("没有找到经验名称，无法判断字数。")
    measured = words(title.text)
    if measured <= params.max:
        return ()
    excess = measured - params.max
    return (Violation(title.start, title.end, {"title": title.text, "measured": measured, "allowed": params.max, "excess": excess}),)
