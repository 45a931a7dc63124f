"""Measures the service as it is run: `biaogan serve` and `biaogan worker` as processes, the embedded PostgreSQL, files through the pages.

    python benchmarks/service.py [--only start,batch,same,workers,kills,hosts] [--files 300] [--out service.json]

Prints a table and writes service.json. The files are write-ups of 10,000字 with tables (inputs.py); every one differs from the others, so
that nothing is known before. Times are wall-clock on one machine; ratios are taken in one run, in turn.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import inputs
import psutil
from sqlalchemy import Engine, text

from service.database import queue
from service.database.engine import closing, connect
from service.database.files import open_store
from service.database.place import Place
from service.database.programme_tables import users
from service.database.server import Server
from service.errors import ServiceError
from service.programme import analyses, sessions
from service.rulebook import load

HERE = Path(__file__).parent
EDITION = "2022-hebei"
DISTINCT = 25  # write-ups; making one takes longer than analysing it
LOAD = f"{os.getloadavg()[0]:.1f}"
ENDINGS = """
CREATE TABLE ended (analysis bigint);
CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ended VALUES (new.id); RETURN new; END $$;
CREATE TRIGGER note_end AFTER UPDATE ON analyses FOR EACH ROW WHEN (new.state IN ('done', 'failed')) EXECUTE FUNCTION note_end();
"""


@dataclass(frozen=True, slots=True)
class Measure:
    name: str
    value: float
    unit: str
    limit: float
    better: str = "lower"  # or "higher"
    beside: str = ""  # what else was seen, the alternative's figure

    @property
    def kept(self) -> bool:
        return self.value <= self.limit if self.better == "lower" else self.value >= self.limit


@cache
def writeups() -> tuple[bytes, ...]:
    return tuple(inputs.writeup_docx(seed) for seed in range(DISTINCT))


def files(count: int) -> list[bytes]:
    """Documents no two of which are the same, nor the same as those of another call."""
    call = uuid.uuid4().hex
    return [_marked(writeups()[number % DISTINCT], f"{call} {number}") for number in range(count)]


def _marked(data: bytes, mark: str) -> bytes:
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as package:
        package.comment = mark.encode()
    return stream.getvalue()


# --- processes ---------------------------------------------------------------------------------------------------------------------


class Bench:
    """A data folder, and the processes that use it."""

    def __init__(self, folder: Path, *, url: str | None = None, store: str | None = None) -> None:
        self.place = Place(folder, url, store)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environment = {**os.environ, "BIAOGAN_DATA_DIR": str(folder), "BIAOGAN_OCR": "0"}
        self._environment |= {} if url is None else {"BIAOGAN_DATABASE_URL": url}
        self._environment |= {} if store is None else {"BIAOGAN_FILES_URL": store}
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "service.cli", *arguments]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env={**self._environment, **more}, stdout=log, stderr=log, cwd=HERE.parent)
        self._processes.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        return self.start("worker")

    def working(self, count: int) -> None:
        """Waits until so many workers have begun; their models are loaded some seconds later."""
        until(lambda: self.log.exists() and self.log.read_text().count('"working"') >= count, "workers")
        time.sleep(3)

    def end(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
        self._processes.clear()


@contextmanager
def bench(**options: Any) -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="biaogan-bench-"))
    made = Bench(folder / "data", **options)
    try:
        yield made
    finally:
        made.end()
        shutil.rmtree(folder, ignore_errors=True)


def until(what: Callable[[], bool], said: str, seconds: float = 300.0, step: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError(said)
        time.sleep(step)


def put(engine: Engine, place: Place, documents: list[bytes]) -> None:
    store, edition, current = open_store(place), load(EDITION), analyses.current()
    for number, data in enumerate(documents):
        with engine.begin() as connection:
            analyses.want(connection, sha256=store.put(data), file_name=f"{number}.docx", edition=edition, current=current)


def ended(engine: Engine) -> int:
    with suppress(ServiceError), engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM analyses WHERE state IN ('done', 'failed')")).scalar_one())
    return 0


def pss(process: subprocess.Popen[bytes]) -> float:
    """MB of a process and all below it, shared pages divided among those that share them; PostgreSQL left out."""
    total = 0
    for each in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)):
        with suppress(psutil.Error):
            if not each.name().startswith("postgres"):
                total += each.memory_full_info().pss
    return total / 1e6


# --- a browser -----------------------------------------------------------------------------------------------------------------------


class Browser:
    """A signed-in session on the pages, as the program's own scripts use them. One for each thread."""

    def __init__(self, port: int, token: str, csrf: str) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Cookie": f"biaogan={token}", "X-CSRF-Token": csrf}

    def get(self, path: str) -> tuple[int, bytes]:
        return self._ask("GET", path, None, {})

    def form(self, path: str, **values: str) -> str:
        """Sends a form; where it leads."""
        body = urlencode(values).encode()
        self._line.request("POST", path, body, {**self._headers, "Content-Type": "application/x-www-form-urlencoded"})
        answer = self._line.getresponse()
        answer.read()
        assert answer.status == 303, answer.status
        return answer.headers["Location"]

    def upload(self, path: str, data: bytes, name: str, *, field: str, **values: str) -> int:
        """A file as a form of the page sends it; the status."""
        mark = uuid.uuid4().hex
        head = "".join(f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in values.items())
        head += f'--{mark}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
        status, _ = self._ask("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={mark}", "X-Upload": "each"})
        return status

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        self._line.request(method, path, body, {**self._headers, **headers})
        answer = self._line.getresponse()
        return answer.status, answer.read()


@dataclass(frozen=True, slots=True)
class Site:
    bench: Bench
    port: int
    process: subprocess.Popen[bytes]
    engine: Engine

    def browser(self, role: str, name: str | None = None) -> Browser:
        name = name or role
        with self.engine.begin() as connection:
            user = connection.execute(users.select().where(users.c.name == name)).one_or_none()
            if user is None:
                values = {"name": name, "shown": name, "role": role, "organisation": "（构造）测试公司"}
                user = connection.execute(users.insert().values(**values).returning(users)).one()
            token = sessions.open_session(connection, user.id, hours=1)
            viewer = sessions.viewer(connection, token)
        assert viewer is not None
        return Browser(self.port, token, viewer.csrf)


def first_page(made: Bench, *arguments: str) -> tuple[subprocess.Popen[bytes], int, float]:
    """The process, its port, and the seconds from its start to the first page."""
    with socket.create_server(("127.0.0.1", 0)) as line:
        port = line.getsockname()[1]
    began = time.perf_counter()
    process = made.start("serve", "--port", str(port), *arguments, BIAOGAN_UPLOADS_AN_HOUR="100000")
    until(lambda: _answers(port), "serve", 60)
    return process, port, time.perf_counter() - began


def _answers(port: int) -> bool:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        line.request("GET", "/sign-in")
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


@contextmanager
def site(made: Bench, *arguments: str) -> Iterator[Site]:
    process, port, _ = first_page(made, *arguments)
    with closing(connect(made.place)) as engine:
        yield Site(made, port, process, engine)


# --- the parts ---------------------------------------------------------------------------------------------------------------------


def start(_options: argparse.Namespace) -> Iterator[Measure]:
    with bench() as made:
        _, _, fresh = first_page(made)
        made.end()
        times = []
        for _ in range(3):
            times.append(first_page(made)[2])
            made.end()
    yield Measure(
        "start of `biaogan serve` to its first page", statistics.median(times), "s", 5, beside=f"with a new database {fresh:.1f} s"
    )


def batch(options: argparse.Namespace) -> Iterator[Measure]:
    """Files uploaded one at a time, four at once, as the page's script does, while the pages are being read."""
    documents = files(options.files)
    with bench() as made, site(made) as found:
        made.working(1)
        office = found.browser("office")
        where = office.form("/batches", edition=EDITION, name="测量")
        over, times = threading.Event(), []
        reader = threading.Thread(target=_read_pages, args=(found, where, over, times))
        reader.start()
        began = time.perf_counter()
        _send_all(found, where, documents)
        sent = time.perf_counter() - began
        until(lambda: ended(found.engine) >= len(documents), "batch")
        reported = time.perf_counter() - began
        until(lambda: _idle(found.engine), "comparing", 600)
        settled = time.perf_counter() - began
        over.set()
        reader.join()
        memory = pss(found.process)
        with found.engine.connect() as connection:
            failed = connection.execute(text("SELECT count(*) FROM analyses WHERE status <> 'complete'")).scalar_one()
    beside = f"uploaded after {sent:.0f} s, compared with each other after {settled:.0f} s; {failed} not complete"
    yield Measure(f"{options.files} docx through the page: all reported", reported, "s", 60 * options.files / 300, beside=beside)
    during = [spent for at, spent in times if at < began + reported]
    yield Measure("pages meanwhile, p95", _p95(during), "ms", 200, beside=f"{len(during)} pages, median {statistics.median(during):.0f} ms")
    after = [spent for at, spent in times if at >= began + reported]
    if after:
        yield Measure("… and while submissions are compared, p95", _p95(after), "ms", 200, beside=f"{len(after)} pages")
    yield Measure("memory of web and one worker (PSS, PostgreSQL apart)", memory, "MB", 900)


def _read_pages(found: Site, where: str, over: threading.Event, times: list[tuple[float, float]]) -> None:
    browser = found.browser("office", "reader")
    paths = ("/submissions", where, f"{where}/progress")
    for number in range(1_000_000):
        if over.is_set():
            return
        began = time.perf_counter()
        status, _ = browser.get(paths[number % len(paths)])
        assert status == 200, (paths[number % len(paths)], status)
        times.append((began, (time.perf_counter() - began) * 1000))
        time.sleep(0.1)


def _send_all(found: Site, where: str, documents: list[bytes]) -> None:
    browsers = [found.browser("office") for _ in range(4)]

    def send(which: int) -> None:
        for number in range(which, len(documents), len(browsers)):
            status = browsers[which].upload(f"{where}/files", documents[number], f"材料{number}.docx", field="files")
            assert status == 204, status

    with ThreadPoolExecutor(len(browsers)) as pool:
        list(pool.map(send, range(len(browsers))))


def _idle(engine: Engine) -> bool:
    with engine.connect() as connection:
        return not connection.execute(text("SELECT count(*) FROM queue.procrastinate_jobs WHERE task_name <> 'expire'")).scalar_one()


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def same(_options: argparse.Namespace) -> Iterator[Measure]:
    """One file, fifty times at once."""
    data = files(1)[0]
    with bench() as made, site(made) as found:
        where = found.browser("office").form("/batches", edition=EDITION, name="测量")
        browsers = [found.browser("office") for _ in range(50)]
        with ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(lambda each: each.upload(f"{where}/files", data, "材料.docx", field="files"), browsers))
        with found.engine.connect() as connection:
            rows = [
                connection.execute(text(f"SELECT count({what}) FROM {table}")).scalar_one()
                for what, table in (("*", "analyses"), ("DISTINCT receipt", "submission_versions"))
            ]
    assert set(statuses) == {204}, statuses
    yield Measure("50 uploads of one file at once: analyses", rows[0], "", 1)
    yield Measure("… and receipts", rows[1], "", 50, "higher")


def workers(options: argparse.Namespace) -> Iterator[Measure]:
    """One worker and two in turn, and `biaogan check` with two jobs on the same files."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    share = max(20, options.files // 2)
    with bench() as made, closing(connect(made.place)) as engine:
        queue.prepare(engine)
        for count in (1, 2, 1, 2):
            made.log.write_text("")
            for _ in range(count):
                made.worker()
            made.working(count)
            before, began = ended(engine), time.perf_counter()
            put(engine, made.place, files(share))
            until(lambda before=before: ended(engine) >= before + share, "workers")
            rates[count].append(share / (time.perf_counter() - began))
            made.end()
    one, two = max(rates[1]), max(rates[2])
    yield Measure("two workers times one", two / one, "×", 1.8, "higher", beside=f"{one:.1f} and {two:.1f} files a second")
    check = _checked(options.files)
    yield Measure(
        "two workers times `biaogan check --jobs 2`", two / check, "×", 0.5, "higher", beside=f"check: {check:.1f} files a second"
    )


def _checked(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(files(count)):
            Path(folder, f"{number}.docx").write_bytes(data)
        command = [
            sys.executable,
            "-m",
            "service.cli",
            "check",
            "--edition",
            EDITION,
            "--jobs",
            "2",
            "--json",
            f"{folder}/out.json",
            folder,
        ]
        environment = {**os.environ, "BIAOGAN_DATA_DIR": f"{folder}/none"}
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=False, cwd=HERE.parent)
        return count / (time.perf_counter() - began)


def kills(options: argparse.Namespace) -> Iterator[Measure]:
    """Two workers; ten times, spread over the batch, one of them is killed at its work and another started."""
    with bench() as made, closing(connect(made.place)) as engine:
        queue.prepare(engine)
        with engine.begin() as connection:
            connection.execute(text(ENDINGS))
        running = [made.worker(), made.worker()]
        made.working(2)
        put(engine, made.place, files(options.files))
        for number in range(10):
            share = options.files * number // 12
            until(lambda share=share: ended(engine) >= share and _running(engine) > 0, "running", step=0.005)
            victim = running[number % 2]
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            running[number % 2] = made.worker()
        cut = ended(engine)
        until(lambda: ended(engine) >= options.files, "kills", 300)
        time.sleep(1)
        with engine.connect() as connection:
            results, files_, most, complete = connection.execute(
                text(
                    "SELECT (SELECT count(*) FROM ended), (SELECT count(DISTINCT analysis) FROM ended), max(tries),"
                    " count(*) FILTER (WHERE status = 'complete') FROM analyses"
                )
            ).one()
    yield Measure("kill -9 of a worker ten times: files with a complete report", complete, "", options.files, "higher")
    beside = f"{files_} files; most tries of one file {most}; {cut} done at the last kill"
    yield Measure("… results stored", results, "", options.files, beside=beside)


def _running(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM analyses WHERE state = 'running'")).scalar_one())


def hosts(options: argparse.Namespace) -> Iterator[Measure]:
    """Two workers with data folders of their own, one PostgreSQL by its URL and one store of files: what two machines have in common."""
    folder = Path(tempfile.mkdtemp(prefix="biaogan-hosts-"))
    server = Server(folder / "postgres")
    share = max(20, options.files // 3)
    try:
        url = f"postgresql://biaogan@/biaogan?host={server.ensure()}"
        machines = [Bench(folder / name, url=url, store=f"file://{folder}/files") for name in ("a", "b")]
        with closing(connect(machines[0].place)) as engine:
            queue.prepare(engine)
            for each in machines:
                each.worker()
            for each in machines:
                each.working(1)
            put(engine, machines[0].place, files(share))
            until(lambda: ended(engine) >= share, "hosts")
        for each in machines:
            each.end()
        done = [each.log.read_text().count('"analysed"') for each in machines]
    finally:
        server.leave()
        shutil.rmtree(folder, ignore_errors=True)
    yield Measure("two hosts on one queue: files analysed once each", sum(done), "", share, "higher", beside=f"{done[0]} and {done[1]}")
    yield Measure("… by the one that did fewer", min(done), "", share // 4, "higher")


PARTS = {"start": start, "batch": batch, "same": same, "workers": workers, "kills": kills, "hosts": hosts}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"comma-separated parts of {', '.join(PARTS)}; the others' results are kept")
    parser.add_argument("--files", type=int, default=300, help="files of a batch")
    parser.add_argument("--out", default=str(HERE / "service.json"))
    options = parser.parse_args()
    out = Path(options.out)
    found: dict[str, Any] = json.loads(out.read_text("utf-8"))["parts"] if out.is_file() else {}
    for part in options.only.split(",") if options.only else PARTS:
        measures = list(PARTS[part](options))
        for each in measures:
            print(f"{part:8} {each.name}: {each.value:.2f} {each.unit} ({'kept' if each.kept else 'NOT KEPT'}; {each.beside})", flush=True)
        found[part] = [{**asdict(each), "kept": each.kept} for each in measures]
        machine = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version(), "load at the start": LOAD}
        told = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "machine": machine, "parts": found}
        out.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0 if all(each["kept"] for measures in found.values() for each in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
