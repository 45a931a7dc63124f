"""Text and Markdown: encodings, paragraphs, tables, headings, lists, figures."""

from __future__ import annotations

import pytest

from service.errors import Unreadable
from service.model import Document, Format
from service.parse.limits import Limits
from service.parse.plain import decode, read_plain

_LINES = "天衡压缩机有限公司\n一、企业概况\n公司成立于2001年，主要生产压缩机。\n"


def _read(text: str, *, kind: Format = "txt") -> Document:
    return read_plain(text.encode(), "稿.txt", format=kind, limits=Limits())


def _shown(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding: str) -> None:
    document = read_plain(_LINES.encode(encoding), "稿.txt", format="txt", limits=Limits())
    assert document.text == _LINES.strip()


def test_utf16_with_mark_of_the_other_order() -> None:
    assert decode(b"\xfe\xff" + _LINES.encode("utf-16-be")) == _LINES


@pytest.mark.parametrize("junk", [bytes(range(256)) * 8, b"\x01\x02\x03" * 100, b"\xff\xff\xfe\xfe" * 50, "\u0590\u0780".encode() * 90])
def test_binary_junk_is_no_text(junk: bytes) -> None:
    assert decode(junk) is None


def test_a_few_damaged_bytes_are_noted() -> None:
    data = (_LINES * 20).encode("gb18030") + b"\x81"
    document = read_plain(data, "稿.txt", format="txt", limits=Limits())
    assert [note.code for note in document.notes] == ["encoding_damaged"]


def test_too_long_a_text_is_refused() -> None:
    with pytest.raises(Unreadable) as refusal:
        read_plain(_LINES.encode(), "稿.txt", format="txt", limits=Limits(characters=10))
    assert refusal.value.code == "file_over_limit"


def test_a_line_is_a_paragraph_without_its_indent() -> None:
    document = _read("\ufeff　　第一段。\r\n\r\n    第二段。\x0c\r\n　　\r\n第三段\t甲。")
    assert _shown(document) == [("paragraph", "第一段。"), ("paragraph", "第二段。"), ("paragraph", "第三段 甲。")]


def test_lines_wrapped_by_the_editor_are_joined() -> None:
    first = "公司自二〇一九年起推行全流程扭矩数据归档，把人、机、时间、结果四项记录归到单件产品，" * 4
    second = "装配间隙靠计算得出而不靠手感，班组长每天开线之前先看前一班的控制图，再决定当班的抽检量。" * 3
    wrapped = []
    for paragraph in ("　　" + first, "　　" + second):
        wrapped += [paragraph[at : at + 30] for at in range(0, len(paragraph), 30)]
    document = _read("一、实施背景\n" + "\n".join(wrapped) + "\n二、实施过程\n")
    assert [text for _, text in _shown(document)] == ["一、实施背景", first, second, "二、实施过程"]


def test_long_lines_are_not_taken_for_wrapped() -> None:
    text = "\n".join(
        f"第{number}段写的是公司在这一年里做了什么，为什么这样做，取得了什么样的成效{'，很好' * number}。" for number in range(1, 9)
    )
    assert len(_read(text).blocks) == 8


def test_a_table_of_tabs() -> None:
    document = _read("表1 指标\n指标\t2020年\t2021年\n合格率\t98.1\t99.2\n说明文字。")
    assert _shown(document)[:2] == [("caption", "表1 指标"), ("table", "指标\t2020年\t2021年\n合格率\t98.1\t99.2")]
    assert document.blocks[1].columns == 3
    cell = document.blocks[1].cells[4]
    assert (cell.row, cell.column, document.text[cell.start : cell.end]) == (1, 1, "98.1")


def test_an_empty_corner_is_kept_and_an_indent_is_not() -> None:
    assert _shown(_read("\t2020年\t2021年\n合格率\t98.1\t99.2"))[0][1] == "\t2020年\t2021年\n合格率\t98.1\t99.2"
    assert _shown(_read("\t甲\t乙\n\t丙\t丁"))[0][1] == "甲\t乙\n丙\t丁"


def test_numbers_with_tabs_are_no_table() -> None:
    document = _read("1.\t建立数据底座。\n2.\t贯通全过程。\n3.\t持续改进。")
    assert _shown(document) == [("paragraph", "1. 建立数据底座。"), ("paragraph", "2. 贯通全过程。"), ("paragraph", "3. 持续改进。")]


def test_a_table_of_blanks_lines_up() -> None:
    document = _read("指标      2020年    2021年\n合格率    98.1      99.2\n返修率    1.9       0.8\n正文。")
    assert _shown(document) == [("table", "指标\t2020年\t2021年\n合格率\t98.1\t99.2\n返修率\t1.9\t0.8"), ("paragraph", "正文。")]


def test_a_ruled_table() -> None:
    document = _read("┌──┬──┐\n│指标│数值│\n├──┼──┤\n│合格率│99%│\n└──┴──┘\n正文。")
    assert _shown(document) == [("table", "指标\t数值\n合格率\t99%"), ("paragraph", "正文。")]


def test_a_contents_page_is_kept_apart() -> None:
    document = _read("目  录\n一、企业概况……………1\n二、实施背景\t2\n\n一、企业概况\n正文。")
    assert [kind for kind, _ in _shown(document)] == ["toc", "toc", "toc", "paragraph", "paragraph"]


_MARKDOWN = """---
title: x
---
# 全流程扭矩数据归档实践

## 一、企业概况

　　天衡公司成立于2001年，
主要生产**压缩机**。

    缩进的段落不是代码。

表1 指标

| 指标 | 2021年 |
|---|---|
| 合格率 | 99.2 |

![图1 总体架构](a.png)

1. 建立底座
2. 贯通数据
   - 归到单台

<!-- 备注 -->
结尾。
"""


def test_markdown() -> None:
    document = _read(_MARKDOWN, kind="md")
    assert _shown(document) == [
        ("heading", "全流程扭矩数据归档实践"),
        ("heading", "一、企业概况"),
        ("paragraph", "天衡公司成立于2001年，主要生产压缩机。"),
        ("paragraph", "缩进的段落不是代码。"),
        ("caption", "表1 指标"),
        ("table", "指标\t2021年\n合格率\t99.2"),
        ("figure", ""),
        ("caption", "图1 总体架构"),
        ("list", "建立底座"),
        ("list", "贯通数据"),
        ("list", "归到单台"),
        ("paragraph", "结尾。"),
    ]
    assert [block.level for block in document.blocks if block.kind == "heading"] == [1, 2]
    assert [(block.label, block.level) for block in document.blocks if block.kind == "list"] == [("1.", 1), ("2.", 1), ("•", 2)]
