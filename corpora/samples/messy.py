"""The inline marks of the messy form as the OOXML that Word writes for them: revisions, hidden text, controls, text boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

_MARK = re.compile(r"\{\+\+(?P<insert>.*?)\+\+\}|\{--(?P<delete>.*?)--\}|\{>>(?P<hide>.*?)<<\}|\{==(?P<control>.*?)==\}|(?P<br>\{br\})")
_REVISION = 'w:id="{number}" w:author="审稿人" w:date="2016-05-20T09:00:00Z"'
_RUN_LENGTH = 37  # Word breaks runs at every edit; readers must join them
_BOX = (
    "<w:r {namespaces} xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'"
    " xmlns:wp='http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing'"
    " xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main'"
    " xmlns:wps='http://schemas.microsoft.com/office/word/2010/wordprocessingShape' xmlns:v='urn:schemas-microsoft-com:vml'>"
    "<mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wp:inline distT='0' distB='0' distL='0' distR='0'>"
    "<wp:extent cx='5400000' cy='540000'/><wp:docPr id='{number}' name='文本框 {number}'/><a:graphic>"
    "<a:graphicData uri='http://schemas.microsoft.com/office/word/2010/wordprocessingShape'><wps:wsp><wps:cNvSpPr txBox='1'/>"
    "<wps:spPr><a:xfrm><a:off x='0' y='0'/><a:ext cx='5400000' cy='540000'/></a:xfrm><a:prstGeom prst='rect'><a:avLst/></a:prstGeom>"
    "<a:ln w='9525'><a:solidFill><a:srgbClr val='404040'/></a:solidFill></a:ln></wps:spPr>"
    "<wps:txbx><w:txbxContent>{content}</w:txbxContent></wps:txbx><wps:bodyPr/></wps:wsp></a:graphicData></a:graphic></wp:inline>"
    "</w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape style='width:425pt;height:42pt'><v:textbox><w:txbxContent>{content}"
    "</w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
)


def paragraph(document: Document, text: str, *, size: float) -> None:
    """Append a paragraph, text box or block of a content control as its leading mark says."""
    added = document.add_paragraph()._p
    number = len(document.element.body)  # unique, since it only grows
    if text.startswith("{textbox} "):
        content = f"<w:p><w:r><w:t>{_escaped(text.removeprefix('{textbox} '))}</w:t></w:r></w:p>"
        added.append(parse_xml(_BOX.format(namespaces=nsdecls("w"), number=number, content=content)))
        return
    body = text.removeprefix("{control} ").removeprefix("{blank}")
    if text.startswith("{blank}"):
        body = "\u3000\u3000" + body
    else:
        indent(added, size)
    for element in _runs(body, number * 100):
        added.append(element)
    if text.startswith("{control} "):
        control = parse_xml(f"<w:sdt {nsdecls('w')}><w:sdtPr><w:id w:val='{number}'/></w:sdtPr><w:sdtContent/></w:sdt>")
        added.addprevious(control)
        control.find(qn("w:sdtContent")).append(added)


def indent(element: Any, size: float) -> None:
    """Two characters of first-line indent, as Word writes it for Chinese text."""
    element.get_or_add_pPr().append(parse_xml(f'<w:ind {nsdecls("w")} w:firstLineChars="200" w:firstLine="{int(size * 40)}"/>'))


def _runs(text: str, number: int) -> Iterator[Any]:
    position = 0
    for match in _MARK.finditer(text):
        yield from _plain(text[position : match.start()])
        position = match.end()
        number += 1
        yield _marked(match, number)
    yield from _plain(text[position:])


def _marked(match: re.Match[str], number: int) -> Any:
    space = nsdecls("w")
    if match["insert"]:
        return parse_xml(f"<w:ins {space} {_REVISION.format(number=number)}>{_run(match['insert'])}</w:ins>")
    if match["delete"]:
        return parse_xml(f"<w:del {space} {_REVISION.format(number=number)}>{_run(match['delete'], tag='delText')}</w:del>")
    if match["hide"]:
        return parse_xml(_run(match["hide"], properties="<w:rPr><w:vanish/></w:rPr>").replace("<w:r>", f"<w:r {space}>", 1))
    if match["control"]:
        return parse_xml(
            f"<w:sdt {space}><w:sdtPr><w:id w:val='{number}'/></w:sdtPr><w:sdtContent>{_run(match['control'])}</w:sdtContent></w:sdt>"
        )
    return parse_xml(f"<w:r {space}><w:br/></w:r>")


def _plain(text: str) -> Iterator[Any]:
    for start in range(0, len(text), _RUN_LENGTH):
        yield parse_xml(_run(text[start : start + _RUN_LENGTH]).replace("<w:r>", f"<w:r {nsdecls('w')}>", 1))


def _run(text: str, *, tag: str = "t", properties: str = "") -> str:
    return f'<w:r>{properties}<w:{tag} xml:space="preserve">{_escaped(text)}</w:{tag}></w:r>'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
