"""字数 is Word's, one definition; sentences are true pieces of the text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text import characters, han, sentences, words

_MIXED = st.text(alphabet="质量管理，。“”（）％ABCxyz0123./—… \n\t　%-", max_size=200)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("质量", 2),
        ("质量，管理。", 6),
        ("GB/T 19004—2020", 4),  # two runs, the dash, one run
        ("合格率99.14%提高", 6),
        ("a,b c", 2),
        ("，", 1),
        ("　　质量", 2),  # blanks used as an indent count nothing
        ("", 0),
        ("5G+AI", 1),
        ("是“认数据”", 6),
        ("第１期", 3),  # full-width digit
    ],
)
def test_words_as_word_counts(text: str, expected: int) -> None:
    assert words(text) == expected


@given(_MIXED, _MIXED)
def test_words_add_up_over_blanks(one: str, two: str) -> None:
    assert words(f"{one} {two}") == words(one) + words(two)
    assert words(f"{one}\n{two}") == words(one) + words(two)


@given(_MIXED)
def test_words_never_exceed_characters(text: str) -> None:
    assert han(text) <= words(text) <= characters(text)


@given(_MIXED, st.integers(0, 50))
def test_words_ignore_how_wide_a_blank_is(text: str, at: int) -> None:
    at = min(at, len(text))
    assert words(f"{text[:at]} {text[at:]}") == words(f"{text[:at]}\u3000 \n{text[at:]}")


@given(_MIXED)
def test_sentences_are_stripped_pieces_in_order(text: str) -> None:
    spans = list(sentences(text))
    assert all(text[a:b] == text[a:b].strip() and a < b for a, b in spans)
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    covered = {i for a, b in spans for i in range(a, b)}
    assert all(text[i].isspace() for i in range(len(text)) if i not in covered)


def test_sentences_keep_closing_quotes() -> None:
    text = "他说：“先停机。”然后查。\n再开机"
    assert [text[a:b] for a, b in sentences(text)] == ["他说：“先停机。”", "然后查。", "再开机"]
