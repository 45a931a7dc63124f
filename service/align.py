"""Two texts sentence by sentence: chains of sentences that say the same in the same order.

Two sentences are compared by the characters and pairs of characters that they share, each counting the more the fewer sentences of both
texts have it; what all sentences of the two texts have in common is taken out. That finds no rewriting alone: that sentence after sentence
has its counterpart in the same order does, since independent texts on one industry and method have that for a few sentences only. Vectors
of the sentences were tried as well and parted rewritings from independent texts no better (docs/matching.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service import lexicon
from service.fingerprints import Normal, Places, normalised
from service.text import sentences

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
_CHARACTER = 21  # bits
_MOST = 1024  # pairs of sentences for one code: what stands everywhere says nothing
_KEPT = 400  # texts of which the sentences are kept


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A text cut into sentences, and the codes of its characters and of its pairs of characters in rising order.

    The sentences that have codes[k] are holders[first[k] : first[k] + counts[k]].
    """

    text: str
    normal: Normal
    spans: tuple[tuple[int, int], ...]
    sizes: Doubles  # compared characters of each sentence
    codes: Integers
    first: Places
    counts: Places
    holders: Places


@dataclass(frozen=True, slots=True)
class Link:
    """Sentence `mine` of the one text and `theirs` of the other; `weight` is how far they are above what may be chance."""

    mine: int
    theirs: int
    weight: float


@dataclass(frozen=True, slots=True)
class Chain:
    """Links that go on in both texts; one sentence may have two neighbouring counterparts."""

    links: tuple[Link, ...]
    score: float

    @property
    def sentences(self) -> int:
        """Of both texts."""
        return len({link.mine for link in self.links}) + len({link.theirs for link in self.links})


def _settings() -> dict[str, dict[str, Any]]:
    return lexicon.load("match")


@lru_cache(maxsize=_KEPT)
def side(text: str) -> Side:
    """The text, prepared; kept for the next time."""
    normal = normalised(text)
    every = list(sentences(text))
    owner = np.searchsorted(np.array([start for start, _ in every], np.int64), normal.places, "right") - 1
    counts = np.bincount(owner, minlength=len(every))
    settings = _settings()["sentence"]
    kept = counts >= settings["least"]
    kept &= np.cumsum(kept) <= settings["most"]
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    spans = tuple(span for span, keep in zip(every, kept.tolist(), strict=True) if keep)
    owner = number[owner]
    points = normal.points.astype(np.int64)
    inside = (owner[:-1] == owner[1:]) & (owner[:-1] >= 0)
    pairs = (points[:-1] << _CHARACTER | points[1:])[inside]
    known = owner >= 0
    holders, codes = _once(np.concatenate((owner[known], owner[:-1][inside])), np.concatenate((points[known], pairs)))
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]]) if len(codes) else np.zeros(0, np.int64)
    return Side(
        text=text,
        normal=normal,
        spans=spans,
        sizes=counts[kept].astype(np.float64),
        codes=codes[starts],
        first=starts.astype(np.int32),
        counts=np.diff(np.r_[starts, len(codes)]).astype(np.int32),
        holders=holders.astype(np.int32),
    )


def _once(holders: Integers, codes: Integers) -> tuple[Integers, Integers]:
    """(sentence, code) without repetition, by code and sentence."""
    order = np.lexsort((holders, codes))
    holders, codes = holders[order], codes[order]
    new = np.ones(len(codes), np.bool_)
    new[1:] = (codes[1:] != codes[:-1]) | (holders[1:] != holders[:-1])
    return holders[new], codes[new]


def _centred(values: Floats) -> Floats:
    """What is left of a table when the means of its rows and columns are taken out."""
    rows, columns = values.mean(1, dtype=np.float32), values.mean(0, dtype=np.float32)
    left: Floats = values - (rows - rows.mean())[:, None]
    left -= columns
    return left


def _shared(mine: Side, theirs: Side, damping: float) -> Floats:
    """(sentences, sentences): weight of the codes in common, by the weight that both have."""
    rows, columns = len(mine.spans), len(theirs.spans)
    at = np.minimum(np.searchsorted(mine.codes, theirs.codes), len(mine.codes) - 1)
    hit = np.flatnonzero(mine.codes[at] == theirs.codes)
    at = at[hit]
    my_counts, their_counts = mine.counts.copy(), theirs.counts.copy()
    my_counts[at] += theirs.counts[hit]
    their_counts[hit] += mine.counts[at]
    my_weights, their_weights = (np.log(np.float32(rows + columns) / counts.astype(np.float32)) for counts in (my_counts, their_counts))
    own = np.bincount(mine.holders, np.repeat(my_weights, mine.counts), rows)
    other = np.bincount(theirs.holders, np.repeat(their_weights, theirs.counts), columns)
    times = mine.counts[at] * theirs.counts[hit]
    few = times <= _MOST
    at, hit, times = at[few], hit[few], times[few]
    # Every sentence of mine with the code against every one of theirs: the numbers 0 … times - 1 of a code are places in a small table.
    offsets = np.arange(int(times.sum()), dtype=np.int32) - np.repeat(np.cumsum(times, dtype=np.int32) - times, times)
    down, right = np.divmod(offsets, np.repeat(theirs.counts[hit], times))
    left = mine.holders[np.repeat(mine.first[at], times) + down]
    place = left * np.int32(columns) + theirs.holders[np.repeat(theirs.first[hit], times) + right]
    shared = np.bincount(place, np.repeat(my_weights[at], times), rows * columns).astype(np.float32).reshape(rows, columns)
    shared /= np.sqrt(own).astype(np.float32)[:, None] * np.sqrt(other).astype(np.float32) + np.float32(damping)
    return shared


def links(mine: Side, theirs: Side) -> list[Link]:
    """The pairs of sentences that may say the same, each the best one of one of its sentences, in order."""
    if not mine.spans or not theirs.spans or not len(mine.codes) or not len(theirs.codes):
        return []
    settings = _settings()["sentence"]
    alike = _centred(_shared(mine, theirs, settings["damping"])) - np.float32(settings["alike"])
    rows, columns = np.arange(len(alike)), np.arange(alike.shape[1])
    best = np.unique(np.concatenate((rows * len(columns) + alike.argmax(1), alike.argmax(0) * len(columns) + columns)))
    best = best[alike.ravel()[best] > 0]
    values = alike.ravel()[best]
    return [Link(*found) for found in zip(*(part.tolist() for part in (*np.divmod(best, len(columns)), values)), strict=True)]


def chains(found: Sequence[Link], sizes: Sequence[float]) -> list[Chain]:
    """The chains that the links make, the strongest first; a sentence is in one chain only. `sizes` are my sentences' characters."""
    least = _settings()["chain"]["least"]
    result: list[Chain] = []
    left = sorted(found, key=lambda link: (link.mine, link.theirs))
    while left:
        new = _forest(left, sizes, least)
        if not new:
            break
        result += new
        mine = {link.mine for chain in new for link in chain.links}
        theirs = {link.theirs for chain in new for link in chain.links}
        left = [link for link in left if link.mine not in mine and link.theirs not in theirs]
    return sorted(result, key=lambda chain: -chain.score)


def _forest(found: Sequence[Link], sizes: Sequence[float], least: float) -> list[Chain]:
    """Disjoint chains of the best ways to each link, strongest first."""
    best = [link.weight * sizes[link.mine] for link in found]
    before = [-1] * len(found)
    reached = [0.0] * len(found)
    for here, at, cost in _steps(found):
        if best[at] + reached[at] - cost > reached[here]:
            reached[here], before[here] = best[at] + reached[at] - cost, at
    best = [own + more for own, more in zip(best, reached, strict=True)]
    result = []
    mine: set[int] = set()
    theirs: set[int] = set()
    for end, score in sorted(enumerate(best), key=itemgetter(1), reverse=True):
        if score < least:
            break
        way, at = [], end
        while at >= 0 and found[at].mine not in mine and found[at].theirs not in theirs:
            way.append(found[at])
            at = before[at]
        total = score - (best[at] if at >= 0 else 0.0)
        if way and total >= least:
            result.append(Chain(tuple(reversed(way)), total))
            mine.update(link.mine for link in way)
            theirs.update(link.theirs for link in way)
    return result


def _steps(found: Sequence[Link]) -> Iterator[tuple[int, int, float]]:
    """(link, an earlier one that it may follow, what the sentences passed over cost), by link."""
    settings = _settings()["chain"]
    mine, theirs = (np.array([place(link) for link in found], np.int64) for place in (attrgetter("mine"), attrgetter("theirs")))
    first = np.searchsorted(mine, mine - settings["reach"])
    counts = np.arange(len(found)) - first
    here = np.repeat(np.arange(len(found)), counts)
    at = np.arange(len(here)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    down, right = mine[here] - mine[at], theirs[here] - theirs[at]
    may = (right >= 0) & (right <= settings["reach"]) & ((down > 0) | (right <= 1)) & ((right > 0) | (down <= 1))
    here, at = here[may], at[may]
    costs = settings["gap"] * (np.maximum(down[may] - 1, 0) + np.maximum(right[may] - 1, 0))
    return zip(here.tolist(), at.tolist(), costs.tolist(), strict=True)
