"""What OCR recognised becomes paragraphs, headings and tables as printed text does."""

from __future__ import annotations

import pytest

from service.model import Document
from service.parse.ocr_page import OcrLine, OcrPage
from service.parse.ocr_text import mended
from service.parse.pdf import read_pdf
from tests.pdf_drawing import FIRST, SECOND, drawn, flowed


@pytest.mark.parametrize(
    ("recognised", "meant"),
    [
        ("质量,成本;交付:三者并重!", "质量，成本；交付：三者并重！"),
        ("沣禾公司(以下简称公司)成立", "沣禾公司（以下简称公司）成立"),
        ("(一)主要做法", "（一）主要做法"),
        ("(1)产品质量", "（1）产品质量"),
        ("不良率(ppm)", "不良率（ppm）"),
        ("第一步(见图", "第一步（见图"),
        ("合格率97.5%,返修", "合格率97.5%，返修"),
        ("产量1,250台", "产量1,250台"),
        ("比例1:2.5", "比例1:2.5"),
        ("按ISO 9001:2015(E)执行.", "按ISO 9001:2015(E)执行。"),
        ("1.推行六西格玛", "1.推行六西格玛"),
        ("企 业 概 况", "企业概况"),
        ("Six Sigma (DMAIC) works, too.", "Six Sigma (DMAIC) works, too."),
    ],
)
def test_punctuation_gets_the_width_it_had(recognised: str, meant: str) -> None:
    assert mended(recognised) == meant


def lines(text: str, *, y: float, confidence: float = 0.9) -> list[OcrLine]:
    return [
        OcrLine(x, top - 14, x + 14 * len(line), top + 4, line, confidence, stroke=1.5)
        for x, top, _, line in flowed(text, y=y)  # type: ignore[misc]
    ]


def read(*pages: OcrPage) -> Document:
    result = read_pdf(drawn([[]] * len(pages)), "甲.pdf", recognised={page.number: page for page in pages})
    assert result.wanted == ()
    return result.document


def kinds(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_lines_join_over_the_page_end_and_layout_is_unknown() -> None:
    every = lines(FIRST, y=120) + lines(SECOND, y=192)
    rest = [OcrLine(line.x0, line.top - 96, line.x1, line.bottom - 96, line.text, 0.7) for line in every[4:]]
    document = read(OcrPage(1, 595, 842, tuple(every[:4])), OcrPage(2, 595, 842, tuple(rest)))
    assert kinds(document) == [("paragraph", FIRST), ("paragraph", SECOND)]
    assert not document.layout_known
    assert all(block.layout is None for block in document.blocks)
    assert [note.code for note in document.notes] == ["ocr"]
    assert "第1-2页" in document.notes[0].message


def test_thick_strokes_are_a_heading() -> None:
    heading = OcrLine(90, 86, 146, 104, "企业概况", 0.9, stroke=2.1)
    document = read(OcrPage(1, 595, 842, (heading, *lines(FIRST, y=130), *lines(SECOND, y=202))))
    assert kinds(document) == [("heading", "企业概况"), ("paragraph", FIRST), ("paragraph", SECOND)]


def test_ruled_lines_make_a_table() -> None:
    words = [["指标", "2021年"], ["合格率(%)", "98.2"]]
    found = [
        OcrLine(100 + 120 * column, 304 + 26 * row, 100 + 120 * column + 12 * len(word), 320 + 26 * row, word, 0.9, stroke=1.3)
        for row, line in enumerate(words)
        for column, word in enumerate(line)
    ]
    rules = [(95.0, 300.0 + 26 * row, 335.0, 300.0 + 26 * row) for row in range(3)]
    rules += [(95.0 + 120 * column, 300.0, 95.0 + 120 * column, 352.0) for column in range(3)]
    document = read(OcrPage(1, 595, 842, (*lines(FIRST, y=120), *found, *lines(SECOND, y=400)), tuple(rules)))
    assert kinds(document)[1] == ("table", "指标\t2021年\n合格率（%）\t98.2")


def test_a_page_that_ocr_could_not_read_stays_wanted() -> None:
    page = OcrPage(1, 0, 0, (), failed=True)
    assert read_pdf(drawn([flowed(FIRST)]), "甲.pdf", recognised={1: page}).document.text == FIRST
