"""Reads a PDF's text layer; pages without a usable one are asked for as OCR and come back as recognised lines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from service.errors import Unreadable
from service.model import Document, Layout, Note, PageSetup
from service.parse.blocks import Builder
from service.parse.limits import Limits
from service.parse.ocr_page import OcrPage
from service.parse.ocr_text import mended
from service.parse.pdf_drawings import drawings_of
from service.parse.pdf_furniture import has_turned_text, without_furniture
from service.parse.pdf_library import use_own_fonts
from service.parse.pdf_lines import Line, edges_of, lines_of
from service.parse.pdf_ocr import with_recognised
from service.parse.pdf_page import Page, Run, read_page
from service.parse.pdf_paragraphs import Paragraph, paragraphs_of, style_of
from service.parse.pdf_roles import Role, roles_of
from service.parse.pdf_shapes import Picture
from service.parse.pdf_tables import Table, around, continues, grids_of, joined, tables_of

MOST_OBJECTS = 60_000  # of a page
MOST_CHARACTERS = 100_000  # of a page
_MM = 25.4 / 72
_SMALL_PICTURE = 36.0  # points; smaller ones are logos, bullets, signs
_GARBLED = 0.1  # share of characters without meaning from which a page is read by OCR


@dataclass(frozen=True, slots=True)
class PdfResult:
    """What was read, and the numbers of the pages (from 1) that only OCR can read."""

    document: Document
    wanted: tuple[int, ...] = ()


Item = Line | Table | Picture


def read_pdf(
    data: bytes,
    name: str,
    *,
    recognised: Mapping[int, OcrPage] | None = None,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PdfResult:
    """Raises Unreadable for encrypted, damaged and overlong files. `progress` gets pages done and pages in all."""
    known = dict(recognised or {})
    pages = _pages(data, most_pages=(limits or Limits()).pages, progress=progress)
    wanted = tuple(page.number for page in pages if page.number not in known and _needs_ocr(page))
    pages = with_recognised(pages, known)
    return PdfResult(_document(data, name, pages, wanted), wanted)


def _pages(data: bytes, *, most_pages: int, progress: Callable[[int, int], None] | None) -> list[Page]:
    document = _open(data)
    try:
        count = len(document)
        if count == 0:
            raise Unreadable("file_damaged", "这个PDF里没有一页内容，文件可能已损坏，请重新导出PDF后再提交。")
        if count > most_pages:
            raise Unreadable("file_over_limit", f"这个PDF共{count}页，超过{most_pages}页的上限，请只提交经验材料正文部分。")
        out: list[Page] = []
        before: Any = None
        for index in range(count):
            handle = _load(document, index)
            out.append(read_page(handle, index + 1, most_objects=MOST_OBJECTS, most_characters=MOST_CHARACTERS))
            # A page is closed when the next one is loaded: pdfium keeps a font only as long as an open page uses it.
            if before is not None:
                before.close()
            before = handle
            if progress is not None:
                progress(index + 1, count)
        return out
    finally:
        document.close()


def _open(data: bytes) -> Any:
    use_own_fonts()
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise Unreadable("file_encrypted", "这个PDF设有打开密码，无法读取。请打开后另存为不加密的PDF，或提交Word文件。") from error
        raise Unreadable("file_damaged", "这不是完整的PDF，可能已损坏或没有传完，请重新导出或重新上传。") from error


def _load(document: Any, index: int) -> Any:
    try:
        return document[index]
    except pdfium.PdfiumError as error:
        raise Unreadable("file_damaged", f"这个PDF的第{index + 1}页已损坏，无法读取，请重新导出PDF后再提交。") from error


def _needs_ocr(page: Page) -> bool:
    """Whether the text layer says nothing or nonsense and there is something to see."""
    characters = sum(len(run.text.strip()) for run in page.runs)
    if page.garbage > 3 and page.garbage > _GARBLED * (characters + page.garbage):
        return True
    covered = sum(max(0.0, p.x1 - p.x0) * max(0.0, p.bottom - p.top) for p in page.pictures)
    return characters < 30 and covered > 0.3 * page.width * page.height


def _document(data: bytes, name: str, pages: Sequence[Page], wanted: Sequence[int]) -> Document:
    grids = [grids_of(page.rules) for page in pages]
    contents, margins = without_furniture(pages, [[around(grid) for grid in each] for each in grids])
    clean = [[run for run in (_without_garbage(run) for run in runs) if run is not None] for runs in contents]
    parted = [tables_of(page, runs, each) for page, runs, each in zip(pages, clean, grids, strict=True)]
    items: list[Item] = []
    for page, (tables, runs), edges in zip(pages, parted, edges_of(pages, [rest for _, rest in parted]), strict=True):
        items += _items(page, tables, runs, edges)
    builder = Builder()
    _assemble(builder, _merge_tables(items))
    seen = sum(len(run.text) for page in pages if not page.recognised for run in page.runs)
    read = sum(len(run.text) for page in pages if page.recognised for run in page.runs)
    return Document(
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        format="pdf",
        text=builder.text,
        blocks=builder.blocks,
        notes=tuple(_notes(pages, wanted)),
        pages=len(pages),
        page_setups=_setups(pages),
        layout_known=seen > read,
        margins=margins,
    )


def _items(page: Page, tables: Sequence[Table], runs: Sequence[Run], edges: tuple[float, float]) -> list[Item]:
    """Lines, tables and pictures of a page in reading order."""
    found = lines_of(runs, page.number, left=edges[0], right=edges[1])
    lines = [replace(line, recognised=page.recognised) for line in found if line.text]
    out: list[Item] = list(lines)
    figures = [picture for picture in page.pictures if _is_figure(picture, page)]
    figures += [each for each in drawings_of(page.shapes, [table.box for table in tables], page.number) if _is_figure(each, page)]
    others: list[Table | Picture] = [*tables, *figures]
    for other in sorted(others, key=_top, reverse=True):
        place = next((index for index, line in enumerate(lines) if line.y > _top(other) + 2), len(lines))
        out.insert(place, other)
    return out


def _top(item: Table | Picture) -> float:
    return item.box[1] if isinstance(item, Table) else item.top


def _is_figure(picture: Picture, page: Page) -> bool:
    width, height = picture.x1 - picture.x0, picture.bottom - picture.top
    covers = width * height > 0.8 * page.width * page.height
    return width >= _SMALL_PICTURE and height >= _SMALL_PICTURE and not covers


def _without_garbage(run: Run) -> Run | None:
    if "\ufffd" not in run.text:
        return run
    kept = [index for index, character in enumerate(run.text) if character != "\ufffd"]
    if not kept:
        return None
    return replace(
        run,
        text="".join(run.text[index] for index in kept),
        lefts=tuple(run.lefts[index] for index in kept),
        rights=tuple(run.rights[index] for index in kept),
    )


def _merge_tables(items: Sequence[Item]) -> list[Item]:
    """Tables that go on over a page's end as one."""
    out: list[Item] = []
    for item in items:
        if isinstance(item, Table) and out and isinstance(out[-1], Table) and item.page > out[-1].page and continues(out[-1], item):
            out[-1] = joined(out[-1], item)
        else:
            out.append(item)
    return out


def _assemble(builder: Builder, items: Sequence[Item]) -> None:
    lines = [item for item in items if isinstance(item, Line)]
    style = style_of(lines)
    groups: list[Paragraph | Table | Picture] = []
    stretch: list[Line] = []
    for item in [*items, None]:
        if isinstance(item, Line):
            stretch.append(item)
            continue
        groups += paragraphs_of(stretch, style)
        stretch = []
        if item is not None:
            groups.append(item)
    paragraphs = [group for group in groups if isinstance(group, Paragraph)]
    roles = iter(roles_of(paragraphs, style))
    for group in groups:
        if isinstance(group, Paragraph):
            _add(builder, group, next(roles))
        elif isinstance(group, Table):
            layout = Layout(font=group.font, size=group.size, bold=group.bold)
            builder.add_table(group.cells, page=group.page, layout=layout, columns=len(group.columns) - 1)
        else:
            builder.add_figure(page=group.page)


def _add(builder: Builder, paragraph: Paragraph, role: Role) -> None:
    layout = None
    if not paragraph.lines[0].recognised:
        layout = Layout(
            font=paragraph.font,
            size=round(paragraph.size * 2) / 2,
            bold=paragraph.bold,
            alignment=paragraph.alignment,
            indent=paragraph.indent,
        )
    # A pair of brackets may stand on two recognised lines, so their width is mended again in the whole.
    text = mended(paragraph.text) if paragraph.lines[0].recognised else paragraph.text
    builder.add(text, kind=role.kind, level=role.level, page=paragraph.page, layout=layout)


def _notes(pages: Sequence[Page], wanted: Sequence[int]) -> list[Note]:
    notes: list[Note] = []
    if wanted:
        notes.append(
            Note(
                "pages_without_text",
                f"第{_numbers(wanted)}页是图片或乱码，没有可读的文字层，这些页的文字未读出；请提交Word文件或带文字层的PDF。",
            )
        )
    garbage = sum(page.garbage for page in pages)
    if garbage:
        notes.append(Note("garbled", f"有{garbage}个字符的字体没有编码对照，读不出是什么字，已略去；请用Word另存为PDF，或提交Word文件。"))
    turned = [page.number for page in pages if has_turned_text(page)]
    if turned:
        notes.append(
            Note("turned_text", f"第{_numbers(turned)}页有竖排或旋转的文字，按水印处理，未读入正文；如属正文，请改为横排后再提交。")
        )
    if any(page.crowded for page in pages):
        notes.append(Note("crowded_page", "有的页面图形过多，其中的表格线没有全部读取。"))
    scores = [score for page in pages for score in page.confidence]
    if scores:
        numbers = [page.number for page in pages if page.recognised]
        mean = sum(scores) / len(scores)
        notes.append(
            Note("ocr", f"第{_numbers(numbers)}页由文字识别读出，平均置信度{mean:.2f}；错字在所难免，版式要求未判断，请以原件为准。")
        )
    return notes


def _numbers(numbers: Sequence[int]) -> str:
    """1, 2, 3, 5 as 1-3、5."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return "、".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def _setups(pages: Sequence[Page]) -> tuple[PageSetup, ...]:
    out: list[PageSetup] = []
    for page in pages:
        setup = PageSetup(round(page.width * _MM, 1), round(page.height * _MM, 1))
        if not out or out[-1] != setup:
            out.append(setup)
    return tuple(out)
