"""Builds small .docx files from raw WordprocessingML, so that each test shows the very XML that it is about."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

from service.model import Document
from service.parse.docx import read_docx

NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "wpg": "http://schemas.microsoft.com/office/word/2010/wordprocessingGroup",
        "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "pic": "http://schemas.openxmlformats.org/drawingml/2006/picture",
        "v": "urn:schemas-microsoft-com:vml",
        "o": "urn:schemas-microsoft-com:office:office",
    }.items()
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_ROOTS = {"styles": "styles", "numbering": "numbering", "settings": "settings", "footnotes": "footnotes", "endnotes": "endnotes"}
SECTION = '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1440" w:right="1800" w:bottom="1440" w:left="1800"/></w:sectPr>'


def docx(
    body: str, *, theme: str | None = None, extra: dict[str, str] | None = None, main: str = "word/document.xml", **parts: str
) -> bytes:
    """A .docx whose body is `body`; `parts` are the contents of styles, numbering, settings, footnotes, endnotes; `extra` whole parts."""
    files = {main: f"{_HEAD}<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"}
    folder = main.rpartition("/")[0]
    links = []
    overrides = [f'<Override PartName="/{main}" ContentType="{_MAIN}.document.main+xml"/>']
    for name, content in parts.items():
        files[f"{folder}/{name}.xml"] = f"{_HEAD}<w:{_ROOTS[name]} {NAMESPACES}>{content}</w:{_ROOTS[name]}>"
        links.append(f'<Relationship Id="r{name}" Type="{_OFFICE}/{name}" Target="{name}.xml"/>')
        overrides.append(f'<Override PartName="/{folder}/{name}.xml" ContentType="{_MAIN}.{name}+xml"/>')
    if theme is not None:
        files[f"{folder}/theme/theme1.xml"] = f"{_HEAD}{theme}"
        links.append(f'<Relationship Id="rtheme" Type="{_OFFICE}/theme" Target="theme/theme1.xml"/>')
    relationships = "http://schemas.openxmlformats.org/package/2006/relationships"
    files[f"{folder}/_rels/{main.rpartition('/')[2]}.rels"] = (
        f'{_HEAD}<Relationships xmlns="{relationships}">{"".join(links)}</Relationships>'
    )
    files["_rels/.rels"] = (
        f'{_HEAD}<Relationships xmlns="{relationships}">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="{main}"/></Relationships>'
    )
    files["[Content_Types].xml"] = (
        f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{"".join(overrides)}</Types>'
    )
    return zipped({**files, **(extra or {})})


def zipped(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files, key=lambda name: name != "[Content_Types].xml"):
            archive.writestr(name, files[name])
    return out.getvalue()


def read(body: str, **parts: str) -> Document:
    return read_docx(docx(body, **parts), "申报.docx")


def run(text: str, properties: str = "") -> str:
    return f'<w:r>{f"<w:rPr>{properties}</w:rPr>" if properties else ""}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def para(*content: str, properties: str = "") -> str:
    """A paragraph of XML pieces; a piece that is no XML is plain text."""
    inner = "".join(piece if piece.startswith("<") else run(piece) for piece in content)
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}{inner}</w:p>"


def row(*cells: str, properties: str = "") -> str:
    """A table row; a cell that is no XML is plain text, one that begins with <w:tc is taken as it is."""
    made = "".join(cell if cell.startswith("<w:tc>") else f"<w:tc>{cell if cell.startswith('<') else para(cell)}</w:tc>" for cell in cells)
    return f"<w:tr>{f'<w:trPr>{properties}</w:trPr>' if properties else ''}{made}</w:tr>"


def table(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/>{''.join(rows)}</w:tbl>"


def lines(document: Document) -> list[tuple[str, str, str]]:
    """(kind, label, text) of every block."""
    return [(block.kind, block.label, document.text[block.start : block.end]) for block in document.blocks]


def texts(document: Document) -> list[str]:
    return [text for _, _, text in lines(document)]
