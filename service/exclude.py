"""Which characters of a submission do not count as taken over: quotations, names of standards, official wording, common phrases."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from service import lexicon
from service.fingerprints import Normal, normalised, runs
from service.model import Edition, Exclusion

REASONS: tuple[Exclusion, ...] = ("quote", "common", "standard", "notice")  # by number, from 1; a later one goes before an earlier
_QUOTE = re.compile("“([^“”\n]{1,2000})”|「([^「」\n]{1,2000})」")
_NAMED = re.compile("《[^《》\n]{1,120}》")
_CODE = re.compile(
    r"(?<![A-Za-z])(?:GB|ISO|IEC|IATF|JB|QB|YY|HG|GJB|DB\d{2}|T/[A-Z]{2,10})(?:/[A-Z]{1,3})?[ \-]?(?:TS|TR)?[ ]?\d{1,6}(?:[.\-—–:]\d{1,4})*"
)
_NUMBERED = re.compile(
    r"(?:第?[一二三四五六七八九十]{1,3}(?:部分|章)?[、.．\s]|[（(][一二三四五六七八九十\d]{1,3}[）)]|\d+(?:[.．]\d+)*[、.．)）\s]?)\s*"
)
_FIGURES = re.compile(r"[^\u3400-\u9fffA-Za-z]+|[年月日]")
_CLAUSE = re.compile("[，,。；;：:]")
_APART = np.uint32(1)  # between phrases: no letter, figure or ideograph has this number


def wording(edition: Edition) -> tuple[str, ...]:
    """What write-ups of an edition have from its notice: headings, and the clauses of what it says on areas and criteria."""
    headings = [each for spec in edition.sections for each in (spec.name, spec.group or "", *spec.headings)]
    said = [*(area.wording for area in edition.areas), *(criterion.wording for criterion in edition.criteria)]
    clauses = [clause for each in said for clause in _CLAUSE.split(each)]
    return tuple(dict.fromkeys(filter(None, (*headings, *clauses, *(area.name for area in edition.areas)))))


@dataclass(frozen=True, slots=True, eq=False)
class Phrases:
    """Phrases in one row, to be looked for all at once; `ends` are where each begins and ends there."""

    row: Normal
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]


def reasons(text: str, normal: Normal, *, common: Collection[str] = (), notice: Sequence[str] = ()) -> NDArray[np.uint8]:
    """For each compared character 0 where it counts, else the number of the reason in REASONS."""
    settings = lexicon.load("match")["excluded"]
    found = np.zeros(len(normal), np.uint8)
    for match in _QUOTE.finditer(text):
        first, last = normal.between(*match.span())
        if settings["quote"] <= last - first <= settings["longest_quote"]:
            found[first:last] = 1
    _mark(found, normal, _phrases(tuple(sorted(common)), settings["phrase"]), 2)
    for pattern in (_NAMED, _CODE):
        for match in pattern.finditer(text):
            found[slice(*normal.between(*match.span()))] = 3
    _mark(found, normal, _phrases(tuple(notice), settings["phrase"]), 4)
    _mark_lines(found, text, normal, notice)
    return found


@lru_cache(maxsize=16)
def _phrases(phrases: tuple[str, ...], least: int) -> Phrases | None:
    """The phrases of at least so many characters; None where there are none."""
    pieces = [points for points in (normalised(phrase).points for phrase in phrases) if len(points) >= least]
    if not pieces:
        return None
    apart = np.array([_APART], np.uint32)
    row = np.concatenate([part for piece in pieces for part in (piece, apart)])
    sizes = np.array([len(piece) for piece in pieces], np.int64)
    ends = np.cumsum(sizes + 1) - 1
    return Phrases(Normal(row, np.arange(len(row), dtype=np.int32)), ends - sizes, ends)


def _mark(found: NDArray[np.uint8], normal: Normal, phrases: Phrases | None, number: int) -> None:
    """Marks where a whole phrase stands."""
    if phrases is None:
        return
    shortest = int((phrases.ends - phrases.begins).min())
    for start, there, length in runs(normal, phrases.row, shortest):
        at = int(np.searchsorted(phrases.ends, there, "right"))
        if there <= phrases.begins[at] and phrases.ends[at] <= there + length:
            first = start + int(phrases.begins[at]) - there
            found[first : first + int(phrases.ends[at] - phrases.begins[at])] = number


def _mark_lines(found: NDArray[np.uint8], text: str, normal: Normal, notice: Sequence[str]) -> None:
    """Marks lines that are a notice's heading, with or without a number."""
    headings = {_plain(each) for each in notice}
    start = 0
    for line in text.split("\n"):
        bare = _NUMBERED.sub("", line.strip(), count=1) if len(line) <= 60 else ""
        if bare and _plain(bare) in headings:
            found[slice(*normal.between(start, start + len(line)))] = 4
        start += len(line) + 1


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    return "".join(map(chr, normalised(text).points.tolist()))


def says_little(said: str) -> bool:
    """Years and figures with a word or two, as in the head of a table: 指标 2019年 2020年 2021年."""
    return bool(len(_FIGURES.sub("", said)) < lexicon.load("match")["excluded"]["telling"])


def excluded(said: str, marks: NDArray[np.uint8], most: float) -> Exclusion | None:
    """Why a passage whose common characters have these marks counts nothing as a whole; None where enough of it counts.

    What says little is common wording.
    """
    if says_little(said):
        return "common"
    if not len(marks) or np.count_nonzero(marks) < most * len(marks):
        return None
    return REASONS[int(np.bincount(marks)[1:].argmax())]
