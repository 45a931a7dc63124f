"""What an enterprise is: told by its own names and numbers, never by those of others."""

from __future__ import annotations

import pytest
from documents_made import make_submission

from service import facts
from service.model import Submission

TITLE = "实施热机参数分级管理的经验"


def about(overview: str, *, title: str = TITLE, process: str = "项目组按工序逐条梳理。") -> Submission:
    sections = [
        {"key": "overview", "heading": "一、企业概况", "blocks": [overview]},
        {"key": "process", "heading": "二、实施过程", "blocks": [process]},
    ]
    return make_submission({"title": title, "sections": sections})


def shown(submission: Submission, *names: str) -> tuple[str, tuple[str, ...]] | None:
    """The sentence that shows one of the facts, and its terms; None where none is shown."""
    place = facts.find(submission, names)
    return None if place is None else (submission.text[place.start : place.end], place.terms)


@pytest.mark.parametrize(
    "numbers",
    [
        "现有员工260人，2021年营业收入1.3亿元。",
        "现有员工860人，2021年营业收入3.2亿元。",
        "现有职工120人，厂房两万平方米。",
        "公司在册员工145名，年营业收入9800万元。",
    ],
)
def test_a_small_firm_by_its_own_numbers(numbers: str) -> None:
    found = shown(about(f"河北柏渚弹簧厂建于1998年，主要产品是座椅弹簧。{numbers}产品销往十二个省。"), "small")
    assert found is not None
    sentence, terms = found
    assert sentence == numbers
    assert terms
    assert all(term in sentence for term in terms)


@pytest.mark.parametrize(
    "numbers",
    [
        "现有员工5200人，2021年营业收入64亿元。",
        "现有员工260人，2021年营业收入18亿元。",  # few people, but a large firm by what it earns
        "现有职工1000人，2021年营业收入2亿元。",  # the limit itself is no longer below it
        "现有员工860人，厂房两万平方米。",  # too many to tell without the revenue
        "现有员工12 160人，2021年营业收入3亿元。",  # a blank inside the figure
        "其中研发人员86人，质量团队24人。",
        "主要产品是座椅弹簧。",
    ],
)
def test_large_or_unknown_is_not_small(numbers: str) -> None:
    assert shown(about(f"河北柏渚弹簧厂建于1998年。{numbers}"), "small") is None


def test_the_largest_number_of_people_counts() -> None:
    assert shown(about("集团现有员工3600人。其中弹簧分厂员工180人，2021年营业收入2亿元。"), "small") is None


def test_numbers_outside_the_overview_do_not_count() -> None:
    assert shown(about("主要产品是座椅弹簧。", process="现有员工90人，年营业收入6000万元的分厂先行试点。"), "small") is None


def test_a_title_of_its_own() -> None:
    told = about("河北柏渚弹簧厂是省级专精特新企业，主要产品是座椅弹簧。2020年扩建。")
    assert shown(told, "specialised") == ("河北柏渚弹簧厂是省级专精特新企业，主要产品是座椅弹簧。", ("专精特新",))
    assert shown(about("建于1998年。", title="专精特新企业实施热机参数分级管理的经验"), "specialised") is not None


@pytest.mark.parametrize(
    "told",
    [
        "公司与14家专精特新供应商签订联合改进协议。",
        "产品配套给多家小巨人客户。",
        "五年来培育了专精特新厂家六户。",
        "公司主要服务于中小企业之一类的用户，帮扶专精特新企业三户。",
    ],
)
def test_others_titles_do_not_count(told: str) -> None:
    assert shown(about(f"河北柏渚集团建于1968年。{told}"), "specialised") is None


def test_its_own_title_beside_others() -> None:
    found = shown(about("公司是专精特新企业，并带动供应商改进。"), "specialised")
    assert found == ("公司是专精特新企业，并带动供应商改进。", ("专精特新",))


def test_a_title_in_the_process_does_not_count() -> None:
    assert shown(about("主要产品是座椅弹簧。", process="学习专精特新企业的做法。"), "specialised") is None


def test_the_first_fact_that_is_shown() -> None:
    told = about("公司是省级专精特新企业。现有员工120人。")
    assert shown(told, "specialised", "small") == ("公司是省级专精特新企业。", ("专精特新",))
    first = shown(told, "small", "specialised")
    assert first is not None
    assert first[0] == "现有员工120人。"
    assert shown(told) is None


def test_without_an_overview_nothing_is_concluded() -> None:
    process = {"key": "process", "heading": "一、实施过程", "blocks": ["现有员工120人的班组先试。"]}
    assert shown(make_submission({"title": TITLE, "sections": [process]}), "specialised", "small") is None
    assert shown(make_submission({}), "specialised", "small") is None
