"""What OCR recognised, as pages that the rest of the PDF reader takes like printed ones."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from service.parse.ocr_page import OcrLine, OcrPage
from service.parse.ocr_text import mended
from service.parse.pdf_lines import is_wide
from service.parse.pdf_page import Page, Run
from service.parse.pdf_shapes import Rule

_ALIKE = 0.17  # sizes measured on a scan differ by so much for one real size
_HEIGHT = 0.77  # of a recognised box: the size of its characters
_THICK = 1.18  # strokes so many times as thick, for their size, as the usual ones are bold
_HAN = re.compile("[\u3400-\u9fff]")


def with_recognised(pages: Sequence[Page], known: Mapping[int, OcrPage]) -> list[Page]:
    """The pages, those that OCR read with its lines instead of their text layer."""
    found = {number: page for number, page in known.items() if not page.failed}
    texts = {number: [(line, mended(line.text)) for line in page.lines] for number, page in found.items()}
    usual = _usual([pair for lines in texts.values() for pair in lines])
    return [_page(page, found[page.number], texts[page.number], usual) if page.number in found else page for page in pages]


@dataclass(frozen=True, slots=True)
class _Usual:
    """By the majority of characters: their size, and how thick their strokes are for it."""

    size: float
    stroke: float


def _usual(lines: Sequence[tuple[OcrLine, str]]) -> _Usual:
    sizes = [size for line, text in lines for size in [_size(line, text)] * len(text)]
    size = statistics.median(sizes) if sizes else 0.0
    strokes = [line.stroke / each for line, text in lines if (each := _size(line, text)) > 0 and abs(each - size) < _ALIKE * size]
    return _Usual(size, statistics.median(strokes) if strokes else 0.0)


def _page(page: Page, ocr: OcrPage, lines: Sequence[tuple[OcrLine, str]], usual: _Usual) -> Page:
    runs = tuple(_run(line, text, usual) for line, text in lines if text)
    rules = tuple(Rule(*rule) for rule in ocr.rules)
    scores = tuple(line.confidence for line in ocr.lines)
    return replace(
        page,
        width=ocr.width,
        height=ocr.height,
        runs=runs,
        rules=rules,
        pictures=(),
        shapes=(),
        garbage=0,
        recognised=True,
        confidence=scores,
    )


def _units(text: str) -> float:
    return sum(1.0 if is_wide(character) else 0.5 for character in text)


def _size(line: OcrLine, text: str) -> float:
    """The characters' size: by their pitch on long lines, else by the height of the box."""
    units = _units(text)
    by_height = (line.bottom - line.top) * _HEIGHT
    if units < 8:
        return by_height
    by_pitch = (line.x1 - line.x0) / units
    return by_pitch if 0.75 * by_height < by_pitch < 1.33 * by_height else by_height


def _run(line: OcrLine, text: str, usual: _Usual) -> Run:
    """A recognised line as a run; where each character stands is estimated."""
    size = _size(line, text)
    if abs(size - usual.size) < _ALIKE * usual.size:
        size = usual.size
    bold = len(_HAN.findall(text)) >= 2 and line.stroke / max(size, 1.0) > _THICK * usual.stroke > 0
    step = (line.x1 - line.x0) / max(0.5, _units(text))
    lefts: list[float] = []
    x = line.x0
    for character in text:
        lefts.append(x)
        x += step if is_wide(character) else 0.5 * step
    rights = [*lefts[1:], line.x1]
    middle = (line.top + line.bottom) / 2
    return Run(text, tuple(lefts), tuple(rights), middle + 0.36 * size, round(size, 1), None, bold)
