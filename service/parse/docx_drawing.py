"""What a drawing, picture or object is: text boxes to be read, a figure, or neither; equations as linear text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from service.parse.docx_format import W

MC: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
M: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
V: Final = "{urn:schemas-microsoft-com:vml}"
_O: Final = "{urn:schemas-microsoft-com:office:office}"
_WP: Final = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_PICTURE: Final = "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic"
_GRAPHIC_DATA: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}graphicData"
_GROUPS: Final = ("/wordprocessingGroup", "/wordprocessingCanvas")
_CHARTS: Final = ("/chart", "/diagram", "/chartex", "/lockedCanvas", "/slicer")
_EMU_PER_MM: Final = 36000.0
_MM_PER: Final = {"pt": 0.3528, "in": 25.4, "cm": 10.0, "mm": 1.0, "px": 0.2646, "pc": 4.233}
_LENGTH: Final = re.compile(r"(?:^|;)\s*(width|height)\s*:\s*([\d.]+)\s*(pt|in|cm|mm|px|pc)?")
_SMALL: Final = 10.0  # mm: icons, ticks and single signs
_FULL_PAGE: Final = (180.0, 250.0)  # mm: a picture behind the text this large is the page's background


@dataclass(slots=True)
class Drawing:
    """`boxes`: `w:txbxContent` elements in order."""

    boxes: list[etree._Element] = field(default_factory=list)
    figure: bool = False
    grouped: bool = False
    anchored: bool = False  # floats beside the text
    width: float | None = None  # mm
    height: float | None = None


def branch(alternate: etree._Element) -> etree._Element | None:
    """What is shown of an `mc:AlternateContent`: the first Choice, else the Fallback."""
    choice = alternate.find(MC + "Choice")
    return choice if choice is not None else alternate.find(MC + "Fallback")


def inspect(element: etree._Element) -> Drawing:
    """Looks at a `w:drawing`, `w:pict` or `w:object`."""
    found = Drawing()
    pictures = behind = equation = False
    for item in _visible(element):
        tag = item.tag
        if tag == W + "txbxContent":
            found.boxes.append(item)
        elif tag in {_PICTURE, V + "imagedata"}:
            pictures = True
        elif tag == _GRAPHIC_DATA:
            uri = item.get("uri") or ""
            found.grouped |= uri.endswith(_GROUPS)
            pictures |= uri.endswith(_CHARTS)
        elif tag == V + "group":
            found.grouped = True
        elif tag in {_WP + "anchor", _WP + "inline"}:
            found.anchored = tag == _WP + "anchor"
            behind = item.get("behindDoc") in {"1", "true"}
        elif tag == _WP + "extent" and found.width is None:
            found.width, found.height = _emu(item.get("cx")), _emu(item.get("cy"))
        elif tag == _O + "OLEObject":
            equation |= "equation" in (item.get("ProgID") or "").lower()
        if tag in {V + "shape", V + "group", V + "rect"} and found.width is None:
            _style_size(item.get("style") or "", found)
    width, height = found.width, found.height
    small = width is not None and height is not None and width < _SMALL and height < _SMALL
    background = behind and width is not None and height is not None and width >= _FULL_PAGE[0] and height >= _FULL_PAGE[1]
    found.figure = (pictures or found.grouped) and not (small or background or equation)
    return found


def _visible(element: etree._Element) -> Iterator[etree._Element]:
    """Descendants as shown: one branch of alternatives, nothing inside a text box."""
    stack = [iter(element)]
    while stack:
        child = next(stack[-1], None)
        if child is None:
            stack.pop()
            continue
        if child.tag == MC + "AlternateContent":
            shown = branch(child)
            if shown is not None:
                stack.append(iter(shown))
            continue
        yield child
        if child.tag != W + "txbxContent":
            stack.append(iter(child))


def _emu(value: str | None) -> float | None:
    try:
        return float(value) / _EMU_PER_MM if value else None
    except ValueError:
        return None


def _style_size(style: str, found: Drawing) -> None:
    sizes = {
        name: float(number) * _MM_PER[unit or "pt"]
        for name, number, unit in _LENGTH.findall(style)
        if number.count(".") < 2 and number != "."
    }
    found.width, found.height = sizes.get("width"), sizes.get("height")


def equation_text(element: etree._Element) -> str:
    """An `m:oMath` in one line: a/b, x^2, x_i, √(x)."""
    return "".join(_math(child) for child in element)


def _part(element: etree._Element, name: str) -> str:
    child = element.find(M + name)
    return equation_text(child) if child is not None else ""


def _grouped(text: str) -> str:
    return text if len(text) <= 1 or text.isalnum() else f"({text})"


def _property(element: etree._Element, path: str, default: str) -> str:
    child = element.find("/".join(M + part for part in path.split("/")))
    return default if child is None else child.get(M + "val") or ""


def _math(element: etree._Element) -> str:  # noqa: C901 - one branch an element
    tag = element.tag
    if not isinstance(tag, str) or tag.endswith("Pr"):
        return ""
    if tag == M + "t" or tag == W + "t":
        return element.text or ""
    if tag == M + "f":
        return f"{_grouped(_part(element, 'num'))}/{_grouped(_part(element, 'den'))}"
    if tag == M + "sSup":
        return f"{_part(element, 'e')}^{_grouped(_part(element, 'sup'))}"
    if tag == M + "sSub":
        return f"{_part(element, 'e')}_{_grouped(_part(element, 'sub'))}"
    if tag == M + "sSubSup":
        return f"{_part(element, 'e')}_{_grouped(_part(element, 'sub'))}^{_grouped(_part(element, 'sup'))}"
    if tag == M + "rad":
        return f"{_part(element, 'deg')}√({_part(element, 'e')})"
    if tag == M + "nary":
        sub, sup = _part(element, "sub"), _part(element, "sup")
        limits = (f"_{_grouped(sub)}" if sub else "") + (f"^{_grouped(sup)}" if sup else "")
        return f"{_property(element, 'naryPr/chr', '∫')}{limits}{_part(element, 'e')}"
    if tag == M + "d":
        inner = ",".join(equation_text(child) for child in element.findall(M + "e"))
        return f"{_property(element, 'dPr/begChr', '(')}{inner}{_property(element, 'dPr/endChr', ')')}"
    if tag in {W + "del", W + "moveFrom"}:
        return ""
    return equation_text(element)
