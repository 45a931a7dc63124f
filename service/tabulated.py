"""Indicators, years and values as tables state them: years as columns, as rows, or one year in the caption."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from service.indicators import Figure
from service.quantities import Quantity, fold, quantities
from service.tables import Field, Table

_OWN_YEAR = re.compile(
    "(?:公司|本公司|我公司|本企业)?(?:(20[0-9]{2})(?:年度?)?|([0-9]{2})年度?)(?:全年|实际|实绩|完成|实际值|完成值|数据|数值|值|末|底|年末|年底)?(?:[（(][^（）()]{1,8}[）)])?"
)
_UNIT_COLUMN = re.compile("(?:计量)?单位")
_GENERIC_HEAD = re.compile("(?:序号|指标|指标名称|项目|名称|年份|年度|类别|内容|时间|单位)?")
_UNIT_IN_LABEL = re.compile("[（(]([^（）()]{1,12})[）)]|[，,/][ ]?([%‰]|[A-Za-z]{1,6})\\Z")
_POINTS = re.compile("(?:满分|总分)(?:为|是|[:：])?[0-9]{1,4}分?|(?:[0-9]{1,4}|[五十百千])分?制")  # 5分制, 满分100分: the unit is 分
_LARGEST_FIGURE = 24


@lru_cache(maxsize=128)  # two checks ask about the same tables
def tabled(table: Table, foreign: tuple[str, ...]) -> tuple[Figure, ...]:
    """What a table states of own years, as columns or as rows; those that a word of `foreign` (目标, 行业平均) marks are left out.

    An indicator that occurs twice in the table (for two products, say) is ambiguous and left out.
    """
    figures = _by_columns(table, foreign) or _by_rows(table, foreign)
    places: dict[tuple[str, int | None], int] = {}
    for figure in figures:
        places[(figure.key, figure.year)] = places.get((figure.key, figure.year), 0) + 1
    return tuple(figure for figure in figures if places[(figure.key, figure.year)] == 1)


def of_matrix(table: Table, year: int | None, foreign: Sequence[str]) -> tuple[Figure, ...]:
    """What a table without years in its head states of the one year of its caption: 产品 × 指标, named by row and column together."""
    if year is None or not table.rows or any(_own_year(field) for row in table.rows for field in row):
        return ()
    found: list[Figure] = []
    head = table.rows[0]
    for index, row in enumerate(table.rows[1:], 1):
        label = row[0].text if row[0] is not None else ""
        for column in range(1, min(len(row), len(head))):
            title = head[column]
            if title is None or any(word in title.text or word in label for word in foreign):
                continue
            inner = _UNIT_IN_LABEL.search(title.text)
            unit = (inner[1] or inner[2]) if inner else ""
            found.extend(_cell(row[column], label + _UNIT_IN_LABEL.sub("", title.text).strip(), unit, year, (0, 1), index))
    return tuple(found)


def _own_year(field: Field | None) -> int | None:
    return _year_in(field.text) if field is not None and len(field.text) <= _LARGEST_FIGURE else None


@lru_cache(maxsize=1024)
def _year_in(text: str) -> int | None:
    match = _OWN_YEAR.fullmatch(re.sub(r"\s", "", fold(text)))
    if not match:
        return None
    return int(match[1]) if match[1] else 2000 + int(match[2])


def _year_columns(row: Sequence[Field | None]) -> dict[int, int]:
    found: dict[int, int] = {}
    for column, field in enumerate(row):
        year = _own_year(field)
        if year is not None and column > 0:
            found[column] = year
    return found if len(set(found.values())) > 1 or (found and len(row) <= 3) else {}


def _by_columns(table: Table, foreign: Sequence[str]) -> list[Figure]:
    found: list[Figure] = []
    columns: dict[int, int] = {}
    for index, row in enumerate(table.rows):
        headed = _year_columns(row)
        if headed:
            columns = {
                column: year
                for column, year in headed.items()
                if not any(_marked(above[column] if column < len(above) else None, foreign) for above in table.rows[:index])
            }
            columns = {column: year for column, year in columns.items() if list(columns.values()).count(year) == 1}
            head = row
            continue
        if not columns or len(row) < max(columns) + 1:
            continue
        label, unit = _label(row, min(columns), head)
        if not label or any(word in label for word in foreign):
            continue
        for order, (column, year) in enumerate(sorted(columns.items())):
            found.extend(_cell(row[column], label, unit, year, (order, len(columns)), index))
    return found


def _marked(field: Field | None, foreign: Sequence[str]) -> bool:
    return field is not None and any(word in field.text for word in foreign)


def _label(row: Sequence[Field | None], first: int, head: Sequence[Field | None]) -> tuple[str, str]:
    """The row's name and unit from its cells before the first year."""
    name, unit = "", ""
    for column in range(first):
        field = row[column]
        if field is None or not field.text:
            continue
        headed = head[column]
        if headed is not None and _UNIT_COLUMN.fullmatch(headed.text.replace(" ", "")):
            unit = field.text
        elif not re.fullmatch(r"[0-9.、一二三四五六七八九十（）()]{1,4}", field.text):
            name = field.text
    inner = _UNIT_IN_LABEL.search(name)
    return _UNIT_IN_LABEL.sub("", name).strip(), unit or (inner[1] or inner[2] if inner else "")


def _by_rows(table: Table, foreign: Sequence[str]) -> list[Figure]:
    head = table.rows[0]
    rows = [(index, place, year) for index, row in enumerate(table.rows) for place in (0, 1) if (year := _year_at(row, place)) is not None]
    if len({year for _, _, year in rows}) < 2:
        return []
    found: list[Figure] = []
    for index, place, year in rows:
        row = table.rows[index]
        group = row[0].text if place == 1 and row[0] is not None else ""
        for column in range(place + 1, len(row)):
            title = head[column].text if column < len(head) and head[column] is not None else ""  # type: ignore[union-attr]
            label = group if _GENERIC_HEAD.fullmatch(title) or (group and len(table.rows[0]) == 3) else title
            if not label or any(word in label or word in title for word in foreign):
                continue
            inner = _UNIT_IN_LABEL.search(label)
            unit = (inner[1] or inner[2]) if inner else ""
            found.extend(_cell(row[column], _UNIT_IN_LABEL.sub("", label).strip(), unit, year, (0, 1), column))
    return found


def _year_at(row: Sequence[Field | None], column: int) -> int | None:
    return _own_year(row[column]) if column < len(row) else None


def _cell(field: Field | None, label: str, unit: str, year: int, order: tuple[int, int], group: int) -> Iterator[Figure]:
    """The figure of a cell that holds a number and nothing else."""
    number = _only_number(field.text) if field is not None and len(field.text) <= _LARGEST_FIGURE else None
    if field is not None and number is not None:
        yield Figure(label, year, _with_unit(number, unit, field), field.start, field.end, order, group)


@lru_cache(maxsize=1024)
def _only_number(text: str) -> Quantity | None:
    """The number that a cell holds with nothing beside it."""
    numbers = list(quantities(fold(text)))
    alone = len(numbers) == 1 and re.fullmatch(r"(?:约|[<>≤≥＜＞])?[ ]?", text[: numbers[0].start]) and not text[numbers[0].end :].strip()
    return numbers[0] if alone else None


def _with_unit(quantity: Quantity, unit: str, field: Field) -> Quantity:
    """The number at its cell's place, the table's unit (万元, ppm) put on a bare one."""
    measure = _measure(unit) if unit and not quantity.unit else None
    if measure is None:
        return replace(quantity, start=field.start, end=field.end)
    value, step = quantity.value * measure.value, quantity.step * measure.value
    return replace(
        quantity, start=field.start, end=field.end, value=value, step=step, unit=measure.unit, scale=quantity.scale * measure.scale
    )


@lru_cache(maxsize=256)
def _measure(unit: str) -> Quantity | None:
    """One of a unit; None where it is none."""
    written = fold(unit).replace(" ", "")
    if _POINTS.fullmatch(written):
        written = "分"
    if written[:1].isdecimal():  # 2021年, 5级: "1" before it would be another number
        return None
    measure = next(quantities("1" + written), None)
    return measure if measure is not None and measure.unit else None
