"""A report without personal data, every offset unchanged: what JSON, HTML and Excel are made from (REPORT.md, `text`)."""

from __future__ import annotations

from dataclasses import replace

from service.model import Document, Finding, Report, Submission
from service.personal import find, mask

_SHORTEST_PIECE = 6  # a piece of a number that a message cut short: from six digits on it says something of its owner


def masked(report: Report) -> Report:
    """The same report with personal data masked, in the text and in every string that may repeat it, and with the notes of all stages."""
    submission = report.submission
    if submission is None:
        return report
    hidden = masked_document(submission.document)
    secrets = _secrets(submission.document.text, hidden.text)
    outcomes = tuple(
        replace(
            outcome,
            reason=_clean(outcome.reason, secrets),
            findings=tuple(_finding(finding, secrets) for finding in outcome.findings),
        )
        for outcome in report.outcomes
    )
    told = dict.fromkeys((*submission.document.notes, *submission.notes, *report.notes))  # each note once, whoever passed it on
    notes = tuple(replace(note, message=_text(note.message, secrets)) for note in told)
    return replace(report, submission=_submission(submission, hidden, secrets), outcomes=outcomes, notes=notes)


def masked_document(document: Document) -> Document:
    """The document with its text masked; the same length, so that blocks and spans still point at their places."""
    text = mask(document.text)
    if len(text) != len(document.text):
        raise ValueError("mask() changed the length of the text")
    return document if text == document.text else replace(document, text=text)


def _secrets(text: str, hidden: str) -> tuple[tuple[str, str], ...]:
    """Each personal number as it stands in the file, with its masked form; the longest first."""
    if text == hidden:
        return ()
    changed = {(text[item.start : item.end], hidden[item.start : item.end]) for item in find(text)}
    return tuple(sorted(changed, key=lambda pair: (-len(pair[0]), pair[0])))


def _text(value: str, secrets: tuple[tuple[str, str], ...]) -> str:
    for raw, shown in secrets:
        for length in range(len(raw), _SHORTEST_PIECE - 1, -1):
            value = value.replace(raw[:length], shown[:length]).replace(raw[-length:], shown[-length:])
    return mask(value)


def _clean(value: str | None, secrets: tuple[tuple[str, str], ...]) -> str | None:
    return None if value is None else _text(value, secrets)


def _finding(finding: Finding, secrets: tuple[tuple[str, str], ...]) -> Finding:
    return replace(
        finding,
        message=_text(finding.message, secrets),
        measured=_text(finding.measured, secrets) if isinstance(finding.measured, str) else finding.measured,
        allowed=_text(finding.allowed, secrets) if isinstance(finding.allowed, str) else finding.allowed,
    )


def _submission(submission: Submission, hidden: Document, secrets: tuple[tuple[str, str], ...]) -> Submission:
    title = submission.title
    return replace(
        submission,
        document=hidden,
        title=None if title is None else replace(title, text=_text(title.text, secrets)),
        organisation=_clean(submission.organisation, secrets),
        sections=tuple(replace(section, heading=_clean(section.heading, secrets)) for section in submission.sections),
        headings=tuple(replace(heading, text=_text(heading.text, secrets)) for heading in submission.headings),
    )
