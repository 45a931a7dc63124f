"""pdfium reads with our stand-in font instead of the system's, and whatever is open already stays usable."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

TEXT = "自2021年起推行QC小组，合格率99.6%。"
_READ = """
import sys
import pypdfium2
from service.parse.pdf_library import use_own_fonts
data = sys.stdin.buffer.read()
opened = pypdfium2.PdfDocument(data) if {early} else None
done = use_own_fonts()
document = opened or pypdfium2.PdfDocument(data)
page = document[0].get_textpage()
box = page.get_charbox(0)
print(done, page.get_text_range(), round(box[2] - box[0]), round(box[3] - box[1]), sep="|")
"""


def _drawn() -> bytes:
    """The first character alone, the rest after a gap: without any Chinese font pdfium drops it."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    stream = io.BytesIO()
    canvas = Canvas(stream)
    canvas.setFont("STSong-Light", 100)
    canvas.drawString(10, 700, TEXT[0])
    canvas.drawString(112, 700, TEXT[1:])
    canvas.save()
    return stream.getvalue()


def _read(*, early: bool) -> list[str]:
    """In a process of its own: pdfium is started once a process."""
    code = _READ.format(early=early)
    ended = subprocess.run([sys.executable, "-X", "utf8", "-c", code], input=_drawn(), capture_output=True, check=True, timeout=60)
    return ended.stdout.decode().strip().split("|")


def test_our_font_measures_the_characters() -> None:
    done, text, width, height = _read(early=False)
    assert (done, text.replace(" ", "")) == ("True", TEXT)
    assert (int(width), int(height)) == (pytest.approx(92, abs=2), pytest.approx(90, abs=2))


def test_an_open_document_is_left_alone() -> None:
    done, text, *_ = _read(early=True)
    assert done == "False"
    assert text.replace(" ", "").endswith(TEXT[1:])
