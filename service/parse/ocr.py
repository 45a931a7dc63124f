"""Reads pages without a text layer, page by page, in a child process of its own that is killed at its limit."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from service.parse.limits import MIB
from service.parse.ocr_page import OcrPage, OcrRequest
from service.parse.process import clean_environment
from service.parse.wire import LENGTH

_LOG = logging.getLogger(__name__)
MEMORY = 6144 * MIB  # address space; onnxruntime reserves far more than the 0.9 GB that it uses
START_SECONDS = 60.0  # added to the first page's limit: importing onnxruntime and loading the models
MISSING = (
    "没有安装文字识别组件，扫描件里的文字未读出。请安装文字识别组件（在程序目录运行 pip install '.[ocr]'），或提交Word文件、带文字层的PDF。"
)


def is_installed() -> bool:
    """Whether the optional OCR packages are here."""
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime", "cv2"))


class OcrChild:
    """A warm child that recognises pages; started when first needed, for one thread at a time. `kill` may come from any thread."""

    __slots__ = ("_decoder", "_errors", "_memory", "_process", "_threads", "_warm")

    def __init__(self, *, memory: int = MEMORY, threads: int | None = None) -> None:
        self._memory = memory
        self._threads = threads or min(os.cpu_count() or 1, 4)
        self._process: subprocess.Popen[bytes] | None = None
        self._decoder = msgspec.msgpack.Decoder(OcrPage)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- lives as long as the child
        self._warm = False

    def recognise(
        self,
        data: bytes,
        pages: Sequence[int],
        *,
        page_seconds: float = 20.0,
        total_seconds: float = 900.0,
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[int, OcrPage]:
        """What stands on each page (numbers from 1). A page that takes too long or kills the child is marked `failed`; pages after the
        total limit are left out. `progress` gets pages done and pages in all.
        """
        out: dict[int, OcrPage] = {}
        until = time.monotonic() + total_seconds
        held = False  # whether the child has the document
        for done, number in enumerate(pages):
            if progress is not None:
                progress(done, len(pages))
            left = until - time.monotonic()
            if left <= 0:
                break
            page = self._ask(OcrRequest(b"" if held else data, number, self._threads), seconds=min(left, page_seconds))
            held = page is not None
            out[number] = page or OcrPage(number, 0.0, 0.0, (), failed=True)
        if progress is not None:
            progress(len(pages), len(pages))
        return out

    def _ask(self, request: OcrRequest, *, seconds: float) -> OcrPage | None:
        """The page, or None where the child gave no answer in time; it is then gone."""
        process = self._start()
        watch = threading.Timer(seconds + (0 if self._warm else START_SECONDS), self.kill)
        watch.daemon = True
        watch.start()
        try:
            page = self._exchange(process, request)
        except (OSError, EOFError, msgspec.MsgspecError):
            self._log_last_words(request.page)
            self._end()
            return None
        finally:
            watch.cancel()
        self._warm = True
        return page

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._warm = False
            self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                [sys.executable, "-s", "-P", "-m", "service.parse.ocr_child", str(self._memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=clean_environment() | {"OMP_NUM_THREADS": str(self._threads)},
                cwd="/",
                close_fds=True,
                start_new_session=True,
            )
        return self._process

    def _exchange(self, process: subprocess.Popen[bytes], request: OcrRequest) -> OcrPage:
        source, sink = process.stdout, process.stdin
        assert source is not None
        assert sink is not None
        body = msgspec.msgpack.encode(request)
        sink.write(LENGTH.pack(len(body)) + body)
        sink.flush()
        head = source.read(LENGTH.size)
        if len(head) < LENGTH.size:
            raise EOFError
        return self._decoder.decode(source.read(LENGTH.unpack(head)[0]))

    def kill(self) -> None:
        """Ends the child; harmless when it is gone."""
        process = self._process
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def _end(self) -> None:
        self.kill()
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            process.wait()

    def close(self) -> None:
        self._end()
        self._errors.close()

    def _log_last_words(self, page: int) -> None:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 2000))
        _LOG.info("OCR child gave no answer for page %d: %s", page, self._errors.read().decode("utf-8", "replace").strip())
