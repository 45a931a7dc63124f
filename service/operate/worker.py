"""biaogan worker: analyses what waits in the queue, on any machine that reaches the database and the files."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from service import settings

if TYPE_CHECKING:
    from service.arguments import Parser
    from service.jobs.analyst import Setting


_NICE = 5


def add_command(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser("worker", help="启动一个后台审读进程，处理网页服务收到的材料", add_help=False)
    parser.add_argument("-h", "--help", action="help", help="显示用法")
    parser.add_argument("--attached", action="store_true", help=argparse.SUPPRESS)  # by serve: ends when that has gone, in whatever way
    parser.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="同时审读几份材料，默认 1；不宜超过处理器核数")


def _jobs(value: str) -> int:
    if not (value.isdecimal() and 0 < int(value) <= 64):
        raise argparse.ArgumentTypeError("须为 1 到 64 的整数")
    return int(value)


def run(options: argparse.Namespace) -> int:
    """Until it is interrupted; 0."""
    from service import logs  # noqa: PLC0415 - SQLAlchemy and procrastinate only where they are needed
    from service.jobs import worker  # noqa: PLC0415

    logs.begin(logging.WARNING if sys.stderr.isatty() else logging.INFO)
    if options.attached:
        os.nice(_NICE)  # pages come first where cores are few
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    worker.run(setting(settings.read()), jobs=options.jobs)
    return 0


def _end_with_parent() -> None:
    """The parent holds the other end of standard input, and the system closes that with it."""
    while os.read(sys.stdin.fileno(), 1):  # unbuffered: a lock held here would stand in the way of an orderly end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def setting(wanted: settings.Settings) -> Setting:
    """What an analysing child must know of the settings."""
    from service.jobs.analyst import Setting  # noqa: PLC0415

    return Setting(
        str(wanted.data.absolute()),
        wanted.database,
        wanted.files,
        None if wanted.models is None else str(wanted.models),
        None if wanted.embedding is None else str(wanted.embedding),
        wanted.convert,
        wanted.ocr,
        wanted.soffice,
    )
