"""Lines to paragraphs, across line, column and page ends, for text with first-line indents and for text with space between paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from service.model import Alignment
from service.parse.blocks import is_caption
from service.parse.pdf_lines import Line, is_wide

_MARK = re.compile(
    r"第[一二三四五六七八九十百0-9]+[章节篇部分条]|[一二三四五六七八九十]{1,3}[、．.]|[（(][一二三四五六七八九十0-9]{1,3}[）)]|[0-9]{1,2}(?:\.[0-9]{1,2}){0,3}[、．.\s）)]"
    r"|[0-9]{1,2}(?:\.[0-9]{1,2}){1,3}(?=[^0-9.%％])|[a-zA-Z][)）]|[①-⑳]|[•·●◆■□▪➢★\uf0b7]"
)
_ENDED = re.compile(r"[。！？!?；;：:…][”’」』）)]*$")
_OPENING = "（(“‘「『《〈【[{〔"
_LEADERS = re.compile(r"(?:[.．·…‥。]\s*){4,}[0-9ivxIVX]+$")
_WORD_BREAK = re.compile(r"[A-Za-z]{2}-$")


@dataclass(frozen=True, slots=True)
class Style:
    """What is usual in the document's running text."""

    size: float
    pitch: float  # baseline to baseline within a paragraph
    indented: bool  # paragraphs begin with an indent
    bold: bool
    font: str | None


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    lines: tuple[Line, ...]

    @property
    def page(self) -> int:
        return self.lines[0].page

    @property
    def size(self) -> float:
        return self.lines[0].size

    @property
    def bold(self) -> bool:
        return sum(line.bold for line in self.lines) * 2 > len(self.lines)

    @property
    def font(self) -> str | None:
        return Counter(line.font for line in self.lines).most_common(1)[0][0]

    @property
    def alignment(self) -> Alignment | None:
        """None where one line fills its column: it may be centred, justified or neither."""
        if all(centred(line) for line in self.lines[-1:]) and all(centred(line) or full(line, None) for line in self.lines):
            return "center"
        if len(self.lines) == 1 and full(self.lines[0], None):
            return None
        return "justify" if len(self.lines) > 2 and all(full(line, None) for line in self.lines[:-1]) else "left"

    @property
    def indent(self) -> float | None:
        return round(self.lines[0].x0 - self.lines[1].x0, 1) if len(self.lines) > 1 else None


def style_of(lines: Sequence[Line]) -> Style:
    """What is usual, by the majority of characters."""
    sizes: Counter[float] = Counter()
    fonts: Counter[str | None] = Counter()
    for line in lines:
        sizes[round(line.size * 2) / 2] += len(line.text)
    size = sizes.most_common(1)[0][0] if sizes else 12.0
    body = [line for line in lines if abs(line.size - size) < 0.08 * size]
    for line in body:
        fonts[line.font] += len(line.text)
    bold = sum(len(line.text) for line in body if line.bold) * 2 > sum(len(line.text) for line in body)
    return Style(size, _pitch(body, size), _indented(body, size), bold, fonts.most_common(1)[0][0] if fonts else None)


def _pitch(body: Sequence[Line], size: float) -> float:
    """The usual distance of neighbouring lines of running text where the first of the two is full."""
    steps = Counter(
        round((after.y - before.y) * 2) / 2
        for before, after in pairwise(body)
        if before.page == after.page and 0.9 * size < after.y - before.y < 3.2 * size and full(before, after)
    )
    return steps.most_common(1)[0][0] if steps else 1.6 * size


def _indented(body: Sequence[Line], size: float) -> bool:
    """Whether paragraphs begin with an indent: lines set in by one to three characters that a line at the margin follows."""
    starts = sum(
        1
        for line, after in pairwise(body)
        if 0.9 * size < line.x0 - line.left < 3.2 * size and after.x0 - after.left < 0.5 * size and full(line, after)
    )
    return starts >= 2 and starts * 30 >= len(body)


def full(line: Line, after: Line | None) -> bool:
    """Whether a line ends for want of room: what the next line begins with would not have fitted."""
    room = line.right - line.x1
    return room < (lead(after) if after is not None else line.size) + 0.7 * line.size


def lead(line: Line) -> float:
    """The width of what cannot be parted from the next line's first character."""
    text = line.text[:40]
    units = 0.0
    index = 0
    while index < len(text) and text[index] in _OPENING:
        units += 1
        index += 1
    if index < len(text) and is_wide(text[index]):
        units += 1
        index += 1
    else:
        while index < len(text) and not is_wide(text[index]) and not text[index].isspace():
            units += 0.55
            index += 1
    closed = index
    while index < len(text) and text[index] in "，。；：！？、）》】”’％":
        units += 1
        index += 1
    while closed < index < len(text) and not is_wide(text[index]) and not text[index].isspace():
        units += 0.55  # LibreOffice parts no Latin word from the mark before it
        index += 1
    return units * line.size


def centred(line: Line) -> bool:
    """Whether a line stands in the middle between the margins, clearly away from both; an indented line that ends early does not."""
    room = min(line.x0 - line.left, line.right - line.x1)
    clear = max(1.2 * line.size, 0.09 * (line.right - line.left))
    return room > clear and abs((line.x0 - line.left) - (line.right - line.x1)) < max(1.2 * line.size, 0.12 * room)


def paragraphs_of(lines: Iterable[Line], style: Style) -> list[Paragraph]:
    """Lines in reading order to paragraphs."""
    out: list[list[Line]] = []
    for line in lines:
        if not line.text:
            continue
        if out and _continues(out[-1], line, style):
            out[-1].append(line)
        else:
            out.append([line])
    return [Paragraph(_text(group), tuple(group)) for group in out]


def _continues(group: Sequence[Line], line: Line, style: Style) -> bool:
    """Whether a line goes on with the paragraph before it."""
    before = group[-1]
    if _LEADERS.search(before.text) or _LEADERS.search(line.text) or is_caption(before.text):
        return False
    if abs(before.size - line.size) > (0.25 if line.recognised else 0.08) * max(before.size, line.size) or _emphasis_changes(before, line):
        return False
    step = line.y - before.y
    neighbours = before.page == line.page and step > 0
    if neighbours and step > _most_step(group, style):
        return False
    if centred(line) or (centred(before) and not full(before, line)):
        return neighbours and _wrapped_title(before, line, style)
    if not full(before, line) and not _ragged(before, line, style):
        return False
    if _MARK.match(line.text) and (_ENDED.search(before.text) or line.x0 > line.left + 0.9 * style.size):
        return False
    return not _begins(group, line, style)


def _most_step(group: Sequence[Line], style: Style) -> float:
    """The largest baseline distance inside this paragraph."""
    last = group[-1]
    usual = style.pitch * max(1.0, last.size / style.size)
    if len(group) > 1 and group[-2].page == last.page and last.y > group[-2].y:
        usual = max(last.y - group[-2].y, 0.8 * usual)
    return 1.25 * usual + 0.5


def _emphasis_changes(before: Line, line: Line) -> bool:
    """Whether one of two lines is bold throughout and the other nowhere."""
    marks = [{run.bold for run in each.runs if run.text.strip()} for each in (before, line)]
    return all(len(mark) == 1 for mark in marks) and marks[0] != marks[1]


def _wrapped_title(before: Line, line: Line, style: Style) -> bool:
    """Whether two centred lines are one heading that did not fit a line."""
    if not (centred(line) and (centred(before) or full(before, line))):
        return False
    wide = before.x1 - before.x0 > 0.55 * (before.right - before.left)
    return wide and (before.size > 1.1 * style.size or (before.bold and not style.bold)) and not _MARK.match(line.text)


def _ragged(before: Line, line: Line, style: Style) -> bool:
    """Whether a line that ends a little early goes on: where paragraphs have indents, the next one has none and no sentence has ended."""
    room = before.right - before.x1
    at_margin = abs(line.x0 - line.left) < 0.5 * style.size
    return style.indented and at_margin and room < 6 * style.size and not _ENDED.search(before.text) and not _MARK.match(line.text)


def _begins(group: Sequence[Line], line: Line, style: Style) -> bool:
    """Whether a line after a full line begins a paragraph, by its indent."""
    before = group[-1]
    if line.x0 - line.left <= 0.9 * style.size:
        return False
    if _MARK.match(group[0].text) and not _ENDED.search(before.text):
        return False  # hangs under its mark
    if len(group) == 1 and abs(line.x0 - before.x0) < 0.5 * style.size:
        # Both set in: two paragraphs where the text has first-line indents and a sentence has ended, else a block set in as a whole.
        return style.indented and bool(_ENDED.search(before.text))
    return line.x0 - before.x0 > 0.9 * style.size


def _text(lines: Sequence[Line]) -> str:
    text = lines[0].text
    for line in lines[1:]:
        text = _joined(text, line.text)
    return text


def _joined(text: str, after: str) -> str:
    """Two lines of a paragraph: nothing at a Chinese character, a blank between words, a hyphenated word whole."""
    if is_wide(text[-1]) or is_wide(after[0]):
        return text + after
    if _WORD_BREAK.search(text) and after[0].islower():
        return text[:-1] + after
    if text[-1] in "-/(" or after[0] in ",.;:)%/-":
        return text + after
    return f"{text} {after}"
