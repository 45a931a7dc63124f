"""Whether the sections stand in the notice's order. The fewest sections that would have to move are the findings.

Only sections with a heading are compared, by their first place: where a section without one begins is our own guess.

反例：“企业概况”“实施成效”“实施背景”“实施过程”。
正例：“企业概况”“实施背景”“实施过程”“实施成效”，有的缺了也不算次序错。
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

from service.model import NotChecked, Section, Submission, Violation

VALUES = frozenset({"section", "measured", "allowed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    sections: tuple[str, ...]  # in the order asked for


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    found: dict[str, Section] = {}
    for section in submission.named(*params.sections):
        if section.heading is not None:
            found.setdefault(section.key, section)
    if len(found) < 2:
        return NotChecked("有标题的规定部分不足两个，无法判断次序。")
    keys = tuple(found)
    keep = _in_order(tuple(params.sections.index(key) for key in keys))
    measured = "→".join(submission.name_of(key) for key in keys)
    allowed = "→".join(submission.name_of(key) for key in params.sections if key in found)
    return tuple(
        Violation(
            section.start,
            max(section.start, section.body_start - 1),
            {"section": section.heading or "", "measured": measured, "allowed": allowed},
        )
        for index, section in enumerate(found.values())
        if index not in keep
    )


def _in_order(ranks: tuple[int, ...]) -> frozenset[int]:
    """Indexes of the longest ascending part; an edition has at most a handful of sections, so all choices are tried."""
    for size in range(len(ranks), 0, -1):
        for choice in combinations(range(len(ranks)), size):
            if all(ranks[left] < ranks[right] for left, right in pairwise(choice)):
                return frozenset(choice)
    return frozenset()
