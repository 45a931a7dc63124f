"""Whether the results set a figure against competitors, the industry's mean or best, or a benchmark.

A table's column or row of theirs with numbers counts, or a clause that names them together with a number (高于行业平均14.8个百分点, 同行的
五分之一), or a rank held in a named field beside a figure or among so many
(12家同类院校中由第9位升到第3位). Merely naming them (对标一流企业, 优于行业平均水平) does not.

反例：“各项指标均达到行业先进水平”；“2021年合格率98.7%，比2019年提高2.1个百分点”。
正例：表中有“行业平均”“标杆企业”一栏；“高于行业平均14.8个百分点”；“投诉率1.2‰，居全省同行业第二位”。
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from service.captions import tables_of
from service.model import NotChecked, Section, Submission, Violation
from service.quantities import Quantity, fold, quantities, year_groups
from service.tables import Table

VALUES = frozenset({"section", "measured", "allowed"})

_CLAUSE = re.compile(r"[，。；！？!?;\n]|,(?![0-9])")
_SENTENCE = re.compile(r"[。；！？!?;\n]")
_MOST_PLACES = 400  # looked at in one section
_SHARE = re.compile(
    "[一二三四五六七八九十两]分之[一二三四五六七八九十]|一半|[一二两三四五六七八九十]倍|[一二两三四五六七八九]成"
    "|[一二三四五六七八九十百两几]{1,5}(?:点[零一二三四五六七八九]{1,2})?[多余]?个?百分点|百分之[一二三四五六七八九十百两几]"
    "|(?:高出?|低|快|慢|短|少|多|长|早|省|差)(?:出|了|用|于)?(?:近|约)?[一二三四五六七八九十百两几]{1,5}[多余]?个?(?:小时|分钟|工作日|月|天|元|分(?!之))"
)
_RANK = re.compile(
    "(?:第[ ]?(?:[0-9]{1,2}|[一二三四五六七八九十])(?:名|位)?|首位|首名|榜首|前[ ]?(?:[0-9]{1,2}|[一二三四五六七八九十])(?:名|位|强)?)"
)
_HOLDS = re.compile("居|列|排|名列|位列|保持|升|占|跻身|进入|跃|前进|前移|上移|进到|提高到|由$|从$")
_AMONG = re.compile(
    "(?:[0-9]{1,4}|[一二三四五六七八九十百两几]{1,4})[多余]?家(?P<whom>[^，。；、由从居列排]{0,14}?)(?:之?中|里)"
)  # among so many
_OWN_UNITS = re.compile("子公司|分公司|分厂|车间|班组|门店|分店|网点|所属|下属|部门|本公司|内部|供应商|供方|协作")
_OF_COUNT = re.compile("[家个名次项人位场批](?:次)?\\Z")
_VISIT = re.compile("参观|学习|考察|交流|培训|接待|来访|调研|借鉴|推广|复制|带动|走访|参加|选派|邀请|开展|荣获|获评|称号|奖项|授予")


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    sections: tuple[str, ...]
    parties: tuple[str, ...]  # with whom one compares: 行业平均, 标杆 …; "…" stands for a few characters, "|" parts endings: 同类…平均|最好
    relations: tuple[str, ...]  # words that set one figure against another
    standings: tuple[str, ...]  # fields in which a rank is held


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    sections = submission.named(*params.sections)
    if not sections:
        return NotChecked(f"没有找到「{submission.name_of(params.sections[0])}」部分，无法判断有无对比数据。")
    parties = _pattern(params.parties)
    if any(_in_table(table, parties) for table in tables_of(submission, sections)):
        return ()
    text = fold(submission.text)
    if any(_in_text(text, section, params, parties) for section in sections):
        return ()
    first = sections[0]
    values = {
        "section": first.heading or submission.name_of(first.key),
        "measured": "无对比数据",
        "allowed": "与竞争对手、行业或标杆的数据对比",
    }
    return (Violation(first.start, max(first.start, first.body_start - 1), values),)


def _pattern(parties: Sequence[str]) -> re.Pattern[str]:
    between = r"[^，。；：:,;\s]{0,8}?"
    return re.compile("|".join(_worded(word, between) for word in sorted(parties, key=len, reverse=True)))


def _worded(word: str, between: str) -> str:
    head, gap, endings = word.partition("…")
    return re.escape(head) + (f"{between}(?:{'|'.join(map(re.escape, endings.split('|')))})" if gap else "")


def _in_table(table: Table, parties: re.Pattern[str]) -> bool:
    """A column or row headed by a party with a number in it."""
    for index, row in enumerate(table.rows):
        for column, field in enumerate(row):
            if field is None or not parties.search(field.text):
                continue
            below = [other[column] for other in table.rows[index + 1 :] if column < len(other)]
            if any(cell is not None and _is_number(cell.text) for cell in (*below, *row[column + 1 :])):
                return True
    return False


def _is_number(text: str) -> bool:
    return bool(re.match(r"[约<>≤≥＜＞+-]?[ ]?[0-9０-９]", text)) and not re.fullmatch(r"(?:19|20)[0-9]{2}年?(?:度)?", text)


def _in_text(text: str, section: Section, params: Params, parties: re.Pattern[str]) -> bool:
    for match in islice(parties.finditer(text, section.body_start, section.end), _MOST_PLACES):
        left, right = _bounds(_CLAUSE, text, section, match.start(), match.end())
        clause = text[left:right]
        if _VISIT.search(clause):
            continue
        theirs = [number for number in quantities(text, left, right) if not _counts_them(text, number, match.end())]
        if (theirs or _SHARE.search(clause)) and any(word in clause for word in params.relations):
            return True
        if _follows(text, section, match, right):
            return True
    return any(
        _ranked(text, section, place, params) for place in islice(_RANK.finditer(text, section.body_start, section.end), _MOST_PLACES)
    )


def _counts_them(text: str, number: Quantity, party: int) -> bool:
    """12家同行: how many they are, not what they reach."""
    return bool(_OF_COUNT.search(number.unit)) and number.end <= party and party - number.end <= 8 and text[number.end] not in "，、"


def _follows(text: str, section: Section, match: re.Match[str], right: int) -> bool:
    """A party at the head of a table whose form was lost: a short line that names it, rows of numbers after it."""
    line_start = text.rfind("\n", section.start, match.start()) + 1
    if text[right : right + 1] != "\n" or re.search("[。；]", text[line_start:right]):
        return False
    after = text[right : min(section.end, right + 120)]
    years = sum(1 for _ in year_groups(text, line_start, right))
    return bool(re.match(r"[^。；]*?[\t ]?[0-9][0-9.,]*%?[\s]+[0-9][0-9.,]*%?[\s]", after)) and (
        years > 0 or "\t" in text[line_start:right] or right - line_start < 20
    )


def _ranked(text: str, section: Section, place: re.Match[str], params: Params) -> bool:
    left, right = _bounds(_SENTENCE, text, section, place.start(), place.end())
    clause_start, clause_end = _bounds(_CLAUSE, text, section, place.start(), place.end())
    clause = text[clause_start:clause_end]
    before = clause[: place.start() - clause_start]
    if not _HOLDS.search(before):
        return False
    among = _AMONG.search(before)
    if among:  # a rank among so many others says more than one in "the industry", and needs no figure beside it
        return not _OWN_UNITS.search(among["whom"])
    if not any(word in clause for word in params.standings):
        return False
    return any(number.base in {"%", "分", "元", "ppm", "‰", "天", "小时"} for number in _numbers(text, left, right))


def _numbers(text: str, left: int, right: int) -> Iterator[Quantity]:
    return quantities(text, left, right)


def _bounds(marks: re.Pattern[str], text: str, section: Section, start: int, end: int) -> tuple[int, int]:
    left = max(
        (match.end() for match in marks.finditer(text, max(section.body_start, start - 200), start)),
        default=max(section.body_start, start - 200),
    )
    stop = marks.search(text, end, min(section.end, end + 200))
    return left, stop.start() if stop else min(section.end, end + 200)
