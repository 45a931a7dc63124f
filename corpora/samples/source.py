"""A sample's source, `sources/<id>.md` and `.toml`, as values (README.md gives the format)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["title", "heading", "paragraph", "bullet", "table", "figure"]

_HEADING = re.compile(r"(#{1,5}) (.+)")
_FIGURE = re.compile(r"!\[(.*)\]\(figure\)")
_RULE = re.compile(r"\|[-| :]+\|")
_MESSY = re.compile(r"\{(?:\+\+|--|>>|==|textbox\}|control\}|br\}|blank\})")

# Body text and captions as the notices ask (附件 of 2014 and 2022); the others follow the commonest habit.
BODY_SIZE: Mapping[str, float] = {"2022-hebei": 14.0}
DEFAULT_BODY_SIZE = 12.0
HEADING_SIZES: Mapping[str, tuple[float, ...]] = {"2014-miit": (18.0, 14.0, 12.0, 12.0), "2022-hebei": (16.0, 15.0, 14.0, 14.0)}
DEFAULT_HEADING_SIZES = (16.0, 14.0, 12.0, 12.0)
TITLE_SIZE = 18.0
CAPTION_SIZE = 12.0


@dataclass(frozen=True, slots=True)
class Block:
    kind: Kind
    text: str = ""  # of a table or figure: its caption, "" if it has none
    level: int = 0  # of a heading, from 1
    rows: tuple[tuple[str, ...], ...] = ()
    figure: int = 0  # from 0, in the order of the text


@dataclass(frozen=True, slots=True)
class Source:
    id: str
    edition: str
    organisation: str
    form: Mapping[str, Any]
    outputs: tuple[str, ...]
    faults: tuple[Mapping[str, str], ...]
    figures: tuple[Mapping[str, Any], ...]
    sections: tuple[str, ...]
    missing: tuple[str, ...]
    text: str
    blocks: tuple[Block, ...]

    @property
    def title(self) -> str:
        return next(block.text for block in self.blocks if block.kind == "title")

    @property
    def base(self) -> str:
        return str(self.form["base"])

    @property
    def body_size(self) -> float:
        return float(self.form.get("body_size", BODY_SIZE.get(self.edition, DEFAULT_BODY_SIZE)))

    @property
    def heading_sizes(self) -> tuple[float, ...]:
        return HEADING_SIZES.get(self.edition, DEFAULT_HEADING_SIZES)

    @property
    def captions_bold(self) -> bool:
        return self.edition == "2022-hebei"


def read(path: Path) -> Source:
    """The source whose .toml stands at `path`. ValueError where the two files do not agree."""
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    source = Source(
        id=values["id"],
        edition=values["edition"],
        organisation=values["organisation"],
        form=values["form"],
        outputs=tuple(values["outputs"]),
        faults=tuple(values.get("faults", ())),
        figures=tuple(values.get("figure", ())),
        sections=tuple(values["sections"]),
        missing=tuple(values["missing"]),
        text=text,
        blocks=tuple(_blocks(text)),
    )
    _verify(source)
    return source


def _verify(source: Source) -> None:
    drawn = sum(block.kind == "figure" for block in source.blocks)
    if drawn != len(source.figures):
        raise ValueError(f"{source.id}: {drawn} figures in the text, {len(source.figures)} described")
    if source.base != "messy" and _MESSY.search(source.text):
        raise ValueError(f"{source.id}: inline marks belong to the messy form only")
    for fault in source.faults:
        if fault["where"] not in source.text:
            raise ValueError(f"{source.id}: the text has no “{fault['where']}”")


def _blocks(text: str) -> Iterator[Block]:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    figures = 0
    position = 0
    while position < len(lines):
        line = lines[position]
        ahead = lines[position + 1] if position + 1 < len(lines) else ""
        position += 1
        if heading := _HEADING.fullmatch(line):
            level = len(heading[1]) - 1
            yield Block("heading" if level else "title", heading[2], level)
        elif figure := _FIGURE.fullmatch(line):
            yield Block("figure", figure[1], figure=figures)
            figures += 1
        elif line.startswith("|") or (line.startswith("表") and ahead.startswith("|")):
            caption = "" if line.startswith("|") else line
            start = position - 1 if line.startswith("|") else position
            position = next((i for i in range(start, len(lines)) if not lines[i].startswith("|")), len(lines))
            yield Block("table", caption, rows=tuple(_cells(row) for row in lines[start:position] if not _RULE.fullmatch(row)))
        elif line.startswith("- "):
            yield Block("bullet", line[2:])
        else:
            yield Block("paragraph", line)


def column_weights(rows: tuple[tuple[str, ...], ...]) -> list[float]:
    """Shares of the table's width, by the longest cell of each column within reason."""
    longest = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    held = [min(max(length, 4), 16) for length in longest]
    return [length / sum(held) for length in held]


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


_CHINESE = "零一二三四五六七八九十"


def printed_numbers(source: Source) -> dict[int, str]:
    """Index of a heading block -> the number that Word prints before it; empty where numbers are typed."""
    if source.base != "autonum":
        return {}
    counters = [0] * 5
    printed = {}
    for index, block in enumerate(source.blocks):
        if block.kind != "heading":
            continue
        counters[block.level - 1] += 1
        counters[block.level :] = [0] * (5 - block.level)
        printed[index] = _printed(tuple(counters[: block.level]), str(source.form["numbering"]))
    return printed


def _printed(numbers: tuple[int, ...], numbering: str) -> str:
    if numbering == "decimal":
        return ".".join(str(number) for number in numbers)
    last = numbers[-1]
    chinese = _CHINESE[last] if last <= 10 else f"十{_CHINESE[last - 10]}"
    return (f"{chinese}、", f"（{chinese}）", f"{last}.", f"（{last}）")[len(numbers) - 1]
