"""Benchmarks into the database: some in one transaction, all of each or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from service.database import failures
from service.database.tables import changed, width
from service.errors import ServiceError
from service.fingerprints import Prints
from service.library.benchmark import Entry
from service.library.indexing import Indexed

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_PLACES = ("benchmark", "number", "start", "stop")
_PRINT = np.dtype(
    [
        ("fields", ">i2"),
        *((name, form) for each, form in (("hash", ">i8"), ("around", ">i8"), ("benchmark", ">i4"), ("position", ">i4"))
          for name, form in ((f"{each}_size", ">i4"), (each, form))),
    ]
)  # fmt: skip
_COLUMNS = (
    "id, year, level, organisation, credit_code, former_names, title, edition, areas, status, revoked_reason, revoked_on, sha256, "
    "file_name, text, normal, sections, words, search, model"
)
_INSERT = f"INSERT INTO benchmarks ({_COLUMNS}) VALUES ({', '.join(['%s'] * 18)}, %s::tsvector, %s) RETURNING number"  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Prepared:
    """A benchmark ready to be stored; `indexed` None: title-only."""

    entry: Entry
    search: str  # literal of its tsvector
    indexed: Indexed | None
    model: str | None


@contextmanager
def explained() -> Iterator[None]:
    """Errors of psycopg itself, where SQLAlchemy does not stand between, as ServiceErrors."""
    try:
        yield
    except psycopg.Error as error:
        told = failures.explain(error, "数据库")
        if told is not None:
            raise told from error
        raise


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection below, inside the same transaction."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def store(connection: Connection, several: Sequence[Prepared]) -> list[str]:
    """The ids given, in order. One writer at a time: the library's state is locked until the transaction ends.

    An entry that is known by title alone and now comes with its text keeps its id.
    """
    changed(connection)
    ids = [_freed(connection, each) for each in several]
    following: dict[int, int] = {}
    for place, each in enumerate(several):
        if ids[place] is None:
            wanted = each.entry.year
            following[wanted] = following.get(wanted) or _next(connection, wanted)
            ids[place] = f"{wanted}-{following[wanted]:04d}"
            following[wanted] += 1
    given = [each for each in ids if each is not None]
    with explained():
        raw = driver(connection)
        with raw.cursor() as cursor:
            numbers = _insert(cursor, several, given)
            whole = [(number, each.indexed) for number, each in zip(numbers, several, strict=True) if each.indexed is not None]
            copy_passages(cursor, whole, width(connection))
            copy_prints(cursor, [(number, indexed.prints) for number, indexed in whole])
    return given


def _insert(cursor: psycopg.Cursor[Any], several: Sequence[Prepared], ids: Sequence[str]) -> list[int]:
    rows = [_row(given, each) for given, each in zip(ids, several, strict=True)]
    cursor.executemany(_INSERT, rows, returning=True)
    numbers = []
    while True:
        found = cursor.fetchone()
        assert found is not None
        numbers.append(int(found[0]))
        if not cursor.nextset():
            return numbers


def _row(given: str, each: Prepared) -> tuple[Any, ...]:
    entry, indexed = each.entry, each.indexed
    return (
        given,
        entry.year,
        entry.level,
        clean(entry.organisation),
        entry.credit_code,
        [clean(name) for name in entry.former_names],
        clean(entry.title),
        entry.edition,
        list(entry.areas),
        entry.status,
        entry.revoked_reason and clean(entry.revoked_reason),
        entry.revoked_on,
        entry.sha256,
        entry.file_name and clean(entry.file_name),
        None if indexed is None else clean(indexed.text),
        None if indexed is None else indexed.normal,
        None if indexed is None else Jsonb([{**each, "heading": each["heading"] and clean(each["heading"])} for each in indexed.sections]),
        None if indexed is None else indexed.words,
        clean(each.search),
        each.model,
    )


def clean(text: str) -> str:
    """What PostgreSQL's text cannot hold, as long as it was: NUL and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd") if text.isascii() else text.replace("\0", "\ufffd").encode("utf8", "replace").decode("utf8")


def _freed(connection: Connection, each: Prepared) -> str | None:
    """The id of the title-only entry that this text belongs to; the entry is taken out for it."""
    if each.indexed is None:
        return None
    found: str | None = connection.execute(
        text(
            "DELETE FROM benchmarks WHERE id = (SELECT id FROM benchmarks WHERE text IS NULL AND year = :year"
            " AND organisation = :organisation AND title = :title ORDER BY number LIMIT 1) RETURNING id"
        ),
        {"year": each.entry.year, "organisation": clean(each.entry.organisation), "title": clean(each.entry.title)},
    ).scalar()
    return found


def _next(connection: Connection, year: int) -> int:
    """The number after the highest of that year."""
    highest: int | None = connection.execute(
        text("SELECT max(substr(id, 6)::int) FROM benchmarks WHERE id LIKE :like AND substr(id, 6) ~ '^[0-9]{1,9}$'"), {"like": f"{year}-%"}
    ).scalar()
    return (highest or 0) + 1


def copy_prints(cursor: psycopg.Cursor[Any], several: Sequence[tuple[int, Prints]]) -> None:
    rows = np.zeros(sum(len(prints) for _, prints in several), _PRINT)
    rows["fields"] = 4
    for name, size in (("hash", 8), ("around", 8), ("benchmark", 4), ("position", 4)):
        rows[f"{name}_size"] = size
    at = 0
    for number, prints in several:
        part = rows[at : at + len(prints)]
        part["hash"], part["around"], part["benchmark"], part["position"] = prints.hash, prints.around, number, prints.position
        at += len(prints)
    _copy(cursor, "COPY fingerprints (hash, around, benchmark, position) FROM STDIN (FORMAT binary)", rows)


def copy_passages(cursor: psycopg.Cursor[Any], several: Sequence[tuple[int, Indexed]], numbers: int) -> None:
    """Passages with their vectors as halfvec; one that holds nothing the model knows has none."""
    rows = np.zeros(sum(len(indexed.spans) for _, indexed in several), _passage(numbers))
    known = np.ones(len(rows), np.bool_)
    at = 0
    for number, indexed in several:
        if not indexed.spans:
            continue
        if indexed.vectors.shape[1] != numbers:
            told = f"现在的向量模型是 {indexed.vectors.shape[1]} 维，标杆库里是 {numbers} 维。请先运行 biaogan library reindex。"
            raise ServiceError("library_outdated", told, status=409)
        part = rows[at : at + len(indexed.spans)]
        part["benchmark"], part["number"] = number, np.arange(len(part))
        part["start"], part["stop"] = np.array(indexed.spans, np.int32).T
        part["embedding"] = indexed.vectors
        known[at : at + len(part)] = indexed.vectors.any(axis=1)
        at += len(part)
    rows["fields"], rows["embedding_size"], rows["dimensions"] = 5, 4 + 2 * numbers, numbers
    for name in _PLACES:
        rows[f"{name}_size"] = 4
    names = ", ".join(_PLACES)
    _copy(cursor, f"COPY passages ({names}, embedding) FROM STDIN (FORMAT binary)", rows[known])
    if not known.all():
        with cursor.copy(f"COPY passages ({names}) FROM STDIN") as copy:
            for row in rows[~known]:
                copy.write_row([int(row[name]) for name in _PLACES])


def _passage(numbers: int) -> np.dtype[Any]:
    """A row of passages as COPY's binary form has it."""
    ints = [field for name in _PLACES for field in ((f"{name}_size", ">i4"), (name, ">i4"))]
    return np.dtype(
        [("fields", ">i2"), *ints, ("embedding_size", ">i4"), ("dimensions", ">i2"), ("unused", ">i2"), ("embedding", ">f2", (numbers,))]
    )


def _copy(cursor: psycopg.Cursor[Any], statement: str, rows: NDArray[Any]) -> None:
    with cursor.copy(statement) as copy:
        copy.write(_SIGNATURE + rows.tobytes() + _END)
