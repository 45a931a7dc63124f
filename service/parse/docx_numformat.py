"""Numbers as Word prints them: every `w:numFmt` that Chinese documents use; what is unknown prints as a decimal."""

from __future__ import annotations

from collections.abc import Callable

_DIGITS = "零一二三四五六七八九"
_LEGAL_SIMPLIFIED = "零壹贰叁肆伍陆柒捌玖"
_LEGAL_TRADITIONAL = "零壹貳參肆伍陸柒捌玖"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_ROMAN = (
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
)
_CIRCLED_21 = 0x3251  # ㉑, after ⑳
_CIRCLED_36 = 0x32B1  # ㊱, after ㉟
_LETTERS_MAX = 780  # Word stops at thirty letters


def _counting(number: int, *, digits: str = _DIGITS, units: tuple[str, ...] = ("", "十", "百", "千"), bare_ten: bool = True) -> str:
    """123 -> 一百二十三, 101 -> 一百零一, 12 -> 十二 (`bare_ten`) or 壹拾贰; up to 9999 9999."""
    if number <= 0:
        return digits[0] if number == 0 else str(number)
    if number >= 10**8:
        return str(number)
    if number >= 10**4:
        high, low = divmod(number, 10**4)
        tail = _counting(low, digits=digits, units=units, bare_ten=False) if low else ""
        zero = digits[0] if low and low < 1000 else ""
        return _counting(high, digits=digits, units=units, bare_ten=bare_ten) + "万" + zero + tail
    out = ""
    gap = False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            out += (digits[0] if gap and out else "") + digits[digit] + units[place]
            gap = False
        else:
            gap = True
    if bare_ten and 10 <= number < 20:
        return out[1:]
    return out


def _chinese_counting(number: int) -> str:
    return _counting(number) if number < 100 else _digital(number)


def _japanese_counting(number: int) -> str:
    """As _counting without zeros, 一 left out before 十, 百, 千 (百二十)."""
    text = _counting(number).replace("零", "") if number else "〇"
    for unit in "十百千":
        text = text.replace("一" + unit, unit)
    return text


def _digital(number: int) -> str:
    return "".join("〇一二三四五六七八九"[int(digit)] for digit in str(abs(number)))


def _legal(digits: str) -> Callable[[int], str]:
    return lambda number: _counting(number, digits=digits, units=("", "拾", "佰", "仟"), bare_ten=False)


def _letter(number: int) -> str:
    """1 -> A, 26 -> Z, 27 -> AA, 53 -> AAA, as Word does."""
    if not 1 <= number <= _LETTERS_MAX:
        return str(number)
    count, index = divmod(number - 1, 26)
    return chr(ord("A") + index) * (count + 1)


def _roman(number: int) -> str:
    if not 1 <= number < 32768:
        return str(number)
    out = ""
    for value, mark in _ROMAN:
        count, number = divmod(number, value)
        out += mark * count
    return out


def _circled(number: int) -> str:
    if 1 <= number <= 20:
        return chr(0x2460 + number - 1)
    if 21 <= number <= 35:
        return chr(_CIRCLED_21 + number - 21)
    if 36 <= number <= 50:
        return chr(_CIRCLED_36 + number - 36)
    return str(number)


def _from(first: int, count: int) -> Callable[[int], str]:
    """Characters of a Unicode row: `first` stands for 1."""
    return lambda number: chr(first + number - 1) if 1 <= number <= count else str(number)


def _of(marks: str) -> Callable[[int], str]:
    return lambda number: marks[number - 1] if 1 <= number <= len(marks) else str(number)


def _sexagenary(number: int) -> str:
    return _STEMS[(number - 1) % 10] + _BRANCHES[(number - 1) % 12] if 1 <= number <= 60 else str(number)


def _full_width(number: int) -> str:
    return "".join(chr(0xFF10 + int(digit)) for digit in str(abs(number)))


_FORMATS: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda number: f"{number:02d}",
    "decimalHalfWidth": str,
    "decimalFullWidth": _full_width,
    "decimalFullWidth2": _full_width,
    "upperLetter": _letter,
    "lowerLetter": lambda number: _letter(number).lower(),
    "upperRoman": _roman,
    "lowerRoman": lambda number: _roman(number).lower(),
    "chineseCounting": _chinese_counting,
    "chineseCountingThousand": _counting,
    "taiwaneseCounting": _chinese_counting,
    "taiwaneseCountingThousand": _counting,
    "japaneseCounting": _japanese_counting,
    "ideographDigital": _digital,
    "japaneseDigitalTenThousand": _digital,
    "taiwaneseDigital": _digital,
    "chineseLegalSimplified": _legal(_LEGAL_SIMPLIFIED),
    "ideographLegalTraditional": _legal(_LEGAL_TRADITIONAL),
    "japaneseLegal": _legal(_LEGAL_TRADITIONAL),
    "ideographTraditional": _of(_STEMS),
    "ideographZodiac": _of(_BRANCHES),
    "ideographZodiacTraditional": _sexagenary,
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "decimalEnclosedParen": _from(0x2474, 20),
    "decimalEnclosedFullstop": _from(0x2488, 20),
    "ideographEnclosedCircle": _from(0x3280, 10),
    "numberInDash": lambda number: f"- {number} -",
    "hex": lambda number: f"{number:X}",
    "none": lambda _: "",
}


def print_number(number: int, number_format: str, *, custom: str | None = None) -> str:
    """`number` in a `w:numFmt`; `custom` is the pattern of the format "custom", e.g. "001, 002, 003, ..."."""
    if number_format == "custom" and custom:
        first = custom.split(",")[0].strip()
        return f"{number:0{len(first)}d}" if first.isdecimal() else str(number)
    return _FORMATS.get(number_format, str)(number)
