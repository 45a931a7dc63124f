"""What staff judged wrong, rule by rule, for the keeper of the rulebooks; as a workbook too."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from service.programme import triage
from service.programme.triage import Dismissed
from service.render.sheets import Styles, Workbook, new_sheet
from service.web import names
from service.web.context import Db, Staff, download, page
from service.web.rendering import today, when

router = APIRouter()
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLUMNS = (
    ("规则", 24.0),
    ("名称", 26.0),
    ("说明", 50.0),
    ("标出的文字", 40.0),
    ("忽略的理由", 40.0),
    ("材料", 18.0),
    ("单位", 28.0),
    ("题目", 40.0),
    ("版本", 8.0),
    ("处理人", 12.0),
    ("时间", 18.0),
)


@dataclass(frozen=True, slots=True)
class Group:
    """The dismissed findings of one rule."""

    rule: str
    name: str
    found: tuple[Dismissed, ...]

    @property
    def submissions(self) -> int:
        return len({each.submission for each in self.found})


@router.get("/findings")
def listed(request: Request, connection: Db, viewer: Staff, edition: str = "", rule: str = "") -> HTMLResponse:
    everything = triage.dismissed(connection, viewer)
    found = [each for each in everything if (not edition or each.edition == edition) and (not rule or each.rule == rule)]
    groups = sorted(_groups(found), key=lambda group: -len(group.found))
    return page(
        request,
        "findings/list.html.j2",
        groups=groups,
        total=len(found),
        edition=edition,
        rule=rule,
        editions=[(id_, names.editions().get(id_, id_)) for id_ in sorted({each.edition for each in everything})],
        rules=[(group.rule, f"{group.name} · {len(group.found)}") for group in _groups(everything)],
    )


@router.get("/findings/export.xlsx")
def export(connection: Db, viewer: Staff, edition: str = "", rule: str = "") -> Response:
    found = triage.dismissed(connection, viewer, edition=edition, rule=rule)
    return download(_workbook(found), f"忽略的问题-{today().isoformat()}.xlsx", media=_SHEET)


def _groups(found: Sequence[Dismissed]) -> Iterator[Group]:
    for rule, items in groupby(found, key=lambda each: each.rule):
        yield Group(rule, names.rule(rule), tuple(items))


def _workbook(found: Sequence[Dismissed]) -> bytes:
    book, styles = Workbook(write_only=True), Styles()
    pen = new_sheet(book, "忽略的问题", _COLUMNS, styles, rows=len(found), frozen="C2")
    widths = [width for _, width in _COLUMNS]
    for number, each in enumerate(found, 2):
        told = (each.rule, names.rule(each.rule), each.message, each.quote, each.reason, each.number, each.organisation, each.title)
        cells = [*(pen.text(value) for value in told), pen.number(each.version), pen.text(each.by), pen.text(when(each.at))]
        pen.append(cells, widths, row=number)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
