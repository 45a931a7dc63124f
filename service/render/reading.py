"""A write-up as a reviewer reads it: section by section, with its summaries, findings and evidence, and without what tells of people.

The application form, the cover and the evidence files are left out; contact data and credit codes are hidden wherever else they stand.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from markupsafe import Markup, escape

from service.model import Block, Edition, Past, Report, Submission
from service.render.html import Part, spots_of, template, values_of
from service.render.insight import CriterionShown, Quote
from service.render.page import Link
from service.render.view import Item, View, view
from service.render.wording import printable, section_name

_HIDDEN = "＊"
_WORDS = re.compile(r"[^\n\t]")
# Credit codes (GB 32100), e-mail addresses, fixed lines; mobile numbers, identity numbers and bank cards are masked in every report.
_PERSONAL = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])"
    r"|[0-9A-Za-z._%+-]{1,64}@[0-9A-Za-z-]{1,63}(?:\.[0-9A-Za-z-]{1,63}){1,4}"
    r"|(?<![0-9.])[(（]?0[1-9][0-9]{1,2}[)）]?[- －—]?[2-9][0-9]{6,7}(?![0-9.])"
    r"|(?<![0-9.])[48]00-[0-9]{3}-?[0-9]{4}(?![0-9.])"
)
# What stands beside the label of a form; the label itself stays.
_FORM = re.compile(
    r"(?:联\s?系\s?人|联系电话|联系方式|电子邮箱|电子邮件|E-?mail|传真|通讯地址|手机号码|邮政编码)"
    r"[ \u3000]{0,4}[:：\t][ \u3000]{0,4}([^\n\t，。；;]{1,60})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of the text, or what stands before the first one (key None)."""

    number: int  # from 1
    key: str | None
    name: str  # empty before the first section
    words: int | None
    start: int
    parts: tuple[Part, ...]
    sentences: tuple[Quote, ...]  # its summary
    items: tuple[Item, ...]  # errors and warnings that stand in it


@dataclass(frozen=True, slots=True)
class Reading:
    """`items` are errors and warnings, the gravest first; those of the whole write-up are no chapter's."""

    view: View
    chapters: tuple[Chapter, ...]
    spots: Mapping[int, int]  # number of an anchor in the text -> the place where it stands
    places: Mapping[tuple[int, int], int]  # span -> number of its anchor
    whole: tuple[Quote, ...]  # the summary of the whole write-up
    items: tuple[Item, ...]
    criteria: Mapping[str, CriterionShown]
    values: Mapping[str, Any]  # of the report's templates

    def chapter_at(self, place: int) -> int:
        """The number of the chapter that holds a place of the text."""
        return max(1, bisect_right([chapter.start for chapter in self.chapters], place))

    def text(self, chapters: Sequence[Chapter], *, similar: str) -> Markup:
        """These chapters' text with its marks; `similar` is the address where passages stand beside those of past benchmarks."""
        blocks = tuple(part for chapter in chapters for part in chapter.parts)
        told = template("text.html.j2").render({**self.values, "blocks": blocks})
        # Whatever the text says, a quotation mark of its own is escaped: these are the template's links alone.
        return Markup(printable(told).replace('href="#m', f'href="{escape(similar)}#m'))  # noqa: S704 - rendered with escaping

    def similar(self, place: Callable[[int], str]) -> Markup:
        """Passages beside those of past benchmarks; `place` gives the address of an anchor of the text by its number."""
        told = template("matches.html.j2").render(self.values)
        told = re.sub(r'href="#k(\d+)"', lambda found: f'href="{escape(place(int(found[1])))}"', printable(told))
        return Markup(told)  # noqa: S704 - rendered with escaping


def reading(
    report: Report, edition: Edition, *, hidden: Sequence[str] = (), links: Callable[[Past], Sequence[Link]] | None = None
) -> Reading:
    """What a reviewer sees of a report. `hidden` are strings known to tell of people; `links` where a past benchmark can be read.

    ValueError where there is no text.
    """
    shown = view(veiled(report, hidden=hidden), edition)
    submission = shown.report.submission
    if submission is None:
        raise ValueError("a report without text cannot be read")
    kept = [item for item in shown.items if item.severity != "advice" and submission.start <= item.start <= submission.end]
    items = tuple(replace(item, number=number) for number, item in enumerate(kept, 1))
    shown = replace(shown, items=items)
    spots = spots_of(shown)
    values = values_of(shown, spots)
    alike = () if shown.likeness is None else shown.likeness.matches
    found = {} if links is None else {one.number: links(match.past) for one, match in zip(alike, shown.report.matches, strict=True)}
    told, advice = shown.insight, shown.report.advice
    sentences = {} if told is None else {part.key: part.sentences for part in told.sections}
    inside = [(block, part) for block, part in zip(submission.document.blocks, values["blocks"], strict=True) if not part.outside]
    evident = () if told is None or advice is None else zip((one.criterion for one in advice.criteria), told.criteria, strict=True)
    return Reading(
        view=shown,
        chapters=tuple(_chapters(submission, inside, items, sentences)),
        spots={spot.number: spot.start for spot in spots},
        places={(spot.start, spot.end): spot.number for spot in spots if spot.match is None},
        whole=sentences.get(None, ()),
        items=items,
        criteria=dict(evident),
        values=values | {"web": True, "links": found},
    )


def _chapters(
    submission: Submission, kept: Sequence[tuple[Block, Part]], items: Sequence[Item], sentences: Mapping[str | None, tuple[Quote, ...]]
) -> Iterator[Chapter]:
    """Cut where sections begin; a summary stands with the first section of its key."""
    groups: list[list[tuple[Block, Part]]] = [[]]
    for block, part in kept:
        if part.sections and groups[-1]:
            groups.append([])
        groups[-1].append((block, part))
    if len(groups) > 1 and all(part.kind == "title" for _, part in groups[0]):
        groups[:2] = [groups[0] + groups[1]]  # the title alone is no chapter
    starts = [group[0][0].start for group in groups if group] or [submission.start]
    ends = [*starts[1:], submission.end + 1]
    seen: set[str | None] = {None}
    for number, (group, start, end) in enumerate(zip(groups, starts, ends, strict=True), 1):
        tag = next((part.sections[-1] for _, part in group if part.sections), None)
        key = None if tag is None else tag.section.key
        mine = tuple(item for item in items if not item.whole and (start <= item.start < end or (number == 1 and item.start < start)))
        told = sentences.get(key, ()) if key not in seen else ()
        seen.add(key)
        name = "" if key is None else section_name(submission, key)
        yield Chapter(number, key, name, None if tag is None else tag.section.words, start, tuple(part for _, part in group), told, mine)


# --- what tells of people ----------------------------------------------------------------------------------------------------------


def veiled(report: Report, *, hidden: Sequence[str] = ()) -> Report:
    """The same report, every offset unchanged, with contact data and credit codes hidden in every string that it holds.

    Of the text around the write-up (cover, application form, evidence) nothing is left but its lines and cells.
    """
    known = sorted({value for value in hidden if value.strip()}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, known))) if known else None

    def veil(value: str) -> str:
        if len(value) < 2:
            return value
        value = _PERSONAL.sub(lambda found: _HIDDEN * len(found[0]), value)
        value = _FORM.sub(lambda found: found[0][: found.start(1) - found.start()] + _HIDDEN * len(found[1]), value)
        return value if pattern is None else pattern.sub(lambda found: _HIDDEN * len(found[0]), value)

    made: Report = _through(report, veil)
    return made if made.submission is None else replace(made, submission=_alone(made.submission))


def _alone(submission: Submission) -> Submission:
    """The write-up without a word of what surrounds it."""
    document, start, end = submission.document, submission.start, submission.end
    before, after = _WORDS.sub(_HIDDEN, document.text[:start]), _WORDS.sub(_HIDDEN, document.text[end:])
    blocks = tuple(block if start <= block.start < end else _blank(block) for block in document.blocks)
    return replace(submission, document=replace(document, text=before + document.text[start:end] + after, blocks=blocks))


def _blank(block: Block) -> Block:
    """A table's cells may hold their text a second time."""
    return replace(block, cells=tuple(replace(cell, joined="") if cell.joined else cell for cell in block.cells)) if block.cells else block


def _through(value: Any, veil: Callable[[str], str]) -> Any:
    """The value with every string in it veiled; what holds none to veil is the same object."""
    if isinstance(value, str):
        return veil(value)
    if isinstance(value, tuple):
        made = [_through(one, veil) for one in value]
        return value if all(new is old for new, old in zip(made, value, strict=True)) else tuple(made)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            one.name: new for one in fields(value) if (new := _through(old := getattr(value, one.name), veil)) is not old and new != old
        }
        return replace(value, **changed) if changed else value
    return value
