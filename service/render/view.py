"""What terminal, HTML and Excel say of a report: sections against their limits, findings in reading order, what was not checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from service import lexicon, text
from service.model import Basis, Edition, Finding, Note, Outcome, Report, Section, Severity, Submission, Title, Verdict
from service.render import names
from service.render.masked import masked

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "advice")
# Control characters, line ends and tabs apart (HTML cannot hold them, terminals obey them), and the marks that turn the direction of
# writing (a file name could hide its suffix behind one).
_UNFIT = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 32), *range(127, 160), 0xFFFE, 0xFFFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    "\N{REPLACEMENT CHARACTER}",
)
_SNIPPET = 48  # characters of the text quoted with a finding


@dataclass(frozen=True, slots=True)
class Limit:
    """What an edition allows, in 字数; `tolerance` is the share beyond it that is let pass."""

    least: int | None
    most: int | None
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """A section, or several that share one limit, against what the edition allows."""

    key: str | None  # None: several sections together, or the whole write-up
    name: str
    words: int
    least: int | None
    most: int | None
    state: str  # within, over, under, free, missing: keys of display.toml [states]
    start: int | None  # where the first of the sections begins
    heading: str | None  # as printed

    @property
    def allowed(self) -> str:
        """≤ 1,000 · ≥ 8,000 · 8,000～12,000; empty where there is no limit."""
        if self.most is None:
            return "" if self.least is None else f"≥ {self.least:,}"
        return f"≤ {self.most:,}" if self.least is None else f"{self.least:,}～{self.most:,}"


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
        page = "" if self.page is None else f"第{self.page}页"
        return " · ".join(part for part in (self.section, self.heading, page) if part)


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Rules that were not checked for one reason."""

    reason: str
    rules: tuple[str, ...]  # "图题（附件2 二、5）"


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

    @property
    def judged(self) -> bool:
        return self.report.submission is not None and self.report.submission.is_writeup


def view(report: Report, edition: Edition) -> View:
    """The report as its readers see it; a failed one has its notes and nothing else."""
    report = masked(report)
    submission = report.submission
    content = "" if submission is None else submission.text
    counted = report.counts or text.counts(content)
    found = items(report)
    judged = submission is not None and submission.is_writeup  # a form or a certificate lacks no sections
    tally = Counter(item.severity for item in found)
    verdicts = Counter(outcome.verdict for outcome in report.outcomes)
    return View(
        report=report,
        edition=edition,
        name=report.name,
        title=None if submission is None or submission.title is None else _squeezed(submission.title.text),
        organisation=None if submission is None else submission.organisation,
        words=counted.words,
        characters=counted.characters,
        han=counted.han,
        total=_total(report, edition),
        rows=rows(submission, edition) if submission is not None and judged else (),
        missing=tuple(submission.name_of(key) for key in submission.missing) if submission is not None and judged else (),
        items=found,
        tally={severity: tally[severity] for severity in SEVERITIES},
        rules={"pass": verdicts["pass"], "fail": verdicts["fail"], "not_checked": verdicts["not_checked"]},
        unchecked=_unchecked(report.outcomes),
        passed=tuple(dict.fromkeys(_rule_name(outcome) for outcome in report.outcomes if outcome.verdict == "pass")),
        notes=report.notes,
    )


def views(reports: Sequence[Report], edition: Edition) -> list[View]:
    """All reports as their readers see them; files of one name are told apart by their folder."""
    named = names.distinct([report.path or report.name for report in reports])
    return [replace(view(report, edition), name=name) for report, name in zip(reports, named, strict=True)]


def words_for(table: str, key: str) -> str:
    """The Chinese words of a key (display.toml); the key itself where a check is so new that it has none."""
    return str(lexicon.load("display")[table].get(key, key))


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
    section = _section_at(submission, finding)
    whole = whole or (section is None and finding.start == finding.end)
    return Item(
        number=number,
        severity=outcome.severity,
        rule=outcome.rule,
        check=outcome.check,
        message=finding.message,
        basis=outcome.basis,
        clause=outcome.clause,
        cited=cited(outcome),
        section="全文" if whole else _place(submission, section, title, finding),
        heading="" if whole or section is None else _subheading(submission, section, finding),
        page=None if whole else _page_at(submission, finding),
        snippet="" if whole else snippet(submission.text, finding.start, finding.end),
        start=finding.start,
        end=finding.end,
        whole=whole,
        measured=finding.measured,
        allowed=finding.allowed,
    )


def _section_at(submission: Submission, finding: Finding) -> Section | None:
    """The section that holds the finding; a point right after a section's last character (a figure at its end) is still in it."""
    inside = [section for section in submission.sections if section.start <= finding.start < section.end]
    if not inside and finding.start == finding.end:
        inside = [section for section in submission.sections if section.start < finding.start == section.end]
    return inside[0] if inside else None


def _place(submission: Submission, section: Section | None, title: Title | None, finding: Finding) -> str:
    if section is not None:
        return section_name(submission, section.key)
    if title is not None and title.start <= finding.start < title.end:
        return "题目"
    return "各部分之外"


def section_name(submission: Submission, key: str) -> str:
    name = submission.name_of(key)
    return words_for("sections", key) if name == key else name


def _subheading(submission: Submission, section: Section, finding: Finding) -> str:
    above = [heading for heading in submission.headings if section.body_start <= heading.start <= finding.start]
    # A span that runs over several subheadings (a whole section) has no nearest one.
    spanned = any(finding.start < heading.start < finding.end for heading in submission.headings)
    if spanned or not above:
        return ""
    label, text_only = above[-1].label, above[-1].text
    return cut(f"{label} {text_only}" if label[-1:].isdigit() else f"{label}{text_only}", 20)


def _page_at(submission: Submission, finding: Finding) -> int | None:
    page = None
    for block in submission.document.blocks:
        if block.start > finding.start:
            break
        page = block.page or page
    return page


def _squeezed(value: str) -> str:
    return " ".join(value.split())


def printable(value: str) -> str:
    """The same text without what a page or a terminal must not get: controls, turned writing, half surrogate pairs."""
    return value.translate(_UNFIT).encode("utf-8", "replace").decode("utf-8")


def cut(value: str, most: int) -> str:
    """At most so many characters, the last one an ellipsis where something was cut off."""
    value = _squeezed(value)
    return value if len(value) <= most else value[: most - 1] + "…"


def snippet(content: str, start: int, end: int, *, most: int = _SNIPPET) -> str:
    """The marked words, squeezed; of a long span its beginning and its end."""
    # Blanks fold, so a little more than twice the length on each side is enough of a section of 8,000 characters.
    if end - start <= 4 * most:
        value = _squeezed(content[start:end])
        return value if len(value) <= most else f"{value[: most * 2 // 3]}……{value[-(most // 3) :]}"
    return f"{_squeezed(content[start : start + 2 * most])[: most * 2 // 3]}……{_squeezed(content[end - most : end])[-(most // 3) :]}"


def rows(submission: Submission, edition: Edition, *, every: bool = False) -> tuple[Row, ...]:
    """The edition's sections in its order, limits that several share, and what else was found; `every`: also those that may be left out."""
    limits = _limits(edition)
    made: list[Row] = []
    for spec in edition.sections:
        for keys, limit in limits.items():
            if len(keys) > 1 and spec.key == _first_of(edition, keys):
                made.append(_row(submission, keys, _shared_name(edition, keys), limit))
        found = submission.named(spec.key)
        if every or found or spec.required or spec.key in submission.missing:
            made.append(_row(submission, (spec.key,), spec.name, limits.get((spec.key,)), missing=spec.key in submission.missing))
    declared = {spec.key for spec in edition.sections}
    made.extend(
        _row(submission, (key,), words_for("sections", key), None)
        for key in dict.fromkeys(section.key for section in submission.sections)
        if key not in declared
    )
    return tuple(made)


def row_names(edition: Edition) -> tuple[str, ...]:
    """All names that rows() may give, in its order."""
    shared = {keys: _shared_name(edition, keys) for keys in _limits(edition) if len(keys) > 1}
    names: list[str] = []
    for spec in edition.sections:
        names.extend(name for keys, name in shared.items() if spec.key == _first_of(edition, keys))
        names.append(spec.name)
    declared = {spec.key for spec in edition.sections}
    return (*names, *(str(name) for key, name in lexicon.load("display")["sections"].items() if key not in declared))


def _first_of(edition: Edition, keys: tuple[str, ...]) -> str | None:
    return next((spec.key for spec in edition.sections if spec.key in keys), None)


def _shared_name(edition: Edition, keys: tuple[str, ...]) -> str:
    """The heading above the sections, else their names in a row."""
    members = [spec for spec in edition.sections if spec.key in keys]
    return next((spec.group for spec in members if spec.group), "、".join(spec.name for spec in members))


def _total(report: Report, edition: Edition) -> Row:
    """The whole write-up against the edition's limits of the total."""
    least = most = None
    for rule in edition.rules:
        if rule.check == "total_length" and rule.params is not None:
            least = _number(rule.params, "min") or least
            most = _number(rule.params, "max") or most
    submission = report.submission
    content = "" if submission is None else submission.text
    body = "" if submission is None else content[submission.start : submission.end or None]
    whole = report.counts.words if report.counts is not None and len(body) == len(content) else None
    counted, limit = text.words(body) if whole is None else whole, Limit(least, most)
    name = words_for("rows", "whole" if len(body.split()) == len(content.split()) else "body")
    return Row(None, name, counted, least, most, _state(counted, limit), None, None)


def _row(submission: Submission, keys: tuple[str, ...], name: str, limit: Limit | None, *, missing: bool = False) -> Row:
    found = submission.named(*keys)
    words = sum(section.words for section in found)
    limit = limit or Limit(None, None)
    state = "missing" if missing else _state(words, limit) if found else "free"
    heading = next((section.heading for section in found if section.heading), None)
    return Row(keys[0] if len(keys) == 1 else None, name, words, limit.least, limit.most, state, found[0].start if found else None, heading)


def _state(words: int, limit: Limit) -> str:
    if limit.most is not None and words > limit.most * (1 + limit.tolerance):
        return "over"
    if limit.least is not None and words < limit.least * (1 - limit.tolerance):
        return "under"
    return "free" if limit.most is None and limit.least is None else "within"


def _limits(edition: Edition) -> dict[tuple[str, ...], Limit]:
    """The limits of the rules of check section_length, by the sections that they bind together."""
    limits: dict[tuple[str, ...], Limit] = {}
    for rule in edition.rules:
        if rule.check == "section_length" and rule.params is not None:
            sections: tuple[str, ...] = getattr(rule.params, "sections", ())
            limit = Limit(_number(rule.params, "min"), _number(rule.params, "max"), getattr(rule.params, "tolerance", 0.0))
            for keys in (sections,) if getattr(rule.params, "together", False) else ((key,) for key in sections):
                limits.setdefault(keys, limit)
    return limits


def _number(params: object, name: str) -> int | None:
    value = getattr(params, name, None)
    return int(value) if isinstance(value, (int, float)) and value else None


def _rule_name(outcome: Outcome) -> str:
    clause = words_for("bases", outcome.basis) if outcome.basis == "ours" or not outcome.clause else outcome.clause
    return f"{words_for('checks', outcome.check)}（{clause}）"


def _unchecked(outcomes: Sequence[Outcome]) -> tuple[Unchecked, ...]:
    by_reason: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        if outcome.verdict == "not_checked":
            by_reason.setdefault(outcome.reason or "没有说明原因", {})[_rule_name(outcome)] = None
    if len(by_reason) == 1 and len(outcomes) > 1 and all(outcome.verdict == "not_checked" for outcome in outcomes):
        (reason,) = by_reason
        return (Unchecked(reason, (words_for("lines", "all_rules").replace("{count}", str(len(outcomes))),)),)
    return tuple(Unchecked(reason, tuple(names)) for reason, names in by_reason.items())
