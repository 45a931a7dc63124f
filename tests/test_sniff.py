"""The format is what the bytes say, whatever the name says."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Unreadable
from service.parse.limits import Limits
from service.parse.sniff import sniff

_TEXT = "一、企业概况\n公司成立于2001年，主要生产压缩机。\n"


def _zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "<a/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (_zip("[Content_Types].xml", "word/document.xml"), "稿.doc", "docx"),
        (_zip("[Content_Types].xml", "word/document.xml"), "稿", "docx"),
        (b"%PDF-1.7\n...", "稿.docx", "pdf"),
        (b"\xef\xbb\xbf\n junk %PDF-1.4\n", "稿.pdf", "pdf"),
        (b"{\\rtf1\\ansi ...}", "稿.doc", "rtf"),
        (_TEXT.encode(), "稿.docx", "txt"),
        (_TEXT.encode("gb18030"), "稿.txt", "txt"),
        (_TEXT.encode("utf-16"), "稿.txt", "txt"),
        (_TEXT.encode(), "稿.md", "md"),
        (f"# 题目\n\n## 企业概况\n\n{_TEXT}".encode(), "稿.txt", "md"),
        ("BM公司质量经验\n第二段。\n".encode(), "稿.txt", "txt"),
        ("MZ系列压缩机的质量管理\n".encode(), "稿.txt", "txt"),
    ],
)
def test_format_by_content(data: bytes, name: str, expected: str) -> None:
    assert sniff(data, name, limits=Limits()) == expected


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"MZ\x90\0\3\0\0\0", "程序"),
        (b"\x7fELF\2\1\1\0", "程序"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "图片"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "图片"),
        (b"Rar!\x1a\7\0", "压缩包"),
        (b"\0\0\0\x18ftypheic" + bytes(9), "图片"),
        (_zip("readme.txt"), "压缩包"),
        (_zip("[Content_Types].xml", "xl/workbook.xml"), "Excel"),
        (_zip("[Content_Types].xml", "ppt/presentation.xml"), "演示"),
        (_zip("mimetype", "META-INF/manifest.xml"), "OpenDocument"),
        (b"<!DOCTYPE html><html><body>x</body></html>", "网页"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "旧格式"),
        (bytes(range(1, 256)) * 9, "无法识别"),
        (b" \r\n\t \0", "空"),
    ],
)
def test_what_is_no_document_is_named(data: bytes, what: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        sniff(data, "稿.docx", limits=Limits())
    assert what in refusal.value.message


@given(
    st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf", b"%PDF-", b"\xff\xfe"])
)
def test_any_bytes_are_known_or_refused(data: bytes, head: bytes) -> None:
    try:
        assert sniff(head + data, "稿", limits=Limits()) in {"docx", "doc", "rtf", "pdf", "txt", "md"}
    except Unreadable as refusal:
        assert refusal.code.startswith(("file_", "format_"))
