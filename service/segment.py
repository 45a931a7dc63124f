"""Document -> Submission: the heading tree mapped to the edition's sections by one best assignment.

Every heading is either a section with all below it, or a container whose children are judged each for itself; text without a heading is
judged paragraph by paragraph. The assignment with the highest sum of evidence (what headings say, what paragraphs say, order) wins: a
forward pass over the tree in document order that keeps the best way to each last section.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from service import headings as headings_
from service import lexicon, parts
from service.evidence import BODY, OTHER, Content, Evidence
from service.model import Block, Document, Heading, Note, Section, SectionSpec, Submission
from service.text import words as count

_CLEAR = 0.9  # from here on a heading names its section
_UNCLEAR = 0.6  # below, it names none
_SHORTEST_SPLIT = 3  # blocks of text under a heading from which on a second section may begin there
_NEARLY_ALL = 0.7  # of the write-up's characters
_ENOUGH_SECTIONS = 2  # certain sections from which on order alone may place the others


@dataclass(slots=True)
class _Node:
    """A heading with the blocks of its own text and the headings below it; or a single block without heading."""

    heading: Heading | None
    first: int
    last: int
    own: list[int] = field(default_factory=list)
    children: list[_Node] = field(default_factory=list)


# A way through the tree: what each decided node was called, newest first.
_Path = tuple[tuple[_Node, str, bool], Any] | None
_States = dict[int, tuple[float, _Path]]  # last section reached (-1: none yet) -> best sum and the way there


# --- the tree ----------------------------------------------------------------------------------------------------------------------


def _build(document: Document, found: Sequence[Heading], zone: parts.Zone, skip: frozenset[int]) -> list[_Node]:
    """The zone's blocks as a list of nodes: paragraphs before the first heading each alone, then the heading tree."""
    roots: list[_Node] = []
    stack: list[_Node] = []
    by_block = {heading.block: heading for heading in found}
    for index in range(zone.first, zone.last):
        block = document.blocks[index]
        if index in skip or block.kind in {"toc", "note"}:
            continue
        heading = by_block.get(index)
        if heading is None:
            if stack:
                stack[-1].own.append(index)
            else:
                roots.append(_Node(None, index, index + 1, [index]))
            for node in stack:
                node.last = index + 1
            continue
        while stack and stack[-1].heading is not None and stack[-1].heading.level >= heading.level:
            stack.pop()
        node = _Node(heading, index, index + 1)
        (stack[-1].children if stack else roots).append(node)
        stack.append(node)
        for above in stack:
            above.last = index + 1
    return roots


def _all_own(node: _Node) -> list[int]:
    return node.own + [index for child in node.children for index in _all_own(child)]


def _below(node: _Node) -> list[Heading]:
    return [h for child in node.children if child.heading for h in (child.heading, *_below(child))]


# --- the assignment ----------------------------------------------------------------------------------------------------------------


def _move(evidence: Evidence, last: int, label: str, *, headed: bool) -> tuple[float, int]:
    """Cost of going from the last section to `label`, and the section reached."""
    if label == OTHER:
        return -evidence.weights["other" if headed else "other_text"], last
    here = evidence.keys.index(label)
    if here == last:
        return 0.0, here
    if here < last:
        return -evidence.weights["backward"], here
    skipped = sum(1 for key in evidence.keys[last + 1 : here] if evidence.specs[key].required)
    return -evidence.weights["skip"] * skipped, here


def _better(states: _States, last: int, score: float, path: _Path) -> None:
    if last not in states or states[last][0] < score:
        states[last] = (score, path)


def _closed(evidence: Evidence, node: _Node) -> dict[str, float]:
    """Evidence for each label if the node and all below it are one section."""
    scores = dict.fromkeys(evidence.labels, 0.0)
    own = evidence.heading(node.heading) if node.heading else {}
    strong = max(own.values(), default=0.0)
    for label, value in own.items():
        scores[label] += evidence.weights["heading"] * value * (1.0 if value == strong else 0.5)
    for heading in _below(node):
        for label, value in evidence.heading(heading).items():
            scores[label] += evidence.weights["child"] * value * evidence.weights["heading"]
    blocks = _all_own(node)
    if strong < 0.95 and blocks:
        share = 1.0 / math.sqrt(len(blocks))
        for index in blocks:
            for label, value in evidence.content(index, headed=node.heading is not None).items():
                scores[label] += value * share
    return scores


def _step(evidence: Evidence, node: _Node, states: _States) -> _States:
    """The best ways on after a node: all of it one section, a container of sections, or a section with others of its rank below."""
    after: _States = {}
    closed = _closed(evidence, node)
    for last, (score, path) in states.items():
        for label in evidence.labels:
            cost, reached = _move(evidence, last, label, headed=node.heading is not None)
            if node.heading is None and last not in {reached, -1}:
                cost -= evidence.weights["turn"]
            if node.heading is None and label != OTHER and last == -1:
                cost -= evidence.weights["turn"] / 2
            _better(after, reached, score + closed[label] + cost, ((node, label, True), path))
    if node.heading is not None and _may_open(evidence, node, node.heading):
        bonus = evidence.weights["group"] if evidence.group(node.heading) else -evidence.weights["open"]
        inner: _States = {last: (score + bonus, ((node, OTHER, False), path)) for last, (score, path) in states.items()}
        _merge(after, _walk(evidence, [*(_Node(None, i, i + 1, [i]) for i in node.own), *node.children], inner))
    if node.heading is not None and _over_all(evidence, node, node.heading):
        inside: _States = {last: (score, ((node, OTHER, False), path)) for last, (score, path) in states.items()}
        _merge(after, _walk(evidence, [*(_Node(None, i, i + 1, [i]) for i in node.own), *node.children], inside))
    if node.heading is not None and _level_unsure(evidence, node, node.heading):
        leaf = _Node(node.heading, node.first, node.own[-1] + 1 if node.own else node.first + 1, node.own)
        cost = 0.0 if _print_alike(evidence, node, node.heading) else evidence.weights["open"]
        apart = {last: (score - cost, path) for last, (score, path) in states.items()}
        _merge(after, _walk(evidence, [leaf, *node.children], apart))
    return after


def _walk(evidence: Evidence, nodes: Sequence[_Node], states: _States) -> _States:
    for node in nodes:
        states = _step(evidence, node, states)
    return states


def _merge(into: _States, states: _States) -> None:
    for last, (score, path) in states.items():
        _better(into, last, score, path)


def _over_all(evidence: Evidence, node: _Node, heading: Heading) -> bool:
    """Whether nearly the whole text stands under one heading that names no section, and a model can tell its paragraphs apart."""
    if evidence.model is None or max(evidence.heading(heading).values()) >= _UNCLEAR:
        return False
    blocks = evidence.document.blocks
    return sum(blocks[i].end - blocks[i].start for i in node.own) >= _NEARLY_ALL * evidence.length


def _level_unsure(evidence: Evidence, node: _Node, heading: Heading) -> bool:
    """Whether the headings below stand there only because neither number, outline nor size says where: they may be its equals."""
    blocks = evidence.document.blocks
    outlined = blocks[heading.block].kind == "heading" and evidence.document.format != "pdf"  # a PDF's levels are guessed from print
    if outlined or heading.form:
        return False
    size = _size(blocks[heading.block])
    plain = [child.heading for child in node.children if child.heading is not None and not child.heading.form]
    return any(not (size and (other := _size(blocks[below.block])) and other < size) for below in plain)


def _print_alike(evidence: Evidence, node: _Node, heading: Heading) -> bool:
    """Whether the headings below are printed as the one above is: then only words made them lower."""
    blocks = evidence.document.blocks
    own = blocks[heading.block].layout
    below = [blocks[child.heading.block].layout for child in node.children if child.heading is not None]
    return own is not None and all(
        other is not None and (other.size, other.bold, other.font, other.alignment) == (own.size, own.bold, own.font, own.alignment)
        for other in below
    )


def _size(block: Block) -> float | None:
    return block.layout.size if block.layout is not None else None


def _may_open(evidence: Evidence, node: _Node, heading: Heading) -> bool:
    """Whether the headings below may be sections: below a group, or where they name several, the less clearly the less the heading does."""
    if not node.children:
        return False
    if evidence.group(heading):
        return True
    enough = _UNCLEAR if max(evidence.heading(heading).values()) < _UNCLEAR else _CLEAR
    named = {
        max(scores, key=lambda key: scores[key])
        for child in node.children
        if child.heading and max((scores := evidence.heading(child.heading)).values()) >= enough
    }
    return len(named - {OTHER}) >= 2


def _assign(evidence: Evidence, roots: Sequence[_Node]) -> list[tuple[_Node, str]]:
    """The decided nodes with their labels, in document order."""
    states = _walk(evidence, roots, {-1: (0.0, None)})
    if not states:
        return []
    best = max(states, key=lambda last: (states[last][0] - evidence.weights["skip"] * _passed_over(evidence, last, states[last][1]), last))
    path = states[best][1]
    decided: list[tuple[_Node, str]] = []
    while path is not None:
        (node, label, closed), path = path
        if closed:
            decided.append((node, label))
    return decided[::-1]


def _passed_over(evidence: Evidence, last: int, path: _Path) -> int:
    """Required sections after the last one that the way there did not come by; it may have come by some and turned back."""
    seen: set[str] = set()
    while path is not None:
        (_, label, _), path = path
        seen.add(label)
    return sum(1 for key in evidence.keys[last + 1 :] if evidence.specs[key].required and key not in seen)


def _spoken(evidence: Evidence, decided: list[tuple[_Node, str]]) -> list[tuple[_Node, str]]:
    """Gives text without heading that stands as a section only so that none is missing to the neighbour that it speaks for more."""
    if evidence.model is None:
        return decided
    runs: list[list[int]] = []
    for place, (node, label) in enumerate(decided):
        before = decided[place - 1] if place else None
        if node.heading is None and before is not None and before[0].heading is None and before[1] == label:
            runs[-1].append(place)
        else:
            runs.append([place])
    result = list(decided)
    for run, left, right in zip(runs, [None, *runs], [*runs[1:], None], strict=False):
        node, label = decided[run[0]]
        if node.heading is not None or label == OTHER:
            continue
        said = [evidence.said(index) for place in run for index in decided[place][0].own]
        beside = [decided[other[0]][1] for other in (left, right) if other is not None and decided[other[0]][0].heading is None]
        if left is not None and right is not None and _names(evidence, decided[right[0]], label):
            for place in run:  # the section's own heading comes only after this text
                result[place] = (decided[place][0], decided[left[0]][1])
            continue
        sums = {name: sum(scores[name] for scores in said) for name in {label, *beside}}
        best = max(sums, key=lambda name: (sums[name], name))
        if sums[best] - sums[label] > evidence.weights["doubt"]:
            for place in run:
                result[place] = (decided[place][0], best)
    return result


def _names(evidence: Evidence, decided: tuple[_Node, str], label: str) -> bool:
    """Whether a node was called `label` and its own heading says so beyond doubt."""
    node, given = decided
    return given == label and node.heading is not None and evidence.heading(node.heading)[label] >= _CLEAR


def _undecided(evidence: Evidence, decided: list[tuple[_Node, str]]) -> list[tuple[_Node, str]]:
    """Calls `other` what only its place speaks for: neither a heading nor the words of its text, nor certain sections around it."""
    certain = {
        label for _, label in decided if label != OTHER and _speaks(evidence, [node for node, given in decided if given == label], label)
    }
    if len(certain) >= _ENOUGH_SECTIONS or _speak_together(evidence, decided):
        return decided
    return [(node, label if label in certain else OTHER) for node, label in decided]


def _speak_together(evidence: Evidence, decided: list[tuple[_Node, str]]) -> bool:
    """Whether most sections' texts say a little for themselves each, and enough together: short sections under fanciful headings."""
    said: dict[str, dict[str, float]] = {}
    for node, label in decided:
        if label == OTHER:
            continue
        sums = said.setdefault(label, dict.fromkeys(evidence.keys, 0.0))
        for index in _all_own(node):
            for key, value in evidence.said(index).items():
                if key in sums:
                    sums[key] += value
    leading = [sums[label] for label, sums in said.items() if sums[label] and sums[label] >= max(sums.values())]
    return len(leading) > _ENOUGH_SECTIONS and sum(leading) >= _ENOUGH_SECTIONS * evidence.weights["speaks"]


def _speaks(evidence: Evidence, nodes: Sequence[_Node], label: str) -> bool:
    """Whether a heading or the words of these nodes speak for the label they were given."""
    if any(node.heading is not None and evidence.heading(node.heading)[label] >= _UNCLEAR for node in nodes):
        return True
    said = [evidence.said(index) for node in nodes for index in _all_own(node)]
    mine = sum(scores[label] for scores in said)
    return mine >= evidence.weights["speaks"] and mine >= max(sum(scores[key] for scores in said) for key in evidence.keys)


# --- sections ----------------------------------------------------------------------------------------------------------------------


def _split(evidence: Evidence, decided: list[tuple[_Node, str]]) -> list[tuple[_Node, str]]:
    """Looks for a required section that no heading names in the text under the heading of the section before it."""
    present = {label for _, label in decided}
    result: list[tuple[_Node, str]] = []
    for node, label in decided:
        following = _following(evidence, label)
        text = _all_own(node) if evidence.model is not None else node.own
        whole = node.heading is None or (node.children and evidence.model is None)
        if whole or following is None or following in present or len(text) < _SHORTEST_SPLIT:
            result.append((node, label))
            continue
        cut = _cut(evidence, text, label, following)
        if cut is None:
            result.append((node, label))
            continue
        present.add(following)
        heading = next((h for h in _below(node) if h.block == text[cut] - 1), None)
        first = text[cut] if heading is None else heading.block
        result.append((_Node(node.heading, node.first, first, [i for i in text if i < first]), label))
        result.append((_Node(heading, first, node.last, text[cut:]), following))
    return result


def _following(evidence: Evidence, label: str) -> str | None:
    if label == OTHER:
        return None
    rest = [key for key in evidence.keys[evidence.keys.index(label) + 1 :] if evidence.specs[key].required]
    return rest[0] if rest else None


def _cut(evidence: Evidence, own: Sequence[int], label: str, following: str) -> int | None:
    """Where the text turns from `label` to `following`: the cut that gains most, if it gains more than a turn costs."""
    spoken = [evidence.content(i, headed=False) for i in own]
    gains = [scores[following] - scores[label] for scores in spoken]
    best, at = max((sum(gains[cut:]) - sum(gains[:cut]), cut) for cut in range(1, len(own)))
    both = sum(gains[at:]) > 0 > sum(gains[:at])
    return at if both and best - abs(sum(gains)) > evidence.weights["turn_headed"] else None


def _sections(document: Document, decided: Sequence[tuple[_Node, str]]) -> tuple[Section, ...]:
    """Decided nodes as sections; a neighbour that is called the same joins the section before it if it has no heading or a lower one."""
    spans: list[tuple[str, Heading | None, int, int]] = []
    for node, label in decided:
        before = spans[-1][1] if spans else None
        lower = node.heading is None or (before is not None and node.heading.level > before.level)
        if spans and lower and spans[-1][0] == label:
            spans[-1] = (*spans[-1][:3], node.last)
        else:
            spans.append((label, node.heading, node.first, node.last))
    return tuple(_section(document, *span) for span in spans if span[1] is not None or _has_text(document, span[2], span[3]))


def _empty(evidence: Evidence, node: _Node, label: str) -> bool:
    """A heading without any text below it that names no section: a line of the cover, a heading over headings of its own rank."""
    return node.heading is not None and not _all_own(node) and evidence.heading(node.heading)[label] < _UNCLEAR


def _has_text(document: Document, first: int, last: int) -> bool:
    return any(b.kind in BODY and b.end - b.start >= 40 for b in document.blocks[first:last])


def _section(document: Document, key: str, heading: Heading | None, first: int, last: int) -> Section:
    blocks: Sequence[Block] = document.blocks[first:last]
    start = heading.start if heading else blocks[0].start
    body_start = min(heading.end + 1, max(heading.end, blocks[-1].end)) if heading else start
    end = max(blocks[-1].end, body_start)
    printed = None
    if heading is not None:
        raw = document.text[heading.start : heading.end].rstrip()
        automatic = document.blocks[heading.block].label
        printed = f"{automatic}{' ' if automatic[-1:].isdigit() else ''}{raw}" if automatic else raw
    body = "\n".join(document.text[b.start : b.end] for b in (blocks[1:] if heading else blocks) if b.kind not in {"toc", "note"})
    return Section(key, printed, start, body_start, end, count(body), tuple(range(first, last)))


def segment(document: Document, specs: Sequence[SectionSpec], *, content: Content | None = None) -> Submission:
    """Finds title, organisation and sections of a document by what an edition declares (never its limits).

    `content` is the model of what paragraphs say; without it, words of the lexicon speak for parts without headings.
    """
    words = lexicon.load("parts")
    contents = parts.contents(document, words=words)
    rough = headings_.find(document, skip=contents)
    matches = {h.block: headings_.named(h.text) for h in rough}
    zone = parts.zone(document, strong=parts.strong_headings(rough, matches), words=words)
    early = [b for b in parts.strong_headings(rough, matches) if b >= zone.first] or [h.block for h in rough if h.block > zone.first]
    before = early[0] if early else min(zone.first + 8, zone.last)
    title = parts.title(document, first=zone.first, before=before, words=words)
    cover = contents | parts.cover(document, zone, title, words=words) | parts.repeats(document, title)
    found = headings_.find(document, first=zone.first, last=zone.last, skip=cover)
    evidence = Evidence(document, specs, zone, model=content)
    decided = _undecided(evidence, _assign(evidence, _build(document, found, zone, cover))) if zone.is_writeup else []
    decided = _split(evidence, _spoken(evidence, decided))
    sections = _sections(document, [(node, label) for node, label in decided if not _empty(evidence, node, label)])
    present = {section.key for section in sections}
    about = next((s for s in sections if s.key == "overview"), sections[0] if sections else None)
    overview = (about.body_start, about.end) if about is not None else None
    start = sections[0].start if sections else 0
    if title is not None and title.start >= evidence.start:
        start = min(start, title.start)
    return Submission(
        document=document,
        title=title,
        organisation=parts.organisation(document, found=title, overview=overview, before=max(zone.first, before), words=words),
        sections=sections,
        headings=found,
        missing=tuple(spec.key for spec in specs if spec.required and spec.key not in present),
        specs=tuple(specs),
        start=start,
        end=max((s.end for s in sections), default=len(document.text)),
        is_writeup=zone.is_writeup,
        notes=_notes(zone),
    )


def _notes(zone: parts.Zone) -> tuple[Note, ...]:
    notes: list[Note] = []
    if not zone.is_writeup:
        notes.append(
            Note(
                "not_a_writeup",
                "文件里没有找到典型经验正文（像是申报书、证实性材料或其他文件），未按典型经验审读；如有误，请把典型经验单独存成一个文件再提交。",
            )
        )
    elif zone.form:
        notes.append(Note("form_left_out", "文件里含有申报书表格，只审读其中的典型经验部分，表格未计入各项检查。"))
    if zone.evidence and zone.is_writeup:
        notes.append(Note("evidence_left_out", "文件后部含有证实性材料，未按典型经验审读；通知要求证实性材料单独成册，请分开提交。"))
    return tuple(notes)
