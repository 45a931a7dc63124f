"""Effective formatting: defaults, theme fonts, style chains, character styles, numbering, direct formatting."""

from __future__ import annotations

import pytest
from docx_parts import SECTION, para, read, run

from service.model import Layout, PageSetup

DEFAULTS = (
    "<w:docDefaults><w:rPrDefault><w:rPr>"
    '<w:rFonts w:asciiTheme="minorHAnsi" w:eastAsiaTheme="minorEastAsia"/><w:sz w:val="21"/></w:rPr></w:rPrDefault>'
    '<w:pPrDefault><w:pPr><w:spacing w:line="259" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>'
)
THEME = (
    '<a:theme xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:themeElements><a:fontScheme name="Office">'
    '<a:majorFont><a:latin typeface="Cambria"/><a:ea typeface="华文中宋"/></a:majorFont>'
    '<a:minorFont><a:latin typeface="Calibri"/><a:ea typeface=""/>'
    '<a:font script="Jpan" typeface="游明朝"/><a:font script="Hans" typeface="等线"/></a:minorFont>'
    "</a:fontScheme></a:themeElements></a:theme>"
)


def style(
    key: str, name: str, *, base: str = "", run_properties: str = "", properties: str = "", kind: str = "paragraph", extra: str = ""
) -> str:
    based = f'<w:basedOn w:val="{base}"/>' if base else ""
    return (
        f'<w:style w:type="{kind}" w:styleId="{key}" {extra}><w:name w:val="{name}"/>{based}'
        f"<w:pPr>{properties}</w:pPr><w:rPr>{run_properties}</w:rPr></w:style>"
    )


def font(name: str) -> str:
    return f'<w:rFonts w:ascii="Arial" w:eastAsia="{name}"/>'


def layout(body: str, **parts: str) -> Layout:
    found = read(body, **parts).blocks[0].layout
    assert found is not None
    return found


def styled(key: str) -> str:
    return f'<w:pStyle w:val="{key}"/>'


def test_defaults_and_theme_font_of_the_script() -> None:
    found = layout(para("正文"), styles=DEFAULTS, theme=THEME)
    assert (found.font, found.size, found.bold, found.alignment) == ("等线", 10.5, False, "left")
    assert (found.line_rule, found.line_spacing, found.indent, found.outline) == ("auto", 1.079, 0.0, None)


def test_theme_font_of_another_language() -> None:
    settings = '<w:themeFontLang w:val="en-US" w:eastAsia="ja-JP"/>'
    assert layout(para("正文"), styles=DEFAULTS, theme=THEME, settings=settings).font == "游明朝"


def test_style_chain_nearest_first() -> None:
    styles = (
        DEFAULTS
        + style("a", "Normal", run_properties=font("宋体") + '<w:sz w:val="24"/>', extra='w:default="1"')
        + style("b", "正文缩进", base="a", properties='<w:ind w:firstLineChars="200" w:firstLine="480"/><w:jc w:val="both"/>')
        + style("c", "要点", base="b", run_properties='<w:b/><w:sz w:val="28"/>', properties='<w:spacing w:line="360" w:lineRule="exact"/>')
    )
    assert layout(para("正文"), styles=styles) == Layout("Normal", "宋体", 12.0, False, "left", "auto", 1.079, None, 0.0)
    assert layout(para("正文", properties=styled("b")), styles=styles).indent == 24.0
    found = layout(para("正文", properties=styled("c")), styles=styles)
    assert found == Layout("要点", "宋体", 14.0, True, "justify", "exact", 18.0, None, 28.0)


def test_direct_formatting_wins_and_theme_reference_beats_the_name_beside_it() -> None:
    properties = '<w:rFonts w:eastAsia="黑体" w:eastAsiaTheme="majorEastAsia"/><w:sz w:val="36"/><w:b/>'
    found = layout(para(run("题目", properties), properties='<w:jc w:val="center"/>'), styles=DEFAULTS, theme=THEME)
    assert (found.font, found.size, found.bold, found.alignment) == ("华文中宋", 18.0, True, "center")


def test_character_style_and_bold_that_cancels() -> None:
    styles = style("p", "粗段", run_properties="<w:b/>") + style("c", "粗字", run_properties="<w:b/>" + font("楷体"), kind="character")
    assert layout(para(run("字", '<w:rStyle w:val="c"/>')), styles=styles).bold is True
    assert layout(para(run("字", '<w:rStyle w:val="c"/>')), styles=styles).font == "楷体"
    assert layout(para(run("字", '<w:rStyle w:val="c"/>'), properties=styled("p")), styles=styles).bold is False
    assert layout(para(run("字", '<w:b w:val="0"/>'), properties=styled("p")), styles=styles).bold is False


def test_majority_by_chinese_characters() -> None:
    body = para(
        run("重点：", font("黑体") + "<w:b/>"),
        run("这里是很长的正文部分", font("宋体")),
        run("A very long Latin tail in bold", "<w:b/>" + font("仿宋")),
    )
    found = layout(body)
    assert (found.font, found.bold) == ("宋体", False)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ('<w:spacing w:line="360" w:lineRule="auto"/>', ("auto", 1.5)),
        ('<w:spacing w:line="560" w:lineRule="exact"/>', ("exact", 28.0)),
        ('<w:spacing w:line="400" w:lineRule="atLeast"/>', ("at_least", 20.0)),
        ('<w:spacing w:before="100"/>', ("auto", 1.0)),
        ('<w:spacing w:line="垃圾"/>', ("auto", 1.0)),
    ],
)
def test_line_spacing(properties: str, expected: tuple[str, float]) -> None:
    found = layout(para("正文", properties=properties))
    assert (found.line_rule, found.line_spacing) == expected


def test_indent_in_twips_and_hanging() -> None:
    assert layout(para("正文", properties='<w:ind w:firstLineChars="0" w:firstLine="420"/>')).indent == 21.0
    assert layout(para("正文", properties='<w:ind w:hanging="420"/>')).indent == -21.0


def test_unknown_and_circular_styles() -> None:
    styles = style("a", "甲", base="b", run_properties='<w:sz w:val="30"/>') + style("b", "乙", base="a")
    assert layout(para("正文", properties=styled("a")), styles=styles).size == 15.0
    assert layout(para("正文", properties=styled("无")), styles=styles).size == 10.0


def test_page_setups() -> None:
    landscape = '<w:sectPr><w:pgSz w:w="16838" w:h="11906" w:orient="landscape"/></w:sectPr>'
    document = read(para("竖") + para("又竖", properties=SECTION) + para("横", properties=landscape) + SECTION)
    portrait = PageSetup(210.0, 297.0, 25.4, 25.4, 31.8, 31.8)
    assert document.page_setups == (portrait, PageSetup(297.0, 210.0, None, None, None, None), portrait)
    assert document.layout_known
