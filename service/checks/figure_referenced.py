"""Whether the text mentions every numbered table and figure, by its number or, beside it, as 下图, 上表.

反例：文中有“图2 攻关前后对比”，正文从头到尾没有提到图2。
正例：“总体架构见图1”；“如图2、3所示”；“图1～图3给出”；“变化趋势如下图所示”紧接该图。
"""

from __future__ import annotations

from dataclasses import dataclass

from service.captions import captions, mentions, near_mention
from service.model import NotChecked, Submission, Violation

VALUES = frozenset({"caption", "number", "measured", "allowed"})
_QUOTE_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    pass


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    del params
    known = captions(submission)
    mentioned = mentions(submission, [(caption.start, caption.end) for caption in known])
    return tuple(
        Violation(
            caption.start,
            caption.end,
            {
                "caption": submission.text[caption.start : caption.end].strip()[:_QUOTE_MAX],
                "number": caption.number,
                "measured": "未提及",
                "allowed": "正文提及",
            },
        )
        for caption in known
        if not caption.continued and caption.key not in mentioned and not near_mention(submission, caption)
    )
