"""Sections are found by declared names, by meaning, by order and by what paragraphs say; forms and evidence stay outside."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.model import Document, Layout, SectionSpec, Submission
from service.parse.blocks import Builder, CellText
from service.segment import segment

SPECS = (
    SectionSpec("overview", "企业概况", required=True),
    SectionSpec("background", "实施背景", required=True),
    SectionSpec("process", "实施过程", required=True),
    SectionSpec("results", "实施成效", required=True),
)
GROUPED = (
    SectionSpec("abstract", "摘要", required=True),
    SectionSpec("overview", "企业概况", required=True),
    SectionSpec("background", "导入该项方法的背景", required=False, group="质量标杆典型经验"),
    SectionSpec("process", "典型经验的主要内容", required=False, headings=("推进过程、做法和机制条件",), group="质量标杆典型经验"),
    SectionSpec("results", "近三年取得的主要成果", required=False, group="质量标杆典型经验"),
    SectionSpec("lessons", "经验和体会", required=False, group="质量标杆典型经验"),
    SectionSpec("extension", "“质量标杆”的深化与推广", required=False),
)
ABOUT = "江屿阀门有限公司成立于1998年，位于江屿市高新区，现有员工620人，主导产品为蝶阀和球阀，公司使命是让介质守规矩，愿景是做流程工业信得过的阀门厂。"  # noqa: E501
WHY = "随着下游炼化装置大型化，客户对阀门泄漏的容忍越来越低。2018年一年收到外漏投诉41起，暴露出装配过程全凭手感的问题，公司下决心改变，促使项目立项。"  # noqa: E501
HOW = "项目组制定了装配扭矩规范，每个工位配备数显扳手，每班由组长检查记录，质量部每月开展一次评审，例如密封面研磨工序改为先测后磨，流程随之调整。"  # noqa: E501
WHAT = "近三年一次试压合格率由2019年的93.1%提高到2021年的98.4%，高于行业平均4个百分点，质量损失率降到0.6%，年节约返修费用210万元，经济效益和社会效益明显。"  # noqa: E501


def document(lines: Sequence[str | tuple[str, Layout]], *, name: str = "材料.docx", kind: str = "docx") -> Document:
    builder = Builder()
    for line in lines:
        text, layout = line if isinstance(line, tuple) else (line, None)
        builder.add(text, layout=layout)
    return Document(name, "0" * 64, kind, builder.text, builder.blocks)  # type: ignore[arg-type]


def keys(submission: Submission) -> list[str]:
    return [section.key for section in submission.sections]


@pytest.mark.parametrize(
    "headings",
    [
        ("一、企业概况", "二、实施背景", "三、实施过程", "四、实施成效"),
        ("1 公司简介", "2 问题的提出", "3 工作推进", "4 取得的成效"),
        ("第一部分 单位基本情况", "第二部分 为什么要做", "第三部分 主要做法", "第四部分 效益分析"),
        ("（一）集团概况", "（二）导入背景", "（三）具体举措", "（四）应用效果"),
        ("企业简介", "实施动因", "我们的做法", "带来的变化"),
    ],
)
def test_headings_by_name_and_meaning(headings: tuple[str, str, str, str]) -> None:
    lines = ["实施装配扭矩数字化管控的经验"]
    for heading, body in zip(headings, (ABOUT, WHY, HOW, WHAT), strict=True):
        lines += [heading, body]
    found = segment(document(lines, kind="txt"), SPECS)
    assert keys(found) == ["overview", "background", "process", "results"]
    assert tuple(section.heading for section in found.sections) == headings
    assert found.missing == ()
    assert found.title is not None
    assert found.title.text == "实施装配扭矩数字化管控的经验"
    assert found.organisation == "江屿阀门有限公司"


def test_steps_as_top_headings_are_the_process() -> None:
    lines = [
        "一、企业概况",
        ABOUT,
        "二、实施背景",
        WHY,
        "三、定扭矩：先立标准",
        HOW,
        "四、上工具：让数据自己说话",
        HOW,
        "五、实施成效",
        WHAT,
    ]
    found = segment(document(lines, kind="txt"), SPECS)
    assert keys(found) == ["overview", "background", "process", "process", "results"]


def test_section_without_heading_is_found_by_its_words() -> None:
    found = segment(
        document(["实施扭矩管控的实践", ABOUT, "二、实施背景", WHY, "三、实施过程", HOW, "四、实施成效", WHAT], kind="txt"), SPECS
    )
    assert keys(found) == ["overview", "background", "process", "results"]
    assert found.sections[0].heading is None
    assert found.missing == ()


def test_missing_section_is_missing() -> None:
    found = segment(document(["一、企业概况", ABOUT, "二、主要做法", HOW, HOW, "三、实施成效", WHAT], kind="txt"), SPECS)
    assert found.missing == ("background",)


def test_sections_out_of_order_are_found_as_they_stand() -> None:
    found = segment(document(["一、企业概况", ABOUT, "二、实施成效", WHAT, "三、实施背景", WHY, "四、实施过程", HOW], kind="txt"), SPECS)
    assert keys(found) == ["overview", "results", "background", "process"]


def test_section_that_the_edition_does_not_ask_for_is_other() -> None:
    lines = [
        "一、企业概况",
        ABOUT,
        "二、实施背景",
        WHY,
        "三、实施过程",
        HOW,
        "四、实施成效",
        WHAT,
        "五、几点体会",
        "质量工作贵在坚持，领导要带头，数据要较真，这是我们最深的感受。",
    ]
    found = segment(document(lines, kind="txt"), SPECS)
    assert keys(found)[-1] == "other"


def test_group_heading_opens_its_sections() -> None:
    lines = [
        "江屿阀门有限公司实施精益管理的实践经验",
        "一、摘要",
        WHAT,
        "二、企业概况",
        ABOUT,
        "三、质量标杆典型经验",
        "（一）导入精益管理的背景",
        WHY,
    ]
    lines += ["（二）典型经验的主要内容", HOW, "（三）推进过程、做法和机制条件", "1.建立组织", HOW, "2.开展培训", HOW]
    lines += [
        "（四）近三年取得的主要成果",
        WHAT,
        "（五）经验和体会",
        "最深的体会是一把手要到现场。" * 3,
        "四、深化与推广",
        "下一步将向供应商推广这套方法。" * 3,
    ]
    found = segment(document(lines, kind="txt"), GROUPED)
    assert keys(found) == ["abstract", "overview", "background", "process", "process", "results", "lessons", "extension"]


def test_subheadings_do_not_leave_their_section() -> None:
    lines = [
        "一、企业概况",
        ABOUT,
        "二、实施背景",
        WHY,
        "三、实施过程",
        "（一）分析背景数据",
        HOW,
        "（二）评价实施效果",
        HOW,
        "（三）推广成果",
        HOW,
    ]
    lines += ["四、实施成效", "（一）管理效益", WHAT, "（二）经济效益", WHAT]
    found = segment(document(lines, kind="txt"), SPECS)
    assert keys(found) == ["overview", "background", "process", "results"]


def test_numbered_sentences_are_no_headings() -> None:
    lines = [
        "一、企业概况",
        ABOUT,
        "二、实施背景",
        "（1）客户要求提高。" + WHY,
        "（2）同行进步很快。" + WHY,
        "三、实施过程",
        "主要抓三件事：",
        "1.统一量具",
        "2.统一方法",
        "3.统一记录",
        HOW,
    ]
    lines += ["四、实施成效", WHAT]
    found = segment(document(lines, kind="txt"), SPECS)
    assert [heading.text for heading in found.headings] == ["企业概况", "实施背景", "实施过程", "实施成效"]


def test_bold_paragraphs_can_be_headings_and_plain_ones_not() -> None:
    body, bold = Layout(size=14, bold=False), Layout(size=14, bold=True)
    lines = [("一、企业概况", bold), (ABOUT, body), ("二、实施背景", bold), (WHY, body), ("三、实施过程", bold)]
    lines += [("先立规矩后动手", bold), (HOW, body), ("这一句很短但不是标题", body), (HOW, body), ("四、实施成效", bold), (WHAT, body)]
    found = segment(document(lines), SPECS)
    assert [heading.text for heading in found.headings] == ["企业概况", "实施背景", "实施过程", "先立规矩后动手", "实施成效"]
    assert [heading.level for heading in found.headings] == [1, 1, 1, 2, 1]


def _form(builder: Builder) -> None:
    builder.add("2022年全国质量标杆申报书")
    builder.add("企业名称：江屿阀门有限公司（盖章）")
    rows = [
        ("推荐单位", "某市工信局"),
        ("统一社会信用代码", "9113"),
        ("经验名称", "实施装配扭矩管控的经验"),
        ("联系人", "张三"),
        ("邮编", "050000"),
    ]
    builder.add_table([CellText(r, c, text) for r, row in enumerate(rows) for c, text in enumerate(row)])


def test_writeup_inside_a_combined_file_is_found() -> None:
    builder = Builder()
    _form(builder)
    for text in (
        "实施装配扭矩管控的经验",
        "一、企业概况",
        ABOUT * 2,
        "二、实施背景",
        WHY * 2,
        "三、实施过程",
        HOW * 4,
        "四、实施成效",
        WHAT * 2,
        "证实性材料",
    ):
        builder.add(text)
    builder.add("阀门检测报告编号与结论如下，由第三方出具。")
    found = segment(Document("合.docx", "0" * 64, "docx", builder.text, builder.blocks), SPECS)
    assert found.is_writeup
    assert keys(found) == ["overview", "background", "process", "results"]
    assert found.title is not None
    assert found.title.text == "实施装配扭矩管控的经验"
    assert found.organisation == "江屿阀门有限公司"
    assert "申报书" not in found.text[found.start : found.end]
    assert "检测报告编号" not in found.text[found.start : found.end]
    assert {note.code for note in found.notes} == {"form_left_out", "evidence_left_out"}


def test_form_alone_is_not_judged() -> None:
    builder = Builder()
    _form(builder)
    found = segment(Document("申报书.docx", "0" * 64, "docx", builder.text, builder.blocks), SPECS)
    assert not found.is_writeup
    assert found.sections == ()
    assert [note.code for note in found.notes] == ["not_a_writeup"]


def test_title_on_a_cover_over_two_lines() -> None:
    centred, body = Layout(size=22, bold=True, alignment="center"), Layout(size=14, bold=False)
    small = Layout(size=14, bold=False, alignment="center")
    lines = [
        ("全国质量标杆典型经验材料", centred),
        ("实施装配扭矩数字化管控", centred),
        ("提升阀门密封可靠性的经验", centred),
        ("江屿阀门有限公司", small),
        ("2022年6月", small),
    ]
    lines += [("一、企业概况", Layout(size=14, bold=True)), (ABOUT, body), ("二、实施背景", Layout(size=14, bold=True)), (WHY, body)]
    found = segment(document(lines), SPECS)
    assert found.title is not None
    assert found.title.text == "实施装配扭矩数字化管控提升阀门密封可靠性的经验"
    assert found.organisation == "江屿阀门有限公司"
    assert found.sections[0].heading == "一、企业概况"


def test_title_in_a_line_of_its_name() -> None:
    found = segment(
        document(["典型经验材料", "经验名称：构建扭矩闭环的实践", "一、企业概况", ABOUT, "二、实施背景", WHY], kind="txt"), SPECS
    )
    assert found.title is not None
    assert found.text[found.title.start : found.title.end] == found.title.text == "构建扭矩闭环的实践"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                ABOUT,
                WHY,
                HOW,
                WHAT,
                "一、企业概况",
                "二、实施背景",
                "三、做法",
                "四、成效",
                "（一）管理效益",
                "1.1 数据",
                "目标",
                "表1 指标",
            ]
        ),
        max_size=14,
    )
)
def test_sections_lie_in_order_and_never_overlap(lines: list[str]) -> None:
    found = segment(document(lines, kind="txt"), SPECS)
    assert all(0 <= s.start <= s.body_start <= s.end <= len(found.text) for s in found.sections)
    assert all(one.end <= two.start for one, two in zip(found.sections, found.sections[1:], strict=False))
    assert set(found.missing) == {spec.key for spec in SPECS} - set(keys(found))


def test_title_under_a_heading_that_asks_for_it() -> None:
    lines = ["一、经验名称", "构建扭矩闭环的实践", "二、企业概况", ABOUT, "三、实施背景", WHY, "四、实施过程", HOW, "五、实施成效", WHAT]
    found = segment(document(lines, kind="txt"), SPECS)
    assert found.title is not None
    assert found.title.text == "构建扭矩闭环的实践"
    assert keys(found) == ["overview", "background", "process", "results"]


def test_a_typed_contents_page_is_no_section() -> None:
    heads = ["一、企业概况", "二、实施背景", "三、实施过程", "四、实施成效"]
    lines = ["目录", *(f"{head}……{page}" for page, head in enumerate(heads, 1))]
    for head, body in zip(heads, (ABOUT, WHY, HOW, WHAT), strict=True):
        lines += [head, body]
    found = segment(document(lines, kind="txt"), SPECS)
    assert keys(found) == ["overview", "background", "process", "results"]
    assert found.sections[0].start == found.text.index("一、企业概况\n")


def test_an_unrelated_document_gets_no_sections_by_place_alone() -> None:
    lines = [
        "1目的",
        "为使文件受控，特制定本程序。",
        "2范围",
        "适用于本厂各部门的文件和资料。",
        "3职责",
        "文控中心负责收发。",
        "4记录",
        "文件发放登记表由文控中心保存三年。",
    ]
    found = segment(document(lines, kind="txt"), SPECS)
    assert set(keys(found)) <= {"other"}
    assert found.missing == ("overview", "background", "process", "results")


def test_the_title_once_more_above_the_text_is_no_heading() -> None:
    title, bold, body = Layout(size=22, bold=True, alignment="center"), Layout(size=14, bold=True), Layout(size=14, bold=False)
    lines = [("构建扭矩闭环的实践", title), ("江屿阀门有限公司", Layout(size=14, alignment="center")), ("构建扭矩闭环的实践", title)]
    for head, text in zip(("企业概况", "实施背景", "实施过程", "实施成效"), (ABOUT, WHY, HOW, WHAT), strict=True):
        lines += [(head, bold), (text, body)]
    assert keys(segment(document(lines), SPECS)) == ["overview", "background", "process", "results"]


def test_a_part_under_a_telling_heading_stays_whole_though_its_steps_speak_of_other_things() -> None:
    lines = ["一、企业概况", ABOUT, "二、工序链是怎么编起来的", HOW]
    for number, name in enumerate(("行李装卸", "客舱清洁", "牵引推出"), 1):
        lines += [f"（{'一二三'[number - 1]}）{name}", WHY, HOW]
    lines += ["三、实施成效", WHAT, "四、当初为什么要做", WHY]
    found = segment(document(lines, kind="txt"), SPECS)
    assert [(section.key, section.heading) for section in found.sections] == [
        ("overview", "一、企业概况"),
        ("process", "二、工序链是怎么编起来的"),
        ("results", "三、实施成效"),
        ("background", "四、当初为什么要做"),
    ]
    assert found.missing == ()


def test_a_heading_that_names_nothing_keeps_the_one_section_below_it() -> None:
    lines = ["一、企业概况", ABOUT, "二、实施背景", WHY, "三、实施过程", HOW, "四、看一看", "（一）经济效益", WHAT, "（二）推广", WHAT]
    found = segment(document(lines, kind="txt"), SPECS)
    assert [(section.key, section.heading) for section in found.sections][-1] == ("results", "四、看一看")


def test_a_smaller_heading_is_no_equal_of_the_one_above() -> None:
    body, large, small = Layout(size=14, bold=False), Layout(size=16, bold=True), Layout(size=15, bold=True)
    lines = [("公司概况", large), (ABOUT, body), ("实施背景", large), (WHY, body), ("具体做法", large), ("先定标准", small), (HOW, body)]
    lines += [("人和制度", small), (WHAT, body), ("收到的效果", large), (WHAT, body)]
    found = segment(document(lines), SPECS)
    assert [section.heading for section in found.sections] == ["公司概况", "实施背景", "具体做法", "收到的效果"]


def test_the_bare_name_is_the_title_where_nothing_else_stands_there() -> None:
    lines = ["秘密★3年", "江屿阀门有限公司", "一、企业概况", ABOUT, "二、实施背景", WHY, "三、实施过程", HOW, "四、实施成效", WHAT]
    found = segment(document(lines, kind="txt"), SPECS)
    assert found.title is not None
    assert found.title.text == "江屿阀门有限公司"


def test_title_over_two_lines_the_first_as_wide_as_the_page() -> None:
    builder = Builder()
    wide, centred = Layout(size=18, bold=False), Layout(size=18, bold=False, alignment="center")
    builder.add("基于代码评审、自动化测试与线上可观测性三位一体的", kind="title", layout=wide)
    builder.add("政务云软件质量管控体系建设与实践", kind="title", layout=centred)
    for text in ("一、企业概况", ABOUT, "二、实施背景", WHY):
        builder.add(text, layout=Layout(size=14, bold=False))
    found = segment(Document("a.pdf", "0" * 64, "pdf", builder.text, builder.blocks), SPECS)
    assert found.title is not None
    assert found.title.text == "基于代码评审、自动化测试与线上可观测性三位一体的政务云软件质量管控体系建设与实践"


@pytest.mark.parametrize("kind", ["title", None])
def test_a_title_may_have_a_colon(kind: str | None) -> None:
    builder = Builder()
    builder.add("一块板的旅行：栎语家居的质量提升之路", kind="title" if kind else "paragraph")
    for text in ("一、企业概况", ABOUT, "二、实施背景", WHY, "三、实施过程", HOW, "四、实施成效", WHAT):
        builder.add(text)
    found = segment(Document("a.txt", "0" * 64, "txt", builder.text, builder.blocks), SPECS)
    assert found.title is not None
    assert found.title.text == "一块板的旅行：栎语家居的质量提升之路"


def test_a_labelled_line_is_no_title() -> None:
    lines = ["申报单位：江屿阀门有限公司", "一、企业概况", ABOUT, "二、实施背景", WHY, "三、实施过程", HOW, "四、实施成效", WHAT]
    assert segment(document(lines, kind="txt"), SPECS).title is None


@pytest.mark.parametrize(
    ("line", "is_title"),
    [
        ("基于焊缝数据的阀体质量追溯典型经验", True),
        ("江屿阀门有限公司实施零泄漏管理的典型经验", True),
        ("江屿阀门有限公司典型经验", False),
        ("2024年质量标杆典型经验", False),
    ],
)
def test_a_title_may_end_in_the_words_of_the_form(line: str, is_title: bool) -> None:
    lines = [line, "一、企业概况", ABOUT, "二、实施背景", WHY, "三、实施过程", HOW, "四、实施成效", WHAT]
    found = segment(document(lines, kind="txt"), SPECS)
    assert (found.title is not None) == is_title
    assert [section.key for section in found.sections] == ["overview", "background", "process", "results"]


@pytest.mark.parametrize("kind", ["docx", "pdf"])
def test_headings_printed_alike_may_be_equals_though_one_names_no_section(kind: str) -> None:
    body, large = Layout(size=14, bold=False), Layout(size=16, bold=True)
    builder = Builder()
    for text in ("公司概况", ABOUT, "实施背景", WHY, "具体做法", HOW, HOW, "看得见的东西", WHAT, WHAT):
        heading = len(text) < 10
        builder.add(text, kind="heading" if heading and kind == "pdf" else "paragraph", layout=large if heading else body)
    found = segment(Document(f"a.{kind}", "0" * 64, kind, builder.text, builder.blocks), SPECS)  # type: ignore[arg-type]
    assert [(section.key, section.heading) for section in found.sections][2:] == [("process", "具体做法"), ("results", "看得见的东西")]


def test_short_sections_under_fanciful_headings_speak_together() -> None:
    lines = ["第一篇 门前的港", "江屿港务公司开港十九年，营业收入21亿元，职工1460人。", "第二篇 拥堵的码头"]
    lines += ["越堵越赶，越赶越错，一年箱损赔付1370万元，一线怨声载道。为什么不能在错误发生之前就看见它？", "第三篇 先算后干"]
    lines += ["计划员每班先把船在模型里卸一遍，例如找出会等的工位，改好流程再开工，班组每月评审一次。" * 2]
    lines += ["第四篇 潮水以后", "箱损赔付由1370万元降到290万元，低于行业平均，客户满意度93分，节约能耗17%。" * 2]
    found = segment(document(lines, kind="txt"), SPECS)
    assert keys(found) == ["overview", "background", "process", "results"]
