"""Encoders: both loaders agree, tokenisation, cache, errors."""

from __future__ import annotations

import builtins
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model2vec import StaticModel

from service import encode
from service.artefacts import MODELS
from service.encode import Static, load
from service.errors import ServiceError
from service.train import embedding, vocabulary

ODD = (
    "",
    "   \n\t　",
    "😀👍🏽",
    "𠮷野家的𡃁",
    "䶮䨻龘",
    "。，！？——……",
    "A",
    "ＦＭＥＡ与ＱＣ小组①",
    "3.14159，2021年12月31日",
    "\x00\ufeff\u200b",
    "é ñ ü Ωσ ℃",
    "質量管理體系",
    "\ud800坏的半个字符",
    "质量" * 5000,
)
PLAIN = ("公司推行六西格玛管理。", "一次合格率由92%提高到99%。", "顾客满意度连续三年提升", "SPC控制图用于关键工序")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real static model of twelve rows."""
    words = ["质", "量", "管", "理", "质量", "管理", "顾客", "qc", "a", "1", "2"]
    scores = [("<unk>", -30.0), *((word, -5.0 - len(word)) for word in words)]
    rows = np.random.default_rng(0).standard_normal((len(scores), 16)).astype(np.float32)
    rows[0] = 0
    out = tmp_path_factory.mktemp("models") / "tiny"
    embedding.save(out, vocabulary.build(scores), rows)
    return out


@pytest.fixture(scope="module")
def shipped() -> Static:
    found = load(MODELS / "embedding")
    assert isinstance(found, Static)
    return found


def test_vectors_have_length_one_and_nothing_known_is_zero(shipped: Static) -> None:
    rows = shipped.encode([*PLAIN, *ODD])
    assert rows.dtype == np.float32
    assert rows.shape == (len(PLAIN) + len(ODD), shipped.dimensions)
    lengths = np.linalg.norm(rows, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))
    assert np.all(lengths[: len(PLAIN)] > 0)
    assert np.all(lengths[[len(PLAIN) + place for place in (0, 1, 2, 5)]] == 0)


def test_no_texts_give_no_rows(shipped: Static) -> None:
    assert shipped.encode([]).shape == (0, shipped.dimensions)


def test_a_text_does_not_depend_on_its_neighbours(shipped: Static) -> None:
    alone = np.concatenate([load(MODELS / "embedding", cache=0).encode([text]) for text in (*PLAIN, *ODD)])
    np.testing.assert_allclose(shipped.encode([*PLAIN, *ODD]), alone, atol=1e-6)


def test_what_is_alike_is_near(shipped: Static) -> None:
    one, other, far = shipped.encode(["产品一次合格率明显提高", "一次交检合格率显著提升", "员工食堂增加了素菜窗口"])
    assert one @ other > one @ far + 0.2


def test_long_texts_are_not_cut(shipped: Static) -> None:
    long = "质量" * 3000 + "，" + "顾客" * 3000
    head, whole = shipped.encode(["质量" * 3000, long])
    assert head @ whole < 0.99


def test_model2vec_gives_the_same_vectors(shipped: Static) -> None:
    model = StaticModel.from_pretrained(MODELS / "embedding")
    texts = [text for text in (*PLAIN, *ODD) if "\ud800" not in text]
    theirs = np.asarray(model.encode(texts, use_multiprocessing=False), np.float32)
    np.testing.assert_allclose(shipped.encode(texts), encode.unit(theirs), atol=2e-3)
    assert model.tokenize(texts) == [[shipped.tokenizer.token_to_id(piece) for piece, _, _ in shipped.tokens(text)] for text in texts]


@pytest.mark.filterwarnings("ignore")
def test_a_static_folder_without_our_manifest_is_read_by_model2vec(tmp_path: Path, shipped: Static) -> None:
    for name in ("config.json", "model.safetensors", "modules.json", "tokenizer.json"):
        shutil.copy(MODELS / "embedding" / name, tmp_path / name)
    np.testing.assert_allclose(load(tmp_path).encode(PLAIN), shipped.encode(PLAIN), atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_sentence_transformers_gives_the_same_vectors(shipped: Static) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(MODELS / "embedding"), device="cpu", local_files_only=True)
    texts = [text for text in (*PLAIN, *ODD) if "\ud800" not in text]
    theirs = np.asarray(model.encode(texts, show_progress_bar=False), np.float32)
    static = StaticModel.from_pretrained(MODELS / "embedding")
    ours = np.asarray(static.encode(texts, use_multiprocessing=False), np.float32)
    np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(shipped.encode(texts), encode.unit(theirs), atol=2e-3)
    tokens = [encoding.ids for encoding in model[0].tokenizer.encode_batch(texts, add_special_tokens=False)]
    assert tokens == static.tokenize(texts)


def test_an_unknown_character_is_passed_over_and_never_a_token(shipped: Static) -> None:
    for text in ODD:
        assert "<unk>" not in [piece for piece, _, _ in shipped.tokens(text)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_any_other_sentence_transformers_folder_works(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    bert = tmp_path / "bert"
    BertModel(BertConfig(vocab_size=9, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)).save_pretrained(
        bert
    )
    (bert / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n质\n量\n管\n理\n", "utf8")
    BertTokenizerFast(vocab_file=str(bert / "vocab.txt")).save_pretrained(bert)
    words = Transformer(str(bert))
    folder = tmp_path / "model"
    SentenceTransformer(modules=[words, Pooling(16)], device="cpu").save(str(folder))
    encoder = load(folder, batch=2, threads=1)
    assert isinstance(encoder, encode.Transformer)
    rows = encoder.encode(["质量", "", "管理", "质量"])
    assert rows.shape == (4, 16)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 1, 1], atol=1e-5)
    np.testing.assert_array_equal(rows[0], rows[3])


def test_tokens_are_words_with_offsets_in_the_text(shipped: Static) -> None:
    text = "公司推行ＱＣ小组，\n合格率99.5%😀，质量管理体系"
    found = shipped.tokens(text)
    assert [text[start:end] for _, start, end in found][:3] == ["公司", "推行", "ＱＣ"]
    assert found[2][0] == "qc"
    assert ("质量管理体系", len(text) - 6, len(text)) in found
    assert "".join(piece for piece, _, _ in found).startswith("公司推行qc小组合格率995")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_tokens_stand_in_order_and_apart(shipped: Static, text: str) -> None:
    before = (0, 0)
    for piece, start, end in shipped.tokens(text):
        assert piece
        assert 0 <= start <= end <= len(text)
        assert before[0] <= start
        assert before[1] <= end  # they may share a sign that folds into several: ¼ before 0 is 1 and 40
        before = (start, end)


def test_the_tokenizer_takes_the_most_probable_path_with_characters_as_fallback(tiny: Path) -> None:
    encoder = load(tiny)
    assert isinstance(encoder, Static)
    assert [piece for piece, _, _ in encoder.tokens("质量管理，量质")] == ["质量", "管理", "量", "质"]
    assert [piece for piece, _, _ in encoder.tokens("QC a12")] == ["qc", "a", "1", "2"]


def test_an_unknown_character_weighs_nothing(tiny: Path) -> None:
    one, other = load(tiny).encode(["质量", "质量焱"])
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_cache_is_asked_first_and_keeps_the_latest(tiny: Path) -> None:
    encoder = load(tiny, cache=2)
    assert isinstance(encoder, Static)
    seen: list[str] = []
    before = encoder.tokenizer

    def counting(texts: list[str], **options: Any) -> Any:
        seen.extend(texts)
        return before.encode_batch_fast(texts, **options)

    object.__setattr__(encoder, "tokenizer", SimpleNamespace(encode_batch_fast=counting))
    first = encoder.encode(["质量", "管理", "质量"])
    assert seen == ["质量", "管理"]
    np.testing.assert_array_equal(encoder.encode(["管理", "质量"]), first[[1, 0]])
    assert seen == ["质量", "管理"]
    encoder.encode(["顾客"])
    encoder.encode(["管理"])  # 质量 was asked for last of the two, so 管理 made room
    assert seen == ["质量", "管理", "顾客", "管理"]


def test_a_kept_vector_is_not_changed_from_outside(tiny: Path) -> None:
    encoder = load(tiny)
    rows = encoder.encode(["质量"])
    rows[:] = 0
    assert encoder.encode(["质量"]).any()


@pytest.fixture
def broken(tiny: Path, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "broken"
    shutil.copytree(tiny, folder)
    yield folder


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="没有找到") as error:
        load(tmp_path / "none")
    assert error.value.code == "model_missing"


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "modules.json", "config.json"])
def test_a_damaged_file_is_an_error(broken: Path, name: str) -> None:
    (broken / name).write_bytes(b"{damaged")
    with pytest.raises(ServiceError) as error:
        load(broken)
    assert error.value.code == "model_broken"


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="权重"):
        load(tmp_path)


def test_a_wrong_hash_is_an_error(broken: Path) -> None:
    (broken / "manifest.toml").write_text(f'version = "1"\n[[file]]\nname = "model.safetensors"\nsha256 = "{"0" * 64}"\n')
    with pytest.raises(ServiceError, match="校验") as error:
        load(broken)
    assert error.value.code == "model_broken"


def test_a_missing_package_is_said(broken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (broken / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Transformer"}]))
    before = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name in {"torch", "sentence_transformers"}:
            raise ImportError(name)
        return before(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ServiceError, match="pip install") as error:
        load(broken)
    assert error.value.code == "package_missing"


def test_a_static_model_needs_no_torch() -> None:
    code = (
        "import sys; from service.artefacts import MODELS; from service.encode import load; load(MODELS / 'embedding').encode(['质量']);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'sentence_transformers', 'transformers', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
