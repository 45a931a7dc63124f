"""Structured logs: a JSON object a line on standard error. No text of a write-up ever stands in them.

An exception may carry what it stumbled over, so of exceptions only kind and place are told, with the code of a ServiceError.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path

from service.errors import ServiceError

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_ROOT = Path(__file__).parent.parent
_TOLD = (str, int, float, bool, type(None))
_QUIET = ("alembic", "procrastinate", "asyncio", "uvicorn.error", "httpx", "pdfminer")  # what they tell below a warning is of no use here


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: value for name, value in vars(record).items() if name not in _PLAIN and isinstance(value, _TOLD)}
        if record.exc_info and record.exc_info[1] is not None:
            told |= trace(record.exc_info[1])
        return json.dumps(told, ensure_ascii=False)


def trace(error: BaseException) -> dict[str, object]:
    """Kind and place of an error: never its message, which may hold what was read."""
    frames = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    told: dict[str, object] = {"error": type(error).__qualname__, "trace": frames}
    if isinstance(error, ServiceError):
        told["code"] = error.code
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        told["cause"] = trace(cause)
    return told


def _short(name: str) -> str:
    path = Path(name)
    if path.is_relative_to(_ROOT):
        return path.relative_to(_ROOT).as_posix().rpartition("site-packages/")[2]
    return "/".join(path.parts[-2:])


def begin(level: int = logging.INFO) -> None:
    """From now on everything that is logged goes out so; in place of what was set before."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    sys.excepthook = lambda kind, error, _where: _unhandled(kind, error)
    threading.excepthook = lambda told: None if told.exc_value is None else _unhandled(told.exc_type, told.exc_value)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _unhandled(kind: type[BaseException], error: BaseException) -> None:
    logging.getLogger(__name__).critical("unhandled error", exc_info=(kind, error, error.__traceback__))
