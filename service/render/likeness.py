"""What a write-up shares with past benchmarks, as readers see it: passages side by side. Facts to look at, never a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service import lexicon
from service.changes import difference, words
from service.headings import named
from service.model import Exclusion, Match, MatchedPassage, MatchFlag, MatchKind, Past, Report, Similarity, Submission
from service.numbering import number_of
from service.render.places import in_line, place_of
from service.render.wording import section_name, squeezed, words_for

KINDS: tuple[MatchKind, ...] = ("verbatim", "edited", "paraphrase")
_LIBRARY = (
    "library_",
    "database_",
    "pgvector_",
    "data_folder_",
    "disk_full",
    "embedding_width",
    "package_",
    "stage_failed",
)  # codes of notes that tell why the library was not asked
_LONGEST_HEADING = 40  # characters
_SECTION_NUMBERS = ("一、", "第一部分")  # forms of service/numbering.py
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
    revoked: bool  # a benchmark whose title was withdrawn
    title: str
    source: str  # 霁垣液压件有限公司，2014年
    share: float
    counted: tuple[PassageShown, ...]
    left_out: tuple[PassageShown, ...]

    @property
    def percent(self) -> str:
        return percent(self.share)

    @property
    def marks(self) -> tuple[str, ...]:
        """What its reader must know of the other text before anything: 本单位, 本批材料, 已撤销."""
        return marks_of(own=self.own, among=self.among, revoked=self.revoked)

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
        line = "compared_among" if self.similarity.only_among else "compared"
        return words_for("lines", line).replace("{count}", f"{self.similarity.compared:,}")


def likeness(report: Report) -> Likeness | None:
    """None where nothing was compared. Its strings are the report's: who shows them to others masks the report first."""
    submission, similarity = report.submission, report.similarity
    if submission is None or similarity is None:
        return None
    return Likeness(similarity, tuple(_match(submission, number, match) for number, match in enumerate(report.matches, 1)))


def not_compared(reports: Sequence[Report]) -> list[tuple[str, int]]:
    """Why write-ups were compared with no past benchmark, with the number of files; the most frequent reason first."""
    reasons: Counter[str] = Counter()
    for report in reports:
        if report.submission is None or not report.submission.is_writeup:
            continue
        if report.similarity is None or report.similarity.only_among:
            told = [note for note in report.notes if note.code.startswith(_LIBRARY)]
            told = [note for note in told if note.code != "stage_failed"] or told
            reasons["".join(note.message for note in told) or words_for("lines", "unknown")] += 1
    return reasons.most_common()


def percent(share: float) -> str:
    """12.3%; a share that would be rounded to nothing is said to be less than 0.1%."""
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def marks_of(*, own: bool, among: bool, revoked: bool) -> tuple[str, ...]:
    return tuple(words_for("match_marks", key) for key, meant in (("own", own), ("among", among), ("revoked", revoked)) if meant)


def is_revoked(past: Past) -> bool:
    return past.status == "revoked"


def name_of(past: Past) -> str:
    """A benchmark's title; of what has none, the file."""
    return squeezed(past.title) or past.file or past.id


def heading_above(text: str, place: int) -> str | None:
    """The section's heading under which a place of another text stands, as printed; None where no line above is surely one.

    Of the other text only the words are known, so a heading is a short line numbered 一、 or 第一部分, or one that is a section's name.
    """
    end = text.find("\n", place)
    for line in reversed(text[: end if end >= 0 else len(text)].split("\n")):
        bare = line.strip()
        if 1 < len(bare) <= _LONGEST_HEADING and bare[-1] not in "。；，：、！":
            number = number_of(bare)
            if (number is not None and number.form in _SECTION_NUMBERS) or max(named(bare).values(), default=0.0) == 1.0:
                return bare
    return None


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
        revoked=is_revoked(match.past),
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
        place=_place(submission, passage),
        mine=tuple(_runs(submission.text, passage.start, passage.end, passage.changed)),
        theirs=tuple(_runs(passage.their_text, 0, len(passage.their_text), theirs)),
    )


def _place(submission: Submission, passage: MatchedPassage) -> str:
    """The sections whose text it holds, in their order; a heading alone at its end is none of them."""
    place, text = place_of(submission, passage.start, passage.end), submission.text
    held = [
        section_name(submission, section.key)
        for section in submission.sections
        if text[max(section.body_start, passage.start) : min(section.end, passage.end)].strip()
    ]
    if not held or held == [place.section]:
        return place.line
    names = dict.fromkeys(held if place.key is not None and place.section not in held else [place.section, *held])
    return in_line("、".join(names), "" if len(names) > 1 else place.heading, place.page)


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
