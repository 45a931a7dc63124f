"""corpora/focus read for training and measuring: labelled passages, and whole write-ups with their sections, themes and key results.

A passage is a line of `passages/*.jsonl`; a write-up is `writeups/*.md`: a TOML header between lines of `+++`, then Markdown in which
`%% section: KEY` opens a section and `%% themes: a, b` labels the paragraph after it (corpora/focus/README.md). What stands in the held-out
part is listed in `manifest.toml`; a family (one fictional company and project) never stands on both sides.
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from service import lexicon, rulebook
from service.errors import ServiceError
from service.model import Submission
from service.parse.limits import Limits
from service.parse.plain import read_plain
from service.segment import segment

Split = Literal["train", "test"]
SECTIONS = ("overview", "background", "process", "results", "abstract", "lessons", "extension", "other")
_PARTED_BY = "2022-hebei"  # the edition whose four sections the benchmarks have
_HEADER = re.compile(r"\+\+\+\n(.*?)\n\+\+\+\n(.*)", re.DOTALL)
_MARK = re.compile(r"%%\s*(section|themes)\s*:\s*(.*)")
_HEADING = re.compile(r"(#+)\s*(.+)")
_CAPTION = re.compile(r"[表图]\s*\d+[\s　]*\S.{0,40}")
_RULE = re.compile(r"\|[\s:|-]+\|?")


@dataclass(frozen=True, slots=True)
class Passage:
    """A labelled piece of a write-up. `kind` says what a passage without themes is about instead (safety, finance …)."""

    id: str
    family: str
    split: Split
    section: str
    themes: tuple[str, ...]
    kind: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, heading, caption or table row of a write-up, under the heading that stands above it."""

    kind: Literal["paragraph", "heading", "caption", "row"]
    section: str
    themes: tuple[str, ...]
    text: str
    heading: str = ""


@dataclass(frozen=True, slots=True)
class WriteUp:
    id: str
    split: Split
    title: str
    organisation: str
    edition: str
    primary: str
    secondary: tuple[str, ...]
    sme: bool
    key_results: tuple[str, ...]
    paragraphs: tuple[Paragraph, ...]


def passages(folder: Path) -> tuple[Passage, ...]:
    """The labelled passages of corpora/focus, in the order of the files; ServiceError `corpus_invalid` where a line is faulty."""
    held_out = _held_out(folder)
    found: list[Passage] = []
    for file in sorted((folder / "passages").glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf8").splitlines(), 1):
            if line.strip():
                found.append(_passage(file, number, line, held_out))
    if not found:
        raise ServiceError("corpus_invalid", f"{folder / 'passages'} 里没有 .jsonl 文件，无法训练。请检查语料文件夹。")
    return tuple(found)


def writeups(folder: Path) -> tuple[WriteUp, ...]:
    """The whole write-ups of corpora/focus, by id."""
    held_out = _held_out(folder)
    return tuple(_writeup(file, held_out) for file in sorted((folder / "writeups").glob("*.md")))


def benchmarks(folder: Path) -> tuple[WriteUp, ...]:
    """The past benchmarks of corpora/benchmarks whose themes are labelled as a whole (themes.tsv), read and parted as the product does.

    Empty where there are none. Their paragraphs are not labelled, and none is held out.
    """
    listed = folder / "themes.tsv"
    if not listed.is_file():
        return ()
    sections = rulebook.load(_PARTED_BY).sections
    found = []
    with listed.open(encoding="utf8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t"), 2):
            primary, *secondary = _themes(listed, number, [row["primary"], *filter(None, row["secondary"].split(","))])
            document = read_plain((folder / "texts" / row["file"]).read_bytes(), row["file"], format="md", limits=Limits())
            submission = segment(document, sections)
            paragraphs = tuple(parted(submission))
            title = submission.title.text if submission.title else ""
            found.append(
                WriteUp(
                    row["file"], "train", title, "", _PARTED_BY, primary, tuple(secondary), sme=False, key_results=(), paragraphs=paragraphs
                )
            )
    return tuple(found)


def parted(submission: Submission) -> Iterator[Paragraph]:
    """Headings and paragraphs of the sections that were found, without themes of their own."""
    for section in submission.sections:
        for index in section.blocks:
            block = submission.document.blocks[index]
            text = submission.text[block.start : block.end]
            if block.kind in {"heading", "paragraph", "list"} and text.strip():
                heading = block.kind == "heading" or block.start < section.body_start
                yield Paragraph("heading" if heading else "paragraph", section.key, (), text)


def _held_out(folder: Path) -> frozenset[str]:
    manifest = folder / "manifest.toml"
    if not manifest.exists():
        raise ServiceError("corpus_invalid", f"语料文件夹 {folder} 里没有 manifest.toml，无法区分训练和留出部分。请补上。")
    return frozenset(tomllib.loads(manifest.read_text("utf8"))["split"]["test"])


def _faulty(file: Path, number: int, message: str) -> ServiceError:
    return ServiceError("corpus_invalid", f"语料 {file.name} 第 {number} 行：{message}请改正。")


def _themes(file: Path, number: int, names: list[str]) -> tuple[str, ...]:
    known = lexicon.load("themes")
    stray = next((name for name in names if name not in known), None)
    if stray is not None:
        raise _faulty(file, number, f"没有主题“{stray}”，可用的是 {'、'.join(known)}。")
    return tuple(names)


def _passage(file: Path, number: int, line: str, held_out: frozenset[str]) -> Passage:
    try:
        row: dict[str, Any] = json.loads(line)
        themes = _themes(file, number, row["themes"])
        family = row["family"]
        split: Split = "test" if family in held_out else "train"
        return Passage(row["id"], family, split, row["section"], themes, row["kind"], row["text"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise _faulty(file, number, f"不是完整的一条记录（{error}）。") from error


def _writeup(file: Path, held_out: frozenset[str]) -> WriteUp:
    match = _HEADER.fullmatch(file.read_text("utf8"))
    if match is None:
        raise _faulty(file, 1, "开头应为两行 +++ 之间的说明。")
    head = tomllib.loads(match[1])
    paragraphs = tuple(_paragraphs(file, match[2], offset=match[1].count("\n") + 4))
    return WriteUp(
        id=head["id"],
        split="test" if head["id"] in held_out else "train",
        title=head["title"],
        organisation=head["organisation"],
        edition=head["edition"],
        primary=_themes(file, 1, [head["primary"]])[0],
        secondary=_themes(file, 1, head["secondary"]),
        sme=head["sme"],
        key_results=tuple(head["key_results"]),
        paragraphs=paragraphs,
    )


def _paragraphs(file: Path, body: str, *, offset: int) -> Iterator[Paragraph]:
    section, heading = "", ""
    themes: tuple[str, ...] = ()
    for number, raw in enumerate(body.splitlines(), offset):
        line = raw.strip()
        mark, title = _MARK.fullmatch(line), _HEADING.fullmatch(line)
        if mark and mark[1] == "section":
            section, heading = mark[2].strip(), ""
            if section not in SECTIONS:
                raise _faulty(file, number, f"没有部分“{section}”，可用的是 {'、'.join(SECTIONS)}。")
        elif mark:
            themes = _themes(file, number, mark[2].replace(",", " ").split())
        elif title and len(title[1]) > 1:
            heading = title[2]
            yield Paragraph("heading", section, (), heading)
        elif line.startswith("|"):
            if not _RULE.fullmatch(line):
                yield Paragraph("row", section, (), "\t".join(cell.strip() for cell in line.strip("|").split("|")), heading)
        elif line and not title:
            if not section:
                raise _faulty(file, number, "这一段前面没有 %% section: 一行。")
            yield Paragraph("caption" if _CAPTION.fullmatch(line) else "paragraph", section, themes, line, heading)
            themes = ()
