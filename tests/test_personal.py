"""Personal data: what is found, what is not, and that masking keeps every offset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.personal import find, mask


def _identity(first: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first + "10X98765432"[sum(w * int(d) for w, d in zip(weights, first, strict=True)) % 11]


def _card(first: str) -> str:
    return next(first + str(last) for last in range(10) if _luhn(first + str(last)))


def _luhn(digits: str) -> bool:
    doubled = [int(d) * 2 if i % 2 else int(d) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


IDENTITY = _identity("13010219850412302")
CARD = _card("622202040200012345")


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("联系人张工，电话13800001234。", "mobile", "13800001234"),
        ("手机：138-0000-1234", "mobile", "138-0000-1234"),
        ("手机：138 0000 1234（微信同号）", "mobile", "138 0000 1234"),
        ("手机：１３８００００１２３４", "mobile", "１３８００００１２３４"),
        ("+86 13800001234", "mobile", "13800001234"),
        ("+86-138-0000-1234", "mobile", "138-0000-1234"),
        (f"身份证号{IDENTITY}。", "identity", IDENTITY),
        (f"（{IDENTITY.lower()}）", "identity", IDENTITY.lower()),
        ("身份证号：130102198504123021", "identity", "130102198504123021"),
        (f"奖金打入{CARD}账户", "bank_card", CARD),
        (f"工资卡卡号{CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:16]} {CARD[16:]}", "bank_card", None),
    ],
)
def test_found(text: str, kind: str, number: str | None) -> None:
    (item,) = find(text)
    assert item.kind == kind
    if number is not None:
        assert text[item.start : item.end] == number


@pytest.mark.parametrize(
    "text",
    [
        "电话0312-5866123，传真0312-5866124",
        "销量13800001234567支",
        "专利号ZL201910123456.7",
        "专利号：ZL13800001234",
        "统一社会信用代码91130102MA07XY1234",
        "已遮盖：138****1234",
        "检定证书编号13800001234",
        "产值1380000123.4元",
        "130102198513323021是一个批次",
        "批号6222020402000123450",
        "服务热线4008001234",
        "参数1.3800001234",
        "数据2019 2020 2021 2022 2023",
    ],
)
def test_not_found(text: str) -> None:
    assert find(text) == ()


def test_two_numbers_side_by_side() -> None:
    text = "电话 13800001234 13900005678"
    assert [text[i.start : i.end] for i in find(text)] == ["13800001234", "13900005678"]


def test_mask_keeps_the_ends_and_the_separators() -> None:
    assert mask("手机138-0000-1234。") == "手机138-****-1234。"
    assert mask("手机：１３８００００１２３４") == "手机：１３８****１２３４"
    assert mask("手机：１３８－００００－１２３４") == "手机：１３８－****－１２３４"
    assert mask("没有电话") == "没有电话"


@given(st.text(alphabet="0123456789Xx -年。ＺL１３", max_size=80))
def test_masking_keeps_the_length_and_is_stable(text: str) -> None:
    once = mask(text)
    assert len(once) == len(text)
    assert find(once) == ()


def test_long_lines_take_one_pass() -> None:
    for line in ("1" * 100_000, "1 3-" * 25_000, "13800001234" * 9_000, "62 " * 33_000):
        assert len(mask(line)) == len(line)
