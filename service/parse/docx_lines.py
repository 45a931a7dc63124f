"""The lines of a paragraph: cut at breaks, joined again where a break was only for looks, trimmed of indents."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lxml import etree

from service.parse.blocks import is_caption
from service.parse.docx_format import RunFormat
from service.parse.docx_items import Figure, Para

Piece = tuple[str, "etree._Element | None", int, RunFormat]

_BLANKED: Final = str.maketrans("\t\n\f", "   ")
_BREAKS: Final = frozenset("\n\f")
_SENTENCE_END: Final = re.compile(r"[。！？!?；;：:.…”’」』）)]$")
_NUMBERED: Final = re.compile(
    r"\s*(?:第?[一二三四五六七八九十]+[、.．章节部]|[（(][一二三四五六七八九十\d]+[）)]|\d+(?:[.．]\d+)*[.．、\s]?|[①-⑳])"
)
_WORD_CHARACTER: Final = re.compile(r"[A-Za-z0-9]")
_FULL_LINE: Final = 20  # a line this long without a mark at its end goes on in the next
_JOINED_MAX: Final = 1000
_SHORT_LINE: Final = 40  # lines of a title broken by hand
_STOP: Final = re.compile(r"[。；！？]")


def trimmed(pieces: Iterable[Piece]) -> list[Piece]:
    """Without blanks (full-width ones that serve as indents too) at both ends."""
    out = [piece for piece in pieces if piece[0]]
    while out:
        text, element, offset, looks = out[0]
        rest = text.lstrip()
        if rest:
            if len(rest) < len(text):
                out[0] = (rest, element, offset + len(text) - len(rest), looks)
            break
        out.pop(0)
    while out:
        text, element, offset, looks = out[-1]
        rest = text.rstrip()
        if rest:
            if len(rest) < len(text):
                out[-1] = (rest, element, offset, looks)
            break
        out.pop()
    return out


def lines(para: Para) -> list[tuple[list[Piece], list[Figure]]]:
    """The paragraph cut at line breaks that part paragraphs, each line with its figures (pieces of the line before it, floating)."""
    pieces: list[Piece] = list(para.pieces)
    if not any(piece[0] in _BREAKS for piece in pieces):
        return [(pieces, para.figures)] if pieces or para.figures else []
    out: list[list[Piece]] = [[]]
    figures: list[list[Figure]] = [[]]
    waiting = list(para.figures)
    breaks: list[str] = []
    for index, piece in enumerate([*pieces, ("", None, 0, para.style.run)]):
        while waiting and waiting[0].before <= index:
            figures[-1].append(waiting.pop(0)._replace(before=len(out[-1])))
        if piece[0] in _BREAKS and piece[0]:
            breaks.append(piece[0])
            out.append([])
            figures.append([])
        else:
            out[-1].append(piece)
    return _rejoined(para, out, figures, breaks)


def _rejoined(
    para: Para, parts: list[list[Piece]], figures: list[list[Figure]], breaks: list[str]
) -> list[tuple[list[Piece], list[Figure]]]:
    """Lines that were only broken for their looks are one again: a title in two lines, a sentence that goes on."""
    out: list[tuple[list[Piece], list[Figure]]] = [(parts[0], figures[0])]
    centred = (para.props.align or para.style.para.align) == "center"
    named = para.style.kind in {"title", "heading", "caption"} or para.toc
    for mark, line, drawn in zip(breaks, parts[1:], figures[1:], strict=True):
        upper, lower = plain(out[-1][0]), plain(line)
        if mark == "\n" and not drawn and not out[-1][1] and _goes_on(upper, lower, by_hand=centred or named):
            gap = " " if _WORD_CHARACTER.match(upper[-1]) and _WORD_CHARACTER.match(lower) else ""
            out[-1] = ([*trimmed(out[-1][0]), (gap, None, 0, para.style.run), *trimmed(line)], [])
        else:
            out.append((line, drawn))
    return out


def plain(pieces: list[Piece]) -> str:
    return "".join([piece[0] for piece in pieces]).strip()


def _goes_on(upper: str, lower: str, *, by_hand: bool) -> bool:
    if not upper or not lower or _SENTENCE_END.search(upper) or _NUMBERED.match(lower):
        return False
    if by_hand:
        return len(upper) <= _SHORT_LINE and len(lower) <= _SHORT_LINE and not _STOP.search(upper + lower)
    return _FULL_LINE <= len(upper) <= _JOINED_MAX and not _NUMBERED.match(upper)


def around(line: list[Piece], text: str, figures: list[Figure]) -> tuple[list[Figure], list[Figure]]:
    """Figures that stand before a line's text and those after it; one that floats belongs to the caption it is anchored in."""
    if not text:
        return figures, []
    caption = is_caption(text)
    before = [item for item in figures if (caption if item.floats else not any(piece[0].strip() for piece in line[: item.before]))]
    return before, [item for item in figures if item not in before]


def inner(paragraphs: Iterable[Para]) -> list[list[Piece]]:
    """The lines of paragraphs in one line each, tabs and breaks as blanks."""
    out = []
    for para in paragraphs:
        line = trimmed([piece if piece[0].isprintable() else (piece[0].translate(_BLANKED), *piece[1:]) for piece in para.pieces])
        if line:
            out.append(line)
    return out


def joined(lines: list[list[Piece]], looks: RunFormat) -> list[Piece]:
    """Lines joined by one blank."""
    out: list[Piece] = []
    for line in lines:
        if out:
            out.append((" ", None, 0, looks))
        out += line
    return out
