"""Automatic numbers as Word prints them, computed from numbering.xml (ECMA-376 17.9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from service.parse.docx_format import W, is_on, to_int
from service.parse.docx_numformat import print_number
from service.parse.docx_symbols import plain_symbols

_VAL: Final = W + "val"
_PLACE: Final = re.compile(r"%([1-9])")
_LEVELS: Final = 9
_MC: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_FORMAT_MAX: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class NumberLevel:
    start: int = 1
    number_format: str = "decimal"
    custom: str | None = None
    text: str = ""
    restart: int | None = None  # 0 never; n: after a paragraph of level n (from 1) or above
    legal: bool = False  # isLgl: all numbers as decimals
    style: str | None = None  # the paragraph style linked with this level


@dataclass(slots=True)
class _Abstract:
    levels: dict[int, NumberLevel]
    style_link: str | None = None  # this is the definition of that numbering style
    num_style_link: str | None = None  # the definition is that of that numbering style


@dataclass(slots=True)
class _Number:
    abstract: str
    starts: dict[int, int] = field(default_factory=dict)
    levels: dict[int, NumberLevel] = field(default_factory=dict)


def _level(element: etree._Element) -> NumberLevel:
    start, number_format, custom, text, restart, legal, style = 1, "decimal", None, "", None, False, None
    for child in element:
        tag = child.tag
        if tag == W + "start":
            start = to_int(child.get(_VAL)) or 0
        elif tag == W + "numFmt":
            number_format, custom = child.get(_VAL) or "decimal", child.get(W + "format")
        elif tag == _MC + "AlternateContent":  # newer formats stand in a Choice: <w:numFmt w:val="custom" w:format="001, …"/>
            choice = child.find(f"{_MC}Choice/{W}numFmt")
            if choice is not None:
                number_format, custom = choice.get(_VAL) or "decimal", choice.get(W + "format")
        elif tag == W + "lvlText":
            text = child.get(_VAL) or ""
        elif tag == W + "lvlRestart":
            restart = to_int(child.get(_VAL))
        elif tag == W + "isLgl":
            legal = is_on(child)
        elif tag == W + "pStyle":
            style = child.get(_VAL)
    return NumberLevel(start, number_format, custom, text, restart, legal, style)


def _levels(element: etree._Element) -> dict[int, NumberLevel]:
    found: dict[int, NumberLevel] = {}
    for child in element.findall(W + "lvl"):
        index = to_int(child.get(W + "ilvl"))
        if index is not None and 0 <= index < _LEVELS:
            found[index] = _level(child)
    return found


def _link(element: etree._Element, name: str) -> str | None:
    child = element.find(W + name)
    return child.get(_VAL) if child is not None else None


def _number(element: etree._Element) -> _Number:
    number = _Number(_link(element, "abstractNumId") or "")
    for override in element.findall(W + "lvlOverride"):
        index = to_int(override.get(W + "ilvl"))
        if index is None:
            continue
        start = override.find(W + "startOverride")
        value = to_int(start.get(_VAL)) if start is not None else None
        if value is not None:
            number.starts[index] = value
        level = override.find(W + "lvl")
        if level is not None:
            number.levels[index] = _level(level)
    return number


class Numbering:
    """Counts as the paragraphs go by: `label` must be asked once for each numbered paragraph, in document order."""

    __slots__ = ("_abstracts", "_counters", "_numbers", "_started", "_style_numbers")

    def __init__(self, root: etree._Element | None, style_number: Callable[[str | None], str | None]) -> None:
        """`style_number` gives the numId of a numbering style."""
        self._abstracts: dict[str, _Abstract] = {}
        self._numbers: dict[str, _Number] = {}
        self._counters: dict[str, list[int | None]] = {}
        self._started: set[str] = set()
        self._style_numbers = style_number
        for child in () if root is None else root:
            if child.tag == W + "abstractNum":
                key = child.get(W + "abstractNumId") or ""
                self._abstracts[key] = _Abstract(_levels(child), _link(child, "styleLink"), _link(child, "numStyleLink"))
            elif child.tag == W + "num":
                self._numbers[child.get(W + "numId") or ""] = _number(child)

    def _abstract(self, number: _Number) -> tuple[str, _Abstract] | None:
        """The definition behind a number, numbering styles followed."""
        key = number.abstract
        for _ in range(4):
            abstract = self._abstracts.get(key)
            if abstract is None:
                return None
            if abstract.levels or not abstract.num_style_link:
                return key, abstract
            linked = self._numbers.get(self._style_numbers(abstract.num_style_link) or "")
            named = next(
                (name for name, item in self._abstracts.items() if item.style_link == abstract.num_style_link and item.levels), None
            )
            if linked is not None and linked.abstract != key:
                key = linked.abstract
            elif named is not None:
                key = named
            else:
                return None
        return None

    def level_of_style(self, number_id: str, style: str | None) -> int:
        """The level that a paragraph style is linked with; 0 where none says so."""
        number = self._numbers.get(number_id)
        found = self._abstract(number) if number else None
        if number is None or found is None:
            return 0
        levels = {**found[1].levels, **number.levels}
        return next((index for index, level in sorted(levels.items()) if level.style is not None and level.style == style), 0)

    def label(self, number_id: str, index: int) -> tuple[str, bool] | None:
        """The printed number and whether it is a bullet; None where the paragraph has no number after all."""
        number = self._numbers.get(number_id)
        found = self._abstract(number) if number else None
        if number is None or found is None or not 0 <= index < _LEVELS:
            return None
        key, abstract = found
        levels = {**abstract.levels, **number.levels}
        level = levels.get(index)
        if level is None:
            return None
        counters = self._count(key, number_id, number, levels, index)
        if level.number_format == "bullet":
            return plain_symbols(level.text).strip() or "•", True
        return _print(level, levels, counters), False

    def _count(self, key: str, number_id: str, number: _Number, levels: dict[int, NumberLevel], index: int) -> list[int | None]:
        counters = self._counters.setdefault(key, [None] * _LEVELS)
        if number_id not in self._started:
            # An overridden start takes effect once, at the level where its number is first met; levels above go on.
            self._started.add(number_id)
            if index in number.starts:
                counters[index] = None
        current = counters[index]
        start = number.starts.get(index, levels[index].start)
        counters[index] = start if current is None else min(current + 1, _FORMAT_MAX)
        for deeper in range(index + 1, _LEVELS):
            restart = levels[deeper].restart if deeper in levels else None
            if index < (deeper if restart is None else restart):
                counters[deeper] = None
        return counters


def _print(level: NumberLevel, levels: dict[int, NumberLevel], counters: list[int | None]) -> str:
    def place(match: re.Match[str]) -> str:
        index = int(match[1]) - 1
        shown = levels.get(index) or NumberLevel()
        value = counters[index]
        number_format = "decimal" if level.legal and shown.number_format != "none" else shown.number_format
        return print_number(shown.start if value is None else value, number_format, custom=shown.custom)

    return _PLACE.sub(place, level.text).strip() if level.number_format != "none" else _PLACE.sub("", level.text).strip()
