"""The labelled corpora are whole, labelled by known themes, and nothing similar stands on both sides of a split."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from service.errors import ServiceError
from service.lexicon import load
from service.train.corpora import SECTIONS, passages, writeups

ROOT = Path(__file__).resolve().parents[1]
FOCUS = ROOT / "corpora/focus"
MANIFEST = tomllib.loads((FOCUS / "manifest.toml").read_text("utf-8"))


def _build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_focus", FOCUS / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = _build()
PASSAGES, WRITEUPS = passages(FOCUS), writeups(FOCUS)


def test_the_two_parts_share_no_run_of_thirteen_characters() -> None:
    sides = {
        split: [
            *(build.runs([row.text]) for row in PASSAGES if row.split == split),
            *(build.runs(build.prose(each)) for each in WRITEUPS if each.split == split),
        ]
        for split in ("train", "test")
    }
    assert build.shared(sides["train"], sides["test"]) == set()


def test_a_shared_run_is_found_across_blanks() -> None:
    first, second = build.runs(["先把机台的热机时间 固定为四十分钟再取首件"]), build.runs(["要求热机时间固定为四十分钟再取首件送检"])
    assert "热机时间固定为四十分钟再取" in build.shared([first], [second])
    assert build.shared([build.runs(["十二个字的一段话不算重复"])], [build.runs(["十二个字的一段话不算重复"])]) == set()


def test_what_shares_a_run_stays_together() -> None:
    same = "夹紧力由九千牛降到六千五百牛分两级施加"
    assert build.groups({"a": [same], "b": ["别的话"], "c": ["开头不同，" + same]}) == [["a", "c"], ["b"]]


def test_every_theme_stands_on_both_sides() -> None:
    for split in ("train", "test"):
        counts = Counter(theme for row in PASSAGES if row.split == split for theme in row.themes)
        assert set(counts) == set(load("themes"))
        assert min(counts.values()) >= 15
        assert sum(not row.themes for row in PASSAGES if row.split == split) >= 40


def test_ids_are_given_once_and_negatives_say_what_they_are_about() -> None:
    assert len({row.id for row in PASSAGES}) == len(PASSAGES)
    assert len({each.id for each in WRITEUPS}) == len(WRITEUPS)
    assert len({row.text for row in PASSAGES}) == len(PASSAGES)
    assert all(len(set(row.themes)) == len(row.themes) for row in PASSAGES)


def test_the_manifest_tells_the_files_as_they_are() -> None:
    for file in MANIFEST["file"]:
        assert hashlib.sha256((FOCUS / file["name"]).read_bytes()).hexdigest() == file["sha256"], file["name"]
    assert MANIFEST["passages"] == len(PASSAGES) >= 1000
    assert MANIFEST["writeups"] == len(WRITEUPS) >= 40
    assert MANIFEST["held_out_passages"] == sum(row.split == "test" for row in PASSAGES)


def test_every_line_is_whole() -> None:
    for row in PASSAGES:
        assert row.id, row
        assert row.family, row.id
        assert row.section in {*SECTIONS, "title"}, row.id
        assert row.text == row.text.strip(), row.id
        assert len(row.text) >= 5, row.id
    for each in WRITEUPS:
        said = "\n".join(paragraph.text for paragraph in each.paragraphs)
        assert each.title, each.id
        assert each.primary not in each.secondary, each.id
        assert each.key_results, each.id
        assert all(result in said for result in each.key_results), each.id
        assert any(each.primary in paragraph.themes for paragraph in each.paragraphs), each.id


ROW = {
    "id": "z-p1",
    "family": "z-f1",
    "section": "process",
    "themes": ["methods"],
    "kind": None,
    "text": "小组按课题逐条试验，定下回火窗口。",
}
HEADER = """+++
id = "z1"
title = "实施回火窗口管理的经验"
organisation = "柏渚弹簧厂"
edition = "2022-hebei"
primary = "{primary}"
secondary = []
sme = true
key_results = []
+++
"""


def corpus(folder: Path, *lines: str, writeup: str | None = None) -> Path:
    """A corpus of these lines of passages and one write-up; `z-f2` is held out."""
    (folder / "passages").mkdir()
    (folder / "writeups").mkdir()
    (folder / "manifest.toml").write_text('[split]\ntest = ["z-f2"]\n', "utf8")
    if lines:
        (folder / "passages/z.jsonl").write_text("\n".join(lines) + "\n", "utf8")
    if writeup is not None:
        (folder / "writeups/z1.md").write_text(writeup, "utf8")
    return folder


def test_a_family_stands_on_its_side(tmp_path: Path) -> None:
    held = {**ROW, "id": "z-p2", "family": "z-f2", "themes": []}
    found = passages(corpus(tmp_path, json.dumps(ROW), "", json.dumps(held)))
    assert [(row.id, row.split, row.themes) for row in found] == [("z-p1", "train", ("methods",)), ("z-p2", "test", ())]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "3",
        json.dumps({key: value for key, value in ROW.items() if key != "text"}),
        json.dumps({**ROW, "themes": ["no_such_theme"]}),
        json.dumps({**ROW, "themes": None}),
    ],
)
def test_a_faulty_line_is_named(line: str, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"z\.jsonl 第 3 行") as error:
        passages(corpus(tmp_path, json.dumps(ROW), "", line))
    assert error.value.code == "corpus_invalid"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("没有部分的一段。", 11),
        ("%% section: process\n\n%% themes: no_such_theme\n一段。", 13),
        ("\n%% section: nowhere\n一段。", 12),
    ],
)
def test_a_faulty_line_of_a_writeup_is_named(body: str, line: int, tmp_path: Path) -> None:
    text = HEADER.format(primary="methods") + body
    with pytest.raises(ServiceError, match=rf"z1\.md 第 {line} 行") as error:
        writeups(corpus(tmp_path, writeup=text))
    assert error.value.code == "corpus_invalid"


@pytest.mark.parametrize("text", ["没有说明。", HEADER.format(primary="no_such_theme")])
def test_a_faulty_header_is_an_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"z1\.md 第 1 行"):
        writeups(corpus(tmp_path, writeup=text))


def test_a_label_counts_for_the_paragraph_after_it(tmp_path: Path) -> None:
    body = "%% section: process\n## 一、实施过程\n%% themes: methods, culture\n先试。\n再推开。\n| 年 | 批 |\n|---|---|\n表1 批次\n"
    (found,) = writeups(corpus(tmp_path, writeup=HEADER.format(primary="methods") + body))
    assert [(each.kind, each.themes, each.heading) for each in found.paragraphs] == [
        ("heading", (), ""),
        ("paragraph", ("methods", "culture"), "一、实施过程"),
        ("paragraph", (), "一、实施过程"),
        ("row", (), "一、实施过程"),
        ("caption", (), "一、实施过程"),
    ]


def test_a_corpus_without_passages_or_manifest_is_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ServiceError) as error:
            passages(corpus(tmp_path) if not (tmp_path / "passages").exists() else tmp_path)
        assert error.value.code == "corpus_invalid"
        (tmp_path / "manifest.toml").unlink(missing_ok=True)
