"""Which files of a folder are read, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import ServiceError
from service.parse import walk


def test_a_folder_is_walked_in_order(tmp_path: Path) -> None:
    for name in ("b.docx", "a.PDF", "子/c.txt", "子/d.wps", "~$b.docx", ".隐藏.docx", ".git/e.docx", "数据.xlsx", "程序.exe"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = walk([tmp_path])
    assert [str(path.relative_to(tmp_path)) for path in found.files] == ["a.PDF", "b.docx", "子/c.txt", "子/d.wps"]
    assert [(over.path.name, over.reason) for over in found.passed_over] == [
        ("数据.xlsx", "Excel 表格，不审读"),
        ("程序.exe", "不是 Word、PDF 或文本文件，不审读"),
    ]
    assert found.hidden == 3


def test_a_named_file_is_always_tried_and_once(tmp_path: Path) -> None:
    odd = tmp_path / "稿件.dat"
    odd.write_bytes(b"x")
    assert walk([odd, odd]).files == (odd,)


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"x")
    (tmp_path / "回").symlink_to(tmp_path, target_is_directory=True)
    assert walk([tmp_path]).files == (tmp_path / "a.docx",)


def test_a_missing_path_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as mistake:
        walk([tmp_path / "没有.docx"])
    assert mistake.value.code == "path_missing"
    assert "没有.docx" in mistake.value.message
