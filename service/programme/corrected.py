"""Submissions whose focus areas staff corrected, as labelled write-ups for training (`biaogan train focus --with-corrections`)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from service import rulebook
from service.errors import ServiceError
from service.model import Edition, Report
from service.programme import analyses, triage
from service.programme.triage import Correction
from service.render.masked import masked
from service.train.corpora import WriteUp, parted


def writeups(connection: Connection) -> tuple[list[WriteUp], int]:
    """The write-ups, by submission, and how many corrections could not be used: no text, or an area that is no theme (中小企业).

    The text is that of the stored report, with personal data masked.
    """
    found = triage.corrections(connection)
    made = [_writeup(connection, each) for each in found]
    used = [each for each in made if each is not None]
    return used, len(found) - len(used)


def _writeup(connection: Connection, correction: Correction) -> WriteUp | None:
    try:
        edition = rulebook.load(correction.edition)
    except ServiceError:  # an edition that this program has no more
        return None
    report = analyses.report(connection, correction.analysis, file_name=correction.file_name)
    if report is None or report.submission is None:
        return None
    themes = themes_of(correction.areas, edition, report)
    if themes is None:
        return None
    submission = masked(report).submission
    assert submission is not None
    return WriteUp(
        id=f"submission-{correction.submission}",
        split="train",
        title=submission.title.text if submission.title else "",
        organisation="",
        edition=correction.edition,
        primary=themes[0],
        secondary=themes[1:],
        sme=False,
        key_results=(),
        paragraphs=tuple(parted(submission)),
    )


def themes_of(areas: Sequence[str], edition: Edition, report: Report) -> tuple[str, ...] | None:
    """A theme an area, the main area's first: of several the one that the text carries most. None where the main one has none."""
    strength = {} if report.focus is None else report.focus.themes
    declared = {area.id: area for area in edition.areas}
    themes: list[str] = []
    for number, id_ in enumerate(areas):
        area = declared.get(id_)
        named = () if area is None or area.by_facts else area.themes
        if named:
            themes.append(max(named, key=lambda theme: strength.get(theme, 0.0)))
        elif number == 0:
            return None
    return tuple(dict.fromkeys(themes))
