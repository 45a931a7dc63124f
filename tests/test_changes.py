"""What two sentences have in common word for word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.changes import difference, words

FEW = st.text(alphabet="甲乙丙1.a，", max_size=25)


def whole(text: str):  # type: ignore[no-untyped-def]
    return words(text, 0, len(text))


def slow_length(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Length of the longest common subsequence, by the table."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = row[:]
        for at, y in enumerate(b):
            row[at + 1] = before[at] + 1 if x == y else max(before[at + 1], row[at])
    return row[-1]


@given(FEW, FEW)
def test_the_common_part_is_a_longest_one(a: str, b: str) -> None:
    mine, theirs = whole(a), whole(b)
    total = len(mine.words) + len(theirs.words)
    expected = 2 * slow_length(mine.words, theirs.words) / total if total else 0.0
    assert abs(difference(mine, theirs).ratio - expected) < 1e-9


@given(FEW, FEW, st.integers(0, 2))
def test_changed_places_are_words_of_the_first_in_order(a: str, b: str, island: int) -> None:
    told = difference(whole(a), whole(b), island=island)
    edges = [edge for span in told.changed for edge in span]
    assert edges == sorted(edges)
    assert all(a[start:end].strip("，") for start, end in told.changed)
    assert bool(told.changed) <= (whole(a).words != whole(b).words)


def test_figures_names_and_latin_words_change_as_a_whole() -> None:
    mine, theirs = "甲公司合格率由88.3%提高到97.6%，采用FMEA分析", "乙公司合格率由86.1%提高到97.6%，采用QFD分析"
    told = difference(whole(mine), whole(theirs))
    assert [mine[start:end] for start, end in told.changed] == ["甲", "88.3", "FMEA"]
    assert told.ratio > 0.8


def test_few_common_words_between_changes_are_marked_with_them() -> None:
    mine, theirs = "班组每周开会检查两次", "部门每月开会检查三次"
    assert [mine[a:b] for a, b in difference(whole(mine), whole(theirs)).changed] == ["班组", "周", "两"]
    assert [mine[a:b] for a, b in difference(whole(mine), whole(theirs), island=1).changed] == ["班组每周", "两"]


def test_width_and_marks_count_nothing() -> None:
    assert difference(whole("ＦＭＥＡ，分析。"), whole("fmea分析")).ratio == 1
    assert difference(whole("，。"), whole("分析")).ratio == 0
