"""Section -> the sentences that carry it, verbatim and in document order, within a budget of 字; and the whole document in one line.

Each whole sentence has a probability of carrying its section, linear in what reviewers look for (service/salience.py; the weights for
results are fitted, service/train/summaries.py). As in MMR (Carbonell & Goldstein 1998) what a better sentence has said already counts
less; which ones then fit the budget best is a knapsack.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service import lexicon, personal, salience
from service.captions import captions
from service.encode import Encoder
from service.indicators import Figure
from service.model import Block, Section, Submission, Summary, SummarySentence
from service.salience import Sentence
from service.tables import Table, tables
from service.tabulated import tabled
from service.text import words

Floats = NDArray[np.float32]
_WITH_FIGURES = ("comparison", "gain", "outcome", "years", "change", "money", "sum")  # without a figure they are mere talk
_FOREIGN = ("other_parties", "plans")  # lexicons whose words mark columns that are not the applicant's own results
_BY = ("以", "用", "运用", "应用", "基于", "依托", "通过", "围绕", "从", "把", "让", "面向", "针对")  # a title that says by what already
_SHORT_NAME = 10  # characters of a title before its colon that may be told in brackets
_LEAST_SAID = 4  # characters of a title without its tail that still say what was done
_NAMED = 2  # times that the process names a method which is no mere mention
_SAME_NAME = 0.7  # share of an indicator's character pairs by which a sentence speaks of it
_NONE: Floats = np.zeros((0, 0), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """The sentences of all sections of one key with their features; `vectors` (n, dimensions)."""

    key: str
    sections: tuple[Section, ...]
    sentences: tuple[Sentence, ...]
    features: tuple[Mapping[str, float], ...]
    vectors: Floats
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """Something that can be told, and what it is worth (0-1)."""

    sentence: SummarySentence
    part: int  # the paragraph, or the heading above it where the section has several
    words: int
    worth: float
    vector: Floats | None = None


def summarise(
    submission: Submission, *, encoder: Encoder, budget: int | None = None, weights: Mapping[str, Mapping[str, float]] | None = None
) -> tuple[Summary, ...]:
    """One Summary for each section that says something, in document order; sections of one key share the budget.

    `budget` is in 字 (service.text.words) a key; None: the lexicon's. What is chosen is whole sentences, so a single one that is longer
    than the budget is told by the parts between its semicolons, or not at all. `weights` by section key stand in for the lexicon's.
    """
    given = _given(weights)
    limit = given["selection"]["budget"] if budget is None else budget
    found: list[Summary] = []
    for weighed in weigh(submission, encoder=encoder, longest=limit, weights=weights):
        chosen = _chosen(submission, weighed, limit, given)
        for section in weighed.sections:
            inside = tuple(each.sentence for each in chosen if section.start <= each.sentence.start < section.end)
            if inside:
                found.append(Summary(section.key, section.start, inside))
    return tuple(sorted(found, key=lambda summary: summary.start))


def _given(weights: Mapping[str, Mapping[str, float]] | None) -> dict[str, Any]:
    given: dict[str, Any] = lexicon.load("summary")
    return given if weights is None else {**given, "weights": {**given["weights"], **weights}}


def weigh(
    submission: Submission, *, encoder: Encoder, longest: int, weights: Mapping[str, Mapping[str, float]] | None = None
) -> tuple[Weighed, ...]:
    """The sentences of each key that may carry it, with their features; those over `longest` 字 are cut at semicolons.

    One call of the encoder.
    """
    text, grids, private = submission.text, tables(submission), personal.find(submission.text)
    passed = {caption.block for caption in captions(submission)} | {heading.block for heading in submission.headings}
    passed |= {index for table in grids for index in range(table.first, table.last + 1)}
    given = _given(weights)
    groups: list[Weighed] = []
    for key in dict.fromkeys(section.key for section in submission.sections):
        sections = submission.named(key)
        inside = tuple(table for table in grids if any(section.start <= table.start < section.end for section in sections))
        told = (each for section in sections for each in _sentences(submission, section, passed, longest))
        sentences = tuple(each for each in told if not any(each.start < item.end and item.start < each.end for item in private))
        if sentences or inside:
            groups.append(_likely(submission, Weighed(key, sections, sentences, (), _NONE, inside), given))
    title = submission.title.text if submission.title else ""
    vectors = encoder.encode([title, *(text[each.start : each.end] for group in groups for each in group.sentences)])
    found, position = [], 1
    for group in groups:
        end = position + len(group.sentences)
        found.append(_placed(group, vectors[position:end], vectors[0]))
        position = end
    return tuple(found)


def _sentences(submission: Submission, section: Section, passed: set[int], longest: int) -> list[Sentence]:
    document = submission.document
    found: list[Sentence] = []
    before: Block | None = None
    for index in section.blocks:
        block = document.blocks[index]
        if index in passed or block.kind not in {"paragraph", "list"}:
            before = None if index not in passed or block.kind == "heading" else before
            continue
        begun = document.format == "pdf" and before is not None and salience.unended(document.text, before.start, before.end)
        firm = document.format != "pdf" or block.kind == "list"
        found.extend(salience.sentences(document.text, block.start, block.end, index, longest=longest, begun=begun, firm=firm))
        before = block
    return found


def _likely(submission: Submission, group: Weighed, given: Mapping[str, Any]) -> Weighed:
    """The group with the features of its words and figures, cut to the sentences that these speak for most.

    Without those that only point elsewhere (主要指标见表1) and those that say whom to call.
    """
    text, weights = submission.text, _weights(group.key, given)
    placed = _topics(submission, group, given) if "titled" in weights else [{} for _ in group.sentences]
    cells = "\n".join(field.text for table in group.tables for row in table.rows for field in row if field is not None)
    names = salience.bigrams(cells) if "tabled" in weights else frozenset()
    features: list[Mapping[str, float]] = []
    for index, (sentence, worded) in enumerate(zip(group.sentences, salience.worded(text, group.sentences), strict=True)):
        own = {**worded, **salience.counted(text, sentence)}
        own.update(depth=index / max(1, len(group.sentences) - 1), lead=float(index == 0), **placed[index])
        if own.get("turn") or own.get("change"):
            own.pop("past", None)
        if placed[index] and not own.get("step"):
            own.update(begins=0.0, headed=own["headed"] / 2)
        if own.get("figures"):
            own["tabled"] = salience.share(salience.bigrams(text[sentence.start : sentence.end]), names) if names else 0.0
        else:
            own = {feature: value for feature, value in own.items() if feature not in _WITH_FIGURES}
        features.append(own)
    kept = [index for index, own in enumerate(features) if _says(text, group.key, group.sentences[index], own)]
    kept.sort(key=lambda index: (-salience.score(features[index], weights), index))
    kept = sorted(kept[: given["selection"]["most"]])
    return replace(group, sentences=tuple(group.sentences[i] for i in kept), features=tuple(features[i] for i in kept))


def _says(text: str, key: str, sentence: Sentence, own: Mapping[str, float]) -> bool:
    """Whether a sentence says something itself: not whom to call, and beside 见表1 (in the results also 数据来自) a thing of its own."""
    if own.get("contact"):
        return False
    if key == "results" and (own.get("pointing") or own.get("source")):
        return salience.outcome(text[sentence.start : sentence.end])
    return not own.get("pointing") or bool(own.get("figures") or (key == "process" and own.get("step") and own.get("method")))


def _topics(submission: Submission, group: Weighed, given: Mapping[str, Any]) -> list[dict[str, float]]:
    """For each sentence how much it says of the title and of the subheading above it, and whether it is the first under that."""
    title = submission.title.text.replace(submission.organisation or "\n", "") if submission.title else ""
    named, pairs = salience.called(title), salience.telling(title, given["general"]["words"])
    found: list[dict[str, float]] = []
    above: str | None = None
    headings, telling = iter([*submission.headings, None]), frozenset[str]()
    heading = next(headings)
    for sentence in group.sentences:
        fresh = False
        while heading is not None and heading.start <= sentence.start:
            above, fresh = submission.text[heading.start : heading.end], True
            heading = next(headings)
        if fresh and above is not None:
            telling = salience.telling(above, given["general"]["words"])
        said = submission.text[sentence.start : sentence.end]
        count = sum(pair in said for pair in pairs)
        found.append(
            {
                "titled": 1.0 if any(name in said for name in named) else count / (count + 2),
                "headed": sum(pair in said for pair in telling) / max(1, len(telling)),
                "begins": float(fresh),
            }
        )
    return found


def _placed(group: Weighed, vectors: Floats, title: Floats) -> Weighed:
    """The group with its vectors and what they say: how close a sentence is to the title, and to the other sentences."""
    if not len(vectors):
        return group
    titled, central = (vectors @ title).tolist(), (vectors @ vectors.mean(axis=0)).tolist()
    features = tuple({**own, "title": t, "central": c} for own, t, c in zip(group.features, titled, central, strict=True))
    return replace(group, features=features, vectors=vectors)


def _weights(key: str, given: Mapping[str, Any]) -> Mapping[str, float]:
    weights: Mapping[str, float] = given["weights"].get(key, given["weights"]["other"])
    return weights


def _chosen(submission: Submission, weighed: Weighed, budget: int, given: Mapping[str, Any]) -> list[_Choice]:
    """What is told of one key, in document order."""
    rules = given["selection"]
    spread = rules["spread"].get(weighed.key, rules["spread"]["other"])
    choices = _apart([each for each in _choices(submission, weighed, given) if each.words <= budget], rules, spread)
    if weighed.key in given["tables"]["sections"]:
        choices.extend(_row(submission, weighed, choices, given))
    worthy = [each for each in choices if each.worth >= rules["least"]] or choices[:1]
    return sorted(_fitting(worthy, budget), key=lambda each: each.sentence.start)


def _choices(submission: Submission, weighed: Weighed, given: Mapping[str, Any]) -> list[_Choice]:
    """Each sentence with what it is worth: its probability, less for one too short to say much."""
    weights = _weights(weighed.key, given)
    full = given["selection"]["full"].get(weighed.key, given["selection"]["full"]["other"])
    text, found = submission.text, []
    for each, own, vector in zip(weighed.sentences, weighed.features, weighed.vectors, strict=True):
        sentence = SummarySentence(each.start, each.end, text[each.start : each.end])
        size = words(sentence.text)
        worth = probability(own, weights) * (min(1.0, size / full) ** 2 if full else 1.0)
        found.append(_Choice(sentence, _part(submission, weighed, each), size, worth, vector))
    return found


def _part(submission: Submission, weighed: Weighed, sentence: Sentence) -> int:
    """Where the subheading above a sentence stands; where its section has fewer than two, where its paragraph does."""
    section = next(each for each in weighed.sections if each.start <= sentence.start < each.end)
    inside = [heading.start for heading in submission.headings if section.body_start <= heading.start < section.end]
    above = [start for start in inside if start < sentence.start]
    return above[-1] if above and len(inside) > 1 else submission.document.blocks[sentence.block].start


def probability(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """That a sentence of these features carries its section, 0-1."""
    return 1.0 / (1.0 + math.exp(-salience.score(features, weights)))


def _apart(choices: Sequence[_Choice], rules: Mapping[str, Any], spread: float) -> list[_Choice]:
    """The best ones, best first; each worth less the more a better one says the same, gone where it repeats one.

    `spread`: what a further one of the same part is worth.
    """
    ordered = sorted(choices, key=lambda choice: (-choice.worth, choice.sentence.start))
    if not ordered:
        return []
    vectors = np.stack([each.vector for each in ordered if each.vector is not None])
    alike = (vectors @ vectors.T).tolist()
    found: dict[int, _Choice] = {}
    told: set[int] = set()
    for index, each in enumerate(ordered):
        near = [other for other in found if alike[index][other] > rules["alike"]]
        own = salience.bigrams(each.sentence.text) if near else frozenset()
        if any(salience.share(own, salience.bigrams(ordered[other].sentence.text)) >= rules["repeated"] for other in near):
            continue
        worth = each.worth * (1.0 - max((alike[index][other] - rules["alike"] for other in near), default=0.0))
        found[index] = replace(each, worth=worth * (spread if each.part in told else 1.0))
        told.add(each.part)
    return list(found.values())


def _fitting(choices: Sequence[_Choice], budget: int) -> list[_Choice]:
    """Those with the highest sum of worth whose words fit the budget (0/1 knapsack)."""
    best = np.zeros(budget + 1)
    taken: list[NDArray[np.bool_]] = []
    for each in choices:
        with_it = np.full(budget + 1, -1.0)
        if each.words <= budget:
            with_it[each.words :] = best[: budget + 1 - each.words] + each.worth
        taken.append(with_it > best)
        best = np.maximum(best, with_it)
    left, found = budget, []
    for index in range(len(choices) - 1, -1, -1):
        if taken[index][left]:
            found.append(choices[index])
            left -= choices[index].words
    return found


# --- a table's leading row -----------------------------------------------------------------------------------------------------------


def _row(submission: Submission, weighed: Weighed, choices: Sequence[_Choice], given: Mapping[str, Any]) -> list[_Choice]:
    """The row that says most of what the write-up is about, as name, years and figures; none where a sentence tells its figures."""
    foreign = tuple(word for name in _FOREIGN for word in lexicon.load(name)["words"])
    title = salience.telling(submission.title.text if submission.title else "", given["general"]["words"])
    best: tuple[float, _Choice] | None = None
    for table in weighed.tables:
        rows: dict[int, list[Figure]] = {}
        for figure in tabled(table, foreign):
            rows.setdefault(figure.group, []).append(figure)
        for place, figures in enumerate(rows.values()):
            choice = _told_row(submission.text, table, figures, given["selection"]["table"])
            if choice is None or any(_tells(each.sentence.text, submission.text, figures) for each in choices if each.worth > choice.worth):
                continue
            rank = salience.share(salience.bigrams(figures[0].indicator), title) - place / 100
            if best is None or rank > best[0]:
                best = (rank, choice)
    return [best[1]] if best else []


def _told_row(text: str, table: Table, figures: Sequence[Figure], worth: float) -> _Choice | None:
    """一次交检合格率（%）：2021年 97.1、2022年 98.0 — the words are the table's own, the span is the row's (or the column's)."""
    if len(figures) < 2:
        return None
    name = _name_of(table, figures)
    told = f"{name}：" + "、".join(f"{figure.year}年 {text[figure.start : figure.end].strip()}" for figure in figures)
    start, end = min(figure.start for figure in figures), max(figure.end for figure in figures)
    across = next(
        (row for row in table.rows if sum(field is not None and start <= field.start < end for field in row) == len(figures)), None
    )
    if across is not None and across[0] is not None and across[0].start < start:
        start = across[0].start
    return _Choice(SummarySentence(start, end, told), table.first, words(told), worth)


def _name_of(table: Table, figures: Sequence[Figure]) -> str:
    """The indicator as printed, unit included; as read where no cell is just that."""
    name = figures[0].indicator
    printed = (field.text for row in table.rows for field in row if field is not None)
    return next((each for each in printed if each.startswith(name) and len(each) <= len(name) + 12), name)


def _tells(sentence: str, text: str, figures: Sequence[Figure]) -> bool:
    """Whether a sentence has the row's last figure, and its name or one more."""
    values = [text[figure.start : figure.end].strip().rstrip("%％") for figure in figures]
    if values[-1] not in sentence:
        return False
    named = salience.share(salience.bigrams(figures[0].indicator), salience.bigrams(sentence)) >= _SAME_NAME
    return named or any(value in sentence for value in values[:-1])


# --- the document in one line -----------------------------------------------------------------------------------------------------


def one_line(submission: Submission, summaries: Sequence[Summary]) -> str | None:
    """Who did what by which method with which result, in words of the write-up; None where one of who, what and result is not known."""
    given: dict[str, Any] = lexicon.load("summary")["one_line"]
    who, title = submission.organisation, submission.title.text if submission.title else ""
    what = _what(title, who, given) if who else ""
    result = _result(submission, summaries, given)
    if not who or not what or not result:
        return None
    doing, name = _doing(what, given)
    methods = "" if what.startswith(_BY) else _methods(submission, what, given)
    aside, did = "、".join(each for each in (name, methods) if each), f"{who}{doing}" if doing else f"{who}：{what}"
    told = (
        *((f"{who}以{methods}{doing}，{result}。",) if methods and doing and not name else ()),
        *((f"{did}（{aside}），{result}。",) if aside else ()),
        f"{did}，{result}。",
    )
    return next((line for line in told if words(line) <= given["most"] and not personal.find(line)), None)


def _doing(what: str, given: Mapping[str, Any]) -> tuple[str, str]:
    """What was done as a predicate, "" where it makes none; and a short name before a colon that is told beside it.

    A title that names a thing but no doing gets the verb that goes with its last word (构建……模式, 开展……管理).
    """
    left, mark, right = what.partition("：") if "：" in what else what.partition("——")
    acting = tuple(given["acting"])
    if mark and left.startswith(acting) and not left.startswith(_BY):
        return what, ""
    plain, name = (right, left if len(left) <= _SHORT_NAME else "") if mark and len(right) >= _LEAST_SAID else (what, "")
    plain = re.sub(r"的构建(?:与|和)(?:应用|实施|运行)\Z", "", plain)
    verb = next((verb for verb, ending in given["verbs"].items() if re.search(ending, plain)), "")
    if re.match(given["verbless"], plain):
        return f"{verb or '开展'}{plain}", name
    if plain.startswith(acting):
        return plain, name
    return (f"{verb}{plain}", name) if verb and not re.search("[，；。]", plain) else ("", "")


def _what(title: str, who: str, given: Mapping[str, Any]) -> str:
    """The title without the organisation before it and the 经验 after it."""
    plain = "".join(title.split()).strip("《》")
    for end in range(len(who), 3, -1):
        if plain.startswith(who[:end]):
            plain = plain[end:].lstrip("：:，,、的—-")
            break
    shorter = re.sub(given["tail"], "", plain.removeprefix("关于")).rstrip("的，、：与和")
    return shorter if len(shorter) >= _LEAST_SAID else plain


def _methods(submission: Submission, what: str, given: Mapping[str, Any]) -> str:
    """One or two methods that the process names most, where what was done names none; "" where it does or none is named twice."""
    names = sorted(given["methods"], key=len, reverse=True)
    if any(name in what for name in names):
        return ""
    process = "".join(submission.text[section.start : section.end] for section in submission.named("process"))
    counts: dict[str, int] = {}
    for name in names:
        found = process.count(name)
        if found >= _NAMED and not any(name in longer for longer in counts):
            counts[name] = found
    best = sorted(counts, key=lambda name: (-counts[name], process.find(name)))[:2]
    return "和".join(sorted(best, key=process.find))


def _result(submission: Submission, summaries: Sequence[Summary], given: Mapping[str, Any]) -> str:
    """The clause of the results that says most: an outcome from before to after, else a figure of quality or money."""
    title = salience.bigrams(submission.title.text if submission.title else "")
    best: tuple[float, str] | None = None
    told = [each for summary in summaries if summary.section == "results" for each in summary.sentences]
    for place, sentence in enumerate(told):
        if submission.text[sentence.start : sentence.end] != sentence.text:
            continue
        for clause in salience.clauses(sentence.text):
            worth = salience.claims(clause) + salience.share(salience.bigrams(clause), title) - place / 10
            if salience.claims(clause) > 0 and words(clause) <= given["clause"] and (best is None or worth > best[0]):
                best = (worth, clause)
    return best[1] if best else ""
