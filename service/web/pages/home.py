"""The first page leads each role to where its work is."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.web import context

router = APIRouter()
_FIRST = {"applicant": "/drafts", "unit": "/submissions", "reviewer": "/reviews", "office": "/submissions", "admin": "/dashboard"}


@router.get("/")
def home(request: Request, viewer: context.Anyone) -> Response:
    return context.redirect(request, _FIRST[viewer.role])
