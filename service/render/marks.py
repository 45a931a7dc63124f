"""Text and findings -> pieces to print: cut at every edge of a finding, each finding opened once, overlaps kept.

Spots are places that something else on the page leads to (a sentence of a summary, what speaks for a focus area, a passage that stands in a
past benchmark too): cut and opened alike.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from service.model import MatchKind
from service.render.likeness import KINDS
from service.render.view import Item
from service.render.wording import SEVERITIES

_LONG = 240  # characters: a longer span is tinted, not painted, lest a section over its limit drowns what is marked inside it


@dataclass(frozen=True, slots=True)
class Leaf:
    """A stretch of the text that is printed in one go: a paragraph, a cell, a figure (which has no text)."""

    start: int
    end: int
    figure: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """What a spot shares with past benchmarks."""

    label: str  # its number among those of the text
    kind: MatchKind
    href: str  # the passage's block on the page
    title: str  # in which benchmarks


@dataclass(frozen=True, slots=True)
class Spot:
    number: int
    start: int
    end: int
    key: bool = False  # a sentence of a summary: seen by itself; the others only where a link has led to them
    match: Matched | None = None  # seen by itself as well

    @property
    def lit(self) -> bool:
        """Whether its words are lit up; a whole section is only gone to."""
        return self.start < self.end and (self.match is not None or self.end - self.start <= _LONG)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text under the same findings and spots."""

    text: str
    classes: str  # the findings' severities, "long-" before those of long spans; "deep" under several; "" under none
    numbers: str  # the findings' numbers
    title: str  # their messages
    opens: tuple[Item, ...]  # findings that begin here
    spots: str = ""  # the numbers of the spots that it is part of
    key: bool = False  # part of a sentence of a summary
    kinds: str = ""  # how it is shared with past benchmarks: kinds as classes, the closest first
    anchors: tuple[Spot, ...] = ()  # spots that begin here


_Marked = TypeVar("_Marked", bound=Item | Spot)


class _Running(Generic[_Marked]):
    """What begins in, and what runs over, one leaf after another."""

    __slots__ = ("_active", "_opening", "_waiting")

    def __init__(self, leaves: Sequence[Leaf], marked: Sequence[_Marked]) -> None:
        self._opening: dict[int, list[tuple[int, _Marked]]] = defaultdict(list)
        for one in marked if leaves else ():
            place, offset = _opening(leaves, one)
            self._opening[place].append((offset, one))
        self._waiting: list[_Marked] = sorted((one for one in marked if one.start < one.end), key=lambda one: one.start)
        self._active: list[_Marked] = []

    def over(self, leaf: Leaf) -> Sequence[_Marked]:
        """Asked for each leaf in turn."""
        count: int = bisect_left(self._waiting, leaf.end, key=lambda one: one.start)
        self._active = [one for one in (*self._active, *self._waiting[:count]) if one.end > leaf.start]
        self._waiting = self._waiting[count:]
        return self._active

    def opening(self, index: int) -> Sequence[tuple[int, _Marked]]:
        return self._opening.get(index, [])


def pieces(text: str, leaves: Sequence[Leaf], items: Sequence[Item], spots: Sequence[Spot] = ()) -> list[tuple[Piece, ...]]:
    """The pieces of each leaf. Leaves are in the text's order and do not overlap; every item and spot opens in exactly one piece."""
    findings, places = _Running(leaves, items), _Running(leaves, spots)
    made = []
    for index, leaf in enumerate(leaves):
        lit = [spot for spot in places.over(leaf) if spot.lit]
        made.append(tuple(_cut(text, leaf, (findings.over(leaf), findings.opening(index)), (lit, places.opening(index)))))
    return made


def _opening(leaves: Sequence[Leaf], marked: Item | Spot) -> tuple[int, int]:
    """The leaf and the offset where a finding's number is printed."""
    for index in range(bisect_left(leaves, marked.start, key=lambda leaf: leaf.end), len(leaves)):
        leaf = leaves[index]
        if marked.start == marked.end:
            # A point is a figure's where one stands there, and else belongs to the text that holds it, its end included.
            if leaf.figure or not any(other.figure and other.start == marked.start for other in leaves[index + 1 : index + 3]):
                return index, max(marked.start, leaf.start)
        elif leaf.end > marked.start:
            return index, max(marked.start, leaf.start)
    return len(leaves) - 1, leaves[-1].end


_Over = tuple[Sequence[_Marked], Sequence[tuple[int, _Marked]]]  # what runs over a leaf, and what opens in it with the offset


def _cut(text: str, leaf: Leaf, items: _Over[Item], spots: _Over[Spot]) -> Iterator[Piece]:
    (active, opening), (lit, anchored) = items, spots
    edges = {edge for item in active for edge in (item.start, item.end)} | {offset for offset, _ in opening}
    edges |= {edge for spot in lit for edge in (spot.start, spot.end)} | {offset for offset, _ in anchored}
    cuts = sorted({leaf.start, leaf.end, *(edge for edge in edges if leaf.start < edge < leaf.end)})
    for left, right in pairwise(cuts):
        yield _piece(
            text[left:right],
            [item for item in active if item.start <= left and right <= item.end],
            [spot for spot in lit if spot.start <= left and right <= spot.end],
            opens=[item for offset, item in opening if offset == left],
            anchors=[spot for offset, spot in anchored if offset == left],
        )
    last = [item for offset, item in opening if offset >= leaf.end]
    far = [spot for offset, spot in anchored if offset >= leaf.end]
    if last or far:
        yield _piece("", [], [], opens=last, anchors=far)


def _piece(text: str, over: Sequence[Item], spots: Sequence[Spot], *, opens: Sequence[Item], anchors: Sequence[Spot]) -> Piece:
    classes = [
        f"{'long-' if far else ''}{severity}"
        for far in (False, True)
        for severity in SEVERITIES
        if any(item.severity == severity and _is_long(item) == far for item in over)
    ]
    if sum(not _is_long(item) for item in over) > 1:
        classes.append("deep")
    return Piece(
        text,
        " ".join(classes),
        " ".join(str(item.number) for item in over),
        "\n".join(f"{item.number}. {item.message}" for item in over if not _is_long(item)),
        tuple(sorted(opens, key=lambda item: item.number)),
        " ".join(str(spot.number) for spot in spots),
        any(spot.key for spot in spots),
        " ".join(kind for kind in KINDS if any(spot.match is not None and spot.match.kind == kind for spot in spots)),
        tuple(sorted(anchors, key=lambda spot: spot.number)),
    )


def _is_long(item: Item) -> bool:
    return item.whole or item.end - item.start > _LONG
