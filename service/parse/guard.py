"""The zip of a docx, opened with suspicion: its directory is checked before anything is unpacked, and every byte unpacked is counted.

Nothing here trusts a declared size. Sources: D. Fifield, "A better zip bomb" (overlapping entries); ECMA-376 part 2 (no DTD in parts).
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib

from service.errors import Unreadable
from service.parse.limits import MIB, Limits

_DAMAGED = "文件已损坏，打不开其中的内容（{what}）。请用 Word 或 WPS 打开原文件，另存为新的 .docx 后再提交。"
_TOO_MUCH = "文件展开后{what}，超过{allowed}的限制，像是异常构造的文件，未予读取。请用 Word 另存为新的 .docx 后再提交。"
_XML_SUFFIXES = (".xml", ".rels")
_CENTRAL_ENTRY = b"PK\x01\x02"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCODING = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_ENCODINGS = {b"utf-8", b"utf8", b"utf-16", b"utf-16le", b"utf-16be", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252"}
_DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_STORED_OR_DEFLATED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def damaged(what: str) -> Unreadable:
    return Unreadable("file_damaged", _DAMAGED.format(what=what))


def _too_much(what: str, allowed: str) -> Unreadable:
    return Unreadable("file_over_limit", _TOO_MUCH.format(what=what, allowed=allowed))


def _entries(data: bytes, *, limits: Limits) -> list[zipfile.ZipInfo]:
    # Counted before zipfile makes an object of each; pictures and embedded packages may hold the mark by chance or in truth.
    if data.count(_CENTRAL_ENTRY) > 4 * limits.entries:
        raise _too_much("部件过多", f"{limits.entries} 个")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, OverflowError, NotImplementedError, UnicodeDecodeError) as error:
        raise damaged("压缩包目录不完整，文件可能没有传完") from error


def names(data: bytes, *, limits: Limits) -> list[str]:
    """Names of the parts, nothing checked but their number."""
    return [entry.filename for entry in _entries(data, limits=limits)]


class Package:
    """A docx's parts by name. All XML parts are unpacked and checked at once, others when asked for, within limits for the whole file."""

    __slots__ = ("_data", "_entries", "_left", "_xml")

    def __init__(self, data: bytes, *, limits: Limits) -> None:
        """Unreadable where the file is encrypted, lies about itself, is too large, carries macros or a DTD in any part."""
        entries = _entries(data, limits=limits)
        _check_directory(entries, limits=limits)
        _check_overlap(data, entries)
        self._data = data
        self._entries = {entry.filename: entry for entry in entries if not entry.is_dir()}
        self._left = limits.unpacked_bytes
        self._xml: dict[str, bytes] = {}
        for name, entry in self._entries.items():
            if _is_xml(entry):
                self._xml[name] = self._unpack(entry, most=limits.part_bytes)
                _check_xml(self._xml[name], limits=limits)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str) -> bytes:
        """A part's bytes. KeyError where there is none; Unreadable where it is not what the directory says."""
        return self._xml[name] if name in self._xml else self._unpack(self._entries[name], most=self._left)

    def _unpack(self, entry: zipfile.ZipInfo, *, most: int) -> bytes:
        content = _inflate(self._data, entry, allowed=min(self._left, most))
        self._left -= len(content)
        return content


def _is_xml(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.lower().endswith(_XML_SUFFIXES)


def _check_directory(entries: list[zipfile.ZipInfo], *, limits: Limits) -> None:
    if len(entries) > limits.entries:
        raise _too_much(f"有 {len(entries)} 个部件", f"{limits.entries} 个")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Unreadable("file_encrypted", "文件已加密。请取消密码后另存为 .docx 再提交。")
    if any(entry.filename.lower().endswith("vbaproject.bin") for entry in entries):
        raise Unreadable("file_macros", "文件带有宏程序（.docm），为安全起见不予读取。请在 Word 中另存为不带宏的 .docx 后再提交。")
    if any(entry.compress_type not in _STORED_OR_DEFLATED for entry in entries):
        raise damaged("使用了 Word 不用的压缩方式")
    if len({entry.filename.lower() for entry in entries}) < len(entries):
        raise damaged("有重名的部件")
    _check_declared_sizes(entries, limits=limits)


def _check_declared_sizes(entries: list[zipfile.ZipInfo], *, limits: Limits) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > limits.unpacked_bytes:
        raise _too_much(f"有 {total // MIB} MB", f"{limits.unpacked_bytes // MIB} MB")
    for entry in filter(_is_xml, entries):
        if entry.file_size > limits.part_bytes:
            raise _too_much(f"一个部件有 {entry.file_size // MIB} MB", f"{limits.part_bytes // MIB} MB")
        packed = max(1, entry.compress_size)
        if entry.file_size > limits.ratio_from and entry.file_size > limits.ratio * packed:
            raise _too_much(f"比原来大 {entry.file_size // packed} 倍", f"{limits.ratio} 倍")


def _check_overlap(data: bytes, entries: list[zipfile.ZipInfo]) -> None:
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise damaged("部件互相重叠，像是异常构造的文件")
        end = _content_start(data, entry) + entry.compress_size
    if end > len(data):
        raise damaged("部件不完整，文件可能没有传完")


def _content_start(data: bytes, entry: zipfile.ZipInfo) -> int:
    if entry.header_offset < 0 or entry.header_offset + 30 > len(data):
        raise damaged("部件的位置不对")
    mark, name_length, extra_length = _LOCAL_HEADER.unpack_from(data, entry.header_offset)
    if mark != b"PK\x03\x04":
        raise damaged("部件的位置不对")
    return int(entry.header_offset + 30 + name_length + extra_length)


def _inflate(data: bytes, entry: zipfile.ZipInfo, *, allowed: int) -> bytes:
    start = _content_start(data, entry)
    packed = memoryview(data)[start : start + entry.compress_size]
    limit = min(allowed, entry.file_size)
    if entry.compress_type == zipfile.ZIP_STORED:
        content = bytes(packed[: limit + 1])
    else:
        try:
            content = zlib.decompressobj(-15).decompress(packed, limit + 1)
        except zlib.error as error:
            raise damaged("部件解不开") from error
    if len(content) > allowed:
        raise _too_much("过大", f"{allowed // MIB} MB")
    if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
        raise damaged("部件与目录所写的大小或校验不符")
    return content


def _check_xml(content: bytes, *, limits: Limits) -> None:
    encoding = _ENCODING.match(content[:300])
    if encoding and encoding[1].lower() not in _ENCODINGS:
        raise damaged("部件使用了 Word 不用的编码")
    if b"!" in content and any(doctype in content for doctype in _DOCTYPES):  # few parts hold the one character
        raise Unreadable(
            "file_doctype", "文件里有 Word 文档不允许的 DOCTYPE 声明，像是异常构造的文件，未予读取。请用 Word 另存为新的 .docx 后再提交。"
        )
    tags = content.count(b"<") if len(content) > limits.elements else 0
    if tags > limits.elements:
        raise _too_much(f"一个部件有约 {tags // 10000} 万个标记", f"{limits.elements // 10000} 万个")
