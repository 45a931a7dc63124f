"""Two versions of one text, paragraph by paragraph: what stayed, moved, was changed, came and went. Pure functions of two documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from service.changes import Span, Words, difference, words
from service.model import Document
from service.render.wording import squeezed

Kind = Literal["same", "moved", "changed", "added", "removed"]
_CLOSE = 0.5  # share of common words from which a paragraph is another's new wording
_MOST = 3000  # paragraphs of a text that are compared; no write-up seen has more than 700
_PAIRS = 40_000  # pairs of one stretch that are compared word by word
_ISLAND = 1  # common words between two changed ones that are marked with them


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A block's text, a table's as one; `start` and `end` in its document."""

    start: int
    end: int
    text: str
    heading: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Paragraphs that answer each other, by their places; None where there is none. `moved` stands at its new place."""

    kind: Kind
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Aligned:
    old: tuple[Paragraph, ...]
    new: tuple[Paragraph, ...]
    pairs: tuple[Pair, ...]  # in the order of the new text, what went at the place where it was
    cut: bool = False  # one of them is longer than what is compared

    def new_of(self) -> dict[int, int]:
        """Place of an old paragraph -> place of the new one that answers it."""
        return {pair.old: pair.new for pair in self.pairs if pair.old is not None and pair.new is not None}


def paragraphs(document: Document) -> tuple[Paragraph, ...]:
    """Those that say something, in order."""
    found = []
    for block in document.blocks:
        if block.end > block.start and document.text[block.start : block.end].strip():
            shown = f"{block.label}{document.text[block.start : block.end]}"
            found.append(Paragraph(block.start, block.end, shown, block.kind in ("heading", "title")))
    return tuple(found)


def align(old: Document, new: Document) -> Aligned:
    """Which paragraph became which."""
    before, after = paragraphs(old), paragraphs(new)
    cut = max(len(before), len(after)) > _MOST
    before, after = before[:_MOST], after[:_MOST]
    mine, theirs = [_key(one) for one in before], [_key(one) for one in after]
    pairs: list[Pair] = []
    for kind, first, last, start, end in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
        if kind == "equal":
            pairs += (Pair("same", first + step, start + step) for step in range(last - first))
        else:
            pairs += _stretch(before, after, range(first, last), range(start, end))
    return Aligned(before, after, tuple(_with_moved(pairs, mine, theirs)), cut)


def pieces(mine: Paragraph, theirs: Paragraph) -> tuple[Piece, ...]:
    """My text, cut where it differs from theirs."""
    told = difference(_words(mine), _words(theirs), island=_ISLAND)
    return tuple(_cut(mine.text, told.changed))


def _cut(text: str, changed: Sequence[Span]) -> Iterator[Piece]:
    at = 0
    for start, end in changed:
        if start > at:
            yield Piece(text[at:start], changed=False)
        yield Piece(text[start:end], changed=True)
        at = end
    if at < len(text):
        yield Piece(text[at:], changed=False)


def _words(one: Paragraph) -> Words:
    return words(one.text, 0, len(one.text))


def _key(one: Paragraph) -> str:
    return squeezed(one.text)


def _stretch(old: Sequence[Paragraph], new: Sequence[Paragraph], mine: range, theirs: range) -> Iterator[Pair]:
    """Paragraphs between two that stayed: the nearest wordings answer each other, in order."""
    at = theirs.start
    if len(mine) * len(theirs) <= _PAIRS:
        for first, second in _close(old, new, mine, theirs):
            yield from (Pair("removed", place, None) for place in range(mine.start, first))
            yield from (Pair("added", None, place) for place in range(at, second))
            yield Pair("changed", first, second)
            mine, at = range(first + 1, mine.stop), second + 1
    yield from (Pair("removed", place, None) for place in mine)
    yield from (Pair("added", None, place) for place in range(at, theirs.stop))


def _close(old: Sequence[Paragraph], new: Sequence[Paragraph], mine: range, theirs: range) -> list[tuple[int, int]]:
    """The pairs of close wording in order, such that their closeness adds up to the most."""
    first, second = [_words(old[place]) for place in mine], [_words(new[place]) for place in theirs]
    best = [[0.0] * (len(second) + 1) for _ in range(len(first) + 1)]
    ratios = [[_ratio(one, other) for other in second] for one in first]
    for row in range(len(first) - 1, -1, -1):
        for column in range(len(second) - 1, -1, -1):
            paired = ratios[row][column] + best[row + 1][column + 1] if ratios[row][column] >= _CLOSE else 0.0
            best[row][column] = max(paired, best[row + 1][column], best[row][column + 1])
    found, row, column = [], 0, 0
    while row < len(first) and column < len(second):
        if best[row][column] == best[row + 1][column]:
            row += 1
        elif best[row][column] == best[row][column + 1]:
            column += 1
        else:
            found.append((mine[row], theirs[column]))
            row, column = row + 1, column + 1
    return found


def _ratio(one: Words, other: Words) -> float:
    """Share of common words; 0 where their number alone rules a close wording out."""
    short, long = sorted((len(one.words), len(other.words)))
    if not short or 2 * short < _CLOSE * (short + long):
        return 0.0
    return difference(one, other).ratio


def _with_moved(pairs: Sequence[Pair], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[Pair]:
    """What went here and came there with the same words was moved."""
    gone: dict[str, list[int]] = {}
    for pair in pairs:
        if pair.kind == "removed" and pair.old is not None:
            gone.setdefault(mine[pair.old], []).append(pair.old)
    came: dict[int, int] = {}  # new place -> old place
    for pair in pairs:
        if pair.kind == "added" and pair.new is not None and gone.get(theirs[pair.new]):
            came[pair.new] = gone[theirs[pair.new]].pop(0)
    taken = set(came.values())
    for pair in pairs:
        if pair.kind == "added" and pair.new in came:
            yield Pair("moved", came[pair.new], pair.new)
        elif not (pair.kind == "removed" and pair.old in taken):
            yield pair
