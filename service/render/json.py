"""Report and Document as the objects of REPORT.md ("report/1"); what no stage has said is empty."""

from __future__ import annotations

import json
import re
from typing import Any

from service.model import (
    Advice,
    Counts,
    Document,
    Focus,
    FocusScore,
    Match,
    Outcome,
    Report,
    Section,
    Similarity,
    Strength,
    Submission,
    Summary,
)
from service.render.masked import masked, masked_document
from service.text import counts

SCHEMA = "report/1"
_DECIMALS = 3  # of scores
_SHARES = ("total", "without_quotes", "without_own", "largest_single", "first_half", "second_half")
_COUNTS = ("characters", "passages", "compared")
_NOT_LEARNED = {"code": "focus_not_learned", "message": "尚未训练重点方向的识别模型，本报告不判断该经验属于哪个重点方向。"}
# Legal inside a JSON string, yet line ends to many readers of "one object a line" (str.splitlines, JavaScript before 2019).
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


def report_json(report: Report) -> dict[str, Any]:
    """The object that `biaogan check --json` writes for one document: every key, also for a file that could not be read."""
    report = masked(report)
    submission = report.submission
    notes = _notes(report)
    if submission is not None and report.focus is None:
        notes.append(dict(_NOT_LEARNED))
    return {
        "schema": SCHEMA,
        "document": _head(report, submission),
        "edition": report.edition,
        "edition_hash": report.edition_hash,
        "models": dict(report.models),
        "status": report.status,
        "notes": notes,
        "text": "" if submission is None else submission.text,
        "sections": [] if submission is None else [_section(section) for section in submission.sections],
        "missing": [] if submission is None else list(submission.missing),
        "outcomes": [_outcome(outcome) for outcome in report.outcomes],
        "focus": _focus(report.focus),
        "matches": [_match(match) for match in report.matches],
        "similarity": _similarity(report.similarity),
        "summaries": [_summary(summary) for summary in report.summaries],
        "one_line": report.one_line,
        "advice": _advice(report.advice or Advice()),
        "timing": {stage: round(milliseconds, 1) for stage, milliseconds in report.timing.items()},
    }


def read_json(read: Document | Report) -> dict[str, Any]:
    """The object that `biaogan read` writes; a file that could not be read comes as the failed Report that says why."""
    if isinstance(read, Report):
        return {"document": _head(read, None), "status": read.status, "notes": _notes(read), "text": "", "blocks": []}
    document = masked_document(read)
    title = next((document.text[block.start : block.end] for block in document.blocks if block.kind == "title"), None)
    blocks = [
        {"kind": block.kind, "level": block.level, "label": block.label, "start": block.start, "end": block.end, "page": block.page}
        for block in document.blocks
    ]
    return {
        "document": _document(document, counts(document.text), title=title, organisation=None),
        "status": "complete",
        "notes": [{"code": note.code, "message": note.message} for note in document.notes],
        "text": document.text,
        "blocks": blocks,
    }


def line(value: dict[str, Any]) -> bytes:
    """One object as one UTF-8 line, whatever stands in its strings; half a surrogate pair becomes a question mark."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _LINE_ENDS.sub(lambda end: f"\\u{ord(end[0]):04x}", written).encode("utf-8", "replace") + b"\n"


def _head(report: Report, submission: Submission | None) -> dict[str, Any]:
    if submission is not None:
        title = submission.title.text if submission.title is not None else None
        counted = report.counts or counts(submission.text)
        return _document(submission.document, counted, title=title, organisation=submission.organisation)
    return {
        "name": report.name,
        "sha256": report.sha256,
        "format": report.format,
        "title": None,
        "organisation": None,
        "words": 0,
        "characters": 0,
        "han": 0,
        "pages": None,
    }


def _document(document: Document, counted: Counts, *, title: str | None, organisation: str | None) -> dict[str, Any]:
    return {
        "name": document.name,
        "sha256": document.sha256,
        "format": document.format,
        "title": title,
        "organisation": organisation,
        "words": counted.words,
        "characters": counted.characters,
        "han": counted.han,
        "pages": document.pages,
    }


def _notes(report: Report) -> list[dict[str, str]]:
    return [{"code": note.code, "message": note.message} for note in report.notes]


def _section(section: Section) -> dict[str, Any]:
    return {"key": section.key, "heading": section.heading, "start": section.start, "end": section.end, "words": section.words}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "check": outcome.check,
        "basis": outcome.basis,
        "clause": outcome.clause,
        "verdict": outcome.verdict,
        "severity": outcome.severity,
        "reason": outcome.reason,
        "findings": [
            {
                "message": finding.message,
                "start": finding.start,
                "end": finding.end,
                "measured": finding.measured,
                "allowed": finding.allowed,
            }
            for finding in outcome.findings
        ],
    }


def _focus(focus: Focus | None) -> dict[str, Any]:
    if focus is None:
        return {"areas": [], "primary": None}
    return {
        "areas": [_area(area) for area in focus.areas],
        "primary": focus.primary,
        "themes": {theme: round(score, _DECIMALS) for theme, score in focus.themes.items()},
        "reason": focus.reason,
    }


def _area(area: FocusScore) -> dict[str, Any]:
    return {
        "area": area.area,
        "name": area.name,
        "score": round(area.score, _DECIMALS),
        "chosen": area.chosen,
        "evidence": [{"start": one.start, "end": one.end, "terms": list(one.terms)} for one in area.evidence],
    }


def _match(match: Match) -> dict[str, Any]:
    past = match.past
    return {
        "benchmark": past.id,
        "file": past.file,
        "title": past.title,
        "organisation": past.organisation,
        "year": past.year,
        "flag": match.flag,
        "score": round(match.score, _DECIMALS),
        "share": round(match.share, _DECIMALS),
        "own": match.own,
        "among": past.among,
        "status": None if past.among else past.status,
        "passages": [
            {
                "start": one.start,
                "end": one.end,
                "their_start": one.their_start,
                "their_end": one.their_end,
                "their_text": one.their_text,
                "kind": one.kind,
                "score": round(one.score, _DECIMALS),
                "changed": [list(span) for span in one.changed],
                "excluded": one.excluded,
            }
            for one in match.passages
        ],
    }


def _similarity(found: Similarity | None) -> dict[str, Any]:
    """Every key, null where nothing was compared."""
    shares = {name: None if found is None else round(getattr(found, name), _DECIMALS) for name in _SHARES}
    counts = {name: None if found is None else getattr(found, name) for name in _COUNTS}
    return {**shares, **counts, "only_among": None if found is None else found.only_among}


def _summary(summary: Summary) -> dict[str, Any]:
    sentences = [{"start": one.start, "end": one.end, "text": one.text} for one in summary.sentences]
    return {"section": summary.section, "start": summary.start, "sentences": sentences}


def _advice(advice: Advice) -> dict[str, Any]:
    return {
        "items": [
            {
                "priority": item.priority,
                "section": item.section,
                "message": item.message,
                "reason": item.reason,
                "example": item.example,
                "start": item.start,
                "end": item.end,
                "rule": item.rule,
            }
            for item in advice.items
        ],
        "strengths": [_strength(one) for one in advice.strengths],
        "criteria": [
            {
                "criterion": one.criterion,
                "name": one.name,
                "clause": one.clause,
                "shown": [_strength(shown) for shown in one.shown],
                "sought": list(one.sought),
            }
            for one in advice.criteria
        ],
    }


def _strength(one: Strength) -> dict[str, Any]:
    return {"section": one.section, "message": one.message, "start": one.start, "end": one.end}
