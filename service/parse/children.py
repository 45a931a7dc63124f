"""A few warm parser children for several threads: one is taken, asked and put back; a dead or worn one is replaced."""

from __future__ import annotations

import threading

from service.parse.limits import Limits
from service.parse.process import Child, ChildDiedError
from service.parse.wire import OVER_MEMORY, Refused, Reply, Request

_DIED = {
    "time": ("read_timeout", "读取超过 {seconds:.0f} 秒仍未完成，已停止。文件可能过大或异常，请用 Word 另存为新的 .docx，或拆分后再提交。"),
    "memory": ("read_memory", OVER_MEMORY),
    "size": ("file_over_limit", "读出的内容过多，超过限制。请拆分后再提交。"),
    "crash": (
        "read_crashed",
        "读取时程序异常终止。文件可能已损坏或异常构造，请用原来的软件打开，另存为新的 .docx 或重新导出 PDF 后再提交。",
    ),
}


class Children:
    """The children of one Reader. Safe from any thread; `close` ends them all, whatever they do."""

    __slots__ = ("_all", "_closed", "_idle", "_limits", "_lock")

    def __init__(self, *, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._all: set[Child] = set()
        self._closed = False

    def warm(self) -> None:
        """Starts one without waiting for it."""
        child = self._start()
        with self._lock:
            self._idle.append(child)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of those alive."""
        with self._lock:
            return tuple(sorted(child.pid for child in self._all))

    def ask(self, request: Request) -> Reply:
        """A child's answer; Refused where the child had to be killed or died."""
        with self._lock:
            idle = self._idle.pop() if self._idle else None
        child = idle or self._start()
        try:
            reply = child.ask(request, seconds=request.limits.seconds)
        except ChildDiedError as death:
            self._drop(child)
            code, message = _DIED[death.reason]
            return Refused(code, message.format(seconds=request.limits.seconds))
        if child.is_worn(files=self._limits.files_per_child, growth=self._limits.child_growth):
            self._drop(child)
        else:
            with self._lock:
                self._idle.append(child)
        return reply

    def _start(self) -> Child:
        child = Child(memory=self._limits.memory)
        with self._lock:
            self._all.add(child)
            if self._closed:
                child.end()
        return child

    def _drop(self, child: Child) -> None:
        with self._lock:
            self._all.discard(child)
        child.close()

    def kill(self) -> None:
        """Ends whatever is being read; further questions are refused."""
        with self._lock:
            self._closed = True
            for child in self._all:
                child.end()

    def close(self) -> None:
        """After `kill`, and once no thread asks any more."""
        for child in self._all:
            child.close()
        self._all.clear()
        self._idle.clear()
