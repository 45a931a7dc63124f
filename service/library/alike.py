"""Which other benchmarks stand near one: of the same organisation, with the same words, on the same topic. From what is indexed alone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, text

from service.fingerprints import MASKS
from service.library.benchmark import Benchmark
from service.library.read import listed_by_number

_COMMON = 12  # benchmarks from which on a run is everyone's wording
_LEAST = 0.02  # share of a benchmark's fingerprints from which on another shares words with it
_ASKED, _NEAREST = 30, 12  # passages that look for neighbours; how many each finds
_MOST = 6
_FAR = 0.3  # of the nearest one's votes: who has fewer is not near

_SHARED = f"""
WITH mine AS MATERIALIZED (SELECT hash, around, position FROM fingerprints WHERE benchmark = :number),
hits AS MATERIALIZED (
  SELECT DISTINCT m.position, f.benchmark FROM mine m JOIN fingerprints f ON f.hash = m.hash AND f.benchmark <> :number
  WHERE {" OR ".join(f"((f.around # m.around) & {mask}) = 0" for mask in MASKS)}
),
rare AS (SELECT position FROM hits GROUP BY position HAVING count(*) <= :common)
SELECT h.benchmark, count(*)::float8 / greatest((SELECT count(*) FROM mine), 1) AS share
FROM hits h JOIN rare USING (position) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most
"""  # noqa: S608 - the masks are numbers of ours
_NEAR = """
WITH every AS (
  SELECT embedding, row_number() OVER (ORDER BY number) AS at, count(*) OVER () AS several FROM passages
  WHERE benchmark = :number AND embedding IS NOT NULL
),
q AS MATERIALIZED (SELECT at, embedding FROM every WHERE several <= :asked OR (at * :asked / several) > ((at - 1) * :asked / several))
SELECT q.at, p.benchmark, -p.distance AS product FROM q CROSS JOIN LATERAL (
  SELECT benchmark, embedding <#> q.embedding AS distance FROM passages
  WHERE embedding IS NOT NULL ORDER BY embedding <#> q.embedding LIMIT :nearest
) AS p
"""
_OWN = """
SELECT o.number FROM benchmarks b JOIN benchmarks o ON o.number <> b.number AND (
  (b.credit_code IS NOT NULL AND o.credit_code = b.credit_code)
  OR (b.organisation <> '' AND
      (o.organisation = b.organisation OR o.organisation = ANY(b.former_names) OR b.organisation = ANY(o.former_names)))
) WHERE b.number = :number ORDER BY o.year DESC, o.id
"""


@dataclass(frozen=True, slots=True)
class Near:
    """Another benchmark; `share` is the part of the one's text, 0-1, that stands in it in the same words (about; 0: not known to)."""

    benchmark: Benchmark
    share: float


@dataclass(frozen=True, slots=True)
class Neighbours:
    own: tuple[Near, ...]  # of the same organisation
    alike: tuple[Near, ...]  # with the same words
    topic: tuple[Benchmark, ...]  # near in topic, the nearest first


def neighbours(connection: Connection, wanted: str) -> Neighbours:
    """Of a benchmark that is there."""
    number = connection.execute(text("SELECT number FROM benchmarks WHERE id = :id"), {"id": wanted}).scalar_one()
    rows = connection.execute(text(_SHARED), {"number": number, "common": _COMMON, "most": 4 * _MOST})
    shares = {other: share for other, share in rows if share >= _LEAST}
    own = list(connection.execute(text(_OWN), {"number": number}).scalars())
    alike = [other for other in shares if other not in own][:_MOST]
    topic = [other for other in _topic(connection, number) if other not in own and other not in alike][:_MOST]
    known = listed_by_number(connection, [*own, *alike, *topic])
    return Neighbours(
        own=tuple(Near(known[other], shares.get(other, 0.0)) for other in own),
        alike=tuple(Near(known[other], shares[other]) for other in alike),
        topic=tuple(known[other] for other in topic),
    )


def _topic(connection: Connection, number: int) -> list[int]:
    """By the sum of how far their nearest passage stands out of each passage's neighbours (as candidates.py votes)."""
    connection.execute(text("SET LOCAL hnsw.ef_search = 60"))
    best: dict[tuple[int, int], float] = defaultdict(float)
    least: dict[int, float] = {}
    for at, other, product in connection.execute(text(_NEAR), {"number": number, "asked": _ASKED, "nearest": _NEAREST}):
        best[at, other] = max(best[at, other], product)
        least[at] = min(least.get(at, product), product)
    votes: dict[int, float] = defaultdict(float)
    for (at, other), product in best.items():
        if other != number:
            votes[other] += product - least[at]
    ranked = sorted(votes, key=lambda other: (-votes[other], other))
    return [other for other in ranked if votes[other] > _FAR * votes[ranked[0]]]
