"""Charts as SVG, made on the server: no script, no inline style, colours from app.css, and the same numbers as a table below.

A chart is one <figure> with its own heading for screen readers; nothing is said by colour alone, since every bar has its number beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from service.render.wording import cut

Kind = Literal["", "error", "warning", "advice", "good", "plain"]

_WIDTH = 600  # of the drawing, in its own units: about the pixels of a card
_ROW = 28
_BAR = 16
_LETTER = 13  # width of a Chinese character
_LABEL = 13  # characters of a label; longer ones are cut, whole in the title and the table
_HIGH = 190  # of columns
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar: what is counted, how many, where it leads."""

    label: str
    value: float
    kind: Kind = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """A bar of several parts."""

    label: str
    parts: tuple[float, ...]  # in the order of the key
    href: str = ""
    note: str = ""  # said after the sum


def bars(marks: Sequence[Mark], *, title: str, unit: str = "份", head: str = "项目") -> Markup:
    """Bars that lie, the longest names fit: areas, units, typical errors. In the order given."""
    most = max((mark.value for mark in marks), default=0) or 1
    left = _left([mark.label for mark in marks])
    room = _WIDTH - left - _room_for(most)
    drawn = Markup()
    for row, mark in enumerate(marks):
        y, long = row * _ROW, room * mark.value / most
        drawn += _linked(
            mark.href,
            _name(mark.label, left - 10, y + 19)
            + _rect(left, y + 6, max(long, 1.5 if mark.value else 0), _BAR, mark.kind)
            + Markup('<text x="{}" y="{}">{}</text>').format(_number(left + max(long, 1.5) + 7), y + 19, _said(mark.value)),
        )
    rows = [(mark.label, mark.href, (_said(mark.value),)) for mark in marks]
    return _figure(drawn, height=max(len(marks), 1) * _ROW, title=title, unit=unit, heads=(head, unit), rows=rows)


def stacks(rows: Sequence[Stack], key: Sequence[tuple[str, Kind]], *, title: str, unit: str = "份", head: str = "项目") -> Markup:
    """Bars that lie and are made of parts: submissions of a unit by state. `key` names the parts and their colours."""
    most = max((sum(row.parts) for row in rows), default=0) or 1
    left = _left([row.label for row in rows])
    room = _WIDTH - left - _room_for(most) - max((len(row.note) for row in rows), default=0) * _LETTER
    drawn = Markup()
    for index, row in enumerate(rows):
        y, x, inside = index * _ROW, float(left), _name(row.label, left - 10, index * _ROW + 19)
        for (words, kind), value in zip(key, row.parts, strict=True):
            long = room * value / most
            inside += _rect(x, y + 6, long, _BAR, kind, title=f"{words} {_said(value)} {unit}")
            x += long
        inside += Markup('<text x="{}" y="{}">{}</text>').format(_number(x + 7), y + 19, f"{_said(sum(row.parts))} {row.note}".rstrip())
        drawn += _linked(row.href, inside)
    told = [(row.label, row.href, (*map(_said, row.parts), f"{_said(sum(row.parts))} {row.note}".rstrip())) for row in rows]
    heads = (head, *(words for words, _ in key), "合计")
    return _figure(drawn, height=max(len(rows), 1) * _ROW, title=title, unit=unit, heads=heads, rows=told, key=key)


def columns(marks: Sequence[Mark], *, title: str, unit: str = "份", head: str = "项目") -> Markup:
    """Columns that stand, in the order given: days, weeks. Of many only some labels are shown."""
    return _standing(marks, title=title, unit=unit, heads=(head, unit), labels=[mark.label for mark in marks])


def histogram(
    values: Sequence[float],
    *,
    step: float,
    title: str,
    unit: str = "份",
    measure: str = "字",
    least: float | None = None,
    most: float | None = None,
) -> Markup:
    """How values spread, in classes `step` wide, with the bounds that a rule sets as broken lines. What is outside the bounds is red."""
    if not values:
        return _standing((), title=title, unit=unit, heads=(measure, unit), labels=[])
    low, high = math.floor(min(values) / step), math.floor(max(values) / step)
    counts = [0] * (high - low + 1)
    for value in values:
        counts[math.floor(value / step) - low] += 1
    edges = [(low + index) * step for index in range(len(counts) + 1)]
    marks = [
        Mark(f"{_said(edge)}～{_said(edge + step)} {measure}", count, _outside(edge, edge + step, least, most))
        for edge, count in zip(edges, counts, strict=False)
    ]
    span = edges[-1] - edges[0]
    bounds = [
        ((bound - edges[0]) / span, f"{words} {_said(bound)}") for bound, words in ((least, "下限"), (most, "上限")) if bound is not None
    ]
    shown = [(place, words) for place, words in bounds if 0 <= place <= 1]
    return _standing(marks, title=title, unit=unit, heads=(measure, unit), labels=[_said(edge) for edge in edges], bounds=shown)


def _outside(low: float, high: float, least: float | None, most: float | None) -> Kind:
    return "error" if (least is not None and high <= least) or (most is not None and low >= most) else ""


def _standing(
    marks: Sequence[Mark],
    *,
    title: str,
    unit: str,
    heads: Sequence[str],
    labels: Sequence[str],
    bounds: Sequence[tuple[float, str]] = (),
) -> Markup:
    """Columns over an axis. As many labels as columns stand under them, one more stands between them."""
    top = _rounded(max((mark.value for mark in marks), default=0))
    left, above, below = 44.0, 22.0, 24.0
    wide = (_WIDTH - left) / max(len(marks), 1)
    drawn = Markup()
    for tick in range(_TICKS + 1):
        y = above + _HIGH * (1 - tick / _TICKS)
        drawn += Markup('<line class="rule" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(_number(left), _WIDTH, _number(y), _number(y))
        drawn += Markup('<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>').format(
            _number(left - 8), _number(y + 4), _said(top * tick / _TICKS)
        )
    for index, mark in enumerate(marks):
        high = _HIGH * mark.value / top
        thick = min(wide - min(wide * 0.24, 8), 64)
        x = left + wide * index + (wide - thick) / 2
        words = f"{mark.label}：{_said(mark.value)} {unit}"
        drawn += _linked(mark.href, _rect(x, above + _HIGH - high, thick, high, mark.kind, title=words))
    drawn += _under(labels, between=len(labels) == len(marks) + 1, left=left, wide=wide, y=above + _HIGH + 17)
    for place, words in bounds:
        x = left + (_WIDTH - left) * place
        drawn += Markup('<line class="bound" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
            _number(x), _number(above), _number(above + _HIGH)
        )
        anchor = "end" if place > 0.8 else "start" if place < 0.1 else "middle"
        drawn += Markup('<text class="bound-words" x="{}" y="{}" text-anchor="{}">{}</text>').format(
            _number(x), _number(above - 7), anchor, words
        )
    rows = [(mark.label, mark.href, (_said(mark.value),)) for mark in marks]
    return _figure(drawn, height=above + _HIGH + below, title=title, unit=unit, heads=heads, rows=rows)


def _under(labels: Sequence[str], *, between: bool, left: float, wide: float, y: float) -> Markup:
    """As many labels as there is room for, evenly."""
    longest = max((len(label) for label in labels), default=1) * 8 + 16
    every = max(1, math.ceil(longest / wide))
    drawn = Markup()
    for index in range(0, len(labels), every):
        x = left + wide * (index if between else index + 0.5)
        anchor = "end" if x > _WIDTH - longest / 2 else "middle"
        drawn += Markup('<text class="axis" x="{}" y="{}" text-anchor="{}">{}</text>').format(_number(x), _number(y), anchor, labels[index])
    return drawn


def _rounded(most: float) -> float:
    """The top of an axis: at least the value, and its quarters are whole."""
    if most <= _TICKS:
        return _TICKS
    power: int = 10 ** math.floor(math.log10(most))
    for factor in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10):
        top = factor * power
        if top >= most and top % _TICKS == 0:
            return top
    return math.ceil(most / _TICKS) * _TICKS


def _left(labels: Sequence[str]) -> int:
    return min(max((len(label) for label in labels), default=2), _LABEL) * _LETTER + 14


def _room_for(most: float) -> int:
    return len(_said(most)) * 8 + 12


def _name(label: str, x: float, y: float) -> Markup:
    short = cut(label, _LABEL)
    whole = Markup("<title>{}</title>").format(label) if short != label else Markup()
    return Markup('<text x="{}" y="{}" text-anchor="end">{}{}</text>').format(_number(x), _number(y), whole, short)


def _rect(x: float, y: float, width: float, height: float, kind: Kind, *, title: str = "") -> Markup:
    inside = Markup("<title>{}</title>").format(title) if title else Markup()
    mark = f"mark {kind}".rstrip()
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}">{}</rect>').format(
        mark, _number(x), _number(y), _number(width), _number(height), inside
    )


def _linked(href: str, drawn: Markup) -> Markup:
    """In the drawing links are for the mouse; the table has them for the keyboard."""
    return Markup('<a href="{}" tabindex="-1">{}</a>').format(href, drawn) if href else drawn


def _figure(
    drawn: Markup,
    *,
    height: float,
    title: str,
    unit: str,
    heads: Sequence[str],
    rows: Sequence[tuple[str, str, tuple[str, ...]]],
    key: Sequence[tuple[str, Kind]] = (),
) -> Markup:
    """The drawing, hidden from screen readers, and the table that says the same."""
    if not rows:
        return Markup('<figure class="chart-box"><p class="hint">{}：还没有数据。</p></figure>').format(title)
    legend = Markup().join(Markup('<span class="{}">{}</span>').format(kind, words) for words, kind in key)
    shown = Markup('<svg class="chart" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">{}</svg>').format(
        _WIDTH, _number(height), drawn
    )
    head = Markup().join(
        Markup('<th scope="col"{}>{}</th>').format(Markup(' class="num"') if place else "", words) for place, words in enumerate(heads)
    )
    body = Markup().join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            Markup('<a href="{}">{}</a>').format(href, label) if href else label,
            Markup().join(Markup('<td class="num">{}</td>').format(value) for value in values),
        )
        for label, href, values in rows
    )
    table = Markup('<table class="table"><caption>{}（{}）</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>').format(
        title, unit, head, body
    )
    names = Markup('<p class="chart-key">{}</p>').format(legend) if key else Markup()
    folded = Markup('<details class="chart-data"><summary>数据表</summary>{}</details>').format(table)
    return Markup('<figure class="chart-box" role="group" aria-label="{}">{}</figure>').format(title, names + shown + folded)


def _number(value: float) -> str:
    """Coordinates to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


def _said(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
