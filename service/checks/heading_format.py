"""Whether headings of a level, or captions, have the typeface, size and weight asked for: one finding that sums up how many have not.

反例：2014年一级标题用宋体三号；2022年表题、图题用五号不加粗。
正例：2014年一级标题黑体小二号；2022年表题、图题宋体小四号加粗。
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from service.model import Block, Layout, NotChecked, Submission, Violation
from service.typography import UNKNOWN_LAYOUT, is_face, size_name

VALUES = frozenset({"kind", "example", "count", "total", "measured", "allowed"})

_LEVELS = ("一级标题", "二级标题", "三级标题", "四级标题")
_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    kind: Literal["heading", "caption"]
    level: int = 1  # of headings
    font: str  # the typeface's name in messages
    faces: tuple[str, ...]  # names under which files give it
    others: tuple[str, ...]  # names of typefaces that are known to be others
    size: float  # points
    slack: float = 0.6
    bold: bool | None = None
    share: float = 0.2  # off share from which it is told


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    if not submission.document.layout_known:
        return NotChecked(UNKNOWN_LAYOUT)
    kind = "图表标题" if params.kind == "caption" else _LEVELS[params.level - 1]
    judged = [(block, wrong) for block in _blocks(submission, params) if (wrong := _wrong(block.layout, params)) is not None]
    if not judged:
        return NotChecked(f"没有找到可判断格式的{kind}。")
    off = [(block, wrong) for block, wrong in judged if wrong]
    if len(off) <= len(judged) * params.share:
        return ()
    first = off[0][0]
    text = first.label + submission.text[first.start : first.end].strip()
    weight = {True: "、加粗", False: "、不加粗", None: ""}[params.bold]
    values: dict[str, str | int | float] = {
        "kind": kind,
        "example": text if len(text) <= _SHOWN else text[:_SHOWN] + "…",
        "count": len(off),
        "total": len(judged),
        "measured": Counter("、".join(wrong) for _, wrong in off).most_common(1)[0][0],
        "allowed": f"{params.font}{size_name(params.size)}{weight}",
    }
    return (Violation(first.start, first.end, values),)


def _blocks(submission: Submission, params: Params) -> Iterator[Block]:
    if params.kind == "caption":
        yield from (block for block in submission.blocks_of(*submission.sections) if block.kind == "caption")
        return
    for heading in submission.headings:
        if heading.level == params.level and submission.start <= heading.start < submission.end:
            yield submission.document.blocks[heading.block]


def _wrong(layout: Layout | None, params: Params) -> tuple[str, ...] | None:
    """What is other than asked for, as shown; None where nothing is known."""
    if layout is None:
        return None
    judged: list[tuple[str, bool]] = []
    face = is_face(layout.font, params.faces, params.others)
    if face is not None:
        judged.append((layout.font or "", face))
    if layout.size is not None:
        judged.append((size_name(layout.size), abs(layout.size - params.size) <= params.slack))
    if params.bold is not None and layout.bold is not None:
        judged.append(("加粗" if layout.bold else "不加粗", layout.bold == params.bold))
    return tuple(shown for shown, right in judged if not right) if judged else None
