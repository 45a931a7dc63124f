"""Where a text is cut for the search for candidates: passages of some sentences, each with one meaning to find it by."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from service.model import Block, Section
from service.text import sentences

Span = tuple[int, int]
_FEWEST, _MOST = 100, 250  # characters of a passage
_HEADING = 40  # characters of a line without an end mark that is taken for a heading, where nothing else tells
_BODY = frozenset(("paragraph", "list", "note"))
_ENDED = re.compile(r"[。！？!?；;…：:][”’）)》】」』\]〕]*\Z")
_WORDED = re.compile("[\u3400-\u4dbf\u4e00-\u9fffA-Za-z]")
_SAID = 20  # letters and Chinese characters of a table's row that says something


def cut(text: str, sections: Sequence[Section] = (), blocks: Sequence[Block] = ()) -> list[Span]:
    """Spans of sentence groups of about 100 to 250 characters that overlap by a sentence, in order.

    None goes across a section, or across what is left out: headings, captions, contents, and rows of a table that say little but figures.
    Without `blocks` (Document.blocks) a short line without an end mark is taken for a heading.
    """
    edges = sorted({edge for section in sections for edge in (section.start, section.body_start, section.end)})
    found: list[Span] = []
    group: list[Span] = []
    where = -1
    for start, end in _paragraphs(text, blocks):
        if start == end:
            found += _grouped(group)
            group = []
            continue
        for sentence in sentences(text, start, end):
            inside = bisect_right(edges, sentence[0])
            if inside != where:
                found += _grouped(group)
                group, where = [], inside
            group.append(sentence)
    return found + _grouped(group)


def _paragraphs(text: str, blocks: Sequence[Block]) -> Iterator[Span]:
    """Spans that hold sentences; an empty one where something else parts them."""
    if not blocks:
        for start, end in _rows(text, 0, len(text)):
            line = text[start:end].strip()
            says = _told(text, start, end) if "\t" in line else len(line) > _HEADING or _ENDED.search(line)
            yield (start, end) if says or not line else (start, start)
        return
    for block in blocks:
        if block.kind == "table":
            for start, end in _rows(text, block.start, block.end):
                yield (start, end) if _told(text, start, end) else (start, start)
        elif block.kind in _BODY:
            yield block.start, block.end
        else:
            yield block.start, block.start


def _told(text: str, start: int, end: int) -> bool:
    """Whether a table's row says something."""
    return len(_WORDED.findall(text, start, end)) >= _SAID


def _rows(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        yield start, stop
        start = stop + 1


def _grouped(group: Sequence[Span]) -> list[Span]:
    """Neighbouring sentences as passages; the last sentence of one is the first of the next."""
    found: list[Span] = []
    first = 0
    while first < len(group):
        last = first
        while last + 1 < len(group) and (
            group[last][1] - group[first][0] < _FEWEST or group[last + 1][1] - group[first][0] <= (_FEWEST + _MOST) // 2
        ):
            last += 1
        rest = group[-1][1] - group[last][1]
        if 0 < rest < _FEWEST // 2 and group[-1][1] - group[first][0] <= _MOST:
            last = len(group) - 1
        found.append((group[first][0], group[last][1]))
        if last == len(group) - 1:
            break
        first = max(last, first + 1)
    return found
