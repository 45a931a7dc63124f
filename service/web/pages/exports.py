"""What a list shows, to take away: one workbook, all reports in a ZIP. And two submissions side by side."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from sqlalchemy import Connection

from service.errors import ServiceError
from service.models import encoders
from service.programme import alike, exporting, listing, sheets, units
from service.programme.exporting import Rows
from service.programme.listing import Filters
from service.programme.viewer import Viewer
from service.render.page import pair_fragment
from service.web import context, names, rendering

router = APIRouter()
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_AT_ONCE = 2  # ZIPs that are made at a time: each keeps a core busy
_KEPT = 3600.0  # seconds in which it is known how far one got
_KEY = re.compile(r"[0-9a-z]{8,32}")
_A_REPORT, _WITH_WORD = 0.12, 0.25  # seconds, about


@dataclass(slots=True)
class Under:
    """ZIPs under way in this process: (account, key) -> done, of, when."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    running: int = 0
    steps: dict[tuple[int | None, str], tuple[int, int, float]] = field(default_factory=dict)

    def begin(self) -> None:
        with self.lock:
            if self.running >= _AT_ONCE:
                told = "已有其他人在导出报告，同时最多两个。请等一会儿再试；只要表格可以导出 Excel。"
                raise ServiceError("export_busy", told, status=429)
            self.running += 1

    def end(self) -> None:
        with self.lock:
            self.running -= 1

    def step(self, key: tuple[int | None, str]) -> Callable[[int, int], None]:
        def told(done: int, of: int) -> None:
            now = time.monotonic()
            with self.lock:
                self.steps = {known: each for known, each in self.steps.items() if now - each[2] < _KEPT}
                self.steps[key] = (done, of, now)

        return told


_under = Under()


class _Stream:
    """The pieces of a ZIP; makes room for the next one when it ends, is broken off or was never asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        finally:
            self._end()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            _under.end()

    def __del__(self) -> None:
        self._end()


@router.get("/submissions/export")
def choose(request: Request, db: context.Db, viewer: context.Staff) -> HTMLResponse:
    """What would be exported, how much it is, and the choices."""
    filters = listing.parse(request.query_params)
    total = listing.listed(db, viewer, filters).total
    query = filters.query(page=1)
    values: dict[str, Any] = {
        "total": total,
        "filters": query,
        "shown": [(_LABELS[name], _told(db, filters, name, value)) for name, value in query.items() if name in _LABELS],
        "minutes": [max(1, round(total * each / 60)) for each in (_A_REPORT, _WITH_WORD)],
        "most_rows": exporting.MOST_ROWS,
        "most_reports": exporting.MOST_REPORTS,
    }
    return context.page(request, "exports/choose.html.j2", **values)


@router.get("/submissions/export.xlsx")
def workbook(request: Request, viewer: context.StaffOrUnit) -> Response:
    """All rows of the filter, not only those of the page."""
    found = _collected(request, viewer, what="exported", most=exporting.MOST_ROWS)
    data = sheets.workbook(found, url=context.web(request).url)
    return context.download(data, f"申报材料-{rendering.today():%Y%m%d}.xlsx", media=_SHEET)


@router.get("/submissions/reports.zip")
def reports(
    request: Request, viewer: context.Staff, word: Annotated[str, Query()] = "", key: Annotated[str, Query()] = ""
) -> StreamingResponse:
    """One report for each submission of the filter and the workbook, sent while it is made; `key` names it for `progress`."""
    found = _collected(request, viewer, what="reports_exported", most=exporting.MOST_REPORTS)
    _under.begin()
    step = _under.step((viewer.id, key)) if _KEY.fullmatch(key) else (lambda _done, _of: None)
    pieces = exporting.reports(
        context.engine(request), found, files=context.files(request), url=context.web(request).url, word=bool(word), step=step
    )
    headers = context.download(b"", f"审读报告-{rendering.today():%Y%m%d}.zip").headers
    kept = {name: headers[name] for name in ("Content-Disposition", "X-Content-Type-Options")}
    return StreamingResponse(iter(_Stream(pieces)), media_type="application/zip", headers=kept)


@router.get("/submissions/export/progress")
def progress(viewer: context.Staff, key: str = "") -> JSONResponse:
    """How far the viewer's own export of this key is."""
    done, of, _ = _under.steps.get((viewer.id, key), (0, 0, 0.0))
    return JSONResponse({"done": done, "of": of})


@router.get("/submissions/{one:int}/similar/{other:int}")
def pair(request: Request, db: context.Db, viewer: context.StaffOrUnit, one: int, other: int) -> HTMLResponse:
    """What two submissions share, beside the text of the first."""
    settings = request.app.state.analysis
    _, encoder = encoders(settings.models, settings.embedding)
    found = alike.pair(db, viewer, one, other, encoder=encoder)
    fragment = pair_fragment(found.report, found.edition)
    return context.page(request, "exports/pair.html.j2", pair=found, fragment=fragment, one=one)


def _collected(request: Request, viewer: Viewer, *, what: str, most: int) -> Rows:
    """In a transaction of its own, which ends before the file is made: what is recorded holds up everyone else's records until then."""
    with context.engine(request).begin() as connection:
        return exporting.collect(connection, viewer, listing.parse(request.query_params), what=what, most=most)


_LABELS = {
    "edition": "版（届）",
    "unit": "推荐单位",
    "area": "重点方向",
    "state": "状态",
    "has": "问题",
    "rule": "规则",
    "flag": "相似",
    "share": "相似度",
    "analysis": "审读",
    "batch": "批次",
    "assigned": "评审",
    "q": "搜索",
}
_VALUES = {
    "state": {"received": "待形审", "passed": "已通过", "returned": "退回修改", "set_aside": "搁置", "withdrawn": "已撤回"},
    "has": {"errors": "有错误", "warnings": "有提醒", "clean": "没有错误和提醒"},
    "flag": {"near_duplicate": "高度相似", "reuse": "有沿用", "related": "主题相近"},
    "analysis": {"waiting": "还没审读完", "failed": "未能审读", "partial": "审读不完整"},
    "assigned": {"yes": "已分配评审", "no": "未分配评审"},
}


def _told(db: Connection, filters: Filters, name: str, value: str) -> str:
    """A filter's value in the words of the page."""
    if name == "unit":
        return next((unit.name for unit in units.listed(db) if unit.id == filters.unit), "没有推荐单位")
    if name == "batch":
        return f"第 {value} 批"
    if name == "edition":
        return names.editions().get(value, value)
    if name == "area":
        return names.area(filters.edition, value) if value != "-" else "无法判断"
    if name == "rule":
        return names.rule(value)
    if name == "share":
        return f"{value}% 以上"
    return _VALUES.get(name, {}).get(value, value)
