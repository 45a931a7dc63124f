"""Floors of the focus areas on write-ups and passages that nothing was fitted on; measured anew, whatever the manifest says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from service import artefacts, classify, encode
from service.train import focus
from service.train.corpora import writeups

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
SCORE = SHARED / "measure" / "score.py"
FOCUS = artefacts.CORPORA / "focus"


@pytest.fixture(scope="module")
def scores() -> Mapping[str, float]:
    """Of the shipped model on the held-out part, texts at the threshold that was chosen on the training part."""
    encoder = encode.load(artefacts.MODELS / "embedding")
    model = classify.load(artefacts.MODELS / "focus")
    assert model.encoder == encoder.version, "the model was trained with another embedding"
    threshold = float(artefacts.model("focus").manifest["scores"]["text_threshold"])
    held = [each for each in writeups(FOCUS) if each.split == "test"]
    assert len(held) == 10
    found = focus.evaluate(model, focus.examples(FOCUS, "test", encoder), held, encoder, threshold=threshold)
    return {**found, **focus.whole_scores(model, held, encoder)}


@pytest.mark.parametrize(("name", "floor"), [("writeup_micro_f1", 0.88), ("passages_micro_f1", 0.89), ("writeup_main", 0.9)])
def test_themes(scores: Mapping[str, float], name: str, floor: float) -> None:
    assert scores[name] >= floor


def test_probabilities_mean_what_they_say(scores: Mapping[str, float]) -> None:
    assert scores["calibration_error"] <= 0.05


def test_texts_about_no_theme_seldom_get_one(scores: Mapping[str, float]) -> None:
    assert scores["negatives_false"] <= 0.05


def test_the_manifest_tells_what_is_measured(scores: Mapping[str, float]) -> None:
    told = artefacts.model("focus").manifest["scores"]
    for name, value in scores.items():
        assert value == pytest.approx(told[name], abs=0.01), name


@pytest.mark.shared
@pytest.mark.skipif(not SCORE.is_file(), reason="../shared is not here: it holds the material that this score is measured on")
def test_areas_of_write_ups_from_elsewhere(tmp_path: Path) -> None:
    target = tmp_path / "score.json"
    options = ["--json", str(target), "--command", f"{sys.executable} -m service.cli", "--only", "plain.docx"]
    subprocess.run([sys.executable, str(SCORE), "writeups", str(SHARED / "writeups"), *options], check=True, cwd=ROOT)
    total = json.loads(target.read_text("utf-8"))["total"]["plain.docx"]
    assert total.get("failed", 0) == 0
    assert 2 * total["tp"] / (2 * total["tp"] + total["fp"] + total["fn"]) >= 0.85
