"""biaogan check with a library, without one, with an empty and with an unreachable one; the files of a call compared with each other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from library_shelf import TEXTS, benchmark_text, fill, paths, prepared
from sqlalchemy import text

from service.cli import main
from service.library import opening

REVISIONS = TEXTS.parent / "revisions"


@pytest.fixture(name="check")
def _check(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: Any) -> Iterator[Any]:
    monkeypatch.setenv("BIAOGAN_DATABASE_URL", place.database)
    monkeypatch.setenv("BIAOGAN_DATA_DIR", str(place.data))

    def check(*arguments: str) -> dict[str, Any]:
        opening.close()
        code = main(["check", *arguments, "--edition", "2022-hebei", "--json", "-"])
        out, _ = capfd.readouterr()
        assert code in {0, 1}
        return {report["document"]["name"]: report for report in map(json.loads, out.splitlines())}

    yield check
    opening.close()


def _notes(report: dict[str, Any]) -> list[str]:
    return [note["code"] for note in report["notes"] if note["code"].startswith(("library", "database", "stage"))]


def test_a_copy_is_found_with_its_source(check: Any, engine: Any) -> None:
    (name,) = fill(engine, prepared(benchmark_text("p01"), organisation="霁垣液压件有限公司", file_name="p01.md", year=2014))
    fill(engine, prepared(benchmark_text("p02"), organisation="苜澄乳业有限公司"))
    report = check(str(paths("p01")[0]))["p01.md"]
    assert (report["status"], _notes(report)) == ("complete", [])
    (match,) = report["matches"]
    assert {key: match[key] for key in ("benchmark", "file", "year", "flag", "own", "among")} == {
        "benchmark": name,
        "file": "p01.md",
        "year": 2014,
        "flag": "near_duplicate",
        "own": True,
        "among": False,
    }
    passage = match["passages"][0]
    assert passage["kind"] == "verbatim"
    assert report["text"][passage["start"] : passage["end"]] == passage["their_text"]
    assert report["similarity"]["total"] > 0.95
    assert report["similarity"]["without_own"] == 0
    assert report["similarity"]["compared"] == 2
    assert report["timing"]["matches"] > 0


def test_an_empty_library_says_that_nothing_was_compared(check: Any) -> None:
    report = check(str(paths("p01")[0]))["p01.md"]
    assert (report["status"], _notes(report), report["matches"]) == ("complete", ["library_empty"], [])
    assert set(report["similarity"].values()) == {None}


def test_without_a_library_nothing_is_made(check: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BIAOGAN_DATABASE_URL")
    monkeypatch.setenv("BIAOGAN_DATA_DIR", str(tmp_path / "新"))
    report = check(str(paths("p01")[0]))["p01.md"]
    assert (report["status"], _notes(report)) == ("complete", ["library_none"])
    assert set(report["similarity"].values()) == {None}
    assert not (tmp_path / "新").exists()


def test_an_unreachable_library_makes_the_report_partial(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIAOGAN_DATABASE_URL", "postgresql://biaogan:geheim@127.0.0.1:1/biaogan")
    report = check(str(paths("p01")[0]))["p01.md"]
    assert (report["status"], _notes(report)) == ("partial", ["database_unreachable"])
    assert "geheim" not in json.dumps(report)
    assert report["outcomes"]
    assert set(report["similarity"].values()) == {None}


def test_many_files_in_several_processes(check: Any, engine: Any, tmp_path: Path) -> None:
    (name,) = fill(engine, prepared(benchmark_text("q14")))
    for at in range(18):
        (tmp_path / f"{at}.md").write_text(benchmark_text("q14").replace("焊", f"焊{at}"), "utf-8")
    reports = check(str(tmp_path), "--jobs", "2")
    assert len(reports) == 18
    assert {report["status"] for report in reports.values()} == {"complete"}
    assert all(report["matches"][0]["benchmark"] == name for report in reports.values())


def test_personal_data_of_the_other_text_is_masked(check: Any, engine: Any, tmp_path: Path) -> None:
    said = "质量热线13912345678昼夜有人接听，班组长每天回复一次并把结果写在看板上。"
    fill(engine, prepared(f"# 经验\n## 一、企业概况\n我们是甲厂。{said}"))
    (tmp_path / "新.md").write_text(f"# 实践\n## 一、企业概况\n我们是乙厂。{said}", "utf-8")
    report = check(str(tmp_path / "新.md"))["新.md"]
    assert report["matches"][0]["passages"]
    assert "13912345678" not in json.dumps(report)


def test_among_compares_the_files_of_a_call_with_each_other(check: Any, engine: Any, tmp_path: Path) -> None:
    (name,) = fill(engine, prepared(benchmark_text("p02")))
    for path in (*paths("p14", "p05"), REVISIONS / "pa-p14.md"):
        shutil.copy(path, tmp_path)
    (tmp_path / "p02.md").write_text(benchmark_text("p02").replace("苜澄", "禾川"), "utf-8")
    reports = check(str(tmp_path), "--among")
    (match,) = reports["pa-p14.md"]["matches"]
    assert (match["file"], match["among"], match["flag"]) == ("p14.md", True, "reuse")
    assert reports["pa-p14.md"]["similarity"]["compared"] == 4
    assert [(match["benchmark"], match["among"]) for match in reports["p02.md"]["matches"]] == [(name, False)]
    assert reports["p05.md"]["matches"] == []
    assert reports["p05.md"]["similarity"]["total"] == 0
    assert check(str(tmp_path))["pa-p14.md"]["matches"] == []


def test_compare_shows_two_files_side_by_side(capfd: pytest.CaptureFixture[str]) -> None:
    mine, theirs = str(REVISIONS / "pa-p14.md"), str(paths("p14")[0])
    assert main(["compare", mine, theirs]) == 0
    out, _ = capfd.readouterr()
    assert "占 pa-p14.md 的" in out
    assert "每类都得拿得出至少两周的数据。" in out
    assert "请核对，不等于抄袭" in out
    assert main(["compare", mine, theirs, "--json", "-"]) == 0
    (match,) = json.loads(capfd.readouterr()[0])["matches"]
    assert (match["file"], match["flag"]) == ("p14.md", "reuse")
    assert main(["compare", str(paths("p14")[0]), str(paths("p02")[0])]) == 0
    assert "没有发现" in capfd.readouterr()[0]
    assert main(["compare", mine, "没有.docx"]) == 2
    assert main(["compare", mine, mine]) == 0
    out, _ = capfd.readouterr()
    assert out.startswith("两个文件的文字完全相同。")
    assert "请核对，不等于抄袭" in out


def test_among_without_the_library_says_so(check: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path in paths("p14", "p05"):
        shutil.copy(path, tmp_path)
    monkeypatch.setenv("BIAOGAN_DATABASE_URL", "postgresql://biaogan:geheim@127.0.0.1:1/biaogan")
    report = check(str(tmp_path), "--among")["p14.md"]
    assert (report["status"], _notes(report)) == ("partial", ["database_unreachable"])
    assert (report["similarity"]["compared"], report["similarity"]["only_among"]) == (1, True)
    monkeypatch.delenv("BIAOGAN_DATABASE_URL")
    monkeypatch.setenv("BIAOGAN_DATA_DIR", str(tmp_path / "新"))
    report = check(str(tmp_path), "--among")["p14.md"]
    assert (report["status"], _notes(report), report["similarity"]["only_among"]) == ("complete", ["library_none"], True)


def test_a_revoked_benchmark_is_told_as_such(check: Any, engine: Any) -> None:
    (name,) = fill(engine, prepared(benchmark_text("p01")))
    with engine.begin() as connection:
        connection.execute(text("UPDATE benchmarks SET status = 'revoked' WHERE id = :id"), {"id": name})
    report = check(str(paths("p01")[0]))["p01.md"]
    assert [match["status"] for match in report["matches"]] == ["revoked"]
    assert report["similarity"]["only_among"] is False
