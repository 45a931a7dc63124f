"""The constructed past benchmarks are whole, listed once, independent of each other and plainly constructed."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

from service.credit_code import credit_code

FOLDER = Path(__file__).resolve().parents[1] / "corpora/benchmarks"
MANIFEST = tomllib.loads((FOLDER / "manifest.toml").read_text("utf-8"))
with (FOLDER / "benchmarks.csv").open(encoding="utf-8", newline="") as stream:
    ROWS = list(csv.DictReader(stream))


def _build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_benchmarks", FOLDER / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = _build()


def test_the_manifest_tells_the_files_as_they_are() -> None:
    for file in MANIFEST["file"]:
        assert hashlib.sha256((FOLDER / file["name"]).read_bytes()).hexdigest() == file["sha256"], file["name"]
    assert MANIFEST["benchmarks"] == len(ROWS) >= 60
    assert {Path(file["name"]).name for file in MANIFEST["file"]} == {"benchmarks.csv", *(row["file"] for row in ROWS)}


def test_the_list_is_the_writers_lists_joined() -> None:
    assert build.joined() == ROWS
    assert list(build.troubles(ROWS)) == []


def test_what_is_wrong_with_a_list_is_found() -> None:
    wrong = [{**ROWS[0], "areas": "brand", "level": "county"}, {**ROWS[1], "status": "revoked"}, *ROWS[2:-1], ROWS[2]]
    told = "\n".join(build.troubles(wrong))
    for part in ("in no list", "2 times", "its areas brand", "level county", "status revoked"):
        assert part in told


def test_texts_share_nothing_but_table_heads_and_the_official_ten_sentences() -> None:
    found = build.shared({row["file"]: (FOLDER / "texts" / row["file"]).read_text("utf-8") for row in ROWS})
    assert len(found) == MANIFEST["shared_runs"]
    official = ("定位准确、机理清楚、问题复现、措施有效、举一反三", "过程清楚、责任明确、措施落实、严肃处理、完善规章")
    assert all(run.startswith(official) or re.fullmatch(r"(?:指标|项目)?[\d\s年度|-]+", run) for _, _, run in found)


def test_a_shared_run_is_found_but_not_in_the_name_of_a_standard() -> None:
    one, other = "我们把热机时间固定为四十分钟再取首件", "要求把热机时间，固定为四十分钟再取首件送检"
    assert [run for *_, run in build.shared({"a": one, "b": other})] == ["把热机时间固定为四十分钟再取首件"]
    assert build.shared({"a": "按《GB/T 19580 卓越绩效评价准则》做", "b": "执行《GB/T 19580 卓越绩效评价准则》"}) == []


def test_the_credit_codes_are_valid_and_of_no_place() -> None:
    for row in ROWS:
        assert credit_code(row["credit_code"]) == row["credit_code"]
        assert row["credit_code"][2:8] == "990000"
    assert len({row["credit_code"] for row in ROWS}) == len({row["organisation"] for row in ROWS})


def test_the_readme_says_that_they_are_constructed() -> None:
    assert "虚构" in (FOLDER / "README.md").read_text("utf-8").splitlines()[0]
