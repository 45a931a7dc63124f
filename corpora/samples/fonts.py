"""Cut the fonts of the samples' PDFs out of Noto CJK: `python corpora/samples/fonts.py`, only after new characters came into a source.

Needs fonttools and the Noto CJK collections. A build needs neither, since the cut fonts are committed in sources/fonts
(SIL Open Font Licence).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable
from source import Source, read

_SOURCES = Path(__file__).parent / "sources"
_NOTO = Path("/usr/share/fonts/opentype/noto")
_SIMPLIFIED = 2  # index of the SC face in a collection
_ERROR = 1.5  # of 1000 units to the em: how far a quadratic curve may stray from the cubic one
_ALWAYS = "0123456789.,:;%()-+—·　目录质量标杆典型经验材料●（）、一二三四五六七八九十 "
_EPOCH = 3600000000  # seconds since 1904, so that the same input gives the same bytes


def main() -> None:
    sources = [source for path in sorted(_SOURCES.glob("*.toml")) if "pdf" in (source := read(path)).outputs]
    every = set(_ALWAYS) | {character for source in sources for character in _texts(source)}
    heads = set(_ALWAYS) | {character for source in sources for character in _headings(source)}
    bolds = set(_ALWAYS) | {character for source in sources for character in _bold(source)}
    folder = _SOURCES / "fonts"
    folder.mkdir(exist_ok=True)
    _cut("NotoSerifCJK-Regular.ttc", every, folder / "serif.ttf")
    _cut("NotoSansCJK-Regular.ttc", heads, folder / "sans.ttf")
    _cut("NotoSerifCJK-Bold.ttc", bolds, folder / "serif-bold.ttf")


def _texts(source: Source) -> Iterator[str]:
    yield from source.text
    yield from source.organisation
    yield from str(source.form.get("header", "")) + str(source.form.get("date", ""))


def _headings(source: Source) -> Iterator[str]:
    for block in source.blocks:
        if block.kind in {"title", "heading"}:
            yield from block.text


def _bold(source: Source) -> Iterator[str]:
    for block in source.blocks:
        if block.kind == "heading":
            yield from block.text
        if block.kind in {"table", "figure"}:
            yield from block.text
            yield from "".join(block.rows[0]) if block.rows else ""


def _cut(collection: str, characters: set[str], target: Path) -> None:
    font = TTFont(_NOTO / collection, fontNumber=_SIMPLIFIED, recalcTimestamp=False)
    options = Options(
        hinting=False, layout_features=[], drop_tables=["vhea", "vmtx", "VORG", "BASE", "GPOS", "GSUB", "GDEF"], name_IDs=["*"]
    )
    options.notdef_outline = True
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(sorted(characters - {"\n"})))
    subsetter.subset(font)
    missing = {character for character in characters - {"\n"} if ord(character) not in font.getBestCmap()}
    if missing:
        raise ValueError(f"{collection} lacks {sorted(missing)}")
    _to_truetype(font)
    font["head"].modified = font["head"].created = _EPOCH
    font.save(target)


def _to_truetype(font: TTFont) -> None:
    """Replace the CFF outlines by quadratic ones: reportlab embeds TrueType only."""
    order = font.getGlyphOrder()
    shapes = font.getGlyphSet()
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(shapes)
        shapes[name].draw(Cu2QuPen(pen, _ERROR, reverse_direction=True))
        glyphs[name] = pen.glyph()
    table = font["glyf"] = newTable("glyf")
    table.glyphOrder, table.glyphs = order, glyphs
    font["loca"] = newTable("loca")
    for name, (width, _) in font["hmtx"].metrics.items():
        glyphs[name].recalcBounds(table)
        font["hmtx"].metrics[name] = (width, getattr(glyphs[name], "xMin", 0))
    profile = font["maxp"]
    profile.tableVersion = 0x00010000
    for field in ("maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements", "maxSizeOfInstructions"):
        setattr(profile, field, 0)
    profile.maxZones = 1
    profile.maxComponentElements = max((len(glyph.components) for glyph in glyphs.values() if glyph.isComposite()), default=0)
    profile.compile(font)
    font["post"].formatType = 3.0
    del font["CFF "]
    font.sfntVersion = "\000\001\000\000"


if __name__ == "__main__":
    main()
