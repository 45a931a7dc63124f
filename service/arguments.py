"""argparse in Chinese: what a call looks like and what is wrong with one."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from typing import Any

# argparse has no Chinese of its own; what it says that is not among these is shown as it is.
_SAYINGS = (
    (r"the following arguments are required: (.*)", r"还缺少 \1"),
    (r"unrecognized arguments: (.*)", r"不认识 \1"),
    (r"argument (.*): expected one argument", r"\1 后面要写一个值"),
    (r"argument (.*): invalid choice: '(.*)' \(choose from (.*)\)", r"没有\1“\2”，可选 \3"),
    (r"argument (.*?): (.*)", r"\1 \2"),
)
_HEADINGS = {"positional arguments": "参数", "options": "选项"}


class _Help(argparse.HelpFormatter):
    """The headings of a help text in Chinese."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, "用法：" if prefix is None else prefix)

    def start_section(self, heading: str | None) -> None:
        super().start_section(_HEADINGS.get(heading or "", heading))


class Parser(argparse.ArgumentParser):
    """Says in Chinese how to call it and what is wrong with a call, with exit code 2."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_Help, **options)

    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        self.exit(2, f"命令写法不对：{_in_chinese(message)}。运行 {self.prog} --help 查看用法。\n")


def _in_chinese(message: str) -> str:
    for pattern, said in _SAYINGS:
        if re.fullmatch(pattern, message, re.DOTALL):
            return re.sub(pattern, said, message, count=1, flags=re.DOTALL)
    return message
