"""Paragraphs of the results that praise and show nothing: several slogans and no figure. One finding a paragraph.

A claim is a slogan from the list or a gain with a degree (显著提升, 更加顺畅). Sentences about the future claim no results. A figure in the
paragraph outweighs three claims, so that an ordinary closing sentence is no finding.

反例：“企业管理跃上新高度，各项工作硕果累累，员工精神面貌焕然一新，得到各方一致好评。”
正例：“质量损失率由0.94%降到0.52%，质量水平显著提升。”；“展望未来，公司将谱写新篇章。”
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from service.model import Block, NotChecked, Submission, Violation
from service.quantities import fold, quantities
from service.text import han, sentences

VALUES = frozenset({"section", "quote", "measured", "allowed"})
_QUOTE_MAX = 24
_HAN_A_CLAIM = 60  # a paragraph of slogans has one in so many characters
_CLAIMS_A_FIGURE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    sections: tuple[str, ...]
    slogans: tuple[str, ...]
    degrees: tuple[str, ...]  # with a word of `gains` beside them they claim a gain
    gains: tuple[str, ...]
    outlook: tuple[str, ...]  # sentences about the future
    minimum: int = 3


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    sections = submission.named(*params.sections)
    if not sections:
        return NotChecked(f"没有找到「{submission.name_of(params.sections[0])}」部分，无法判断成效有无空话。")
    claim = _pattern(params)
    found = []
    for section in sections:
        name = section.heading or submission.name_of(section.key)
        for block in submission.blocks_of(section):
            if block.kind in {"paragraph", "list"}:
                found.extend(_judge(submission.text, block, claim, params, name))
    return tuple(found)


@lru_cache(maxsize=8)
def _pattern(params: Params) -> re.Pattern[str]:
    def either(words: tuple[str, ...]) -> str:
        return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))

    degree, gain = either(params.degrees), either(params.gains)
    return re.compile(
        f"(?:{either(params.slogans)})|(?:{degree})(?:地|得到|得|的)?(?:{gain})|(?:{gain})(?:得)?(?:十分|非常|更为|较为)?(?:显著|明显|很大)"
    )


@lru_cache(maxsize=8)
def _beginning(params: Params) -> re.Pattern[str]:
    """The characters that a claim can begin with; without words it matches nothing."""
    return re.compile("|".join(re.escape(first) for first in sorted({word[0] for word in _words(params)})) or r"(?!)")


def _words(params: Params) -> tuple[str, ...]:
    return (*params.slogans, *params.degrees, *params.gains)


def _claims(text: str, start: int, end: int, claim: re.Pattern[str], params: Params) -> Iterator[re.Match[str]]:
    """The matches of `claim`, tried only where one can begin: hundreds of words tried everywhere take four times as long."""
    beginning = _beginning(params)
    while first := beginning.search(text, start, end):
        match = claim.match(text, first.start(), end)
        if match:
            yield match
        start = match.end() if match else first.end()


def _judge(text: str, block: Block, claim: re.Pattern[str], params: Params, section: str) -> list[Violation]:
    if sum(1 for _ in _claims(text, block.start, block.end, claim, params)) < params.minimum:
        return []
    claims: list[re.Match[str]] = []
    characters = 0
    for start, end in sentences(text, block.start, block.end):
        sentence = text[start:end]
        if any(word in sentence for word in params.outlook):
            continue
        characters += han(sentence)
        claims.extend(_claims(text, start, end, claim, params))
    if len(claims) < params.minimum or len(claims) * _HAN_A_CLAIM < characters:
        return []
    figures = sum(1 for number in quantities(fold(text), block.start, block.end) if number.unit)
    needed = params.minimum + _CLAIMS_A_FIGURE * figures
    if len(claims) < needed:
        return []
    quote = _around(text, block, claims[0])
    values: dict[str, str | int | float] = {
        "section": section,
        "quote": quote,
        "measured": len(claims),
        "allowed": f"少于{needed}处，或有数据",
    }
    return [Violation(block.start, block.end, values)]


def _around(text: str, block: Block, claim: re.Match[str]) -> str:
    """The clause of the first claim, cut short."""
    left = max(text.rfind(mark, block.start, claim.start()) for mark in "，。；、")
    left = max(left + 1, claim.end() - _QUOTE_MAX, block.start)
    return text[left : claim.end()].strip()
