"""What a write-up shows for the criteria of selection (附件 第八条 / 第六条), and what a reader would look for in vain.

The aspects, their cues and the sentences that readers see are data (service/lexicon/criteria.toml). A cue in a slogan is no evidence: a
concrete sign (a figure, a change, a document, a name) must stand in the same sentence. An aspect is called missing only where not even
a loose hint of it stands where it would, or where a rule proves it: prefer silence to a false alarm. No score is made: none is published.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from service import lexicon
from service.captions import tables_of
from service.indicators import Figure
from service.model import Criterion, CriterionEvidence, Strength, Submission
from service.quantities import fold
from service.tables import Table
from service.tabulated import tabled
from service.text import sentences

_REACH = 16  # characters that "…" in a cue stands for
_NEAR = 16  # characters between a cue and its figure
_BEFORE = 10  # characters before a cue where its figure or verb may stand
_MOST_PLACES = 60  # of one cue, looked at in one write-up
_MIXED = 0x3FFFF  # of two characters' numbers, to look a pair up in a table
_MOST_SHOWN = 2  # sentences an aspect
_MOST_ASPECTS = 2  # that one sentence may show
_WORSE = 4.0  # a second sentence that says so much less than the best is not shown
_TELLING = 3  # figures of a sentence that count
_SHORTEST = 12  # characters of a sentence that can be evidence
_LONGEST = 260
_OTHER = "other"
_LONG = 150  # a sentence longer than this is a worse quotation
_KINDS = frozenset({"paragraph", "list"})
_NUMBER = (
    r"(?<![0-9A-Za-z.第表图号/（(-])[0-9]{1,3}(?:[ ,，][0-9]{3})+(?:\.[0-9]+)?(?![0-9A-Za-z-])"
    r"|(?<![0-9A-Za-z.第表图号/（(-])(?!(?:19|20)[0-9]{2}(?:年|[—、和至-]))[0-9]+(?:\.[0-9]+)?(?![0-9A-Za-z.-]|年(?!多|内|来)|月|日|号)"
)
_MEASURE = "[个项家人名位次台套条份篇期天周户批件只张节门本册例起处吨米元倍层级万亿年]|小时|分钟|百分点|万元|亿元"
_WORDED = (
    rf"[二两三四五六七八九十百千万][一二三四五六七八九十百千万零〇]{{0,9}}(?:多|余|几)?(?:{_MEASURE})"
    rf"|一[百千万十][一二三四五六七八九十百千万零〇]{{0,8}}(?:多|余)?(?:{_MEASURE})"
    "|百分之[一二三四五六七八九十零点]+|[一二三四五六七八九]成|[一二三四五六七八九十]分之[一二三四五六七八九]"
)
_FIGURE = re.compile(f"{_NUMBER}|{_WORDED}")
_DIGITS = re.compile("[0-9]+")
_MONEY = re.compile(r"(?:[0-9]|[一二三四五六七八九十百千])[余多]?(?:[十百千万亿]{0,3})[余多]?(?:元|美元|欧元)")
_BETTER = "提高|提升|上升|增长|增加|增|升|降低|下降|降|减少|减|缩短|压缩|压到|压至|节约|节省|延长|收窄|扩大|缩小|少了|多了|翻了|回落|走到"
_CHANGE = re.compile(
    f"(?:{_BETTER})(?:了|到了?|至|为|成|约|近|超过)*[^，。；]{{0,2}}(?:{_FIGURE.pattern})"
    f"|(?:由|从)[^，。；]{{0,16}}?(?:{_FIGURE.pattern})[^。；]{{0,14}}?(?:到|至|为|成|{_BETTER})[^，。；]{{0,10}}?(?:{_FIGURE.pattern})"
)
_COINED = "法|模式|机制|体系|工程|理念|平台|模型|准则|工作制"  # what a name of one's own is given to
_SIGNS = {
    "figure": _FIGURE,
    "time": re.compile("(?:19|20)[0-9]{2}年|[0-9一二两三四五六]个?(?:年|月)(?:内|之内|以内|时间)|年底"),
    "coined": re.compile(f"[“「][^”」\n]{{2,24}}(?:{_COINED})[”」]|[“「][^”」\n]{{2,24}}[”」]的?[^，。；“]{{0,8}}(?:{_COINED})"),
    "document": re.compile("《[^》\n]{2,40}》"),
    "name": re.compile("[“「][^”」\n]{2,18}[”」]"),
}
_GAP = {True: re.compile("，"), False: re.compile("[，、]")}  # what may not stand between the parts of a cue, sure or not
_NEGATED = re.compile("(?:没有|没|[买用上]不起|无|未|缺乏|缺少|不|谈不上|难以)[^，。；]{0,2}\\Z")


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that speak of an aspect: `head`, and `tail` after up to _REACH characters of the same clause ("" for none)."""

    head: str
    tail: str
    sure: bool  # concrete itself: no sign is needed
    anchor: str  # head or tail: the part that is looked for, of two characters or more
    pair: str  # its first two characters


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that a criterion asks for; see the head of criteria.toml."""

    id: str
    asked: dict[str, list[str]]
    sections: tuple[str, ...]
    cues: tuple[Cue, ...]
    signs: tuple[str, ...]
    alone: tuple[str, ...]  # words that make a cue concrete without a sign
    besides: tuple[str, ...]  # words one of which must stand in the sentence as well
    unless: tuple[str, ...]
    before_not: tuple[str, ...]
    slogans: tuple[str, ...]
    hints: tuple[str, ...]
    shown: str
    sought: str
    section: str
    checks: frozenset[str]
    proofs: frozenset[str]
    answers: frozenset[str]
    weight: float
    do: str
    example: str
    tables: bool
    headings: int  # subheadings of `section` that are evidence; 0: none are


@dataclass(frozen=True, slots=True)
class Place:
    """Where evidence stands and how much it says."""

    start: int
    end: int
    weight: float
    section: str


@dataclass(frozen=True, slots=True)
class Missing:
    """An aspect that a reader looks for in vain."""

    aspect: Aspect
    criterion: Criterion


@cache
def aspects() -> tuple[Aspect, ...]:
    return tuple(_aspect(row) for row in lexicon.load("criteria")["aspect"])


def _aspect(row: dict[str, object]) -> Aspect:
    def words(key: str) -> tuple[str, ...]:
        value = row.get(key, ())
        return tuple(str(word) for word in value) if isinstance(value, list) else ()

    cues = [(cue.partition("…"), kind == "sure") for kind in ("cues", "sure") for cue in words(kind)]
    asked = row["asked"]
    return Aspect(
        id=str(row["id"]),
        asked=asked if isinstance(asked, dict) else {},
        sections=words("sections"),
        cues=tuple(_cue(head, tail, sure=sure) for (head, _, tail), sure in cues),
        signs=words("signs"),
        alone=words("with"),
        besides=words("with_too"),
        unless=words("unless"),
        before_not=words("before_not"),
        slogans=words("slogans"),
        hints=words("hints"),
        shown=str(row["shown"]),
        sought=str(row["sought"]),
        section=str(row["section"]),
        checks=frozenset(words("checks")),
        proofs=frozenset(words("proofs")),
        answers=frozenset(words("answers")),
        weight=float(str(row["weight"])),
        do=str(row["do"]),
        example=str(row["example"]),
        tables=bool(row.get("tables")),
        headings=int(str(row.get("headings", 0))),
    )


def _cue(head: str, tail: str, *, sure: bool) -> Cue:
    anchor = head if len(head) > 1 else tail
    return Cue(head, tail, sure, anchor, anchor[:2])


def asked(criteria: Sequence[Criterion]) -> Iterator[tuple[Criterion, Aspect]]:
    """Each aspect with the criterion it belongs to: the first of its own whose wording asks for it."""
    known = {criterion.id: criterion for criterion in criteria}
    for aspect in aspects():
        for key, words in aspect.asked.items():
            criterion = known.get(key)
            if criterion is not None and any(word in criterion.wording for word in words):
                yield criterion, aspect
                break


@cache
def _first_two() -> tuple[frozenset[str], NDArray[np.bool_]]:
    """The first two characters of every cue's anchor, and which of their mixed numbers occur."""
    pairs = frozenset(cue.pair for aspect in aspects() for cue in aspect.cues)
    known = np.zeros(_MIXED + 1, dtype=np.bool_)
    known[_mixed(np.array([[ord(pair[0]), ord(pair[1])] for pair in pairs], dtype=np.uint32))] = True
    return pairs, known


def _mixed(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A number up to _MIXED for each row of two characters."""
    mixed: NDArray[np.uint32] = (codes[:, 0] * np.uint32(1031) + codes[:, 1]) & np.uint32(_MIXED)
    return mixed


def _pairs(text: str) -> dict[str, list[int]]:
    """Where the first two characters of any cue stand: a thousand cues are looked for in one pass over the text."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    pairs, known = _first_two()
    found: dict[str, list[int]] = {}
    for position in np.flatnonzero(known[_mixed(np.stack((codes[:-1], codes[1:]), axis=1))]).tolist() if len(codes) > 1 else ():
        pair = text[position : position + 2]
        if pair in pairs:
            found.setdefault(pair, []).append(position)
    return found


@dataclass(slots=True)
class Reading:
    """A write-up as the search for evidence needs it: which block and section a place belongs to, sentences cut once a block."""

    submission: Submission
    text: str = ""  # folded
    title: str = ""
    bodies: dict[str, str] = field(default_factory=dict)  # section key -> folded text
    starts: list[int] = field(default_factory=list)
    blocks: list[tuple[int, int, str]] = field(default_factory=list)  # start, end, section key
    pairs: dict[str, list[int]] = field(default_factory=dict)  # where the first two characters of a cue stand
    keys: frozenset[str] = frozenset()  # of its sections
    _sentences: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    _found: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        submission = self.submission
        self.text = fold(submission.text)
        headed = {heading.block for heading in submission.headings}
        for section in submission.sections:
            for index in section.blocks:
                block = submission.document.blocks[index]
                if block.kind in _KINDS and index not in headed and block.end - block.start >= _SHORTEST:
                    self.blocks.append((block.start, block.end, section.key))
        self.blocks.sort()
        self.starts = [start for start, _, _ in self.blocks]
        self.pairs = _pairs(self.text)
        self.keys = frozenset(section.key for section in submission.sections)
        self.title = fold(submission.title.text) if submission.title else ""
        for section in submission.sections:
            self.bodies[section.key] = self.bodies.get(section.key, "") + self.text[section.start : section.end] + "\n"

    def places(self, cue: Cue) -> list[int]:
        """Where a cue's anchor stands, as far as it is looked at."""
        found = self._found.get(cue.anchor)
        if found is None:
            near = self.pairs.get(cue.pair, [])
            whole = near if cue.anchor == cue.pair else [at for at in near if self.text.startswith(cue.anchor, at)]
            found = self._found[cue.anchor] = whole[:_MOST_PLACES]
        if cue.tail and cue.anchor == cue.head:  # most heads have no tail near
            after = len(cue.head)
            return [at for at in found if self.text.find(cue.tail, at + after, at + after + _REACH + len(cue.tail)) >= 0]
        return found

    def block(self, position: int) -> int | None:
        index = bisect_right(self.starts, position) - 1
        return index if index >= 0 and position < self.blocks[index][1] else None

    def accepts(self, aspect: Aspect, key: str) -> bool:
        """Whether evidence is looked for in sections of a key; in those of no key where the aspect's own section was not found."""
        return key in aspect.sections or (key == _OTHER and aspect.sections[0] not in self.keys)

    def sentence(self, index: int, position: int) -> tuple[int, int] | None:
        if index not in self._sentences:
            start, end, _ = self.blocks[index]
            self._sentences[index] = list(sentences(self.text, start, end))
        spans = self._sentences[index]
        place = bisect_right(spans, (position, len(self.text))) - 1
        return spans[place] if place >= 0 and position < spans[place][1] else None


def evidence(
    submission: Submission, criteria: Sequence[Criterion], *, failed: frozenset[str], foreign: tuple[str, ...]
) -> tuple[tuple[CriterionEvidence, ...], tuple[Missing, ...]]:
    """What is shown and sought by criterion, and the aspects that are missing; `failed` are the checks that failed.

    An aspect that a failed rule speaks of is missing too; it is left to the caller to say so once. `foreign` are the words of columns
    that are not the applicant's own or were aimed at. An aspect whose section is missing as a whole is left to the advice on that section.
    """
    reading = Reading(submission)
    candidates = {aspect.id: _candidates(reading, aspect, foreign) for _, aspect in asked(criteria)}
    chosen = _chosen(candidates)
    shown: dict[str, list[Strength]] = {criterion.id: [] for criterion in criteria}
    missing: list[Missing] = []
    for criterion, aspect in asked(criteria):
        shown[criterion.id].extend(Strength(place.section, aspect.shown, place.start, place.end) for place in chosen[aspect.id])
        absent = aspect.section in submission.missing or not reading.blocks
        if not candidates[aspect.id] and not absent and (aspect.proofs & failed or not _hinted(reading, aspect)):
            missing.append(Missing(aspect, criterion))
    found = tuple(
        CriterionEvidence(
            criterion.id,
            criterion.name,
            criterion.clause,
            tuple(shown[criterion.id]),
            tuple(item.aspect.sought for item in missing if item.criterion is criterion),
        )
        for criterion in criteria
    )
    return found, tuple(missing)


def _chosen(candidates: dict[str, list[Place]]) -> dict[str, list[Place]]:
    """The best places of each aspect in document order; one sentence shows two aspects at most, those it says most of."""
    uses: dict[tuple[int, int], list[tuple[float, str]]] = {}
    for name, places in candidates.items():
        for place in places:
            uses.setdefault((place.start, place.end), []).append((-place.weight, name))
    allowed = {span: {name for _, name in sorted(names)[:_MOST_ASPECTS]} for span, names in uses.items()}
    chosen: dict[str, list[Place]] = {}
    for name, places in candidates.items():
        own = [place for place in places if name in allowed[place.start, place.end]]
        best = [place for place in own if place.weight > own[0].weight - _WORSE][:_MOST_SHOWN]
        chosen[name] = sorted(best, key=lambda place: place.start)
    return chosen


def answered(shown: Sequence[CriterionEvidence]) -> frozenset[str]:
    """Checks whose advice is idle: what they look for is shown in its section."""
    places = {(strength.message, strength.section) for criterion in shown for strength in criterion.shown}
    return frozenset(check for aspect in aspects() if (aspect.shown, aspect.section) in places for check in aspect.answers)


def _hinted(reading: Reading, aspect: Aspect) -> bool:
    """Whether a loose hint stands where evidence is looked for; in a part of no key as well."""
    text = "\n".join(body for key, body in reading.bodies.items() if key in aspect.sections or key == _OTHER)
    text += f"\n{reading.title}" if "title" in aspect.sections else ""
    for slogan in aspect.slogans:
        text = text.replace(slogan, "")
    return any(hint in text for hint in aspect.hints)


def _candidates(reading: Reading, aspect: Aspect, foreign: tuple[str, ...]) -> list[Place]:
    """The places that show an aspect, the best first."""
    found: dict[tuple[int, int], Place] = {}
    for cue in aspect.cues:
        for position in reading.places(cue) if cue.pair in reading.pairs else ():
            place = _place(reading, aspect, cue, position)
            if place is None:
                continue
            known = found.get((place.start, place.end))
            weight = place.weight if known is None else max(known.weight, place.weight) + 0.5
            found[place.start, place.end] = Place(place.start, place.end, weight, place.section)
    best = sorted(found.values(), key=lambda place: (-place.weight, place.start))
    if aspect.headings:
        best = list(_headed(reading, aspect)) or best
    if aspect.tables and len(best) < _MOST_SHOWN:
        best.extend(_tabled(reading, aspect, foreign))
    return best


def _place(reading: Reading, aspect: Aspect, cue: Cue, position: int) -> Place | None:
    """The sentence round a cue, where it is evidence."""
    index = reading.block(position)
    if index is None or not reading.accepts(aspect, reading.blocks[index][2]):
        return None
    span = reading.sentence(index, position)
    if span is None or not _SHORTEST <= span[1] - span[0] <= _LONGEST:
        return None
    sentence = reading.text[span[0] : span[1]]
    spread = _spread(sentence, cue, position - span[0])
    if spread is None:
        return None
    at, end = spread
    if any(word in sentence for word in aspect.unless) or any(sentence.startswith(word, at) for word in aspect.slogans):
        return None
    if sentence[max(0, at - 2) : at].endswith(aspect.before_not or ("\0",)) or _NEGATED.search(sentence, max(0, at - 8), at):
        return None
    if aspect.besides and not any(word in sentence for word in aspect.besides):
        return None
    weight = _weight(sentence, aspect, at, end, sure=cue.sure)
    if not weight:
        return None
    key = reading.blocks[index][2]
    rank = aspect.sections.index(key) if key in aspect.sections else len(aspect.sections)
    weight += (len(aspect.sections) - rank) * 0.5 - (1.0 if len(sentence) > _LONG else 0.0)
    weight += 0.2 * min(_TELLING, sum(1 for _ in _DIGITS.finditer(sentence))) if aspect.signs else 0.0
    weight += 1.0 if cue.anchor in reading.title else 0.0
    return Place(span[0], span[1], weight, key)


def _spread(sentence: str, cue: Cue, position: int) -> tuple[int, int] | None:
    """From where to where a cue goes in its sentence, seen from its anchor; head and tail stand in one clause."""
    if not cue.tail:
        return position, position + len(cue.head)
    if cue.anchor == cue.head:
        after = position + len(cue.head)
        tail = sentence.find(cue.tail, after, after + _REACH + len(cue.tail))
        return None if tail < 0 or _GAP[cue.sure].search(sentence, after, tail) else (position, tail + len(cue.tail))
    head = sentence.rfind(cue.head, max(0, position - _REACH - 1), position)
    return None if head < 0 or _GAP[cue.sure].search(sentence, head, position) else (head, position + len(cue.tail))


def _weight(sentence: str, aspect: Aspect, at: int, end: int, *, sure: bool) -> float:
    """How concrete a sentence is beside its cue; 0: not at all."""
    signs = sum(1 for sign in aspect.signs if _signed(sentence, sign, at, end))
    around = sentence[max(0, at - _BEFORE) : end + _NEAR]
    worded = any(word in around for word in aspect.alone)
    return 2.0 * signs + (1.5 if worded else 0.0) + (2.0 if sure else 0.0)


def _signed(sentence: str, sign: str, at: int, end: int) -> bool:
    """Whether a sign stands near a cue: right before it, or after it; a change in the cue's own clause."""
    if sign == "change":
        stop = sentence.find("，", end)
        change = _CHANGE.search(sentence, end, min(len(sentence), end + 2 * _NEAR + 16))
        return change is not None and change.start() - end <= _NEAR + 2 and not 0 <= stop < change.start()
    if sign == "money":
        return any(0 <= match.start() - end <= _NEAR for match in _MONEY.finditer(sentence, end, min(len(sentence), end + 3 * _NEAR)))
    pattern = _SIGNS[sign]
    return pattern.search(sentence, max(0, at - _BEFORE), min(len(sentence), end + _NEAR)) is not None


def _headed(reading: Reading, aspect: Aspect) -> Iterator[Place]:
    """The section's own subheadings, or its parts, where there are enough of one level: the first of them."""
    sections = reading.submission.named(aspect.section)
    for section in sections:
        inside = [heading for heading in reading.submission.headings if section.body_start <= heading.start < section.end]
        top = min((heading.level for heading in inside), default=0)
        level = [heading for heading in inside if heading.level == top]
        if len(level) >= aspect.headings:
            yield Place(level[0].start, level[0].end, 1.0, section.key)
            return
    if len(sections) >= aspect.headings and all(section.heading for section in sections):
        yield Place(sections[0].start, max(sections[0].start, sections[0].body_start - 1), 1.0, sections[0].key)


def _tabled(reading: Reading, aspect: Aspect, foreign: tuple[str, ...]) -> Iterator[Place]:
    """Rows that give an indicator of the aspect for several years, or its table's column of others."""
    submission = reading.submission
    sections = submission.named(aspect.section)
    for table in tables_of(submission, sections) if sections else ():
        if aspect.id == "comparison":
            yield from _beside(table, aspect, sections[0].key)
            continue
        rows: dict[str, list[Figure]] = {}
        for figure in tabled(table, foreign):
            rows.setdefault(figure.indicator, []).append(figure)
        for name, figures in rows.items():
            if len(figures) > 1 and any(cue.head in name for cue in aspect.cues) and not any(word in name for word in aspect.unless):
                start = max(table.start, submission.text.rfind("\n", 0, figures[0].start) + 1)
                yield Place(start, max(figure.end for figure in figures), 1.0, sections[0].key)


def _beside(table: Table, aspect: Aspect, key: str) -> Iterator[Place]:
    """A column or row of others with a number in it."""
    for index, row in enumerate(table.rows[:2]):
        for column, cell in enumerate(row):
            if cell is None or not any(cue.head in cell.text for cue in aspect.cues):
                continue
            below = [other[column] for other in table.rows[index + 1 :] if column < len(other)]
            if any(other is not None and _FIGURE.match(other.text) for other in below):
                yield Place(cell.start, cell.end, 1.0, key)
                return
