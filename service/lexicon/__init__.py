"""Word lists that reading a write-up needs, one TOML file each: the field's words are data, not code."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load(name: str) -> dict[str, Any]:
    """The lexicon `name`.toml; raises FileNotFoundError where there is none."""
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text("utf-8"))
