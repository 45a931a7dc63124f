"""Make the sample write-ups from their sources: `python corpora/samples/build.py [--out DIR] [--figures]`.

The same sources give the same bytes. Pictures are drawn only with --figures, since that needs a Chinese font;
a build uses the committed ones.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import figures
import pdf
import word
from source import Source, read

_HERE = Path(__file__).parent
_SOURCES = _HERE / "sources"
_PICTURES = _SOURCES / "figures"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the sample write-ups from their sources.")
    parser.add_argument("--out", type=Path, default=_HERE, help="folder for the files and manifest.toml")
    parser.add_argument("--figures", action="store_true", help="draw the pictures anew (needs Noto Sans CJK)")
    arguments = parser.parse_args()
    sources = [read(path) for path in sorted(_SOURCES.glob("*.toml"))]
    if arguments.figures:
        _PICTURES.mkdir(exist_ok=True)
        for source in sources:
            for number, figure in enumerate(source.figures, start=1):
                figures.draw(figure, _PICTURES / f"{source.id}-{number}.png")
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = {name: (source, content) for source in sources for name, content in build(source).items()}
    for name, (_, content) in files.items():
        (arguments.out / name).write_bytes(content)
    (arguments.out / "manifest.toml").write_text(_manifest(files), encoding="utf-8")


def build(source: Source) -> dict[str, bytes]:
    """File name -> content. The PDF is made even where it is not asked for: its page numbers serve the contents page in Word."""
    made: dict[str, bytes] = {}
    pages: dict[int, int] = {}
    if "pdf" in source.outputs or source.form.get("contents"):
        made["pdf"], pages = pdf.build(source, _PICTURES)
    made["docx"] = word.build(source, _PICTURES, pages)
    return {f"{source.id}.{suffix}": made[suffix] for suffix in source.outputs}


def _manifest(files: dict[str, tuple[Source, bytes]]) -> str:
    lines = [
        'source = "constructed by this project; the companies, people, figures and honours are fictional"',
        'licence = "CC0-1.0"',
        'made = "python corpora/samples/build.py"',
        'rules = "headings, limits and layout as the notice of each edition asks, but for the faults that the sources declare"',
    ]
    for name, (source, content) in files.items():
        faults = json.dumps([fault["code"] for fault in source.faults], ensure_ascii=False)
        lines += ["", "[[file]]", f'name = "{name}"', f'sha256 = "{hashlib.sha256(content).hexdigest()}"']
        lines += [f'edition = "{source.edition}"', f'form = "{source.base}"', f"faults = {faults}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
