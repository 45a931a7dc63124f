"""Documents from plain dicts. Not in conftest.py: folders of tests have their own, and the name would mean whichever came last."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from service.model import Document, Heading, Layout, PageSetup, Section, SectionSpec, Submission, Title
from service.parse.blocks import Builder, CellText
from service.text import words

Case = Mapping[str, Any]

_CHINESE = "一二三四五六七八九十"
# Printed numbers: pattern, form, level where the block does not say one.
_NUMBERS = (
    (re.compile(r"第([一二三四五六七八九十]+|\d+)(?:部分|章)"), "第一部分", 1),
    (re.compile(r"([一二三四五六七八九十]+)、"), "一、", 1),
    (re.compile(r"[（(]([一二三四五六七八九十]+)[）)]"), "（一）", 2),
    (re.compile(r"\d+\.\d+\.(\d+)(?!\d)"), "1.1.1", 3),
    (re.compile(r"\d+\.(\d+)(?!\d)"), "1.1", 2),
    (re.compile(r"(\d+)[.．、]"), "1.", 3),
    (re.compile(r"(\d+)(?=\s)"), "1", 1),
    (re.compile(r"[（(](\d+)[）)]"), "（1）", 4),
    (re.compile(r"([①-⑩])"), "①", 5),
)
_BLOCK_KINDS = ("heading", "paragraph", "list", "caption", "note", "toc")


def _value(number: str) -> int:
    if number.isdigit():
        return int(number)
    if "①" <= number <= "⑩":
        return ord(number) - ord("①") + 1
    tens, ten, ones = number.rpartition("十")
    if not ten:
        return _CHINESE.index(number) + 1
    return (_CHINESE.index(tens) + 1 if tens else 1) * 10 + (_CHINESE.index(ones) + 1 if ones else 0)


def _numbered(printed: str) -> tuple[str, str, int | None, int]:
    """Label, form, number and the level that the form suggests."""
    for pattern, form, level in _NUMBERS:
        if match := pattern.match(printed):
            return match[0], form, _value(match[1]), level
    return "", "", None, 1


@cache
def edition_specs(edition: str) -> tuple[SectionSpec, ...]:
    from service import rulebook

    return rulebook.load(edition).sections


class _Writer:
    """Adds the blocks of a case; remembers headings."""

    def __init__(self) -> None:
        self.builder = Builder()
        self.headings: list[Heading] = []

    @property
    def count(self) -> int:
        return len(self.builder.blocks)

    @property
    def length(self) -> int:
        return len(self.builder.text)

    def block(self, block: str | Case) -> tuple[int, int]:
        if isinstance(block, str):
            return self.builder.add(block)
        layout = Layout(**block["layout"]) if "layout" in block else None
        if "table" in block:
            cells = [CellText(r, c, str(text)) for r, row in enumerate(block["table"]) for c, text in enumerate(row)]
            placed = self.builder.add_table(cells, layout=layout, page=block.get("page"))
            return placed[0].start, placed[-1].end
        if block.get("figure"):
            self.builder.add_figure(layout=layout, page=block.get("page"))
            return self.length, self.length
        kind = next(kind for kind in _BLOCK_KINDS if kind in block)
        if kind == "heading":
            return self.heading(block, layout=layout)
        return self.builder.add(
            block[kind], kind=kind, level=block.get("level"), label=block.get("label", ""), layout=layout, page=block.get("page")
        )

    def heading(self, block: Case, *, layout: Layout | None) -> tuple[int, int]:
        text, automatic = block["heading"], block.get("label", "")
        label, form, number, level = _numbered(automatic or text)
        level = block.get("level", level)
        start, end = self.builder.add(text, kind="heading", level=level, label=automatic, layout=layout, page=block.get("page"))
        plain = text if automatic else text[len(label) :].strip()
        self.headings.append(Heading(self.count - 1, level, label, form, number, plain, start, end))
        return start, end


def _section(writer: _Writer, case: Case) -> Section:
    first, offset = writer.count, writer.length + (1 if writer.count else 0)
    heading = case.get("heading")
    body = offset
    printed = None
    if heading is not None:
        block = {"heading": heading, "level": 1} if isinstance(heading, str) else {"level": 1, **heading}
        _, body = writer.block(block)
        printed = block.get("label", "") + block["heading"]
        body += 1 if case.get("blocks") else 0
    for item in case.get("blocks", ()):
        writer.block(item)
    text = writer.builder.text
    return Section(case["key"], printed, offset, body, len(text), words(text[body:]), tuple(range(first, writer.count)))


def _title(writer: _Writer, case: Case) -> Title | None:
    if not case.get("title"):
        return None
    layout = Layout(**case["title_layout"]) if "title_layout" in case else None
    start, end = writer.builder.add(case["title"], kind="title", layout=layout)
    return Title(case["title"], start, end, writer.count - 1)


def make_submission(case: Case) -> Submission:
    """A submission from a plain dict.

    Keys: title, title_layout, organisation, edition ("2022-hebei"), before and after (blocks outside the write-up), sections (key,
    heading, blocks), page (width, height) or a list of them, layout_known (true), missing (default: required sections that are not
    there), format, is_writeup, margins (page headers, footers, watermarks). A block is a str (a paragraph) or a mapping with one of
    heading (+ level), paragraph, list, caption, note, toc, table (rows), figure (true), and besides layout, label, level, page.
    """
    writer = _Writer()
    for block in case.get("before", ()):
        writer.block(block)
    writer.headings.clear()
    begin = writer.length + (1 if writer.count else 0)
    title = _title(writer, case)
    sections = tuple(_section(writer, section) for section in case.get("sections", ()))
    end = writer.length
    headings = tuple(writer.headings)
    for block in case.get("after", ()):
        writer.block(block)
    pages = case.get("page", {"width": 210, "height": 297})
    specs = edition_specs(case.get("edition", "2022-hebei"))
    present = {section.key for section in sections}
    missing = case.get("missing", [spec.key for spec in specs if spec.required and spec.key not in present])
    document = Document(
        "样例.docx",
        "0" * 64,
        case.get("format", "docx"),
        writer.builder.text,
        writer.builder.blocks,
        pages=case.get("pages"),
        page_setups=tuple(PageSetup(**page) for page in ([pages] if isinstance(pages, Mapping) else pages)),
        layout_known=case.get("layout_known", True),
        margins=tuple(case.get("margins", ())),
    )
    return Submission(
        document, title, case.get("organisation"), sections, headings, tuple(missing), specs, begin, end, case.get("is_writeup", True)
    )
