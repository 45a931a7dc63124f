"""Reports and readings on a terminal: a table for many documents, a page for one. Plain text when piped; 80 columns do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from service.model import Document, Edition, Report
from service.personal import mask
from service.render.insight import MOST, AreaShown, Insight, Priority
from service.render.likeness import MatchShown, is_revoked, marks_of, name_of, not_compared, percent, source_of
from service.render.limits import Row
from service.render.masked import masked_document
from service.render.prose import FileName, Prose
from service.render.view import Brief, Item, View, briefs, views
from service.render.wording import SEVERITIES, cut, printable, words_for
from service.text import characters, han, words

COLOURS = {"error": "bold red", "warning": "yellow", "advice": "blue"}
_STATE_COLOURS = {"over": "bold red", "under": "yellow", "missing": "bold red", "within": "green", "free": ""}
FLAG_STYLES = {"near_duplicate": "bold magenta", "reuse": "magenta", "related": "dim"}
_MATCHES = 8  # benchmarks listed
_NAMED = 20  # files of which a triage table names the most alike benchmark
_TITLE = 30  # characters of its title
_WIDE = 120  # columns from which a triage table also has room for title and organisation
_STATES = ("有错误", "只有提醒或建议", "没有发现问题", "不是经验材料", "未能读取")  # every file is in one of them
_TERMS = 5  # of a focus area
_QUOTE = 40  # characters of a sentence that speaks for it
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
        parts.append(headline(f"没有审读的文件 {len(passed_over)} 个"))
        parts.extend(point(f"{printable(name)}：{printable(reason)}") for name, reason in passed_over)
    parts.append(Prose(f"\n{words_for('lines', 'machine')}", "dim"))
    print_all(console, parts)


def print_all(console: Console, parts: Iterable[RenderableType]) -> None:
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
    compared = any(one.report.similarity is not None for one in shown)
    if compared:
        table.add_column("相似", justify="right", no_wrap=True)
    focused = any(one.report.focus is not None for one in shown)
    if focused:
        table.add_column("重点方向", ratio=3, overflow="fold")
    table.add_column("缺少部分", ratio=2 if focused else 1, min_width=10, overflow="fold")
    for one in shown:
        *row, missing = _triage_row(one, wide=wide)
        table.add_row(*row, *([_likeness_cell(one)] if compared else []), *([_focus_cell(one)] if focused else []), missing)
    yield Text()
    yield table
    yield _sum(shown)
    yield from _not_compared(shown)
    if compared:
        yield from _alike(shown)
    failed = [one for one in shown if one.report.status == "failed"]
    if failed:
        yield headline(f"未能读取 {len(failed)} 个", style=COLOURS["error"])
        for one in failed:
            yield point(f"{printable(one.name)}：{' '.join(printable(note.message) for note in one.notes)}")
    yield from _skipped_in_all(shown)


def _triage_row(one: Brief, *, wide: bool) -> list[RenderableType]:
    row: list[RenderableType] = [FileName(printable(one.name))]
    if wide:
        row += [Text(printable(one.title or "—")), Text(printable(one.organisation or "—"))]
    if one.report.submission is None:
        status = Text(words_for("statuses", "failed"), COLOURS["error"])
        return [*row, Text("—"), *(Text("—") for _ in SEVERITIES), Text("—"), status]
    counts = [Text(str(one.tally[severity]), COLOURS[severity] if one.tally[severity] else "dim") for severity in SEVERITIES]
    missing = Text("、".join(one.missing), COLOURS["error"]) if one.judged else Text(words_for("statuses", "not_writeup"), "yellow")
    if not one.judged:
        counts = [Text("—") for _ in SEVERITIES]
    return [
        *row,
        Text(f"{one.words:,}", _STATE_COLOURS[one.total.state]),
        *counts,
        Text(str(one.rules["not_checked"]), "dim"),
        missing,
    ]


def _likeness_cell(one: Brief) -> Text:
    """The share, in the colour of the gravest flag; a dash where nothing was compared."""
    similarity = one.report.similarity
    if similarity is None:
        return Text("—")
    style = FLAG_STYLES[one.report.matches[0].flag] if one.report.matches else "dim"
    return Text(percent(similarity.without_quotes), style)


def _not_compared(shown: Sequence[Brief]) -> Iterator[RenderableType]:
    """How many write-ups were compared with no past benchmark, and why: a dash or a nought in the table must not pass for none found."""
    for reason, files in not_compared([one.report for one in shown]):
        yield Prose(f"没有比对往年标杆（{files} 个文件）：{printable(reason)}", "yellow")


def _alike(shown: Sequence[Brief]) -> Iterator[RenderableType]:
    """What the column 相似 tells, and of the files with most in it with what they share it."""
    sums = [one.report.similarity for one in shown if one.report.similarity is not None]
    others = "同批材料" if all(each.only_among for each in sums) else "往年标杆（或同批材料）" if _among(shown) else "往年标杆"
    yield Prose(f"相似：与{others}相同或相近的文字占正文的比例（不计引文）；{words_for('lines', 'likeness_short')}。", "dim")
    found = [(one, one.report.matches[0]) for one in shown if one.report.matches and one.report.matches[0].flag != "related"]
    found.sort(key=lambda pair: -pair[1].share)
    if found:
        yield headline("各文件最相似的一篇")
    for one, match in found[:_NAMED]:
        marks = marks_of(own=match.own, among=match.past.among, revoked=is_revoked(match.past))
        name = match.past.file if match.past.among else None  # a copy has the same title
        told = f"{name or cut(name_of(match.past), _TITLE)}{''.join(f'【{mark}】' for mark in marks)}"
        source = source_of(match.past)
        yield point(printable(mask(f"{one.name}：{percent(match.share)} {told}{f'（{source}）' if source else ''}")))
    if len(found) > _NAMED:
        yield point(f"另有 {len(found) - _NAMED} 个文件，见每份报告。")


def _among(shown: Sequence[Brief]) -> bool:
    return any(match.past.among for one in shown for match in one.report.matches)


def _focus_cell(one: Brief) -> Text:
    """The first area's name and score; where none is suggested, that."""
    focus = one.report.focus
    if focus is None or not one.judged:
        return Text("—")
    primary = next((area for area in focus.areas if area.area == focus.primary), None)
    return Text(words_for("verdicts", "undecided"), "dim") if primary is None else Text(f"{primary.name} {primary.score:.2f}")


def _sum(shown: Sequence[Brief]) -> Prose:
    """Each file counts once, so that the numbers add up to all."""
    counted = Counter(_state(one) for one in shown)
    parts = "，".join(f"{name} {counted[name]}" for name in _STATES if counted[name])
    partial = sum(one.report.status == "partial" for one in shown)
    told = f"其中 {partial} 个部分完成（有一步出错，见各份报告的说明）。" if partial else ""
    return Prose(f"共 {len(shown)} 个文件：{parts}。{told}")


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
    yield headline(words_for("lines", "not_passed"), style="yellow")
    for (reason, rules), files in counted.most_common(_REASONS):
        yield point(f"{'、'.join(rules)}：{printable(reason)}（{files} 个文件）")
    if len(counted) > _REASONS:
        yield point(f"另有 {len(counted) - _REASONS} 种原因，见每份报告。")


def _single(one: View) -> Iterator[RenderableType]:
    yield Line(style="dim")
    yield Prose(printable(one.title or "未找到题目") if one.report.submission else printable(one.name), "bold")
    if one.report.submission is None:
        yield headline("文件未能读取，没有审读", style=COLOURS["error"])
        yield from (point(printable(note.message)) for note in one.notes)
        return
    yield Text(f"{printable(one.organisation or '未找到单位名称')} · {printable(one.name)}")
    pages = one.report.submission.document.pages
    counts = f"字数 {one.words:,} · 不计空格字符数 {one.characters:,} · 汉字数 {one.han:,}"
    yield Text(counts + (f" · {pages} 页" if pages else ""))
    if not one.judged:
        yield Text(words_for("lines", "not_writeup"), COLOURS["warning"])
    if one.insight is not None:
        yield from _content(one.insight)
    yield Text()
    yield _sections(one)
    yield _verdicts(one)
    if one.insight is not None and one.insight.priorities:
        yield from _priorities(one.insight.priorities)
    yield from _matches(one)
    for severity in SEVERITIES:
        mine = [item for item in one.items if item.severity == severity]
        if mine:
            yield headline(f"{words_for('severities', severity)} {len(mine)}", style=COLOURS[severity])
            yield from (_finding(item, last=item is mine[-1]) for item in mine)
    if not one.items and one.judged:
        yield Text("\n已检查的规则没有发现问题。", "green")
    if one.unchecked:
        yield headline(f"未检查 {one.rules['not_checked']} 条。{words_for('lines', 'not_passed')}", style="yellow")
        yield from (point(f"{'、'.join(skipped.rules)}：{printable(skipped.reason)}") for skipped in one.unchecked)
    if one.notes:
        yield headline("说明")
        yield from (point(printable(note.message)) for note in one.notes)


def _content(told: Insight) -> Iterator[RenderableType]:
    """The write-up in one line, and the focus areas with what speaks for them."""
    if told.one_line:
        yield Prose(f"\n{printable(told.one_line)}")
    if not told.areas and told.undecided is None:
        return
    yield headline(f"重点方向{'：' + words_for('verdicts', 'undecided') if told.undecided else ''}")
    if told.undecided:
        yield point(printable(told.undecided))
    for area in (area for area in told.areas if area.chosen):
        yield point(f"{area.name} {area.shown}{'（首选）' if area.primary else ''}{_because(area)}")
    others = "、".join(f"{area.name} {area.shown}" for area in told.areas if not area.chosen)
    if others:
        yield Padding(Prose(f"{'得分' if told.undecided else '其余'}：{others}", "dim"), (0, 0, 0, 2))


def _because(area: AreaShown) -> str:
    """What decided: the terms of its sentences, else the first sentence."""
    terms = list(dict.fromkeys(term for quote in area.evidence for term in quote.terms))[:_TERMS]
    if terms:
        return f"：文中有{printable('、'.join(terms))}"
    return f"：“{printable(cut(area.evidence[0].text, _QUOTE))}”" if area.evidence else ""


def _priorities(items: Sequence[Priority]) -> Iterator[RenderableType]:
    """The first three of all; the page has them by section, with examples."""
    yield headline("先改这几处")
    for number, item in enumerate(items[:MOST], 1):
        grid = Table.grid(padding=(0, 1))
        grid.add_column(justify="right", width=3)
        grid.add_column(overflow="fold")
        grid.add_row(str(number), Prose(f"{printable(item.section)}：{printable(item.message)}"))
        grid.add_row("", Prose(printable(item.reason), "dim"))
        yield grid
    if len(items) > MOST:
        yield Prose(f"    {words_for('lines', 'more').replace('{count}', str(len(items) - MOST))}", "dim")


def _matches(one: View) -> Iterator[RenderableType]:
    """What is shared with past benchmarks, a line each; where nothing was compared, that."""
    found = one.likeness
    if not one.judged:
        return
    if found is None:
        yield headline("相似内容：没有比对", style="yellow")
        yield point(words_for("lines", "not_compared"))
        return
    yield headline(f"相似内容（{found.compared}）")
    if not found.matches:
        yield point(words_for("lines", "nothing_alike"))
        return
    sums = found.similarity
    yield Prose(f"{words_for('lines', 'likeness')}")
    if found.similarity.only_among:
        yield Prose(words_for("lines", "only_among"), "yellow")
    told = f"相似比例 {percent(sums.without_quotes)}（连同引文 {percent(sums.total)}，不计本单位 {percent(sums.without_own)}），"
    told += f"最相似的一篇 {percent(sums.largest_single)}，前半篇 {percent(sums.first_half)}，后半篇 {percent(sums.second_half)}。"
    yield Prose(told)
    yield from map(_match, found.matches[:_MATCHES])
    if len(found.matches) > _MATCHES:
        yield Prose(f"  {words_for('lines', 'more').replace('{count}', str(len(found.matches) - _MATCHES))}", "dim")


def _match(one: MatchShown) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=8, no_wrap=True)
    grid.add_column(width=6, justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    source = f"（{one.source}）" if one.source else ""
    marks = "".join(f"【{mark}】" for mark in one.marks)
    share = one.percent if one.counted or one.left_out else "—"
    flag = Text(words_for("flags", one.flag), FLAG_STYLES[one.flag])
    grid.add_row(flag, share, Prose(printable(f"{marks}{one.title}{source}{'：' if one.kinds else ''}{one.kinds}")))
    return grid


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
        line.append(f"{words_for('severities', severity)} {one.tally[severity]}", COLOURS[severity] if one.tally[severity] else "dim")
        line.append("   ")
    rules = "，".join(f"{words_for('verdicts', verdict)} {count} 条" for verdict, count in one.rules.items())
    return line.append(f"（规则：{rules}）", "dim")


def _finding(item: Item, *, last: bool) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=3)
    grid.add_column(overflow="fold")
    head = Text.assemble((words_for("checks", item.check), "bold"), ("  " + printable(item.place), "cyan"))
    grid.add_row(Text(str(item.number), COLOURS[item.severity]), head)
    grid.add_row("", Prose(printable(item.message)))
    if item.snippet:
        grid.add_row("", Prose(f"原文：{printable(item.snippet)}", "dim"))
    grid.add_row("", Prose(item.cited, "dim"))
    return grid if last else Padding(grid, (0, 0, 1, 0))


def headline(value: str, *, style: str = "bold") -> RenderableType:
    return Prose(f"\n{value}", style)


def point(value: str) -> RenderableType:
    """A line of a list, its further lines indented."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    grid.add_row("·", Prose(value))
    return grid


# --- what was read -------------------------------------------------------------------------------------------------------------------


def show_read(read: Document | Report, *, console: Console | None = None) -> None:
    """What was read of a file, a line a block; or why it could not be."""
    print_all(console or Console(highlight=False), _unread(read) if isinstance(read, Report) else _read(masked_document(read)))


def _unread(report: Report) -> Iterator[RenderableType]:
    yield Text(printable(report.name), "bold")
    yield from (point(printable(note.message)) for note in report.notes)


def _read(document: Document) -> Iterator[RenderableType]:
    pages = f" · {document.pages} 页" if document.pages else ""
    counts = f"字数 {words(document.text):,} · 不计空格字符数 {characters(document.text):,} · 汉字数 {han(document.text):,}"
    yield Text(printable(document.name), "bold")
    yield Text(f"{document.format} · {counts}{pages}")
    yield from (point(printable(note.message)) for note in document.notes)
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(min_width=7, no_wrap=True, style="dim")
    table.add_column(no_wrap=True, overflow="ellipsis")
    for block in document.blocks:
        kind = words_for("kinds", block.kind) + (str(block.level) if block.kind == "heading" and block.level else "")
        content = printable(" ".join(document.text[block.start : min(block.end, block.start + 400)].split()))
        style = "bold" if block.kind in ("heading", "title") else ""
        table.add_row(kind, Text(f"{block.label} {content}".strip(), style))
    yield table
