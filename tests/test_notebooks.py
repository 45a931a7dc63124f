"""The notebooks hold what a full run showed, and still run: what is committed is looked at, a short run goes to a temporary folder."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST = 60 * 1024  # bytes of a PNG
SECONDS = 900  # after which a short run is given up; it takes one of them on a quiet machine

# Folders of one machine, and ways out of the repository (a notebook runs in notebooks/).
_ELSEWHERE = re.compile(r"(?<![\w.:/])(?:/(?:home|root|tmp|work|mnt|media|Users|var|opt|usr)/|~/|[A-Z]:\\|\.\./\.\.)")
_SHARED = re.compile(r"\.\./shared|[\"']shared[\"']")


def _texts(output: NotebookNode) -> Iterator[str]:
    yield output.get("text", "")
    yield from (value for kind, value in output.get("data", {}).items() if kind.startswith("text/"))


def faults(notebook: NotebookNode) -> list[str]:
    """What is wrong with an executed notebook."""
    found: list[str] = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    outputs = [output for cell in code for output in cell.outputs]
    if not outputs or any(cell.execution_count is None for cell in code):
        found.append("was not run")
    found += [f"ends in an error: {output.ename}" for output in outputs if output.output_type == "error"]
    found += [f"holds a warning: {output.text[:80]}" for output in outputs if output.get("name") == "stderr"]
    for output in outputs:
        picture = output.get("data", {}).get("image/png")
        if picture and len(base64.b64decode(picture)) > LARGEST:
            found.append("holds a picture that is too large")
    sources = [cell.source for cell in notebook.cells]
    for text in [*sources, *(text for output in outputs for text in _texts(output))]:
        found += [f"names a path of one machine: {match[0]}" for match in _ELSEWHERE.finditer(text)]
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    if not prose or not prose[0].startswith("# ") or notebook.cells[0].cell_type != "markdown":
        found.append("does not begin with its title")
    said = any("../shared" in text and "可选" in text for text in prose)
    if any(_SHARED.search(cell.source) for cell in code) and not (said and any("exists()" in cell.source for cell in code)):
        found.append("uses ../shared without saying that it is 可选 and looking whether it exists()")
    return found


def _notebook(source: str, *, prose: str = "# 题目", run: bool = True, output: NotebookNode | None = None) -> NotebookNode:
    shown = output or new_output("stream", name="stdout", text="1\n")
    cell = new_code_cell(source, execution_count=1 if run else None, outputs=[shown] if run else [])
    return new_notebook(cells=[new_markdown_cell(prose), cell])


def test_there_are_notebooks() -> None:
    assert {path.stem for path in NOTEBOOKS} >= {"01-corpora", "04-sections"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_committed_was_run_in_full(path: Path) -> None:
    assert faults(nbformat.read(path, as_version=4)) == []


def test_a_notebook_as_it_should_be_has_no_faults() -> None:
    assert faults(_notebook("print(1)")) == []
    assert faults(_notebook('(ROOT.parent / "shared").exists()', prose="# 题目\n\n可选：../shared")) == []


@pytest.mark.parametrize(
    ("notebook", "fault"),
    [
        (_notebook("print(1)", run=False), "was not run"),
        (_notebook("1 / 0", output=new_output("error", ename="ZeroDivisionError", evalue="", traceback=[])), "ends in an error"),
        (_notebook("f()", output=new_output("stream", name="stderr", text="FutureWarning: …")), "holds a warning"),
        (_notebook('open("/home/someone/data.txt")'), "names a path of one machine"),
        (_notebook('open("../../elsewhere/data.txt")'), "names a path of one machine"),
        (_notebook("p", output=new_output("stream", name="stdout", text="/tmp/x/y.json\n")), "names a path of one machine"),
        (_notebook('ROOT.parent / "shared"'), "uses ../shared"),
        (_notebook("print(1)", prose="没有题目"), "does not begin"),
        (
            _notebook("p", output=new_output("display_data", data={"image/png": base64.b64encode(bytes(LARGEST + 1)).decode()})),
            "holds a picture",
        ),
    ],
)
def test_a_fault_is_seen(notebook: NotebookNode, fault: str) -> None:
    assert any(found.startswith(fault) for found in faults(notebook))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"})


def test_a_name_that_no_notebook_has_is_refused() -> None:
    asked = _run("99-nothing")
    assert asked.returncode == 2
    assert "99-nothing" in asked.stderr


def test_a_short_run_never_replaces_what_is_kept() -> None:
    assert _run("--short").returncode == 2


@pytest.mark.slow
def test_every_notebook_still_runs(tmp_path: Path) -> None:
    ran = _run("--short", "--out", str(tmp_path))
    assert ran.returncode == 0, ran.stderr[-3000:]
    for path in NOTEBOOKS:
        assert faults(nbformat.read(tmp_path / path.name, as_version=4)) == []


@pytest.mark.slow
def test_a_cell_that_fails_or_asks_the_network_ends_the_run(tmp_path: Path) -> None:
    """In a folder of its own, beside a copy of the runner."""
    (tmp_path / "run.py").write_bytes((ROOT / "notebooks" / "run.py").read_bytes())
    cells = [new_markdown_cell("# 题目"), new_code_cell("import socket\nsocket.create_connection(('192.0.2.1', 80), 1)")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "x.ipynb")
    ran = subprocess.run([sys.executable, str(tmp_path / "run.py")], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ran.returncode == 1
    assert "notebooks run without network: 192.0.2.1" in ran.stderr
    assert any(found.startswith("ends in an error") for found in faults(nbformat.read(tmp_path / "x.ipynb", as_version=4)))
