"""What every route of the API shares: its errors as documented, ETags, pages of a list, calls that are done once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Request, UploadFile
from fastapi.responses import Response
from fastapi.security import APIKeyCookie, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from service.errors import ServiceError
from service.parse.limits import MIB
from service.programme import once, uploads
from service.programme.once import Answer
from service.programme.uploads import Checked
from service.programme.viewer import Viewer
from service.render.json import line
from service.web import context

Moment = Annotated[datetime, Field(description="时刻，带时区（UTC）", examples=["2026-11-21T08:20:00Z"])]
_ETAG = re.compile(r'(?:W/)?"([0-9a-z]+)-([0-9]{1,9})"')
_KEPT_HEADERS = ("location", "etag")

# --- documentation -------------------------------------------------------------------------------------------------------------------

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="“账户与登录”页上建立的 API 令牌：`Authorization: Bearer biaogan_…`。权限与其所有者相同。",
)
_COOKIE = APIKeyCookie(
    name="biaogan",
    auto_error=False,
    scheme_name="session",
    description="在浏览器里登录后的会话（https 下名为 `__Host-biaogan`）。更改数据的请求还须带请求头 `X-CSRF-Token`（见 GET /me）。",
)
SIGNED_IN = [Depends(_BEARER), Depends(_COOKIE)]  # documents how to sign in; who may is asked by context.allow


class Out(BaseModel):
    """What the API answers with: read from our own values."""

    model_config = ConfigDict(from_attributes=True)


class Problem(BaseModel):
    """RFC 9457 problem+json. 程序按 code 判断，人读 detail（写明出了什么事、怎么改正）。"""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "/help/errors#changed_meanwhile",
                "title": "这次操作没有保存",
                "status": 412,
                "code": "changed_meanwhile",
                "detail": "您打开 2024-caq-0007 之后，有人做了“形审通过”，所以这次操作没有保存。请看过现在的状态再决定。",
            }
        }
    )
    type: str = Field(description="这一类错误的说明页")
    title: str = Field(description="一句话")
    status: int = Field(description="HTTP 状态码")
    code: str = Field(description="错误代码，不变")
    detail: str = Field(description="中文说明：出了什么事，怎么改正")


_TOLD = {
    400: "请求的写法不对",
    401: "没有登录，或令牌无效、过期、已撤销",
    403: "这个角色没有此项权限，或缺少 X-CSRF-Token",
    404: "没有这一项，或不在您的权限之内（两者不作区分）",
    405: "这个地址不支持这种操作",
    408: "上传太慢，没有收完",
    409: "与现在的状态冲突，例如还没有审读完、已截止、不能这样处理",
    412: "If-Match 与现在的版本不同：别人先改了",
    413: "上传的内容太大",
    422: "内容不对，detail 写明哪一项",
    428: "缺少 If-Match",
    429: "过于频繁，或一小时内上传太多",
    500: "系统出错",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses` of a route: these, and those that every route may answer with."""
    every = sorted({401, 403, 422, 500, *statuses})
    media = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _TOLD[status], "content": media} for status in every}


READ = problems(404)  # of something that may not be there
CHANGE = problems(400, 404, 409)
UPLOAD = problems(400, 404, 408, 409, 413, 429)
GUARDED = problems(400, 404, 409, 412, 428)  # with If-Match

# --- answers -------------------------------------------------------------------------------------------------------------------------


def answer(
    value: BaseModel, status: int = 200, *, etag: str = "", location: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    told = dict(headers or {})
    if etag:
        told["ETag"] = etag
    if location:
        told["Location"] = location
    return Response(value.model_dump_json(), status, told, media_type="application/json")


def known(request: Request, etag: str) -> Response | None:
    """304 where the caller has what there is."""
    given = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return Response(status_code=304, headers={"ETag": etag}) if etag in given else None


IfMatch = Annotated[
    str | None, Header(alias="If-Match", max_length=200, description="上次读到的 ETag；与现在的不同时不执行，答 412。不带时答 428。")
]


def expected(given: str | None, id_: int) -> int | None:
    """The revision that the caller saw; None for `*`. ServiceError 428 without the header, 412 for that of something else."""
    if given is None:
        raise ServiceError("precondition_needed", "请带上请求头 If-Match：先读取这一项，把答复里的 ETag 原样放进去。", status=428)
    if given.strip() == "*":
        return None
    found = _ETAG.fullmatch(given.strip())
    if found is None or found[1] != str(id_):
        raise ServiceError("changed_meanwhile", "请求头 If-Match 不是这一项的 ETag。请重新读取后再改。", status=412)
    return int(found[2])


def failed_precondition(error: ServiceError) -> ServiceError:
    """What pages tell as a conflict, the API tells as a precondition that failed."""
    if error.code in {"changed_meanwhile", "review_changed"}:
        return ServiceError(error.code, error.message, status=412)
    return error


def pages(request: Request, *, page: int, size: int, total: int) -> dict[str, str]:
    """The headers of a page of a list: Link (first, prev, next, last) and X-Total-Count."""
    last = max(1, -(-total // size))
    wanted = {"first": 1, "prev": page - 1 if page > 1 else None, "next": page + 1 if page < last else None, "last": last}
    links = [
        f'<{request.url.path}?{_query(request, number)}>; rel="{relation}"' for relation, number in wanted.items() if number is not None
    ]
    return {"Link": ", ".join(links), "X-Total-Count": str(total)}


def _query(request: Request, page: int) -> str:
    return context.with_query("", {**_several(request), "page": page}).removeprefix("?")


def _several(request: Request) -> dict[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in request.query_params if name != "page"}


LISTED: dict[str, Any] = {
    "description": "一页",
    "headers": {
        "Link": {"description": "first、prev、next、last 的地址（RFC 8288）", "schema": {"type": "string"}},
        "X-Total-Count": {"description": "一共多少条", "schema": {"type": "integer"}},
    },
}
TAGGED: dict[str, Any] = {"headers": {"ETag": {"description": "这一项现在的版本，更改时放进 If-Match", "schema": {"type": "string"}}}}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "与 If-None-Match 相同，没有变化"}}

# --- done once -----------------------------------------------------------------------------------------------------------------------

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=300,
        description="自选的随机串（例如 UUID）。一天之内用同一个重发同样的请求，不会重做，得到第一次的答复"
        "（带 Idempotency-Replayed: true）；内容不同答 422。",
        examples=["8e03978e-40d5-43e8-bc93-6894a57f9324"],
    ),
]


def done_once(
    request: Request, db: Connection, viewer: Viewer, key: str | None, work: Callable[[], Response], *, asked: tuple[object, ...]
) -> Response:
    """Does the work, or gives the answer that it had. `asked` is everything that the request says."""
    if key is None:
        return work()
    digest = hashlib.sha256(repr((request.method, request.url.path, *asked)).encode("utf8", "replace")).digest()
    before = once.before(db, viewer, key, request=digest)
    if before is not None:
        headers = {**before.headers, "Idempotency-Replayed": "true"}
        return Response(before.body, before.status, headers, media_type="application/json")
    made = work()
    headers = {name: made.headers[name] for name in _KEPT_HEADERS if name in made.headers}
    once.keep(db, viewer, key, Answer(made.status_code, headers, bytes(made.body)), request=digest)
    return made


# --- uploads -------------------------------------------------------------------------------------------------------------------------


def received(request: Request, db: Connection, viewer: Viewer, file: UploadFile) -> Checked:
    """A file that may be kept, within what the user may send in an hour."""
    settings = context.web(request)
    uploads.allow(db, viewer, an_hour=settings.uploads_an_hour)
    return uploads.checked(file.file.read(settings.upload_mb * MIB + 1), file.filename or "", most_mb=settings.upload_mb)


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Json(Response):
    """An object as JSON, whatever stands in its strings."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return line(content).rstrip(b"\n")
