"""What the database's errors mean to the person at the keyboard: ServiceErrors that never hold a password or a text of a write-up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from service.errors import ServiceError

_DAMAGED = "数据库的数据文件读不出来，磁盘可能有故障。请先运行 biaogan doctor，再从备份恢复。"
_BUSY = "数据库正忙：连接已用完，或另一个进程占着要用的数据。请稍后再试。"
_FULL = "数据库所在的磁盘已满，这次修改没有写入，已有数据没有损坏。请清出空间后再试。"
_LOST = "与数据库的连接中断了，这次修改没有写入。请确认数据库在运行，然后再试。"
_FORBIDDEN = "数据库用户没有所需的权限。请让管理员把库的所有权交给这个用户，或改用所有者的用户名。"
_READ_ONLY = "数据库是只读的，可能连到了备用服务器。请在 BIAOGAN_DATABASE_URL 里写主服务器的地址。"
_MEMORY = "数据库的内存不够，这次修改没有写入。请关闭其他程序，或减少同时处理的文件后再试。"
_PASSWORD = "数据库不接受这个用户名或密码。请检查 BIAOGAN_DATABASE_URL 里的用户名和密码。"  # noqa: S105 - a message
_MISSING = "服务器上没有这个数据库。请让管理员建立它，或改正 BIAOGAN_DATABASE_URL 里的库名。"

# SQLSTATE, or the first two characters of its class -> code, message, status. https://www.postgresql.org/docs/current/errcodes-appendix.html
_STATES = {
    "08": ("database_lost", _LOST, 503),
    "25006": ("database_readonly", _READ_ONLY, 503),
    "28": ("database_password", _PASSWORD, 503),
    "3D000": ("database_missing", _MISSING, 503),
    "42501": ("database_forbidden", _FORBIDDEN, 503),
    "53100": ("disk_full", _FULL, 507),
    "53200": ("database_memory", _MEMORY, 503),
    "40001": ("database_busy", _BUSY, 503),
    "40P01": ("database_busy", _BUSY, 503),  # two waited for each other, and this one was broken off
    "53300": ("database_busy", _BUSY, 503),
    "55P03": ("database_busy", _BUSY, 503),
    "57P": ("database_lost", _LOST, 503),
    "58030": ("database_damaged", _DAMAGED, 500),
    "XX001": ("database_damaged", _DAMAGED, 500),
    "XX002": ("database_damaged", _DAMAGED, 500),
}
# libpq gives no SQLSTATE for a refused connection; its words where the server speaks English.
_SAID = (
    ("password authentication failed", "28"),
    ("no password supplied", "28"),
    ("no pg_hba.conf entry", "28"),
    ("permission denied for database", "42501"),
    ("too many clients", "53300"),
    ("remaining connection slots", "53300"),
)

_UNREACHABLE = (
    ("Connection refused", "对方拒绝连接，服务器可能没有运行或端口不对"),
    ("could not translate host name", "没有这个主机名"),
    ("failed to resolve host", "没有这个主机名"),
    ("Name or service not known", "没有这个主机名"),
    ("No such file or directory", "文件不存在，服务器可能没有运行"),
    ("timeout expired", "等了很久没有应答"),
    ("connection timeout", "等了很久没有应答"),
    ("SSL", "加密连接没有谈成"),
)


def explain(error: BaseException, where: str) -> ServiceError | None:
    """The ServiceError for an error of psycopg; None where it is the program's own fault and should be seen as it is."""
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate or _said(str(error))
    known = next((part for part in (state, state[:3], state[:2]) if part in _STATES), None)
    if known is not None:
        code, message, status = _STATES[known]
        return ServiceError(code, f"{message}（{where}）", status=status)
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        said = next((meant for words, meant in _UNREACHABLE if words in str(error)), "没有应答")
        told = f"连不上数据库（{where}）：{said}。请检查服务器是否在运行、BIAOGAN_DATABASE_URL 里的地址和端口是否写对。"
        return ServiceError("database_unreachable", told, status=503)
    return None


def _said(message: str) -> str:
    if "database " in message and "does not exist" in message:
        return "3D000"
    if any(words in message for words in ("server closed the connection", "connection is closed", "the connection is lost")):
        return "08"
    return next((state for words, state in _SAID if words in message), "")


@contextmanager
def explained(where: str) -> Iterator[None]:
    """For psycopg's own calls, as COPY, which pass the engine's events by."""
    try:
        yield
    except psycopg.Error as error:
        told = explain(error, where)
        if told is None:
            raise
        raise told from error
