"""The structured logs: a JSON object a line, and never what an error stumbled over."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from service.errors import ServiceError
from service.logs import trace

SAID = """
import logging
from service import logs
from service.errors import ServiceError
logs.begin()
log = logging.getLogger("service.test")
log.info("analysed %s", 5, extra={"analysis": 5, "report": object()})
try:
    raise ValueError("某公司的内部材料")
except ValueError as error:
    try:
        raise ServiceError("file_missing", "某公司的文件.docx") from error
    except ServiceError:
        log.exception("not analysed")
logging.getLogger("procrastinate.worker").info("nothing of use")
raise KeyError("某公司的内部材料")
"""


@pytest.fixture(name="lines", scope="module")
def _lines() -> list[dict[str, object]]:
    said = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=False, timeout=60)
    assert said.returncode == 1
    return [json.loads(line) for line in said.stderr.splitlines()]


def test_a_line_is_an_object_with_what_is_known(lines: list[dict[str, object]]) -> None:
    first = lines[0]
    assert (first["level"], first["logger"], first["message"], first["analysis"]) == ("info", "service.test", "analysed 5", 5)
    assert "report" not in first


def test_of_an_error_kind_and_place_are_told_alone(lines: list[dict[str, object]]) -> None:
    _, told, last = lines
    assert (told["error"], told["code"]) == ("ServiceError", "file_missing")
    assert told["cause"] == {"error": "ValueError", "trace": ["<string>:9 <module>"]}
    assert (last["level"], last["error"]) == ("critical", "KeyError")
    assert "某公司" not in json.dumps(lines, ensure_ascii=False)


def test_a_place_in_the_program_is_named_from_its_root() -> None:
    try:
        ServiceError()  # type: ignore[call-arg]
    except TypeError as error:
        assert str(trace(error)["trace"]).startswith("['tests/test_logs.py:")
