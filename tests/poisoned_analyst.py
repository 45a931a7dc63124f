"""An analysing child that misbehaves by what a text says, for tests/test_jobs.py."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from service import logs
from service.jobs import analysing, analyst

_analysed = analysing.analysed


def analysed(file: Any, *, files: Any, **options: Any) -> Any:
    text = files.get(file.sha256)
    if b"DIE" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"RAISE" in text:
        raise RuntimeError("某公司的内部材料")
    if b"SLOW" in text:
        time.sleep(1.0)
    if b"STUCK" in text:
        time.sleep(600)
    return _analysed(file, files=files, **options)


if __name__ == "__main__":
    logs.begin()
    analysing.analysed = analysed  # type: ignore[assignment]
    analyst.main(int(sys.argv[1]))
