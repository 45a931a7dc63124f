"""biaogan serve: the service in the browser and a worker beside it, until it is interrupted."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from service import settings
from service.errors import ServiceError, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.arguments import Parser
    from service.database.place import Place

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PAUSE = 2.0  # seconds before a worker that ended is started again
_STEP = 0.05
_GRACE = 20.0  # seconds that a worker has to finish what it is at


def add_command(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser("serve", help="启动网页服务（连同一个后台审读进程）", add_help=False)
    parser.add_argument("-h", "--help", action="help", help="显示用法")
    parser.add_argument(
        "--host", default="127.0.0.1", help="监听的地址，默认只供本机（127.0.0.1）；供局域网使用写 0.0.0.0，并设置 BIAOGAN_URL"
    )
    parser.add_argument("--port", type=int, default=8000, help="端口，默认 8000")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="同时启动几个后台审读进程，默认 1；0 表示另用 biaogan worker 启动"
    )


def run(options: argparse.Namespace) -> int:
    wanted, web = settings.read(), settings.read_web()
    if "BIAOGAN_URL" not in os.environ:
        os.environ["BIAOGAN_URL"] = f"http://{'127.0.0.1' if options.host == '0.0.0.0' else options.host}:{options.port}"  # noqa: S104
        web = settings.read_web()
    _refuse_open(options.host, web)
    with closing(_listen(options.host, options.port)) as line:
        import uvicorn  # noqa: PLC0415 - only the service needs it

        from service import logs  # noqa: PLC0415
        from service.database.place import Place  # noqa: PLC0415
        from service.web.app import create  # noqa: PLC0415

        logs.begin(logging.WARNING if sys.stderr.isatty() else logging.INFO)  # someone at a terminal wants to see addresses, not requests
        place = Place(wanted.data, wanted.database, wanted.files)
        app = create(place, settings=web, analysis=wanted)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, proxy_headers=False))
        first = _first_link(place)
        workers = [_Worker(after=lambda: server.started) for _ in range(options.workers)]
        try:
            _say(f"服务已启动：{web.url}（按 Ctrl-C 结束）")
            if first is not None:
                _say(f"还没有可以登录的管理员。请打开这个一次性链接，设置管理员的密码：\n  {web.url}/welcome/{first}")
            with suppress(KeyboardInterrupt):  # uvicorn ends in order and then raises it again
                server.run([line])
        finally:
            for worker in workers:
                worker.end()
    return 0


def _first_link(place: Place) -> str | None:
    """For the first administrator; None where there is one, or a demonstration that has links of its own."""
    from service.database.engine import closing, connect  # noqa: PLC0415
    from service.programme import links  # noqa: PLC0415

    with closing(connect(place)) as engine, engine.begin() as connection:
        return None if links.is_demonstration(connection) else links.first_link(connection)


def _refuse_open(host: str, web: settings.Web) -> None:
    """Passwords and write-ups do not go over the network in the clear unless someone has said so."""
    if host in _LOOPBACK or web.secure or os.environ.get("BIAOGAN_PLAIN_HTTP") == "1":
        return
    told = (
        "服务将对局域网开放，但 BIAOGAN_URL 不是 https 地址：密码和材料会以明文传送。"
        "请在前面设置带证书的反向代理，并把 BIAOGAN_URL 设为它的 https 地址；"
        "确要用明文（例如只在隔离的内网试用），请设 BIAOGAN_PLAIN_HTTP=1。"
    )
    raise ServiceError("serve_plain_http", told)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=256, reuse_port=False)
    except OSError as error:
        told = f"不能在 {host}:{port} 上启动服务（{reason(error)}）：端口可能已被占用。"
        told += f"请换一个端口，例如 --port {port + 1}，或先结束占用它的程序。"
        raise ServiceError("serve_port", told) from error


class _Worker:
    """A `biaogan worker` that is started when the pages are there, which have the processor first, and again when it ends."""

    def __init__(self, *, after: Callable[[], bool]) -> None:
        self._after = after
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="worker", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        while not self._after() and not self._ending.wait(_STEP):
            pass
        while not self._ending.is_set():
            command = [sys.executable, "-m", "service.cli", "worker", "--attached"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 - our own program
            self._process.wait()
            self._ending.wait(_PAUSE)

    def end(self) -> None:
        self._ending.set()
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
