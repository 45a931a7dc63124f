"""What two texts share, on the terminal: each passage of the one over that of the other. `html.pair_html` is the page of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.text import Text

from service.model import Report
from service.render.likeness import MatchShown, PassageShown, Run, likeness
from service.render.masked import masked
from service.render.terminal import FLAG_STYLES, headline, print_all
from service.render.wording import printable, words_for

_KIND_STYLES = {"verbatim": "magenta", "edited": "cyan", "paraphrase": "yellow"}


def show_pair(report: Report, *, console: Console | None = None) -> None:
    """The one match of the report, if there is any, in the order of the first text."""
    print_all(console or Console(highlight=False, soft_wrap=True), _told(report))


def _told(report: Report) -> Iterator[RenderableType]:
    found = likeness(masked(report))
    same = next((note.message for note in report.notes if note.code == "pair_identical"), None)
    if same is not None:
        yield Text(f"{same}{words_for('lines', 'likeness')}", "bold")
        return
    if found is None or not found.matches:
        yield Text(words_for("lines", "nothing_in_pair"))
        return
    match, other = found.matches[0], report.matches[0].past
    own = "（同一单位）" if match.own else ""
    names = f"{report.name} 与 {other.file or match.title}"
    told = f"{words_for('flags', match.flag)}{own}，占 {report.name} 的 {match.percent}（{words_for('lines', 'likeness_short')}）。"
    head = f"{names}：{told}"
    yield Text(printable(head), FLAG_STYLES[match.flag])
    for number, passage in enumerate(sorted((*match.counted, *match.left_out), key=lambda one: one.start), 1):
        yield from _passage(number, passage)
    yield Text(f"\n{_sum(match)}{words_for('lines', 'likeness')}")


def _passage(number: int, passage: PassageShown) -> Iterator[RenderableType]:
    why = f"，不计入（{words_for('exclusions', passage.excluded)}）" if passage.excluded else ""
    head = f"{number}. {words_for('match_kinds', passage.kind)}{why}  {printable(passage.place)}"
    yield headline(head, style="dim" if passage.excluded else _KIND_STYLES[passage.kind])
    yield _side("A", passage.mine)
    yield _side("B", passage.theirs)


def _side(name: str, runs: Sequence[Run]) -> Text:
    """A text in one line, what differs underlined."""
    line = Text(f"  {name}  ")
    for run in runs:
        line.append(printable(" ".join(run.text.split("\n"))), "bold underline" if run.changed else "")
    return line


def _sum(match: MatchShown) -> str:
    every = len(match.counted) + len(match.left_out)
    return f"共 {every} 处，计入 {len(match.counted)} 处。"
