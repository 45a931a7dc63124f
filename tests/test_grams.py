"""Character runs: what a trace adds up to is what counting the runs gives; stored and read alike."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from service import grams
from service.grams import Grams
from service.train import grams as training

LABELS = ("甲", "乙")
CHARACTERS = "热机首件窗口台账班组QCｑ，。3 "
KNOWN = re.compile(r"[\u3400-\u9fffa-z]+")


def text(chance: random.Random) -> str:
    return "".join(chance.choices(CHARACTERS, k=chance.randrange(1, 40)))


def texts(number: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [text(chance) for _ in range(number)]


def all_runs(said: str) -> list[str]:
    """Every run of one to four characters between marks, blanks and figures, counted the slow way."""
    plain = said.replace("ｑ", "q").lower()
    return [part[at : at + size] for part in KNOWN.findall(plain) for size in range(1, 5) for at in range(len(part) - size + 1)]


@pytest.fixture(scope="module")
def model() -> Grams:
    """Random weights for every run of sixty random texts."""
    chance = np.random.default_rng(2)
    table = grams.alphabet("abcdefghijklmnopqrstuvwxyz热机首件窗口台账班组")
    every = np.concatenate([found for said in texts(60, 1) for found in grams.codes(said, table)])
    known = np.unique(every[every > 0])
    weights = chance.normal(size=(len(known), 2)).astype(np.float32)
    dense, bias = chance.normal(size=(3, 2)).astype(np.float32), np.array([0.5, -1.0], np.float32)
    return Grams(LABELS, table, grams.index(known), weights, dense, bias)


def spelled(model: Grams) -> list[str]:
    """The known runs in letters, by place."""
    letters = {int(model.table[ord(each)]): each for each in "热机首件窗口台账班组" + "abcdefghijklmnopqrstuvwxyz"}
    return [
        "".join(letters[int(code) >> 13 * at & 8191] for at in (3, 2, 1, 0) if int(code) >> 13 * at & 8191) for code in model.runs.codes
    ]


def test_a_score_is_the_weights_of_the_counted_runs(model: Grams) -> None:
    counter = CountVectorizer(analyzer=all_runs, vocabulary=spelled(model))
    strange = [*texts(40, 3), "从未见过的字", "，。", "热"]
    counts = counter.transform(strange)
    number = np.maximum(np.asarray(counts.sum(1)).ravel(), 1)
    expected = counts @ model.weights / np.sqrt(number)[:, None] + model.bias
    given = np.concatenate([model.trace(each).score([(0, len(each))]) for each in strange])
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-4)


def test_a_span_scores_as_the_text_by_itself(model: Grams) -> None:
    parts = texts(12, 4)
    trace = model.trace("\n".join(parts))
    spans, at = [], 0
    for part in parts:
        spans.append((at, at + len(part)))
        at += len(part) + 1
    alone = np.concatenate([model.trace(part).score([(0, len(part))]) for part in parts])
    np.testing.assert_allclose(trace.score(spans), alone, rtol=1e-4, atol=1e-4)
    vectors = np.random.default_rng(5).normal(size=(12, 3)).astype(np.float32)
    np.testing.assert_allclose(trace.score(spans, vectors), alone + vectors @ model.dense, rtol=1e-4, atol=1e-4)


def test_characters_share_what_the_runs_weigh(model: Grams) -> None:
    said = "首件窗口，班组台账QC"
    trace = model.trace(said)
    for label in range(2):
        total = float(trace.sums[-1, label])
        assert float(trace.characters(0, len(said), label).sum()) == pytest.approx(total, abs=1e-3)
    assert trace.characters(0, len(said), 0)[4] == 0, "a mark says nothing"


def test_empty_texts(model: Grams) -> None:
    assert model.trace("").score([]).shape == (0, 2)
    np.testing.assert_allclose(model.trace("，，").score([(0, 2)]), model.bias[None])
    assert all(len(each) == 0 for each in grams.codes("", model.table))


def test_marks_figures_and_astral_characters_part_runs(model: Grams) -> None:
    one, two, *_ = grams.codes("首3件\U00020000窗口", model.table)
    assert [int(code > 0) for code in one] == [1, 0, 1, 0, 1, 1]
    assert [int(code > 0) for code in two] == [0, 0, 0, 0, 1, 0]


def test_every_run_is_found_and_no_other() -> None:
    known = np.unique(np.random.default_rng(6).integers(1, 2**52, 20_000).astype(np.uint64))
    index = grams.index(known)
    np.testing.assert_array_equal(index.places(known), np.arange(len(known)))
    assert np.all(index.places(np.setdiff1d(known + np.uint64(1), known)) == -1)


def test_what_is_stored_is_what_is_read(model: Grams, tmp_path: Path) -> None:
    training.write(tmp_path / "one", model, more={"scale": np.ones(2, np.float32)})
    again, rest = grams.read(tmp_path / "one", labels=LABELS)
    assert set(rest) == {"scale"}
    for said in texts(10, 7):
        span = [(0, len(said))]
        np.testing.assert_allclose(again.trace(said).score(span), model.trace(said).score(span), atol=0.02)  # half precision
    training.write(tmp_path / "two", again, more=rest)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_labels_that_do_not_fit_are_an_error(model: Grams, tmp_path: Path) -> None:
    training.write(tmp_path / "one", model)
    with pytest.raises(ValueError, match="3 labels"):
        grams.read(tmp_path / "one", labels=(*LABELS, "丙"))
