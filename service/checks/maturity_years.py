"""Whether the practice had gone on for the years that the notice asks for, by the earliest start that the write-up states.

Any early enough year beside a word of beginning (起, 推行, 实施, 建立 …) is taken as evidence; only a write-up whose earliest start is
too late is a finding. The company's own history (建厂, 成立于) and honours are no evidence.

反例：2014年申报，全文最早写到“2011年开始导入六西格玛”。
正例：“2005年起在全厂推行，到2013年已连续九年”；“连续推进五年以上”。
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.model import NotChecked, Submission, Violation
from service.quantities import Years, fold, year_groups
from service.tables import body
from service.text import sentences

VALUES = frozenset({"start_year", "measured", "allowed", "quote"})
_QUOTE_MAX = 30
_REACH = 16  # characters from a year to the word of beginning
_HISTORY = re.compile(
    "建厂|建于|成立于|创建于|始建|创办|改制|注册|更名|上市|投产|通过.{0,12}认证|获|荣|评为|授予|认定为|发布.{0,20}标准|出台|颁布"
)
_LASTED = re.compile(
    "(?:连续|持续|坚持|已|历经|历时|推行|实施|运行)[^，。；0-9]{0,8}?([0-9]{1,2}|[一二两三四五六七八九十]{1,3})(?:个)?(?:多)?年"
)
_VALUES = {character: number for number, character in enumerate("零一二三四五六七八九")} | {"两": 2}
_CLAUSE = re.compile("[，。；,;\\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    years: int
    application_year: int
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Start:
    year: int
    start: int
    end: int


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    starts = [item for item in _starts(submission, params) if item.year < params.application_year]
    if any(years >= params.years for years in _lasted(submission)):
        return ()
    if not starts:
        return NotChecked("文中没有写明典型经验从哪一年开始实施，无法判断实施年限。请在正文写明起始时间。")
    first = min(starts, key=lambda item: (item.year, item.start))
    measured = params.application_year - first.year
    if measured >= params.years:
        return ()
    quote = submission.text[first.start : first.end].strip()[:_QUOTE_MAX]
    return (Violation(first.start, first.end, {"start_year": first.year, "measured": measured, "allowed": params.years, "quote": quote}),)


def _starts(submission: Submission, params: Params) -> Iterator[_Start]:
    """Years with a word of beginning after them, outside the sentences of the company's history."""
    text = fold(submission.text)
    words = re.compile("|".join(re.escape(word) for word in sorted(params.verbs, key=len, reverse=True)))
    for index in body(submission):
        block = submission.document.blocks[index]
        if block.kind in {"table", "toc", "figure", "caption"}:
            continue
        for left, right in sentences(text, block.start, block.end):
            for group in year_groups(text, left, right):
                yield from _start(text, group, right, words)


def _start(text: str, group: Years, stop: int, words: re.Pattern[str]) -> Iterator[_Start]:
    mark = _CLAUSE.search(text, group.end, stop)
    end = min(mark.start() if mark else stop, group.end + _REACH)
    if words.search(text, group.end, end) and not _HISTORY.search(text, max(0, group.start - 6), mark.start() if mark else stop):
        yield _Start(group.years[0], group.start, end)


def _lasted(submission: Submission) -> Iterator[int]:
    for section in submission.sections:
        if section.key == "overview":
            continue
        for match in _LASTED.finditer(submission.text, section.body_start, section.end):
            yield _number(match[1])


def _number(written: str) -> int:
    if written.isdigit():
        return int(written)
    tens, ten, ones = written.rpartition("十")
    if not ten:
        return _VALUES.get(written[-1], 0)
    return _VALUES.get(tens, 1) * 10 + _VALUES.get(ones, 0)
