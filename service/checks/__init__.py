"""The checks: one module a check, each with VALUES, Params and check(). `run` is the only caller of them.

A check is a mechanism. What it is asked (Params), how grave it is and what the reader is told are a rulebook's row. The module's name is
the check's name; a module is imported when a rule first needs it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from service.model import Finding, NotChecked, Outcome, Rule, Submission, Violation

_NO_WRITEUP = "文件中没有找到典型经验材料正文（只有申报表、证实性材料或其他内容），无法判断。"


class Check(Protocol):
    """What every module of this folder holds. `check` gets an instance of the module's `Params`."""

    VALUES: frozenset[str]  # placeholders that a rule's message may use; every violation gives a value for each
    Params: type

    def check(self, submission: Submission, params: object) -> tuple[Violation, ...] | NotChecked: ...


@cache
def names() -> tuple[str, ...]:
    """All checks, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def module(name: str) -> Check:
    """The check of this name; ModuleNotFoundError where there is none."""
    return cast("Check", import_module(f"{__name__}.{name}"))


def run(submission: Submission, rules: Iterable[Rule]) -> tuple[Outcome, ...]:
    """One outcome a rule, in the rulebook's order."""
    return tuple(_judge(submission, rule) for rule in rules)


def _judge(submission: Submission, rule: Rule) -> Outcome:
    if rule.unavailable is not None:
        return _not_checked(rule, rule.unavailable)
    if not submission.is_writeup:
        return _not_checked(rule, _NO_WRITEUP)
    result = module(rule.check).check(submission, rule.params)
    if isinstance(result, NotChecked):
        return _not_checked(rule, result.reason)
    findings = tuple(_finding(rule, violation) for violation in sorted(result, key=lambda violation: (violation.start, violation.end)))
    return Outcome(rule.id, rule.check, rule.basis, rule.clause, "fail" if findings else "pass", rule.severity, findings=findings)


def _not_checked(rule: Rule, reason: str) -> Outcome:
    return Outcome(rule.id, rule.check, rule.basis, rule.clause, "not_checked", rule.severity, reason=reason)


def _finding(rule: Rule, violation: Violation) -> Finding:
    values = violation.values
    return Finding(
        rule.message.format_map(values), violation.start, violation.end, measured=values.get("measured"), allowed=values.get("allowed")
    )
