"""Two texts sentence by sentence: chains of sentences that say the same in the same order.

Two sentences are compared by their vectors and by the character pairs that they share, a pair counting the more the fewer sentences of
both texts have it; what all sentences of the two texts have in common is taken out. Neither finds a rewriting alone: that sentence after
sentence has its counterpart in the same order does, since independent texts on one industry and method have that for a few sentences only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service import lexicon
from service.encode import Encoder
from service.fingerprints import Normal, Places, normalised
from service.text import sentences

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
_CHARACTER = 21  # bits
_MOST = 4096  # pairs of sentences for one pair of characters: what stands everywhere says nothing
_KEPT = 256  # texts of which the sentences are kept


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A text cut into sentences, and its pairs of characters in rising order.

    The sentences that have the pair codes[k] are holders[first[k] : first[k] + counts[k]].
    """

    text: str
    normal: Normal
    spans: tuple[tuple[int, int], ...]
    sizes: Doubles  # compared characters of each sentence
    vectors: NDArray[np.float32]
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
    meaning: float  # cosine of their vectors


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


def side(text: str, encoder: Encoder) -> Side:
    """The text, prepared; kept for the next time."""
    return _side(text, encoder)


@lru_cache(maxsize=_KEPT)
def _side(text: str, encoder: Any) -> Side:
    """`encoder` is an Encoder, the same only as itself."""
    normal = normalised(text)
    every = list(sentences(text))
    owner = np.searchsorted(np.array([start for start, _ in every], np.int64), normal.places, "right") - 1
    counts = np.bincount(owner, minlength=len(every))
    kept = counts >= _settings()["sentence"]["least"]
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    spans = tuple(span for span, keep in zip(every, kept.tolist(), strict=True) if keep)
    owner = number[owner]
    points = normal.points.astype(np.int64)
    inside = (owner[:-1] == owner[1:]) & (owner[:-1] >= 0)
    pairs = (points[:-1] << _CHARACTER | points[1:])[inside]
    holders, codes = _unique_pairs(owner[:-1][inside], pairs)
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]]) if len(codes) else np.zeros(0, np.int64)
    return Side(
        text=text,
        normal=normal,
        spans=spans,
        sizes=counts[kept].astype(np.float64),
        vectors=encoder.encode([text[start:end] for start, end in spans]),
        codes=codes[starts],
        first=starts.astype(np.int32),
        counts=np.diff(np.r_[starts, len(codes)]).astype(np.int32),
        holders=holders.astype(np.int32),
    )


def _unique_pairs(owner: Integers, pairs: Integers) -> tuple[Integers, Integers]:
    """(sentence, pair of characters) without repetition, by pair and sentence."""
    order = np.lexsort((owner, pairs))
    owner, pairs = owner[order], pairs[order]
    new = np.ones(len(pairs), np.bool_)
    new[1:] = (pairs[1:] != pairs[:-1]) | (owner[1:] != owner[:-1])
    return owner[new], pairs[new]


def _centred(values: Doubles) -> Doubles:
    """What is left of a table when the means of its rows and columns are taken out."""
    left: Doubles = values - values.mean(1, keepdims=True) - values.mean(0, keepdims=True) + values.mean()
    return left


def _shared_pairs(mine: Side, theirs: Side, damping: float) -> Doubles:
    """(sentences, sentences): weight of the character pairs in common, by the weight that both have."""
    rows, columns = len(mine.spans), len(theirs.spans)
    at = np.minimum(np.searchsorted(mine.codes, theirs.codes), len(mine.codes) - 1)
    hit = np.flatnonzero(mine.codes[at] == theirs.codes)
    at = at[hit]
    my_counts, their_counts = mine.counts.copy(), theirs.counts.copy()
    my_counts[at] += theirs.counts[hit]
    their_counts[hit] += mine.counts[at]
    my_weights, their_weights = (np.log((rows + columns) / counts) for counts in (my_counts, their_counts))
    own = np.bincount(mine.holders, np.repeat(my_weights, mine.counts), rows)
    other = np.bincount(theirs.holders, np.repeat(their_weights, theirs.counts), columns)
    times = mine.counts[at].astype(np.int64) * theirs.counts[hit]
    few = times <= _MOST
    at, hit, times = at[few], hit[few], times[few]
    offsets = np.arange(int(times.sum())) - np.repeat(np.cumsum(times) - times, times)
    wide = np.repeat(theirs.counts[hit], times)
    left = mine.holders[np.repeat(mine.first[at], times) + offsets // wide]
    right = theirs.holders[np.repeat(theirs.first[hit], times) + offsets % wide]
    shared = np.bincount(left.astype(np.int64) * columns + right, np.repeat(my_weights[at], times), rows * columns).reshape(rows, columns)
    result: Doubles = shared / (np.sqrt(own[:, None] * other[None, :]) + damping)
    return result


def _leading(rows: Integers, values: Doubles) -> NDArray[np.bool_]:
    """Which values are among the two highest of their row."""
    order = np.lexsort((-values, rows))
    sorted_rows = rows[order]
    first = np.ones(len(rows), np.bool_)
    first[2:] = sorted_rows[2:] != sorted_rows[:-2]
    leading = np.zeros(len(rows), np.bool_)
    leading[order] = first
    return leading


def links(mine: Side, theirs: Side) -> list[Link]:
    """The pairs of sentences that may say the same, each among the two best of one of its sentences, in order."""
    if not mine.spans or not theirs.spans or not len(mine.codes) or not len(theirs.codes):
        return []
    settings = _settings()["sentence"]
    meaning = (mine.vectors @ theirs.vectors.T).astype(np.float64)
    alike = settings["meaning"] * _centred(meaning) + _centred(_shared_pairs(mine, theirs, settings["damping"])) - settings["alike"]
    rows, columns = np.nonzero(alike > 0)
    values = alike[rows, columns]
    kept = _leading(rows, values) | _leading(columns, values)
    rows, columns, values = rows[kept], columns[kept], values[kept]
    return [Link(*found) for found in zip(rows.tolist(), columns.tolist(), values.tolist(), meaning[rows, columns].tolist(), strict=True)]


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
    settings = _settings()["chain"]
    reach, gap = settings["reach"], settings["gap"]
    best = [link.weight * sizes[link.mine] for link in found]
    before = [-1] * len(found)
    low = 0
    for here, link in enumerate(found):
        while found[low].mine < link.mine - reach:
            low += 1
        top, source = 0.0, -1
        for at in range(low, here):
            down, right = link.mine - found[at].mine, link.theirs - found[at].theirs
            if right > reach or right < 0 or (down == 0 and right > 1) or (right == 0 and down > 1):
                continue
            reached = best[at] - gap * (max(down - 1, 0) + max(right - 1, 0))
            if reached > top:
                top, source = reached, at
        best[here] += top
        before[here] = source
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
