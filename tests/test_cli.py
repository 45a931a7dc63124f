"""The command line: exit codes, outputs that never overwrite, bad files beside good ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import docx
import pytest

from service import pipeline
from service.cli import main
from service.model import Edition, Report
from service.models import Models
from service.parse import Reading

GOOD = "实施扭矩管控的经验\n一、企业概况\n江屿阀门有限公司成立于1998年，员工620人，主导产品为蝶阀，使命是让介质守规矩。\n"


@pytest.fixture(name="good")
def _good(tmp_path: Path) -> Path:
    path = tmp_path / "材料.txt"
    path.write_text(GOOD, "utf-8")
    return path


def _run(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capfd.readouterr()
    return code, out, err


def _objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_an_error_finding_exits_with_1(capfd: pytest.CaptureFixture[str], good: Path) -> None:
    code, out, err = _run(capfd, "check", str(good), "--edition", "2022-hebei", "--json", "-")
    (report,) = _objects(out)
    assert code == 1
    assert err == ""
    assert report["schema"] == "report/1"
    assert report["missing"] == ["background", "process", "results"]


@pytest.mark.parametrize("edition", [(), ("--edition", "2030-nowhere")])
def test_a_missing_or_unknown_edition_lists_the_choices(capfd: pytest.CaptureFixture[str], good: Path, edition: tuple[str, ...]) -> None:
    code, out, err = _run(capfd, "check", str(good), *edition, "--json", "-")
    assert code == 2
    assert out == ""
    for choice in ("2014-miit", "2016-jiangsu", "2021-zhumadian", "2022-hebei", "2024-caq"):
        assert choice in err


def test_a_bad_file_never_stops_the_others(capfd: pytest.CaptureFixture[str], good: Path) -> None:
    bad = good.with_name("坏.docx")
    bad.write_bytes(b"PK\x03\x04 not a zip")
    code, out, _ = _run(capfd, "check", str(bad), str(good), "--edition", "2022-hebei", "--json", "-")
    first, second = _objects(out)
    assert code == 2
    assert (first["document"]["name"], first["status"]) == ("坏.docx", "failed")
    assert first["notes"][0]["message"]
    assert (second["document"]["name"], second["status"]) == ("材料.txt", "complete")


def test_a_folder_is_walked_and_other_types_are_listed(capfd: pytest.CaptureFixture[str], good: Path) -> None:
    (good.parent / "~$材料.docx").write_bytes(b"lock")
    (good.parent / "照片.jpg").write_bytes(b"\xff\xd8\xff")
    code, out, _ = _run(capfd, "check", str(good.parent), "--edition", "2022-hebei")
    assert code == 1
    assert "照片.jpg" in out
    assert "~$" not in out


def test_a_check_imports_no_learning_library(good: Path, tmp_path: Path) -> None:
    outputs = ["--json", "-", "--html", str(tmp_path / "html"), "--xlsx", str(tmp_path / "a.xlsx"), "--annotate", str(tmp_path / "w")]
    script = (
        "import sys; from service.cli import main; main(sys.argv[1:]); "
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, "check", str(good), "--edition", "2022-hebei", *outputs]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = set(ended.stderr.split())
    assert json.loads(ended.stdout)["models"], "the models were not asked"
    assert imported >= {"numpy", "tokenizers"}
    assert not imported & {"torch", "sentence_transformers", "transformers", "sklearn", "scipy", "jieba", "pandas"}


def test_a_path_that_is_not_there(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = _run(capfd, "check", str(tmp_path / "无.docx"), "--edition", "2022-hebei")
    assert code == 2
    assert "无.docx" in err


def test_a_wrong_call_is_explained(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = _run(capfd, "check")
    assert code == 2
    assert "命令写法不对" in err


def test_outputs_of_two_files_of_one_name_are_distinct(capfd: pytest.CaptureFixture[str], good: Path, tmp_path: Path) -> None:
    other = tmp_path / "二" / good.name
    other.parent.mkdir()
    other.write_text(GOOD.replace("江屿", "河湾"), "utf-8")
    out = tmp_path / "out"
    _run(capfd, "check", str(good), str(other), "--edition", "2022-hebei", "--html", str(out), "--json", str(out / "all.jsonl"))
    pages = sorted(path.name for path in out.glob("*.html"))
    assert len(pages) == 2
    assert len((out / "all.jsonl").read_text("utf-8").splitlines()) == 2


def test_an_output_never_overwrites_an_input(capfd: pytest.CaptureFixture[str], good: Path) -> None:
    before = good.read_bytes()
    for option in ("--json", "--xlsx"):
        code, _, err = _run(capfd, "check", str(good), "--edition", "2022-hebei", option, str(good))
        assert code == 2
        assert "覆盖" in err
    assert good.read_bytes() == before


def test_no_annotation_for_other_formats_is_said(capfd: pytest.CaptureFixture[str], good: Path, tmp_path: Path) -> None:
    _, out, _ = _run(capfd, "check", str(good), "--edition", "2022-hebei", "--json", "-", "--annotate", str(tmp_path / "批注"))
    assert "annotate_docx_only" in [note["code"] for note in _objects(out)[0]["notes"]]


def test_read_shows_blocks_before_any_judging(capfd: pytest.CaptureFixture[str], good: Path) -> None:
    code, out, _ = _run(capfd, "read", str(good), "--json", "-")
    (read,) = _objects(out)
    assert code == 0
    assert [read["text"][block["start"] : block["end"]] for block in read["blocks"]] == GOOD.splitlines()
    assert "outcomes" not in read


def test_editions_and_one_of_them(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capfd, "editions")
    assert code == 0
    assert "2024-caq" in out
    code, out, _ = _run(capfd, "editions", "2014-miit")
    assert code == 0
    assert "企业概况" in out


def test_a_wrong_setting_is_explained(capfd: pytest.CaptureFixture[str], good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIAOGAN_OCR", "maybe")
    code, _, err = _run(capfd, "check", str(good), "--edition", "2022-hebei")
    assert code == 2
    assert "BIAOGAN_OCR" in err


def test_personal_data_is_masked_with_the_same_length(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "电话.txt"
    path.write_text(GOOD + "联系人电话13900001111，请与他联系。\n", "utf-8")
    _, out, _ = _run(capfd, "check", str(path), "--edition", "2022-hebei", "--json", "-")
    (report,) = _objects(out)
    assert "13900001111" not in out
    assert len(report["text"]) == len(path.read_text("utf-8").rstrip("\n"))


def test_outputs_are_named_after_the_folders_of_their_inputs(capfd: pytest.CaptureFixture[str], good: Path, tmp_path: Path) -> None:
    for folder in ("甲公司", "乙公司"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / good.name).write_text(GOOD, "utf-8")
    (tmp_path / "甲公司" / "材料.md").write_text(GOOD, "utf-8")
    out = tmp_path / "out"
    _run(capfd, "check", str(tmp_path / "甲公司"), str(tmp_path / "乙公司"), "--edition", "2022-hebei", "--html", str(out))
    pages = {path.name for path in out.glob("*.html")}
    assert pages == {"甲公司_材料.html", "甲公司_材料（txt）.html", "乙公司_材料.html"}


def test_a_very_long_name_costs_nothing(capfd: pytest.CaptureFixture[str], good: Path, tmp_path: Path) -> None:
    long = good.rename(good.with_name("质" * 83 + ".txt"))
    code, _, err = _run(capfd, "check", str(long), "--edition", "2022-hebei", "--html", str(tmp_path / "out"))
    assert (code, err) == (1, "")
    (page,) = (tmp_path / "out").iterdir()
    assert page.name.endswith("质.html")


@pytest.mark.parametrize("option", ["--html", "--annotate", "--json", "--xlsx"])
@pytest.mark.parametrize("name", ["名" * 100, "文件/内"])
def test_where_nothing_can_be_written_is_said_before_anything_is_read(
    capfd: pytest.CaptureFixture[str], good: Path, tmp_path: Path, option: str, name: str
) -> None:
    (tmp_path / "文件").write_bytes(b"x")
    code, out, err = _run(capfd, "check", str(good), "--edition", "2022-hebei", option, str(tmp_path / name))
    assert (code, out) == (2, "")
    assert "名字太长" in err or "不是文件夹" in err


def test_what_cannot_be_written_does_not_cost_the_rest(capfd: pytest.CaptureFixture[str], good: Path, tmp_path: Path) -> None:
    other = good.with_name("另一份.txt")
    other.write_text(GOOD, "utf-8")
    (tmp_path / "out" / "材料.html").mkdir(parents=True)
    code, out, err = _run(capfd, "check", str(good), str(other), "--edition", "2022-hebei", "--html", str(tmp_path / "out"))
    assert code == 2
    assert "写不了" in err
    assert "材料.html" in err
    assert "共 2 个文件" in out
    assert (tmp_path / "out" / "另一份.html").stat().st_size > 0


def test_what_was_read_before_an_interruption_is_reported(
    capfd: pytest.CaptureFixture[str], good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good.with_name("另一份.txt").write_text(GOOD, "utf-8")
    analyse = pipeline.analyse

    def first_only(reading: Reading, edition: Edition, *, models: Models, library: Any) -> Report:
        if reading.name == good.name:
            raise KeyboardInterrupt
        return analyse(reading, edition, models=models, library=library)

    monkeypatch.setattr(pipeline, "analyse", first_only)
    code, out, err = _run(capfd, "check", str(tmp_path), "--edition", "2022-hebei", "--xlsx", str(tmp_path / "表" / "表.xlsx"))
    assert code == 130
    assert "实施扭矩管控的经验" in out
    assert "2 个文件中审读了 1 个" in err
    assert (tmp_path / "表" / "表.xlsx").stat().st_size > 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("check",), "还缺少 PATH"),
        (("check", "甲.docx", "--jobs", "许多"), "--jobs 须为正整数"),
        (("check", "甲.docx", "--edition"), "--edition 后面要写一个值"),
        (("check", "甲.docx", "--colour"), "不认识 --colour"),
        (("chekc",), "没有命令“chekc”"),
    ],
)
def test_a_wrong_call_is_explained_in_chinese(capfd: pytest.CaptureFixture[str], call: tuple[str, ...], said: str) -> None:
    code, _, err = _run(capfd, *call)
    assert code == 2
    assert said in err


def test_help_is_in_chinese(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capfd, "check", "--help")
    assert code == 0
    assert out.startswith("用法：biaogan check")
    assert not {"usage", "positional", "options", "show"} & set(out.replace(":", " ").split())


def test_annotated_copies_of_an_earlier_call_are_not_judged(capfd: pytest.CaptureFixture[str], good: Path, tmp_path: Path) -> None:
    document = docx.Document()
    for line in GOOD.splitlines():
        document.add_paragraph(line)
    document.save(str(tmp_path / "材料.docx"))
    good.unlink()
    for _ in range(2):
        code, out, _ = _run(capfd, "check", str(tmp_path), "--edition", "2022-hebei", "--annotate", str(tmp_path))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["材料-批注.docx", "材料.docx"]
    assert code == 1
    assert "材料-批注.docx：以前写出的批注副本，不审读" in out
    _run(capfd, "check", str(tmp_path / "材料-批注.docx"), "--edition", "2022-hebei", "--annotate", str(tmp_path))
    assert (tmp_path / "材料-批注-批注.docx").exists()
