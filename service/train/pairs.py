"""Natural pairs for contrastive training: neighbours in a text, a heading and what stands under it, a text and its revision by rule.

Public sentence pairs and real revisions are kept for measuring and are never read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from service.train import corpora

Pair = tuple[str, str]
_CLAUSE = re.compile(r"[^，,。；;！!？?]+[，,。；;！!？?]*")
_SENTENCE = re.compile(r"[^。；;！!？?]+[。；;！!？?]*")
_NUMBER = re.compile(r"[0-9]+")
_SHORTEST = 10  # characters of a side
_LONGEST = 160


def neighbours(lines: Sequence[str], random: np.random.Generator, count: int) -> Iterator[Pair]:
    """`count` pairs from one source: a paragraph and the next, or the two halves of a paragraph cut at the end of a sentence or clause."""
    usable = [row for row in range(len(lines) - 1) if len(lines[row]) >= _SHORTEST]
    if not usable:
        return
    for row in random.choice(usable, size=count, replace=count > len(usable)):
        text, following = lines[row], lines[row + 1]
        pieces = [piece for piece in _SENTENCE.findall(text) if piece.strip()] or [text]
        if len(pieces) == 1:
            pieces = _CLAUSE.findall(text) or [text]
        if len(pieces) > 1 and random.random() < 0.5:
            cut = int(random.integers(1, len(pieces)))
            yield _pair("".join(pieces[:cut])[-_LONGEST:], "".join(pieces[cut:])[:_LONGEST])
        elif len(following) >= _SHORTEST:
            yield _pair(text[:_LONGEST], following[:_LONGEST])


def _pair(first: str, second: str) -> Pair:
    return first.strip(), second.strip()


def revised(text: str, random: np.random.Generator) -> str:
    """The text as an editor might leave it: clauses dropped or swapped, some characters lost, numbers changed."""
    clauses = _CLAUSE.findall(text) or [text]
    if len(clauses) > 2 and random.random() < 0.5:
        del clauses[int(random.integers(len(clauses)))]
    if len(clauses) > 1 and random.random() < 0.5:
        place = int(random.integers(len(clauses) - 1))
        clauses[place], clauses[place + 1] = clauses[place + 1], clauses[place]
    joined = "".join(clauses)
    if random.random() < 0.5:
        joined = _NUMBER.sub(lambda match: str(int(random.integers(1, 10 ** min(len(match[0]), 6)))), joined)
    start = int(random.integers(max(len(joined) - 4, 1)))
    return joined[:start] + joined[start + int(random.integers(1, 5)) :]


def revisions(lines: Sequence[str], random: np.random.Generator, count: int) -> Iterator[Pair]:
    """`count` pairs of a paragraph and its revision by rule."""
    usable = [row for row, line in enumerate(lines) if len(line) >= 3 * _SHORTEST]
    for row in random.choice(usable, size=count) if usable else ():
        text = lines[row][:_LONGEST]
        yield text, revised(text, random)


def headings(focus: Path) -> Iterator[Pair]:
    """A heading or title and a paragraph under it, and paragraphs that follow each other, from the training part of our write-ups."""
    for writeup in corpora.writeups(focus):
        if writeup.split != "train":
            continue
        before = None
        for paragraph in writeup.paragraphs:
            if paragraph.kind != "paragraph" or len(paragraph.text) < _SHORTEST:
                continue
            if paragraph.heading:
                yield paragraph.heading, paragraph.text[:_LONGEST]
            if before is not None and before.section == paragraph.section:
                yield before.text[:_LONGEST], paragraph.text[:_LONGEST]
            elif paragraph.section in {"process", "abstract"}:
                yield writeup.title, paragraph.text[:_LONGEST]
            before = paragraph
