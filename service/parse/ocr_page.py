"""What OCR found on a page: lines of text and ruled lines, in points of the page as read, y downwards."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class OcrLine:
    x0: float
    top: float
    x1: float
    bottom: float
    text: str
    confidence: float  # 0-1
    stroke: float = 0.0  # mean thickness of its strokes, in points; 0 where it was not measured


@dataclass(frozen=True, slots=True)
class OcrPage:
    """`width` and `height` are those of the page turned so that its text stands upright."""

    number: int  # from 1
    width: float
    height: float
    lines: tuple[OcrLine, ...]
    rules: tuple[tuple[float, float, float, float], ...] = ()  # x0, top, x1, bottom
    failed: bool = False  # took too long or could not be rendered


class OcrRequest(msgspec.Struct, frozen=True):
    """`data` is empty where the document is the same as the last time."""

    data: bytes
    page: int
    threads: int
