"""What the chance of a theme is judged from: a text beside the other themes, a paragraph in its place, a write-up by its parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Role = Literal["title", "heading", "paragraph"]
FEATURES = ("title", "heading", "process", "strongest", "share", "results", "background", "overview", "lead", "log_process", "log_share")
LOOK = ("own", "other", "third", "any", "terms", "length")
LOOKS = len(LOOK) + len(LOOK) * (len(LOOK) + 1) // 2
_USUAL = 75  # characters of a paragraph
_MOST_TERMS = 2
_LITTLE = 0.02  # added to a share before its logarithm
_NOTHING = -4.0  # log-odds of a title or heading that is not there
_STRONGEST = 3  # paragraphs of the process that are looked at by themselves
_MARK = re.compile(r"[、，,：:；;“”\"—]+")
_CLAUSE = 5  # characters at least


class Unit(NamedTuple):
    """A title, heading or paragraph in text[start:end], in a section."""

    role: Role
    section: str
    start: int
    end: int


def probability(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -60, 60))), np.float32)


def look(scores: Floats, said: Floats, lengths: Floats) -> Floats:
    """(texts, themes, LOOKS): a theme beside the others, and all products of two, so that what one says may depend on another.

    `scores` are raw (texts, themes and any), `said` terms (texts, themes), `lengths` characters (texts,).
    """
    own = scores[:, :-1]
    third = np.sort(own, 1)[:, -3:-2]
    length = np.log(np.maximum(lengths, 1) / _USUAL)[:, None]
    columns = (own, _others(own), third, scores[:, -1:], np.minimum(said, _MOST_TERMS), length)
    plain = np.stack([np.broadcast_to(column, own.shape) for column in columns], -1)
    return np.concatenate([plain, products(plain)], -1).astype(np.float32)


def features(units: Sequence[Unit], odds: Floats) -> Floats:
    """(themes, FEATURES) of a write-up from the calibrated log-odds (units, themes) of its parts.

    Without a process section, whatever is no overview stands for it.
    """
    chance = probability(odds)
    weight = np.array([unit.end - unit.start for unit in units], np.float32)
    body = np.array([unit.role == "paragraph" for unit in units])
    where = {key: body & np.array([unit.section == key for unit in units]) for key in ("process", "results", "background", "overview")}
    process = where["process"] if where["process"].any() else body & ~where["overview"]
    title = np.array([unit.role == "title" for unit in units])
    heading = np.array([unit.role == "heading" and unit.section != "overview" for unit in units])
    mean = {key: _mean(chance, weight, mask) for key, mask in {**where, "process": process}.items()}
    strongest = np.sort(chance[process], 0)[-_STRONGEST:].mean(0) if process.any() else np.zeros(chance.shape[1])
    others = np.array([np.delete(mean["process"], theme).max() for theme in range(chance.shape[1])])
    columns = {
        "title": odds[title].max(0) if title.any() else np.full(chance.shape[1], _NOTHING),
        "heading": odds[heading].max(0) if heading.any() else np.full(chance.shape[1], _NOTHING),
        "process": mean["process"],
        "strongest": strongest,
        "share": mean["process"] / max(1e-6, float(mean["process"].sum())),
        "results": mean["results"],
        "background": mean["background"],
        "overview": mean["overview"],
        "lead": mean["process"] - others,
    }
    columns["log_process"] = np.log(columns["process"] + _LITTLE)
    columns["log_share"] = np.log(columns["share"] + _LITTLE)
    return np.stack([np.clip(columns[name], -6, 6) for name in FEATURES], 1).astype(np.float32)


def clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of the parts of a long title that marks divide (以甲为基础、以乙为手段的丙); none where there is one only."""
    found, begun = [], start
    for stop in (*(mark.span() for mark in _MARK.finditer(text, start, end)), (end, end)):
        if stop[0] - begun >= _CLAUSE:
            found.append((begun, stop[0]))
        begun = stop[1]
    return found if len(found) > 1 else []


def circumstances(units: Sequence[Unit], odds: Floats, themes: Floats) -> Floats:
    """(units, themes, 3): the log-odds of a part itself, of the heading above it in its section, of the whole write-up."""
    above = np.full_like(odds, _NOTHING)
    last: dict[str, int] = {}
    for place, unit in enumerate(units):
        if unit.section in last:
            above[place] = odds[last[unit.section]]
        if unit.role == "heading":
            last[unit.section] = place
    certain = np.clip(themes, 0.001, 0.999)
    whole = np.broadcast_to(np.log(certain / (1 - certain)), odds.shape)
    return np.asarray(np.clip(np.stack([odds, above, whole], -1), -8, 8), np.float32)


def products(plain: Floats) -> Floats:
    """(..., n (n + 1) / 2): the products of two of the last axis, so that what one says may depend on another."""
    rows, columns = np.triu_indices(plain.shape[-1])
    return np.asarray(plain[..., rows] * plain[..., columns], np.float32)


def _others(scores: Floats) -> Floats:
    """(texts, themes): the strongest of the other themes."""
    two = np.sort(scores, 1)[:, -2:]
    return np.asarray(np.where(scores >= two[:, 1:], two[:, :1], two[:, 1:]), np.float32)


def _mean(chance: Floats, weight: Floats, mask: NDArray[np.bool_]) -> Floats:
    """(themes,) mean by length; zeros where the mask is empty."""
    if not mask.any():
        return np.zeros(chance.shape[1], np.float32)
    return np.asarray((chance[mask] * weight[mask, None]).sum(0) / weight[mask].sum(), np.float32)
