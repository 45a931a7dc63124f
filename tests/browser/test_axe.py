"""Every page of every role at two widths: nothing serious or critical for axe-core, no script error, nothing refused by the policy.

The pages are those of screenshots.py, and whatever else their links lead to. Pictures: out/screenshots/.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import Any

import pytest
import screenshots
from live_service import Live
from playwright.sync_api import Browser, Page
from sqlalchemy import text

pytestmark = pytest.mark.slow
ROLES = ("demo-applicant", "demo-unit", "demo-reviewer", "demo-office", "demo-admin")
HOMES = {"demo-admin": ("/dashboard", "/admin/users"), "demo-reviewer": ("/reviews", "/reviews/1?pane=comment", "/reviews/1?pane=similar")}
_LINKS = """
[...document.querySelectorAll('main a[href], nav a[href], header a[href]')].map((a) => new URL(a.getAttribute('href'), location).href)
"""
MOST = 24  # pages of a role that are gone to
# No pages: files, and what a link in a text of the report leads to.
_NO_PAGE = re.compile(r"\.(docx|xlsx|zip|html|txt|jsonl?|csv)$|/file$|/static/|/export|/sign-out|/oidc/")


def ones(live: Live) -> dict[str, Any]:
    with live.engine.connect() as db:
        return {name: db.execute(text(query)).scalar() for name, query in screenshots.ONES.items()}


def people(live: Live) -> dict[str, str]:
    with live.engine.begin() as db:
        return screenshots._people(db)


def test_every_page_is_accessible(live: Live, browser: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    options = argparse.Namespace(url=live.url, only="", dark=False, help_pictures=False)
    failed = screenshots._take_all(browser, options, people(live), ones(live))
    told = [line for line in capsys.readouterr().out.splitlines() if "nothing to show" not in line]
    assert failed == 0 or not told, "\n".join(told)


@pytest.mark.parametrize("who", ROLES)
def test_so_is_what_links_lead_to(live: Live, browser: Browser, who: str) -> None:
    context = live.context(browser, width=820)
    page = live.enter(context, who)
    wrong = screenshots._listen(page)
    told = []
    for address in crawled(page, live, HOMES.get(who, ("/",))):
        told += [f"{address}: {line}" for line in (*screenshots._take(page, live.url, address, {}, f"{who}-820"), *wrong)]
        wrong.clear()
    context.close()
    assert told == []


def crawled(page: Page, live: Live, homes: tuple[str, ...]) -> Iterator[str]:
    """Addresses that links lead to from these pages on, one of each kind; the caller is on the page when the next is asked for."""
    waiting, seen = list(homes), {kind(home) for home in homes}
    given = 0
    while waiting and given < MOST:
        given += 1
        here = waiting.pop(0)
        yield here
        if here.startswith("/help"):
            continue  # tells of other roles' pages
        for href in page.evaluate(_LINKS):
            address = href.removeprefix(live.url).partition("#")[0]
            if href.startswith(live.url) and address and not _NO_PAGE.search(address.partition("?")[0]) and kind(address) not in seen:
                seen.add(kind(address))
                waiting.append(address)


def kind(address: str) -> str:
    """The address without what tells one thing from another: /drafts/#, /submissions?state=."""
    path, _, query = address.partition("?")
    parts = ["#" if re.search(r"\d|%", part) else part for part in path.split("/")]
    if "#" in parts:  # of one thing: the filter that it was opened from changes nothing
        return "/".join(parts)
    names = sorted({one.partition("=")[0] for one in query.split("&") if one})
    return "/".join(parts) + ("?" + "&".join(names[:1]) if names else "")
