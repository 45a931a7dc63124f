"""A report without personal data, every offset unchanged: what JSON, HTML and Excel are made from (REPORT.md, `text`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from service.model import (
    Advice,
    AdviceItem,
    CriterionEvidence,
    Document,
    Finding,
    Focus,
    Match,
    Outcome,
    Report,
    Strength,
    Submission,
    Summary,
)
from service.personal import find, mask

_SHORTEST_PIECE = 6  # a piece of a number that a message cut short: from six digits on it says something of its owner
_PIECE = re.compile(
    rf"\d[\d\W]{{{_SHORTEST_PIECE - 2}}}"
)  # all but the last character of an identity number are digits or stand between them


def masked(report: Report) -> Report:
    """The same report with personal data masked, in the text and in every string that may repeat it, and with the notes of all stages."""
    submission = report.submission
    if submission is None:
        return report
    hidden = masked_document(submission.document)
    cleaner = Cleaner(_secrets(submission.document.text, hidden.text))
    told = dict.fromkeys((*submission.document.notes, *submission.notes, *report.notes))  # each note once, whoever passed it on
    return replace(
        report,
        submission=_submission(submission, hidden, cleaner),
        outcomes=tuple(_outcome(outcome, cleaner) for outcome in report.outcomes),
        notes=tuple(replace(note, message=cleaner.text(note.message)) for note in told),
        focus=None if report.focus is None else _focus(report.focus, cleaner),
        summaries=tuple(_summary(summary, cleaner) for summary in report.summaries),
        one_line=cleaner.maybe(report.one_line),
        advice=None if report.advice is None else _advice(report.advice, cleaner),
        matches=tuple(map(_match, report.matches)),
    )


def masked_document(document: Document) -> Document:
    """The document with its text masked; the same length, so that blocks and spans still point at their places."""
    text = mask(document.text)
    if len(text) != len(document.text):
        raise ValueError("mask() changed the length of the text")
    return document if text == document.text else replace(document, text=text)


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Masks strings that may repeat a document's personal numbers, whole or cut short: pairs of number and mask, the longest first."""

    secrets: tuple[tuple[str, str], ...]

    def text(self, value: str) -> str:
        if not _PIECE.search(value):
            return value
        for raw, shown in self.secrets:
            for length in range(len(raw), _SHORTEST_PIECE - 1, -1):
                value = value.replace(raw[:length], shown[:length]).replace(raw[-length:], shown[-length:])
        return mask(value)

    def maybe(self, value: str | None) -> str | None:
        return None if value is None else self.text(value)

    def texts(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.text(value) for value in values)


def cleaner_of(submission: Submission | None, *shown: str) -> Cleaner:
    """What masks these strings, which repeat the write-up; its numbers are looked up only where a string can hold a piece of one."""
    if submission is None or not any(_PIECE.search(value) for value in shown):
        return Cleaner(())
    document = submission.document
    return Cleaner(_secrets(document.text, masked_document(document).text))


def _secrets(text: str, hidden: str) -> tuple[tuple[str, str], ...]:
    """Each personal number as it stands in the file, with its masked form; the longest first."""
    if text == hidden:
        return ()
    changed = {(text[item.start : item.end], hidden[item.start : item.end]) for item in find(text)}
    return tuple(sorted(changed, key=lambda pair: (-len(pair[0]), pair[0])))


def _outcome(outcome: Outcome, cleaner: Cleaner) -> Outcome:
    reason = cleaner.maybe(outcome.reason)
    findings = tuple(_finding(finding, cleaner.text) for finding in outcome.findings)
    # Most rules are kept and say nothing; copying them all is most of the work of a clean document.
    return outcome if (reason, findings) == (outcome.reason, outcome.findings) else replace(outcome, reason=reason, findings=findings)


def _finding(finding: Finding, clean: Callable[[str], str]) -> Finding:
    message = clean(finding.message)
    measured = clean(finding.measured) if isinstance(finding.measured, str) else finding.measured
    allowed = clean(finding.allowed) if isinstance(finding.allowed, str) else finding.allowed
    if (message, measured, allowed) == (finding.message, finding.measured, finding.allowed):
        return finding
    return replace(finding, message=message, measured=measured, allowed=allowed)


def _submission(submission: Submission, hidden: Document, cleaner: Cleaner) -> Submission:
    title = submission.title
    return replace(
        submission,
        document=hidden,
        title=None if title is None else replace(title, text=cleaner.text(title.text)),
        organisation=cleaner.maybe(submission.organisation),
        sections=tuple(replace(section, heading=cleaner.maybe(section.heading)) for section in submission.sections),
        headings=tuple(replace(heading, text=cleaner.text(heading.text)) for heading in submission.headings),
    )


def _focus(focus: Focus, cleaner: Cleaner) -> Focus:
    areas = tuple(
        replace(area, evidence=tuple(replace(one, terms=cleaner.texts(one.terms)) for one in area.evidence)) for area in focus.areas
    )
    return replace(focus, areas=areas, reason=cleaner.maybe(focus.reason))


def _summary(summary: Summary, cleaner: Cleaner) -> Summary:
    return replace(summary, sentences=tuple(replace(one, text=cleaner.text(one.text)) for one in summary.sentences))


def _match(match: Match) -> Match:
    """The other text is masked as a whole, so that a passage that begins within a number shows none of it."""
    hidden = mask(match.past.text)
    if hidden == match.past.text:
        return match
    passages = tuple(replace(one, their_text=hidden[one.their_start : one.their_end]) for one in match.passages)
    return replace(match, past=replace(match.past, text=hidden), passages=passages)


def _advice(advice: Advice, cleaner: Cleaner) -> Advice:
    return Advice(
        items=tuple(_item(item, cleaner) for item in advice.items),
        strengths=tuple(_strength(one, cleaner) for one in advice.strengths),
        criteria=tuple(_criterion(one, cleaner) for one in advice.criteria),
    )


def _item(item: AdviceItem, cleaner: Cleaner) -> AdviceItem:
    return replace(item, message=cleaner.text(item.message), reason=cleaner.text(item.reason), example=cleaner.text(item.example))


def _strength(one: Strength, cleaner: Cleaner) -> Strength:
    return replace(one, message=cleaner.text(one.message))


def _criterion(one: CriterionEvidence, cleaner: Cleaner) -> CriterionEvidence:
    return replace(one, shown=tuple(_strength(shown, cleaner) for shown in one.shown), sought=cleaner.texts(one.sought))
