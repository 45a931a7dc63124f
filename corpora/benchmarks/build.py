"""Joins the writers' lists into benchmarks.csv, checks the texts and writes manifest.toml: python corpora/benchmarks/build.py.

The companies are fictional, and so are their 统一社会信用代码: the check digits are right (GB 32100-2015, GB 11714-1997), the division
990000 does not exist.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from service import rulebook
from service.credit_code import check_digit
from service.fingerprints import LEAST, normalised, runs
from service.text import words

HERE = Path(__file__).resolve().parent
LISTS = ("p.csv", "q.csv", "r.csv")
COLUMNS = (
    *("file", "year", "level", "organisation", "credit_code", "former_names", "title", "edition"),
    *("areas", "industry", "method", "status", "reason"),
)
SHORTEST, LONGEST = 1000, 6000  # 字 of a text
_STANDARD = re.compile(r"《[^》]*》")
_BODY = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_DIVISION = "990000"


def organisation_code(first: str) -> str:
    """The nine characters of a 组织机构代码 from its first eight (GB 11714-1997)."""
    values = [int(character, 36) for character in first]
    last = 11 - sum(value * weight for value, weight in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return first + {10: "X", 11: "0"}.get(last, str(last))


def credit_code(number: int) -> str:
    """The constructed code of the company of this number."""
    first = "91" + _DIVISION + organisation_code(f"MB{number:06d}")
    return first + check_digit(first)


def joined() -> list[dict[str, str]]:
    """The rows of all lists, each file with its suffix, each company with its code."""
    rows = []
    for name in LISTS:
        with (HERE / name).open(encoding="utf-8-sig", newline="") as stream:
            rows += [{key: (value or "").strip() for key, value in row.items()} for row in csv.DictReader(stream)]
    codes: dict[str, str] = {}
    for row in rows:
        row["file"] = row["file"].removesuffix(".md") + ".md"
        row["credit_code"] = codes.setdefault(row["organisation"], credit_code(len(codes) + 1))
    return sorted(rows, key=lambda row: row["file"])


def troubles(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """What is wrong with the lists and the texts."""
    listed, there = {row["file"] for row in rows}, {path.name for path in (HERE / "texts").glob("*.md")}
    for name in sorted(listed ^ there):
        yield f"{name}: {'no text' if name in listed else 'in no list'}"
    for key in ("file", "organisation", "title"):
        for value, count in Counter(row[key] for row in rows).items():
            if count > 1:
                yield f"{key} {value}: {count} times"
    yield from _wrong_values(rows)
    for name in sorted(listed & there):
        text = (HERE / "texts" / name).read_text("utf-8")
        if not SHORTEST <= words(text) <= LONGEST:
            yield f"{name}: {words(text)} 字"


def _wrong_values(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    editions = {each.id: rulebook.load(each.id) for each in rulebook.editions()}
    for row in rows:
        edition = editions.get(row["edition"])
        known = {area.id for area in edition.areas} if edition else set()
        if edition is None or not {area.strip() for area in row["areas"].split(",")} <= known:
            yield f"{row['file']}: edition {row['edition']} or its areas {row['areas']}"
        if row["level"] not in {"national", "province", "city"} or not 2011 <= int(row["year"]) <= 2024:
            yield f"{row['file']}: level {row['level']} or year {row['year']}"
        if (row["status"], bool(row["reason"])) not in {("in_force", False), ("revoked", True)}:
            yield f"{row['file']}: status {row['status']} with reason {row['reason']!r}"


def shared(texts: dict[str, str]) -> list[tuple[str, str, str]]:
    """(file, file, run) for each run of 13 characters that two texts share, names of standards apart."""
    compared = {name: normalised(_STANDARD.sub("》", text)) for name, text in texts.items()}
    bare = {name: _STANDARD.sub("》", text) for name, text in texts.items()}
    found = []
    for first, second in combinations(sorted(texts), 2):
        for start, _, length in runs(compared[first], compared[second], LEAST):
            begin, end = compared[first].span(start, start + length)
            found.append((first, second, " ".join(bare[first][begin:end].split())))
    return found


def manifest(rows: Sequence[dict[str, str]], found: Sequence[tuple[str, str, str]]) -> str:
    """Counts and hashes; nothing of it is decided here."""
    lengths = [words((HERE / "texts" / row["file"]).read_text("utf-8")) for row in rows]
    years = "\n".join(f"{year} = {count}" for year, count in sorted(Counter(row["year"] for row in rows).items()))
    levels = "\n".join(f"{level} = {count}" for level, count in Counter(row["level"] for row in rows).most_common())
    files = [HERE / "benchmarks.csv", *(HERE / "texts" / row["file"] for row in rows)]
    hashes = "\n\n".join(
        f'[[file]]\nname = "{path.relative_to(HERE).as_posix()}"\nsha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"'
        for path in files
    )
    return f"""source = "own work: constructed past benchmarks; companies, their credit codes, people, figures and honours are fictional"
licence = "CC0-1.0"
made = "three writers, each text for itself, on the same topics; lists joined, checked and hashed by python corpora/benchmarks/build.py"
split = "none"
benchmarks = {len(rows)}
organisations = {len({row["organisation"] for row in rows})}
revoked = {sum(row["status"] == "revoked" for row in rows)}
words = {sum(lengths)}
shortest = {min(lengths)}
longest = {max(lengths)}
shared_runs = {len(found)}

[years]
{years}

[levels]
{levels}

{hashes}
"""


def main() -> None:
    rows = joined()
    wrong = list(troubles(rows))
    texts = {row["file"]: (HERE / "texts" / row["file"]).read_text("utf-8") for row in rows if (HERE / "texts" / row["file"]).is_file()}
    found = shared(texts)
    for first, second, run in found:
        print(f"shared by {first} and {second}: {run}")
    if wrong:
        raise SystemExit("\n".join(wrong))
    with (HERE / "benchmarks.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (HERE / "manifest.toml").write_text(manifest(rows, found), "utf-8")
    print(f"{len(rows)} benchmarks, {len(found)} shared runs")


if __name__ == "__main__":
    main()
