"""What many benchmarks of different organisations say in the same words: listed, edited, and counted nowhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from service.database.tables import changed
from service.errors import ServiceError
from service.fingerprints import SIZE, Normal, normalised
from service.text import han

_FEWEST = 5  # organisations, at least
_SHARE = 0.01  # of the organisations in the library, at least
_ENOUGH = 50  # organisations are many in any library
_SAMPLES = 24  # texts that are looked at for one phrase
_LONGEST = 40  # characters: what many share at greater length is copied, no set phrase
_MOST = 4000  # fingerprints looked at, the most frequent first
_WORDED = 6  # Chinese characters of a phrase, at least, or twice as many Latin letters: years and figures alone are none
_LATIN = re.compile("[A-Za-z]")
_AGREE = 0.8  # of the texts must go on alike


@dataclass(frozen=True, slots=True)
class Phrase:
    phrase: str
    source: str  # learnt, office, notice
    documents: int | None  # organisations that say it; None: not counted
    kept: bool  # False: taken off the list by the office, and not learnt again


def listed(connection: Connection) -> list[Phrase]:
    """Those that count, the most frequent first."""
    rows = connection.execute(
        text("SELECT phrase, source, documents, kept FROM common_phrases WHERE kept ORDER BY documents DESC NULLS FIRST, phrase")
    )
    return [Phrase(row.phrase, row.source, row.documents, row.kept) for row in rows]


def add(engine: Engine, phrase: str) -> str:
    """The office's own; ServiceError where it is too short to be one."""
    said = " ".join(phrase.split())
    if len(normalised(said)) < 4:
        raise ServiceError("phrase_short", f"“{said}”太短，常用语至少要有四个字。")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO common_phrases (phrase, source, kept) VALUES (:phrase, 'office', true)"
                " ON CONFLICT (phrase) DO UPDATE SET kept = true"
            ),
            {"phrase": said},
        )
        changed(connection)
    return said


def remove(engine: Engine, phrase: str) -> None:
    """Off the list, and not learnt again."""
    said = " ".join(phrase.split())
    with engine.begin() as connection:
        found = connection.execute(
            text("UPDATE common_phrases SET kept = false WHERE phrase = :phrase AND kept RETURNING phrase"), {"phrase": said}
        ).scalar()
        if found is None:
            raise ServiceError("phrase_unknown", f"常用语里没有“{said}”。请运行 biaogan library phrases 查看，照原样写。", status=404)
        changed(connection)


def learn(engine: Engine) -> int:
    """Learns the phrases of the library as it is now; those learnt before and no longer found are forgotten. How many there are."""
    with engine.connect() as connection:
        organisations: int = connection.execute(_ORGANISATIONS).scalar_one()
        least = max(_FEWEST, min(_ENOUGH, round(_SHARE * organisations)))
        found = _found(connection, least) if organisations >= least else {}
    with engine.begin() as connection:
        before = set(connection.execute(text("SELECT phrase FROM common_phrases WHERE source = 'learnt' AND kept")).scalars())
        connection.execute(
            text("DELETE FROM common_phrases WHERE source = 'learnt' AND kept AND phrase <> ALL(:found)"), {"found": list(found)}
        )
        if found:
            connection.execute(
                text(
                    "INSERT INTO common_phrases (phrase, source, documents, kept) VALUES (:phrase, 'learnt', :documents, true)"
                    " ON CONFLICT (phrase) DO UPDATE SET documents = excluded.documents"
                ),
                [{"phrase": phrase, "documents": documents} for phrase, documents in sorted(found.items())],
            )
        if before != set(found):
            changed(connection)
    return len(found)


_WHO = "coalesce(b.credit_code, nullif(b.organisation, ''), b.id)"
_ORGANISATIONS = text(f"SELECT count(DISTINCT {_WHO}) FROM benchmarks b WHERE b.text IS NOT NULL")  # noqa: S608 - a constant
_FREQUENT = text(
    # First by texts, which needs no look at the benchmarks; then by organisations.
    f"""
    WITH often AS MATERIALIZED (
      SELECT hash FROM fingerprints GROUP BY hash HAVING count(*) >= :least AND count(DISTINCT benchmark) >= :least
      ORDER BY count(*) DESC LIMIT :most
    )
    SELECT f.hash, count(DISTINCT {_WHO}) AS organisations,
      (array_agg(f.benchmark ORDER BY f.benchmark))[1:{_SAMPLES}] AS numbers,
      (array_agg(f.position ORDER BY f.benchmark))[1:{_SAMPLES}] AS positions
    FROM often JOIN fingerprints f USING (hash) JOIN benchmarks b ON b.number = f.benchmark
    GROUP BY f.hash HAVING count(DISTINCT {_WHO}) >= :least ORDER BY 2 DESC, 1
    """  # noqa: S608 - constants
)


def _found(connection: Connection, least: int) -> dict[str, int]:
    """Phrase -> organisations that say it."""
    rows = connection.execute(_FREQUENT, {"least": least, "most": _MOST}).all()
    wanted = sorted({number for row in rows for number in row.numbers})
    texts: dict[int, tuple[str, Normal]] = {}
    for start in range(0, len(wanted), 200):
        part = wanted[start : start + 200]
        for row in connection.execute(text("SELECT number, text, normal FROM benchmarks WHERE number = ANY(:part)"), {"part": part}):
            texts[row.number] = (row.text, Normal.from_bytes(row.normal))
    return agreed(
        (
            row.organisations,
            [(texts[number], position) for number, position in zip(row.numbers, row.positions, strict=True) if number in texts],
        )
        for row in rows
    )


def agreed(places: Iterable[tuple[int, Sequence[tuple[tuple[str, Normal], int]]]]) -> dict[str, int]:
    """Phrase -> organisations that say it, from the frequent fingerprints: how many organisations have one, and where it stands."""
    found: dict[str, int] = {}
    for organisations, standing in places:
        phrase = _phrase(standing)
        if phrase is not None:
            found[phrase] = max(found.get(phrase, 0), organisations)
    return _outermost(found)


def _phrase(places: Sequence[tuple[tuple[str, Normal], int]]) -> str | None:
    """The longest run around the places on which most texts agree, as the first of them prints it; None where it is no set phrase."""
    before = _agreed(places, -1)
    after = _agreed(places, 1)
    if before + SIZE + after > _LONGEST:
        return None
    # The one to print must itself agree on the whole run.
    spoken: Counter[bytes] = Counter()
    shown: dict[bytes, tuple[str, Normal, int]] = {}
    for (whole, normal), position in places:
        start, end = position - before, position + SIZE + after
        if start >= 0 and end <= len(normal):
            key = normal.points[start:end].tobytes()
            spoken[key] += 1
            shown.setdefault(key, (whole, normal, start))
    if not spoken:
        return None
    whole, normal, start = shown[spoken.most_common(1)[0][0]]
    first, last = normal.span(start, start + before + SIZE + after)
    phrase = " ".join(whole[first:last].split())
    return phrase if han(phrase) + len(_LATIN.findall(phrase)) / 2 >= _WORDED else None


def _agreed(places: Sequence[tuple[tuple[str, Normal], int]], way: int) -> int:
    """How many characters most of the texts have in common before (-1) or after (1) the eight."""
    going = [(normal.points, position if way < 0 else position + SIZE - 1) for (_, normal), position in places]
    least = _AGREE * len(going)
    steps = 0
    while steps <= _LONGEST:
        steps += 1
        following: Counter[int] = Counter()
        for points, at in going:
            place = at + way * steps
            if 0 <= place < len(points):
                following[int(points[place])] += 1
        character, count = following.most_common(1)[0] if following else (0, 0)
        if count < least:
            return steps - 1
        going = [(points, at) for points, at in going if 0 <= at + way * steps < len(points) and points[at + way * steps] == character]
    return steps


def _outermost(found: dict[str, int]) -> dict[str, int]:
    """Without phrases that stand inside a longer one that as many say."""
    kept: dict[str, int] = {}
    for phrase in sorted(found, key=len, reverse=True):
        if not any(phrase in other and found[phrase] <= kept[other] * 1.5 for other in kept):
            kept[phrase] = found[phrase]
    return kept
