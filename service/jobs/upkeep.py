"""What keeps the queue and the tables in order: work whose worker died is put back, what has expired is removed."""

from __future__ import annotations

import logging

from sqlalchemy import Engine, text

from service.database import queue
from service.database.files import Files

HEARTBEAT = 5.0  # seconds between a worker's signs of life
SILENCE = 20.0  # seconds without one after which it is taken for dead
_MOST = 5  # times that a task other than an analysis, which counts its own tries, is put back
_LOST = 60.0  # seconds after which what waits without a job is given one
_log = logging.getLogger(__name__)

# Taken by a worker that is dead or gone; or by one that lives and has finished with it, which the database was not there to be told.
_STALLED = """
SELECT j.id FROM queue.procrastinate_jobs j LEFT JOIN queue.procrastinate_workers w ON w.id = j.worker_id
WHERE j.status = 'doing' AND (
  w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => :silence)
  OR NOT EXISTS (
    SELECT FROM queue.procrastinate_events e WHERE e.job_id = j.id
    AND e.at > now() - CASE WHEN j.task_name = :analyse AND NOT EXISTS (
      SELECT FROM analyses a WHERE a.id = CAST(j.args->>'analysis' AS bigint) AND a.state = 'running'
    ) THEN interval '1 minute' ELSE interval '1 hour' END
  )
)
FOR UPDATE OF j SKIP LOCKED
"""
_REMOVE = """
DELETE FROM queue.procrastinate_jobs j WHERE j.id = ANY(:ids) AND (
  (j.task_name <> :analyse AND j.attempts >= :most)
  OR EXISTS (SELECT FROM queue.procrastinate_jobs o WHERE o.status = 'todo' AND o.queueing_lock = j.queueing_lock)
) RETURNING j.id, j.task_name, j.attempts
"""
_PUT_BACK = """
UPDATE queue.procrastinate_jobs SET status = 'todo', attempts = attempts + 1, worker_id = NULL, abort_requested = false
WHERE id = ANY(:ids) AND status = 'doing' RETURNING id
"""
_EXPIRED = (
    "DELETE FROM sessions WHERE expires_at < now()",
    "DELETE FROM sign_in_failures WHERE at < now() - interval '1 day'",
    "DELETE FROM idempotent_answers WHERE at < now() - interval '1 day'",
)


def mend(engine: Engine, *, silence: float = SILENCE) -> int:
    """Puts back what dead workers had taken, and what waits without a job; how much it was. Several workers may do it at once."""
    with engine.begin() as connection:
        values = {"analyse": queue.ANALYSE, "silence": silence}
        ids = list(connection.execute(text(_STALLED), values).scalars())
        put = 0
        if ids:
            for row in connection.execute(text(_REMOVE), {"ids": ids, "analyse": queue.ANALYSE, "most": _MOST}):
                _log.warning("a task is given up", extra={"job": row.id, "task": row.task_name, "attempts": row.attempts})
            put = len(connection.execute(text(_PUT_BACK), {"ids": ids}).all())
        put += queue.put_lost(connection, age=_LOST)
    if put:
        _log.info("put back", extra={"jobs": put})
    return put


def expire(engine: Engine, files: Files) -> None:
    """Removes drafts that nobody touched for long, sessions that are over, and what else is kept for a day."""
    from service.programme import drafts  # noqa: PLC0415 - of the whole programme this alone

    with engine.begin() as connection:
        drafts.expire(connection, files)
    with engine.begin() as connection:
        for statement in _EXPIRED:
            connection.execute(text(statement))
