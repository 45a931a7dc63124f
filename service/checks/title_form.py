"""Whether the name of the experience is formed as the notice asks: an opening, an ending, and (2014, 2016) the organisation in it.

An organisation's name before the opening is let pass, so is a subtitle after a dash. The organisation counts as named by its full name, by
a name that ends like an organisation's (公司, 集团, 研究所 …), or where the title begins with characters of its name (a short name).

反例：“星河机械质量提升之路”；2014年“星河机械有限公司”（只有企业名称）、“实施六西格玛设计的实践经验”（没有企业名称）。
正例：“实施六西格玛设计的经验”；2014年“星河机械有限公司实施六西格玛设计的实践经验”。
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from service.model import NotChecked, Submission, Violation

VALUES = frozenset({"title", "problem"})

_MARKS = "“”‘’\"'《》「」『』〈〉【】 \t\u3000。．.，,：:"
_SUBTITLE = re.compile(r"\s*(?:——|--|──|―+|—)\s*")
_SHORT_NAME = 2
_BARE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    endings: tuple[str, ...]
    openings: tuple[str, ...] = ()  # none: any
    organisation: bool = False  # the organisation must be named
    suffixes: tuple[str, ...]  # how an organisation's name ends
    verbs: tuple[str, ...] = ()  # beginnings that no organisation's name has
    filler: tuple[str, ...] = ()  # words that tell nothing of the experience


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    title = submission.title
    if title is None:
        return NotChecked("没有找到经验名称，无法判断命名方式。")
    full = title.text.strip(_MARKS)
    main = _SUBTITLE.split(full)[0].strip(_MARKS)
    problems = []
    if params.organisation:
        problems += _organisation(full, submission.organisation, params)
    if params.openings and not any(_opens(text, submission.organisation, params) for text in (full, main)):
        problems.append(f"没有以{_either(params.openings)}开头")
    if not any(text.endswith(params.endings) for text in (full, main)):
        problems.append(f"没有以{_either(params.endings)}结尾")
    if not problems:
        return ()
    return (Violation(title.start, title.end, {"title": title.text, "problem": "，".join(problems)}),)


def _either(words: Iterable[str]) -> str:
    return "或".join(f"“{word}”" for word in words)


def _opens(text: str, organisation: str | None, params: Params) -> bool:
    rest = text.removeprefix(organisation or "").lstrip("的" + _MARKS)
    if rest.startswith(params.openings):
        return True
    suffixes, openings = (("|".join(map(re.escape, words))) for words in (params.suffixes, params.openings))
    return re.match(rf".{{2,30}}?(?:{suffixes})[{_MARKS}]*(?:{openings})", text) is not None


def _organisation(text: str, organisation: str | None, params: Params) -> list[str]:
    named = _named(text, organisation, params)
    if not named:
        return ["没有写明企业名称"]
    rest = text.removeprefix(named)
    for word in (*params.filler, *params.endings):
        rest = rest.replace(word, "")
    return ["只有企业名称，没有写出典型经验的特征"] if len(rest.strip("的" + _MARKS)) < _BARE else []


def _named(text: str, organisation: str | None, params: Params) -> str:
    """The organisation's name as far as the title begins with it; "" where it is not named."""
    if organisation and organisation in text:
        return organisation if text.startswith(organisation) else text[:_SHORT_NAME]
    if text.startswith(params.verbs):
        return ""
    suffixes = "|".join(map(re.escape, params.suffixes))
    if match := re.match(rf".{{2,30}}?(?:{suffixes})(?:(?:股份|控股)?(?:集团|有限|责任)*公司)?", text):
        return match[0]
    if organisation and text[:_SHORT_NAME] in organisation:
        return text[:_SHORT_NAME]
    return ""
