"""Vector drawings of a PDF page (flow charts, diagrams, charts): shapes that lie together, some of them not rectangles."""

from __future__ import annotations

from collections.abc import Sequence

from service.parse.pdf_shapes import Box, Picture, Shape

_NEAR = 30.0  # points between the shapes of one drawing
_SHAPES, _ODD = 6, 2  # shapes a drawing has at least, and how many of them are no rectangles or straight lines
_WIDTH, _HEIGHT = 80.0, 36.0
_MOST = 1500  # shapes of a page that are looked at


def drawings_of(shapes: Sequence[Shape], tables: Sequence[Box], page: int) -> list[Picture]:
    """The page's drawings. `tables`: boxes of ruled tables, whose shading is no drawing."""
    if len(shapes) > _MOST:
        return []
    free = [shape for shape in shapes if not any(_inside(shape.box, table) for table in tables)]
    groups: list[tuple[Box, int, int]] = []
    for shape in free:
        box, count, odd = shape.box, 1, int(not shape.plain)
        apart: list[tuple[Box, int, int]] = []
        for group in groups:
            if _near(group[0], box):
                box, count, odd = _union(group[0], box), count + group[1], odd + group[2]
            else:
                apart.append(group)
        groups = [*apart, (box, count, odd)]
    return [
        Picture(*box, page=page)
        for box, count, odd in groups
        if count >= _SHAPES and odd >= _ODD and box[2] - box[0] >= _WIDTH and box[3] - box[1] >= _HEIGHT
    ]


def _inside(box: Box, table: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return table[0] - 2 <= x <= table[2] + 2 and table[1] - 2 <= y <= table[3] + 2


def _near(a: Box, b: Box) -> bool:
    return a[0] - _NEAR < b[2] and b[0] - _NEAR < a[2] and a[1] - _NEAR < b[3] and b[1] - _NEAR < a[3]


def _union(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
