"""概况: an edition at a glance, as charts that are made here."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from service import jobs
from service.programme import dashboard
from service.programme.dashboard import Board
from service.render.wording import words_for
from service.web import charts, context, names, rendering
from service.web.charts import Kind, Mark, Stack

router = APIRouter()
_STATES: tuple[tuple[str, str, Kind], ...] = (
    ("passed", "已通过", "good"),
    ("received", "待形审", "advice"),
    ("returned", "退回修改", "warning"),
    ("set_aside", "搁置", "plain"),
)
_UNITS = 20  # units drawn; the rest is on their page
_CLASSES = 24  # of the histogram, about


@router.get("/dashboard")
def shown(request: Request, db: context.Db, viewer: context.Staff, edition: str = "") -> HTMLResponse:
    """Counts by state, area and unit, typical errors, 字数, arrivals, the deadline and the queue."""
    used = dashboard.editions(db, today=rendering.today())
    chosen = edition if edition in names.editions() else used[0]
    board = dashboard.board(db, viewer, chosen, today=rendering.today())
    values: dict[str, Any] = {
        "board": board,
        "edition": chosen,
        "choices": [(id_, names.editions().get(id_, id_)) for id_ in dict.fromkeys([*used, chosen])],
        "queue": jobs.figures(db),
        "left": board.round.days_left(rendering.today()),
        "round_state": board.round.state(rendering.today()),
        "drawn": {
            "areas": _areas(board),
            "units": _units(board),
            "typical": _typical(board),
            "words": _words(board),
            "days": _days(board),
        },
    }
    return context.page(request, "dashboard/board.html.j2", **values)


def _list(board: Board, **filters: Any) -> str:
    """The list of submissions behind a number."""
    return context.with_query("/submissions", {"edition": board.edition.id, **filters})


def _areas(board: Board) -> Markup:
    marks = [
        Mark(names.area(board.edition.id, area) if area else "无法判断", number, "" if area else "plain", _list(board, area=area or "-"))
        for area, number in board.areas
    ]
    return charts.bars(marks, title="各重点方向的材料", head="重点方向")


def _units(board: Board) -> Markup:
    """Those with most submissions, with their quota in the name."""
    taken = sorted((share for share in board.units if share.taken), key=lambda share: (share.unit is None, -share.taken, share.name))
    rows = [
        Stack(
            share.name,
            tuple(share.states.get(state, 0) for state, _, _ in _STATES),
            _list(board, unit=share.unit or "0"),
            "" if share.places is None else f"/ 名额 {share.places}",
        )
        for share in taken[:_UNITS]
    ]
    return charts.stacks(rows, [(words, kind) for _, words, kind in _STATES], title="各推荐单位的材料", head="推荐单位")


def _typical(board: Board) -> Markup:
    """By what is checked; with the clause where two of them check the same."""
    checks = {rule.id: words_for("checks", rule.check) for rule in board.edition.rules}
    often = Counter(checks[one.rule] for one in board.typical)
    marks = [
        Mark(
            checks[one.rule] if often[checks[one.rule]] == 1 else names.rule(one.rule),
            one.submissions,
            "error" if one.severity == "error" else "warning",
            _list(board, rule=one.rule),
        )
        for one in board.typical
    ]
    return charts.bars(marks, title="典型问题", head="检查项", unit="份")


def _words(board: Board) -> Markup:
    spread = max(board.words, default=0) - min(board.words, default=0)
    step = next((step for step in (100, 200, 250, 500, 1000, 2000, 2500, 5000) if spread / step <= _CLASSES), 10_000)
    return charts.histogram(board.words, step=step, title="正文字数分布", least=board.least, most=board.most)


def _days(board: Board) -> Markup:
    marks = [Mark(f"{when:%m-%d}", number) for when, number in board.days]
    if len(marks) > 1 and math.isclose(sum(mark.value for mark in marks), 0):
        marks = []
    return charts.columns(marks, title="每天收到的材料", head="日期")
