"""What an encoder is measured by: public sentence pairs (Spearman x 100) and documents with their real revisions. Never trained on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

Floats = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Floats]  # texts -> (n, dimensions) of length 1
SETS = ("sts-b-zh", "lcqmc", "bq", "paws-x-zh")


def pairs(path: Path) -> tuple[list[float], list[str], list[str]]:
    """Labels, first and second sentences of a .tsv.gz of three columns."""
    with gzip.open(path, "rt", encoding="utf8") as file:
        rows = [row for row in (line.rstrip("\n").split("\t") for line in file) if len(row) == 3]
    return [float(row[0]) for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def spearman(encode: Encode, path: Path) -> float:
    """Spearman correlation x 100 of cosine and label."""
    labels, first, second = pairs(path)
    cosine = (encode(first).astype(np.float32) * encode(second)).sum(1)
    return 100 * float(spearmanr(labels, cosine).statistic)


def sentence_pairs(encode: Encode, folder: Path, *, part: str) -> dict[str, float]:
    """Each set's score on its part (`dev` or `test`)."""
    return {name: round(spearman(encode, folder / f"{name}.{part}.tsv.gz"), 2) for name in SETS}


def revisions_found(encode: Encode, path: Path) -> float:
    """Share of documents whose later revision is the nearest of all later documents."""
    with gzip.open(path, "rt", encoding="utf8") as file:
        rows = [json.loads(line) for line in file]
    older, newer = encode([row["a"] for row in rows]), encode([row["b"] for row in rows])
    nearest = (older @ newer.T).argmax(1)
    return float((nearest == np.arange(len(rows))).mean())
