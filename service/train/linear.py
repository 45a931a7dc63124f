"""Fits service.linear.Linear with scikit-learn: TF-IDF blocks, embedding, one logistic regression a label or one over all labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from service.linear import VOCABULARY, WEIGHTS, Floats, Linear, Terms, runs, words

_Found = Sequence[Sequence[str]]


def fit(
    texts: Sequence[str],
    pieces: Sequence[Sequence[str]],
    vectors: Floats,
    targets: NDArray[np.float32],
    *,
    labels: tuple[str, ...],
    kind: Literal["each", "one"],
    strength: float = 10.0,
    dense: float = 1.0,
    rarest: int = 2,
    weights: NDArray[np.float32] | None = None,
) -> Linear:
    """`targets` is (texts, labels) of 0 and 1: any number of labels a text (`each`) or exactly one (`one`).

    `strength` is scikit-learn's C, `dense` the weight of the embedding beside the two blocks of terms, `rarest` the least number of
    texts a feature stands in, `weights` how much each text counts.
    """
    blocks = [_vectorised([words(each) for each in pieces], rarest), _vectorised([runs(text) for text in texts], rarest)]
    matrix = sparse.hstack([*(block for _, block in blocks), sparse.csr_matrix(vectors * dense)], format="csr")
    coefficients, bias = _each(matrix, targets, strength, weights) if kind == "each" else _one(matrix, targets, strength, weights)
    terms, position = [], 0
    for vectorizer, block in blocks:
        size = block.shape[1]
        terms.append(_terms(vectorizer, coefficients[position : position + size]))
        position += size
    return Linear(labels, terms[0], terms[1], np.asarray(coefficients[position:] * dense, np.float32), np.asarray(bias, np.float32))


def _vectorised(found: _Found, rarest: int) -> tuple[TfidfVectorizer | None, sparse.csr_matrix]:
    """The block's vectorizer and matrix; no vectorizer and no column where no text has a feature (a model without words)."""
    if not any(found):
        return None, sparse.csr_matrix((len(found), 0))
    vectorizer = TfidfVectorizer(analyzer=_as_it_is, sublinear_tf=True, min_df=rarest)
    return vectorizer, vectorizer.fit_transform(found)


def _as_it_is(features: Sequence[str]) -> Sequence[str]:
    return features


def _each(
    matrix: sparse.csr_matrix, targets: NDArray[np.float32], strength: float, weights: NDArray[np.float32] | None
) -> tuple[Floats, Floats]:
    columns = []
    for label in range(targets.shape[1]):
        model = LogisticRegression(C=strength, solver="liblinear", max_iter=1000, random_state=0)
        model.fit(matrix, targets[:, label], sample_weight=weights)
        columns.append((model.coef_[0], model.intercept_[0]))
    return np.stack([column for column, _ in columns], 1).astype(np.float32), np.array([bias for _, bias in columns], np.float32)


def _one(
    matrix: sparse.csr_matrix, targets: NDArray[np.float32], strength: float, weights: NDArray[np.float32] | None
) -> tuple[Floats, Floats]:
    model = LogisticRegression(C=strength, max_iter=2000, random_state=0)
    model.fit(matrix, targets.argmax(1), sample_weight=weights)
    return model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32)


def _terms(vectorizer: TfidfVectorizer | None, coefficients: Floats) -> Terms:
    """The block's features by how much they weigh; those that say next to nothing for any label are left out."""
    if vectorizer is None:
        return Terms({}, np.zeros(0, np.float32), np.zeros((0, coefficients.shape[1]), np.float32))
    names = vectorizer.get_feature_names_out()
    kept = np.flatnonzero(np.abs(coefficients).max(1) >= 0.02)
    return Terms(
        {str(names[row]): place for place, row in enumerate(kept)},
        np.asarray(vectorizer.idf_[kept], np.float32),
        np.asarray(coefficients[kept], np.float32),
    )


def save(folder: Path, model: Linear, *, more: Mapping[str, Floats] | None = None) -> tuple[Path, ...]:
    """Writes what service.linear.load reads: terms' weights as float16, the rest as float32. The same model gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {"dense": model.dense, "bias": model.bias, **(more or {})}
    for name, block in (("words", model.words), ("runs", model.runs)):
        arrays |= {f"{name}.idf": block.idf, f"{name}.weights": block.weights.astype(np.float16)}
    save_file({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}, folder / WEIGHTS)
    names = {"labels": model.labels, "words": list(model.words.index), "runs": list(model.runs.index)}
    (folder / VOCABULARY).write_text(json.dumps(names, ensure_ascii=False, indent=0) + "\n", "utf8")
    return folder / WEIGHTS, folder / VOCABULARY
