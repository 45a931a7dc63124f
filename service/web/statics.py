"""Files of static/, under an address that changes with their content."""

from __future__ import annotations

from pathlib import PurePosixPath

from fastapi import Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException

from service.web.rendering import static, static_file

# Said here: what a machine's own tables call a script may be something that browsers refuse to run.
_KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".png": "image/png",
}


def one(request: Request) -> Response:
    """A plain route: it asks neither the database nor who is there."""
    digest, name = request.path_params["digest"], request.path_params["name"]
    try:
        path = static_file(name)
    except FileNotFoundError:
        raise HTTPException(404) from None
    if static(name) != f"/static/{digest}/{name}":
        raise HTTPException(404)
    kind = _KINDS.get(PurePosixPath(name).suffix, "application/octet-stream")
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})
