"""Who asks, and his tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from service.errors import ServiceError
from service.programme import tokens
from service.web import context
from service.web.api.common import CHANGE, READ, SIGNED_IN, Moment, Out, answer, problems

router = APIRouter(tags=["账户"], dependencies=SIGNED_IN)
TokenId = Annotated[int, Path(ge=1, description="令牌的编号")]


class Me(Out):
    id: int | None = Field(description="账号的编号")
    name: str = Field(description="登录名")
    shown: str = Field(description="显示的名称")
    role: str = Field(
        description="角色：admin 管理员、office 办公室、reviewer 评审专家、applicant 申报单位、unit 推荐单位", examples=["office"]
    )
    organisation: str | None = Field(description="所属单位")
    unit: int | None = Field(description="推荐单位的编号（仅推荐单位账号）")
    csrf: str = Field(description="用浏览器会话时，更改数据的请求放进 X-CSRF-Token；用令牌时为空")


class TokenOut(Out):
    id: int = Field(description="编号")
    name: str = Field(description="名称")
    created_at: Moment
    expires_at: Moment | None = Field(description="到期的时刻")
    used_at: Moment | None = Field(description="最近一次使用")


class TokenList(Out):
    items: list[TokenOut] = Field(description="没有撤销的令牌，新的在前")


class TokenWanted(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"name": "汇总脚本", "days": 90}})
    name: str = Field(max_length=200, description="名称，便于以后辨认")
    days: int = Field(description="有效天数：30、90 或 365")


class TokenMade(Out):
    token: str = Field(description="令牌，只显示这一次")


@router.get("/me", response_model=Me, responses=problems(), summary="我是谁")
def me(viewer: context.Anyone) -> Response:
    """当前账号和角色；用浏览器会话时还有更改数据所需的 CSRF 令牌。"""
    return answer(Me.model_validate(viewer))


@router.get("/tokens", response_model=TokenList, responses=problems(), summary="我的令牌")
def listed(db: context.Db, viewer: context.Anyone) -> Response:
    """自己的令牌，不含令牌本身。"""
    return answer(TokenList(items=[TokenOut.model_validate(each) for each in tokens.of(db, viewer)]))


@router.post("/tokens", status_code=201, response_model=TokenMade, responses=CHANGE, summary="建立令牌")
def make(db: context.Db, viewer: context.Anyone, wanted: TokenWanted) -> Response:
    """只能用浏览器会话建立：令牌不能再生令牌。"""
    if not viewer.csrf:
        raise ServiceError("session_needed", "令牌只能在浏览器里登录后建立。请到“账户与登录”页操作。", status=403)
    return answer(TokenMade(token=tokens.make(db, viewer, name=wanted.name, days=wanted.days)), 201)


@router.delete("/tokens/{id}", status_code=204, responses=READ, summary="撤销令牌")
def revoke(db: context.Db, viewer: context.Anyone, id: TokenId) -> Response:  # noqa: A002 - as the address has it
    """立即失效。"""
    tokens.revoke(db, viewer, id if id < 2**31 else 0)
    return Response(status_code=204)
