"""What headings, paragraphs and places say of the section they belong to; weighed by segment.py."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service import lexicon
from service.headings import named
from service.model import Document, Heading, SectionSpec
from service.parts import Zone

OTHER = "other"
BODY = frozenset({"paragraph", "list", "table", "caption", "figure"})


class Content(Protocol):
    """A model of what paragraphs of each section say (service/content.py)."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def speaks(self, texts: Sequence[str], *, of: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """(texts, groups): the log-likelihood ratio with which each text speaks for each group of labels."""
        ...


class Evidence:
    """What headings, paragraphs and places say for each section of the edition."""

    def __init__(self, document: Document, specs: Sequence[SectionSpec], zone: Zone, *, model: Content | None = None) -> None:
        self.document = document
        self.names = lexicon.load("sections")
        self.model = model
        weights = self.names["weights"]
        self.weights: Mapping[str, float] = weights | (weights["model"] if model is not None else {})
        self._range = range(zone.first, zone.last)
        self._said: dict[int, dict[str, float]] = {}
        self.keys = [spec.key for spec in specs]
        self.labels = [*self.keys, OTHER]
        self.specs = {spec.key: spec for spec in specs}
        self.groups = {bare(spec.group) for spec in specs if spec.group}
        self.start = document.blocks[zone.first].start if zone.first < len(document.blocks) else 0
        self.length = max(1, (document.blocks[zone.last - 1].end if zone.last else 0) - self.start)
        self.declared = {key: frozenset(bare(name) for name in (spec.name, *spec.headings)) for key, spec in self.specs.items()}
        self._headings: dict[int, dict[str, float]] = {}
        self._cues: dict[int, dict[str, float]] = {}
        self.words = {
            key: (re.compile("|".join(map(re.escape, sorted(entry["cues"], key=len, reverse=True)))), entry["cues"])
            for key, entry in self.names.items()
            if key in self.specs
        }

    def group(self, heading: Heading) -> bool:
        return bare(heading.text) in self.groups

    def heading(self, heading: Heading) -> dict[str, float]:
        """0–1 a label. The edition's own and accepted headings are beyond doubt; sections that it does not ask for speak for `other`."""
        if heading.block in self._headings:
            return self._headings[heading.block]
        words = bare(heading.text)
        scores = dict.fromkeys(self.labels, 0.0)
        for key, value in named(heading.text).items():
            label = key if key in self.specs else OTHER
            scores[label] = max(scores[label], value)
        scores.update((key, 1.0) for key, names in self.declared.items() if words in names)
        self._headings[heading.block] = scores
        return scores

    def cues(self, index: int) -> dict[str, float]:
        """What one block's words say for each label; damped by its length and capped, so that no paragraph decides alone."""
        if index in self._cues:
            return self._cues[index]
        block = self.document.blocks[index]
        text = self.document.text[block.start : block.end]
        scores = dict.fromkeys(self.labels, 0.0)
        if block.kind in BODY and text:
            damp = self.weights["content"] / math.sqrt(max(1.0, len(text) / 120))
            for key, (pattern, cues) in self.words.items():
                scores[key] = min(self.weights["content_cap"], damp * sum(cues[word] for word in set(pattern.findall(text))))
        self._cues[index] = scores
        return scores

    def said(self, index: int) -> dict[str, float]:
        """What one block's text says for each label: by the model where there is one, else by its cue words."""
        if self.model is None:
            return self.cues(index)
        if not self._said:
            self._said = self._asked(self.model)
        return self._said.get(index) or dict.fromkeys(self.labels, 0.0)

    def _asked(self, model: Content) -> dict[int, dict[str, float]]:
        """The model's answer for every block of the write-up, bounded, so that no paragraph decides alone."""
        blocks = self.document.blocks
        indexes = [i for i in self._range if blocks[i].kind in BODY and blocks[i].end > blocks[i].start]
        texts = [self.document.text[blocks[i].start : blocks[i].end] for i in indexes]
        rest = [label for label in model.labels if label not in self.specs]
        scores = model.speaks(texts, of=[*([key] for key in self.keys), rest])
        limit = self.weights["content_cap"]
        if not rest:  # the edition asks for every section that the model knows: nothing speaks for anything else
            scores[:, -1] = -self.weights["nothing_else"]
        bounded = np.clip(scores * self.weights["content"], -limit, limit).tolist()
        return {index: dict(zip(self.labels, row, strict=True)) for index, row in zip(indexes, bounded, strict=True)}

    def content(self, index: int, *, headed: bool) -> dict[str, float]:
        """What one block's text and place say for each label; under a heading the place says less."""
        block = self.document.blocks[index]
        scores = dict(self.said(index))
        if block.kind in BODY and block.end > block.start:
            place = (block.start - self.start) / self.length
            for key in self.keys:
                low, high = self.names[key]["place"]
                away: float = max(low - place, place - high, 0.0)
                bounded = self.weights["position"] * (1.0 - min(2.0, away * 6))
                scores[key] += bounded if headed or self.model is None else -self.weights["away"] * away
        return scores


def bare(text: str | None) -> str:
    return re.sub(r"[\s\u3000“”\"‘’《》（）()：:、，,。！？?!—-]", "", text or "")
