"""Writes docs/checks.md, cli.md, errors.md, settings.md and the codes of the service's help from the code: they say what is true.

python docs/generate.py (or `make docs`). tests/test_docs.py compares the files with what this makes.
"""

from __future__ import annotations

import argparse
import ast
import html
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from functools import cache
from pathlib import Path

from service import checks, cli
from service.model import Rule
from service.rulebook import editions, load

DOCS = Path(__file__).parent
SERVICE = DOCS.parent / "service"
WORDS = tomllib.loads((SERVICE / "lexicon" / "display.toml").read_text("utf8"))
RAISED = {"ServiceError": "错误", "Unreadable": "文件不能用", "Refused": "文件不能用", "Note": "说明"}

# What each variable does; one without a line here stops the generator.
SETTINGS = {
    "BIAOGAN_CONVERT": ("1", "是否用 LibreOffice 读取 .doc、.wps、.rtf：`1` 开，`0` 关。关上时这些文件报 `convert_off`。"),
    "BIAOGAN_OCR": ("1", "是否对扫描页做文字识别：`1` 开，`0` 关。"),
    "BIAOGAN_SOFFICE": ("空", "LibreOffice 程序的路径；不设时在 PATH 中查找 `soffice`。"),
    "BIAOGAN_MODELS": (
        "随程序的 `models/`",
        "模型文件夹，里面有 `embedding/`、`focus/`、`sections/`（`biaogan train` 的产物）。缺文件或校验值不符时报错停止。",
    ),
    "BIAOGAN_EMBEDDING": (
        "随程序的模型",
        "换用本机上另一个 sentence-transformers 模型的文件夹，用于各部分要点；重点方向和章节的判断仍用训练它们时的模型。",
    ),
    "BIAOGAN_DATA_DIR": ("用户数据文件夹", "数据文件夹：内置数据库（`postgres/`）和历年标杆的原文件（`files/`）。第一次存入时建立。"),
    "BIAOGAN_DATABASE_URL": (
        "内置数据库",
        "改用另一个 PostgreSQL（须有 pgvector 0.7 或更新版本）：`postgresql://用户名:密码@主机:端口/库名`。密码不会出现在任何提示里。",
    ),
    "BIAOGAN_URL": ("http://127.0.0.1:8000", "`biaogan serve`：用户在浏览器里输入的地址。以 https 开头时，登录凭据只经加密连接发送。"),
    "BIAOGAN_PLAIN_HTTP": ("空", "设为 `1` 才允许不加密地对局域网开放服务（只宜在隔离的内网试用）。"),
    "BIAOGAN_UPLOAD_MB": ("50", "一个上传文件最大多少 MB。"),
    "BIAOGAN_UPLOADS_AN_HOUR": ("300", "一个用户一小时内最多上传多少个文件。"),
    "BIAOGAN_DRAFT_DAYS": ("90", "草稿多少天没有改动就自动删除。"),
    "BIAOGAN_SESSION_HOURS": ("12", "登录多少小时后须重新登录。"),
    "BIAOGAN_REGISTRATION": ("0", "是否允许申报单位自行注册：`1` 允许，`0` 由管理员建立账号。"),
    "BIAOGAN_PROXY": ("空", "反向代理的地址；只有它转来的 X-Forwarded-For 才算数。"),
    "BIAOGAN_METRICS_TOKEN": ("空", "从其他机器读取 `/metrics` 所需的令牌；不设时只有本机可读。"),
    "BIAOGAN_OIDC_ISSUER": ("空", "统一身份认证（OpenID Connect）的签发地址；不设时只用本系统的账号。"),
    "BIAOGAN_OIDC_CLIENT": ("空", "在统一身份认证处登记的客户端编号。"),
    "BIAOGAN_OIDC_SECRET": ("空", "客户端的密钥；不会出现在任何提示里。"),
    "BIAOGAN_OIDC_NAME": ("统一身份认证", "登录页上这个按钮的名称。"),
    "BIAOGAN_FILES_URL": (
        "数据文件夹下的 `files/`",
        "原文件改存别处：fsspec 的地址，如 `file:///srv/biaogan` 或 `s3://桶/前缀`（对象存储须另装相应的 fsspec 组件）。",
    ),
}

CHECKS_HEAD = """# 检查项

每项检查是 `service/checks/` 中的一个模块，只管怎样查；查不查、限值多少、算错误还是提醒，由各版规则（`service/rulebooks/*.toml`）决定。
依据一栏：**通知**＝通知原文，写明条款；**惯例**＝往年编写说明；**本系统**＝本系统的建议。标“不判断”的，是通知指向了它没有附上的说明。"""
CLI_HEAD = """# 命令行

程序名 `biaogan`。PATH 是文件或文件夹；文件夹逐级查找，Word 的锁文件（`~$…`）和隐藏文件跳过，其他类型列为未审读。
一个文件出错不影响其余文件。"""
CLI_FOOT = """## 退出码

| 码 | 意思 |
|---|---|
| 0 | 都读出来了，没有错误级的问题 |
| 1 | 都读出来了，有错误级的问题 |
| 2 | 有文件读不了、有结果写不出，或命令写错 |
| 130 | 被用户中断 |

## 输出

输出按输入的文件名命名：网页为 `材料.html`，批注副本为 `材料-批注.docx`。几个输入同名时，前面加上能区分它们的文件夹名，
如 `甲公司_材料.html`；同一文件夹里的 `材料.docx` 和 `材料.pdf` 分别得到 `材料.html` 和 `材料（pdf）.html`。过长的名字会截短。
输出从不覆盖输入，上一次的输出会被覆盖；上一次写在批注文件夹里的 `-批注.docx` 不会再被当作材料审读，除非直接写明它。

输出的文件夹写不进去时，审读前就停止；个别文件写不了时，其余照常写出，最后提示并以 2 退出。
按 Ctrl-C 中断后，已经审读完的文件仍然列出并写进汇总表。终端上显示进度（在标准错误），重定向时不显示。
JSON 的内容见 [report.md](report.md)。"""
ERRORS_HEAD = """# 代码与提示

报告 `notes` 里每条说明、读不了的文件和写错的命令，都带一个不变的代码和一句中文提示。`…` 处是当时的数值或名称。

- **错误**：命令或设置写错，不作审读；
- **文件不能用**：只影响这一个文件，报告状态为 `failed`；
- **说明**：文件里的情况或本系统的局限，不影响其余结果。"""
SETTINGS_HEAD = """# 设置

设置都是环境变量，只有命令行读取；没有配置文件。值不对时报 `setting_invalid` 并停止。"""


# --- checks.md ---------------------------------------------------------------------------------------------------------------------


def checks_page() -> str:
    """Every check: what it looks for, its two examples, and which rule of which edition asks for it."""
    rules = [rule for edition in editions() for rule in load(edition.id).rules]
    parts = [CHECKS_HEAD]
    for name in checks.names():
        asked = [rule for rule in rules if rule.check == name]
        parts.append(f"## {name} {WORDS['checks'][name]}")
        parts.append(_docstring(name))
        parts.append(_rules_table(asked) if asked else "目前没有一版规则用到。")
    return "\n\n".join(parts) + "\n"


def _docstring(name: str) -> str:
    text = inspect.getdoc(checks.module(name)) or ""
    return re.sub(r"\n+(?=反例|正例)", "\n\n", text)


def _rules_table(asked: list[Rule]) -> str:
    rows = []
    for rule in asked:
        parameters = "不判断" if rule.params is None else "，".join(f"{key}={_plain(value)}" for key, value in _fields(rule.params)) or "—"
        basis = WORDS["bases"][rule.basis]
        rows.append(f"| {rule.id} | {basis} | {rule.clause or '—'} | {WORDS['severities'][rule.severity]} | {parameters} |")
    return table("规则", "依据", "条款", "程度", "参数", rows=rows)


def _fields(params: object) -> Iterator[tuple[str, object]]:
    if is_dataclass(params) and not isinstance(params, type):
        yield from ((key, value) for key, value in asdict(params).items() if value not in (None, (), {}, ""))


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return "、".join(str(item) for item in value) if len(value) <= 6 else f"（共{len(value)}项）"
    return str(value).replace("|", "\\|")


# --- cli.md ------------------------------------------------------------------------------------------------------------------------


def cli_page() -> str:
    parts = [CLI_HEAD]
    for name, parser in _commands():
        rows = [f"| `{_spelling(action)}` | {action.help} |" for action in parser._actions if action.help]
        parts += [f"## {_usage(name, parser)}", table("参数", "作用", rows=rows)]
    return "\n\n".join([*parts, CLI_FOOT]) + "\n"


def _commands() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield from _below("biaogan", cli._parser())


def _below(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """A command and those under it; one that only holds others has no section of its own."""
    choices = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if name == "biaogan" or not choices:
        yield name, parser
    for several in choices:
        for below, command in several.items():
            yield from _below(f"{name} {below}", command)


def _usage(name: str, parser: argparse.ArgumentParser) -> str:
    positionals = [action for action in parser._get_positional_actions() if not isinstance(action, argparse._SubParsersAction)]
    return " ".join([name, *map(_positional, positionals)])


def _positional(action: argparse.Action) -> str:
    if action.choices is not None:
        return "|".join(action.choices)
    return f"{action.metavar}…" if action.nargs == "+" else str(action.metavar) if action.nargs is None else f"[{action.metavar}]"


def _spelling(action: argparse.Action) -> str:
    name = ", ".join(action.option_strings)
    value = action.metavar if action.nargs != 0 else ""
    return " ".join(part for part in (name, str(value or "")) if part)


# --- errors.md ---------------------------------------------------------------------------------------------------------------------


def errors_page() -> str:
    rows = [f"| `{code}` | {kinds} | {'<br>'.join(map(_in_cell, messages)) or '—'} |" for code, kinds, messages in _told()]
    return f"{ERRORS_HEAD}\n\n{table('代码', '类别', '提示', rows=rows)}\n"


def _in_cell(message: str) -> str:
    return message.replace("|", "\\|").replace("\n", " ")


def codes_page() -> str:
    """The same as rows of a table of the service's help, where its messages lead to (/help/errors#code). Read as a template: no braces."""
    cells = (
        (code, f"<td><code>{code}</code></td><td>{kinds}</td><td>{'<br>'.join(map(html.escape, messages)) or '—'}</td>")
        for code, kinds, messages in _told()
    )
    return "".join(f'<tr id="{code}">{cell}</tr>\n' for code, cell in cells).replace("{", "&#123;")


def _told() -> list[tuple[str, str, list[str]]]:
    """Code, kinds and messages, by code."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for path in sorted(SERVICE.rglob("*.py")):
        for code, kind, message in codes(ast.parse(path.read_text("utf8"))):
            kinds, messages = found.setdefault(code, (set(), set()))
            kinds.add(kind)
            if message:
                messages.add(message)
    return [(code, "、".join(sorted(kinds)), sorted(messages)) for code, (kinds, messages) in sorted(found.items())]


def codes(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Code, kind and message of everything the module raises or notes, also where the code comes in by a parameter or a table."""
    constants = _constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and [key.value for key in node.keys if isinstance(key, ast.Constant)] == ["code", "message"]:
            code, message = node.values
            if isinstance(code, ast.Constant):
                yield str(code.value), RAISED["Note"], _message(message, constants)
    for function in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
        for call in _own_calls(function):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name not in RAISED or not call.args:
                continue
            message = _message(call.args[1], constants | _locals(function, call)) if len(call.args) > 1 else ""
            first = call.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value), RAISED[name], message
            elif isinstance(first, ast.Name) and isinstance(function, ast.FunctionDef):
                yield from ((code, RAISED[name], said or message) for code, said in _passed(tree, function, first.id, constants))


def _locals(function: ast.AST, call: ast.Call) -> dict[str, ast.expr]:
    """What the function's names stand for at the call: their last assignment before it."""
    found: dict[str, ast.expr] = {}
    if isinstance(function, ast.FunctionDef):
        before = (node for node in ast.walk(function) if isinstance(node, ast.Assign) and node.lineno < call.lineno)
        for node in sorted(before, key=lambda node: node.lineno):
            if isinstance(node.targets[0], ast.Name):
                found[node.targets[0].id] = node.value
    return found


def _own_calls(function: ast.AST) -> Iterator[ast.Call]:
    """Calls in a function or module, those of functions inside it left out."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, ast.FunctionDef):
            yield from _own_calls(node)


def _passed(tree: ast.Module, function: ast.FunctionDef, parameter: str, constants: dict[str, ast.expr]) -> Iterator[tuple[str, str]]:
    """Codes (with a message, where a table gives one) that a name in a function can stand for."""
    arguments = function.args
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if argument.arg == parameter and isinstance(default, ast.Constant):
            yield str(default.value), ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function.name:
            for keyword in node.keywords:
                if keyword.arg == parameter:
                    values = [keyword.value.body, keyword.value.orelse] if isinstance(keyword.value, ast.IfExp) else [keyword.value]
                    yield from ((str(value.value), "") for value in values if isinstance(value, ast.Constant))
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript) and isinstance(node.value.value, ast.Name):
            targets = {target.id for target in ast.walk(node.targets[0]) if isinstance(target, ast.Name)}
            table = constants.get(node.value.value.id)
            if parameter in targets and isinstance(table, ast.Dict):
                rows = [value for value in table.values if isinstance(value, ast.Tuple)]
                yield from ((ast.literal_eval(row.elts[0]), _message(row.elts[1], constants)) for row in rows)


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
    return found


@cache
def _shared() -> dict[str, ast.expr]:
    """Constants that other modules may import."""
    trees = (ast.parse(path.read_text("utf8")) for path in sorted(SERVICE.rglob("*.py")))
    return {name: value for tree in trees for name, value in _constants(tree).items() if not name.startswith("_")}


def _message(node: ast.expr, constants: dict[str, ast.expr]) -> str:
    """The message with … for what is filled in; empty where the code does not show it."""
    if isinstance(node, ast.Constant):
        return re.sub(r"\{[^}]*\}", "…", str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.Name) and (value := constants.get(node.id) or _shared().get(node.id)):
        return _message(value, {})
    if isinstance(node, ast.Attribute) and node.attr in _shared():
        return _message(_shared()[node.attr], {})
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _message(node.func.value, constants)
    if isinstance(node, ast.BinOp):
        return _message(node.left, constants) + _message(node.right, constants)
    return ""


# --- settings.md -------------------------------------------------------------------------------------------------------------------


def settings_page() -> str:
    used = sorted({name for path in SERVICE.rglob("*.py") for name in re.findall(r"BIAOGAN_[A-Z_]*[A-Z]", path.read_text("utf8"))})
    rows = [f"| `{name}` | {SETTINGS[name][0]} | {SETTINGS[name][1]} |" for name in used]
    return f"{SETTINGS_HEAD}\n\n{table('变量', '缺省', '作用', rows=rows)}\n"


def table(*heads: str, rows: list[str]) -> str:
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *rows])


PAGES = {
    "checks.md": checks_page,
    "cli.md": cli_page,
    "errors.md": errors_page,
    "settings.md": settings_page,
    "../service/web/templates/help/codes.html": codes_page,
}


def main() -> int:
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
