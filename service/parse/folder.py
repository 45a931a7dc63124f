"""Which files a folder holds for us: sorted, lock files and hidden ones passed over, other types listed with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from service.errors import ServiceError

_READ_SUFFIXES = {".docx", ".doc", ".wps", ".rtf", ".pdf", ".txt", ".md", ".markdown"}
_REASONS = {
    ".docm": "带宏的 Word 文件，请另存为 .docx",
    ".dotx": "Word 模板，不是文稿",
    ".dot": "Word 模板，不是文稿",
    ".xlsx": "Excel 表格，不审读",
    ".xls": "Excel 表格，不审读",
    ".et": "WPS 表格，不审读",
    ".pptx": "演示文稿，不审读",
    ".ppt": "演示文稿，不审读",
    ".dps": "WPS 演示，不审读",
    ".zip": "压缩包，请先解压",
    ".rar": "压缩包，请先解压",
    ".7z": "压缩包，请先解压",
    ".jpg": "图片，不审读",
    ".jpeg": "图片，不审读",
    ".png": "图片，不审读",
    ".bmp": "图片，不审读",
    ".tif": "图片，不审读；扫描件请合成一个 PDF",
    ".tiff": "图片，不审读；扫描件请合成一个 PDF",
    ".ofd": "OFD 版式文件，请导出为 PDF",
    ".odt": "OpenDocument 文档，请另存为 .docx",
}
_OTHER_REASON = "不是 Word、PDF 或文本文件，不审读"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file in a folder that is not judged, and why (Chinese)."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Walk:
    files: tuple[Path, ...]
    passed_over: tuple[PassedOver, ...] = ()
    hidden: int = 0  # lock files and hidden files and folders, which nobody wants to hear of


def walk(paths: Iterable[str | Path]) -> Walk:
    """The files that `paths` name: a file is always tried, a folder is walked with everything below it, each file once.

    ServiceError where a path does not exist or a folder may not be listed. Links to folders are not followed, so no loop can hold us.
    """
    files: dict[Path, None] = {}
    passed: list[PassedOver] = []
    hidden = 0
    for path in map(Path, paths):
        if not os.path.lexists(path):
            raise ServiceError("path_missing", f"找不到文件或文件夹：{path}。请检查路径是否写对。", status=404)
        if not path.is_dir():
            files.setdefault(path)
            continue
        for found in _below(path):
            if found is None:
                hidden += 1
            elif isinstance(found, PassedOver):
                passed.append(found)
            elif found.suffix.lower() in _READ_SUFFIXES:
                files.setdefault(found)
            else:
                passed.append(PassedOver(found, _REASONS.get(found.suffix.lower(), _OTHER_REASON)))
    return Walk(tuple(files), tuple(passed), hidden)


def _below(folder: Path, *, named: bool = True) -> Iterator[Path | PassedOver | None]:
    """Files of a folder and those below it, by name; None for one that is hidden. Only a folder that was `named` has to be open to us."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except PermissionError as error:
        if not named:
            yield PassedOver(folder, "没有权限打开这个文件夹")
            return
        raise ServiceError("path_forbidden", f"没有权限打开文件夹：{folder}。请检查权限。", status=403) from error
    for entry in entries:
        if entry.name.startswith((".", "~$", ".~")) or entry.name in {"Thumbs.db", "desktop.ini", "__MACOSX"}:
            yield None
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), named=False)
        elif entry.is_file():
            yield Path(entry.path)
