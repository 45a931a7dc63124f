"""The environment's BIAOGAN_* variables (docs/settings.md). Only the command line reads them, later also the service and its jobs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service.errors import ServiceError

_OFF = frozenset({"0", "off", "no", "false"})
_ON = frozenset({"1", "on", "yes", "true"})


def _user_folder() -> Path:
    from platformdirs import user_data_path  # noqa: PLC0415 - only where it is not set

    return user_data_path("biaogan", appauthor=False)


@dataclass(frozen=True, slots=True)
class Settings:
    convert: bool = True  # BIAOGAN_CONVERT: doc, wps and rtf through LibreOffice
    ocr: bool = True  # BIAOGAN_OCR: recognise scanned pages
    soffice: str | None = None  # BIAOGAN_SOFFICE: LibreOffice's program, where it is not on the PATH
    models: Path | None = None  # BIAOGAN_MODELS: folder of the models, where it is not the one that came with the program
    embedding: Path | None = None  # BIAOGAN_EMBEDDING: folder of another sentence-transformers model
    data: Path = field(default_factory=_user_folder)  # BIAOGAN_DATA_DIR: the library and its files
    database: str | None = field(default=None, repr=False)  # BIAOGAN_DATABASE_URL: another PostgreSQL; may hold a password
    files: str | None = field(default=None, repr=False)  # BIAOGAN_FILES_URL: another store of files; may hold a key


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "1").strip().lower()
    if value in _ON | _OFF:
        return value in _ON
    raise ServiceError("setting_invalid", f"环境变量 {name} 的值“{value}”不对，请设为 1（开）或 0（关）。")


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings; ServiceError where a value makes no sense."""
    values = os.environ if environment is None else environment
    return Settings(
        convert=_switch(values, "BIAOGAN_CONVERT"),
        ocr=_switch(values, "BIAOGAN_OCR"),
        soffice=values.get("BIAOGAN_SOFFICE") or None,
        models=_folder(values, "BIAOGAN_MODELS"),
        embedding=_folder(values, "BIAOGAN_EMBEDDING"),
        data=_data(values),
        database=values.get("BIAOGAN_DATABASE_URL", "").strip() or None,
        files=values.get("BIAOGAN_FILES_URL", "").strip() or None,
    )


def _folder(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name, "").strip()
    if value and not Path(value).is_dir():
        raise ServiceError("setting_invalid", f"环境变量 {name} 指向的文件夹“{value}”不存在，请改正路径。")
    return Path(value).resolve() if value else None


def _data(environment: Mapping[str, str]) -> Path:
    """The data folder, made where something is first kept in it."""
    value = environment.get("BIAOGAN_DATA_DIR", "").strip()
    if not value:
        return _user_folder()
    path = Path(value).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ServiceError("setting_invalid", f"环境变量 BIAOGAN_DATA_DIR 指向的“{value}”不是文件夹，请改正路径。")
    return path
