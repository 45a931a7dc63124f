"""The zip of a .docx: its parts, found by relationships and content types, parsed without entities, DTD or network."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from lxml import etree

from service.errors import Unreadable
from service.model import Note
from service.parse import guard
from service.parse.limits import Limits

_DAMAGED = "文件已损坏，无法作为Word文档打开。请用Word或WPS打开原文件并另存为.docx后再试。"
_NOT_WORD = "这不是Word文档（.docx），而是其他类型的压缩文件。请提供.docx、.doc、.pdf或.txt格式的总结文稿。"
_DOCTYPE = "文件的内部结构含有不允许的DOCTYPE声明，已拒绝读取。请用Word或WPS打开并另存为.docx后再试。"
_PACKAGE_RELS = "_rels/.rels"
_CONTENT_TYPES = "[Content_Types].xml"
_MAIN_TYPE = re.compile(
    r"wordprocessingml\.(?:document|template)\.main\+xml$|ms-word\.(?:document|template)\.macroEnabled(?:Template)?\.main\+xml$"
)
_STYLE: Final = b"<w:style "
_STYLE_HEAD: Final = 200  # the attributes of a w:style
_STRICT: Final = b"http://purl.oclc.org/ooxml/"
# Strict OOXML names the same elements in other namespaces: they are read as Transitional.
STRICT_TO_TRANSITIONAL: Final = (
    (b"http://purl.oclc.org/ooxml/wordprocessingml/main", b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"),
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships", b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"),
    (b"http://purl.oclc.org/ooxml/officeDocument/math", b"http://schemas.openxmlformats.org/officeDocument/2006/math"),
    (b"http://purl.oclc.org/ooxml/drawingml/main", b"http://schemas.openxmlformats.org/drawingml/2006/main"),
    (
        b"http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing",
        b"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    ),
    (b"http://purl.oclc.org/ooxml/drawingml/picture", b"http://schemas.openxmlformats.org/drawingml/2006/picture"),
    (b"http://purl.oclc.org/ooxml/drawingml/chart", b"http://schemas.openxmlformats.org/drawingml/2006/chart"),
    (b"http://purl.oclc.org/ooxml/drawingml/diagram", b"http://schemas.openxmlformats.org/drawingml/2006/diagram"),
)


@dataclass(frozen=True, slots=True)
class Relationship:
    id: str
    kind: str  # last part of the type: officeDocument, styles, numbering, hyperlink …
    target: str  # part name, or the address where it is external
    external: bool


@dataclass(frozen=True, slots=True)
class Package:
    """An opened .docx. `main` is the name of the document part."""

    parts: guard.Package
    names: dict[str, str]  # lower-cased part name -> entry name
    main: str

    def read(self, name: str) -> bytes | None:
        """A part's bytes; None where there is no such part."""
        entry = self.names.get(name.lower())
        return None if entry is None else self.parts.read(entry)

    def xml(self, name: str, *, required: bool = False) -> etree._Element | None:
        """A part's root element. A part that is missing or broken is None unless it is required."""
        return self._parsed(self.read(name), required=required)

    def styles(self, name: str) -> etree._Element | None:
        """The styles part, most table styles left out: templates carry hundreds of kilobytes of them and nobody asks for one."""
        data = self.read(name)
        if data is not None:
            first, *styles = data.split(_STYLE)
            if len(styles) > 1:
                *others, last = styles  # what follows the styles stands in the last piece
                data = _STYLE.join([first, *(style for style in others if b'w:type="table"' not in style[:_STYLE_HEAD]), last])
        return self._parsed(data)

    @staticmethod
    def _parsed(data: bytes | None, *, required: bool = False) -> etree._Element | None:
        try:
            root = None if data is None else parse_xml(data)
        except etree.XMLSyntaxError:
            root = None
        if root is None and required:
            raise Unreadable("file_damaged", _DAMAGED)
        return root

    def relationships(self, part: str) -> list[Relationship]:
        """What `part` ("" for the package) points at."""
        folder, _, file = part.rpartition("/")
        name = posixpath.join(folder, "_rels", file + ".rels") if part else _PACKAGE_RELS
        root = self.xml(name)
        return [] if root is None else [_relationship(item, folder) for item in root if isinstance(item.tag, str)]

    def related(self, part: str, kind: str) -> str | None:
        """The first internal target of that kind."""
        return next((item.target for item in self.relationships(part) if item.kind == kind and not item.external), None)


def _relationship(item: etree._Element, folder: str) -> Relationship:
    target = item.get("Target") or ""
    external = (item.get("TargetMode") or "").lower() == "external"
    if not external:
        path = unquote(target.partition("#")[0])
        target = posixpath.normpath(path[1:] if path.startswith("/") else posixpath.join(folder, path)) if path else ""
    return Relationship(item.get("Id") or "", (item.get("Type") or "").rpartition("/")[2], target, external)


def parse_xml(data: bytes) -> etree._Element:
    """Root element of a part that passed the guard; a DOCTYPE is Unreadable, broken XML an XMLSyntaxError."""
    if _STRICT in data:
        for strict, transitional in STRICT_TO_TRANSITIONAL:
            data = data.replace(strict, transitional)
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    root = etree.fromstring(data, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("file_doctype", _DOCTYPE)
    return root


def open_package(data: bytes, *, limits: Limits) -> Package:
    """The package with its main part found; Unreadable where it is damaged or not a Word document."""
    parts = guard.Package(data, limits=limits)
    names = {name.replace("\\", "/").lstrip("/").lower(): name for name in parts.names}
    package = Package(parts, names, "")
    types = _content_types(package)
    target = package.related("", "officeDocument")
    if target is None or target.lower() not in names:
        target = next((part for part, kind in types.items() if _MAIN_TYPE.search(kind)), None)
    if target is None or target.lower() not in names:
        if any("wordprocessingml" in kind for kind in types.values()):
            raise Unreadable("file_damaged", _DAMAGED)
        raise Unreadable("not_word", _NOT_WORD)
    declared = types.get(target.lower())
    if declared and not _MAIN_TYPE.search(declared) and declared not in {"application/xml", "text/xml"}:
        raise Unreadable("not_word", _NOT_WORD)
    return Package(parts, names, target)


def _content_types(package: Package) -> dict[str, str]:
    """Lower-cased part name -> declared content type (overrides only)."""
    root = package.xml(_CONTENT_TYPES)
    if root is None:
        return {}
    return {
        (item.get("PartName") or "").lstrip("/").lower(): item.get("ContentType") or ""
        for item in root
        if isinstance(item.tag, str) and item.tag.endswith("}Override")
    }


_LINK_NAMES = {
    "image": "链接的图片",
    "attachedTemplate": "外部模板",
    "oleObject": "外部对象",
    "aFChunk": "外部文档",
    "frame": "外部框架",
    "subDocument": "子文档",
}


def external_links(package: Package) -> list[Note]:
    """One note on what the file wants fetched from elsewhere, plain hyperlinks apart. Nothing is fetched."""
    found: dict[str, int] = {}
    for name in package.names:
        if not name.endswith(".rels") or "external" not in (package.read(name) or b"").lower().decode("latin-1"):
            continue
        root = package.xml(name)
        for item in () if root is None else root:
            link = _relationship(item, "")
            if link.external and link.kind != "hyperlink":
                label = _LINK_NAMES.get(link.kind, "其他外部内容")
                found[label] = found.get(label, 0) + 1
    if not found:
        return []
    listed = "、".join(f"{label}{count}处" for label, count in sorted(found.items()))
    return [Note("external_links", f"文件引用了外部内容（{listed}），未去读取；其中的内容不在审读范围内。")]
