"""Help: a page for each role, its own first; codes that messages lead to; pictures that are small and described."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from test_parts import Tags

from service.web import rendering
from service.web.pages import help as pages

OWN = {
    "applicant": {"applicant", "report", "errors"},
    "unit": {"unit", "report", "errors"},
    "reviewer": {"reviewer", "report", "errors"},
    "office": {"office", "applicant", "unit", "reviewer", "report", "errors"},
    "admin": {"admin", "office", "applicant", "unit", "reviewer", "report", "errors"},
}


@pytest.mark.parametrize("role", sorted(OWN))
def test_each_role_has_its_page_first_and_no_other_than_it_may_use(site: Any, role: str) -> None:
    client = site.as_(role)
    answer = client.get("/help")
    assert answer.url.path == f"/help/{role}"
    tags = Tags(answer.text)
    shown = [values["href"] for tag, values in tags.all if tag == "a" and (values.get("href") or "").startswith("/help/")]
    assert shown[0] == f"/help/{role}"
    assert {href.rpartition("/")[2] for href in shown if href} == OWN[role]
    for key, *_ in pages._TOPICS:
        assert client.get(f"/help/{key}").status_code == (200 if key in OWN[role] else 404)


def test_help_speaks_of_pages_that_there_are(site: Any) -> None:
    """Every page that a help page leads to answers, for its role."""
    for role in OWN:
        client = site.as_(role)
        html = client.get(f"/help/{role}").text.partition('class="prose')[2]
        missing = [href for href in re.findall(r'<a href="(/[a-z/]*)"', html) if client.get(href).status_code != 200]
        assert missing == []


def test_codes_can_be_linked_to(site: Any) -> None:
    html = site.as_("applicant").get("/help/errors").text
    assert '<tr id="not_found">' in html
    assert "{{" not in html and "{%" not in html


def test_a_topic_that_there_is_not_is_not_found(site: Any) -> None:
    assert site.as_("office").get("/help/nothing").status_code == 404
    assert site.as_(None).get("/help", follow_redirects=False).headers["location"].startswith("/sign-in")


def test_pictures_are_small_and_used() -> None:
    folder: Path = rendering.STATIC[0] / "help"
    templates = Path(pages.__file__).parent.parent / "templates" / "help"
    used = {name for path in templates.glob("*.j2") for name in re.findall(r"picture\('([\w-]+\.webp)'", path.read_text("utf-8"))}
    kept = {path.name for path in folder.glob("*.webp")}
    assert kept <= used
    assert all(path.stat().st_size < 160_000 for path in folder.glob("*.webp"))
