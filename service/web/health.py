"""/healthz: the process answers. /readyz: database and files do too."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from sqlalchemy import text

from service.web import context

router = APIRouter()


def health(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


@router.get("/readyz", dependencies=[context.PUBLIC])
def ready(request: Request, db: context.Db) -> PlainTextResponse:
    db.execute(text("SELECT 1"))
    context.files(request).exists("0" * 64)
    return PlainTextResponse("ready")
