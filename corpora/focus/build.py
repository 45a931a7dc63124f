"""Checks the passages and write-ups and writes manifest.toml: python corpora/focus/build.py.

The held-out part stands in manifest.toml and is kept. It was chosen once, before any model was fitted, by `choose`: groups that share a
13-character run stay together, and of 4,000 seeded draws the one whose themes, writers and kinds of negatives are nearest to a fifth wins.
"""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from service.train.corpora import Passage, WriteUp, passages, writeups

HERE = Path(__file__).resolve().parent
SEED = 20221101
DRAWS = 4000
SHARE = 0.2  # of the families that is held out
HELD_WRITEUPS = 10
RUN = 13


def runs(texts: Iterable[str]) -> set[str]:
    """The 13-character runs of prose, blanks left out."""
    squeezed = (re.sub(r"\s", "", text) for text in texts)
    return {text[start : start + RUN] for text in squeezed for start in range(len(text) - RUN + 1)}


def prose(writeup: WriteUp) -> Iterator[str]:
    """What a write-up is learnt from: its title, headings, captions and paragraphs. Rows of tables hold figures and years alone."""
    yield writeup.title
    yield from (paragraph.text for paragraph in writeup.paragraphs if paragraph.kind != "row")


def shared(first: Iterable[set[str]], second: Iterable[set[str]]) -> set[str]:
    return set().union(*first) & set().union(*second)


def groups(texts: dict[str, list[str]]) -> list[list[str]]:
    """Names whose texts share a run, directly or through others, together; in the order of the names."""
    parent = {name: name for name in texts}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    seen: dict[str, str] = {}
    for name in sorted(texts):
        for run in sorted(runs(texts[name])):
            first, second = sorted((root(seen.setdefault(run, name)), root(name)))
            parent[second] = first
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(texts):
        found[root(name)].append(name)
    return list(found.values())


def choose(rows: Sequence[Passage], whole: Sequence[WriteUp]) -> list[str]:
    """Families and write-ups to hold out: see the module."""
    texts: dict[str, list[str]] = defaultdict(list)
    traits: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        texts[row.family].append(row.text)
        traits[row.family].update(("passages", f"writer {row.family[0]}", *(f"theme {theme}" for theme in row.themes)))
        if not row.themes:
            traits[row.family].update(("negatives", f"kind {row.kind}"))
    for writeup in whole:
        texts[writeup.id] = list(prose(writeup))
        themes = (f"primary {writeup.primary}", *(f"secondary {theme}" for theme in writeup.secondary))
        traits[writeup.id].update(("write-ups", f"author {writeup.id[0]}", f"edition {writeup.edition}", f"sme {writeup.sme}", *themes))
    together = groups(texts)
    everything = Counter[str]()
    for counts in traits.values():
        everything.update(counts)
    draw = random.Random(SEED)
    best, least = list[str](), float("inf")
    for _ in range(DRAWS):
        held = _draw(draw, together)
        counts = Counter[str]()
        for name in held:
            counts.update(traits[name])
        away = sum((counts[trait] / total - SHARE) ** 2 * total**0.5 for trait, total in everything.items())
        if away < least:
            best, least = held, away
    return sorted(best)


def _draw(draw: random.Random, together: list[list[str]]) -> list[str]:
    names = sum(map(len, together))
    order = draw.sample(together, len(together))
    held: list[str] = []
    writeups_held = 0
    for group in order:
        of_writeups = sum(len(name) == 3 for name in group)
        if writeups_held + of_writeups <= HELD_WRITEUPS and len(held) + len(group) <= SHARE * names:
            held.extend(group)
            writeups_held += of_writeups
    return held


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def manifest(test: Sequence[str], rows: Sequence[Passage], whole: Sequence[WriteUp]) -> str:
    held = set(test)
    quoted = [f'"{name}"' for name in test]
    listed = "\n".join(f"  {', '.join(quoted[start : start + 12])}," for start in range(0, len(quoted), 12))
    labelled = Counter(theme for row in rows for theme in row.themes)
    tested = Counter(theme for row in rows if row.family in held for theme in row.themes)
    themes = "\n".join(f"{theme} = {{ passages = {count}, held_out = {tested[theme]} }}" for theme, count in labelled.most_common())
    kinds = "\n".join(f"{kind} = {count}" for kind, count in Counter(row.kind for row in rows if not row.themes).most_common())
    files = sorted((*(HERE / "passages").glob("*.jsonl"), *(HERE / "writeups").glob("*.md")))
    hashes = "\n\n".join(f'[[file]]\nname = "{file.relative_to(HERE).as_posix()}"\nsha256 = "{_hash(file)}"' for file in files)
    return f"""source = "own work: every sentence was written for this project; the companies, people, figures and honours are fictional"
licence = "CC0-1.0"
made = "after a common brief, labelled by README.md's guide (annotation.tsv); split, counts, hashes by corpora/focus/build.py"
passages = {len(rows)}
held_out_passages = {sum(row.family in held for row in rows)}
families = {len({row.family for row in rows})}
negatives = {sum(not row.themes for row in rows)}
writeups = {len(whole)}
held_out_writeups = {sum(writeup.id in held for writeup in whole)}

[split]
seed = {SEED}
test = [
{listed}
]

[themes]
{themes}

[kinds]
{kinds}

{hashes}
"""


def main() -> None:
    target = HERE / "manifest.toml"
    if not target.exists():
        target.write_text("[split]\ntest = []\n", "utf-8")
    rows, whole = passages(HERE), writeups(HERE)
    test = tomllib.loads(target.read_text("utf-8"))["split"]["test"] or choose(rows, whole)
    target.write_text(manifest(test, rows, whole), "utf-8")
    print(f"{len(rows)} passages, {len(whole)} write-ups, {len(test)} families and write-ups held out")


if __name__ == "__main__":
    main()
