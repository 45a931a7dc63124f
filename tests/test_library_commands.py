"""biaogan library …, as it is called: a real database, real files."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from library_shelf import MANIFEST, TEXTS, paths
from openpyxl import load_workbook
from sqlalchemy import text

from service.cli import main
from service.database.files import open_store
from service.fingerprints import normalised
from service.library.phrases import agreed


@pytest.fixture(name="run")
def _run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: Any) -> Any:
    monkeypatch.setenv("BIAOGAN_DATABASE_URL", place.database)
    monkeypatch.setenv("BIAOGAN_DATA_DIR", str(place.data))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["library", *arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def _folder(tmp_path: Path, *names: str) -> Path:
    folder = tmp_path / "往年"
    folder.mkdir(exist_ok=True)
    for path in paths(*names):
        shutil.copy(path, folder)
    return folder


def _rows(run: Any, *arguments: str) -> list[dict[str, Any]]:
    code, out, _ = run("list", *arguments, "--json", "-")
    assert code == 0
    return [json.loads(line) for line in out.splitlines()]


def test_a_folder_with_its_table(run: Any, tmp_path: Path, engine: Any, place: Any) -> None:
    folder = _folder(tmp_path, "p01", "p02", "q14", "r03")
    table = tmp_path / "清单.csv"
    lines = MANIFEST.read_text("utf-8").splitlines()
    wanted = [line for line in lines if line.startswith(("file", "p01", "p02", "q14", "r03"))]
    table.write_text("\n".join([*wanted, ",2019,省级,只有标题的厂,,,只有标题的实践经验,,,,,,"]) + "\n", "gb18030")

    code, out, err = run("import", str(folder), "--manifest", str(table), "--dry-run")
    assert (code, "将导入 5 条（其中只有标题的 1 条，已撤销的 1 条）" in out) == (0, True)
    assert "用到的列：文件←file，年度←year" in err
    assert "没有用到的列：industry、method" in err
    assert _rows(run) == []

    code, out, err = run("import", str(folder), "--manifest", str(table))
    assert (code, out.splitlines()) == (0, ["导入 5 条（其中只有标题的 1 条，已撤销的 1 条）。"])
    rows = {row["file"]: row for row in _rows(run)}
    assert rows["p01.md"] | {"id": "", "sha256": "", "words": 0, "passages": 0} == {
        "id": "",
        "year": 2014,
        "level": "national",
        "organisation": "霁垣液压件有限公司",
        "credit_code": "91990000MB00000197",
        "former_names": [],
        "title": "霁垣液压用六西格玛DMAIC压降阀块内泄漏的经验",
        "edition": "2014-miit",
        "areas": ["dfss", "lean"],
        "status": "in_force",
        "revoked_reason": None,
        "revoked_on": None,
        "file": "p01.md",
        "sha256": "",
        "words": 0,
        "passages": 0,
    }
    assert rows["q14.md"]["status"] == "revoked"
    assert rows["r03.md"]["id"].startswith(f"{rows['r03.md']['year']}-000")
    assert rows[None]["words"] is None
    assert open_store(place).get(rows["p01.md"]["sha256"]) == (folder / "p01.md").read_bytes()
    with engine.connect() as connection:
        counts = connection.execute(text("SELECT count(*), count(model), count(normal), count(sections) FROM benchmarks")).one()
        assert tuple(counts) == (5, 5, 4, 4)
        assert connection.execute(text("SELECT count(DISTINCT benchmark) FROM fingerprints")).scalar() == 4

    code, out, err = run("import", str(folder), "--manifest", str(table))
    assert (code, out.strip()) == (0, "导入 0 条，已有 5 条。")
    assert f"已有 {rows['p01.md']['id']} p01.md\n" in err


def test_what_the_table_says_now_is_written_over_what_it_said(run: Any, tmp_path: Path) -> None:
    folder, table = _folder(tmp_path, "p01", "p02"), tmp_path / "清单.csv"
    table.write_text("文件,年度,单位,标题\np01.md,2014,甲厂,甲的经验\np02.md,2015,乙厂,乙的经验\n,2016,丙厂,丙的经验\n", "utf-8")
    assert run("import", str(folder), "--manifest", str(table))[0] == 0
    ids = {row["title"]: row["id"] for row in _rows(run)}
    head, first, second, third = (
        "文件,年度,级别,单位,标题,撤销日期,撤销原因\n",
        "p01.md,2017,省级,甲厂,蜂窝的经验,,\n",
        "p02.md,2015,,,,,\n",
        ",2016,,丙厂,丙的经验,2023-05-01,事故\n",
    )
    table.write_text(head + first + second + third, "utf-8")
    before = _rows(run)
    assert "将更新 2 条，已有 1 条。" in run("import", str(folder), "--manifest", str(table), "--dry-run")[1]
    assert _rows(run) == before
    code, out, err = run("import", str(folder), "--manifest", str(table))
    assert (code, out.strip()) == (0, "导入 0 条，更新 2 条，已有 1 条。")
    assert f"已更新 {ids['甲的经验']} p01.md：年度 2014→2017；级别 （空）→省级；标题 甲的经验→蜂窝的经验。" in err.replace("\n", "")
    rows = {row["id"]: row for row in _rows(run)}
    assert (rows[ids["甲的经验"]]["year"], rows[ids["甲的经验"]]["level"]) == (2017, "province")
    assert (rows[ids["丙的经验"]]["status"], rows[ids["丙的经验"]]["revoked_on"]) == ("revoked", "2023-05-01")
    assert rows[ids["乙的经验"]]["organisation"] == "乙厂"
    assert ids["甲的经验"] in run("search", "蜂窝")[1]
    assert run("import", str(folder), "--manifest", str(table))[1].strip() == "导入 0 条，已有 3 条。"


def test_an_entry_is_changed_by_its_id(run: Any, tmp_path: Path) -> None:
    run("import", str(_folder(tmp_path, "p01")))
    (row,) = _rows(run)
    code, out, _ = run("change", row["id"], "--year", "2012", "--level", "市级", "--former-name", "旧厂")
    assert code == 0
    assert out.startswith(f"已更新 {row['id']}：年度 {row['year']}→2012；级别 （空）→市级；曾用名 （空）→旧厂。")
    assert _rows(run) == [row | {"year": 2012, "level": "city", "former_names": ["旧厂"]}]
    assert "没有改动" in run("change", row["id"], "--year", "2012")[1]
    assert run("change", row["id"])[0] == 2
    assert run("change", "2099-0001", "--year", "2013")[0] == 2


def test_the_same_file_twice_is_one_and_a_bad_one_stops_no_other(run: Any, tmp_path: Path) -> None:
    folder = _folder(tmp_path, "p05")
    shutil.copy(folder / "p05.md", folder / "副本.md")
    (folder / "坏.docx").write_bytes(b"PK\x03\x04 broken")
    (folder / "空.txt").write_text(" \n", "utf-8")
    code, out, err = run("import", str(folder))
    assert code == 2
    assert out.splitlines()[0] == "导入 1 条，重复 1 条，没有成功 2 条。"
    assert "没有成功 坏.docx：" in err
    assert "没有成功 空.txt：" in err
    (row,) = _rows(run)
    assert row["organisation"] == "络珩线束有限公司"
    assert "年度按" in err
    assert "内容相同。" in err
    assert f"biaogan library change {row['id']} --year" in err


def test_add_takes_what_it_is_told(run: Any, tmp_path: Path) -> None:
    path = _folder(tmp_path, "p06") / "p06.md"
    code, out, _ = run(
        *("add", str(path), "--year", "2021", "--level", "省级", "--organisation", "新名特钢有限公司", "--title", "新题"),
        *("--former-name", "旧名厂、更旧名厂", "--credit-code", "91990000MB00000197", "--edition", "2022-hebei", "--area", "reliability"),
    )
    assert code == 0
    assert "2021-0001" in out
    (row,) = _rows(run)
    assert (row["organisation"], row["title"], row["former_names"]) == ("新名特钢有限公司", "新题", ["旧名厂", "更旧名厂"])
    assert run("add", str(path), str(path), "--title", "x")[0] == 2
    assert run("add", str(tmp_path / "没有.docx"))[0] == 2
    assert run("add", str(path))[1].startswith("导入 0 条，已有 1 条")


def test_a_title_gets_its_text_later_and_keeps_its_id(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "空"
    folder.mkdir()
    table = tmp_path / "名单.csv"
    table.write_text("年度,单位,标题\n2015,络珩线束有限公司,络珩线束公司防错与首末件过程控制经验\n", "utf-8")
    assert run("import", str(folder), "--manifest", str(table))[0] == 0
    (before,) = _rows(run)
    assert run("add", str(paths("p05")[0]), "--year", "2015")[0] == 0
    (after,) = _rows(run)
    assert (after["id"], before["words"], after["words"] > 1000) == (before["id"], None, True)


def test_list_show_search_export(run: Any, tmp_path: Path) -> None:
    folder = _folder(tmp_path, "p01", "p02", "q02", "p12")
    assert run("import", str(folder), "--manifest", str(MANIFEST))[0] == 2  # rows of files that are not there
    assert len(_rows(run)) == 4
    assert [row["file"] for row in _rows(run, "--year", "2014")] == ["p01.md"]
    assert {row["file"] for row in _rows(run, "--area", "supply_chain")} == {"p02.md", "q02.md"}
    assert [row["file"] for row in _rows(run, "--organisation", "苜澄")] == ["p02.md"]
    assert [row["file"] for row in _rows(run, "--status", "已撤销")] == ["p12.md"]
    assert "苜澄乳业" in run("list")[1]
    assert run("list", "--year", "1999")[1] == "没有符合条件的标杆。\n"

    found = [json.loads(line) for line in run("search", "牧场", "分级", "--json", "-")[1].splitlines()]
    assert {row["file"] for row in found} == {"p02.md", "q02.md"}
    assert found[0]["score"] >= found[1]["score"] > 0
    assert all("牧场" in "".join(row["snippets"]) for row in found)
    assert [json.loads(line)["file"] for line in run("search", "质量管理体系换证", "--json", "-")[1].splitlines()] == ["p01.md"]
    assert "p12" not in run("search", "牧场", "--year", "2023")[1]
    assert "没有同时含有" in run("search", "天主教堂")[1]
    assert "找到 1 条" in run("search", "窗口", "印染")[1]

    assert "共找到 4 条，以上是最相关的 1 条。要看更多请加 --limit 4。" in run("search", "质", "--limit", "1")[1]
    assert "找到 4 条。" in run("search", "质")[1]

    wanted = next(row for row in _rows(run) if row["file"] == "p01.md")
    code, out, _ = run("show", wanted["id"])
    assert (code, "统一社会信用代码：91990000MB00000197" in out, "小组拿20个阀块" in out) == (0, True, True)
    assert json.loads(run("show", wanted["id"], "--json", "-")[1])["text"].startswith("霁垣液压")
    assert run("show", "2099-0001")[0] == 2

    for suffix in ("csv", "xlsx", "jsonl"):
        assert run("export", str(tmp_path / f"清单.{suffix}"))[0] == 0
    rows = list(csv.reader(io.StringIO((tmp_path / "清单.csv").read_text("utf-8-sig"))))
    assert len(rows) == 5
    sheet = load_workbook(tmp_path / "清单.xlsx").active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]] == rows[0]
    assert len((tmp_path / "清单.jsonl").read_text("utf-8").splitlines()) == 4
    assert run("export", str(tmp_path / "清单.doc"))[0] == 2
    code, out, _ = run("import", str(folder), "--manifest", str(tmp_path / "清单.csv"), "--dry-run")
    assert (code, "已有 4 条" in out) == (0, True)


def test_no_cell_of_an_export_is_a_formula(run: Any, tmp_path: Path) -> None:
    path = _folder(tmp_path, "p01") / "p01.md"
    assert run("add", str(path), "--title", '=HYPERLINK("http://x")', "--organisation", "@SUM(1)")[0] == 0
    for suffix in ("csv", "xlsx"):
        assert run("export", str(tmp_path / f"清单.{suffix}"))[0] == 0
    row = list(csv.reader(io.StringIO((tmp_path / "清单.csv").read_text("utf-8-sig"))))[1]
    assert row[6].startswith("'=")
    assert row[3].startswith("'@")
    sheet = load_workbook(tmp_path / "清单.xlsx").active
    assert sheet is not None
    assert {cell.data_type for cell in sheet[2]} <= {"s", "inlineStr", "n"}


def test_a_search_finds_what_stands_together(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "往年"
    folder.mkdir()
    for name, said in (("a", "双归零管理"), ("b", "故障归类后从零开始"), ("c", "供应商分级管理办法"), ("d", "供应商管理，分级不分类")):
        (folder / f"{name}.md").write_text(f"# {name}厂的经验\n## 一、企业概况\n{name}厂成立于1990年，{said}。\n", "utf-8")
    run("import", str(folder))

    def found(*words: str) -> list[str]:
        return [json.loads(line)["file"] for line in run("search", *words, "--json", "-")[1].splitlines()]

    assert found("归零") == ["a.md"]
    assert found("供应商分级") == ["c.md"]
    assert set(found("供应商", "分级")) == {"c.md", "d.md"}
    assert found("100%_") == []


def test_remove_and_revoke(run: Any, tmp_path: Path, place: Any) -> None:
    folder = _folder(tmp_path, "p01", "p02")
    run("import", str(folder))
    first, second = _rows(run)
    assert run("revoke", first["id"], "--reason", "发生重大质量事故", "--date", "2023年5月1日")[0] == 0
    row = next(each for each in _rows(run) if each["id"] == first["id"])
    assert (row["status"], row["revoked_reason"], row["revoked_on"]) == ("revoked", "发生重大质量事故", "2023-05-01")
    assert run("revoke", "2099-0001", "--reason", "x")[0] == 2
    assert run("revoke", first["id"], "--reason", " ")[0] == 2
    assert run("revoke", second["id"], "--reason", "x", "--date", "2999-01-01")[0] == 2
    assert run("revoke", first["id"], "--reason", "另一个原因")[0] == 2
    assert next(each for each in _rows(run) if each["id"] == first["id"]) == row
    assert run("revoke", first["id"], "--reason", "另一个原因", "--replace")[0] == 0
    assert next(each for each in _rows(run) if each["id"] == first["id"])["revoked_reason"] == "另一个原因"
    assert run("reinstate", first["id"])[0] == 0
    assert next(each for each in _rows(run) if each["id"] == first["id"]) == first
    assert run("reinstate", first["id"])[0] == 2
    assert run("remove", first["id"], "2099-0001")[0] == 2
    assert len(_rows(run)) == 2
    assert run("remove", first["id"])[0] == 0
    assert [each["id"] for each in _rows(run)] == [second["id"]]
    assert {stored.sha256 for stored in open_store(place).iterate()} == {second["sha256"]}
    assert run("import", str(folder))[1].startswith("导入 1 条，已有 1 条")


@pytest.mark.parametrize(("said", "learnt"), [("Microsoft Office Excel", True), ("2021 2022 2023 2024", False)])
def test_names_in_latin_letters_are_phrases_and_figures_are_none(said: str, learnt: bool) -> None:
    texts = [f"{before}用 {said} {after}" for before, after in zip("甲乙丙丁戊", "做着改看管", strict=True)]
    places = [((text, normalised(text)), 4) for text in texts]
    assert any(said in phrase for phrase in agreed([(5, places)])) == learnt


def test_phrases_are_learnt_listed_and_edited(run: Any, tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    assert "还没有常用语" in run("phrases")[1]
    said = "坚持以顾客为关注焦点的质量方针"
    for at in range(6):
        whole = f"# 第{at}家厂的经验\n## 一、企业概况\n{'甲乙丙丁戊己'[at]}厂有限公司成立于19{at}0年。我们{said}，第{at}种做法各不相同。\n"
        (folder / f"{at}.md").write_text(whole, "utf-8")
        assert run("add", str(folder / f"{at}.md"), "--organisation", f"{'甲乙丙丁戊己'[at]}厂有限公司")[0] == 0
    found = [line.split("\t") for line in run("phrases")[1].splitlines()]
    assert any(source == "归纳" and count == "6" and said in phrase for source, count, phrase in found)
    (phrase,) = (phrase for _, _, phrase in found if said in phrase)
    assert run("phrases", "--remove", phrase)[0] == 0
    assert run("phrases", "--learn")[0] == 0
    assert phrase not in run("phrases")[1]
    assert run("phrases", "--remove", phrase)[0] == 2
    assert run("phrases", "--add", "在市委市政府的坚强领导下")[0] == 0
    assert "自定\t-\t在市委市政府的坚强领导下" in run("phrases")[1]
    assert run("phrases", "--add", "短")[0] == 2


def test_looking_makes_no_database(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BIAOGAN_DATABASE_URL")
    monkeypatch.setenv("BIAOGAN_DATA_DIR", str(tmp_path / "新"))
    assert "还没有内容" in run("list")[1]
    assert run("search", "质量")[0] == 0
    assert run("show", "2022-0001")[0] == 2
    assert run("remove", "2022-0001")[0] == 2
    assert "将导入 1 条" in run("import", str(_folder(tmp_path, "p01")), "--dry-run")[1]
    assert not (tmp_path / "新").exists()


def test_reindex_after_a_change_of_model(run: Any, tmp_path: Path, engine: Any) -> None:
    run("import", str(_folder(tmp_path, "p01", "p02")))
    assert "不需要重建" in run("reindex")[1]
    spans = "SELECT benchmark, number, start, stop FROM passages ORDER BY 1, 2"
    with engine.begin() as connection:
        before = connection.execute(text(spans)).all()
        connection.execute(text("UPDATE benchmarks SET model = 'old', search = NULL"))
        connection.execute(text("ALTER TABLE passages ALTER COLUMN embedding TYPE halfvec(64) USING NULL"))
    assert run("add", str(paths("p03")[0]))[0] == 2
    assert run("reindex")[1] == "已重建 2 条的索引。\n"
    with engine.connect() as connection:
        assert connection.execute(text(spans)).all() == before
        assert connection.execute(text("SELECT count(*) FROM passages WHERE embedding IS NULL")).scalar() == 0
        assert connection.execute(text("SELECT count(search) FROM benchmarks")).scalar() == 2
    assert run("add", str(paths("p03")[0]))[0] == 0


def test_an_import_that_was_killed_goes_on(tmp_path: Path, engine: Any, place: Any) -> None:
    environment = {**os.environ, "BIAOGAN_DATABASE_URL": place.database, "BIAOGAN_DATA_DIR": str(place.data)}
    command = [sys.executable, "-m", "service.cli", "library", "import", str(TEXTS), "--manifest", str(MANIFEST)]
    count = text("SELECT count(*) FROM benchmarks")
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with engine.connect() as connection:
            if connection.execute(count).scalar():
                break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with engine.connect() as connection:
        between = connection.execute(count).scalar()
        whole = connection.execute(text("SELECT count(DISTINCT benchmark) FROM fingerprints")).scalar()
    assert 0 < between < 62
    assert whole == between
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert re.fullmatch(rf"导入 {62 - between} 条(（其中已撤销的 \d+ 条）)?，已有 {between} 条。", again.stdout.strip())
    with engine.connect() as connection:
        row = connection.execute(
            text("SELECT count(*), count(DISTINCT sha256), count(DISTINCT id), count(DISTINCT title) FROM benchmarks")
        ).one()
        assert tuple(row) == (62, 62, 62, 62)
        for table in ("fingerprints", "passages"):
            assert connection.execute(text(f"SELECT count(DISTINCT benchmark) FROM {table}")).scalar() == 62
            repeated = {"fingerprints": "benchmark, position", "passages": "benchmark, number"}[table]
            twice = text(f"SELECT count(*) FROM (SELECT FROM {table} GROUP BY {repeated} HAVING count(*) > 1) AS t")
            assert connection.execute(twice).scalar() == 0
