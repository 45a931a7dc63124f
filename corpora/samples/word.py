"""A source as a Word file in one of the forms that applicants send: styles, autonum, plain, messy."""

from __future__ import annotations

import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import messy
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run
from lxml import etree
from source import CAPTION_SIZE, TITLE_SIZE, Block, Source, column_weights, printed_numbers

_MOMENT = datetime(2026, 1, 1)  # noqa: DTZ001 -- Word's core properties have no zone; any fixed moment will do
_ZIP_MOMENT = (1980, 1, 1, 0, 0, 0)
_SONG, _HEI, _LATIN = "宋体", "黑体", "Times New Roman"
_MARGIN = Mm(28)
_TEXT_WIDTH = Mm(210 - 2 * 28)
_CELL_SIZE = 10.5
_NUMBERS = {
    "decimal": (("decimal", "%1"), ("decimal", "%1.%2"), ("decimal", "%1.%2.%3"), ("decimal", "%1.%2.%3.%4")),
    "chinese": (("chineseCounting", "%1、"), ("chineseCounting", "（%2）"), ("decimal", "%3."), ("decimal", "（%4）")),
}


def build(source: Source, pictures: Path, pages: dict[int, int]) -> bytes:
    """The .docx; `pages` are the heading blocks' page numbers for the contents page."""
    document = docx.Document()
    _page(document, source)
    _styles(document, source)
    if source.base == "autonum":
        _numbering(document, str(source.form["numbering"]))
    if source.form.get("cover"):
        _cover(document, source)
    if source.form.get("contents"):
        _contents(document, source, pages)
    for index, block in enumerate(source.blocks):
        match block.kind:
            case "title":
                _title(document, source, block, after_other_text=index > 0)
            case "heading":
                _heading(document, source, block)
            case "figure":
                _figure(document, source, block, pictures)
            case "table":
                _table(document, source, block)
            case _:
                _paragraph(document, source, block)
    return _packed(document, source)


def _packed(document: Document, source: Source) -> bytes:
    """The file with every moment fixed, so that the same source gives the same bytes."""
    core = document.core_properties
    core.title, core.author, core.last_modified_by, core.comments = source.title, source.organisation, "", "本项目编写的样例，企业为虚构"
    core.created = core.modified = _MOMENT
    core.revision = 1
    loose = BytesIO()
    document.save(loose)
    packed = BytesIO()
    with zipfile.ZipFile(loose) as before, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            if name == "docProps/thumbnail.jpeg":  # the template's own picture; its relationship goes with it
                continue
            content = before.read(name)
            if name == "_rels/.rels":
                content = _without_thumbnail(content)
            info = zipfile.ZipInfo(name, _ZIP_MOMENT)
            info.compress_type = zipfile.ZIP_DEFLATED
            after.writestr(info, content)
    return packed.getvalue()


def _without_thumbnail(content: bytes) -> bytes:
    root = parse_xml(content)
    for relationship in list(root):
        if relationship.get("Target", "").endswith("thumbnail.jpeg"):
            root.remove(relationship)
    return b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + bytes(etree.tostring(root))


def _page(document: Document, source: Source) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = _MARGIN
    section.top_margin = section.bottom_margin = Mm(25)
    if source.form.get("header"):
        paragraph = section.header.paragraphs[0]
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _font(paragraph.add_run(source.form["header"]), _SONG, 9)
    if source.form.get("footer"):
        paragraph = section.footer.paragraphs[0]
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        field = OxmlElement("w:fldSimple")
        field.set(qn("w:instr"), " PAGE ")
        field.append(parse_xml(f"<w:r {nsdecls('w')}><w:t>1</w:t></w:r>"))
        paragraph._p.append(field)
    section.different_first_page_header_footer = bool(source.form.get("cover"))


def _styles(document: Document, source: Source) -> None:
    for language in document.styles.element.iter(qn("w:lang")):  # Chinese line breaking and glyphs
        language.set(qn("w:eastAsia"), "zh-CN")
    _style_font(document.styles["Normal"], str(source.form.get("body_font", _SONG)), source.body_size)
    document.styles["Normal"].paragraph_format.space_after = Pt(0)
    document.styles["Normal"].paragraph_format.line_spacing = 1.0
    for level, size in enumerate(source.heading_sizes, start=1):
        style = document.styles[f"Heading {level}"]
        _style_font(style, _HEI if level == 1 else _SONG, size, bold=level > 1)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(8), Pt(4)
    _style_font(document.styles["Title"], _HEI, TITLE_SIZE)
    title = document.styles["Title"].paragraph_format
    title.alignment, title.space_before, title.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(0), Pt(14)
    for border in document.styles["Title"].element.iter(qn("w:pBdr")):
        border.getparent().remove(border)
        break
    _style_font(document.styles["Caption"], _SONG, CAPTION_SIZE, bold=source.captions_bold)
    document.styles["Caption"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for level in (1, 2):
        style = document.styles.add_style(f"toc {level}", WD_STYLE_TYPE.PARAGRAPH, builtin=True)
        style.base_style = document.styles["Normal"]
        _style_font(style, _SONG, 12)
        style.paragraph_format.left_indent = Pt(24 * (level - 1))
        style.paragraph_format.tab_stops.add_tab_stop(_TEXT_WIDTH, WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)


def _style_font(style: Any, font: str, size: float, *, bold: bool = False) -> None:
    style.font.size, style.font.bold, style.font.italic = Pt(size), bold, False
    style.font.color.rgb = RGBColor(0, 0, 0)
    _fonts(style.element.get_or_add_rPr(), font)


def _fonts(properties: Any, font: str) -> None:
    fonts = properties.get_or_add_rFonts()
    for name in list(fonts.attrib):  # the template's theme fonts would win over the plain names
        del fonts.attrib[name]
    fonts.set(qn("w:ascii"), _LATIN)
    fonts.set(qn("w:hAnsi"), _LATIN)
    fonts.set(qn("w:eastAsia"), font)


def _font(run: Run, font: str, size: float, *, bold: bool = False) -> None:
    run.font.size = Pt(size)
    run.font.bold = bold
    _fonts(run._r.get_or_add_rPr(), font)


def _numbering(document: Document, numbering: str) -> None:
    """Tie the heading styles to one multilevel list, as Word's 多级列表 does."""
    root = document.part.numbering_part.element
    levels = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:pStyle w:val="Heading{level + 1}"/>'
        f'<w:suff w:val="space"/><w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/>'
        '<w:pPr><w:ind w:left="0" w:firstLine="0"/></w:pPr></w:lvl>'
        for level, (form, text) in enumerate(_NUMBERS[numbering])
    )
    abstract = parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90"><w:multiLevelType w:val="multilevel"/>{levels}</w:abstractNum>'
    )
    root.insert(0, abstract)
    root.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="90"><w:abstractNumId w:val="90"/></w:num>'))
    for level in range(len(_NUMBERS[numbering])):
        properties = document.styles[f"Heading {level + 1}"].element.get_or_add_pPr()
        properties.append(parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="90"/></w:numPr>'))
        _sort_paragraph_properties(properties)


_ORDER = ("pStyle", "keepNext", "keepLines", "pageBreakBefore", "numPr", "tabs", "spacing", "ind", "contextualSpacing", "jc", "outlineLvl")


def _sort_paragraph_properties(properties: Any) -> None:
    """Word refuses paragraph properties out of the schema's order."""
    rank = {qn(f"w:{name}"): place for place, name in enumerate(_ORDER)}
    properties[:] = sorted(properties, key=lambda child: rank[child.tag])


def _cover(document: Document, source: Source) -> None:
    lines = (("质量标杆典型经验材料", _HEI, 26, 150), (source.title, _HEI, 20, 90), (source.organisation, _SONG, 16, 200))
    for text, font, size, before in (*lines, (str(source.form.get("date", "")), _SONG, 16, 10)):
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.space_before = Pt(before)
        _font(paragraph.add_run(text), font, size)
    document.add_page_break()


def _contents(document: Document, source: Source, pages: dict[int, int]) -> None:
    """A TOC field with its result written out, as Word leaves it after updating."""
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _font(paragraph.add_run("目　录"), _HEI, 16)
    numbers = printed_numbers(source)
    entries = [(index, block) for index, block in enumerate(source.blocks) if block.kind == "heading" and block.level <= 2]
    for place, (index, block) in enumerate(entries):
        paragraph = document.add_paragraph(style=f"toc {block.level}")
        if not place:
            _field_mark(paragraph, "begin")
            instruction = OxmlElement("w:instrText")
            instruction.text = ' TOC \\o "1-2" \\h \\z \\u '
            paragraph.add_run()._r.append(instruction)
            _field_mark(paragraph, "separate")
        number = f"{numbers[index]} " if index in numbers else ""
        paragraph.add_run(f"{number}{block.text}\t{pages[index]}")
        if place == len(entries) - 1:
            _field_mark(paragraph, "end")
    document.add_page_break()


def _field_mark(paragraph: Paragraph, kind: str) -> None:
    mark = OxmlElement("w:fldChar")
    mark.set(qn("w:fldCharType"), kind)
    paragraph.add_run()._r.append(mark)


def _title(document: Document, source: Source, block: Block, *, after_other_text: bool) -> None:
    if after_other_text:
        document.add_page_break()
    if source.base in {"styles", "autonum"}:
        document.add_paragraph(block.text, style="Title")
        return
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_after = Pt(14)
    _font(paragraph.add_run(block.text), _HEI, TITLE_SIZE)


def _heading(document: Document, source: Source, block: Block) -> None:
    # A messy file has real styles where somebody thought of them: on the first level.
    if source.base in {"styles", "autonum"} or (source.base == "messy" and block.level == 1):
        document.add_paragraph(block.text, style=f"Heading {block.level}")
        return
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.keep_with_next = True
    _font(paragraph.add_run(block.text), _HEI if block.level == 1 else _SONG, source.heading_sizes[block.level - 1], bold=True)


def _paragraph(document: Document, source: Source, block: Block) -> None:
    if source.base == "messy":
        messy.paragraph(document, block.text, size=source.body_size)
        return
    if block.kind == "bullet":
        document.add_paragraph(block.text, style="List Bullet")
        return
    paragraph = document.add_paragraph(block.text)
    messy.indent(paragraph._p, source.body_size)


def _caption(document: Document, text: str, *, above: bool) -> None:
    paragraph = document.add_paragraph(text, style="Caption")
    paragraph.paragraph_format.keep_with_next = above
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(4), Pt(4)


def _figure(document: Document, source: Source, block: Block, pictures: Path) -> None:
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.keep_with_next = True
    paragraph.add_run().add_picture(str(pictures / f"{source.id}-{block.figure + 1}.png"), width=Mm(125))
    if block.text:
        _caption(document, block.text, above=False)


def _table(document: Document, source: Source, block: Block) -> None:
    if block.text:
        _caption(document, block.text, above=True)
    columns = len(block.rows[0])
    table = document.add_table(rows=0, cols=columns, style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    widths = [int(_TEXT_WIDTH * weight) for weight in column_weights(block.rows)]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    for number, row in enumerate(block.rows):
        for column, (cell, text) in enumerate(zip(table.add_row().cells, row, strict=True)):
            cell.width = widths[column]
            paragraph = cell.paragraphs[0]
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if number == 0 or len(text) < 8 else WD_ALIGN_PARAGRAPH.LEFT
            _font(paragraph.add_run(text), _SONG, _CELL_SIZE, bold=number == 0)
    _after_table(document, source)


def _after_table(document: Document, source: Source) -> None:
    """Tables that follow each other need a paragraph between them, or Word joins them."""
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.line_spacing = Pt(source.body_size / 2)
