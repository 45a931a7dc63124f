"""What an enterprise is, told by its own title and overview: named (专精特新) or by its numbers of people and revenue.

Precision first: what a clause says of suppliers or customers does not count, and without numbers nothing is concluded from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from service import lexicon
from service.model import Submission
from service.quantities import Quantity, fold, quantities
from service.text import sentences

_CLAUSE = re.compile(r"[^，。；！？,;!?\n]+")
_NEAR = 12  # characters before a number in which its name stands
_THOUSANDS = re.compile(r"[0-9][ ]\Z")  # 2 160人: the figure begins further left

Span = tuple[int, int]


class Place(NamedTuple):
    """The sentence that shows a fact, and the words in it that do."""

    start: int
    end: int
    terms: tuple[str, ...]


def find(submission: Submission, names: Sequence[str]) -> Place | None:
    """Where the first of the named facts of service/lexicon/facts.toml is shown; None where none is."""
    known = lexicon.load("facts")
    for name in names:
        fact = known[name]
        spans = tuple(_spans(submission, fact["where"]))
        shown = _named(submission.text, spans, fact) if "words" in fact else _numbered(submission.text, spans, fact)
        if shown is not None:
            return shown
    return None


def _spans(submission: Submission, where: Sequence[str]) -> Iterator[Span]:
    if "title" in where and submission.title is not None:
        yield submission.title.start, submission.title.end
    keys = [key for key in where if key != "title"]
    yield from ((section.body_start, section.end) for section in submission.named(*keys))


def _named(text: str, spans: Sequence[Span], fact: Mapping[str, Any]) -> Place | None:
    """The sentence in which one of the words stands, in a clause that takes nothing back."""
    for start, end in spans:
        for left, right in sentences(text, start, end):
            for clause in _CLAUSE.finditer(text, left, right):
                said = clause[0]
                found = tuple(word for word in fact["words"] if word in said)
                if found and not any(word in said for word in fact.get("unless", ())):
                    return Place(left, right, found)
    return None


def _numbered(text: str, spans: Sequence[Span], fact: Mapping[str, Any]) -> Place | None:
    """The sentence with the number of people, where that and the revenue (if told) are below the fact's limits."""
    people = _first(text, spans, fact, name="people", units={"人", "名"})
    revenue = _first(text, spans, fact, name="revenue", units={"元", "人民币元"})
    if people is None or people.value >= fact["people_below"]:
        return None
    if people.value >= fact["people_alone_below"] and revenue is None:
        return None
    if revenue is not None and revenue.value >= fact["revenue_below"]:
        return None
    for start, end in spans:
        for left, right in sentences(text, start, end):
            if left <= people.start < right:
                return Place(left, right, (text[people.start : people.end],))
    return None


def _first(text: str, spans: Sequence[Span], fact: Mapping[str, Any], *, name: str, units: set[str]) -> Quantity | None:
    """The largest number of these units whose clause names it so and not otherwise."""
    folded = fold(text)
    found: list[Quantity] = []
    for start, end in spans:
        for quantity in quantities(folded, start, end):
            if quantity.base not in units or _THOUSANDS.search(folded, max(start, quantity.start - 2), quantity.start):
                continue
            before = re.split(r"[，。；,;\n]", folded[max(start, quantity.start - _NEAR) : quantity.start])[-1]
            after = folded[quantity.end : quantity.end + 4]
            named = any(word in before or after.startswith(word) for word in fact[f"{name}_words"])
            if named and not any(word in before for word in fact[f"{name}_unless"]):
                found.append(quantity)
    return max(found, key=lambda quantity: quantity.value, default=None)
