"""The environment's BIAOGAN_* variables (docs/settings.md). Only the command line reads them, later also the service and its jobs."""

from __future__ import annotations

import os
import re
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


# --- the service -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Web:
    """What the service in the browser is told."""

    url: str = "http://127.0.0.1:8000"  # BIAOGAN_URL: the address that users type
    upload_mb: int = 50  # BIAOGAN_UPLOAD_MB: the largest file
    uploads_an_hour: int = 300  # BIAOGAN_UPLOADS_AN_HOUR: of one user
    draft_days: int = 90  # BIAOGAN_DRAFT_DAYS: a draft that is not touched for so long is deleted
    session_hours: int = 12  # BIAOGAN_SESSION_HOURS
    registration: bool = False  # BIAOGAN_REGISTRATION: applicants may make their own accounts
    proxy: str | None = None  # BIAOGAN_PROXY: address of the reverse proxy whose X-Forwarded-For is believed
    metrics_token: str | None = field(default=None, repr=False)  # BIAOGAN_METRICS_TOKEN: for /metrics from other machines
    oidc_issuer: str | None = None  # BIAOGAN_OIDC_ISSUER, with the client's name and secret
    oidc_client: str | None = None  # BIAOGAN_OIDC_CLIENT
    oidc_secret: str | None = field(default=None, repr=False)  # BIAOGAN_OIDC_SECRET
    oidc_name: str = "统一身份认证"  # BIAOGAN_OIDC_NAME: what the sign-in button says

    @property
    def secure(self) -> bool:
        """Whether users come by https: cookies are then sent over nothing else."""
        return self.url.startswith("https://")


def read_web(environment: Mapping[str, str] | None = None) -> Web:
    """The service's settings; ServiceError where a value makes no sense."""
    values, default = os.environ if environment is None else environment, Web()
    url = (values.get("BIAOGAN_URL", "").strip() or default.url).rstrip("/")
    if not re.fullmatch(r"https?://[^/\s?#@]+", url):
        raise ServiceError(
            "setting_invalid", f"环境变量 BIAOGAN_URL 的值“{url}”不对，请写成 https://主机名 或 http://主机名:端口，后面不带路径。"
        )
    return Web(
        url=url,
        upload_mb=_number(values, "BIAOGAN_UPLOAD_MB", default.upload_mb, most=500),
        uploads_an_hour=_number(values, "BIAOGAN_UPLOADS_AN_HOUR", default.uploads_an_hour, most=1_000_000),
        draft_days=_number(values, "BIAOGAN_DRAFT_DAYS", default.draft_days, most=3650),
        session_hours=_number(values, "BIAOGAN_SESSION_HOURS", default.session_hours, most=720),
        registration=_switch({"BIAOGAN_REGISTRATION": "0", **values}, "BIAOGAN_REGISTRATION"),
        proxy=values.get("BIAOGAN_PROXY", "").strip() or None,
        metrics_token=values.get("BIAOGAN_METRICS_TOKEN", "").strip() or None,
        oidc_issuer=values.get("BIAOGAN_OIDC_ISSUER", "").strip() or None,
        oidc_client=values.get("BIAOGAN_OIDC_CLIENT", "").strip() or None,
        oidc_secret=values.get("BIAOGAN_OIDC_SECRET", "").strip() or None,
        oidc_name=values.get("BIAOGAN_OIDC_NAME", "").strip() or default.oidc_name,
    )


def _number(environment: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    value = environment.get(name, "").strip()
    if not value:
        return default
    if value.isascii() and value.isdigit() and 0 < int(value) <= most:
        return int(value)
    raise ServiceError("setting_invalid", f"环境变量 {name} 的值“{value}”不对，请设为 1 到 {most} 的整数。")
