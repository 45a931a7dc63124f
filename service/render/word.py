"""The applicant's own .docx with a Word comment at each finding, each priority and each passage shared with a past benchmark, and one at
the title that says it all in short.

Everything else of the file stays as it is. Nothing is masked: the file is the applicant's, and holds it all anyway.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from service.errors import ServiceError
from service.model import Match, Report, Submission
from service.parse.docx import read_with_segments
from service.parse.docx_format import W
from service.parse.docx_package import STRICT_TO_TRANSITIONAL, Package
from service.render.insight import Insight, Priority, insight
from service.render.likeness import cited, heading_above, is_revoked, marks_of, percent
from service.render.view import Item, items, unchecked
from service.render.word_anchor import Anchors
from service.render.wording import cut, words_for
from service.text import words

AUTHOR: Final = "标杆审读"
INITIALS: Final = "标杆"
_RELATIONSHIPS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_COMMENTS_LINK: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments"
_COMMENTS_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml"
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_STAMP: Final = (1980, 1, 1, 0, 0, 0)  # of the parts that we add: the same report makes the same file
_MOST_PASSAGES: Final = 20  # comments on passages that stand in past benchmarks: more would bury the rest
_HEADING: Final = 24  # characters of a heading of the other text
_MOST_MATCHES: Final = 5  # benchmarks named at the title
_STRICT: Final = b"http://purl.oclc.org/ooxml/"


def annotate(data: bytes, report: Report) -> bytes:
    """`data` with what the report says as comments; ServiceError where the report is not about this file."""
    submission = report.submission
    placed = () if submission is None else tuple(_remarks(report, submission))
    if submission is None or not placed:
        return data
    reading = read_with_segments(data, report.name)
    if reading.document.text != submission.document.text:
        raise ServiceError("annotate_other_file", "批注没有写入：文件在审读之后被改动过，与报告不一致。请重新审读后再生成批注。")
    styles = _comment_styles(reading.package)
    comments = _Comments(reading.package, reading.root, text_style=styles.get("annotation text"))
    anchors = Anchors(reading.root, reading.segments, mark_style=styles.get("annotation reference"))
    for remark in placed:
        number = comments.next_id
        if anchors.place(*_without_blanks(reading.document.text, remark.start, remark.end), number):
            comments.add(remark.lines)
    return _rewritten(
        data, {reading.package.names[reading.package.main.lower()]: _serialised(reading.root, reading.package), **comments.parts()}
    )


@dataclass(frozen=True, slots=True)
class _Remark:
    """One comment: where it stands, and its paragraphs."""

    start: int
    end: int
    lines: tuple[str, ...]


def _remarks(report: Report, submission: Submission) -> Iterator[_Remark]:
    """In short at the title, then what concerns the whole, then each finding, then the priorities that no finding says."""
    told, title = insight(report), _title_place(submission)
    found = items(report)
    alike, more = _taken(report)
    examples, others = _matched(() if told is None else told.priorities, found)
    short = tuple(_short(report, told, more))
    if short:
        yield _Remark(*title, short)
    whole = [line for item in found if item.whole for line in _lines(item, examples.get(item.number))]
    if whole:
        yield _Remark(*title, tuple(whole))
    for item in found:
        if not item.whole:
            yield _Remark(item.start, item.end, tuple(_lines(item, examples.get(item.number))))
    by_place: dict[tuple[int, int], list[str]] = {}
    for one in others:
        by_place.setdefault((one.start, one.end), []).extend(_advised(one))
    for (start, end), lines in by_place.items():
        yield _Remark(start, end, tuple(lines))
    yield from alike


def _matched(priorities: Iterable[Priority], found: Sequence[Item]) -> tuple[dict[int, str], list[Priority]]:
    """The examples by the number of the finding that they belong to, and the priorities that belong to none."""
    numbers = {(item.rule, item.start, item.end): item.number for item in reversed(found)}
    examples: dict[int, str] = {}
    others = []
    for one in priorities:
        number = numbers.get((one.rule or "", one.start, one.end))
        if number is None or number in examples:
            others.append(one)
        else:
            examples[number] = one.example
    return examples, others


def _short(report: Report, told: Insight | None, more: int) -> Iterator[str]:
    """The write-up in one line, the focus areas, what past benchmarks have too, and what was not checked."""
    if told is not None and told.one_line:
        yield f"【{words_for('lines', 'short')}】{told.one_line}"
    chosen = (
        "、".join(f"{area.name} {area.shown}{'（首选）' if area.primary else ''}" for area in told.areas if area.chosen) if told else ""
    )
    if chosen:
        yield f"【重点方向】{chosen}。{words_for('lines', 'focus')}"
    elif told is not None and told.undecided:
        yield f"【重点方向】{words_for('verdicts', 'undecided')}：{told.undecided}"
    if told is not None or report.similarity is not None:
        yield from _alike(report, more)
    skipped = unchecked(report.outcomes)
    if skipped:
        yield f"【{words_for('verdicts', 'not_checked')}】{words_for('lines', 'not_passed')}"
        yield from (f"{'、'.join(one.rules)}：{one.reason}" for one in skipped)


def _alike(report: Report, more: int) -> Iterator[str]:
    """With which benchmarks how much is shared, or that nothing was compared; `more` passages have no comment of their own."""
    head = f"【{words_for('lines', 'most_alike')}】"
    if report.submission is None or not report.submission.is_writeup:
        return
    if report.similarity is None:
        yield head + words_for("lines", "not_compared")
        return
    if not report.matches:
        line = "compared_among" if report.similarity.only_among else "compared"
        compared = words_for("lines", line).replace("{count}", f"{report.similarity.compared:,}")
        yield f"{head}{compared}，{words_for('lines', 'nothing_alike')}"
        return
    limits = words_for("lines", "only_among") if report.similarity.only_among else ""
    yield f"{head}{words_for('lines', 'likeness')}相似比例 {percent(report.similarity.without_quotes)}。{limits}"
    yield from (f"{cited(match.past)}：{_extent(match)}。" for match in report.matches[:_MOST_MATCHES])
    if len(report.matches) > _MOST_MATCHES:
        yield words_for("lines", "more").replace("{count}", str(len(report.matches) - _MOST_MATCHES))
    if more:
        yield words_for("lines", "more_alike").replace("{count}", str(more))


def _taken(report: Report) -> tuple[list[_Remark], int]:
    """A comment for each of the longest passages that count, in the text's order, and how many have none. Those of one place share one."""
    by_place: dict[tuple[int, int], list[str]] = {}
    for match in report.matches:
        for passage in match.passages if match.flag != "related" else ():
            if passage.excluded is None:
                kind = words_for("match_kinds", passage.kind)
                heading = heading_above(match.past.text, passage.their_start)
                under = f"的“{cut(heading, _HEADING)}”部分" if heading else ""
                size = words(report.submission.text[passage.start : passage.end]) if report.submission else 0
                told = f"{kind}：{cited(match.past)}{under}，这一处 {size:,} 字；这一篇{_extent(match)}。"
                by_place.setdefault((passage.start, passage.end), []).append(told)
    longest = sorted(by_place, key=lambda place: place[0] - place[1])[:_MOST_PASSAGES]
    head = f"【{words_for('lines', 'most_alike')}】"  # that it is no verdict stands once, at the title
    remarks = [_Remark(*place, (head + by_place[place][0], *by_place[place][1:])) for place in sorted(longest)]
    return remarks, len(by_place) - len(longest)


def _extent(match: Match) -> str:
    """有沿用，共占本文 23.6%，本单位."""
    share = f"，共占本文 {percent(match.share)}" if match.passages else "，只有题目可比"
    marks = marks_of(own=match.own, among=match.past.among, revoked=is_revoked(match.past))
    return words_for("flags", match.flag) + share + "".join(f"，{mark}" for mark in marks)


def _advised(one: Priority) -> Iterator[str]:
    yield f"【优先修改】{one.message}"
    if one.reason:
        yield one.reason
    if one.example:
        yield words_for("lines", "example") + one.example


def _without_blanks(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without the blanks at its ends, where it holds anything else."""
    words = text[start:end]
    if not words.strip():
        return start, end
    return end - len(words.lstrip()), start + len(words.rstrip())


def _title_place(submission: Submission) -> tuple[int, int]:
    """Where what concerns the whole write-up is shown: the title, else the first paragraph of the write-up."""
    if submission.title is not None and submission.title.end > submission.title.start:
        return submission.title.start, submission.title.end
    blocks = [block for block in submission.document.blocks if block.end > block.start]
    first = next((block for block in blocks if block.start >= submission.start), blocks[0] if blocks else None)
    return (first.start, first.end) if first is not None else (0, 0)


def _lines(item: Item, example: str | None) -> Iterator[str]:
    """【错误】message, what it rests on, and how it could be written; a line each."""
    yield f"【{words_for('severities', item.severity)}】{item.message}"
    if item.cited:
        yield item.cited
    if example:
        yield words_for("lines", "example") + example


def _comment_styles(package: Package) -> dict[str, str]:
    """Ids of the file's own styles for comments, by their names."""
    target = package.related(package.main, "styles")
    root = package.styles(target) if target is not None else None
    found: dict[str, str] = {}
    for style in () if root is None else root.iter(W + "style"):
        name = style.find(W + "name")
        if name is not None:
            found.setdefault((name.get(W + "val") or "").lower(), style.get(W + "styleId") or "")
    return {name: style for name, style in found.items() if style}


class _Comments:
    """The file's comments part: its own comments kept, ours added with fresh ids."""

    __slots__ = ("_name", "_new", "_package", "_root", "_text_style", "next_id")

    def __init__(self, package: Package, document: etree._Element, *, text_style: str | None) -> None:
        self._package = package
        self._text_style = text_style
        name = package.related(package.main, "comments")
        root = package.xml(name) if name is not None else None
        self._new = name is None or root is None or name.lower() not in package.names
        folder = package.main.rpartition("/")[0]
        self._name = name if name is not None and not self._new else _free_name(package, folder)
        self._root = root if root is not None and not self._new else etree.Element(W + "comments", nsmap={"w": W[1:-1]})
        used = [int(value) for value in _ids(document, self._root) if value.isdecimal()]
        self.next_id = max(used, default=-1) + 1

    def add(self, lines: Iterable[str]) -> None:
        """One comment, a paragraph a line."""
        comment = etree.SubElement(self._root, W + "comment", {W + "id": str(self.next_id), W + "author": AUTHOR, W + "initials": INITIALS})
        self.next_id += 1
        for index, line in enumerate(lines):
            paragraph = etree.SubElement(comment, W + "p")
            if self._text_style is not None:
                etree.SubElement(etree.SubElement(paragraph, W + "pPr"), W + "pStyle", {W + "val": self._text_style})
            if index == 0:
                etree.SubElement(etree.SubElement(paragraph, W + "r"), W + "annotationRef")
            text = etree.SubElement(etree.SubElement(paragraph, W + "r"), W + "t")
            text.text = _NOT_XML.sub("", line)
            text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")

    def parts(self) -> dict[str, bytes]:
        """The parts that the comments change or add, by their names in the zip."""
        package = self._package
        changed = {package.names.get(self._name.lower(), self._name): _serialised(self._root, package)}
        if self._new:
            folder, _, file = package.main.rpartition("/")
            links = f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels"
            changed[package.names.get(links.lower(), links)] = _linked(package, links, self._name)
            types = "[Content_Types].xml"
            changed[package.names.get(types.lower(), types)] = _declared(package, types, self._name)
        return changed


def _free_name(package: Package, folder: str) -> str:
    base = f"{folder}/comments" if folder else "comments"
    names = (f"{base}{number or ''}.xml" for number in range(len(package.names) + 1))
    return next(name for name in names if name.lower() not in package.names)


def _ids(document: etree._Element, comments: etree._Element) -> Iterable[str]:
    for tag in ("commentRangeStart", "commentRangeEnd", "commentReference"):
        for mark in document.iter(W + tag):
            yield mark.get(W + "id") or ""
    for comment in comments.iter(W + "comment"):
        yield comment.get(W + "id") or ""


def _linked(package: Package, links: str, target: str) -> bytes:
    """The document's relationships with one to the comments."""
    root = package.xml(links)
    if root is None:
        root = etree.fromstring(f'<Relationships xmlns="{_RELATIONSHIPS}"/>')
    used = {item.get("Id") for item in root}
    name = next(f"rId{number}" for number in range(1, len(root) + 2) if f"rId{number}" not in used)
    link = "http://purl.oclc.org/ooxml/officeDocument/relationships/comments" if _is_strict(package) else _COMMENTS_LINK
    attributes = {"Id": name, "Type": link, "Target": target.rpartition("/")[2]}
    etree.SubElement(root, f"{{{_RELATIONSHIPS}}}Relationship", attributes)
    return _DECLARATION + etree.tostring(root, encoding="UTF-8")


def _declared(package: Package, types: str, name: str) -> bytes:
    """The content types with that of the comments."""
    root = package.xml(types)
    if root is None:
        root = etree.fromstring(f'<Types xmlns="{_TYPES}"/>')
    etree.SubElement(root, f"{{{_TYPES}}}Override", {"PartName": "/" + name, "ContentType": _COMMENTS_TYPE})
    return _DECLARATION + etree.tostring(root, encoding="UTF-8")


def _is_strict(package: Package) -> bool:
    return _STRICT in (package.read(package.main) or b"")


def _serialised(root: etree._Element, package: Package) -> bytes:
    data: bytes = etree.tostring(root, encoding="UTF-8")
    if _is_strict(package):
        for strict, transitional in STRICT_TO_TRANSITIONAL:
            data = data.replace(b'"' + transitional + b'"', b'"' + strict + b'"')
    return _DECLARATION + data


def _rewritten(data: bytes, changed: Mapping[str, bytes]) -> bytes:
    """The zip with some parts changed or added; the others with the same bytes, in the same order."""
    out = io.BytesIO()
    left = dict(changed)
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = left.pop(entry.filename, None)
            target.writestr(entry, source.read(entry) if content is None else content, compress_type=entry.compress_type)
        for name, content in left.items():
            target.writestr(zipfile.ZipInfo(name, _STAMP), content, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()
