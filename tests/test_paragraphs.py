"""Hostile and long texts take no long time to be compared."""

from __future__ import annotations

import random
import time

import pytest

from service.model import Block, Document
from service.programme.paragraphs import align, pieces


def document(*paragraphs: str) -> Document:
    blocks, at = [], 0
    for paragraph in paragraphs:
        blocks.append(Block("paragraph", at, at + len(paragraph)))
        at += len(paragraph) + 1
    return Document("a.txt", "0" * 64, "txt", "\n".join(paragraphs), tuple(blocks))


def letters(count: int, *, seed: int) -> str:
    source = random.Random(seed)
    return "".join(chr(source.randrange(0x4E00, 0x9FA5)) for _ in range(count))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["质量"] * 2900, ["质量", "管理"] * 1450),
        ([letters(300_000, seed=1)], [letters(300_000, seed=2)]),
        ([letters(20, seed=n) for n in range(2000)], [letters(20, seed=-n) for n in range(1, 2000)]),
        (["质量管理体系" * 60 + str(n) for n in range(190)], ["管理质量体系" * 60 + str(n) for n in range(190)]),
    ],
    ids=["repeated", "one long paragraph", "many paragraphs", "all alike"],
)
def test_hostile_texts_are_compared_in_bounds(old: list[str], new: list[str]) -> None:
    began = time.process_time()
    aligned = align(document(*old), document(*new))
    for pair in aligned.pairs:
        if pair.kind == "changed" and pair.old is not None and pair.new is not None:
            pieces(aligned.old[pair.old], aligned.new[pair.new])
    assert time.process_time() - began < 4
    assert [pair.new for pair in aligned.pairs if pair.new is not None] == list(range(len(new)))
    assert sorted(pair.old for pair in aligned.pairs if pair.old is not None) == list(range(len(old)))


def test_a_text_that_is_too_long_is_cut_and_told() -> None:
    aligned = align(document(*(str(n) for n in range(3500))), document("0"))
    assert aligned.cut
    assert len(aligned.old) == 3000


def test_a_change_of_one_word_everywhere_is_a_change() -> None:
    old = [f"第{n}条：公司推行质量管理，每月检查一次，发现问题立即整改。" for n in range(40)]
    aligned = align(document(*old), document(*(each.replace("质量", "品质") for each in old)))
    assert {pair.kind for pair in aligned.pairs} == {"changed"}
    assert [(pair.old, pair.new) for pair in aligned.pairs] == [(n, n) for n in range(40)]


def test_nothing_to_compare() -> None:
    assert align(document(), document()).pairs == ()
    assert [pair.kind for pair in align(document(), document("甲")).pairs] == ["added"]
