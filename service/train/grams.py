"""Fits service.grams.Grams with scikit-learn: one linear support vector machine a label over character runs and an embedding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from scipy import sparse
from sklearn.svm import LinearSVC

from service.grams import Floats, Grams, Index, alphabet, codes, index

_KNOWN = 8191  # characters that a run's code has numbers for
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def fit(
    texts: Sequence[str],
    vectors: Floats,
    targets: NDArray[np.float32],
    *,
    labels: tuple[str, ...],
    strength: float,
    dense: float,
    size: int,
    weights: NDArray[np.float32] | None = None,
) -> Grams:
    """`targets` is (texts, labels) of 0 and 1, any number of labels a text; runs that stand in one text only are left out.

    `strength` is scikit-learn's C, `dense` the weight of the embedding beside the runs, `size` how many runs are kept: those that
    weigh most in a first fit, so that the second is of what will be shipped. `weights` is how much each text counts.
    """
    table = alphabet(_characters(texts))
    found = [_present(text, table) for text in texts]
    seen = Counter(int(code) for each in found for code in np.unique(each))
    known = np.array(sorted(code for code, number in seen.items() if number > 1), np.uint64)
    rarity = _rarity(seen, known, len(texts))
    side = sparse.csr_matrix(vectors * dense)
    first = _fitted(sparse.hstack([_matrix(found, index(known), rarity), side], format="csr"), targets, strength, weights, exact=False)[0]
    strongest = np.argsort(-(np.abs(first[: len(known)]).max(1) * rarity), kind="stable")[:size]
    known = known[np.sort(strongest)]
    rarity = _rarity(seen, known, len(texts))
    runs = index(known)
    matrix = sparse.hstack([_matrix(found, runs, rarity), side], format="csr")
    coefficients, bias = _fitted(matrix, targets, strength, weights)
    kept = coefficients[: len(known)] * rarity[:, None]
    return Grams(labels, table, runs, np.asarray(kept, np.float32), np.asarray(coefficients[len(known) :] * dense, np.float32), bias)


def _characters(texts: Sequence[str]) -> str:
    """Chinese characters of two texts or more, and the Latin letters; the most frequent first, as many as have numbers."""
    counts = Counter(character for text in texts for character in set(text) if "\u3400" <= character <= "\u9fff")
    frequent = [character for character, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if number > 1]
    return _LETTERS + "".join(frequent[: _KNOWN - len(_LETTERS)])


def _present(text: str, table: NDArray[np.uint16]) -> NDArray[np.uint64]:
    every = np.concatenate(codes(text, table))
    return every[every > 0]


def _rarity(seen: Counter[int], known: NDArray[np.uint64], texts: int) -> Floats:
    """What scikit-learn's TF-IDF gives a feature for standing in few texts."""
    frequency = np.array([seen[int(code)] for code in known])
    return np.asarray(np.log((1 + texts) / (1 + frequency)) + 1, np.float32)


def _matrix(found: Sequence[NDArray[np.uint64]], runs: Index, rarity: Floats) -> sparse.csr_matrix:
    """(texts, runs): occurrences by rarity, over the root of the number of known runs in the text, as `Trace.score` does."""
    rows, columns, values = [], [], []
    for row, every in enumerate(found):
        place = runs.places(every)
        place = place[place >= 0]
        columns.append(place)
        rows.append(np.full(len(place), row))
        values.append(rarity[place] / np.sqrt(max(1, len(place))))
    return sparse.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(len(found), len(runs.codes)))


def _fitted(
    matrix: sparse.csr_matrix, targets: NDArray[np.float32], strength: float, weights: NDArray[np.float32] | None, *, exact: bool = True
) -> tuple[Floats, Floats]:
    """(features, labels) and (labels,); a first look need not be exact."""
    columns, biases = [], []
    for label in range(targets.shape[1]):
        model = LinearSVC(C=strength, max_iter=5000, random_state=0, tol=1e-4 if exact else 0.1)
        model.fit(matrix, targets[:, label], sample_weight=weights)
        columns.append(model.coef_[0])
        biases.append(model.intercept_[0])
    return np.stack(columns, 1).astype(np.float32), np.array(biases, np.float32)


def write(path: Path, model: Grams, *, more: dict[str, NDArray[Any]] | None = None) -> None:
    """The model as safetensors, weights in half precision; `service.grams.read` gives it back."""
    plain = [code for code in np.flatnonzero(model.table).tolist() if chr(code).lower() == chr(code)]
    characters = {int(model.table[code]): code for code in reversed(plain)}  # of a letter's widths the narrow one
    arrays: dict[str, NDArray[Any]] = {
        "characters": np.array([characters[number] for number in sorted(characters)], np.uint32),
        "codes": model.runs.codes.view(np.int64),
        "weights": model.weights.astype(np.float16),
        "dense": model.dense,
        "bias": model.bias,
        **(more or {}),
    }
    path.write_bytes(save({name: np.ascontiguousarray(value) for name, value in sorted(arrays.items())}))
