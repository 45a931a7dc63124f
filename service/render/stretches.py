"""A submission cut into stretches that count alike, so that a page can add up the shares anew when the reader counts what was left out.

The sums are those of service/match.py: shares go by 字数; quotations belong to the text, other wording that is left out does not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from service.fingerprints import normalised, weights
from service.model import Match, Similarity, Submission
from service.render.likeness import EXCLUSIONS

_DECIMALS = 3  # of a stretch's weight, in 字


def stretches(submission: Submission, matches: Sequence[Match], similarity: Similarity) -> str:
    """The object that report.js adds up, as JSON.

    `own`: of each match whether it is the organisation's; `passages`: number of the match, and why it does not count; `stretches`: weight,
    why it does not count, and the passages that it stands in, in the text's order. Reasons are numbers: 0 counts, else as in EXCLUSIONS.
    `submission` must be the one that was matched, not masked.
    """
    normal = normalised(submission.text)
    first, last = normal.between(submission.start, submission.end) if submission.end > submission.start else (0, len(normal))
    reasons = np.zeros(len(normal), np.uint8)
    for out in similarity.left_out:
        reasons[slice(*normal.between(out.start, out.end))] = 1 + EXCLUSIONS.index(out.reason)
    passages, spans = [], []
    for number, match in enumerate(matches):
        for passage in match.passages:
            passages.append([number, 0 if passage.excluded is None else 1 + EXCLUSIONS.index(passage.excluded)])
            spans.append(normal.between(passage.start, passage.end))
    edges = {first, last, *(np.flatnonzero(np.diff(reasons)) + 1).tolist(), *(edge for span in spans for edge in span)}
    summed = np.concatenate(([0.0], np.cumsum(weights(normal))))
    found = []
    running: list[int] = []
    opening = sorted(range(len(spans)), key=lambda index: -spans[index][0])
    for left, right in pairwise(sorted(edge for edge in edges if first <= edge <= last)):
        while opening and spans[opening[-1]][0] <= left:
            running.append(opening.pop())
        running = [index for index in running if spans[index][1] > left]
        found.append([round(float(summed[right] - summed[left]), _DECIMALS), int(reasons[left]), sorted(running)])
    told = {"own": [int(match.own) for match in matches], "passages": passages, "stretches": found}
    return json.dumps(told, separators=(",", ":"))
