"""`biaogan train …`: each model from its corpora, into `models/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service import artefacts, encode
from service.errors import ServiceError
from service.train import focus, sections
from service.train.corpora import WriteUp

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Folders:
    """Where training reads and writes; None: the program's own `corpora/` and `models/`. `text` and `measure` are for the embedding."""

    corpora: Path | None = None
    models: Path | None = None
    text: Path | None = None
    measure: Path | None = None
    out: Path | None = None

    @property
    def read(self) -> Path:
        return self.corpora or artefacts.CORPORA

    def target(self, name: str) -> Path:
        return self.out or (self.models or artefacts.MODELS) / name


def run(name: str, folders: Folders, *, corrected: Sequence[WriteUp] = (), tell: Tell) -> Mapping[str, Any]:
    """Trains one model and writes it; its scores by name. `corrected` is for the focus areas."""
    for given in (folders.corpora, folders.text, folders.measure):
        if given is not None and not given.is_dir():
            raise ServiceError("corpus_invalid", f"没有找到文件夹 {given}。请检查路径。")
    target = folders.target(name)
    tell(f"训练 {name}，写入 {target}")
    if name == "sections":
        return sections.train(folders.read / "sections", target, progress=tell)
    if name == "focus":
        own = encode.load((folders.models or artefacts.MODELS) / "embedding")
        return focus.train(folders.read, own, target, corrected=corrected, progress=tell)
    return _embedding(folders, target, tell)


def _embedding(folders: Folders, target: Path, tell: Tell) -> Mapping[str, Any]:
    if folders.text is None:
        told = "训练 embedding 需要纯文本：请用 --text 指明文件夹，里面是 .txt 或 .txt.gz 文件，一行一段。"
        raise ServiceError("corpus_invalid", told)
    from service.train import embedding  # noqa: PLC0415 - imports torch

    manifest = embedding.train(
        folders.text,
        target,
        terms=folders.read / "terms" / "terms.tsv",
        focus=folders.read / "focus",
        measure=folders.measure,
        tell=tell,
    )
    scores: Mapping[str, Any] = manifest.get("scores", {})
    return scores
