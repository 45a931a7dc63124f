"""Draws small PDFs for the reader's tests: text at places, ruled lines, pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from service.parse.pdf import read_pdf

FONT = "STSong-Light"
Text = tuple[float, float, float, str]  # x, y from the top, size, text
Draw = Callable[[Canvas], None]

FIRST = "公司成立于二〇〇六年，专门生产各种规格的精密轴承，产品用于农机、电机和矿山设备，客户遍布全国三十一个省份，员工一千二百人。"
SECOND = "公司推行全员质量管理，建立了从设计、采购、制造到售后服务的全过程质量控制体系，每道工序都有明确的控制标准和记录。"


def drawn(pages: Sequence[Sequence[Text | Draw]], *, encrypt: StandardEncryption | None = None) -> bytes:
    """A4 pages of texts and of whatever a function draws."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, encrypt=encrypt)
    for page in pages:
        for item in page:
            if callable(item):
                item(canvas)
                continue
            x, y, size, text = item
            canvas.setFont(FONT, size)
            canvas.drawString(x, A4[1] - y, text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def flowed(
    text: str, *, x: float = 90, y: float = 120, size: float = 14, width: int = 29, indent: int = 2, pitch: float = 24
) -> list[Text | Draw]:
    """A paragraph wrapped by hand, `width` characters a line."""
    lines = [text[: width - indent]]
    rest = text[width - indent :]
    while rest:
        lines.append(rest[:width])
        rest = rest[width:]
    return [(x + (indent * size if number == 0 else 0), y + number * pitch, size, line) for number, line in enumerate(lines)]


def grid(xs: Sequence[float], ys: Sequence[float]) -> Draw:
    """Ruled lines; y from the top."""
    return lambda canvas: canvas.grid(list(xs), [A4[1] - y for y in ys])


def bold(x: float, y: float, size: float, text: str) -> Draw:
    """Text thickened by an outline, as Word does where the font has no bold."""

    def draw(canvas: Canvas) -> None:
        canvas.setLineWidth(size / 30)
        line = canvas.beginText(x, A4[1] - y)
        line.setFont(FONT, size)
        line.setTextRenderMode(2)
        line.textOut(text)
        line.setTextRenderMode(0)
        canvas.drawText(line)

    return draw


def kinds(data: bytes) -> list[tuple[str, str]]:
    """Each block's kind and text."""
    document = read_pdf(data, "甲.pdf").document
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]
