"""The pieces of every page, all on one: well nested, controls labelled, what comes from outside escaped. Rendered into out/gallery.html."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from service.programme.viewer import Viewer
from service.web import charts, rendering
from service.web.charts import Mark, Stack

HOSTILE = "<script>alert(1)</script>\"'&"
VIEWER = Viewer(1, "office", "办公室张三", "office", csrf="x")
OUT = Path(__file__).parents[2] / "out"
EMPTY = frozenset({"input", "link", "meta", "br", "hr", "img"})


class Tags(HTMLParser):
    """Every tag with its attributes; a tag that closes another than the last one opened is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag in {"div", "details", "ul", "table", "form", "section"}:
            assert "p" not in self.open, f"<{tag}> in a paragraph: {self.open}"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, name: str) -> list[str]:
        return [values[name] or "" for _, values in self.all if name in values]


def environment() -> Environment:
    made = rendering._environment()
    return made.overlay(loader=FileSystemLoader([*made.loader.searchpath, Path(__file__).parent]))  # type: ignore[union-attr]


def rendered(template: str, **more: Any) -> str:
    values: dict[str, Any] = {
        "viewer": VIEWER,
        "path": "/submissions",
        "nav": rendering.navigation(VIEWER, "/submissions"),
        "flash": "已保存。",
        "csrf_field": lambda: rendering.csrf_field(VIEWER),
        "csrf": "x",
        "static": lambda name: rendering.static_file(name).as_uri(),
        "url": lambda **changes: f"?{changes}",
        "version": "0.0",
        "now": datetime(2026, 11, 21, 8, 20, tzinfo=UTC),
        "say": lambda *_: "",
    }
    return environment().get_template(template).render(values | more)


def drawn() -> list[tuple[str, Markup]]:
    areas = [
        Mark("质量管理数字化", 128, href="#"),
        Mark("重大质量管理突破", 64, href="#"),
        Mark("产业链供应链质量协同", 0, href="#"),
        Mark("无法判断", 9, "plain"),
    ]
    units = [Stack("构造市工业和信息化局质量与技术创新处", (30, 12, 5), "#"), Stack("构造县发展改革局", (8, 3, 0), "#")]
    words = [3100 + 37 * (number % 90) + 400 * (number % 7) for number in range(240)]
    return [
        ("方向", charts.bars(areas, title="按方向", head="方向")),
        (
            "推荐单位",
            charts.stacks(units, [("待形审", ""), ("已通过", "good"), ("退回修改", "warning")], title="按推荐单位", head="推荐单位"),
        ),
        ("字数", charts.histogram(words, step=500, title="全文字数", least=4000, most=6500)),
        ("每天收到", charts.columns([Mark(f"11-{day:02}", day * day % 37) for day in range(1, 25)], title="每天收到", head="日期")),
    ]


@pytest.fixture(scope="module")
def gallery() -> str:
    html = rendered("gallery.html.j2", charts=drawn())
    OUT.mkdir(exist_ok=True)
    (OUT / "gallery.html").write_text(html, encoding="utf-8")
    return html


def test_the_gallery_is_well_nested_and_every_id_stands_once(gallery: str) -> None:
    tags = Tags(gallery)
    assert [name for name, count in Counter(tags.values("id")).items() if count > 1] == []
    ids = set(tags.values("id"))
    assert set(tags.values("for")) <= ids
    assert {name for value in tags.values("aria-describedby") for name in value.split()} <= ids


def test_every_control_has_a_name(gallery: str) -> None:
    tags = Tags(gallery)
    labelled = set(tags.values("for"))
    inside = len(re.findall(r'<label class="box"><input', gallery))
    for tag, values in tags.all:
        if tag in {"input", "select", "textarea"} and values.get("type") != "hidden":
            inside -= values.get("id") not in labelled and "aria-label" not in values
    assert inside == 0


def test_nothing_stands_inline(gallery: str) -> None:
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?! src)", gallery)


@pytest.mark.parametrize(
    "call",
    [
        "field(x, x, x, hint=x, error=x, options=[x], placeholder=x)",
        "select('a', x, [(x, x)], x, hint=x, blank=x)",
        "checkboxes('a', x, [(x, x)], values=[x])",
        "textarea('a', x, x)",
        "button(x, href=x)",
        "chip('error', x, x)",
        "state(x)",
        "facts([(x, x)])",
        "confirm(x, x, x, '')",
        "empty(x, x, [(x, x)])",
        "tabs([(x, x, true, x)])",
        "progress(1, 2, x)",
        "upload('a', x, accept=x, hint=x)",
    ],
)
def test_what_comes_from_outside_is_escaped(call: str) -> None:
    macro = call.partition("(")[0]
    html = environment().from_string(f'{{% from "parts.html.j2" import {macro} with context %}}{{{{ {call} }}}}').render(x=HOSTILE)
    assert "<script" not in html
    assert "alert(1)" in html


def test_an_error_page_says_what_to_do() -> None:
    html = rendered("error.html.j2", number=404, message="没有找到材料。", code="not_found")
    Tags(html)
    assert "没有找到材料。" in html and 'href="/"' in html and "not_found" in html
    assert "登录" in rendered("error.html.j2", number=401, message="请登录。", viewer=None, nav=[])
