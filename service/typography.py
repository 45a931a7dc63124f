"""Names of type sizes and alignments as Word shows them, and which face a typeface's name means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

_SIZES: Mapping[float, str] = MappingProxyType(
    {
        42.0: "初号",
        36.0: "小初",
        26.0: "一号",
        24.0: "小一",
        22.0: "二号",
        18.0: "小二",
        16.0: "三号",
        15.0: "小三",
        14.0: "四号",
        12.0: "小四",
        10.5: "五号",
        9.0: "小五",
        7.5: "六号",
    }
)
ALIGNMENTS: Mapping[str, str] = MappingProxyType({"left": "左对齐", "center": "居中", "right": "右对齐", "justify": "两端对齐"})
UNKNOWN_LAYOUT = "文件不带可靠的字体、字号和版面信息（纯文本、扫描件或转换件），无法判断格式。请提供 Word 文件。"

_SUBSET = re.compile(r"^[A-Z]{6}\+")
_BETWEEN = re.compile(r"[\s_@,.\-]+")
_HAN = re.compile("[\u4e00-\u9fff]")


def size_name(points: float) -> str:
    """小四 for 12 points; 13磅 where the size has no name."""
    return _SIZES.get(round(points * 2) / 2, f"{points:g}磅")


def _plain(font: str) -> str:
    """A typeface's name without subset prefix, blanks and hyphens, in lower case."""
    return _BETWEEN.sub("", _SUBSET.sub("", font)).lower()


def is_face(font: str | None, faces: Iterable[str], others: Iterable[str]) -> bool | None:
    """Whether a typeface is one of `faces`; None where it cannot be told.

    Names are compared by their beginning, so that "SimSun-ExtB" and "NotoSerifCJKsc-Bold" count as their family. A name that is in neither
    list is judged only where it is written in Chinese: a Latin typeface says nothing of how the Chinese characters look.
    """
    if not font:
        return None
    plain = _plain(font)
    if any(plain.startswith(_plain(face)) for face in faces):
        return True
    if _HAN.search(font) or any(plain.startswith(_plain(face)) for face in others):
        return False
    return None
