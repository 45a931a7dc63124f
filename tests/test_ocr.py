"""OCR in its child process, on a page drawn here and turned into a picture."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from service.parse.ocr import OcrChild, is_installed
from service.parse.pdf import read_pdf
from tests.pdf_drawing import FIRST, SECOND, flowed

NOTO = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed(), reason="needs the extra ocr"),
    pytest.mark.skipif(not NOTO.exists(), reason="needs fonts-noto-cjk"),
]


def scanned(*, lean: float = 0.0, turn: int = 0) -> bytes:
    """A page that is a picture of text at 150 dpi; `lean` in degrees, `turn` in quarters."""
    scale = 150 / 72
    picture = Image.new("L", (round(A4[0] * scale), round(A4[1] * scale)), 255)
    pen = ImageDraw.Draw(picture)
    face = ImageFont.truetype(str(NOTO), round(14 * scale), index=2)
    for x, y, _, text in flowed(FIRST) + flowed(SECOND, y=192) + flowed(FIRST, y=264) + flowed(SECOND, y=336):  # type: ignore[misc]
        pen.text((x * scale, (y - 12) * scale), text, font=face, fill=0)
    picture = picture.rotate(lean, fillcolor=255, resample=Image.Resampling.BICUBIC).rotate(90 * turn, expand=True)
    buffer = io.BytesIO()
    size = A4 if turn % 2 == 0 else (A4[1], A4[0])
    canvas = Canvas(buffer, pagesize=size)
    canvas.drawImage(ImageReader(picture), 0, 0, *size)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@pytest.fixture(scope="module")
def child() -> Iterator[OcrChild]:
    started = OcrChild(threads=2)
    yield started
    started.close()


def recall(text: str, meant: str) -> float:
    return sum((Counter(text) & Counter(meant)).values()) / len(meant)


@pytest.mark.parametrize(("lean", "turn"), [(0.0, 0), (1.5, 0), (0.0, 1)])
def test_a_scan_is_read(child: OcrChild, lean: float, turn: int) -> None:
    data = scanned(lean=lean, turn=turn)
    first = read_pdf(data, "甲.pdf")
    assert first.wanted == (1,)
    done: list[tuple[int, int]] = []
    found = child.recognise(data, first.wanted, page_seconds=120, progress=lambda page, pages: done.append((page, pages)))
    document = read_pdf(data, "甲.pdf", recognised=found).document
    assert recall(document.text, (FIRST + SECOND) * 2) > 0.97
    assert len(document.blocks) == 4
    assert done == [(0, 1), (1, 1)]


def test_a_page_that_takes_too_long_is_given_up_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.parse.ocr.START_SECONDS", 0.0)
    started = OcrChild(threads=2)
    try:
        assert started.recognise(scanned(), [1], page_seconds=0.05)[1].failed
        monkeypatch.setattr("service.parse.ocr.START_SECONDS", 60.0)
        assert not started.recognise(scanned(), [1], page_seconds=120)[1].failed
    finally:
        started.close()


def test_pages_after_the_total_limit_are_left_out() -> None:
    started = OcrChild(threads=2)
    try:
        assert started.recognise(b"", [1, 2], total_seconds=0) == {}
    finally:
        started.close()
