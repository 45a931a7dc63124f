"""The content model: what the paragraphs of each section say, so that parts without a heading are found by segmenting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service import artefacts
from service.errors import ServiceError
from service.linear import Linear, runs
from service.linear import load as load_linear


@dataclass(frozen=True, slots=True, eq=False)
class ContentModel:
    """`linear` gives one score a section key, `prior` how often a paragraph belongs to it in the training part (log)."""

    version: str
    linear: Linear
    prior: NDArray[np.float32]

    @property
    def labels(self) -> tuple[str, ...]:
        return self.linear.labels

    def speaks(self, texts: Sequence[str], *, of: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """(texts, groups): log p(group | text) - log p(group), a group being any number of labels; 0 for an empty group."""
        scores = self.linear.runs.score([runs(text) for text in texts]) + self.linear.bias
        scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
        answer = np.zeros((len(texts), len(of)), np.float32)
        for column, group in enumerate(of):
            members = [self.labels.index(label) for label in group if label in self.labels]
            if members:
                answer[:, column] = np.logaddexp.reduce(scores[:, members], axis=1) - np.logaddexp.reduce(self.prior[members])
        return answer


def load(folder: Path) -> ContentModel:
    """The content model of models/sections; ServiceError where it is missing, altered or cannot be read."""
    found = artefacts.verified(folder)
    linear, arrays = load_linear(folder)
    if "prior" not in arrays:
        raise ServiceError("model_broken", f"模型 {folder} 里没有 prior。请重新安装或重新训练。", status=500)
    return ContentModel(found.version, linear, arrays["prior"])
