"""The process that recognises scanned pages: one request and one answer a page, until its input ends.

Started by ocr.py as `python -m service.parse.ocr_child MEMORY`. rapidocr's wheel carries its models; nothing is fetched.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
from typing import Any, BinaryIO

import msgspec
import pypdfium2 as pdfium

from service.parse.child import shut_in
from service.parse.ocr_page import OcrLine, OcrPage, OcrRequest
from service.parse.wire import LENGTH

_PIXELS = 2000  # of the longer side: what the detector works on
_LEAST_CONFIDENCE = 0.5
_DOUBTFUL = 0.75  # mean confidence below which the page may be turned
_PARAMETERS: dict[str, Any] = {
    "Global.log_level": "error",
    "Global.use_cls": False,
    "Global.max_side_len": _PIXELS,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


def recognise(page: Any, number: int, engine: Any) -> OcrPage:
    """Reads one page; turned by quarter turns where it makes no sense as it is."""
    import numpy as np  # noqa: PLC0415 -- with onnxruntime, only here

    width, height = page.get_size()
    scale = _PIXELS / max(width, height, 1.0)
    image = page.render(scale=scale, may_draw_forms=False).to_numpy()
    turns, found = 0, _read(image, engine)
    if others := _other_turns(found):
        tried = {quarter: _read(np.ascontiguousarray(np.rot90(image, quarter)), engine) for quarter in others}
        turns = max(tried, key=lambda quarter: _gain(tried[quarter]))
        found = tried[turns]
    upright = np.ascontiguousarray(np.rot90(image, turns))
    if turns % 2:
        width, height = height, width
    tilt = _tilt(found)
    dark = _dark(upright)
    lines = tuple(
        _line(quad, text, score, scale, tilt, _stroke(dark, quad))
        for quad, text, score in found
        if score >= _LEAST_CONFIDENCE and text.strip()
    )
    return OcrPage(number, width, height, lines, tuple(_ruled(dark, scale, tilt)))


Quad = list[tuple[float, float]]


def _read(image: Any, engine: Any) -> list[tuple[Quad, str, float]]:
    result = engine(image)
    if result.boxes is None or result.txts is None:
        return []
    return [
        ([(float(x), float(y)) for x, y in box], str(text), float(score))
        for box, text, score in zip(result.boxes, result.txts, result.scores, strict=True)
    ]


def _other_turns(found: list[tuple[Quad, str, float]]) -> tuple[int, ...]:
    """Quarter turns to try: the page lies on its side where lines stand like columns, and somehow wrong where little makes sense."""
    long = [(quad, score) for quad, text, score in found if len(text) > 3]
    tall = sum(1 for quad, _ in long if abs(quad[2][1] - quad[0][1]) > 1.5 * abs(quad[2][0] - quad[0][0]))
    if long and tall * 2 > len(long):
        return (1, 3)
    doubtful = len(long) * 3 < len(found) or (bool(long) and statistics.fmean(score for _, score in long) < _DOUBTFUL)
    return (0, 1, 2, 3) if doubtful else ()


def _gain(found: list[tuple[Quad, str, float]]) -> float:
    return sum(score * len(text) for _, text, score in found)


def _tilt(found: list[tuple[Quad, str, float]]) -> float:
    """The angle, in radians, by which a crooked scan leans, from its long lines."""
    angles = [math.atan2(quad[1][1] - quad[0][1], quad[1][0] - quad[0][0]) for quad, text, _ in found if len(text) >= 12]
    tilt = statistics.median(angles) if len(angles) >= 3 else 0.0
    return tilt if 0.001 < abs(tilt) < 0.2 else 0.0


def _turned(x: float, y: float, tilt: float) -> tuple[float, float]:
    return x * math.cos(tilt) + y * math.sin(tilt), y * math.cos(tilt) - x * math.sin(tilt)


def _line(quad: Quad, text: str, score: float, scale: float, tilt: float, stroke: float) -> OcrLine:
    corners = [_turned(x, y, tilt) for x, y in quad]
    left = (corners[0][0] + corners[3][0]) / 2
    right = (corners[1][0] + corners[2][0]) / 2
    top = (corners[0][1] + corners[1][1]) / 2
    bottom = (corners[2][1] + corners[3][1]) / 2
    return OcrLine(left / scale, top / scale, right / scale, bottom / scale, text, score, stroke / scale)


def _dark(image: Any) -> Any:
    """The ink of an image as a mask."""
    import cv2  # noqa: PLC0415 -- comes with rapidocr

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    return cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 12)


def _stroke(dark: Any, quad: Quad) -> float:
    """How thick, in pixels, the strokes of a line are: twice its ink for the length of the ink's edge."""
    import cv2  # noqa: PLC0415 -- comes with rapidocr

    xs, ys = [max(0, round(x)) for x, _ in quad], [max(0, round(y)) for _, y in quad]
    box = dark[min(ys) : max(ys), min(xs) : max(xs)]
    if box.size == 0:
        return 0.0
    edge = cv2.countNonZero(box) - cv2.countNonZero(cv2.erode(box, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))))
    return 2.0 * cv2.countNonZero(box) / edge if edge else 0.0


def _ruled(dark: Any, scale: float, tilt: float) -> list[tuple[float, float, float, float]]:
    """Long straight dark lines of the image: the rules of tables."""
    import cv2  # noqa: PLC0415 -- comes with rapidocr

    out: list[tuple[float, float, float, float]] = []
    for kernel in ((45, 1), (1, 45)):
        element = cv2.getStructuringElement(cv2.MORPH_RECT, kernel)
        opened = cv2.dilate(cv2.morphologyEx(dark, cv2.MORPH_OPEN, element), cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3)))
        count, _, stats, _ = cv2.connectedComponentsWithStats(opened)
        for x, y, w, h, _area in stats[1 : min(count, 600)]:
            thick = min(w, h)
            if thick > 16 or max(w, h) < 45:
                continue
            horizontal = w >= h
            ends = [(x, y + h / 2), (x + w, y + h / 2)] if horizontal else [(x + w / 2, y), (x + w / 2, y + h)]
            (ax, ay), (bx, by) = (_turned(float(px), float(py), tilt) for px, py in ends)
            if horizontal:
                ay = by = (ay + by) / 2
            else:
                ax = bx = (ax + bx) / 2
            out.append((ax / scale, ay / scale, bx / scale, by / scale))
    return out


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    decoder = msgspec.msgpack.Decoder(OcrRequest)
    engine: Any = None
    document: Any = None
    while head := source.read(LENGTH.size):
        request = decoder.decode(source.read(LENGTH.unpack(head)[0]))
        if engine is None:
            from rapidocr import RapidOCR  # noqa: PLC0415 -- seconds to import

            engine = RapidOCR(params=_PARAMETERS | {"EngineConfig.onnxruntime.intra_op_num_threads": request.threads})
        if request.data:
            document = pdfium.PdfDocument(request.data)
        page = document[request.page - 1]
        try:
            answer = recognise(page, request.page, engine)
        finally:
            page.close()
        body = msgspec.msgpack.encode(answer)
        sink.write(LENGTH.pack(len(body)) + body)
        sink.flush()


def main() -> None:
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    shut_in(int(sys.argv[1]))
    serve(source, sink)


if __name__ == "__main__":
    main()
