"""What two sentences have in common word for word in the same order, and where the first differs.

A Chinese character is a word, as are a number with its decimals and a run of Latin letters; marks and blanks are none. The longest common
subsequence by bit-parallel steps (Hyyrö 2004): two sentences of 60 characters in some 50 microseconds, with no package needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from service.text import fold

_WORD = re.compile(r"[0-9]+(?:[.,][0-9]+)*|[a-z]+|[^\W_]")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a piece of text in order, and the span of each in the whole text."""

    words: tuple[str, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """`ratio` is the share of common words, 0-1; `common` their characters; `changed` spans of the first text that differ."""

    ratio: float
    common: int
    changed: tuple[Span, ...]


def words(text: str, start: int, end: int) -> Words:
    """The words of text[start:end], width and case folded."""
    found = [(match[0], (start + match.start(), start + match.end())) for match in _WORD.finditer(fold(text[start:end]))]
    return Words(tuple(word for word, _ in found), tuple(span for _, span in found))


def difference(mine: Words, theirs: Words, *, island: int = 0) -> Difference:
    """Two pieces compared. Up to `island` common words between two changed ones are marked with them."""
    first, second = mine.words, theirs.words
    if first == second:
        return Difference(1.0 if first else 0.0, sum(map(len, first)), ())
    head = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second)))
    rest = min(len(first), len(second)) - head
    tail = next((at for at in range(rest) if first[-1 - at] != second[-1 - at]), rest)
    stop = len(first) - tail
    same = common(first[head:stop], second[head : len(second) - tail])
    kept = [*range(head), *(head + at for at, _ in same), *range(stop, len(first))]
    ratio = 2 * len(kept) / (len(first) + len(second))
    return Difference(ratio, sum(len(first[at]) for at in kept), _changed(mine, kept, island))


def common(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """The places in both of one longest common subsequence, in order."""
    if not first or not second:
        return []
    places: dict[str, int] = {}
    for at, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << at
    everything = (1 << len(first)) - 1
    state, rows = everything, []
    for word in second:
        hit = state & places.get(word, 0)
        state = ((state + hit) | (state - hit)) & everything
        rows.append(state)
    found, column, row = [], len(first), len(second)
    while row and column:
        bit = 1 << (column - 1)
        if rows[row - 1] & bit:
            column -= 1
        else:
            row -= 1
            if not row or rows[row - 1] & bit:
                column -= 1
                found.append((column, row))
    return found[::-1]


def _changed(mine: Words, kept: Sequence[int], island: int) -> tuple[Span, ...]:
    """The spans of the words that are not kept, neighbours in one piece."""
    held = set(kept)
    groups: list[list[int]] = []
    for at in range(len(mine.words)):
        if at in held:
            continue
        if groups and at - groups[-1][1] <= island + 1:
            groups[-1][1] = at
        else:
            groups.append([at, at])
    return tuple((mine.spans[first][0], mine.spans[last][1]) for first, last in groups)
