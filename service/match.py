"""A submission and the texts it may have taken from -> aligned Matches: facts to look at, never a verdict."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from service.encode import Encoder
from service.model import Match, Past, Similarity, Submission


class Candidates(Protocol):
    """Where texts to compare with come from: the library of past benchmarks, or the other submissions of a batch (`Among`)."""

    @property
    def compared(self) -> int:
        """How many texts are searched; 0: nothing can be compared."""

    @property
    def common(self) -> Collection[str]:
        """Phrases that stand in many texts and count nothing."""

    def find(self, submission: Submission, *, encoder: Encoder) -> Sequence[Past]:
        """What is worth aligning, most promising first: every text with a shared run of 13 characters, and those that may be rewritten."""


def match(
    submission: Submission,
    candidates: Sequence[Past],
    *,
    encoder: Encoder,
    common: Collection[str] = (),
    notice: Sequence[str] = (),
    compared: int | None = None,
) -> tuple[tuple[Match, ...], Similarity]:
    """What the submission shares with each candidate, most shared first, and with all of them together.

    `common` are phrases and `notice` the edition's wording (headings, official sentences) that count nothing; `compared` says how many
    texts the candidates were found among (default: their number).
    """
    raise NotImplementedError
