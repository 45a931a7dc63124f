"""Word vectors from counts: who stands beside whom (PPMI, truncated SVD), what characters a word is made of, and how much it weighs.

Deterministic: no sampling by threads, seeded projections. A row is weight · (identity + share · meaning), where identity is a random
direction for each character, so that two texts are near by what they literally share, and meaning is learned from the corpus.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from service.train.vocabulary import Vocabulary, Word, batches

Floats = NDArray[np.float32]


_POS = {"n": 1.4, "nr": 2.0, "ns": 2.0, "v": 1.25, "vn": 1.35, "a": 1.1, "r": 0.4, "d": 0.6}


@dataclass(frozen=True, slots=True)
class Weighing:
    """How much a word counts in the mean: everyday rarity a / (a + p), its part of speech, its length."""

    rarity: float = 2e-3  # a, beside a word's share p of jieba's counts
    length: float = -0.2  # exponent: a long word counts less than its characters would together
    latin: float = 0.4
    digits: float = 1.5
    # First letters of jieba's part of speech -> factor; the longest that fits.
    pos: Mapping[str, float] = field(default_factory=lambda: dict(_POS))


@dataclass(frozen=True, slots=True)
class Mixing:
    window: int = 5  # words on each side that count as beside
    smoothing: float = 0.75  # exponent of the context's frequency
    rank: int = 300
    spectrum: float = 0.25  # exponent of the singular values
    common: int = 3  # strongest common directions removed from the meaning
    meaning: float = 0.2  # length of the meaning beside an identity of length 1
    constant: float = 0.1  # a direction that all words share: steadies the cosine of short texts
    identity: int = 512  # random dimensions before all is projected


def unit(rows: Floats) -> Floats:
    """Each row divided by its length; zeros stay."""
    result: Floats = (rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)).astype(np.float32)
    return result


@dataclass(frozen=True, slots=True)
class Evening:
    """What is done to the trained rows at the end, so that a word counts for what it says and not for how often texts share it."""

    directions: int = 40  # common directions of the most frequent words that are taken out, beside the mean
    frequent: int = 20_000  # words that these are found from
    levelled: float = 0.5  # how far the rows' lengths, a word's weight in the mean, are levelled: 0 not at all, 1 all alike


def evened(rows: Floats, *, evening: Evening) -> Floats:
    """Rows (n, size) without their common parts, their lengths nearer to one another. Zero rows stay zero."""
    empty = np.linalg.norm(rows, axis=1) == 0
    frequent = unit(rows)[: evening.frequent]
    common = np.linalg.svd(frequent - frequent.mean(0), full_matrices=False)[2][: evening.directions]
    result = rows - rows.mean(0, keepdims=True)
    result -= (result @ common.T) @ common
    lengths = np.maximum(np.linalg.norm(result, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    result = np.asarray(result / np.power(lengths, evening.levelled), np.float32)
    result[empty] = 0
    return result


def beside(vocabulary: Vocabulary, lines: Sequence[str], *, window: int) -> Any:
    """Symmetric sparse matrix (n, n): how often two words stand within `window` words of each other in one line."""
    size = len(vocabulary.words)
    found = [np.array(ids, np.int32) for ids in batches(vocabulary.plain, lines)]
    line = np.repeat(np.arange(len(found)), [len(ids) for ids in found])
    flat = np.concatenate(found)
    total = sp.csr_matrix((size, size), dtype=np.float32)
    for distance in range(1, window + 1):
        left, right = flat[:-distance], flat[distance:]
        kept = (line[distance:] == line[:-distance]) & (left > 0) & (right > 0)
        total = total + sp.csr_matrix((np.ones(int(kept.sum()), np.float32), (left[kept], right[kept])), shape=(size, size))
    return (total + total.T).tocsr()


def spelling(vocabulary: Vocabulary, weights: Mapping[str, float]) -> Any:
    """Sparse matrix (n, n): the weights of the characters that a word is made of; a Latin word or number is its own."""
    rows: dict[str, int] = {word: row for row, word in enumerate(vocabulary.words)}
    at, of, value = [], [], []
    for row, word in enumerate(vocabulary.words[1:], 1):
        for part in [word] if word.isascii() else word:
            if part in rows:
                at.append(row)
                of.append(rows[part])
                value.append(weights.get(part, 1.0))
    return sp.csr_matrix((np.array(value, np.float32), (at, of)), shape=(len(rows), len(rows)))


def _inside_words(vocabulary: Vocabulary, known: Mapping[str, Word]) -> Any:
    """Sparse matrix (n, n): characters that stand together in the dictionary's words, by the root of the words' counts."""
    rows = {word: row for row, word in enumerate(vocabulary.words) if len(word) == 1}
    at, of, value = [], [], []
    for word, entry in known.items():
        inside = [rows[character] for character in word if character in rows] if 2 <= len(word) <= 4 else []
        for i, one in enumerate(inside):
            for j, other in enumerate(inside):
                if i != j:
                    at.append(one)
                    of.append(other)
                    value.append(entry.count**0.5)
    size = len(vocabulary.words)
    return sp.csr_matrix((np.array(value, np.float32), (at, of)), shape=(size, size))


def _ppmi(counts: Any, contexts: NDArray[Any], smoothing: float) -> Any:
    """Positive pointwise mutual information of rows and contexts; `contexts` (n,) are the contexts' totals. Counts below 1 are dropped."""
    cells = counts.tocoo()
    totals = np.asarray(counts.sum(1)).ravel()
    smooth = contexts**smoothing
    value = np.log(np.maximum(cells.data, 1e-12) / (totals[cells.row] * (smooth / max(smooth.sum(), 1e-12))[cells.col]))
    kept = (value > 0) & (cells.data >= 1)
    return sp.csr_matrix((value[kept].astype(np.float32), (cells.row[kept], cells.col[kept])), shape=counts.shape)


def meanings(vocabulary: Vocabulary, lines: Sequence[str], known: Mapping[str, Word], *, mixing: Mixing, seed: int) -> Floats:
    """(n, rank): vectors of words and characters; a character's contexts are those of all words it stands in. Zeros: nothing known."""
    counts = beside(vocabulary, lines, window=mixing.window)
    several = spelling(vocabulary, {}).T.tocsr()
    ones = sp.csr_matrix(several.multiply(np.array([[len(word) > 1 for word in vocabulary.words]], np.float32)))
    ones.data[:] = np.minimum(ones.data, 1)
    own = sp.identity(len(vocabulary.words), dtype=np.float32, format="csr")
    latin = sp.diags(np.array([word.isascii() for word in vocabulary.words], np.float32))
    widened = ((own + ones - ones @ latin) @ counts).tocsr()
    words = _ppmi(widened, np.asarray(counts.sum(0)).ravel(), mixing.smoothing)
    inside = _inside_words(vocabulary, known)
    inside.sum_duplicates()
    characters = _ppmi(inside, np.asarray(inside.sum(0)).ravel(), mixing.smoothing)
    joined = sp.hstack([words, characters]).tocsr()
    rank = min(mixing.rank, len(vocabulary.words) - 1)
    left, values, _ = randomized_svd(joined, rank, n_iter=3, random_state=seed)
    return unit((left * values**mixing.spectrum).astype(np.float32))


def _without_common(rows: Floats, weights: NDArray[Any], count: int) -> Floats:
    """The rows less their weighted mean and their `count` strongest directions."""
    centred = rows - (rows * weights[:, None]).sum(0) / weights.sum()
    _, _, directions = np.linalg.svd(centred * np.sqrt(weights)[:, None], full_matrices=False)
    result: Floats = (centred - (centred @ directions[:count].T) @ directions[:count]).astype(np.float32)
    return result


def word_weights(vocabulary: Vocabulary, known: Mapping[str, Word], weighing: Weighing) -> Floats:
    """(n,): rarity x part of speech x length; 0 for `<unk>`."""
    total = sum(entry.count for entry in known.values())
    result = np.zeros(len(vocabulary.words), np.float32)
    prefixes = sorted(weighing.pos, key=len, reverse=True)
    for row, word in enumerate(vocabulary.words[1:], 1):
        entry = known.get(word)
        rarity = weighing.rarity / (weighing.rarity + (entry.count / total if entry else 0))
        if word.isdigit():
            kind = weighing.digits
        elif word.isascii():
            kind = weighing.latin
        else:
            kind = next((weighing.pos[prefix] for prefix in prefixes if entry and entry.pos.startswith(prefix)), 1.0)
        result[row] = rarity * kind * len(word) ** weighing.length
    return result


def character_weights(known: Mapping[str, Word], weighing: Weighing) -> dict[str, float]:
    """A character's everyday rarity, over all the dictionary's words that it stands in."""
    counts: Counter[str] = Counter()
    for word, entry in known.items():
        for character in word:
            counts[character] += entry.count
    total = sum(counts.values())
    return {character: weighing.rarity / (weighing.rarity + count / total) for character, count in counts.items()}


def mixed(
    vocabulary: Vocabulary, meaning: Floats, known: Mapping[str, Word], *, weighing: Weighing, mixing: Mixing, size: int, seed: int
) -> Floats:
    """(n, size): the rows that contrastive training starts from. A compound is the sum of its words."""
    random = np.random.default_rng(seed)
    count = len(vocabulary.words)
    total = sum(entry.count for entry in known.values())
    share = np.array([known[word].count / total if word in known else 0 for word in vocabulary.words])
    spread = np.sqrt(share + 1e-7)
    spread[0] = 0
    spelled = spelling(vocabulary, character_weights(known, weighing))
    identity = unit(spelled @ unit(random.standard_normal((count, mixing.identity)).astype(np.float32)))
    learned = unit(_without_common(meaning, spread, mixing.common)) if mixing.common else unit(meaning)
    learned = unit(learned + unit(spelled @ learned))
    constant = np.full((count, 1), mixing.constant, np.float32)
    joined = np.hstack([learned * mixing.meaning, identity, constant]) * word_weights(vocabulary, known, weighing)[:, None]
    projection = random.standard_normal((joined.shape[1], size)).astype(np.float32) / np.float32(size) ** 0.5
    rows: Floats = (joined @ projection).astype(np.float32)
    for row, parts in vocabulary.parts.items():
        rows[row] = rows[list(parts)].sum(0)
    rows[0] = 0
    return rows
