"""What is known of a past benchmark, without its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

from service.errors import ServiceError

Level = Literal["national", "province", "city"]
State = Literal["in_force", "revoked"]
LEVELS: tuple[Level, ...] = get_args(Level)
_BLANKS = re.compile(r"\s+")
FIRST_YEAR, LAST_YEAR = 1980, 2100


@dataclass(frozen=True, slots=True)
class Entry:
    """A benchmark before it is in the library. Without text it is title-only: from a list of winners."""

    year: int
    organisation: str  # empty where it is not known
    title: str
    level: Level | None = None
    credit_code: str | None = None  # 统一社会信用代码
    former_names: tuple[str, ...] = ()
    edition: str | None = None
    areas: tuple[str, ...] = ()
    status: State = "in_force"
    revoked_reason: str | None = None
    revoked_on: date | None = None
    sha256: str | None = None
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark as the library keeps it."""

    id: str
    entry: Entry
    words: int | None  # 字数 of its text; None: title-only
    passages: int
    model: str | None  # version of what its passages and words were made with
    created_at: datetime

    def row(self) -> dict[str, Any]:
        """What `library list --json` and exports give, in this order."""
        entry = self.entry
        return {
            "id": self.id,
            "year": entry.year,
            "level": entry.level,
            "organisation": entry.organisation or None,
            "credit_code": entry.credit_code,
            "former_names": list(entry.former_names),
            "title": entry.title,
            "edition": entry.edition,
            "areas": list(entry.areas),
            "status": entry.status,
            "revoked_reason": entry.revoked_reason,
            "revoked_on": entry.revoked_on.isoformat() if entry.revoked_on else None,
            "file": entry.file_name,
            "sha256": entry.sha256,
            "words": self.words,
            "passages": self.passages,
        }


def year(given: str | int) -> int:
    """2022 of 2022, "2022年" or "2022年度"; ServiceError where there is none."""
    found = re.fullmatch(r"\s*(\d{4})(?:\.0)?\s*(?:年|年度)?\s*", str(given))
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        raise ServiceError("year_invalid", f"年度“{given}”不对，请写成 {FIRST_YEAR} 到 {LAST_YEAR} 之间的四位数字，例如 2022。")
    return int(found[1])


def day(given: str) -> date:
    """2023-05-01, 2023年5月1日, 2023/5/1 …; ServiceError where it is no date."""
    parts = re.fullmatch(r"\s*(\d{4})\s*[-年/.]\s*(\d{1,2})\s*[-月/.]\s*(\d{1,2})\s*日?(?:[ T]00:00(?::00)?)?\s*", given)
    try:
        if parts is not None:
            return date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        pass
    raise ServiceError("date_invalid", f"日期“{given}”不对，请写成 2023-05-01 的样子。")


def past_day(given: str, today: date) -> date:
    """A day that has come; ServiceError for one to come."""
    found = day(given)
    if found > today:
        raise ServiceError("date_invalid", f"日期“{given}”还没有到，今天是 {today.isoformat()}。请写已经撤销的日期。")
    return found


def names(given: str) -> tuple[str, ...]:
    """Several names in one cell or option, parted by 、；;| or line ends."""
    return tuple(dict.fromkeys(part for part in (_BLANKS.sub(" ", each).strip() for each in re.split(r"[、；;|\n]", given)) if part))
