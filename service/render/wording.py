"""The words and cut texts that every output shows a reader."""

from __future__ import annotations

import re

from service import lexicon
from service.model import Severity, Submission

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "advice")
# Control characters, line ends and tabs apart (HTML cannot hold them, terminals obey them), and the marks that turn the direction of
# writing (a file name could hide its suffix behind one).
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_SNIPPET = 48  # characters of the text quoted with a finding


def words_for(table: str, key: str) -> str:
    """The Chinese words of a key (display.toml); the key itself where a check is so new that it has none."""
    return str(lexicon.load("display")[table].get(key, key))


def section_name(submission: Submission, key: str) -> str:
    name = submission.name_of(key)
    return words_for("sections", key) if name == key else name


def squeezed(value: str) -> str:
    return " ".join(value.split())


def printable(value: str) -> str:
    """The same text without what a page or a terminal must not get: controls, turned writing, half surrogate pairs."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", value).encode("utf-8", "replace").decode("utf-8")


def cut(value: str, most: int) -> str:
    """At most so many characters, the last one an ellipsis where something was cut off."""
    value = squeezed(value)
    return value if len(value) <= most else value[: most - 1] + "…"


def snippet(content: str, start: int, end: int, *, most: int = _SNIPPET) -> str:
    """The marked words, squeezed; of a long span its beginning and its end."""
    # Blanks fold, so a little more than twice the length on each side is enough of a section of 8,000 characters.
    if end - start <= 4 * most:
        value = squeezed(content[start:end])
        return value if len(value) <= most else f"{value[: most * 2 // 3]}……{value[-(most // 3) :]}"
    return f"{squeezed(content[start : start + 2 * most])[: most * 2 // 3]}……{squeezed(content[end - most : end])[-(most // 3) :]}"
