"""Outcomes of the rules and the criteria of selection -> what is worth mending first, what is done well, what a reader misses.

At most three things a section, the most useful first: what the notice demands (a missing section, missing data) before style. The words
are data (service/lexicon/advice.toml, criteria.toml); nothing is invented about the applicant, examples are fictional.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

from service import criteria, lexicon
from service.captions import captions, tables_of
from service.indicators import Figure, stated
from service.model import Advice, AdviceItem, CriterionEvidence, Edition, Finding, Focus, Outcome, Rule, Section, Strength, Submission
from service.quantities import comparable
from service.tabulated import tabled
from service.text import sentences

_MOST = 3  # items a section, and strengths of one kind
_MOST_MISSED = 2  # of them from the criteria
_QUOTE_MAX = 24
_YEARS = 3
_LIKELY = 0.5
_FAR = 400  # characters: places of a strength further apart are not shown as one
_PRESENT = "section_present"
_RESULTS = "results"
_ONE = re.compile("（共1[处个幅]）|(?<=」)共1[处段](?=）)")  # a count that tells nothing
_MOVED = re.compile("[到至降升增减缩]")
_BELOW = 0.5  # a section without a heading, below one that is missing
_MISSING = re.compile("「([^」]*)」")
_INDICATOR = re.compile("“([^”]+)”([0-9]{4}年)的")  # in the message of year_consistency
_CITED = {
    "notice": "{clause}要求：{name}。",
    "programme": "历年惯例（{clause}）：{name}。",
    "ours": "本系统建议（{name}；参照{clause}）。",
}
_UNCITED = {"notice": "通知要求：{name}。", "programme": "历年惯例：{name}。", "ours": "本系统建议：{name}。"}


@dataclass(frozen=True, slots=True)
class _Draft:
    """An item before it is ranked. `same` are checks whose advice in this section says the same already."""

    weight: float
    section: str | None
    message: str
    reason: str
    example: str
    start: int
    end: int
    rule: str | None = None
    check: str = ""
    same: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Group:
    """The findings of one rule in one section."""

    outcome: Outcome
    rule: Rule | None
    section: str | None  # key
    heading: str  # as readers see it
    findings: tuple[Finding, ...]


def advise(submission: Submission, outcomes: Sequence[Outcome], *, edition: Edition, focus: Focus | None = None) -> Advice:
    """The advice on a write-up. A file without one gets none; rules that were not checked say nothing, but missing sections do.

    `focus` chooses examples that are near to what the write-up is about; without it they are from manufacturing.
    """
    if not submission.is_writeup:
        return Advice()
    others, plans = (tuple(lexicon.load(name)["words"]) for name in ("other_parties", "plans"))
    failed = frozenset(outcome.check for outcome in outcomes if outcome.verdict == "fail")
    shown, missing = criteria.evidence(submission, edition.criteria, failed=failed, foreign=others + plans)
    idle = criteria.answered(shown)
    drafts = [
        draft
        for draft in (
            *_of_rules(submission, outcomes, edition, _themes(focus)),
            *_of_headings(submission, outcomes),
            *_of_criteria(submission, [item for item in missing if not item.aspect.checks & failed], edition),
        )
        if draft.check not in idle  # what we can show ourselves is not asked for
    ]
    return Advice(_ranked(submission, drafts), _strengths(submission, outcomes, edition, shown, foreign=others + plans), shown)


def _themes(focus: Focus | None) -> frozenset[str]:
    """The themes that a write-up is about more likely than not."""
    return frozenset(theme for theme, score in focus.themes.items() if score >= _LIKELY) if focus else frozenset()


def _of_rules(submission: Submission, outcomes: Iterable[Outcome], edition: Edition, themes: frozenset[str]) -> Iterator[_Draft]:
    rules = {rule.id: rule for rule in edition.rules}
    told: set[str] = set()
    for outcome in outcomes:
        if outcome.verdict != "fail":
            continue
        for group in _groups(submission, outcome, rules.get(outcome.rule)):
            told.update([group.section] if outcome.check == _PRESENT and group.section else [])
            yield _draft(submission, group, edition, themes)
    present = next((outcome for outcome in outcomes if outcome.check == _PRESENT and outcome.verdict == "not_checked"), None)
    for key in submission.missing:
        if key not in told and present is not None:
            finding = Finding(f"「{submission.name_of(key)}」", *_title(submission))
            yield _draft(submission, _Group(present, None, key, submission.name_of(key), (finding,)), edition, themes)


def _title(submission: Submission) -> tuple[int, int]:
    return (submission.title.start, submission.title.end) if submission.title else (submission.start, submission.start)


def _unheaded(submission: Submission) -> Iterator[tuple[str, Section]]:
    """Required sections that are there without any heading of their own, by the notice's name."""
    for spec in submission.specs:
        sections = submission.named(spec.key) if spec.required else ()
        if sections and not any(section.heading for section in sections):
            yield spec.name, sections[0]


def _of_headings(submission: Submission, outcomes: Iterable[Outcome]) -> Iterator[_Draft]:
    """A heading for each required section that has none, at its first sentence; it matters little less than the section itself."""
    present = next((outcome for outcome in outcomes if outcome.check == _PRESENT), None)
    if present is None:
        return
    words = lexicon.load("advice")
    weights: Mapping[str, float] = words["weights"]
    for name, section in _unheaded(submission):
        row = _row(_PRESENT, frozenset({section.key}))
        start, end = next(sentences(submission.text, section.start, section.end), (section.start, section.end))
        opening = " ".join(submission.text[start:end].split())
        quote = opening if len(opening) <= _QUOTE_MAX else opening[: _QUOTE_MAX - 1] + "…"
        yield _Draft(
            row["weight"] + weights[present.severity] + weights[present.basis] - _BELOW,
            section.key,
            words["unheaded"]["do"].format(missing=name, quote=quote),
            _reason(present),
            words["unheaded"]["example"].format(missing=name),
            start,
            end,
            present.rule,
            "unheaded",
        )


def _groups(submission: Submission, outcome: Outcome, rule: Rule | None) -> Iterator[_Group]:
    """The findings by section; each missing section by itself."""
    groups: dict[tuple[str | None, str], list[Finding]] = {}
    for finding in outcome.findings:
        groups.setdefault(_section_of(submission, outcome, finding), []).append(finding)
    for (key, heading), findings in groups.items():
        yield _Group(outcome, rule, key, heading, tuple(findings))


def _section_of(submission: Submission, outcome: Outcome, finding: Finding) -> tuple[str | None, str]:
    """Key and printed name of the section that a finding is about."""
    if outcome.check == _PRESENT:
        named = _MISSING.search(finding.message)
        name = named[1] if named else ""
        return next((spec.key for spec in submission.specs if spec.name == name), None), name
    whole = _row(outcome.check, frozenset()).get("whole", False)
    section = None if whole else next((item for item in submission.sections if item.start <= finding.start < item.end), None)
    return (None, "全文") if section is None else (section.key, _shown(submission, section))


def _shown(submission: Submission, section: Section) -> str:
    return section.heading or submission.name_of(section.key)


def _draft(submission: Submission, group: _Group, edition: Edition, themes: frozenset[str]) -> _Draft:
    outcome, first = group.outcome, group.findings[0]
    row = _row(outcome.check, _tags(group) | themes)
    weights: Mapping[str, float] = lexicon.load("advice")["weights"]
    quote = " ".join(submission.text[first.start : first.end].split())
    named = _INDICATOR.search(first.message)
    values = {
        "section": group.heading,
        "missing": group.heading,
        "count": len(group.findings),
        "measured": first.measured if first.measured is not None else "",
        "allowed": first.allowed if first.allowed is not None else "",
        "indicator": f"“{named[1]}”{named[2]}的数值" if named else f"“{quote}”",
        "quote": quote if len(quote) <= _QUOTE_MAX else quote[: _QUOTE_MAX - 1] + "…",
        "years": "、".join(f"{year}年" for year in _years(edition)),
    }
    return _Draft(
        row["weight"] + weights[outcome.severity] + weights[outcome.basis],
        group.section,
        _ONE.sub("", row["do"].format_map(values)),
        _reason(outcome),
        _example(row["example"], edition),
        first.start,
        first.end,
        outcome.rule,
        outcome.check,
        frozenset(row.get("same", ())),
    )


def _row(check: str, tags: frozenset[str]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = lexicon.load("advice")[check]
    return next(row for row in rows if tags.issuperset(row.get("when", ())))


def _tags(group: _Group) -> frozenset[str]:
    """The section's key, and names and words of the rule's parameters that are set."""
    found = {group.section} if group.section else set()
    params = group.rule.params if group.rule is not None else None
    if is_dataclass(params) and not isinstance(params, type):
        for field in fields(params):
            value = getattr(params, field.name)
            if value:
                found.add(field.name)
            if field.name == "aspects":
                found.update(value)
    return frozenset(found)


def _reason(outcome: Outcome) -> str:
    name = lexicon.load("display")["checks"][outcome.check]
    if outcome.clause:
        return _CITED[outcome.basis].format(clause=outcome.clause, name=name)
    return _UNCITED[outcome.basis].format(name=name)


def _years(edition: Edition) -> tuple[int, ...]:
    return tuple(range(edition.year - _YEARS, edition.year))


def _example(text: str, edition: Edition) -> str:
    return text.format_map({f"y{place}": year for place, year in enumerate(_years(edition), 1)})


def _of_criteria(submission: Submission, missing: Sequence[criteria.Missing], edition: Edition) -> Iterator[_Draft]:
    """What no rule asks for and a reader misses, at the heading of the section where it belongs; the weightiest few a section."""
    for item in missing:
        section = next(iter(submission.named(item.aspect.section)), None)
        start, end = (section.start, max(section.start, section.body_start - 1)) if section else _title(submission)
        name = _shown(submission, section) if section else submission.name_of(item.aspect.section)
        yield _Draft(
            item.aspect.weight,
            item.aspect.section,
            item.aspect.do.format(section=name),
            f"{item.criterion.clause}（{item.criterion.name}）看重这一点，文中没有找到。",
            _example(item.aspect.example, edition),
            start,
            end,
        )


def _ranked(submission: Submission, drafts: Sequence[_Draft]) -> tuple[AdviceItem, ...]:
    """The weightiest of each section, numbered from 1; the section with the weightiest item first."""
    by_section: dict[str | None, list[_Draft]] = {}
    for draft in sorted(drafts, key=lambda draft: (-draft.weight, draft.start, draft.rule or "")):
        chosen = by_section.setdefault(draft.section, [])
        missed = sum(1 for other in chosen if other.rule is None)
        if len(chosen) < _MOST and not _said(draft, drafts) and (draft.rule is not None or missed < _MOST_MISSED):
            chosen.append(draft)
    order = {spec.key: place for place, spec in enumerate(submission.specs)}
    keys = sorted(by_section, key=lambda key: (-by_section[key][0].weight, -1 if key is None else order.get(key, len(order))))
    return tuple(
        AdviceItem(place, key, draft.message, draft.reason, draft.example, draft.start, draft.end, draft.rule)
        for key in keys
        for place, draft in enumerate(by_section[key], 1)
    )


def _said(draft: _Draft, drafts: Iterable[_Draft]) -> bool:
    """Whether other advice for the section says the same."""
    return any(other.section == draft.section and other.check in draft.same for other in drafts)


def _strengths(
    submission: Submission,
    outcomes: Sequence[Outcome],
    edition: Edition,
    shown: Sequence[CriterionEvidence],
    *,
    foreign: tuple[str, ...],
) -> tuple[Strength, ...]:
    """What is certainly done well, each with the place that shows it."""
    verdicts: dict[str, set[str]] = {}
    for outcome in outcomes:
        verdicts.setdefault(outcome.check, set()).add(outcome.verdict)
    kept = frozenset(check for check, found in verdicts.items() if found == {"pass"})
    failed = frozenset(check for check, found in verdicts.items() if "fail" in found)
    figures = _figures(submission, foreign)
    found = [
        *_complete(submission, figures, edition, kept),
        *_before_after(submission.text, figures),
        *_of_shown(shown, failed),
        *_formal(submission, kept),
    ]
    return tuple(found)


def _figures(submission: Submission, foreign: tuple[str, ...]) -> list[tuple[Figure, bool]]:
    """What the results state, and whether a table does."""
    sections = submission.named(_RESULTS)
    if not sections:
        return []
    found = [(figure, True) for table in tables_of(submission, sections) for figure in tabled(table, foreign)]
    for block in submission.blocks_of(*sections):
        if block.kind in {"paragraph", "list"}:
            found.extend((figure, False) for figure in stated(submission.text, block.start, block.end))
    return found


def _complete(submission: Submission, figures: Iterable[tuple[Figure, bool]], edition: Edition, kept: frozenset[str]) -> Iterator[Strength]:
    """Indicators with a value for each of the three years before the application, where the rule on them is kept."""
    wanted = _years(edition)
    by_name: dict[str, dict[int, Figure]] = {}
    for figure, _ in figures:
        if figure.year in wanted and figure.year is not None:
            by_name.setdefault(figure.key, {}).setdefault(figure.year, figure)
    whole = [years for years in by_name.values() if len(years) == len(wanted)]
    if whole and "three_year_data" in kept:
        places = [whole[0][year] for year in wanted]
        names = "、".join(f"“{years[wanted[0]].indicator}”" for years in whole[:_MOST])
        more = f"等{len(whole)}项指标" if len(whole) > _MOST else ""
        start, end = min(figure.start for figure in places), max(figure.end for figure in places)
        if end - start > _FAR:  # told in places far apart: the last year's shows it
            start, end = places[-1].start, places[-1].end
        line = submission.text.rfind("\n", 0, start) + 1  # a table's row from its name on
        start = line if "\t" in submission.text[line:start] else start
        yield Strength(_RESULTS, f"{names}{more}有{wanted[0]}—{wanted[-1]}年连续三年的数据", start, end)


def _before_after(text: str, figures: Sequence[tuple[Figure, bool]]) -> Iterator[Strength]:
    """Indicators told as 由 a 到 b with units that can be compared."""
    heads = tuple(lexicon.load("indicator_heads")["words"])
    found: list[tuple[Figure, Figure]] = []
    sentences = [figure for figure, tabular in figures if not tabular]
    for first, second in pairwise(sentences):
        pair = first.group == second.group and first.key == second.key and first.order == (0, 2) and second.order == (1, 2)
        moved = _MOVED.search(text, first.end, second.start) is not None
        if pair and moved and first.key.endswith(heads) and first.quantity.unit and comparable(first.quantity, second.quantity):
            found.append((first, second))
    if found:
        names = "、".join(dict.fromkeys(f"“{first.indicator}”" for first, _ in found[:_MOST]))
        first, last = found[0]
        yield Strength(_RESULTS, f"{names}写出了改进前后的数值和单位", first.start, last.end)


def _of_shown(shown: Sequence[CriterionEvidence], failed: frozenset[str]) -> Iterator[Strength]:
    """A comparison with others that no rule contradicts, and a method whose steps are told."""
    places: dict[str, Strength] = {}
    for criterion in shown:
        for strength in criterion.shown:
            places.setdefault(strength.message, strength)
    said = {aspect.id: places.get(aspect.shown) for aspect in criteria.aspects()}
    comparison, method, steps = said["comparison"], said["method"], said["steps"]
    if comparison is not None and "benchmark_comparison" not in failed:
        yield comparison
    if method is not None and steps is not None:
        yield replace(method, message="点明了方法，并按步骤写出了做法")


def _formal(submission: Submission, kept: frozenset[str]) -> Iterator[Strength]:
    """Tables and figures in order; all sections there and within their length."""
    known = captions(submission)
    if known and kept >= {"table_caption", "figure_caption", "caption_numbering", "figure_referenced"}:
        section = next((item.key for item in submission.sections if item.start <= known[0].start < item.end), None)
        yield Strength(section, f"{len(known)}个图表都有编号和标题，正文都提到了", known[0].start, known[0].end)
    if kept >= {_PRESENT, "section_length", "section_order"} and not submission.missing and not any(_unheaded(submission)):
        yield Strength(None, "规定的各部分齐全，次序和字数都合要求", *_title(submission))
