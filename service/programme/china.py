"""The time that people here live by; the database keeps UTC."""

from __future__ import annotations

from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
