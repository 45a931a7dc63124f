"""Two aligned texts -> the passages that one shares with the other: verbatim, edited or in other words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service import align, lexicon
from service.align import Chain, Link, Side
from service.changes import difference, words
from service.encode import Encoder
from service.fingerprints import LEAST, Normal, normalised, runs
from service.model import MatchedPassage, MatchKind

_NEAR = 200  # characters within which a run's end belongs to the passage beside it


@dataclass(frozen=True, slots=True)
class _Block:
    """Sentences first … last of both sides that answer one another; `weight` is what they add to their chain's score."""

    mine: tuple[int, int]
    theirs: tuple[int, int]
    weight: float

    @property
    def sentences(self) -> int:
        return self.mine[1] - self.mine[0] + self.theirs[1] - self.theirs[0] + 2

    def follows(self, before: _Block) -> bool:
        return self.mine[0] == before.mine[1] + 1 and self.theirs[0] == before.theirs[1] + 1


def shared_runs(mine: Side, their_text: str) -> list[MatchedPassage]:
    """The common runs of 13 compared characters alone."""
    return _with_runs(mine, their_text, normalised(their_text), [])


def passages(mine: Side, theirs: Side, encoder: Encoder) -> list[MatchedPassage]:
    """What the first text shares with the second, by place, never overlapping in the first.

    Every common run of 13 compared characters lies inside; sentences in other words only where a chain of them is firm, or one stands
    between two that are nearly the same. Vectors say how close a paraphrase is, never whether it is one.
    """
    found: list[MatchedPassage] = []
    for chain in align.chains(align.links(mine, theirs), mine.sizes.tolist()):
        found += _told(mine, theirs, chain)
    found.sort(key=lambda passage: passage.start)
    return _with_runs(mine, theirs.text, theirs.normal, _weighed(mine.text, found, encoder))


def _weighed(text: str, found: list[MatchedPassage], encoder: Encoder) -> list[MatchedPassage]:
    """The passages; the score of those in other words halfway between their common words and the cosine of their vectors."""
    other = [at for at, passage in enumerate(found) if passage.kind == "paraphrase"]
    if other:
        mine = encoder.encode([text[found[at].start : found[at].end] for at in other])
        theirs = encoder.encode([found[at].their_text for at in other])
        for at, cosine in zip(other, np.sum(mine * theirs, axis=1).tolist(), strict=True):
            found[at] = replace(found[at], score=(found[at].score + max(0.0, min(1.0, cosine))) / 2)
    return found


def _told(mine: Side, theirs: Side, chain: Chain) -> list[MatchedPassage]:
    """The passages of one chain."""
    settings = lexicon.load("match")
    blocks = [block for block in _blocks(chain.links, mine) if _even(mine, theirs, block, settings["passage"]["uneven"])]
    if not blocks:
        return []
    judged = [_judged(mine, theirs, block, settings["passage"]) for block in blocks]
    reworded = [block for block, passage in zip(blocks, judged, strict=True) if passage.kind == "paraphrase"]
    part = sum(block.weight for block in reworded) / sum(block.weight for block in blocks)
    firm = (
        chain.score * part >= settings["chain"]["firm_score"]
        and sum(block.sentences for block in reworded) >= settings["chain"]["firm_sentences"]
    )
    found: list[MatchedPassage] = []
    before: _Block | None = None
    for at, (block, passage) in enumerate(zip(blocks, judged, strict=True)):
        if not firm and not _shown(mine, theirs, blocks, judged, at):
            before = None
        elif before is not None and block.follows(before) and _goes_on(mine.text, found[-1], passage, settings["passage"]["long"]):
            found[-1] = _joined(found[-1], passage, theirs.text)
            before = block
        else:
            found.append(passage)
            before = block
    return found


def _blocks(links: Sequence[Link], mine: Side) -> list[_Block]:
    """Links that share a sentence as one."""
    found: list[_Block] = []
    for link in links:
        weight = link.weight * float(mine.sizes[link.mine])
        if found and (link.mine == found[-1].mine[1] or link.theirs == found[-1].theirs[1]):
            last = found[-1]
            whole = (last.mine[0], link.mine), (last.theirs[0], link.theirs)
            found[-1] = _Block(*whole, last.weight + weight)
        else:
            found.append(_Block((link.mine, link.mine), (link.theirs, link.theirs), weight))
    return found


def _even(mine: Side, theirs: Side, block: _Block, most: float) -> bool:
    """Whether a block is about as long on both sides: row upon row of a table that are like one line of the other text say nothing."""
    own, other = (float(side.sizes[first : last + 1].sum()) for side, (first, last) in ((mine, block.mine), (theirs, block.theirs)))
    return own <= most * other and other <= most * own


def _judged(mine: Side, theirs: Side, block: _Block, settings: dict[str, Any]) -> MatchedPassage:
    """The passage of a block."""
    start, end = mine.spans[block.mine[0]][0], mine.spans[block.mine[1]][1]
    their_start, their_end = theirs.spans[block.theirs[0]][0], theirs.spans[block.theirs[1]][1]
    own, other = words(mine.text, start, end), words(theirs.text, their_start, their_end)
    told = difference(own, other, island=settings["island"])
    whole = told.ratio == 1 or (told.common >= LEAST and not told.changed and "".join(own.words) in "".join(other.words))
    close = whole or told.ratio >= settings["edited"]
    kind: MatchKind = "verbatim" if whole else "edited" if close else "paraphrase"
    score = 1.0 if whole else told.ratio
    changed = told.changed if kind == "edited" else ()
    return MatchedPassage(start, end, their_start, their_end, theirs.text[their_start:their_end], kind, score, changed)


def _shown(mine: Side, theirs: Side, blocks: Sequence[_Block], judged: Sequence[MatchedPassage], at: int) -> bool:
    """Whether a block of a chain that is not firm says something: nearly the same words and long enough or beside such, or between two."""
    close = [
        judged[near].kind != "paraphrase" and (blocks[near].follows(blocks[at]) or blocks[at].follows(blocks[near]))
        for near in (at - 1, at + 1)
        if 0 <= near < len(blocks)
    ]
    if judged[at].kind == "paraphrase":
        return len(close) == 2 and all(close)
    size = min(sum(side.sizes[first : last + 1]) for side, (first, last) in ((mine, blocks[at].mine), (theirs, blocks[at].theirs)))
    return bool(size * judged[at].score >= LEAST) or any(close)


def _goes_on(text: str, passage: MatchedPassage, new: MatchedPassage, long: int) -> bool:
    """Whether the next sentence belongs to the passage before: of one kind, and no new paragraph after a long one."""
    return new.kind == passage.kind and (passage.end - passage.start < long or "\n" not in text[passage.end : new.start])


def _joined(passage: MatchedPassage, new: MatchedPassage, their_text: str) -> MatchedPassage:
    size, more = passage.end - passage.start, new.end - new.start
    return replace(
        passage,
        end=new.end,
        their_end=new.their_end,
        their_text=their_text[passage.their_start : new.their_end],
        score=(passage.score * size + new.score * more) / (size + more),
        changed=(*passage.changed, *new.changed),
    )


def _with_runs(mine: Side, their_text: str, normal: Normal, found: list[MatchedPassage]) -> list[MatchedPassage]:
    """The passages and, where they do not stand in one yet, the common runs."""
    covered = np.zeros(len(mine.normal), np.bool_)
    beside: dict[int, int] = {}  # the character before or after a passage, its number
    for number, passage in enumerate(found):
        first, last = mine.normal.between(passage.start, passage.end)
        covered[first:last] = True
        beside[first - 1] = beside[last] = number
    for start, their_start, length in sorted(runs(mine.normal, normal), key=lambda run: -run[2]):
        for first, last in _gaps(covered, start, start + length):
            covered[first:last] = True
            place, end = mine.normal.span(first, last)
            there, until = normal.span(their_start + first - start, their_start + last - start)
            near = None if last - first >= LEAST else beside.get(first, beside.get(last - 1))
            if near is None:
                near = len(found)
                found.append(MatchedPassage(place, end, there, until, their_text[there:until], "verbatim", 1.0))
            else:
                found[near] = _grown(found[near], (place, end), (there, until), their_text)
            beside[first - 1] = beside[last] = near
    return sorted(found, key=lambda passage: passage.start)


def _gaps(covered: NDArray[np.bool_], start: int, end: int) -> list[tuple[int, int]]:
    """The stretches of start … end - 1 that are not covered."""
    bare = np.flatnonzero(~covered[start:end])
    if not len(bare):
        return []
    parted = np.flatnonzero(np.diff(bare) > 1)
    firsts, lasts = bare[np.r_[0, parted + 1]], bare[np.r_[parted, len(bare) - 1]]
    return [(start + first, start + last + 1) for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]


def _grown(passage: MatchedPassage, mine: tuple[int, int], theirs: tuple[int, int], their_text: str) -> MatchedPassage:
    """The passage with a run's end beside it; their side grows only where that stands near."""
    start, end = min(passage.start, mine[0]), max(passage.end, mine[1])
    first, last = min(passage.their_start, theirs[0]), max(passage.their_end, theirs[1])
    if last - first > passage.their_end - passage.their_start + _NEAR:
        first, last = passage.their_start, passage.their_end
    return replace(passage, start=start, end=end, their_start=first, their_end=last, their_text=their_text[first:last])
