"""PDF with a text layer: paragraphs, headings, page furniture, tables."""

from __future__ import annotations

import io

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from service.errors import Unreadable
from service.parse.pdf import read_pdf

FONT = "STSong-Light"


@pytest.fixture(autouse=True)
def font() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def drawn(pages: list[list[tuple[float, float, float, str]]]) -> bytes:
    """A PDF from (x, y from the top, size, text) a page."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for page in pages:
        for x, y, size, text in page:
            canvas.setFont(FONT, size)
            canvas.drawString(x, A4[1] - y, text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def flowed(text: str, *, x: float = 90, y: float = 120, size: float = 14, width: int = 29, indent: int = 2, pitch: float = 24):
    """A paragraph wrapped by hand, `width` characters a line."""
    lines = [text[: width - indent]]
    rest = text[width - indent :]
    while rest:
        lines.append(rest[:width])
        rest = rest[width:]
    return [(x + (indent * size if n == 0 else 0), y + n * pitch, size, line) for n, line in enumerate(lines)]


def kinds(data: bytes) -> list[tuple[str, str]]:
    document = read_pdf(data, "甲.pdf").document
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


FIRST = "公司成立于二〇〇六年，专门生产各种规格的精密轴承，产品用于农机、电机和矿山设备，客户遍布全国三十一个省份，员工一千二百人。"
SECOND = "公司推行全员质量管理，建立了从设计、采购、制造到售后服务的全过程质量控制体系，每道工序都有明确的控制标准和记录。"


def test_lines_become_paragraphs_by_indent() -> None:
    page = flowed(FIRST) + flowed(SECOND, y=120 + 24 * 3)
    assert kinds(drawn([page])) == [("paragraph", FIRST), ("paragraph", SECOND)]


def test_lines_become_paragraphs_by_space() -> None:
    page = flowed(FIRST, indent=0) + flowed(SECOND, y=120 + 24 * 3 + 12, indent=0)
    assert kinds(drawn([page])) == [("paragraph", FIRST), ("paragraph", SECOND)]


def test_a_paragraph_goes_on_over_the_page_end_and_furniture_is_left_out() -> None:
    lines = flowed(FIRST) + flowed(SECOND, y=192)
    half = [(x, y, size, text) for x, y, size, text in lines[:4]]
    rest = [(x, y - 96, size, text) for x, y, size, text in lines[4:]]
    furniture = [[(250, 50, 9, "甲公司质量标杆材料"), (290, 800, 9, f"— {n} —")] for n in (1, 2)]
    assert kinds(drawn([furniture[0] + half, rest + furniture[1]])) == [("paragraph", FIRST), ("paragraph", SECOND)]


def test_a_broken_file_says_what_to_do() -> None:
    with pytest.raises(Unreadable) as caught:
        read_pdf(drawn([flowed(FIRST)])[:300], "甲.pdf")
    assert caught.value.code == "damaged"
    assert "重新" in caught.value.message
