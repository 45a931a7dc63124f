"""An applicant's drafts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from service.errors import ServiceError
from service.programme import analyses, applications, drafts, units
from service.programme.applications import Application
from service.programme.drafts import Draft, Version
from service.programme.viewer import Viewer
from service.render.json import report_json
from service.render.wording import printable
from service.web import context
from service.web.api.common import (
    CHANGE,
    READ,
    SIGNED_IN,
    UNCHANGED,
    UPLOAD,
    Json,
    Key,
    Moment,
    Out,
    answer,
    digest_of,
    done_once,
    known,
    problems,
    received,
)
from service.web.pages.editions import known as edition_known
from service.web.rendering import today

router = APIRouter(prefix="/drafts", tags=["草稿"], dependencies=SIGNED_IN)
DraftId = Annotated[str, Path(max_length=40, description="草稿的编号")]
Number = Annotated[int | None, Query(ge=1, le=100_000, description="版本；不写时为最新的")]
Upload = Annotated[UploadFile, File(description="材料：Word、WPS、PDF 或纯文本")]


class VersionOut(Out):
    number: int = Field(description="第几版，从 1 起")
    file_name: str = Field(description="文件名")
    sha256: str = Field(description="文件的 SHA-256")
    size: int = Field(description="字节数")
    uploaded_at: Moment
    state: str = Field(description="waiting 等待审读、running 正在审读、done 已审读、failed 未能审读")
    reason: str | None = Field(description="为什么没有审读成，或为什么再试")
    words: int | None = Field(description="字数")
    errors: int | None = Field(description="错误的处数")
    warnings: int | None = Field(description="提醒的处数")
    advice: int | None = Field(description="建议的处数")


class DraftOut(Out):
    id: str = Field(description="编号")
    edition: str = Field(description="按哪一届审读")
    name: str | None = Field(description="自己起的名称")
    title: str | None = Field(description="最新一版的题目")
    created_at: Moment
    changed_at: Moment
    expires_at: Moment = Field(description="没有改动时，到这时自动删除")
    submission: int | None = Field(description="提交后的申报材料编号")
    versions: list[VersionOut] = Field(description="新的在前；列表里只有最新的一版")


class DraftList(Out):
    items: list[DraftOut] = Field(description="自己的草稿，最近改动的在前")


class Wanted:
    """What is said with the file of a new draft."""

    def __init__(
        self,
        edition: Annotated[str, Form(max_length=60, description="按哪一届审读")],
        name: Annotated[str, Form(max_length=200, description="名称，可不写")] = "",
    ) -> None:
        self.edition, self.name = edition, printable(name)


class Declared(BaseModel):
    """提交时填写的内容。"""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "title": "××公司基于数据的过程控制经验（示例）",
                "organisation": "××制造有限公司（示例）",
                "credit_code": "91990000MB00000197",
                "contact_name": "王××",
                "phone": "010-12345678",
                "email": "",
                "areas": ["digitalization"],
                "unit": 3,
            }
        },
    )
    title: str = Field(max_length=2000, description="题目")
    organisation: str = Field(max_length=2000, description="单位全称")
    credit_code: str = Field(max_length=100, description="统一社会信用代码，核对校验位")
    contact_name: str = Field(max_length=2000, description="联系人")
    phone: str = Field(max_length=2000, description="联系电话")
    email: str = Field(default="", max_length=2000, description="邮箱")
    areas: list[str] = Field(default=[], max_length=50, description="申报的方向（编号）")
    unit: int | None = Field(default=None, description="推荐单位的编号；没有设推荐单位时不写")


class ReceiptOut(Out):
    submission: int = Field(description="申报材料的编号（供接口用）")
    number: str = Field(description="申报编号", examples=["2024-caq-0007"])
    receipt: str = Field(description="回执编号")
    version: int = Field(description="第几版")


@router.get("", response_model=DraftList, responses=problems(), summary="我的草稿")
def listed(db: context.Db, viewer: context.Applicant) -> Response:
    """每份只带最新的一版。草稿只有自己能看到。"""
    return answer(DraftList(items=[_out(each) for each in drafts.mine(db, viewer)]))


@router.post("", status_code=202, response_model=DraftOut, responses=UPLOAD, summary="新建草稿")
def create(
    request: Request,
    db: context.Db,
    viewer: context.Applicant,
    store: context.Store,
    settings: context.Settings,
    file: Upload,
    wanted: Annotated[Wanted, Depends()],
    key: Key = None,
) -> Response:
    """收下文件，在后台审读。读取 Location 所指的草稿，直到 `state` 为 done 或 failed。"""
    rules = edition_known(wanted.edition)
    checked = received(request, db, viewer, file)

    def work() -> Response:
        days, now = settings.draft_days, context.current(request)
        made = drafts.create(db, viewer, store, edition=rules, file=checked, name=wanted.name, days=days, current=now)
        return answer(_out(drafts.one(db, viewer, made)), 202, location=f"/api/v1/drafts/{made}")

    return done_once(request, db, viewer, key, work, asked=(wanted.edition, wanted.name, checked.file_name, digest_of(checked.data)))


@router.get("/{id}", response_model=DraftOut, responses={**READ, **UNCHANGED}, summary="一份草稿")
def one(request: Request, db: context.Db, viewer: context.Applicant, id: DraftId) -> Response:  # noqa: A002 - as the address has it
    """全部版本和审读的进度；没有变化时可凭 If-None-Match 得到 304。"""
    draft = _draft(db, viewer, id)
    etag = f'"{draft.newest.number}-{draft.newest.state}-{int(draft.changed_at.timestamp() * 1000)}"'
    return known(request, etag) or answer(_out(draft), etag=etag)


@router.delete("/{id}", status_code=204, responses=READ, summary="删除草稿")
def delete(db: context.Db, viewer: context.Applicant, store: context.Store, id: DraftId) -> Response:  # noqa: A002
    """连同各版本的文件和报告，不能恢复。"""
    _draft(db, viewer, id)
    drafts.delete(db, viewer, store, id)
    return Response(status_code=204)


@router.post("/{id}/versions", status_code=202, response_model=DraftOut, responses=UPLOAD, summary="上传新版本")
def add_version(
    request: Request,
    db: context.Db,
    viewer: context.Applicant,
    store: context.Store,
    settings: context.Settings,
    id: DraftId,  # noqa: A002
    file: Upload,
    key: Key = None,
) -> Response:
    """新的一版，同样在后台审读。"""
    draft = _draft(db, viewer, id)
    checked = received(request, db, viewer, file)

    def work() -> Response:
        rules = edition_known(draft.edition)
        drafts.add_version(db, viewer, store, id, edition=rules, file=checked, days=settings.draft_days, current=context.current(request))
        return answer(_out(drafts.one(db, viewer, id)), 202, location=f"/api/v1/drafts/{id}")

    return done_once(request, db, viewer, key, work, asked=(id, checked.file_name, digest_of(checked.data)))


@router.get("/{id}/report", response_model=dict[str, Any], responses=CHANGE, summary="审读报告")
def report(db: context.Db, viewer: context.Applicant, id: DraftId, version: Number = None) -> Response:  # noqa: A002
    """与命令行 `biaogan check --json` 相同的对象（docs/report.md）。还没有审读完时答 409。"""
    draft = _draft(db, viewer, id)
    chosen = draft.newest if version is None else draft.version(version)
    made = analyses.report(db, chosen.analysis, file_name=chosen.file.file_name)
    if made is None:
        raise _not_yet(chosen)
    return Json(report_json(made))


@router.post("/{id}/submission", status_code=201, response_model=ReceiptOut, responses=CHANGE, summary="提交草稿")
def submit(
    request: Request,
    db: context.Db,
    viewer: context.Applicant,
    id: DraftId,  # noqa: A002
    declared: Declared,
    key: Key = None,
) -> Response:
    """提交最新的一版，得到回执。同一版再提交一次，得到同一份回执。"""
    draft = _draft(db, viewer, id)

    def work() -> Response:
        values = declared.model_dump()
        unit = "" if declared.unit is None else str(declared.unit)
        given = Application(**{**values, "areas": tuple(declared.areas), "unit": unit, "agreed": True})
        rules, recommending = edition_known(draft.edition), units.listed(db, active=True)
        try:
            made = applications.hand_in(db, viewer, id, given, edition=rules, recommending=recommending, today=today())
        except applications.WrongError as error:
            told = "".join(f"{name}：{wrong}" for name, wrong in error.fields.items())
            raise ServiceError(error.code, f"{error.message}{told}", status=422) from error
        receipt = ReceiptOut(submission=made.id, number=made.number, receipt=made.receipt, version=made.version)
        return answer(receipt, 201, location=f"/api/v1/submissions/{made.id}")

    return done_once(request, db, viewer, key, work, asked=(id, draft.newest.number, declared.model_dump_json()))


def _draft(db: Connection, viewer: Viewer, id_: str) -> Draft:
    """PostgreSQL holds no NUL: nothing is found under such an id."""
    return drafts.one(db, viewer, id_ if id_.isascii() and id_.isalnum() else "-")


def _not_yet(version: Version) -> ServiceError:
    if version.state == "failed":
        return ServiceError("analysis_failed", f"这份文件没有审读成：{version.reason or '原因不明'}", status=409)
    return ServiceError("analysis_not_done", "还没有审读完，暂时没有报告。请稍后再读取。", status=409)


def _out(draft: Draft) -> DraftOut:
    versions = [
        VersionOut(
            number=each.number,
            file_name=each.file.file_name,
            sha256=each.file.sha256,
            size=each.file.size,
            uploaded_at=each.uploaded_at,
            state=each.shown,
            reason=each.reason,
            words=each.words,
            errors=each.errors,
            warnings=each.warnings,
            advice=each.advice,
        )
        for each in draft.versions
    ]
    plain = {name: getattr(draft, name) for name in ("id", "edition", "name", "created_at", "changed_at", "expires_at", "submission")}
    return DraftOut(**plain, title=draft.newest.title, versions=versions)
