"""A ZIP of application files, opened with suspicion: nothing is written to disk, names are data, and real bytes are counted.

A docx is a ZIP too: only what is called .zip is unpacked, and what is packed inside another archive stays packed (and is refused).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

from service.errors import ServiceError
from service.parse.limits import MIB

MOST_FILES = 1000
MOST_BYTES = 512 * MIB  # of all files together, unpacked
_DAMAGED = "压缩包“{name}”打不开，可能没有传完、已加密，或不是 ZIP。请解压后直接上传里面的文件。"
# Damaged, encrypted (RuntimeError), packed in another way, cut off.
_BROKEN = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError, OSError)
_UTF8 = 0x800  # the flag of a name in UTF-8; others are in the sender's own encoding, here GB 18030


def is_archive(data: bytes, name: str) -> bool:
    return name.lower().endswith(".zip") and data[:4] in {b"PK\x03\x04", b"PK\x05\x06"}


def members(data: bytes, name: str, *, most_mb: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file; of one that is too large, more bytes than are allowed, so that it is refused by its size.

    ServiceError where the archive cannot be read, has too many files or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_rubbish(entry.filename)]
            if len(entries) > MOST_FILES:
                told = f"压缩包“{name}”里有 {len(entries)} 个文件，最多 {MOST_FILES} 个。请分成几个压缩包再上传。"
                raise ServiceError("archive_too_large", told, status=413)
            left = MOST_BYTES
            for entry in entries:
                with archive.open(entry) as stream:
                    content = stream.read(min(most_mb * MIB, left) + 1)
                left -= len(content)
                if left < 0:
                    told = f"压缩包“{name}”解开后超过 {MOST_BYTES // MIB} MB，后面的文件没有接收。请分成几个压缩包再上传。"
                    raise ServiceError("archive_too_large", told, status=413)
                yield _named(entry), content
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        ValueError,
        EOFError,
        OSError,
    ) as error:
        raise ServiceError("archive_damaged", _DAMAGED.format(name=name), status=422) from error


def _named(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & _UTF8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return entry.filename


def _is_rubbish(name: str) -> bool:
    """What systems put into archives by themselves."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return name.startswith("__MACOSX/") or last.startswith(("._", "~$", ".DS_Store")) or last.lower() in {"thumbs.db", "desktop.ini"}
