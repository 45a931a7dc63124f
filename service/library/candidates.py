"""What of the library is worth aligning with a submission, found in SQL.

Every benchmark with a shared run of 13 characters is found, by joining fingerprints and testing what stands around them
(fingerprints.MASKS); those that may be rewritten by the nearest neighbours of the submission's passages, which vote; those of which only
the title is known by its words. What is found is only where to look: the text itself decides (service/match.py).
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Dumper, PyFormat
from psycopg.pq import Format
from sqlalchemy import Engine, text

from service import exclude, passages
from service.encode import Encoder, Floats, Static
from service.errors import ServiceError
from service.fingerprints import MASKS, SIZE, Prints, normalised, winnow
from service.library.indexing import quoted
from service.library.write import driver, explained
from service.model import Past, Submission
from service.text import fold

NEAREST = 10  # neighbours of a passage
BREADTH = 200  # hnsw.ef_search: recall@10 of 0.99 and more on real passages (benchmarks/library.py)
_ALIGNED = (
    16  # benchmarks with shared runs, those with most that is rare, that are aligned sentence by sentence; of the others the runs count
)
_REWRITTEN = 12  # benchmarks that only the neighbours name
_TITLES = 8  # entries without text
_ASKED = 40  # passages of a submission for which neighbours are sought: they vote for whole texts, of which each covers many
_QUOTED = exclude.REASONS.index("quote") + 1
_CONNECTIONS = 2  # connections that search for neighbours at once
_COVERED = 0.6  # part of a passage's fingerprints in shared runs from which on its source is known
_INT8S, _FLOAT4S = (1016, 20, ">i8"), (1021, 700, ">f4")  # oid of the array and of its elements in PostgreSQL, their form

_RUNS = f"""
WITH mine AS MATERIALIZED (SELECT hash, around, n FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS q(hash, around, n)),
hits AS MATERIALIZED (
  SELECT DISTINCT m.n, f.benchmark FROM mine m JOIN fingerprints f ON f.hash = m.hash
  WHERE {" OR ".join(f"((f.around # m.around) & {mask}) = 0" for mask in MASKS)}
)
SELECT benchmark, array_agg(n::int - 1), sum(weight)
FROM (SELECT n, benchmark, 1.0::float8 / count(*) OVER (PARTITION BY n) AS weight FROM hits) AS each
GROUP BY benchmark ORDER BY 3 DESC, 1
"""  # noqa: S608 - the masks are numbers of ours
_NEAR = """
WITH q AS MATERIALIZED (
  SELECT i, (%(flat)s::real[])[i * %(size)s + 1 : (i + 1) * %(size)s]::halfvec AS v FROM generate_series(0, %(last)s) AS i
)
SELECT q.i, p.benchmark, -p.distance FROM q CROSS JOIN LATERAL (
  SELECT benchmark, embedding <#> q.v AS distance FROM passages WHERE embedding IS NOT NULL ORDER BY embedding <#> q.v LIMIT %(nearest)s
) AS p
"""
_TITLED = """
SELECT number FROM benchmarks WHERE text IS NULL AND search @@ %(query)s::tsquery
ORDER BY ts_rank(search, %(query)s::tsquery) DESC, number LIMIT %(most)s
"""
_PAST = """
SELECT number, id, title, coalesce(text, ''), organisation, credit_code, former_names, year, file_name, status
FROM benchmarks WHERE number = ANY(%s)
"""
_STATE = """
SELECT (SELECT revision FROM library_state), (SELECT count(*) FROM benchmarks), (SELECT count(*) FROM benchmarks WHERE text IS NULL),
  (SELECT count(*) FROM benchmarks WHERE text IS NOT NULL AND split_part(coalesce(model, ''), '+', 1) <> %s)
"""


@dataclass(frozen=True, slots=True, eq=False)
class _Array:
    """Numbers as a one-dimensional PostgreSQL array in its binary form."""

    values: NDArray[Any]
    oid: int
    element: int
    form: str

    def encoded(self) -> bytes:
        flat = self.values.ravel()
        rows = np.zeros(len(flat), [("size", ">i4"), ("value", self.form)])
        rows["size"], rows["value"] = np.dtype(self.form).itemsize, flat
        return struct.pack(">iiIii", 1 if len(flat) else 0, 0, self.element, len(flat), 1)[: 20 if len(flat) else 12] + rows.tobytes()


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, value: _Array) -> bytes:
        return value.encoded()

    def get_key(self, value: _Array, format: PyFormat) -> tuple[type, int]:  # type: ignore[override]  # noqa: A002, ARG002
        return (_Array, value.oid)

    def upgrade(self, value: _Array, format: PyFormat) -> Dumper:  # noqa: A002, ARG002
        found = type(self)(_Array)
        found.oid = value.oid
        return found


def _int8s(values: NDArray[Any]) -> _Array:
    return _Array(values, *_INT8S)


@dataclass(slots=True)
class _Known:
    """What is the same for every submission until the library changes."""

    revision: int
    compared: int
    titles: int
    common: frozenset[str]


@dataclass(frozen=True, slots=True)
class Shared:
    """A benchmark with shared runs: which of the submission's fingerprints stand in them, and how much they weigh, rare ones more."""

    number: int
    prints: tuple[int, ...]
    weight: float


class Library:
    """`match.Candidates` over the database. One for a process; `find` may not be called by two threads at once."""

    def __init__(self, engine: Engine, own: Static, *, encoder: Encoder) -> None:
        self._engine = engine
        self._own = own
        self._version = encoder.version
        self._pool = ThreadPoolExecutor(_CONNECTIONS, "near")
        self._known = self._refreshed(None)

    def close(self) -> None:
        """Ends the threads; the engine is the caller's."""
        self._pool.shutdown()

    @property
    def compared(self) -> int:
        """Benchmarks in the library, as it was at the last question."""
        return self._known.compared

    @property
    def common(self) -> Collection[str]:
        return self._known.common

    def _refreshed(self, known: _Known | None) -> _Known:
        """One question where nothing has changed. ServiceError where the library was indexed by another model."""
        with self._engine.connect() as connection, explained():
            row = driver(connection).execute(_STATE, [self._version]).fetchone()
            assert row is not None
            revision, compared, titles, other = row
            if other:
                told = f"标杆库里有 {other} 条是用别的向量模型建的索引，不能比对。请先运行 biaogan library reindex。"
                raise ServiceError("library_outdated", told, status=409)
            if known is not None and known.revision == revision:
                return known
            phrases = connection.execute(text("SELECT phrase FROM common_phrases WHERE kept")).scalars()
            return _Known(revision, compared, titles, frozenset(phrases))

    def find(self, submission: Submission, *, encoder: Encoder) -> Sequence[Past]:
        """All with a shared run, then those that the neighbours name, then titles; most promising first."""
        self._known = self._refreshed(self._known)
        if not self._known.compared:
            return ()
        whole = submission.text
        normal = normalised(whole)
        prints = _counting(winnow(normal), exclude.reasons(whole, normal, common=self._known.common))
        shared = self.shared(prints)
        spans = passages.cut(whole, submission.sections, submission.document.blocks)
        places = normal.places[prints.position] if len(prints) else np.zeros(0, np.int32)
        wanted = _spread(_unexplained(spans, places, shared))
        named = self.voted(encoder.encode([whole[start:end] for start, end in wanted]))
        exact = [each.number for each in shared]
        chosen = set(exact)
        numbers = [*exact, *[number for number, _ in named if number not in chosen][:_REWRITTEN], *self._titled(submission)]
        return [replace(past, runs_only=_ALIGNED <= at < len(exact)) for at, past in enumerate(self._past(numbers))]

    # --- the three searches

    def shared(self, prints: Prints) -> list[Shared]:
        """Every benchmark with which the fingerprints share a run of 13 characters, those with most that is rare first."""
        if not len(prints):
            return []
        with self._engine.connect() as connection, explained():
            raw = _prepared(connection)
            rows = raw.execute(_RUNS, [_int8s(prints.hash), _int8s(prints.around)]).fetchall()
        return [Shared(number, tuple(places), weight) for number, places, weight in rows]

    def neighbours(self, vectors: Floats) -> list[tuple[int, int, float]]:
        """(which vector, benchmark, inner product) of the NEAREST passages of each, asked on several connections at once."""
        known = vectors[vectors.any(axis=1)]
        parts = [part for part in np.array_split(known, min(_CONNECTIONS, max(1, len(known) // 8))) if len(part)]
        offsets = np.cumsum([0, *map(len, parts)])
        found = self._pool.map(self._near, parts)
        return [(int(offset) + i, number, product) for offset, rows in zip(offsets, found, strict=False) for i, number, product in rows]

    def _near(self, vectors: Floats) -> list[tuple[int, int, float]]:
        size = vectors.shape[1]
        with self._engine.connect() as connection, explained():
            raw = _prepared(connection)
            raw.execute(f"SET LOCAL hnsw.ef_search = {BREADTH:d}")
            flat = _Array(vectors, *_FLOAT4S)
            return raw.execute(_NEAR, {"flat": flat, "size": size, "last": len(vectors) - 1, "nearest": NEAREST}).fetchall()

    def voted(self, vectors: Floats) -> list[tuple[int, float]]:
        """Benchmarks by the sum of how far their nearest passage stands out of each passage's neighbours."""
        best: dict[tuple[int, int], float] = defaultdict(float)
        least: dict[int, float] = {}
        for which, number, product in self.neighbours(vectors):
            best[which, number] = max(best[which, number], product)
            least[which] = min(least.get(which, product), product)
        votes: dict[int, float] = defaultdict(float)
        for (which, number), product in best.items():
            votes[number] += product - least[which]
        return sorted(votes.items(), key=lambda each: (-each[1], each[0]))

    def _titled(self, submission: Submission) -> list[int]:
        """Title-only entries whose titles share words."""
        if not self._known.titles or submission.title is None:
            return []
        words = dict.fromkeys(word for word, _, _ in self._own.tokens(fold(submission.title.text)) if len(word) > 1)
        query = " | ".join(quoted(word) for word in words)
        if not query:
            return []
        with self._engine.connect() as connection, explained():
            return [number for (number,) in driver(connection).execute(_TITLED, {"query": query, "most": _TITLES})]

    def _past(self, numbers: Sequence[int]) -> list[Past]:
        """In this order, with their texts."""
        if not numbers:
            return []
        with self._engine.connect() as connection, explained():
            rows = driver(connection).execute(_PAST, [list(numbers)]).fetchall()
        found = {
            row[0]: Past(
                id=row[1],
                title=row[2],
                text=row[3],
                organisation=row[4] or None,
                credit_code=row[5],
                former_names=tuple(row[6]),
                year=row[7],
                file=row[8],
                status=row[9],
            )
            for row in rows
        }
        return [found[number] for number in numbers if number in found]  # one may have been removed in between


def _prepared(connection: Any) -> psycopg.Connection[Any]:
    raw = driver(connection)
    raw.adapters.register_dumper(_Array, _ArrayDumper)
    return raw


def _counting(prints: Prints, reasons: NDArray[np.uint8]) -> Prints:
    """Without those that stand wholly in names of standards and common phrases: half the library may share these, and nothing of it counts.

    Quotations stay, since reports tell what is shared with them as well as without.
    """
    sums = np.concatenate(([0], np.cumsum(reasons > _QUOTED)))
    kept = sums[prints.position + SIZE] - sums[prints.position] < SIZE
    return Prints(prints.hash[kept], prints.around[kept], prints.position[kept])


def _spread(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """_ASKED of them at most, evenly from the first to the last."""
    if len(spans) <= _ASKED:
        return list(spans)
    return [spans[int(at)] for at in np.linspace(0, len(spans) - 1, _ASKED).round()]


def _unexplained(spans: Sequence[tuple[int, int]], places: NDArray[np.int32], shared: Sequence[Shared]) -> list[tuple[int, int]]:
    """The passages that are not for the most part shared runs already."""
    inside = np.zeros(len(places), np.int32)
    for each in shared:
        inside[list(each.prints)] = 1
    sums = np.concatenate(([0], np.cumsum(inside)))
    wanted = []
    for start, end in spans:
        first, last = np.searchsorted(places, (start, end))
        if last == first or sums[last] - sums[first] < _COVERED * (last - first):
            wanted.append((start, end))
    return wanted
