"""The way from plain text to a model, on a constructed text of a few hundred lines."""

from __future__ import annotations

import gzip
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service import artefacts
from service.encode import Static, load
from service.errors import ServiceError
from service.train import embedding, evaluate, pairs, vectors, vocabulary

pytestmark = pytest.mark.filterwarnings("ignore")

SUBJECTS = ("质量部", "装配车间", "供应商", "顾客服务中心")
DEEDS = ("统计一次合格率", "分析不合格原因", "修订作业指导书", "培训班组长", "开展六西格玛改进", "校准量具")
SMALL = embedding.Recipe(
    rows=9000,
    latin=10,
    size=32,
    mixing=vectors.Mixing(rank=20, identity=64),
    contrast=embedding.Contrast(pairs=200, batch=64, sizes=(32, 16)),
)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    lines = [
        f"{who}在{month}月{deed}，并与{other}核对结果。"
        for who in SUBJECTS
        for other in SUBJECTS
        for month in range(1, 9)
        for deed in DEEDS
    ]
    (folder / "works.txt").write_text("\n".join(lines), "utf8")
    (folder / "laws_cn.txt.gz").write_bytes(
        gzip.compress("第一条 为了加强质量管理，制定本条例。\n第二条 企业应当建立质量管理体系。\n".encode() * 9)
    )
    (folder / "terms.tsv").write_text("term\tpos\tkind\tthemes\taliases\n质量门控点\tn\tconcept\t\tQGP|质量门\n", "utf8")
    return folder


@pytest.fixture(scope="module")
def made(text: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[str]]:
    pytest.importorskip("datasets")
    pytest.importorskip("accelerate")
    out = tmp_path_factory.mktemp("models") / "embedding"
    told: list[str] = []
    manifest = embedding.train(text, out, terms=text / "terms.tsv", recipe=SMALL, tell=told.append)
    return out, manifest, told


@pytest.mark.slow
def test_a_model_from_a_folder_of_text(made: tuple[Path, dict[str, Any], list[str]]) -> None:
    out, manifest, told = made
    assert artefacts.verified(out).version == manifest["version"]
    assert tomllib.loads((out / "manifest.toml").read_text("utf8")) == manifest
    assert [row["licence"] for row in manifest["data"]] == [
        "statutes and regulations of the PRC: outside copyright (Copyright Law art. 5)",
        "unknown",
        "Apache-2.0",
    ]
    encoder = load(out)
    assert isinstance(encoder, Static)
    assert encoder.dimensions == 32
    one, other, far = encoder.encode(["质量部统计一次合格率", "质量部在三月统计合格率", "第一条 制定本条例"])
    assert one @ other > one @ far
    assert ("质量门控点", 2, 7) in encoder.tokens("设置质量门控点")
    assert any("对比学习" in line for line in told)
    assert "质量" in (out / "README.md").read_text("utf8") or "Static" in (out / "README.md").read_text("utf8")


@pytest.mark.slow
def test_the_same_text_gives_the_same_model(made: tuple[Path, dict[str, Any], list[str]], text: Path, tmp_path: Path) -> None:
    again = embedding.train(text, tmp_path / "again", terms=text / "terms.tsv", recipe=SMALL)
    assert again["file"] == made[1]["file"]


@pytest.mark.slow
def test_another_seed_gives_another(made: tuple[Path, dict[str, Any], list[str]], text: Path, tmp_path: Path) -> None:
    other = embedding.train(text, tmp_path / "other", terms=text / "terms.tsv", recipe=replace(SMALL, seed=1))
    assert other["version"] != made[1]["version"]


def test_a_folder_without_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as error:
        embedding.train(tmp_path, tmp_path / "out")
    assert error.value.code == "corpus_invalid"


def test_a_vocabulary_has_characters_terms_and_the_most_frequent_words() -> None:
    known = {"质量": vocabulary.Word(100, "n"), "管理": vocabulary.Word(90, "vn"), "工效学": vocabulary.Word(1, "n")}
    known |= {character: vocabulary.Word(50, "n") for character in "质量管理门工效学"}
    found = vocabulary.choose(["质量管理 iso9001 iso iso iso iso iso"], known, ["质量门", "qgp"], rows=1200, latin=5)
    assert found.words[0] == "<unk>"
    assert {"质量", "管理", "门", "a", "0", "qgp", "iso"} <= set(found.words)
    assert found.words[-1] == "质量门"
    row = len(found.words) - 1
    assert [found.words[part] for part in found.parts[row]] == ["质量", "门"]
    assert found.tokenizer.encode("质量门").tokens == ["质量门"]
    assert found.plain.encode("质量门").tokens == ["质量", "门"]
    assert {"qz", "99", "2021"} <= set(found.words)  # what is no word keeps its identity in pairs


def test_jiebas_dictionary_is_read_without_jieba() -> None:
    known = vocabulary.dictionary()
    assert known["质量"].pos == "n"
    assert known["的"].count > known["质量"].count > 0


def test_revisions_keep_most_of_the_text() -> None:
    random = np.random.default_rng(0)
    text = "公司于2021年成立攻关小组，共有12名成员，历时8个月，合格率提高到99.2%。"
    for _ in range(50):
        revised = pairs.revised(text, random)
        assert revised
        assert len(revised) <= len(text) + 8
        assert len(set(text) & set(revised)) > 8


def test_measuring(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv.gz"
    path.write_bytes(gzip.compress("5\t甲\t甲\n3\t甲\t乙\n0\t甲\t丙\n".encode()))
    directions = {"甲": [1.0, 0.0], "乙": [0.7, 0.7], "丙": [0.0, 1.0]}
    assert evaluate.spearman(lambda texts: np.array([directions[text] for text in texts], np.float32), path) == pytest.approx(100)
