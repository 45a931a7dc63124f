"""Whether the name of the experience keeps within the number of characters (字数 as Word counts).

反例：“实施以来料条码和喷漆厚度逐件记录为抓手、以班组自查为依托的出口实木家具品质成本双达标管理实践”。
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
