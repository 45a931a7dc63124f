"""Runs notebooks from top to bottom and keeps their outputs: python notebooks/run.py [NAME…] [--short] [--out DIR].

NAME is the beginning of a file name (01, 04-sections). Each runs in a kernel of its own, in this folder, without network; metadata, cell
ids and counts come out the same every time. In place, unless --out names another folder. Exit code 1 where a cell fails.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from PIL import Image

HERE = Path(__file__).resolve().parent
_LIMIT = 1800  # seconds a cell
_COLOURS = 96  # of a plot: enough for its shades and the edges of its letters, a third of the bytes
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python"},
}
# An audit hook cannot be taken off again: nothing in the kernel reaches further than this machine.
_OFFLINE = """
import sys as _sys
def _offline(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"notebooks run without network: {args[1][0]}")
_sys.addaudithook(_offline)
del _sys, _offline
"""


def execute(path: Path, *, target: Path) -> None:
    """Runs one notebook and writes it to `target`, also where a cell failed (CellExecutionError)."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=_LIMIT,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(HERE)}},
        extra_arguments=["--IPKernelApp.log_level=40", f"--IPKernelApp.exec_lines={_OFFLINE}"],
    )
    try:
        client.execute()
    finally:
        _settle(notebook)
        nbformat.write(notebook, target)


def _settle(notebook: NotebookNode) -> None:
    """The same metadata, ids and counts whoever ran it; nothing of the machine."""
    notebook.metadata = nbformat.from_dict(_METADATA)
    notebook.nbformat_minor = 5
    for place, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{place:02}"
        cell.metadata = NotebookNode()
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output.metadata = NotebookNode()
            if "data" in output and "image/png" in output.data:
                output.data.pop("text/plain", None)  # <Figure size …>
                output.data["image/png"] = _smaller(output.data["image/png"])


def _smaller(picture: str) -> str:
    """The PNG (base64) with a palette."""
    with Image.open(io.BytesIO(base64.b64decode(picture))) as drawn, io.BytesIO() as kept:
        drawn.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(kept, "png", optimize=True)
        return base64.b64encode(kept.getvalue()).decode("ascii")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="beginning of a file name; all notebooks without")
    parser.add_argument("--short", action="store_true", help="a part of the data (BIAOGAN_NOTEBOOK_SHORT=1)")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the executed notebooks; this one without")
    chosen = parser.parse_args(arguments)
    found = sorted(path for path in HERE.glob("*.ipynb") if not chosen.names or path.name.startswith(tuple(chosen.names)))
    if not found:
        parser.error(f"no notebook in {HERE} begins with {' or '.join(chosen.names)}")
    if chosen.short and chosen.out.resolve() == HERE:
        parser.error("--short goes with --out: what is kept here was run in full")
    os.environ |= {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "HF_HUB_OFFLINE": "1", "BIAOGAN_NOTEBOOK_SHORT": "1" if chosen.short else ""}
    chosen.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for path in found:
        started = time.perf_counter()
        try:
            execute(path, target=chosen.out / path.name)
        except CellExecutionError as error:
            failed += 1
            print(f"{path.name}: {error}", file=sys.stderr)
        else:
            print(f"{path.name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
