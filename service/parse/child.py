"""The process that reads: limits itself, then answers one request after another until its input ends.

Started by worker.py as `python -m service.parse.child`. It imports a format's reader when the first such file comes.
"""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import os
import resource
import sys
from typing import BinaryIO

import msgspec

from service.errors import Unreadable
from service.model import Document, Format
from service.parse.sniff import sniff
from service.parse.wire import LENGTH, OVER_MEMORY, Done, NeedsConversion, NeedsOcr, Refused, Reply, Request, pack

_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_OPEN_FILES = 64
_WRITTEN_BYTES = 1024 * 1024  # the error output is all a child ever writes to a file
_NO_TEXT = "文件里没有读到任何文字，可能全是图片或空白页。请提交可以选中文字的 Word 文件；只有扫描件时，请提交清晰的 PDF。"
_MANY_OBJECTS = 100_000  # left from reading; then the cycles among them are looked for
_CONVERTED = {"doc", "wps", "rtf"}


def shut_in(memory: int) -> None:
    """Limits this process for good: memory, files, no core dump, no new rights, and no network where the system lets us."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_WRITTEN_BYTES, _WRITTEN_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # As root the network alone can be left; others need a user namespace for it, which many systems forbid.
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _allow_processor(seconds: float) -> None:
    """The limit counts from the process's start, so each file moves it on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def answer(request: Request) -> Reply:
    """Reads one file. What is wrong with the file becomes Refused; anything unforeseen ends the process, and the parent says so."""
    kind = request.format
    try:
        kind = kind or sniff(request.data, request.name, limits=request.limits)
        if kind in _CONVERTED and request.format is None:
            return NeedsConversion(kind)
        document, wanted = _read(request, kind)
    except Unreadable as refusal:
        return Refused(refusal.code, refusal.message, kind)
    except MemoryError:
        return Refused("read_memory", OVER_MEMORY, kind)
    if not wanted and not document.text.strip():
        return Refused("no_text", _NO_TEXT, kind)
    document = dataclasses.replace(document, name=request.name, sha256=request.sha256, format=kind)
    return NeedsOcr(wanted, document) if wanted else Done(document)


def _read(request: Request, kind: Format) -> tuple[Document, tuple[int, ...]]:
    """The document and the pages, from 1, that wait for OCR. A reader is imported when its format first comes."""
    data, name, limits = request.data, request.name, request.limits
    if kind in {"txt", "md"}:
        from service.parse.plain import read_plain  # noqa: PLC0415

        return read_plain(data, name, format=kind, limits=limits), ()
    if kind == "pdf":
        from service.parse.pdf import read_pdf  # noqa: PLC0415

        result = read_pdf(data, name, recognised=request.recognised, limits=limits)
        return result.document, result.wanted
    from service.parse.docx import read_docx  # noqa: PLC0415

    return read_docx(data, name, limits=limits), ()


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    decoder = msgspec.msgpack.Decoder(Request)
    # A reader makes hundreds of thousands of objects and few cycles: collecting while it works costs a fifth of the time.
    gc.disable()
    while head := source.read(LENGTH.size):
        request = decoder.decode(source.read(LENGTH.unpack(head)[0]))
        _allow_processor(request.limits.seconds)
        sink.write(pack(answer(request)))
        sink.flush()
        if gc.get_count()[0] > _MANY_OBJECTS:
            gc.collect()


def main() -> None:
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not stand between replies
    shut_in(int(sys.argv[1]))
    serve(source, sink)


if __name__ == "__main__":
    main()
