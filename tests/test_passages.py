"""Passages: sentence groups that overlap by a sentence and stay inside their section."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from service.model import Block, Section
from service.passages import cut

SENTENCE = "公司把关键工序的参数逐项写进作业卡，班组每天首件确认之后才可以开机生产。"
KINDS = [SENTENCE, SENTENCE * 3, SENTENCE * 9, "一、企业概况", "表1 主要指标", "合格率\t98\t99", "短句。", ""]
LINES = st.lists(st.sampled_from(KINDS), max_size=12)


def shown(text: str, **options: object) -> list[str]:
    return [text[start:end] for start, end in cut(text, **options)]  # type: ignore[arg-type]


@given(LINES)
def test_every_sentence_stands_in_a_passage_and_no_heading_does(lines: list[str]) -> None:
    text = "\n".join(lines)
    spans = cut(text)
    inside = set().union(*(range(*span) for span in spans)) if spans else set()
    at = 0
    for line in lines:
        said = line.endswith("。")
        assert all((place in inside) is said for place in range(at, at + len(line)))
        at += len(line) + 1
    assert spans == sorted(spans)


def test_a_passage_has_some_sentences_and_the_last_is_the_next_ones_first() -> None:
    text = "".join(f"第{at}步：{SENTENCE}" for at in range(20))
    spans = cut(text)
    assert all(100 <= end - start <= 250 for start, end in spans)
    assert all(later[0] < sooner[1] for sooner, later in pairwise(spans))
    assert all(text[start:end].startswith("第") and text[start:end].endswith("。") for start, end in spans)
    assert (spans[0][0], spans[-1][1]) == (0, len(text))


def test_headings_and_sections_part_passages() -> None:
    text = f"一、概况\n{SENTENCE}\n（一）先做什么\n{SENTENCE}\n{SENTENCE}"
    assert shown(text) == [SENTENCE, f"{SENTENCE}\n{SENTENCE}"]
    start = text.rindex(SENTENCE)
    section = Section("results", None, start, start, len(text), 0)
    assert shown(text, sections=[section]) == [SENTENCE, SENTENCE, SENTENCE]


def test_blocks_say_what_is_a_heading_and_what_is_left_out() -> None:
    heading, caption, row = "二、先把要求说清楚，再把办法写下来。", "表1 指标", f"要点\t{SENTENCE}"
    parts = [("heading", heading), ("paragraph", SENTENCE), ("caption", caption), ("table", row + "\n合格率\t98\t99"), ("toc", SENTENCE)]
    text, blocks = "", []
    for kind, said in parts:
        blocks.append(Block(kind, len(text), len(text) + len(said)))  # type: ignore[arg-type]
        text += said + "\n"
    assert shown(text, blocks=blocks) == [SENTENCE, row]


def test_nothing_gives_nothing() -> None:
    assert cut("") == cut("\n\n") == cut("一、企业概况\n二、实施背景") == []
