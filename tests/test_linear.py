"""Linear models by numpy give what scikit-learn gives, and are stored and read without loss."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from service import linear
from service.errors import ServiceError
from service.linear import Linear, Terms, runs, words
from service.train import linear as training

LABELS = ("甲", "乙", "丙")
PIECES = ("热机", "首件", "窗口", "台账", "班组", "，", "3", "QC", "σ", "回访")


def texts(number: int, seed: int) -> list[list[str]]:
    """Random pieces; a text may have none."""
    chance = random.Random(seed)
    return [chance.choices(PIECES, k=chance.randrange(30)) for _ in range(number)]


def fitted(kind: str = "each") -> tuple[Linear, list[str], list[list[str]], linear.Floats]:
    """A model of random texts, and those."""
    pieces = texts(60, 1)
    joined = ["".join(each) for each in pieces]
    chance = np.random.default_rng(2)
    vectors = chance.normal(size=(60, 4)).astype(np.float32)
    targets = np.zeros((60, 3), np.float32)
    targets[np.arange(60), np.arange(60) % 3] = 1
    if kind == "one":
        return training.fit(joined, pieces, vectors, targets, labels=LABELS, kind="one"), joined, pieces, vectors
    return training.fit(joined, pieces, vectors, targets, labels=LABELS, kind="each"), joined, pieces, vectors


@pytest.mark.parametrize("features", [words, lambda pieces: runs("".join(pieces))], ids=["words", "runs"])
def test_terms_score_as_scikit_learn(features: object) -> None:
    assert callable(features)
    known, strange = [features(each) for each in texts(80, 3)], [features([*each, "未见", "过的"]) for each in texts(40, 4)]
    vectorizer = TfidfVectorizer(analyzer=lambda each: each, sublinear_tf=True, min_df=2).fit(known)
    weights = np.random.default_rng(5).normal(size=(len(vectorizer.idf_), 3)).astype(np.float32)
    terms = Terms(vectorizer.vocabulary_, vectorizer.idf_.astype(np.float32), weights)
    for found in (known, strange):
        np.testing.assert_allclose(terms.score(found), vectorizer.transform(found) @ weights, rtol=1e-4, atol=1e-5)


def test_empty_and_unknown_texts_score_nothing() -> None:
    terms = Terms({"热机": 0}, np.ones(1, np.float32), np.ones((1, 3), np.float32))
    assert terms.score([]).shape == (0, 3)
    np.testing.assert_array_equal(terms.score([[], ["未见"], ["热机"]]), [[0] * 3, [0] * 3, [1] * 3])
    assert terms.weight("热机", 1) == 1
    assert terms.weight("未见", 1) == 0


def test_an_empty_text_has_the_bias() -> None:
    model, *_ = fitted()
    np.testing.assert_array_equal(model.score([""], [[]], np.zeros((1, 4), np.float32)), model.bias[None])


def test_words_and_pairs_stop_at_marks() -> None:
    assert words(["热机", "首件", "，", "窗口"]) == ["热机", "首件", "热机 首件", "窗口"]
    assert words([]) == []


def test_runs_stay_inside_unbroken_chinese() -> None:
    assert runs("热机台，QC首件") == ["热机", "机台", "热机台", "qc", "首件"]
    assert runs("热") == runs("") == []


@pytest.mark.parametrize("kind", ["each", "one"])
def test_what_is_stored_is_what_is_read(kind: str, tmp_path: Path) -> None:
    model, joined, pieces, vectors = fitted(kind)
    more = np.array([0.25, 4.0], np.float32)
    files = training.save(tmp_path / "first", model, more={"scale": more})
    again, rest = linear.load(tmp_path / "first")
    assert again.labels == LABELS
    assert again.words.index == model.words.index
    assert again.runs.index == model.runs.index
    np.testing.assert_array_equal(rest["scale"], more)
    np.testing.assert_allclose(again.score(joined, pieces, vectors), model.score(joined, pieces, vectors), atol=0.02)  # half precision
    other = training.save(tmp_path / "second", again, more=rest)
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in other]


def test_the_same_texts_give_the_same_model(tmp_path: Path) -> None:
    files = [training.save(tmp_path / name, fitted()[0]) for name in ("first", "second")]
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]]


@pytest.mark.parametrize("name", [linear.VOCABULARY, linear.WEIGHTS])
def test_a_faulty_folder_is_an_error(name: str, tmp_path: Path) -> None:
    training.save(tmp_path, fitted()[0])
    for content in (b"{}", b""):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ServiceError) as error:
            linear.load(tmp_path)
        assert error.value.code == "model_broken"
    (tmp_path / name).unlink()
    with pytest.raises(ServiceError):
        linear.load(tmp_path)
