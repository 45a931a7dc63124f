"""Ruled tables in a PDF: cells, spans, tables that go on over a page, frames and pictures."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from service.model import Document
from service.parse.pdf import read_pdf
from tests.pdf_drawing import FIRST, SECOND, drawn, flowed, grid, kinds

XS = (90.0, 230.0, 370.0, 510.0)


def cells(rows: list[list[str]], *, top: float, height: float = 26.0) -> list:
    texts = [
        (XS[column] + 4, top + height * row + 17, 11.0, text) for row, line in enumerate(rows) for column, text in enumerate(line) if text
    ]
    return [grid(XS, [top + height * row for row in range(len(rows) + 1)]), *texts]


ROWS = [["指标", "2020年", "2021年"], ["合格率", "97.2%", "98.9%"], ["投诉", "12起", "4起"]]


def test_a_table_stands_between_its_paragraphs() -> None:
    page = [*flowed(FIRST), (230.0, 200.0, 12.0, "表1 主要指标"), *cells(ROWS, top=215), *flowed(SECOND, y=320)]
    document = read_pdf(drawn([page]), "甲.pdf").document
    assert [block.kind for block in document.blocks] == ["paragraph", "caption", "table", "paragraph"]
    table = document.blocks[2]
    assert table.columns == 3
    assert [(cell.row, cell.column, document.text[cell.start : cell.end]) for cell in table.cells][:4] == [
        (0, 0, "指标"),
        (0, 1, "2020年"),
        (0, 2, "2021年"),
        (1, 0, "合格率"),
    ]
    assert document.text[table.start : table.end] == "指标\t2020年\t2021年\n合格率\t97.2%\t98.9%\n投诉\t12起\t4起"


def texts(document: Document) -> list[str]:
    return [document.cell_text(cell) for block in document.blocks for cell in block.cells]


def test_a_cell_wrapped_in_lines_is_one_text() -> None:
    page = [
        grid((90, 156, 400), (100, 150, 180)),
        (94.0, 118.0, 11.0, "主要过程与"),
        (94.0, 134.0, 11.0, "控制方法"),
        (160.0, 118.0, 11.0, "说明"),
    ]
    page += [(94.0, 170.0, 11.0, "焊接"), (160.0, 170.0, 11.0, "自动"), (160.0, 134.0, 11.0, "另起一行")]
    document = read_pdf(drawn([page]), "甲.pdf").document
    assert document.text == "主要过程与\t说明\n控制方法\t另起一行\n焊接\t自动"  # as printed
    assert texts(document) == ["主要过程与控制方法", "说明 另起一行", "焊接", "自动"]


def test_merged_cells_span() -> None:
    def lines(canvas: Canvas) -> None:
        height = 841.89
        for y in (100, 126, 152):
            canvas.line(90, height - y, 370, height - y)
        for x in (90, 370):
            canvas.line(x, height - 100, x, height - 152)
        canvas.line(230, height - 126, 230, height - 152)

    page = [lines, (94.0, 117.0, 11.0, "近三年主要指标"), (94.0, 143.0, 11.0, "合格率"), (234.0, 143.0, 11.0, "98%")]
    document = read_pdf(drawn([page]), "甲.pdf").document
    assert [(cell.row, cell.column, cell.columns) for cell in document.blocks[0].cells] == [(0, 0, 2), (1, 0, 1), (1, 1, 1)]


def test_a_table_goes_on_over_the_page_end_with_its_head_once() -> None:
    first = [*flowed(FIRST), *cells(ROWS, top=700)]
    second = [*cells([ROWS[0], ["返修率", "3.1%", "1.2%"]], top=60), *flowed(SECOND, y=200)]
    document = read_pdf(drawn([first, second]), "甲.pdf").document
    assert [block.kind for block in document.blocks] == ["paragraph", "table", "paragraph"]
    table = document.blocks[1]
    assert document.text[table.start : table.end].split("\n")[-2:] == ["投诉\t12起\t4起", "返修率\t3.1%\t1.2%"]
    assert document.text.count("2020年") == 1


def test_a_row_cut_by_the_page_end_is_whole() -> None:
    first = [*flowed(FIRST), *cells([*ROWS, ["质量问题平均", "26", "4"]], top=690)]
    second = [*cells([["追溯用时", "", ""]], top=60), *flowed(SECOND, y=200)]
    document = read_pdf(drawn([first, second]), "甲.pdf").document
    assert texts(document)[-3:] == ["质量问题平均追溯用时", "26", "4"]


def test_a_frame_around_the_text_is_no_table() -> None:
    assert kinds(drawn([[grid((60, 540), (80, 780)), *flowed(FIRST)]])) == [("paragraph", FIRST)]


def test_a_picture_is_a_figure_and_a_logo_is_none(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    Image.new("RGB", (80, 60), (40, 90, 160)).save(picture)

    def draw(canvas: Canvas) -> None:
        canvas.drawImage(str(picture), 150, 450, 200, 150)
        canvas.drawImage(str(picture), 500, 790, 20, 15)

    page = [*flowed(FIRST), draw, (240.0, 415.0, 12.0, "图1 总体架构"), *flowed(SECOND, y=450)]
    assert [kind for kind, _ in kinds(drawn([page]))] == ["paragraph", "figure", "caption", "paragraph"]


def test_a_drawing_of_boxes_and_arrows_is_one_figure() -> None:
    def draw(canvas: Canvas) -> None:
        for step in range(4):
            x = 100 + 100 * step
            canvas.roundRect(x, 520, 70, 40, 6)
            if step < 3:
                path = canvas.beginPath()
                path.moveTo(x + 94, 534)
                path.lineTo(x + 100, 540)
                path.lineTo(x + 94, 546)
                path.close()
                canvas.line(x + 70, 540, x + 94, 540)
                canvas.drawPath(path, fill=1)

    page = [*flowed(FIRST), draw, (240.0, 360.0, 12.0, "图1 推进步骤"), *flowed(SECOND, y=400)]
    assert [kind for kind, _ in kinds(drawn([page]))] == ["paragraph", "figure", "caption", "paragraph"]


def test_shading_is_no_figure() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFillGray(0.9)
        for row in range(8):
            canvas.rect(90, 400 + 40 * row, 400, 20, stroke=0, fill=1)

    assert kinds(drawn([[draw, *flowed(FIRST)]])) == [("paragraph", FIRST)]
