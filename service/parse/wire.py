"""What parent and child say to each other: msgpack with its length before it, never pickle."""

from __future__ import annotations

import struct

import msgspec

from service.model import Document, Format
from service.parse.limits import Limits
from service.parse.ocr_page import OcrPage

OVER_MEMORY = "读取所需的内存超过限制，像是异常构造或过大的文件。请用 Word 另存为新的 .docx（或重新导出 PDF），或拆分后再提交。"
LENGTH = struct.Struct("<Q")


class Request(msgspec.Struct, frozen=True):
    """One file to read. `format` is given where `data` is what LibreOffice made of another format."""

    name: str
    sha256: str
    data: bytes
    limits: Limits
    format: Format | None = None
    recognised: dict[int, OcrPage] = {}  # what OCR found, by page


class Done(msgspec.Struct, frozen=True, tag="done"):
    document: Document


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    code: str
    message: str
    format: Format | None = None


class NeedsConversion(msgspec.Struct, frozen=True, tag="convert"):
    format: Format


class NeedsOcr(msgspec.Struct, frozen=True, tag="ocr"):
    """Pages, from 1, that hold pictures of text. `document` is what can be said without reading them."""

    pages: tuple[int, ...]
    document: Document


Reply = Done | Refused | NeedsConversion | NeedsOcr


def pack(message: Request | Reply) -> bytes:
    body = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(body)) + body
