"""The samples' pictures: plain charts and block diagrams, drawn once and committed, since the font decides their bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

_WIDTH, _HEIGHT, _ROW_HEIGHT = 1000, 560, 170
_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
_SIMPLIFIED = 2  # index of the SC face in the collection
_COLOURS = ((31, 78, 140), (178, 96, 34), (96, 128, 56), (120, 72, 140))
_INK, _GREY, _PALE = (40, 40, 40), (190, 190, 190), (226, 234, 244)
_LEFT, _RIGHT, _TOP, _BOTTOM = 110, 960, 90, 460

Point = tuple[float, float]


def draw(figure: Mapping[str, Any], path: Path) -> None:
    """Write the picture that a [[figure]] table describes as a PNG of few colours."""
    rows = _rows(figure["labels"]) if figure["kind"] == "blocks" else []
    image = Image.new("RGB", (_WIDTH, 110 + _ROW_HEIGHT * len(rows) if rows else _HEIGHT), "white")
    canvas = ImageDraw.Draw(image)
    if title := figure.get("title"):
        canvas.text((_WIDTH / 2, 36), title, font=_font(30), fill=_INK, anchor="mm")
    match figure["kind"]:
        case "line" | "bars" | "pareto":
            _chart(canvas, figure)
        case "blocks":
            _blocks(canvas, rows)
        case "loop":
            _loop(canvas, figure["labels"])
        case kind:
            raise ValueError(f"{path.stem}: unknown kind of figure {kind}")
    image.quantize(32).save(path, optimize=True)


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size, index=_SIMPLIFIED)


def _ceiling(value: float) -> float:
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)


def _chart(canvas: ImageDraw.ImageDraw, figure: Mapping[str, Any]) -> None:
    series, labels = figure["series"], figure["labels"]
    top = _ceiling(max(value for one in series for value in one["values"]) * 1.05)
    for step in range(5):
        y = _BOTTOM - (_BOTTOM - _TOP) * step / 4
        canvas.line((_LEFT, y, _RIGHT, y), fill=_GREY)
        canvas.text((_LEFT - 12, y), f"{top * step / 4:g}", font=_font(20), fill=_INK, anchor="rm")
    canvas.text((_LEFT - 12, _TOP - 28), figure.get("unit", ""), font=_font(20), fill=_INK, anchor="rm")
    slot = (_RIGHT - _LEFT) / len(labels)
    for index, label in enumerate(labels):
        canvas.text((_LEFT + slot * (index + 0.5), _BOTTOM + 24), label, font=_font(22), fill=_INK, anchor="mm")
    for number, one in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        if figure["kind"] == "line":
            lowest = [len(series) > 1 and value == min(other["values"][i] for other in series) for i, value in enumerate(one["values"])]
            _line(canvas, one["values"], slot, top, colour, labels=[20 if low else -20 for low in lowest])
        else:
            _bars(canvas, one["values"], slot, top, colour, number, len(series))
        if len(series) > 1:
            x = _LEFT + 40 + number * 220
            canvas.rectangle((x, 510, x + 24, 530), fill=colour)
            canvas.text((x + 34, 520), one["name"], font=_font(22), fill=_INK, anchor="lm")
    if figure["kind"] == "pareto":
        values = series[0]["values"]
        shares = [sum(values[: index + 1]) / sum(values) * top * 0.98 for index in range(len(values))]
        _line(canvas, shares, slot, top, _COLOURS[1], labels=[0] * len(shares))


# `labels`: how far below its point each value is written, in pixels; 0 leaves it out.
def _line(
    canvas: ImageDraw.ImageDraw, values: list[float], slot: float, top: float, colour: tuple[int, int, int], *, labels: list[int]
) -> None:
    points = [(_LEFT + slot * (i + 0.5), _BOTTOM - (_BOTTOM - _TOP) * value / top) for i, value in enumerate(values)]
    canvas.line(points, fill=colour, width=4)
    for (x, y), value, label in zip(points, values, labels, strict=True):
        canvas.ellipse((x - 6, y - 6, x + 6, y + 6), fill=colour)
        if label:
            canvas.text((x, y + label), f"{value:g}", font=_font(20), fill=colour, anchor="mm")


def _bars(
    canvas: ImageDraw.ImageDraw, values: list[float], slot: float, top: float, colour: tuple[int, int, int], number: int, of: int
) -> None:
    width = slot * 0.6 / of
    for i, value in enumerate(values):
        x = _LEFT + slot * (i + 0.2) + width * number
        y = _BOTTOM - (_BOTTOM - _TOP) * value / top
        canvas.rectangle((x, y, x + width - 4, _BOTTOM), fill=colour)
        canvas.text((x + width / 2, y - 16), f"{value:g}", font=_font(20), fill=_INK, anchor="mm")


def _box(canvas: ImageDraw.ImageDraw, centre: Point, label: str, width: float) -> None:
    x, y = centre
    canvas.rounded_rectangle((x - width / 2, y - 38, x + width / 2, y + 38), radius=12, fill=_PALE, outline=_COLOURS[0], width=3)
    size = min(26, int((width - 16) / max(len(label), 1)))
    canvas.text((x, y), label, font=_font(size), fill=_INK, anchor="mm")


def _arrow(canvas: ImageDraw.ImageDraw, start: Point, end: Point) -> None:
    canvas.line((*start, *end), fill=_COLOURS[0], width=4)
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    wings = [(end[0] - 16 * math.cos(angle + turn), end[1] - 16 * math.sin(angle + turn)) for turn in (-0.45, 0.45)]
    canvas.polygon([end, *wings], fill=_COLOURS[0])


def _rows(labels: list[str]) -> list[list[str]]:
    """At most five boxes in a row, the rows as even as can be."""
    count = math.ceil(len(labels) / 5)
    length = math.ceil(len(labels) / count)
    return [labels[start : start + length] for start in range(0, len(labels), length)]


def _blocks(canvas: ImageDraw.ImageDraw, rows: list[list[str]]) -> None:
    """Boxes from left to right, row by row."""
    previous: Point | None = None
    for number, row in enumerate(rows):
        y = 80 + _ROW_HEIGHT * (number + 0.5)
        slot = (_WIDTH - 60) / len(row)
        width = min(slot - 44, 220)
        for index, label in enumerate(row):
            centre = (30 + slot * (index + 0.5), y)
            if previous is not None and index:
                _arrow(canvas, (previous[0] + width / 2, y), (centre[0] - width / 2, y))
            elif previous is not None:
                _arrow(canvas, (previous[0], previous[1] + 38), (centre[0], y - 38))
            _box(canvas, centre, label, width)
            previous = centre


def _loop(canvas: ImageDraw.ImageDraw, labels: list[str]) -> None:
    """Boxes on an ellipse, clockwise from the top, each with an arrow to the next."""
    count = len(labels)
    centres = [(_WIDTH / 2 + 330 * math.sin(2 * math.pi * i / count), 310 - 175 * math.cos(2 * math.pi * i / count)) for i in range(count)]
    for index, (x, y) in enumerate(centres):
        far_x, far_y = centres[(index + 1) % count]
        _arrow(canvas, (x + (far_x - x) * 0.33, y + (far_y - y) * 0.33), (x + (far_x - x) * 0.66, y + (far_y - y) * 0.66))
    for centre, label in zip(centres, labels, strict=True):
        _box(canvas, centre, label, 190)
