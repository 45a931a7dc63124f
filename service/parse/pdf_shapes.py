"""What a PDF page holds beside its text: ruled lines, pictures, and where they stand as the page is seen."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pypdfium2 import raw

_THIN = 2.6  # a filled rectangle as thin as this is a ruled line
_DEPTH = 6  # forms in forms
_SEGMENTS = 400  # of one path; what has more is a drawing

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal or vertical ruled line."""

    x0: float
    top: float
    x1: float
    bottom: float

    @property
    def horizontal(self) -> bool:
        return self.x1 - self.x0 >= self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Picture:
    x0: float
    top: float
    x1: float
    bottom: float
    page: int


@dataclass(frozen=True, slots=True)
class Shape:
    """A drawn path that is no thin line."""

    box: Box
    plain: bool  # all its sides are level or upright


@dataclass(frozen=True, slots=True)
class Frame:
    """Page space (y upwards, before /Rotate) to ours (y downwards, as seen)."""

    left: float
    bottom: float
    top: float
    turned: int
    width: float
    height: float

    def point(self, x: float, y: float) -> tuple[float, float]:
        if self.turned == 90:
            return y - self.bottom, x - self.left
        if self.turned == 180:
            return self.width - (x - self.left), y - self.bottom
        if self.turned == 270:
            return self.width - (y - self.bottom), self.height - (x - self.left)
        return x - self.left, self.top - y

    def across(self, rect: Any) -> tuple[float, float]:
        """Left and right of a box as seen."""
        x0, _, x1, _ = self.box(rect.left, rect.bottom, rect.right, rect.top)
        return x0, x1

    def box(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        ax, ay = self.point(x0, y0)
        bx, by = self.point(x1, y1)
        return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def objects(parent: Any, matrix: Any, depth: int) -> Iterator[tuple[int, Any, Any]]:
    """Page objects in drawing order, those of forms with the form's matrix."""
    counter, getter = (
        (raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject) if depth == 0 else (raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject)
    )
    for index in range(max(0, counter(parent))):
        handle = getter(parent, index)
        if not handle:
            continue
        kind = raw.FPDFPageObj_GetType(handle)
        if kind == raw.FPDF_PAGEOBJ_FORM:
            if depth < _DEPTH:
                own = raw.FS_MATRIX()
                raw.FPDFPageObj_GetMatrix(handle, own)
                yield from objects(handle, _product(own, matrix), depth + 1)
        else:
            yield kind, handle, matrix


def _product(inner: Any, outer: Any) -> Any:
    if outer is None:
        return inner
    return raw.FS_MATRIX(
        inner.a * outer.a + inner.b * outer.c,
        inner.a * outer.b + inner.b * outer.d,
        inner.c * outer.a + inner.d * outer.c,
        inner.c * outer.b + inner.d * outer.d,
        inner.e * outer.a + inner.f * outer.c + outer.e,
        inner.e * outer.b + inner.f * outer.d + outer.f,
    )


def _apply(matrix: Any, x: float, y: float) -> tuple[float, float]:
    if matrix is None:
        return x, y
    return matrix.a * x + matrix.c * y + matrix.e, matrix.b * x + matrix.d * y + matrix.f


def bounds(handle: Any, matrix: Any, frame: Frame) -> Box | None:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not raw.FPDFPageObj_GetBounds(handle, left, bottom, right, top):
        return None
    corners = [_apply(matrix, x, y) for x in (left.value, right.value) for y in (bottom.value, top.value)]
    xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
    return frame.box(min(xs), min(ys), max(xs), max(ys))


def lines_of_path(handle: Any, matrix: Any, frame: Frame) -> tuple[list[Rule], Shape | None]:
    """The ruled lines that a path draws, and the path itself where it is no thin line; white ones are not seen.

    Ruled lines are thin filled rectangles, and the level and upright parts of stroked paths.
    """
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(handle, fill, stroke)
    if not (fill.value or stroke.value) or _is_white(handle, stroked=bool(stroke.value)):
        return [], None
    box = bounds(handle, matrix, frame)
    if box is None:
        return [], None
    x0, top, x1, bottom = box
    if x1 - x0 <= _THIN or bottom - top <= _THIN:
        return ([Rule(*_centre(box))] if max(x1 - x0, bottom - top) > 0.2 else []), None
    if raw.FPDFPath_CountSegments(handle) > _SEGMENTS:
        return [], Shape(box, plain=False)
    straight, plain = _segments(handle, matrix, frame)
    rules = [rule for rule in straight if max(rule.x1 - rule.x0, rule.bottom - rule.top) > 3] if stroke.value else []
    return rules, Shape(box, plain)


def _centre(box: Box) -> Box:
    """A thin box as the line in its middle."""
    x0, top, x1, bottom = box
    if x1 - x0 >= bottom - top:
        return x0, (top + bottom) / 2, x1, (top + bottom) / 2
    return (x0 + x1) / 2, top, (x0 + x1) / 2, bottom


def _is_white(handle: Any, *, stroked: bool) -> bool:
    r, g, b, a = (ctypes.c_uint() for _ in range(4))
    getter = raw.FPDFPageObj_GetStrokeColor if stroked else raw.FPDFPageObj_GetFillColor
    return bool(getter(handle, r, g, b, a)) and (a.value < 10 or min(r.value, g.value, b.value) > 250)


def _segments(handle: Any, matrix: Any, frame: Frame) -> tuple[list[Rule], bool]:
    """The level and upright straight parts of a path, and whether it has no others."""
    own = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(handle, own)
    placed = _product(own, matrix)
    x, y = ctypes.c_float(), ctypes.c_float()
    start = last = (0.0, 0.0)
    straight: list[Rule] = []
    plain = True
    for index in range(raw.FPDFPath_CountSegments(handle)):
        segment = raw.FPDFPath_GetPathSegment(handle, index)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        here = frame.point(*_apply(placed, x.value, y.value))
        kind = raw.FPDFPathSegment_GetType(segment)
        sides = [(last, here)] if kind == raw.FPDF_SEGMENT_LINETO else []
        if kind == raw.FPDF_SEGMENT_MOVETO:
            start = here
        if raw.FPDFPathSegment_GetClose(segment):
            sides.append((here, start))
        level = [side for side in sides if _is_level(*side)]
        straight += [Rule(*_centre((min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])))) for a, b in level]
        plain = plain and len(level) == len(sides) and kind != raw.FPDF_SEGMENT_BEZIERTO
        last = here
    return straight, plain


def _is_level(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether a side is level or upright."""
    return abs(a[0] - b[0]) < 0.7 or abs(a[1] - b[1]) < 0.7
