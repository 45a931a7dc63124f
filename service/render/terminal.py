"""Reports, readings and rulebooks on a terminal: a table for many documents, a page for one. Plain text when piped; 80 columns do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from service import lexicon
from service.model import Document, Edition, Report, Rule, Submission
from service.render.limits import Row, rows
from service.render.masked import masked_document
from service.render.prose import Prose
from service.render.view import Brief, Item, View, briefs, views
from service.render.wording import SEVERITIES, cut, printable, words_for
from service.text import characters, han, words

if TYPE_CHECKING:
    from service.rulebook import EditionName

_COLOURS = {"error": "bold red", "warning": "yellow", "advice": "blue"}
_STATE_COLOURS = {"over": "bold red", "under": "yellow", "missing": "bold red", "within": "green", "free": ""}
_WIDE = 120  # columns from which a triage table also has room for title and organisation
_STATES = ("有错误", "只有提醒或建议", "没有发现问题", "不是经验材料", "未能读取")  # every file is in one of them
_REASONS = 8  # reasons for unchecked rules listed below a triage table


def show_reports(
    reports: Sequence[Report], edition: Edition, *, passed_over: Sequence[tuple[str, str]] = (), console: Console | None = None
) -> None:
    """One report in full, or the table of many with what could not be read; then the files that were not judged, with the reason."""
    console = console or Console(highlight=False)
    parts: list[RenderableType] = [Text(f"标杆审读 · {edition.name} · {edition.document}", "dim")]
    if len(reports) == 1:
        parts.extend(_single(*views(reports, edition)))
    else:
        parts.extend(_triage(briefs(reports, edition), wide=console.width >= _WIDE))
    if passed_over:
        parts.append(_headline(f"没有审读的文件 {len(passed_over)} 个"))
        parts.extend(_point(f"{printable(name)}：{printable(reason)}") for name, reason in passed_over)
    parts.append(Prose(f"\n{words_for('lines', 'machine')}", "dim"))
    _print(console, parts)


def _print(console: Console, parts: Iterable[RenderableType]) -> None:
    """Prints them one under the other; where no one looks on, without the blanks that fill a table's lines."""
    if console.is_terminal:
        console.print(Group(*parts))
        return
    with console.capture() as captured:
        console.print(Group(*parts))
    console.out("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")), highlight=False)


def _triage(shown: Sequence[Brief], *, wide: bool) -> Iterator[RenderableType]:
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("文件", ratio=3, overflow="fold")
    if wide:
        table.add_column("题目", ratio=4, overflow="fold")
        table.add_column("单位", ratio=2, overflow="fold")
    table.add_column("字数", justify="right", no_wrap=True)
    for severity in SEVERITIES:
        table.add_column(words_for("severities", severity), justify="right", no_wrap=True)
    table.add_column("未检查", justify="right", no_wrap=True)
    table.add_column("缺少部分", ratio=1, min_width=10, overflow="fold")
    for one in shown:
        table.add_row(*_triage_row(one, wide=wide))
    yield Text()
    yield table
    yield _sum(shown)
    failed = [one for one in shown if one.report.status == "failed"]
    if failed:
        yield _headline(f"未能读取 {len(failed)} 个", style=_COLOURS["error"])
        for one in failed:
            yield _point(f"{printable(one.name)}：{' '.join(printable(note.message) for note in one.notes)}")
    yield from _skipped_in_all(shown)


def _triage_row(one: Brief, *, wide: bool) -> list[Text]:
    row = [Text(printable(one.name))]
    if wide:
        row += [Text(printable(one.title or "—")), Text(printable(one.organisation or "—"))]
    if one.report.submission is None:
        status = Text(words_for("statuses", "failed"), _COLOURS["error"])
        return [*row, Text("—"), *(Text("—") for _ in SEVERITIES), Text("—"), status]
    counts = [Text(str(one.tally[severity]), _COLOURS[severity] if one.tally[severity] else "dim") for severity in SEVERITIES]
    missing = Text("、".join(one.missing), _COLOURS["error"]) if one.judged else Text(words_for("statuses", "not_writeup"), "yellow")
    if not one.judged:
        counts = [Text("—") for _ in SEVERITIES]
    return [
        *row,
        Text(f"{one.words:,}", _STATE_COLOURS[one.total.state]),
        *counts,
        Text(str(one.rules["not_checked"]), "dim"),
        missing,
    ]


def _sum(shown: Sequence[Brief]) -> Prose:
    """Each file counts once, so that the numbers add up to all."""
    counted = Counter(_state(one) for one in shown)
    parts = "，".join(f"{name} {counted[name]}" for name in _STATES if counted[name])
    return Prose(f"共 {len(shown)} 个文件：{parts}。")


def _state(one: Brief) -> str:
    if one.report.status == "failed":
        return _STATES[4]
    if not one.judged:
        return _STATES[3]
    return _STATES[0] if one.tally["error"] else _STATES[1] if any(one.tally.values()) else _STATES[2]


def _skipped_in_all(shown: Sequence[Brief]) -> Iterator[RenderableType]:
    counted = Counter((skipped.reason, skipped.rules) for one in shown for skipped in one.unchecked)
    if not counted:
        return
    yield _headline(words_for("lines", "not_passed"), style="yellow")
    for (reason, rules), files in counted.most_common(_REASONS):
        yield _point(f"{'、'.join(rules)}：{printable(reason)}（{files} 个文件）")
    if len(counted) > _REASONS:
        yield _point(f"另有 {len(counted) - _REASONS} 种原因，见每份报告。")


def _single(one: View) -> Iterator[RenderableType]:
    yield Line(style="dim")
    yield Prose(printable(one.title or "未找到题目") if one.report.submission else printable(one.name), "bold")
    if one.report.submission is None:
        yield _headline("文件未能读取，没有审读", style=_COLOURS["error"])
        yield from (_point(printable(note.message)) for note in one.notes)
        return
    yield Text(f"{printable(one.organisation or '未找到单位名称')} · {printable(one.name)}")
    pages = one.report.submission.document.pages
    counts = f"字数 {one.words:,} · 不计空格字符数 {one.characters:,} · 汉字数 {one.han:,}"
    yield Text(counts + (f" · {pages} 页" if pages else ""))
    if not one.judged:
        yield Text(words_for("lines", "not_writeup"), _COLOURS["warning"])
    yield Text()
    yield _sections(one)
    yield _verdicts(one)
    for severity in SEVERITIES:
        mine = [item for item in one.items if item.severity == severity]
        if mine:
            yield _headline(f"{words_for('severities', severity)} {len(mine)}", style=_COLOURS[severity])
            yield from (_finding(item, last=item is mine[-1]) for item in mine)
    if not one.items and one.judged:
        yield Text("\n已检查的规则没有发现问题。", "green")
    if one.unchecked:
        yield _headline(f"未检查 {one.rules['not_checked']} 条。{words_for('lines', 'not_passed')}", style="yellow")
        yield from (_point(f"{'、'.join(skipped.rules)}：{printable(skipped.reason)}") for skipped in one.unchecked)
    if one.notes:
        yield _headline("说明")
        yield from (_point(printable(note.message)) for note in one.notes)


def _sections(one: View) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("部分", no_wrap=True)
    table.add_column("字数", justify="right", no_wrap=True)
    table.add_column("要求", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("文中标题", overflow="fold")
    for row in (one.total, *one.rows):
        table.add_row(*_section_row(row))
    return table


def _section_row(row: Row) -> list[Text]:
    colour = _STATE_COLOURS[row.state]
    found = row.start is not None or row.key is None
    state = "" if row.state == "free" else words_for("states", row.state)
    heading = printable(row.heading or ("（没有标题，按内容判定）" if row.start is not None and row.key else ""))
    return [
        Text(row.name),
        Text(f"{row.words:,}" if found else "—", colour),
        Text(row.allowed),
        Text(state, colour),
        Text(cut(heading, 30)),
    ]


def _verdicts(one: View) -> Text:
    line = Text("\n")
    for severity in SEVERITIES:
        line.append(f"{words_for('severities', severity)} {one.tally[severity]}", _COLOURS[severity] if one.tally[severity] else "dim")
        line.append("   ")
    rules = "，".join(f"{words_for('verdicts', verdict)} {count} 条" for verdict, count in one.rules.items())
    return line.append(f"（规则：{rules}）", "dim")


def _finding(item: Item, *, last: bool) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=3)
    grid.add_column(overflow="fold")
    head = Text.assemble((words_for("checks", item.check), "bold"), ("  " + printable(item.place), "cyan"))
    grid.add_row(Text(str(item.number), _COLOURS[item.severity]), head)
    grid.add_row("", Prose(printable(item.message)))
    if item.snippet:
        grid.add_row("", Prose(f"原文：{printable(item.snippet)}", "dim"))
    grid.add_row("", Prose(item.cited, "dim"))
    return grid if last else Padding(grid, (0, 0, 1, 0))


def _headline(value: str, *, style: str = "bold") -> RenderableType:
    return Prose(f"\n{value}", style)


def _point(value: str) -> RenderableType:
    """A line of a list, its further lines indented."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    grid.add_row("·", Prose(value))
    return grid


# --- what was read -------------------------------------------------------------------------------------------------------------------


def show_read(read: Document | Report, *, console: Console | None = None) -> None:
    """What was read of a file, a line a block; or why it could not be."""
    _print(console or Console(highlight=False), _unread(read) if isinstance(read, Report) else _read(masked_document(read)))


def _unread(report: Report) -> Iterator[RenderableType]:
    yield Text(printable(report.name), "bold")
    yield from (_point(printable(note.message)) for note in report.notes)


def _read(document: Document) -> Iterator[RenderableType]:
    pages = f" · {document.pages} 页" if document.pages else ""
    counts = f"字数 {words(document.text):,} · 不计空格字符数 {characters(document.text):,} · 汉字数 {han(document.text):,}"
    yield Text(printable(document.name), "bold")
    yield Text(f"{document.format} · {counts}{pages}")
    yield from (_point(printable(note.message)) for note in document.notes)
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(min_width=7, no_wrap=True, style="dim")
    table.add_column(no_wrap=True, overflow="ellipsis")
    for block in document.blocks:
        kind = words_for("kinds", block.kind) + (str(block.level) if block.kind == "heading" and block.level else "")
        content = printable(" ".join(document.text[block.start : min(block.end, block.start + 400)].split()))
        style = "bold" if block.kind in ("heading", "title") else ""
        table.add_row(kind, Text(f"{block.label} {content}".strip(), style))
    yield table


# --- rulebooks -----------------------------------------------------------------------------------------------------------------------


def show_editions(editions: Iterable[EditionName], *, console: Console | None = None) -> None:
    """The editions there are."""
    console = console or Console(highlight=False)
    table = _table("编号", "名称", "文号")
    for edition in editions:
        table.add_row(edition.id, edition.name, edition.document)
    _print(console, (table, Text("\n查看某一届的全部规则：biaogan editions 编号", "dim")))


def show_edition(edition: Edition, *, console: Console | None = None) -> None:
    """One edition in full: source, sections with limits, areas, rules with their basis."""
    _print(console or Console(highlight=False), _edition(edition))


def _edition(edition: Edition) -> Iterator[RenderableType]:
    counts = Counter(rule.basis for rule in edition.rules)
    basis = "，".join(f"{words_for('bases', key)} {count} 条" for key, count in counts.items())
    yield Text(edition.name, "bold")
    yield Text(f"编号 {edition.id} · {edition.document} · {edition.issuer}" + (f" · {edition.date}" if edition.date else ""))
    yield Text(f"申报年度 {edition.year} · 超出上限的容差 {edition.tolerance:.0%} · 规则 {len(edition.rules)} 条（{basis}）")
    yield _headline("各部分")
    yield _edition_sections(edition)
    yield _headline("也认作该部分的标题")
    yield from (_point(f"{spec.name}：{'、'.join(spec.headings)}") for spec in edition.sections if spec.headings)
    yield _headline("重点方向")
    for area in edition.areas:
        yield _point(f"{area.name}（{area.clause}）" + (f"：{area.wording}" if area.wording != area.name else ""))
    yield _headline("规则")
    yield from (_rule(rule, edition) for rule in edition.rules)
    yield Prose(words_for("lines", "editions"), "dim")


def _edition_sections(edition: Edition) -> Table:
    blank = Submission(Document("", "", "txt", ""), None, None, (), (), (), edition.sections)
    allowed = {row.name: row.allowed for row in rows(blank, edition, every=True)}
    specs = {spec.name: spec for spec in edition.sections}
    table = _table("部分", "字数要求", "")
    for name, limit in allowed.items():
        spec = specs.get(name)
        table.add_row(name, limit, "以下各部分合计" if spec is None else "必备" if spec.required else "可选")
    return table


def _rule(rule: Rule, edition: Edition) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=4, no_wrap=True)
    grid.add_column(overflow="fold")
    clause = f" {rule.clause}" if rule.clause else ""
    head = Text.assemble((words_for("checks", rule.check), "bold"), f"  {words_for('bases', rule.basis)}{clause}  ", (rule.id, "dim"))
    grid.add_row(Text(words_for("severities", rule.severity), _COLOURS[rule.severity]), head)
    if rule.unavailable is not None:
        grid.add_row("", Prose(f"{words_for('verdicts', 'not_checked')}：{rule.unavailable}", "yellow"))
    else:
        asked = _asked(rule, edition)
        if asked:
            grid.add_row("", Prose(asked))
        grid.add_row("", Prose(rule.message, "dim"))
    return Padding(grid, (0, 0, 1, 0))


def _asked(rule: Rule, edition: Edition) -> str:
    """The rule's parameters in words; word lists and the check's own settings have no label and are left out."""
    labels, values = lexicon.load("display")["params"], lexicon.load("display")["values"]
    names = {spec.key: spec.name for spec in edition.sections}

    def say(value: object) -> str:
        if isinstance(value, tuple):
            return "、".join(say(part) for part in value)
        if isinstance(value, bool):
            return "是" if value else "否"
        return f"{value:g}" if isinstance(value, float) else names.get(str(value), str(values.get(str(value), value)))

    if not is_dataclass(rule.params):
        return ""
    given = ((field.name, getattr(rule.params, field.name)) for field in fields(rule.params))
    return "；".join(f"{labels[name]}：{say(value)}" for name, value in given if name in labels and value not in (None, (), 0.0))


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), show_edge=False)
    for index, title in enumerate(titles):
        table.add_column(title, overflow="fold", no_wrap=index == 0)
    return table
