"""Changes to what is in the library: removed, revoked, indexed anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from service.database.files import Files
from service.database.keeping import let_go
from service.database.tables import changed, set_width, width
from service.errors import ServiceError
from service.library.describing import Given
from service.library.exporting import HEADS, cell
from service.library.indexing import Indexed, Indexer
from service.library.read import unknown
from service.library.upkeep import before_import
from service.library.write import clean, copy_passages, copy_prints, driver, explained
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
            let_go(connection, files, [row.sha256])


def revoke(engine: Engine, wanted: str, *, reason: str, on: date, replace: bool = False) -> None:
    """`revoke_one` in a transaction of its own."""
    with engine.begin() as connection:
        revoke_one(connection, wanted, reason=reason, on=on, replace=replace)


def revoke_one(connection: Connection, wanted: str, *, reason: str, on: date, replace: bool = False) -> None:
    """动态管理: no longer a benchmark from that day; still compared with, since it may be copied like any other.

    ServiceError where it was revoked before, whose reason and day stay, unless `replace`.
    """
    if not reason.strip():
        raise ServiceError("reason_missing", "请用 --reason 写明撤销的原因，例如“发生重大质量事故”。")
    row = _locked(connection, wanted)
    if row.status == "revoked" and not replace:
        when = row.revoked_on.isoformat() if row.revoked_on else "没有写日期"
        was = f"{wanted} 已经撤销（{when}，{row.revoked_reason or '没有写原因'}），没有改动。"
        told = f"{was}要改原因和日期请加 --replace，要恢复请运行 biaogan library reinstate {wanted}。"
        raise ServiceError("already_revoked", told, status=409)
    connection.execute(
        text("UPDATE benchmarks SET status = 'revoked', revoked_reason = :reason, revoked_on = :on, changed_at = now() WHERE id = :id"),
        {"id": wanted, "reason": " ".join(clean(reason).split()), "on": on},
    )
    changed(connection)


def reinstate(engine: Engine, wanted: str) -> None:
    """`reinstate_one` in a transaction of its own."""
    with engine.begin() as connection:
        reinstate_one(connection, wanted)


def reinstate_one(connection: Connection, wanted: str) -> None:
    """Undoes `revoke_one`; ServiceError where the benchmark is in force."""
    if _locked(connection, wanted).status != "revoked":
        told = f"{wanted} 没有撤销，不需要恢复。请运行 biaogan library list --status 已撤销 查看编号。"
        raise ServiceError("not_revoked", told, status=409)
    connection.execute(
        text("UPDATE benchmarks SET status = 'in_force', revoked_reason = NULL, revoked_on = NULL, changed_at = now() WHERE id = :id"),
        {"id": wanted},
    )
    changed(connection)


def _locked(connection: Connection, wanted: str) -> Row[Any]:
    statement = "SELECT status, revoked_reason, revoked_on FROM benchmarks WHERE id = :id FOR UPDATE"
    row = connection.execute(text(statement), {"id": wanted}).one_or_none()
    if row is None:
        raise unknown(wanted)
    return row


@dataclass(frozen=True, slots=True)
class Difference:
    """What an entry says and what is said of it now, as `Benchmark.row` has both."""

    name: str
    before: Any
    after: Any

    def told(self) -> str:
        return f"{HEADS[self.name]} {_shown(self.name, self.before)}→{_shown(self.name, self.after)}"


def _shown(name: str, value: Any) -> str:
    return str(cell(name, value.isoformat() if isinstance(value, date) else value)) or "（空）"


_KNOWN = (
    "year",
    "level",
    "organisation",
    "title",
    "credit_code",
    "former_names",
    "edition",
    "areas",
    "status",
    "revoked_reason",
    "revoked_on",
)
_SEARCHED = {"organisation", "title"}


_EMPTY: dict[str, Any] = {"level": None, "credit_code": None, "former_names": [], "edition": None, "areas": []}


def amend(
    connection: Connection,
    indexer: Callable[[], Indexer],
    wanted: str,
    said: Given,
    *,
    store: bool = True,
    emptied: Collection[str] = (),
) -> list[Difference]:
    """What is said of an entry is written over what it said; what is not said stays, and so does the id. ServiceError where there is none.

    With `store` False the differences are only told. `emptied`: what may be empty and is to be (level, credit_code, former_names,
    edition, areas).
    """
    columns = ", ".join(_KNOWN)
    row = connection.execute(text(f"SELECT {columns}, model FROM benchmarks WHERE id = :id"), {"id": wanted}).one_or_none()  # noqa: S608 - constants
    if row is None:
        raise unknown(wanted)
    after = {name: value for name in _KNOWN if (value := _plain(getattr(said, name))) not in (None, "", [])}
    after |= {name: _EMPTY[name] for name in emptied if name not in after}
    if after.get("status") == "in_force" and row.status == "revoked":
        after |= {"revoked_reason": None, "revoked_on": None}
    found = [Difference(name, getattr(row, name), value) for name, value in after.items() if _plain(getattr(row, name)) != value]
    if not found or not store:
        return found
    sets = ", ".join(f"{each.name} = :{each.name}" for each in found)
    values = {each.name: each.after for each in found}
    connection.execute(text(f"UPDATE benchmarks SET {sets}, changed_at = now() WHERE id = :id"), {**values, "id": wanted})  # noqa: S608 - constants
    if values.keys() & _SEARCHED and row.model == indexer().version:
        _reword(connection, indexer(), wanted)
    changed(connection)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return clean(" ".join(value.split()))
    return [_plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def _reword(connection: Connection, indexer: Indexer, wanted: str) -> None:
    row = connection.execute(text("SELECT title, organisation, text FROM benchmarks WHERE id = :id"), {"id": wanted}).one()
    search = indexer.search_vector(title=row.title, organisation=row.organisation, text=row.text or "")
    connection.execute(
        text("UPDATE benchmarks SET search = CAST(:search AS tsvector) WHERE id = :id"), {"search": clean(search), "id": wanted}
    )


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
