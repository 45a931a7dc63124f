"""Fingerprints and shared runs against the slow way: nothing of 13 characters or more is missed, nothing is invented."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service import fingerprints
from service.fingerprints import LEAST, MASKS, Normal, in_run, normalised, runs, winnow

FEW = st.text(alphabet="质量管", max_size=60)  # so few that texts share much by chance
MANY = st.text(alphabet="质量管理，。 改进A1", max_size=60)


def plain(normal: Normal) -> str:
    return "".join(map(chr, normal.points))


def slow_runs(a: str, b: str, least: int) -> list[tuple[int, int, int]]:
    """All longest shared runs, character by character."""
    found = []
    for i in range(len(a)):
        for j in range(len(b)):
            if i and j and a[i - 1] == b[j - 1]:
                continue
            length = 0
            while i + length < len(a) and j + length < len(b) and a[i + length] == b[j + length]:
                length += 1
            if length >= least:
                found.append((i, j, length))
    return found


@st.composite
def sharing(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts with a run of LEAST or more characters in common, at any place."""
    common = draw(st.text(alphabet="质量管理改进", min_size=LEAST, max_size=30))
    first, second = draw(FEW) + common + draw(FEW), draw(MANY) + common + draw(FEW)
    return first, second


@given(st.text())
def test_every_character_stands_where_it_is_said_to(text: str) -> None:
    normal = normalised(text)
    for point, place in zip(normal.points.tolist(), normal.places.tolist(), strict=True):
        assert chr(point) in unicodedata.normalize("NFKC", text[place]).lower()
    assert np.all(np.diff(normal.places) >= 0)


def test_width_case_blanks_and_marks_count_nothing_and_figures_do() -> None:
    assert plain(normalised("ＦＭＥＡ 分析，合格率：９８．５％（２０２２年）\n")) == "fmea分析合格率985%2022年".replace("%", "")
    assert plain(normalised("面积㎡、Ⅲ级①")) == "面积m2iii级1"
    normal = normalised("面积㎡、Ⅲ级")
    assert [normal.span(at, at + 1) for at in (2, 3, 4)] == [(2, 3), (2, 3), (4, 5)]
    assert plain(normalised("")) == plain(normalised("，。 \n")) == ""
    assert plain(normalised("质\ud800量\U00020000")) == "质量\U00020000"


@given(st.text())
def test_stored_and_read_again_it_is_the_same(text: str) -> None:
    normal = normalised(text)
    again = Normal.from_bytes(normal.to_bytes())
    assert np.array_equal(again.points, normal.points)
    assert np.array_equal(again.places, normal.places)
    assert (again.points.dtype, again.places.dtype) == (normal.points.dtype, normal.places.dtype)


@pytest.mark.parametrize("stored", [b"", b"abc", normalised("质量").to_bytes()[:-1], b"\x07" + normalised("质量").to_bytes()[1:]])
def test_a_broken_form_is_told(stored: bytes) -> None:
    with pytest.raises(ValueError, match="stored form"):
        Normal.from_bytes(stored)


@given(sharing(), st.sampled_from([1, 5, LEAST]))
def test_runs_are_those_of_the_slow_search(texts: tuple[str, str], least: int) -> None:
    """All of them, unless a pattern repeats itself again and again; then still all that the two texts share."""
    a, b = map(normalised, texts)
    found, expected = runs(a, b, least), slow_runs(plain(a), plain(b), least)
    often = Counter(plain(a)[at : at + least] for at in range(len(a)))
    if max(often.values(), default=0) <= 16:
        assert found == expected
    for side, size in ((0, len(a)), (1, len(b))):
        assert covered(found, side, size) == covered(expected, side, size)


def covered(found: list[tuple[int, int, int]], side: int, size: int) -> set[int]:
    """The places of a text that stand in one of the runs."""
    return {at for run in found for at in range(run[side], run[side] + run[2]) if at < size}


def test_a_pattern_without_end_is_covered_and_ends_soon() -> None:
    a, b = normalised("合格" * 4000), normalised("不" + "合格" * 2000)
    found = runs(a, b)
    mine, theirs = np.zeros(len(a), bool), np.zeros(len(b), bool)
    for start, their_start, length in found:
        mine[start : start + length] = theirs[their_start : their_start + length] = True
    assert mine.all()
    assert theirs[1:].all()


@given(sharing())
def test_two_rows_show_every_shared_run(texts: tuple[str, str]) -> None:
    a, b = map(normalised, texts)
    mine, theirs = winnow(a), winnow(b)
    for start, their_start, length in slow_runs(plain(a), plain(b), LEAST):
        inside = [
            (i, j)
            for i, j in zip(*np.nonzero(mine.hash[:, None] == theirs.hash[None, :]), strict=True)
            if mine.position[i] - theirs.position[j] == start - their_start
            and start <= mine.position[i] <= start + length - fingerprints.SIZE
            and in_run(mine.around[i : i + 1], theirs.around[j : j + 1])[0]
        ]
        assert inside


@given(sharing())
def test_what_two_rows_show_can_be_reckoned_in_sql(texts: tuple[str, str]) -> None:
    a, b = (winnow(normalised(text)) for text in texts)
    assume(len(a) and len(b))
    for mine in a.around.tolist():
        seen = in_run(np.full(len(b), mine), b.around)
        assert seen.tolist() == [any((mine ^ theirs) & mask == 0 for mask in MASKS) for theirs in b.around.tolist()]


def test_eight_characters_alone_are_told_from_a_run() -> None:
    a, b = winnow(normalised("甲乙丙丁戊质量管理改进提升子丑寅卯辰")), winnow(normalised("天地玄黄宇质量管理改进提升宙洪荒日月"))
    hit = [(i, j) for i, j in zip(*np.nonzero(a.hash[:, None] == b.hash[None, :]), strict=True)]
    assert not any(in_run(a.around[i : i + 1], b.around[j : j + 1])[0] for i, j in hit)


def test_fingerprints_lie_close_and_short_texts_have_none() -> None:
    prints = winnow(normalised("".join(chr(0x4E00 + (at * 7919) % 5000) for at in range(3000))))
    assert np.diff(prints.position).max() <= fingerprints.WINDOW
    assert 0.25 < len(prints) / 3000 < 0.32
    assert len(winnow(normalised("质量管理改进提升质量管"))) == 0
    assert max(prints.around) < 1 << 60
    assert min(prints.around) >= 0
