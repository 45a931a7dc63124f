"""doc, wps and rtf through LibreOffice; said plainly where it is not there or switched off."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from service.errors import Unreadable
from service.model import Document
from service.parse import Limits, Reader
from service.parse.convert import convert_many, find_soffice

needs_soffice = pytest.mark.skipif(find_soffice() is None, reason="LibreOffice (soffice) is not installed")


def _rtf(*lines: str) -> bytes:
    """Paragraphs as Word's RTF writes Chinese: a Unicode number for every character."""
    body = "\\par\n".join(
        "".join(c if c.isascii() else f"\\u{ord(c) if ord(c) < 32768 else ord(c) - 65536}?" for c in line) for line in lines
    )
    return f"{{\\rtf1\\ansi\\ansicpg936\\uc1\\deff0{{\\fonttbl{{\\f0 SimSun;}}}}\\f0\\fs24 {body}\\par}}".encode()


_LINES = ("天衡公司质量数据贯通实践", "一、企业概况", "公司成立于2001年，主要生产压缩机。")


def test_switched_off_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "稿.rtf").write_bytes(_rtf(*_LINES))
    with Reader(jobs=1, convert=False) as reader:
        reading = reader.read(tmp_path / "稿.rtf")
    assert isinstance(reading.outcome, Unreadable)
    assert (reading.outcome.code, reading.format) == ("convert_off", "rtf")
    assert "另存为" in reading.outcome.message


def test_not_installed_it_says_what_to_do() -> None:
    outcomes = dict(convert_many([(_rtf(*_LINES), "rtf")], limits=Limits(), soffice="/nowhere/soffice"))
    outcome = outcomes[0]
    assert isinstance(outcome, Unreadable)
    assert outcome.code == "convert_missing"
    assert "另存为" in outcome.message


@pytest.mark.slow
@needs_soffice
def test_several_files_in_one_run_keep_their_order_and_format(tmp_path: Path) -> None:
    names = ["一.rtf", "二.doc", "三.txt", "四.rtf"]
    for name in names:
        (tmp_path / name).write_bytes(_rtf(*_LINES, f"这是{name}。"))
    (tmp_path / "三.txt").write_text("\n".join([*_LINES, "这是三.txt。"]), "utf-8")
    with Reader(jobs=2) as reader:
        readings = list(reader.read_all(tmp_path / name for name in names))
    assert [(reading.name, reading.format) for reading in readings] == [
        ("一.rtf", "rtf"),
        ("二.doc", "rtf"),
        ("三.txt", "txt"),
        ("四.rtf", "rtf"),
    ]
    for reading in readings:
        assert isinstance(reading.outcome, Document)
        assert reading.outcome.text == "\n".join([*_LINES, f"这是{reading.name}。"])
        assert (reading.outcome.format, reading.outcome.sha256, reading.outcome.name) == (reading.format, reading.sha256, reading.name)


@pytest.mark.slow
@needs_soffice
def test_a_file_that_cannot_be_converted_costs_only_itself(tmp_path: Path) -> None:
    good = _rtf(*_LINES)
    outcomes = dict(convert_many([(b"\0" * 2000, "doc"), (good, "rtf"), (b"\x7fELF" * 300, "doc"), (good, "rtf")], limits=Limits()))
    assert sorted(outcomes) == [0, 1, 2, 3]
    assert isinstance(outcomes[1], bytes)
    assert isinstance(outcomes[3], bytes)


def _program(folder: Path, script: str) -> str:
    """A stand-in for LibreOffice that hangs, dies or works on cue: what it gets is its last arguments."""
    path = folder / "soffice"
    path.write_text("#!/bin/sh\nfor last; do :; done\n" + script, "utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_converter_that_hangs_is_ended_and_the_next_file_gets_its_run(tmp_path: Path) -> None:
    program = _program(tmp_path, "exec sleep 60\n")
    limits = Limits(convert_seconds=0.3, convert_start_seconds=0.1)
    began = time.monotonic()
    outcomes = dict(convert_many([(b"x", "doc"), (b"y", "doc")], limits=limits, soffice=program))
    assert [outcome.code for outcome in outcomes.values() if isinstance(outcome, Unreadable)] == ["convert_timeout", "convert_timeout"]
    assert time.monotonic() - began < 30, "the stand-in sleeps for a minute"


def test_a_converter_that_dies_is_not_asked_for_ever(tmp_path: Path) -> None:
    program = _program(tmp_path, "exit 77\n")
    outcomes = dict(convert_many([(b"x", "doc"), (b"y", "doc")], limits=Limits(), soffice=program))
    assert [outcome.code for outcome in outcomes.values() if isinstance(outcome, Unreadable)] == ["convert_failed", "convert_failed"]


def test_fields_that_fetch_are_disarmed(tmp_path: Path) -> None:
    copied = tmp_path / "seen"
    program = _program(tmp_path, f'cp "$last" {copied}\nexit 1\n')
    word = "INCLUDEPICTURE".encode("utf-16-le")
    list(convert_many([(b"{\\rtf1 INCLUDETEXT file " + word + b"}", "rtf")], limits=Limits(), soffice=program))
    seen = copied.read_bytes()
    assert b"INCLUDETEXT" not in seen
    assert word not in seen
    assert seen.startswith(b"{\\rtf1 XXXXXXXXXXX file ")


@pytest.mark.slow
@needs_soffice
def test_words_binary_format_under_either_name(tmp_path: Path) -> None:
    (tmp_path / "稿.rtf").write_bytes(_rtf(*_LINES))
    profile = (tmp_path / "profile").as_uri()
    command = [
        find_soffice() or "",
        f"-env:UserInstallation={profile}",
        "--headless",
        "--convert-to",
        "doc:MS Word 97",
        "--outdir",
        str(tmp_path),
    ]
    subprocess.run([*command, str(tmp_path / "稿.rtf")], check=True, capture_output=True, timeout=120)
    (tmp_path / "稿.wps").write_bytes((tmp_path / "稿.doc").read_bytes())
    with Reader(jobs=1) as reader:
        readings = list(reader.read_all([tmp_path / "稿.doc", tmp_path / "稿.wps"]))
    assert [reading.format for reading in readings] == ["doc", "wps"]
    for reading in readings:
        assert isinstance(reading.outcome, Document)
        assert reading.outcome.text == "\n".join(_LINES)
        assert reading.outcome.layout_known
