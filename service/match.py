"""A submission and the texts it may have taken from -> aligned Matches: facts to look at, never a verdict.

What is verbatim or edited counts from the first passage on, what is said in other words only where sentence after sentence answers the
other text's (service/align.py): one industry, one method and independent words make a benchmark `related` at most.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from service import align, compare, exclude, lexicon
from service.align import Side
from service.changes import difference, words
from service.encode import Encoder
from service.fingerprints import weights
from service.model import LeftOut, Match, MatchedPassage, MatchFlag, Past, Similarity, Submission

Bools = NDArray[np.bool_]
_CREDIT_CODE = re.compile(r"(?:信用代码|机构代码)[^0-9A-Za-z\n]{0,8}([0-9A-HJ-NPQRTUWXY]{18})(?![0-9A-Za-z])")
_ORDER: dict[MatchFlag, int] = {"near_duplicate": 0, "reuse": 1, "related": 2}


class Candidates(Protocol):
    """Where texts to compare with come from: the library of past benchmarks, or the other submissions of a batch (`among.Among`)."""

    @property
    def compared(self) -> int:
        """How many texts are searched; 0: nothing can be compared."""

    @property
    def common(self) -> Collection[str]:
        """Phrases that stand in many texts and count nothing."""

    def find(self, submission: Submission, *, encoder: Encoder) -> Sequence[Past]:
        """What is worth aligning, most promising first: every text with a shared run of 13 characters, and those that may be rewritten."""


@dataclass(frozen=True, slots=True, eq=False)
class _Measure:
    """A submission's compared characters: which belong to its own text, and which count where they are matched.

    Shares go by 字数: a Chinese character weighs 1, a Latin word or a number as a whole, so that names and addresses in Latin letters do
    not outweigh the text.
    """

    side: Side
    marks: NDArray[np.uint8]  # why a character does not count, see exclude.REASONS
    body: Bools  # in the write-up, and neither a standard's name nor official or common wording
    counting: Bools  # of the body, what is no quotation
    weights: NDArray[np.float64]

    @property
    def size(self) -> float:
        return max(1.0, self.weigh(self.body))

    def weigh(self, where: Bools) -> float:
        return float(self.weights[where].sum())

    def marked(self, passage: MatchedPassage) -> NDArray[np.uint8]:
        """The marks of a passage's characters, without those that differ in the other text."""
        first, last = self.side.normal.between(passage.start, passage.end)
        same = np.ones(last - first, np.bool_)
        for span in passage.changed:
            start, end = self.side.normal.between(*span)
            same[start - first : end - first] = False
        found: NDArray[np.uint8] = self.marks[first:last][same]
        return found

    def closeness(self, passages: Sequence[MatchedPassage]) -> NDArray[np.float64]:
        """For each character how close the closest of these passages is; 0 outside of them."""
        found = np.zeros(len(self.marks))
        for passage in passages:
            part = found[slice(*self.side.normal.between(passage.start, passage.end))]
            np.maximum(part, passage.score, out=part)
        return found

    def share(self, matched: Bools) -> float:
        return self.weigh(matched) / self.size


def match(
    submission: Submission,
    candidates: Sequence[Past],
    *,
    encoder: Encoder,
    common: Collection[str] = (),
    notice: Sequence[str] = (),
    compared: int | None = None,
) -> tuple[tuple[Match, ...], Similarity]:
    """What the submission shares with each candidate, most shared first, and with all of them together.

    `common` are phrases and `notice` the edition's wording (headings, official sentences) that count nothing; `compared` says how many
    texts the candidates were found among (default: their number). A candidate that shares nothing but years and figures is left out.
    """
    measure = _measured(submission, align.side(submission.text), common=common, notice=notice)
    most = lexicon.load("match")["excluded"]["most"]
    found = []
    for past in candidates:
        if not past.text:
            titled = _titled(submission, past)
            found += [titled] if titled else []
            continue
        if past.runs_only:
            shared = compare.shared_runs(measure.side, past.text)
        else:
            shared = compare.passages(measure.side, align.side(past.text), encoder)
        passages = tuple(
            replace(each, excluded=exclude.excluded(submission.text[each.start : each.end], measure.marked(each), most)) for each in shared
        )
        if any(not exclude.says_little(submission.text[each.start : each.end]) for each in passages):
            found.append(_judged(submission, past, passages, measure))
    found.sort(key=lambda each: (_ORDER[each.flag], -each.share, -each.score, each.past.id))
    return tuple(found), _together(found, measure, compared=len(candidates) if compared is None else compared)


def _measured(submission: Submission, side: Side, *, common: Collection[str], notice: Sequence[str]) -> _Measure:
    marks = exclude.reasons(submission.text, side.normal, common=common, notice=notice)
    body = marks <= 1
    if submission.end > submission.start:
        first, last = side.normal.between(submission.start, submission.end)
        body[:first] = body[last:] = False
    return _Measure(side, marks, body, body & (marks == 0), weights(side.normal))


def _judged(submission: Submission, past: Past, passages: tuple[MatchedPassage, ...], measure: _Measure) -> Match:
    """By how much and how close."""
    settings = lexicon.load("match")["flag"]
    close = np.where(measure.counting, measure.closeness([each for each in passages if each.excluded is None]), 0)
    matched = close > 0
    share, score = measure.share(matched), float((close * measure.weights).sum()) / measure.size
    flag: MatchFlag = "related"
    if share >= settings["near_duplicate"] and score >= settings["near_duplicate_score"]:
        flag = "near_duplicate"
    elif share >= settings["reuse"] or measure.weigh(matched) >= settings["reuse_words"]:
        flag = "reuse"
    return Match(past, flag, round(score, 4), round(share, 4), is_own(submission, past), passages)


def _together(found: Sequence[Match], measure: _Measure, *, compared: int) -> Similarity:
    """The unions over all matches, as shares of the submission's own characters."""
    counted = [[each for each in match.passages if each.excluded is None] for match in found]
    quoted = [[each for each in match.passages if each.excluded in {None, "quote"}] for match in found]
    everything = measure.closeness([each for passages in quoted for each in passages]) > 0
    matched = (measure.closeness([each for passages in counted for each in passages]) > 0) & measure.counting
    others = [each for match, passages in zip(found, counted, strict=True) for each in passages if not match.own]
    half = int(np.searchsorted(np.cumsum(np.where(measure.body, measure.weights, 0)), measure.size / 2, "left")) + 1
    first, second = measure.body.copy(), measure.body.copy()
    first[half:] = second[:half] = False
    return Similarity(
        total=round(measure.share(everything & measure.body), 4),
        without_quotes=round(measure.share(matched), 4),
        without_own=round(measure.share((measure.closeness(others) > 0) & measure.counting), 4),
        largest_single=max((match.share for match in found), default=0.0),
        first_half=round(measure.weigh(matched & first) / max(1.0, measure.weigh(first)), 4),
        second_half=round(measure.weigh(matched & second) / max(1.0, measure.weigh(second)), 4),
        characters=int(np.count_nonzero(matched)),
        passages=sum(map(len, counted)),
        compared=compared,
        left_out=_left_out(measure),
    )


def _left_out(measure: _Measure) -> tuple[LeftOut, ...]:
    """The submission's stretches that count nothing, by place."""
    marks, normal = measure.marks, measure.side.normal
    edges = [0, *(np.flatnonzero(np.diff(marks)) + 1).tolist(), len(marks)] if len(marks) else []
    return tuple(
        LeftOut(*normal.span(first, last), exclude.REASONS[int(marks[first]) - 1]) for first, last in pairwise(edges) if marks[first]
    )


# --- the same organisation ---------------------------------------------------------------------------------------------------------


def is_own(submission: Submission, past: Past) -> bool:
    """Whether both are of one organisation: the same 统一社会信用代码, or the same name, now or formerly.

    有限公司, 股份有限公司 and （集团）有限公司 are different names: they may be different companies.
    """
    if past.credit_code and past.credit_code.upper() in _CREDIT_CODE.findall(submission.text.upper()):
        return True
    name = _name(submission.organisation)
    return bool(name) and name in {_name(past.organisation), *map(_name, past.former_names)}


def _name(name: str | None) -> str:
    """A name without blanks, width folded."""
    return "".join(unicodedata.normalize("NFKC", name or "").split())


# --- titles ------------------------------------------------------------------------------------------------------------------------


def _titled(submission: Submission, past: Past) -> Match | None:
    """A benchmark of which only the title is known: related at most, since a title alone shows no passage."""
    settings: dict[str, Any] = lexicon.load("match")["title"]
    if submission.title is None:
        return None
    mine = _bare(submission.title.text, (submission.organisation, past.organisation))
    theirs = _bare(past.title, (submission.organisation, past.organisation, *past.former_names))
    alike = difference(words(mine, 0, len(mine)), words(theirs, 0, len(theirs))).ratio
    if alike < settings["alike"]:
        return None
    return Match(past, "related", round(alike, 4), 0.0, is_own(submission, past))


def _bare(title: str, organisations: Sequence[str | None]) -> str:
    """The title without the organisations' names, whole or as they are shortened in titles."""
    bare = _name(title)
    for name in filter(None, map(_name, organisations)):
        short = re.sub(r"(?:股份|集团|\(集团\))*有限(?:责任)?公司$|公司$", "", name)
        for part in (name, short, *(short[:size] for size in range(len(short) - 1, 2, -1))):
            if len(part) > 1 and part in bare:
                bare = bare.replace(part, "")
                break
    return bare
