"""统一社会信用代码 (GB 32100-2015): eighteen characters, the last of which checks the others."""

from __future__ import annotations

import re

from service.errors import ServiceError

_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_BLANKS = re.compile(r"\s+")


def check_digit(first: str) -> str:
    """The 18th character from the first 17; ValueError where they cannot be part of a code."""
    total = sum(_CODE.index(character) * weight for character, weight in zip(first, _WEIGHTS, strict=True))
    return _CODE[-total % 31]


def credit_code(given: str) -> str:
    """The code in capitals without blanks; ServiceError where it is none."""
    code = _BLANKS.sub("", given).upper()
    try:
        right = len(code) == 18 and check_digit(code[:17]) == code[17]
    except ValueError:
        right = False
    if not right:
        told = f"统一社会信用代码“{given}”不对：应为18位，末位校验码要与前17位相符。请核对后再填，或先空着。"
        raise ServiceError("credit_code_invalid", told)
    return code
