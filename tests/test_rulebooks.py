"""Every edition loads, cites its clauses, fills its messages; a faulty rulebook stops with file, line and mend."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Any

import pytest
from documents_made import make_submission

from service import checks, rulebook
from service.errors import ServiceError
from service.model import Edition, Rule

FOLDER = Path(rulebook.__file__).parent / "rulebooks"
IDS = ("2014-miit", "2016-jiangsu", "2021-zhumadian", "2022-hebei", "2024-caq")
THEMES = {
    "tqm",
    "methods",
    "digitalization",
    "reliability",
    "process_control",
    "supply_chain",
    "breakthrough",
    "customer",
    "brand",
    "culture",
    "service",
    "lifecycle",
}
# Basis and severity of every check by edition, from the contract: N notice, P programme, O ours; E error, W warning, A advice;
# ? unavailable.
TABLE: dict[str, tuple[str, str, str, str, str]] = {
    "title_length": ("", "", "?", "NE", "?"),
    "title_form": ("NW", "NW", "?", "NW", "?"),
    "section_present": ("NE NE NW", "?", "?", "NE", "PW"),
    "section_order": ("NW", "?", "?", "NW", "PW"),
    "section_length": ("NE NE NE NW", "?", "?", "NE NE NE NE", ""),
    "total_length": ("", "", "?", "", "NW NA"),
    "heading_levels": ("", "", "", "NW OW OW", "OW OW"),
    "three_year_data": ("NW", "", "", "NW", "PW"),
    "benchmark_comparison": ("", "", "NW", "NW", "NW"),
    "quantified_results": ("OW",) * 5,
    "vague_claims": ("OW",) * 5,
    "year_consistency": ("OW",) * 5,
    "maturity_years": ("NW", "NW", "", "", ""),
    "table_caption": ("NW", "", "", "NW", "OW"),
    "figure_caption": ("NW", "", "", "NW", "OW"),
    "caption_position": ("NW", "", "", "NW", "OW"),
    "caption_numbering": ("OW", "OW", "OW", "NW", "OW"),
    "figure_referenced": ("OW",) * 5,
    "secret_marking": ("OE", "OE", "OE", "NE", "OE"),
    "personal_data": ("OW",) * 5,
    "placeholder": ("OW",) * 5,
    "page_format": ("NW", "", "", "NW", ""),
    "title_format": ("", "", "", "NW", ""),
    "body_format": ("NW", "", "", "NW", ""),
    "heading_format": ("NW NW", "", "", "NW", ""),
}
AREAS = {
    "2014-miit": "double_zero tsq onsite_qc lean dfss excellence",
    "2016-jiangsu": "brand methods activities capability culture informatization service_manufacturing service_standards"
    " lifecycle customer",
    "2021-zhumadian": "industrial_base sme scope_methods scope_data scope_models scope_sme scope_services scope_welfare",
    "2022-hebei": "system digitalization reliability process_control methods sme",
    "2024-caq": "tqm digitalization breakthrough supply_chain",
}
# What a placeholder may hold, as long as it gets.
SAMPLES: dict[str, str | int] = {
    "section": "四、实施成效",
    "measured": 12345,
    "allowed": 10000,
    "excess": 2345,
    "difference": 2345,
    "count": 12,
    "total": 30,
    "words": 1026,
    "ordinal": 3,
    "share": "86%",
    "tolerance": "2%",
}


@pytest.fixture(params=IDS)
def edition(request: pytest.FixtureRequest) -> Edition:
    return rulebook.load(request.param)


def _rules() -> list[Rule]:
    return [rule for edition in IDS for rule in rulebook.load(edition).rules]


def test_editions_are_listed_without_reading_their_rules() -> None:
    assert tuple(item.id for item in rulebook.editions()) == IDS
    assert {item.year for item in rulebook.editions()} == {2014, 2016, 2021, 2022, 2024}
    for item in rulebook.editions():
        full = rulebook.load(item.id)
        assert (item.name, item.document, item.issuer, item.date) == (full.name, full.document, full.issuer, full.date)


def test_an_unknown_edition_lists_the_choices() -> None:
    with pytest.raises(ServiceError) as caught:
        rulebook.load("2023-nowhere")
    assert caught.value.code == "edition_unknown"
    for item in rulebook.editions():
        assert item.id in caught.value.message
        assert item.name in caught.value.message


def test_rules_are_those_of_the_contract(edition: Edition) -> None:
    place = IDS.index(edition.id)
    basis = {"notice": "N", "programme": "P", "ours": "O"}
    severity = {"error": "E", "warning": "W", "advice": "A"}
    for check, row in TABLE.items():
        rules = [rule for rule in edition.rules if rule.check == check]
        shown = ["?" if rule.unavailable else basis[rule.basis] + severity[rule.severity] for rule in rules]
        assert " ".join(shown) == row[place], f"{check} in {edition.id}"
    assert {rule.check for rule in edition.rules} <= set(TABLE)


def test_every_check_is_asked_for_by_some_edition() -> None:
    assert {rule.check for rule in _rules() if not rule.unavailable} == set(checks.names())


def test_rules_cite_their_clause_and_say_why_they_cannot_be_judged(edition: Edition) -> None:
    for rule in edition.rules:
        assert rule.id.startswith(f"{edition.id}/")
        if rule.basis == "notice":
            assert rule.clause and re.search(r"[一二三四五六七八九十附]", rule.clause)
        if rule.unavailable:
            assert rule.params is None
            assert "不判断" in rule.unavailable and rule.unavailable.endswith("。")


@pytest.mark.parametrize("rule", [rule for rule in _rules() if not rule.unavailable], ids=lambda rule: rule.id)
def test_message_filled_reads_well(rule: Rule) -> None:
    names = {name for _, name, _, _ in string.Formatter().parse(rule.message) if name}
    message = rule.message.format_map({name: SAMPLES.get(name, f"{name}例") for name in names})
    assert not re.search(r"[{}]", message)
    assert message.endswith("。") and "。。" not in message and "  " not in message
    assert 15 <= len(message) <= 160, len(message)
    assert re.search(r"请|建议", message), "how to mend it is not said"
    assert not re.search(r"[a-z]{3,}", re.sub(r"[a-z_]+例|Word", "", message)), "English words in a Chinese message"
    for left, right in ("“”", "「」", "（）"):
        assert message.count(left) == message.count(right)


def test_areas_are_those_of_the_contract(edition: Edition) -> None:
    assert [area.id for area in edition.areas] == AREAS[edition.id].split()
    for area in edition.areas:
        assert area.name and area.wording and area.clause
        assert set(area.themes) <= THEMES
    scope = [area.id for area in edition.areas if area.group == "scope"]
    assert scope == [area.id for area in edition.areas if area.id.startswith("scope_")]


def test_sections_of_the_editions() -> None:
    required = {edition: [spec.key for spec in rulebook.load(edition).sections if spec.required] for edition in IDS}
    four = ["overview", "background", "process", "results"]
    assert required["2022-hebei"] == required["2024-caq"] == four
    assert required["2016-jiangsu"] == required["2021-zhumadian"] == []
    assert required["2014-miit"] == ["abstract", *four, "lessons", "extension"]
    for edition in IDS:
        headings = [name for spec in rulebook.load(edition).sections for name in {spec.name, *spec.headings}]
        assert len(headings) == len(set(headings)), "a heading that is accepted for two sections decides nothing"


def test_limits_of_2022_are_judged_end_to_end() -> None:
    edition = rulebook.load("2022-hebei")
    section = {"key": "overview", "heading": "一、企业概况", "blocks": ["公" * 511]}
    outcomes = {outcome.rule: outcome for outcome in checks.run(make_submission({"sections": [section]}), edition.rules)}
    length = outcomes["2022-hebei/2.2"]
    assert (length.verdict, length.severity, length.clause) == ("fail", "error", "附件2 一、2")
    assert length.findings[0].message.startswith("「一、企业概况」现为511字，超过500字以内的要求")
    assert (length.findings[0].measured, length.findings[0].allowed) == (511, 500)
    assert outcomes["2022-hebei/2.3"].verdict == "not_checked"
    assert [finding.message for finding in outcomes["2022-hebei/2.1"].findings if "实施背景" in finding.message]


def test_within_the_tolerance_is_no_fault() -> None:
    section = {"key": "overview", "heading": "一、企业概况", "blocks": ["公" * 510]}
    outcomes = {
        outcome.rule: outcome for outcome in checks.run(make_submission({"sections": [section]}), rulebook.load("2022-hebei").rules)
    }
    assert outcomes["2022-hebei/2.2"].verdict == "pass"


def test_outcomes_keep_the_rulebooks_order(edition: Edition) -> None:
    outcomes = checks.run(make_submission({"title": "实施精益管理的经验"}), edition.rules)
    assert [outcome.rule for outcome in outcomes] == [rule.id for rule in edition.rules]
    for outcome in outcomes:
        assert (outcome.verdict == "not_checked") == (outcome.reason is not None)
        assert (outcome.verdict == "fail") == bool(outcome.findings)


def test_what_is_no_writeup_is_not_judged(edition: Edition) -> None:
    outcomes = checks.run(make_submission({"is_writeup": False}), edition.rules)
    assert {outcome.verdict for outcome in outcomes} == {"not_checked"}


def test_findings_stand_in_order_of_place() -> None:
    rule = next(rule for rule in rulebook.load("2022-hebei").rules if rule.check == "section_present")
    findings = checks.run(make_submission({"title": "实施精益管理的经验"}), [rule])[0].findings
    assert len(findings) == 4
    assert [finding.start for finding in findings] == sorted(finding.start for finding in findings)


RULE = """
[[rule]]
id = "x/1"
check = "section_length"
basis = "notice"
clause = "一"
severity = "error"
message = "「{section}」现为{measured}字。"
params = { sections = ["overview"], max = 500 }
"""
BOOK = f"""[edition]
id = "x"
name = "某年"
document = "某〔2030〕1号"
issuer = "某厅"
year = 2030
count = "word"
tolerance = 0.02
choice = "several"

[[section]]
key = "overview"
name = "企业概况"
required = true

[[area]]
id = "tqm"
name = "全面质量管理"
wording = "全面质量管理"
clause = "二"
themes = ["tqm"]
{RULE}"""


def _line(text: str, fragment: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if fragment in line)


@pytest.mark.parametrize(
    ("old", "new", "fragment", "told"),
    [
        ("{measured}", "{mesured}", "mesured", ["mesured", "measured"]),
        ("{measured}", "{measured:d}", "measured:d", ["{measured:d}"]),
        ("{measured}", "{measured", "message =", ["花括号"]),
        ("max = 500", 'max = "500"', "params =", ["max", "应为整数", "500"]),
        ("max = 500", "maximum = 500", "params =", ["maximum", "max"]),
        (", max = 500", "", "params =", ["max", "没有写"]),
        ('["overview"]', '["overveiw"]', "params =", ["overveiw", "overview"]),
        ('["overview"]', '"@no_such_list"', "params =", ["@no_such_list", "lexicon"]),
        ('severity = "error"', 'severety = "error"', "[[rule]]", ["severity"]),
        ('severity = "error"', 'severity = "error"\nserious = true', "serious", ["serious"]),
        ('severity = "error"', 'severity = "fatal"', "fatal", ["fatal", "warning"]),
        ('clause = "一"\n', "", "basis =", ["clause"]),
        ('"section_length"', '"section_lenght"', "section_lenght", ["section_lenght", "section_length"]),
        ('message = "「{section}」现为{measured}字。"\n', "", "[[rule]]", ["message"]),
        ("required = true", "required = 1", "required", ["required", "true"]),
        ('issuer = "某厅"\n', "", "[edition]", ["issuer"]),
        ('themes = ["tqm"]', 'themes = ["tqm"', "", ["TOML"]),
        ('severity = "error"', 'severity = "error"\nunavailable = "缺附件。"', "unavailable", ["params"]),
        ('themes = ["tqm"]', 'themes = ["tqn"]', "themes =", ["tqn", "tqm"]),
        ('themes = ["tqm"]', 'themes = []\nby_facts = true\nfacts = ["smal"]', 'facts = ["smal"]', ["smal", "small"]),
        ('themes = ["tqm"]', "themes = []", "[[area]]", ["themes", "facts"]),
        ('choice = "several"', 'choice = "any"', "choice =", ["one", "several"]),
    ],
)
def test_a_faulty_rulebook_stops_with_file_line_and_mend(old: str, new: str, fragment: str, told: list[str]) -> None:
    assert old in BOOK
    text = BOOK.replace(old, new)
    with pytest.raises(ServiceError) as caught:
        rulebook.read(text.encode(), name="x.toml")
    message = caught.value.message
    assert caught.value.code == "rulebook_invalid"
    if fragment:
        assert f"x.toml 第 {_line(text, fragment)} 行" in message
    for part in ["x.toml", "请", *told]:
        assert part in message


def test_a_sound_rulebook_is_read_and_bound() -> None:
    edition = rulebook.read(BOOK.encode(), name="x.toml")
    params: Any = edition.rules[0].params
    assert (params.max, params.sections, params.tolerance) == (500, ("overview",), 0.02)
    assert edition.date is None
    assert len(edition.hash) == 64


def test_a_duplicate_is_named_at_its_second_place() -> None:
    text = BOOK + RULE
    with pytest.raises(ServiceError, match="重复") as caught:
        rulebook.read(text.encode(), name="x.toml")
    second = [number for number, line in enumerate(text.splitlines(), 1) if line == 'id = "x/1"'][1]
    assert f"第 {second} 行" in caught.value.message


def test_the_hash_is_the_files(edition: Edition) -> None:
    import hashlib

    assert edition.hash == hashlib.sha256((FOLDER / f"{edition.id}.toml").read_bytes()).hexdigest()
