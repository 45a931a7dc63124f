"""Reads, validates and binds an edition: `service/rulebooks/<id>.toml` -> Edition.

A rule row is bound to its check here: parameters become the check's Params, the message's placeholders are compared with what the check
gives. In a row's `params`, `sections` holds section keys, `"@name"` in place of a list stands for the words of
`service/lexicon/<name>.toml`, and a parameter `tolerance` that the row leaves out is the edition's. Anything misspelt stops with the file,
the line and the mend.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from service import checks, lexicon
from service.errors import ServiceError
from service.model import Area, Basis, Criterion, Edition, Rule, SectionSpec, Severity

_FOLDER = Path(__file__).parent / "rulebooks"
_EXPECTED = {
    "string_type": "应为带引号的文字",
    "int_type": "应为整数",
    "float_type": "应为数字",
    "bool_type": "应为 true 或 false",
    "tuple_type": "应为方括号列表",
    "frozen_set_type": "应为方括号列表",
    "dict_type": "应为花括号表",
}


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Header(_Row):
    id: str
    name: str
    document: str
    issuer: str
    date: dt.date | None = None
    year: int
    count: Literal["word"]
    tolerance: float
    choice: Literal["one", "several"]


class _SectionRow(_Row):
    key: str
    name: str
    required: bool
    headings: tuple[str, ...] = ()
    group: str | None = None


class _AreaRow(_Row):
    id: str
    name: str
    wording: str
    clause: str
    themes: tuple[str, ...]
    group: str | None = None
    by_facts: bool = False
    facts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


class _CriterionRow(_Row):
    id: str
    name: str
    clause: str
    wording: str


class _RuleRow(_Row):
    id: str
    check: str
    basis: Basis
    clause: str | None = None
    severity: Severity
    message: str = ""
    params: dict[str, Any] = {}
    unavailable: str | None = None


class _File(_Row):
    edition: _Header
    section: tuple[_SectionRow, ...]
    area: tuple[_AreaRow, ...]
    criterion: tuple[_CriterionRow, ...] = ()
    rule: tuple[_RuleRow, ...]


@dataclass(frozen=True, slots=True)
class EditionName:
    """An edition's header, for lists of choices."""

    id: str
    name: str
    document: str
    issuer: str
    date: str | None
    year: int


@dataclass(frozen=True, slots=True)
class _Source:
    """A rulebook file, to say where something is wrong in it."""

    name: str
    text: str

    def line(self, table: str, index: int = 0, key: str | None = None) -> int:
        """The line, from 1, of the index-th [table] or [[table]]; of the key in it, where the key stands at the beginning of a line."""
        lines = self.text.splitlines()
        opening = re.compile(rf"\s*\[\[?\s*{re.escape(table)}\s*\]")
        starts = [number for number, line in enumerate(lines) if opening.match(line)]
        if index >= len(starts):
            return 1
        begin = starts[index]
        end = next((number for number in range(begin + 1, len(lines)) if re.match(r"\s*\[\[?\s*\w+\s*\]", lines[number])), len(lines))
        if key is not None:
            own = re.compile(rf"\s*{re.escape(key)}\s*=")
            inner = re.compile(rf"[{{,\s]{re.escape(key)}\s*=")
            for pattern, find in ((own, own.match), (inner, inner.search)):
                found = next((number for number in range(begin + 1, end) if pattern and find(lines[number])), None)
                if found is not None:
                    return found + 1
        return begin + 1

    def error(self, line: int, message: str) -> ServiceError:
        return ServiceError("rulebook_invalid", f"规则文件 {self.name} 第 {line} 行：{message}", status=500)


@cache
def editions() -> tuple[EditionName, ...]:
    """The headers of all editions, by id. Only the headers are read."""
    return tuple(_header(file) for file in sorted(_FOLDER.glob("*.toml")))


def _header(file: Path) -> EditionName:
    text = file.read_text("utf8")
    first_row = text.find("\n[[")
    header = tomllib.loads(text[: first_row if first_row >= 0 else len(text)])["edition"]
    day = str(header["date"]) if "date" in header else None
    return EditionName(header["id"], header["name"], header["document"], header["issuer"], day, header["year"])


@cache
def load(edition_id: str) -> Edition:
    """The edition of this id; ServiceError `edition_unknown` with the choices, `rulebook_invalid` where it is faulty."""
    choices = {edition.id: edition for edition in editions()}
    if edition_id not in choices:
        listed = "\n".join(f"  {edition.id:16}{edition.name}" for edition in choices.values())
        raise ServiceError("edition_unknown", f"没有版本“{edition_id}”。请从以下版本中选一个：\n{listed}")
    file = _FOLDER / f"{edition_id}.toml"
    return read(file.read_bytes(), name=file.name)


def read(content: bytes, *, name: str) -> Edition:
    """An edition from the bytes of a rulebook file; `name` is shown in messages."""
    source = _Source(name, content.decode("utf8"))
    try:
        data = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise source.error(int(line[1]) if line else 1, f"不是合法的 TOML（{error}）。请检查引号、括号和等号。") from error
    try:
        # JSON mode is what lets strict tuples be written as lists.
        rows = _File.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        raise _explained(source, error.errors()[0]) from error
    _unique(source, rows)
    header = rows.edition
    declared = frozenset(row.key for row in rows.section)
    return Edition(
        id=header.id,
        name=header.name,
        document=header.document,
        issuer=header.issuer,
        date=header.date.isoformat() if header.date else None,
        year=header.year,
        count=header.count,
        tolerance=header.tolerance,
        sections=tuple(SectionSpec(row.key, row.name, row.required, row.headings, row.group) for row in rows.section),
        areas=tuple(_area(source, index, row) for index, row in enumerate(rows.area)),
        rules=tuple(_rule(source, index, row, declared=declared, tolerance=header.tolerance) for index, row in enumerate(rows.rule)),
        hash=hashlib.sha256(content).hexdigest(),
        choice=header.choice,
        criteria=tuple(Criterion(row.id, row.name, row.clause, row.wording) for row in rows.criterion),
    )


def _area(source: _Source, index: int, row: _AreaRow) -> Area:
    for key, names in (("facts", row.facts), ("themes", row.themes)):
        known = lexicon.load(key)
        stray = next((name for name in names if name not in known), None)
        if stray is not None:
            told = f"重点方向 {row.id}：lexicon/{key}.toml 中没有“{stray}”。请改为：{'、'.join(known)}。"
            raise source.error(source.line("area", index, key), told)
    if row.by_facts != bool(row.facts) or bool(row.facts) == bool(row.themes):
        told = f"重点方向 {row.id}：请写明 themes，或写 by_facts = true 和 facts，二者只取其一。"
        raise source.error(source.line("area", index), told)
    return Area(row.id, row.name, row.wording, row.clause, row.themes, row.group, row.by_facts, row.facts, row.words)


def bind(check: str, params: Mapping[str, Any], *, tolerance: float = 0.0) -> object:
    """A check's Params from a row's plain values: word lists filled in, types strict. ValueError says in Chinese what is wrong."""
    params_type = checks.module(check).Params
    known = [field.name for field in fields(params_type)]
    stray = [key for key in params if key not in known]
    if stray:
        raise _ParamError(stray[0], f"检查 {check} 没有参数“{stray[0]}”。请改正拼写或删去（可用的参数：{'、'.join(known) or '无'}）。")
    filled = {key: _words(key, value) if isinstance(value, str) and value.startswith("@") else value for key, value in params.items()}
    if "tolerance" in known:
        filled.setdefault("tolerance", tolerance)
    try:
        return _adapter(params_type).validate_json(json.dumps(filled), strict=True)
    except ValidationError as error:
        detail = error.errors()[0]
        key = str(detail["loc"][0]) if detail["loc"] else "params"
        raise _ParamError(key, f"检查 {check} 的参数“{key}”{_wrong(detail)}。请改正。") from error


class _ParamError(ValueError):
    """A parameter that a check does not take; `key` says which."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@cache
def _adapter(params_type: type) -> TypeAdapter[Any]:
    return TypeAdapter(params_type)


def _words(key: str, reference: str) -> list[str]:
    name = reference.removeprefix("@")
    try:
        entries = lexicon.load(name)
    except FileNotFoundError as error:
        raise _ParamError(key, f"参数“{key}”指向不存在的词表“{reference}”。请改正名称，或补上 service/lexicon/{name}.toml。") from error
    if "words" not in entries:
        raise _ParamError(key, f"参数“{key}”指向的词表“{reference}”没有 words 一项。请在 service/lexicon/{name}.toml 中补上。")
    words: list[str] = entries["words"]
    return words


def _rule(source: _Source, index: int, row: _RuleRow, *, declared: frozenset[str], tolerance: float) -> Rule:
    def wrong(key: str | None, message: str) -> ServiceError:
        return source.error(source.line("rule", index, key), f"规则 {row.id}：{message}")

    if row.check not in checks.names():
        raise wrong("check", f"没有检查“{row.check}”。请改为已有的检查：{'、'.join(checks.names())}。")
    if row.basis == "notice" and not row.clause:
        raise wrong("basis", "依据是通知（notice）的规则必须写明条款。请补写 clause。")
    if row.unavailable is not None:
        if row.params or row.message:
            raise wrong("unavailable", "写了 unavailable 的规则不会执行。请删去 params 和 message。")
        return Rule(row.id, row.check, row.basis, row.clause, row.severity, "", None, row.unavailable)
    _message(wrong, row)
    named = row.params.get("sections")
    stray = next((key for key in named if key not in declared), None) if isinstance(named, list) else None
    if stray is not None:
        raise wrong("sections", f"部分“{stray}”没有在 [[section]] 中声明。请改为：{'、'.join(sorted(declared))}，或补上声明。")
    try:
        params = bind(row.check, row.params, tolerance=tolerance)
    except _ParamError as error:
        raise wrong(error.key if error.key in row.params else "params", str(error)) from error
    return Rule(row.id, row.check, row.basis, row.clause, row.severity, row.message, params)


def _message(wrong: Any, row: _RuleRow) -> None:
    if not row.message:
        raise wrong(None, "缺少提示语。请补写 message。")
    values = checks.module(row.check).VALUES
    try:
        parts = list(string.Formatter().parse(row.message))
    except ValueError as error:
        raise wrong("message", "提示语的花括号不成对。请改正。") from error
    for _, name, format_spec, conversion in parts:
        if name is not None and (name not in values or format_spec or conversion):
            shown = name + (f"!{conversion}" if conversion else "") + (f":{format_spec}" if format_spec else "")
            allowed = "、".join(sorted(values))
            raise wrong("message", f"提示语里的占位符“{{{shown}}}”不是检查 {row.check} 提供的。请改为其中之一：{allowed}。")


def _unique(source: _Source, rows: _File) -> None:
    for table, key, values in (
        ("section", "key", [row.key for row in rows.section]),
        ("area", "id", [row.id for row in rows.area]),
        ("criterion", "id", [row.id for row in rows.criterion]),
        ("rule", "id", [row.id for row in rows.rule]),
    ):
        index = _second(values)
        if index is not None:
            raise source.error(source.line(table, index, key), f"{key}“{values[index]}”重复。请改成不同的{key}。")


def _second(values: Iterable[str]) -> int | None:
    """The index of the first value that stood before."""
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            return index
        seen.add(value)
    return None


def _explained(source: _Source, detail: ErrorDetails) -> ServiceError:
    """A row that has not the declared form: file, line and mend."""
    location = detail["loc"]
    table = str(location[0]) if location else "edition"
    index = location[1] if len(location) > 1 and isinstance(location[1], int) else 0
    keys = [part for part in location[1:] if isinstance(part, str)]
    key = keys[0] if keys else None
    if detail["type"] == "missing":
        return source.error(source.line(table, index), f"[{table}] 缺少“{key or table}”。请补写。")
    line = source.line(table, index, key)
    if detail["type"] == "extra_forbidden":
        return source.error(line, f"[{table}] 没有键“{key or table}”。请改正拼写或删去。")
    return source.error(line, f"[{table}] 的“{key}”{_wrong(detail)}。请改正。")


def _wrong(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "没有写"
    if detail["type"] == "literal_error":
        return f"只能是 {detail['ctx']['expected'].replace(' or ', '、')}，现为 {detail['input']!r}"
    return f"{_EXPECTED.get(detail['type'], detail['msg'])}，现为 {detail['input']!r}"
