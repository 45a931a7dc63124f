"""Numbers of headings, automatic or typed, and the tree they form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.headings import find
from service.model import Block, Document, Layout
from service.numbering import number_of, value_of
from service.parse.blocks import Builder

TEXT = "项目组逐台测量并记录，发现偏差集中在夜班，随后调整了换刀频次和冷却液浓度，再用一个月的数据确认效果。"


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("一、企业概况", "一、", 1),
        ("十二、结语", "一、", 12),
        ("二十三．其他", "一、", 23),
        ("（三）推进过程", "（一）", 3),
        ("(四)机制", "（一）", 4),
        ("1.目标", "1.", 1),
        ("2、方法", "1.", 2),
        ("3 工作推进", "1", 3),
        ("3工作推进", "1", 3),
        ("3.2 器件管理", "1.1", 2),
        ("3.2.1 准用器件", "1.1.1", 1),
        ("（5）检查", "（1）", 5),
        ("6）检查", "1)", 6),
        ("③检查", "①", 3),
        ("第二部分 实施背景", "第一部分", 2),
        ("第三章 过程", "第一部分", 3),
        ("做法四：联合攻关", "做法一", 4),
    ],
)
def test_typed_numbers(text: str, form: str, value: int) -> None:
    number = number_of(text)
    assert number is not None
    assert (number.form, number.value) == (form, value)


@pytest.mark.parametrize("text", ["3.5%的下降", "2021年度目标", "3年来的变化", "5台设备联网", "一是建立名录", "提高到99", "", "第"])
def test_what_is_no_number(text: str) -> None:
    assert number_of(text) is None


def test_automatic_number_goes_before_typed_one() -> None:
    number = number_of("企业概况", label="一、")
    assert number is not None
    assert (number.form, number.value, number.length) == ("一、", 1, 0)


@given(st.integers(1, 99))
def test_chinese_values(value: int) -> None:
    digits = "〇一二三四五六七八九"
    tens, ones = divmod(value, 10)
    written = ("" if tens == 0 else "十" if tens == 1 else f"{digits[tens]}十") + (digits[ones] if ones else "")
    assert value_of(written) == value


@given(st.text(max_size=80))
def test_any_text_is_taken(text: str) -> None:
    number = number_of(text)
    assert number is None or 0 <= number.length <= len(text)


def _levels(lines: list[str], **known: Layout) -> list[tuple[int, str]]:
    builder = Builder()
    for line in lines:
        builder.add(line, layout=known.get("layout"))
    document = Document("a.txt", "0" * 64, "txt", builder.text, builder.blocks)
    return [(heading.level, heading.label) for heading in find(document)]


def test_customary_order_of_numbers() -> None:
    lines = ["一、实施过程", TEXT, "（一）测量", TEXT, "1.量具", TEXT, "2.环境", TEXT, "（二）分析", TEXT, "二、实施成效", TEXT]
    assert _levels(lines) == [(1, "一、"), (2, "（一）"), (3, "1."), (3, "2."), (2, "（二）"), (1, "二、")]


def test_decimal_numbers() -> None:
    lines = ["1 概况", TEXT, "2 做法", TEXT, "2.1 测量", TEXT, "2.1.1 量具", TEXT, "2.2 分析", TEXT, "3 成效", TEXT]
    assert [level for level, _ in _levels(lines)] == [1, 1, 2, 3, 2, 1]


def test_parts_stand_above_chinese_numbers() -> None:
    lines = ["第一部分 企业概况", TEXT, "第二部分 实施过程", TEXT, "一、立标准", TEXT, "（一）量具", TEXT, "第三部分 实施成效", TEXT]
    assert [level for level, _ in _levels(lines)] == [1, 1, 2, 3, 1]


def test_outline_levels_rule_over_numbers() -> None:
    builder = Builder()
    for text, level in (("概况", 1), ("做法", 1), ("测量", 2), ("量具", 3), ("成效", 1)):
        builder.add(text, kind="heading", level=level)
        builder.add(TEXT)
    found = find(Document("a.docx", "0" * 64, "docx", builder.text, builder.blocks))
    assert [heading.level for heading in found] == [1, 1, 2, 3, 1]


def test_a_long_line_of_brackets_takes_no_time() -> None:
    text = "（" * 100_000
    document = Document("a.txt", "0" * 64, "txt", text, (Block("paragraph", 0, len(text)),))
    assert find(document) == ()
    assert number_of(text) is None


def _large_and_small() -> list[tuple[str, float]]:
    return [
        ("栎语是谁", 16),
        (TEXT, 14),
        ("旅程的安排", 16),
        (TEXT, 14),
        ("一、开料站：先把料认准", 15),
        (TEXT, 14),
        ("二、封边站：胶线看不见才算好", 15),
        (TEXT, 14),
        ("走到哪儿了", 16),
        (TEXT, 14),
    ]


def test_larger_unnumbered_headings_stand_above_smaller_numbered_ones() -> None:
    builder = Builder()
    for text, size in _large_and_small():
        builder.add(text, layout=Layout(size=size, bold=size > 14))
    found = find(Document("a.docx", "0" * 64, "docx", builder.text, builder.blocks))
    assert [(heading.text, heading.level) for heading in found] == [
        ("栎语是谁", 1),
        ("旅程的安排", 1),
        ("开料站：先把料认准", 2),
        ("封边站：胶线看不见才算好", 2),
        ("走到哪儿了", 1),
    ]


def test_an_unnumbered_heading_above_a_first_number_stands_above_it() -> None:
    builder = Builder()
    for text, _ in _large_and_small():
        builder.add(text)
    found = find(Document("a.txt", "0" * 64, "txt", builder.text, builder.blocks))
    assert [heading.level for heading in found] == [1, 1, 2, 2, 1]


def test_a_first_number_below_a_lower_heading_does_not_lower_those_above() -> None:
    builder = Builder()
    lines = [
        ("企业概况", 16),
        (TEXT, 12),
        ("怎么干的", 16),
        ("把码拆小", 14),
        ("1. 先行品种", 13),
        (TEXT, 12),
        ("取得的成效", 16),
        (TEXT, 12),
    ]
    for text, size in lines:
        builder.add(text, layout=Layout(size=size, bold=size > 12))
    found = find(Document("a.pdf", "0" * 64, "pdf", builder.text, builder.blocks))
    assert [heading.level for heading in found] == [1, 1, 2, 3, 1]
