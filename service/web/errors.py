"""How errors are answered: a page with a way back, or problem+json (RFC 9457) under /api."""

from __future__ import annotations

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from service.errors import ServiceError
from service.web import context

_PLAIN = {
    400: ("request_invalid", "这个请求缺少内容或写法不对。请返回上一页再试。"),
    401: ("sign_in_needed", "请先登录，或在请求头 Authorization 里带上 API 令牌。"),
    403: ("forbidden", "您没有权限执行这个操作。"),
    404: ("not_found", "没有这个页面。请检查网址，或从首页重新进入。"),
    405: ("method_not_allowed", "这个地址不支持这种操作。请返回上一页再试。"),
    408: ("upload_too_slow", "上传中断或太慢，没有收完。请检查网络后再试。"),
    413: ("upload_too_large", "上传的内容太大。请压缩图片或分次上传后再试。"),
    429: ("too_many_requests", "操作过于频繁。请稍后再试。"),
}


def answer(request: Request, error: ServiceError) -> Response:
    return _told(request, error.status, error.code, error.message)


def sign_in(request: Request) -> Response:
    if context.is_api(request):
        code, message = _PLAIN[401]
        answer = _told(request, 401, code, message)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    return context.sign_in_first(request)


def http(request: Request, error: HTTPException) -> Response:
    code, message = _PLAIN.get(error.status_code, ("request_failed", "请求没有完成。请返回上一页再试。"))
    answer = _told(request, error.status_code, code, message)
    answer.headers.update(error.headers or {})
    return answer


def invalid(request: Request, error: RequestValidationError) -> Response:
    """Which fields are wrong; what was sent is not repeated."""
    fields = sorted({".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0]) for one in error.errors()})
    return _told(request, 422, "request_invalid", f"有些内容没有填写或写法不对：{'、'.join(fields)}。请改正后再提交。")


def broken(request: Request) -> Response:
    return _told(
        request,
        500,
        "internal_error",
        "系统出错了，这次操作没有完成，已保存的内容不受影响。请稍后再试；仍不行请告知管理员出错的时间和页面。",
    )


def _told(request: Request, status: int, code: str, message: str) -> Response:
    if context.is_api(request):
        problem = {"type": f"/help/errors#{code}", "title": message.partition("。")[0], "status": status, "code": code, "detail": message}
        return JSONResponse(problem, status, media_type="application/problem+json")
    return context.page(request, "error.html.j2", status=status, code=code, message=message, number=status)
