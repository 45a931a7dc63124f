"""Summaries: whole sentences, chosen within a budget; a table's leading row; the document in one line."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from documents_made import make_submission

from service import encode, lexicon, salience
from service.artefacts import CORPORA, MODELS
from service.model import Submission, SummarySentence
from service.summarise import one_line, summarise
from service.text import words


class Hashed:
    """A real encoder, if a poor one: counts of character pairs, hashed."""

    version, dimensions = "hashed", 256

    def encode(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for pair in salience.bigrams(text):
                row[zlib.crc32(pair.encode()) % self.dimensions] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


OUTCOME = "阀体焊缝一次探伤合格率由2019年的91.4%提高到2021年的98.6%，高于行业平均水平3.2个百分点。"
MONEY = "经财务部核定，三年累计减少质量损失2160万元，占投入的4.3倍。"
CUSTOMER = "用户现场泄漏投诉从每千台7.2起降到0.9起，连续两年低于标杆企业。"
FILLERS = (
    "主要指标及对比情况见表3。",
    "数据取自协会年度交流资料，统计口径与上年一致。",
    "全体员工的质量意识空前增强，企业发展迈上新台阶。",
    "下一步，公司将把这一做法推广到全部铸造车间。",
    "同期，职工人均收入增长8%，车间电耗下降5%。",
    "大家的心往一处想了。",
)


def told(submission: Submission, key: str = "results", *, budget: int | None = None) -> tuple[SummarySentence, ...]:
    summaries = summarise(submission, encoder=Hashed(), budget=budget)
    return tuple(sentence for summary in summaries if summary.section == key for sentence in summary.sentences)


def results(*blocks: Any, **more: Any) -> Submission:
    return make_submission(
        {"title": "实施阀体焊接防错管理的经验", "sections": [{"key": "results", "heading": "四、实施成效", "blocks": blocks}], **more}
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("精度提高到1.5微米。费用降了。", ["精度提高到1.5微米。", "费用降了。"]),
        ("他说：“先停机。再找原因。”班长照办了。", ["他说：“先停机。再找原因。”", "班长照办了。"]),
        ("“零缺陷。”的口号喊了三年。", ["“零缺陷。”的口号喊了三年。"]),
        ("焊缝（含角焊缝。不含点焊）全部合格。", ["焊缝（含角焊缝。不含点焊）全部合格。"]),
        ("三项指标都变了：废品少了；返修少了；投诉没了。", ["三项指标都变了：废品少了；返修少了；投诉没了。"]),
        ("有人喊“停。后来呢？没有后来。" + "又过了一年。" * 40, None),
    ],
)
def test_sentences_are_whole(text: str, expected: list[str] | None) -> None:
    found = [text[start:end] for start, end in salience.whole(text, 0, len(text))]
    assert "".join(found) == text
    if expected is None:
        assert len(found) > 20, "a quotation mark that never closes must not swallow the paragraph"
    else:
        assert found == expected


def test_a_list_marker_is_no_part_of_a_sentence() -> None:
    submission = results("（1）" + OUTCOME, "② " + MONEY, "3、" + CUSTOMER)
    assert [each.text for each in told(submission)] == [OUTCOME, MONEY, CUSTOMER]


def test_what_carries_the_results_is_told_verbatim_and_in_order() -> None:
    submission = results(FILLERS[0] + FILLERS[1], OUTCOME + FILLERS[5], FILLERS[2] + MONEY, CUSTOMER, FILLERS[4], FILLERS[3])
    chosen = told(submission, budget=110)
    assert [each.text for each in chosen] == [OUTCOME, MONEY, CUSTOMER]
    assert all(submission.text[each.start : each.end] == each.text for each in chosen)


@pytest.mark.parametrize("budget", [40, 60, 100, 200])
def test_the_budget_holds(budget: int) -> None:
    submission = results(*FILLERS, OUTCOME, MONEY, CUSTOMER)
    assert 0 < words("".join(each.text for each in told(submission, budget=budget))) <= budget


def test_a_short_section_is_given_in_full() -> None:
    submission = results(OUTCOME + MONEY, CUSTOMER)
    assert [each.text for each in told(submission)] == [OUTCOME, MONEY, CUSTOMER]


def test_sections_of_one_key_share_the_budget() -> None:
    parts = [
        {"key": "results", "heading": f"{number}、成效", "blocks": [first, second]}
        for number, first, second in (("四", OUTCOME, FILLERS[2]), ("五", MONEY, CUSTOMER))
    ]
    submission = make_submission({"title": "实施焊接防错管理的经验", "sections": parts})
    summaries = summarise(submission, encoder=Hashed(), budget=80)
    assert [summary.start for summary in summaries] == [section.start for section in submission.sections]
    assert words("".join(each.text for summary in summaries for each in summary.sentences)) <= 80


def test_headings_captions_and_cells_are_never_told() -> None:
    submission = results(
        {"heading": "（一）产品质量大幅提升，合格率达到98.6%"},
        {"caption": "表1 2019年至2021年合格率由91.4%提高到98.6%的情况"},
        {"table": [["指标", "数值"], ["合格率从91.4%提高到98.6%，高于行业", "好"]]},
        "主要变化如下：",
        CUSTOMER,
    )
    assert [each.text for each in told(submission)] == [CUSTOMER]


def test_the_same_is_told_once() -> None:
    submission = results(OUTCOME, "总的看，" + OUTCOME, MONEY)
    assert [each.text for each in told(submission, budget=200)].count(OUTCOME) + sum(
        "总的看" in each.text for each in told(submission)
    ) == 1


ROWS = [["指标", "2019年", "2020年", "2021年"], ["一次探伤合格率（%）", "91.4", "95.0", "98.6"], ["返修工时（小时）", "420", "300", "160"]]


def test_a_table_that_carries_the_results_is_told_as_its_row() -> None:
    submission = results("近三年主要指标见表1。", {"caption": "表1 主要指标"}, {"table": ROWS})
    (row,) = told(submission)
    assert row.text == "一次探伤合格率（%）：2019年 91.4、2020年 95.0、2021年 98.6"
    assert submission.text[row.start : row.end] == "一次探伤合格率（%）\t91.4\t95.0\t98.6"


def test_years_down_the_side_are_told_as_well() -> None:
    across = [["年份", "一次探伤合格率（%）"], ["2019年", "91.4"], ["2020年", "95.0"], ["2021年", "98.6"]]
    (row,) = told(results({"table": across}))
    assert row.text == "一次探伤合格率（%）：2019年 91.4、2020年 95.0、2021年 98.6"


def test_a_row_is_not_told_where_a_sentence_tells_it() -> None:
    rows = [ROWS[0], ["焊缝一次探伤合格率（%）", "91.4", "95.0", "98.6"]]
    assert [each.text for each in told(results(OUTCOME, {"table": rows}))] == [OUTCOME]


def test_a_sentence_longer_than_the_budget_is_told_by_its_parts() -> None:
    clauses = ["焊缝一次合格率由91%提高到98%", "返修工时由每月420小时降到160小时", "泄漏投诉由每千台7起降到1起", "三年减少质量损失2160万元"]
    chosen = told(results("；".join(clauses) + "。"), budget=40)
    assert chosen
    assert all(each.text.rstrip("；。") in clauses for each in chosen)


def test_a_sentence_broken_by_a_page_is_not_told_by_halves() -> None:
    blocks = ["焊缝一次合格率由2019年的91.4%提高到2021年的98.6%，高于同行业平均", "水平三个百分点，三年减少损失2160万元。" + CUSTOMER]
    whole = results(*blocks)
    torn = replace(whole, document=replace(whole.document, format="pdf"))
    assert CUSTOMER in [each.text for each in told(torn)]
    assert not any("水平三个百分点" in each.text for each in told(torn))


def test_a_process_is_told_from_its_several_parts() -> None:
    steps = (
        "建立焊接参数防错系统，运用试验设计确定电流、送丝速度和预热温度的组合并固化为标准。",
        "开发探伤图像识别模型，构建焊缝缺陷图谱，采用双人复核的方法验证判定结果的一致性。",
        "制定焊工能力矩阵，推行持证分级上岗机制，编制标准作业视频供班组每日对照学习使用。",
    )
    blocks: list[Any] = []
    for number, step in zip("一二三", steps, strict=True):
        blocks += [{"heading": f"（{number}）第{number}步"}, step, "大家起初并不习惯，后来慢慢好了。", "工作由此展开，热火朝天。"]
    submission = make_submission(
        {"title": "实施阀体焊接防错管理的经验", "sections": [{"key": "process", "heading": "三、实施过程", "blocks": blocks}]}
    )
    assert [each.text for each in told(submission, "process", budget=130)] == list(steps)


def test_a_process_is_told_by_what_the_title_names_not_by_what_was_before() -> None:
    blocks = [
        {"heading": "（一）一阀一档"},
        "以前各班组各有一套记录和检测方法，同一台阀门的结果常常对不上，谁也说不清楚。",
        "公司为每台阀门建立“一阀一档”，从毛坯到发运的参数和检验结果按编号汇总到一处。",
        {"heading": "（二）焊接复核"},
        "我们是小企业，买不起成套的系统，数据平台和标准流程的开发只好一样一样自己来。",
        "制定焊缝双人复核标准，检验员与工艺员每班各查一遍，结果不一致的当场判定。",
    ]
    submission = make_submission(
        {"title": "构建“一阀一档”焊接质量管理模式的经验", "sections": [{"key": "process", "heading": "三、实施过程", "blocks": blocks}]}
    )
    assert [each.text for each in told(submission, "process", budget=80)] == [blocks[2], blocks[5]]


@pytest.mark.parametrize(
    "said",
    [
        "顾客投诉由每年31起降到4起，有意了解的请打质量部手机13812345678询问详情。",
        "废品损失由310万元降到42万元，联系人为质量部王工，欢迎来厂交流。",
        "主要质量指标与行业水平的对比见表3，行业数据来自协会2021年度报告（参加企业34家）。",
        "质量损失数据来自财务部2021年度报表，按三年同一口径计算，共汇总凭证412份。",
    ],
    ids=["mobile number", "contact", "table and source", "source"],
)
def test_what_a_summary_never_tells(said: str) -> None:
    assert [each.text for each in told(results(said, OUTCOME))] == [OUTCOME]


def test_a_sentence_that_points_to_a_table_is_told_for_its_own_figures() -> None:
    said = "分年数据见表2，阀体焊缝一次探伤合格率由2019年的91.4%提高到2021年的98.6%。"
    assert [each.text for each in told(results(said))] == [said]


def line(**case: Any) -> str | None:
    given = {
        "title": "实施阀体焊接防错管理的实践经验",
        "organisation": "溧川阀门有限公司",
        "sections": [{"key": "results", "heading": "四、成效", "blocks": [FILLERS[2] + OUTCOME, MONEY]}],
    }
    submission = make_submission({**given, **case})
    return one_line(submission, summarise(submission, encoder=Hashed()))


def test_one_line_says_who_did_what_with_what_result() -> None:
    assert line() == "溧川阀门有限公司实施阀体焊接防错管理，阀体焊缝一次探伤合格率由2019年的91.4%提高到2021年的98.6%。"


def test_one_line_names_the_methods_where_the_title_names_none() -> None:
    process = {"key": "process", "blocks": ["我们用正交试验找到参数，正交试验做了三轮，又以控制图看住波动，控制图由班组维护。"]}
    found = line(title="构建阀体焊接质量管理模式的经验", sections=[process, {"key": "results", "blocks": [OUTCOME]}])
    assert found is not None
    assert found.startswith("溧川阀门有限公司以正交试验和控制图构建阀体焊接质量管理模式，")
    assert words(found) <= 80


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("基于根因诊断的阀体焊接控制实践", "溧川阀门有限公司开展基于根因诊断的阀体焊接控制，"),
        ("基于根因诊断的阀体焊接控制模式", "溧川阀门有限公司构建基于根因诊断的阀体焊接控制模式，"),
        ("以焊工能力为核心的质量提升之路", "溧川阀门有限公司走出以焊工能力为核心的质量提升之路，"),
        ("面向核电用户的阀体焊接质量管理经验", "溧川阀门有限公司开展面向核电用户的阀体焊接质量管理，"),
        ("关于推行焊接双人复核的做法", "溧川阀门有限公司推行焊接双人复核，"),
        ("以双人复核推进阀体焊接数字化的经验", "溧川阀门有限公司以双人复核推进阀体焊接数字化，"),
        ("四看守焊缝：阀体焊接过程控制", "溧川阀门有限公司开展阀体焊接过程控制（四看守焊缝），"),
        ("“四看”质量管理模式的构建与实施", "溧川阀门有限公司构建“四看”质量管理模式，"),
        ("一条焊缝的来龙去脉", "溧川阀门有限公司：一条焊缝的来龙去脉，"),
    ],
)
def test_one_line_has_the_verb_that_a_title_lacks(title: str, expected: str) -> None:
    assert (line(title=title) or "").startswith(expected)


@pytest.mark.parametrize(
    "case",
    [
        {"organisation": None},
        {"title": None},
        {"sections": [{"key": "results", "blocks": [FILLERS[2], FILLERS[3]]}]},
        {"sections": [{"key": "process", "blocks": [OUTCOME]}]},
    ],
    ids=["no organisation", "no title", "no figure", "no results"],
)
def test_one_line_is_silent_where_something_is_not_known(case: dict[str, Any]) -> None:
    assert line(**case) is None


def test_an_empty_write_up_has_no_summary() -> None:
    assert summarise(make_submission({"sections": []}), encoder=Hashed()) == ()


def test_every_feature_is_explained() -> None:
    given = lexicon.load("summary")
    used = {feature for weights in given["weights"].values() for feature in weights} - {"bias"}
    assert used | set(given["words"]) <= set(given["why"])
    assert set(given["why"]) <= used | set(given["words"]) | {"slogan"}
    assert all(len(word) >= 2 for listed in given["words"].values() for word in listed), "words are looked up by their first two characters"


def test_training_weights_keeps_what_is_set_by_hand(tmp_path: Path) -> None:
    from service.train import summaries

    file = tmp_path / "summary.toml"
    file.write_text("[why]\na = 1\n\n[weights.results]\nbias = 0.5\nplan = -2.0\nfigures = 9.0\n\n[weights.overview]\nlead = 1.5\n", "utf8")
    summaries.write({"bias": -1.25, "figures": 0.75}, file)
    assert (
        file.read_text("utf8")
        == "[why]\na = 1\n\n[weights.results]\nbias = -1.25\nfigures = 0.75\nplan = -2.0\n\n[weights.overview]\nlead = 1.5\n"
    )


def test_key_results_of_held_out_write_ups_are_covered() -> None:
    from service.train import corpora, summaries

    encoder = encode.load(MODELS / "embedding")
    held_out = [writeup for writeup in corpora.writeups(CORPORA / "focus") if writeup.split == "test"]
    covered = sum(summaries.covered(summarise(summaries.submission_of(each), encoder=encoder), each.key_results) for each in held_out)
    assert covered >= 0.8 * sum(len(each.key_results) for each in held_out)
