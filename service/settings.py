"""The environment's BIAOGAN_* variables (docs/settings.md). Only the command line reads them, later also the service and its jobs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.errors import ServiceError

_OFF = frozenset({"0", "off", "no", "false"})
_ON = frozenset({"1", "on", "yes", "true"})


@dataclass(frozen=True, slots=True)
class Settings:
    convert: bool = True  # BIAOGAN_CONVERT: doc, wps and rtf through LibreOffice
    ocr: bool = True  # BIAOGAN_OCR: recognise scanned pages
    soffice: str | None = None  # BIAOGAN_SOFFICE: LibreOffice's program, where it is not on the PATH
    models: Path | None = None  # BIAOGAN_MODELS: folder of the models, where it is not the one that came with the program
    embedding: Path | None = None  # BIAOGAN_EMBEDDING: folder of another sentence-transformers model


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
    )


def _folder(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name, "").strip()
    if value and not Path(value).is_dir():
        raise ServiceError("setting_invalid", f"环境变量 {name} 指向的文件夹“{value}”不存在，请改正路径。")
    return Path(value).resolve() if value else None
