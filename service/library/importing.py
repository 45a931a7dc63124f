"""Files and the rows of a table into the library. Whatever ends it, each benchmark is wholly in or not at all; again, it goes on."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from service.database.files import Files
from service.database.keeping import keep
from service.errors import ServiceError, Unreadable, reason
from service.library.benchmark import Entry
from service.library.change import amend
from service.library.describing import Described, Given, describe, edition_for, given, title_only, year_of
from service.library.indexing import Indexer
from service.library.manifest import Manifest, Row
from service.library.write import Prepared, store
from service.model import Document
from service.parse import Reading
from service.segment import segment

State = Literal["added", "updated", "same", "repeated", "failed"]
_BATCH = 40  # benchmarks a transaction
_AHEAD = 2  # transactions that may wait while more is read


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to import: a file with what the caller says of it, or a row without a file. `error`: the row makes no sense."""

    name: str  # as told to the reader: the path below the folder, or the row's number
    path: Path | None
    said: Given
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an item. `entry` is what was or would be stored; `message` Chinese: what went wrong and how to mend it, or guesses."""

    name: str
    state: State
    id: str | None = None
    entry: Entry | None = None
    message: str = ""


# --- what there is to do -----------------------------------------------------------------------------------------------------------


def items(files: Sequence[Path], default: Given, *, root: Path | None = None, manifest: Manifest | None = None) -> list[Item]:
    """Each file with its row, then the rows without a file. A row is matched by its path, the file's name, or the name without suffix."""
    rows: dict[Path, Item] = {}
    alone: list[Item] = []
    places = _places(files, root)
    for row in () if manifest is None else manifest.rows:
        item = _item(row, places, default, root)
        if item.path is not None and item.path in rows:
            item = Item(f"清单第 {row.line} 行", None, default, f"与前面的行写了同一个文件 {item.name}。请删去其中一行。")
        if item.path is None:
            alone.append(item)
        else:
            rows[item.path] = item
    return [*(rows.get(path) or Item(_name(path, root), path, default) for path in files), *alone]


def _name(path: Path, root: Path | None) -> str:
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else str(path)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().replace("\\", "/").removeprefix("./")


def _places(files: Sequence[Path], root: Path | None) -> dict[str, list[Path]]:
    """By path below the folder, by name, by name without suffix; the surest first."""
    found: dict[str, list[Path]] = {}
    for told in (lambda path: _name(path, root), lambda path: path.name, lambda path: path.stem):
        level: dict[str, list[Path]] = {}
        for path in files:
            level.setdefault(_key(told(path)), []).append(path)
        for key, paths in level.items():
            found.setdefault(key, paths)
    return found


def _item(row: Row, places: dict[str, list[Path]], default: Given, root: Path | None) -> Item:
    label = f"清单第 {row.line} 行"
    values = dict(row.values)
    file = values.pop("file", "")
    path = None
    if file:
        paths = places.get(_key(file), [])
        if len(paths) != 1:
            why = f"文件“{file}”有 {len(paths)} 个，请写明路径" if paths else f"文件夹里没有文件“{file}”，请补上文件或改正文件名"
            return Item(label, None, default, why + "。")
        path = paths[0]
        label = _name(path, root)
    try:
        return Item(label, path, given(values, default))
    except ServiceError as error:
        return Item(label, path, default, f"清单第 {row.line} 行：{error.message}")


def fingerprint(path: Path) -> str | None:
    """SHA-256 of the file; None where it cannot be read, which the reader will explain."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


# --- doing it ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Importer:
    """`engine` None: nothing is stored, only told (a dry run without a library); `store` False: a dry run."""

    engine: Engine | None
    files: Files | None
    indexer: Callable[[], Indexer]
    read: Callable[[Iterable[Path]], Iterator[Reading]]  # in order
    today: date
    root: Path | None = None
    store: bool = True

    def run(self, several: Sequence[Item]) -> Iterator[Outcome]:
        """An Outcome for each item, those of files in order."""
        known = self._known()
        fresh: list[Item] = []
        seen: dict[str, str] = {}
        for item in several:
            early = self._early(item, known, seen)
            if early is not None and early.state == "same" and early.id is not None:
                yield self._again(item, early.id)
            elif early is not None:
                yield early
            else:
                fresh.append(item)
        yield from self._title_only([item for item in fresh if item.path is None])
        yield from self._files([item for item in fresh if item.path is not None])

    def _early(self, item: Item, known: dict[str, str], seen: dict[str, str]) -> Outcome | None:
        """What needs no reading: rows that make no sense, files that are in the library or came before."""
        if item.error is not None:
            return Outcome(item.name, "failed", message=item.error)
        if item.path is None:
            return None
        sha256 = fingerprint(item.path)
        if sha256 is None:
            return None
        first = seen.setdefault(sha256, item.name)
        if first != item.name:
            return Outcome(item.name, "repeated", known.get(sha256), message=f"与 {first} 内容相同")
        return Outcome(item.name, "same", known[sha256], message="库里已有") if sha256 in known else None

    def _again(self, item: Item, known: str) -> Outcome:
        """An entry that is there already says from now on what is said of it now."""
        assert self.engine is not None
        try:
            with self.engine.begin() as connection:
                differences = amend(connection, self.indexer, known, item.said, store=self.store)
        except ServiceError as error:
            return Outcome(item.name, "failed", known, message=error.message)
        told = "；".join(each.told() for each in differences)
        return Outcome(item.name, "updated", known, message=told) if differences else Outcome(item.name, "same", known, message="库里已有")

    def _known(self) -> dict[str, str]:
        if self.engine is None:
            return {}
        with self.engine.connect() as connection:
            return {row.sha256: row.id for row in connection.execute(text("SELECT sha256, id FROM benchmarks WHERE sha256 IS NOT NULL"))}

    # --- rows without a file

    def _title_only(self, several: Sequence[Item]) -> Iterator[Outcome]:
        for start in range(0, len(several), 8 * _BATCH):
            entries: list[tuple[Item, Entry]] = []
            for item in several[start : start + 8 * _BATCH]:
                try:
                    entries.append((item, title_only(item.said)))
                except ServiceError as error:
                    yield Outcome(item.name, "failed", message=error.message)
            yield from self._listed(entries)

    def _listed(self, entries: Sequence[tuple[Item, Entry]]) -> Iterator[Outcome]:
        known: dict[tuple[int, str, str], str] = {}
        if self.engine is not None:
            with self.engine.connect() as connection:
                known = {_same(row.year, row.organisation, row.title): row.id for row in connection.execute(_TITLES)}
        fresh: dict[tuple[int, str, str], tuple[Item, Entry]] = {}
        for item, entry in entries:
            key = _same(entry.year, entry.organisation, entry.title)
            if key in known:
                yield self._again(item, known[key])
            elif key in fresh:
                yield Outcome(item.name, "repeated", None, entry, f"与 {fresh[key][0].name} 相同")
            else:
                fresh[key] = (item, entry)
        if not self.store or self.engine is None:
            for item, entry in fresh.values():
                yield Outcome(item.name, "added", entry=entry, message="只有标题")
            return
        indexer = self.indexer()
        with self.engine.begin() as connection:
            prepared = [
                Prepared(entry, indexer.search_vector(title=entry.title, organisation=entry.organisation, text=""), None, indexer.version)
                for _, entry in fresh.values()
            ]
            ids = store(connection, prepared) if prepared else []
        for (item, entry), number in zip(fresh.values(), ids, strict=True):
            yield Outcome(item.name, "added", number, entry, "只有标题")

    # --- files

    def _files(self, several: Sequence[Item]) -> Iterator[Outcome]:
        """Reading, indexing and storing overlap: the database works while the next texts are indexed."""
        waiting: deque[Future[list[Outcome]]] = deque()
        batch: list[tuple[Item, Described, Prepared]] = []
        paths = [item.path for item in several if item.path is not None]
        with ThreadPoolExecutor(1, "store") as storing:
            try:
                for item, reading in zip(several, self.read(paths), strict=True):
                    try:
                        described, prepared = self._prepared(item, reading)
                    except ServiceError as error:
                        yield Outcome(item.name, "failed", message=error.message)
                        self._note([Outcome(item.name, "failed", message=error.message)])
                        continue
                    if prepared is None:
                        yield Outcome(item.name, "added", entry=described.entry, message="；".join(described.guessed))
                        continue
                    batch.append((item, described, prepared))
                    if len(batch) >= _BATCH:
                        waiting.append(storing.submit(self._stored, batch))
                        batch = []
                    while waiting and (len(waiting) > _AHEAD or waiting[0].done()):
                        yield from waiting.popleft().result()
                if batch:
                    waiting.append(storing.submit(self._stored, batch))
                while waiting:
                    yield from waiting.popleft().result()
            except BaseException:
                storing.shutdown(cancel_futures=True)
                raise

    def _prepared(self, item: Item, reading: Reading) -> tuple[Described, Prepared | None]:
        """What is stored of a file that was read; None in a dry run."""
        document = reading.outcome
        if isinstance(document, Unreadable):
            raise document
        assert isinstance(document, Document)
        assert item.path is not None
        if not document.text.strip():
            raise Unreadable("no_text", "没有读出任何文字。请提交 Word 文件、带文字层的 PDF，或启用文字识别。")
        said = item.said
        submission = segment(document, edition_for(said.year or year_of(item.path, self.root, self.today), said.edition).sections)
        described = describe(submission, said, path=item.path, root=self.root, today=self.today)
        if not self.store:
            return described, None
        indexer = self.indexer()
        indexed = indexer.index(submission)
        entry = described.entry
        search = indexer.search_vector(title=entry.title, organisation=entry.organisation, text=indexed.text)
        return described, Prepared(entry, search, indexed, indexer.version)

    def _stored(self, batch: Sequence[tuple[Item, Described, Prepared]]) -> list[Outcome]:
        """One transaction; where another process stored one of these files meanwhile, one for each."""
        try:
            return self._transaction(batch)
        except IntegrityError:
            if len(batch) == 1:
                item, described, _ = batch[0]
                return [Outcome(item.name, "same", entry=described.entry, message="库里已有")]
            return [outcome for each in batch for outcome in self._stored([each])]

    def _transaction(self, batch: Sequence[tuple[Item, Described, Prepared]]) -> list[Outcome]:
        assert self.engine is not None
        assert self.files is not None
        kept: list[tuple[Item, Described, Prepared]] = []
        outcomes: list[Outcome] = []
        with self.engine.begin() as connection:
            for item, described, prepared in batch:
                assert item.path is not None
                try:
                    data = item.path.read_bytes()
                except OSError as error:
                    outcomes.append(Outcome(item.name, "failed", message=f"读不了（{reason(error)}）。请检查文件和权限后再导入。"))
                    continue
                if keep(connection, self.files, data) != described.entry.sha256:
                    outcomes.append(Outcome(item.name, "failed", message="导入时文件正在被修改。请关闭正打开它的程序后再导入。"))
                    continue
                kept.append((item, described, prepared))
            ids = store(connection, [prepared for _, _, prepared in kept])
            for (item, described, _), number in zip(kept, ids, strict=True):
                outcomes.append(Outcome(item.name, "added", number, described.entry, "；".join(described.guessed)))
            self._record(connection, outcomes)
        return outcomes

    def _note(self, outcomes: Sequence[Outcome]) -> None:
        if self.engine is not None and self.store:
            with suppress(ServiceError), self.engine.begin() as connection:
                self._record(connection, outcomes)

    def _record(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """What became of each file, for whoever asks later."""
        folder = str(self.root or "")
        for outcome in outcomes:
            connection.execute(
                _RECORD,
                {
                    "folder": folder,
                    "file": outcome.name.encode("utf8", "replace").decode("utf8"),
                    "sha256": outcome.entry.sha256 if outcome.entry else None,
                    "state": outcome.state,
                    "message": outcome.message,
                    "benchmark": outcome.id,
                },
            )


_TITLES = text("SELECT id, year, organisation, title FROM benchmarks")
_RECORD = text(
    "INSERT INTO imports (folder, file, sha256, state, message, benchmark) VALUES (:folder, :file, :sha256, :state, :message, :benchmark)"
    " ON CONFLICT (folder, file) DO UPDATE SET sha256 = excluded.sha256, state = excluded.state, message = excluded.message,"
    " benchmark = excluded.benchmark, at = now()"
)


def _same(year: int, organisation: str, title: str) -> tuple[int, str, str]:
    return year, "".join(organisation.split()), "".join(title.split())
