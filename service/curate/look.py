"""biaogan library list, show, search and export."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from service.curate.terminal import Setting, asked, indexer, opened, say, word, write, write_json

if TYPE_CHECKING:
    from service.library.benchmark import Benchmark
    from service.library.read import Hit, Wanted

_EMPTY = "标杆库里还没有内容。请先运行 biaogan library import 文件夹。"
_DONE, _FAILED = 0, 2


def _wanted(options: argparse.Namespace) -> Wanted:
    from service.library import benchmark  # noqa: PLC0415
    from service.library.describing import area_id, meaning  # noqa: PLC0415
    from service.library.read import Wanted  # noqa: PLC0415

    return Wanted(
        year=None if options.year is None else benchmark.year(options.year),
        level=None if options.level is None else meaning("levels", options.level),
        organisation=options.organisation,
        area=None if options.area is None else area_id(options.area),
        status=None if options.status is None else meaning("states", options.status),
    )


def list_(options: argparse.Namespace, setting: Setting) -> int:
    from service.library.read import listed  # noqa: PLC0415

    wanted = _wanted(options)
    with opened(setting, begin=False) as engine:
        found = [] if engine is None else asked(engine, lambda connection: listed(connection, wanted))
    if options.json is not None:
        write_json(options.json, [each.row() for each in found])
    elif not found:
        say(_EMPTY if wanted == type(wanted)() else "没有符合条件的标杆。")
    else:
        _table(found)
        say(f"共 {len(found)} 条，其中只有标题的 {sum(each.words is None for each in found)} 条。")
    return _DONE


def show(options: argparse.Namespace, setting: Setting) -> int:
    from service.library.read import shown, unknown  # noqa: PLC0415

    with opened(setting, begin=False) as engine:
        if engine is None:
            raise unknown(options.id)
        found, whole = asked(engine, lambda connection: shown(connection, options.id))
    if options.json is not None:
        write_json(options.json, [{**found.row(), "text": whole}])
        return _DONE
    from service.library.exporting import HEADS, cell  # noqa: PLC0415

    for name, value in found.row().items():
        shown_value = cell(name, value)
        if shown_value != "":
            say(f"{HEADS[name]}：{shown_value}")
    say("")
    say(whole if whole is not None else "（只有标题，没有正文）")
    return _DONE


def search(options: argparse.Namespace, setting: Setting) -> int:
    from service.library.read import Part, search  # noqa: PLC0415

    said, wanted = " ".join(options.words), _wanted(options)
    found: list[Hit] = []
    several = 0
    with opened(setting, begin=False) as engine:
        if engine is not None:
            words = indexer(setting)
            parts = [Part(part, tuple(words.query_words(part))) for part in dict.fromkeys(said.split())]
            found, several = asked(engine, lambda connection: search(connection, parts, wanted, most=options.limit))
    if options.json is not None:
        write_json(options.json, [{**hit.benchmark.row(), "score": round(hit.score, 4), "snippets": list(hit.snippets)} for hit in found])
        return _DONE
    for hit in found:
        entry = hit.benchmark.entry
        say(f"{hit.benchmark.id}  {entry.title}  {entry.organisation}" + ("  已撤销" if entry.status == "revoked" else ""))
        for snippet, places in zip(hit.snippets, hit.places, strict=True):
            say(f"    …{_marked(snippet, places)}…")
    if several > len(found):
        say(f"共找到 {several} 条，以上是最相关的 {len(found)} 条。要看更多请加 --limit {several}。")
        return _DONE
    say(f"找到 {several} 条。" if found else f"标杆库里没有同时含有“{said}”这些词的标杆。")
    return _DONE


def _marked(snippet: str, places: Sequence[tuple[int, int]]) -> str:
    """The words found stand out on a terminal."""
    if not sys.stdout.isatty():
        return snippet
    parts, at = [], 0
    for start, end in places:
        if start >= at:
            parts += [snippet[at:start], "\033[1m", snippet[start:end], "\033[0m"]
            at = end
    return "".join([*parts, snippet[at:]])


def export(options: argparse.Namespace, setting: Setting) -> int:
    from service.library.exporting import exported, suffix_of  # noqa: PLC0415
    from service.library.read import listed  # noqa: PLC0415

    path, wanted = Path(options.file), _wanted(options)
    suffix = suffix_of(path)
    with opened(setting, begin=False) as engine:
        found = [] if engine is None else asked(engine, lambda connection: listed(connection, wanted))
    write(path, exported(found, suffix))
    say(f"已导出 {len(found)} 条到 {path}。")
    return _DONE


def _table(found: Sequence[Benchmark]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("编号", "级别", "单位", "标题", "字数", "状态"):
        table.add_column(
            name, no_wrap=name in {"编号", "级别", "字数", "状态"}, justify="right" if name == "字数" else "left", overflow="fold"
        )
    for each in found:
        entry = each.entry
        cells = (each.id, word(entry.level), entry.organisation, entry.title, str(each.words or "只有标题"), word(entry.status))
        table.add_row(*(Text(cell) for cell in cells))  # as text: a title with brackets is no markup
    width = None if sys.stdout.isatty() else 200
    Console(file=sys.stdout, width=width).print(table)
