"""What each paragraph of a PDF is: title, heading and its level, contents, body. By size, weight, number, isolation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.model import BlockKind
from service.parse.blocks import is_caption
from service.parse.pdf_paragraphs import Paragraph, Style

_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("part", re.compile(r"第[一二三四五六七八九十百0-9]+(?:章|篇|部分)")),
    ("section", re.compile(r"第[一二三四五六七八九十百0-9]+节")),
    ("一、", re.compile(r"[一二三四五六七八九十]{1,3}[、．.]")),
    ("（一）", re.compile(r"[（(][一二三四五六七八九十]{1,3}[）)]")),
    ("1.1.1.1", re.compile(r"[0-9]{1,2}(?:[.．][0-9]{1,2}){3}(?![0-9%％])")),
    ("1.1.1", re.compile(r"[0-9]{1,2}(?:[.．][0-9]{1,2}){2}(?![0-9%％])")),
    ("1.1", re.compile(r"[0-9]{1,2}[.．][0-9]{1,2}(?![0-9%％])(?=\s*[^\s0-9A-Za-z])")),
    ("1.", re.compile(r"[0-9]{1,2}(?:[.．、](?![0-9])|\s+(?=[\u4e00-\u9fff]))")),
    ("（1）", re.compile(r"[（(][0-9]{1,2}[）)]|[0-9]{1,2}[）)]")),
    ("①", re.compile(r"[①-⑳]")),
)
_RANK = {"part": 0, "section": 1, "一、": 2, "（一）": 3, "1.": 4, "1.1": 5, "1.1.1": 6, "1.1.1.1": 7, "（1）": 8, "①": 9}
_STRONG = {"part", "section", "一、", "（一）"}
_DECIMAL = {"1.1", "1.1.1", "1.1.1.1"}
_LEADERS = re.compile(r"(?:[.．·…‥]\s*){4,}[0-9ivxIVX]+$")
_CONTENTS = re.compile(r"目\s*[录次]|contents", re.IGNORECASE)
_SENTENCE = re.compile(r"[。；;！!？?，,：:]$")
_INNER = re.compile(r"[。；！？]")
_BLACK = re.compile(r"hei|黑体|gothic|sans.*bold|xiaobiaosong|小标宋", re.IGNORECASE)
_LONGEST = 50
_COVER_LINES = 14


@dataclass(frozen=True, slots=True)
class Role:
    kind: BlockKind
    level: int | None = None


def roles_of(paragraphs: Sequence[Paragraph], style: Style) -> list[Role]:
    """One role a paragraph."""
    contents = _contents(paragraphs)
    title = _title(paragraphs, style, contents)
    apart = title | contents | _cover(paragraphs)
    headings = {index: paragraph for index, paragraph in enumerate(paragraphs) if index not in apart and _is_heading(paragraph, style)}
    levels = _levels(headings)
    out: list[Role] = []
    for index in range(len(paragraphs)):
        if index in contents:
            out.append(Role("toc"))
        elif index in title:
            out.append(Role("title"))
        elif index in levels:
            out.append(Role("heading", levels[index]))
        else:
            out.append(Role("paragraph"))
    return out


def form_of(text: str) -> str:
    """The kind of number that a line begins with, or ""."""
    return next((name for name, pattern in _FORMS if pattern.match(text)), "")


def _contents(paragraphs: Sequence[Paragraph]) -> set[int]:
    """Lines with leaders and a page number, and the heading 目录 above them."""
    lines = {index for index, paragraph in enumerate(paragraphs) if _LEADERS.search(paragraph.text)}
    if len(lines) < 3:
        return set()
    heads = {index for index in range(min(lines)) if _CONTENTS.fullmatch(paragraphs[index].text.strip())}
    return lines | heads


def _cover(paragraphs: Sequence[Paragraph]) -> set[int]:
    """The paragraphs of a first page that holds a few short lines alone: title, organisation, date; its large lines are no headings."""
    first = [index for index, paragraph in enumerate(paragraphs) if paragraph.page == 1]
    short = all(len(paragraphs[index].text) <= _LONGEST and form_of(paragraphs[index].text) not in _STRONG for index in first)
    return set(first) if short and len(first) <= _COVER_LINES and len(first) < len(paragraphs) else set()


def _stands_out(paragraph: Paragraph, style: Style) -> bool:
    if paragraph.lines[0].recognised:
        return paragraph.size > 1.35 * style.size or (paragraph.bold and not style.bold)
    black = bool(_BLACK.search(paragraph.font or "")) and not _BLACK.search(style.font or "")
    return paragraph.size > 1.08 * style.size or (paragraph.bold and not style.bold) or black


def _is_heading(paragraph: Paragraph, style: Style) -> bool:
    text = paragraph.text
    if len(text) > _LONGEST or len(paragraph.lines) > 3 or _INNER.search(text) or _SENTENCE.search(text) or is_caption(text):
        return False
    if not re.search(r"[\u4e00-\u9fffA-Za-z]{2}", text) or paragraph.size < 0.92 * style.size:
        return False
    form = form_of(text)
    if _stands_out(paragraph, style):
        return True
    return len(paragraph.lines) == 1 and (form in _STRONG or (form in _DECIMAL and len(text) <= 30))


def _levels(headings: Mapping[int, Paragraph]) -> dict[int, int]:
    """Levels from 1: number forms by their usual order; headings without number above smaller numbered ones, else beside the first."""
    forms = {index: form_of(paragraph.text) for index, paragraph in headings.items()}
    order = sorted({form for form in forms.values() if form}, key=lambda form: _RANK[form])
    largest = max((headings[index].size for index, form in forms.items() if form), default=0.0)
    above = {index for index, form in forms.items() if not form and headings[index].size > 1.05 * largest}
    first = 2 if above and order else 1
    return {index: (first + order.index(form) if form else 1 if index in above else first) for index, form in forms.items()}


def _even(paragraph: Paragraph) -> bool:
    """Whether the first line fills its column or stands in its middle."""
    line = paragraph.lines[0]
    return abs((line.x0 - line.left) - (line.right - line.x1)) < line.size


def _title(paragraphs: Sequence[Paragraph], style: Style, contents: set[int]) -> set[int]:
    """The largest centred lines before the running text begins."""
    candidates: list[int] = []
    for index, paragraph in enumerate(paragraphs[:60]):
        if paragraph.page > 3 or len(paragraph.text) > 120:
            break
        if index in contents or _CONTENTS.fullmatch(paragraph.text) or _SENTENCE.search(paragraph.text):
            continue
        if form_of(paragraph.text) in _STRONG:
            break
        large = paragraph.size > (1.2 if paragraph.lines[0].recognised else 1.1) * style.size
        middle = paragraph.alignment == "center" or _even(paragraph)
        standing = paragraph.alignment == "center" and _stands_out(paragraph, style)
        if (large and middle) or paragraph.size > 1.4 * style.size or standing:
            candidates.append(index)
    if not candidates:
        return set()
    largest = max(paragraphs[index].size for index in candidates)
    return {index for index in candidates if paragraphs[index].size > 0.95 * largest}
