"""What is said of a benchmark: by the caller or the office's table, else by the file itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path, PurePath
from typing import cast

from service import lexicon, rulebook
from service.credit_code import credit_code
from service.errors import ServiceError
from service.library import benchmark
from service.library.benchmark import Entry, Level, State
from service.library.exporting import WORDS
from service.library.manifest import plain
from service.model import Edition, Submission

_YEAR_IN_NAME = re.compile(r"(?<!\d)(20[0-4]\d|19[89]\d)(?!\d)")
_YEAR_IN_TEXT = re.compile(r"(?<!\d)(20[0-4]\d)(?= ?年)")
# Beside these a year tells of none that is gone.
_NOT_YET = re.compile(r"有效|到期|届满|期满|截止|证书|换证|规划|目标|计划|力争|预计|将(?:在|于|达)|争取")
_COVER = 400  # characters at most before the first section
_FOUNDED = re.compile(r"成立|注册|创建|始建")
_BESIDE = (20, 8)  # characters before and after a year, in its clause
_CLAUSE = re.compile(r"[。；;！？\n]")
_DEFAULT = "2022-hebei"  # the edition whose four sections most write-ups have


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller says. None and empty: not said."""

    year: int | None = None
    level: Level | None = None
    organisation: str | None = None
    title: str | None = None
    credit_code: str | None = None
    former_names: tuple[str, ...] = ()
    edition: str | None = None
    areas: tuple[str, ...] = ()
    status: State | None = None
    revoked_reason: str | None = None
    revoked_on: date | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """An entry, and in Chinese what of it was only guessed."""

    entry: Entry
    guessed: tuple[str, ...] = field(default=())


def given(values: Mapping[str, str], default: Given) -> Given:
    """A row of the table, or options of the same names; ServiceError where a value makes no sense."""
    said = {key: value.strip() for key, value in values.items() if value.strip()}
    edition = edition_id(said["edition"]) if "edition" in said else default.edition
    status = cast("State", meaning("states", said["status"])) if "status" in said else default.status
    today = date.today()  # noqa: DTZ011 - the office's own day
    return Given(
        year=benchmark.year(said["year"]) if "year" in said else default.year,
        level=cast("Level", meaning("levels", said["level"])) if "level" in said else default.level,
        organisation=said.get("organisation", default.organisation),
        title=said.get("title", default.title),
        credit_code=credit_code(said["credit_code"]) if "credit_code" in said else default.credit_code,
        former_names=benchmark.names(said["former_names"]) if "former_names" in said else default.former_names,
        edition=edition,
        areas=area_ids(said["areas"], edition) if "areas" in said else default.areas,
        status=status,
        revoked_reason=said.get("revoked_reason", default.revoked_reason) if status == "revoked" else None,
        revoked_on=benchmark.past_day(said["revoked_on"], today) if status == "revoked" and "revoked_on" in said else default.revoked_on,
    )


_SHOWN = {"states": "状态", "levels": "级别"}


def meaning(kind: str, said: str) -> str:
    """What a cell or option of a kind (levels, states) means; ServiceError where it means nothing."""
    choices: Mapping[str, list[str]] = lexicon.load("manifest")[kind]
    wanted = plain(said)
    found = next((key for key, several in choices.items() if wanted == plain(key) or wanted in several), None)
    if found is None:
        known = "、".join(WORDS[key] for key in choices)
        raise ServiceError("manifest_value", f"{_SHOWN[kind]}“{said}”认不出，可写：{known}。")
    return found


@cache
def _editions() -> tuple[Edition, ...]:
    return tuple(rulebook.load(each.id) for each in rulebook.editions())


def edition_id(said: str) -> str:
    """The id of a rulebook; ServiceError where there is none of that name."""
    found = next((each.id for each in _editions() if plain(said) in {plain(each.id), plain(each.name)}), None)
    if found is None:
        raise ServiceError("edition_unknown", f"没有规则“{said}”，可选：{'、'.join(each.id for each in _editions())}。")
    return found


def area_ids(said: str, edition: str | None) -> tuple[str, ...]:
    """Areas by id or official name; what the edition does not have is kept as it was written."""
    known = {plain(name): area.id for each in _editions() if each.id == edition for area in each.areas for name in (area.id, area.name)}
    parts = (part.strip() for part in re.split(r"[,，、;；|\n]", said))
    return tuple(dict.fromkeys(known.get(plain(part), part) for part in parts if part))


def area_id(said: str) -> str:
    """The id of an area that some edition calls so; else as it was said."""
    return next((area.id for each in _editions() for area in each.areas if plain(said) in {plain(area.id), plain(area.name)}), said.strip())


def edition_for(year: int | None, edition: str | None) -> Edition:
    """The rulebook that tells how its sections are called: the one named, else the last before that year."""
    if edition is not None:
        return next(each for each in _editions() if each.id == edition)
    earlier = [each for each in _editions() if year is not None and each.year <= year]
    return max(earlier, key=lambda each: each.year) if earlier else next(each for each in _editions() if each.id == _DEFAULT)


def describe(submission: Submission, said: Given, *, path: Path, root: Path | None, today: date) -> Described:
    """The entry of a file that was read. What is neither said nor found is guessed, and the guess told."""
    guessed = []
    year = said.year or year_of(path, root, today)
    if year is None:
        year, where = _year_within(submission, today)
        guessed.append(f"年度按{where}记为 {year}" if year else f"文件里没有年份，年度记为今年（{today.year}）")
    organisation = said.organisation or submission.organisation or ""
    if not organisation:
        guessed.append("没有找到单位名称，留空")
    title = said.title or (submission.title.text if submission.title is not None else "")
    if not title:
        title = path.stem
        guessed.append("没有找到标题，用了文件名")
    entry = _entry(said, year or today.year, organisation, title)
    entry = replace(entry, sha256=submission.document.sha256, file_name=path.name)
    return Described(entry, tuple(guessed))


def title_only(said: Given) -> Entry:
    """The entry of a row that names no file; ServiceError where it does not say enough."""
    lacking = [name for name, value in (("年度", said.year), ("单位", said.organisation), ("标题", said.title)) if not value]
    if lacking or said.year is None:
        raise ServiceError("manifest_value", f"没有文件的行要写明年度、单位和标题，这一行缺{'、'.join(lacking)}。")
    return _entry(said, said.year, said.organisation or "", said.title or "")


def _entry(said: Given, year: int, organisation: str, title: str) -> Entry:
    return Entry(
        year=year,
        organisation=_line(organisation),
        title=_line(title),
        level=said.level,
        credit_code=said.credit_code,
        former_names=said.former_names,
        edition=said.edition,
        areas=said.areas,
        status=said.status or "in_force",
        revoked_reason=said.revoked_reason,
        revoked_on=said.revoked_on,
    )


def _year_within(submission: Submission, today: date) -> tuple[int | None, str]:
    """The year that title or cover name, else the last that the results tell of, else the last of the text; and in Chinese where it is."""
    whole = submission.text
    title = "" if submission.title is None else submission.title.text
    first = min((each.start for each in submission.sections), default=0)
    cover = "\n".join(line for line in whole[:first][-_COVER:].splitlines() if not _FOUNDED.search(line))
    for where, part in (("标题", title), ("封面", cover)):
        years = [int(each) for each in _YEAR_IN_NAME.findall(part) if int(each) <= today.year]
        if years:
            return years[-1], f"{where}里的年份"
    results = "\n".join(whole[each.start : each.end] for each in submission.sections if each.key == "results")
    for where, part in (("实施成效", results), ("正文", whole[submission.start : submission.end])):
        latest = max((each for each in _years_gone(part) if each <= today.year), default=None)
        if latest is not None:
            return latest, f"{where}里最晚的年份"
    return None, ""


def _years_gone(part: str) -> Iterator[int]:
    """Years of what was: not those that a certificate ends in, or a plan."""
    for match in _YEAR_IN_TEXT.finditer(part):
        before = _CLAUSE.split(part[max(0, match.start() - _BESIDE[0]) : match.start()])[-1]
        after = _CLAUSE.split(part[match.end() : match.end() + _BESIDE[1]])[0]
        if not _NOT_YET.search(before + after):
            yield int(match[1])


def year_of(path: Path, root: Path | None, today: date) -> int | None:
    """A year gone by in the file's name, or in that of a folder below `root`, the nearest first."""
    below = path.relative_to(root) if root is not None and path.is_relative_to(root) else PurePath(path.name)
    found = ([year for year in _YEAR_IN_NAME.findall(part) if int(year) <= today.year] for part in reversed(below.parts))
    return next((int(years[-1]) for years in found if years), None)


def _line(text: str) -> str:
    return " ".join(text.split())
