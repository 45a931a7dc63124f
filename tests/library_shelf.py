"""A library in the test's own database, filled from texts without reading files."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from service import rulebook
from service.artefacts import CORPORA, MODELS
from service.encode import Static
from service.encode import load as load_encoder
from service.library.benchmark import Entry
from service.library.indexing import Indexer
from service.library.write import Prepared, store
from service.model import Document, Submission
from service.parse.blocks import Builder
from service.segment import segment

TEXTS = CORPORA / "benchmarks" / "texts"
MANIFEST = CORPORA / "benchmarks" / "benchmarks.csv"


@cache
def indexer() -> Indexer:
    own = load_encoder(MODELS / "embedding")
    assert isinstance(own, Static)
    return Indexer(own, own)


def document(text: str, name: str = "材料.txt") -> Document:
    builder = Builder()
    for line in text.splitlines():
        if line.strip():
            kind = "heading" if line.startswith("#") else "paragraph"
            builder.add(line.lstrip("# "), kind=kind, level=1 if kind == "heading" else None)
    return Document(name, hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest(), "txt", builder.text, builder.blocks)


def submission(text: str) -> Submission:
    return segment(document(text), rulebook.load("2022-hebei").sections)


def prepared(text: str, **said: Any) -> Prepared:
    found = submission(text)
    said = {"year": 2020, "organisation": "澄岳阀门有限公司", "title": "阀门密封经验", "sha256": found.document.sha256, **said}
    entry = Entry(**said)
    indexed = indexer().index(found)
    search = indexer().search_vector(title=entry.title, organisation=entry.organisation, text=indexed.text)
    return Prepared(entry, search, indexed, indexer().version)


def titled(**said: Any) -> Prepared:
    entry = Entry(**{"year": 2020, "organisation": "澄岳阀门有限公司", "title": "阀门密封经验", **said})
    search = indexer().search_vector(title=entry.title, organisation=entry.organisation, text="")
    return Prepared(entry, search, None, indexer().version)


def fill(engine: Any, *several: Prepared) -> list[str]:
    with engine.begin() as connection:
        return store(connection, several)


def benchmark_text(name: str) -> str:
    return (TEXTS / f"{name}.md").read_text("utf-8")


def paths(*names: str) -> list[Path]:
    return [TEXTS / f"{name}.md" for name in names]
