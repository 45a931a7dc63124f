"""Makes corpora/sections/paragraphs.jsonl and manifest.toml from corpora/focus: the paragraphs of the constructed write-ups by section.

    python corpora/sections/build.py

Paragraphs, captions and tables of every write-up, and labelled passages of the first writers longer than a heading; held out is what
corpora/focus holds out.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

from service.train import corpora
from service.train.corpora import WriteUp

HERE = Path(__file__).parent
FOCUS = HERE.parent / "focus"
WRITERS = (
    "abcdef"  # whose passages are of all sections; those of later writers are nearly all process, and with them background is taken for it
)
SHORTEST = 30  # characters of a passage; a shorter one is a title or a heading


def rows(folder: Path = FOCUS) -> list[dict[str, str]]:
    """One row a paragraph: source (write-up or family), split, section, kind, text."""
    found = [row for writeup in corpora.writeups(folder) for row in _of_writeup(writeup)]
    found.extend(
        _row(passage.family, passage.split, passage.section, "passage", passage.text)
        for passage in corpora.passages(folder)
        if passage.section in corpora.SECTIONS and passage.family[0] in WRITERS and len(passage.text) > SHORTEST
    )
    return found


def _of_writeup(writeup: WriteUp) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    table: list[str] = []
    paragraphs = [*writeup.paragraphs, None]
    section = ""
    for paragraph in paragraphs:
        if table and (paragraph is None or paragraph.kind != "row"):
            found.append(_row(writeup.id, writeup.split, section, "table", "\n".join(table)))
            table = []
        if paragraph is None:
            break
        section = paragraph.section
        if paragraph.kind == "row":
            table.append(paragraph.text)
        elif paragraph.kind != "heading":
            found.append(_row(writeup.id, writeup.split, section, paragraph.kind, paragraph.text))
    return found


def _row(source: str, split: str, section: str, kind: str, text: str) -> dict[str, str]:
    # The notice of 2022 asks for no lessons: what such write-ups add after the results is what 2014 calls 体会.
    return {"source": source, "split": split, "section": "lessons" if section == "other" else section, "kind": kind, "text": text}


def build(folder: Path = HERE) -> None:
    """Writes both files."""
    found = rows()
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found).encode()
    (folder / "paragraphs.jsonl").write_bytes(data)
    counts = Counter((row["section"], row["split"]) for row in found)
    sections = sorted({row["section"] for row in found}, key=corpora.SECTIONS.index)
    lines = [
        'source = "corpora/focus: constructed write-ups and passages, every sentence written for this project"',
        'licence = "CC0-1.0"',
        'made = "python corpora/sections/build.py"',
        'split = "that of corpora/focus/manifest.toml: whole write-ups and families"',
        f"paragraphs = {len(found)}",
        "",
        "[sections]",
        *(f"{key} = {{ train = {counts[key, 'train']}, held_out = {counts[key, 'test']} }}" for key in sections),
        "",
        "[[file]]",
        'name = "paragraphs.jsonl"',
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
    ]
    (folder / "manifest.toml").write_text("\n".join(lines) + "\n", "utf8")


if __name__ == "__main__":
    build()
