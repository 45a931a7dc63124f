"""Numbers with their units, and years, as Chinese reports write them. Pure functions of a text; never a limit, never a file.

All patterns are bounded, so that a line of any length takes one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

Hedge = Literal["", "about", "bound"]

# Full-width digits and marks to half-width, one character for one, so that offsets stay.
_FOLD = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF1A)} | {0xFF0E: 0x2E, 0xFF05: 0x25, 0xFF0F: 0x2F, 0x3000: 0x20, 0xA0: 0x20}
_FOLDED = re.compile(f"[{''.join(map(chr, _FOLD))}]")  # most texts hold none, and looking is ten times as fast as translating

_MAGNITUDES = {
    "十": 1e1,
    "百": 1e2,
    "千": 1e3,
    "万": 1e4,
    "百万": 1e6,
    "千万": 1e7,
    "亿": 1e8,
    "十亿": 1e9,
    "百亿": 1e10,
    "千亿": 1e11,
    "万亿": 1e12,
}
_LONG_UNITS = (
    "个百分点|百分点|人民币元|美元|欧元|日元|分钟|小时|个月|人次|台次|件次|班次|批次|车次|人天|工时|工日|千瓦时|兆瓦时|千瓦|兆瓦"
    "|平方米|平方公里|立方米|标准立方米|标方|公里|千米|海里|毫米|厘米|微米|纳米|(?:吨|千克|公斤|克)标准?煤|公斤|千克|毫克|微克|毫升|公顷|台套|台份|像素"
)
_SHORT_UNITS = (
    "元分秒天日周倍折台套件个条项次起例家户人名位支只辆艘座架列块片根张份篇本册箱瓶盒袋包桶罐吨斤克米升度级枚株头羽亩尾匹门盘卷车趟班单票笔批"
    "口宗处道场期种类页点星层届所间栋轮双副组粒颗锭炉窑锅窖坛"
)
_UNIT = (
    rf"(?:[多余])?[ ]?(?:(?P<magnitude>(?:十|百|千)?(?:万亿|万|亿)|千(?![瓦克米伏卡焦帕乏])|百(?![帕]))?(?:[多余])?"
    rf"(?P<unit>[%‰℃]|(?:{_LONG_UNITS})|[A-Za-zμΩ°²³]{{1,8}}(?:[·.][A-Za-z]{{1,4}})?|[{_SHORT_UNITS}](?![一二三四五六七八九十]))?"
    r"(?P<per>/[一-鿿A-Za-z²³]{1,6}(?:[·•/](?:天|日|班|月|年|人|台|次|件|吨|小时|公里|[A-Za-z]{1,2}))?)?)"
)
_NUMBER = (
    r"(?<![0-9A-Za-z._/])(?<![0-9][,:])(?P<sign>-(?=[0-9]))?"
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3}){1,4}(?:\.[0-9]{1,6})?|[0-9]{1,12}(?:\.[0-9]{1,6})?)(?![0-9])"
)
_QUANTITY = re.compile(_NUMBER + _UNIT)
_DIGITS = re.compile("[0-9]+")
_YEAR_GROUP = re.compile(
    r"(?<![0-9A-Za-z.])(?P<years>(?:19|20)[0-9]{2}(?:年度?)?"
    r"(?:[ ]?(?:[、,，和与及至到/~～]|-{1,2}|[—–－]{1,2})[ ]?(?:19|20)[0-9]{2}(?:年度?)?){0,9})(?![0-9])"
    r"(?P<part>[ ]?(?:年度?)?(?:上半年|下半年|第?[一二三四1-4]季度|[ ]?(?:[1-9]|1[0-2])[ ]?月|年初|初|春|夏|秋|冬"
    r"|前[一二两三四五六七八九十0-9]{1,2}个?(?:季度|月)))?"
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_RANGE = re.compile(r"[至到~～—–－-]")
_ABOUT = re.compile(r"(?:约|大约|约为|近|接近|将近|大致|估计|测算)[ ]?\Z")
_BOUND = re.compile(r"(?:超过|超|逾|突破|不低于|不少于|不足|不到|高于|低于|大于|小于|至少|最多|最高|最低|以上|以下|[<>≤≥＜＞])[ ]?\Z")
_BOUND_AFTER = re.compile(r"[ ]?(?:以上|以下|以内|之内|之上|余[^额量])")
_ABOUT_AFTER = re.compile(r"[ ]?(?:左右|上下)")
_ORDINAL = re.compile(r"(?:第|表|图|附件|编号|型号|标准|No\.?|GB|ISO|[（(])[ ]?\Z")
_TIME_OF_DAY = re.compile(r"[:：][0-9]")
_DATE_UNIT = re.compile(r"[年月日号](?!均)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in text[start:end], unit included. `value` is in base units (万元 -> 元), `step` its precision."""

    start: int
    end: int
    value: float
    step: float
    unit: str  # base unit with what it is per: "元", "%", "小时/户"; "" where none is written
    hedge: Hedge = ""
    scale: float = 1.0  # of the magnitude as written: 万 -> 10000

    @property
    def base(self) -> str:
        return self.unit.split("/")[0]


@dataclass(frozen=True, slots=True)
class Years:
    """Years named together: 2021年, 2019—2021年, 2019年、2020年和2021年."""

    start: int
    end: int
    years: tuple[int, ...]
    partial: bool  # a half, a quarter, a month: not the year's own figure
    spans: bool = False  # a range (2019—2021年)


@lru_cache(maxsize=256)  # the checks fold the whole text again and again: 0.1 ms for 10,000 characters each time
def fold(text: str) -> str:
    """Full-width digits and signs as half-width; the same length."""
    return text.translate(_FOLD) if _FOLDED.search(text) else text


def quantities(text: str, start: int = 0, end: int | None = None) -> Iterator[Quantity]:
    """The numbers of folded text[start:end] that measure or count something: no years, dates, ordinals, clock times."""
    stop = len(text) if end is None else end
    for match in _numbers(text, start, stop):
        before, after = text[max(start, match.start() - 4) : match.start()], text[match.end() : match.end() + 3]
        number_end = match.end("number")
        if _DATE_UNIT.match(text, number_end) and not match["magnitude"] and match["unit"] not in {"日"}:
            continue
        if match["unit"] == "日" or _TIME_OF_DAY.match(text, number_end):
            continue
        if match["unit"] is None and (_is_year(match["number"]) or _ORDINAL.search(before)):
            continue
        if _ORDINAL.search(before) and before.rstrip(" ")[-1:] not in {"(", "（"}:
            continue
        yield _quantity(match, before, after)


def _numbers(text: str, start: int, stop: int) -> Iterator[re.Match[str]]:
    """The matches of _QUANTITY, which is tried only where digits begin: trying it everywhere takes three times as long."""
    while digits := _DIGITS.search(text, start, stop):
        first = digits.start()
        signed = first > start and text[first - 1] == "-"
        match = (_QUANTITY.match(text, first - 1, stop) if signed else None) or _QUANTITY.match(text, first, stop)
        if match:
            yield match
        start = match.end() if match else digits.end()


def _is_year(number: str) -> bool:
    return bool(_YEAR.fullmatch(number))


def _quantity(match: re.Match[str], before: str, after: str) -> Quantity:
    digits = match["number"].replace(",", "")
    scale = _MAGNITUDES.get(match["magnitude"] or "", 1.0)
    value = float(digits) * scale * (-1 if match["sign"] else 1)
    decimals = len(digits.partition(".")[2])
    step = scale * 10.0**-decimals
    if not decimals and len(digits) > 3:  # 2300: may have been rounded to hundreds
        step *= 10.0 ** min(2, len(digits) - len(digits.rstrip("0")))
    loose = "多" in match[0] or "余" in match[0]
    hedge: Hedge = "bound" if loose or _BOUND.search(before) or _BOUND_AFTER.match(after) else ""
    if not hedge and (_ABOUT.search(before) or _ABOUT_AFTER.match(after)):
        hedge = "about"
    end = match.end() if match["unit"] or match["magnitude"] or match["per"] else match.end("number")
    return Quantity(match.start(), end, value, step, (match["unit"] or "") + (match["per"] or ""), hedge, scale)


def year_groups(text: str, start: int = 0, end: int | None = None) -> Iterator[Years]:
    """The years of folded text[start:end]; a four-digit number without 年 counts only in a group that has 年."""
    stop = len(text) if end is None else end
    if text.find("年", start, stop + 1) < 0:
        return
    for match in _YEAR_GROUP.finditer(text, start, stop):
        printed = match["years"]
        if "年" not in printed and not text.startswith("年", match.end("years")):
            continue
        finish = match.end() if "年" in printed or match["part"] else match.end() + 1
        if text.startswith("年", match.end("years")) and not match["part"]:
            finish = match.end("years") + 1
        years = tuple(int(year) for year in _YEAR.findall(printed))
        spans = len(years) == 2 and bool(_RANGE.search(re.sub(r"[0-9年度]", "", printed)))
        if spans and 1 < years[1] - years[0] < 10:
            years = tuple(range(years[0], years[1] + 1))
        yield Years(match.start(), finish, years, bool(match["part"]), spans)


def agree(first: Quantity, second: Quantity) -> bool:
    """Whether two figures may be the same one: rounding, 约 and bounds (超过, 多) allowed for. Units must be comparable."""
    larger = max(abs(first.value), abs(second.value))
    gap = abs(first.value - second.value)
    if gap <= larger * 1e-9:
        return True
    if "bound" in {first.hedge, second.hedge}:
        return gap <= larger * 0.25
    if "about" in {first.hedge, second.hedge}:
        return gap <= max(larger * 0.08, first.step, second.step)
    if abs(first.step - second.step) <= 1e-12 * larger:
        return False
    return gap < max(first.step, second.step) * (1 + 1e-9) and gap <= larger * 0.1


def comparable(first: Quantity, second: Quantity) -> bool:
    """Whether the units are the same as far as they are written."""
    if not first.base or not second.base:
        low, high = sorted((abs(first.value), abs(second.value)))
        return high < low * 9
    return first.base == second.base


def unscaled(quantity: Quantity) -> Quantity:
    """The number without its magnitude (186.8万小时 -> 186.8), for comparing with a cell whose unit is not known."""
    return replace(quantity, value=quantity.value / quantity.scale, step=quantity.step / quantity.scale, unit="", scale=1.0)
