"""Advice: what is mended first, what is done well, what the criteria of selection miss."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from typing import Any

import pytest
from documents_made import make_submission

from service import checks, criteria, lexicon, rulebook
from service.advise import advise
from service.model import Advice, AdviceItem, Finding, Focus, Outcome, Submission
from service.rulebook import editions

EDITION = "2022-hebei"
ADVICE = lexicon.load("advice")
PLACEHOLDERS = {"section", "missing", "count", "measured", "allowed", "quote", "years", "indicator"}
SECTION_KEYS = {"overview", "background", "process", "results", "abstract", "lessons", "extension"}

OVERVIEW = "河北砺桥阀门有限公司成立于2003年，主营高压截止阀，现有职工412人，2021年销售收入3.6亿元。"
BACKGROUND = [
    "2018年客户退回阀门316台，其中密封面泄漏占61%，直接损失207万元。",
    "2019年1月，公司提出三年目标：泄漏退回由316台降到60台以内。",
]
PROCESS = [
    {"heading": "（一）先量准"},
    "计量室用测量系统分析核对了14台量具，误差占公差的比例由28%降到7%，停用2台。试验表明，误差降下来以后，研磨参数与泄漏量的相关系数为0.91。",
    "总经理任推进组组长，每月主持质量例会，三年开了36次。公司成立由工艺、质量、设备组成的推进小组，共19人。",
    {"heading": "（二）找主因"},
    "结合本厂多品种的特点，小组自编了12页的对照图册，发布《密封面研磨管理办法》。我们把这套做法称为“三看两试”。",
    {"heading": "（三）改工装"},
    "三年投入设备款386万元，培训630人次。起初全部参数都设报警，班组一天收到二百多条，教训是先想清谁来处置再设报警。",
]
RESULTS = [
    "密封试验一次合格率2019年91.2%，2020年95.8%，2021年98.4%；同年行业平均为94.1%，高于行业平均4.3个百分点。",
    "密封面泄漏退回由2018年的316台降到2021年的41台，经财务部核定，三年累计减少损失512万元。",
    "研磨工序周期由46分钟缩短到29分钟，人均月产量由210台提高到335台。",
    "省内6家阀门企业来访后照此推广，其中2家一年内泄漏退回减少四成。",
]


def write_up(*, edition: str = EDITION, **changes: Any) -> Submission:
    parts = {"overview": [OVERVIEW], "background": BACKGROUND, "process": PROCESS, "results": RESULTS} | changes
    names = {"overview": "一、企业概况", "background": "二、实施背景", "process": "三、实施过程", "results": "四、实施成效"}
    sections = [{"key": key, "heading": names[key], "blocks": blocks} for key, blocks in parts.items() if blocks]
    return make_submission(
        {"title": "实施密封面研磨过程控制的经验", "edition": edition, "sections": sections, "layout_known": False, "format": "txt"}
    )


def judged(submission: Submission, *, edition: str = EDITION, focus: Focus | None = None) -> Advice:
    rules = rulebook.load(edition)
    return advise(submission, checks.run(submission, rules.rules), edition=rules, focus=focus)


def failed(check: str, *findings: Finding, rule: str = "2022-hebei/9.9", severity: Any = "warning") -> Outcome:
    return Outcome(rule, check, "ours", None, "fail", severity, findings=findings)


def given(submission: Submission, *outcomes: Outcome, edition: str = EDITION, focus: Focus | None = None) -> Advice:
    return advise(submission, outcomes, edition=rulebook.load(edition), focus=focus)


def of(advice: Advice, section: str | None) -> list[AdviceItem]:
    return [item for item in advice.items if item.section == section]


def at(submission: Submission, words: str) -> Finding:
    start = submission.text.index(words)
    return Finding("", start, start + len(words), measured=1, allowed=3)


def shown(advice: Advice, submission: Submission, aspect: str) -> list[str]:
    """The sentences shown for an aspect."""
    words = next(item.shown for item in criteria.aspects() if item.id == aspect)
    return [submission.text[s.start : s.end] for c in advice.criteria for s in c.shown if s.message == words]


def sought(advice: Advice) -> set[str]:
    """The aspects that are looked for in vain."""
    words = {item.sought: item.id for item in criteria.aspects()}
    return {words[text] for criterion in advice.criteria for text in criterion.sought}


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("check", checks.names())
def test_every_check_has_advice(check: str) -> None:
    rows = ADVICE[check]
    assert not rows[-1].get("when"), "the last table of a check is for every other situation"
    for row in rows:
        assert 0 < row["weight"] <= 100
        assert row["do"]
        assert row["example"]
        assert _fields(row["do"]) <= PLACEHOLDERS
        assert _fields(row["example"]) <= {"y1", "y2", "y3"}
        assert set(row.get("same", ())) <= set(checks.names())


def test_advice_is_for_checks_that_exist() -> None:
    assert set(ADVICE) - {"weights", "unheaded"} == set(checks.names())


@pytest.mark.parametrize("name", [edition.id for edition in editions()])
def test_every_criterion_has_aspects_of_its_own_wording(name: str) -> None:
    edition = rulebook.load(name)
    found = list(criteria.asked(edition.criteria))
    assert len({aspect.id for _, aspect in found}) == len(found)
    for criterion in edition.criteria:
        own = [aspect for asked, aspect in found if asked is criterion]
        assert len(own) >= 3, criterion.id
        assert all(any(word in criterion.wording for word in aspect.asked[criterion.id]) for aspect in own)


def test_aspects_are_whole() -> None:
    aspects = criteria.aspects()
    wordings = [criterion.wording for each in editions() for criterion in rulebook.load(each.id).criteria]
    assert len({aspect.shown for aspect in aspects}) == len(aspects) == len({aspect.sought for aspect in aspects})
    for aspect in aspects:
        assert all(any(word in wording for wording in wordings) for words in aspect.asked.values() for word in words), aspect.id
        assert aspect.section in SECTION_KEYS
        assert set(aspect.sections) <= SECTION_KEYS | {"other", "title"}
        assert (aspect.checks | aspect.answers | aspect.proofs) <= set(checks.names())
        assert _fields(aspect.do) <= {"section"}
        assert _fields(aspect.example) <= {"y1", "y2", "y3"}
        assert all(len(cue.anchor) > 1 for cue in aspect.cues), "a single character is found everywhere"


def test_a_write_up_with_nothing_to_mend_has_strengths_and_no_items() -> None:
    submission = write_up()
    advice = judged(submission)
    assert advice.items == ()
    assert [criterion.sought for criterion in advice.criteria] == [(), (), ()]
    messages = " ".join(strength.message for strength in advice.strengths)
    for words in ("密封试验一次合格率", "2019—2021年连续三年", "研磨工序周期", "对比", "步骤", "齐全"):
        assert words in messages
    assert all(0 <= strength.start < strength.end <= len(submission.text) for strength in advice.strengths)


def test_every_aspect_is_shown_by_its_sentence() -> None:
    submission = write_up()
    advice = judged(submission)
    expected = {
        "method": "测量系统分析",
        "principle": "相关系数",
        "adapted": "本厂多品种",
        "original": "三看两试",
        "goals": "三年目标",
        "leadership": "总经理任",
        "organisation": "推进小组",
        "policy": "管理办法》",
        "resources": "386万元",
        "steps": "（一）先量准",
        "lessons": "教训是",
        "quality": "泄漏退回",
        "benefit": "512万元",
        "efficiency": "29分钟",
        "comparison": "行业平均",
        "transfer": "照此推广",
    }
    for aspect, words in expected.items():
        sentences = shown(advice, submission, aspect)
        assert any(words in sentence for sentence in sentences), (aspect, sentences)
        assert len(sentences) <= 2


def test_a_missing_section_comes_first_at_the_title_with_its_clause() -> None:
    submission = write_up(background=[])
    advice = judged(submission)
    item = of(advice, "background")[0]
    assert (item.priority, item.rule) == (1, "2022-hebei/2.1")
    assert "实施背景" in item.message
    assert "附件2 一、2至5" in item.reason
    assert "2019" in item.example
    assert submission.title is not None
    assert (item.start, item.end) == (submission.title.start, submission.title.end)


def test_a_missing_section_is_told_where_no_rule_could_judge_it() -> None:
    submission = write_up(results=[])
    outcome = Outcome("2022-hebei/2.1", "section_present", "notice", None, "not_checked", "error", reason="…")
    assert next(item.message for item in of(given(submission, outcome), "results")).startswith("补写「实施成效」")


def test_rules_that_were_not_checked_say_nothing() -> None:
    outcome = Outcome("2022-hebei/4.1", "three_year_data", "notice", None, "not_checked", "warning", reason="…")
    assert given(write_up(), outcome).items == ()


def test_a_file_without_a_write_up_gets_no_advice() -> None:
    submission = make_submission({"sections": [], "is_writeup": False})
    assert judged(submission) == Advice()


def test_an_edition_without_criteria_has_none() -> None:
    submission = write_up(edition="2014-miit")
    assert judged(submission, edition="2014-miit").criteria == ()


def test_three_a_section_data_before_style() -> None:
    submission = write_up()
    heading = at(submission, "四、实施成效")
    names = ("figure_referenced", "caption_position", "table_caption", "three_year_data", "vague_claims")
    items = of(given(submission, *(failed(name, heading, rule=f"2022-hebei/{name}") for name in names)), "results")
    assert [item.priority for item in items] == [1, 2, 3]
    assert [item.rule for item in items] == ["2022-hebei/three_year_data", "2022-hebei/vague_claims", "2022-hebei/table_caption"]


def test_the_findings_of_a_rule_in_a_section_are_one_item() -> None:
    submission = write_up()
    places = ("2019年91.2%", "2020年95.8%", "2021年98.4%")
    advice = given(submission, failed("year_consistency", *(at(submission, words) for words in places), at(submission, "2019年1月")))
    (results,) = of(advice, "results")
    assert "共3处" in results.message
    assert submission.text[results.start : results.end] == places[0]
    assert "共1处" not in of(advice, "background")[0].message


def test_what_is_about_the_whole_is_told_of_the_whole() -> None:
    submission = write_up()
    advice = given(submission, failed("body_format", at(submission, "二、实施背景"), at(submission, "四、实施成效")))
    (item,) = advice.items
    assert (item.section, submission.text[item.start : item.end]) == (None, "二、实施背景")


def test_what_two_rules_say_alike_is_said_once() -> None:
    submission = write_up()
    heading = at(submission, "四、实施成效")
    advice = given(submission, failed("vague_claims", heading, rule="a"), failed("quantified_results", heading, rule="b"))
    assert [item.rule for item in of(advice, "results")] == ["b"]


def test_what_a_rule_and_a_criterion_say_alike_is_said_once() -> None:
    submission = write_up(results=["质量水平迈上新台阶，客户交口称赞。"])
    advice = judged(submission)
    assert "2022-hebei/4.3" in {item.rule for item in of(advice, "results")}
    assert {"quality", "benefit", "efficiency", "comparison"} <= sought(advice), "once among the items, but the table is whole"
    assert all(item.rule is not None for item in of(advice, "results"))


def test_a_comparison_that_stands_there_is_not_asked_for() -> None:
    submission = write_up()
    outcome = failed("benchmark_comparison", at(submission, "四、实施成效"))
    advice = given(submission, outcome)
    assert of(advice, "results") == []
    assert not any("对比" in strength.message for strength in advice.strengths), "no praise against a rule's verdict"


def test_a_slogan_is_no_evidence() -> None:
    slogans = ["公司领导高度重视质量工作，各级领导大力支持。", "我们运用试验和分析，先分三步走，再写入作业标准，自己编了教材。"]
    submission = write_up(process=slogans, background=["客户退回阀门316台，损失207万元。"])
    advice = judged(submission)
    assert shown(advice, submission, "leadership") == []
    assert {"leadership", "goals"} <= sought(advice)
    items = [item for item in advice.items if item.rule is None]
    assert 0 < len(items) <= 2
    assert all("附件 第八条" in item.reason and submission.text[item.start : item.end] == "三、实施过程" for item in items)


@pytest.mark.parametrize(
    ("aspect", "sentence"),
    [
        ("leadership", "公司没有让总经理主持例会，36次都由班长主持。"),
        ("leadership", "副总经理每月到现场一次，三年到了36次。"),
        ("benefit", "公司向受灾地区捐赠损失补助款120万元。"),
        ("efficiency", "新工艺的有效率由82%提高到97%，用料不变。"),
        ("resources", "改造以后避免新建厂房，节约投资720万元。"),
        ("transfer", "我们派人赴外省两家标杆企业参观学习了3次。"),
    ],
)
def test_a_cue_in_another_sense_is_no_evidence(aspect: str, sentence: str) -> None:
    submission = write_up(process=[sentence], results=[sentence])
    assert shown(judged(submission), submission, aspect) == []


@pytest.mark.parametrize(
    ("aspect", "sentence"),
    [
        ("leadership", "总工程师任主任，每月主持可靠性例会，三年开了36次。"),
        ("original", "用户反复提出“把手割手”，三个月里收到46条。"),
        ("policy", "权重来自860份问卷和1.2万条阀门运行记录。"),
        ("goals", "公司使命是让阀门不漏，愿景是2030年以前成为百年品牌。"),
        ("efficiency", "平均故障间隔时间由410小时提高到760小时。"),
        ("resources", "公司把图册无偿提供给同行，并为行业培训检验员214人。"),
        ("method", "公司买不起整套MES系统，一直用手工记账。"),
    ],
)
def test_what_only_looks_like_an_aspect_is_no_evidence(aspect: str, sentence: str) -> None:
    submission = write_up(process=[sentence], background=[sentence], results=[sentence])
    assert shown(judged(submission), submission, aspect) == []


def test_a_sentence_shows_two_aspects_at_most() -> None:
    dense = "总经理任组长，公司成立由质量部牵头的推进小组，投入经费86万元，发布《研磨管理办法》，培训人员630人次，目标是三年内泄漏减半。"
    submission = write_up(process=[dense, *PROCESS])
    places = [(s.start, s.end) for c in judged(submission).criteria for s in c.shown]
    assert max(places.count(place) for place in places) <= 2


def test_others_of_the_board_do_not_stand_for_the_head() -> None:
    submission = write_up(process=["副总经理任主任，总工程师每月主持例会，三年开了36次，先后换了3次夹具。"])
    assert "leadership" in sought(judged(submission))


def test_a_failed_comparison_is_sought_in_the_table() -> None:
    submission = write_up(results=["泄漏退回由2019年的316台降到2021年的41台，同行都说好。"])
    advice = given(submission, failed("benchmark_comparison", at(submission, "四、实施成效")))
    assert "comparison" in sought(advice)
    assert not any("竞争对手" in item.message for item in of(advice, "results") if item.rule is None)


def test_a_section_without_a_heading_is_to_get_one() -> None:
    headed = (("background", "一、实施背景", BACKGROUND), ("process", "二、实施过程", PROCESS), ("results", "三、实施成效", RESULTS))
    sections = [
        {"key": "overview", "blocks": [OVERVIEW]},
        *({"key": key, "heading": name, "blocks": blocks} for key, name, blocks in headed),
    ]
    submission = make_submission(
        {"title": "实施密封面研磨过程控制的经验", "edition": EDITION, "sections": sections, "layout_known": False, "format": "txt"}
    )
    advice = judged(submission)
    item = of(advice, "overview")[0]
    assert "补上标题「企业概况」" in item.message
    assert "附件2" in item.reason
    assert submission.text[item.start : item.end] == OVERVIEW
    assert not any("齐全" in strength.message for strength in advice.strengths)


def test_a_contradiction_names_its_indicator() -> None:
    submission = write_up()
    finding = Finding("“一次合格率”2021年的数值前后不一：此处为98.4%，表2为97.4%。", 0, 4, "98.4%", "97.4%")
    (item,) = given(submission, failed("year_consistency", finding)).items
    assert item.message.startswith("核对“一次合格率”2021年的数值：此处写98.4%，别处写97.4%")


def test_a_loose_hint_keeps_us_silent() -> None:
    submission = write_up(process=["这件事是老板点头以后才做的，三个班组先后换了夹具，每班复核三次。"])
    assert "leadership" not in sought(judged(submission))


def test_a_table_of_years_and_of_others_is_evidence() -> None:
    table = {
        "table": [
            ["指标", "2019年", "2020年", "2021年", "行业平均"],
            ["密封试验一次合格率（%）", "91.2", "95.8", "98.4", "94.1"],
            ["研磨周期（分钟）", "46", "35", "29", "41"],
        ]
    }
    submission = write_up(results=["主要指标见表1。", {"caption": "表1 近三年主要指标"}, table])
    advice = judged(submission)
    assert shown(advice, submission, "quality") == ["密封试验一次合格率（%）\t91.2\t95.8\t98.4"]
    assert shown(advice, submission, "comparison") == ["行业平均"]
    complete = next(strength for strength in advice.strengths if "连续三年" in strength.message)
    assert submission.text[complete.start : complete.end].startswith("密封试验一次合格率")


def test_examples_come_near_to_the_theme_and_the_year() -> None:
    submission = write_up()
    outcome = failed("three_year_data", at(submission, "四、实施成效"))
    plain = given(submission, outcome).items[0].example
    service = given(submission, outcome, focus=Focus(themes={"service": 0.9, "methods": 0.2})).items[0].example
    assert plain != service
    assert set(re.findall(r"20\d\d(?=年)", service)) == {"2019", "2020", "2021"}


def test_advice_is_the_same_again() -> None:
    submission = write_up(background=[], results=["质量水平迈上新台阶。"])
    assert judged(submission) == judged(submission)


@pytest.mark.parametrize("name", [edition.id for edition in editions()])
def test_every_rule_of_every_edition_can_be_advised_on(name: str) -> None:
    edition = rulebook.load(name)
    submission = write_up(edition=name)
    spots: Iterable[str] = ("三、实施过程", "四、实施成效")
    outcomes = [
        Outcome(rule.id, rule.check, rule.basis, rule.clause, "fail", rule.severity, findings=tuple(at(submission, spot) for spot in spots))
        for rule in edition.rules
    ]
    for outcome in outcomes:
        for item in advise(submission, [outcome], edition=edition).items:
            assert "{" not in item.message + item.reason + item.example
            assert item.example
            assert item.reason
