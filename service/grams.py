"""Additive models over the character runs of a text: what each run of one to four characters adds to the log-odds of each label.

A run never crosses a mark, a blank or a figure, so that what a paragraph adds up to is the sum over its sentences, and one pass over a
document scores it by paragraph, by sentence and by word. Everything is done for all characters at once: ten thousand take about a
millisecond. Trained by service/train/grams.py.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

Floats = NDArray[np.float32]
Codes = NDArray[np.uint64]
LONGEST = 4  # characters of a run
_BITS = 13  # of a character's number in a run's code; four of them fit into 64
_PLANE = 0x10000  # characters beyond it part runs like marks do
_MULTIPLIERS = tuple(np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


def alphabet(characters: str) -> NDArray[np.uint16]:
    """Character -> its number in runs, from 1; 0 for what parts runs. Width and case of letters count nothing."""
    numbers = {character: number for number, character in enumerate(characters, 1)}
    table = np.zeros(_PLANE, np.uint16)
    for character, number in numbers.items():
        table[ord(character)] = number
    for code in (*range(ord("A"), ord("Z") + 1), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)):
        table[code] = numbers.get(unicodedata.normalize("NFKC", chr(code)).lower(), 0)
    return table


def codes(text: str, table: NDArray[np.uint16]) -> tuple[Codes, ...]:
    """For each length 1 … LONGEST the code of the run that begins at each character; 0 where there is none of that length."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    numbers = table[np.where(points < _PLANE, points, 0)].astype(np.uint64)
    found = [numbers]
    for length in range(1, LONGEST):
        shorter = found[-1]
        longer = np.zeros_like(numbers)
        count = max(0, len(numbers) - length)
        last = numbers[length:]
        longer[:count] = np.where((shorter[:count] > 0) & (last > 0), (shorter[:count] << np.uint64(_BITS)) | last, 0)
        found.append(longer)
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Code -> place, for many codes at once: tables whose slots a multiplication gives; what a table has no room for stands in the next."""

    codes: Codes
    shift: np.uint64
    tables: tuple[NDArray[np.int32], ...]

    def places(self, wanted: Codes) -> NDArray[np.int32]:
        """The place of each code; -1 where it is not known."""
        answer = np.full(len(wanted), -1, np.int32)
        for multiplier, table in zip(_MULTIPLIERS, self.tables, strict=True):
            place = table[(wanted * multiplier) >> self.shift]
            hit = self.codes[place] == wanted  # an empty slot holds place 0, whose code then differs
            answer = np.where(hit, place, answer)
        return answer


def index(known: Codes) -> Index:
    """The index of distinct codes; those that find no slot in the last table (a few in a million) are not found."""
    bits = max(4, len(known).bit_length() + 2)
    shift = np.uint64(64 - bits)
    left = np.arange(len(known), dtype=np.int32)
    tables = []
    for multiplier in _MULTIPLIERS:
        table = np.zeros(1 << bits, np.int32)
        slots = (known[left] * multiplier) >> shift
        table[slots[::-1]] = left[::-1]
        left = left[table[slots] != left]
        tables.append(table)
    return Index(known, shift, tuple(tables))


@dataclass(frozen=True, slots=True, eq=False)
class Grams:
    """`weights` (runs, labels) are log-odds by occurrence, `dense` (dimensions, labels) those of an embedding, `bias` (labels,)."""

    labels: tuple[str, ...]
    table: NDArray[np.uint16]
    runs: Index
    weights: Floats
    dense: Floats
    bias: Floats

    def trace(self, text: str) -> Trace:
        """What begins at each character of a text. Empty texts have an empty trace."""
        counts = np.zeros(len(text), np.float32)
        sums = np.zeros((len(text), len(self.labels)), np.float32)
        places = []
        for found in codes(text, self.table):
            place = self.runs.places(found)
            place[found == 0] = -1
            at = np.flatnonzero(place >= 0)
            counts[at] += 1
            sums[at] += self.weights[place[at]]
            places.append(place)
        return Trace(self, tuple(places), _running(counts[:, None])[:, 0], _running(sums))


def _running(values: Floats) -> NDArray[np.float64]:
    """(n + 1, labels): what stands before each of the n rows, and in all of them."""
    totals = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, 0, dtype=np.float64, out=totals[1:])
    return totals


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A text under a model: which known runs begin at each character; how many begin before it (characters + 1,) and what those weigh
    (characters + 1, labels), so that any span is the difference of two rows.
    """

    model: Grams
    places: tuple[NDArray[np.int32], ...]
    counts: NDArray[np.float64]
    sums: NDArray[np.float64]

    def score(self, spans: Sequence[tuple[int, int]], vectors: Floats | None = None) -> Floats:
        """(spans, labels) log-odds of non-empty spans that begin and end at marks, blanks or line ends."""
        if not spans:
            return np.zeros((0, len(self.model.labels)), np.float32)
        edges = np.array(spans, np.int64)
        total = self.sums[edges[:, 1]] - self.sums[edges[:, 0]]
        number = self.counts[edges[:, 1]] - self.counts[edges[:, 0]]
        scores = total / np.sqrt(np.maximum(number, 1))[:, None] + self.model.bias
        if vectors is not None:
            scores = scores + vectors @ self.model.dense
        return np.asarray(scores, np.float32)

    def characters(self, start: int, end: int, label: int) -> Floats:
        """(end - start,): how much each character speaks for a label, a run's weight shared evenly among its characters."""
        shares = np.zeros(end - start, np.float32)
        for length, place in enumerate(self.places, 1):
            last = end - length + 1
            if last <= start:
                break
            here = place[start:last]
            weight = np.where(here >= 0, self.model.weights[here, label], 0) / length
            for offset in range(length):
                shares[offset : offset + len(weight)] += weight
        return shares


def read(path: Path, *, labels: tuple[str, ...]) -> tuple[Grams, dict[str, NDArray[Any]]]:
    """The model as service/train/grams.py wrote it, and whatever else stands in the file; ValueError where it does not fit together."""
    arrays = dict(load_file(path))
    try:
        characters = "".join(map(chr, arrays.pop("characters")))
        known = arrays.pop("codes").view(np.uint64)
        weights = arrays.pop("weights").astype(np.float32)
        dense, bias = arrays.pop("dense"), arrays.pop("bias")
    except KeyError as error:
        raise ValueError(f"{path}: no {error}") from error
    if weights.shape != (len(known), len(labels)) or bias.shape != (len(labels),) or dense.shape[1:] != (len(labels),):
        raise ValueError(f"{path}: weights {weights.shape}, dense {dense.shape}, bias {bias.shape} for {len(labels)} labels")
    return Grams(labels, alphabet(characters), index(known), weights, dense, bias), arrays
