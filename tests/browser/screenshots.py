"""Pictures of every page at 1440 and 820 pixels into out/screenshots/, with what axe-core says of each; and the pictures of the help.

    BIAOGAN_DATA_DIR=out/demo biaogan demo && BIAOGAN_DATA_DIR=out/demo biaogan serve --port 8731 &
    BIAOGAN_DATA_DIR=out/demo python tests/browser/screenshots.py http://127.0.0.1:8731 [--only WORD] [--dark] [--help-pictures]

The database is the demonstration's: sessions are opened for its accounts alone. Exit code 1 where a page fails or axe-core finds something
that is serious or critical.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import Connection, text

from service import settings
from service.database.engine import closing, connect
from service.database.place import Place
from service.programme import sessions

CHROMIUM = os.environ.get("BIAOGAN_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--headless", "--disable-background-networking"]
ROOT = Path(__file__).parents[2]
OUT = ROOT / "out" / "screenshots"
HELP = ROOT / "service" / "web" / "static" / "help"
WIDTHS = (1440, 820)
SERIOUS = frozenset({"serious", "critical"})

# One of each that the pages of single things are taken of.
_OF = "JOIN users u ON u.id ="
_FIRST = "ORDER BY a.id LIMIT 1"
ONES = {
    "submission": "SELECT id FROM submissions WHERE state = 'received' ORDER BY id LIMIT 1",
    "of_unit": f"SELECT a.id FROM submissions a JOIN users u ON u.unit = a.unit WHERE u.name = 'demo-unit' {_FIRST}",
    "returned": "SELECT id FROM submissions WHERE state = 'returned' ORDER BY id LIMIT 1",
    "own": f"SELECT a.id FROM submissions a {_OF} a.owner WHERE u.name = 'demo-applicant' {_FIRST}",
    "receipt": f"SELECT v.receipt FROM submission_versions v {_OF} v.by WHERE u.name = 'demo-applicant' ORDER BY 1 LIMIT 1",
    "one": "SELECT one FROM similar_submissions ORDER BY one LIMIT 1",
    "other": "SELECT other FROM similar_submissions ORDER BY one LIMIT 1",
    "draft": "SELECT id FROM drafts ORDER BY created_at LIMIT 1",
    "batch": "SELECT id FROM batches ORDER BY id LIMIT 1",
    "unit": "SELECT id FROM units ORDER BY id LIMIT 1",
    "assignment": f"SELECT a.id FROM assignments a {_OF} a.reviewer WHERE u.name = 'demo-reviewer' AND NOT a.conflict {_FIRST}",
    "undeclared": f"SELECT a.id FROM assignments a {_OF} a.reviewer WHERE u.name = 'demo-reviewer' AND a.conflict IS NULL {_FIRST}",
    "benchmark": "SELECT id FROM benchmarks ORDER BY id LIMIT 1",
    "another": "SELECT id FROM benchmarks ORDER BY id OFFSET 1 LIMIT 1",
}
PAGES: dict[str | None, str] = {
    None: "/sign-in /nothing-here",
    "demo-applicant": """/drafts /drafts/new /drafts/{draft} /drafts/{draft}/compare?from=1&to=2 /drafts/{draft}/submit /my /my/{own}
        /receipts/{receipt} /editions /editions/2024-caq /account /help/applicant /help/report /help/errors""",
    "demo-unit": "/submissions /submissions/{of_unit} /units /help/unit",
    "demo-reviewer": """/reviews /reviews/{undeclared} /reviews/{assignment} /library /library/{benchmark}
        /library/compare?a={benchmark}&b={another} /help/reviewer""",
    "demo-office": """/dashboard /submissions /submissions?q=nothing /submissions/{submission} /submissions/{submission}/return
        /submissions/{submission}/edit /submissions/{submission}/assign /submissions/{one}/similar/{other} /submissions/{returned}
        /submissions/export /batches /batches/new /batches/{batch} /units /units/{unit} /findings /reviews/assign /reviews/overview
        /library/new /library/import /library/{benchmark}/edit /help/office""",
    "demo-admin": "/admin/users /admin/units /admin/rounds /admin/events /admin/system /help/admin",
}
# Picture of the help: who, which page, which part of it (the top 750 pixels at 1200 where nothing else is said), scrolled so far.
PICTURES: dict[str, tuple[str, str, int]] = {
    "draft-new.webp": ("demo-applicant", "/drafts/new", 0),
    "draft-report.webp": ("demo-applicant", "/drafts/{draft}", 0),
    "report.webp": ("demo-office", "/submissions/{submission}", 0),
    "unit-submissions.webp": ("demo-unit", "/submissions", 0),
    "review.webp": ("demo-reviewer", "/reviews/{assignment}", 0),
    "batch.webp": ("demo-office", "/batches/{batch}", 0),
    "submissions.webp": ("demo-office", "/submissions", 0),
    "dashboard.webp": ("demo-office", "/dashboard", 0),
    "admin-users.webp": ("demo-admin", "/admin/users", 0),
}


def main() -> int:
    options = _options()
    wanted = settings.read()
    with closing(connect(Place(wanted.data, wanted.database, wanted.files))) as engine, engine.begin() as connection:
        ones = {name: connection.execute(text(query)).scalar() for name, query in ONES.items()}
        people = _people(connection)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            if options.help_pictures:
                return _take_pictures(browser, options.url, people, ones)
            return _take_all(browser, options, people, ones)
        finally:
            browser.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--only", default="", help="only addresses that contain this")
    parser.add_argument("--dark", action="store_true", help="in dark colours as well")
    parser.add_argument("--help-pictures", action="store_true", help="make the pictures of the help instead")
    return parser.parse_args()


def _people(connection: Connection) -> dict[str, str]:
    """A new session of each demonstration account."""
    rows = connection.execute(text("SELECT id, name FROM users WHERE name LIKE 'demo-%' AND active")).all()
    return {row.name: sessions.open_session(connection, row.id, hours=1) for row in rows}


def _take_all(browser: Browser, options: argparse.Namespace, people: dict[str, str], ones: dict[str, Any]) -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    failed = 0
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark") if options.dark else ("light",)
    for scheme in schemes:
        for width in WIDTHS:
            for who, addresses in PAGES.items():
                context = _context(browser, options.url, people.get(who or ""), width=width, height=1000, scheme=scheme)
                page = context.new_page()
                wrong = _listen(page)
                for address in addresses.split():
                    if options.only not in address:
                        continue
                    wrong.clear()
                    for line in (*_take(page, options.url, address, ones, f"{width}{'-dark' if scheme == 'dark' else ''}"), *wrong):
                        failed += 1
                        _say(f"{who} {address} {width} {scheme}: {line}")
                context.close()
    return 1 if failed else 0


def _listen(page: Page) -> list[str]:
    """What will go wrong on the page: errors of scripts, refusals by the policy."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "Security Policy" in message.text else None)
    return wrong


def _take(page: Page, url: str, address: str, ones: dict[str, Any], suffix: str) -> Iterator[str]:
    """What is wrong with a page, its picture taken."""
    lacking = [name for name, value in ones.items() if f"{{{name}}}" in address and value is None]
    if lacking:
        yield f"nothing to show ({', '.join(lacking)})"
        return
    answer = page.goto(url + address.format(**ones), wait_until="load")
    if answer is not None and answer.status >= 400 and "nothing-here" not in address:
        yield f"answered {answer.status}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        yield f"{wide} pixels too wide"
    found = Axe().run(page).response["violations"]
    for one in found:
        if one["impact"] in SERIOUS:
            node = one["nodes"][0]
            why = next((check["message"] for check in (*node["any"], *node["all"], *node["none"])), "")
            yield f"{one['impact']} {one['id']} ({len(one['nodes'])}): {node['html'][:160]} {why[:160]}"
    name = address.partition("?")[0].strip("/").replace("/", "-").replace("{", "").replace("}", "") or "home"
    name += "-" + address.partition("?")[2].split("=")[0] if "?" in address else ""
    page.screenshot(path=str(OUT / f"{name}-{suffix}.png"), full_page=True)


def _take_pictures(browser: Browser, url: str, people: dict[str, str], ones: dict[str, Any]) -> int:
    """The pictures of the help, 1200 by 750, as WebP."""
    HELP.mkdir(exist_ok=True)
    for name, (who, address, top) in PICTURES.items():
        context = _context(browser, url, people[who], width=1200, height=750, scheme="light")
        page = context.new_page()
        answer = page.goto(url + address.format(**ones), wait_until="load")
        if answer is None or answer.status >= 400:
            _say(f"{name}: {address} answered {answer.status if answer else 'nothing'}")
            return 1
        page.evaluate(f"scrollTo(0, {top})")
        with Image.open(io.BytesIO(page.screenshot())) as image:
            image.convert("RGB").save(HELP / name, "WEBP", quality=72, method=6)
        _say(f"{name}: {(HELP / name).stat().st_size // 1024} KB")
        context.close()
    return 0


def _context(browser: Browser, url: str, token: str | None, *, width: int, height: int, scheme: Literal["light", "dark"]) -> BrowserContext:
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai", color_scheme=scheme
    )
    if token:
        context.add_cookies([{"name": "biaogan", "value": token, "url": url}])
    return context


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
