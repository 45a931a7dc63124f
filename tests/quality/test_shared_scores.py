"""The floors of reading, sections and faults on material that lies outside the repository (../shared); skipped where it is absent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
SCORE = SHARED / "measure" / "score.py"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.skipif(not SCORE.is_file(), reason="../shared is not here: it holds the material that these scores are measured on"),
]

# Kind of file -> most words error, least share of the body in the right section, most alarms a document.
FLOORS = {
    "styles.docx": (0.01, 0.97, 0.15),
    "autonum.docx": (0.01, 0.97, 0.15),
    "plain.docx": (0.01, 0.97, 0.15),
    "messy.docx": (0.01, 0.97, 0.15),
    "text.pdf": (0.02, 0.97, 0.15),
    "plain.txt": (0.01, 0.97, 0.15),
}


def _score(what: str, folder: Path, target: Path, *options: str) -> dict[str, Any]:
    command = f"{sys.executable} -m service.cli"
    subprocess.run(
        [sys.executable, str(SCORE), what, str(folder), "--json", str(target), "--command", command, *options], check=True, cwd=ROOT
    )
    result: dict[str, Any] = json.loads(target.read_text("utf-8"))
    return result


@pytest.mark.parametrize("kind", FLOORS)
def test_writeups(kind: str, tmp_path: Path) -> None:
    words_error, sections, alarms = FLOORS[kind]
    total = _score("writeups", SHARED / "writeups", tmp_path / "score.json", "--only", kind)["total"][kind]
    assert total.get("failed", 0) == 0
    assert total["werr"] / total["n"] <= words_error
    assert total["good"] / total["chars"] >= sections
    assert total["missing"] == total["n"]
    assert total["hit"] == total["planted"]
    assert total["alarms"] / total["n"] <= alarms


def test_word_files_are_read_whole_and_in_order(tmp_path: Path) -> None:
    rows = _score("extraction", SHARED / "documents", tmp_path / "score.json", "--only", "*.docx")[".docx"]
    runs, extra, characters = (sum(row[column] for row in rows) / len(rows) for column in range(3))
    assert characters >= 0.995
    assert runs >= 0.97
    assert extra <= 0.01


def test_pdf_files_are_read_whole_and_in_order(tmp_path: Path) -> None:
    rows = _score("extraction", SHARED / "documents", tmp_path / "score.json", "--only", "*.pdf")[".pdf"]
    runs, extra, characters = (sum(row[column] for row in rows) / len(rows) for column in range(3))
    assert characters >= 0.985
    assert runs >= 0.97
    assert extra <= 0.01
