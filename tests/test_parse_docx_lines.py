"""What a paragraph is (title, heading, caption, list) and where hand-made line breaks part it."""

from __future__ import annotations

import pytest
from docx_parts import lines, para, read, run, texts

BREAK = "<w:r><w:br/></w:r>"
STYLES = "".join(
    f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/>{rest}</w:style>'
    for key, name, rest in (
        ("h1", "heading 1", '<w:pPr><w:outlineLvl w:val="0"/></w:pPr>'),
        ("h2", "标题 2", ""),
        ("own", "我的小节", '<w:basedOn w:val="h2"/>'),
        ("body", "正文样式", '<w:basedOn w:val="h1"/><w:pPr><w:outlineLvl w:val="9"/></w:pPr>'),
        ("title", "Title", ""),
        ("cap", "caption", ""),
    )
)
LONG = "公司以顾客的要求为起点，把质量目标层层分解到每个班组，每个月检查一次，没有完成的由分管领导当面说明原因并限期改正，改不好的换人。"


def kind(text: str, style: str = "", direct: str = "") -> tuple[str, int | None]:
    properties = (f'<w:pStyle w:val="{style}"/>' if style else "") + direct
    block = read(para(text, properties=properties), styles=STYLES).blocks[0]
    return block.kind, block.level


@pytest.mark.parametrize(
    ("text", "style", "direct", "expected"),
    [
        ("企业概况", "h1", "", ("heading", 1)),
        ("组织保障", "h2", "", ("heading", 2)),
        ("组织保障", "own", "", ("heading", 2)),
        ("组织保障", "", '<w:outlineLvl w:val="2"/>', ("heading", 3)),
        ("组织保障", "h1", '<w:outlineLvl w:val="9"/>', ("paragraph", None)),
        ("组织保障", "body", "", ("paragraph", None)),
        (LONG, "h1", "", ("paragraph", None)),
        ("实施精益管理的经验", "title", "", ("title", None)),
        ("表 1 近三年指标", "cap", "", ("caption", None)),
        ("图2-1 流程", "", "", ("caption", None)),
        ("图2-1是流程图。", "", "", ("paragraph", None)),
        ("注：数据来自年报", "cap", "", ("paragraph", None)),
    ],
)
def test_kinds(text: str, style: str, direct: str, expected: tuple[str, int | None]) -> None:
    assert kind(text, style, direct) == expected


def numbering(text: str) -> str:
    return (
        f'<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="1"><w:numFmt w:val="decimal"/><w:lvlText w:val="{text}"/></w:lvl>'
        '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )


NUMBER = '<w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr>'


def test_numbered_paragraph_is_a_list_and_numbered_heading_a_heading() -> None:
    body = para("要点", properties=NUMBER) + para("小节", properties='<w:pStyle w:val="h2"/>' + NUMBER)
    document = read(body, styles=STYLES, numbering=numbering("%2."))
    assert lines(document) == [("list", "1.", "要点"), ("heading", "2.", "小节")]
    assert document.blocks[0].level == 2


def test_caption_whose_number_is_automatic() -> None:
    assert lines(read(para("近三年指标", properties=NUMBER), numbering=numbering("表%2"))) == [("caption", "表1", "近三年指标")]


def test_breaks_part_paragraphs() -> None:
    assert texts(read(para("一、企业概况", BREAK, LONG, BREAK, "（一）" + LONG))) == ["一、企业概况", LONG, "（一）" + LONG]


def test_heading_and_body_in_one_paragraph_of_a_heading_style() -> None:
    document = read(para("企业概况", BREAK, LONG, properties='<w:pStyle w:val="h1"/>'), styles=STYLES)
    assert [(item, text) for item, _, text in lines(document)] == [("heading", "企业概况"), ("paragraph", LONG)]


def test_every_line_has_its_own_layout_and_only_the_first_the_number() -> None:
    body = para(run("小标题", "<w:b/>"), BREAK, LONG, properties=NUMBER)
    document = read(body, numbering=numbering("%2."))
    assert [block.label for block in document.blocks] == ["1.", ""]
    assert [block.layout is not None and block.layout.bold for block in document.blocks] == [True, False]


def test_title_in_two_lines_is_one() -> None:
    body = para("某某集团有限公司", BREAK, "实施精益质量管理的经验", properties='<w:jc w:val="center"/>')
    assert texts(read(body)) == ["某某集团有限公司实施精益质量管理的经验"]


def test_sentence_broken_at_the_edge_of_the_page_is_one() -> None:
    head = "公司多年来坚持以顾客为中心，把每一道工序的质量责任落实到"
    assert texts(read(para(head, BREAK, "班组和个人。"))) == [head + "班组和个人。"]
    assert texts(read(para("We measure the rate of", BREAK, "defects"))) == ["We measure the rate of defects"]


def test_page_break_parts_paragraphs() -> None:
    assert texts(read(para("前一页没有写完的话", '<w:r><w:br w:type="page"/></w:r>', "后一页"))) == ["前一页没有写完的话", "后一页"]


def test_indents_of_blanks_are_trimmed_and_offsets_agree() -> None:
    document = read(para("　　", run(" 首行缩进"), "　") + para("　") + para("下一段"))
    assert texts(document) == ["首行缩进", "下一段"]
    assert document.text == "首行缩进\n下一段"


def test_tabs_hyphens_and_unpreserved_blanks() -> None:
    body = "<w:p><w:r><w:t> 甲 </w:t><w:tab/><w:t>乙</w:t><w:noBreakHyphen/><w:t>丙</w:t><w:softHyphen/><w:t>丁</w:t></w:r></w:p>"
    assert texts(read(body)) == ["甲\t乙-丙丁"]


def test_characters_that_nobody_sees_are_left_out() -> None:
    assert texts(read(para("\ufeff质量\u200b标杆", "\u200e", "经验\u00ad"))) == ["质量标杆经验"]


def test_large_initial_letter_belongs_to_its_paragraph() -> None:
    body = para("公", properties='<w:framePr w:dropCap="drop" w:lines="3"/>') + para("司成立于1998年。")
    assert texts(read(body)) == ["公司成立于1998年。"]
