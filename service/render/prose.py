"""Chinese text broken into a terminal's lines: anywhere between Chinese characters, never inside a number or a Latin word, with no
closing mark at the beginning of a line and no opening one at its end. (rich breaks at blanks first, which Chinese hardly has.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.text import Text

_OPENING = "（“‘「『《〈【〔([{"
_CLOSING = "，。、；：！？…）”’」』》〉】〕,.;:!?)]}%％"
# What holds together: a Latin word or number, or one character; with the opening marks before it and the closing ones after it
# (the point of .docx closes nothing).
_UNIT = re.compile(rf"\s+|[{re.escape(_OPENING)}]*(?:[!-~À-ɏ]+|.)(?:[{re.escape(_CLOSING)}](?<!\.(?=[0-9A-Za-z])))*", re.DOTALL)

# Parts of a file's name: its ending with the dot, Latin words with the mark behind them, single characters of other writing.
_NAME_PARTS = re.compile(r"\.[0-9A-Za-z]{1,5}$|[0-9A-Za-z]+[-_/ ]?|.", re.DOTALL)
_LEAST_NAME = 12  # columns


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph for a rich console or table cell."""

    text: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in lines(self.text, options.max_width):
            yield Text(line, self.style, no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        longest = max((cell_len(line) for line in self.text.split("\n")), default=1)
        return Measurement(min(2, options.max_width), min(max(longest, 2), options.max_width))


@dataclass(frozen=True, slots=True)
class FileName:
    """A file's name for a table cell: broken where its parts end if it can be, never inside .docx."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in name_lines(self.text, options.max_width):
            yield Text(line, no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        least = max((cell_len(part) for part in _NAME_PARTS.findall(self.text)), default=1)
        return Measurement(min(least, _LEAST_NAME, options.max_width), min(max(cell_len(self.text), 1), options.max_width))


def name_lines(name: str, width: int) -> Iterator[str]:
    line = ""
    for part in _NAME_PARTS.findall(name):
        if cell_len(line) + cell_len(part) > width:
            if line:
                yield line
            *full, line = chop_cells(part, width) or [""]
            yield from full
        else:
            line += part
    yield line


def lines(text: str, width: int) -> Iterator[str]:
    """The text's lines, each at most `width` cells wide."""
    for paragraph in text.split("\n"):
        line = ""
        for unit in (match[0] for match in _UNIT.finditer(paragraph)):
            if cell_len(line) + cell_len(unit.rstrip()) <= width:
                line += unit
                continue
            if line.strip():
                yield line.rstrip()
            *full, line = chop_cells(unit.lstrip(), width) or [""]
            yield from full
        yield line.rstrip()
