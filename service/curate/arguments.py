"""How biaogan library is called, and who does it."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from service.arguments import Parser
from service.curate import alter, bring, look
from service.curate.terminal import Setting


def add_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    library = commands.add_parser("library", help="往年标杆库：导入、查找、维护", add_help=False)
    _help(library)
    below = library.add_subparsers(dest="action", metavar="操作", required=True, parser_class=Parser)

    add = below.add_parser("add", help="把一份或几份标杆材料加入标杆库", add_help=False)
    _help(add)
    add.add_argument("paths", nargs="+", metavar="FILE", help="标杆材料（Word、PDF、文本）")
    _facts(add)
    _names(add)

    bring = below.add_parser("import", help="导入一个文件夹里的全部标杆材料", add_help=False)
    _help(bring)
    bring.add_argument("folder", metavar="FOLDER", help="文件夹（含其下各级文件夹）")
    bring.add_argument("--manifest", metavar="FILE", help="清单（CSV 或 XLSX）：文件、年度、级别、单位、标题等；没有文件的行只登记标题")
    bring.add_argument("--dry-run", action="store_true", help="只看会导入什么、认出了清单的哪些列，不写入")
    _facts(bring)
    bring.add_argument("--jobs", type=_positive, metavar="N", help="同时读取几个文件，默认与处理器核数相同")

    listing = below.add_parser("list", help="列出标杆库里的内容", add_help=False)
    _help(listing)
    _filters(listing)
    listing.add_argument("--json", metavar="FILE", help="写成 JSON，一行一条；写 - 则输出到标准输出")

    show = below.add_parser("show", help="查看一条标杆和它的正文", add_help=False)
    _help(show)
    show.add_argument("id", metavar="ID", help="编号，例如 2022-0007")
    show.add_argument("--json", metavar="FILE", help="写成 JSON；写 - 则输出到标准输出")

    search = below.add_parser("search", help="在标题、单位和正文里查找", add_help=False)
    _help(search)
    search.add_argument("words", nargs="+", metavar="WORDS", help="要找的词，例如 供应商 分级")
    _filters(search)
    search.add_argument("--limit", type=_positive, default=20, metavar="N", help="最多列出几条，默认 20")
    search.add_argument("--json", metavar="FILE", help="写成 JSON，一行一条；写 - 则输出到标准输出")

    _changes(below)

    export = below.add_parser("export", help="把清单导出为 CSV、XLSX 或 JSONL", add_help=False)
    _help(export)
    export.add_argument("file", metavar="FILE", help="以 .csv、.xlsx 或 .jsonl 结尾")
    _filters(export)

    reindex = below.add_parser("reindex", help="换用别的模型后重建索引", add_help=False)
    _help(reindex)
    reindex.add_argument("--all", action="store_true", help="全部重建，包括没有过时的")

    phrases = below.add_parser("phrases", help="查看和修改常用语：许多标杆共有的说法，比对时不计", add_help=False)
    _help(phrases)
    phrases.add_argument("--add", metavar="TEXT", help="加入一条")
    phrases.add_argument("--remove", metavar="TEXT", help="去掉一条，以后也不再自动加入")
    phrases.add_argument("--learn", action="store_true", help="按现在的标杆库重新归纳（导入后会自动做）")


def _changes(below: argparse._SubParsersAction[Parser]) -> None:
    change = below.add_parser("change", help="更改一条标杆的年度、级别、单位、标题等，编号不变", add_help=False)
    _help(change)
    change.add_argument("id", metavar="ID", help="编号")
    _facts(change)
    _names(change)

    remove = below.add_parser("remove", help="从标杆库删除", add_help=False)
    _help(remove)
    remove.add_argument("ids", nargs="+", metavar="ID", help="编号")

    revoke = below.add_parser("revoke", help="撤销标杆（动态管理）：保留内容，记下原因和日期", add_help=False)
    _help(revoke)
    revoke.add_argument("id", metavar="ID", help="编号")
    revoke.add_argument("--reason", required=True, metavar="TEXT", help="撤销原因")
    revoke.add_argument("--date", metavar="DATE", help="撤销日期，例如 2023-05-01，默认今天，不能是以后")
    revoke.add_argument("--replace", action="store_true", help="已经撤销过时，改写原因和日期")

    reinstate = below.add_parser("reinstate", help="恢复已撤销的标杆，去掉撤销的原因和日期", add_help=False)
    _help(reinstate)
    reinstate.add_argument("id", metavar="ID", help="编号")


def _help(parser: Parser) -> None:
    parser.add_argument("-h", "--help", action="help", help="显示用法")


def _facts(parser: Parser) -> None:
    told = "入选年度" if parser.prog.endswith("change") else "入选年度，默认取自清单、文件名或正文"
    parser.add_argument("--year", metavar="YEAR", help=told)
    parser.add_argument("--level", metavar="LEVEL", help="级别：国家级、省级、市级")
    parser.add_argument("--edition", metavar="ID", help="当年的规则编号，例如 2022-hebei")


def _names(parser: Parser) -> None:
    for flag, metavar, told in (
        ("--organisation", "NAME", "单位名称，默认取自正文"),
        ("--title", "TEXT", "标题，默认取自正文"),
        ("--credit-code", "CODE", "统一社会信用代码"),
        ("--former-name", "NAME", "曾用名，几个之间用“、”隔开"),
        ("--area", "ID", "方向，几个之间用“、”隔开"),
    ):
        parser.add_argument(flag, metavar=metavar, help=told.replace("，默认取自正文", "") if parser.prog.endswith("change") else told)


def _filters(parser: Parser) -> None:
    parser.add_argument("--year", metavar="YEAR", help="只要这一年")
    parser.add_argument("--level", metavar="LEVEL", help="只要这一级别：国家级、省级、市级")
    parser.add_argument("--organisation", metavar="NAME", help="单位名称（或曾用名）里含有这些字")
    parser.add_argument("--area", metavar="ID", help="方向里含有这些字")
    parser.add_argument("--status", metavar="STATUS", help="有效或已撤销")


def _positive(value: str) -> int:
    if not (value.isdecimal() and int(value) > 0):
        raise argparse.ArgumentTypeError("须为正整数")
    return int(value)


def run(options: argparse.Namespace, setting: Setting) -> int:
    """The exit code: 0 done, 2 where something could not be."""
    actions: dict[str, Callable[[argparse.Namespace, Setting], int]] = {
        "add": bring.add,
        "import": bring.bring_in,
        "list": look.list_,
        "show": look.show,
        "search": look.search,
        "remove": alter.remove,
        "change": alter.change,
        "revoke": alter.revoke,
        "reinstate": alter.reinstate,
        "export": look.export,
        "reindex": alter.reindex,
        "phrases": alter.phrases,
    }
    return actions[options.action](options, setting)
