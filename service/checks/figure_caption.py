"""Whether every picture of the write-up has a caption beside it. Pictures side by side share one; the cover's are left out.

反例：插入了一张流程图，前后都没有“图2 ……”。
正例：图片下一段是“图2 质量追溯流程”；三张照片连排，下面写“图3 现场改善前后”。
"""

from __future__ import annotations

from dataclasses import dataclass

from service.captions import captioned_figures
from service.model import NotChecked, Submission, Violation

VALUES = frozenset({"ordinal", "quote", "section", "measured", "allowed"})
_QUOTE_MAX = 20
_WITHOUT_PICTURES = ("txt", "md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    pass


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    del params
    if submission.document.format in _WITHOUT_PICTURES:
        return NotChecked("纯文本文件中没有图片，无法核对图题。请用 Word 或 PDF 文件检查。")
    figures = captioned_figures(submission)
    if not figures and submission.document.format == "pdf" and not submission.document.layout_known:
        return NotChecked("文件是扫描件，无法把插图与文字分开，未核对图题。")
    found = []
    for figure in figures:
        if figure.caption is not None:
            continue
        section = next((item for item in submission.sections if item.start <= figure.start <= item.end), None)
        line = submission.text.rfind("\n", 0, figure.start) + 1
        found.append(
            Violation(
                line,
                figure.start,
                {
                    "ordinal": figure.ordinal,
                    "quote": submission.text[line : figure.start].strip()[-_QUOTE_MAX:],
                    "section": "正文" if section is None else section.heading or submission.name_of(section.key),
                    "measured": "无图题",
                    "allowed": "有图题",
                },
            )
        )
    return tuple(found)
