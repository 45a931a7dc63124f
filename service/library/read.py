"""What is in the library: listed, shown, searched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, text

from service.errors import ServiceError
from service.library.benchmark import Benchmark, Entry
from service.library.indexing import quoted
from service.text import fold

_COLUMNS = """b.id, b.year, b.level, b.organisation, b.credit_code, b.former_names, b.title, b.edition, b.areas, b.status, b.revoked_reason,
 b.revoked_on, b.sha256, b.file_name, b.words, b.model, b.created_at,
 (SELECT count(*) FROM passages p WHERE p.benchmark = b.number) AS passages"""
_BEFORE, _AFTER = 24, 60  # characters of a snippet around its first word
_SNIPPETS = 2
_AREA_KEY = "coalesce(b.edition, '') || '/' || a"
_ORDERS = {  # names by pinyin, as far as GB 18030 has the common characters in that order
    "year": "b.year",
    "organisation": 'b.organisation COLLATE "C"',
    "title": 'b.title COLLATE "C"',
    "words": "coalesce(b.words, 0)",
    "status": "b.status",
}
_WILD = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which benchmarks; None: any. `organisation` and `area` are parts of a name; `areas` are whole ones as `area_key` writes them."""

    year: int | None = None
    level: str | None = None
    organisation: str | None = None
    area: str | None = None
    status: str | None = None
    areas: tuple[str, ...] = ()  # one of them


@dataclass(frozen=True, slots=True)
class Part:
    """What is looked for, without blanks, and the words that the index cuts it into: of several it must stand as it was said."""

    said: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A benchmark that a search found; `places` are the words found in each snippet."""

    benchmark: Benchmark
    score: float
    snippets: tuple[str, ...] = ()
    places: tuple[tuple[tuple[int, int], ...], ...] = ()


def _benchmark(row: Row[Any]) -> Benchmark:
    entry = Entry(
        year=row.year,
        organisation=row.organisation,
        title=row.title,
        level=row.level,
        credit_code=row.credit_code,
        former_names=tuple(row.former_names),
        edition=row.edition,
        areas=tuple(row.areas),
        status=row.status,
        revoked_reason=row.revoked_reason,
        revoked_on=row.revoked_on,
        sha256=row.sha256,
        file_name=row.file_name,
    )
    return Benchmark(row.id, entry, row.words, row.passages, row.model, row.created_at)


def _conditions(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    parts: list[str] = ["TRUE"]
    values: dict[str, Any] = {}
    if wanted.organisation:
        like = "%" + wanted.organisation.translate(_WILD) + "%"
        parts.append("(b.organisation ILIKE :organisation OR EXISTS (SELECT FROM unnest(b.former_names) n WHERE n ILIKE :organisation))")
        values["organisation"] = like
    if wanted.area:
        parts.append("EXISTS (SELECT FROM unnest(b.areas) a WHERE a ILIKE :area)")
        values["area"] = "%" + wanted.area.translate(_WILD) + "%"
    if wanted.areas:
        parts.append(f"EXISTS (SELECT FROM unnest(b.areas) a WHERE {_AREA_KEY} = ANY(:areas))")
        values["areas"] = list(wanted.areas)
    for name in ("year", "level", "status"):
        value = getattr(wanted, name)
        if value is not None:
            parts.append(f"b.{name} = :{name}")
            values[name] = value
    return " AND ".join(parts), values


def listed(
    connection: Connection, wanted: Wanted = Wanted(), *, sort: str = "-year", skip: int = 0, most: int | None = None
) -> list[Benchmark]:
    """By year, the newest first, then by id; or in the `sort` of a column, "-" before it for falling. `most` of them after `skip`."""
    where, values = _conditions(wanted)
    falling = "DESC" if sort.startswith("-") else "ASC"
    order = f"{_ORDERS.get(sort.removeprefix('-'), _ORDERS['year'])} {falling}, b.id"
    statement = f"SELECT {_COLUMNS} FROM benchmarks b WHERE {where} ORDER BY {order} LIMIT :most OFFSET :skip"  # noqa: S608 - all are ours
    return [_benchmark(row) for row in connection.execute(text(statement), {**values, "most": most, "skip": skip})]


def counted(connection: Connection, wanted: Wanted = Wanted()) -> tuple[int, int]:
    """How many there are, and of how many only the title is known."""
    where, values = _conditions(wanted)
    statement = f"SELECT count(*), count(*) FILTER (WHERE b.text IS NULL) FROM benchmarks b WHERE {where}"  # noqa: S608 - conditions are ours
    every, titles = connection.execute(text(statement), values).one()
    return every, titles


def spread(connection: Connection, name: Literal["year", "level", "status"], wanted: Wanted = Wanted()) -> dict[Any, int]:
    """How many benchmarks there are of each value of a column."""
    where, values = _conditions(wanted)
    statement = f"SELECT b.{name}, count(*) FROM benchmarks b WHERE {where} GROUP BY 1 ORDER BY 1"  # noqa: S608 - names are ours
    return {row[0]: row[1] for row in connection.execute(text(statement), values)}


def spread_areas(connection: Connection, wanted: Wanted = Wanted()) -> dict[str, int]:
    """How many benchmarks there are of each area, by `area_key`."""
    where, values = _conditions(wanted)
    statement = f"SELECT {_AREA_KEY}, count(*) FROM benchmarks b, unnest(b.areas) a WHERE {where} GROUP BY 1"  # noqa: S608 - conditions are ours
    return {row[0]: row[1] for row in connection.execute(text(statement), values)}


def area_key(edition: str | None, area: str) -> str:
    """An area as an edition means it: the same id may be another area elsewhere."""
    return f"{edition or ''}/{area}"


def shown(connection: Connection, wanted: str) -> tuple[Benchmark, str | None]:
    """A benchmark and its text; ServiceError where there is none of that id."""
    statement = f"SELECT {_COLUMNS}, b.text FROM benchmarks b WHERE b.id = :id"  # noqa: S608
    row = connection.execute(text(statement), {"id": wanted}).one_or_none()
    if row is None:
        raise unknown(wanted)
    return _benchmark(row), row.text


def listed_by_number(connection: Connection, numbers: Sequence[int]) -> dict[int, Benchmark]:
    """Those of these numbers that are there."""
    statement = f"SELECT b.number, {_COLUMNS} FROM benchmarks b WHERE b.number = ANY(:numbers)"  # noqa: S608 - constants
    return {row.number: _benchmark(row) for row in connection.execute(text(statement), {"numbers": list(numbers)})}


def unknown(wanted: str) -> ServiceError:
    return ServiceError("benchmark_unknown", f"库里没有编号“{wanted}”的标杆。请运行 biaogan library list 查看编号。", status=404)


def search(
    connection: Connection, parts: Sequence[Part], wanted: Wanted = Wanted(), *, most: int = 20, skip: int = 0
) -> tuple[list[Hit], int]:
    """Benchmarks that hold all the parts, the best first, `most` of them after `skip`; and how many there are (0 beyond the last).

    A part that is a Chinese word of the index, of two characters or more, is held where the index has it, in title, organisation or
    text; any other where it stands there letter by letter, or where the index knows it as a word.
    """
    if not parts:
        return [], 0
    where, values = _conditions(wanted)
    for at, part in enumerate(parts):
        held = []
        if len(part.words) == 1:
            held.append(f"b.search @@ CAST(:word{at} AS tsquery)")
            values[f"word{at}"] = quoted(part.words[0])
        if part.words != (part.said,) or len(part.said) == 1 or part.said.isascii():  # else the index is enough, and quick
            like = "LIKE" if part.said.lower() == part.said.upper() else "ILIKE"
            held += [f"b.{column} {like} :part{at}" for column in ("title", "organisation", "text")]
            values[f"part{at}"] = "%" + part.said.translate(_WILD) + "%"
        where += f" AND ({' OR '.join(held)})"
    words = list(dict.fromkeys(word for part in parts for word in part.words))
    statement = (
        f"SELECT {_COLUMNS}, b.text, count(*) OVER () AS several, coalesce(ts_rank(b.search, CAST(:query AS tsquery), 1), 0) AS score"  # noqa: S608
        f" FROM benchmarks b WHERE {where} ORDER BY score DESC, b.year DESC, b.id LIMIT :most OFFSET :skip"
    )
    query = " & ".join(quoted(word) for word in words)
    rows = connection.execute(text(statement), {**values, "query": query, "most": most, "skip": skip}).all()
    shown = [part.said for part in parts] + [part.words[0] for part in parts if len(part.words) == 1]
    return [_hit(row, shown) for row in rows], rows[0].several if rows else 0


def _hit(row: Row[Any], words: Sequence[str]) -> Hit:
    found = snippets(row.text or "", words)
    return Hit(_benchmark(row), float(row.score), tuple(text for text, _ in found), tuple(places for _, places in found))


def snippets(whole: str, words: Sequence[str]) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    """The places where most different words stand together, each with the words' spans in it."""
    pattern = re.compile("|".join(re.escape(fold(word)) for word in sorted(set(words), key=len, reverse=True) if word) or r"(?!)")
    spots = [(match.start(), match.end()) for match in pattern.finditer(fold(whole))]
    ranked = sorted(
        range(len(spots)),
        key=lambda at: (-len({fold(whole[a:b]) for a, b in spots[at:] if b <= spots[at][0] + _AFTER}), spots[at][0]),
    )
    chosen: list[int] = []
    for at in ranked:
        if len(chosen) < _SNIPPETS and all(abs(spots[at][0] - spots[other][0]) > _BEFORE + _AFTER for other in chosen):
            chosen.append(at)
    found = []
    for at in sorted(chosen):
        start, end = max(0, spots[at][0] - _BEFORE), min(len(whole), spots[at][0] + _AFTER)
        cut = whole[start:end].replace("\n", " ").replace("\t", " ")
        found.append((cut, tuple((a - start, b - start) for a, b in spots if start <= a and b <= end)))
    return found
