"""Chromium without a window, and a server in a thread for it to visit."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from live_service import Live, live
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("BIAOGAN_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--headless", "--disable-background-networking"]


@pytest.fixture(scope="session", name="browser")
def _browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: install it, or set BIAOGAN_CHROMIUM")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(name="page")
def _page(browser: Browser) -> Iterator[Page]:
    """A page whose errors and refusals by the policy fail the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="zh-CN")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None)
    yield page
    context.close()
    assert wrong == []


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The address of a server on a free port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.02)
        (socket,) = server.servers[0].sockets[:1]
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(name="live", scope="session")
def _live(browser: Browser, cluster: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One running service for all tests that visit it; without a browser it is not started."""
    with live(cluster, tmp_path_factory.mktemp("live")) as site:
        yield site


@pytest.fixture(name="serve")
def _serve() -> Iterator[Callable[[Any], str]]:
    """Serves an application until the test ends: its address."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving(app))
