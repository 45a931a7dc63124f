"""Text boxes are read once, after the paragraph that anchors them; drawings, pictures and objects are figures or nothing."""

from __future__ import annotations

import pytest
from docx_parts import lines, para, read, row, run, table, texts

BOX = "<wps:wsp><wps:txbx><w:txbxContent>{}</w:txbxContent></wps:txbx></wps:wsp>"
VML = '<w:pict><v:shape style="width:100pt;height:50pt"><v:textbox><w:txbxContent>{}</w:txbxContent></v:textbox></v:shape></w:pict>'
GRAPHIC = '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic/></a:graphicData></a:graphic>'


def picture(width: float = 80, height: float = 60, *, kind: str = "inline", attributes: str = "") -> str:
    """A picture, in millimetres."""
    extent = f'<wp:extent cx="{int(width * 36000)}" cy="{int(height * 36000)}"/>'
    return f"<w:r><w:drawing><wp:{kind} {attributes}>{extent}{GRAPHIC}</wp:{kind}></w:drawing></w:r>"


CHART = (
    '<w:r><w:drawing><wp:inline><wp:extent cx="3600000" cy="1800000"/><a:graphic>'
    '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart"/></a:graphic></wp:inline></w:drawing></w:r>'
)


def embedded(size: str, program: str) -> str:
    shape = f'<v:shape style="{size}"><v:imagedata/></v:shape>'
    return f'<w:r><w:object>{shape}<o:OLEObject ProgID="{program}"/></w:object></w:r>'


def alternate(choice: str, fallback: str) -> str:
    return (
        f'<w:r><mc:AlternateContent><mc:Choice Requires="wps">{choice}</mc:Choice>'
        f"<mc:Fallback>{fallback}</mc:Fallback></mc:AlternateContent></w:r>"
    )


def kinds(body: str) -> list[str]:
    return [kind for kind, _, _ in lines(read(body))]


def test_choice_is_read_and_fallback_is_not() -> None:
    inner = para("框中第一段") + para("框中第二段")
    body = para("前文", alternate(f"<w:drawing>{BOX.format(inner)}</w:drawing>", VML.format(inner)), "后文") + para("下一段")
    assert lines(read(body)) == [
        ("paragraph", "", "前文后文"),
        ("paragraph", "", "框中第一段"),
        ("paragraph", "", "框中第二段"),
        ("paragraph", "", "下一段"),
    ]


def test_fallback_is_read_where_there_is_no_choice() -> None:
    body = para(f"<w:r><mc:AlternateContent><mc:Fallback>{VML.format(para('框中'))}</mc:Fallback></mc:AlternateContent></w:r>")
    assert texts(read(body)) == ["框中"]


def test_old_text_box_and_nested_text_box() -> None:
    nested = para("外框", "<w:r>" + VML.format(para("内框")) + "</w:r>")
    assert texts(read(para("<w:r>" + VML.format(nested) + "</w:r>"))) == ["外框", "内框"]


def test_labels_of_a_drawing_make_one_paragraph() -> None:
    shapes = BOX.format(para("需求")) + BOX.format(para("设计")) + BOX.format(para("验证"))
    group = (
        '<w:drawing><wp:inline><wp:extent cx="3600000" cy="1800000"/><a:graphic><a:graphicData '
        'uri="http://schemas.microsoft.com/office/word/2010/wordprocessingGroup">'
        f"<wpg:wgp>{shapes}</wpg:wgp></a:graphicData></a:graphic></wp:inline></w:drawing>"
    )
    assert lines(read(para(f"<w:r>{group}</w:r>"))) == [("figure", "", ""), ("paragraph", "", "需求 设计 验证")]


def test_text_box_in_a_table_cell_belongs_to_the_cell() -> None:
    cell = para("格中", "<w:r>" + VML.format(para("框中")) + "</w:r>")
    assert texts(read(table(row(cell, "乙")))) == ["格中 框中\t乙"]


def test_a_field_around_a_text_box_does_not_swallow_it() -> None:
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    begin = mark.format("begin") + "<w:r><w:instrText>PAGE</w:instrText></w:r>" + mark.format("separate")
    end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    assert texts(read(para(begin, "<w:r>" + VML.format(para("框中")) + "</w:r>", end, "后"))) == ["后", "框中"]


def test_picture_stands_where_it_stands() -> None:
    assert lines(read(para("如图所示。") + para(picture()) + para("图1 流程"))) == [
        ("paragraph", "", "如图所示。"),
        ("figure", "", ""),
        ("caption", "", "图1 流程"),
    ]


def test_picture_and_caption_in_one_paragraph_parted_by_a_break() -> None:
    assert kinds(para(picture(), "<w:r><w:br/></w:r>", "图1 流程")) == ["figure", "caption"]
    assert kinds(para("图1 流程", picture(kind="anchor"))) == ["figure", "caption"]
    assert kinds(para("一段正文的文字。", picture(kind="anchor"))) == ["paragraph", "figure"]


def test_figure_takes_the_alignment_of_its_paragraph() -> None:
    block = read(para(picture(), properties='<w:jc w:val="center"/>')).blocks[0]
    assert block.kind == "figure"
    assert block.layout is not None
    assert block.layout.alignment == "center"


@pytest.mark.parametrize(
    "drawing",
    [
        picture(6, 6),
        picture(210, 297, kind="anchor", attributes='behindDoc="1"'),
        embedded("width:80pt;height:40pt", "Equation.3"),
        f"<w:r><w:drawing>{BOX.format('')}</w:drawing></w:r>",
    ],
)
def test_icons_backgrounds_and_old_equations_are_no_figures(drawing: str) -> None:
    assert kinds(para("文字", drawing)) == ["paragraph"]


@pytest.mark.parametrize(
    "drawing",
    [
        embedded("width:200pt;height:140pt", "Visio.Drawing"),
        CHART,
        '<w:r><w:pict><v:group style="width:200pt;height:140pt"/></w:pict></w:r>',
    ],
)
def test_objects_charts_and_groups_are_figures(drawing: str) -> None:
    assert kinds(para(drawing)) == ["figure"]


def test_table_that_only_arranges_pictures_gives_figures_with_their_captions() -> None:
    body = table(row(para(picture()), para(picture())), row("图1 改进前", "图2 改进后"))
    assert [text for _, _, text in lines(read(body))] == ["", "图1 改进前", "", "图2 改进后"]
    assert kinds(body) == ["figure", "caption", "figure", "caption"]


def test_deleted_and_hidden_pictures_are_gone() -> None:
    hidden = picture().replace("<w:r>", "<w:r><w:rPr><w:vanish/></w:rPr>", 1)
    assert kinds(para("文", f'<w:del w:id="1">{picture()}</w:del>', hidden)) == ["paragraph"]


def test_equation_as_text() -> None:
    fraction = "<m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>c</m:t></m:r></m:den></m:f>"
    power = "<m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
    root = "<m:rad><m:radPr/><m:deg/><m:e><m:r><m:t>y</m:t></m:r></m:e></m:rad>"
    body = para(
        "其中",
        f"<m:oMath>{fraction}<m:r><m:t>=</m:t></m:r>{power}</m:oMath>",
        "，",
        f"<m:oMathPara><m:oMath>{root}</m:oMath></m:oMathPara>",
    )
    assert texts(read(body)) == ["其中(a+b)/c=x^2，√(y)"]


def test_ruby_is_read_without_its_reading() -> None:
    ruby = f"<w:r><w:ruby><w:rt>{run('pīn')}</w:rt><w:rubyBase>{run('拼')}</w:rubyBase></w:ruby></w:r>"
    assert texts(read(para(ruby, "音"))) == ["拼音"]
