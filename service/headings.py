"""Headings of a document: by outline level, style, number, weight, size, isolation and wording; and the tree they form."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from service import lexicon
from service.model import Block, Document, Heading
from service.numbering import RANK, Number, number_of

_LONGEST = 60  # characters of a heading
_ENDS_A_SENTENCE = "。；;，,、：:！!…"
_INNER_SENTENCE = re.compile(r"[。；;！!]")
_PARAGRAPH = 40  # characters from which a block counts as running text
_THRESHOLD = 2.5
_NAMES_A_SECTION = 0.75
_NAME_AT_THE_END = 0.85  # 回头看：当初为什么要做
_LEAST_NAME = 4
_MOST_BEFORE_A_NAME = 5
_LOW_FORMS = frozenset({"（1）", "1)", "①"})
_SENTENCE_CLOSE = frozenset("。！？”…）)")


@dataclass(frozen=True, slots=True)
class _Body:
    """What running text looks like in this document."""

    size: float | None
    bold: bool
    font: str | None
    alignment: str | None


def _body(document: Document) -> _Body:
    sizes: Counter[float | None] = Counter()
    fonts: Counter[str | None] = Counter()
    bold: Counter[bool] = Counter()
    sides: Counter[str | None] = Counter()
    for block in document.blocks:
        if block.kind in {"paragraph", "list", "heading"} and block.layout is not None:
            length = block.end - block.start
            sizes[block.layout.size] += length
            fonts[block.layout.font] += length
            bold[bool(block.layout.bold)] += length
            sides[block.layout.alignment] += length
    if not sizes:
        return _Body(None, bold=False, font=None, alignment=None)
    return _Body(
        sizes.most_common(1)[0][0], bold=bold.most_common(1)[0][0], font=fonts.most_common(1)[0][0], alignment=sides.most_common(1)[0][0]
    )


def _stands_out(block: Block, body: _Body) -> float:
    """Points for weight, size, font and alignment against the running text."""
    layout = block.layout
    if layout is None:
        return 0.0
    points = 0.0
    if layout.bold and not body.bold:
        points += 1.5
    if layout.size and body.size and layout.size > body.size + 0.4:
        points += 1.5
    if layout.font and body.font and layout.font != body.font:
        points += 0.75
    if layout.alignment == "center" and body.alignment != "center":
        points += 0.75
    return points


def named(text: str) -> Mapping[str, float]:
    """How far a heading's words name each section of the lexicon, 0 to 1.

    A whole name counts 1, one with a few words before it somewhat less; a part of a heading counts its weight, less where the heading
    says much besides.
    """
    return _named(re.sub(r"[\s\u3000“”‘’《》（）()：:、，,。！？?!—-]", "", text))


@lru_cache(maxsize=2048)  # asked several times of each heading, and of the same headings in every write-up
def _named(bare: str) -> Mapping[str, float]:
    scores: dict[str, float] = {}
    for key, entry in lexicon.load("sections").items():
        if key == "weights":
            continue
        if bare in entry["names"]:
            scores[key] = 1.0
            continue
        ends = max((len(name) for name in entry["names"] if bare.endswith(name)), default=0)
        best = _NAME_AT_THE_END if ends >= _LEAST_NAME and len(bare) - ends <= _MOST_BEFORE_A_NAME else 0.0
        for word, weight in entry["words"].items():
            if word in bare:
                best = max(best, weight * (0.55 + 0.45 * min(1.0, (len(word) + 4) / max(1, len(bare)))))
        if best:
            scores[key] = best
    return scores


def _next_text(blocks: Sequence[Block], index: int) -> int | None:
    return next((i for i in range(index + 1, len(blocks)) if blocks[i].kind not in {"figure", "note", "toc"}), None)


def _is_text(document: Document, block: Block) -> bool:
    """A paragraph that says something: long, or a closed sentence."""
    length = block.end - block.start
    return length >= _PARAGRAPH or (length >= _PARAGRAPH // 3 and document.text[block.end - 1] in _SENTENCE_CLOSE)


def _followed(document: Document, index: int, candidates: Mapping[int, Number | None]) -> bool:
    """Whether text, a table or a heading of another kind stands below, as it does below a heading but not below a list's item."""
    after = _next_text(document.blocks, index)
    if after is None:
        return False
    block = document.blocks[after]
    if block.kind in {"table", "caption", "heading"} or (after not in candidates and _is_text(document, block)):
        return True
    if after not in candidates:
        return False
    mine, theirs = candidates[index], candidates[after]
    if mine is not None and theirs is not None:
        return mine.form != theirs.form
    below = _next_text(document.blocks, after)
    return below is not None and below not in candidates and _is_text(document, document.blocks[below])


def _closed(document: Document, index: int, chosen: Mapping[int, Number | None]) -> bool:
    """Whether what stands before is finished: a closed sentence, a table, a heading."""
    if index == 0 or index - 1 in chosen:
        return True
    before = document.blocks[index - 1]
    return (
        before.kind in {"table", "caption", "figure", "heading", "title", "toc"}
        or document.text[before.end - 1 : before.end] in _SENTENCE_CLOSE
    )


def _score(
    document: Document,
    index: int,
    *,
    candidates: Mapping[int, Number | None],
    chosen: Mapping[int, Number | None],
    body: _Body,
    steps: bool,
) -> float:
    block = document.blocks[index]
    number = candidates[index]
    text = document.text[block.start : block.end].strip()
    rest = text[number.length :] if number else text
    points = 3.0 if block.kind == "heading" else 0.0
    weight = _stands_out(block, body)
    points += weight
    if number and number.form in RANK:
        points += 0.75 if number.form in _LOW_FORMS else 1.5
        points += 0.75 if steps else 0.0
    best = max(named(rest).values(), default=0.0)
    points += 2.5 * best if best >= _NAMES_A_SECTION and len(rest) <= 24 else 0.6 * best
    if index and document.text[: document.blocks[index - 1].end].endswith(("：", ":")):
        points -= 1.5
    followed = _followed(document, index, candidates)
    points += 0.5 if followed else -0.5
    if block.kind == "list" and not followed:
        points -= 1.0
    before = candidates.get(index - 1)
    if number and before and before.form == number.form and index - 1 not in chosen:
        points -= 2.0
    if weight and followed and _closed(document, index, chosen):
        points += 0.75
    if block.layout is None and followed and len(rest) <= 32:
        points += 2.0 if _closed(document, index, chosen) else 0.5
    return points


def _candidate(document: Document, block: Block) -> Number | bool:
    """Whether a block may be a heading; its number where it begins with one."""
    if block.kind not in {"heading", "paragraph", "list", "title"}:
        return False
    text = document.text[block.start : block.end].strip()
    if not text or len(text) > _LONGEST + (20 if block.kind == "heading" else 0):
        return False
    number = number_of(text, label=block.label)
    rest = text[number.length :] if number else text
    if not rest.strip() or _INNER_SENTENCE.search(rest[:-1]):
        return False
    if rest[-1] in _ENDS_A_SENTENCE and not (rest[-1] in "：:" and len(rest) <= 14) and block.kind != "heading":
        return False
    return number or True


def find(document: Document, *, first: int = 0, last: int | None = None, skip: frozenset[int] = frozenset()) -> tuple[Heading, ...]:
    """The headings among blocks[first:last], with their depth in the tree.

    `skip` holds blocks known to be something else (the title).
    """
    stop = len(document.blocks) if last is None else last
    candidates: dict[int, Number | None] = {}
    for index in range(first, stop):
        if index in skip:
            continue
        candidate = _candidate(document, document.blocks[index])
        if candidate:
            candidates[index] = candidate if isinstance(candidate, Number) else None
    seen: dict[str, set[int]] = {}
    for number in candidates.values():
        if number and number.value is not None:
            seen.setdefault(number.form, set()).add(number.value)
    body = _body(document)
    chosen: dict[int, Number | None] = {}
    for index, number in candidates.items():
        steps = bool(number and number.value is not None and ({number.value - 1, number.value + 1} & seen[number.form]))
        if _score(document, index, candidates=candidates, chosen=chosen, body=body, steps=steps) >= _THRESHOLD:
            chosen[index] = number
    return _tree(document, _without_lists(document, list(chosen.items())))


def _without_lists(document: Document, chosen: list[tuple[int, Number | None]]) -> list[tuple[int, Number | None]]:
    """Drops runs of three or more numbered lines of one form that follow each other without text between: a list."""
    drop: set[int] = set()
    run: list[int] = []
    for position, (index, number) in enumerate(chosen):
        previous = chosen[position - 1] if position else None
        block = document.blocks[index]
        adjoining = (
            previous is not None
            and previous[0] == index - 1
            and number is not None
            and previous[1] is not None
            and previous[1].form == number.form
            and block.kind != "heading"
        )
        if not adjoining:
            if len(run) >= 3:
                drop.update(run)
            run = []
        run.append(position)
    if len(run) >= 3:
        drop.update(run)
    return [item for position, item in enumerate(chosen) if position not in drop]


def _ranks(document: Document, chosen: list[tuple[int, Number | None]]) -> list[tuple[float, ...]]:
    """A rank for each heading; the lower stands above. Outline levels rule where Word gives them, else the customary order of numbers."""
    outlined = document.format != "pdf" and any(document.blocks[i].kind == "heading" and document.blocks[i].level for i, _ in chosen)
    forms_at: dict[int, list[float]] = {}
    if outlined:
        for index, number in chosen:
            block = document.blocks[index]
            if block.kind == "heading" and block.level and number and number.form in RANK:
                forms_at.setdefault(block.level, []).append(RANK[number.form])
    strong: list[float] = []
    for index, number in chosen:
        block = document.blocks[index]
        if number and number.form in RANK and max(named(document.text[block.start + number.length : block.end]).values(), default=0) >= 0.9:
            strong.append(RANK[number.form])
    lead = min([min(strong, default=-2.0), *(_above(chosen, strong) if not outlined else ())])
    lookalikes = _lookalikes(document, chosen, strong) if not outlined else frozenset()
    ranks: list[tuple[float, ...]] = []
    for index, number in chosen:
        block = document.blocks[index]
        rank = RANK.get(number.form) if number else None
        if outlined and block.kind == "heading" and block.level:
            ranks.append((0.0, float(block.level), rank if rank is not None else min(forms_at.get(block.level, [0.0]))))
            continue
        level = 1.0 if outlined else 0.0
        text = document.text[block.start : block.end]
        if rank is not None:
            ranks.append((level, rank, 0.0))
        elif _names_one(text) or index in lookalikes:
            ranks.append((level, lead, 0.0))
        else:
            size = _size(block)
            ranks.append((level, 1.5 if not strong else max(strong) + 0.75, -size))
    return ranks


def _names_one(text: str) -> bool:
    return len(text) <= 20 and max(named(text).values(), default=0.0) >= 0.6


def _size(block: Block) -> float:
    return block.layout.size if block.layout and block.layout.size else 0.0


def _leaders(chosen: Sequence[tuple[int, Number | None]], strong: Sequence[float]) -> dict[int, float]:
    """Unnumbered headings right above a first number, with the number's rank, unless headings numbered so name the sections themselves."""
    return {
        index: RANK[below.form]
        for (index, number), (_, below) in itertools.pairwise(chosen)
        if number is None and below is not None and below.value == 1 and below.form in RANK and RANK[below.form] not in strong
    }


def _above(chosen: Sequence[tuple[int, Number | None]], strong: Sequence[float]) -> list[float]:
    """What ranks above the numbers that start anew below unnumbered headings."""
    return [rank - 0.25 for rank in _leaders(chosen, strong).values()]


def _lookalikes(document: Document, chosen: Sequence[tuple[int, Number | None]], strong: Sequence[float]) -> frozenset[int]:
    """Unnumbered headings printed as large as those that name a section or stand above a first number, where others are smaller.

    Where nothing is known of the print, all of them if one stands above a first number.
    """
    blocks = document.blocks
    leaders = _leaders(chosen, strong)
    plain = [index for index, number in chosen if number is None]
    sizes = {_size(blocks[i]) for i in plain if i in leaders or _names_one(document.text[blocks[i].start : blocks[i].end])} - {0.0}
    smallest = min((_size(blocks[index]) for index, _ in chosen), default=0.0)
    if sizes and smallest < max(sizes):
        return frozenset(index for index in plain if _size(blocks[index]) == max(sizes))
    return frozenset(plain) if leaders and not sizes else frozenset()


def _tree(document: Document, chosen: list[tuple[int, Number | None]]) -> tuple[Heading, ...]:
    headings: list[Heading] = []
    above: list[tuple[float, ...]] = []
    for (index, number), rank in zip(chosen, _ranks(document, chosen), strict=True):
        while above and above[-1] >= rank:
            above.pop()
        above.append(rank)
        block = document.blocks[index]
        raw = document.text[block.start : block.end]
        lead = len(raw) - len(raw.lstrip())
        text = raw.strip()[number.length if number else 0 :]
        headings.append(
            Heading(
                block=index,
                level=len(above),
                label=number.label if number else "",
                form=number.form if number else "",
                number=number.value if number else None,
                text=text,
                start=block.start + lead,
                end=block.end,
            )
        )
    return tuple(headings)
