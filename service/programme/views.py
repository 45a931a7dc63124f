"""Saved views of the list: an address's query under a name of its owner's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from service.database.programme_tables import saved_views
from service.errors import ServiceError
from service.programme import listing
from service.programme.viewer import Viewer, not_found

_MOST = 50
_LONGEST = 40  # characters of a name


@dataclass(frozen=True, slots=True)
class View:
    id: int
    name: str
    query: str


def mine(connection: Connection, viewer: Viewer) -> list[View]:
    rows = connection.execute(select(saved_views).where(saved_views.c.account == viewer.id).order_by(saved_views.c.id))
    return [View(row.id, row.name, row.query) for row in rows]


def save(connection: Connection, viewer: Viewer, name: str, query: Mapping[str, str]) -> View:
    """Under a name that there is already the query is replaced."""
    name = _named(name)
    kept = urlencode({key: value for key, value in listing.parse(query).query().items() if key != "page"})
    count = connection.execute(select(func.count()).where(saved_views.c.account == viewer.id, saved_views.c.name != name)).scalar_one()
    if count >= _MOST:
        raise ServiceError("views_full", f"已保存 {_MOST} 个视图，不能再多。请先删除不用的视图。")
    new = insert(saved_views).values(account=viewer.id, name=name, query=kept)
    row = connection.execute(new.on_conflict_do_update(constraint="saved_views_name", set_={"query": kept}).returning(saved_views.c.id))
    return View(row.scalar_one(), name, kept)


def rename(connection: Connection, viewer: Viewer, id_: int, name: str) -> None:
    name = _named(name)
    taken = select(saved_views.c.id).where(saved_views.c.account == viewer.id, saved_views.c.name == name, saved_views.c.id != id_)
    if connection.execute(taken).scalar() is not None:
        raise ServiceError("view_name_taken", f"已有名为“{name}”的视图。请换一个名称。", status=409)
    own = (saved_views.c.account == viewer.id, saved_views.c.id == id_)
    if not connection.execute(update(saved_views).where(*own).values(name=name).returning(saved_views.c.id)).scalar():
        not_found("这个视图")


def remove(connection: Connection, viewer: Viewer, id_: int) -> None:
    own = (saved_views.c.account == viewer.id, saved_views.c.id == id_)
    if not connection.execute(delete(saved_views).where(*own).returning(saved_views.c.id)).scalar():
        not_found("这个视图")


def read(query: str) -> dict[str, str]:
    """The names and values of an address's query."""
    return dict(parse_qsl(query))


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST:
        raise ServiceError("view_name_invalid", f"请给视图起一个 1 到 {_LONGEST} 个字的名称。")
    return name
