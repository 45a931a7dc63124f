"""Rulebooks on a terminal: the editions there are, and one of them in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from service.model import Area, Edition, Rule
from service.render.edition import asked, facts_of, section_limits, themes_of
from service.render.prose import Prose
from service.render.terminal import COLOURS, headline, point, print_all
from service.render.wording import words_for

if TYPE_CHECKING:
    from service.rulebook import EditionName


def show_editions(editions: Iterable[EditionName], *, console: Console | None = None) -> None:
    """The editions there are."""
    console = console or Console(highlight=False)
    table = _table("编号", "名称", "文号")
    for edition in editions:
        table.add_row(edition.id, edition.name, edition.document)
    print_all(console, (table, Text("\n查看某一届的全部规则：biaogan editions 编号", "dim")))


def show_edition(edition: Edition, *, console: Console | None = None) -> None:
    """One edition in full: source, sections with limits, areas, rules with their basis."""
    print_all(console or Console(highlight=False), _edition(edition))


def _edition(edition: Edition) -> Iterator[RenderableType]:
    counts = Counter(rule.basis for rule in edition.rules)
    basis = "，".join(f"{words_for('bases', key)} {count} 条" for key, count in counts.items())
    yield Text(edition.name, "bold")
    yield Text(f"编号 {edition.id} · {edition.document} · {edition.issuer}" + (f" · {edition.date}" if edition.date else ""))
    yield Text(f"申报年度 {edition.year} · 超出上限的容差 {edition.tolerance:.0%} · 规则 {len(edition.rules)} 条（{basis}）")
    yield headline("各部分")
    yield _edition_sections(edition)
    yield headline("也认作该部分的标题")
    yield from (point(f"{spec.name}：{'、'.join(spec.headings)}") for spec in edition.sections if spec.headings)
    if edition.areas:
        yield headline(f"重点方向（{words_for('choices', edition.choice)}）")
        yield from (_area(area) for area in edition.areas)
    if edition.criteria:
        yield headline("评选标准（不打分，只列出文中已有和还缺的依据）")
        yield from (point(f"{one.name}（{one.clause}）：{one.wording}") for one in edition.criteria)
    yield headline("规则")
    yield from (_rule(rule, edition) for rule in edition.rules)
    yield Prose(words_for("lines", "editions"), "dim")


def _area(area: Area) -> RenderableType:
    """Name, clause and wording; then what it is recognised by."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    group = words_for("groups", area.group) + "：" if area.group else ""
    grid.add_row("·", Prose(f"{group}{area.name}（{area.clause}）" + (f"：{area.wording}" if area.wording != area.name else "")))
    if area.themes:
        grid.add_row("", Prose(f"文章主题：{'、'.join(themes_of(area))}", "dim"))
    if area.facts:
        grid.add_row("", Prose(f"企业情况（有其一）：{'；'.join(facts_of(area))}", "dim"))
    return grid


def _edition_sections(edition: Edition) -> Table:
    table = _table("部分", "字数要求", "")
    for section in section_limits(edition):
        table.add_row(
            section.name, section.allowed, "以下各部分合计" if section.required is None else "必备" if section.required else "可选"
        )
    return table


def _rule(rule: Rule, edition: Edition) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=4, no_wrap=True)
    grid.add_column(overflow="fold")
    clause = f" {rule.clause}" if rule.clause else ""
    head = Text.assemble((words_for("checks", rule.check), "bold"), f"  {words_for('bases', rule.basis)}{clause}  ", (rule.id, "dim"))
    grid.add_row(Text(words_for("severities", rule.severity), COLOURS[rule.severity]), head)
    if rule.unavailable is not None:
        grid.add_row("", Prose(f"{words_for('verdicts', 'not_checked')}：{rule.unavailable}", "yellow"))
    else:
        told = asked(rule, edition)
        if told:
            grid.add_row("", Prose(told))
        grid.add_row("", Prose(rule.message, "dim"))
    return Padding(grid, (0, 0, 1, 0))


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), show_edge=False)
    for index, title in enumerate(titles):
        table.add_column(title, overflow="fold", no_wrap=index == 0)
    return table
