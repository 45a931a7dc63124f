"""What lists call things: editions, focus areas and rules by their ids, in the words of the rulebooks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from service import rulebook
from service.render.wording import words_for


@cache
def editions() -> Mapping[str, str]:
    return {edition.id: edition.name for edition in rulebook.editions()}


@cache
def areas() -> Mapping[tuple[str, str], str]:
    """(edition, area) -> its official wording, shortened."""
    return {(id_, area.id): area.name for id_ in editions() for area in rulebook.load(id_).areas}


@cache
def rules() -> Mapping[str, str]:
    """Rule -> 图题（附件2 二、5）."""
    return {rule.id: _told(rule.check, rule.clause, rule.basis) for id_ in editions() for rule in rulebook.load(id_).rules}


def area(edition: str, id_: str | None) -> str:
    """The id itself where the rulebook has it no more; "" of none."""
    return "" if id_ is None else areas().get((edition, id_), id_)


def rule(id_: str) -> str:
    return rules().get(id_, id_)


def _told(check: str, clause: str | None, basis: str) -> str:
    return f"{words_for('checks', check)}（{words_for('bases', basis) if basis == 'ours' or not clause else clause}）"
