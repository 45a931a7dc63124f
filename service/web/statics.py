"""Files of static/, under an address that changes with their content."""

from __future__ import annotations

import mimetypes

from fastapi import Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException

from service.web.rendering import static, static_file


def one(request: Request) -> Response:
    """A plain route: it asks neither the database nor who is there."""
    digest, name = request.path_params["digest"], request.path_params["name"]
    try:
        path = static_file(name)
    except FileNotFoundError:
        raise HTTPException(404) from None
    if static(name) != f"/static/{digest}/{name}":
        raise HTTPException(404)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})
