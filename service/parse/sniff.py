"""Which format the bytes are, whatever the file is called; what cannot be read is refused with what it is and what to do."""

from __future__ import annotations

import re
from pathlib import PurePath

from service.errors import Unreadable
from service.model import Format
from service.parse import guard
from service.parse.limits import Limits

_PDF_WITHIN = 1024  # Adobe's readers accept the header anywhere in the first 1024 bytes
_CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CFB_MAX_DIRECTORY_SECTORS = 512
_WORD_MAGIC = 0xA5EC
_WORD_ENCRYPTED = 0x0100
_SAVE_AS = "请用 Word 或 WPS 打开并“另存为”.docx（或导出为 PDF）后再提交。"

# What a file begins with, and what to call it. None of them can be judged.
_OTHER: tuple[tuple[bytes, str, str], ...] = (
    (b"MZ", "Windows 程序", "程序文件不能审读，请提交申报材料的 Word 或 PDF 文件。"),
    (b"\x7fELF", "Linux 程序", "程序文件不能审读，请提交申报材料的 Word 或 PDF 文件。"),
    (b"\x89PNG", "图片（PNG）", "请提交 Word 文件；若只有扫描件，请把各页合成一个 PDF。"),
    (b"\xff\xd8\xff", "图片（JPEG）", "请提交 Word 文件；若只有扫描件，请把各页合成一个 PDF。"),
    (b"GIF8", "图片（GIF）", "请提交 Word 文件；若只有扫描件，请把各页合成一个 PDF。"),
    (b"BM", "图片（BMP）", "请提交 Word 文件；若只有扫描件，请把各页合成一个 PDF。"),
    (b"II*\x00", "图片（TIFF）", "请提交 Word 文件；若只有扫描件，请把各页合成一个 PDF。"),
    (b"MM\x00*", "图片（TIFF）", "请提交 Word 文件；若只有扫描件，请把各页合成一个 PDF。"),
    (b"RIFF", "图片、音频或视频", "请提交 Word 或 PDF 文件。"),
    (b"Rar!", "压缩包（RAR）", "请先解压，再提交其中的 Word 或 PDF 文件。"),
    (b"7z\xbc\xaf'\x1c", "压缩包（7z）", "请先解压，再提交其中的 Word 或 PDF 文件。"),
    (b"\x1f\x8b", "压缩包（gzip）", "请先解压，再提交其中的 Word 或 PDF 文件。"),
    (b"\xdb\xa5", "Word 2 或更早的文档", _SAVE_AS),
)
_CFB_OTHER: tuple[tuple[str, str, str], ...] = (
    ("EncryptedPackage", "设有打开密码的 Office 文件", "请在 Word 中取消密码（文件→信息→保护文档）并保存后再提交。"),
    ("Workbook", "Excel 表格（xls）", "请把要审读的内容放进 Word 文件（.docx）后再提交。"),
    ("Book", "Excel 表格（xls）", "请把要审读的内容放进 Word 文件（.docx）后再提交。"),
    ("PowerPoint Document", "PowerPoint 演示文稿（ppt）", "请把要审读的内容放进 Word 文件（.docx）后再提交。"),
    ("HwpSummaryInformation", "韩文文档（hwp）", _SAVE_AS),
    ("__properties_version1.0", "电子邮件（msg）", "请提交邮件附件中的 Word 或 PDF 文件。"),
)
_ZIP_OTHER: tuple[tuple[str, str, str], ...] = (
    ("xl/", "Excel 表格（xlsx）", "请把要审读的内容放进 Word 文件（.docx）后再提交。"),
    ("ppt/", "PowerPoint 演示文稿（pptx）", "请把要审读的内容放进 Word 文件（.docx）后再提交。"),
    ("visio/", "Visio 图", "请把要审读的内容放进 Word 文件（.docx）后再提交。"),
    ("OFD.xml", "OFD 版式文件", "请导出为 PDF 或另存为 .docx 后再提交。"),
    ("META-INF/manifest.xml", "OpenDocument 文档（odt）", _SAVE_AS),
    ("Index/", "苹果 Pages 文稿", "请在 Pages 中“导出为”Word（.docx）后再提交。"),
)
_MARKUP = re.compile(rb"\s*(?:<!doctype\s+html|<html|<\?xml|mime-version:)", re.IGNORECASE)
_MARKDOWN_SUFFIXES = {".md", ".markdown"}
_MARKDOWN = re.compile(r"#{1,6} \S|!\[[^\]]*\]\(|\|?[ :]?---")
_MARKDOWN_LINES = 2000  # looked at


def _refuse(what: str, mend: str, *, code: str = "format_unknown") -> Unreadable:
    return Unreadable(code, f"这不是可审读的文档，而是{what}。{mend}")


def sniff(data: bytes, name: str, *, limits: Limits) -> Format:
    """The format of the bytes; Unreadable with the reason where it is none that can be read.

    The name decides only between formats of the same content: .wps is Word's binary format under another name, .md a text.
    """
    if not data.strip(b"\0 \t\r\n"):
        raise Unreadable("file_empty", "文件是空的，没有任何内容。请检查是否保存或上传完整，再重新提交。")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_format(data, limits=limits)
    if data.startswith(_CFB):
        return _cfb_format(data, name)
    if data.startswith(b"{\\rtf"):
        return "rtf"
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    if data[4:8] == b"ftyp":
        raise _refuse("图片（HEIC）、音频或视频", "请提交 Word 或 PDF 文件。")
    for magic, what, mend in _OTHER:
        # Two letters may begin a text as well: only with a control byte soon after is it no text.
        if data.startswith(magic) and (len(magic) > 2 or b"\0" in data[:64]):
            raise _refuse(what, mend)
    if _MARKUP.match(data[3:200] if data.startswith(b"\xef\xbb\xbf") else data[:200]):
        raise _refuse("网页或 XML 文件", _SAVE_AS)
    return _text_format(data, name)


def _text_format(data: bytes, name: str) -> Format:
    from service.parse.plain import decode  # noqa: PLC0415 - text is the rare case

    text = decode(data)
    if text is None:
        raise Unreadable(
            "format_unknown",
            "无法识别文件类型：既不是 Word、PDF，也不是文本。文件可能已损坏，或只是改了扩展名；请重新导出为 .docx 或 PDF。",
        )
    if PurePath(name).suffix.lower() in _MARKDOWN_SUFFIXES:
        return "md"
    marked = sum(1 for line in text.split("\n", _MARKDOWN_LINES)[:_MARKDOWN_LINES] if _MARKDOWN.match(line))
    return "md" if marked >= 2 else "txt"


def _zip_format(data: bytes, *, limits: Limits) -> Format:
    names = guard.names(data, limits=limits)
    if any(name.lower().startswith("word/") for name in names):
        return "docx"
    for prefix, what, mend in _ZIP_OTHER:
        if any(name.startswith(prefix) for name in names):
            raise _refuse(what, mend)
    raise _refuse("压缩包（zip）", "请先解压，再提交其中的 Word 或 PDF 文件。")


def _cfb_format(data: bytes, name: str) -> Format:
    streams = _cfb_streams(data)
    for stream, what, mend in _CFB_OTHER:
        if stream in streams and "WordDocument" not in streams:
            raise _refuse(what, mend, code="file_encrypted" if stream == "EncryptedPackage" else "format_unknown")
    if "WordDocument" not in streams:
        raise _refuse("无法识别的 Office 旧格式文件（或已损坏）", _SAVE_AS)
    head = data[streams["WordDocument"] : streams["WordDocument"] + 12]
    if int.from_bytes(head[:2], "little") == _WORD_MAGIC and int.from_bytes(head[10:12], "little") & _WORD_ENCRYPTED:
        raise Unreadable("file_encrypted", "这是设有打开密码的 Word 文档。请在 Word 中取消密码并另存为 .docx 后再提交。")
    return "wps" if PurePath(name).suffix.lower() == ".wps" else "doc"


def _cfb_streams(data: bytes) -> dict[str, int]:
    """Names of a compound file's streams with the offset of their first sector ([MS-CFB] 2.2, 2.6). Damage ends the walk early."""
    shift = int.from_bytes(data[30:32], "little")
    if shift not in {9, 12} or len(data) < 1 << shift:
        return {}
    size = 1 << shift
    found: dict[str, int] = {}
    sector = int.from_bytes(data[48:52], "little")
    for _ in range(_CFB_MAX_DIRECTORY_SECTORS):
        start = (sector + 1) * size
        if start + 128 > len(data):
            break
        for at in range(start, min(start + size, len(data) - 127), 128):
            length = int.from_bytes(data[at + 64 : at + 66], "little")
            if 2 <= length <= 64:
                first = int.from_bytes(data[at + 116 : at + 120], "little")
                found.setdefault(data[at : at + length - 2].decode("utf-16-le", "replace").lstrip("\x05\x01"), (first + 1) * size)
        sector = _next_sector(data, sector, size)
    return found


def _next_sector(data: bytes, sector: int, size: int) -> int:
    """The FAT's entry of a sector. Only the header's 109 FAT sectors are used: larger files keep their directory near the start."""
    per_sector = size // 4
    index = sector // per_sector
    if index >= 109:
        return 0xFFFFFFFE
    fat = int.from_bytes(data[76 + 4 * index : 80 + 4 * index], "little")
    at = (fat + 1) * size + 4 * (sector % per_sector)
    return int.from_bytes(data[at : at + 4], "little") if at + 4 <= len(data) else 0xFFFFFFFE
