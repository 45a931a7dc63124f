"""Text and Markdown files: the encoding found by content, lines made paragraphs, tables kept."""

from __future__ import annotations

import hashlib
import re

from service.errors import Unreadable
from service.model import Document, Format
from service.parse.blocks import Builder
from service.parse.limits import Limits

_CONTROL = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f\ufffe\uffff]")


def decode(data: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            return text
    return None


def read_plain(data: bytes, name: str, *, format: Format, limits: Limits) -> Document:  # noqa: A002
    text = decode(data)
    if text is None:
        raise Unreadable("file_damaged", "不是文本文件。")
    if len(text) > limits.characters:
        raise Unreadable("file_over_limit", f"文本超过 {limits.characters // 10000} 万字的上限。请拆分后再提交。")
    builder = Builder()
    for line in text.splitlines():
        if line.strip():
            builder.add(line.strip())
    return Document(name, hashlib.sha256(data).hexdigest(), format, builder.text, builder.blocks)
