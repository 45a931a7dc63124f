"""Whether sections keep within their number of characters. A section that recurs is summed; `together` sums several sections.

反例：通知要求“企业概况”500字以内，正文写了775字。
正例：“企业概况”480字；超出不到容差的，算统计误差。
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from service.model import NotChecked, Section, Submission, Violation

VALUES = frozenset({"section", "measured", "allowed", "excess", "tolerance"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    sections: tuple[str, ...]
    max: int
    together: bool = False
    tolerance: float = 0.0  # share above the limit that is let pass as a difference of counting


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    parts = [part for part in _parts(submission, params) if part[1]]
    if not parts:
        names = "”“".join(submission.name_of(key) for key in params.sections)
        return NotChecked(f"没有找到“{names}”部分，无法判断字数。")
    return tuple(
        _violation(submission, name, sections, params=params)
        for name, sections in parts
        if sum(section.words for section in sections) > params.max * (1 + params.tolerance)
    )


def _parts(submission: Submission, params: Params) -> Iterator[tuple[str, tuple[Section, ...]]]:
    """What is measured, with its name."""
    if params.together:
        groups = (spec.group for spec in submission.specs if spec.key in params.sections and spec.group)
        yield next(groups, submission.name_of(params.sections[0])), submission.named(*params.sections)
        return
    for key in params.sections:
        sections = submission.named(key)
        yield (sections[0].heading if sections else None) or submission.name_of(key), sections


def _violation(submission: Submission, name: str, sections: tuple[Section, ...], *, params: Params) -> Violation:
    first = sections[0]
    line_end = submission.text.find("\n", first.start, first.end)
    measured = sum(section.words for section in sections)
    values: dict[str, str | int | float] = {
        "section": name,
        "measured": measured,
        "allowed": params.max,
        "excess": measured - params.max,
        "tolerance": f"{params.tolerance:.0%}",
    }
    return Violation(first.start, first.end if line_end < 0 else line_end, values)
