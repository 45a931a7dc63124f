"""Every hostile file ends in a clear Chinese message, within memory, and the good files around it are read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bombs
import pytest

from service.errors import Unreadable
from service.model import Document
from service.parse import Limits, Reader, Reading
from service.parse.limits import MIB

_TEXT = "一、企业概况\n公司成立于2001年。\n".encode()

# Name of the file (its suffix lies where it can), what makes it, the code of the refusal.
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "二千万段.docx": (bombs.twenty_million_paragraphs, "file_over_limit"),
    "笑-正文.docx": (lambda: bombs.laughing("word/document.xml"), "file_doctype"),
    "笑-样式.docx": (lambda: bombs.laughing("word/styles.xml"), "file_doctype"),
    "笑-关系.docx": (lambda: bombs.laughing("_rels/.rels"), "file_doctype"),
    "笑-类型.docx": (lambda: bombs.laughing("[Content_Types].xml"), "file_doctype"),
    "笑-批注.docx": (lambda: bombs.laughing("word/comments.xml"), "file_doctype"),
    "笑-双字节.docx": (lambda: bombs.laughing("word/document.xml", encoding="utf-16"), "file_doctype"),
    "笑-七位.docx": (lambda: bombs.laughing("word/document.xml", encoding="utf-7"), "file_damaged"),
    "一GB正文.docx": (bombs.zip_bomb, "file_over_limit"),
    "一GB图片.docx": (lambda: bombs.zip_bomb("word/media/image1.png"), "file_over_limit"),
    "谎报大小.docx": (bombs.lying_size, "file_damaged"),
    "重叠.docx": (bombs.overlapping, "file_damaged"),
    "重名.docx": (bombs.duplicate_parts, "file_damaged"),
    "加密压缩.docx": (bombs.encrypted_zip, "file_encrypted"),
    "百万个字.docx": (lambda: bombs.docx("<w:p>" + "<w:r><w:t>字</w:t></w:r>" * 1_000_000 + "</w:p>"), "file_over_limit"),
    "三十万个字.docx": (lambda: bombs.many_runs(300_000), "file_over_limit"),
    "十万列.docx": (lambda: bombs.wide_table(100_000), "file_over_limit"),
    "六万层.docx": (lambda: bombs.deep(60_000), "file_damaged"),
    "截断.docx": (lambda: bombs.docx()[:-60], "file_damaged"),
    "截断一半.docx": (lambda: bombs.docx()[:400], "file_damaged"),
    "宏.docx": (lambda: bombs.docx(**{"word__vbaProject.bin": b"macro"}), "file_macros"),
    "口令.docx": (lambda: bombs.compound_file("EncryptionInfo", "EncryptedPackage"), "file_encrypted"),
    "口令.doc": (lambda: bombs.compound_file("WordDocument", "1Table", word_flags=0x0100), "file_encrypted"),
    "表格.docx": (lambda: bombs.packed({"[Content_Types].xml": bombs.TYPES, "xl/workbook.xml": "<a/>"}), "format_unknown"),
    "程序.docx": (lambda: b"MZ\x90\0\3\0\0\0" + os.urandom(9000), "format_unknown"),
    "程序.pdf": (lambda: b"MZ\x90\0\3\0\0\0" + os.urandom(9000), "format_unknown"),
    "乱码.txt": (lambda: bytes(range(256)) * 40, "format_unknown"),
    "空.docx": (lambda: b"", "file_empty"),
    "全零.pdf": (lambda: bytes(5000), "file_empty"),
    "加密.pdf": (lambda: bombs.locked_pdf(password="secret"), "file_encrypted"),
    "截断.pdf": (lambda: bombs.locked_pdf(password="")[:300], "file_damaged"),
    "百万页.pdf": (bombs.million_pages, "file_over_limit"),
    "页树成环.pdf": (bombs.page_tree_loop, "file_over_limit"),
}
READ: dict[str, tuple[Callable[[], bytes], str]] = {
    "好一.docx": (bombs.docx, "一、企业概况"),
    "套娃.docx": (bombs.nested_zip, "一、企业概况"),
    "超宽.docx": (bombs.huge_spans, "甲\n乙\n丙"),
    "层层表格.docx": (lambda: bombs.docx("<w:tbl><w:tr><w:tc>" * 60 + bombs.paragraph("底") + "</w:tc></w:tr></w:tbl>" * 60), "底"),
    "外部模板.docx": (bombs.external_template, "一、企业概况"),
    "只禁打印.pdf": (lambda: bombs.locked_pdf(password=""), "Quality Benchmark Practice of Tianheng Works"),
    "好二.txt": (lambda: _TEXT, "一、企业概况\n公司成立于2001年。"),
}


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    """All of them in one call, good ones between bad ones."""
    folder = tmp_path_factory.mktemp("hostile")
    names = sorted([*REFUSED, *READ])
    for name in names:
        (folder / name).write_bytes({**REFUSED, **READ}[name][0]())
    with Reader(jobs=2, convert=False) as reader:
        return {reading.name: reading for reading in reader.read_all([folder / name for name in names])}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_in_chinese(readings: dict[str, Reading], name: str) -> None:
    outcome = readings[name].outcome
    assert isinstance(outcome, Unreadable)
    assert outcome.code == REFUSED[name][1]
    assert re.search("[一-鿿]{6}", outcome.message)
    assert "请" in outcome.message, "a message says how to mend it"


@pytest.mark.parametrize("name", READ)
def test_a_good_file_in_the_same_call_is_read(readings: dict[str, Reading], name: str) -> None:
    outcome = readings[name].outcome
    assert isinstance(outcome, Document), outcome
    assert outcome.text == READ[name][1]


def test_what_lies_outside_is_noted_and_not_fetched(readings: dict[str, Reading]) -> None:
    outcome = readings["外部模板.docx"].outcome
    assert isinstance(outcome, Document)
    assert any(note.code == "external_links" for note in outcome.notes)


@pytest.mark.parametrize("make", [bombs.endless_content, bombs.form_loop, bombs.doubling_forms])
def test_a_pdf_that_eats_memory_costs_only_itself(tmp_path: Path, make: Callable[[], bytes]) -> None:
    (tmp_path / "坏.pdf").write_bytes(make())
    (tmp_path / "好.txt").write_bytes(_TEXT)
    with Reader(jobs=1, limits=Limits(memory=360 * MIB, seconds=20)) as reader:
        bad, good = reader.read_all([tmp_path / "坏.pdf", tmp_path / "好.txt"])
    assert isinstance(bad.outcome, Unreadable)
    assert bad.outcome.code in {"read_memory", "read_timeout", "read_crashed", "file_damaged"}
    assert isinstance(good.outcome, Document)


_MEASURED = """
import json, resource, sys
from service.parse import Reader
with Reader(jobs=2) as reader:
    outcomes = [getattr(reading.outcome, "code", "read") for reading in reader.read_all(sys.argv[1:])]
own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
usage = [own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]
print(json.dumps([outcomes, usage]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_bomb_takes_a_gigabyte(tmp_path: Path) -> None:
    names = [
        "二千万段.docx",
        "笑-正文.docx",
        "一GB正文.docx",
        "谎报大小.docx",
        "加密.pdf",
        "截断.pdf",
        "程序.docx",
        "三十万个字.docx",
        "好一.docx",
    ]
    for name in names:
        (tmp_path / name).write_bytes({**REFUSED, **READ}[name][0]())
    run = subprocess.run([sys.executable, "-c", _MEASURED, *(str(tmp_path / name) for name in names)], capture_output=True, check=True)
    outcomes, usage = json.loads(run.stdout)
    assert outcomes[-1] == "read"
    assert "read" not in outcomes[:-1]
    assert max(usage) * 1024 < 300 * MIB, "far below a gigabyte: refused before it is unpacked"


_TEXT_BOMBS = {
    "制表符.txt": "\t" * 1_000_000 + "质",
    "空隙.txt": "质  " * 300_000,
    "两列.txt": "质  量，很长的一格一格一格一格一格一格一格一格一格一格一格一格一格\n" * 20_000,
    "横线.txt": "目录\n" + "-" * 1_000_000 + "质",
    "点线.txt": "目录\n质" + ". " * 900_000,
    "横线.md": "# 质\n# 量\n" + "-" * 1_000_000 + "|x",
    "注释.md": "# 质\n" + "<!--" * 400_000,
    "设置.md": "---\n" + "a:\n" * 50_000,
    "引用.md": ">" * 50_000 + "质",
}


def test_texts_made_for_slow_patterns_are_read_in_time(tmp_path: Path) -> None:
    for name, text in _TEXT_BOMBS.items():
        (tmp_path / name).write_text(text, "utf-8")
    with Reader(jobs=2, limits=Limits(seconds=12)) as reader:
        outcomes = {
            reading.name: getattr(reading.outcome, "code", "read") for reading in reader.read_all(tmp_path / name for name in _TEXT_BOMBS)
        }
    assert set(outcomes.values()) <= {"read", "no_text", "file_over_limit"}, outcomes
