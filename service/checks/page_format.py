"""Whether the write-up is laid out on the paper asked for (A4 portrait). Landscape pages for wide tables among portrait ones are let pass.

反例：全文为16开或横向A4。
正例：正文A4纵向，中间一页横放大表。
"""

from __future__ import annotations

from dataclasses import dataclass

from service.model import NotChecked, PageSetup, Submission, Violation
from service.typography import UNKNOWN_LAYOUT

VALUES = frozenset({"measured", "allowed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    width: float = 210.0  # millimetres
    height: float = 297.0
    slack: float = 3.0
    paper: str  # the paper's name in messages


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    setups = submission.document.page_setups
    if not submission.document.layout_known or not setups:
        return NotChecked(UNKNOWN_LAYOUT)
    asked = [setup for setup in setups if _is(setup, width=params.width, height=params.height, slack=params.slack)]
    turned = [setup for setup in setups if _is(setup, width=params.height, height=params.width, slack=params.slack)]
    other = [setup for setup in setups if setup not in asked and setup not in turned]
    if asked and len(asked) >= len(other):
        return ()
    first = (other or turned)[0]
    direction = "横向" if first.width > first.height else "纵向"
    measured = f"{direction}，{first.width:.0f}×{first.height:.0f}毫米"
    allowed = f"{params.paper}（{params.width:.0f}×{params.height:.0f}毫米）"
    place = submission.title.start if submission.title else submission.start
    return (Violation(place, submission.title.end if submission.title else place, {"measured": measured, "allowed": allowed}),)


def _is(setup: PageSetup, *, width: float, height: float, slack: float) -> bool:
    return abs(setup.width - width) <= slack and abs(setup.height - height) <= slack
