"""Sections found by what they say: held-out constructed write-ups with headings taken away (floors; the figures are in docs/quality.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from service import artefacts, content
from service.model import Block, Document
from service.rulebook import load
from service.segment import segment
from service.train import corpora
from service.train.corpora import Paragraph, WriteUp

FOCUS = Path(__file__).parent.parent.parent / "corpora" / "focus"
HELD_OUT = [writeup for writeup in corpora.writeups(FOCUS) if writeup.split == "test"]
REQUIRED = {"overview", "background", "process", "results"}
SAME = {"extension": "other", "lessons": "other", "abstract": "other"}  # only 2014 asks for them


def _document(title: str, paragraphs: Sequence[Paragraph]) -> Document:
    text, blocks = title, [Block("title", 0, len(title))]
    for paragraph in paragraphs:
        kind = "heading" if paragraph.kind == "heading" else "table" if paragraph.kind == "row" else paragraph.kind
        start = len(text) + 1
        text = f"{text}\n{paragraph.text}"
        blocks.append(Block(kind, start, len(text), level=2 if kind == "heading" else None))
    return Document("样例.docx", "0" * 64, "docx", text, tuple(blocks))


def _right(writeup: WriteUp, paragraphs: Sequence[Paragraph]) -> tuple[int, int, bool]:
    """Characters in the right section, all characters, and whether the missing sections are as they should be."""
    model = content.load(artefacts.MODELS / "sections")
    document = _document(writeup.title, paragraphs)
    found = segment(document, load(writeup.edition).sections, content=model)
    right = total = 0
    for block, paragraph in zip(document.blocks[1:], paragraphs, strict=True):
        if paragraph.kind != "heading":
            key = next((section.key for section in found.sections if section.start <= block.start < section.end), "other")
            wanted, given = paragraph.section, key or "other"
            if not writeup.edition.startswith("2014"):
                wanted, given = SAME.get(wanted, wanted), SAME.get(given, given)
            total += len(paragraph.text)
            right += len(paragraph.text) * (wanted == given)
    present = {paragraph.section for paragraph in paragraphs}
    return right, total, set(found.missing) & REQUIRED == REQUIRED - present


def test_every_heading_taken_away() -> None:
    rows = [_right(each, [paragraph for paragraph in each.paragraphs if paragraph.kind != "heading"]) for each in HELD_OUT]
    assert len(rows) == 10
    assert sum(right for right, _, _ in rows) / sum(total for _, total, _ in rows) >= 0.90
    assert sum(found for _, _, found in rows) >= 8


def test_as_written() -> None:
    rows = [_right(each, each.paragraphs) for each in HELD_OUT]
    assert sum(right for right, _, _ in rows) / sum(total for _, total, _ in rows) >= 0.95
    assert all(found for _, _, found in rows)


@pytest.mark.parametrize("key", ["overview", "background"])
def test_a_section_without_its_heading(key: str) -> None:
    """The heading of one section is gone, the text under it stands after the section before."""
    rows = [_right(each, [p for p in each.paragraphs if p.kind != "heading" or p.section != key]) for each in HELD_OUT]
    assert sum(right for right, _, _ in rows) / sum(total for _, total, _ in rows) >= 0.90
