"""corpora/sections -> models/sections: which section a paragraph speaks for, learnt from its character runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service import __version__, artefacts
from service.content import ContentModel
from service.errors import ServiceError
from service.train import linear

_LABELS = ("overview", "background", "process", "results", "abstract", "lessons", "extension")
_STRENGTH = 30.0  # scikit-learn's C; chosen by leaving one writer out (notebooks/04-sections.ipynb)
_PASSAGE = 0.5  # a passage stands alone, a paragraph in its write-up: how much the former counts

Row = dict[str, str]


def train(corpus: Path, out: Path, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, float]:
    """Fits on the training part, measures on the held-out one, writes weights, manifest and model card into `out`; the scores."""
    found = artefacts.verified(corpus)
    rows = [json.loads(line) for line in (corpus / "paragraphs.jsonl").read_text("utf8").splitlines()]
    parts = {split: [row for row in rows if row["split"] == split] for split in ("train", "test")}
    if not parts["train"] or not parts["test"]:
        raise ServiceError("corpus_invalid", f"语料 {corpus} 里训练部分或留出部分是空的，无法训练。请检查 manifest.toml 的 split。")
    progress(f"训练：{len(parts['train'])} 段")
    model = fit(parts["train"])
    scores = evaluate(model, parts["test"])
    progress(f"留出部分：{len(parts['test'])} 段，判对 {scores['accuracy']:.1%}")
    _write(out, model, scores, data=str(found.manifest["file"][0]["sha256"]))
    return scores


def fit(rows: list[Row], *, strength: float = _STRENGTH) -> ContentModel:
    """The model of labelled paragraphs, each label at least once; its prior counts every row as it weighed."""
    targets = np.array([[float(row["section"] == label) for label in _LABELS] for row in rows], np.float32)
    weights = np.array([_PASSAGE if row["kind"] == "passage" else 1.0 for row in rows], np.float32)
    none = np.zeros((len(rows), 1), np.float32)
    fitted = linear.fit(
        [row["text"] for row in rows],
        [[] for _ in rows],
        none,
        targets,
        labels=_LABELS,
        kind="one",
        strength=strength,
        weights=weights,
    )
    return ContentModel(f"{__version__}-untrained", fitted, _prior(targets, weights))


def _prior(targets: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    counts = (targets * weights[:, None]).sum(0) + 1.0
    return np.asarray(np.log(counts / counts.sum()), np.float32)


def evaluate(model: ContentModel, rows: list[Row]) -> dict[str, float]:
    """`accuracy`: paragraphs of write-ups alone, each judged by itself as segmenting is told of it, without place or neighbours."""
    alone = [row for row in rows if row["kind"] == "paragraph"]
    spoken = model.speaks([row["text"] for row in alone], of=[[label] for label in _LABELS])
    right = [_LABELS[at] == row["section"] for at, row in zip(spoken.argmax(1), alone, strict=True)]
    return {"paragraphs": len(alone), "accuracy": round(float(np.mean(right)), 4)}


def _write(out: Path, model: ContentModel, scores: dict[str, float], *, data: str) -> None:
    files = linear.save(out, model.linear, more={"prior": model.prior})
    (out / "README.md").write_text(_CARD.format(**scores, labels="、".join(_LABELS)), "utf8")
    lines = [
        f'version = "sections-{artefacts.sha256(files[0])[:12]}"',
        'source = "corpora/sections (constructed, CC0-1.0)"',
        'licence = "Apache-2.0"',
        f'data = "{data}"',
        f'code = "biaogan {__version__}"',
        'made = "biaogan train sections"',
        "",
        "[scores]",
        *(f"{name} = {value}" for name, value in scores.items()),
    ]
    for file in files:
        lines += ["", "[[file]]", f'name = "{file.name}"', f'sha256 = "{artefacts.sha256(file)}"']
    (out / "manifest.toml").write_text("\n".join(lines) + "\n", "utf8")


_CARD = """# 章节内容模型（models/sections）

判断一段文字说的是哪个部分（{labels}），供划分章节时找没有标题、或标题看不出内容的部分；有明确标题的部分不问它。

- 方法：字符串（二、三字）TF-IDF 上的多类逻辑回归（scikit-learn），运行时只用 numpy；权重 safetensors，加载前核对校验值。
- 数据：corpora/sections（全部为编写的虚构材料，CC0）；留出部分按整篇、整家企业划出。
- 留出部分 {paragraphs} 段单独判断（不看位置和上下文）判对 {accuracy:.1%}；整篇的结果（连同位置和顺序）见 notebooks/04-sections.ipynb。
- 不适用：不是典型经验的文件；非中文。训练：`biaogan train sections`，同样的语料得到同样的字节。

*In short: a multinomial logistic regression over character runs, trained on constructed write-ups; service/segment.py asks it where no
heading tells.*
"""
