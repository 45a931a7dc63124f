"""Characters of symbol fonts (Wingdings, Symbol) as Unicode ones, so that no private-use character reaches the text."""

from __future__ import annotations

import re
from typing import Final

_PRIVATE: Final = re.compile("[\ue000-\uf8ff]")
_UNKNOWN: Final = "•"
_WINGDINGS: Final = {
    0x28: "☎", 0x2A: "✉", 0x46: "☞", 0x4A: "☺", 0x6C: "●", 0x6D: "❍", 0x6E: "■", 0x6F: "□", 0x70: "❐", 0x71: "❑", 0x72: "❒", 0x75: "◆",
    0x76: "❖", 0x77: "◆", 0x9F: "•", 0xA1: "○", 0xA2: "○", 0xA4: "◉", 0xA7: "▪", 0xA8: "☐", 0xAB: "★", 0xB2: "✧", 0xD8: "➢", 0xDC: "➲",
    0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
}  # fmt: skip
_WINGDINGS_2: Final = {
    0x4F: "✗",
    0x50: "✓",
    0x51: "☒",
    0x52: "☑",
    0x53: "☒",
    0x54: "☒",
    0x97: "●",
    0x98: "•",
    0xA2: "■",
    0xA3: "□",
    0xA4: "☐",
}
_SYMBOL: Final = {
    0x22: "∀", 0x25: "%", 0x2B: "+", 0x2D: "−", 0x40: "≅", 0x44: "Δ", 0x53: "Σ", 0x57: "Ω", 0x61: "α", 0x62: "β", 0x64: "δ", 0x65: "ε",
    0x67: "γ", 0x68: "η", 0x6C: "λ", 0x6D: "μ", 0x70: "π", 0x71: "θ", 0x72: "ρ", 0x73: "σ", 0x74: "τ", 0x77: "ω", 0xA3: "≤", 0xA5: "∞",
    0xAE: "→", 0xAC: "←", 0xAD: "↑", 0xAF: "↓", 0xB0: "°", 0xB1: "±", 0xB3: "≥", 0xB4: "×", 0xB7: "•", 0xB8: "÷", 0xB9: "≠", 0xBB: "≈",
    0xC5: "⊕", 0xCE: "∈", 0xD6: "√", 0xD7: "⋅", 0xDE: "⇒", 0xE5: "∑",
}  # fmt: skip
_DEFAULT: Final = {**_SYMBOL, **_WINGDINGS, 0xB7: "•"}  # bullets are mostly Wingdings; 0xB7 is Symbol's


def symbol(code: str | None, font: str | None) -> str:
    """The character of a `w:sym`: `code` is hexadecimal."""
    try:
        value = int(code or "", 16)
    except ValueError:
        return ""
    if not 0xE000 <= value <= 0xF8FF and value > 0xFF:
        return chr(value) if value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF else ""
    name = (font or "").lower()
    table = _WINGDINGS_2 if name == "wingdings 2" else _WINGDINGS if name.startswith("wingdings") else _SYMBOL if name == "symbol" else {}
    found = table.get(value & 0xFF)
    if found is None:
        found = chr(value & 0xFF) if not table and 0x20 < value & 0xFF < 0x7F else _UNKNOWN
    return found


def plain_symbols(text: str) -> str:
    """`text` with each private-use character replaced by one Unicode character: the length stays."""
    if not _PRIVATE.search(text):
        return text
    return _PRIVATE.sub(lambda match: _DEFAULT.get(ord(match[0]) & 0xFF, _UNKNOWN) if ord(match[0]) >= 0xF000 else _UNKNOWN, text)
