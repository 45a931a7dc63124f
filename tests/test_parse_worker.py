"""The reader's children: order, limits, deaths, and that none outlives its reader."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from service.errors import Unreadable
from service.model import Document
from service.parse import Limits, Progress, Reader
from service.parse.limits import MIB
from service.parse.process import clean_environment

_TEXT = "一、企业概况\n公司成立于2001年。\n"


def _slow_text() -> bytes:
    """A text that takes the child half a second or more: a hundred thousand short paragraphs."""
    return "".join(f"第{number}条经验。\n" for number in range(150_000)).encode()


def _write(folder: Path, **files: bytes | str) -> list[Path]:
    paths = []
    for name, content in files.items():
        path = folder / f"{name}.txt"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths.append(path)
    return paths


def _code(outcome: Document | Unreadable) -> str:
    return outcome.code if isinstance(outcome, Unreadable) else "read"


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_readings_come_in_order_with_hash_and_format(tmp_path: Path) -> None:
    paths = _write(tmp_path, **{f"稿{number:02d}": f"{_TEXT}第{number}份。" for number in range(30)})
    with Reader(jobs=2) as reader:
        readings = list(reader.read_all(paths))
    assert [reading.path for reading in readings] == paths
    assert [reading.sha256 for reading in readings] == [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert {reading.format for reading in readings} == {"txt"}
    for number, reading in enumerate(readings):
        assert isinstance(reading.outcome, Document)
        assert reading.outcome.text.endswith(f"第{number}份。")
        assert (reading.outcome.sha256, reading.outcome.name) == (reading.sha256, reading.name)


def test_what_is_no_plain_file_is_refused_and_nothing_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "管道.docx")
    (tmp_path / "链接.txt").symlink_to(_write(tmp_path, 好=_TEXT)[0])
    with Reader(jobs=1) as reader:
        names = [tmp_path / "管道.docx", tmp_path, Path("/dev/zero"), tmp_path / "没有.docx", tmp_path / "链接.txt"]
        codes = [_code(reading.outcome) for reading in reader.read_all(names)]
    assert codes == ["file_not_plain", "file_not_plain", "file_not_plain", "file_missing", "read"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = _write(tmp_path, 稿=_TEXT)[0]
    path.chmod(stat.S_IWUSR)
    with Reader(jobs=1) as reader:
        assert _code(reader.read(path).outcome) == "file_forbidden"


def test_a_file_above_the_limit_is_not_read_at_all(tmp_path: Path) -> None:
    path = tmp_path / "大.docx"
    with path.open("wb") as file:
        file.truncate(10 * MIB)
    with Reader(jobs=1, limits=Limits(file_bytes=MIB)) as reader:
        reading = reader.read(path)
    assert _code(reading.outcome) == "file_too_large"
    assert "1 MB" in str(reading.outcome)


def test_a_child_at_its_time_limit_is_ended_and_the_next_file_goes_on(tmp_path: Path) -> None:
    slow, good = _write(tmp_path, 慢=_slow_text(), 好=_TEXT)
    with Reader(jobs=1, limits=Limits(seconds=0.2)) as reader:
        readings = {reading.name: reading.outcome for reading in reader.read_all([slow, slow])}
    assert {_code(outcome) for outcome in readings.values()} == {"read_timeout"}
    with Reader(jobs=1, limits=Limits(seconds=20)) as reader:
        assert _code(reader.read(good).outcome) == "read"


def test_a_child_without_memory_says_so(tmp_path: Path) -> None:
    slow, good = _write(tmp_path, 大=_slow_text(), 好=_TEXT)
    with Reader(jobs=1, limits=Limits(memory=48 * MIB)) as reader:
        codes = [_code(reading.outcome) for reading in reader.read_all([slow, good])]
    assert codes == ["read_memory", "read"]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGSEGV, "read_crashed"), (signal.SIGKILL, "read_crashed"), (signal.SIGABRT, "read_memory")]
)
def test_a_child_that_dies_costs_only_its_file(tmp_path: Path, number: signal.Signals, code: str) -> None:
    slow, good = _write(tmp_path, 慢=_slow_text(), 好=_TEXT)
    with Reader(jobs=1) as reader:
        first = reader.children.pids[0]
        assert _code(reader.read(good).outcome) == "read"
        killer = threading.Timer(0.15, os.kill, (first, number))
        killer.start()
        codes = [_code(reading.outcome) for reading in reader.read_all([slow, good])]
    assert codes == [code, "read"]


def test_an_answer_above_its_limit_is_not_taken(tmp_path: Path) -> None:
    long, good = _write(tmp_path, 长=_TEXT * 5000, 好=_TEXT)
    with Reader(jobs=1, limits=Limits(reply_bytes=20_000)) as reader:
        codes = [_code(reading.outcome) for reading in reader.read_all([long, good])]
    assert codes == ["file_over_limit", "read"]


def test_a_child_is_replaced_after_its_share(tmp_path: Path) -> None:
    paths = _write(tmp_path, **{f"稿{number}": _TEXT for number in range(6)})
    seen: set[int] = set()
    with Reader(jobs=1, limits=Limits(files_per_child=2)) as reader:
        for path in paths:
            seen.update(reader.children.pids)
            assert _code(reader.read(path).outcome) == "read"
    assert len(seen) >= 3


def test_no_child_outlives_its_reader(tmp_path: Path) -> None:
    good, slow = _write(tmp_path, 好=_TEXT, 慢=_slow_text())
    reader = Reader(jobs=2)
    with reader:
        readings = reader.read_all([good, slow, slow, slow])
        pids = {*reader.children.pids}
        threading.Timer(0.1, lambda: pids.update(reader.children.pids)).start()
        next(readings)
        pids.update(reader.children.pids)
        began = time.monotonic()
    assert time.monotonic() - began < 10, "closing does not wait for what is being read"
    assert pids
    assert not [pid for pid in pids if _is_alive(pid)]


def test_progress_tells_every_file_and_the_end(tmp_path: Path) -> None:
    paths = _write(tmp_path, 甲=_TEXT, 乙=_TEXT)
    told: list[Progress] = []
    with Reader(jobs=1) as reader:
        list(reader.read_all(paths, progress=told.append))
    assert [(step.name, step.done, step.total) for step in told] == [("甲.txt", 0, 2), ("乙.txt", 1, 2), ("", 2, 2)]


_INSIDE = """
import json, os, resource, socket
from service.parse.child import shut_in
shut_in({memory})
def network():
    try:
        socket.create_connection(("127.0.0.1", {port}), 1).close()
    except OSError:
        return False
    return True
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_CORE)]
print(json.dumps([*limits, status["NoNewPrivs"].strip(), network()]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_a_child_is_shut_in() -> None:
    import json
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        script = _INSIDE.format(memory=500 * MIB, port=server.getsockname()[1])
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, env=clean_environment())
    memory, core, privileges, network = json.loads(run.stdout)
    assert (memory, core, privileges) == (500 * MIB, 0, "1")
    if os.geteuid() == 0:
        assert network is False


def test_a_child_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIAOGAN_SECRET", "x")
    monkeypatch.setenv("HTTPS_PROXY", "http://198.51.100.7")
    kept = clean_environment()
    assert "BIAOGAN_SECRET" not in kept
    assert "HTTPS_PROXY" not in kept
    assert kept["HF_HUB_OFFLINE"] == "1"


def test_the_way_in_imports_no_reader() -> None:
    readers = {"lxml", "pypdfium2", "docx", "markdown_it", "numpy"}
    script = f"import sys, service.parse; print(sorted({readers} & {{name.partition('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("make", [list, lambda: [Path("/nowhere/a.docx")]])
def test_few_files_are_no_trouble(make: Callable[[], list[Path]]) -> None:
    with Reader(jobs=3) as reader:
        assert [_code(reading.outcome) for reading in reader.read_all(make())] == ["file_missing"] * len(make())


def _scanned_pdf(path: Path) -> Path:
    """A page that is nothing but a picture."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path))
    canvas.drawImage(ImageReader(Image.new("RGB", (800, 1100), "white")), 0, 0, 595, 842)
    canvas.save()
    return path


def test_a_scan_without_ocr_says_so(tmp_path: Path) -> None:
    with Reader(jobs=1, ocr=False) as reader:
        reading = reader.read(_scanned_pdf(tmp_path / "扫描.pdf"))
    assert (_code(reading.outcome), reading.format) == ("ocr_off", "pdf")
    assert "请" in str(reading.outcome)


def test_a_scan_where_ocr_is_not_installed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.parse.ocr.is_installed", lambda: False)
    with Reader(jobs=1) as reader:
        assert _code(reader.read(_scanned_pdf(tmp_path / "扫描.pdf")).outcome) == "ocr_missing"


@pytest.mark.slow
def test_an_empty_scan_is_tried_and_refused(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr", reason="OCR is not installed")
    told: list[Progress] = []
    with Reader(jobs=1) as reader:
        reading = next(reader.read_all([_scanned_pdf(tmp_path / "扫描.pdf")], progress=told.append))
    assert _code(reading.outcome) == "no_text"
    assert {step.stage for step in told} == {"read", "ocr"}


def test_a_name_that_is_no_utf8_is_read_as_windows_wrote_it(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + "标杆.txt".encode("gb18030")))
    path.write_text("实施扭矩管控的经验。", "utf-8")
    with Reader(jobs=1) as reader:
        reading = reader.read(path)
    assert reading.name == "标杆.txt"
    assert isinstance(reading.outcome, Document)
