"""Numbers that Chinese headings begin with: 一、 （一） 1. 1.1 （1） ① 第一章, their values and the customary order of their forms."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CHINESE = "〇零一二三四五六七八九十百"
_DIGIT = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"

# form of the number, its rank in the customary order of Chinese headings (lower stands above), pattern
_FORMS: tuple[tuple[str, float, re.Pattern[str]], ...] = (
    ("第一篇", -1.0, re.compile(rf"第\s*([{_CHINESE}]+|\d{{1,2}})\s*篇[\s:：、]*")),
    ("第一部分", 0.0, re.compile(rf"第\s*([{_CHINESE}]+|\d{{1,2}})\s*(?:部分|章)[\s:：、]*")),
    ("第一节", 0.5, re.compile(rf"第\s*([{_CHINESE}]+|\d{{1,2}})\s*节[\s:：、]*")),
    ("（一）", 2.0, re.compile(rf"[（(]\s*([{_CHINESE}]{{1,4}})\s*[)）][、.．\s]*")),
    ("一、", 1.0, re.compile(rf"([{_CHINESE}]{{1,4}})(?:\s*[、．.，,:：]|[\s\u3000]+)[\s\u3000]*")),
    ("1.1.1.1", 3.75, re.compile(r"(?:\d{1,2}[.．]){3}(\d{1,2})[.．、]?(?![\d%％])[\s\u3000]*")),
    ("1.1.1", 3.5, re.compile(r"(?:\d{1,2}[.．]){2}(\d{1,2})[.．、]?(?![\d%％])[\s\u3000]*")),
    ("1.1", 3.25, re.compile(r"\d{1,2}[.．](\d{1,2})[.．、]?(?![\d%％])[\s\u3000]*")),
    ("1.", 3.0, re.compile(r"(\d{1,2})[.．、](?!\d)[\s\u3000]*")),
    ("（1）", 4.0, re.compile(r"[（(]\s*(\d{1,2})\s*[)）][、.．\s]*")),
    ("1)", 5.0, re.compile(r"(\d{1,2})[)）][、.．\s]*")),
    ("①", 6.0, re.compile(rf"([{_CIRCLED}])[、.．\s]*")),
    ("1", 3.0, re.compile(r"(\d{1,2})[\s\u3000]+(?=[^\d\s%％])")),
    # 3工作推进, but not a quantity: 3年, 5台 …
    (
        "1",
        3.0,
        re.compile(r"(\d{1,2})(?![年月日天时分秒个项条名家种类次台套万亿千百元人级届位起件批吨米度倍成号期轮线步大])(?=[\u4e00-\u9fff])"),
    ),
    (
        "做法一",
        2.5,
        re.compile(
            rf"(?:做法|举措|措施|经验|案例|亮点|阶段|步骤|实践|模块|抓手)\s*(?:之)?\s*([{_CHINESE}]{{1,3}}|\d{{1,2}})[\s\u3000]*[:：、．.\s]"
        ),
    ),
)
RANK = {form: rank for form, rank, _ in _FORMS}


@dataclass(frozen=True, slots=True)
class Number:
    form: str
    value: int | None
    label: str  # as printed, without blanks around
    length: int  # characters of the text it takes, blanks after it included; 0 for an automatic number


def value_of(digits: str) -> int | None:
    """The value of a Chinese, Arabic or circled number up to 99; None where it is none."""
    if digits.isdigit() and digits.isascii():
        return int(digits)
    if digits in _CIRCLED:
        return _CIRCLED.index(digits) + 1
    if "百" in digits:
        return None
    if "十" in digits:
        tens, _, ones = digits.partition("十")
        if (tens and tens not in _DIGIT) or (ones and ones not in _DIGIT):
            return None
        return (_DIGIT[tens] if tens else 1) * 10 + (_DIGIT[ones] if ones else 0)
    return _DIGIT.get(digits)


def number_of(text: str, *, label: str = "") -> Number | None:
    """The number a heading begins with: the automatic one where Word prints one, else the typed one."""
    source = f"{label} " if label else text
    for form, _, pattern in _FORMS:
        match = pattern.match(source)
        if match:
            value = value_of(match[1])
            if value is None:
                continue
            if label:
                return Number(form, value, label, 0)
            return Number(form, value, match[0].strip(), match.end())
    return Number(label, None, label, 0) if label else None
