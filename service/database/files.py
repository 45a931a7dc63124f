"""The store of source files: each under the SHA-256 of its content, so that it is kept once and can be verified whenever it is read."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from service.database.machine import data_folder_error
from service.database.place import Place
from service.errors import ServiceError

_NAME = re.compile(r"[0-9a-f]{64}")
_NEW = "new"  # folder of what is being written
_WHOLE = frozenset(
    {"s3", "s3a", "gs", "gcs", "abfs", "az", "adl", "oss", "oci", "memory"}
)  # stores where an object appears whole or not at all


@dataclass(frozen=True, slots=True)
class Stored:
    sha256: str
    size: int  # bytes
    modified: float | None  # seconds since 1970, where the store knows


class Files:
    """A folder or a bucket: root/ab/ab12…; nothing else in it is touched."""

    def __init__(self, system: Any, root: str, shown: str) -> None:  # fsspec is not typed
        self._system = system
        self._root = root.rstrip("/") or "/"
        self.shown = shown  # where it is, for messages
        self.folder = Path(self._root) if isinstance(system, LocalFileSystem) else None

    def put(self, data: bytes) -> str:
        """Keeps the bytes and gives their SHA-256; when it returns they outlive a loss of power (a folder) or are in the bucket."""
        name = sha256(data).hexdigest()
        with self._explained():
            if self._size(name) == len(data):
                return name
            if self.folder is not None:
                self._write(name, data)
            elif _WHOLE & set(_protocols(self._system)):
                self._system.pipe_file(self._path(name), data)
            else:
                new = f"{self._root}/{_NEW}/{uuid.uuid4().hex}"
                self._system.makedirs(f"{self._root}/{_NEW}", exist_ok=True)
                self._system.makedirs(str(PurePosixPath(self._path(name)).parent), exist_ok=True)
                self._system.pipe_file(new, data)
                self._system.mv(new, self._path(name))
        return name

    def get(self, name: str) -> bytes:
        """The bytes, verified; ServiceError where they are missing or altered."""
        with self._explained():
            try:
                data: bytes = self._system.cat_file(self._path(name))
            except FileNotFoundError:
                told = f"存放的原文件 {name[:12]}… 不见了（{self.shown}）。请从备份恢复，或重新导入这份材料。"
                raise ServiceError("stored_file_missing", told, status=500) from None
        if sha256(data).hexdigest() != name:
            told = f"存放的原文件 {name[:12]}… 与存入时不同，已被改动或损坏（{self.shown}）。请从备份恢复，或重新导入这份材料。"
            raise ServiceError("stored_file_damaged", told, status=500)
        return data

    def exists(self, name: str) -> bool:
        with self._explained():
            return self._size(name) is not None

    def delete(self, name: str) -> None:
        """Nothing where it is not there."""
        with self._explained(), suppress(FileNotFoundError):
            self._system.rm_file(self._path(name))

    def iterate(self) -> Iterator[Stored]:
        """All files, sorted by name; not read."""
        with self._explained():
            found = [_stored(path, info) for path, info in self._find(self._root).items()]
        yield from sorted((stored for stored in found if stored is not None), key=lambda stored: stored.sha256)

    def leftovers(self, age: float) -> list[str]:
        """What a killed process began to write at least `age` seconds ago."""
        with self._explained():
            found = self._find(f"{self._root}/{_NEW}")
        then = time.time() - age
        return sorted(path for path, info in found.items() if (_modified(info) or 0) <= then)

    def sweep(self, age: float) -> int:
        """Removes the leftovers; how many there were."""
        found = self.leftovers(age)
        with self._explained():
            for path in found:
                with suppress(FileNotFoundError):
                    self._system.rm_file(path)
        return len(found)

    # --- inside --------------------------------------------------------------------------------------------------------------------

    def _path(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"no hash: {name!r}")  # our own mistake: names come from `put`
        return f"{self._root}/{name[:2]}/{name}"

    def _size(self, name: str) -> int | None:
        try:
            size: int = self._system.info(self._path(name))["size"]
        except FileNotFoundError:
            return None
        return size

    def _find(self, folder: str) -> dict[str, dict[str, Any]]:
        self._system.invalidate_cache()
        try:
            found: dict[str, dict[str, Any]] = self._system.find(folder, detail=True)
        except FileNotFoundError:
            return {}
        return found

    def _write(self, name: str, data: bytes) -> None:
        """A new file beside, on the disk, then renamed: no reader and no loss of power sees half of it."""
        assert self.folder is not None
        path = Path(self._path(name))
        new = self.folder / _NEW / uuid.uuid4().hex
        for folder in (new.parent, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with open(new, "xb", opener=lambda file, flags: os.open(file, flags, 0o600)) as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
        for folder in (path.parent, self.folder):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if self.folder is not None:
                raise data_folder_error(self.folder, error) from error
            # What a store says may hold its address with keys: only the kind of error is shown.
            told = f"存放原文件的地方（{self.shown}）用不了：{type(error).__name__}。请检查 BIAOGAN_FILES_URL、网络和权限。"
            raise ServiceError("files_unreachable", told, status=503) from error


def open_store(place: Place) -> Files:
    """The store of BIAOGAN_FILES_URL, or the folder files/ in the data folder. Nothing is made until something is kept."""
    if place.files is None:
        return Files(fsspec.filesystem("file"), str(place.data.absolute() / "files"), str(place.data / "files"))
    try:
        system, root = fsspec.core.url_to_fs(place.files)
    except ImportError as error:
        told = f"BIAOGAN_FILES_URL 所用的存储还缺少组件（{_scheme(place.files)}）。请安装相应的 fsspec 组件，例如 s3 用 pip install s3fs。"
        raise ServiceError("package_missing", told, status=500) from error
    except (ValueError, TypeError, OSError):
        told = "环境变量 BIAOGAN_FILES_URL 不是可用的存储地址。请写成 file:///文件夹 或 s3://桶/前缀 的形式。"
        raise ServiceError("setting_invalid", told) from None
    return Files(system, root, f"{_scheme(place.files)}://{root.lstrip('/') if not isinstance(system, LocalFileSystem) else root}")


def _scheme(url: str) -> str:
    return url.partition("://")[0] if "://" in url else "file"


def _protocols(system: Any) -> tuple[str, ...]:
    protocol: str | tuple[str, ...] = system.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _stored(path: str, info: dict[str, Any]) -> Stored | None:
    parts = PurePosixPath(path).parts
    if len(parts) < 2 or not _NAME.fullmatch(parts[-1]) or parts[-2] != parts[-1][:2]:
        return None
    return Stored(parts[-1], info["size"], _modified(info))


def _modified(info: dict[str, Any]) -> float | None:
    found = next((info[key] for key in ("mtime", "LastModified", "last_modified", "created") if info.get(key) is not None), None)
    if isinstance(found, datetime):
        return found.timestamp()
    return float(found) if isinstance(found, int | float) else None
