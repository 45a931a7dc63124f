"""回执, to print and to keep."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from service.programme import receipts
from service.web import context, names

router = APIRouter()


@router.get("/receipts/{receipt}")
def one(request: Request, db: context.Db, viewer: context.Anyone, receipt: str) -> Response:
    """The page; with .txt behind it, the same as a text file."""
    plain = receipt.removesuffix(".txt")
    found = receipts.one(db, viewer, plain)
    told = receipts.lines(found, edition=names.editions().get(found.edition, found.edition))
    if plain != receipt:
        text = "标杆审读 提交回执\r\n\r\n" + "".join(f"{name}：{value}\r\n" for name, value in told)
        return context.download(
            ("\ufeff" + text).encode(), f"回执-{found.number}-第{found.version}版.txt", media="text/plain; charset=utf-8"
        )
    return _page(request, found, told)


def _page(request: Request, found: receipts.Receipt, told: list[tuple[str, str]]) -> HTMLResponse:
    return context.page(request, "receipts/one.html.j2", found=found, lines=told)
