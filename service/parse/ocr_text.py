"""Mends what OCR cannot see in recognised Chinese: the width of punctuation, and blanks between Chinese characters."""

from __future__ import annotations

import re

from service.parse.pdf_lines import is_wide

_WIDE_MARK = {",": "，", ":": "：", ";": "；", "!": "！", "?": "？"}
_BLANKS = re.compile(r"[ \t\u3000]+")
_PAIR = re.compile(r"[(（]([^()（）]*)[)）]")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_STOP = re.compile("(?<=[\u3400-\u9fff”）%％])[.．](?=$|[\u3400-\u9fff“（])")


def mended(text: str) -> str:
    """Punctuation that touches Chinese is full-width, that among letters and digits half-width; no blanks beside Chinese."""
    text = _BLANKS.sub(_blank, text.strip())
    text = _STOP.sub("。", text)
    text = _PAIR.sub(lambda match: _pair(match, text), text)
    return "".join(_mark(text, index) for index in range(len(text)))


def _blank(match: re.Match[str]) -> str:
    before, after = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
    return "" if is_wide(before) or is_wide(after) else " "


def _pair(match: re.Match[str], text: str) -> str:
    """Brackets are full-width where Chinese stands in them or before them, or after them at a line's start."""
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    wide = bool(_HAN.search(match[1])) or is_wide(before) or (not before and is_wide(after))
    return f"（{match[1]}）" if wide else f"({match[1]})"


def _mark(text: str, index: int) -> str:
    """One character: an unpaired bracket or a mark beside Chinese becomes full-width."""
    character = text[index]
    before, after = text[index - 1 : index] if index else "", text[index + 1 : index + 2]
    chinese = bool(before and is_wide(before)) or bool(after and is_wide(after))
    if character in _WIDE_MARK:
        among = before.isascii() and after.isascii() and bool(before) and bool(after)
        return character if among else _WIDE_MARK[character] if chinese else character
    if character == "(" and ")" not in text[index:] and chinese:
        return "（"
    if character == ")" and "(" not in text[:index] and chinese:
        return "）"
    return character
