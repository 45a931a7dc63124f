"""Help: a page for each role, how to read a report, and what every code means."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.programme.viewer import Viewer, not_found
from service.web import context
from service.web.rendering import STATIC

router = APIRouter()

# Address, words, for whom. One's own role comes first; everybody may read about reports and codes.
_TOPICS = (
    ("applicant", "申报单位", ("applicant", "office", "admin")),
    ("unit", "推荐单位", ("unit", "office", "admin")),
    ("reviewer", "评审专家", ("reviewer", "office", "admin")),
    ("office", "办公室", ("office", "admin")),
    ("admin", "管理员", ("admin",)),
    ("report", "怎样读审读报告", ()),
    ("errors", "提示和代码", ()),
)


@router.get("/help")
def help_of_role(request: Request, viewer: context.Anyone) -> Response:
    return context.redirect(request, f"/help/{viewer.role}")


@router.get("/help/{topic}")
def topic(request: Request, topic: str, viewer: context.Anyone) -> Response:
    topics = _topics(viewer)
    name = dict(topics).get(topic)
    if name is None:
        not_found("这一页帮助")
    settings = context.web(request)
    shown = [(f"/help/{key}", words, key == topic) for key, words in topics]
    return context.page(request, f"help/{topic}.html.j2", topics=shown, name=name, pictures=_pictures(), settings=settings)


def _topics(viewer: Viewer) -> list[tuple[str, str]]:
    found = [(key, words) for key, words, roles in _TOPICS if not roles or viewer.role in roles]
    return sorted(found, key=lambda pair: pair[0] != viewer.role)


def _pictures() -> frozenset[str]:
    """Names of the pictures that there are (tests/browser/screenshots.py makes them)."""
    return frozenset(path.name for path in (STATIC[0] / "help").glob("*.webp"))
