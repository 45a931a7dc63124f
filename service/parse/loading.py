"""The bytes of a file the caller names, without being held up by pipes or filled up by devices."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from service.errors import Unreadable
from service.parse.limits import MIB, Limits


def load(path: Path, *, limits: Limits) -> bytes:
    """The bytes of a plain file; Unreadable for anything else, or more bytes than allowed."""
    try:
        with _open(path) as file:
            data = file.read(limits.file_bytes + 1)
    except FileNotFoundError as error:
        raise Unreadable("file_missing", "找不到这个文件。请检查路径是否写对、文件是否已被移走。", status=404) from error
    except PermissionError as error:
        raise Unreadable("file_forbidden", "没有权限读取这个文件。请检查权限，或关闭正在占用它的程序。", status=403) from error
    except OSError as error:
        raise Unreadable("file_missing", f"打不开这个文件（{error.strerror}）。请检查路径和磁盘。") from error
    return allowed(data, limits=limits)


def allowed(data: bytes, *, limits: Limits) -> bytes:
    """The bytes themselves; Unreadable where there are more than allowed."""
    if len(data) > limits.file_bytes:
        most = limits.file_bytes // MIB
        raise Unreadable("file_too_large", f"文件超过 {most} MB 的上限。请在 Word 中压缩图片（图片格式→压缩图片）或拆分后再提交。")
    return data


def begins_with(path: Path, marks: tuple[bytes, ...]) -> bool:
    """Whether a file's first bytes are one of `marks`; False where it cannot be opened."""
    try:
        with _open(path) as file:
            return file.read(8).startswith(marks)
    except (OSError, Unreadable):  # said when the file's turn comes
        return False


def _open(path: Path) -> BinaryIO:
    # Non-blocking: opening a pipe that nobody writes to would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise Unreadable("file_not_plain", "这不是普通文件（是文件夹、设备或管道），不能读取。请指定 Word、PDF 或文本文件。")


def shown_name(path: Path) -> str:
    """A file's name as text: one that is not UTF-8 on the disk is read as GB18030, as archives from Windows leave it."""
    try:
        path.name.encode()
    except UnicodeEncodeError:
        return os.fsencode(path.name).decode("gb18030", "replace")
    return path.name
