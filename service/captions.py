"""Captions of tables and figures, their numbers, what they belong to, and where the text mentions them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from service.model import Block, Section, Submission
from service.tables import Table, body, tables

Place = Literal["above", "below", "inside"]

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")}
_FULL_WIDTH = str.maketrans("０１２３４５６７８９－．", "0123456789-.")
# 表一五层测试 is table 1 of five layers (a PDF lost the blank), 附表 三年数据 has no number.
_CHINESE_NUMBER = r"(?:[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九])(?![大种家]|年(?!度)|个(?![人体性])|类(?!别))"
_NUMBER = rf"(?:[0-9０-９]{{1,3}}|{_CHINESE_NUMBER})(?:[ ]?[-－–—.．·][ ]?[0-9０-９]{{1,3}}){{0,2}}"
_NUMBER_END = r"(?:(?![0-9０-９%％])|(?=(?:19|20)[0-9]{2}年))"  # OCR loses the blank of 表4 2021年
_FORM = re.compile(rf"[ \t　【（(]*(附|续)?[ ]?([表图])[ 　]{{0,3}}({_NUMBER}){_NUMBER_END}")
_UNNUMBERED_CONTINUATION = re.compile(r"[ \t　（(]*(?:续表|表续|（续）|续上表)")
_SENTENCE = re.compile(r"[。；！？!?;]")
_GOES_ON = re.compile(r"[是为中所显列给反展说可的与和及，,至到（(年月日、没未里仅只]|表[明示]")
_TITLE_END = re.compile(r"[。：；，:;,.!！?？、]\Z")
_TITLE_WORD = re.compile(r"(?:表|情况|对比|比较|统计|一览|清单|指标|汇总|明细|要求|结果|数据)(?:[（(][^（）()]{1,20}[)）])?\Z")
_UNIT_LINE = re.compile(r"[ \t　（(]*(?:计量)?单位[:：]|[ \t　]*(?:注|说明|数据来源|资料来源|来源|备注)[:：]")
_AT_END = re.compile(rf"[。；：] ?((?:续)?[表图][ 　]{{0,3}}{_NUMBER}[ 　]+[^\s。；，：]{{2,40}})[ ]?\Z")
_CAPTION_MAX = 60
_TITLE_MAX = 36
_SUBCAPTION_MAX = 60
_KIND = re.compile("[表图]")
_MENTION = re.compile(rf"(附)?([表图])[ 　]{{0,3}}({_NUMBER}){_NUMBER_END}")
_MORE = re.compile(
    r"[ ]?([、，,和与及至到～~—–-])[ ]?(?:附?([表图]))?[ 　]?"
    r"([0-9０-９]{1,2}(?:[-－–—.．][0-9０-９]{1,3})?)(?![0-9０-９.%％年月日个项家次类级种])"
)
_COUNTED = re.compile(r"[ ]?[家台篇张人个块只次项份名种套件支幅位条年]")  # 代表3家, 报表5张: not a table's number
_BEFORE_OTHER_WORD = re.compile("[代发仪报钟量电水手外意填试企草蓝制绘]\\Z")
_BEFORE_CHINESE = re.compile("[见看如附和与及在据从由按自对、，。；：（(\n 　]?\\Z")
_NEAR = {
    "表": re.compile(r"[下上如见该此本左右][ ]?表(?![明示现面述达 0-9０-９一二三四五六七八九十])|表中|下列表格|表格如下"),
    "图": re.compile(r"[下上如见该此本左右][ ]?图(?![书纸 0-9０-９一二三四五六七八九十])|图中|图示|图片如下"),
}
_NEAR_BLOCKS = 2
_LONGEST_RANGE = 20


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption. `parts` is its number: 表2-1 -> (2, 1); () where it has none."""

    kind: str  # "表" or "图"
    start: int
    end: int
    block: int
    parts: tuple[int, ...] = ()
    number: str = ""  # as printed, without blanks: "表2-1"
    series: str = ""  # "" for ordinary ones, "附" for 附表 and 附图
    continued: bool = False  # 续表

    @property
    def key(self) -> tuple[str, str, tuple[int, ...]]:
        return self.kind, self.series, self.parts


@dataclass(frozen=True, slots=True)
class Captioned:
    """A table or figure with its caption. `ordinal` counts from 1 by kind."""

    kind: str
    ordinal: int
    block: int
    start: int
    end: int
    caption: Caption | None
    place: Place | None


def value(number: str) -> int:
    """一 -> 1, 十二 -> 12, ３ -> 3."""
    number = number.translate(_FULL_WIDTH).strip()
    if number.isdigit():
        return int(number)
    tens, ten, ones = number.rpartition("十")
    if not ten:
        return int("".join(str(_DIGITS[character]) for character in number))
    return _DIGITS.get(tens, 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)


@lru_cache(maxsize=2)  # several checks ask; a submission is equal only to itself
def captions(submission: Submission) -> tuple[Caption, ...]:
    """The numbered captions of the write-up, in order."""
    return tuple(caption for index in body(submission) if (caption := _caption(submission, index)) is not None and caption.parts)


def _caption(submission: Submission, index: int) -> Caption | None:
    """The caption of a block; see `_read`."""
    known = _all(submission)
    return known[index] if index in known else _read(submission, index)


@lru_cache(maxsize=2)
def _all(submission: Submission) -> dict[int, Caption | None]:
    """Each block of the write-up with its caption. Where no blank parts a number from digits that follow (图13号线), the order decides."""
    found: dict[int, Caption | None] = {}
    last: dict[tuple[str, str], int] = {}
    for index in body(submission):
        caption = _read(submission, index)
        if caption is not None and len(caption.parts) == 1:
            due = last.get((caption.kind, caption.series), 0) + 1
            number = str(caption.parts[0])
            if caption.parts[0] != due and number.startswith(str(due)) and _runs_on(submission.text[caption.start : caption.end]):
                caption = replace(caption, parts=(due,), number=f"{caption.series}{caption.kind}{due}")
            last[caption.kind, caption.series] = caption.parts[0]
        found[index] = caption
    return found


def _runs_on(printed: str) -> bool:
    match = _FORM.match(printed)
    rest = printed[match.end() :] if match else ""
    return bool(rest) and rest[0] not in " \t　:：.．、】）)"


def _read(submission: Submission, index: int) -> Caption | None:
    """The caption that a block is, or that stands in a table's first row or at a paragraph's end."""
    block = submission.document.blocks[index]
    if block.kind in {"toc", "note", "figure", "title"}:
        return None
    if block.kind == "table":
        return _in_first_row(submission, index, block)
    text = submission.text[block.start : block.end]
    printed = block.label + text if block.label[:1] in {"表", "图", "附", "续"} else text
    match = _FORM.match(printed)
    if match and _is_caption(printed, match.end(), sure=block.kind == "caption" or _stands_at(submission, index, match[2])):
        return _made(match, block.start, block.end, index)
    if tail := _AT_END.search(text):
        inner = _FORM.match(tail[1])
        return _made(inner, block.start + tail.start(1), block.start + tail.end(1), index) if inner else None
    if block.kind == "caption" or _UNNUMBERED_CONTINUATION.match(text):
        kind = "图" if "图" in text[:4] else "表"
        return Caption(kind, block.start, block.end, index, continued=bool(_UNNUMBERED_CONTINUATION.match(text)))
    return None


def _stands_at(submission: Submission, index: int, kind: str) -> bool:
    """Whether a line stands where a caption does: right above a table, right below a figure; one that ends in a colon leads in."""
    blocks = submission.document.blocks
    block = blocks[index]
    if _TITLE_END.search(submission.text[block.start : block.end].rstrip()):
        return False
    beside = index + 1 if kind == "表" else index - 1
    return 0 <= beside < len(blocks) and blocks[beside].kind == ("table" if kind == "表" else "figure")


def _is_caption(printed: str, after: int, *, sure: bool) -> bool:
    if len(printed) > _CAPTION_MAX or _SENTENCE.search(printed):
        return False
    rest = printed[after:]
    return sure or not rest or rest[0] in " \t　:：.．】）)" or not _GOES_ON.match(rest)


def _in_first_row(submission: Submission, index: int, block: Block) -> Caption | None:
    first = [cell for cell in block.cells if cell.row == 0]
    filled = [cell for cell in first if submission.text[cell.start : cell.end].strip()]
    if len(filled) != 1 or (len(first) > 1 and filled[0].columns * 2 < block.columns):
        return None
    text = submission.text[filled[0].start : filled[0].end]
    match = _FORM.match(text)
    return _made(match, filled[0].start, filled[0].end, index) if match and _is_caption(text, match.end(), sure=False) else None


def _made(match: re.Match[str], start: int, end: int, index: int) -> Caption:
    printed = re.sub(r"[ 　]", "", match[3]).translate(_FULL_WIDTH)
    series = "附" if match[1] == "附" else ""
    number = series + match[2] + printed
    return Caption(match[2], start, end, index, _parts(printed), number, series, continued=match[1] == "续")


def _parts(number: str) -> tuple[int, ...]:
    return tuple(value(piece) for piece in re.split(r"[-－–—.．·]", number.translate(_FULL_WIDTH)))


@lru_cache(maxsize=4)
def captioned_tables(submission: Submission, *, rows: int, columns: int) -> tuple[Captioned, ...]:
    """The tables of at least this size with their captions. A table that goes on from the one before it (a page break) counts with it."""
    found: list[Captioned] = []
    known = [table for table in tables(submission) if len(table.rows) >= rows and table.columns >= columns]
    starts = {table.first for table in known}
    previous: Table | None = None
    for table in known:
        caption, place = _of_table(submission, table, starts)
        goes_on = previous is not None and _goes_on(submission, previous, table)
        previous = table
        if goes_on and caption is None:
            continue
        found.append(Captioned("表", len(found) + 1, table.first, table.start, table.end, caption, place))
    return tuple(found)


def _goes_on(submission: Submission, before: Table, table: Table) -> bool:
    between = submission.document.blocks[before.last + 1 : table.first]
    same = before.columns == table.columns or before.rows[0] == table.rows[0]
    return same and all(block.kind in {"note", "figure"} for block in between)


def _of_table(submission: Submission, table: Table, starts: set[int]) -> tuple[Caption | None, Place | None]:
    if not table.lines and (inside := _caption(submission, table.first)) is not None:
        return inside, "inside"
    above = _neighbour(submission, table.first, -1)
    if above is not None:
        caption = _caption(submission, above) or _plain_title(submission, above)
        if caption is not None and caption.kind == "表":
            return caption, "above"
    below = _neighbour(submission, table.last, 1)
    if below is not None and (caption := _caption(submission, below)) is not None and caption.kind == "表":
        after = _neighbour(submission, below, 1)
        if after is None or after not in starts:
            return caption, "below"
    return None, None


def _neighbour(submission: Submission, index: int, step: int) -> int | None:
    """The next block that is no line of units or sources, within the write-up."""
    span, blocks = body(submission), submission.document.blocks
    index += step
    while index in span:
        block = blocks[index]
        if block.kind not in {"note", "figure"} and not _UNIT_LINE.match(submission.text[block.start : block.end]):
            return index
        index += step
    return None


def _plain_title(submission: Submission, index: int) -> Caption | None:
    """A short line above a table that names it without a number."""
    block = submission.document.blocks[index]
    text = submission.text[block.start : block.end].strip()
    if block.kind not in {"paragraph", "heading", "list", "title"} or block.label or len(text) > _TITLE_MAX or _TITLE_END.search(text):
        return None
    if re.match(r"[0-9（(一二三四五六七八九十第]", text) and block.kind == "heading":
        return None
    centred = block.layout is not None and block.layout.alignment == "center"
    if not centred and not _TITLE_WORD.search(text):
        return None
    return Caption("表", block.start, block.end, index)


def captioned_figures(submission: Submission) -> tuple[Captioned, ...]:
    """The pictures of the write-up with their captions; pictures side by side or one under another share one and count once."""
    blocks, span = submission.document.blocks, body(submission)
    found: list[Captioned] = []
    used: set[int] = set()
    index = span.start
    while index < span.stop:
        if blocks[index].kind != "figure":
            index += 1
            continue
        last = index
        while last + 1 in span and blocks[last + 1].kind == "figure":
            last += 1
        caption, place = _of_figure(submission, index, last, used)
        if caption is not None:
            used.add(caption.block)
        found.append(Captioned("图", len(found) + 1, index, blocks[index].start, blocks[index].end, caption, place))
        index = last + 1
    return tuple(found)


def _of_figure(submission: Submission, first: int, last: int, used: set[int]) -> tuple[Caption | None, Place | None]:
    blocks, span = submission.document.blocks, body(submission)
    for index in range(last + 1, min(last + 4, span.stop)):
        caption = _caption(submission, index)
        if caption is not None:
            if caption.kind == "图":
                return caption, "below"
            break
        block = blocks[index]
        if block.kind == "figure":
            continue
        text = submission.text[block.start : block.end]
        if len(text) > _SUBCAPTION_MAX or "。" in text or block.kind == "heading":
            break
    if first - 1 in span and first - 1 not in used and (caption := _caption(submission, first - 1)) is not None and caption.kind == "图":
        return caption, "above"
    return None, None


def mentions(submission: Submission, own: Sequence[tuple[int, int]]) -> frozenset[tuple[str, str, tuple[int, ...]]]:
    """Kind, series and number of every table and figure that the text mentions, ranges spelt out; `own` are the spans of the captions."""
    text = submission.text
    found: set[tuple[str, str, tuple[int, ...]]] = set()
    skipped = [*own, *((block.start, block.end) for block in submission.document.blocks if block.kind == "toc")]
    listed = 0  # the end of the list that was read last
    for match in _numbered(text):
        if match.start() < listed or any(start <= match.start() < end for start, end in skipped):
            continue
        before = text[max(0, match.start() - 1) : match.start()]
        chinese = match[3][0] in "一二三四五六七八九十"
        if _BEFORE_OTHER_WORD.search(before) or _COUNTED.match(text, match.end()) or (chinese and not _BEFORE_CHINESE.match(before)):
            continue
        for parts, listed in _numbers(text, match):  # noqa: B007 - the last one tells where to go on
            found.add((match[2], match[1] or "", parts))
            found.add((match[2], "", parts))
    return frozenset(found)


@lru_cache(maxsize=2)  # asked once for the whole text and once for a section's
def _numbered(text: str) -> tuple[re.Match[str], ...]:
    """The matches of _MENTION, tried only where 表 or 图 stands."""
    found: list[re.Match[str]] = []
    position = 0
    while kind := _KIND.search(text, position):
        first = kind.start()
        match = _MENTION.match(text, first - 1 if first > position and text[first - 1] == "附" else first)
        if match:
            found.append(match)
        position = match.end() if match else kind.end()
    return tuple(found)


def _numbers(text: str, head: re.Match[str]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Mentioned numbers, each with where it ends: 图1、2和4 -> 1, 2, 4; 图1-3 -> (1, 3) and, as a range, 1, 2, 3; 表2-1至2-3 -> (2, 1) …"""
    previous, position = _parts(re.sub(r"[ 　]", "", head[3])), head.end()
    yield previous, position
    if len(previous) == 2:
        for single in range(previous[0], min(previous[1], previous[0] + _LONGEST_RANGE) + 1):
            yield (single,), position
    while (more := _MORE.match(text, position)) is not None and more[2] in {None, head[2]}:
        parts, position = _parts(more[3]), more.end()
        yield parts, position
        if more[1] in "至到～~—–-" and len(parts) == len(previous):
            for single in range(previous[-1], min(parts[-1], previous[-1] + _LONGEST_RANGE)):
                yield (*parts[:-1], single), position
        previous = parts


def tables_of(submission: Submission, sections: Sequence[Section]) -> tuple[Table, ...]:
    """The tables that stand in these sections, and those elsewhere that their text mentions by number."""
    return _tables_of(submission, tuple(sections))


@lru_cache(maxsize=4)
def _tables_of(submission: Submission, sections: tuple[Section, ...]) -> tuple[Table, ...]:
    every = tables(submission)
    inside = [table for table in every if any(section.start <= table.start < section.end for section in sections)]
    outside = [table for table in every if table not in inside]
    if not outside:
        return tuple(inside)
    known = {item.start: item.caption for item in captioned_tables(submission, rows=1, columns=1) if item.caption is not None}
    spans = [(caption.start, caption.end) for caption in captions(submission)]
    blocks = submission.document.blocks
    spans.extend((0, section.start) for section in sections[:1])
    spans.extend((before.end, after.start) for before, after in itertools.pairwise(sections))
    spans.append((sections[-1].end, blocks[-1].end + 1))
    mentioned = mentions(submission, spans)
    inside.extend(
        table for table in outside if (caption := known.get(table.start)) is not None and caption.parts and caption.key in mentioned
    )
    return tuple(sorted(inside, key=lambda table: table.start))


def near_mention(submission: Submission, caption: Caption) -> bool:
    """Whether the paragraphs around a caption point at it without a number: 见下表, 如图所示."""
    blocks, span = submission.document.blocks, body(submission)
    around = [
        blocks[index]
        for index in range(max(span.start, caption.block - _NEAR_BLOCKS), min(span.stop, caption.block + _NEAR_BLOCKS + 1))
        if index != caption.block and blocks[index].kind in {"paragraph", "list", "heading"}
    ]
    return any(_NEAR[caption.kind].search(submission.text, block.start, block.end) for block in around)
