"""What lists show of a report: its title, counts, focus area, similarity, as the columns of the table `analyses`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from service.model import MatchFlag, Report
from service.text import words

_GRAVEST: tuple[MatchFlag, ...] = ("near_duplicate", "reuse", "related")


def digest(report: Report) -> dict[str, Any]:
    """Column -> value. Counts are of findings, of each rule that is not kept at least one; where nothing was judged they are None."""
    submission, focus, likeness = report.submission, report.focus, report.similarity
    judged = submission is not None and submission.is_writeup
    failed = [outcome for outcome in report.outcomes if outcome.verdict == "fail"]
    tally = Counter[str]()
    for outcome in failed:
        tally[outcome.severity] += len(outcome.findings) or 1
    scores = {} if focus is None else {score.area: score for score in focus.areas}
    leading = None if focus is None else scores.get(focus.primary or "") or next(iter(focus.areas), None)
    flags = {match.flag for match in report.matches}
    return {
        "status": report.status,
        "title": None if submission is None or submission.title is None else submission.title.text,
        "organisation": None if submission is None else submission.organisation,
        "words": _words(report),
        "errors": tally["error"] if judged else None,
        "warnings": tally["warning"] if judged else None,
        "advice": tally["advice"] if judged else None,
        "unchecked": sum(outcome.verdict == "not_checked" for outcome in report.outcomes) if judged else None,
        "missing": list(submission.missing) if submission is not None and judged else None,
        "rules": sorted({outcome.rule for outcome in failed}),
        "areas": [score.area for score in scores.values() if score.chosen],
        "primary_area": None if focus is None else focus.primary,
        "area_score": None if leading is None else round(leading.score, 4),
        "similarity": None if likeness is None else likeness.without_quotes,
        "flag": next((flag for flag in _GRAVEST if flag in flags), None),
    }


def _words(report: Report) -> int | None:
    """字数 of the write-up, as its limits are meant: without cover, form and evidence. Where none was found, of the whole file."""
    submission = report.submission
    if submission is not None and submission.is_writeup:
        return words(submission.text[submission.start : submission.end])
    return None if report.counts is None else report.counts.words
