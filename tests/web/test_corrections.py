"""Corrected focus areas become labelled write-ups for training."""

from __future__ import annotations

from typing import Any

import pytest
from office_desk import hand_in, text, viewer

from service import rulebook
from service.cli import main
from service.errors import ServiceError
from service.programme import analyses, triage
from service.programme.corrected import themes_of, writeups

EDITION = rulebook.load("2024-caq")


def correct(site: Any, id_: int, *areas: str) -> None:
    with site.connection() as db:
        triage.correct_area(db, viewer(site, "office"), id_, areas, edition=EDITION)


def test_a_correction_is_a_write_up_with_the_themes_of_its_areas(site: Any) -> None:
    by_facts = next((area.id for area in EDITION.areas if area.by_facts), None)
    areas = [area for area in EDITION.areas if area.themes and not area.by_facts]
    first, second = areas[0], areas[1]
    made = hand_in(site, text(process="联系人电话13912345678。质量部成立项目小组。"))
    other, withdrawn = hand_in(site, text(title="另一份")), hand_in(site, text(title="撤回的一份"))
    site.run_jobs()
    correct(site, made.id, second.id)
    correct(site, made.id, first.id, second.id)  # the last one counts
    correct(site, withdrawn.id, first.id)
    with site.connection() as db:
        triage.decide(db, viewer(site, "office"), withdrawn.id, "withdraw")
        found, unused = writeups(db)
    assert unused == 0
    assert [each.id for each in found] == [f"submission-{made.id}"]
    assert found[0].primary in first.themes
    assert set(found[0].secondary) <= set(second.themes)
    assert any("质量部成立项目小组" in each.text for each in found[0].paragraphs)
    assert not any("13912345678" in each.text for each in found[0].paragraphs)
    assert any(each.kind == "heading" for each in found[0].paragraphs)
    if by_facts is not None:
        correct(site, other.id, by_facts)
        with site.connection() as db:
            assert writeups(db)[1] == 1


def test_of_several_themes_the_one_that_the_text_carries_is_meant(site: Any) -> None:
    made = hand_in(site)
    site.run_jobs()
    area = next((area for area in EDITION.areas if len(area.themes) > 1 and not area.by_facts), None)
    if area is None:
        pytest.skip("no area of the edition has several themes")
    with site.connection() as db:
        report = analyses.report(db, 1, file_name="x.md")
    assert report is not None
    assert report.focus is not None
    chosen = themes_of([area.id], EDITION, report)
    assert chosen == (max(area.themes, key=lambda theme: report.focus.themes.get(theme, 0.0)),)
    assert themes_of(["no-such-area"], EDITION, report) is None
    assert made.number.endswith("0001")


def test_only_the_focus_model_learns_from_corrections(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "sections", "--with-corrections"]) == 2
    assert "--with-corrections 只用于" in capsys.readouterr().err


def test_the_command_hands_the_corrections_on(site: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from service.train import command

    made = hand_in(site)
    site.run_jobs()
    area = next(area for area in EDITION.areas if area.themes and not area.by_facts)
    correct(site, made.id, area.id)
    given: list[Any] = []
    monkeypatch.setattr(command, "run", lambda name, folders, corrected, tell: given.extend(corrected) or {})
    monkeypatch.setenv("BIAOGAN_DATABASE_URL", site.place.database)
    assert main(["train", "focus", "--with-corrections"]) == 0
    assert [each.id for each in given] == [f"submission-{made.id}"]
    assert "更正过方向的材料 1 份" in capsys.readouterr().err


def test_an_area_must_be_of_the_edition(site: Any) -> None:
    made = hand_in(site)
    for areas in ((), ("no-such-area",)):
        with pytest.raises(ServiceError, match="重点方向"):
            correct(site, made.id, *areas)
