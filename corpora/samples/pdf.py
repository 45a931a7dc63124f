"""A source as PDF, with its fonts embedded: poppler without its Chinese language pack shows nothing of the CID fonts that are not."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors, textsplit
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    Image,
    KeepTogether,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)
from source import CAPTION_SIZE, TITLE_SIZE, Block, Source, column_weights, printed_numbers

_MARGIN = 28 * mm
_TEXT_WIDTH = A4[0] - 2 * _MARGIN
_PICTURE_WIDTH = 125 * mm
_FONTS = Path(__file__).parent / "sources" / "fonts"  # cut to the samples' characters by fonts.py
_CANNOT_START = "，；：！？”’》"
_BODY, _HEAD, _BOLD = "serif", "sans", "serif-bold"  # for 宋体, 黑体, 宋体加粗
_FACES = {_BODY: "serif.ttf", _HEAD: "sans.ttf", _BOLD: "serif-bold.ttf"}


def prepare() -> None:
    """Register the fonts and keep Chinese marks off the start of a line: reportlab's own list is for Japanese."""
    for face, file in _FACES.items():
        if face not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(face, str(_FONTS / file)))
    if not textsplit.ALL_CANNOT_START.endswith(_CANNOT_START):
        textsplit.ALL_CANNOT_START += _CANNOT_START


class _Template(BaseDocTemplate):
    """Pages with a number below and a running line above; remembers the page of each heading."""

    def __init__(self, target: BytesIO, source: Source) -> None:
        super().__init__(target, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=25 * mm, bottomMargin=25 * mm, invariant=1)
        self.title, self.author, self.creator = source.title, source.organisation, "corpora/samples/build.py"
        self.pages_of: dict[int, int] = {}
        self._source = source
        frame = Frame(self.leftMargin, self.bottomMargin, self.width, self.height, leftPadding=0, rightPadding=0)
        self.addPageTemplates(PageTemplate(frames=[frame], onPage=self._furniture))

    def _furniture(self, canvas: Any, _document: Any) -> None:
        first = 2 if self._source.form.get("cover") else 1
        canvas.setFont(_BODY, 9)
        if self._source.form.get("header") and self.page >= first:
            canvas.drawCentredString(A4[0] / 2, A4[1] - 15 * mm, self._source.form["header"])
        if self._source.form.get("footer") and self.page >= first:
            canvas.drawCentredString(A4[0] / 2, 14 * mm, f"— {self.page} —")

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 -- reportlab's name
        if (index := getattr(flowable, "heading_index", None)) is not None:
            self.pages_of[index] = self.page


def build(source: Source, pictures: Path) -> tuple[bytes, dict[int, int]]:
    """The PDF, and the page of each heading block by its index: the Word file's contents page uses it too."""
    prepare()
    pages: dict[int, int] = {}
    for _ in range(3 if source.form.get("contents") else 1):  # until the contents page no longer moves anything
        target = BytesIO()
        template = _Template(target, source)
        template.build(list(_flow(source, pictures, pages)))
        if pages == template.pages_of:
            break
        pages = template.pages_of
    return target.getvalue(), pages


def _style(name: str, font: str, size: float, **options: Any) -> ParagraphStyle:
    settings = {"wordWrap": "CJK", "leading": size * 1.45, "spaceAfter": 0, **options}
    return ParagraphStyle(name, fontName=font, fontSize=size, **settings)


def _flow(source: Source, pictures: Path, pages: dict[int, int]) -> Iterator[Flowable]:
    size = source.body_size
    body = _style("body", _BODY, size, firstLineIndent=2 * size, alignment=TA_JUSTIFY)
    title = _style("title", _HEAD, TITLE_SIZE, alignment=TA_CENTER, spaceAfter=14)
    numbers = printed_numbers(source)
    if source.form.get("cover"):
        yield from _cover(source)
    if source.form.get("contents"):
        yield from _contents(source, numbers, pages)
    for index, block in enumerate(source.blocks):
        if block.kind == "title":
            if index:
                yield PageBreak()
            yield Paragraph(escape(block.text), title)
        elif block.kind == "heading":
            yield _heading(source, index, block, numbers)
        elif block.kind == "figure":
            yield _figure(source, block, pictures)
        elif block.kind == "table":
            yield from _table(source, block)
        else:
            yield Paragraph(escape(("● " if block.kind == "bullet" else "") + block.text), body)


def _heading(source: Source, index: int, block: Block, numbers: dict[int, str]) -> Flowable:
    size = source.heading_sizes[block.level - 1]
    font = _HEAD if block.level == 1 else _BOLD
    text = f"{numbers[index]} {block.text}" if index in numbers else block.text
    heading = Paragraph(escape(text), _style("heading", font, size, spaceBefore=8, spaceAfter=4, keepWithNext=1))
    heading.heading_index = index
    return heading


def _cover(source: Source) -> Iterator[Flowable]:
    yield Spacer(1, 60 * mm)
    yield Paragraph("质量标杆典型经验材料", _style("cover", _HEAD, 26, alignment=TA_CENTER, spaceAfter=30 * mm))
    yield Paragraph(escape(source.title), _style("cover", _HEAD, 20, alignment=TA_CENTER, spaceAfter=40 * mm))
    for line in (source.organisation, source.form.get("date", "")):
        yield Paragraph(escape(line), _style("cover", _BODY, 16, alignment=TA_CENTER, spaceAfter=4 * mm))
    yield PageBreak()


def _contents(source: Source, numbers: dict[int, str], pages: dict[int, int]) -> Iterator[Flowable]:
    yield Paragraph("目　录", _style("contents", _HEAD, 16, alignment=TA_CENTER, spaceAfter=6 * mm))
    style = _style("entry", _BODY, 12)
    for index, block in enumerate(source.blocks):
        if block.kind == "heading" and block.level <= 2:
            number = f"{numbers[index]} " if index in numbers else ""
            left = "　" * (block.level - 1) + number + block.text
            page = str(pages.get(index, 1))
            dots = _TEXT_WIDTH - sum(pdfmetrics.stringWidth(part, _BODY, 12) for part in (left, page))
            yield Paragraph(escape(left + "." * int(dots / pdfmetrics.stringWidth(".", _BODY, 12) - 3) + page), style)
    yield PageBreak()


def _figure(source: Source, block: Block, pictures: Path) -> Flowable:
    picture = Image(str(pictures / f"{source.id}-{block.figure + 1}.png"))
    scale = _PICTURE_WIDTH / picture.imageWidth
    picture.drawWidth, picture.drawHeight = _PICTURE_WIDTH, picture.imageHeight * scale
    parts: list[Flowable] = [Spacer(1, 4), picture]
    if block.text:
        parts.append(Paragraph(escape(block.text), _caption(source)))
    return KeepTogether([*parts, Spacer(1, 6)])


def _caption(source: Source) -> ParagraphStyle:
    return _style("caption", _BOLD if source.captions_bold else _BODY, CAPTION_SIZE, alignment=TA_CENTER, spaceBefore=4, spaceAfter=4)


def _table(source: Source, block: Block) -> Iterator[Flowable]:
    if block.text:
        yield Paragraph(escape(block.text), _caption(source).clone("caption", keepWithNext=1))
    cell = _style("cell", _BODY, 10.5, leading=14)
    head = _style("head", _BOLD, 10.5, leading=14, alignment=TA_CENTER)
    rows = [[Paragraph(escape(text), cell if number else head) for text in row] for number, row in enumerate(block.rows)]
    widths = [_TEXT_WIDTH * weight for weight in column_weights(block.rows)]
    ruled = [("GRID", (0, 0), (-1, -1), 0.6, colors.black), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    yield Table(rows, colWidths=widths, repeatRows=1, style=ruled)
    yield Spacer(1, 8)
