"""biaogan user …: accounts from the terminal of the machine that holds the data. Whoever may run it there needs no sign-in."""

from __future__ import annotations

import argparse
import unicodedata
from typing import TYPE_CHECKING, get_args

from service import settings
from service.programme.viewer import Role

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.arguments import Parser

_ROLES = get_args(Role)
_WORDS = {"admin": "管理员", "office": "办公室", "reviewer": "评审专家", "applicant": "申报单位", "unit": "推荐单位"}
_STATES = {"active": "有效", "invited": "未启用", "disabled": "已停用"}
_ALL = 1_000_000
_WHO = ("link", "发一个设置密码的一次性链接"), ("disable", "停用账号，已登录的立即退出"), ("enable", "恢复账号")


def add_command(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser("user", help="管理账号：建立、查看、发链接、改角色、停用和恢复", add_help=False)
    parser.add_argument("-h", "--help", action="help", help="显示用法")
    below = parser.add_subparsers(dest="action", metavar="操作", required=True, parser_class=type(parser))
    add = _below(below, "add", "建立账号，并给出设置密码的一次性链接", name="登录名，2 到 64 个字")
    add.add_argument("--role", required=True, choices=_ROLES, help=f"角色：{_told_roles()}")
    add.add_argument("--shown", metavar="NAME", default="", help="姓名；不写就用登录名")
    add.add_argument("--organisation", metavar="NAME", help="单位全称")
    add.add_argument("--unit", metavar="NAME", help="推荐单位的名称，角色为 unit 时必写；没有这个单位就先建立它")
    add.add_argument("--email", metavar="ADDRESS", help="电子邮箱；用统一身份认证登录时按它找到账号")
    shown = below.add_parser("list", help="列出账号", add_help=False)
    shown.add_argument("-h", "--help", action="help", help="显示用法")
    shown.add_argument("--role", choices=_ROLES, help="只列这个角色的")
    role = _below(below, "role", "改账号的角色，已登录的立即退出", name="登录名")
    role.add_argument("role", choices=_ROLES, help=f"角色：{_told_roles()}")
    role.add_argument("--unit", metavar="NAME", help="推荐单位的名称，角色为 unit 时必写；没有这个单位就先建立它")
    for action, told in _WHO:
        _below(below, action, told, name="登录名")


def _below(commands: argparse._SubParsersAction[Parser], action: str, told: str, *, name: str) -> Parser:
    parser = commands.add_parser(action, help=told, add_help=False)
    parser.add_argument("-h", "--help", action="help", help="显示用法")
    parser.add_argument("name", metavar="NAME", help=name)
    return parser


def _told_roles() -> str:
    return "、".join(f"{role} {_WORDS[role]}" for role in _ROLES)


def run(options: argparse.Namespace) -> int:
    """0; ServiceError where it cannot be done."""
    from service.database.engine import closing, connect  # noqa: PLC0415 - SQLAlchemy only where it is needed
    from service.database.place import Place  # noqa: PLC0415

    wanted, web = settings.read(), settings.read_web()
    with closing(connect(Place(wanted.data, wanted.database, wanted.files))) as engine, engine.begin() as connection:
        lines = _done(options, connection, web.url)
    for line in lines:
        print(line)  # noqa: T201
    return 0


def _done(options: argparse.Namespace, connection: Connection, url: str) -> list[str]:
    """Does it; the lines to print once it is committed."""
    from service.programme import accounts, links  # noqa: PLC0415
    from service.programme.viewer import SYSTEM  # noqa: PLC0415

    if options.action == "list":
        return _listed(connection, options.role or "")
    if options.action == "add":
        unit = _unit(connection, options.unit)
        wanted = accounts.Wanted(options.name, options.role, options.shown, options.organisation, unit=unit, email=options.email)
        id_ = accounts.add(connection, SYSTEM, wanted)
        return [f"已建立账号 {accounts.folded(options.name)}（{_WORDS[options.role]}）。", *_link(links.make(connection, SYSTEM, id_), url)]
    account = accounts.by_name(connection, SYSTEM, options.name)
    match options.action:
        case "link":
            return _link(links.make(connection, SYSTEM, account.id), url)
        case "role":
            unit = _unit(connection, options.unit) or account.unit
            kept = (account.shown, account.organisation, account.credit_code, unit, account.email)
            accounts.change(connection, SYSTEM, account.id, accounts.Wanted(account.name, options.role, *kept))
            return [f"{account.name} 现在是{_WORDS[options.role]}。"]
        case "disable":
            accounts.disable(connection, SYSTEM, account.id)
            return [f"{account.name} 已停用。"]
        case _:
            accounts.enable(connection, SYSTEM, account.id)
            return [f"{account.name} 已恢复。"]


def _link(token: str, url: str) -> list[str]:
    from service.programme import links  # noqa: PLC0415

    return [f"设置密码的链接（{links.HOURS} 小时内有效，只能用一次，请用可靠的方式交给本人）：", f"  {url}/welcome/{token}"]


def _unit(connection: Connection, name: str | None) -> int | None:
    """The unit of this name, made where there is none."""
    from service.programme import units  # noqa: PLC0415
    from service.programme.viewer import SYSTEM  # noqa: PLC0415

    if not name:
        return None
    found = next((unit.id for unit in units.listed(connection) if unit.name == name.strip()), None)
    return units.add(connection, SYSTEM, name) if found is None else found


def _listed(connection: Connection, role: str) -> list[str]:
    from service.programme import accounts  # noqa: PLC0415
    from service.programme.viewer import SYSTEM  # noqa: PLC0415

    found, _ = accounts.listed(connection, SYSTEM, accounts.Filter(role=role), limit=_ALL)
    if not found:
        return ["还没有账号。建立第一个管理员：biaogan user add 登录名 --role admin"]
    rows = [(one.name, _WORDS[one.role], _STATES[one.state], one.shown, one.unit_name or one.organisation or "") for one in found]
    widths = [max(_width(row[column]) for row in rows) for column in range(4)]
    return ["  ".join([*(_padded(cell, width) for cell, width in zip(row[:4], widths, strict=True)), row[4]]).rstrip() for row in rows]


def _width(text: str) -> int:
    """Columns of a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
