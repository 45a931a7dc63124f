"""A folder of plain text -> models/embedding: a static model that sentence-transformers and model2vec both load.

Vocabulary and tokenisation (vocabulary.py), rows from counts (vectors.py), then contrastive training by sentence-transformers on natural
pairs (pairs.py) at several sizes, so that the first 128 or 64 numbers of a vector serve too. One seed; no step depends on the order of
threads, so the same text, code and libraries give the same model on the same machine.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from service import __version__
from service.errors import ServiceError
from service.train import evaluate, pairs, vectors, vocabulary

Floats = NDArray[np.float32]
Tell = Callable[[str], None]
_LIBRARIES = ("jieba", "model2vec", "numpy", "scikit-learn", "scipy", "sentence-transformers", "tokenizers", "torch")


@dataclass(frozen=True, slots=True)
class Contrast:
    """The contrastive phase. Sizes are the leading numbers of a vector that are trained to serve alone."""

    pairs: int = 160_000
    batch: int = 1024
    epochs: float = 1.0
    rate: float = 6e-3
    warmup: float = 0.1
    scale: float = 20.0
    sizes: tuple[int, ...] = (256, 128, 64)
    revised: float = 0.1  # share of pairs that are a text and its revision by rule
    blend: float = 0.5  # share of the trained rows in the result; the rest are the rows the training began with
    own: int = 3  # how often the pairs of our own write-ups are seen


@dataclass(frozen=True, slots=True)
class Recipe:
    rows: int = 39_500
    latin: int = 1200  # Latin words and numbers
    size: int = 256
    seed: int = 7
    weighing: vectors.Weighing = field(default_factory=vectors.Weighing)
    mixing: vectors.Mixing = field(default_factory=vectors.Mixing)
    contrast: Contrast = field(default_factory=Contrast)
    evening: vectors.Evening = field(default_factory=vectors.Evening)


def _silent(_: str) -> None:
    pass


def train(
    text: Path,
    out: Path,
    *,
    terms: Path | None = None,
    focus: Path | None = None,
    measure: Path | None = None,
    recipe: Recipe = Recipe(),
    tell: Tell = _silent,
) -> dict[str, Any]:
    """Train from the .txt and .txt.gz files in `text` (a paragraph a line) and write the model to `out`; returns the manifest.

    `terms` is corpora/terms/terms.tsv, `focus` corpora/focus; `measure` holds `pairs/` and `revisions/`, whose scores go into the
    manifest. `tell` hears a line of Chinese at each step.
    """
    sources = _read(text)
    lines = [line for found in sources.values() for line in found]
    tell(f"读入 {len(sources)} 个文件，{len(lines)} 段文字")
    known = vocabulary.dictionary()
    names = vocabulary.term_names(terms) if terms else ()
    words = vocabulary.choose(lines, known, names, rows=recipe.rows, latin=recipe.latin)
    tell(f"词表共 {len(words.words)} 个词、字和片段")
    meaning = vectors.meanings(words, lines, known, mixing=recipe.mixing, seed=recipe.seed)
    rows = vectors.mixed(words, meaning, known, weighing=recipe.weighing, mixing=recipe.mixing, size=recipe.size, seed=recipe.seed)
    tell("词向量已由语料算出，开始对比学习")
    trained = _contrast(words.tokenizer, rows, _pairs(sources, focus, recipe), recipe, tell)
    rows = recipe.contrast.blend * trained + (1 - recipe.contrast.blend) * rows
    rows = vectors.evened(rows, evening=recipe.evening)
    save(out, words.tokenizer, rows)
    tell("模型已写入，开始记录清单")
    manifest = _manifest(out, text, recipe, terms=terms, focus=focus, measure=measure)
    (out / "manifest.toml").write_text(_toml(manifest), "utf8")
    (out / "README.md").write_text(_card(manifest), "utf8")
    return manifest


def _read(folder: Path) -> dict[str, list[str]]:
    """File name -> its lines, in the order of names."""
    files = sorted(path for path in folder.glob("*.txt*") if path.name.endswith((".txt", ".txt.gz")))
    if not files:
        raise ServiceError("corpus_invalid", f"语料文件夹 {folder} 里没有 .txt 或 .txt.gz 文件，无法训练。请检查路径。")
    found = {}
    for path in files:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found[path.name] = [line.strip() for line in raw.decode("utf8").splitlines() if line.strip()]
    return found


def _pairs(sources: Mapping[str, Sequence[str]], focus: Path | None, recipe: Recipe) -> list[pairs.Pair]:
    """All pairs in random order. A source's share goes by the root of its length, so that statutes do not drown the rest."""
    random = np.random.default_rng(recipe.seed)
    roots = {name: len(lines) ** 0.5 for name, lines in sources.items()}
    found: list[pairs.Pair] = []
    for name, lines in sources.items():
        count = int(recipe.contrast.pairs * roots[name] / sum(roots.values()))
        edited = int(count * recipe.contrast.revised)
        found.extend(pairs.neighbours(lines, random, count - edited))
        found.extend(pairs.revisions(lines, random, edited))
    if focus is not None:
        found.extend(list(pairs.headings(focus)) * recipe.contrast.own)
    return [found[place] for place in random.permutation(len(found))]


def _contrast(tokenizer: Tokenizer, rows: Floats, found: Sequence[pairs.Pair], recipe: Recipe, tell: Tell) -> Floats:
    """The rows (n, size) after contrastive training: a text is nearer to its partner than to the others of its batch."""
    import torch  # noqa: PLC0415 - only training needs these, and they take seconds
    from datasets import Dataset, disable_progress_bars  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments  # noqa: PLC0415
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss  # noqa: PLC0415
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding  # noqa: PLC0415
    from transformers import PrinterCallback, ProgressCallback  # noqa: PLC0415

    disable_progress_bars()
    torch.manual_seed(recipe.seed)
    settings = recipe.contrast
    static = StaticEmbedding(Tokenizer.from_str(tokenizer.to_str()), embedding_weights=torch.from_numpy(rows.copy()))
    model = SentenceTransformer(modules=[static], device="cpu")
    ranking = MultipleNegativesRankingLoss(
        model, scale=settings.scale, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"
    )
    loss = MatryoshkaLoss(model, ranking, [size for size in settings.sizes if size <= recipe.size])
    with tempfile.TemporaryDirectory() as scratch:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=scratch,
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch,
            learning_rate=settings.rate,
            warmup_steps=settings.warmup,
            weight_decay=0.0,
            seed=recipe.seed,
            data_seed=recipe.seed,
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            logging_steps=10,
            disable_tqdm=True,
            dataloader_drop_last=len(found) > settings.batch,
        )
        data = Dataset.from_dict({"anchor": [one for one, _ in found], "positive": [other for _, other in found]})
        trainer = SentenceTransformerTrainer(model=model, args=arguments, train_dataset=data, loss=loss, callbacks=[_callback(tell)])
        trainer.remove_callback(PrinterCallback)
        trainer.remove_callback(ProgressCallback)
        trainer.train()
    result: Floats = static.embedding.weight.detach().numpy().astype(np.float32)
    result[0] = 0
    return result


def _callback(tell: Tell) -> Any:
    """Tells how far the training is and its loss."""
    from transformers import TrainerCallback  # noqa: PLC0415

    class Told(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
            if logs and "loss" in logs:
                tell(f"对比学习 {state.global_step}/{state.max_steps}，损失 {float(logs['loss']):.3f}")

    return Told()


def save(out: Path, tokenizer: Tokenizer, rows: Floats) -> None:
    """The folder both libraries load: model.safetensors (f16), tokenizer.json, config.json, modules.json. Long texts are not cut.

    The vectors are means, not normalised: in f16 sentence-transformers' Normalize makes the zeros of an empty text NaN.
    """
    from model2vec import StaticModel  # noqa: PLC0415

    longest = float(np.linalg.norm(rows, axis=1).max()) or 1.0
    logging.getLogger("model2vec").setLevel(logging.ERROR)
    StaticModel((rows / longest).astype(np.float16), tokenizer, normalize=False, max_length=None).save_pretrained(out)


def _encoder(folder: Path) -> evaluate.Encode:
    from model2vec import StaticModel  # noqa: PLC0415

    model = StaticModel.from_pretrained(folder, quantize_to="float32")
    return lambda texts: vectors.unit(np.asarray(model.encode(list(texts), use_multiprocessing=False), np.float32))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _manifest(out: Path, text: Path, recipe: Recipe, *, terms: Path | None, focus: Path | None, measure: Path | None) -> dict[str, Any]:
    """What the model is, came from and scores; `files` are checked at loading."""
    known = tomllib.loads((Path(__file__).parent / "sources.toml").read_text("utf8"))
    data: list[dict[str, str]] = [
        {"name": path.name, "sha256": _sha256(path), **known.get(path.name.split(".")[0], {"source": "unknown", "licence": "unknown"})}
        for path in sorted(text.glob("*.txt*"))
    ]
    if terms is not None:
        data.append({"name": "corpora/terms/terms.tsv", "sha256": _sha256(terms), "source": "this repository", "licence": "Apache-2.0"})
    if focus is not None:
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted((focus / "writeups").glob("*.md")))).hexdigest()
        data.append({"name": "corpora/focus/writeups (training part)", "sha256": digest, "source": "this repository", "licence": "CC0-1.0"})
    files: list[dict[str, Any]] = [
        {"name": name, "sha256": _sha256(out / name), "bytes": (out / name).stat().st_size}
        for name in ("config.json", "model.safetensors", "modules.json", "tokenizer.json")
    ]
    manifest: dict[str, Any] = {
        "name": "embedding",
        "version": next(file["sha256"] for file in files if file["name"] == "model.safetensors")[:12],
        "kind": "static",
        "dimensions": recipe.size,
        "sizes": [size for size in recipe.contrast.sizes if size <= recipe.size],
        "rows": len(Tokenizer.from_file(str(out / "tokenizer.json")).get_vocab()),
        "seed": recipe.seed,
        "code": __version__,
        "recipe": repr(recipe),
        "made": "biaogan train embedding",
        "dictionary": "jieba's dict.txt (MIT)",
        "libraries": {name: version(name) for name in _LIBRARIES},
        "data": data,
        "file": files,
    }
    if measure is not None:
        manifest["scores"] = _scores(_encoder(out), measure)
    return manifest


def _scores(encode: evaluate.Encode, folder: Path) -> dict[str, float]:
    scores = {
        f"{name} {part}": value
        for part in ("dev", "test")
        for name, value in evaluate.sentence_pairs(encode, folder / "pairs", part=part).items()
    }
    scores["revisions found first"] = round(evaluate.revisions_found(encode, folder / "revisions" / "pairs.jsonl.gz"), 4)
    return scores


def _toml(manifest: Mapping[str, Any]) -> str:
    """Plain values, then tables, then arrays of tables. Strings of JSON are strings of TOML."""
    plain = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in manifest.items() if not _nested(value)]
    for key, value in manifest.items():
        if _nested(value):
            for table in [value] if isinstance(value, dict) else value:
                plain.append(f"\n[{key}]" if isinstance(value, dict) else f"\n[[{key}]]")
                plain.extend(
                    f"{json.dumps(name, ensure_ascii=False)} = {json.dumps(entry, ensure_ascii=False)}" for name, entry in table.items()
                )
    return "\n".join(plain) + "\n"


def _nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _card(manifest: Mapping[str, Any]) -> str:
    """The model card, with the front matter that hubs read."""
    scores = manifest.get("scores", {})
    table = "\n".join(f"| {name} | {value} |" for name, value in scores.items())
    measured = (
        f"\n## Scores\nSpearman × 100 of cosine and label; measured, never trained on.\n\n| set | score |\n|---|---|\n{table}\n"
        if table
        else ""
    )
    data = "\n".join(f"- {row['name']}: {row['source']} ({row['licence']})" for row in manifest["data"])
    template = (Path(__file__).parent / "embedding_card.md").read_text("utf8")
    return template.format(**{key: manifest[key] for key in ("version", "dimensions", "sizes", "rows", "seed")}, data=data, scores=measured)
