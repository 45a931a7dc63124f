"""Whether headings are numbered as the notice asks, no level is skipped and numbers run on.

Three aspects, a rule names one or more: `marks` (the form of number at each level, reported once a level and only where most of its
numbered headings differ), `skipped` (reported once), `consecutive`. A number that is missing among the headings but stands before a
paragraph is no gap, and a form that begins again at one (or zero) is a new list. Unnumbered headings are let pass.

反例：“一、企业概况”“三、实施过程”；“一、”之下直接是“1.”，而别处用了“（一）”；一级标题用“第一部分”。
正例：“一、”“（一）”“1.”“（1）”逐级使用，同级序号连续。
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from service.model import Heading, NotChecked, Submission, Violation

VALUES = frozenset({"heading", "level", "measured", "allowed", "count"})

_CHINESE = "一二三四五六七八九"
_LEVELS = ("一级", "二级", "三级", "四级", "五级", "六级", "七级", "八级", "九级")
_NUMERAL = re.compile(r"[0-9０-９]+|[〇零一二三四五六七八九十百]+|[①-⑳]")
_BLANKS = re.compile(r"[\s\u3000]+")
_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    aspects: tuple[Literal["marks", "skipped", "consecutive"], ...]
    marks: tuple[str, ...] = ()  # forms asked for, by level
    ladders: tuple[tuple[str, ...], ...] = ()  # customary orders of forms, from the highest level down


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    headings = [heading for heading in submission.headings if submission.start <= heading.start < submission.end]
    if not headings:
        return NotChecked("没有找到标题，无法判断标题层级。")
    if "skipped" not in params.aspects and not any(heading.number for heading in headings):
        return NotChecked("标题没有编号，无法判断编号方式。")
    found: list[Violation] = []
    if "marks" in params.aspects:
        found += _marks(submission, headings, params.marks)
    if "skipped" in params.aspects:
        found += _skipped(submission, headings, params.ladders)
    if "consecutive" in params.aspects:
        found += _consecutive(submission, headings)
    return tuple(found)


def _violation(submission: Submission, heading: Heading, *, level: int, measured: str, allowed: str, count: int = 1) -> Violation:
    values: dict[str, str | int | float] = {
        "heading": _shown(submission, heading),
        "level": _LEVELS[min(level, len(_LEVELS)) - 1],
        "measured": measured,
        "allowed": allowed,
        "count": count,
    }
    return Violation(heading.start, heading.end, values)


def _marks(submission: Submission, headings: list[Heading], marks: tuple[str, ...]) -> Iterator[Violation]:
    for level, mark in enumerate(marks, 1):
        numbered = [heading for heading in headings if heading.level == level and heading.form]
        other = [heading for heading in numbered if heading.form != mark]
        if len(other) * 2 > len(numbered):
            form = Counter(heading.form for heading in other).most_common(1)[0][0]
            first = next(heading for heading in other if heading.form == form)
            yield _violation(submission, first, level=level, measured=first.label, allowed=mark, count=len(other))


def _skipped(submission: Submission, headings: list[Heading], ladders: tuple[tuple[str, ...], ...]) -> Iterator[Violation]:
    forms = {heading.form for heading in headings}
    jumps = [(upper, lower, steps) for upper, lower in pairwise(headings) if (steps := _jump(submission, upper, lower, ladders, forms))]
    if jumps:
        upper, lower, (above, level) = jumps[0]
        measured = f"{_level(above)}“{_shown(submission, upper)}”之下直接是{_level(level)}"
        yield _violation(submission, lower, level=level, measured=measured, allowed=_level(above + 1), count=len(jumps))


def _level(level: int) -> str:
    return f"{_LEVELS[min(level, len(_LEVELS)) - 1]}标题"


def _shown(submission: Submission, heading: Heading) -> str:
    line = submission.text[heading.start : heading.end]
    printed = line if line.startswith(heading.label) else heading.label + line
    return printed if len(printed) <= _SHOWN else printed[:_SHOWN] + "…"


def _jump(
    submission: Submission, upper: Heading, lower: Heading, ladders: tuple[tuple[str, ...], ...], forms: set[str]
) -> tuple[int, int] | None:
    """The levels of two adjoining headings between which one is missing: by Word's levels, else by a form that is used elsewhere."""
    above, below = _outline(submission, upper), _outline(submission, lower)
    if above is not None and below is not None:
        return (upper.level, upper.level + below - above) if below > above + 1 else None
    for ladder in ladders:
        if upper.form in ladder and lower.form in ladder:
            first, second = ladder.index(upper.form), ladder.index(lower.form)
            if second > first + 1 and forms.intersection(ladder[first + 1 : second]):
                return upper.level, upper.level + second - first
    return None


def _outline(submission: Submission, heading: Heading) -> int | None:
    """The level that the author gave the heading; sizes in a PDF are no such thing."""
    block = submission.document.blocks[heading.block]
    if submission.document.format == "pdf" or block.kind != "heading":
        return None
    return block.level


def _consecutive(submission: Submission, headings: list[Heading]) -> Iterator[Violation]:
    last: dict[tuple[int, str], Heading] = {}
    parents: list[int] = []  # indexes of the headings above, by depth
    for index, heading in enumerate(headings):
        while parents and headings[parents[-1]].level >= heading.level:
            parents.pop()
        key = (parents[-1] if parents else -1, heading.form)
        parents.append(index)
        if heading.number is None:
            continue
        previous = last.get(key)
        last[key] = heading
        if previous is None or previous.number is None or heading.number in {0, 1, previous.number + 1}:
            continue
        wanted = _renumbered(heading.label, previous.number + 1)
        if not _stands_between(submission, previous, heading, wanted):
            yield _violation(submission, heading, level=heading.level, measured=heading.label, allowed=wanted)


def _renumbered(label: str, number: int) -> str:
    """The label with another number, written in the same kind of numerals."""
    numerals = list(_NUMERAL.finditer(label))
    if not numerals:
        return str(number)
    place = numerals[-1]
    if place[0].isascii():
        text = str(number)
    elif "①" <= place[0] <= "⑳":
        text = chr(ord("①") + number - 1)
    else:
        text = _chinese(number) if not place[0].isdecimal() else str(number)
    return label[: place.start()] + text + label[place.end() :]


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else _CHINESE[tens - 1] + "十"
    return head + (_CHINESE[ones - 1] if ones else "")


def _stands_between(submission: Submission, previous: Heading, heading: Heading, label: str) -> bool:
    """Whether a block between two headings begins with the number that seems to be missing: then it was no heading, not a gap."""
    wanted = _BLANKS.sub("", label)
    for block in submission.document.blocks[previous.block + 1 : heading.block]:
        printed = block.label + submission.text[block.start : block.start + len(label) + 4]
        if _BLANKS.sub("", printed).startswith(wanted):
            return True
    return False
