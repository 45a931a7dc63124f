"""corpora/focus -> models/focus: which themes a text carries, and what a write-up's parts make of them together.

Everything that is chosen (calibration, thresholds, the weights of title and sections) is chosen on scores that the training part gets from
models that have not seen its families; the held-out part is only measured.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from service import artefacts, lexicon
from service.classify import ANY, FocusModel, by_itself
from service.encode import Encoder
from service.errors import ServiceError
from service.features import FEATURES, LOOKS, Unit, circumstances, features, look, probability
from service.grams import Floats, Grams
from service.text import fold
from service.train import grams
from service.train.corpora import Paragraph, Split, WriteUp, benchmarks, passages, writeups
from service.train.focus_card import write

_SEED = 20221101
_FOLDS = 5
_STRENGTH = 0.1  # scikit-learn's C
_DENSE = 1.4  # weight of the embedding beside the runs
_SIZE = 80_000  # runs that are kept
_SHOWN = 0.2
_THRESHOLDS = np.arange(0.2, 0.71, 0.02)

Tell = Callable[[str], None]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Texts with their themes (texts, themes). `scored`: passages, and paragraphs that carry a theme or stand in process or results."""

    texts: tuple[str, ...]
    groups: tuple[str, ...]
    targets: Floats
    vectors: Floats
    scored: Bools
    alone: Bools  # a passage, no paragraph of a write-up

    @property
    def negatives(self) -> Bools:
        return np.asarray(self.alone & (self.targets.sum(1) == 0))


def examples(corpus: Path, split: Split, encoder: Encoder) -> Examples:
    """Passages and paragraphs of one part of the corpus."""
    themes = tuple(lexicon.load("themes"))
    rows = [(each.text, each.family, each.themes, True, True) for each in passages(corpus) if each.split == split]
    for writeup in writeups(corpus):
        if writeup.split == split:
            rows += [
                (each.text, writeup.id, each.themes, _is_scored(each), False) for each in writeup.paragraphs if each.kind == "paragraph"
            ]
    if not rows:
        raise ServiceError("corpus_invalid", f"语料 {corpus} 的 {split} 部分是空的，无法训练。请检查 manifest.toml 的 split。")
    texts = tuple(row[0] for row in rows)
    targets = np.array([[float(theme in row[2]) for theme in themes] for row in rows], np.float32)
    scored, alone = np.array([row[3] for row in rows]), np.array([row[4] for row in rows])
    return Examples(texts, tuple(row[1] for row in rows), targets, encoder.encode(texts), scored, alone)


def train(
    corpora: Path, encoder: Encoder, out: Path, *, corrected: Sequence[WriteUp] = (), progress: Tell = lambda _: None
) -> Mapping[str, float]:
    """Fits on the training part, measures on the held-out one, writes weights, manifest and model card into `out`; the scores.

    `corrected`: write-ups whose areas people set right. They tell, as the past benchmarks do, what title and sections make of the themes
    and where the threshold lies; their words are not learnt, so that none of them is in the model.
    """
    corpus = corpora / "focus"
    found = artefacts.verified(corpus)
    known = examples(corpus, "train", encoder)
    whole = [*(each for each in writeups(corpus) if each.split == "train"), *benchmarks(corpora / "benchmarks")]
    progress(f"训练：{len(known.texts)} 段，{len(whole)} 篇" + (f"，另有更正过方向的 {len(corrected)} 篇" if corrected else ""))
    terms = themes_of_terms(corpora / "terms" / "terms.tsv")
    model, chosen = fit(known, whole, encoder, corrected=corrected, terms=terms, progress=progress)
    held = [each for each in writeups(corpus) if each.split == "test"]
    scores = {**chosen, **evaluate(model, examples(corpus, "test", encoder), held, encoder, threshold=chosen["text_threshold"])}
    scores |= whole_scores(model, held, encoder)
    progress("留出部分：" + "，".join(f"{name} {value:.3f}" for name, value in scores.items()))
    write(out, model, scores, data=str(found.version), corrected=len(corrected))
    return scores


def fit(
    known: Examples,
    whole: Sequence[WriteUp],
    encoder: Encoder,
    *,
    corrected: Sequence[WriteUp] = (),
    terms: Mapping[str, tuple[int, ...]],
    progress: Tell,
) -> tuple[FocusModel, dict[str, float]]:
    """The model, and the threshold for a text with what it reaches inside the training part."""
    others = {each.id for each in corrected}
    whole = [*whole, *corrected]
    folds = folded(known.groups)
    raw = np.zeros((len(known.texts), known.targets.shape[1] + 1), np.float32)
    parts: dict[int, Grams] = {}
    for part in range(_FOLDS):
        apart = np.array([folds[group] == part for group in known.groups])
        parts[part] = _grams(known, ~apart)
        raw[apart] = score(parts[part], known, apart)
        progress(f"交叉验证 {part + 1}/{_FOLDS}")
    ones, none = np.ones(known.targets.shape[1], np.float32), np.zeros(len(FEATURES), np.float32)
    draft = FocusModel(
        "draft",
        parts[0],
        terms,
        np.zeros(LOOKS + 1, np.float32),
        ones,
        ones * 0,
        none,
        0.0,
        np.zeros(len(FEATURES) + 1, np.float32),
        np.zeros(4, np.float32),
        0.5,
        _SHOWN,
        encoder.version,
    )
    rows = look(raw, draft.said(known.texts, encoder), np.array([len(text) for text in known.texts], np.float32))
    draft = _looked(draft, rows[known.scored], known.targets[known.scored])
    parted = [(each, *read(replace(draft, grams=parts[folds.get(each.id, 0)]), each, encoder)) for each in whole]
    labelled = [each for each in parted if each[0].id in folds]  # by paragraph too; the others were not learnt from
    draft = _combined(draft, parted)
    draft = _settled(draft, labelled)
    chance = probability(draft.odds(raw, known.texts, encoder))
    chance[~known.alone] = np.concatenate([_in_place(draft, *each) for each in labelled])
    text_threshold, reached = best_threshold(chance[known.scored], known.targets[known.scored])
    together = np.stack([draft.combine(features(units, odds)) for _, units, odds in parted])
    threshold, documents = best_threshold(together, _wanted(draft, whole))
    final = replace(draft, grams=_grams(known, np.ones(len(known.texts), bool)), threshold=threshold)
    scores = {
        "text_threshold": text_threshold,
        "cross_validated_f1": reached,
        "cross_validated_writeup_f1": documents,
        "unlearnt_writeup_main": _main_left_out(draft, parted, [each[0].id not in folds and each[0].id not in others for each in parted]),
    }
    if others:
        scores["corrected_writeup_main"] = _main_left_out(draft, parted, [each[0].id in others for each in parted])
    return final, scores


def themes_of_terms(path: Path) -> dict[str, tuple[int, ...]]:
    """Terms of the file (corpora/terms) and their other names, folded, with their themes' numbers."""
    themes = tuple(lexicon.load("themes"))
    found: dict[str, tuple[int, ...]] = {}
    with path.open(encoding="utf8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            places = tuple(themes.index(theme) for theme in row["themes"].replace(",", " ").split() if theme in themes)
            for name in (row["term"], *filter(None, (row["aliases"] or "").split("|"))):
                if places:
                    found[fold(name).strip()] = places
    return dict(sorted(found.items()))


def _looked(model: FocusModel, rows: Floats, targets: Floats) -> FocusModel:
    """With the weights of a theme beside the others, the same for every theme, then calibrated theme by theme."""
    fitted = LogisticRegression(C=10.0, max_iter=3000).fit(rows.reshape(-1, LOOKS), targets.ravel())
    looks = np.append(fitted.coef_[0], fitted.intercept_[0]).astype(np.float32)
    scale, shift = calibrated(np.asarray(rows @ looks[:-1] + looks[-1], np.float32), targets)
    return replace(model, looks=looks, scale=scale, shift=shift)


_Parted = tuple[WriteUp, list[Unit], Floats]


def _wanted(model: FocusModel, whole: Sequence[WriteUp]) -> Floats:
    """(write-ups, themes): 1 for the main theme and those beside it."""
    return np.array([[float(theme in (each.primary, *each.secondary)) for theme in model.themes] for each in whole], np.float32)


def _combined(model: FocusModel, parted: Sequence[_Parted]) -> FocusModel:
    """With the weights of title, headings and sections, the same for every theme."""
    rows = np.concatenate([features(units, odds) for _, units, odds in parted])
    whole = [each for each, _, _ in parted]
    fitted = LogisticRegression(C=1.0, max_iter=3000).fit(rows, _wanted(model, whole).ravel())
    main = np.array([[theme == each.primary for theme in model.themes] for each in whole])
    first = LogisticRegression(C=0.3, max_iter=3000).fit(rows, main.ravel())
    return replace(
        model,
        combination=fitted.coef_[0].astype(np.float32),
        constant=float(fitted.intercept_[0]),
        leading=np.append(first.coef_[0], first.intercept_[0]).astype(np.float32),
    )


def _main_left_out(model: FocusModel, parted: Sequence[_Parted], judged: Sequence[bool]) -> float:
    """How often the main theme of the judged write-ups is told by weights that were fitted without it."""
    right = []
    for place, (each, units, odds) in enumerate(parted):
        if judged[place]:
            without = _combined(model, [*parted[:place], *parted[place + 1 :]])
            right.append(model.themes[int(without.lead(features(units, odds)).argmax())] == each.primary)
    return float(np.mean(right)) if right else 0.0


def _settled(model: FocusModel, parted: Sequence[_Parted]) -> FocusModel:
    """With the weights of what stands around a paragraph."""
    rows, wanted = [], []
    for each, units, odds in parted:
        body = np.array([unit.role == "paragraph" for unit in units])
        targets, scored = _paragraphs(model, each)
        rows.append(circumstances(units, odds, model.combine(features(units, odds)))[body][scored].reshape(-1, 3))
        wanted.append(targets[scored].ravel())
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(np.concatenate(rows), np.concatenate(wanted))
    return replace(model, context=np.append(fitted.coef_[0], fitted.intercept_[0]).astype(np.float32))


def _paragraphs(model: FocusModel, writeup: WriteUp) -> tuple[Floats, Bools]:
    """(paragraphs, themes) as labelled, and which of them are scored."""
    body = [each for each in writeup.paragraphs if each.kind == "paragraph"]
    targets = np.array([[float(theme in each.themes) for theme in model.themes] for each in body], np.float32)
    return targets, np.array([_is_scored(each) for each in body])


def _is_scored(paragraph: Paragraph) -> bool:
    return bool(paragraph.themes) or paragraph.section in {"process", "results"}


def _in_place(model: FocusModel, _: WriteUp, units: Sequence[Unit], odds: Floats) -> Floats:
    """(paragraphs, themes) probabilities of a write-up's paragraphs among the others."""
    settled = model.settle(units, odds, model.combine(features(units, odds)))
    return probability(settled[np.array([unit.role == "paragraph" for unit in units])])


def folded(groups: Sequence[str]) -> dict[str, int]:
    """Group -> fold, the same for the same groups."""
    names = sorted(set(groups))
    random.Random(_SEED).shuffle(names)  # noqa: S311 - a split, no secret
    return {name: place % _FOLDS for place, name in enumerate(names)}


def _grams(known: Examples, chosen: Bools) -> Grams:
    at = np.flatnonzero(chosen)
    targets = known.targets[at]
    return grams.fit(
        [known.texts[place] for place in at],
        known.vectors[at],
        np.column_stack([targets, targets.max(1)]),
        labels=(*lexicon.load("themes"), ANY),
        strength=_STRENGTH,
        dense=_DENSE,
        size=_SIZE,
    )


def score(model: Grams, known: Examples, chosen: Bools) -> Floats:
    """Raw scores (chosen texts, themes and any)."""
    at = np.flatnonzero(chosen)
    return np.concatenate(
        [model.trace(known.texts[place]).score([(0, len(known.texts[place]))], known.vectors[place][None]) for place in at]
    )


def calibrated(raw: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Platt's scale and shift, one pair a theme."""
    fitted = [LogisticRegression(C=10.0).fit(raw[:, [theme]], targets[:, theme]) for theme in range(targets.shape[1])]
    return (
        np.array([model.coef_[0, 0] for model in fitted], np.float32),
        np.array([model.intercept_[0] for model in fitted], np.float32),
    )


def best_threshold(chance: Floats, targets: Floats) -> tuple[float, float]:
    """The threshold of the best micro-F1, and that."""
    reached = [micro_f1(chance >= threshold, targets) for threshold in _THRESHOLDS]
    best = int(np.argmax(reached))
    return round(float(_THRESHOLDS[best]), 2), reached[best]


def micro_f1(said: Bools, targets: Floats) -> float:
    right = float((said * targets).sum())
    return 2 * right / max(1.0, float(said.sum() + targets.sum()))


def calibration_error(chance: Floats, targets: Floats, *, bins: int = 10) -> float:
    """Expected calibration error over all pairs of text and theme, bins of equal width."""
    flat, truth = chance.ravel(), targets.ravel()
    place = np.minimum((flat * bins).astype(int), bins - 1)
    return float(sum(abs(flat[place == at].sum() - truth[place == at].sum()) for at in range(bins)) / len(flat))


def evaluate(model: FocusModel, held: Examples, whole: Sequence[WriteUp], encoder: Encoder, *, threshold: float) -> dict[str, float]:
    """Passages by themselves and the paragraphs of write-ups in their places: micro-F1, calibration, false themes in negatives."""
    alone = probability(model.odds(score(model.grams, held, np.ones(len(held.texts), bool)), held.texts, encoder))
    chance = alone.copy()
    chance[~held.alone] = np.concatenate([_in_place(model, each, *read(model, each, encoder)) for each in whole])
    said = chance >= threshold
    of = {"": held.scored, "passages_": held.alone, "paragraphs_": held.scored & ~held.alone}
    scores = {f"{name}micro_f1": micro_f1(said[mask], held.targets[mask]) for name, mask in of.items()}
    body = held.scored & ~held.alone
    scores["paragraphs_by_themselves_micro_f1"] = micro_f1(alone[body] >= threshold, held.targets[body])
    carrying = held.scored & (held.targets.sum(1) > 0)
    first = chance[carrying].argmax(1)
    scores["strongest_is_right"] = float(held.targets[carrying][np.arange(len(first)), first].mean())
    scores["calibration_error"] = calibration_error(chance[held.scored], held.targets[held.scored])
    scores["negatives_false"] = float((chance[held.negatives] >= model.threshold).any(1).mean())
    return scores


def read(model: FocusModel, writeup: WriteUp, encoder: Encoder) -> tuple[list[Unit], Floats]:
    """The parts of a write-up and their calibrated log-odds, as `classify.focus` has them."""
    parts = [("title", "title", writeup.title)]
    parts += [(each.kind, each.section, each.text) for each in writeup.paragraphs if each.kind in {"paragraph", "heading"}]
    text = "\n".join(part[2] for part in parts)
    units, position = [], 0
    for role, section, said in parts:
        units.append(
            Unit(
                "paragraph" if role == "paragraph" else "heading" if role == "heading" else "title", section, position, position + len(said)
            )
        )
        position += len(said) + 1
    return units, by_itself(text, units, model.grams.trace(text), low=0, model=model, encoder=encoder)


def whole_scores(model: FocusModel, held: Sequence[WriteUp], encoder: Encoder) -> dict[str, float]:
    """Themes of whole write-ups: micro-F1 at the model's threshold, and how often the strongest is the main one."""
    rows = [features(*read(model, each, encoder)) for each in held]
    chance = np.stack([model.combine(row) for row in rows])
    first = [model.themes[int(model.lead(row).argmax())] == each.primary for row, each in zip(rows, held, strict=True)]
    return {"writeup_micro_f1": micro_f1(chance >= model.threshold, _wanted(model, held)), "writeup_main": float(np.mean(first))}
