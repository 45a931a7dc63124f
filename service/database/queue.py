"""The queue: procrastinate's tables in a PostgreSQL schema of their own, and how work is put into them.

Nothing in it is kept for long and nothing is only there: what waits stands in the table `analyses` as well. So it is no part of a backup,
and it is dropped and made again where it is another version's. Its functions find its tables whatever a connection's search path is:
work is put in by the transaction that stores what is to be worked on, and comes in or not together with that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from service.database.migrate import lock

SCHEMA = "queue"
ANALYSE, COMPARE, EXPIRE = "analyse", "compare", "expire"  # tasks
_FORM = 1  # of what stands here beside procrastinate's own tables
NAMELESS = "申报材料"  # where no upload tells the file's name any more

_FUNCTIONS = """
SELECT format('ALTER FUNCTION %s SET search_path = queue, pg_catalog', oid::regprocedure) FROM pg_proc
WHERE pronamespace = 'queue'::regnamespace
"""
_STAGE_TIMES = "CREATE TABLE queue.stage_times (stage text PRIMARY KEY, milliseconds float8 NOT NULL, files bigint NOT NULL)"
_ENQUEUE = """
INSERT INTO queue.procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args)
VALUES ('work', :task, :priority, :key, CAST(:arguments AS jsonb))
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""
# What waits, or was under way when its job was lost, and has no job: after a restore, a change of version, a crash at a bad moment.
_LOST = f"""
WITH lost AS (
  SELECT a.id, a.state FROM analyses a
  WHERE a.state IN ('waiting', 'running') AND a.wanted_at < now() - make_interval(secs => :age) AND NOT EXISTS (
    SELECT FROM queue.procrastinate_jobs j WHERE j.status IN ('todo', 'doing') AND j.queueing_lock = '{ANALYSE}:' || a.id
  )
  FOR UPDATE OF a SKIP LOCKED
), jobs AS (
  INSERT INTO queue.procrastinate_jobs (queue_name, task_name, queueing_lock, args)
  SELECT 'work', '{ANALYSE}', '{ANALYSE}:' || lost.id, jsonb_build_object('analysis', lost.id, 'name', coalesce(
    (SELECT file_name FROM submission_versions v WHERE v.analysis = lost.id ORDER BY v.uploaded_at LIMIT 1),
    (SELECT file_name FROM draft_versions v WHERE v.analysis = lost.id ORDER BY v.uploaded_at LIMIT 1), '{NAMELESS}'))
  FROM lost ORDER BY lost.id
  ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
)
SELECT count(*) FROM lost
"""  # noqa: S608 - names of ours


def prepare(engine: Engine) -> None:
    """Makes the queue where there is none or another version's, and puts in what waits. Call it at the start of web and worker."""
    version = f"procrastinate {metadata.version('procrastinate')} form {_FORM}"
    with engine.begin() as connection:
        if _version(connection) != version:
            lock(connection)
            if _version(connection) != version:
                _make(connection, version)
    with engine.begin() as connection:
        put_lost(connection, age=0)


def _version(connection: Connection) -> str | None:
    """What made the queue that is there; None where there is none."""
    found: str | None = connection.execute(
        text("SELECT obj_description(to_regnamespace(:schema)::oid, 'pg_namespace')"), {"schema": SCHEMA}
    ).scalar()
    return found


def _make(connection: Connection, version: str) -> None:
    distribution = metadata.distribution("procrastinate")  # its text is read without importing the package, which takes its time
    tables = Path(str(distribution.locate_file("procrastinate/sql/schema.sql"))).read_text("utf8")
    before = connection.execute(text("SELECT current_setting('search_path')")).scalar_one()
    connection.execute(text("DROP SCHEMA IF EXISTS queue CASCADE"))
    connection.execute(text("CREATE SCHEMA queue"))
    connection.execute(text("SET LOCAL search_path = queue"))
    connection.exec_driver_sql(tables.replace("%", "%%"))
    for statement in connection.execute(text(_FUNCTIONS)).scalars().all():
        connection.exec_driver_sql(statement)
    connection.execute(text("SELECT set_config('search_path', :before, true)"), {"before": before})
    connection.execute(text(_STAGE_TIMES))
    connection.exec_driver_sql(f"COMMENT ON SCHEMA queue IS '{version}'")


def enqueue(connection: Connection, task: str, key: int, arguments: Mapping[str, object], *, priority: int = 0) -> None:
    """Puts work in, in the caller's transaction; nothing where the same work waits already. What has a higher priority comes first."""
    values = {"task": task, "priority": priority, "key": f"{task}:{key}", "arguments": json.dumps(arguments, ensure_ascii=False)}
    connection.execute(text(_ENQUEUE), values)


def put_lost(connection: Connection, *, age: float) -> int:
    """Puts in again what was wanted at least `age` seconds ago and has no job; how much it was."""
    found: int = connection.execute(text(_LOST), {"age": age}).scalar_one()
    return found
