"""Sections against what an edition allows: the rows of the section bar, of the terminal's table and of the workbook."""

from __future__ import annotations

from dataclasses import dataclass

from service import lexicon, text
from service.model import Edition, Report, Submission
from service.render.wording import words_for


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


def total(report: Report, edition: Edition) -> Row:
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
