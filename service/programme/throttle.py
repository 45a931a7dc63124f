"""Wrong passwords make the next try wait: by name (whoever asks) and by address (whatever name)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from service.database.programme_tables import sign_in_failures as failures

_FREE = 5  # failures of a name before it waits
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(minutes=15)  # doubled by every further failure
_MEMORY = timedelta(hours=1)  # of a name's failures
_ADDRESS, _WINDOW = 20, timedelta(minutes=15)  # failures of an address, and in how long
_KEPT = timedelta(days=1)


def seconds_to_wait(connection: Connection, name: str, address: str) -> int:
    """0: the password may be tried. A name that no account has waits like any other."""
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    waits = [_of_name(connection, name, now), _of_address(connection, address, now)]
    return max(0, *(-(-int(wait.total_seconds() * 1000) // 1000) for wait in waits))


def told(seconds: int) -> str:
    """What somebody reads who has to wait."""
    wait = f"{seconds} 秒" if seconds < 90 else f"{-(-seconds // 60)} 分钟"
    return f"登录失败的次数太多，请等 {wait}后再试。如忘记密码，请联系管理员发一个新的登录链接。"


def failed(connection: Connection, name: str, address: str) -> None:
    connection.execute(failures.insert().values(name=name, address=address, at=func.clock_timestamp()))


def forget(connection: Connection, name: str) -> None:
    """After the right password, or when an administrator made a new link."""
    connection.execute(failures.delete().where(failures.c.name == name))


def sweep(connection: Connection) -> None:
    connection.execute(failures.delete().where(failures.c.at < func.now() - _KEPT))


def _of_name(connection: Connection, name: str, now: datetime) -> timedelta:
    query = select(func.count(), func.max(failures.c.at)).where(failures.c.name == name, failures.c.at > now - _MEMORY)
    number, last = connection.execute(query).one()
    if number < _FREE:
        return timedelta()
    wait: timedelta = last + min(_LONGEST, _FIRST * 2 ** min(number - _FREE, 10)) - now
    return wait


def _of_address(connection: Connection, address: str, now: datetime) -> timedelta:
    mine = select(failures.c.at).where(failures.c.address == address, failures.c.at > now - _WINDOW)
    oldest = connection.execute(mine.order_by(failures.c.at.desc()).offset(_ADDRESS - 1).limit(1)).scalar()
    return timedelta() if oldest is None else oldest + _WINDOW - now
