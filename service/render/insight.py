"""What the models and the adviser say of a write-up, as readers see it: one line, focus areas, each section's summary and priorities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.model import AdviceItem, CriterionEvidence, Focus, FocusScore, Report, Strength, Submission
from service.render.places import place_of
from service.render.wording import section_name, squeezed, words_for

MOST = 3  # priorities a section, and in all where there is little room; sentences that speak for an area


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that stand at a place of the text."""

    text: str
    place: str  # 实施过程 · （一）推行
    start: int
    end: int
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AreaShown:
    """A focus area; `evidence` only where it is suggested, or where none is and it comes first."""

    id: str
    name: str
    score: float
    chosen: bool
    primary: bool
    evidence: tuple[Quote, ...]

    @property
    def shown(self) -> str:
        return f"{self.score:.2f}"


@dataclass(frozen=True, slots=True)
class Priority:
    """A piece of advice. Its example is constructed, and said to be so wherever it is shown."""

    section: str  # the name readers know; 全文
    message: str
    reason: str
    example: str
    place: str
    start: int
    end: int
    rule: str | None


@dataclass(frozen=True, slots=True)
class SectionShown:
    """A section's summary in the applicant's own sentences, and what to mend in it first. `key` None: the whole write-up."""

    key: str | None
    name: str
    missing: bool
    sentences: tuple[Quote, ...]
    priorities: tuple[Priority, ...]
    strengths: tuple[Quote, ...]

    @property
    def summary(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True)
class Evident:
    """Something that a criterion asks for and the text shows, with the sentences that show it."""

    message: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class CriterionShown:
    name: str
    clause: str
    shown: tuple[Evident, ...]
    sought: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Insight:
    one_line: str | None
    areas: tuple[AreaShown, ...]  # by falling score
    undecided: str | None  # why no area is suggested; None where one is, or none was looked for
    sections: tuple[SectionShown, ...]
    priorities: tuple[Priority, ...]  # all of them, the first of each section before the second of any
    criteria: tuple[CriterionShown, ...]

    @property
    def primary(self) -> AreaShown | None:
        return next((area for area in self.areas if area.primary), None)


def insight(report: Report) -> Insight | None:
    """None where no stage has said anything. Its strings are the report's: who shows them to others masks the report first."""
    submission = report.submission
    if submission is None or (report.focus is None and not report.summaries and report.one_line is None and report.advice is None):
        return None
    items = () if report.advice is None else _first_of_each(report.advice.items)
    return Insight(
        one_line=None if report.one_line is None else squeezed(report.one_line),
        areas=() if report.focus is None else tuple(_areas(submission, report.focus)),
        undecided=undecided(report.focus),
        sections=tuple(_sections(submission, report, items)),
        priorities=tuple(_priority(submission, item) for item in items),
        criteria=() if report.advice is None else tuple(_criterion(submission, one) for one in report.advice.criteria),
    )


def undecided(focus: Focus | None) -> str | None:
    """Why no area is suggested."""
    if focus is None or focus.primary is not None:
        return None
    return focus.reason or words_for("lines", "undecided")


def _areas(submission: Submission, focus: Focus) -> Iterator[AreaShown]:
    for place, area in enumerate(focus.areas):
        telling = area.chosen or (place == 0 and focus.primary is None)
        evidence = tuple(_evidence(submission, area)) if telling else ()
        yield AreaShown(area.area, area.name, area.score, area.chosen, area.area == focus.primary, evidence)


def _evidence(submission: Submission, area: FocusScore) -> Iterator[Quote]:
    for one in area.evidence[:MOST]:
        yield _quote(submission, squeezed(submission.text[one.start : one.end]), one.start, one.end, terms=one.terms)


def _quote(submission: Submission, text: str, start: int, end: int, *, terms: tuple[str, ...] = ()) -> Quote:
    return Quote(text, place_of(submission, start, end).line, start, end, terms)


def _first_of_each(items: Sequence[AdviceItem]) -> tuple[AdviceItem, ...]:
    """By priority, otherwise as the adviser ranked them; no more than three a section."""
    return tuple(sorted((item for item in items if item.priority <= MOST), key=lambda item: item.priority))


def _sections(submission: Submission, report: Report, items: Sequence[AdviceItem]) -> Iterator[SectionShown]:
    """The whole write-up, then the edition's order, then what it does not declare; left out where nothing is said of it."""
    strengths = () if report.advice is None else report.advice.strengths
    keys: list[str | None] = [*(spec.key for spec in submission.specs), *(section.key for section in submission.sections)]
    keys += [summary.section for summary in report.summaries] + [item.section for item in items] + [one.section for one in strengths]
    for key in dict.fromkeys((None, *keys)):
        sentences = [one for summary in report.summaries if summary.section == key for one in summary.sentences]
        shown = SectionShown(
            key=key,
            name=words_for("rows", "whole") if key is None else section_name(submission, key),
            missing=key in submission.missing,
            sentences=tuple(_quote(submission, squeezed(one.text), one.start, one.end) for one in sentences),
            priorities=tuple(_priority(submission, item) for item in items if item.section == key),
            strengths=tuple(_strength(submission, one) for one in strengths if one.section == key),
        )
        if shown.sentences or shown.priorities or shown.strengths:
            yield shown


def _priority(submission: Submission, item: AdviceItem) -> Priority:
    name = words_for("rows", "whole") if item.section is None else section_name(submission, item.section)
    place = name if item.section is None or item.section in submission.missing else place_of(submission, item.start, item.end).line
    return Priority(name, item.message, item.reason, item.example, place, item.start, item.end, item.rule)


def _strength(submission: Submission, one: Strength) -> Quote:
    return _quote(submission, squeezed(one.message), one.start, one.end)


def _criterion(submission: Submission, one: CriterionEvidence) -> CriterionShown:
    by_message: dict[str, list[Quote]] = {}
    for shown in one.shown:
        words = squeezed(submission.text[shown.start : shown.end])
        by_message.setdefault(squeezed(shown.message), []).append(_quote(submission, words, shown.start, shown.end))
    evident = tuple(Evident(message, tuple(quotes)) for message, quotes in by_message.items())
    return CriterionShown(one.name, one.clause, evident, one.sought)
