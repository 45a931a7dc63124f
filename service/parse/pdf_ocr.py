"""What OCR recognised, as pages that the rest of the PDF reader takes like printed ones."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from service.parse.ocr_page import OcrLine, OcrPage
from service.parse.ocr_text import mended
from service.parse.pdf_lines import is_wide
from service.parse.pdf_page import Page, Rule, Run

_ALIKE = 0.17  # sizes measured on a scan differ by so much for one real size
_HEIGHT = 0.77  # of a recognised box: the size of its characters


def with_recognised(pages: Sequence[Page], known: Mapping[int, OcrPage]) -> list[Page]:
    """The pages, those that OCR read with its lines instead of their text layer."""
    found = {number: page for number, page in known.items() if not page.failed}
    texts = {number: [(line, mended(line.text)) for line in page.lines] for number, page in found.items()}
    sizes = [size for lines in texts.values() for line, text in lines for size in [_size(line, text)] * len(text)]
    usual = statistics.median(sizes) if sizes else 0.0
    return [_page(page, found[page.number], texts[page.number], usual) if page.number in found else page for page in pages]


def _page(page: Page, ocr: OcrPage, lines: Sequence[tuple[OcrLine, str]], usual: float) -> Page:
    runs = tuple(_run(line, text, usual) for line, text in lines if text)
    rules = tuple(Rule(*rule) for rule in ocr.rules)
    scores = tuple(line.confidence for line in ocr.lines)
    return replace(
        page, width=ocr.width, height=ocr.height, runs=runs, rules=rules, pictures=(), garbage=0, recognised=True, confidence=scores
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


def _run(line: OcrLine, text: str, usual: float) -> Run:
    """A recognised line as a run; where each character stands is estimated."""
    size = _size(line, text)
    if abs(size - usual) < _ALIKE * usual:
        size = usual
    step = (line.x1 - line.x0) / max(0.5, _units(text))
    lefts: list[float] = []
    x = line.x0
    for character in text:
        lefts.append(x)
        x += step if is_wide(character) else 0.5 * step
    rights = [*lefts[1:], line.x1]
    middle = (line.top + line.bottom) / 2
    return Run(text, tuple(lefts), tuple(rights), middle + 0.36 * size, round(size, 1), None, bold=False)
