"""Linear models over a text's words, word pairs, character runs and embedding: what focus areas and section content are judged with.

Trained by scikit-learn (service/train/linear.py), applied here with numpy alone: nothing is unpickled, and the command line need not
import scikit-learn. A text's features are three blocks, each of length 1: words and pairs of neighbouring words, character runs of two
and three (both TF-IDF with 1 + log tf), and the embedding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.errors import ServiceError

Floats = NDArray[np.float32]
WEIGHTS, VOCABULARY = "weights.safetensors", "vocabulary.json"
_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[A-Za-z]+")
_WORD = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fffA-Za-zσ]")


def words(pieces: Sequence[str]) -> list[str]:
    """Words and pairs of neighbouring words; numbers and marks are passed over, but part what stands on their two sides."""
    found: list[str] = []
    before = ""
    for piece in pieces:
        if not _WORD.search(piece):
            before = ""
            continue
        found.append(piece)
        if before:
            found.append(f"{before} {piece}")
        before = piece
    return found


def runs(text: str) -> list[str]:
    """Runs of two and three characters inside unbroken Chinese; Latin words whole, in lower case."""
    found: list[str] = []
    for match in _HAN_RUN.finditer(text):
        run = match[0]
        if run.isascii():
            found.append(run.lower())
            continue
        found.extend(run[i : i + 2] for i in range(len(run) - 1))
        found.extend(run[i : i + 3] for i in range(len(run) - 2))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """One block of TF-IDF features: `index` gives a feature's row in `idf` (n,) and `weights` (n, labels)."""

    index: Mapping[str, int]
    idf: Floats
    weights: Floats

    def score(self, found: Sequence[Sequence[str]]) -> Floats:
        """(texts, labels): what the features of each text add to each label."""
        get, size = self.index.get, len(self.idf)
        keys = [row * size + at for row, features in enumerate(found) for feature in features if (at := get(feature)) is not None]
        scores = np.zeros((len(found), self.weights.shape[1]), np.float32)
        if not keys:
            return scores
        unique, counts = np.unique(np.array(keys, np.int64), return_counts=True)
        rows, columns = np.divmod(unique, size)
        values = (1 + np.log(counts.astype(np.float32))) * self.idf[columns]
        norms = np.sqrt(np.bincount(rows, values * values, len(found))).astype(np.float32)
        starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
        present = rows[starts]
        scores[present] = np.add.reduceat(self.weights[columns] * values[:, None], starts) / norms[present, None]
        return scores

    def weight(self, feature: str, label: int) -> float:
        """How much one occurrence of a feature speaks for a label, before the text's length is taken out; 0 where it is not known."""
        at = self.index.get(feature)
        return 0.0 if at is None else float(self.weights[at, label] * self.idf[at])


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Log-odds of `labels` for texts. `dense` is (dimensions, labels), `bias` (labels,)."""

    labels: tuple[str, ...]
    words: Terms
    runs: Terms
    dense: Floats
    bias: Floats

    def score(self, texts: Sequence[str], pieces: Sequence[Sequence[str]], vectors: Floats) -> Floats:
        """(texts, labels) log-odds, uncalibrated. `pieces` are the texts' words, `vectors` (texts, dimensions) their embeddings."""
        scores = self.words.score([words(each) for each in pieces]) + self.runs.score([runs(text) for text in texts])
        return np.asarray(scores + vectors @ self.dense + self.bias, np.float32)


def load(folder: Path) -> tuple[Linear, Mapping[str, Floats]]:
    """The model of a folder whose hashes were checked, and the further arrays stored beside it; ServiceError `model_broken`."""
    from safetensors import SafetensorError  # noqa: PLC0415 - not needed where no model is asked
    from safetensors.numpy import load_file  # noqa: PLC0415

    try:
        names = json.loads((folder / VOCABULARY).read_text("utf8"))
        arrays = {name: array.astype(np.float32) for name, array in load_file(folder / WEIGHTS).items()}
        blocks = [
            Terms({feature: row for row, feature in enumerate(names[block])}, arrays.pop(f"{block}.idf"), arrays.pop(f"{block}.weights"))
            for block in ("words", "runs")
        ]
        linear = Linear(tuple(names["labels"]), blocks[0], blocks[1], arrays.pop("dense"), arrays.pop("bias"))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ServiceError("model_broken", f"模型 {folder} 无法加载（{error}）。请重新安装或重新训练。", status=500) from error
    return linear, arrays
