"""Editions: every rulebook as a card and readable in full, for every role."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from service import rulebook
from service.database.programme_tables import rounds
from service.render.edition import edition_shown

_ROLES = ("admin", "office", "reviewer", "applicant", "unit")
_IDS = [each.id for each in rulebook.editions()]


@pytest.mark.parametrize("role", _ROLES)
def test_every_role_reads_every_edition(site: Any, role: str) -> None:
    client = site.as_(role)
    cards = client.get("/editions")
    assert cards.status_code == 200
    for edition in map(rulebook.load, _IDS):
        assert edition.document in cards.text
        assert f"/editions/{edition.id}" in cards.text
    assert client.get("/editions/2022-hebei").status_code == 200


@pytest.mark.parametrize("edition_id", _IDS)
def test_a_page_holds_every_rule_with_its_clause(site: Any, edition_id: str) -> None:
    edition = rulebook.load(edition_id)
    page = site.as_("applicant").get(f"/editions/{edition_id}").text
    for rule in edition.rules:
        assert rule.id in page
        if rule.clause:
            assert rule.clause in page
        if rule.unavailable:
            assert rule.unavailable in page
    for area in edition.areas:
        assert area.wording in page
    for criterion in edition.criteria:
        assert criterion.wording in page
    assert "{" not in page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("edition_id", _IDS)
def test_every_slot_of_a_message_has_chinese_words(edition_id: str) -> None:
    for rule in edition_shown(rulebook.load(edition_id)).rules:
        assert rule.message
        for piece in rule.message:
            assert not piece.slot or not piece.text.isascii(), (rule.rule.id, piece.text)


def test_rules_are_shown_by_severity_errors_first() -> None:
    shown = edition_shown(rulebook.load("2022-hebei"))
    severities = [severity for severity, _ in shown.by_severity]
    assert severities == sorted(severities, key=("error", "warning", "advice").index)
    assert sum(len(rules) for _, rules in shown.by_severity) == len(shown.rules)
    assert len(shown.rules) + len(shown.unjudged) == len(shown.edition.rules)


def test_a_section_limit_is_told_where_a_rule_names_one_section() -> None:
    shown = edition_shown(rulebook.load("2022-hebei"))
    lengths = [each for each in shown.rules if each.rule.check == "section_length"]
    told = next(each.plain for each in lengths if len(getattr(each.rule.params, "sections", ())) == 1)
    assert "〔部分〕" not in told
    assert "〔要求〕" not in told
    assert "〔实测〕" in told


def test_deadlines_are_told(site: Any) -> None:
    closes = date.today() + timedelta(days=12)  # noqa: DTZ011
    with site.connection() as db:
        db.execute(rounds.insert().values(edition="2024-caq", accepting=True, closes_on=closes, note="纸质件同日送达<b>"))
        db.execute(rounds.insert().values(edition="2014-miit", accepting=False))
    page = site.as_("applicant").get("/editions").text
    assert f"{closes.isoformat()} 截止" in page
    assert "纸质件同日送达&lt;b&gt;" in page
    assert "不再受理" in page
    assert page.index("/editions/2024-caq") < page.index("/editions/2022-hebei"), "what accepts stands first"


def test_an_unknown_edition_is_not_there(site: Any) -> None:
    answer = site.as_("office").get("/editions/1999-mars")
    assert answer.status_code == 404
    assert "没有找到" in answer.text


def test_who_is_not_signed_in_sees_nothing(site: Any) -> None:
    assert site.as_(None).get("/editions", follow_redirects=False).status_code == 303
