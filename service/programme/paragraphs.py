"""Two versions of one text, paragraph by paragraph: what stayed, moved, was changed, came and went. Pure functions of two documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from service.changes import Span, Words, common, difference, words
from service.model import Document
from service.render.wording import squeezed

Kind = Literal["same", "moved", "changed", "added", "removed"]
_CLOSE = 0.5  # share of common words from which a paragraph is another's new wording
_MOST = 3000  # paragraphs of a text that are compared; no write-up seen has more than 700
_PAIRS = 40_000  # pairs of one stretch that are looked at
_ALIKE = 0.2  # share of common pairs of words from which two paragraphs are compared word by word
_STEPS = 300_000  # words of one stretch that are compared so: a fraction of a second
_LONGEST = 5_000  # characters of a paragraph that is compared so; memory grows with their square
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
    first = second = 0
    for here, there in (*common(mine, theirs), (len(mine), len(theirs))):
        pairs += _stretch(before, after, range(first, here), range(second, there))
        if here < len(mine):
            pairs.append(Pair("same", here, there))
        first, second = here + 1, there + 1
    return Aligned(before, after, tuple(_with_moved(pairs, mine, theirs)), cut)


def pieces(mine: Paragraph, theirs: Paragraph) -> tuple[Piece, ...]:
    """My text, cut where it differs from theirs."""
    if max(len(mine.text), len(theirs.text)) > _LONGEST:
        return (Piece(mine.text, changed=True),)
    return tuple(_cut(mine.text, difference(_words(mine), _words(theirs), island=_ISLAND).changed))


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
    """None of a paragraph that is too long to be compared."""
    return words(one.text, 0, len(one.text)) if len(one.text) <= _LONGEST else Words((), ())


def _key(one: Paragraph) -> str:
    return squeezed(one.text)


def _stretch(old: Sequence[Paragraph], new: Sequence[Paragraph], mine: range, theirs: range) -> Iterator[Pair]:
    """Paragraphs between two that stayed: the nearest wordings answer each other, in order."""
    at = theirs.start
    if 0 < len(mine) * len(theirs) <= _PAIRS:
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
    ratios = _ratios(first, second)
    best = [[0.0] * (len(second) + 1) for _ in range(len(first) + 1)]
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


def _ratios(first: Sequence[Words], second: Sequence[Words]) -> list[list[float]]:
    """Share of common words of each pair; 0 where too few pairs of words are common for a close wording, or it would take too long."""
    mine, theirs = [_doubles(one) for one in first], [_doubles(one) for one in second]
    likely = [
        (2 * len(one & other) / (len(one) + len(other)), row, column)
        for row, one in enumerate(mine)
        for column, other in enumerate(theirs)
        if one and other
    ]
    ratios = [[0.0] * len(second) for _ in first]
    left = _STEPS
    for alike, row, column in sorted(likely, key=lambda each: (-each[0], each[1], each[2])):
        left -= len(second[column].words)
        if alike < _ALIKE or left < 0:
            break
        ratios[row][column] = difference(first[row], second[column]).ratio
    return ratios


def _doubles(one: Words) -> frozenset[tuple[str, str]]:
    """Words with the one before, the first with none."""
    return frozenset(zip(("", *one.words), one.words, strict=False))


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
