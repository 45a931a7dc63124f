"""Whole sentences of a write-up, and what in them a reviewer looks for: figures, before and after, comparison, money, methods, causes.

Each feature is a small number (0-1, counts damped by a logarithm), so that a linear score can be read; service/lexicon/summary.toml says
why each is looked at, holds their words and what each weighs in which section.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import add

from service import lexicon
from service.text import words

_FEWEST = 10  # characters: what is shorter says nothing alone
_FEWEST_UNENDED = 16  # characters of a line without an end mark that may still be a sentence, not a heading
_SHORT, _LONG = 22, 110  # characters
_OPEN, _CLOSE = "“（(《【「『[〔", "”）)》】」』]〕"
_PAIR = dict(zip(_CLOSE, _OPEN, strict=True))
_STOP = re.compile(rf"[。！？!?…；;]+|[{re.escape(_OPEN + _CLOSE)}]")
_GOES_ON = frozenset("的地得、，,。；;：:等之这那与和及而")  # after 。”: the quotation is part of a sentence that goes on
_LONGEST_QUOTE = 200  # characters: what opens and does not close for longer was never meant as a pair
_MARKER = re.compile(
    r"(?:[（(](?:[一二三四五六七八九十]{1,3}|[0-9]{1,2})[）)]|[0-9]{1,2}(?:[、）)]|[.．](?![0-9]))|[一二三四五六七八九十]{1,3}、|[①-⑳➀-➓❶-❿]"
    r"|[•●■◆▪·○◇☆★►➢✓√※*](?=\s|[㐀-鿿])|[-–—](?=[\s㐀-鿿]))[ \t　]*"
)
_ENDED = re.compile(r"[。！？!?…；;][”’）)》】」』\]〕]*\Z")
_LEANING = re.compile(r"[：:，,、—-]\Z")
_UNITS = "%％‰倍多余万亿千百元个项件台套次起人天日小分秒吨米年月家名辆批支条份户级μA-Za-z℃，。；、）"
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z.表图第-])(?!(?:19|20)[0-9]{2}年)[0-9][0-9, ]{0,15}(?:\.[0-9]{1,8})?"
    rf"(?=[ ]?[{_UNITS}])|百分之[一二三四五六七八九十百点零两]{{1,8}}|[一二两三四五六七八九]成|[两三四五六七八九十]倍"
    r"|(?<![一二两三四五六七八九十百千万亿零〇第])(?:[一二两三四五六七八九]?[十百千万亿]|[一二两三四五六七八九])[一二两三四五六七八九十百千万亿零〇]{1,10}"
    r"[余多来]?(?=[元件台套起次人条个项家名批份户吨公米天分秒小])"
    r"|翻了?[一两]番|[一二三四五六七八九十]{1,3}分之[一二三四五]|一半|归零"
)
_CHANGE = re.compile(
    r"[由从自][^。；]{0,40}?(?:提高|提升|上升|增加|增长|升|涨|扩大|降低|下降|降|减少|减|缩短|压缩|缩|改善|变|增|回落|收窄|延长)[了至到为成]{1,2}"
)
_YEAR = re.compile(
    r"(?:19|20)[0-9]{2}年|[一二][九〇零○][〇零○一二三四五六七八九]{2}年"
    r"|[一二三四五两3]年(?:来|间|内|里|累计|依次|合计|共|下来)|近[三3]年|连续[一二三四五六七八九十0-9]年"
)
_UNNAMED = re.compile(  # a clause that has no subject of its own
    "[我你由从是比为占按较与约共均仅只低高优超即使将并且达0-9]|(?:19|20)[0-9]{2}年[是为比较]"
    "|累计|合计|同[比期]|其[中余]|另外?|平均(?=[0-9])|提高|降低|减少|增加"
)
_TWO_YEARS = 2
_QUOTED = re.compile("“([^“”]{2,24})”")
_GAINED = frozenset(("outcome", "gain", "money"))
_NAME = 3  # characters of a quoted name
_DAY = re.compile("[0-9]{1,2}月[0-9]{1,2}日")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{2,}")
_LEANS = re.compile(
    "[其该此他她它也还又却]|在[此这]|这|那[个些么]|后来|然后|随后|接着|结果|当时|同时|但|而且|不过|因此|所以|于是|前者|后者|上述|再(?!制造|生)|第[二三四五六]|二是|三是|四是|五是"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A whole sentence in text[start:end], without the list marker before it. `block` indexes Document.blocks."""

    start: int
    end: int
    block: int
    opening: bool  # the first of its block


def whole(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of a paragraph's whole sentences: up to 。！？ or …, not inside quotes or brackets that go on, never at a semicolon."""
    return _cut(text, start, end, semicolons=False)


def parts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The same, cut at semicolons as well: for a sentence that is longer than can be told."""
    return _cut(text, start, end, semicolons=True)


def _cut(text: str, start: int, end: int, *, semicolons: bool) -> Iterator[tuple[int, int]]:
    left, opened = start, []
    for match in _STOP.finditer(text, start, end):
        mark, after = match[0], match.end()
        if mark in _OPEN:
            opened.append((mark, match.start()))
            continue
        if mark in _CLOSE:
            opened = _closed(opened, mark)
            if opened or not _ended_inside(text, match.start()) or text[after : after + 1] in _GOES_ON:
                continue
        else:
            opened = [each for each in opened if match.start() - each[1] < _LONGEST_QUOTE and _closes(text, each[0], after, end)]
            if opened or (mark[-1] in "；;" and not semicolons) or (set(mark) == {"…"} and text[after : after + 1] in _GOES_ON):
                continue
        if after > left:
            yield left, after
        left = after
    if left < end:
        yield left, end


def _closed(opened: list[tuple[str, int]], mark: str) -> list[tuple[str, int]]:
    """What is still open after a closing mark; one without an opening changes nothing."""
    for index in range(len(opened) - 1, -1, -1):
        if opened[index][0] == _PAIR[mark]:
            return opened[:index]
    return opened


def _closes(text: str, mark: str, position: int, end: int) -> bool:
    return text.find(_CLOSE[_OPEN.index(mark)], position, min(end, position + _LONGEST_QUOTE)) >= 0


def _ended_inside(text: str, closing: int) -> bool:
    return text[closing - 1 : closing] in {"。", "！", "？", "!", "?"}


def unended(text: str, start: int, end: int) -> bool:
    """Whether a paragraph stops in the middle of a sentence."""
    return not _ENDED.search(text, max(start, end - 6), end) and end - start >= _FEWEST_UNENDED


def sentences(text: str, start: int, end: int, block: int, *, longest: int, begun: bool = False, firm: bool = True) -> list[Sentence]:
    """The whole sentences of a block that can be told alone, ten characters or more; one over `longest` 字 by its parts between semicolons.

    `begun`: the block goes on with a sentence of the block before (a page between), so that its first one is half. `firm`: a block is a
    paragraph, so that a last sentence without an end mark is whole.
    """
    found: list[Sentence] = []
    spans = [part for span in whole(text, start, end) for part in _short_enough(text, span, longest)]
    for index, span in enumerate(spans):
        left, right = _trimmed(text, *span)
        if left >= right or (begun and index == 0):
            continue
        size = right - left
        ended = _ENDED.search(text, max(left, right - 6), right) is not None
        if size >= _FEWEST and (ended or _told(text[left:right], firm=firm or len(spans) == 1)):
            found.append(Sentence(left, right, block, opening=index == 0))
    return found


def _short_enough(text: str, span: tuple[int, int], longest: int) -> Iterator[tuple[int, int]]:
    return parts(text, *span) if span[1] - span[0] > longest and words(text[span[0] : span[1]]) > longest else iter((span,))


def _trimmed(text: str, left: int, right: int) -> tuple[int, int]:
    """The span without outer blanks and without the list markers before it."""
    while left < right and text[left].isspace():
        left += 1
    while right > left and text[right - 1].isspace():
        right -= 1
    while (marker := _MARKER.match(text, left, right)) is not None and marker.end() > left:
        left = marker.end()
    return left, right


def _told(said: str, *, firm: bool) -> bool:
    """Whether a line without an end mark is a sentence and no heading: long enough, with a clause or a figure, leaning on nothing."""
    whole_line = firm and len(said) >= _FEWEST_UNENDED and not _LEANING.search(said)
    return whole_line and ("，" in said or _NUMBER.search(said) is not None)


@cache
def _lookup() -> dict[str, tuple[tuple[str, tuple[str, ...]], ...]]:
    """The first two characters of a word -> (word, its features)."""
    features: dict[str, list[str]] = {}
    for feature, listed in (*lexicon.load("summary")["words"].items(), ("slogan", lexicon.load("slogans")["words"])):
        for word in listed:
            features.setdefault(word, []).append(feature)
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for word, names in features.items():
        found.setdefault(word[:2], []).append((word, tuple(names)))
    return {key: tuple(each) for key, each in found.items()}


def worded(text: str, sentences: Sequence[Sentence]) -> list[dict[str, float]]:
    """For each sentence how many words of each feature it has, 0-1: one word half, two two thirds, three three quarters …"""
    seen: list[dict[str, set[str]]] = [{} for _ in sentences]
    lookup = _lookup()
    for sentence, own in zip(sentences, seen, strict=True):
        said = text[sentence.start : sentence.end]
        for position, listed in [(at, lookup[pair]) for at, pair in enumerate(map(add, said, said[1:])) if pair in lookup]:
            for word, features in listed:
                if said.startswith(word, position):
                    for feature in features:
                        own.setdefault(feature, set()).add(word)
    return [{feature: len(found) / (len(found) + 1) for feature, found in each.items()} for each in seen]


def counted(text: str, sentence: Sentence) -> dict[str, float]:
    """Figures, before-after statements, years and length of a sentence."""
    start, end = sentence.start, sentence.end
    size = end - start
    numbers = len(_NUMBER.findall(text, start, end))
    found = {
        "figures": math.log1p(numbers),
        "change": min(2, len(_CHANGE.findall(text, start, end))) / 2 if numbers else 0.0,
        "years": min(_TWO_YEARS, len(_YEAR.findall(text, start, end))) / _TWO_YEARS,
        "speech": float("“" in text[start:end] and ("”，" in text[start:end] or "：“" in text[start:end] or text[start] == "“")),
        "short": max(0.0, (_SHORT - size) / _SHORT),
        "long": min(1.0, max(0.0, (size - _LONG) / _LONG)),
        "opening": float(sentence.opening),
        "leaning": float(bool(_LEANS.match(text, start, end))),
        "day": float(bool(_DAY.search(text, start, end))),
    }
    return {feature: value for feature, value in found.items() if value}


def bigrams(text: str) -> frozenset[str]:
    """Pairs of neighbouring Chinese characters."""
    return frozenset(pair for run in _HAN.findall(text) for pair in map(add, run, run[1:]))


def called(title: str) -> tuple[str, ...]:
    """The names that a title quotes, each part of “一看、二问” alone."""
    return tuple(name for quoted in _QUOTED.findall(title) for name in re.split("[、，—]+", quoted) if len(name) >= _NAME)


def telling(text: str, general: Sequence[str]) -> frozenset[str]:
    """Pairs of neighbouring Chinese characters, none of which is part of a word that any title has (管理, 模式)."""
    for word in general:
        text = text.replace(word, "\n")
    return bigrams(text)


def share(found: frozenset[str], of: frozenset[str]) -> float:
    """The part of `found` that is in `of`; 0 where there is nothing."""
    return len(found & of) / len(found) if found else 0.0


def score(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Log-odds that a sentence carries its section; `bias` is what one without any feature has."""
    return weights.get("bias", 0.0) + sum([value * weights[feature] for feature, value in features.items() if feature in weights])


def clauses(sentence: str) -> list[str]:
    """The clauses of a sentence between commas and semicolons that open and close their own quotes and brackets."""
    pieces = [piece.strip() for piece in re.split("[，；;]|,(?![0-9]{3})", sentence.rstrip("。！；;…"))]
    return [piece for piece in pieces if all(piece.count(a) == piece.count(b) for a, b in zip(_OPEN, _CLOSE, strict=True))]


def outcome(sentence: str) -> bool:
    """Whether a clause of a sentence has a figure and an outcome, gain, money or a change with it, and does not point elsewhere."""
    for clause in clauses(sentence):
        listed = _listed(clause)
        if _NUMBER.search(clause) and not listed & {"pointing", "source"} and (listed & _GAINED or _CHANGE.search(clause)):
            return True
    return False


def claims(clause: str) -> float:
    """How plainly a clause names what became better: 2 from before to after, 1 a figure with an outcome or money; 0 no such thing."""
    if _LEANS.match(clause) or _UNNAMED.match(clause) or not _NUMBER.search(clause):
        return 0.0
    listed = _listed(clause)
    if listed & {"side", "plan", "pointing", "source"}:
        return 0.0
    return 2.0 + 0.5 * ("outcome" in listed) if _CHANGE.search(clause) else float(bool(listed & _GAINED))


def _listed(clause: str) -> set[str]:
    """The features whose words a clause has."""
    lookup = _lookup()
    found = (each for at in range(len(clause)) for each in lookup.get(clause[at : at + 2], ()) if clause.startswith(each[0], at))
    return {feature for _, features in found for feature in features}
