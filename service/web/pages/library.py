"""Past benchmarks for reviewers and staff: found, read, set side by side. Changes: library_changes.py."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from service import models, pair
from service.errors import ServiceError
from service.library import alike, areas, read
from service.library.benchmark import LEVELS, Benchmark, State
from service.library.exporting import WORDS
from service.library.indexing import Indexer
from service.library.read import Hit, Part, Wanted
from service.library.reading import Past, Understanding, Understood, read_past, reading_of
from service.model import Advice, Block, Report
from service.programme.viewer import Viewer, not_found
from service.render.html import spots_of
from service.render.masked import masked
from service.render.page import pair_fragment, report_fragment
from service.render.view import view
from service.render.wording import printable, section_name, words_for
from service.text import counts
from service.web import context
from service.web.rendering import today

router = APIRouter()
Reader = Annotated[Viewer, Depends(context.allow("reviewer", "office", "admin"), scope="function")]
_PAIR = ("matches", "text")  # of the report of a pair; without a match its matches alone, which say so
_SIZE = 50  # rows of a page
_ID = re.compile(r"[0-9]{4}-[0-9]{1,9}")
_STATES: tuple[State, ...] = ("in_force", "revoked")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; what makes no sense is left out."""

    wanted: Wanted
    area: str  # official name
    said: str
    sort: str
    page: int


@dataclass(frozen=True, slots=True)
class Row:
    benchmark: Benchmark
    areas: tuple[str, ...]
    snippets: tuple[tuple[tuple[str, bool], ...], ...] = ()  # pieces of text; whether each is a word that was looked for


@router.get("/library")
def listed(request: Request, db: context.Db, viewer: Reader) -> HTMLResponse:
    """The table with its filters, or what a search found."""
    every = read.spread_areas(db)
    asked = _asked(request, every)
    several, total = _searched(request, db, asked) if asked.said else _browsed(db, asked)
    whole, titles = read.counted(db)
    return context.page(
        request,
        "library/list.html.j2",
        asked=asked,
        rows=several,
        total=total,
        pages=-(-total // _SIZE),
        whole=whole,
        titles=titles,
        choices=_choices(db, asked, every),
        words=WORDS,
        staff=viewer.is_staff,
    )


@router.get("/library/compare")
def compared(request: Request, db: context.Db, _viewer: Reader, ids: Annotated[list[str] | None, Query(alias="with")] = None) -> Response:
    """Two benchmarks side by side: ?a=&b=, or with=&with= as the table's boxes send them."""
    wanted = [request.query_params.get("a", ""), request.query_params.get("b", ""), *(ids or ())]
    wanted = list(dict.fromkeys(each.strip() for each in wanted if each.strip()))
    if len(wanted) != 2:
        told = "请在列表里勾选正好两份标杆，再点“比较所选两份”。" if wanted else ""
        return context.page(request, "library/choose.html.j2", told=told, given=wanted, status=422 if wanted else 200)
    first, second = (found(db, each) for each in wanted)
    one, other = reading_of(first), reading_of(second)
    fragment = None
    if one is not None and other is not None:
        analysis = request.app.state.analysis
        report = pair.compared(one, other, first.edition, models=(analysis.models, analysis.embedding))
        fragment = pair_fragment(masked(_named(report, first, second)), first.edition, parts=_PAIR if report.matches else _PAIR[:1])
    sides = (_side(first), _side(second))
    return context.page(request, "library/compare.html.j2", sides=sides, beside=beside(first, second), fragment=fragment, words=WORDS)


@router.get("/library/{benchmark_id}")
def one(request: Request, benchmark_id: str, db: context.Db, viewer: Reader) -> HTMLResponse:
    """A benchmark read in full, with its summary, its area and what stands near it."""
    past = found(db, benchmark_id)
    understood = understanding(request).of(past)
    entry = past.benchmark.entry
    values: dict[str, Any] = {"past": past, "entry": entry, "areas": areas.names_of(entry), "words": WORDS, "staff": viewer.is_staff}
    values["today_iso"] = today().isoformat()
    values |= {"near": alike.neighbours(db, benchmark_id), "understood": understood, "fragment": None, "sections": []}
    if understood is not None:
        report = _report(past, understood)
        spots = {(spot.start, spot.end): spot.number for spot in spots_of(view(report, past.edition))}
        values["fragment"] = report_fragment(report, past.edition, parts=("text",))
        values["sections"] = _summaries(past, understood, spots)
    return context.page(request, "library/one.html.j2", **values)


@router.get("/library/{benchmark_id}/file")
def source(benchmark_id: str, db: context.Db, store: context.Store, _viewer: context.Staff) -> Response:
    """The source file as it came in."""
    entry = found(db, benchmark_id).benchmark.entry
    if entry.sha256 is None:
        not_found("这份标杆的原文件")
    return context.download(store.get(entry.sha256), entry.file_name or benchmark_id)


# --- asked and found ---------------------------------------------------------------------------------------------------------------


def _asked(request: Request, every: dict[str, int]) -> Asked:
    given = request.query_params
    year, page = given.get("year", ""), given.get("page", "")
    level = next((each for each in LEVELS if each == given.get("level")), None)
    status = next((each for each in _STATES if each == given.get("status")), None)
    area = printable(given.get("area", "")).strip()[:100]
    wanted = Wanted(
        year=int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None,
        level=level,
        status=status,
        areas=areas.keys_of(area, every) if area else (),
    )
    said = " ".join(printable(given.get("q", "")).split())[:100]
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
    return Asked(wanted, area, said, given.get("sort", "-year"), max(1, number))


def _browsed(db: Connection, asked: Asked) -> tuple[list[Row], int]:
    total, _ = read.counted(db, asked.wanted)
    several = read.listed(db, asked.wanted, sort=asked.sort, most=_SIZE, skip=(asked.page - 1) * _SIZE)
    return [Row(each, areas.names_of(each.entry)) for each in several], total


def _searched(request: Request, db: Connection, asked: Asked) -> tuple[list[Row], int]:
    words = indexer(request)
    parts = [Part(part, tuple(words.query_words(part))) for part in dict.fromkeys(asked.said.split())]
    hits, total = read.search(db, parts, asked.wanted, most=_SIZE, skip=(asked.page - 1) * _SIZE)
    return [Row(hit.benchmark, areas.names_of(hit.benchmark.entry), _pieces(hit)) for hit in hits], total


def _pieces(hit: Hit) -> tuple[tuple[tuple[str, bool], ...], ...]:
    """Snippets cut at the words found."""
    cut = []
    for snippet, places in zip(hit.snippets, hit.places, strict=True):
        pieces, at = [], 0
        for start, end in places:
            if start >= at:
                pieces += [(snippet[at:start], False), (snippet[start:end], True)]
                at = end
        cut.append(tuple(piece for piece in (*pieces, (snippet[at:], False)) if piece[0]))
    return tuple(cut)


def _choices(db: Connection, asked: Asked, every: dict[str, int]) -> dict[str, list[tuple[str, str]]]:
    """The filters' options with how many each would leave, given the other filters; of a search without counts."""
    wanted = Wanted() if asked.said else asked.wanted
    years = read.spread(db, "year", replace(wanted, year=None))
    levels = read.spread(db, "level", replace(wanted, level=None))
    states = read.spread(db, "status", replace(wanted, status=None))
    names = areas.grouped(read.spread_areas(db, replace(wanted, areas=())) if wanted != Wanted() else every)

    def told(name: str, count: int) -> str:
        return name if asked.said else f"{name}（{count:,}）"

    return {
        "year": [(str(year), told(f"{year} 年", count)) for year, count in sorted(years.items(), reverse=True)],
        "level": [(level, told(WORDS[level], levels[level])) for level in LEVELS if level in levels],
        "status": [(state, told(WORDS[state], states[state])) for state in _STATES if state in states],
        "area": [(name, told(name, count)) for name, count in names],
    }


# --- one -----------------------------------------------------------------------------------------------------------------------------


def found(db: Connection, wanted: str) -> Past:
    """`read_past`; ServiceError `not_found` where there is none."""
    if _ID.fullmatch(wanted) is None:
        not_found("这份标杆")
    try:
        return read_past(db, wanted)
    except ServiceError as error:
        if error.code == "benchmark_unknown":
            not_found("这份标杆")
        raise


def _report(past: Past, understood: Understood) -> Report:
    """As if the text had been checked, without rules and comparison: what the report's own view shows of a text."""
    assert past.submission is not None
    document = past.submission.document
    return Report(
        name=document.name,
        sha256=past.benchmark.entry.sha256 or "",
        format="txt",
        edition=past.edition.id,
        edition_hash=past.edition.hash,
        status="complete",
        submission=past.submission,
        counts=counts(document.text),
        focus=understood.focus,
        summaries=understood.summaries,
        one_line=understood.one_line,
        advice=Advice(),
    )


def _summaries(past: Past, understood: Understood, spots: dict[tuple[int, int], int]) -> list[dict[str, object]]:
    """Each section in the text's order: name, 字数, its sentences with the place that each leads to."""
    assert past.submission is not None
    told = {(each.section, each.start): each.sentences for each in understood.summaries}
    seen: set[str] = set()
    shown: list[dict[str, object]] = []
    for section in past.submission.sections:
        sentences = [(one.text, spots.get((one.start, one.end))) for one in told.get((section.key, section.start), ())]
        anchor = f"s-{section.key}" if section.key not in seen else ""
        seen.add(section.key)
        shown.append({"name": section_name(past.submission, section.key), "words": section.words, "anchor": anchor, "sentences": sentences})
    return shown


def _named(report: Report, first: Past, second: Past) -> Report:
    """The report of the pair, its other text called as the library calls it."""
    entry = second.benchmark.entry
    said = {"title": entry.title, "organisation": entry.organisation or None, "year": entry.year, "status": entry.status}
    said |= {"file": None, "among": False}
    matches = tuple(replace(match, past=replace(match.past, **said)) for match in report.matches)  # type: ignore[arg-type]
    return replace(report, name=first.benchmark.entry.title, matches=matches)


def _side(past: Past) -> dict[str, object]:
    entry = past.benchmark.entry
    return {"id": past.benchmark.id, "entry": entry, "areas": areas.names_of(entry), "words": past.benchmark.words}


@dataclass(frozen=True, slots=True)
class Passage:
    """A block of a section as it is shown beside the other text."""

    kind: str  # heading, table, paragraph
    text: str
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Half:
    words: int
    passages: tuple[Passage, ...]


def beside(first: Past, second: Past) -> list[tuple[str, Half | None, Half | None]]:
    """Sections by name, in the first one's order; None where a text has no such section."""
    halves: dict[str, list[Half | None]] = {}
    for at, past in enumerate((first, second)):
        submission = past.submission
        for key in dict.fromkeys(section.key for section in submission.sections) if submission is not None else ():
            assert submission is not None
            of_key = submission.named(key)
            blocks = tuple(_passage(submission.text, block) for block in submission.blocks_of(*of_key))
            half = Half(sum(section.words for section in of_key), blocks)
            halves.setdefault(_common_name(key), [None, None])[at] = half
    return [(name, left, right) for name, (left, right) in halves.items()]


def _common_name(key: str) -> str:
    """What a section is called whatever the edition: two years may call it by two names."""
    return words_for("sections", key)


def _passage(whole: str, block: Block) -> Passage:
    if not block.cells:
        return Passage("heading" if block.kind == "heading" else "paragraph", whole[block.start : block.end])
    rows: dict[int, list[str]] = {}
    for cell in block.cells:
        rows.setdefault(cell.row, []).append(whole[cell.start : cell.end])
    return Passage("table", "", tuple(tuple(row) for row in rows.values()))


# --- what a process holds ------------------------------------------------------------------------------------------------------------


def indexer(request: Request) -> Indexer:
    """Loaded at the first question and kept."""
    analysis = request.app.state.analysis
    own, encoder = models.encoders(analysis.models, analysis.embedding)
    return Indexer(encoder, own)


def understanding(request: Request) -> Understanding:
    state = request.app.state
    if not hasattr(state, "understanding"):
        state.understanding = Understanding(state.analysis.models, state.analysis.embedding)
    kept: Understanding = state.understanding
    return kept
