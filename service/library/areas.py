"""Focus areas of benchmarks by their official names: a benchmark keeps the id that its own year's edition gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from service import rulebook
from service.library.benchmark import Entry
from service.library.read import area_key


def names_of(entry: Entry) -> tuple[str, ...]:
    """The official names of an entry's areas, in its order; what no edition knows as it was written."""
    return tuple(dict.fromkeys(name_of(entry.edition, area) for area in entry.areas))


def name_of(edition: str | None, area: str) -> str:
    """As the entry's own edition calls it; without one, as the newest edition does that has such an area."""
    known = _names()
    return known.get((edition or "", area)) or known.get(("", area), area)


def grouped(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Official name and number of benchmarks, the most frequent first, of counts by `read.area_key`."""
    found: dict[str, int] = {}
    for key, count in counts.items():
        name = _name_of_key(key)
        found[name] = found.get(name, 0) + count
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))


def keys_of(name: str, counts: Sequence[str] | Mapping[str, int]) -> tuple[str, ...]:
    """Which of the library's area keys are called so; where none is, one that nothing has."""
    return tuple(key for key in counts if _name_of_key(key) == name) or (area_key(name, ""),)


def _name_of_key(key: str) -> str:
    edition, _, area = key.partition("/")
    return name_of(edition or None, area)


@cache
def _names() -> dict[tuple[str, str], str]:
    """(edition, id) -> name; under "" those of the newest edition that has the id."""
    editions = sorted((rulebook.load(each.id) for each in rulebook.editions()), key=lambda edition: edition.year)
    found = {(edition.id, area.id): area.name for edition in editions for area in edition.areas}
    return found | {("", area.id): area.name for edition in editions for area in edition.areas}
