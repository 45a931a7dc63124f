"""Submission -> Focus: how far a write-up belongs to each focus area of the edition, and which sentences say so.

Every paragraph, heading and the title is scored for every theme by its character runs and its embedding (service/grams.py). What they
add up to by place (title and process weigh most) gives one calibrated probability a theme; an area has that of its strongest theme, or is
decided by facts of the enterprise (service/facts.py). Below the threshold nothing is chosen: 无法判断.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service import artefacts, facts, lexicon
from service.encode import Encoder, Static
from service.errors import ServiceError
from service.features import FEATURES, Role, Unit, circumstances, clauses, features, look, probability
from service.grams import Grams, Trace, read
from service.model import Area, Edition, Focus, FocusEvidence, FocusScore, Submission
from service.text import sentences

Floats = NDArray[np.float32]
ANY = "any"  # the last label: whether a text carries a theme at all
_WEIGHT: Mapping[Role, int] = {"title": 6, "heading": 3, "paragraph": 1}  # of an area's own word where it is said
_HALF = 2  # so many make half the score
_LEAST = 80  # characters of paragraphs that anything is chosen for
_LESS = 3.0  # log-odds that evidence in a heading or overview needs beyond that in a paragraph
_BRIEF = 14  # characters of a sentence that tells little by itself
_FORM = "这份文件里没有找到典型经验正文（只有表格、证明或其他材料），无法判断重点方向。请补交正文。"
_SHORT = "正文太短或没有可判断的内容，无法判断重点方向。请补写实施过程和成效。"
_WEAK = (
    "无法判断：与各重点方向的符合程度都低于 {threshold:.0%}（最接近的是“{name}”，{score:.0%}）。请在标题和实施过程中写明采用的做法和方法。"
)
_NO_AREA = "无法判断：本版规则没有按内容划分的重点方向。"
_FULL_WORD = re.compile(r"[\u3400-\u9fffA-Za-z]{2,}")


@dataclass(frozen=True, slots=True, eq=False)
class FocusModel:
    """Weights and thresholds; shapes (LOOKS + 1,), (themes,), (features,), (4,).

    `grams` scores texts by theme, and by whether they carry any; `looks` weighs a theme's score against the others' and the field's terms
    (`look`); `scale` and `shift` calibrate what that gives; `combination` and `constant` give the log-odds of a write-up from `features`;
    `leading` tells the main theme from those beside it, `context` settles a paragraph by itself, its heading and its write-up, each with a
    constant last. From `threshold` on an area is chosen; from `shown` on its evidence is given.
    """

    version: str
    grams: Grams
    terms: Mapping[str, tuple[int, ...]]  # a term of the field, in lower case -> the themes it belongs to
    looks: Floats
    scale: Floats
    shift: Floats
    combination: Floats
    constant: float
    leading: Floats
    context: Floats
    threshold: float
    shown: float
    encoder: str = ""  # the version of the embedding it was trained with

    @property
    def themes(self) -> tuple[str, ...]:
        return self.grams.labels[:-1]

    def odds(self, scores: Floats, texts: Sequence[str], encoder: Encoder) -> Floats:
        """Calibrated log-odds (texts, themes) of texts with raw scores (texts, themes and any)."""
        lengths = np.array([len(text) for text in texts], np.float32)
        seen = look(scores, self.said(texts, encoder), lengths) @ self.looks[:-1] + self.looks[-1]
        return np.asarray(seen * self.scale + self.shift, np.float32)

    def said(self, texts: Sequence[str], encoder: Encoder) -> Floats:
        """(texts, themes): how many terms of each theme a text says; none where the encoder has no words."""
        counts = np.zeros((len(texts), len(self.themes)), np.float32)
        if isinstance(encoder, Static):
            for row, pieces in enumerate(encoder.words(texts)):
                for piece in pieces:
                    for theme in self.terms.get(piece, ()):
                        counts[row, theme] += 1
        return counts

    def combine(self, matrix: Floats) -> Floats:
        """(themes,) probabilities from `features`."""
        return probability(matrix @ self.combination + self.constant)

    def lead(self, matrix: Floats) -> Floats:
        """(themes,) probabilities of being the main theme, from `features`."""
        return probability(matrix @ self.leading[:-1] + self.leading[-1])

    def settle(self, units: Sequence[Unit], odds: Floats, themes: Floats) -> Floats:
        """(units, themes) log-odds of each part as one reads it: by itself, under its heading, in a write-up about `themes`."""
        return np.asarray(circumstances(units, odds, themes) @ self.context[:-1] + self.context[-1], np.float32)


def load(folder: Path) -> FocusModel:
    """The model of a folder; ServiceError where it is missing, altered or not of this kind."""
    found = artefacts.verified(folder)
    settings = found.manifest
    if tuple(settings.get("features", ())) != FEATURES:
        raise _broken(folder, "清单中的 features 与程序不符")
    try:
        grams, rest = read(folder / "weights.safetensors", labels=(*settings["themes"], ANY))
        terms = json.loads((folder / "terms.json").read_text("utf8"))
        return FocusModel(
            version=found.version,
            grams=grams,
            terms={term: tuple(themes) for term, themes in terms.items()},
            looks=rest["looks"],
            scale=rest["scale"],
            shift=rest["shift"],
            combination=rest["combination"],
            constant=float(rest["constant"][0]),
            leading=rest["leading"],
            context=rest["context"],
            threshold=float(settings["threshold"]),
            shown=float(settings["shown"]),
            encoder=str(settings["encoder"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise _broken(folder, error) from error


def _broken(folder: Path, reason: object) -> ServiceError:
    told = f"重点方向模型 {folder} 无法加载（{reason}）。请重新安装，或运行 biaogan train focus 重新训练。"
    return ServiceError("model_broken", told, status=500)


def by_itself(text: str, units: Sequence[Unit], trace: Trace, *, low: int, model: FocusModel, encoder: Encoder) -> Floats:
    """(units, themes) calibrated log-odds of each part alone; a title says what its clearest clause says. `trace` begins at `low`."""
    spans = [(unit.start, unit.end) for unit in units]
    owner = list(range(len(units)))
    for place, unit in enumerate(units):
        if unit.role == "title":
            found = clauses(text, unit.start, unit.end)
            spans += found
            owner += [place] * len(found)
    texts = [text[start:end] for start, end in spans]
    raw = trace.score([(start - low, end - low) for start, end in spans], encoder.encode(texts))
    odds = model.odds(raw, texts, encoder)
    answer = odds[: len(units)].copy()
    for place, row in zip(owner[len(units) :], odds[len(units) :], strict=True):
        answer[place] = np.maximum(answer[place], row)
    return answer


def focus(submission: Submission, edition: Edition, *, model: FocusModel, encoder: Encoder) -> Focus:
    """The areas of the edition by falling score, the chosen ones marked."""
    if not submission.is_writeup or not submission.sections:
        return Focus(reason=_FORM)
    units = _units(submission)
    if not any(unit.role == "paragraph" for unit in units):
        return Focus(reason=_SHORT)
    reading = _Reading.of(submission, units, model, encoder)
    themes = dict(zip(model.themes, map(float, reading.themes), strict=True))
    places = {area.id: facts.find(submission, area.facts) for area in edition.areas if area.by_facts}
    scores = {area.id: _score(area, themes, places, submission, units) for area in edition.areas}
    leads = dict(zip(model.themes, map(float, reading.leads), strict=True))
    mains = {area.id: _score(area, leads, places, submission, units) for area in edition.areas if not area.by_facts}
    brief = sum(unit.end - unit.start for unit in units if unit.role == "paragraph") < _LEAST
    chosen, primary = _choice(edition, scores, mains, places, 2.0 if brief else model.threshold)
    ranked = sorted(edition.areas, key=lambda area: -scores[area.id])
    areas = tuple(
        FocusScore(area.id, area.name, round(scores[area.id], 4), area.id in chosen, _evidence(area, places, reading, scores[area.id]))
        for area in ranked
    )
    reason = _SHORT if brief else _reason(ranked, scores, primary, model.threshold)
    return Focus(areas, primary, {name: round(value, 4) for name, value in themes.items()}, reason)


def _units(submission: Submission) -> list[Unit]:
    """What is judged, in document order; blank blocks, tables, captions and contents are left out."""
    title = submission.title
    found = [Unit("title", "title", title.start, title.end)] if title is not None and title.end > title.start else []
    for section in submission.sections:
        for index in section.blocks:
            block = submission.document.blocks[index]
            role: Role = "heading" if block.kind == "heading" or block.start < section.body_start else "paragraph"
            if block.kind in {"heading", "paragraph", "list"} and submission.text[block.start : block.end].strip():
                found.append(Unit(role, section.key, block.start, block.end))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """A write-up under the model: what each unit says among the others, and the trace that says why. The trace begins at `low`."""

    text: str
    units: Sequence[Unit]
    themes: Floats
    leads: Floats  # (themes,): how far each is the main one
    odds: Floats  # (units, themes), settled
    trace: Trace
    low: int
    model: FocusModel
    encoder: Encoder

    @classmethod
    def of(cls, submission: Submission, units: Sequence[Unit], model: FocusModel, encoder: Encoder) -> _Reading:
        text = submission.text
        low, high = min(unit.start for unit in units), max(unit.end for unit in units)
        trace = model.grams.trace(text[low:high])
        alone = by_itself(text, units, trace, low=low, model=model, encoder=encoder)
        matrix = features(units, alone)
        themes = model.combine(matrix)
        return cls(text, units, themes, model.lead(matrix), model.settle(units, alone, themes), trace, low, model, encoder)

    def sentences(self, theme: int, *, units: int) -> list[tuple[float, int, int, int]]:
        """(log-odds, unit, start, end) of the best sentence of each of the units that speak most for a theme, the strongest first.

        What was done proves more than a heading, a few words, or what the enterprise says of itself.
        """
        weight = np.array([unit.role == "heading" or unit.section == "overview" for unit in self.units]) * _LESS
        strongest = [int(index) for index in np.argsort(weight - self.odds[:, theme], kind="stable")[:units]]
        parts = [(index, *span) for index in strongest for span in sentences(self.text, self.units[index].start, self.units[index].end)]
        texts = [self.text[start:end] for _, start, end in parts]
        raw = self.trace.score([(start - self.low, end - self.low) for _, start, end in parts], self.encoder.encode(texts))
        scores = self.model.odds(raw, texts, self.encoder)[:, theme]
        best: dict[int, tuple[float, int, int, int]] = {}
        for score, (index, start, end) in zip(scores.tolist(), parts, strict=True):
            told = score - float(weight[index]) - _LESS * (end - start < _BRIEF)
            if index not in best or told > best[index][0]:
                best[index] = (told, index, start, end)
        return sorted(best.values(), reverse=True)

    def terms(self, start: int, end: int, theme: int, *, most: int) -> tuple[str, ...]:
        """Whole words of text[start:end] that speak most for a theme, the strongest first."""
        if not isinstance(self.encoder, Static):
            return ()
        shares = self.trace.characters(start - self.low, end - self.low, theme)
        idle = frozenset(lexicon.load("idle_words")["words"])
        weights: dict[str, float] = {}
        for _, left, right in self.encoder.tokens(self.text[start:end]):
            word = self.text[start + left : start + right]
            if _FULL_WORD.fullmatch(word) and word not in idle:
                known = 1.0 if theme in self.model.terms.get(word.lower(), ()) else 0.5  # the field's own terms first
                weights[word] = max(weights.get(word, 0.0), float(shares[left:right].sum()) * known)
        ranked = sorted(weights, key=lambda word: -weights[word])[:most]
        return tuple(word for word in ranked if weights[word] > weights[ranked[0]] / 4 and weights[word] > 0)


def _score(
    area: Area, themes: Mapping[str, float], places: Mapping[str, facts.Place | None], submission: Submission, units: Sequence[Unit]
) -> float:
    """An area's probability: of its strongest theme, or 1 or 0 by a fact."""
    if area.by_facts:
        return float(places[area.id] is not None)
    return max((themes.get(theme, 0.0) for theme in area.themes), default=0.0) * _said(area, submission, units)


def _said(area: Area, submission: Submission, units: Sequence[Unit]) -> float:
    """How far the area's own words are said, 0-1: areas of one theme are told apart by them. 1 where it has none."""
    if not area.words:
        return 1.0
    said = 0
    for unit in units:
        if unit.section != "overview":
            text = submission.text[unit.start : unit.end].lower()
            said += _WEIGHT[unit.role] * sum(text.count(word.lower()) for word in area.words)
    return said / (said + _HALF)


def _choice(
    edition: Edition,
    scores: Mapping[str, float],
    mains: Mapping[str, float],
    places: Mapping[str, facts.Place | None],
    threshold: float,
) -> tuple[frozenset[str], str | None]:
    """The chosen areas, and the first of them: what the write-up is mainly about, never a fact of the enterprise."""
    primary = max((area for area in mains if scores[area] >= threshold), key=lambda area: mains[area], default=None)
    if edition.choice == "one":
        return frozenset([primary] if primary else ()), primary
    return frozenset(area for area, score in scores.items() if score >= threshold and (area in mains or places[area])), primary


def _reason(ranked: Sequence[Area], scores: Mapping[str, float], primary: str | None, threshold: float) -> str | None:
    if primary is not None:
        return None
    best = next((area for area in ranked if not area.by_facts), None)
    return _WEAK.format(threshold=threshold, name=best.name, score=scores[best.id]) if best else _NO_AREA


def _evidence(area: Area, places: Mapping[str, facts.Place | None], reading: _Reading, score: float) -> tuple[FocusEvidence, ...]:
    """Up to three sentences of different paragraphs, the strongest first, none for what is out of the question."""
    if area.by_facts:
        place = places[area.id]
        return (FocusEvidence(place.start, place.end, place.terms),) if place else ()
    if score < reading.model.shown:
        return ()
    known = [reading.model.themes.index(theme) for theme in area.themes if theme in reading.model.themes]
    labels = [label for label in known if reading.themes[label] >= reading.model.shown] or known
    best: dict[int, tuple[float, int, int, int]] = {}
    for label in labels:
        for odds, unit, start, end in reading.sentences(label, units=4):
            if odds > best.get(unit, (-np.inf,))[0]:
                best[unit] = (odds, start, end, label)
    strongest = sorted(best.values(), reverse=True)[:3]
    return tuple(FocusEvidence(start, end, reading.terms(start, end, label, most=5)) for odds, start, end, label in strongest if odds > -2)
