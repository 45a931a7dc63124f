"""Durable work in the background: analyses, comparing submissions, expiry.

Work is put in by the transaction that stores what it is about (service/database/queue.py); workers on any machine that reaches database
and files take it out (worker.py), run it in child processes of their own (analyst.py) and store what came of it (tasks.py). `run_waiting`
does the same in this process, for tests.
"""

from __future__ import annotations

from service.database.queue import prepare

__all__ = ["prepare"]
