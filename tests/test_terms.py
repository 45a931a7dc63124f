"""The field's dictionary is sound, and its terms come out whole wherever the text is cut into words."""

from __future__ import annotations

import importlib.util
import os
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import text as text_module
from service.lexicon import load
from service.text import fold, tokens

ROOT = Path(__file__).resolve().parents[1]
TERMS = ROOT / "corpora/terms/terms.tsv"
CUT = """
from pathlib import Path
from service.text import tokens
print("/".join(word for word, _, _ in tokens("推行六西格玛设计", terms=Path({!r}))))
"""


def _build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_terms", ROOT / "corpora/terms/build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = _build()
ROWS = build.read()


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def _words(text: str) -> list[str]:
    return [word for word, _, _ in tokens(text, terms=TERMS)]


# The dictionary


def test_every_term_is_known_in_kind_and_themes_and_stands_once() -> None:
    assert build.faults(ROWS, load("themes")) == []
    assert len(ROWS) >= 900
    assert all(count for count in build.counted(ROWS).values())


def test_the_manifest_is_of_this_file() -> None:
    written = (TERMS.parent / "manifest.toml").read_text("utf-8")
    assert written == build.manifest(ROWS, TERMS.read_bytes(), load("themes"))
    told = tomllib.loads(written)
    assert told["terms"] == len(ROWS)
    assert [file["name"] for file in told["file"]] == ["terms.tsv"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"aliases": "ｆｍｅａ"}, "stands at"),
        ({"themes": "methods,tqm"}, "themes"),
        ({"themes": "quality"}, "themes"),
        ({"kind": "thing"}, "kind"),
        ({"pos": "verb"}, "part of speech"),
        ({"pos": "eng"}, "part of speech"),
        ({"aliases": "甲乙丙||丁戊己"}, "empty"),
        ({"aliases": None}, "columns"),
    ],
)
def test_a_fault_is_told(change: dict[str, str], told: str) -> None:
    row = {"term": "甲乙丙丁", "pos": "n", "kind": "method", "themes": "methods", "aliases": "", **change}
    found = build.faults([*ROWS, row], load("themes"))
    assert len(found) == 1
    assert told in found[0]


# Words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("推行六西格玛设计后", ["推行", "六西格玛设计", "后"]),
        ("一次交检合格率由95.2%提高到99.14%", ["一次交检合格率", "由", "95.2%", "提高", "到", "99.14%"]),
        ("有QC小组12个", ["有", "qc小组", "12", "个"]),
        ("按GB/T 19580—2012", ["按", "gb/t 19580", "—", "2012"]),
        ("按GB/T19580-2012", ["按", "gb/t19580", "-", "2012"]),
        ("按ＧＢ／Ｔ　19580", ["按", "gb/t 19580"]),
        ("运用ＦＭＥＡ和fmea", ["运用", "fmea", "和", "fmea"]),
        ("质量管理工作", ["质量管理", "工作"]),
        ("首台（套）产品", ["首台(套)", "产品"]),
        ("5G+工业互联网平台", ["5g+工业互联网", "平台"]),
        ("一个流程", ["一个", "流程"]),
        ("质量部门", ["质量", "部门"]),
        ("产业链主要企业", ["产业链", "主要", "企业"]),
        ("maintain mobile ICON", ["maintain", " ", "mobile", " ", "icon"]),  # AI, BI are terms, but not inside of words
        ("15S", ["15s"]),
        ("", []),
    ],
)
def test_terms_come_out_whole(text: str, expected: list[str]) -> None:
    assert _words(text) == expected


def test_every_term_and_alias_is_one_word_alone_and_among_others() -> None:
    names = [name for row in ROWS for name in build.names(row)]
    for frame in ("{}", "公司推进{}工作", "通过{}，提高了效率"):
        assert [name for name in names if fold(name) not in _words(frame.format(name))] == []


def test_without_terms_jieba_alone() -> None:
    assert [word for word, _, _ in tokens("推行六西格玛设计")] != _words("推行六西格玛设计")


_MIXED = st.text(alphabet="质量管理六西格玛设计QC小组ＧＢgb/T 　19580.-—（）%\n\t×σ㎡ﬁİ😀", max_size=80)


@given(st.one_of(_MIXED, st.text(max_size=40)))
def test_offsets_rebuild_the_text(text: str) -> None:
    found = list(tokens(text, terms=TERMS))
    assert "".join(text[start:end] for _, start, end in found) == text
    assert all(word == fold(text[start:end]) and start < end for word, start, end in found)
    assert len(fold(text)) == len(text)


def test_a_changed_file_is_read_again_and_a_wrong_one_refused(tmp_path: Path) -> None:
    own = tmp_path / "terms.tsv"
    own.write_text("term\taliases\n甲乙丙丁戊\t\n", "utf-8")
    assert [word for word, _, _ in tokens("甲乙丙丁戊", terms=own)] == ["甲乙丙丁戊"]
    own.write_text("term\taliases\n甲乙丙丁\t丁戊己\n", "utf-8")
    os.utime(own, ns=(1, 1))
    assert next(word for word, _, _ in tokens("甲乙丙丁戊", terms=own)) == "甲乙丙丁"
    own.write_text("term\n甲乙丙丁\n", "utf-8")
    os.utime(own, ns=(2, 2))
    with pytest.raises(ValueError, match="aliases"):
        list(tokens("甲", terms=own))
    with pytest.raises(FileNotFoundError):
        list(tokens("甲", terms=tmp_path / "none.tsv"))


def test_threads_load_it_once() -> None:
    text_module._load.cache_clear()
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(_words, ["推行六西格玛设计"] * 8))
    assert found == [["推行", "六西格玛设计"]] * 8
    assert text_module._load.cache_info().misses == 1


# Where jieba keeps its cache


def _start(folder: Path, code: str = "", **environment: str) -> subprocess.Popen[str]:
    """A fresh interpreter that cuts a text, its byte code compiled anew and warnings as errors; its temporary folder is `folder`/tmp."""
    (folder / "tmp").mkdir(exist_ok=True)
    variables = {
        **os.environ,
        "TMPDIR": str(folder / "tmp"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPYCACHEPREFIX": str(folder / "pyc"),
        "PYTHONIOENCODING": "utf-8",
        **environment,
    }
    command = [sys.executable, "-W", "error", "-c", f"{CUT.format(str(TERMS))}\n{code}"]
    return subprocess.Popen(command, env=variables, cwd=ROOT, text=True, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _said(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out.splitlines()


def test_two_processes_at_once_share_a_private_cache(tmp_path: Path) -> None:
    for process in [_start(tmp_path), _start(tmp_path)]:
        assert _said(process) == ["推行/六西格玛设计"]
    (folder,) = (tmp_path / "cache/biaogan").iterdir()
    assert [file.name for file in folder.iterdir()] == ["jieba.cache"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    look = "import os, tempfile\nfor f in Path(tempfile.gettempdir()).iterdir(): print(f.name[:8], oct(f.stat().st_mode & 0o777))"
    found = _said(_start(tmp_path, look, XDG_CACHE_HOME=str(tmp_path / "file/cache")))
    assert found == ["推行/六西格玛设计", "biaogan- 0o700"]
    assert list((tmp_path / "tmp").iterdir()) == []  # gone with the process


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path: Path) -> None:
    assert _said(_start(tmp_path)) == ["推行/六西格玛设计"]
    (folder,) = (tmp_path / "cache/biaogan").iterdir()
    (folder / "jieba.cache").unlink()
    folder.chmod(0o777)
    assert _said(_start(tmp_path)) == ["推行/六西格玛设计"]
    assert list(folder.iterdir()) == []


def test_importing_the_module_does_not_load_jieba() -> None:
    code = "import sys, service.text; print([n for n in ('jieba', 'platformdirs') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"
