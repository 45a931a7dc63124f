"""What the commands of the library share: the setting, the database, what is said where."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from service.database.place import Place
from service.errors import ServiceError, reason
from service.parse import Reader

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.library.indexing import Indexer

_EMPTY = "标杆库里还没有内容。请先运行 biaogan library import 文件夹。"
_DONE, _FAILED = 0, 2
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Setting:
    """What the command line read from the environment."""

    place: Place
    models: Path | None
    embedding: Path | None
    reader: Callable[[], Reader]


@contextmanager
def opened(setting: Setting, *, begin: bool = True) -> Iterator[Engine]:
    """The database; with `begin` False None where there is none yet, so that looking makes nothing."""
    if not begin and not setting.place.begun:
        yield None  # type: ignore[misc]
        return
    from service.database.engine import close, connect  # noqa: PLC0415

    engine = connect(setting.place)
    try:
        yield engine
    finally:
        close(engine)


def asked(engine: Engine, question: Callable[[Connection], _Answer]) -> _Answer:
    with engine.connect() as connection:
        return question(connection)


@contextmanager
def bar(what: str, total: int | None) -> Iterator[Callable[[str, int], None]]:
    """A bar on a terminal's standard error, nothing when it is piped."""
    if not sys.stderr.isatty():
        yield lambda _name, _done: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda name, done: bar.update(task, description=f"{what} {name}", completed=done)


def word(value: str | None) -> str:
    from service.library.exporting import WORDS  # noqa: PLC0415

    return WORDS.get(value or "", value or "-")


def write_json(name: str, rows: Sequence[dict[str, Any]]) -> None:
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf8", "replace")
    if name == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write(Path(name), data)


def write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        told = f"写不了 {path}（{reason(error)}）。请检查文件夹权限和磁盘空间，或关闭正打开它的程序。"
        raise ServiceError("output_failed", told) from error


def say(line: str) -> None:
    print(line)  # noqa: T201


def warn(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


def indexer(setting: Setting) -> Indexer:
    from service.library.indexing import Indexer  # noqa: PLC0415
    from service.models import encoders  # noqa: PLC0415

    own, encoder = encoders(setting.models, setting.embedding)
    return Indexer(encoder, own)
