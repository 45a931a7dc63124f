"""Tables stand in place; merged cells appear once; tables that only frame text are text."""

from __future__ import annotations

from docx_parts import lines, para, read, row, table, texts


def cell(text: str, properties: str) -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{para(text)}</w:tc>"


SPAN2 = '<w:gridSpan w:val="2"/>'
RESTART, CONTINUE = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
LONG = "公司把每道工序的数据接进系统，班组长当班就能看到异常并处理，处理结果第二天早会通报，连续三个月没有反弹的才算关闭，多年来如此。"


def places(body: str) -> list[tuple[str, int, int, int, int]]:
    document = read(body)
    return [(document.text[item.start : item.end], item.row, item.column, item.rows, item.columns) for item in document.blocks[0].cells]


def test_in_document_order_with_tabs_and_line_breaks() -> None:
    document = read(para("表前") + table(row("年份", "产量"), row("2021年", "")) + para("表后"))
    assert lines(document)[1] == ("table", "", "年份\t产量\n2021年\t")
    assert [kind for kind, _, _ in lines(document)] == ["paragraph", "table", "paragraph"]
    assert document.blocks[1].columns == 2


def test_merged_cells_stand_once() -> None:
    body = table(
        row("指标", cell("年度", SPAN2)),
        row(cell("合格率", RESTART), "99", "98"),
        row(cell("", CONTINUE), "97", "96"),
        row("甲", cell("乙", SPAN2)),
    )
    assert places(body) == [
        ("指标", 0, 0, 1, 1),
        ("年度", 0, 1, 1, 2),
        ("合格率", 1, 0, 2, 1),
        ("99", 1, 1, 1, 1),
        ("98", 1, 2, 1, 1),
        ("97", 2, 1, 1, 1),
        ("96", 2, 2, 1, 1),
        ("甲", 3, 0, 1, 1),
        ("乙", 3, 1, 1, 2),
    ]


def test_a_merge_that_goes_on_from_nothing_is_a_cell() -> None:
    assert places(table(row(cell("孤", CONTINUE), "乙"))) == [("孤", 0, 0, 1, 1), ("乙", 0, 1, 1, 1)]


def test_row_that_begins_later() -> None:
    assert places(table(row("甲", "乙", "丙"), row("丁", "戊", properties='<w:gridBefore w:val="1"/>')))[3:] == [
        ("丁", 1, 1, 1, 1),
        ("戊", 1, 2, 1, 1),
    ]


def test_broken_spans_do_no_harm() -> None:
    assert places(table(row(cell("甲", '<w:gridSpan w:val="x"/>'), cell("乙", '<w:gridSpan w:val="999999999"/>'))))[0] == ("甲", 0, 0, 1, 1)


def test_paragraphs_breaks_and_tabs_in_a_cell_become_one_blank() -> None:
    inner = para("　第一行", "<w:r><w:br/></w:r>", "第二行") + para("") + para("第三行", "<w:r><w:tab/></w:r>", "后")
    assert texts(read(table(row(inner, "乙")))) == ["第一行 第二行 第三行 后\t乙"]


def test_nested_table_is_part_of_its_cell() -> None:
    assert texts(read(table(row(para("外") + table(row("内一", "内二"), row("内三", "内四")) + para("尾"), "乙")))) == [
        "外 内一 内二 内三 内四 尾\t乙"
    ]


def test_frame_of_one_cell_is_text() -> None:
    inner = para("一、企业概况") + para(LONG) + table(row("指标", "数值")) + para("图1 流程")
    assert [kind for kind, _, _ in lines(read(table(row(inner))))] == ["paragraph", "paragraph", "table", "caption"]


def test_prose_in_a_row_of_a_form_is_text_and_the_rest_stays_a_table() -> None:
    prose = "".join(para(LONG) for _ in range(5))
    body = table(row("企业名称", "某某公司"), row(cell("", SPAN2).replace(para(""), prose)), row("联系人", "某人"))
    assert [kind for kind, _, _ in lines(read(body))] == ["table", *["paragraph"] * 5, "table"]
    assert places(body) == [("企业名称", 0, 0, 1, 1), ("某某公司", 0, 1, 1, 1)]


def test_prose_beside_its_label_is_text_under_the_label() -> None:
    prose = "".join(para(LONG) for _ in range(10))
    assert texts(read(table(row("企业名称", "某某公司"), row("主要做法", prose))))[:3] == ["企业名称\t某某公司", "主要做法", LONG]


def test_one_long_cell_beside_its_label_stays_a_table() -> None:
    assert [kind for kind, _, _ in lines(read(table(row("企业简介", para(LONG)), row("联系人", "某人"))))] == ["table"]


def test_list_of_names_in_one_column_stays_a_table() -> None:
    assert [kind for kind, _, _ in lines(read(table(row("部门"), row("质量部"), row("生产部"))))] == ["table"]
