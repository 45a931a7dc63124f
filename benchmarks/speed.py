"""Measures the speed of all that `biaogan check` does, as ratios to named alternatives where there are any, in one run on one machine.

    python benchmarks/speed.py [--only NAME,…] [--files 300]

Prints a table, writes results.json (with the machine's description) and the table in README.md of this folder. All inputs are made here.
"""

from __future__ import annotations

import argparse
import gc
import io
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import docx
import inputs
import pdfplumber

from service import artefacts, checks, models, pipeline
from service.parse import Reading
from service.parse.docx import read_docx
from service.parse.pdf import read_pdf
from service.rulebook import load
from service.segment import segment

HERE = Path(__file__).parent
EDITION = "2022-hebei"
MIB = 1024 * 1024
LOAD = f"{os.getloadavg()[0]:.1f}"  # far above 0: others used the machine, and only the ratios say something
DISTINCT = 25  # documents; making one takes longer than checking it
LEARNING = ("torch", "sentence_transformers", "transformers", "sklearn", "scipy", "jieba", "pandas")  # what a check must not wait for
PROCESSES = {"child": "service.parse.child", "analysis": "multiprocessing."}  # ours, by what stands in their command line


@dataclass(frozen=True, slots=True)
class Measure:
    name: str
    value: float
    unit: str
    limit: float
    better: str = "lower"  # or "higher"
    alternative: str = ""
    reference: float | None = None  # the alternative's own figure, in `unit` or milliseconds

    @property
    def kept(self) -> bool:
        return self.value <= self.limit if self.better == "lower" else self.value >= self.limit


def median_ms(work: Callable[[], object], *, rounds: int, warm: int = 2) -> float:
    """Median wall-clock milliseconds of `rounds` calls after `warm` unmeasured ones."""
    for _ in range(warm):
        work()
    times = []
    for _ in range(rounds):
        gc.collect()
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def paired_ms(ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int) -> tuple[float, float]:
    """Medians of both, measured in turn so that a busy machine weighs on both alike."""
    for work in (ours, theirs, ours, theirs):
        work()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, kept in zip((ours, theirs), times, strict=True):
            gc.collect()
            began = time.perf_counter()
            work()
            kept.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[0]), statistics.median(times[1])


# --- in process --------------------------------------------------------------------------------------------------------------------


def docx_in_process(_: argparse.Namespace) -> Iterator[Measure]:
    """Read, segment and every check, warm, against python-docx that merely reads all paragraphs and cells."""
    # A different write-up each time, so that nothing kept from one call serves the next.
    files = [inputs.writeup_docx(seed) for seed in range(DISTINCT)]
    mine_next, theirs_next = itertools.cycle(files), itertools.cycle(files)
    edition = load(EDITION)

    def ours() -> object:
        return checks.run(segment(read_docx(next(mine_next), "writeup.docx"), edition.sections), edition.rules)

    def theirs() -> int:
        document = docx.Document(io.BytesIO(next(theirs_next)))
        read = sum(len(paragraph.text) for paragraph in document.paragraphs)
        return read + sum(len(cell.text) for table in document.tables for row in table.rows for cell in row.cells)

    mine, other = paired_ms(ours, theirs, rounds=15)
    yield Measure("docx of 10,000字 with tables: read, segment, all checks (warm, median)", mine, "ms", 60)
    yield Measure("… times python-docx reading all paragraphs and cells", mine / other, "×", 2, "lower", "python-docx", other)


def everything_in_process(_: argparse.Namespace) -> Iterator[Measure]:
    """Read, segment, checks, focus areas, summaries and advice, warm; and the stages' medians, each by itself."""
    files = itertools.cycle([inputs.writeup_docx(seed) for seed in range(DISTINCT)])
    edition, known = load(EDITION), models.load()
    timings: list[Mapping[str, float]] = []

    def work() -> None:
        began = time.perf_counter()
        document = read_docx(next(files), "writeup.docx")
        reading = Reading(Path("writeup.docx"), "writeup.docx", "", "docx", document, (time.perf_counter() - began) * 1000)
        timings.append(pipeline.analyse(reading, edition, models=known).timing)

    whole = median_ms(work, rounds=DISTINCT)
    parts = ", ".join(f"{stage} {statistics.median(timing[stage] for timing in timings):.1f}" for stage in timings[0])
    yield Measure(f"docx of 10,000字, everything on (warm, median; ms: {parts})", whole, "ms", 90)


def size(_: argparse.Namespace) -> Iterator[Measure]:
    held = sum(path.stat().st_size for path in artefacts.MODELS.rglob("*") if path.is_file())
    yield Measure("all of models/", held / 1e6, "MB", 30)


def pdf_in_process(_: argparse.Namespace) -> Iterator[Measure]:
    """Reading alone, against pdfplumber's extract_text on the same pages."""
    for embedded, ruled, limit in ((True, 0, 0.4), (True, 2, 0.8), (False, 0, 0.4), (False, 2, 0.8)):
        data = inputs.text_pdf(pages=12, ruled=ruled, embedded=embedded)

        def ours(data: bytes = data) -> object:
            return read_pdf(data, "writeup.pdf")

        def theirs(data: bytes = data) -> int:
            with pdfplumber.open(io.BytesIO(data)) as opened:
                return sum(len(page.extract_text()) for page in opened.pages)

        mine, other = paired_ms(ours, theirs, rounds=5)
        font = "its font embedded" if embedded else "STSong not embedded"
        tables = f"ruled tables on {ruled}" if ruled else "no ruled tables"
        name = f"PDF of 12 text pages, {font}, {tables}: times pdfplumber extract_text"
        yield Measure(name, mine / other, "×", limit, "lower", "pdfplumber", other)


# --- the command line --------------------------------------------------------------------------------------------------------------


def biaogan(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "service.cli", *arguments]


def run(command: list[str]) -> None:
    """Runs to its end; 1 (errors were found in the write-up) is as good as 0."""
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, cwd=HERE.parent)
    if ended.returncode > 1:
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}: {ended.stderr[-2000:]}")


def cold_start(_: argparse.Namespace) -> Iterator[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.docx"
        path.write_bytes(inputs.writeup_docx())
        command = biaogan("check", str(path), "--edition", EDITION)
        seconds = median_ms(lambda: run(command), rounds=5, warm=1) / 1000
        yield Measure("cold start of `biaogan check one.docx`, everything on (median of 5)", seconds, "s", 2.0)
        script = (
            "import sys; from service.cli import main; sys.stdout = None; main(sys.argv[1:]); "
            f"sys.exit(sum(name in sys.modules for name in {LEARNING}))"
        )
        ended = subprocess.run([sys.executable, "-c", script, *command[3:]], stdout=subprocess.DEVNULL, check=False, cwd=HERE.parent)
        yield Measure(f"learning libraries that it imports ({', '.join(LEARNING)})", ended.returncode, "", 0)


def many_files(options: argparse.Namespace) -> Iterator[Measure]:
    """Many files in one call on two cores, and the most memory that any process of ours held meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.files):
            (Path(folder) / f"{number:03}.docx").write_bytes(inputs.writeup_docx(seed=number % DISTINCT))
        command = biaogan("check", folder, "--edition", EDITION, "--jobs", "2", "--json", str(Path(folder) / ".reports.jsonl"))
        with peak_memory() as peak:
            began = time.perf_counter()
            run(command)
            seconds = time.perf_counter() - began
    yield Measure(f"{options.files} docx in one call, --jobs 2", options.files / seconds, "files/s", 25, "higher")
    yield Measure("most resident memory of one parsing worker meanwhile", peak["child"] / MIB, "MiB", 300)
    yield Measure("… and of one analysing process, models included", peak["analysis"] / MIB, "MiB", 300)


def pdf_memory(_: argparse.Namespace) -> Iterator[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(6):
            (Path(folder) / f"{number}.pdf").write_bytes(inputs.text_pdf(pages=40, ruled=10, embedded=True, seed=number))
        command = biaogan("check", folder, "--edition", EDITION, "--jobs", "2", "--json", str(Path(folder) / ".reports.jsonl"))
        with peak_memory() as peak:
            run(command)
    yield Measure("most resident memory of one parsing worker on PDFs of 40 pages", peak["child"] / MIB, "MiB", 300)


@contextmanager
def peak_memory() -> Iterator[dict[str, int]]:
    """Watches our descendants: the highest VmHWM of a process of each kind, in bytes."""
    peak = dict.fromkeys(PROCESSES, 0)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            for pid in descendants(os.getpid()):
                try:
                    command = Path(f"/proc/{pid}/cmdline").read_text()
                    status = Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    continue
                for kind, mark in PROCESSES.items():
                    if mark in command and "VmHWM:" in status:
                        peak[kind] = max(peak[kind], int(status.split("VmHWM:")[1].split()[0]) * 1024)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def descendants(pid: int) -> list[int]:
    try:
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return children + [below for child in children for below in descendants(child)]


# --- the report --------------------------------------------------------------------------------------------------------------------

PARTS = {
    "docx": docx_in_process,
    "everything": everything_in_process,
    "pdf": pdf_in_process,
    "cold": cold_start,
    "many": many_files,
    "memory": pdf_memory,
    "size": size,
}


def machine() -> dict[str, str | int]:
    try:
        model = next(
            line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
        )
    except (OSError, StopIteration):
        model = platform.processor()
    packages = ("lxml", "numpy", "tokenizers", "python-docx", "pypdfium2", "pdfplumber")
    return {
        "processor": model,
        "cores": os.cpu_count() or 0,
        "system": platform.platform(),
        "python": platform.python_version(),
        "load average at the start": LOAD,
        **{name: version(name) for name in packages},
    }


def table(measures: list[Measure]) -> str:
    rows = ["| what | measured | limit | kept |", "|---|---:|---:|---|"]
    for measure in measures:
        sign = "≤" if measure.better == "lower" else "≥"
        beside = f" ({measure.alternative}: {measure.reference:.0f} ms)" if measure.reference is not None else ""
        kept = "yes" if measure.kept else "**no**"
        rows.append(f"| {measure.name}{beside} | {measure.value:.2f} {measure.unit} | {sign} {measure.limit:g} {measure.unit} | {kept} |")
    return "\n".join(rows)


def write(measures: list[Measure]) -> None:
    described = machine()
    when = datetime.now(tz=UTC).strftime("%Y-%m-%d")
    found = [{**asdict(measure), "kept": measure.kept} for measure in measures]
    (HERE / "results.json").write_text(
        json.dumps({"date": when, "machine": described, "measures": found}, ensure_ascii=False, indent=2) + "\n"
    )
    readme = HERE / "README.md"
    head, _, _ = readme.read_text().partition("<!-- results -->")
    system = ", ".join(f"{key} {value}" for key, value in described.items())
    readme.write_text(f"{head}<!-- results -->\n\nMeasured {when}: {system}.\n\n{table(measures)}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"comma-separated parts of {', '.join(PARTS)}; then nothing is written")
    parser.add_argument("--files", type=int, default=300, help="files in the one call")
    options = parser.parse_args()
    parts = options.only.split(",") if options.only else list(PARTS)
    measures = [measure for part in parts for measure in PARTS[part](options)]
    print(table(measures))
    if not options.only:
        write(measures)
    return 0 if all(measure.kept for measure in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
