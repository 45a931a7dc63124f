"""Characters as they are compared, and the runs that two texts share: every one of 13 characters or more, guaranteed.

A text is compared without blanks, marks and symbols, width and case folded, figures kept. Fingerprints are chosen by winnowing (Schleimer,
Wilkerson and Aiken 2003): of every six neighbouring hashes of eight characters the least, of equal ones the last, so that two texts with
a common run of 8 + 6 - 1 characters choose the same eight characters of it at the same place.
"""

from __future__ import annotations

import struct
import sys
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.uint32]
Places = NDArray[np.int32]
Longs = NDArray[np.int64]
Hashes = NDArray[np.uint64]

SIZE = 8  # characters of a hash
WINDOW = 6  # hashes of which one is chosen
LEAST = SIZE + WINDOW - 1  # characters of a shared run that is found for certain
_SIDE = WINDOW - 1  # characters kept before and after
_BITS = 6  # of each of them
_END = (1 << _BITS) - 1  # beyond the text; no character has it
_OFTEN = 16  # places of one run in a text that are looked at
_EAST = 0x2E80  # from here on characters are Chinese (or Japanese, Korean): each is a word
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIXER = np.uint64(0xBF58476D1CE4E5B9)
_UNMET, _NOTHING = 0xFFFFFFFF, 0  # in the table of folded characters
_FORM = struct.Struct("<BBBxI")
_VERSION = 1


def _masks() -> tuple[int, ...]:
    """For each way in which a run of LEAST can lie over the hash: the bits of `around` that must then be equal in both rows."""
    every = []
    for before in range(WINDOW):
        near = [_SIDE - distance for distance in range(1, before + 1)] + [_SIDE + distance for distance in range(WINDOW - 1 - before)]
        every.append(sum(_END << _BITS * place for place in near))
    return tuple(every)


MASKS = _masks()  # two rows of one hash lie in a common run of LEAST characters if ((a # b) & mask) = 0 for one of them (# is XOR in SQL)


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """What of a text is compared: the characters' numbers, and where in the text each stands. Equal only to itself."""

    points: Points
    places: Places

    def __len__(self) -> int:
        return len(self.points)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the text from the first to the last of the characters start … end - 1 (at least one)."""
        return int(self.places[start]), int(self.places[end - 1]) + 1

    def between(self, start: int, end: int) -> tuple[int, int]:
        """Which characters stand in text[start:end]."""
        first, last = np.searchsorted(self.places, (start, end))
        return int(first), int(last)

    def to_bytes(self) -> bytes:
        """About three bytes a character; on every machine the same."""
        gaps = np.diff(self.places, prepend=np.int32(0)).astype(np.uint32)
        points, steps = _narrow(self.points), _narrow(gaps)
        return _FORM.pack(_VERSION, points.itemsize, steps.itemsize, len(self)) + points.tobytes() + steps.tobytes()

    @classmethod
    def from_bytes(cls, stored: bytes | memoryview) -> Normal:
        """What `to_bytes` gave; ValueError where it is not that."""
        try:
            version, wide, step, count = _FORM.unpack_from(stored)
        except struct.error as error:
            raise ValueError("not the stored form of a normalised text") from error
        if version != _VERSION or wide not in {1, 2, 4} or step not in {1, 2, 4} or len(stored) != _FORM.size + count * (wide + step):
            raise ValueError("not the stored form of a normalised text")
        points = np.frombuffer(stored, f"<u{wide}", count, _FORM.size).astype(np.uint32)
        gaps = np.frombuffer(stored, f"<u{step}", count, _FORM.size + count * wide)
        return cls(points, np.cumsum(gaps, dtype=np.int32))


def weights(normal: Normal) -> NDArray[np.float64]:
    """What each compared character weighs where shares go by 字数: a Chinese one 1, others their part of the Latin word or number."""
    letters = normal.points < _EAST
    begins = np.ones(len(letters), np.bool_)
    begins[1:] = ~letters[1:] | ~letters[:-1] | (np.diff(normal.places) > 1)
    word = np.cumsum(begins) - 1
    return 1.0 / np.bincount(word)[word] if len(word) else np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class Prints:
    """The chosen fingerprints of a text by place, equally long: `around` are the characters next to the hash, `position` its place."""

    hash: Longs
    around: Longs
    position: Places

    def __len__(self) -> int:
        return len(self.hash)


def _narrow(values: Points) -> NDArray[np.uint8 | np.uint16 | np.uint32]:
    top = int(values.max(initial=0))
    return values.astype("<u1" if top < 1 << 8 else "<u2" if top < 1 << 16 else "<u4")


_table = np.full(sys.maxunicode + 1, _UNMET, np.uint32)  # character -> folded; filled as characters are met
_several: dict[int, list[int]] = {}  # characters that fold to more than one (㎡ is m2)


def _meet(points: Points) -> None:
    """Writes the folded forms of characters that were not met before: letters, digits and ideographs; 0 for all else."""
    for point in np.unique(points).tolist():
        folded = [ord(each) for each in unicodedata.normalize("NFKC", chr(point)).lower() if unicodedata.category(each)[0] in "LN"]
        if len(folded) > 1:
            _several[point] = folded
        _table[point] = folded[0] if folded else _NOTHING


def normalised(text: str) -> Normal:
    """The text as it is compared; ten thousand characters in about 0.2 ms."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    folded = _table[points]
    if (new := points[folded == _UNMET]).size:
        _meet(new)
        folded = _table[points]
    places = np.flatnonzero(folded).astype(np.int32)
    kept = folded[places]
    if _several and (met := [point for point in set(map(ord, set(text))) if point in _several]):
        return _unfolded(points, kept, places, met)
    return Normal(kept, places)


def _unfolded(points: Points, kept: Points, places: Places, met: list[int]) -> Normal:
    """With the second and further characters of those that fold to several."""
    rows: list[list[int]] = [[point] for point in kept.tolist()]
    for at in np.flatnonzero(np.isin(points[places], np.array(met, np.uint32))).tolist():
        rows[at] = _several[int(points[places[at]])]
    counts = [len(row) for row in rows]
    return Normal(np.array([point for row in rows for point in row], np.uint32), np.repeat(places, counts))


def hashes(points: Points, size: int) -> Hashes:
    """The hash of each run of `size` characters, by its first one."""
    count = len(points) - size + 1
    if count <= 0:
        return np.zeros(0, np.uint64)
    mixed = (points.astype(np.uint64) + np.uint64(1)) * _MIXER
    mixed ^= mixed >> np.uint64(31)
    total = mixed[:count].copy()
    for offset in range(1, size):
        total *= _MULTIPLIER
        total += mixed[offset : offset + count]
    total ^= total >> np.uint64(29)
    total *= _MIXER
    total ^= total >> np.uint64(32)
    return total


def winnow(normal: Normal) -> Prints:
    """The fingerprints of a text, about two for seven characters; none where it has less than LEAST characters."""
    values = hashes(normal.points, SIZE)
    windows = len(values) - WINDOW + 1
    if windows <= 0:
        return Prints(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32))
    best, at = values[:windows].copy(), np.arange(windows)
    for offset in range(1, WINDOW):
        other = values[offset : offset + windows]
        later = other <= best  # of equal ones the last
        best = np.where(later, other, best)
        at = np.where(later, np.arange(offset, offset + windows), at)
    chosen = at[np.r_[True, at[1:] != at[:-1]]]  # never falls from one window to the next
    return Prints(values[chosen].view(np.int64), _around(normal.points, chosen), chosen.astype(np.int32))


def _around(points: Points, chosen: NDArray[np.intp]) -> Longs:
    """Six bits for each of the characters before (the farthest lowest) and after; beyond the text's ends a number that no character has.

    So two texts' ends are equal: seldom, and seen in the text afterwards.
    """
    small = (points * np.uint32(0x9E3779B1) >> np.uint32(16)) % np.uint32(_END)
    sides = np.full(_SIDE, _END, np.uint32)
    padded = np.concatenate((sides, small, sides)).astype(np.int64)
    total = np.zeros(len(chosen), np.int64)
    for place in range(_SIDE):
        total |= padded[chosen + place] << _BITS * place
        total |= padded[chosen + _SIDE + SIZE + place] << _BITS * (_SIDE + place)
    return total


def in_run(mine: Longs, theirs: Longs) -> NDArray[np.bool_]:
    """Whether two rows of one hash may lie in a common run of LEAST characters: never no where they do, seldom yes where they do not."""
    different = mine ^ theirs
    found: NDArray[np.bool_] = np.any([different & mask == 0 for mask in MASKS], axis=0)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Grams:
    """The hashes of a text's runs in rising order with their places, and a table that says at once that most others are not among them."""

    values: Hashes
    order: NDArray[np.intp]
    met: NDArray[np.bool_]
    shift: np.uint64


@lru_cache(maxsize=8)
def _grams(normal: Normal, size: int) -> _Grams:
    values = hashes(normal.points, size)
    order = np.argsort(values, kind="stable")
    bits = max(10, len(values).bit_length() + 3)
    shift = np.uint64(64 - bits)
    met = np.zeros(1 << bits, np.bool_)
    met[values >> shift] = True
    return _Grams(values[order], order, met, shift)


def _pairs(known: _Grams, values: Hashes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All (place in the known text, place in the other) with equal hashes.

    Of one that the known text has more than _OFTEN times, all places meet its first place in the other, and the first ones each further.
    """
    hit = np.flatnonzero(known.met[values >> known.shift])
    low = np.searchsorted(known.values, values[hit], "left")
    every = np.searchsorted(known.values, values[hit], "right") - low
    counts = np.minimum(every, _OFTEN)
    if (every > _OFTEN).any():
        first = np.unique(low, return_index=True)[1]
        counts[first] = every[first]
    total = int(counts.sum())
    begins = np.cumsum(counts) - counts
    offsets = np.arange(total) - np.repeat(begins, counts)
    return known.order[np.repeat(low, counts) + offsets], np.repeat(hit, counts)


def runs(a: Normal, b: Normal, least: int = LEAST) -> list[tuple[int, int, int]]:
    """All longest runs of `least` or more characters that stand in both, as (start in a, start in b, length), by place.

    Where some run of `least` stands more than 16 times in `a` (a pattern that goes on and on), not every pair of places is named, but all
    that the two texts share is still covered in both. What `a` has is kept for the next calls.
    """
    mine, theirs = _pairs(_grams(a, least), hashes(b.points, least))
    if not len(mine):
        return []
    diagonal = mine - theirs
    order = np.lexsort((mine, diagonal))
    mine, theirs, diagonal = mine[order], theirs[order], diagonal[order]
    begins = np.flatnonzero(np.r_[True, (np.diff(diagonal) != 0) | (np.diff(mine) != 1)])
    ends = np.r_[begins[1:], len(mine)]
    found = [(int(mine[x]), int(theirs[x]), int(y - x) + least - 1) for x, y in zip(begins, ends, strict=True)]
    return sorted(each for each in found if np.array_equal(a.points[each[0] : each[0] + each[2]], b.points[each[1] : each[1] + each[2]]))
