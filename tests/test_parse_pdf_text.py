"""PDF with a text layer: paragraphs, headings, what is left out, order."""

from __future__ import annotations

from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from service.parse.pdf import read_pdf
from tests.pdf_drawing import FIRST, FONT, SECOND, bold, drawn, flowed, kinds


def test_lines_become_paragraphs_by_indent() -> None:
    assert kinds(drawn([flowed(FIRST) + flowed(SECOND, y=192)])) == [("paragraph", FIRST), ("paragraph", SECOND)]


def test_lines_become_paragraphs_by_space() -> None:
    page = flowed(FIRST, indent=0) + flowed(SECOND, y=204, indent=0)
    assert kinds(drawn([page])) == [("paragraph", FIRST), ("paragraph", SECOND)]


def test_a_paragraph_goes_on_over_the_page_end_and_furniture_is_left_out() -> None:
    lines = flowed(FIRST) + flowed(SECOND, y=192)
    furniture = [[(250.0, 50.0, 9.0, "甲公司质量标杆材料"), (290.0, 800.0, 9.0, f"— {number} —")] for number in (1, 2)]
    rest = [(x, y - 96, size, text) for x, y, size, text in lines[4:]]  # type: ignore[misc]
    assert kinds(drawn([[*furniture[0], *lines[:4]], [*rest, *furniture[1]]])) == [("paragraph", FIRST), ("paragraph", SECOND)]


def test_a_word_cut_by_a_hyphen_is_whole_and_words_keep_their_blank() -> None:
    lines = [
        "We apply statistical process control, well designed experiments and relia-",
        "bility analysis to every line of all our plants, and the suppliers follow us in",
        "this.",
    ]
    whole = "".join(lines[:2]).replace("relia-", "relia") + " this."
    assert kinds(drawn([[(90.0, 120.0 + 20 * number, 14.2, line) for number, line in enumerate(lines)]])) == [("paragraph", whole)]


def test_no_blank_stands_between_chinese_and_latin_set_apart() -> None:
    page = [
        (90.0, 120.0, 14.0, "自"),
        (107.0, 120.0, 14.0, "2019"),
        (138.5, 120.0, 14.0, "年起推行"),
        (198.0, 120.0, 14.0, "QC"),
        (222.0, 120.0, 14.0, "小组。"),
    ]
    assert kinds(drawn([page])) == [("paragraph", "自2019年起推行QC小组。")]


def test_marks_of_another_font_stand_at_their_place() -> None:
    """LibreOffice draws all quotation marks of a line as one text object after the line."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont(FONT, 14)
        canvas.drawString(90, A4[1] - 120, "使命是")
        canvas.drawString(146, A4[1] - 120, "诚信为本")
        canvas.drawString(216, A4[1] - 120, "并写入制度。")
        line = canvas.beginText(132, A4[1] - 120)
        line.setFont(FONT, 14)
        line.textOut("“")
        line.setXPos(70)
        line.textOut("”")
        canvas.drawText(line)

    assert kinds(drawn([[draw]])) == [("paragraph", "使命是“诚信为本”并写入制度。")]


def test_title_headings_and_body_by_size_weight_and_number() -> None:
    page = [(162.0, 80.0, 22.0, "轴承全流程质量管控经验"), bold(90, 130, 14, "企业概况"), *flowed(FIRST, y=160)]
    page += [(90.0, 250.0, 14.0, "二、实施背景"), bold(118, 280, 14, "（一）外部压力"), *flowed(SECOND, y=310)]
    document = read_pdf(drawn([page]), "甲.pdf").document
    found = [(block.kind, block.level, document.text[block.start : block.end]) for block in document.blocks]
    assert found[0] == ("title", None, "轴承全流程质量管控经验")
    assert [each for each in found if each[0] == "heading"] == [
        ("heading", 1, "企业概况"),
        ("heading", 1, "二、实施背景"),
        ("heading", 2, "（一）外部压力"),
    ]
    assert [each[2] for each in found if each[0] == "paragraph"] == [FIRST, SECOND]
    title, heading = document.blocks[0].layout, document.blocks[1].layout
    assert title is not None
    assert heading is not None
    assert (title.size, title.alignment, title.font, heading.bold) == (22.0, "center", "STSong-Light", True)
    assert document.layout_known


def test_text_struck_twice_is_read_once_and_is_bold() -> None:
    page = [(90.0, 100.0, 14.0, "企业概况"), (90.4, 100.0, 14.0, "企业概况"), *flowed(FIRST, y=130)]
    assert kinds(drawn([page])) == [("heading", "企业概况"), ("paragraph", FIRST)]


def test_two_columns_are_read_one_after_the_other() -> None:
    left = flowed(FIRST, x=60, size=10, width=22, indent=2, pitch=16) + flowed(SECOND, x=60, y=184, size=10, width=22, pitch=16)
    right = flowed(SECOND, x=310, size=10, width=22, indent=2, pitch=16) + flowed(FIRST, x=310, y=184, size=10, width=22, pitch=16)
    both = sorted(left + right, key=lambda item: (item[1], item[0]))  # type: ignore[index]
    more = flowed(FIRST, x=60, y=280, size=10, width=22, pitch=16) + flowed(FIRST, x=310, y=280, size=10, width=22, pitch=16)
    texts = [text for _, text in kinds(drawn([both + more]))]
    assert texts == [FIRST, SECOND, FIRST, SECOND, FIRST, FIRST]


def test_a_turned_watermark_is_left_out() -> None:
    def watermark(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.translate(150, 300)
        canvas.rotate(45)
        canvas.setFillColor(Color(0.8, 0.8, 0.8))
        canvas.setFont(FONT, 60)
        canvas.drawString(0, 0, "内部资料严禁外传")
        canvas.restoreState()

    assert kinds(drawn([[watermark, *flowed(FIRST)]])) == [("paragraph", FIRST)]


def test_dark_text_on_its_side_is_left_out_with_a_note() -> None:
    def aside(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.translate(70, 300)
        canvas.rotate(90)
        canvas.setFont(FONT, 12)
        canvas.drawString(0, 0, "装订线内不要填写")
        canvas.restoreState()

    document = read_pdf(drawn([[aside, *flowed(FIRST)]]), "甲.pdf").document
    assert document.text == FIRST
    assert [note.code for note in document.notes] == ["turned_text"]


def test_a_contents_page_is_toc() -> None:
    page = [(270.0, 90.0, 16.0, "目  录")]
    page += [
        (90.0, 130.0 + 24 * n, 12.0, f"{number}、{name}{'.' * 60}{n + 1}")
        for n, (number, name) in enumerate(zip("一二三", ("企业概况", "实施背景", "实施过程"), strict=True))
    ]
    found = kinds(drawn([page, flowed(FIRST)]))
    assert [kind for kind, _ in found] == ["toc", "toc", "toc", "toc", "paragraph"]


def test_a_turned_page_is_read_as_seen() -> None:
    def turned(canvas: Canvas) -> None:
        canvas.setPageRotation(90)
        canvas.saveState()
        canvas.rotate(90)
        canvas.translate(0, -A4[0])
        canvas.setFont(FONT, 14)
        canvas.drawString(90, 480, "横向页面第一行文字。")
        canvas.drawString(90, 440, "横向页面第二行文字。")
        canvas.restoreState()

    document = read_pdf(drawn([[turned]]), "甲.pdf").document
    assert document.text == "横向页面第一行文字。\n横向页面第二行文字。"
    assert (document.page_setups[0].width, document.page_setups[0].height) == (210.0, 297.0)


def test_radicals_become_ordinary_characters() -> None:
    assert kinds(drawn([[(90.0, 120.0, 14.0, "公司⽤⼼做事。")]])) == [("paragraph", "公司用心做事。")]
