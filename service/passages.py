"""Where a text is cut for comparison: passages of some sentences for the search for candidates, sentences for the alignment."""

from __future__ import annotations

from collections.abc import Sequence

from service.model import Block, Section

Span = tuple[int, int]


def cut(text: str, sections: Sequence[Section] = (), blocks: Sequence[Block] = ()) -> list[Span]:
    """Sentence groups of about 100 to 250 字 that overlap by a sentence, never across a heading or a section."""
    raise NotImplementedError
