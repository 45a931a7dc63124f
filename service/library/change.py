"""Changes to what is in the library: removed, revoked, indexed anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, text

from service.database.files import Files
from service.database.tables import changed, set_width, width
from service.errors import ServiceError
from service.library.indexing import Indexed, Indexer
from service.library.read import unknown
from service.library.upkeep import before_import
from service.library.write import copy_passages, copy_prints, driver, explained
from service.model import Document, Section, Submission

_BATCH = 16
_SPANS = text("SELECT benchmark, start, stop FROM passages WHERE benchmark = ANY(:numbers) ORDER BY benchmark, number")
_UPDATE = text(
    "UPDATE benchmarks SET search = CAST(:search AS tsvector), model = :model, normal = coalesce(:normal, normal), changed_at = now()"
    " WHERE number = :number"
)


def remove(engine: Engine, files: Files, wanted: str) -> None:
    """The benchmark with its file; ServiceError where there is none of that id."""
    with engine.begin() as connection:
        row = connection.execute(text("DELETE FROM benchmarks WHERE id = :id RETURNING sha256"), {"id": wanted}).one_or_none()
        if row is None:
            raise unknown(wanted)
        changed(connection)
    if row.sha256 is not None:
        with engine.begin() as connection:
            # The state is locked: no one stores the same file between this look and the deletion.
            changed(connection)
            used: bool = connection.execute(
                text("SELECT EXISTS (SELECT FROM benchmarks WHERE sha256 = :sha256)"), {"sha256": row.sha256}
            ).scalar_one()
            if not used:
                files.delete(row.sha256)


def revoke(engine: Engine, wanted: str, *, reason: str, on: date) -> None:
    """动态管理: no longer a benchmark from that day; still compared with, since it may be copied like any other."""
    if not reason.strip():
        raise ServiceError("reason_missing", "请用 --reason 写明撤销的原因，例如“发生重大质量事故”。")
    with engine.begin() as connection:
        found = connection.execute(
            text(
                "UPDATE benchmarks SET status = 'revoked', revoked_reason = :reason, revoked_on = :on, changed_at = now() WHERE id = :id"
                " RETURNING id"
            ),
            {"id": wanted, "reason": " ".join(reason.split()), "on": on},
        ).scalar()
        if found is None:
            raise unknown(wanted)
        changed(connection)


def reindex(engine: Engine, indexer: Indexer, *, every: bool = False, tell: Callable[[int, int], None] = lambda _done, _total: None) -> int:
    """Words, passages and fingerprints anew of benchmarks whose index another model made (`every`: of all); how many there were.

    What is finished stays finished when it is interrupted. Then call `upkeep.after_import`.
    A text keeps the passages that it was cut into when it came in.
    """
    with engine.begin() as connection:
        if width(connection) != indexer.encoder.dimensions:
            set_width(connection, indexer.encoder.dimensions)
            connection.execute(text("UPDATE benchmarks SET model = NULL WHERE model IS NOT NULL"))
        if every:
            connection.execute(text("UPDATE benchmarks SET model = NULL"))
        numbers = list(
            connection.execute(
                text("SELECT number FROM benchmarks WHERE model IS DISTINCT FROM :model ORDER BY number"), {"model": indexer.version}
            ).scalars()
        )
    before_import(engine, len(numbers))
    done = 0
    for batch in _batches(numbers):
        with engine.begin() as connection:
            changed(connection)
            _again(connection, indexer, batch)
        done += len(batch)
        tell(done, len(numbers))
    return len(numbers)


def _batches(numbers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), _BATCH):
        yield numbers[start : start + _BATCH]


def _again(connection: Connection, indexer: Indexer, numbers: list[int]) -> None:
    rows = connection.execute(
        text("SELECT number, organisation, title, text, sections FROM benchmarks WHERE number = ANY(:numbers)"), {"numbers": numbers}
    ).all()
    spans: dict[int, list[tuple[int, int]]] = {}
    for benchmark, start, stop in connection.execute(_SPANS, {"numbers": numbers}):
        spans.setdefault(benchmark, []).append((start, stop))
    whole: list[tuple[int, Indexed]] = []
    for row in rows:
        values: dict[str, Any] = {
            "number": row.number,
            "model": indexer.version,
            "normal": None,
            "search": indexer.search_vector(title=row.title, organisation=row.organisation, text=row.text or ""),
        }
        if row.text is not None:
            indexed = indexer.index(kept(row.text, row.sections or ()), spans.get(row.number))
            whole.append((row.number, indexed))
            values["normal"] = indexed.normal
        connection.execute(_UPDATE, values)
    connection.execute(text("DELETE FROM passages WHERE benchmark = ANY(:numbers)"), {"numbers": numbers})
    connection.execute(text("DELETE FROM fingerprints WHERE benchmark = ANY(:numbers)"), {"numbers": numbers})
    with explained(), driver(connection).cursor() as cursor:
        copy_passages(cursor, whole, indexer.encoder.dimensions)
        copy_prints(cursor, [(number, indexed.prints) for number, indexed in whole])


def kept(whole: str, sections: Any) -> Submission:
    """A stored text as a submission: its sections as they were found when it came in."""
    found = tuple(
        Section(each["key"], each["heading"], each["start"], each["start"] + len(each["heading"] or ""), each["end"], 0)
        for each in sections
    )
    document = Document("", "", "txt", whole)
    return Submission(document, None, None, found, (), (), (), end=len(whole))
