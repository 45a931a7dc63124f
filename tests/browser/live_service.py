"""`biaogan serve` as it is run, with its worker, on a database filled with the demonstration and a library of constructed benchmarks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import func, select

from service.artefacts import CORPORA
from service.database import queue
from service.database.engine import close, connect
from service.database.files import open_store
from service.database.place import Place
from service.database.programme_tables import analyses, users
from service.operate import demonstration
from service.programme import links
from service.programme.analyses import current

SAMPLES = CORPORA / "samples"
_LIBRARY = ("library", "import", str(CORPORA / "benchmarks" / "texts"), "--manifest", str(CORPORA / "benchmarks" / "benchmarks.csv"))
_PATIENCE = 120.0  # seconds, for a machine with other work


class Live:
    """The running service. People sign in by the links that `biaogan demo` prints."""

    def __init__(self, url: str, engine: Any) -> None:
        self.url = url
        self.engine = engine

    def link(self, name: str) -> str:
        with self.engine.begin() as db:
            account = db.execute(select(users.c.id).where(users.c.name == name)).scalar_one()
            return f"{self.url}/demo/{links.demo(db, account)}"

    def enter(self, context: BrowserContext, name: str) -> Page:
        """A page on which this person is signed in."""
        page = context.new_page()
        page.goto(self.link(name))
        page.get_by_role("button", name="进入").click()
        page.wait_for_url(lambda url: "/demo/" not in url)
        return page

    def context(self, browser: Browser, *, js: bool = True, width: int = 1440) -> BrowserContext:
        height = 1000 if width > 1000 else 1180
        return browser.new_context(
            base_url=self.url, java_script_enabled=js, viewport={"width": width, "height": height}, locale="zh-CN", reduced_motion="reduce"
        )

    def settle(self) -> None:
        """Waits until nothing is left to analyse."""
        until(lambda: self._waiting() == 0)

    def _waiting(self) -> int:
        with self.engine.connect() as db:
            return int(db.execute(select(func.count()).where(analyses.c.state.in_(("waiting", "running")))).scalar_one())


def until(done: Callable[[], bool], *, seconds: float = _PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.5)


@contextmanager
def live(cluster: Path, folder: Path, *, most: int = 12) -> Iterator[Live]:
    """`cluster`: folder of the sockets of the tests' server (tests/conftest.py)."""
    name = f"browser{uuid4().hex[:12]}"
    with psycopg.connect(host=str(cluster), user="biaogan", dbname="biaogan", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template")
        place = Place(folder, f"postgresql://biaogan@/{name}?host={cluster}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        told = {"BIAOGAN_DATA_DIR": str(folder), "BIAOGAN_DATABASE_URL": place.database or "", "BIAOGAN_URL": f"http://127.0.0.1:{port}"}
        environment = {**os.environ, **told}
        subprocess.run([sys.executable, "-m", "service.cli", *_LIBRARY], env=environment, check=True, capture_output=True)
        engine = connect(place)
        try:
            queue.prepare(engine)
            with engine.begin() as db:
                demonstration.fill(db, open_store(place), current(), most=most)
            with _served(port, environment, folder / "serve.log"):
                site = Live(told["BIAOGAN_URL"], engine)
                site.settle()
                yield site
        finally:
            close(engine)
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _served(port: int, environment: dict[str, str], log: Path) -> Iterator[None]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as kept:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve", "--port", str(port)], env=environment, stdout=kept, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: _answers(port) or process.poll() is not None)
        assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
