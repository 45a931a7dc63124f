"""The JSON API under /api/v1 (docs/api.md): one module an area, each with its `router`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI

from service.web.api import batches, drafts, editions, library, me, reviews, submissions
from service.web.api.common import Problem

DESCRIPTION = """标杆审读的接口。与网页用同一套账号、权限和规则：看不到的一律答 404，不能做的答 403。

- **登录**：请求头 `Authorization: Bearer 令牌`（在“账户与登录”页建立），或浏览器会话加请求头 `X-CSRF-Token`。
- **错误**：`application/problem+json`，程序按 `code` 判断，`detail` 是给人看的中文说明。
- **两人同时改**：读取时得到 `ETag`，更改时放进 `If-Match`；别人先改了答 412。
- **重发**：会新建内容的请求可带 `Idempotency-Key`，断线后原样重发不会重复执行。
- **列表**：请求头 `Link` 有前后页的地址，`X-Total-Count` 是总数。
- 上传后在后台审读：先答 202，读取该项直到 `state` 为 `done` 或 `failed`。"""

TAGS = [
    {"name": "账户", "description": "我是谁，我的令牌"},
    {"name": "版（届）", "description": "各届通知的规则、方向和日期"},
    {"name": "草稿", "description": "申报单位自己的草稿：上传、报告、新版本、提交"},
    {"name": "申报材料", "description": "提交后的材料：列表、报告、形审"},
    {"name": "批量收稿", "description": "办公室一次收进多份"},
    {"name": "评审", "description": "分给评审专家的材料和评语"},
    {"name": "往年标杆", "description": "查找和阅读往年标杆"},
]


def all_routers() -> tuple[APIRouter, ...]:
    return tuple(module.router for module in (me, editions, drafts, submissions, batches, reviews, library))


def describe(app: FastAPI) -> None:
    """Completes the OpenAPI document: what the API is, its areas, the form of its errors."""
    app.description, app.openapi_tags = DESCRIPTION, TAGS
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation does
