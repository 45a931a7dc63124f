"""The submissions of one batch compared with each other: which of the others each may share text with. Nothing enters the library.

Common runs are found by the same fingerprints as in the library, with the same guarantee; rewritten texts by the vectors of their passages.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.encode import Encoder
from service.fingerprints import in_run, normalised, winnow
from service.model import Past, Submission
from service.passages import cut

_ALIKE = 5  # others that are aligned for their meaning alone


@dataclass(frozen=True, slots=True, eq=False)
class Among:
    """The texts of a batch; `compared` counts the others of any one. Fingerprints stand in rising order of their hash."""

    pasts: tuple[Past, ...]
    common: Collection[str]
    hashes: NDArray[np.int64]
    around: NDArray[np.int64]
    owners: NDArray[np.int32]
    vectors: NDArray[np.float32]  # of all passages, by text
    firsts: NDArray[np.int64]  # (texts + 1,): where each text's passages begin

    @property
    def compared(self) -> int:
        return max(0, len(self.pasts) - 1)

    def find(self, submission: Submission, *, encoder: Encoder) -> Sequence[Past]:
        """The others that have a common run of 13 characters with it, most runs first, and those most alike in meaning."""
        own = _key(submission)
        counts = self._shared(submission)
        likely = self._alike(submission, encoder, own)
        order = [int(at) for at in np.argsort(-counts, kind="stable") if counts[at]]
        return [self.pasts[at] for at in dict.fromkeys([*order, *likely]) if self.pasts[at].id != own]

    def _shared(self, submission: Submission) -> NDArray[np.int64]:
        """(texts,): fingerprints that may lie in a common run."""
        prints = winnow(normalised(submission.text))
        low = np.searchsorted(self.hashes, prints.hash, "left")
        counts = np.searchsorted(self.hashes, prints.hash, "right") - low
        here = np.repeat(np.arange(len(prints)), counts)
        there = np.arange(len(here)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low, counts)
        may = in_run(prints.around[here], self.around[there])
        found: NDArray[np.int64] = np.bincount(self.owners[there[may]], minlength=len(self.pasts))
        return found

    def _alike(self, submission: Submission, encoder: Encoder, own: str) -> list[int]:
        """The texts in which the submission's passages find their likes, best first."""
        filled = np.flatnonzero(np.diff(self.firsts))
        known = next((at for at, past in enumerate(self.pasts) if past.id == own), None)
        if known is not None:
            mine = self.vectors[self.firsts[known] : self.firsts[known + 1]]
        else:
            mine = encoder.encode([submission.text[start:end] for start, end in _spans(submission)])
        if not len(mine) or not len(filled):
            return []
        cosines = mine @ self.vectors.T
        best = np.maximum.reduceat(cosines, self.firsts[filled], axis=1).mean(0)
        order = filled[np.argsort(-best, kind="stable")]
        return [int(at) for at in order if self.pasts[at].id != own][:_ALIKE]


def _key(submission: Submission) -> str:
    return submission.document.sha256


def _spans(submission: Submission) -> list[tuple[int, int]]:
    return cut(submission.text, submission.sections, submission.document.blocks)


def among(submissions: Sequence[Submission], *, encoder: Encoder, common: Collection[str] = ()) -> Among:
    """The batch, ready to be searched; the same file twice is one (by sha256)."""
    single = list({_key(submission): submission for submission in submissions}.values())
    prints = [winnow(normalised(submission.text)) for submission in single]
    hashes = np.concatenate([each.hash for each in prints] or [np.zeros(0, np.int64)])
    order = np.argsort(hashes, kind="stable")
    spans = [_spans(submission) for submission in single]
    texts = [submission.text[start:end] for submission, own in zip(single, spans, strict=True) for start, end in own]
    return Among(
        pasts=tuple(map(_past, single)),
        common=common,
        hashes=hashes[order],
        around=np.concatenate([each.around for each in prints] or [np.zeros(0, np.int64)])[order],
        owners=np.repeat(np.arange(len(single), dtype=np.int32), [len(each) for each in prints])[order],
        vectors=encoder.encode(texts),
        firsts=np.cumsum([0, *map(len, spans)]),
    )


def _past(submission: Submission) -> Past:
    title = submission.title.text if submission.title else ""
    return Past(
        id=_key(submission),
        title=title,
        text=submission.text,
        organisation=submission.organisation,
        file=submission.document.name,
        among=True,
    )
