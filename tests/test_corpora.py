"""The labelled corpora are whole, labelled by known themes, and nothing similar stands on both sides of a split."""

from __future__ import annotations

import hashlib
import importlib.util
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType

from service.lexicon import load
from service.train.corpora import passages, writeups

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
