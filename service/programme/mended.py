"""What was mended from one version to the next, what is new and what remains. A pure function of two reports.

A finding of the new version is an old one where it comes from the same rule and marks the same words, or words at the same place of the
text, also when that was moved; one on the whole text where it says the same but for its figures.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from service.model import Report
from service.programme.paragraphs import Paragraph, align
from service.render.masked import masked
from service.render.view import Item, items
from service.render.wording import squeezed

_FIGURES = re.compile(r"\d[\d.,]*")
_TELLING = 8  # characters of marked words that are the same ones wherever they stand


@dataclass(frozen=True, slots=True)
class Mended:
    """Findings by what became of them, the gravest first. `unjudged` are old ones whose rule could not be checked this time."""

    mended: tuple[Item, ...]
    new: tuple[Item, ...]
    remaining: tuple[Item, ...]  # as the new version has them
    unjudged: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class _Marked:
    """A finding with what it is known again by."""

    item: Item
    words: str  # that it marks; "" on the whole text
    place: int | None  # its paragraph, as the new version counts them; None where that is gone, or on the whole text
    pattern: str  # its message without figures


def mended(old: Report, new: Report) -> Mended | None:
    """None where one of the two could not be judged as a write-up, so that nothing can be said."""
    before, after = masked(old), masked(new)
    if before.submission is None or after.submission is None or not (before.submission.is_writeup and after.submission.is_writeup):
        return None
    aligned = align(before.submission.document, after.submission.document)
    mine, theirs = _by_rule(before, aligned.old, aligned.new_of()), _by_rule(after, aligned.new)
    gone: list[Item] = []
    stayed: list[Item] = []
    came: list[Item] = []
    for rule in sorted(mine.keys() | theirs.keys()):
        left, fresh, same = _matched(mine.get(rule, []), theirs.get(rule, []))
        gone += left
        came += fresh
        stayed += same
    blind = {outcome.rule for outcome in after.outcomes if outcome.verdict == "not_checked"}
    gone.sort(key=_number)
    return Mended(
        mended=tuple(item for item in gone if item.rule not in blind),
        new=tuple(sorted(came, key=_number)),
        remaining=tuple(sorted(stayed, key=_number)),
        unjudged=tuple(item for item in gone if item.rule in blind),
    )


def _number(item: Item) -> int:
    return item.number


def _by_rule(report: Report, every: Sequence[Paragraph], answers: Mapping[int, int] | None = None) -> dict[str, list[_Marked]]:
    """The findings of each rule; `answers`: which paragraphs of the new version the old ones became."""
    assert report.submission is not None
    text = report.submission.text
    starts = [one.start for one in every]
    found: dict[str, list[_Marked]] = {}
    for item in items(report):
        marked = "" if item.whole else squeezed(text[item.start : item.end])
        at = None if item.whole else bisect_right(starts, item.start) - 1
        place = at if answers is None or at is None else answers.get(at)
        found.setdefault(item.rule, []).append(_Marked(item, marked, place, _FIGURES.sub("#", item.message)))
    return found


def _matched(old: Sequence[_Marked], new: Sequence[_Marked]) -> tuple[list[Item], list[Item], list[Item]]:
    """Old ones that are gone, new ones, those of the new that were there before: the surest likeness first, then in the text's order."""
    left, fresh, same = list(old), list(new), list[Item]()
    for likeness in (_words_and_place, _words_and_section, _telling_words, _message_and_place, _place, _message):
        waiting: dict[Hashable, list[_Marked]] = {}
        for one in left:
            if (key := likeness(one)) is not None:
                waiting.setdefault(key, []).append(one)
        for one in tuple(fresh):
            key = likeness(one)
            if key is not None and waiting.get(key):
                left.remove(waiting[key].pop(0))
                fresh.remove(one)
                same.append(one.item)
    return [one.item for one in left], [one.item for one in fresh], same


# --- what makes two findings of one rule the same; None: it says nothing of this one -------------------------------------------------


def _words_and_place(one: _Marked) -> Hashable | None:
    return (one.words, one.place) if one.words and one.place is not None else None


def _words_and_section(one: _Marked) -> Hashable | None:
    return (one.words, one.item.section) if one.words else None


def _telling_words(one: _Marked) -> Hashable | None:
    return one.words if len(one.words) >= _TELLING else None


def _message_and_place(one: _Marked) -> Hashable | None:
    return None if one.place is None else (one.pattern, one.place)


def _place(one: _Marked) -> Hashable | None:
    return one.place


def _message(one: _Marked) -> Hashable | None:
    """Of what is said of the whole text, or measured of a section."""
    measured = isinstance(one.item.measured, int | float)
    return (one.item.section, one.pattern) if measured or not one.words else None
