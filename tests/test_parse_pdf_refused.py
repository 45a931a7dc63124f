"""PDFs that cannot be read, or not wholly: encrypted, cut off, without a text layer, garbled."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from service.errors import Unreadable
from service.parse.limits import Limits
from service.parse.pdf import read_pdf
from tests.pdf_drawing import FIRST, drawn, flowed

TTF = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


def refused(data: bytes, **options: Limits) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read_pdf(data, "甲.pdf", **options)
    return caught.value


def test_a_password_is_asked_to_be_taken_off() -> None:
    error = refused(drawn([flowed(FIRST)], encrypt=StandardEncryption("secret")))
    assert error.code == "file_encrypted"
    assert "不加密的PDF" in error.message


def test_a_file_protected_against_changes_alone_is_read() -> None:
    data = drawn([flowed(FIRST)], encrypt=StandardEncryption("", ownerPassword="owner", canModify=0))
    assert read_pdf(data, "甲.pdf").document.text == FIRST


@pytest.mark.parametrize("data", [drawn([flowed(FIRST)])[:300], b"%PDF-1.7\n", b"%PDF-1.4\n" + b"\x00" * 4000])
def test_a_broken_file_says_what_to_do(data: bytes) -> None:
    error = refused(data)
    assert error.code == "file_damaged"
    assert "重新" in error.message


def test_too_many_pages_are_refused() -> None:
    error = refused(drawn([flowed(FIRST)] * 3), limits=Limits(pages=2))
    assert error.code == "file_over_limit"
    assert "3页" in error.message


def test_a_page_that_is_one_picture_is_wanted_for_ocr() -> None:
    picture = io.BytesIO()
    Image.new("L", (600, 800), 230).save(picture, "PNG")

    def scan(canvas: Canvas) -> None:
        from reportlab.lib.utils import ImageReader

        canvas.drawImage(ImageReader(io.BytesIO(picture.getvalue())), 0, 0, *A4)

    result = read_pdf(drawn([flowed(FIRST), [scan]]), "甲.pdf")
    assert result.wanted == (2,)
    assert result.document.text == FIRST
    assert [note.code for note in result.document.notes] == ["pages_without_text"]
    assert "第2页" in result.document.notes[0].message


def test_an_empty_page_is_not_wanted_for_ocr() -> None:
    assert read_pdf(drawn([flowed(FIRST), []]), "甲.pdf").wanted == ()


@pytest.mark.skipif(not TTF.exists(), reason="needs DejaVu Sans")
def test_private_characters_never_become_text() -> None:
    pdfmetrics.registerFont(TTFont("DejaVu", str(TTF)))

    def garbled(canvas: Canvas) -> None:
        canvas.setFont("DejaVu", 12)
        canvas.drawString(90, 600, "\ue001\ue002\ue003\ue004\ue005\ue006")

    result = read_pdf(drawn([[*flowed(FIRST), garbled]]), "甲.pdf")
    assert result.document.text == FIRST
    assert "garbled" in {note.code for note in result.document.notes}
    assert read_pdf(drawn([[garbled]]), "甲.pdf").wanted == (1,)
