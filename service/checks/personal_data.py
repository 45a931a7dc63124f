"""Mobile numbers, identity numbers and bank cards in the material. Tables outside the write-up are left out: the form asks for a telephone.

反例：联系人张工，手机13800001234。身份证号130102198504123021。
正例：服务热线400-800-1234；专利号ZL201910123456.7；手机138****1234。
"""

from __future__ import annotations

from dataclasses import dataclass

from service.model import NotChecked, Submission, Violation
from service.personal import find, starred

VALUES = frozenset({"kind", "masked", "measured", "allowed"})
_NAMES = {"mobile": "手机号码", "identity": "身份证号码", "bank_card": "银行卡号"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    kinds: tuple[str, ...] = ("mobile", "identity", "bank_card")


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    outside = [
        (block.start, block.end)
        for block in submission.document.blocks
        if block.kind == "table" and not submission.start <= block.start < max(submission.end, submission.start + 1)
    ]
    found = (item for item in find(submission.text) if item.kind in params.kinds)
    return tuple(
        Violation(
            item.start,
            item.end,
            {
                "kind": _NAMES[item.kind],
                "masked": starred(submission.text[item.start : item.end]),
                "measured": "有",
                "allowed": "无",
            },
        )
        for item in found
        if not any(start <= item.start < end for start, end in outside)
    )
