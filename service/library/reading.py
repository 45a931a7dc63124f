"""A benchmark's stored text read again: its blocks, sections, and what the models make of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from service import models
from service.classify import focus
from service.library.benchmark import Benchmark
from service.library.describing import edition_for
from service.library.read import shown
from service.model import Block, Cell, Document, Edition, Focus, Section, Submission, Summary
from service.parse.blocks import is_caption
from service.parse.worker import Reading
from service.personal import mask
from service.segment import segment
from service.summarise import one_line, summarise
from service.text import words

_KEPT = 64  # benchmarks whose summaries are kept in a process


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """A benchmark that is read: its text as a submission of its own year's edition. `submission` None: only the title is known."""

    benchmark: Benchmark
    edition: Edition
    submission: Submission | None


@dataclass(frozen=True, slots=True)
class Understood:
    one_line: str | None
    summaries: tuple[Summary, ...]
    focus: Focus


def read_past(connection: Connection, wanted: str) -> Past:
    """ServiceError where there is none of that id. Personal data in the text are masked, every offset kept."""
    benchmark, whole = shown(connection, wanted)
    edition = edition_for(benchmark.entry.year, benchmark.entry.edition)
    if whole is None:
        return Past(benchmark, edition, None)
    kept = connection.execute(text("SELECT sections FROM benchmarks WHERE id = :id"), {"id": wanted}).scalar_one() or []
    return Past(benchmark, edition, submission_of(mask(whole), kept, edition, name=benchmark.entry.file_name or wanted))


def reading_of(past: Past) -> Reading | None:
    """As if its text had just been read from a file, to be compared with another."""
    if past.submission is None:
        return None
    document = past.submission.document
    return Reading(Path(document.name), document.name, document.sha256, "txt", document, 0.0)


def submission_of(whole: str, kept: list[dict[str, Any]], edition: Edition, *, name: str) -> Submission:
    """The text with the sections that were found when it came in; titles and headings are found anew."""
    document = document_of(whole, {each["start"] for each in kept if each["heading"]}, name=name)
    found = segment(document, edition.sections)
    found = replace(found, document=_headed(document, {each.block: each.level for each in found.headings}))
    if not kept:
        return found
    sections = tuple(_section(document, each) for each in kept)
    missing = tuple(spec.key for spec in edition.sections if spec.required and spec.key not in {each.key for each in sections})
    return replace(found, sections=sections, missing=missing, end=max(found.end, sections[-1].end))


def _headed(document: Document, levels: dict[int, int]) -> Document:
    """With the paragraphs that were found to be headings as such."""
    blocks = [
        replace(block, kind="heading", level=levels[at]) if at in levels and block.kind == "paragraph" else block
        for at, block in enumerate(document.blocks)
    ]
    return replace(document, blocks=tuple(blocks))


def _section(document: Document, kept: dict[str, Any]) -> Section:
    start, end, heading = kept["start"], kept["end"], kept["heading"]
    first = document.text.find("\n", start, end)
    body = start if not heading else end if first < 0 else first + 1
    blocks = tuple(at for at, block in enumerate(document.blocks) if block.start >= start and block.end <= end)
    return Section(kept["key"], heading, start, body, end, words(document.text[body:end]), blocks)


def document_of(whole: str, headings: set[int], *, name: str) -> Document:
    """A stored text as blocks again: a line each; lines with tabs that follow each other are a table."""
    return Document(name, "", "txt", whole, tuple(_blocks(whole, headings)))


def _blocks(whole: str, headings: set[int]) -> Iterator[Block]:
    rows: list[tuple[int, int]] = []
    at = 0
    for line in whole.split("\n"):
        start, end = at, at + len(line)
        at = end + 1
        if "\t" in line:
            rows.append((start, end))
            continue
        if rows:
            yield _table(whole, rows)
            rows = []
        if line.strip():
            if start in headings:
                yield Block("heading", start, end, level=1)
            else:
                yield Block("caption" if is_caption(line) else "paragraph", start, end)
    if rows:
        yield _table(whole, rows)


def _table(whole: str, rows: list[tuple[int, int]]) -> Block:
    cells: list[Cell] = []
    columns = 0
    for number, (start, end) in enumerate(rows):
        at = start
        parts = whole[start:end].split("\t")
        columns = max(columns, len(parts))
        for column, part in enumerate(parts):
            cells.append(Cell(number, column, 1, 1, at, at + len(part)))
            at += len(part) + 1
    return Block("table", rows[0][0], rows[-1][1], cells=tuple(cells), columns=columns)


class Understanding:
    """What the models make of benchmarks that are asked for; loaded at the first question, the last answers kept."""

    def __init__(self, folder: Path | None, embedding: Path | None) -> None:
        self._folder, self._embedding = folder, embedding
        self._answers = lru_cache(maxsize=_KEPT)(self._made)

    def of(self, past: Past) -> Understood | None:
        """None where only the title is known."""
        if past.submission is None:
            return None
        kept = tuple((each.key, each.heading, each.start, each.end) for each in past.submission.sections)
        return self._answers(past.submission.text, kept, past.edition)

    def _made(self, whole: str, kept: tuple[tuple[str, str | None, int, int], ...], edition: Edition) -> Understood:
        rows = [{"key": key, "heading": heading, "start": start, "end": end} for key, heading, start, end in kept]
        submission = submission_of(whole, rows, edition, name="")
        loaded = models.load(self._folder, self._embedding)
        summaries = summarise(submission, encoder=loaded.encoder)
        return Understood(one_line(submission, summaries), summaries, focus(submission, edition, model=loaded.focus, encoder=loaded.own))
