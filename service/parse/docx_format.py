"""Effective formatting of a .docx: document defaults, theme fonts, style chains, numbering, direct formatting."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from lxml import etree

from service.model import Alignment, Layout

W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_A: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_VAL: Final = W + "val"
# Properties of paragraphs and runs: made once, since the walk compares every child with them.
_PARA_STYLE: Final = W + "pStyle"
_ALIGNMENT: Final = W + "jc"
_SPACING: Final = W + "spacing"
_INDENT: Final = W + "ind"
_OUTLINE: Final = W + "outlineLvl"
_NUMBER: Final = W + "numPr"
_FONTS: Final = W + "rFonts"
_SIZE: Final = W + "sz"
_BOLD: Final = W + "b"
_RUN_STYLE: Final = W + "rStyle"
_HIDDEN: Final = W + "vanish"
_OFF: Final = frozenset({"0", "false", "off", "none"})
_UNITS: Final = {"pt": 20.0, "cm": 567.0, "mm": 56.7, "in": 1440.0, "pc": 240.0, "pi": 240.0}  # in twips
_MEASURE: Final = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*(pt|cm|mm|in|pc|pi)?")
_HEADING_NAME: Final = re.compile(r"(?:heading|标题)\s*([1-9])(?:\s+char)?$", re.I)
_TOC_NAME: Final = re.compile(r"(?:toc|目录|contents)\s*(?:[1-9]|heading|标题|title)|table of (?:figures|authorities)|图表目录|toc$", re.I)
_ALIGN: Final[dict[str, Alignment]] = {
    "left": "left",
    "start": "left",
    "center": "center",
    "right": "right",
    "end": "right",
    "both": "justify",
    "distribute": "justify",
    "thaiDistribute": "justify",
}
_RULES: Final[dict[str, Literal["auto", "exact", "at_least"]]] = {"auto": "auto", "exact": "exact", "atLeast": "at_least"}
_DEFAULT_SIZE: Final = 10.0  # Word's own where nothing says a size
_SCRIPTS: Final = {"zh-cn": "Hans", "zh-sg": "Hans", "zh-tw": "Hant", "zh-hk": "Hant", "ja-jp": "Jpan", "ko-kr": "Hang"}


class RunProps(NamedTuple):
    """What one `w:rPr` says; None where it is silent."""

    style: str | None = None
    font: str | None = None  # East-Asian
    size: float | None = None
    bold: bool | None = None
    hidden: bool | None = None


class ParaProps(NamedTuple):
    """What one `w:pPr` says; None where it is silent. `number` 0 takes a style's numbering away."""

    style: str | None = None
    align: str | None = None
    line: float | None = None  # 240ths of a line or twips
    rule: str | None = None
    first: float | None = None  # twips; a hanging indent is negative
    first_chars: float | None = None  # hundredths of a character
    outline: int | None = None  # from 0; 9 = body text
    number: str | None = None
    level: int | None = None


class RunFormat(NamedTuple):
    """Effective formatting of a run."""

    font: str | None
    size: float
    bold: bool
    hidden: bool


@dataclass(slots=True)
class Style:
    """A paragraph style with its whole chain resolved."""

    id: str | None
    name: str
    run: RunFormat
    default_bold: bool
    para: ParaProps
    number_style: str | None  # the style of the chain that carries the numbering
    kind: Literal["title", "heading", "caption", "toc", ""]
    level: int | None  # heading level from 1


def is_on(element: etree._Element) -> bool:
    return element.get(_VAL) not in _OFF


def to_int(value: str | None) -> int | None:
    try:
        return int(float(value)) if value is not None else None
    except (ValueError, OverflowError):
        return None


def to_twips(value: str | None) -> float | None:
    """A measure in twips: a plain number, or one with a unit as Strict files write ("12pt")."""
    match = _MEASURE.match(value) if value else None
    if not match:
        return None
    return float(match[1]) * _UNITS.get(match[2] or "", 1.0)


def _half_points(value: str | None) -> float | None:
    match = _MEASURE.match(value) if value else None
    if not match:
        return None
    return float(match[1]) * _UNITS[match[2]] / 20 if match[2] else float(match[1]) / 2


def _indent(element: etree._Element) -> tuple[float | None, float | None]:
    """First-line indent: twips, hundredths of a character."""
    hanging, hanging_chars = to_twips(element.get(W + "hanging")), to_twips(element.get(W + "hangingChars"))
    first = to_twips(element.get(W + "firstLine"))
    chars = to_twips(element.get(W + "firstLineChars"))
    if hanging is not None:
        first = -hanging
    if hanging_chars:
        chars = -hanging_chars
    return first, chars


_NO_PARA: Final = ParaProps()  # most paragraphs of a table's cells are silent


def para_props(element: etree._Element | None) -> ParaProps:  # noqa: C901 - one branch a property
    """Reads a `w:pPr`."""
    if element is None or not len(element):
        return _NO_PARA
    style = align = rule = number = None
    line = first = chars = None
    outline = level = None
    for child in element:
        tag = child.tag
        if tag == _PARA_STYLE:
            style = child.get(_VAL)
        elif tag == _ALIGNMENT:
            align = child.get(_VAL)
        elif tag == _SPACING:
            line, rule = to_twips(child.get(W + "line")), child.get(W + "lineRule")
        elif tag == _INDENT:
            first, chars = _indent(child)
        elif tag == _OUTLINE:
            outline = to_int(child.get(_VAL))
        elif tag == _NUMBER:
            for part in child:
                if part.tag == W + "numId":
                    number = part.get(_VAL)
                elif part.tag == W + "ilvl":
                    level = to_int(part.get(_VAL))
    return ParaProps(style, align, line, rule, first, chars, outline, number, level)


def merge_para(upper: ParaProps, lower: ParaProps) -> ParaProps:
    """`upper` where it says something, else `lower`."""
    if upper == _NO_PARA:
        return lower
    return ParaProps._make(low if up is None else up for up, low in zip(upper, lower, strict=True))


@dataclass(slots=True)
class Theme:
    """East-Asian fonts of the theme: "major", "minor" -> name."""

    fonts: dict[str, str] = field(default_factory=dict)

    def font(self, reference: str) -> str | None:
        return self.fonts.get("major" if reference.startswith("major") else "minor")


def read_theme(root: etree._Element | None, language: str | None) -> Theme:
    """The typeface of `a:ea`, else that of the language's script in the theme's font list."""
    theme = Theme()
    if root is None:
        return theme
    script = _SCRIPTS.get((language or "zh-CN").lower(), "Hans")
    for kind in ("major", "minor"):
        fonts = root.find(f".//{_A}{kind}Font")
        if fonts is None:
            continue
        east_asian = fonts.find(_A + "ea")
        name = east_asian.get("typeface") if east_asian is not None else None
        if not name:
            name = next((item.get("typeface") for item in fonts.findall(_A + "font") if item.get("script") == script), None)
        if name:
            theme.fonts[kind] = name
    return theme


@dataclass(slots=True)
class _RawStyle:
    name: str
    based_on: str | None
    run: RunProps
    para: ParaProps


class Formats:
    """Answers what a paragraph or run looks like; every answer is kept by style and properties."""

    __slots__ = (
        "_char_cache",
        "_default",
        "_default_para",
        "_default_run",
        "_layouts",
        "_raw_cache",
        "_run_cache",
        "_style_cache",
        "_styles",
        "_theme",
    )

    def __init__(self, styles: etree._Element | None, theme: Theme) -> None:
        self._theme = theme
        self._styles: dict[str, etree._Element] = {}  # w:style by id; templates carry a hundred and a document uses ten
        self._raw_cache: dict[str, _RawStyle] = {}
        self._default: str | None = None
        self._default_run = RunProps()
        self._default_para = ParaProps()
        self._style_cache: dict[str | None, Style] = {}
        self._char_cache: dict[str, RunProps] = {}
        self._run_cache: dict[tuple[str | None, RunProps], RunFormat] = {}
        self._layouts: dict[tuple[object, ...], Layout] = {}
        if styles is not None:
            self._read(styles)

    def _read(self, styles: etree._Element) -> None:
        for child in styles:
            if child.tag == W + "style":
                style_id = child.get(W + "styleId")
                if style_id is None:
                    continue
                self._styles[style_id] = child
                if child.get(W + "type") == "paragraph" and child.get(W + "default") not in {None, "0", "false", "off"}:
                    self._default = style_id
            elif child.tag == W + "docDefaults":
                self._default_run = self.run_props(child.find(f"{W}rPrDefault/{W}rPr"))
                self._default_para = para_props(child.find(f"{W}pPrDefault/{W}pPr"))

    def _raw(self, style_id: str) -> _RawStyle:
        found = self._raw_cache.get(style_id)
        if found is None:
            element = self._styles[style_id]
            name, based = element.find(W + "name"), element.find(W + "basedOn")
            found = self._raw_cache[style_id] = _RawStyle(
                (name.get(_VAL) or style_id) if name is not None else style_id,
                based.get(_VAL) if based is not None else None,
                self.run_props(element.find(W + "rPr")),
                para_props(element.find(W + "pPr")),
            )
        return found

    def run_props(self, element: etree._Element | None) -> RunProps:
        """Reads a `w:rPr`."""
        if element is None:
            return RunProps()
        style = font = size = bold = hidden = None
        for child in element:
            tag = child.tag
            if tag == _FONTS:
                reference = child.get(W + "eastAsiaTheme")
                font = (self._theme.font(reference) if reference else None) or child.get(W + "eastAsia")
            elif tag == _SIZE:
                size = _half_points(child.get(_VAL))
            elif tag == _BOLD:
                bold = is_on(child)
            elif tag == _RUN_STYLE:
                style = child.get(_VAL)
            elif tag == _HIDDEN:
                hidden = is_on(child)
        return RunProps(style, font, size, bold, hidden)

    def _chain(self, style_id: str | None) -> list[str]:
        """The style and those it is based on, nearest first; a circle ends the chain."""
        chain: list[str] = []
        while style_id is not None and style_id in self._styles and style_id not in chain:
            chain.append(style_id)
            style_id = self._raw(style_id).based_on
        return chain

    def numbering_of_style(self, style_id: str | None) -> str | None:
        """The numId that a (numbering or paragraph) style carries."""
        return next((self._raw(item).para.number for item in self._chain(style_id) if self._raw(item).para.number), None)

    def style(self, style_id: str | None) -> Style:
        """A paragraph style, resolved; an unknown one is the default style."""
        if style_id is None or style_id not in self._styles:
            style_id = self._default
        found = self._style_cache.get(style_id)
        if found is None:
            found = self._style_cache[style_id] = self._resolve(style_id)
        return found

    def _resolve(self, style_id: str | None) -> Style:
        chain = self._chain(style_id)
        para = ParaProps()
        font = size = bold = hidden = number_style = None
        for item in chain:
            raw = self._raw(item)
            level = para.level if para.number is not None else None  # a style's own number is not joined with its base's level
            if para.number is None and raw.para.number is not None:
                number_style, level = item, raw.para.level if para.level is None else para.level
            para = merge_para(para, raw.para)
            if para.number is not None:
                para = para._replace(level=level)
            font, size = font or raw.run.font, raw.run.size if size is None else size
            bold, hidden = raw.run.bold if bold is None else bold, raw.run.hidden if hidden is None else hidden
        default = self._default_run
        run = RunFormat(
            font or default.font,
            (size if size is not None else default.size) or _DEFAULT_SIZE,
            bool(default.bold if bold is None else bold),
            bool(default.hidden if hidden is None else hidden),
        )
        para = merge_para(para, self._default_para)
        names = [self._raw(item).name for item in chain]
        name = names[0] if names else ""
        kind, level = self._meaning(names, para.outline)
        return Style(style_id, name, run, bool(default.bold), para, number_style, kind, level)

    @staticmethod
    def _meaning(names: list[str], outline: int | None) -> tuple[Literal["title", "heading", "caption", "toc", ""], int | None]:
        """What a style stands for, by the names of its chain and its outline level."""
        own = names[0].strip().lower() if names else ""
        if _TOC_NAME.match(own):
            return "toc", None
        if own in {"title", "标题"}:
            return "title", None
        if own in {"caption", "题注", "图表题注"}:
            return "caption", None
        if outline is not None:
            return ("heading", outline + 1) if 0 <= outline <= 8 else ("", None)
        for name in names:
            match = _HEADING_NAME.match(name.strip())
            if match:
                return "heading", int(match[1])
        return "", None

    def _char_style(self, style_id: str) -> RunProps:
        found = self._char_cache.get(style_id)
        if found is None:
            found = RunProps()
            for item in self._chain(style_id):
                run = self._raw(item).run
                found = RunProps._make(low if up is None else up for up, low in zip(found, run, strict=True))
            self._char_cache[style_id] = found
        return found

    def run(self, style: Style, props: RunProps) -> RunFormat:
        """Effective formatting of a run in a paragraph of `style`. Bold of both styles together is not bold (ECMA-376 17.7.3)."""
        key = (style.id, props)
        found = self._run_cache.get(key)
        if found is None:
            char = self._char_style(props.style) if props.style is not None else RunProps()
            base = style.run
            bold = props.bold if props.bold is not None else (base.bold != bool(char.bold) or style.default_bold)
            hidden = props.hidden if props.hidden is not None else base.hidden != bool(char.hidden)
            size = props.size or char.size or base.size
            found = self._run_cache[key] = RunFormat(props.font or char.font or base.font, size, bold, hidden)
        return found

    def layout(self, style: Style, para: ParaProps, weights: dict[RunFormat, float]) -> Layout:
        """Layout of a paragraph: `para` already merged with its style; formatting by the weight of the characters."""
        runs = tuple(weights.items())
        run = runs[0][0] if len(runs) == 1 else _majority(runs) if runs else style.run
        key = (style.id, para, run)
        found = self._layouts.get(key)
        if found is None:
            rule = _RULES.get(para.rule or "auto", "auto")
            line = 240.0 if para.line is None else para.line
            indent = para.first_chars / 100 * run.size if para.first_chars else (para.first or 0.0) / 20
            found = self._layouts[key] = Layout(
                style=style.name or None,
                font=run.font,
                size=run.size,
                bold=run.bold,
                alignment=_ALIGN.get(para.align or "", "left"),
                line_rule=rule,
                line_spacing=round(line / 240 if rule == "auto" else line / 20, 3),
                outline=para.outline + 1 if para.outline is not None and 0 <= para.outline <= 8 else None,
                indent=round(indent, 2),
            )
        return found


def _majority(runs: tuple[tuple[RunFormat, float], ...]) -> RunFormat:
    """Font, size and weight, each by most characters."""
    fonts: dict[str | None, float] = {}
    sizes: dict[float, float] = {}
    bold = 0.0
    for run, weight in runs:
        fonts[run.font] = fonts.get(run.font, 0.0) + weight
        sizes[run.size] = sizes.get(run.size, 0.0) + weight
        bold += weight if run.bold else -weight
    return RunFormat(max(fonts, key=lambda name: fonts[name]), max(sizes, key=lambda size: sizes[size]), bold > 0, hidden=False)
