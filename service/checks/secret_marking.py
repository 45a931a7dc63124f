"""Marks of state secrecy (密级标志: 绝密, 机密, 秘密 with ★ or a term, 密级：…, a line that is nothing but the grade).

Source: 保守国家秘密法实施条例 (the mark is grade, ★, term). Words that merely speak of secrets are none.

反例：机密★10年；密级：秘密；封面上单独一行“绝密”；内部资料，注意保密。
正例：建立商业秘密保护制度；签订保密协议；开展保守国家秘密培训；机密性、完整性、可用性。
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.model import NotChecked, Submission, Violation

VALUES = frozenset({"quote", "measured", "allowed"})

_GRADE = "(?:绝密|机密|秘密)"
_TERM = "(?:[0-9]{1,2} ?(?:年|个月)|[一二三四五六七八九十]{1,3}(?:年|个月)|长期|永久|解密前|启用前)"
_MARKS = re.compile(
    "|".join(
        (
            f"{_GRADE}(?:级)? ?[★☆✩✪⭐﹡＊*※] ?{_TERM}?",  # 机密★10年
            f"{_GRADE}(?:级)? ?[▲△◆●] ?{_TERM}",  # another sign than the star, only with a term
            f"[★☆] ?{_GRADE}(?![性])",
            f"(?<!商业)(?<!技术)(?<!国家)(?<!守){_GRADE}级? ?[·•.—-]? ?{_TERM}(?![一-鿿])",  # 秘密 10年
            f"(?:密级|保密等级|秘密等级|保密级别) ?[:： ] ?(?:{_GRADE}|内部)级?",
            f"[（(【\\[〔] ?{_GRADE}级? ?[)）】\\]〕]",
            f"(?:属于?|定为|列为|标注为|标为)(?:国家)?{_GRADE}级?(?:的)?(?:文件|材料|资料|事项|级)(?!管理)",
            "内部(?:资料|文件|材料|绝密)[,，、 　]*(?:请)?(?:注意保密|严禁外传|不得外传|严禁外泄|禁止外传|妥善保管|请勿外传)",
        )
    )
)
_WORD = re.compile("密|内部")  # every mark has one of them
# A line that is nothing but the grade.
_LINE = re.compile(rf"[ \t　]*(?:密级)?{_GRADE}(?:级|文件)?[ \t　]*")
_BRACKETED = re.compile(rf"[（(【\[〔] ?{_GRADE}")
_LISTED = re.compile(r"[、，/和或及与]\Z")  # one of several grades that a sentence lists
_QUOTE_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    pass


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    del params
    text = submission.text
    places = [match.span() for match in _marks(text) if not _mentioned(text, match)]
    for block in submission.document.blocks:
        if text.find("密", block.start, block.end) < 0:
            continue
        pieces = [span for cell in block.cells for span in cell.spans] or [(block.start, block.end)]
        places.extend(
            piece
            for piece in pieces
            if piece[1] - piece[0] <= 10
            and _LINE.fullmatch(text, *piece)
            and (block.kind != "table" or piece[0] == block.start)
            and not any(start < piece[1] and piece[0] < end for start, end in places)
        )
    inside = tuple(_violation(start, end, text[start:end].strip()) for start, end in sorted(set(places)))
    return (*inside, *_in_margins(submission))


def _marks(text: str) -> Iterator[re.Match[str]]:
    """The matches of _MARKS, which never run over lines: sought in the lines that have one of its words."""
    end = 0
    while word := _WORD.search(text, end):
        start = text.rfind("\n", end, word.start()) + 1 or end
        end = text.find("\n", word.end())
        end = len(text) if end < 0 else end
        yield from _MARKS.finditer(text, start, end)


def _in_margins(submission: Submission) -> tuple[Violation, ...]:
    """Marks in page headers, footers and watermarks; they have no place in the text, so the title stands for them."""
    start, end = (submission.title.start, submission.title.end) if submission.title else (0, 0)
    marks = (match[0] for line in submission.document.margins if (match := _MARKS.search(line) or _LINE.fullmatch(line)))
    return tuple(_violation(start, end, f"{mark.strip()[:_QUOTE_MAX]}（在页眉、页脚或水印中）") for mark in dict.fromkeys(marks))


def _violation(start: int, end: int, mark: str) -> Violation:
    return Violation(start, end, {"quote": mark[: _QUOTE_MAX * 2], "measured": mark, "allowed": "无密级标志"})


def _mentioned(text: str, match: re.Match[str]) -> bool:
    """Whether the words are spoken of, not marked: one grade of a list, or a bracket inside a running sentence (商业秘密（机密）)."""
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    if "★" in match[0] or "☆" in match[0]:
        return False
    if _LISTED.search(before) or after in {"、", "/", "和", "或", "及"}:
        return True
    return bool(_BRACKETED.match(match[0])) and before not in {"", "\n", " ", "　", "》", "）"} and after not in {"", "\n"}
