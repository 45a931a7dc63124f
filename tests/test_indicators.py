"""What sentences and tables are read as stating: indicator, year, value."""

from __future__ import annotations

import pytest

from service.captions import captions, mentions, value
from service.indicators import plain, stated
from service.quantities import agree, comparable, fold, quantities, year_groups


def _read(text: str) -> list[tuple[str, int | None, str]]:
    return [(figure.indicator, figure.year, text[figure.start : figure.end]) for figure in stated(text)]


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        (
            "一等品率由2019年的96.1%、2020年的97.4%提高到2021年的98.9%。",
            [("一等品率", 2019, "96.1%"), ("一等品率", 2020, "97.4%"), ("一等品率", 2021, "98.9%")],
        ),
        ("2021年，公司浆纱效率为86.7%，断经率为0.8‰，比2020年低0.2个千分点。", [("浆纱效率", 2021, "86.7%"), ("断经率", 2021, "0.8‰")]),
        (
            "2019—2021年利税依次为4100万元、5200万元和6900万元。",
            [("利税", 2019, "4100万元"), ("利税", 2020, "5200万元"), ("利税", 2021, "6900万元")],
        ),
        ("准点率（含备降）：2021年96.5%，2020年93.1%。", [("准点率", 2021, "96.5%"), ("准点率", 2020, "93.1%")]),
        (
            "旅客满意度近三年分别为88分、90分、93分。",
            [("旅客满意度", None, "88分"), ("旅客满意度", None, "90分"), ("旅客满意度", None, "93分")],
        ),
        ("返修率2020年为3.1%。2021年降到1.9%。", [("返修率", 2020, "3.1%"), ("返修率", 2021, "1.9%")]),
        ("平均候机时间由46分钟缩短到24分钟。", [("平均候机时间", None, "46分钟"), ("平均候机时间", None, "24分钟")]),
        ("2021年瓶盖密封合格率由93.4%提高到97.9%。", [("瓶盖密封合格率", 2021, "97.9%")]),
        ("其中，2021年换模时间从52分钟压缩至31分钟，投诉为9件。", [("换模时间", 2021, "31分钟")]),
        ("瓶盖密封合格率2019年由93.4%提高到2021年的97.9%。", [("瓶盖密封合格率", 2019, "93.4%"), ("瓶盖密封合格率", 2021, "97.9%")]),
        ("2019年改线以来瓶盖密封合格率由93.4%提高到97.9%。", []),
        ("2021年食客评价为4.7分（5分制），2020年为4.5分（满分5分）。", [("食客评价", 2021, "4.7分"), ("食客评价", 2020, "4.5分")]),
        ("12个月返修率2021年为1.2%。", [("12个月返修率", 2021, "1.2%")]),
        ("A线2021年合格率98.1%。", [("A线合格率", 2021, "98.1%")]),
        ("吨水电耗逐年下降，2021年为0.285千瓦时。", [("吨水电耗", 2021, "0.285千瓦时")]),
        ("2021年上半年合格率为98.1%，2021年3月为97.9%。", []),
        ("2021年比2020年提高2.1个百分点，同比下降12%。", []),
        ("第3次评审用了图5和GB/T 19001—2016。", []),
    ],
)
def test_sentences(text: str, figures: list[tuple[str, int | None, str]]) -> None:
    assert _read(text) == figures


def test_names_are_compared_without_what_goes_without_saying() -> None:
    assert plain("公司顾客满意度（第三方）") == plain("客户满意度")
    assert plain("一车间合格率") != plain("合格率")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("99.14%", "99.1%", True),
        ("29.6亿元", "295,800万元", True),
        ("约220ppm", "218ppm", True),
        ("超过40万支", "42万支", True),
        ("70多吨", "74吨", True),
        ("2.27小时", "2.07小时", False),
        ("1420万元", "1240万元", False),
        ("98.7%", "98.2%", False),
        ("８６.４分", "86.4分", True),
    ],
)
def test_rounded_figures_agree(first: str, second: str, same: bool) -> None:
    (one,), (two,) = list(quantities(fold(first))), list(quantities(fold(second)))
    assert comparable(one, two)
    assert agree(one, two) is same


def test_units_that_differ_are_not_compared() -> None:
    (one,), (two,) = list(quantities("12件")), list(quantities("12%"))
    assert not comparable(one, two)


def test_years() -> None:
    assert [group.years for group in year_groups("2019—2021年；2018、2020和2021年。2016年")] == [
        (2019, 2020, 2021),
        (2018, 2020, 2021),
        (2016,),
    ]
    assert [group.partial for group in year_groups("2021年上半年、2021年5月和2020年度")] == [True, True, False]
    assert list(year_groups("生产了2019件，编号2021")) == []


def test_chinese_numbers() -> None:
    assert [value(number) for number in ("三", "十", "十二", "二十", "二十一", "７")] == [3, 10, 12, 20, 21, 7]


def test_caption_mentions_are_not_counted_things(make_submission) -> None:  # type: ignore[no-untyped-def]
    case = {
        "sections": [{"key": "process", "heading": "实施过程", "blocks": ["代表3家企业，填报表5张，试图一次解决；见表2、表4和图1～3。"]}]
    }
    submission = make_submission(case)
    assert captions(submission) == ()
    assert mentions(submission, []) == {("表", "", (2,)), ("表", "", (4,)), ("图", "", (1,)), ("图", "", (2,)), ("图", "", (3,))}


@pytest.mark.parametrize("piece", ["1", "年", "2021年", "表1、", "，2021年12", "1.", "由1到", "（", "2019、", "\t1", "××", "__"])
def test_long_lines_are_read_in_one_pass(piece: str, make_submission) -> None:  # type: ignore[no-untyped-def]
    """Every pattern of the checks on content is bounded; a line of a hundred thousand characters ends."""
    from service import checks, rulebook

    line = (piece * 100_000)[:100_000]
    submission = make_submission({"sections": [{"key": "results", "heading": "实施成效", "blocks": [line, {"caption": "表1 甲"}]}]})
    rules = [rule for rule in rulebook.load("2022-hebei").rules if rule.check in CONTENT]
    assert len(checks.run(submission, rules)) == len(rules)


CONTENT = {
    "three_year_data",
    "benchmark_comparison",
    "quantified_results",
    "vague_claims",
    "year_consistency",
    "table_caption",
    "figure_caption",
    "caption_position",
    "caption_numbering",
    "figure_referenced",
    "secret_marking",
    "personal_data",
    "placeholder",
}


@pytest.mark.parametrize(
    ("text", "units"),
    [("由2.3次/台·天降到1.1次/台·天。", ["次/台·天", "次/台·天"]), ("运费为23元/吨·公里", ["元/吨·公里"]), ("5.6件/百万台", ["件/百万台"])],
)
def test_units_of_two_parts_are_whole(text: str, units: list[str]) -> None:
    assert [quantity.unit for quantity in quantities(fold(text))] == units
