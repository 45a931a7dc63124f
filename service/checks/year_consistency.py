"""Whether one indicator has two different values for one year: text against table, text against text.

Values of others (行业平均, 标杆), aims (目标), parts of a year and differences (提高3.2个百分点) are not compared; rounding, 约 and 超过
are allowed for. Of "2021年合格率由95.2%提高到97.0%" only 97.0% is of 2021.
"由38.2分钟缩短到27.4分钟" without years is set against the first and last year of a table's row of that name.

反例：表3写2023年漆面返工率1.86%，正文写“2023年漆面返工率降到1.68%”。
正例：表中99.14%，正文写“达到99.1%”；表中行业平均95%，本公司98%；一分厂98%、二分厂97%。
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from service.captions import captioned_tables
from service.indicators import Figure, stated
from service.model import NotChecked, Submission, Violation
from service.quantities import agree, comparable, fold, unscaled, year_groups
from service.tables import Table, body, tables
from service.tabulated import of_matrix, tabled

VALUES = frozenset({"indicator", "year", "first", "second", "place", "measured", "allowed"})
_LOOK_BACK = 2000  # characters
_SHORTEST_NAME = 3  # characters: 产量 alone may be anyone's
_SHORTEST_PART = 4  # characters that a shortened name keeps of the table's
_SENTENCES = re.compile(r".*[。；;！？!?\n]", re.DOTALL)  # up to the last mark
_CLAUSES = re.compile(r".*[，。；;！？!?\n]", re.DOTALL)
_LEAST_KEPT = 0.6  # share of the longer name's characters that the shorter one has
_LEAST_SHARED = 0.3  # two statements of one indicator are of one order of magnitude
_LEAST_SHARED_SURE = 0.05  # where name and unit are the same
_BARE = re.compile(".{1,3}率")  # 合格率, 差错率: of what the heading above it speaks of
_NEUTRAL = re.compile("(?:成品|产品|整体|综合|平均|年均|第三方|全部|各类|本年|当年|客户)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    others: tuple[str, ...]  # words that show that a value is not the applicant's own
    plans: tuple[str, ...]  # words that show that a value was aimed at
    heads: tuple[str, ...]  # what an indicator's name ends with, where two sentences are compared


@dataclass(frozen=True, slots=True)
class _Row:
    """A table's row: its figures in the order of the years."""

    name: str
    place: str
    figures: tuple[Figure, ...]


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    foreign = params.others + params.plans
    every = tables(submission)
    rows = tuple(_rows(submission, every, foreign))
    others = _any_of(foreign)
    statements = [figure for figure in _statements(submission, every) if not _foreign(submission.text, figure, others)]
    if not rows and len(statements) < 2:
        return NotChecked("文中没有找到按年给出的指标数据，无法核对前后是否一致。")
    found: dict[tuple[str, int], Violation] = {}
    for violation in (*_against_tables(statements, rows, submission.text), *_against_text(statements, params, submission)):
        found.setdefault((str(violation.values["indicator"]), int(violation.values["year"])), violation)
    return tuple(found.values())


@lru_cache(maxsize=8)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)) or r"(?!)")


def _rows(submission: Submission, every: Sequence[Table], foreign: Sequence[str]) -> Iterator[_Row]:
    known = {item.start: item.caption for item in captioned_tables(submission, rows=2, columns=2) if item.caption is not None}
    for table in every:
        caption = known.get(table.start)
        place = caption.number if caption is not None and caption.number else "表格"
        year = _only_year(submission.text[caption.start : caption.end]) if caption is not None else None
        rows: dict[str, list[Figure]] = {}
        for figure in (*tabled(table, foreign), *of_matrix(table, year, foreign)):
            rows.setdefault(figure.key, []).append(figure)
        for name, figures in rows.items():
            yield _Row(name, place, tuple(sorted(figures, key=lambda figure: figure.year or 0)))


def _only_year(caption: str) -> int | None:
    years = {year for group in year_groups(fold(caption)) for year in group.years}
    return years.pop() if len(years) == 1 else None


def _statements(submission: Submission, every: Sequence[Table]) -> Iterator[Figure]:
    """What the paragraphs state; lines that a table is made of are left to the table."""
    lined = {index for table in every if table.lines for index in range(table.first, table.last + 1)}
    for index in body(submission):
        block = submission.document.blocks[index]
        if block.kind in {"paragraph", "list", "note"} and index not in lined:
            yield from stated(submission.text, block.start, block.end)


def _foreign(text: str, figure: Figure, foreign: re.Pattern[str]) -> bool:
    """Whether the clause of a statement, or what leads up to it with a colon, speaks of others or of aims, outside the indicator's name."""
    sentence = _behind(_SENTENCES, text, figure.start)
    colon = text.find("：", sentence, figure.start)
    start = sentence if colon >= 0 else _behind(_CLAUSES, text, figure.start)
    return bool(foreign.search(text[start : figure.end].replace(figure.indicator, "")))


def _behind(marks: re.Pattern[str], text: str, end: int) -> int:
    """Where the clause or sentence begins that `end` stands in; what goes on for longer than a paragraph is cut."""
    start = max(0, end - _LOOK_BACK)
    match = marks.match(text, start, end)
    return match.end() if match else start


def _against_tables(statements: Sequence[Figure], rows: Sequence[_Row], text: str) -> Iterator[Violation]:
    groups: dict[tuple[int, str], list[Figure]] = {}
    for figure in statements:
        groups.setdefault((figure.group, figure.key), []).append(figure)
    by_name: dict[str, list[_Row]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    partners: dict[str, tuple[list[_Row], list[_Row]]] = {}
    for (_, name), figures in groups.items():
        if name not in partners:
            partners[name] = _partners(name, by_name)
        exact, near = partners[name]
        clashes = [_clashes(_dated(figures, row), row, supported=not exact) for row in exact or near]
        if clashes and all(clashes) and (exact or len(near) == 1):
            for stated_figure, tabled_figure in clashes[0]:
                yield _violation(text, stated_figure, tabled_figure, (exact or near)[0].place)


def _partners(name: str, by_name: Mapping[str, list[_Row]]) -> tuple[list[_Row], list[_Row]]:
    """The rows of the same name, or where there are none, those whose name may be the same cut short."""
    exact = by_name.get(name, []) if len(name) >= _SHORTEST_NAME else []
    if exact:
        return exact, []
    letters = set(name)
    # Either way of being alike puts all characters of one name into the other; few names pass, and this is the quickest way to tell.
    alike = {other: rows for other, rows in by_name.items() if letters.issuperset(other) or letters.issubset(other)}
    exact = [row for other, rows in alike.items() if _same(name, other) for row in rows]
    near = [row for other, rows in alike.items() if other != name and _shortened(name, other) for row in rows] if not exact else []
    return exact, near


def _same(name: str, row: str) -> bool:
    """Whether two names are one but for what goes without saying: 成品一次合格率, 一次合格率."""
    short, long = _by_length(name, row)
    return len(short) >= _SHORTEST_PART and long.endswith(short) and bool(_NEUTRAL.fullmatch(long[: -len(short)] or "成品"))


def _shortened(name: str, row: str) -> bool:
    """Whether one name may be the other cut short; a value that agrees must bear it out."""
    short, long = _by_length(name, row)
    if len(short) < _SHORTEST_PART:
        return False
    if long.endswith(short):
        return True
    rest = iter(long)
    return len(short) >= len(long) * _LEAST_KEPT and all(character in rest for character in short)


def _by_length(first: str, second: str) -> tuple[str, str]:
    return (first, second) if len(first) <= len(second) else (second, first)


def _dated(figures: Sequence[Figure], row: _Row) -> list[Figure]:
    """Statements with only a place in a series put on the row's years: first and last, or all of them."""
    years = [figure.year for figure in row.figures]
    found = []
    for figure in figures:
        position, count = figure.order
        if figure.year is None and count == 2 and len(years) >= 2:
            found.append(replace(figure, year=years[0] if position == 0 else years[-1]))
        elif figure.year is None and count == len(years):
            found.append(replace(figure, year=years[position]))
        elif figure.year is not None:
            found.append(figure)
    return found


def _clashes(figures: Sequence[Figure], row: _Row, *, supported: bool) -> list[tuple[Figure, Figure]]:
    """Stated and tabled values of one year that cannot be the same. A shortened name or a guessed year needs another value that agrees."""
    of_year = {figure.year: figure for figure in row.figures}
    pairs = [_paired(figure, of_year[figure.year]) for figure in figures if figure.year in of_year]
    pairs = [pair for pair in pairs if comparable(pair[0].quantity, pair[1].quantity)]
    right = [pair for pair in pairs if agree(pair[0].quantity, pair[1].quantity) or _written_alike(*pair)]
    wrong = [pair for pair in pairs if pair not in right]
    guessed = any(figure.order[1] > 1 for figure, _ in pairs)
    if (supported or guessed) and not right:
        return []
    if guessed:
        wrong = [pair for pair in wrong if _is_last(pair[0]) and not any(agree(pair[0].quantity, other.quantity) for other in row.figures)]
    return [pair for pair in wrong if _same_order(*pair, sure=not supported and not guessed)]


def _written_alike(here: Figure, there: Figure) -> bool:
    """The same number in words and cell; how the table's head scales it may have been misread."""
    first, second = unscaled(here.quantity), unscaled(there.quantity)
    return abs(first.value - second.value) <= abs(first.value) * 1e-9


def _is_last(figure: Figure) -> bool:
    """Of 由 a 到 b only b: a may be older than the table."""
    position, count = figure.order
    return count != 2 or position == 1


def _paired(here: Figure, there: Figure) -> tuple[Figure, Figure]:
    """Both figures as they can be compared: a cell without a unit may leave out 万 as well."""
    if not there.quantity.base and here.quantity.scale > 1 and not comparable(here.quantity, there.quantity):
        return replace(here, quantity=unscaled(here.quantity)), there
    return here, there


def _same_order(first: Figure, second: Figure, *, sure: bool) -> bool:
    low, high = sorted((abs(first.quantity.value), abs(second.quantity.value)))
    alike = sure and bool(first.quantity.base) and first.quantity.base == second.quantity.base
    return low >= high * (_LEAST_SHARED_SURE if alike else _LEAST_SHARED)


def _against_text(statements: Sequence[Figure], params: Params, submission: Submission) -> Iterator[Violation]:
    known: dict[tuple[str, int, int], Figure] = {}
    for figure in statements:
        if figure.year is None or not figure.key.endswith(params.heads) or len(figure.key) < _SHORTEST_NAME or not figure.quantity.base:
            continue
        scope = _heading_above(submission, figure) if _BARE.fullmatch(figure.key) else -1
        earlier = known.setdefault((figure.key, figure.year, scope), figure)
        if earlier is figure or earlier.quantity.unit != figure.quantity.unit:
            continue
        if not agree(earlier.quantity, figure.quantity) and _same_order(earlier, figure, sure=False):
            yield _violation(submission.text, figure, earlier, _where(submission, earlier))


def _heading_above(submission: Submission, figure: Figure) -> int:
    return max((heading.block for heading in submission.headings if heading.start <= figure.start), default=-1)


def _where(submission: Submission, figure: Figure) -> str:
    section = next((item for item in submission.sections if item.start <= figure.start < item.end), None)
    return "前文" if section is None else f"「{section.heading or submission.name_of(section.key)}」"


def _violation(text: str, here: Figure, there: Figure, place: str) -> Violation:
    first, second = text[here.start : here.end].strip(), text[there.start : there.end].strip()
    values: dict[str, str | int | float] = {
        "indicator": here.indicator,
        "year": here.year or 0,
        "first": first,
        "second": second,
        "place": place,
    }
    values |= {"measured": first, "allowed": second}
    return Violation(here.start, here.end, values)
