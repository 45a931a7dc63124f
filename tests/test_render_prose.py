"""Lines of Chinese text on a terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from service.render.prose import lines, name_lines


@pytest.mark.parametrize(
    ("text", "width", "broken"),
    [
        ("质量水平显著提升", 8, ["质量水平", "显著提升"]),
        ("质量水平，提升", 8, ["质量水", "平，提升"]),  # a comma does not begin a line
        ("质量水（甲）", 8, ["质量水", "（甲）"]),  # nor does a bracket end one
        ("附件2 二、5", 8, ["附件2", "二、5"]),
        ("一级 标题用", 8, ["一级 标", "题用"]),  # a blank is no better place than another
        ("存为”.docx", 8, ["存为”", ".docx"]),  # the point of a suffix closes nothing
        ("质量ISO9001", 8, ["质量", "ISO9001"]),
        ("abcdefghijkl", 5, ["abcde", "fghij", "kl"]),
        ("甲\n\n乙", 8, ["甲", "", "乙"]),
        ("", 8, [""]),
    ],
)
def test_where_lines_break(text: str, width: int, broken: list[str]) -> None:
    assert list(lines(text, width)) == broken


@given(st.text("甲乙，。（）a1 \n“”…", max_size=60), st.integers(4, 20))
def test_nothing_is_lost_and_no_line_is_too_wide(text: str, width: int) -> None:
    broken = list(lines(text, width))
    assert all(cell_len(line) <= width for line in broken)
    assert re.sub(r"\s", "", "".join(broken)) == re.sub(r"\s", "", text)


def test_a_file_name_is_never_broken_inside_its_ending() -> None:
    assert list(name_lines("C2-partial.docx", 14)) == ["C2-partial", ".docx"]
    assert list(name_lines("C2-partial.docx", 9)) == ["C2-", "partial", ".docx"]
    assert list(name_lines("第二份材料.pdf", 8)) == ["第二份材", "料.pdf"]
    assert "".join(name_lines("甲 乙/很长很长的名字.doc", 5)) == "甲 乙/很长很长的名字.doc"
