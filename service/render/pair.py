"""What two texts share, on the terminal: each passage of the one over that of the other."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from service.model import Match, MatchedPassage, Report
from service.render.masked import masked

_FLAGS = {"near_duplicate": "大部分相同或改写", "reuse": "有较多相同或改写", "related": "有少量相同或相近"}
_KINDS = {"verbatim": "相同", "edited": "改动", "paraphrase": "改写"}
_EXCLUDED = {"quote": "引文", "standard": "标准或文件名", "notice": "通知用语", "common": "常用语"}
_STYLES = {"verbatim": "red", "edited": "yellow", "paraphrase": "cyan"}
_NOTHING = "两份材料没有发现相同或改写的段落。"
_FACT = "以上只是文字比对的结果，供人工查看，不作任何定性。"


def show_pair(report: Report) -> None:
    """The one match of the report, if there is any, in the order of the first text."""
    report = masked(report)
    console = Console(highlight=False, soft_wrap=True)
    if not report.matches or report.submission is None:
        console.print(_NOTHING)
        return
    match, whole = report.matches[0], report.submission.text
    own = "（同一单位）" if match.own else ""
    console.print(f"{report.name} 与 {match.past.file}：{_FLAGS[match.flag]}{own}，占 {report.name} 的 {match.share:.0%}。")
    for number, passage in enumerate(match.passages, start=1):
        _show(console, number, passage, whole)
    _total(console, match)


def _show(console: Console, number: int, passage: MatchedPassage, whole: str) -> None:
    why = f"，不计（{_EXCLUDED[passage.excluded]}）" if passage.excluded else ""
    console.print()
    console.print(Text(f"{number}. {_KINDS[passage.kind]}{why}", style="dim" if passage.excluded else _STYLES[passage.kind]))
    mine = Text("  A  " + " ".join(whole[passage.start : passage.end].split("\n")))
    for start, end in passage.changed:
        mine.stylize("bold", 5 + start - passage.start, 5 + end - passage.start)
    console.print(mine)
    console.print(Text("  B  " + " ".join(passage.their_text.split("\n"))))


def _total(console: Console, match: Match) -> None:
    counted = sum(passage.excluded is None for passage in match.passages)
    console.print()
    console.print(f"共 {len(match.passages)} 处，计入 {counted} 处。{_FACT}")
