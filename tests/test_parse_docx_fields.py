"""Fields give their results, content controls and hyperlinks their content; the contents page is kept apart."""

from __future__ import annotations

import pytest
from docx_parts import lines, para, read, row, run, table, texts


def mark(kind: str, inner: str = "") -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}">{inner}</w:fldChar></w:r>'


def instruction(text: str) -> str:
    return f"<w:r><w:instrText>{text}</w:instrText></w:r>"


def field(code: str, result: str) -> str:
    return mark("begin") + instruction(code) + mark("separate") + (result if result.startswith("<") else run(result)) + mark("end")


def test_result_and_not_instruction() -> None:
    assert texts(read(para("见表", field(r"SEQ 表 \* ARABIC", "3"), "所示"))) == ["见表3所示"]


def test_nested_fields() -> None:
    inner = (
        mark("begin")
        + instruction("IF ")
        + field("MERGEFIELD a", "1")
        + instruction(' = 1 "甲"')
        + mark("separate")
        + run("甲")
        + mark("end")
    )
    assert texts(read(para("答：", inner, "。"))) == ["答：甲。"]


def test_simple_field_and_field_without_result() -> None:
    assert texts(
        read(para('<w:fldSimple w:instr="PAGE">' + run("5") + "</w:fldSimple>", mark("begin") + instruction("TC") + mark("end"), "页"))
    ) == ["5页"]


def test_field_without_an_end_swallows_nothing() -> None:
    assert texts(read(para("前", mark("begin"), instruction("PAGE"), "中") + para("后文还在"))) == ["前", "后文还在"]


def test_fields_that_only_begin_swallow_nothing() -> None:
    assert texts(read(para("前", mark("begin"), mark("begin"), "中") + para("后文还在") + para(mark("end"), "尾"))) == [
        "前",
        "后文还在",
        "尾",
    ]


def test_form_checkboxes() -> None:
    box = '<w:ffData><w:checkBox><w:sizeAuto/><w:default w:val="0"/>{}</w:checkBox></w:ffData>'
    ticked = mark("begin", box.format("<w:checked/>")) + instruction("FORMCHECKBOX") + mark("separate") + mark("end")
    empty = mark("begin", box.format("")) + instruction("FORMCHECKBOX") + mark("end")
    assert texts(read(para(ticked, "是", empty, "否"))) == ["☑是☐否"]


def test_symbols_become_unicode() -> None:
    body = para(
        '<w:r><w:sym w:font="Wingdings 2" w:char="F052"/></w:r>',
        "合格",
        '<w:r><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>',
        "\uf0fc不合格",
    )
    assert texts(read(body)) == ["☑合格☐✓不合格"]


@pytest.mark.parametrize(
    "wrapper",
    [
        '<w:hyperlink w:anchor="x">{}</w:hyperlink>',
        "<w:sdt><w:sdtPr/><w:sdtContent>{}</w:sdtContent></w:sdt>",
        '<w:smartTag w:element="place">{}</w:smartTag>',
        '<w:customXml w:element="x">{}</w:customXml>',
        "<w:bdo>{}</w:bdo>",
    ],
)
def test_wrapped_runs(wrapper: str) -> None:
    assert texts(read(para("前", wrapper.format(wrapper.format(run("中"))), "后"))) == ["前中后"]


def test_content_controls_around_paragraphs_rows_and_cells() -> None:
    control = "<w:sdt><w:sdtPr/><w:sdtContent>{}</w:sdtContent></w:sdt>"
    cell = control.format(f"<w:tc>{para('乙')}</w:tc>")
    rows = f"<w:tr><w:tc>{para('甲')}</w:tc>{cell}</w:tr>" + control.format(row("丙", "丁"))
    assert texts(read(control.format(para("段")) + table(rows))) == ["段", "甲\t乙\n丙\t丁"]


def test_contents_by_field_over_several_paragraphs() -> None:
    entry = '<w:hyperlink w:anchor="a">' + run("一、企业概况") + "<w:r><w:tab/></w:r>" + field("PAGEREF a", "1") + "</w:hyperlink>"
    body = (
        para("目  录")
        + para(mark("begin"), instruction(r'TOC \o "1-3" \h'), mark("separate"), entry)
        + para("二、实施背景", "<w:r><w:tab/></w:r>", "2")
        + para(mark("end"))
        + para("一、企业概况")
    )
    assert lines(read(body)) == [
        ("toc", "", "目  录"),
        ("toc", "", "一、企业概况\t1"),
        ("toc", "", "二、实施背景\t2"),
        ("paragraph", "", "一、企业概况"),
    ]


def test_contents_by_style_and_by_control() -> None:
    styles = '<w:style w:type="paragraph" w:styleId="t"><w:name w:val="toc 1"/></w:style>'
    properties = '<w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj>'
    gallery = f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{{}}</w:sdtContent></w:sdt>"
    body = gallery.format(para("目录") + para("概况 1")) + para("背景 2", properties='<w:pStyle w:val="t"/>') + para("正文")
    assert [kind for kind, _, _ in lines(read(body, styles=styles))] == ["toc", "toc", "toc", "paragraph"]


def test_contents_typed_by_hand() -> None:
    entries = "".join(
        para(f"{name}…………{page}") for page, name in enumerate(("一、企业概况", "二、实施背景", "三、主要做法", "四、实施成效"), 1)
    )
    assert [kind for kind, _, _ in lines(read(para("目录") + entries + para("一、企业概况")))] == ["toc"] * 5 + ["paragraph"]


def test_a_heading_that_says_contents_without_any_is_a_paragraph() -> None:
    assert [kind for kind, _, _ in lines(read(para("目录") + para("正文在此。")))] == ["paragraph", "paragraph"]


def test_footnotes_and_endnotes_at_the_end_in_order_of_reference() -> None:
    note = '<w:{0} w:id="{1}">{2}</w:{0}>'
    separator = '<w:footnote w:type="separator" w:id="0"><w:p><w:r><w:separator/></w:r></w:p></w:footnote>'
    footnotes = separator + note.format("footnote", 2, para("后注")) + note.format("footnote", 3, para("先注"))
    endnotes = note.format("endnote", 2, para("尾注"))
    body = para(
        "甲",
        '<w:r><w:endnoteReference w:id="2"/></w:r><w:r><w:footnoteReference w:id="3"/></w:r>',
        "乙",
        '<w:r><w:footnoteReference w:id="2"/></w:r>',
    )
    assert lines(read(body, footnotes=footnotes, endnotes=endnotes)) == [
        ("paragraph", "", "甲乙"),
        ("note", "1", "先注"),
        ("note", "2", "后注"),
        ("note", "1", "尾注"),
    ]
