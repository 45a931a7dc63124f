"""Counting and cutting text: the one definition of 字数, sentences, words. Never a limit.

Words are jieba's, and this is its only importer: at the first call of `tokens`, since its dictionary takes about a second to load.
"""

from __future__ import annotations

import atexit
import csv
import logging
import os
import re
import shutil
import stat
import tempfile
import threading
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from service.model import Counts

# Chinese characters, full-width and Chinese punctuation: each counts as one (REPORT.md, 字数).
_WIDE_CLASS = (
    "\u00b7\u2014\u2018\u2019\u201c\u201d\u2026\u3001-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
)
_WIDE = re.compile(f"[{_WIDE_CLASS}]+")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
_FIRM = 20  # times the frequency that keeps a term whole against its parts, so that its neighbours do not part it: 品牌管理|工作
_loading = threading.Lock()
_SENTENCE_END = re.compile(r"[。！？!?；;]+[”’」』）)]*|\n+")


def words(text: str) -> int:
    """字数 as Word counts: every Chinese character and full-width mark is one, every run of other non-blank characters is one.

    The ideographic space U+3000 is blank and counts nothing.
    """
    others = _WIDE.split(text)
    return len(text) - sum(map(len, others)) + len(" ".join(others).split())


def characters(text: str) -> int:
    """Characters without blanks."""
    return sum(map(len, text.split()))


def han(text: str) -> int:
    """Chinese characters."""
    return sum(map(len, _HAN.findall(text)))


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


@cache
def _folded(character: str) -> str:
    """Width and case folded, where that leaves one character; so a folded text keeps its offsets."""
    folded = unicodedata.normalize("NFKC", character).lower()
    return folded if len(folded) == 1 else character


def fold(text: str) -> str:
    """The text with width and case folded (ＦＭＥＡ, fmea), as long as it was."""
    return "".join(map(_folded, text))


@dataclass(frozen=True, slots=True)
class _Words:
    """How words are found: terms of Chinese characters alone by jieba's dictionary, all others by their own beginnings.

    jieba parts a text at blanks and slashes (GB/T 19580), and would find short Latin terms inside of words (AI in "maintain").
    """

    jieba: Any
    beginnings: dict[str, bool]  # every beginning of a term with other than Chinese characters, without blanks; True: a whole term

    def term_end(self, text: str, start: int) -> int:
        """Where the longest such term at `start` of the folded text ends; `start` if there is none. Blanks inside count nothing."""
        if text[start : start + 1] not in self.beginnings or not _parted(text, start):
            return start
        best, end, begun = start, start, ""
        while end < len(text):
            if text[end] != " ":
                begun += text[end]
                whole = self.beginnings.get(begun)
                if whole is None:
                    break
                if whole and _parted(text, end + 1):
                    best = end + 1
            end += 1
        return best


def _parted(text: str, cut: int) -> bool:
    """Whether a cut here goes through no Latin word and no number."""
    if cut <= 0 or cut >= len(text):
        return True
    before, after = text[cut - 1], text[cut]
    if before.isascii() and before.isalnum() and after.isascii() and after.isalnum():
        return False
    if after == "." and before.isdigit():
        return not text[cut + 1 : cut + 2].isdigit()
    return not (before == "." and after.isdigit() and text[max(cut - 2, 0)].isdigit())


def _private_folder(version: str) -> Path:
    """A folder that nobody else can write to: the user's cache, or one for this process alone where that cannot be written.

    jieba's own choice, a file of fixed name in the shared temporary folder, would be read from whoever put it there first.
    """
    from platformdirs import user_cache_path  # noqa: PLC0415 - with jieba, only where words are asked for

    folder = user_cache_path("biaogan", appauthor=False) / f"jieba-{version}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        ours = os.name == "nt" or (found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
        if ours and stat.S_ISDIR(found.st_mode) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    except OSError:
        pass
    private = tempfile.mkdtemp(prefix="biaogan-")
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    return Path(private)


def _names(terms: Path) -> list[str]:
    """All terms and aliases of a file with the columns `term` and `aliases` (parted by |), short ones first."""
    with terms.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not {"term", "aliases"} <= set(rows.fieldnames or ()):
            raise ValueError(f"{terms}: the columns term and aliases are missing")
        names = {fold(name).strip() for row in rows for name in (row["term"], *(row["aliases"] or "").split("|"))}
    return sorted(names - {""}, key=lambda name: (len(name), name))


@lru_cache(maxsize=2)
def _load(terms: Path | None, changed: int) -> _Words:  # noqa: ARG001 - a changed file is another key
    """Jieba's dictionary with the terms added; under the lock, once for a file."""
    names = _names(terms) if terms else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba 0.42.1 imports pkg_resources and has invalid escapes
        import jieba  # noqa: PLC0415 - see the module's docstring
    jieba.setLogLevel(logging.CRITICAL)
    found = jieba.Tokenizer()
    found.tmp_dir = str(_private_folder(jieba.__version__))
    found.initialize()
    beginnings: dict[str, bool] = {}
    for name in names:
        if _HAN.fullmatch(name):
            # Short ones stand already, so that a long one is weighed against them.
            found.add_word(name, _FIRM * found.suggest_freq(name))
            continue
        letters = name.translate(_DASHES).replace(" ", "")
        for end in range(1, len(letters)):
            beginnings.setdefault(letters[:end], False)
        beginnings[letters] = True
    return _Words(found, beginnings)


def tokens(text: str, *, terms: Path | None = None) -> Iterator[tuple[str, int, int]]:
    """The words of the text in order, as (word, start, end): width and case folded, offsets in the text as given.

    Every character stands in one word, blanks and marks too. The terms and aliases of the file `terms` come out whole, a Latin one
    only where no Latin letter or digit touches it, the longest first. Raises OSError or ValueError where that file cannot be read.
    """
    with _loading:
        found = _load(terms, terms.stat().st_mtime_ns if terms else 0)
    folded = fold(text)
    matched = folded.translate(_DASHES)
    gap = position = 0
    while position < len(text):
        end = found.term_end(matched, position)
        if end == position:
            position += 1
            continue
        yield from _plain(found.jieba, folded, gap, position)
        yield folded[position:end], position, end
        gap = position = end
    yield from _plain(found.jieba, folded, gap, len(text))


def _plain(jieba: Any, folded: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Jieba's words of folded[start:end]."""
    if start < end:
        for word in jieba.cut(folded[start:end]):
            yield word, start, start + len(word)
            start += len(word)
