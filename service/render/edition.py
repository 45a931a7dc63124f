"""An edition as people read it: sections with their limits, rules in words, what is not judged and why."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from service import lexicon
from service.model import Area, Criterion, Document, Edition, Rule, Severity, Submission
from service.render.limits import rows
from service.render.wording import SEVERITIES, words_for

_LAYOUT = frozenset({"page_format", "title_format", "body_format", "heading_format"})


@dataclass(frozen=True, slots=True)
class SectionShown:
    key: str | None  # None: several sections together
    name: str
    allowed: str  # ≤ 1,000 · 8,000～12,000; empty where there is no limit
    required: bool | None  # None: several sections together
    headings: tuple[str, ...]  # other headings that are accepted


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a rule's message; `slot`: filled in when a write-up is judged."""

    text: str
    slot: bool


@dataclass(frozen=True, slots=True)
class RuleShown:
    rule: Rule
    name: str  # of its check
    basis: str  # 通知, 惯例, 本系统
    asked: str  # its parameters in words; "" where they say nothing to a reader
    message: tuple[Piece, ...]

    @property
    def plain(self) -> str:
        """The message in one piece, slots in brackets."""
        return "".join(f"〔{piece.text}〕" if piece.slot else piece.text for piece in self.message)


@dataclass(frozen=True, slots=True)
class AreaShown:
    area: Area
    themes: tuple[str, ...]
    facts: tuple[str, ...]

    @property
    def wording(self) -> str:
        """The official wording where it says more than the name."""
        return self.area.wording if self.area.wording != self.area.name else ""


@dataclass(frozen=True, slots=True)
class EditionShown:
    edition: Edition
    sections: tuple[SectionShown, ...]
    areas: tuple[AreaShown, ...]
    criteria: tuple[Criterion, ...]
    layout: tuple[RuleShown, ...]
    rules: tuple[RuleShown, ...]  # those that are judged, the layout's among them
    unjudged: tuple[RuleShown, ...]

    @property
    def by_severity(self) -> tuple[tuple[Severity, tuple[RuleShown, ...]], ...]:
        """Judged rules, errors first; severities without rules are left out."""
        several = ((severity, tuple(each for each in self.rules if each.rule.severity == severity)) for severity in SEVERITIES)
        return tuple((severity, rules) for severity, rules in several if rules)


def edition_shown(edition: Edition) -> EditionShown:
    every = tuple(_rule(rule, edition) for rule in edition.rules)
    judged = tuple(each for each in every if each.rule.unavailable is None)
    return EditionShown(
        edition=edition,
        sections=section_limits(edition),
        areas=tuple(_area(area) for area in edition.areas),
        criteria=edition.criteria,
        layout=tuple(each for each in judged if each.rule.check in _LAYOUT),
        rules=judged,
        unjudged=tuple(each for each in every if each.rule.unavailable is not None),
    )


def section_limits(edition: Edition) -> tuple[SectionShown, ...]:
    """The edition's sections in its order with their limits, and limits that several share."""
    blank = Submission(Document("", "", "txt", ""), None, None, (), (), (), edition.sections)
    specs = {spec.name: spec for spec in edition.sections}
    found = []
    for row in rows(blank, edition, every=True):
        spec = specs.get(row.name)
        if spec is None:
            found.append(SectionShown(None, row.name, row.allowed, None, ()))
        else:
            found.append(SectionShown(spec.key, spec.name, row.allowed, spec.required, spec.headings))
    return tuple(found)


def asked(rule: Rule, edition: Edition) -> str:
    """The rule's parameters in words; word lists and the check's own settings have no label and are left out."""
    labels, values = lexicon.load("display")["params"], lexicon.load("display")["values"]
    names = {spec.key: spec.name for spec in edition.sections}

    def say(value: object) -> str:
        if isinstance(value, tuple):
            return "、".join(say(part) for part in value)
        if isinstance(value, bool):
            return "是" if value else "否"
        return f"{value:g}" if isinstance(value, float) else names.get(str(value), str(values.get(str(value), value)))

    if not is_dataclass(rule.params):
        return ""
    given = ((field.name, getattr(rule.params, field.name)) for field in fields(rule.params))
    return "；".join(f"{labels[name]}：{say(value)}" for name, value in given if name in labels and value not in (None, (), 0.0))


def themes_of(area: Area) -> tuple[str, ...]:
    names = lexicon.load("themes")
    return tuple(str(names.get(theme, theme)) for theme in area.themes)


def facts_of(area: Area) -> tuple[str, ...]:
    known = lexicon.load("facts")
    return tuple(str(known[fact]["name"]) for fact in area.facts)


def _area(area: Area) -> AreaShown:
    return AreaShown(area, themes_of(area), facts_of(area))


def _rule(rule: Rule, edition: Edition) -> RuleShown:
    return RuleShown(
        rule, words_for("checks", rule.check), words_for("bases", rule.basis), asked(rule, edition), tuple(_message(rule, edition))
    )


def _message(rule: Rule, edition: Edition) -> Iterator[Piece]:
    known = _known(rule, edition)
    for literal, name, _format, _conversion in string.Formatter().parse(rule.message):
        if literal:
            yield Piece(literal, slot=False)
        if name is not None:
            yield Piece(known[name], slot=False) if name in known else Piece(words_for("slots", name), slot=True)


def _known(rule: Rule, edition: Edition) -> dict[str, str]:
    """What a message will say whatever is judged: the section where there is but one, the one limit of a length, the tolerance."""
    known: dict[str, str] = {}
    sections: tuple[str, ...] = getattr(rule.params, "sections", ())
    if len(sections) == 1:
        names = {spec.key: spec.name for spec in edition.sections}
        known["section"] = names.get(sections[0], sections[0])
    limits = [getattr(rule.params, name, None) for name in ("min", "max")]
    bounds = [limit for limit in limits if limit is not None]
    if rule.check.endswith("_length") and len(bounds) == 1:
        known["allowed"] = str(bounds[0])
    tolerance = getattr(rule.params, "tolerance", None)
    if tolerance is not None:
        known["tolerance"] = f"{tolerance:.0%}"
    return known
