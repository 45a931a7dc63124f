"""Who asks: the signed-in user as every domain function sees him."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NoReturn

from service.errors import ServiceError

Role = Literal["admin", "office", "reviewer", "applicant", "unit"]
STAFF = frozenset({"admin", "office"})


@dataclass(frozen=True, slots=True)
class Viewer:
    id: int | None  # users.id; None: the system itself
    name: str  # what he signs in with
    shown: str  # what others see
    role: Role
    organisation: str | None = None
    unit: int | None = None  # units.id of a recommending unit's user
    csrf: str = ""  # of the session; "" with an API token
    address: str | None = None  # where the request came from

    @property
    def is_staff(self) -> bool:
        """办公室 or 管理员."""
        return self.role in STAFF


SYSTEM = Viewer(None, "system", "系统", "admin")


def not_found(what: str) -> NoReturn:
    """For what is not there and for what the viewer may not see alike."""
    raise ServiceError("not_found", f"没有找到{what}：可能已被删除，或您没有查看的权限。请从列表重新进入。", status=404)
