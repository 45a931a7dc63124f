"""What of a file is the write-up: application form and evidence before and after it, its title, the organisation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from service.model import Block, Document, Heading, Title
from service.numbering import number_of
from service.text import han

_BLANKS = re.compile(r"[\s\u3000]+")
_FORM_TABLE = 3  # field names from which a table is part of a form
_SHORT = 30
_TITLE_LENGTH = (6, 60)  # characters of one that nothing but its place tells
_COVER = 40  # blocks among which the lines of a form stand where no section heading tells
_TITLE_LINES = 14  # blocks at the start among which the title stands
_WRITEUP = 300  # Chinese characters of running text from which something is a write-up


@dataclass(frozen=True, slots=True)
class Zone:
    """Blocks [first, last) hold the write-up; `form` and `evidence` say what else was found."""

    first: int
    last: int
    form: bool
    evidence: bool
    is_writeup: bool


def _squeezed(document: Document, block: Block) -> str:
    return _BLANKS.sub("", document.text[block.start : block.end])


def _is_form(document: Document, block: Block, words: Mapping[str, Any]) -> bool:
    text = _squeezed(document, block)
    if block.kind == "table":
        return sum(1 for field in words["fields"] if field in text) >= _FORM_TABLE
    return 2 <= len(text) <= _SHORT and any(text.endswith(heading) for heading in words["headings"])


def _is_evidence(document: Document, block: Block, words: Mapping[str, Any]) -> bool:
    if block.kind not in {"heading", "paragraph", "title", "list"}:
        return False
    text = re.sub(r"^(?:附件|附)?[\d一二三四五六七八九十]{0,2}[、：:.．]?", "", _squeezed(document, block)).strip("：:")
    return 2 <= len(text) <= 12 and any(text == heading or (len(heading) > 2 and text.endswith(heading)) for heading in words["headings"])


def _running(document: Document, blocks: Sequence[Block]) -> int:
    """Chinese characters in paragraphs of running text."""
    return sum(han(document.text[b.start : b.end]) for b in blocks if b.kind in {"paragraph", "list"} and b.end - b.start >= _SHORT)


def zone(document: Document, *, strong: Sequence[int], words: Mapping[str, Any]) -> Zone:
    """Where the write-up stands. `strong` are indexes of blocks whose heading names a section; `words` is the parts lexicon."""
    blocks = document.blocks
    forms = [i for i, block in enumerate(blocks) if _is_form(document, block, words["form"])]
    first = 0
    opening = strong[0] if strong else _COVER
    if any(blocks[i].kind == "table" for i in forms) or sum(i < opening for i in forms) >= 2:
        starts = [i for i in strong if i > forms[0] and _running(document, blocks[i : _next(forms, i, len(blocks))]) >= _WRITEUP]
        limit = starts[0] if starts else len(blocks)
        first = max((i for i in forms if i < limit), default=-1) + 1
        first = _after_form_remarks(document, first, limit)
    last = len(blocks)
    form = first > 0
    later = [i for i in forms if i > first and blocks[i].kind == "table"]
    if later and first <= later[0] and _running(document, blocks[first : later[0]]) >= _WRITEUP:
        last, form = later[0], True
        while last > first and (_is_form(document, blocks[last - 1], words["form"]) or blocks[last - 1].kind in {"caption", "title"}):
            last -= 1
    half = first + (last - first) // 2
    ends = [i for i in range(half, last) if _is_evidence(document, blocks[i], words["evidence"]) and not any(s > i for s in strong)]
    if ends and _running(document, blocks[first : ends[0]]) >= _WRITEUP:
        last = ends[0]
    early = [i for i in range(first, min(last, first + 6)) if _is_evidence(document, blocks[i], words["evidence"])]
    is_writeup = not ((forms and _running(document, blocks[first:last]) < _WRITEUP) or (early and not strong))
    return Zone(first, last, form=form or not is_writeup, evidence=bool(ends or early), is_writeup=is_writeup)


def contents(document: Document, *, words: Mapping[str, Any]) -> frozenset[int]:
    """Blocks of a contents page that is plain text: short lines under 目录 that recur as lines further on."""
    blocks = document.blocks
    marks = {_BLANKS.sub("", mark) for mark in words["contents"]["headings"]}
    start = next((i for i, block in enumerate(blocks) if block.kind != "table" and _squeezed(document, block) in marks), None)
    if start is None:
        return frozenset()
    lines = [_entry(document, block) for block in blocks]
    stop = start + 1
    while stop < len(blocks) and blocks[stop].kind != "table" and (blocks[stop].kind == "toc" or lines[stop] in lines[stop + 1 :]):
        stop += 1
    return frozenset(range(start, stop))


def _entry(document: Document, block: Block) -> str:
    """A line as an entry of a contents page is compared: without blanks, leaders and page number."""
    return re.sub(r"[.…·．\-—]*\d*$", "", _BLANKS.sub("", block.label + document.text[block.start : block.end]))


def _next(indexes: Sequence[int], after: int, default: int) -> int:
    return next((i for i in indexes if i > after), default)


def _after_form_remarks(document: Document, first: int, limit: int) -> int:
    """Skips the remarks under a form's table (注：…, 盖章 lines, dates) up to the write-up."""
    position = first
    while position < limit:
        text = _squeezed(document, document.blocks[position])
        if not re.match(r"(?:注[：:]|说明[：:]|（?盖章|.{0,12}年月日$|附件\d?$)", text):
            break
        position += 1
    return position


_NUMBER = r"[\s\u3000]*(?:[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．][\s\u3000]*)?"


# --- title -------------------------------------------------------------------------------------------------------------------------


def _field(text: str, fields: Sequence[str]) -> re.Match[str] | None:
    """经验名称：… with the value behind the match; a number may stand before it."""
    return re.match(rf"{_NUMBER}(?:{_any(fields)})[\s\u3000]*[：:][\s\u3000]*(?=\S)", text)


def _is_field(text: str, fields: Sequence[str]) -> bool:
    """A line that is nothing but a field's name (一、经验名称): its value stands on the next."""
    return re.fullmatch(rf"{_NUMBER}(?:{_any(fields)})[\s\u3000]*[：:]?[\s\u3000]*(?:[（(][^（）()]{{0,16}}[）)])?", text) is not None


def _any(words: Sequence[str]) -> str:
    return _alternatives(tuple(words))


@lru_cache(maxsize=16)
def _alternatives(words: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


def _title_points(document: Document, index: int, words: Mapping[str, Any], *, size: float, first: int) -> float:
    block = document.blocks[index]
    text = _squeezed(document, block)
    bare = text.strip("《》“”")
    if not 4 <= len(text) <= 80 or text.endswith(("。", "；", "：", ":", "，")):
        return -9.0
    if _is_no_title(bare, words) or re.fullmatch(r"[\d年月日〇一二三四五六七八九十○.\-/]+", bare):
        return -9.0
    if block.kind != "title" and _is_labelled(text, words) and not any(bare.endswith(e) for e in words["title"]["endings"]):
        return -9.0
    points = 3.0 if block.kind == "title" else 0.0
    points += 2.0 if any(bare.endswith(word) for word in words["title"]["endings"][:6]) else 0.0
    points += 1.0 if any(bare.startswith(word) for word in words["title"]["openings"]) else 0.0
    points += 0.5 if len(text) >= 10 else 0.0
    points -= 2.5 if any(bare.endswith(word) for word in words["organisation"]["endings"]) and not points else 0.0
    layout = block.layout
    if layout is not None:
        points += 1.5 if layout.alignment == "center" else 0.0
        points += 1.5 if layout.size and layout.size >= size + 1 else 0.0
        points += 0.5 if layout.bold else 0.0
    points += 1.0 if index == first else 0.0
    return points


def _is_no_title(text: str, words: Mapping[str, Any]) -> bool:
    """What stands on covers and forms (申报书, 2024年质量标杆典型经验); 基于……的典型经验 is a title."""
    given = words["title"]
    if text.endswith(tuple(given["not_titles"])):
        return True
    rest = next((text.removesuffix(ending) for ending in given["only_with_opening"] if text.endswith(ending)), None)
    return rest is not None and not rest.endswith("的") and not any(opening in rest for opening in given["openings"])


def _is_labelled(text: str, words: Mapping[str, Any]) -> bool:
    """申报单位：…, 编制日期：…; a title may have a colon too (一块板的旅行：……之路)."""
    match = re.match(r"(.{2,8})[：:]", text)
    known = (*words["form"]["fields"], *words["organisation"]["fields"], *words["title"]["fields"], *words["title"]["labels"])
    return match is not None and match[1].endswith(tuple(known))


def _title_by_name(document: Document, *, before: int, words: Mapping[str, Any]) -> Title | None:
    blocks = document.blocks
    for index in range(min(before, len(blocks))):
        block = blocks[index]
        text = document.text[block.start : block.end]
        if block.kind != "table":
            match = _field(text, words["title"]["fields"])
            if match and 4 <= len(text) - match.end() <= 80:
                return Title(text[match.end() :].rstrip(), block.start + match.end(), block.end)
            following = blocks[index + 1] if index + 1 < len(blocks) else None
            if (
                following is not None
                and _is_field(text, words["title"]["fields"])
                and following.kind in {"title", "paragraph", "heading", "list"}
            ):
                below = document.text[following.start : following.end].strip()
                if 4 <= len(below) <= 80 and not below.endswith("。"):
                    return Title(below, following.start, following.end, block=index + 1)
    return None


def title(document: Document, *, first: int, before: int, words: Mapping[str, Any]) -> Title | None:
    """The title among the blocks from `first` up to `before` (the first section heading), or in a line 经验名称：…"""
    named = _title_by_name(document, before=before, words=words)
    if named is not None:
        return named
    blocks = document.blocks
    sizes = sorted(b.layout.size for b in blocks if b.layout and b.layout.size and b.end - b.start >= _SHORT)
    size = sizes[len(sizes) // 2] if sizes else 99.0
    reach = range(first, min(before, first + _TITLE_LINES, len(blocks)))
    lines = [i for i in reach if blocks[i].kind in {"title", "heading", "paragraph", "list"}]
    start = lines[0] if lines else first
    ranked = sorted(((_title_points(document, i, words, size=size, first=start), -i) for i in lines), reverse=True)
    if ranked and ranked[0][0] >= 2.0:
        return _joined(document, -ranked[0][1], words, before=before)
    return _title_in_form(document, words, before=first) or _lone_line(document, lines, words)


def _lone_line(document: Document, lines: Sequence[int], words: Mapping[str, Any]) -> Title | None:
    """The only line before the first heading, or the organisation's name as the last of them: all the title there is."""
    if not lines:
        return None
    block = document.blocks[lines[-1]]
    text = _squeezed(document, block)
    alone = len(lines) == 1 and _TITLE_LENGTH[0] <= len(text) <= _TITLE_LENGTH[1] and not re.search(r"[。；]", text)
    other = _is_no_title(text, words) or _is_labelled(text, words)
    if (not alone or other or block.label) and not company(words).fullmatch(text):
        return None
    return Title(document.text[block.start : block.end].strip(), block.start, block.end, block=lines[-1])


def _joined(document: Document, index: int, words: Mapping[str, Any], *, before: int) -> Title:
    """The title with the line above or below that belongs to it: same size, both short, only together a whole."""
    blocks = document.blocks
    low = high = index

    def alike(a: int, b: int) -> bool:
        one, two = blocks[a].layout, blocks[b].layout
        if one is None or two is None or blocks[b].kind not in {"title", "paragraph", "heading"}:
            return False
        text = _squeezed(document, blocks[b])
        if not text or _is_no_title(text, words) or text.endswith(tuple(words["organisation"]["endings"])) or _is_labelled(text, words):
            return False
        # A line as wide as the page has no alignment to see; the PDF reader calls both lines title by their size.
        together = one.alignment == two.alignment == "center" or blocks[a].kind == blocks[b].kind == "title"
        return together and one.size == two.size and one.bold == two.bold and len(text) <= 40

    endings = tuple(words["title"]["endings"][:6])
    if (
        index + 1 < before
        and index + 1 < len(blocks)
        and not _squeezed(document, blocks[index]).endswith(endings)
        and alike(index, index + 1)
    ):
        high = index + 1
    elif index > 0 and alike(index, index - 1) and not _squeezed(document, blocks[index - 1]).endswith(endings):
        low = index - 1
    text = "".join(document.text[blocks[i].start : blocks[i].end].strip() for i in range(low, high + 1))
    return Title(text, blocks[low].start, blocks[high].end, block=index)


def _beside(document: Document, fields: Sequence[str], *, before: int) -> tuple[int, int] | None:
    """The span of the cell to the right of one that holds a field's name, in the tables before a block."""
    for block in document.blocks[:before]:
        for cell, following in zip(block.cells, block.cells[1:], strict=False):
            name = _BLANKS.sub("", document.cell_text(cell)).strip("：:")
            if name in fields and following.row == cell.row and document.text[following.start : following.end].strip():
                return following.start, following.end
    return None


def repeats(document: Document, found: Title | None) -> frozenset[int]:
    """Blocks that hold nothing but the title once more, as above the text that follows cover and contents."""
    if found is None:
        return frozenset()
    wanted = _BLANKS.sub("", found.text)
    return frozenset(
        i
        for i, block in enumerate(document.blocks)
        if block.kind in {"title", "heading", "paragraph"} and _squeezed(document, block) == wanted
    )


def _title_in_form(document: Document, words: Mapping[str, Any], *, before: int) -> Title | None:
    span = _beside(document, words["title"]["fields"], before=before)
    return Title(document.text[span[0] : span[1]].strip(), *span) if span else None


_PRONOUN = re.compile(r"我|本|该|全|各|公司|集团|企业|是|由|为")


# --- organisation ------------------------------------------------------------------------------------------------------------------


def company(words: Mapping[str, Any]) -> re.Pattern[str]:
    endings = "|".join(words["organisation"]["endings"])
    return re.compile(rf"[\u4e00-\u9fffA-Za-z0-9·（）()]{{2,36}}?(?:{endings})(?![\u4e00-\u9fff]{{0,3}}(?:公司|集团)(?!的))")


def organisation(
    document: Document, *, found: Title | None, overview: tuple[int, int] | None, before: int, words: Mapping[str, Any]
) -> str | None:
    """The organisation's name: from the cover or the form, the first sentences of the overview, the title, the file's name."""
    pattern = company(words)
    on_cover = _named_on_cover(document, pattern, before=before, words=words)
    if on_cover:
        return on_cover
    if overview is not None:
        head = document.text[overview[0] : min(overview[1], overview[0] + 400)]
        for sentence in re.split(r"[。；\n]", head)[:4]:
            for piece in (sentence, *re.split(r"[，,：:是为系]", sentence)):  # 我们公司全称是……
                match = pattern.match(piece.strip())
                if match and not _PRONOUN.match(match[0]):
                    return match[0]
    if found is not None and (match := pattern.match(found.text)):
        return match[0]
    match = pattern.search(re.sub(r"[_\-—+\s\d.]+", " ", document.name.rsplit(".", 1)[0]))
    return match[0] if match else None


def _named_on_cover(document: Document, pattern: re.Pattern[str], *, before: int, words: Mapping[str, Any]) -> str | None:
    """企业名称：…, the form's cell beside 企业名称, or a line of the cover that is nothing but a company's name."""
    fields = words["organisation"]["fields"]
    for block in document.blocks[: before + 1]:
        line = document.text[block.start : block.end]
        match = _field(line, fields) if block.kind != "table" else None
        name = re.split(r"[\s\u3000（(]*(?:[（(]?盖章|加盖)", line[match.end() :])[0].strip() if match else ""
        if 4 <= len(name) <= 40:
            return name
    span = _beside(document, fields, before=before)
    if span:
        return document.text[span[0] : span[1]].strip()
    for block in document.blocks[:before]:
        line = _squeezed(document, block)
        if block.kind != "table" and len(line) <= 36 and (match := pattern.fullmatch(line)):
            return match[0]
    return None


def _block_at(document: Document, offset: int) -> int | None:
    """The paragraph that holds an offset; None in a table."""
    return next((i for i, b in enumerate(document.blocks) if b.start <= offset < b.end and b.kind != "table"), None)


def cover(document: Document, zone: Zone, found: Title | None, *, words: Mapping[str, Any]) -> frozenset[int]:
    """Blocks of the cover: up to the title and the short lines under it (organisation, date)."""
    title_block = None if found is None else _block_at(document, found.start)
    if title_block is None or title_block < zone.first:
        return frozenset()
    stop = title_block + 1
    while stop < zone.last:
        block = document.blocks[stop]
        text = document.text[block.start : block.end].strip()
        short = block.kind in {"title", "paragraph"} and len(text) <= 36 and not re.search(r"[。；，]", text)
        centred = block.kind == "title" or (block.layout is not None and block.layout.alignment in {"center", "right"})
        fielded = re.match(r".{2,10}[：:]", text) is not None
        dated = re.fullmatch(r"[\d〇○一二三四五六七八九十\s]{2,8}年.{0,8}", text) is not None
        named = company(words).fullmatch(text) is not None
        if not (short and (centred or fielded or dated or named)) or number_of(text, label=block.label):
            break
        stop += 1
    return frozenset(range(zone.first, stop))


def strong_headings(headings: Sequence[Heading], matches: Mapping[int, Mapping[str, float]]) -> list[int]:
    """Blocks whose heading names one of the sections beyond doubt."""
    return [h.block for h in headings if max(matches.get(h.block, {}).values(), default=0.0) >= 0.75]
