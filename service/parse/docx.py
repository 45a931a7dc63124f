"""A .docx as a Document: text as printed without automatic numbers, tracked changes accepted (ECMA-376; READING.md)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from service.errors import Unreadable
from service.model import Block, Document, Note, PageSetup
from service.parse.docx_emit import Emitter, Segment
from service.parse.docx_format import Formats, W, read_theme, to_twips
from service.parse.docx_numbering import Numbering
from service.parse.docx_package import Package, external_links, open_package
from service.parse.docx_walk import Walker
from service.parse.limits import Limits

_TEXTPATH: Final = "{urn:schemas-microsoft-com:vml}textpath"
_MM_PER_TWIP: Final = 25.4 / 1440
_CONTENTS: Final = re.compile(r"目\s*[录次]|contents|table of contents", re.I)
_CONTENTS_LINE: Final = re.compile(r".{1,80}?(?:[.．…·]{3,}|[\s\t]+[.．…·]*)\s*\d{1,3}$", re.S)
_NO_BODY: Final = "Word文档中没有正文，文件可能已损坏。请用Word或WPS打开原文件并另存为.docx后再试。"


@dataclass(frozen=True, slots=True)
class Reading:
    """A document with its XML and where each character of its text stands in it."""

    document: Document
    package: Package
    root: etree._Element
    segments: tuple[Segment, ...]


def read_docx(data: bytes, name: str, *, limits: Limits | None = None) -> Document:
    """Reads a .docx; Unreadable where it is damaged, over a limit or not a Word document."""
    return _read(data, name, limits=limits or Limits(), segments=None)[0]


def read_with_segments(data: bytes, name: str, *, limits: Limits | None = None) -> Reading:
    """The same reading, with the place of every character in the XML: for whoever writes into the file."""
    segments: list[Segment] = []
    document, package, root = _read(data, name, limits=limits or Limits(), segments=segments)
    return Reading(document, package, root, tuple(segments))


def _read(data: bytes, name: str, *, limits: Limits, segments: list[Segment] | None) -> tuple[Document, Package, etree._Element]:
    package = open_package(data, limits=limits)
    root = package.xml(package.main, required=True)
    body = root.find(W + "body") if root is not None else None
    if root is None or body is None:
        raise Unreadable("file_damaged", _NO_BODY)
    related = {item.kind: item.target for item in reversed(package.relationships(package.main)) if not item.external}
    formats = _formats(package, related)
    numbering = Numbering(_part(package, related, "numbering"), formats.numbering_of_style)
    walker = Walker(formats, numbering)
    emitter = Emitter(formats, segments=segments)
    emitter.items(walker.flow(body))
    _notes(package, related, walker, emitter)
    text, blocks = emitter.builder.text, emitter.builder.blocks
    document = Document(
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        format="docx",
        text=text,
        blocks=_mark_contents(text, blocks),
        notes=(*_facts(walker), *external_links(package)),
        page_setups=_page_setups(walker.sections),
        margins=_margins(package),
        layout_known=True,
    )
    return document, package, root


def _part(package: Package, related: dict[str, str], kind: str) -> etree._Element | None:
    return package.xml(related[kind]) if kind in related else None


def _formats(package: Package, related: dict[str, str]) -> Formats:
    settings = _part(package, related, "settings")
    language = settings.find(W + "themeFontLang") if settings is not None else None
    theme = read_theme(_part(package, related, "theme"), language.get(W + "eastAsia") if language is not None else None)
    styles = package.styles(related["styles"]) if "styles" in related else None
    return Formats(styles, theme)


def _notes(package: Package, related: dict[str, str], walker: Walker, emitter: Emitter) -> None:
    """Footnotes, then endnotes, each in the order of reference."""
    references = list(walker.notes)
    for kind in ("footnote", "endnote"):
        wanted = [item for found, item in references if found == kind]
        root = _part(package, related, kind + "s") if wanted else None
        if root is None:
            continue
        by_id = {note.get(W + "id"): note for note in root.findall(W + kind) if note.get(W + "type") in {None, "normal"}}
        for number, item in enumerate(dict.fromkeys(wanted), 1):
            note = by_id.get(item)
            if note is not None:
                emitter.notes(walker.flow(note), label=str(number))


def _facts(walker: Walker) -> list[Note]:
    notes = []
    if walker.revisions:
        notes.append(
            Note("tracked_changes", f"文件中有{walker.revisions}处修订未处理，已按“全部接受”的结果审读；提交前请在Word中接受或拒绝修订。")
        )
    if walker.chunks:
        notes.append(Note("embedded_documents", f"文件中嵌有{walker.chunks}个其他文档，其内容没有读取；请在Word中打开并另存后再审读。"))
    return notes


def _margins(package: Package) -> tuple[str, ...]:
    """The paragraphs of page headers and footers, and watermarks, which Word keeps there as drawn words."""
    found: dict[str, None] = {}
    for item in package.relationships(package.main):
        root = package.xml(item.target) if item.kind in {"header", "footer"} and not item.external else None
        for paragraph in root.iter(W + "p") if root is not None else ():
            drawn = (mark.get("string") or "" for mark in paragraph.iter(_TEXTPATH))
            for line in ("".join(text.text or "" for text in paragraph.iter(W + "t")), *drawn):
                if line.strip():
                    found[line.strip()] = None
    return tuple(found)


def _page_setups(sections: list[etree._Element]) -> tuple[PageSetup, ...]:
    setups: list[PageSetup] = []
    for section in sections:
        size, margin = section.find(W + "pgSz"), section.find(W + "pgMar")
        width, height = (_mm(size, "w"), _mm(size, "h")) if size is not None else (None, None)
        if width is None or height is None:
            continue
        sides = [_mm(margin, side) if margin is not None else None for side in ("top", "bottom", "left", "right")]
        setup = PageSetup(width, height, *sides)
        if not setups or setups[-1] != setup:
            setups.append(setup)
    return tuple(setups)


def _mm(element: etree._Element, name: str) -> float | None:
    twips = to_twips(element.get(W + name))
    return None if twips is None else round(abs(twips) * _MM_PER_TWIP, 1)


def _mark_contents(text: str, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The line 目录 above a contents page belongs to it, and a contents page typed by hand is one too."""
    marked = list(blocks)
    for index, block in enumerate(blocks):
        if (
            block.kind == "toc"
            or block.end - block.start > len("table of contents")
            or not _CONTENTS.fullmatch(text[block.start : block.end])
        ):
            continue
        end = index + 1
        while end < len(marked) and marked[end].kind in {"paragraph", "list", "heading"} and _is_contents_line(text, marked[end]):
            end += 1
        typed = end - index - 1 >= 3
        if typed or (index + 1 < len(marked) and marked[index + 1].kind == "toc"):
            for place in range(index, end if typed else index + 1):
                marked[place] = replace(marked[place], kind="toc", level=None)
    return tuple(marked)


def _is_contents_line(text: str, block: Block) -> bool:
    return block.end - block.start <= 120 and _CONTENTS_LINE.fullmatch(text[block.start : block.end]) is not None
