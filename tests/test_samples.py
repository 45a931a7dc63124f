"""The constructed write-ups of corpora/samples: sources, built files, declared faults and the product's reports belong together.

BIAOGAN_REWRITE_GOLDEN=1 writes corpora/samples/expected anew (refused under CI): look at the difference before committing it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pypdfium2
import pytest

from service import checks, models, rulebook
from service.model import Document, Report
from service.parse import Reader
from service.pipeline import analyse

SAMPLES = Path(__file__).parents[1] / "corpora" / "samples"
EXPECTED = SAMPLES / "expected"


def _module(name: str) -> ModuleType:
    """A module of the builder, which is a script's folder and no package."""
    spec = importlib.util.spec_from_file_location(f"samples_{name}", SAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


SOURCES = {path.stem: _module("source").read(path) for path in sorted((SAMPLES / "sources").glob("*.toml"))}
FILES = [f"{name}.{suffix}" for name, source in SOURCES.items() for suffix in source.outputs]
FAULTS = [
    pytest.param(f"{name}.{suffix}", fault, id=f"{name}.{suffix}-{fault['code']}")
    for name, source in SOURCES.items()
    for fault in source.faults
    for suffix in source.outputs
]


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples")
    subprocess.run([sys.executable, SAMPLES / "build.py", "--out", out], check=True, timeout=60)
    return out


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    with Reader(jobs=1, ocr=False, convert=False) as reader:
        readings = list(reader.read_all([SAMPLES / file for file in FILES]))
    known = models.load()
    return {reading.name: analyse(reading, rulebook.load(SOURCES[Path(reading.name).stem].edition), models=known) for reading in readings}


def test_enough_samples_of_real_length(reports: dict[str, Report]) -> None:
    assert len(SOURCES) >= 8
    assert {source.edition for source in SOURCES.values()} == {edition.id for edition in rulebook.editions()}
    words = {name: sum(section.words for section in _submission(reports[f"{name}.docx"]).sections) for name in SOURCES}
    assert min(words.values()) >= 4000
    assert sum(count >= 7000 for count in words.values()) >= 3


@pytest.mark.parametrize("file", [file for file in FILES if file.endswith(".docx")])
def test_word_files_are_what_their_sources_make(file: str, rebuilt: Path) -> None:
    assert _members(rebuilt / file) == _members(SAMPLES / file), "run corpora/samples/build.py and commit its output"


@pytest.mark.parametrize("file", [file for file in FILES if file.endswith(".pdf")])
def test_pdf_files_are_what_their_sources_make(file: str, rebuilt: Path) -> None:
    assert _pages(rebuilt / file) == _pages(SAMPLES / file), "run corpora/samples/build.py and commit its output"


def test_the_manifest_knows_every_file_and_its_hash() -> None:
    manifest = tomllib.loads((SAMPLES / "manifest.toml").read_text(encoding="utf-8"))
    assert {row["name"]: row["sha256"] for row in manifest["file"]} == {
        file: hashlib.sha256((SAMPLES / file).read_bytes()).hexdigest() for file in FILES
    }
    for row in manifest["file"]:
        source = SOURCES[row["name"].split(".")[0]]
        assert row["faults"] == [fault["code"] for fault in source.faults]
    assert {path.name for path in SAMPLES.iterdir() if path.suffix in {".docx", ".pdf"}} == set(FILES)


def test_the_readme_lists_every_sample_and_fault_code() -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    for name, source in SOURCES.items():
        row = next(line for line in readme.splitlines() if line.startswith(f"| {name} |"))
        assert source.edition in row
        assert source.organisation in row
        for fault in source.faults:
            assert f"`{fault['code']}`" in readme
            assert fault["check"] in checks.names()
        assert ("| 无 |" in row) == (not source.faults)


@pytest.mark.parametrize("file", FILES)
def test_sections_are_read_as_written(file: str, reports: dict[str, Report]) -> None:
    source = SOURCES[Path(file).stem]
    submission = _submission(reports[file])
    assert tuple(section.key for section in submission.sections) == source.sections
    assert submission.missing == source.missing
    assert submission.organisation == source.organisation
    assert submission.title is not None
    assert submission.title.text == source.title


@pytest.mark.parametrize(("file", "fault"), FAULTS)
def test_planted_faults_are_found(file: str, fault: dict[str, str], reports: dict[str, Report]) -> None:
    report = reports[file]
    findings = [finding for outcome in report.outcomes if outcome.check == fault["check"] for finding in outcome.findings]
    assert findings
    if fault["where"] and file.endswith(".docx"):
        places = [match.span() for match in re.finditer(re.escape(fault["where"]), _submission(report).text)]
        assert any(finding.start < end and finding.end > start for finding in findings for start, end in places)


@pytest.mark.parametrize("file", FILES)
def test_nothing_else_is_reported(file: str, reports: dict[str, Report]) -> None:
    planted = {fault["check"] for fault in SOURCES[Path(file).stem].faults}
    failed = {outcome.check for outcome in reports[file].outcomes if outcome.verdict == "fail" and outcome.severity != "advice"}
    assert failed <= planted


@pytest.mark.parametrize("file", FILES)
def test_reports_are_as_expected(file: str, reports: dict[str, Report]) -> None:
    golden = EXPECTED / f"{file}.json"
    found = _compact(reports[file])
    if os.environ.get("BIAOGAN_REWRITE_GOLDEN") == "1":
        assert not os.environ.get("CI"), "golden reports are never rewritten under CI"
        golden.write_text(_pretty(found), encoding="utf-8")
    assert found == json.loads(golden.read_text(encoding="utf-8"))


def _pretty(found: dict[str, Any]) -> str:
    """A key a line, a section a line, so that a difference reads well."""
    sections = ",\n".join("  " + json.dumps(section, ensure_ascii=False) for section in found["sections"])
    lines = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in found.items() if key != "sections"]
    return "{\n" + ",\n".join([*lines, f' "sections": [\n{sections}\n ]']) + "\n}\n"


def _submission(report: Report) -> Any:
    assert report.submission is not None, report.notes
    return report.submission


def _compact(report: Report) -> dict[str, Any]:
    submission = _submission(report)
    assert isinstance(submission.document, Document)
    failed = Counter({outcome.rule: len(outcome.findings) for outcome in report.outcomes if outcome.verdict == "fail"})
    return {
        "title": submission.title.text if submission.title else None,
        "organisation": submission.organisation,
        "words": sum(section.words for section in submission.sections),
        "sections": [[section.key, section.heading, section.words] for section in submission.sections],
        "missing": list(submission.missing),
        "failed": {f"{outcome.rule} {outcome.check}": failed[outcome.rule] for outcome in report.outcomes if outcome.verdict == "fail"},
        "not_checked": [f"{outcome.rule} {outcome.check}" for outcome in report.outcomes if outcome.verdict == "not_checked"],
        "notes": [note.code for note in report.notes],
        "focus": [report.focus.primary, sorted(score.area for score in report.focus.areas if score.chosen)] if report.focus else None,
        "one_line": report.one_line,
        "results": [sentence.text for each in report.summaries if each.section == "results" for sentence in each.sentences],
        "advice": [[item.section, item.rule] for item in report.advice.items] if report.advice else None,
    }


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _pages(path: Path) -> list[str]:
    document = pypdfium2.PdfDocument(path)
    try:
        texts = []
        for page in document:
            text = page.get_textpage()
            texts.append(text.get_text_bounded())
            text.close()
            page.close()
        return texts
    finally:
        document.close()
