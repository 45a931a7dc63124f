"""Text and findings -> pieces to print: cut at every edge of a finding, each finding opened once, overlaps kept."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

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
class Piece:
    """A stretch of text under the same findings."""

    text: str
    classes: str  # the findings' severities, "long-" before those of long spans; "deep" under several; "" under none
    numbers: str  # the findings' numbers
    title: str  # their messages
    opens: tuple[Item, ...]  # findings that begin here


def pieces(text: str, leaves: Sequence[Leaf], items: Sequence[Item]) -> list[tuple[Piece, ...]]:
    """The pieces of each leaf. Leaves are in the text's order and do not overlap; every item opens in exactly one piece."""
    opening: dict[int, list[tuple[int, Item]]] = defaultdict(list)
    for item in items:
        if leaves:
            place, offset = _opening(leaves, item)
            opening[place].append((offset, item))
    waiting = sorted((item for item in items if item.start < item.end), key=lambda item: item.start)
    active: list[Item] = []
    made = []
    for index, leaf in enumerate(leaves):
        count = bisect_left(waiting, leaf.end, key=lambda item: item.start)
        active = [item for item in (*active, *waiting[:count]) if item.end > leaf.start]
        waiting = waiting[count:]
        made.append(tuple(_cut(text, leaf, active, opening.get(index, []))))
    return made


def _opening(leaves: Sequence[Leaf], item: Item) -> tuple[int, int]:
    """The leaf and the offset where a finding's number is printed."""
    for index in range(bisect_left(leaves, item.start, key=lambda leaf: leaf.end), len(leaves)):
        leaf = leaves[index]
        if item.start == item.end:
            # A point is a figure's where one stands there, and else belongs to the text that holds it, its end included.
            if leaf.figure or not any(other.figure and other.start == item.start for other in leaves[index + 1 : index + 3]):
                return index, max(item.start, leaf.start)
        elif leaf.end > item.start:
            return index, max(item.start, leaf.start)
    return len(leaves) - 1, leaves[-1].end


def _cut(text: str, leaf: Leaf, active: Sequence[Item], opening: Sequence[tuple[int, Item]]) -> Iterator[Piece]:
    edges = {edge for item in active for edge in (item.start, item.end)} | {offset for offset, _ in opening}
    cuts = sorted({leaf.start, leaf.end, *(edge for edge in edges if leaf.start < edge < leaf.end)})
    for left, right in pairwise(cuts):
        over = [item for item in active if item.start <= left and right <= item.end]
        yield _piece(text[left:right], over, tuple(item for offset, item in opening if offset == left))
    last = tuple(item for offset, item in opening if offset >= leaf.end)
    if last:
        yield _piece("", (), last)


def _piece(text: str, over: Sequence[Item], opens: tuple[Item, ...]) -> Piece:
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
    )


def _is_long(item: Item) -> bool:
    return item.whole or item.end - item.start > _LONG
