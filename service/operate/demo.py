"""biaogan demo: an empty database filled with constructed accounts and submissions, to look at the service with; prints sign-in links."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from service import settings

if TYPE_CHECKING:
    from service.arguments import Parser

_MOST = 70


def add_command(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser("demo", help="在空的数据库里放入虚构的演示账号和材料，并给出登录链接", add_help=False)
    parser.add_argument("-h", "--help", action="help", help="显示用法")
    parser.add_argument("--most", type=_most, default=40, metavar="N", help=f"放入几份申报材料，默认 40，最多 {_MOST}")


def _most(value: str) -> int:
    if not (value.isdecimal() and 4 <= int(value) <= _MOST):
        raise argparse.ArgumentTypeError(f"须为 4 到 {_MOST} 的整数")
    return int(value)


def run(options: argparse.Namespace) -> int:
    """0; the links are printed and kept nowhere. Where the demonstration is there already, new links alone are made."""
    from service.database.engine import closing, connect  # noqa: PLC0415 - SQLAlchemy only where it is needed
    from service.database.files import open_store  # noqa: PLC0415
    from service.database.place import Place  # noqa: PLC0415
    from service.database.queue import prepare  # noqa: PLC0415
    from service.operate import demonstration  # noqa: PLC0415
    from service.programme.analyses import current  # noqa: PLC0415

    wanted, web = settings.read(), settings.read_web()
    place = Place(wanted.data, wanted.database, wanted.files)
    with closing(connect(place)) as engine:
        prepare(engine)
        with engine.begin() as connection:
            filled = demonstration.fill(connection, open_store(place), current(wanted.models, wanted.embedding), most=options.most)
            links = demonstration.links_of(connection)
    if filled:
        _say(f"已放入 {filled} 份虚构的申报材料（单位名称都带“（构造）”）。启动服务后，后台会在一两分钟内审读完。")
    _say("演示账号的登录链接（24 小时内有效，不要放进正式使用的数据库）：")
    for shown, token in links:
        _say(f"  {shown}  {web.url}/demo/{token}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
