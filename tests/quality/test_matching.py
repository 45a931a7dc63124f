"""Floors of what is found of revised texts and what of independent ones is not (the figures are in docs/quality.md)."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path

import pytest

from service import encode, rulebook
from service.artefacts import CORPORA, MODELS
from service.exclude import wording
from service.match import match
from service.model import Document, Past, Submission
from service.parse.limits import Limits
from service.parse.plain import read_plain

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
SCORE = SHARED / "measure" / "score.py"
FOLDER = CORPORA / "benchmarks"
FLAGGED = {"near_duplicate", "reuse"}
LETTERS = {**dict.fromkeys(range(1, 6), "pqr"), **dict.fromkeys(range(6, 11), "pq")}  # who wrote on the same industry and method
ENCODER = encode.load(MODELS / "embedding")
NOTICE = wording(rulebook.load("2022-hebei"))


def _text(path: Path) -> str:
    return read_plain(path.read_bytes(), path.name, format="md", limits=Limits()).text


TEXTS = {path.stem: _text(path) for path in sorted((FOLDER / "texts").glob("*.md"))}
REVISIONS = [row for part in "ab" for row in csv.DictReader((FOLDER / f"revisions_{part}.csv").read_text("utf8").splitlines())]


def _flags(text: str, others: Sequence[str]) -> Mapping[str, str]:
    """What of the others is flagged, and how."""
    submission = Submission(Document("x", "0" * 64, "txt", text), None, None, (), (), (), (), 0, len(text))
    found, _ = match(submission, [Past(name, "", TEXTS[name]) for name in others], encoder=ENCODER, notice=NOTICE)
    return {each.past.id: each.flag for each in found if each.flag in FLAGGED}


@pytest.mark.parametrize(
    ("strength", "flags", "number", "floor"),
    [("rewritten", FLAGGED, 12, 0.85), ("edited", {"near_duplicate"}, 4, 1.0), ("partial", {"reuse"}, 6, 0.97)],
)
def test_revisions_by_hand(strength: str, flags: set[str], number: int, floor: float) -> None:
    rows = [row for row in REVISIONS if row["strength"] == strength]
    assert len(rows) == number
    told = []
    for row in rows:
        source = row["source"].removesuffix(".md")
        told.append(_flags(_text(FOLDER / "revisions" / row["file"]), [source]).get(source))
    assert sum(each in flags for each in told) / number >= floor


def test_independent_texts_on_one_industry_and_method() -> None:
    pairs = [(f"{a}{at:02d}", f"{b}{at:02d}") for at, letters in LETTERS.items() for a, b in permutations(letters, 2)]
    assert len(pairs) == 40
    assert [pair for pair in pairs if _flags(TEXTS[pair[0]], [pair[1]])] == []


def test_a_rewriting_is_like_its_source_alone() -> None:
    """A quarter of the revisions against all other benchmarks: at most one in a hundred pairs flagged."""
    wrong = total = 0
    for row in REVISIONS[::4]:
        others = [name for name in TEXTS if f"{name}.md" != row["source"]]
        wrong += len(_flags(_text(FOLDER / "revisions" / row["file"]), others))
        total += len(others)
    assert wrong / total <= 0.01


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not SCORE.is_file(), reason="../shared is not here: it holds the library and the write-ups that this is measured on")
def test_write_ups_that_took_something_from_a_library(tmp_path: Path) -> None:
    """Every query as expected, and no benchmark flagged but the source."""
    target = tmp_path / "score.json"
    options = ["--json", str(target), "--command", f"{sys.executable} -m service.cli"]
    subprocess.run([sys.executable, str(SCORE), "reuse", str(SHARED / "reuse"), *options], check=True, cwd=ROOT)
    total = json.loads(target.read_text("utf-8"))["total"]
    assert total
    for strength, found in total.items():
        assert (found["ok"], found["false"], found.get("failed", 0)) == (found["n"], 0, 0), strength
