"""A call sent twice with one idempotency key is done once: its answer is kept for a day and given again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, func, select

from service.database.programme_tables import idempotent_answers
from service.errors import ServiceError
from service.programme.viewer import Viewer

KEPT = timedelta(hours=24)
_KEY = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def before(connection: Connection, viewer: Viewer, key: str, *, request: bytes) -> Answer | None:
    """The answer of the first call; None where this is it. `request` is a digest of what is asked.

    ServiceError where the key stands for another request (422), or where the first call is under way (409): it holds the key until its
    transaction ends, together with what it does.
    """
    if _KEY.fullmatch(key) is None:
        told = "请求头 Idempotency-Key 应为 1 到 200 个可见的英文字符，例如一个随机的 UUID。"
        raise ServiceError("idempotency_key_invalid", told, status=422)
    if not connection.execute(select(func.pg_try_advisory_xact_lock(_lock(viewer, key)))).scalar_one():
        told = "带着同一个 Idempotency-Key 的请求正在处理。请稍后用同样的内容再试，会得到它的结果。"
        raise ServiceError("idempotency_under_way", told, status=409)
    table = idempotent_answers
    connection.execute(delete(table).where(table.c.account == viewer.id, table.c.at < func.now() - KEPT))
    row = connection.execute(select(table).where(table.c.account == viewer.id, table.c.key == key)).one_or_none()
    if row is None:
        return None
    if row.request != request:
        told = "这个 Idempotency-Key 已用于另一个请求，没有执行。请为新的请求换一个。"
        raise ServiceError("idempotency_mismatch", told, status=422)
    return Answer(row.status, row.headers, row.body)


def keep(connection: Connection, viewer: Viewer, key: str, answer: Answer, *, request: bytes) -> None:
    """Keeps the answer in the transaction of what was done: both are there, or neither."""
    values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    connection.execute(idempotent_answers.insert().values(account=viewer.id, key=key, request=request, **values))


def _lock(viewer: Viewer, key: str) -> int:
    """Among PostgreSQL's advisory locks: 63 bits."""
    name = hashlib.sha256(f"idempotent/{viewer.id}/{key}".encode()).digest()
    return int.from_bytes(name[:8], "big") >> 1
