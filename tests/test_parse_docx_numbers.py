"""Automatic numbers are printed by Word and stand in no text: they are computed from numbering.xml."""

from __future__ import annotations

import pytest
from docx_parts import lines, para, read

from service.parse.docx_numformat import print_number


def level(index: int, number_format: str, text: str, *, start: int = 1, extra: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{index}"><w:start w:val="{start}"/><w:numFmt w:val="{number_format}"/>{extra}<w:lvlText w:val="{text}"/></w:lvl>'
    )


def abstract(number: int, *levels: str) -> str:
    return f'<w:abstractNum w:abstractNumId="{number}">{"".join(levels)}</w:abstractNum>'


def num(number: int, definition: int, overrides: str = "") -> str:
    return f'<w:num w:numId="{number}"><w:abstractNumId w:val="{definition}"/>{overrides}</w:num>'


def numbered(text: str, index: int = 0, number: int = 1) -> str:
    return para(text, properties=f'<w:numPr><w:ilvl w:val="{index}"/><w:numId w:val="{number}"/></w:numPr>')


OUTLINE = abstract(0, level(0, "chineseCountingThousand", "%1、"), level(1, "chineseCounting", "（%2）"), level(2, "decimal", "%3."))


def labels(body: str, numbering: str, **parts: str) -> list[str]:
    return [label for _, label, _ in lines(read(body, numbering=numbering, **parts))]


def test_levels_restart_under_a_higher_one() -> None:
    body = numbered("甲") + numbered("乙", 1) + numbered("丙", 1) + numbered("丁") + numbered("戊", 1) + numbered("己", 2)
    assert labels(body, OUTLINE + num(1, 0)) == ["一、", "（一）", "（二）", "二、", "（一）", "1."]


def test_level_that_never_restarts() -> None:
    definition = abstract(0, level(0, "decimal", "%1."), level(1, "decimal", "%2)", extra='<w:lvlRestart w:val="0"/>'))
    assert labels(numbered("甲") + numbered("乙", 1) + numbered("丙") + numbered("丁", 1), definition + num(1, 0)) == [
        "1.",
        "1)",
        "2.",
        "2)",
    ]


def test_start_override_restarts_once() -> None:
    override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    body = numbered("甲") + numbered("乙") + numbered("丙", number=2) + numbered("丁", number=2)
    assert labels(body, OUTLINE + num(1, 0) + num(2, 0, override)) == ["一、", "二、", "一、", "二、"]


def test_numbers_of_one_definition_go_on() -> None:
    body = numbered("甲") + numbered("乙", number=2)
    assert labels(body, OUTLINE + num(1, 0) + num(2, 0)) == ["一、", "二、"]


def test_level_override_replaces_the_definition() -> None:
    override = f'<w:lvlOverride w:ilvl="0">{level(0, "upperRoman", "%1.")}</w:lvlOverride>'
    assert labels(numbered("甲"), OUTLINE + num(1, 0, override)) == ["I."]


def test_numbers_of_several_levels_and_legal_style() -> None:
    definition = abstract(
        0,
        level(0, "chineseCounting", "第%1章"),
        level(1, "decimal", "%1.%2", extra="<w:isLgl/>"),
        level(2, "decimal", "%1-%2-%3"),
    )
    body = numbered("甲") + numbered("乙") + numbered("丙", 1) + numbered("丁", 2)
    assert labels(body, definition + num(1, 0)) == ["第一章", "第二章", "2.1", "二-1-1"]


def test_none_prints_nothing() -> None:
    definition = abstract(0, level(0, "none", ""), level(1, "decimal", "%1%2."))
    assert labels(numbered("甲") + numbered("乙", 1), definition + num(1, 0)) == ["", "1."]


def test_bullet_is_the_character_not_the_symbol_font_code() -> None:
    document = read(numbered("要点"), numbering=abstract(0, level(0, "bullet", "\uf06c")) + num(1, 0))
    assert lines(document) == [("list", "●", "要点")]


def test_number_from_the_paragraph_style() -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="a"><w:name w:val="章"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="b"><w:name w:val="节"/><w:basedOn w:val="a"/>'
        '<w:pPr><w:numPr><w:ilvl w:val="1"/></w:numPr></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="c"><w:name w:val="目"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    )
    definition = abstract(
        0,
        level(0, "chineseCounting", "%1、"),
        level(1, "chineseCounting", "（%2）"),
        level(2, "decimal", "%3.", extra='<w:pStyle w:val="c"/>'),
    )
    body = "".join(para("文", properties=f'<w:pStyle w:val="{style}"/>') for style in "abc")
    off = para("无", properties='<w:pStyle w:val="a"/><w:numPr><w:numId w:val="0"/></w:numPr>')
    assert labels(body + off, definition + num(1, 0), styles=styles) == ["一、", "（一）", "1.", ""]


def test_definition_through_a_numbering_style() -> None:
    styles = '<w:style w:styleId="list"><w:name w:val="列表"/><w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr></w:style>'
    numbering = (
        '<w:abstractNum w:abstractNumId="0"><w:numStyleLink w:val="list"/></w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="1"><w:styleLink w:val="list"/>{level(0, "decimalEnclosedCircle", "%1")}</w:abstractNum>'
    )
    assert labels(numbered("甲") + numbered("乙"), numbering + num(1, 0) + num(2, 1), styles=styles) == ["①", "②"]


def test_number_of_an_empty_paragraph_counts() -> None:
    empty = '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr></w:p>'
    assert labels(numbered("甲") + empty + numbered("丙"), OUTLINE + num(1, 0)) == ["一、", "三、"]


def test_number_that_is_defined_nowhere_is_none() -> None:
    assert lines(read(numbered("甲", number=7), numbering=OUTLINE + num(1, 0)))[0][1:] == ("", "甲")


@pytest.mark.parametrize(
    ("number", "number_format", "printed"),
    [
        (10, "chineseCounting", "十"),
        (21, "chineseCountingThousand", "二十一"),
        (105, "chineseCountingThousand", "一百零五"),
        (1010, "chineseCountingThousand", "一千零一十"),
        (12, "japaneseCounting", "十二"),
        (10, "ideographDigital", "一〇"),
        (3, "ideographTraditional", "丙"),
        (2, "ideographZodiac", "丑"),
        (12, "chineseLegalSimplified", "壹拾贰"),
        (21, "decimalEnclosedCircle", "㉑"),
        (51, "decimalEnclosedCircle", "51"),
        (12, "decimalFullWidth", "１２"),
        (3, "decimalEnclosedParen", "⑶"),
        (3, "decimalZero", "03"),
        (28, "upperLetter", "BB"),
        (3, "lowerLetter", "c"),
        (14, "lowerRoman", "xiv"),
        (5, "bahtText", "5"),
    ],
)
def test_formats(number: int, number_format: str, printed: str) -> None:
    assert print_number(number, number_format) == printed


def test_custom_format_with_leading_zeros() -> None:
    assert print_number(7, "custom", custom="001, 002, 003, ...") == "007"
