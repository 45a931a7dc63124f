"""corpora/focus -> the weights of [weights.results] in service/lexicon/summary.toml: which sentences a reviewer must take away.

The writers of corpora/focus named each write-up's key results. A logistic regression learns from the train part which sentences of the
results sections these are; write-ups, never sentences, are the folds of the cross-validation. Features that the corpus is too small to
teach (slogans, plans, where data come from) keep the weight that stands in the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from service import lexicon, salience
from service.encode import Encoder
from service.model import Document, Heading, Section, Submission, Summary, Title
from service.parse.blocks import Builder, CellText
from service.summarise import Weighed, weigh
from service.text import words
from service.train.corpora import WriteUp

FITTED = (
    *("figures", "change", "years", "comparison", "money", "gain", "outcome", "judged", "first", "standing", "sum", "side", "speech"),
    *("leaning", "short", "opening", "depth", "title", "central", "tabled"),
)
_RESULTS = "results"
_RUN = 4  # characters of the runs by which a text covers a key result
_COVERED = 0.6  # of a key result's runs
_TOLD = 220  # 字 of the summary that count
_STRENGTH = 1.0  # scikit-learn's C; 0.1 to 3 give the same cover
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """The results of one write-up: its sentences' features, and which of them are key results (1) or not (0)."""

    writeup: WriteUp
    submission: Submission
    weighed: Weighed
    key: NDArray[np.float32]

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(sentences, FITTED)"""
        return np.array([[own.get(feature, 0.0) for feature in FITTED] for own in self.weighed.features]).reshape(-1, len(FITTED))


def submission_of(writeup: WriteUp) -> Submission:
    """A write-up of the corpus as the analyser would have it after reading and segmenting without a fault."""
    builder = Builder()
    builder.add(writeup.title, kind="title")
    headings: list[Heading] = []
    begins: list[tuple[str, int]] = []
    rows: list[str] = []
    for paragraph in (*writeup.paragraphs, None):
        if rows and (paragraph is None or paragraph.kind != "row"):
            builder.add_table([CellText(r, c, cell) for r, row in enumerate(rows) for c, cell in enumerate(row.split("\t"))])
            rows = []
        if paragraph is None:
            break
        if not begins or begins[-1][0] != paragraph.section:
            begins.append((paragraph.section, len(builder.blocks)))
        if paragraph.kind == "row":
            rows.append(paragraph.text)
            continue
        start, end = builder.add(paragraph.text, kind=paragraph.kind)
        if paragraph.kind == "heading":
            headings.append(Heading(len(builder.blocks) - 1, 2, "", "", None, paragraph.text, start, end))
    return _submission(writeup, builder, begins, tuple(headings))


def _submission(writeup: WriteUp, builder: Builder, begins: Sequence[tuple[str, int]], headings: tuple[Heading, ...]) -> Submission:
    text, blocks = builder.text, builder.blocks
    sections: list[Section] = []
    for (key, first), (_, last) in zip(begins, [*begins[1:], ("", len(blocks))], strict=True):
        start, end = blocks[first].start, blocks[last - 1].end
        sections.append(Section(key, None, start, start, end, words(text[start:end]), tuple(range(first, last))))
    document = Document(f"{writeup.id}.docx", "0" * 64, "docx", text, blocks)
    title = Title(writeup.title, blocks[0].start, blocks[0].end, 0)
    return Submission(document, title, writeup.organisation, tuple(sections), headings, (), (), 0, len(text))


def covers(told: str, key_result: str) -> bool:
    """Whether a text says a key result: 60 % of its runs of four characters, blanks aside."""
    wanted, told = _BLANK.sub("", key_result), _BLANK.sub("", told)
    runs = [wanted[i : i + _RUN] for i in range(len(wanted) - _RUN + 1)]
    return bool(runs) and sum(run in told for run in runs) >= _COVERED * len(runs)


def covered(summaries: Sequence[Summary], key_results: Sequence[str]) -> int:
    """How many key results the summary of the results says, in its sentences' order up to 220 字."""
    told = ""
    for sentence in (each for summary in summaries if summary.section == _RESULTS for each in summary.sentences):
        if words(told + sentence.text) <= _TOLD:
            told += sentence.text
    return sum(covers(told, each) for each in key_results)


def example(writeup: WriteUp, *, encoder: Encoder) -> Example | None:
    """None where a write-up has no sentences of results or no key results."""
    submission = submission_of(writeup)
    budget = lexicon.load("summary")["selection"]["budget"]
    weighed = next((each for each in weigh(submission, encoder=encoder, longest=budget) if each.key == _RESULTS and each.sentences), None)
    if weighed is None or not writeup.key_results:
        return None
    said = [submission.text[each.start : each.end] for each in weighed.sentences]
    key = np.array([any(covers(result, sentence) for result in writeup.key_results) for sentence in said], np.float32)
    return Example(writeup, submission, weighed, key)


def fit(examples: Sequence[Example]) -> dict[str, float]:
    """FITTED and `bias` -> weight."""
    matrix, key = np.vstack([each.matrix for each in examples]), np.concatenate([each.key for each in examples])
    model = LogisticRegression(C=_STRENGTH, max_iter=2000, random_state=0).fit(matrix, key)
    weights = zip(("bias", *FITTED), (*model.intercept_, *model.coef_[0]), strict=True)
    return {name: round(float(weight), 2) for name, weight in weights}


def write(weights: Mapping[str, float], file: Path) -> None:
    """Puts the fitted weights into [weights.results] of summary.toml; other features' weights there stay."""
    head, mark, rest = file.read_text("utf8").partition(f"[weights.{_RESULTS}]\n")
    block, gap, tail = rest.partition("\n[")
    kept = [line for line in block.splitlines() if line.split(" = ")[0].strip() not in weights]
    lines = [*(f"{name} = {weight}" for name, weight in weights.items()), *kept]
    file.write_text(head + mark + "\n".join(line for line in lines if line.strip()) + "\n" + gap + tail, "utf8")


def log_loss(weights: Mapping[str, float], examples: Sequence[Example]) -> float:
    """The mean over all sentences, in nats, of how surprised the weights are by what is key."""
    losses = [
        np.logaddexp(0.0, (1 - 2 * key) * salience.score(own, weights))
        for each in examples
        for own, key in zip(each.weighed.features, each.key, strict=True)
    ]
    return float(np.mean(losses))
