"""Folders of `models/` and `corpora/` by their manifest: what is loaded is what was made, byte by byte.

A manifest names its files in `[[file]]` tables: `name` (relative to the folder) and `sha256`. A file that is missing or different is a
ServiceError, never a silent absence.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import ServiceError

_ROOT = Path(__file__).parent.parent
_INSTALLED = Path(sys.prefix) / "share" / "biaogan"  # where a wheel puts them
MODELS = _ROOT / "models" if (_ROOT / "models").is_dir() else _INSTALLED / "models"
CORPORA = _ROOT / "corpora" if (_ROOT / "corpora").is_dir() else _INSTALLED / "corpora"
_MANIFEST = "manifest.toml"


@dataclass(frozen=True, slots=True)
class Artefact:
    """A folder whose files were found to be those of its manifest."""

    folder: Path
    version: str  # the manifest's `version`, or the first 12 digits of the manifest's own hash
    manifest: Mapping[str, Any]


def sha256(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_manifest(folder: Path) -> bool:
    """Whether the folder says what it holds."""
    return (folder / _MANIFEST).is_file()


def version(folder: Path) -> str:
    """What its manifest calls the folder; its files are not looked at."""
    raw, manifest, _ = _read(folder)
    return _version(raw, manifest)


def verified(folder: Path) -> Artefact:
    """The folder after its files were hashed; ServiceError `model_missing` or `model_broken`."""
    raw, manifest, files = _read(folder)
    for name, digest in files:
        _check(folder, name, digest)
    return Artefact(folder, _version(raw, manifest), manifest)


def _version(raw: bytes, manifest: Mapping[str, Any]) -> str:
    return str(manifest.get("version") or hashlib.sha256(raw).hexdigest()[:12])


def _read(folder: Path) -> tuple[bytes, Mapping[str, Any], list[tuple[str, str]]]:
    """The manifest as it stands, as it is read, and the files it names with their hashes."""
    path = folder / _MANIFEST
    if not folder.is_dir():
        raise ServiceError("model_missing", f"没有找到模型或语料文件夹 {folder}。请检查路径，或重新安装、重新训练。", status=500)
    if not path.is_file():
        raise ServiceError("model_missing", f"文件夹 {folder} 里没有清单 {_MANIFEST}，无法核对内容。请重新安装或重新训练。", status=500)
    raw = path.read_bytes()
    try:
        manifest = tomllib.loads(raw.decode("utf8"))
        files = [(str(row["name"]), str(row["sha256"])) for row in manifest.get("file", ())]
    except (ValueError, KeyError, TypeError) as error:
        raise ServiceError("model_broken", f"清单 {path} 读不懂（{error}）。请重新安装或重新训练。", status=500) from error
    return raw, manifest, files


def _check(folder: Path, name: str, digest: str) -> None:
    """That the named file lies inside the folder and has this hash."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ServiceError("model_broken", f"{folder} 的清单指向文件夹以外的文件 {name}，已拒绝读取。", status=500)
    if not path.is_file():
        raise ServiceError("model_broken", f"{folder} 缺少文件 {name}。请重新安装或重新训练。", status=500)
    if sha256(path) != digest:
        raise ServiceError("model_broken", f"文件 {path} 与清单中的校验值不一致，可能已损坏或被改动。请重新安装或重新训练。", status=500)


def model(name: str, *, folder: Path = MODELS) -> Artefact:
    """The model `name` of `models/`, verified."""
    return verified(folder / name)


def corpus(name: str, *, folder: Path = CORPORA) -> Artefact:
    """The corpus `name` of `corpora/`, verified."""
    return verified(folder / name)
