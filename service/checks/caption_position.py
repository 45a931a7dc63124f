"""Whether captions stand where the notice wants them: a table's above it, a figure's below it, both centred (where alignment is known).

反例：“表2 主要指标”写在表格下面；“图1 工作流程”写在图上面；表题靠左。
正例：表题在表格上方居中，图题在插图下方居中。
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from service.captions import Captioned, captioned_figures, captioned_tables
from service.model import NotChecked, Submission, Violation

VALUES = frozenset({"caption", "measured", "allowed"})
_QUOTE_MAX = 30
_WORDS = {"above": "上方", "below": "下方"}
_WITHOUT_PLACES = ("txt", "md")
_OFF_CENTRE = {"left": "左对齐", "right": "右对齐", "justify": "两端对齐"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    table: Literal["above", "below"] = "above"
    figure: Literal["above", "below"] = "below"
    centred: bool = True
    rows: int = 2  # smaller tables are frames
    columns: int = 2


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    if submission.document.format in _WITHOUT_PLACES:
        return NotChecked("纯文本文件中没有图片和版式，无法核对图表标题的位置。请用 Word 或 PDF 文件检查。")
    found = []
    for item in captioned_tables(submission, rows=params.rows, columns=params.columns):
        found.extend(_judge(submission, item, wanted=params.table, centred=params.centred))
    for item in captioned_figures(submission):
        found.extend(_judge(submission, item, wanted=params.figure, centred=params.centred))
    return tuple(found)


def _judge(submission: Submission, item: Captioned, *, wanted: Literal["above", "below"], centred: bool) -> list[Violation]:
    caption = item.caption
    if caption is None or item.place == "inside":
        return []
    noun = "表格" if item.kind == "表" else "插图"
    allowed = f"{noun}{_WORDS[wanted]}" + ("居中" if centred else "")
    layout = submission.document.blocks[caption.block].layout
    off_centre = None
    if centred and submission.document.layout_known and layout is not None and layout.alignment is not None:
        off_centre = _OFF_CENTRE.get(layout.alignment)
    if item.place != wanted:
        measured = f"{noun}{_WORDS[item.place or wanted]}"
    elif off_centre is not None:
        measured = f"{noun}{_WORDS[wanted]}、{off_centre}"
    else:
        return []
    quote = submission.text[caption.start : caption.end].strip()[:_QUOTE_MAX]
    return [Violation(caption.start, caption.end, {"caption": quote, "measured": measured, "allowed": allowed})]
