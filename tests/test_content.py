"""The content model: log-likelihood ratios of paragraphs, trained, stored, loaded, and asked where no heading tells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from service import artefacts, content
from service.content import ContentModel
from service.errors import ServiceError
from service.model import Block, Document
from service.rulebook import load
from service.segment import segment

ROOT = Path(__file__).parent.parent
SECTIONS = ("overview", "background", "process", "results")
TEXTS = {  # one paragraph a section, of a fictional chain factory
    "overview": "渝北宏梯链条厂建于1996年，位于工业园区，主要产品为起重链条，现有员工四百人，年产能两万吨，主要客户是电梯和港机企业。",
    "background": "三年前一批链条在用户现场伸长超差，被整批退回，暴露出管理上的短板：过去靠老师傅的经验，问题说不清、责任落不实。"
    "市场竞争加剧，用户的要求越来越高，再不改变就要丢掉订单，为此决定立项。",
    "process": "项目组先画出工序流程，找出回火温度这个关键因素，再做对比试验定下参数窗口，"
    "每两小时抽检一次并记录在控制图上，异常时停机复验。",
    "results": "三年来链条伸长超差率由2.1%降到0.3%，退货由每年十一批减为一批，年节约质量损失一百六十万元，优于行业平均水平，获得用户表扬。",
}


@pytest.fixture(scope="module")
def model() -> ContentModel:
    return content.load(artefacts.MODELS / "sections")


def _document(paragraphs: list[str]) -> Document:
    text, blocks = "", []
    for paragraph in paragraphs:
        start = len(text) + bool(text)
        text = f"{text}\n{paragraph}" if text else paragraph
        blocks.append(Block("paragraph", start, len(text)))
    return Document("样例.txt", "0" * 64, "txt", text, tuple(blocks))


def test_each_paragraph_speaks_most_for_its_own_section(model: ContentModel) -> None:
    scores = model.speaks(list(TEXTS.values()), of=[[key] for key in TEXTS])
    assert [SECTIONS[at] for at in scores.argmax(1)] == list(TEXTS)


def test_groups_and_strangers(model: ContentModel) -> None:
    scores = model.speaks(list(TEXTS.values()), of=[[*SECTIONS], ["no_such_section"], []])
    assert np.all(np.isfinite(scores))
    assert np.all(scores[:, 1:] == 0)
    everything = model.speaks(["任意一段文字"], of=[list(model.labels)])
    assert abs(float(everything[0, 0])) < 1e-5  # all labels together are certain, before and after reading
    assert model.speaks([], of=[["overview"]]).shape == (0, 1)
    assert model.speaks(["", "…………"], of=[["overview"]]).shape == (2, 1)


def test_sections_without_any_heading_are_found(model: ContentModel) -> None:
    paragraphs = [
        "从一根链条说起的质量改进",
        TEXTS["overview"],
        TEXTS["background"],
        TEXTS["process"],
        "第二步是把参数固化到设备：温控仪加装上下限，超出即锁止出料；班长每班核对一次仪表，工艺员每周看一次趋势，偏移时按预案调整。",
        TEXTS["results"],
    ]
    edition = load("2024-caq")
    found = segment(_document(paragraphs), edition.sections, content=model)
    assert [section.key for section in found.sections] == list(SECTIONS)
    assert found.missing == ()


def test_what_is_not_there_is_missing_still(model: ContentModel) -> None:
    paragraphs = [
        "从一根链条说起的质量改进",
        TEXTS["overview"],
        TEXTS["process"],
        TEXTS["process"].replace("回火", "淬火"),
        TEXTS["results"],
    ]
    found = segment(_document(paragraphs), load("2024-caq").sections, content=model)
    assert found.missing == ("background",)


def test_an_altered_or_missing_model_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "sections"
    with pytest.raises(ServiceError) as caught:
        content.load(folder)
    assert caught.value.code == "model_missing"
    shutil.copytree(artefacts.MODELS / "sections", folder)
    vocabulary = folder / "vocabulary.json"
    vocabulary.write_text(vocabulary.read_text("utf8").replace("成立", "成粒", 1), "utf8")
    with pytest.raises(ServiceError) as caught:
        content.load(folder)
    assert caught.value.code == "model_broken"
    assert "vocabulary.json" in caught.value.message


@pytest.mark.slow
def test_training_gives_the_shipped_bytes(tmp_path: Path) -> None:
    from service.train import sections

    scores = sections.train(ROOT / "corpora" / "sections", tmp_path)
    shipped = artefacts.MODELS / "sections"
    assert (tmp_path / "vocabulary.json").read_bytes() == (shipped / "vocabulary.json").read_bytes()
    ours, theirs = content.load(tmp_path), content.load(shipped)
    assert np.allclose(ours.linear.runs.weights, theirs.linear.runs.weights, atol=2e-3)  # the last digits hang on the processor
    assert scores["accuracy"] == artefacts.verified(shipped).manifest["scores"]["accuracy"]


def test_the_corpus_is_what_its_script_makes() -> None:
    import importlib.util

    folder = ROOT / "corpora" / "sections"
    spec = importlib.util.spec_from_file_location("build_sections", folder / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    lines = (folder / "paragraphs.jsonl").read_text("utf8").splitlines()
    assert [json.loads(line) for line in lines] == build.rows()
    artefacts.verified(folder)
