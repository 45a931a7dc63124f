"""The models that understanding a write-up needs, loaded together from `models/`; a model that cannot be loaded is an error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from service import artefacts, classify, content, encode
from service.errors import ServiceError


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """`own` encodes for the classifiers, which learnt from its vectors; `encoder` for summaries and likeness, and may be another."""

    own: encode.Static
    encoder: encode.Encoder
    content: content.ContentModel
    focus: classify.FocusModel

    @property
    def versions(self) -> dict[str, str]:
        """Name -> version, for the report."""
        return {"embedding": self.encoder.version, "focus": self.focus.version, "sections": self.content.version}


@cache
def encoders(folder: Path | None = None, embedding: Path | None = None) -> tuple[encode.Static, encode.Encoder]:
    """Models.own and Models.encoder, where nothing else is needed."""
    models = folder or artefacts.MODELS
    own = encode.load(models / "embedding")
    if not isinstance(own, encode.Static):
        told = f"{models / 'embedding'} 不是分类模型训练时所用的静态向量。请放回原来的模型；要换用别的向量模型，请设 BIAOGAN_EMBEDDING。"
        raise ServiceError("model_broken", told, status=500)
    return own, own if embedding is None else encode.load(embedding)


@cache
def load(folder: Path | None = None, embedding: Path | None = None) -> Models:
    """Everything in `folder` (default: what came with the program); `embedding` is another sentence-transformers model on disk."""
    models = folder or artefacts.MODELS
    own, encoder = encoders(folder, embedding)
    return Models(
        own=own,
        encoder=encoder,
        content=content.load(models / "sections"),
        focus=classify.load(models / "focus"),
    )


def versions(folder: Path | None = None, embedding: Path | None = None) -> dict[str, str]:
    """`load(folder, embedding).versions`, without loading anything."""
    models = folder or artefacts.MODELS
    return {
        "embedding": encode.version(embedding or models / "embedding"),
        "focus": artefacts.version(models / "focus"),
        "sections": artefacts.version(models / "sections"),
    }
