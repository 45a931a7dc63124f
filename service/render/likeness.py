"""What a write-up shares with past benchmarks, as readers see it: passages side by side. Facts to look at, never a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service import lexicon
from service.changes import difference, words
from service.model import Exclusion, Match, MatchedPassage, MatchFlag, MatchKind, Past, Report, Similarity, Submission
from service.render.places import place_of
from service.render.wording import squeezed, words_for

KINDS: tuple[MatchKind, ...] = ("verbatim", "edited", "paraphrase")
EXCLUSIONS: tuple[Exclusion, ...] = ("quote", "standard", "notice", "common")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a passage; `changed`: the other text has other words there."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class PassageShown:
    id: str  # of its block on the page: m2-5
    start: int
    end: int
    kind: MatchKind
    excluded: Exclusion | None
    place: str  # 实施过程 · （一）推行
    mine: tuple[Run, ...]
    theirs: tuple[Run, ...]

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class MatchShown:
    number: int  # from 1, as ranked
    flag: MatchFlag
    own: bool
    among: bool
    title: str
    source: str  # 霁垣液压件有限公司，2014年
    share: float
    counted: tuple[PassageShown, ...]
    left_out: tuple[PassageShown, ...]

    @property
    def percent(self) -> str:
        return percent(self.share)

    @property
    def kinds(self) -> str:
        """逐字 3 处、改动 2 处; empty where nothing counts."""
        counts = ((kind, sum(one.kind == kind for one in self.counted)) for kind in KINDS)
        return "、".join(f"{words_for('match_kinds', kind)} {count} 处" for kind, count in counts if count)


@dataclass(frozen=True, slots=True)
class Group:
    """Matches that are listed together: of others, of the same organisation, of the same batch, close in topic."""

    key: str
    matches: tuple[MatchShown, ...]


@dataclass(frozen=True, slots=True)
class Likeness:
    similarity: Similarity
    matches: tuple[MatchShown, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        by_key: dict[str, list[MatchShown]] = {key: [] for key in lexicon.load("display")["match_groups"]}
        for one in self.matches:
            by_key["among" if one.among else "own" if one.own else "related" if one.flag == "related" else "others"].append(one)
        return tuple(Group(key, tuple(matches)) for key, matches in by_key.items() if matches)

    @property
    def compared(self) -> str:
        return words_for("lines", "compared").replace("{count}", f"{self.similarity.compared:,}")


def likeness(report: Report) -> Likeness | None:
    """None where nothing was compared. Its strings are the report's: who shows them to others masks the report first."""
    submission, similarity = report.submission, report.similarity
    if submission is None or similarity is None:
        return None
    return Likeness(similarity, tuple(_match(submission, number, match) for number, match in enumerate(report.matches, 1)))


def percent(share: float) -> str:
    """12.3%; a share that would be rounded to nothing is said to be less than 0.1%."""
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def name_of(past: Past) -> str:
    """A benchmark's title; of what has none, the file."""
    return squeezed(past.title) or past.file or past.id


def source_of(past: Past) -> str:
    """Organisation and year, as far as they are known."""
    return "，".join(part for part in (squeezed(past.organisation or ""), "" if past.year is None else f"{past.year}年") if part)


def cited(past: Past) -> str:
    """《题目》（单位，年份）."""
    source = source_of(past)
    return f"《{name_of(past)}》" + (f"（{source}）" if source else "")


def _match(submission: Submission, number: int, match: Match) -> MatchShown:
    passages = tuple(_passage(submission, passage, f"m{number}-{place}") for place, passage in enumerate(match.passages, 1))
    return MatchShown(
        number=number,
        flag=match.flag,
        own=match.own,
        among=match.past.among,
        title=name_of(match.past),
        source=source_of(match.past),
        share=match.share,
        counted=tuple(one for one in passages if one.excluded is None),
        left_out=tuple(one for one in passages if one.excluded is not None),
    )


def _passage(submission: Submission, passage: MatchedPassage, name: str) -> PassageShown:
    theirs: tuple[tuple[int, int], ...] = ()
    if passage.kind == "edited":
        other, own = passage.their_text, words(submission.text, passage.start, passage.end)
        theirs = difference(words(other, 0, len(other)), own, island=lexicon.load("match")["passage"]["island"]).changed
    return PassageShown(
        id=name,
        start=passage.start,
        end=passage.end,
        kind=passage.kind,
        excluded=passage.excluded,
        place=place_of(submission, passage.start, passage.end).line,
        mine=tuple(_runs(submission.text, passage.start, passage.end, passage.changed)),
        theirs=tuple(_runs(passage.their_text, 0, len(passage.their_text), theirs)),
    )


def _runs(text: str, start: int, end: int, changed: Sequence[tuple[int, int]]) -> Iterator[Run]:
    """text[start:end] cut where what is changed begins and ends; what lies outside, or is named twice, is passed over."""
    position = start
    for span in sorted(changed):
        first, last = max(span[0], position), min(span[1], end)
        if first >= last:
            continue
        if position < first:
            yield Run(text[position:first], changed=False)
        yield Run(text[first:last], changed=True)
        position = last
    if position < end:
        yield Run(text[position:end], changed=False)
