"""The office's table of past benchmarks (CSV or XLSX): a row each, columns found by their Chinese or English names."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from service import lexicon
from service.errors import ServiceError, reason

_MOST_BYTES = 50 << 20
_MOST_CELLS = 2_000_000
_MOST_COLUMNS = 200
_HEAD = 10  # rows among which the column names are looked for
_DELIMITERS = ",\t;，；"
_ENCODINGS = ("utf-8-sig", "gb18030")
_REVOKED = re.compile("撤销|取消|revoke", re.IGNORECASE)
_FORMULA = re.compile(r"^'(?=[=+\-@])")  # as `exporting` keeps a cell from being a formula


@dataclass(frozen=True, slots=True)
class Row:
    """`line` as a person counts it in the table; `values` by our names of the columns, empty cells left out."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    path: Path
    taken: dict[str, str]  # our name -> the column's own
    ignored: tuple[str, ...]  # columns whose names say nothing to us
    rows: tuple[Row, ...]


def plain(name: str) -> str:
    """A name as names are compared: width and case folded, letters and digits alone."""
    folded = unicodedata.normalize("NFKC", name).lower()
    return "".join(character for character in folded if character.isalnum())


def read(path: Path) -> Manifest:
    """The table; ServiceError where it cannot be read or has no column that names the benchmarks."""
    try:
        data = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else None
    except OSError as error:
        raise ServiceError("manifest_unreadable", f"清单 {path} 读不了（{reason(error)}）。请检查路径和权限。") from error
    if data is None:
        raise ServiceError("manifest_unreadable", f"清单 {path} 超过 {_MOST_BYTES >> 20} MB，请拆成几份。")
    if not data.strip():
        raise ServiceError("manifest_columns", f"清单 {path} 是空的。请写上 文件、年度、级别、单位、标题 等列后再导入。")
    zipped = data.startswith(b"PK\x03\x04")
    if not zipped and path.suffix.lower() in {".xlsx", ".xlsm"}:
        raise ServiceError("manifest_unreadable", f"清单 {path} 已损坏，或者不是 Excel 文件。请用 Excel 重新另存为 .xlsx。")
    table = _xlsx(path, data) if zipped else _csv(path, data)
    return _understood(path, table)


def _csv(path: Path, data: bytes) -> list[list[str]]:
    for encoding in _ENCODINGS if not data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-16",):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise ServiceError("manifest_unreadable", f"清单 {path} 的编码认不出。请在 Excel 里另存为“CSV UTF-8”或 .xlsx。")
    if "\0" in text:
        raise ServiceError("manifest_unreadable", f"清单 {path} 不是 CSV 或 XLSX。请在 Excel 里另存为 .xlsx 或 CSV。")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    except csv.Error as error:
        raise ServiceError("manifest_unreadable", f"清单 {path} 不是完整的 CSV（{error}）。请在 Excel 里另存为 .xlsx。") from error


def _xlsx(path: Path, data: bytes) -> list[list[str]]:
    """The first sheet that is shown."""
    from openpyxl import load_workbook  # noqa: PLC0415 - only for such tables

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > 4 * _MOST_BYTES:
                raise _too_large(path)  # noqa: TRY301 - our own, passed on below
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = next((each for each in book.worksheets if each.sheet_state == "visible"), None)
        rows: list[list[str]] = []
        cells = 0
        for row in () if sheet is None else sheet.iter_rows(values_only=True, max_col=_MOST_COLUMNS):
            cells += len(row)
            if cells > _MOST_CELLS:
                raise _too_large(path)  # noqa: TRY301 - our own, passed on below
            rows.append([_cell(value) for value in row])
    except ServiceError:
        raise
    except Exception as error:  # openpyxl fails in many ways on a broken file
        raise ServiceError("manifest_unreadable", f"清单 {path} 已损坏，打不开。请用 Excel 重新另存为 .xlsx。") from error
    return rows


def _too_large(path: Path) -> ServiceError:
    return ServiceError("manifest_unreadable", f"清单 {path} 的表格太大，请只留需要的表、行和列。")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _understood(path: Path, table: Sequence[Sequence[str]]) -> Manifest:
    """The row of the first ones with most known names is the head; what follows are the benchmarks."""
    known = {plain(name): key for key, several in lexicon.load("manifest")["columns"].items() for name in several}
    best, head = max(
        ((len({known[plain(cell)] for cell in row if plain(cell) in known}), -place) for place, row in enumerate(table[:_HEAD])),
        default=(0, 0),
    )
    found: dict[str, int] = {}
    names = table[-head] if best else []
    for column, name in enumerate(names):
        key = known.get(plain(name))
        if key is not None:
            found.setdefault(key, column)
    if not found.keys() & {"file", "title"}:
        seen = "、".join(name for name in names or (table[0] if table else ()) if name) or "（空）"
        told = f"清单 {path} 里没有认出“文件”或“标题”一列，表头是：{seen}。请改成 文件、年度、级别、单位、标题 等列名。"
        raise ServiceError("manifest_columns", told)
    # A reason or a date alone may be of anything; of a revocation where the column says so.
    revoking = {key for key in ("revoked_on", "revoked_reason") if key in found and _REVOKED.search(names[found[key]])}
    rows = []
    for place, cells in enumerate(table[1 - head :], start=2 - head):
        values = {key: _FORMULA.sub("", cells[column]) for key, column in found.items() if column < len(cells) and cells[column]}
        if "status" not in values and values.keys() & revoking:
            values["status"] = "revoked"
        if values:
            rows.append(Row(place, values))
    taken = {key: names[column] for key, column in found.items()}
    ignored = tuple(name for column, name in enumerate(names) if name and column not in found.values())
    return Manifest(path, taken, ignored, tuple(rows))
