"""Focus areas: what is chosen, why, and what is said where nothing can be."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from documents_made import make_submission

from service import classify, encode
from service.artefacts import MODELS
from service.classify import FocusModel
from service.encode import Encoder
from service.errors import ServiceError
from service.model import Focus, Submission
from service.rulebook import load

EDITIONS = ("2014-miit", "2016-jiangsu", "2021-zhumadian", "2022-hebei", "2024-caq")
TITLE = "实施以数据贯通为核心的弹簧质量数字化管理的经验"
PROCESS = (
    {"heading": "（一）建设质量数据平台"},
    "公司把卷簧机、回火炉的传感器接入质量数据平台，炉温、转速、自由高每两秒自动采集一次，系统按批次生成追溯码。检验员不再手抄记录。",
    "平台内置预警模型，参数偏离时自动推送到班组终端，系统随即锁定该批。算法每周用新数据重新训练，误报率由9%降到2%。",
    {"heading": "（二）用机器视觉代替目视"},
    "端面裂纹改由机器视觉判定，图像与追溯码绑定后存入质量管理系统。数据治理小组统一了三百余个字段的口径，MES与QMS实现互通。",
)
RESULTS = ("2021年质量数据自动采集率达到97%，用追溯码查一批弹簧由四小时缩短到三分钟。",)
OVERVIEW = ("河北柏渚弹簧厂建于1998年，主要产品是座椅弹簧。",)
SMALL = ("河北柏渚弹簧厂建于1998年。现有员工120人，2021年营业收入9000万元。",)


@pytest.fixture(scope="module")
def model() -> FocusModel:
    return classify.load(MODELS / "focus")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return encode.load(MODELS / "embedding")


def about(*, title: str = TITLE, overview: Sequence[Any] = OVERVIEW, process: Sequence[Any] = PROCESS, **more: Any) -> Submission:
    sections = [
        {"key": "overview", "heading": "一、企业概况", "blocks": overview},
        {"key": "process", "heading": "二、实施过程", "blocks": process},
        {"key": "results", "heading": "三、实施成效", "blocks": RESULTS},
    ]
    return make_submission({"title": title, "sections": sections, **more})


def chosen(focus: Focus) -> set[str]:
    return {area.area for area in focus.areas if area.chosen}


@pytest.mark.parametrize("edition", ["2022-hebei", "2024-caq"])
def test_digitalization_is_chosen(edition: str, model: FocusModel, encoder: Encoder) -> None:
    focus = classify.focus(about(), load(edition), model=model, encoder=encoder)
    assert focus.primary == focus.areas[0].area == "digitalization"
    assert "digitalization" in chosen(focus)
    assert focus.reason is None
    assert max(focus.themes, key=lambda theme: focus.themes[theme]) == "digitalization"
    assert "sme" not in chosen(focus)


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_area_has_a_score_the_highest_first(edition: str, model: FocusModel, encoder: Encoder) -> None:
    rules = load(edition)
    focus = classify.focus(about(), rules, model=model, encoder=encoder)
    scores = [area.score for area in focus.areas]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in [*scores, *focus.themes.values()])
    assert {area.area for area in focus.areas} == {area.id for area in rules.areas}
    if rules.choice == "one":
        assert chosen(focus) == ({focus.primary} if focus.primary else set())


@pytest.mark.parametrize("edition", ["2014-miit", "2016-jiangsu"])
def test_where_one_is_asked_for_one_is_chosen(edition: str, model: FocusModel, encoder: Encoder) -> None:
    rules = load(edition)
    assert rules.choice == "one"
    lenient = replace(model, threshold=0.0)  # several areas reach it
    focus = classify.focus(about(), rules, model=lenient, encoder=encoder)
    assert chosen(focus) == {focus.primary} == {focus.areas[0].area}


def test_several_are_chosen_where_several_may_be(model: FocusModel, encoder: Encoder) -> None:
    rules = load("2022-hebei")
    focus = classify.focus(about(), rules, model=replace(model, threshold=0.0), encoder=encoder)
    assert chosen(focus) == {area.id for area in rules.areas if not area.by_facts}
    assert focus.primary == "digitalization"


def test_below_the_threshold_nothing_is_chosen(model: FocusModel, encoder: Encoder) -> None:
    focus = classify.focus(about(), load("2022-hebei"), model=replace(model, threshold=0.9999), encoder=encoder)
    assert focus.primary is None
    assert chosen(focus) == set()
    assert focus.reason is not None
    assert focus.reason.startswith("无法判断")
    assert next(area.name for area in focus.areas) in focus.reason
    assert len(focus.areas) == 6


def test_the_size_of_a_firm_is_a_fact_and_never_comes_first(model: FocusModel, encoder: Encoder) -> None:
    submission = about(overview=SMALL)
    focus = classify.focus(submission, load("2022-hebei"), model=model, encoder=encoder)
    sme = next(area for area in focus.areas if area.area == "sme")
    assert (sme.chosen, sme.score) == (True, 1.0)
    assert focus.primary == "digitalization"
    (evidence,) = sme.evidence
    assert submission.text[evidence.start : evidence.end] == "现有员工120人，2021年营业收入9000万元。"
    assert evidence.terms == ("120人",)


@pytest.mark.parametrize("edition", EDITIONS)
def test_evidence_is_sentences_of_different_paragraphs(edition: str, model: FocusModel, encoder: Encoder) -> None:
    submission = about(overview=SMALL)
    focus = classify.focus(submission, load(edition), model=model, encoder=encoder)
    places = list(enumerate(submission.document.blocks))
    for area in focus.areas:
        assert len(area.evidence) <= 3
        if area.score < model.shown:
            assert area.evidence == ()
        blocks = []
        for evidence in area.evidence:
            said = submission.text[evidence.start : evidence.end]
            assert said.strip()
            assert len(evidence.terms) <= 5
            assert all(term in said and len(term) >= 2 for term in evidence.terms)
            blocks.append([at for at, block in places if block.start <= evidence.start < evidence.end <= block.end])
        assert all(len(each) == 1 for each in blocks), "a sentence lies inside one paragraph"
        assert len({each[0] for each in blocks}) == len(blocks)


def test_evidence_says_why(model: FocusModel, encoder: Encoder) -> None:
    submission = about()
    focus = classify.focus(submission, load("2022-hebei"), model=model, encoder=encoder)
    evidence = focus.areas[0].evidence
    assert len(evidence) == 3
    assert all(each.terms for each in evidence)
    said = "".join(submission.text[each.start : each.end] for each in evidence)
    assert any(word in said for word in ("数据", "数字化", "系统"))


@pytest.mark.parametrize("case", [{"is_writeup": False}, {"sections": []}])
def test_what_is_no_write_up_is_not_judged(case: dict[str, Any], model: FocusModel, encoder: Encoder) -> None:
    focus = classify.focus(about(**case), load("2022-hebei"), model=model, encoder=encoder)
    assert (focus.areas, focus.primary, dict(focus.themes)) == ((), None, {})
    assert focus.reason is not None
    assert "没有找到典型经验正文" in focus.reason


def test_headings_alone_are_not_judged(model: FocusModel, encoder: Encoder) -> None:
    sections = [{"key": "process", "heading": "一、实施过程", "blocks": [{"table": [["年", "批"], ["2021", "3"]]}]}]
    focus = classify.focus(make_submission({"title": TITLE, "sections": sections}), load("2022-hebei"), model=model, encoder=encoder)
    assert focus.areas == ()
    assert focus.reason is not None
    assert "太短" in focus.reason


@pytest.mark.parametrize("process", [("。",), ("\U00020000" * 3,), ("3.5%",), ("数" * 20_000,)])
def test_odd_paragraphs_are_read(process: tuple[str, ...], model: FocusModel, encoder: Encoder) -> None:
    focus = classify.focus(about(title="", overview=(), process=process), load("2022-hebei"), model=model, encoder=encoder)
    assert len(focus.areas) == 6


def test_the_same_text_gives_the_same_answer(model: FocusModel, encoder: Encoder) -> None:
    rules = load("2024-caq")
    first = classify.focus(about(), rules, model=model, encoder=encoder)
    again = classify.focus(about(), rules, model=classify.load(MODELS / "focus"), encoder=encode.load(MODELS / "embedding", cache=1))
    assert first == again


def copied(tmp_path: Path) -> Path:
    return shutil.copytree(MODELS / "focus", tmp_path / "focus")


def test_a_missing_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as error:
        classify.load(tmp_path / "absent")
    assert error.value.code == "model_missing"


def test_an_altered_model_is_an_error(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ServiceError) as error:
        classify.load(folder)
    assert error.value.code == "model_broken"


@pytest.mark.parametrize(("before", "after"), [("features = [", 'features = ["unknown", '), ("threshold = ", "other = "), ('"tqm", ', "")])
def test_an_unknown_model_is_an_error(before: str, after: str, tmp_path: Path) -> None:
    folder = copied(tmp_path)
    manifest = folder / "manifest.toml"
    text = manifest.read_text("utf8")
    assert before in text
    manifest.write_text(text.replace(before, after), "utf8")
    with pytest.raises(ServiceError, match="重新训练") as error:
        classify.load(folder)
    assert error.value.code == "model_broken"
