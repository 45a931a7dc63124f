"""biaogan backup, restore and doctor: their arguments and what they say; the work is done in service/database."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from service.database.place import Place

if TYPE_CHECKING:
    from service.arguments import Parser
    from service.database.archive import Tell

_DONE, _TROUBLES = 0, 1
_NAMED = 10  # files named in one message
COMMANDS = ("backup", "restore", "doctor")


def add_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    backup = commands.add_parser("backup", help="把数据库和原文件存为一个备份文件", add_help=False)
    restore = commands.add_parser("restore", help="从备份文件恢复数据库和原文件", add_help=False)
    doctor = commands.add_parser("doctor", help="检查数据库和原文件，列出版本、大小和问题", add_help=False)
    for parser in (backup, restore, doctor):
        parser.add_argument("-h", "--help", action="help", help="显示用法")
    backup.add_argument("file", metavar="FILE", help="备份文件，例如 biaogan-20260301.zip；已存在的文件不会被覆盖")
    restore.add_argument("file", metavar="FILE", help="biaogan backup 写出的备份文件")
    restore.add_argument("--replace", action="store_true", help="数据库里已有内容时，用备份替换全部内容")
    doctor.add_argument("--mend", action="store_true", help="先修复不会丢失内容的问题：重建缺失或无效的索引，删除不属于任何标杆的文件")


def run(options: argparse.Namespace, place: Place) -> int:
    """The exit code: 0 when done and sound, 1 when something is wrong with the data."""
    if options.command == "backup":
        return _backup(Path(options.file), place)
    if options.command == "restore":
        return _restore(Path(options.file), place, replace=options.replace)
    return _doctor(place, mend=options.mend)


def _backup(path: Path, place: Place) -> int:
    from service.database.backup import backup  # noqa: PLC0415 - SQLAlchemy only where it is needed
    from service.database.engine import closing, connect  # noqa: PLC0415
    from service.database.files import open_store  # noqa: PLC0415

    with _progress() as tell, closing(connect(place)) as engine:
        made = backup(engine, open_store(place), path, tell=tell)
    rows = sum(table.rows for table in made.manifest.tables)
    _say(f"已备份到 {path}：{rows} 行数据，{len(made.manifest.files)} 个原文件，共 {made.size / 1048576:.1f} MB。")
    if made.manifest.missing:
        names = "、".join(f"{name[:12]}…" for name in made.manifest.missing[:_NAMED]) + (
            "等" if len(made.manifest.missing) > _NAMED else ""
        )
        told = f"有 {len(made.manifest.missing)} 个原文件已丢失或损坏，没有备份（SHA-256：{names}）。请运行 biaogan doctor 查看。"
        print(told, file=sys.stderr)  # noqa: T201
        return _TROUBLES
    return _DONE


def _restore(path: Path, place: Place, *, replace: bool) -> int:
    from service.database.engine import closing, connect  # noqa: PLC0415
    from service.database.files import open_store  # noqa: PLC0415
    from service.database.restore import restore  # noqa: PLC0415

    with _progress() as tell, closing(connect(place)) as engine:
        manifest = restore(engine, open_store(place), path, replace=replace, tell=tell)
    rows = sum(table.rows for table in manifest.tables)
    _say(f"已从 {path} 恢复：{rows} 行数据，{len(manifest.files)} 个原文件（{manifest.made_at} 的备份）。")
    if manifest.missing:
        print(f"有 {len(manifest.missing)} 个原文件在备份时就已丢失或损坏。请运行 biaogan doctor 查看。", file=sys.stderr)  # noqa: T201
        return _TROUBLES
    return _DONE


def _doctor(place: Place, *, mend: bool) -> int:
    if not place.begun:
        _say(f"还没有数据库：数据文件夹 {place.data} 里没有存过内容，第一次导入标杆时会建立。")
        return _DONE
    from service.database import examine  # noqa: PLC0415
    from service.database.engine import closing, open_engine  # noqa: PLC0415
    from service.database.files import open_store  # noqa: PLC0415
    from service.programme import audit  # noqa: PLC0415

    with _progress() as tell, closing(open_engine(place)) as engine:
        files = open_store(place)
        made, removed = examine.mend(engine, files) if mend else (0, 0)
        found = examine.examine(engine, files, place, tell=tell)
        unreadable = any(trouble.code == "database_damaged" for trouble in found.troubles)
        chain = None if unreadable else audit.look(engine)
    for name, value in found.facts:
        _say(f"{name}\t{value}")
    if chain is not None:
        last = f"，最后的校验值 {chain.last.hex()}" if chain.last is not None else ""
        _say(f"操作记录\t{chain.events} 条{last}")
    if mend:
        _say(f"已重建索引\t{made} 个")
        _say(f"已删除不属于任何标杆的文件\t{removed} 个")
    for trouble in found.troubles:
        _say(f"问题\t{trouble.message}")
    is_broken = chain is not None and chain.broken is not None
    if chain is not None and is_broken:
        _say(f"问题\t编号 {chain.broken} 的操作记录与写入时不同，或它前面缺了记录，数据库可能被人直接改动过。请用备份比对，并查明原因。")
    if not found.troubles and not is_broken:
        _say("没有发现问题。")
    return _TROUBLES if found.troubles or is_broken else _DONE


def _say(line: str) -> None:
    print(line)  # noqa: T201


@contextmanager
def _progress() -> Iterator[Tell]:
    """One line on a terminal's standard error that is written over, nothing when it is piped."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return

    def tell(what: str, done: int, total: int) -> None:
        print(f"\r\033[K{what} {done}/{total}", end="", file=sys.stderr, flush=True)  # noqa: T201

    try:
        yield tell
    finally:
        print("\r\033[K", end="", file=sys.stderr, flush=True)  # noqa: T201
