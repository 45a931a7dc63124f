"""What the walk through a .docx finds: paragraphs as pieces of text, and tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree

from service.parse.docx_format import ParaProps, RunFormat, Style


class Figure(NamedTuple):
    before: int  # pieces of text before it
    floats: bool
    element: etree._Element  # w:drawing, w:pict or w:object


@dataclass(slots=True)
class Para:
    """A paragraph. `pieces`: (text, the element that holds it, offset in the element's text, formatting); breaks are LF and FF."""

    element: etree._Element
    style: Style
    props: ParaProps  # direct, not merged with the style
    pieces: list[tuple[str, etree._Element, int, RunFormat]] = field(default_factory=list)
    label: str = ""
    level: int | None = None  # of the list, from 1; None where it has no number
    toc: bool = False
    figures: list[Figure] = field(default_factory=list)
    boxes: list[tuple[list[Item], bool]] = field(default_factory=list)  # content of text boxes, whether they are parts of one drawing


@dataclass(slots=True)
class TableCell:
    row: int
    column: int
    items: list[Item]
    rows: int = 1
    columns: int = 1


@dataclass(slots=True)
class Table:
    element: etree._Element
    cells: list[TableCell]
    columns: int


Item = Para | Table
