"""A PDF page as pdfium sees it: runs of characters, ruled lines, pictures. Points, y from the top of the page downwards."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pypdfium2 import raw

from service.parse.pdf_shapes import Box, Frame, Picture, Rule, Shape, bounds, lines_of_path, objects

_SUBSET = re.compile(rb"^[A-Z]{6}\+")
_BOLD = re.compile(r"bold|heavy|black|semibd|demi|粗", re.IGNORECASE)
_FORCE_BOLD = 1 << 18  # font descriptor flag
_INVISIBLE, _FILL_STROKE = 3, 2  # text render modes
_SOFT_HYPHEN = {0x02, 0xFFFE}  # how pdfium reports a hyphen at the end of a line
_BLANKS = {0x09, 0x0A, 0x0D, 0x20, 0xA0, 0x3000}
_STRIKES = 500  # text objects without characters on a page
SPLIT = 0.18  # of the size: a gap that parts runs, and words
_LARGE = 15.0  # points from which pale text may be a watermark


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring characters of one font, without blanks. `lefts` and `rights` hold each character's box."""

    text: str
    lefts: tuple[float, ...]
    rights: tuple[float, ...]
    y: float  # baseline
    size: float
    font: str | None
    bold: bool
    light: bool = False  # printed so pale that it is meant as a watermark
    upright: bool = True
    invisible: bool = False
    blank: bool = False  # a blank that is a glyph stands before it

    @property
    def x0(self) -> float:
        return self.lefts[0]

    @property
    def x1(self) -> float:
        return self.rights[-1]

    @property
    def top(self) -> float:
        return self.y - 0.86 * self.size

    @property
    def bottom(self) -> float:
        return self.y + 0.14 * self.size


@dataclass(frozen=True, slots=True)
class Page:
    number: int  # from 1
    width: float
    height: float
    runs: tuple[Run, ...]
    rules: tuple[Rule, ...] = ()
    pictures: tuple[Picture, ...] = ()
    shapes: tuple[Shape, ...] = ()
    garbage: int = 0  # characters that have no known meaning
    crowded: bool = False  # more objects than are read
    recognised: bool = False  # by OCR
    confidence: tuple[float, ...] = field(default=())  # of each recognised line


@dataclass(slots=True)
class _Style:
    """What a text object's characters share."""

    size: float
    font: str | None
    bold: bool
    light: bool
    upright: bool
    invisible: bool


def read_page(page: Any, number: int, *, most_objects: int, most_characters: int) -> Page:
    """Reads one page and closes nothing; the caller closes the page."""
    width, height = page.get_size()
    left, bottom, _, top = page.get_bbox()
    turned = page.get_rotation() % 360
    frame = Frame(left, bottom, top, turned, width, height)
    text_page = page.get_textpage()
    try:
        runs, garbage, seen = _runs(text_page, frame, most_characters=most_characters)
    finally:
        text_page.close()
    rules: list[Rule] = []
    pictures: list[Picture] = []
    shapes: list[Shape] = []
    strikes: list[Box] = []
    crowded = False
    for count, (kind, handle, matrix) in enumerate(objects(page.raw, None, 0)):
        if count >= most_objects:
            crowded = True
            break
        if kind == raw.FPDF_PAGEOBJ_PATH:
            lines, shape = lines_of_path(handle, matrix, frame)
            rules.extend(lines)
            shapes.extend([shape] if shape else [])
        elif kind in {raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING}:
            box = bounds(handle, matrix, frame)
            if box is not None and kind == raw.FPDF_PAGEOBJ_IMAGE:
                pictures.append(Picture(*box, page=number))
        elif kind == raw.FPDF_PAGEOBJ_TEXT and ctypes.addressof(handle.contents) not in seen:
            box = bounds(handle, matrix, frame)
            strikes.extend([box] if box else [])
    runs = _thickened(runs, strikes)
    return Page(number, width, height, tuple(runs), tuple(rules), tuple(pictures), tuple(shapes), garbage, crowded)


def _thickened(runs: list[Run], strikes: Sequence[Box]) -> list[Run]:
    """Runs under a text object without characters are bold: where one text is struck twice, pdfium gives its characters once."""
    if not strikes or len(strikes) > _STRIKES:
        return runs
    return [replace(run, bold=True) if any(_covers(box, run) for box in strikes) else run for run in runs]


def _covers(box: Box, run: Run) -> bool:
    return box[0] <= (run.x0 + run.x1) / 2 <= box[2] and box[1] <= run.y - 0.3 * run.size <= box[3]


class _Collector:
    """Joins characters to runs: those of one text object that stand side by side."""

    __slots__ = ("blank", "garbage", "led", "lefts", "rights", "runs", "style", "text", "y")

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.garbage = 0
        self.style = _Style(0.0, None, bold=False, light=False, upright=True, invisible=False)
        self.y = 0.0
        self.blank = False  # a blank came after the last character
        self.led = False  # a blank came before the run
        self.text: list[str] = []
        self.lefts: list[float] = []
        self.rights: list[float] = []

    def add(self, code: int, x0: float, x1: float) -> None:
        size = self.style.size
        if self.text and (self.blank or not -0.5 * size < x0 - self.rights[-1] < SPLIT * size):
            self.flush()  # one text object may hold pieces of a line with others between them
        if not self.text:
            self.led, self.blank = self.blank, False
        if code == 0xFFFD or 0xE000 <= code <= 0xF8FF or code >= 0xF0000:
            self.garbage += 1
            code = 0xFFFD
        self.text.append(chr(code))
        self.lefts.append(x0)
        self.rights.append(x1)

    def flush(self) -> None:
        if not self.text:
            return
        style, text, lefts, rights = self.style, "".join(self.text), tuple(self.lefts), tuple(self.rights)
        self.runs.append(
            Run(text, lefts, rights, self.y, style.size, style.font, style.bold, style.light, style.upright, style.invisible, self.led)
        )
        self.text, self.lefts, self.rights = [], [], []


def _runs(text_page: Any, frame: Frame, *, most_characters: int) -> tuple[list[Run], int, set[int]]:
    """The page's runs in the file's order, how many characters had no meaning, and the addresses of text objects with characters."""
    handle = text_page.raw
    # One call costs about a microsecond: as few as can be for each character, and what a text object's characters share but once.
    unicode_of, object_of, box_of, address_of = (
        raw.FPDFText_GetUnicode,
        raw.FPDFText_GetTextObject,
        raw.FPDFText_GetLooseCharBox,
        ctypes.addressof,
    )
    rect = raw.FS_RECTF()
    rect_at = ctypes.byref(rect)
    styles = _Styles(frame)
    out = _Collector()
    seen: set[int] = set()
    current = 0
    for index in range(min(text_page.count_chars(), most_characters)):
        pointer = object_of(handle, index)
        if not pointer:
            continue  # a blank or line end that pdfium made up
        address = address_of(pointer.contents)
        if address != current:
            out.flush()
            out.style, out.y = styles.read(handle, index, pointer)
            seen.add(address)
            current = address
        code = unicode_of(handle, index)
        if not box_of(handle, index, rect_at):
            continue
        x0, x1 = (rect.left - frame.left, rect.right - frame.left) if not frame.turned else frame.across(rect)
        if code in _BLANKS:
            out.blank = out.blank or x1 > x0  # those without width are pdfium's
        elif code >= 0x20 or code in _SOFT_HYPHEN:
            out.add(0x2D if code in _SOFT_HYPHEN else code, x0, x1)
        else:
            out.garbage += 1
    out.flush()
    return out.runs, out.garbage, seen


class _Styles:
    """Reads what a text object's characters share."""

    __slots__ = ("_fonts", "_frame", "_matrix", "_matrix_at")

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._fonts: dict[int, tuple[str | None, bool]] = {}
        self._matrix = raw.FS_MATRIX()
        self._matrix_at = ctypes.byref(self._matrix)

    def read(self, handle: Any, index: int, pointer: Any) -> tuple[_Style, float]:
        """The style and the baseline of the character `index`, which belongs to the text object `pointer`."""
        font = raw.FPDFTextObj_GetFont(pointer)
        key = ctypes.addressof(font.contents) if font else 0
        if key not in self._fonts:
            self._fonts[key] = _font(font) if font else (None, False)
        name, bold = self._fonts[key]
        raw.FPDFText_GetMatrix(handle, index, self._matrix_at)
        matrix = self._matrix
        size = round(abs(raw.FPDFText_GetFontSize(handle, index)) * (math.hypot(matrix.c, matrix.d) or 1.0), 2)
        mode = raw.FPDFTextObj_GetTextRenderMode(pointer)
        upright = True
        if self._frame.turned or abs(matrix.b) > 0.01 * abs(matrix.a):
            angle = (math.degrees(math.atan2(matrix.b, matrix.a)) - self._frame.turned) % 360
            upright = min(angle, 360 - angle) < 8
        stroked = mode == _FILL_STROKE and _stroke_width(pointer) > 0.01 * size
        light = size > _LARGE and _is_light(pointer)
        style = _Style(size, name, bold=bold or stroked, light=light, upright=upright, invisible=mode == _INVISIBLE)
        return style, self._frame.point(matrix.e, matrix.f)[1]


def _stroke_width(pointer: Any) -> float:
    width = ctypes.c_float()
    return width.value if raw.FPDFPageObj_GetStrokeWidth(pointer, width) else 0.0


def _font(font: Any) -> tuple[str | None, bool]:
    """The font's name without its subset tag, and whether it is bold."""
    length = raw.FPDFFont_GetBaseFontName(font, None, 0)
    buffer = ctypes.create_string_buffer(max(1, length))
    raw.FPDFFont_GetBaseFontName(font, buffer, length)
    data = _SUBSET.sub(b"", buffer.value)
    try:
        name = data.decode("utf-8")
    except UnicodeDecodeError:
        name = data.decode("gb18030", "replace")  # drivers of Chinese Windows write the name in the code page
    return name or None, bool(_BOLD.search(name)) or bool(raw.FPDFFont_GetFlags(font) & _FORCE_BOLD)


def _is_light(pointer: Any) -> bool:
    """Printed paler than any text that is meant to be read, but not white (white stands on dark table heads)."""
    r, g, b, a = (ctypes.c_uint() for _ in range(4))
    if not raw.FPDFPageObj_GetFillColor(pointer, r, g, b, a):
        return False
    if a.value < 110:
        return True
    return 170 < min(r.value, g.value, b.value) < 250
