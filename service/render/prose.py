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
