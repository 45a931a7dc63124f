"""Files of one name are told apart; names fit a file system."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.render.names import distinct, fitting, stems


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["甲.docx", "/申报/乙.docx"], ["甲.docx", "乙.docx"]),
        (["/申报/甲/经验.docx", "/申报/乙/经验.docx"], ["甲/经验.docx", "乙/经验.docx"]),
        (
            ["/申报/甲/文/经验.docx", "/申报/乙/文/经验.docx", "/申报/甲/经验.docx"],
            ["甲/文/经验.docx", "乙/文/经验.docx", "甲/经验.docx"],
        ),
        (["经验.docx", "/经验.docx"], ["经验.docx", "/经验.docx"]),
        (["经验.docx", "经验.docx"], ["经验.docx", "经验.docx"]),
    ],
)
def test_a_name_is_as_long_as_it_must_be(paths: list[str], names: list[str]) -> None:
    assert distinct(paths) == names


def test_the_word_file_keeps_the_plain_name() -> None:
    inputs = [Path("甲/材料.pdf"), Path("甲/材料.docx"), Path("乙/材料.txt")]
    assert list(stems(inputs).values()) == ["甲_材料（pdf）", "甲_材料", "乙_材料"]


@pytest.mark.parametrize("stem", ["材料", "质" * 100, "x" * 300])
def test_a_name_fits(stem: str) -> None:
    name = fitting(stem, "-批注.docx")
    assert len(name.encode()) <= 240
    assert name.endswith("-批注.docx")
    assert stem.startswith(name.removesuffix("-批注.docx"))
