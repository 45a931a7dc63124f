"""The store of source files: kept once, whole or not at all, verified when read."""

from __future__ import annotations

import errno
import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from service.database.files import Files, open_store
from service.database.place import Place
from service.errors import ServiceError

DATA = "典型经验".encode()
NAME = sha256(DATA).hexdigest()


@pytest.fixture(name="files", params=["folder", "file url", "memory"])
def _files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    urls = {"folder": None, "file url": f"file://{tmp_path}/elsewhere", "memory": f"memory://bucket/{tmp_path.name}"}
    return open_store(Place(tmp_path / "data", files=urls[request.param]))


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Files:
    return open_store(Place(tmp_path / "data"))


def path(files: Files, name: str = NAME) -> Path:
    assert files.folder is not None
    return files.folder / name[:2] / name


def test_what_is_kept_comes_back(files: Files) -> None:
    assert list(files.iterate()) == []
    assert not files.exists(NAME)
    assert files.put(DATA) == files.put(DATA) == NAME
    assert files.exists(NAME)
    assert files.get(NAME) == DATA
    other = files.put(b"other")
    assert [(one.sha256, one.size) for one in files.iterate()] == sorted([(NAME, len(DATA)), (other, 5)])
    assert all(one.modified and abs(one.modified - time.time()) < 60 for one in files.iterate())
    files.delete(NAME)
    files.delete(NAME)
    assert not files.exists(NAME)
    with pytest.raises(ServiceError) as error:
        files.get(NAME)
    assert error.value.code == "stored_file_missing"


def test_an_altered_file_is_not_given_out(folder: Files) -> None:
    folder.put(DATA)
    path(folder).write_bytes(DATA[:-1] + b"x")
    with pytest.raises(ServiceError, match=NAME[:12]) as error:
        folder.get(NAME)
    assert error.value.code == "stored_file_damaged"


def test_a_torn_file_is_written_again(folder: Files) -> None:
    folder.put(DATA)
    path(folder).write_bytes(DATA[:3])
    folder.put(DATA)
    assert folder.get(NAME) == DATA


def test_what_a_killed_process_left_is_no_file(folder: Files) -> None:
    folder.put(DATA)
    assert folder.folder is not None
    half = folder.folder / "new" / "half"
    half.write_bytes(b"x")
    (folder.folder / "readme.txt").write_text("not ours")
    assert [one.sha256 for one in folder.iterate()] == [NAME]
    assert folder.leftovers(60) == []
    os.utime(half, (1, 1))
    assert folder.sweep(60) == 1
    assert not half.exists()
    assert (folder.folder / "readme.txt").exists()


def test_files_are_for_their_owner_only(folder: Files) -> None:
    folder.put(DATA)
    assert path(folder).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "0" * 63, NAME.upper(), f"{NAME}/.."])
def test_a_name_is_a_hash(folder: Files, name: str) -> None:
    with pytest.raises(ValueError, match="no hash"):
        folder.get(name)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ServiceError, match="BIAOGAN_DATA_DIR"):
        open_store(Place(tmp_path / "data")).put(DATA)


def test_a_full_disk_is_told(folder: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ServiceError, match="磁盘已满") as error:
        folder.put(DATA)
    assert error.value.code == "disk_full"
    assert list(folder.iterate()) == []
    assert folder.leftovers(0) == []


@pytest.mark.parametrize(("url", "code"), [("nowhere://key:geheim@x", "setting_invalid"), ("s3://key:geheim@bucket/x", "package_missing")])
def test_an_address_that_is_none_shows_no_key(tmp_path: Path, url: str, code: str) -> None:
    with pytest.raises(ServiceError) as error:
        open_store(Place(tmp_path, files=url))
    assert error.value.code == code
    assert "geheim" not in error.value.message
