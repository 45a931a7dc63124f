"""Checks terms.tsv and writes its counts and hash into manifest.toml: python corpora/terms/build.py."""

from __future__ import annotations

import csv
import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
COLUMNS = ("term", "pos", "kind", "themes", "aliases")
KINDS = ("method", "tool", "concept", "indicator", "technology", "standard", "document", "award", "role", "activity")
PARTS = ("n", "nz", "eng", "vn")


def key(name: str) -> str:
    """What two writings of one name share: width, case and blanks do not count."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", name).casefold())


def read(path: Path = HERE / "terms.tsv") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ValueError(f"columns are {rows.fieldnames}, not {COLUMNS}")
        return list(rows)


def names(row: dict[str, str]) -> list[str]:
    """The term and its aliases."""
    return [row["term"], *(row["aliases"].split("|") if row["aliases"] else ())]


def faults(rows: Iterable[dict[str, str]], themes: Iterable[str]) -> list[str]:
    """What is wrong with the rows, one line each; none if all is well."""
    known = list(themes)
    found: list[str] = []
    seen: dict[str, str] = {}
    for row in rows:
        term = row["term"]
        if None in row or None in row.values():  # csv puts what is too much or too little under None
            found.append(f"{term}: not {len(COLUMNS)} columns")
            continue
        if row["pos"] not in PARTS or (row["pos"] in {"eng", "n"} and (row["pos"] == "eng") != term.isascii()):
            found.append(f"{term}: part of speech {row['pos']}")
        if row["kind"] not in KINDS:
            found.append(f"{term}: kind {row['kind']}")
        given = row["themes"].split(",") if row["themes"] else []
        if [theme for theme in known if theme in given] != given:
            found.append(f"{term}: themes {row['themes']} are unknown, repeated or not in the order of themes.toml")
        for name in names(row):
            if not name.strip() or name != name.strip() or len(key(name)) < 2:
                found.append(f"{term}: “{name}” is empty, too short or has blanks around it")
            if key(name) in seen:
                found.append(f"{term}: “{name}” stands at {seen[key(name)]} as well")
            seen[key(name)] = term
    return found


def counted(rows: list[dict[str, str]]) -> dict[str, int]:
    return {kind: sum(row["kind"] == kind for row in rows) for kind in KINDS}


def manifest(rows: list[dict[str, str]], data: bytes, themes: Iterable[str]) -> str:
    by_kind = "\n".join(f"{kind} = {count}" for kind, count in counted(rows).items())
    by_theme = "\n".join(f"{theme} = {sum(theme in row['themes'].split(',') for row in rows)}" for theme in themes)
    return f"""source = "own work: written for this project from general knowledge of the field; no dictionary was copied"
licence = "Apache-2.0"
made = "terms, aliases and themes written for this project and read through once; counts and hash by python corpora/terms/build.py"
split = "none"
columns = [{", ".join(f'"{column}"' for column in COLUMNS)}]
terms = {len(rows)}
names = {sum(len(names(row)) for row in rows)}
with_theme = {sum(bool(row["themes"]) for row in rows)}

[kinds]
{by_kind}

[themes]
{by_theme}

[[file]]
name = "terms.tsv"
sha256 = "{hashlib.sha256(data).hexdigest()}"
"""


def main() -> None:
    themes = tomllib.loads((HERE.parents[1] / "service/lexicon/themes.toml").read_text("utf-8"))
    rows = read()
    wrong = faults(rows, themes)
    if wrong:
        raise SystemExit("\n".join(wrong))
    (HERE / "manifest.toml").write_text(manifest(rows, (HERE / "terms.tsv").read_bytes(), themes), "utf-8")
    print(f"{len(rows)} terms")


if __name__ == "__main__":
    main()
