"""Documentation is tested: nothing that a user meets is undocumented, the generated pages are fresh, both READMEs are in step."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from service import checks, cli
from service.model import Report
from service.render.json import read_json, report_json
from service.rulebook import editions

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ENGLISH = (ROOT / "README.md").read_text("utf8")
CHINESE = (ROOT / "README.zh-CN.md").read_text("utf8")
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _generator()


def page(name: str) -> str:
    return (DOCS / name).read_text("utf8")


@pytest.mark.parametrize("name", sorted(GENERATOR.PAGES))
def test_a_generated_page_is_fresh(name: str) -> None:
    assert page(name) == GENERATOR.PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("name", checks.names())
def test_a_check_is_documented(name: str) -> None:
    section = page("checks.md").partition(f"\n## {name} ")[2].partition("\n## ")[0]
    assert "反例：" in section
    assert "正例：" in section


@pytest.mark.parametrize("command", ["check", "read", "editions", "train", "backup", "restore", "doctor"])
def test_a_command_and_its_options_are_documented(command: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "service.cli", command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    section = page("cli.md").partition(f"\n## biaogan {command}")[2].partition("\n## ")[0]
    options = set(re.findall(r"(?<![\w-])--[a-z]+", shown))
    assert options
    assert {option for option in options if f"{option}" not in section} == set()


def test_the_list_of_commands_is_whole() -> None:
    assert set(re.findall(r"^## biaogan ([a-z]+)", page("cli.md"), re.MULTILINE)) == {
        name.split()[1] for name, _ in GENERATOR._commands() if " " in name
    }
    assert cli.main.__module__ == "service.cli"


def test_every_setting_is_documented() -> None:
    used = {name for path in (ROOT / "service").rglob("*.py") for name in re.findall(r"BIAOGAN_[A-Z_]+", path.read_text("utf8"))} - {
        "BIAOGAN_"
    }
    assert used
    assert {name for name in used if f"`{name}`" not in page("settings.md")} == set()


def test_every_code_is_documented() -> None:
    """By a plain search, so that a code the generator does not see is missed here."""
    literal = re.compile(r"\b(?:ServiceError|Unreadable|Refused|Note)\(\s*\"(\w+)\"")
    used = {code for path in (ROOT / "service").rglob("*.py") for code in literal.findall(path.read_text("utf8"))}
    assert len(used) > 20
    assert {code for code in used if f"`{code}`" not in page("errors.md")} == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('Note("plain", "一句。")', [("plain", "说明", "一句。")]),
        ('_X = "第{n}页"\nUnreadable("filled", _X.format(n=1))', [("filled", "文件不能用", "第…页")]),
        ('def f(*, code="usual"):\n    raise ServiceError(code, "x")\nf(code="other" if y else "third")', ["usual", "other", "third"]),
        (
            '_T = {"a": ("row", "表中")}\ndef f():\n    code, message = _T["a"]\n    return Unreadable(code, message)',
            [("row", "文件不能用", "表中")],
        ),
        ('def f():\n    told = f"一{x}"\n    raise ServiceError("local", told)', [("local", "错误", "一…")]),
        ('_N = {"code": "as_dict", "message": "字典。"}', [("as_dict", "说明", "字典。")]),
    ],
)
def test_codes_are_found_however_they_are_written(source: str, found: list[Any]) -> None:
    got = list(GENERATOR.codes(GENERATOR.ast.parse(source)))
    assert got == found or [code for code, _, _ in got] == found


def test_the_json_is_documented() -> None:
    failed = Report("a.docx", "0" * 64, "docx", "2022-hebei", "0" * 64, "failed")
    keys = {*report_json(failed), *report_json(failed)["document"], *read_json(failed)}
    assert {key for key in keys if f"`{key}`" not in page("report.md")} == set()


# --- the two READMEs ---------------------------------------------------------------------------------------------------------------


def headings(text: str) -> list[int]:
    """Levels of the headings in order, code left out."""
    return [len(mark) for mark in re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE)]


def test_both_readmes_have_the_same_sections() -> None:
    assert headings(ENGLISH) == headings(CHINESE)
    assert len(headings(ENGLISH)) > 5


def test_both_readmes_show_the_same_commands() -> None:
    def without_comments(text: str) -> list[str]:
        return [re.sub(r"\s*#[^\n]*", "", block) for block in FENCE.findall(text)]

    assert without_comments(ENGLISH) == without_comments(CHINESE)
    assert without_comments(ENGLISH)


def test_both_readmes_have_the_same_tables() -> None:
    """Row by row the same codes and links."""
    for pattern in (r"`[^`\n]+`", r"\]\((?!README)([^)]+)\)"):
        rows = [[sorted(re.findall(pattern, row)) for row in re.findall(r"^\|.*\|$", text, re.MULTILINE)] for text in (ENGLISH, CHINESE)]
        assert rows[0] == rows[1]


def test_the_glossaries_agree() -> None:
    def pairs(text: str) -> set[tuple[str, str]]:
        block = text.partition("<!-- glossary -->")[2].partition("<!-- /glossary -->")[0]
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.*\|$", block, re.MULTILINE)[2:]]
        return {tuple(sorted(row[:2])) for row in rows}  # type: ignore[misc]

    assert pairs(ENGLISH) == pairs(CHINESE)
    assert len(pairs(ENGLISH)) > 10


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_the_readmes_name_every_edition(text: str) -> None:
    assert {edition.id for edition in editions() if edition.id not in text} == set()


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text("utf8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_the_make_targets_of_the_readmes_exist(text: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE))
    assert {name for name in re.findall(r"\bmake ([a-z]+)\b", text) if name not in targets} == set()
