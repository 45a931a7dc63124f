"""Templates: what every page knows besides its own values."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from service import __version__
from service import render as report
from service.programme.china import ZONE
from service.programme.viewer import Viewer
from service.render.wording import printable, words_for

_FOLDER = Path(__file__).parent
STATIC = (_FOLDER / "static", Path(report.__file__).parent / "static")  # of the pages; of the report, which stands in files as well

# What each role finds in the navigation: address, words.
_NAV: dict[str, tuple[tuple[str, str], ...]] = {
    "applicant": (("/drafts", "我的草稿"), ("/my", "我的申报"), ("/editions", "通知与规则")),
    "unit": (("/submissions", "申报材料"), ("/units", "名额与排序"), ("/editions", "通知与规则")),
    "reviewer": (("/reviews", "我的评审"), ("/library", "往年标杆"), ("/editions", "通知与规则")),
    "office": (
        ("/dashboard", "概况"),
        ("/submissions", "申报材料"),
        ("/batches", "批量收稿"),
        ("/units", "推荐单位"),
        ("/reviews/overview", "评审"),
        ("/findings", "忽略的问题"),
        ("/library", "往年标杆"),
        ("/editions", "通知与规则"),
    ),
    "admin": (("/admin/users", "管理"),),
}


def navigation(viewer: Viewer | None, path: str) -> list[tuple[str, str, bool]]:
    """Address, words and whether it is where we are, by role."""
    if viewer is None:
        return []
    items = (*_NAV["office"], *_NAV["admin"]) if viewer.role == "admin" else _NAV[viewer.role]
    return [
        (href, label, path == href or path.startswith(f"{href}/") or (href == "/admin/users" and path.startswith("/admin")))
        for href, label in items
    ]


def render(request: Request, template: str, *, viewer: Viewer | None, flash: str | None, csrf: str | None = None, **values: Any) -> str:
    """The page's text. Everything from outside is escaped by Jinja. `csrf`: of who is not signed in."""
    csrf = viewer.csrf if viewer else csrf or ""
    known = {
        "viewer": viewer,
        "path": request.url.path,
        "query": request.query_params,
        "nav": navigation(viewer, request.url.path),
        "flash": unquote(flash) if flash else "",
        "csrf_field": lambda: csrf_field(csrf),
        "csrf": csrf if viewer else "",
        "static": static,
        "url": partial(address, request),
        "version": __version__,
        "now": datetime.now(UTC),
        "say": words_for,
    }
    return printable(_environment().get_template(template).render(known | values))


def csrf_field(csrf: str) -> Markup:
    """The hidden field that every form with method post needs."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(csrf)


def address(request: Request, path: str | None = None, /, **changes: Any) -> str:
    """The present address with other values in its query; what is None or empty is left out. Of another path, the changes alone."""
    kept = {} if path else {name: request.query_params.getlist(name) for name in request.query_params}
    query = {name: value for name, value in (kept | changes).items() if value not in (None, "", [], [""], ())}
    return f"{path or request.url.path}?{urlencode(query, doseq=True)}" if query else path or request.url.path


@cache
def static(name: str) -> str:
    """The address of a file in static/, which changes with its content: browsers may keep it for ever."""
    return f"/static/{hashlib.sha256(static_file(name).read_bytes()).hexdigest()[:12]}/{name}"


def static_file(name: str) -> Path:
    """FileNotFoundError where there is none, or where the name leads out of the folders."""
    for folder in STATIC:
        path = (folder / name).resolve()
        if path.is_relative_to(folder) and path.is_file():
            return path
    raise FileNotFoundError(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"when": when, "day": day, "number": lambda value: f"{value:,}", "percent": percent, "size": size}
    return environment


def when(value: datetime | None) -> str:
    """2026-11-21 16:20, Chinese time."""
    return "" if value is None else value.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


def day(value: date | datetime | None) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(ZONE).date()
    return "" if value is None else value.isoformat()


def today() -> date:
    """The day in China."""
    return datetime.now(ZONE).date()


def percent(value: float | None) -> str:
    return "—" if value is None else f"{value * 100:.1f}%"


def size(value: int) -> str:
    """1.2 MB."""
    return f"{value / 1048576:.1f} MB" if value >= 1048576 else f"{max(1, round(value / 1024))} KB"
