"""Counting and cutting text: the one definition of 字数, sentences, personal data. Never a limit, never a file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.model import Counts

# Chinese characters, full-width and Chinese punctuation: each counts as one (REPORT.md, 字数).
_WIDE_CLASS = (
    "\u00b7\u2014\u2018\u2019\u201c\u201d\u2026\u3001-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
)
_WIDE = re.compile(f"[{_WIDE_CLASS}]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_BLANK = re.compile(r"\s")
_SENTENCE_END = re.compile(r"[。！？!?；;]+[”’」』）)]*|\n+")


def words(text: str) -> int:
    """字数 as Word counts: every Chinese character and full-width mark is one, every run of other non-blank characters is one.

    The ideographic space U+3000 is blank and counts nothing.
    """
    runs, wide = _WIDE.subn(" ", text)
    return wide + len(runs.split())


def characters(text: str) -> int:
    """Characters without blanks."""
    return len(text) - len(_BLANK.findall(text))


def han(text: str) -> int:
    """Chinese characters."""
    return len(_HAN.findall(text))


def counts(text: str) -> Counts:
    """All three."""
    return Counts(words(text), characters(text), han(text))


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Spans of the sentences in text[start:end], stripped of blanks, in order; a line break ends a sentence."""
    stop = len(text) if end is None else end
    position = start
    while position < stop:
        match = _SENTENCE_END.search(text, position, stop)
        cut = match.end() if match else stop
        left, right = position, cut
        while left < right and text[left].isspace():
            left += 1
        while right > left and text[right - 1].isspace():
            right -= 1
        if left < right:
            yield left, right
        position = cut
