"""Texts -> vectors of length 1. At run time the only importer of model2vec and sentence-transformers.

Our own static folder (a table of word vectors with its tokenizer) is read here, with the result that model2vec and sentence-transformers
have (tested), since importing model2vec and copying its tokenizer takes half a second more; any other static folder is read by model2vec,
without torch; any other sentence-transformers folder by sentence-transformers, which is imported only then. Nothing is fetched from a
network: a folder is on disk or an error.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from service import artefacts
from service.errors import ServiceError

Floats = NDArray[np.float32]
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_TABLE = ("model.safetensors", "tokenizer.json", "config.json")


class Encoder(Protocol):
    """`version` says which model; `encode` gives (n, dimensions), each row of length 1, zeros where a text holds nothing it knows."""

    @property
    def version(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Floats: ...


class _Cache:
    """The vectors of the texts met last, by the sha256 of the text; safe for threads. `size` 0 keeps nothing."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[bytes, Floats] = OrderedDict()
        self._lock = threading.Lock()

    def through(self, texts: Sequence[str], dimensions: int, compute: Callable[[list[str]], Floats]) -> Floats:
        """(n, dimensions): what is kept, and what `compute` gives for the rest, each different text once."""
        keys = [hashlib.sha256(text.encode("utf8", "surrogatepass")).digest() for text in texts]
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        absent = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if absent:
            found.update(zip(absent, compute(list(absent.values())), strict=True))
            with self._lock:
                self._kept.update((key, found[key].copy()) for key in list(absent)[-self._size :] if self._size)
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
        return np.stack([found[key] for key in keys]) if keys else np.zeros((0, dimensions), np.float32)


def unit(rows: Floats) -> Floats:
    """Each row divided by its length; zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Floats = np.divide(rows, lengths, out=np.zeros_like(rows, np.float32), where=lengths > 0)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Static:
    """A table of word vectors: the mean of a text's words. Tens of thousands of sentences a second, no torch."""

    version: str
    dimensions: int
    tokenizer: Any  # tokenizers.Tokenizer, without padding and truncation
    unknown: int | None  # the id that is no word and not counted
    table: Floats  # (rows, dimensions): its rows as f32, weights and mapping folded in
    cache: _Cache

    def encode(self, texts: Sequence[str]) -> Floats:
        """(n, dimensions), each row of length 1; zeros where no character is known."""
        return self.cache.through(texts, self.dimensions, self._compute)

    def _compute(self, texts: list[str]) -> Floats:
        """Sums of the words' rows; model2vec's own `encode`, which gathers f16 once a text length, takes twice as long."""
        found = self.tokenizer.encode_batch_fast([_clean(text) for text in texts], add_special_tokens=False)
        ids: list[list[int]] = [encoding.ids for encoding in found]
        if self.unknown is not None:
            ids = [[piece for piece in row if piece != self.unknown] for row in ids]
        counts = [len(row) for row in ids]
        rows = self.table[np.fromiter(chain.from_iterable(ids), np.int64, sum(counts))]
        ones = np.ones(max(counts), np.float32)
        sums = np.zeros((len(ids), self.dimensions), np.float32)
        start = 0
        for place, count in enumerate(counts):
            np.matmul(ones[:count], rows[start : start + count], out=sums[place])
            start += count
        return unit(sums)

    def words(self, texts: Sequence[str]) -> list[list[str]]:
        """The words, characters and pieces of each text, in order."""
        found = self.tokenizer.encode_batch_fast([_clean(text) for text in texts], add_special_tokens=False)
        return [encoding.tokens for encoding in found]

    def tokens(self, text: str) -> list[tuple[str, int, int]]:
        """Words, characters and pieces in order, as (piece, start, end), offsets in code points. Marks and blanks are left out."""
        encoding = self.tokenizer.encode(_clean(text), add_special_tokens=False)
        return [(piece, start, end) for piece, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Transformer:
    """Any other sentence-transformers model, on the processor."""

    version: str
    dimensions: int
    model: Any  # sentence_transformers.SentenceTransformer
    batch: int
    cache: _Cache
    lock: threading.Lock = field(default_factory=threading.Lock)

    def encode(self, texts: Sequence[str]) -> Floats:
        """(n, dimensions), each row of length 1; an empty text gives zeros."""
        return self.cache.through(texts, self.dimensions, self._compute)

    def _compute(self, texts: list[str]) -> Floats:
        result = np.zeros((len(texts), self.dimensions), np.float32)
        filled = [place for place, text in enumerate(texts) if text.strip()]
        if filled:
            with self.lock:
                rows = self.model.encode([_clean(texts[place]) for place in filled], batch_size=self.batch, show_progress_bar=False)
            result[filled] = np.asarray(rows, np.float32)
        return unit(result)


def _clean(text: str) -> str:
    """Halves of surrogate pairs, which no tokenizer takes, become the mark for an unknown character."""
    return text if text.isascii() else text.encode("utf8", "replace").decode("utf8")


def load(folder: Path, *, cache: int = 4096, batch: int = 32, threads: int | None = None) -> Encoder:
    """The encoder of a folder; ServiceError where it is missing, broken, not what its manifest says, or a package is not installed.

    `cache` is the number of texts whose vectors are kept; `batch` and `threads` are for models that are not static.
    """
    if not folder.is_dir():
        raise ServiceError("model_missing", f"没有找到向量模型文件夹 {folder}。请检查路径，或重新安装、重新训练。", status=500)
    if not artefacts.has_manifest(folder):
        version = _fingerprint(folder)
    else:
        artefact = artefacts.verified(folder)
        version = artefact.version
        if artefact.manifest.get("kind") == "static":
            return _load_ours(folder, version, cache)
    if _is_static(folder):
        return _load_static(folder, version, cache)
    return _load_transformer(folder, version, cache=cache, batch=batch, threads=threads)


def version(folder: Path) -> str:
    """The version that the folder's encoder has, without loading it."""
    return artefacts.version(folder) if artefacts.has_manifest(folder) else _fingerprint(folder)


def _broken(folder: Path, reason: object) -> ServiceError:
    return ServiceError("model_broken", f"向量模型 {folder} 无法加载（{reason}）。请换用完整的模型文件夹，或重新训练。", status=500)


def _fingerprint(folder: Path) -> str:
    """The first 12 digits of the weights' hash, for a folder without a manifest."""
    found = next((path for name in _WEIGHTS for path in sorted(folder.rglob(name))), None)
    if found is None:
        raise _broken(folder, "没有权重文件 model.safetensors")
    return artefacts.sha256(found)[:12]


def _is_static(folder: Path) -> bool:
    """Whether model2vec reads this folder: its first module is a table of vectors, or it has no modules but model2vec's three files."""
    modules = folder / "modules.json"
    if modules.is_file():
        try:
            return str(json.loads(modules.read_text("utf8"))[0]["type"]).endswith("StaticEmbedding")
        except (ValueError, LookupError, TypeError) as error:
            raise _broken(folder, f"modules.json：{error}") from error
    if not all((folder / name).is_file() for name in _TABLE):
        return False
    try:
        return "normalize" in json.loads((folder / "config.json").read_text("utf8"))
    except ValueError as error:
        raise _broken(folder, f"config.json：{error}") from error


def _load_ours(folder: Path, version: str, cache: int) -> Static:
    """A folder of service/train/embedding.py: rows of f16, no `<unk>` among a text's pieces, no weights beside the rows."""
    from safetensors.numpy import load_file  # noqa: PLC0415 - with the tokenizer, only where a model is asked for
    from tokenizers import Tokenizer  # noqa: PLC0415

    try:
        table = load_file(folder / "model.safetensors")["embeddings"].astype(np.float32)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:
        raise _broken(folder, error) from error
    return Static(version, int(table.shape[1]), tokenizer, None, table, _Cache(cache))


def _load_static(folder: Path, version: str, cache: int) -> Static:
    logging.getLogger("model2vec").setLevel(logging.ERROR)
    from model2vec import StaticModel  # noqa: PLC0415 - a second that a command without such models need not wait

    try:
        model = StaticModel.from_pretrained(folder, max_length=None)
    except Exception as error:
        raise _broken(folder, error) from error
    table = np.asarray(model.embedding if model.token_mapping is None else model.embedding[model.token_mapping], np.float32)
    if model.weights is not None:
        table = table * np.asarray(model.weights, np.float32)[:, None]
    return Static(version, int(model.dim), model.tokenizer, model.unk_token_id, table, _Cache(cache))


def _load_transformer(folder: Path, version: str, *, cache: int, batch: int, threads: int | None) -> Transformer:
    try:
        import torch  # noqa: PLC0415 - seconds, only for models that need them
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    except ImportError as error:
        message = "这个向量模型需要 sentence-transformers，本机没有安装。请运行 pip install sentence-transformers，或改用自带的模型。"
        raise ServiceError("package_missing", message, status=500) from error
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        dimensions = int(model.get_embedding_dimension() or 0)
    except Exception as error:
        raise _broken(folder, error) from error
    return Transformer(version, dimensions, model, batch, _Cache(cache))
