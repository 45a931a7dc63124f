"""The constructed write-ups of this repository as files that somebody could have handed in. Every firm and figure in them is invented."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

_FONT, _SIZE = "宋体", 12.0  # 小四
_MARK = "（构造）"


@dataclass(frozen=True, slots=True)
class Writeup:
    edition: str
    organisation: str  # marked as constructed
    title: str
    file_name: str
    data: bytes
    lines: tuple[str, ...] = ()  # Markdown that the file was made from, where it was


def writeups(corpora: Path) -> Iterator[Writeup]:
    """From corpora/samples (Word files), corpora/focus/writeups and corpora/benchmarks/revisions, mixed; those that are there."""
    kinds = (_samples(corpora / "samples"), _focus(corpora / "focus" / "writeups"), _revisions(corpora / "benchmarks"))
    for one in chain.from_iterable(zip_longest(*kinds)):
        if one is not None:
            yield one


def word(lines: tuple[str, ...]) -> bytes:
    """A plain Word file of a title, headings, paragraphs and tables."""
    from docx import Document  # noqa: PLC0415 - the service itself never writes one this way
    from docx.oxml.ns import qn  # noqa: PLC0415
    from docx.shared import Mm, Pt  # noqa: PLC0415

    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = _FONT, Pt(_SIZE)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), _FONT)
    table: list[list[str]] = []
    for line in (*lines, ""):
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            table += [cells] if any(cell.strip("-: ") for cell in cells) else []
            continue
        if table:
            _table(document, table)
            table = []
        depth = len(line) - len(line.lstrip("#"))
        if depth:
            document.add_heading(line.lstrip("# "), level=depth - 1)
        elif line:
            document.add_paragraph(line)
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()


def _table(document: object, rows: list[list[str]]) -> None:
    made = document.add_table(len(rows), max(map(len, rows)), style="Table Grid")  # type: ignore[attr-defined]  # python-docx is not typed
    for row, cells in zip(made.rows, rows, strict=True):
        for cell, words in zip(row.cells, cells, strict=False):
            cell.text = words


def _samples(folder: Path) -> Iterator[Writeup]:
    for path in sorted(folder.glob("s*.docx")):
        source = folder / "sources" / path.stem
        told = tomllib.loads(source.with_suffix(".toml").read_text("utf-8"))
        title = next(line for line in source.with_suffix(".md").read_text("utf-8").splitlines() if line.startswith("# "))
        name = f"{told['organisation']}-质量标杆典型经验.docx"
        yield Writeup(told["edition"], told["organisation"] + _MARK, title.lstrip("# "), name, path.read_bytes())


def _focus(folder: Path) -> Iterator[Writeup]:
    for path in sorted(folder.glob("*.md"), key=lambda path: (path.stem[1:], path.stem)):
        head, _, body = path.read_text("utf-8").removeprefix("+++").partition("+++")
        told = tomllib.loads(head)
        lines = tuple(line for line in body.splitlines() if line.strip() and not line.startswith("%%"))
        if not lines[0].startswith("# "):
            lines = (f"# {told['title']}", *lines)
        name = f"{told['organisation']}-典型经验材料.docx"
        yield Writeup(told["edition"], told["organisation"] + _MARK, told["title"], name, word(lines), lines)


def _firm(text: str) -> str | None:
    """The first company that a text names."""
    found = re.search(r"[一-龥]{2,14}?(?:股份|集团)?有限(?:责任)?公司", text)
    return found[0] if found else None


def _revisions(folder: Path) -> Iterator[Writeup]:
    """Texts that were made from past benchmarks, by rewriting or taking parts over: what similar content looks like."""
    for name in ("revisions_a.csv", "revisions_b.csv"):
        if not (folder / name).is_file():
            continue
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            files = [row["file"] for row in csv.DictReader(file)]
        for path in (folder / "revisions" / one for one in files):
            lines = tuple(line for line in path.read_text("utf-8").splitlines() if line.strip())
            firm = _firm("\n".join(lines))
            if firm is not None and firm[:2] in lines[0]:
                yield Writeup("2022-hebei", firm + _MARK, lines[0].lstrip("# "), f"{path.stem}.docx", word(lines), lines)
