"""Whether at least one indicator of the results has values for three consecutive years up to the year before the application.

They may stand in a sentence (2019年…、2020年…、2021年…; 三年分别为…; 2019—2021年依次为…) or in a table, years as columns or rows; a table
outside the results counts where they refer to it by number. Single values of different indicators, or two years, are not enough.

反例：“2021年合格率98.7%，比2019年提高2.1个百分点”；2019年的获奖数、2020年的专利数、2021年的产量各一个。
正例：表中有2019年、2020年、2021年三栏；“客户满意度三年分别为84分、88分、93分”；“由2019年的1.62%降到2020年的1.08%、2021年的0.74%”。
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from service.captions import tables_of
from service.indicators import Figure, stated
from service.model import NotChecked, Section, Submission, Violation
from service.quantities import fold, year_groups
from service.tabulated import tabled

VALUES = frozenset({"section", "found", "wanted", "measured", "allowed"})
_MANY = 8  # years that a message names


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    sections: tuple[str, ...]
    last_year: int  # the year before the application
    others: tuple[str, ...]  # words of columns that are not the applicant's own
    plans: tuple[str, ...]  # words of columns that were aimed at
    years: int = 3


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    sections = submission.named(*params.sections)
    if not sections:
        return NotChecked(f"没有找到「{submission.name_of(params.sections[0])}」部分，无法判断有无近三年的数据。")
    wanted = tuple(range(params.last_year - params.years + 1, params.last_year + 1))
    figures = [*_tabled(submission, sections, params), *_stated(submission, sections)]
    if _complete(figures, wanted) or any(_headed(submission.text[s.body_start : s.end], wanted) for s in sections):
        return ()
    found = _years(submission.text, sections)
    first = sections[0]
    measured = "、".join(f"{year}年" for year in found[:_MANY]) or "没有年份"
    allowed = f"{wanted[0]}—{wanted[-1]}年"
    values = {
        "section": first.heading or submission.name_of(first.key),
        "found": measured,
        "wanted": "、".join(f"{year}年" for year in wanted),
        "measured": measured,
        "allowed": allowed,
    }
    return (Violation(first.start, max(first.start, first.body_start - 1), values),)


def _tabled(submission: Submission, sections: Sequence[Section], params: Params) -> Iterator[Figure]:
    for table in tables_of(submission, sections):
        yield from tabled(table, params.others + params.plans)


def _stated(submission: Submission, sections: Sequence[Section]) -> Iterator[Figure]:
    for block in submission.blocks_of(*sections):
        if block.kind in {"paragraph", "list", "note", "heading"}:
            yield from stated(submission.text, block.start, block.end)


def _complete(figures: Iterable[Figure], wanted: tuple[int, ...]) -> bool:
    """Whether one indicator has a value for each year, or a series of that many values is given for 三年."""
    years: dict[str, set[int]] = {}
    for figure in figures:
        if figure.year is None:
            if figure.order[1] >= len(wanted):
                return True
        else:
            years.setdefault(figure.key, set()).add(figure.year)
    return any(set(wanted) <= known for known in years.values())


def _headed(text: str, wanted: tuple[int, ...]) -> bool:
    """The years side by side with nothing but blanks between, as the head of a table whose form was lost, and numbers after them."""
    heads = r"[\s|]+".join(f"{year}(?:年度?)?" for year in wanted)
    number = r"[0-9][0-9,.]*[%％]?"
    return bool(re.search(rf"(?<![0-9]){heads}[\s|][^。]{{0,120}}?[\s|]{number}[\s|]+{number}[\s|]+{number}", fold(text)))


def _years(text: str, sections: Sequence[Section]) -> list[int]:
    folded = fold(text)
    return sorted({year for section in sections for group in year_groups(folded, section.body_start, section.end) for year in group.years})
