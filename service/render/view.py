"""What terminal, HTML and Excel say of a report: sections and limits, findings in reading order, what was not checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from service import text
from service.model import Basis, Counts, Edition, Finding, Note, Outcome, Report, Severity, Submission, Verdict
from service.render import limits, names
from service.render.insight import Insight, insight
from service.render.likeness import Likeness, likeness
from service.render.limits import Row
from service.render.masked import cleaner_of, masked
from service.render.places import in_line, place_of
from service.render.wording import SEVERITIES, snippet, squeezed, words_for


@dataclass(frozen=True, slots=True)
class Item:
    """A finding as readers see it. `number` counts from 1, the gravest first, then in the order of the text."""

    number: int
    severity: Severity
    rule: str
    check: str
    message: str
    basis: Basis
    clause: str | None
    cited: str  # 依据：附件2 一、3
    section: str  # 实施过程, 题目, 全文
    heading: str  # the nearest subheading; "" where there is none
    page: int | None
    snippet: str
    start: int
    end: int
    whole: bool  # it speaks of the whole write-up; its span is only where it is shown
    measured: str | int | float | None
    allowed: str | int | float | None

    @property
    def place(self) -> str:
        """Section, subheading and page in one line."""
        return in_line(self.section, self.heading, self.page)


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Rules that were not checked for one reason."""

    reason: str
    rules: tuple[str, ...]  # "图题（附件2 二、5）"


@dataclass(frozen=True, slots=True)
class Brief:
    """What one line of a table says of a document; masked."""

    report: Report
    name: str
    title: str | None
    organisation: str | None
    words: int
    total: Row
    missing: tuple[str, ...]
    tally: Mapping[Severity, int]  # findings by severity
    rules: Mapping[Verdict, int]  # rules by verdict
    unchecked: tuple[Unchecked, ...]
    notes: tuple[Note, ...]

    @property
    def judged(self) -> bool:
        """Whether there is a write-up: a form or a certificate lacks no sections."""
        return self.report.submission is not None and self.report.submission.is_writeup


@dataclass(frozen=True, slots=True)
class View:
    """One document's report, masked, in the words of its readers."""

    report: Report
    edition: Edition
    name: str
    title: str | None
    organisation: str | None
    words: int
    characters: int
    han: int
    total: Row
    rows: tuple[Row, ...]
    missing: tuple[str, ...]
    items: tuple[Item, ...]
    tally: Mapping[Severity, int]
    rules: Mapping[Verdict, int]  # rules by verdict
    unchecked: tuple[Unchecked, ...]
    passed: tuple[str, ...]
    notes: tuple[Note, ...]
    insight: Insight | None  # None where no stage has said anything of the content
    likeness: Likeness | None  # None where nothing was compared

    @property
    def judged(self) -> bool:
        return self.report.submission is not None and self.report.submission.is_writeup


def brief(report: Report, edition: Edition) -> Brief:
    """What a table says of a report; only that is masked and counted, since a table has hundreds of them."""
    submission = report.submission
    told = () if submission is None else (*submission.document.notes, *submission.notes)
    notes = tuple(dict.fromkeys((*told, *report.notes)))
    skipped = unchecked(report.outcomes)
    title = "" if submission is None or submission.title is None else squeezed(submission.title.text)
    organisation = "" if submission is None else submission.organisation or ""
    clean = cleaner_of(submission, title, organisation, *(one.reason for one in skipped), *(note.message for note in notes))
    judged = submission is not None and submission.is_writeup
    tally = Counter(dict.fromkeys(SEVERITIES, 0))
    for outcome in report.outcomes:
        if submission is not None and outcome.verdict == "fail":
            tally[outcome.severity] += len(outcome.findings) or 1
    return Brief(
        report=report,
        name=report.name,
        title=clean.text(title) or None,
        organisation=clean.text(organisation) or None,
        words=_counts(report).words,
        total=limits.total(report, edition),
        missing=tuple(submission.name_of(key) for key in submission.missing) if submission is not None and judged else (),
        tally=dict(tally),
        rules=_verdicts(report),
        unchecked=tuple(replace(one, reason=clean.text(one.reason)) for one in skipped),
        notes=tuple(replace(note, message=clean.text(note.message)) for note in notes),
    )


def view(report: Report, edition: Edition) -> View:
    """The report as its readers see it; a failed one has its notes and nothing else."""
    head = brief(report, edition)
    report = masked(report)
    submission = report.submission
    counted = _counts(report)
    return View(
        report=report,
        edition=edition,
        name=head.name,
        title=head.title,
        organisation=head.organisation,
        words=counted.words,
        characters=counted.characters,
        han=counted.han,
        total=head.total,
        rows=limits.rows(submission, edition) if submission is not None and head.judged else (),
        missing=head.missing,
        items=items(report),
        tally=head.tally,
        rules=head.rules,
        unchecked=head.unchecked,
        passed=tuple(dict.fromkeys(_rule_name(outcome) for outcome in report.outcomes if outcome.verdict == "pass")),
        notes=head.notes,
        insight=insight(report),
        likeness=likeness(report),
    )


def views(reports: Sequence[Report], edition: Edition) -> list[View]:
    """All reports as their readers see them; files of one name are told apart by their folder."""
    return [replace(view(report, edition), name=name) for report, name in zip(reports, _names(reports), strict=True)]


def briefs(reports: Sequence[Report], edition: Edition) -> list[Brief]:
    """All reports, a line each, named as by views()."""
    return [replace(brief(report, edition), name=name) for report, name in zip(reports, _names(reports), strict=True)]


def _names(reports: Sequence[Report]) -> list[str]:
    return names.distinct([report.path or report.name for report in reports])


def _counts(report: Report) -> Counts:
    return report.counts or text.counts("" if report.submission is None else report.submission.text)


def _verdicts(report: Report) -> Mapping[Verdict, int]:
    counted = Counter(outcome.verdict for outcome in report.outcomes)
    return {"pass": counted["pass"], "fail": counted["fail"], "not_checked": counted["not_checked"]}


def cited(outcome: Outcome) -> str:
    """依据：附件2 一、3 · 依据：往年惯例 · 本系统建议."""
    key = outcome.basis if outcome.clause else f"{outcome.basis}_plain"
    return words_for("cited", key).replace("{clause}", outcome.clause or "")


def items(report: Report) -> tuple[Item, ...]:
    """Every finding of the failed rules; a rule that fails without saying where speaks of the whole write-up."""
    if report.submission is None:
        return ()
    submission = report.submission
    pairs = [
        (outcome, finding)
        for outcome in report.outcomes
        if outcome.verdict == "fail"
        for finding in outcome.findings or (Finding(words_for("checks", outcome.check), submission.start, submission.start),)
    ]
    pairs.sort(key=lambda pair: (SEVERITIES.index(pair[0].severity), pair[1].start, pair[1].end))
    return tuple(_item(number, submission, outcome, finding) for number, (outcome, finding) in enumerate(pairs, 1))


def _item(number: int, submission: Submission, outcome: Outcome, finding: Finding) -> Item:
    title = submission.title
    at_title = title is not None and (finding.start, finding.end) == (title.start, title.end)
    # What has no place of its own stands at the title: only the title's own checks mean its words.
    whole = at_title and not outcome.check.startswith("title_")
    place = place_of(submission, finding.start, finding.end)
    whole = whole or (place.key is None and finding.start == finding.end)
    return Item(
        number=number,
        severity=outcome.severity,
        rule=outcome.rule,
        check=outcome.check,
        message=finding.message,
        basis=outcome.basis,
        clause=outcome.clause,
        cited=cited(outcome),
        section="全文" if whole else place.section,
        heading="" if whole else place.heading,
        page=None if whole else place.page,
        snippet="" if whole else snippet(submission.text, finding.start, finding.end),
        start=finding.start,
        end=finding.end,
        whole=whole,
        measured=finding.measured,
        allowed=finding.allowed,
    )


def _rule_name(outcome: Outcome) -> str:
    clause = words_for("bases", outcome.basis) if outcome.basis == "ours" or not outcome.clause else outcome.clause
    return f"{words_for('checks', outcome.check)}（{clause}）"


def unchecked(outcomes: Sequence[Outcome]) -> tuple[Unchecked, ...]:
    """The rules that were not checked, by reason."""
    by_reason: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        if outcome.verdict == "not_checked":
            by_reason.setdefault(outcome.reason or "没有说明原因", {})[_rule_name(outcome)] = None
    if len(by_reason) == 1 and len(outcomes) > 1 and all(outcome.verdict == "not_checked" for outcome in outcomes):
        (reason,) = by_reason
        return (Unchecked(reason, (words_for("lines", "all_rules").replace("{count}", str(len(outcomes))),)),)
    return tuple(Unchecked(reason, tuple(names)) for reason, names in by_reason.items())
