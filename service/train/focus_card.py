"""Writes models/focus: weights, manifest, model card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from service import __version__, artefacts
from service.classify import FocusModel
from service.features import FEATURES
from service.train import grams

_CARD = Path(__file__).with_suffix(".md")


def write(out: Path, model: FocusModel, scores: Mapping[str, float], *, data: str, corrected: int = 0) -> None:
    """`weights.safetensors`, `manifest.toml`, `README.md`: the same bytes for the same model. `corrected`: how many were set right."""
    source, made = "corpora/focus (constructed, CC0-1.0)", "biaogan train focus"
    if corrected:
        source, made = f"{source}; {corrected} submissions with corrected focus areas", f"{made} --with-corrections"
    out.mkdir(parents=True, exist_ok=True)
    weights = out / "weights.safetensors"
    more = {
        "looks": model.looks,
        "scale": model.scale,
        "shift": model.shift,
        "combination": model.combination,
        "leading": model.leading,
        "context": model.context,
        "constant": np.array([model.constant], np.float32),
    }
    grams.write(weights, model.grams, more=more)
    card = _CARD.read_text("utf8").format(**scores, threshold=model.threshold, themes="、".join(model.themes))
    (out / "README.md").write_text(card, "utf8")
    terms = out / "terms.json"
    terms.write_text(json.dumps(model.terms, ensure_ascii=False, indent=0, separators=(",", ":")).replace(",\n", ",") + "\n", "utf8")
    digest = artefacts.sha256(weights)
    lines = [
        f'version = "focus-{digest[:12]}"',
        f'source = "{source}"',
        'licence = "Apache-2.0"',
        f'data = "{data}"',
        f'encoder = "{model.encoder}"',
        f'code = "biaogan {__version__}"',
        f'made = "{made}"',
        f"themes = {_list(model.themes)}",
        f"features = {_list(FEATURES)}",
        f"threshold = {model.threshold}",
        f"shown = {model.shown}",
        "",
        "[scores]",
        *(f"{name} = {value:.4f}" for name, value in scores.items()),
        "",
        "[[file]]",
        'name = "weights.safetensors"',
        f'sha256 = "{digest}"',
        "",
        "[[file]]",
        'name = "terms.json"',
        f'sha256 = "{artefacts.sha256(terms)}"',
    ]
    (out / "manifest.toml").write_text("\n".join(lines) + "\n", "utf8")


def _list(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
