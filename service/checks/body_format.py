"""Whether the running text has the typeface, size and line spacing asked for: one finding that sums up how much of it has not.

Shares are of characters. What is not known is not counted; where too much of it is not known, that property is not judged. Headings,
captions, tables and notes are left out.

反例：正文九成为楷体小四号，行距固定值28磅。
正例：正文宋体四号、单倍行距，个别词用黑体强调。
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from service.model import Block, Layout, NotChecked, Submission, Violation
from service.typography import UNKNOWN_LAYOUT, is_face, size_name

VALUES = frozenset({"measured", "allowed", "share"})

# A property as judged for one paragraph: what it is, as shown, and whether it is right; None where it is not known.
_Judged = tuple[str, bool] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    font: str  # the typeface's name in messages
    faces: tuple[str, ...]  # names under which files give it
    others: tuple[str, ...]  # names of typefaces that are known to be others
    size: float  # points
    slack: float = 0.6
    spacing: float = 1.0  # lines
    spacing_slack: float = 0.05
    natural: float = 1.35  # a line's height in font sizes; "at least" up to this is single spacing
    share: float = 0.1  # off share from which it is told
    unknown: float = 0.3  # unknown share above which a property is not judged


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    if not submission.document.layout_known:
        return NotChecked(UNKNOWN_LAYOUT)
    blocks = list(_running(submission))
    total = sum(block.end - block.start for block in blocks)
    if not total:
        return NotChecked("没有找到正文段落，无法判断正文格式。")
    judges = {"字体": _font, "字号": _size, "行距": _spacing}
    sums = {name: _sum(blocks, judge, params) for name, judge in judges.items()}
    sums = {name: counts for name, counts in sums.items() if sum(counts.values()) >= total * (1 - params.unknown)}
    if not sums:
        return NotChecked("正文大部分文字的字体、字号和行距无法从文件中得知，无法判断正文格式。")
    shares = {name: _off(counts) for name, counts in sums.items()}
    if max(shares.values()) <= params.share:
        return ()
    told = [_told(name, sums[name], share) for name, share in shares.items() if share > params.share]
    worst = max(shares, key=lambda name: shares[name])
    place = next(block for block in blocks if (judged := judges[worst](block.layout, params)) and not judged[1])
    allowed = f"{params.font}{size_name(params.size)}、{_lines(params.spacing)}行距"
    values = {"measured": "；".join(told), "allowed": allowed, "share": f"{shares[worst]:.0%}"}
    return (Violation(place.start, place.end, values),)


def _running(submission: Submission) -> Iterator[Block]:
    headings = {heading.block for heading in submission.headings}
    for section in submission.sections:
        for index in section.blocks:
            block = submission.document.blocks[index]
            if block.kind in {"paragraph", "list"} and index not in headings:
                yield block


def _sum(blocks: list[Block], judge: Callable[[Layout | None, Params], _Judged], params: Params) -> Counter[tuple[str, bool]]:
    counts: Counter[tuple[str, bool]] = Counter()
    for block in blocks:
        judged = judge(block.layout, params)
        if judged is not None:
            counts[judged] += block.end - block.start
    return counts


def _off(counts: Counter[tuple[str, bool]]) -> float:
    return sum(count for (_, right), count in counts.items() if not right) / sum(counts.values())


def _told(name: str, counts: Counter[tuple[str, bool]], share: float) -> str:
    """字体为楷体等（占62%）."""
    off = [shown for (shown, right), _ in counts.most_common() if not right]
    return f"{name}为{off[0]}{'等' if len(off) > 1 else ''}（占{share:.0%}）"


def _font(layout: Layout | None, params: Params) -> _Judged:
    right = is_face(layout.font, params.faces, params.others) if layout else None
    return None if layout is None or layout.font is None or right is None else (layout.font, right)


def _size(layout: Layout | None, params: Params) -> _Judged:
    if layout is None or layout.size is None:
        return None
    return size_name(layout.size), abs(layout.size - params.size) <= params.slack


def _spacing(layout: Layout | None, params: Params) -> _Judged:
    if layout is None or layout.line_rule is None or layout.line_spacing is None:
        return None
    if layout.line_rule == "auto":
        return _lines(layout.line_spacing), abs(layout.line_spacing - params.spacing) <= params.spacing_slack
    if layout.line_rule == "at_least":
        natural = layout.size is not None and layout.line_spacing <= layout.size * params.natural
        return f"最小值{layout.line_spacing:g}磅", natural
    return f"固定值{layout.line_spacing:g}磅", False


def _lines(multiple: float) -> str:
    return "单倍" if round(multiple, 2) == 1 else f"{multiple:.3g}倍"
