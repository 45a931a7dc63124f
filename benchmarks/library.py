"""Measures the library of past benchmarks: import, build, disk, memory, and how long one submission takes to be compared.

    python benchmarks/library.py [--only recall,import,sizes] [--sizes 1000,4000,20000] [--keep DIR] [--out library.json]

Libraries are made by recombination: sentences of the constructed corpora, more than half of their words exchanged for others of the same
length, so that runs recur about as they do in real write-ups. A submission of 10,000 字 is made in the same way, with a tenth taken over
from five benchmarks. Recall is measured on passages as they were written (corpora/benchmarks, corpora/focus). Everything is warm and in
one process; the server beside it has the other core. Building 20,000 takes half an hour on two cores and 12 GB; with --keep the libraries
stay, and a later call measures those that are large enough without building, and keeps the results of the parts that it does not measure.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import docx
import numpy as np
import psutil
from sqlalchemy import Engine, text

from service import pipeline, rulebook
from service.artefacts import CORPORA, MODELS
from service.database.engine import close, connect
from service.database.place import Place
from service.database.tables import drop_passage_index
from service.encode import Static
from service.encode import load as load_encoder
from service.library import candidates
from service.library.benchmark import Entry
from service.library.candidates import Library
from service.library.indexing import Indexer
from service.library.upkeep import after_import, is_whole
from service.library.write import Prepared, store
from service.model import Document, Submission
from service.parse.blocks import Builder
from service.passages import cut
from service.segment import segment
from service.text import sentences

HERE = Path(__file__).parent
ROOT = HERE.parent
EXCHANGED = 0.55  # of a sentence's words
HEADINGS = (("一、企业概况", 0.1), ("二、实施背景", 0.2), ("三、实施过程", 0.9), ("四、实施成效", 1.0))
EDITION = "2022-hebei"
LENGTH = 6800  # 字 of a benchmark: about 60 passages
TAKEN = 5  # benchmarks of which the submission takes something
SUBMISSIONS = 12
_TABLES = ("benchmarks", "passages", "fingerprints")  # each with its indexes


@cache
def indexer() -> Indexer:
    own = load_encoder(MODELS / "embedding", cache=0)
    assert isinstance(own, Static)
    return Indexer(own, own)


# --- texts -------------------------------------------------------------------------------------------------------------------------


def written() -> Iterator[str]:
    """Whole texts as they were written, headings left out."""
    for folder in (CORPORA / "benchmarks" / "texts", CORPORA / "focus" / "writeups"):
        for path in sorted(folder.glob("*.md")):
            lines = path.read_text("utf-8").splitlines()
            if lines and lines[0].startswith("+++"):
                lines = lines[lines.index("+++", 1) + 1 :]
            yield "\n".join(line for line in lines if line and not line.startswith(("#", "%", "|")))


class Recombined:
    """Texts of any number; `seed` gives others."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng(seed)
        self._sentences, self._words = _pieces()

    def sentence(self) -> str:
        pieces = self._sentences[self._draw.integers(len(self._sentences))]
        return "".join(
            self._words[len(piece)][int(draw / EXCHANGED * len(self._words[len(piece)]))] if word and draw < EXCHANGED else piece
            for (piece, word), draw in zip(pieces, self._draw.random(len(pieces)), strict=True)
        )

    def text(self, length: int) -> list[tuple[str, bool]]:
        """(paragraph, whether it is a heading)."""
        made, size = [("质量管理经验之" + self.sentence()[:12], True)], 0
        for heading, until in HEADINGS:
            made.append((heading, True))
            while size < until * length:
                paragraph = "".join(self.sentence() for _ in range(5))
                size += len(paragraph)
                made.append((paragraph, False))
        return made


@cache
def _pieces() -> tuple[list[list[tuple[str, bool]]], dict[int, list[str]]]:
    """Sentences as (piece, whether a word), and all words by their length as often as they stand."""
    found, words = [], dict[int, list[str]]()
    own = indexer().own
    for whole in written():
        for start, end in sentences(whole):
            said = whole[start:end]
            if not 8 <= len(said) <= 200:
                continue
            pieces, at = [], 0
            for _, first, last in own.tokens(said):
                if first >= at:
                    pieces += [(said[at:first], False), (said[first:last], True)]
                    words.setdefault(last - first, []).append(said[first:last])
                    at = last
            found.append([piece for piece in (*pieces, (said[at:], False)) if piece[0]])
    return found, words


def submission(paragraphs: list[tuple[str, bool]], name: str) -> Submission:
    builder = Builder()
    for paragraph, heading in paragraphs:
        builder.add(paragraph, kind="heading" if heading else "paragraph", level=1 if heading else None)
    return segment(Document(name, name, "txt", builder.text, builder.blocks), rulebook.load(EDITION).sections)


def prepared(number: int) -> Prepared:
    found = submission(Recombined(number).text(LENGTH), f"{number:064d}")
    entry = Entry(
        2010 + number % 15, f"第{number}号企业有限公司", f"第{number}号企业的经验", sha256=found.document.sha256, file_name=f"{number}.docx"
    )
    indexed = indexer().index(found)
    search = indexer().search_vector(title=entry.title, organisation=entry.organisation, text=indexed.text)
    return Prepared(entry, search, indexed, indexer().version)


def _several(numbers: range) -> list[Prepared]:
    return [prepared(number) for number in numbers]


# --- measuring ---------------------------------------------------------------------------------------------------------------------


def grow(engine: Engine, start: int, stop: int) -> float:
    """Puts benchmarks start … stop - 1 in and builds the index; seconds."""
    began = time.perf_counter()
    with engine.begin() as connection:
        drop_passage_index(connection)
    parts = [range(at, min(at + 32, stop)) for at in range(start, stop, 32)]
    with ProcessPoolExecutor(2) as pool:
        for made in pool.map(_several, parts):
            with engine.begin() as connection:
                store(connection, made)
    filled = time.perf_counter()
    after_import(engine)
    print(f"  filled in {filled - began:.0f} s, indexed in {time.perf_counter() - filled:.0f} s", flush=True)
    return time.perf_counter() - began


def sizes(engine: Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        found = {
            name: connection.execute(text(f"SELECT pg_total_relation_size('{name}')")).scalar_one() / 2**20  # names of ours
            for name in ("benchmarks", "passages", "fingerprints", "passages_embedding", "fingerprints_hash")
        }
        counts = {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in ("benchmarks", "passages", "fingerprints")
        }
    return {**counts, "disk_mib": {name: round(value) for name, value in found.items()}}


def memory() -> int:
    """MiB that this process and the server's processes hold, shared pages once (PSS)."""
    total = 0
    for process in psutil.process_iter(["name"]):
        if process.pid == os.getpid() or process.info["name"] == "postgres":
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
    return total >> 20


def submissions(engine: Engine, count: int) -> list[Submission]:
    """Of 10,000 字, a tenth of it taken over from benchmarks of the library."""
    draw = np.random.default_rng(7)
    made = []
    for number in range(count):
        paragraphs = Recombined(10_000_000 + number).text(9000)
        with engine.connect() as connection:
            some = connection.execute(
                text("SELECT text FROM benchmarks ORDER BY md5(id || :seed) LIMIT :n"), {"seed": str(number), "n": TAKEN}
            )
            for (whole,) in some:
                lines = [line for line in whole.splitlines() if len(line) > 100]
                paragraphs.insert(int(draw.integers(3, len(paragraphs))), (lines[int(draw.integers(len(lines)))][:200], False))
        made.append(submission(paragraphs, f"submission-{number}"))
    return made


def compare(library: Library, several: list[Submission]) -> dict[str, Any]:
    """Milliseconds a submission in all and by part, after a round to warm up; whether the sources were found."""
    edition, encoder = rulebook.load(EDITION), indexer().encoder
    rows: dict[str, list[float]] = {"find": [], "match": [], "all": []}
    counts, found = [], []
    for turn in range(2):
        for each in several:
            began = time.perf_counter()
            pasts = library.find(each, encoder=encoder)
            between = time.perf_counter()
            matches, _ = pipeline.matched(each, edition, pasts, library, encoder=encoder)
            ended = time.perf_counter()
            if turn:
                for name, seconds in (("find", between - began), ("match", ended - between), ("all", ended - began)):
                    rows[name].append(seconds * 1000)
                counts.append(len(pasts))
                found.append(sum(len(one.passages) > 0 for one in matches))
    return {
        **{f"{name}_ms": round(statistics.median(values), 1) for name, values in rows.items()},
        "all_p90_ms": round(float(np.quantile(rows["all"], 0.9)), 1),
        "candidates": statistics.median(counts),
        "with_passages": statistics.median(found),
    }


def put_benchmarks(engine: Engine) -> None:
    """The constructed benchmarks, whose rewritings are looked for in the library as it grows."""
    made = []
    for path in sorted((CORPORA / "benchmarks" / "texts").glob("*.md")):
        found = _read(path)
        entry = Entry(2020, path.stem, path.stem, sha256=f"file-{path.stem}", file_name=path.name)
        made.append(Prepared(entry, "", indexer().index(found), indexer().version))
    with engine.begin() as connection:
        store(connection, made)


def _read(path: Path) -> Submission:
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    return submission([(line.lstrip("# "), line.startswith("#")) for line in lines], path.stem)


def rewritten(library: Library) -> str:
    """Of how many texts reworded sentence by sentence the source is among the candidates."""
    paths = sorted((CORPORA / "benchmarks" / "revisions").glob("rw-*.md"))
    sources = [f"{path.stem.removeprefix('rw-')}.md" for path in paths]
    named = [{past.file for past in library.find(_read(path), encoder=indexer().encoder)} for path in paths]
    return f"{sum(source in names for source, names in zip(sources, named, strict=True))} of {len(paths)}"


def recall(engine: Engine, library: Library, vectors: np.ndarray) -> dict[str, Any]:
    """Recall@10 of the index against an exact search, by distance, since equal passages tie."""
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT embedding::text FROM passages WHERE embedding IS NOT NULL")).scalars()
        every = np.array([np.fromstring(each[1:-1], np.float32, sep=",") for each in stored])
    least = -np.sort(-(vectors @ every.T), axis=1)[:, candidates.NEAREST - 1]
    began = time.perf_counter()
    near = library.neighbours(vectors)
    seconds = time.perf_counter() - began
    good = sum(product >= least[which] - 5e-4 for which, _, product in near)
    return {
        "recall_at_10": round(good / (candidates.NEAREST * len(vectors)), 4),
        "ms_a_passage": round(seconds * 1000 / len(vectors), 2),
        "ef_search": candidates.BREADTH,
        "passages": len(every),
        "questions": len(vectors),
    }


def real_recall(folder: Path) -> dict[str, Any]:
    """On passages as they were written: nine tenths of the texts are the library, the others and the revisions ask."""
    shutil.rmtree(folder, ignore_errors=True)
    place = Place(folder)
    engine = connect(place)
    try:
        texts = [*written()]
        held = texts[::10]
        made = []
        for number, whole in enumerate(each for each in texts if each not in held):
            found = submission([(line, False) for line in whole.splitlines()], f"real-{number}")
            entry = Entry(2020, f"企业{number}", f"经验{number}", sha256=found.document.sha256)
            made.append(Prepared(entry, "", indexer().index(found), indexer().version))
        passages = _passages_of_focus()
        for start in range(0, len(passages), 50):
            found = submission([(line, False) for line in passages[start : start + 50]], f"focus-{start}")
            entry = Entry(2020, f"段落{start}", f"段落{start}", sha256=found.document.sha256)
            made.append(Prepared(entry, "", indexer().index(found), indexer().version))
        with engine.begin() as connection:
            store(connection, made)
        after_import(engine)
        asked = [each[start:end] for each in (*held, *_revisions()) for start, end in cut(each)]
        library = Library(engine, indexer().own, encoder=indexer().encoder)
        vectors = indexer().encoder.encode(asked)
        return recall(engine, library, vectors[vectors.any(axis=1)])
    finally:
        close(engine)


def _passages_of_focus() -> list[str]:
    files = sorted((CORPORA / "focus" / "passages").glob("*.jsonl"))
    return [json.loads(line)["text"].replace("\n", "") for file in files for line in file.read_text("utf-8").splitlines()]


def _revisions() -> list[str]:
    return [path.read_text("utf-8") for path in sorted((CORPORA / "benchmarks" / "revisions").glob("*.md"))]


def imported(folder: Path, *, count: int, suffix: str) -> dict[str, Any]:
    """`biaogan library import` of files of 5,000 字 into an empty library, in all and without starting and indexing."""
    source = folder / suffix
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(folder / f"data-{suffix}", ignore_errors=True)
    source.mkdir()
    for number in range(count):
        paragraphs = Recombined(20_000_000 + number).text(5000)
        path = source / f"{number}.{suffix}"
        if suffix == "docx":
            document = docx.Document()
            for paragraph, heading in paragraphs:
                (document.add_heading if heading else document.add_paragraph)(paragraph)
            document.save(str(path))
        else:
            path.write_text("\n\n".join(("## " if heading else "") + paragraph for paragraph, heading in paragraphs), "utf-8")
    environment = {**os.environ, "BIAOGAN_DATA_DIR": str(folder / f"data-{suffix}"), "OMP_NUM_THREADS": "1"}
    began = time.perf_counter()
    command = [sys.executable, "-m", "service.cli", "library", "import", str(source), "--year", "2020"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    seconds = time.perf_counter() - began
    return {"files": count, "seconds": round(seconds, 1), "documents_a_second": round(count / seconds, 1)}


def cold(base: Path, *, repeats: int = 5) -> dict[str, Any]:
    """Seconds of whole commands with a library, its server stopped before each, and without one: medians of 5."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    write_up = str(next((CORPORA / "samples").glob("*.docx")))
    commands = {
        "check": ["check", write_up, "--edition", EDITION],
        "library_search": ["library", "search", "质量追溯"],
        "library_show": ["library", "show", "2020-0001"],
    }
    found: dict[str, Any] = {}
    for name, data in (("with_library", base / "grown"), ("without", base / "nothing")):
        for command, words in commands.items():
            if name == "without" and command != "check":
                continue
            taken = []
            for _ in range(repeats):
                began = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "service.cli", *words],
                    env={**environment, "BIAOGAN_DATA_DIR": str(data)},
                    check=False,
                    capture_output=True,
                )
                taken.append(time.perf_counter() - began)
            found[f"{command}_{name}_s"] = round(statistics.median(taken), 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only",
        default="recall,import,sizes",
        help="what is measured: also cold (whole commands, after sizes); plot draws docs/library-growth.png from the results",
    )
    parser.add_argument("--sizes", default="1000,4000,20000", help="benchmarks in the library, rising")
    parser.add_argument("--keep", help="folder of the databases; a temporary one by default")
    parser.add_argument("--out", default=str(HERE / "library.json"))
    options = parser.parse_args()
    base, only, out = Path(options.keep or tempfile.mkdtemp(prefix="library-")), options.only.split(","), Path(options.out)
    base.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = json.loads(out.read_text("utf-8")) if out.is_file() else {}
    result["machine"] = {"cores": os.cpu_count(), "processor": platform.processor() or platform.machine()}
    result["embedding"] = tomllib.loads((MODELS / "embedding" / "manifest.toml").read_text("utf-8"))["version"]

    def told(name: str, value: dict[str, Any]) -> None:
        result[name] = {**value, "load": round(os.getloadavg()[0], 1)}
        print(name, json.dumps(result[name], ensure_ascii=False), flush=True)
        out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")

    if "plot" in only:
        drawn(result, ROOT / "docs" / "library-growth.png")
    try:
        if "recall" in only:
            told("recall_on_real_passages", real_recall(base / "real"))
        if "import" in only:
            for suffix, count in (("md", 400), ("docx", 400)):
                told(f"import_{suffix}", imported(base, count=count, suffix=suffix))
        if "sizes" in only:
            _measure_sizes(base, [int(size) for size in options.sizes.split(",")], result, told)
        if "cold" in only:
            told("cold", {"benchmarks": options.sizes.split(",")[-1], **cold(base)})
    finally:
        if options.keep is None:
            shutil.rmtree(base, ignore_errors=True)


def _measure_sizes(base: Path, wanted: list[int], result: dict[str, Any], told: Callable[[str, dict[str, Any]], None]) -> None:
    engine = connect(Place(base / "grown"))
    with engine.connect() as connection:
        have: int = connection.execute(text("SELECT count(*) FROM benchmarks WHERE organisation LIKE '第%号企业有限公司'")).scalar_one()
        if not connection.execute(text("SELECT count(*) FROM benchmarks WHERE file_name LIKE '%.md'")).scalar_one():
            put_benchmarks(engine)
    for size in wanted:
        if size < have:
            continue
        before = result.get(f"benchmarks_{size}", {})
        built = {name: before[name] for name in ("added", "build_seconds") if name in before}
        if size > have:
            built = {"added": size - have, "build_seconds": round(grow(engine, have, size))}
        elif not is_whole(engine):
            after_import(engine)
        library = Library(engine, indexer().own, encoder=indexer().encoder)
        row = compare(library, submissions(engine, SUBMISSIONS))
        told(f"benchmarks_{size}", {**built, **row, "rewritten_found": rewritten(library), **sizes(engine), "memory_mib": memory()})
        library.close()
        have = size
    close(engine)


def drawn(result: dict[str, Any], path: Path) -> None:
    """How time and disk grow with the library, from the results."""
    import matplotlib as mpl  # noqa: PLC0415 - a tool of the developers, not needed to measure

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    rows = sorted((row for name, row in result.items() if name.startswith("benchmarks_")), key=lambda row: row["passages"])
    passages = [row["passages"] for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for key, label in (("all_ms", "whole"), ("find_ms", "candidate search"), ("match_ms", "alignment")):
        left.plot(passages, [row[key] for row in rows], marker="o", label=label)
    right.plot(passages, [sum(row["disk_mib"][part] for part in _TABLES) / 1024 for row in rows], marker="o")
    for axes, title in ((left, "one submission of 10,000 characters, ms"), (right, "tables and indexes, GiB")):
        axes.set(title=title, xlabel="passages in the library", xscale="log", ylim=(0, None))
        axes.grid(alpha=0.3)
    left.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
