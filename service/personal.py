"""Finding and masking personal data: mobile numbers, identity numbers, bank cards. Pure functions of a text; never a limit, never a file.

Sources: mobile numbers by the national numbering plan (11 digits, 13–19), identity numbers by GB 11643 (date of birth and check character
ISO 7064 MOD 11-2), bank cards by ISO/IEC 7812 (Luhn).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["mobile", "identity", "bank_card"]

# Full-width ASCII to half-width, one character for one, so that offsets stay.
_FOLD = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x2010: 0x2D,
    0x2011: 0x2D,
    0x2013: 0x2D,
    0x2014: 0x2D,
    0x3000: 0x20,
    0xA0: 0x20,
}

# A run of digits, single blanks or hyphens between them, an X at the end: long enough to be one of the three. Possessive: one pass.
_RUN = re.compile(r"(?<![0-9A-Za-z.])[0-9](?:[ -]?[0-9]){9,22}+[Xx]?(?![0-9A-Za-z])")
_MOBILE = re.compile(r"(?:86[ -]?)?(1[3-9][0-9](?:[ -]?[0-9]){8})\Z")
_MOBILE_GROUPS = re.compile(
    r"[0-9]{11}\Z|[0-9]{3}[ -][0-9]{4}[ -][0-9]{4}\Z|[0-9]{3}[ -][0-9]{8}\Z|[0-9]{7}[ -][0-9]{4}\Z|[0-9]{4}[ -][0-9]{3}[ -][0-9]{4}\Z"
)
_IDENTITY = re.compile(r"[1-9][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]\Z")
_CARD_GROUPS = re.compile(r"[0-9]{16,19}\Z|[0-9]{4}(?:[ -][0-9]{4}){2,3}[ -][0-9]{1,4}\Z|[0-9]{6}[ -][0-9]{10,13}\Z")
_OTHER_NUMBER = re.compile(
    r"(?:ZL|专利号|编号|证书号|文号|单号|批号|货号|图号|件号|序列号|条码|登记号|信用代码|许可证号?|备案号|合同号)[^\n。；;，,]{0,6}\Z",
    re.IGNORECASE,
)
_IDENTITY_WORD = re.compile(r"身份证|证件号|公民身份号")
_CARD_WORD = re.compile(r"银行卡|储蓄卡|信用卡|借记卡|工资卡|卡号")
# Where a run of _RUN can stand in a text that is not folded yet: most texts have none, and folding a whole one takes milliseconds.
_FOLDED_BLANKS = "".join(chr(code) for code, into in _FOLD.items() if into in (0x20, 0x2D))
_DIGITS = re.compile(f"[0-9０-９](?:[ {_FOLDED_BLANKS}-]?[0-9０-９]){{9,}}+")
_LOOK_BACK = 16  # characters before a number that say what it is
_LOOK_AHEAD = 2  # characters after its digits that belong to it or forbid it: the X of an identity number, a letter
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_SHOWN_FIRST, _SHOWN_LAST = 3, 4


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One number in text[start:end]."""

    start: int
    end: int
    kind: Kind


def find(text: str) -> tuple[PersonalData, ...]:
    """The personal numbers of a text, in order; numbers that are already starred out are none."""
    return tuple(item for digits in _DIGITS.finditer(text) for item in _found(text, digits.start(), digits.end()))


def mask(text: str) -> str:
    """The same text with every personal number starred; same length."""
    pieces, position = [], 0
    for item in find(text):
        pieces += [text[position : item.start], starred(text[item.start : item.end])]
        position = item.end
    return "".join((*pieces, text[position:])) if pieces else text


def starred(number: str) -> str:
    """A personal number with its inner digits as `*`: the first three and the last four stay, and so do blanks and hyphens."""
    places = [place for place, character in enumerate(number) if character.isalnum()]
    hidden = set(places[_SHOWN_FIRST:-_SHOWN_LAST])
    return "".join("*" if place in hidden else character for place, character in enumerate(number))


def _found(text: str, first: int, last: int) -> Iterator[PersonalData]:
    """The personal numbers in the digits text[first:last], beside what stands around them."""
    begin = max(0, first - _LOOK_BACK - 1)
    near = text[begin : last + _LOOK_AHEAD].translate(_FOLD)
    for match in _RUN.finditer(near, first - begin):
        run, start = match[0], begin + match.start()
        before = near[max(0, match.start() - _LOOK_BACK) : match.start()]
        digits = run.replace(" ", "").replace("-", "")
        mobile = _MOBILE.match(run)
        if mobile and _MOBILE_GROUPS.match(mobile[1]):
            if not _OTHER_NUMBER.search(before):
                yield PersonalData(start + mobile.start(1), start + len(run), "mobile")
        elif _is_identity(digits, named=bool(_IDENTITY_WORD.search(before))):
            yield PersonalData(start, start + len(run), "identity")
        elif _is_card(run, digits, before):
            yield PersonalData(start, start + len(run), "bank_card")
        else:
            yield from _pieces(run, start, before)


def _pieces(run: str, start: int, before: str) -> Iterator[PersonalData]:
    """Mobile numbers that stand one after the other with blanks between them."""
    if " " not in run or _OTHER_NUMBER.search(before):
        return
    position = 0
    for piece in run.split(" "):
        if re.fullmatch(r"1[3-9][0-9]{9}", piece):
            yield PersonalData(start + position, start + position + len(piece), "mobile")
        position += len(piece) + 1


def _is_identity(digits: str, *, named: bool) -> bool:
    """18 characters with a possible date of birth and, where no word says that it is one, a right check character."""
    match = _IDENTITY.match(digits)
    if not match or int(match[3]) > _MONTH_DAYS[int(match[2]) - 1]:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=False))
    return named or _CHECK_CHARACTERS[total % 11] == digits[17].upper()


def _is_card(run: str, digits: str, before: str) -> bool:
    """16–19 digits: a right Luhn sum and either a card's word before it or UnionPay's 62; a card's word and 62 need no sum."""
    if not digits.isdigit() or not _CARD_GROUPS.match(run):
        return False
    named, union = bool(_CARD_WORD.search(before)), digits.startswith("62")
    if not named and _OTHER_NUMBER.search(before):
        return False
    return named if union and named else (named or union) and _luhn(digits)


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
