"""Every check's example cases, and that every check has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from documents_made import make_submission

from service import checks, rulebook
from service.model import NotChecked

EXAMPLES = Path(__file__).parent / "examples"


def _cases() -> Iterator[Any]:
    for file in sorted(EXAMPLES.glob("*.yaml")):
        for case in yaml.safe_load(file.read_text("utf8")):
            yield pytest.param(file.stem, case, id=f"{file.stem}-{case['name']}")


CASES = list(_cases())


@pytest.mark.parametrize(("name", "case"), CASES)
def test_example(name: str, case: dict[str, Any]) -> None:
    module = checks.module(name)
    params = rulebook.bind(name, case.get("params", {}))
    submission = make_submission(case)
    result = module.check(submission, params)
    if isinstance(result, NotChecked):
        assert case["verdict"] == "not_checked", result.reason
        assert case.get("reason", "") in result.reason
        return
    shown = [(submission.text[item.start : item.end], dict(item.values)) for item in result]
    assert case["verdict"] == ("fail" if result else "pass"), shown
    for item in result:
        assert set(item.values) == set(module.VALUES)
        assert 0 <= item.start <= item.end <= len(submission.text)
    ordered = sorted(result, key=lambda item: (item.start, item.end))
    if "values" in case:
        assert [{key: item.values[key] for key in wanted} for item, wanted in zip(ordered, case["values"], strict=True)] == case["values"]
    if "spans" in case:
        assert [submission.text[item.start : item.end] for item in ordered] == case["spans"]


@pytest.mark.parametrize("name", checks.names())
def test_every_check_has_examples_of_both_kinds(name: str) -> None:
    verdicts = {case.values[1]["verdict"] for case in CASES if case.values[0] == name}
    assert {"pass", "fail"} <= verdicts, f"tests/examples/{name}.yaml needs a pass and a fail case"


@pytest.mark.parametrize("name", checks.names())
def test_every_check_says_what_it_means(name: str) -> None:
    text = checks.module(name).__doc__ or ""
    assert "反例：" in text
    assert "正例：" in text


def test_every_example_belongs_to_a_check() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.yaml")} <= set(checks.names())
