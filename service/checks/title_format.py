"""Whether the title has the typeface, size and alignment asked for. What is not known of it is not judged.

反例：题目为宋体三号、左对齐。
正例：题目为黑体小二号、居中。
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from service.model import Layout, NotChecked, Submission, Violation
from service.text import words
from service.typography import ALIGNMENTS, UNKNOWN_LAYOUT, is_face, size_name

VALUES = frozenset({"measured", "allowed"})

_MILLIMETRES_A_POINT = 25.4 / 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    font: str  # the typeface's name in messages
    faces: tuple[str, ...]  # names under which files give it
    others: tuple[str, ...]  # names of typefaces that are known to be others
    size: float  # points
    slack: float = 0.6
    alignment: Literal["left", "center", "right", "justify"]
    full: float = 0.6  # share of the page's width from which a title fills the line


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    if not submission.document.layout_known:
        return NotChecked(UNKNOWN_LAYOUT)
    title = submission.title
    if title is None:
        return NotChecked("没有找到经验名称，无法判断题目格式。")
    layout = submission.document.blocks[title.block].layout if title.block is not None else None
    if layout is None:
        return NotChecked("经验名称不在单独的一段中，无法判断题目格式。")
    judged = _judged(submission, layout, params)
    if not judged:
        return NotChecked("文件没有写明题目的字体、字号和对齐方式，无法判断题目格式。")
    wrong = [shown for shown, right in judged if not right]
    if not wrong:
        return ()
    allowed = f"{params.font}、{size_name(params.size)}（{params.size:g}磅）、{ALIGNMENTS[params.alignment]}"
    return (Violation(title.start, title.end, {"measured": "、".join(wrong), "allowed": allowed}),)


def _judged(submission: Submission, layout: Layout, params: Params) -> list[tuple[str, bool]]:
    """What is known of the title, as shown, and whether it is right."""
    judged = []
    face = is_face(layout.font, params.faces, params.others)
    if face is not None:
        judged.append((layout.font or "", face))
    if layout.size is not None:
        judged.append((size_name(layout.size), abs(layout.size - params.size) <= params.slack))
    if layout.alignment is not None and not _fills_the_line(submission, layout, params):
        judged.append((ALIGNMENTS[layout.alignment], layout.alignment == params.alignment))
    return judged


def _fills_the_line(submission: Submission, layout: Layout, params: Params) -> bool:
    """Whether a PDF's title is so long that a centred one and one that is not look alike: there alignment is seen, not stored."""
    document = submission.document
    if document.format != "pdf" or submission.title is None or not document.page_setups:
        return False
    width = words(submission.title.text) * (layout.size or params.size) * _MILLIMETRES_A_POINT
    return width > document.page_setups[0].width * params.full
