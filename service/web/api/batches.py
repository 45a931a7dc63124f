"""Many files brought in by staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Path, Query, Request, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from service import rulebook
from service.programme import batches, uploads
from service.programme.batches import PAGE
from service.web import context
from service.web.api.common import (
    CHANGE,
    LISTED,
    READ,
    SIGNED_IN,
    UPLOAD,
    Key,
    Moment,
    Out,
    answer,
    digest_of,
    done_once,
    pages,
    problems,
)
from service.web.pages.editions import known as edition_known

router = APIRouter(prefix="/batches", tags=["批量收稿"], dependencies=SIGNED_IN)
BatchId = Annotated[int, Path(ge=1, description="批次的编号")]


class BatchOut(Out):
    id: int = Field(description="编号")
    name: str | None = Field(description="名称")
    edition: str = Field(description="版（届）")
    unit: int | None = Field(description="推荐单位的编号")
    unit_name: str | None = Field(description="推荐单位")
    by: str = Field(description="谁收的")
    at: Moment
    files: int = Field(description="文件数")
    refused: int = Field(description="未接收")
    waiting: int = Field(description="等待审读")
    running: int = Field(description="正在审读")
    done: int = Field(description="已审读")
    failed: int = Field(description="未能审读")


class BatchList(Out):
    items: list[BatchOut] = Field(description="新的在前")


class FileOut(Out):
    number: int = Field(description="第几个文件")
    file_name: str = Field(description="文件名")
    state: str = Field(description="refused、waiting、running、done、failed")
    reason: str | None = Field(description="为什么没有接收或没有审读成，或另外要说的（例如重复）")
    submission: int | None = Field(description="申报材料的编号（供接口用）")
    submission_number: str | None = Field(description="申报编号")
    title: str | None = Field(description="题目")
    organisation: str | None = Field(description="单位；还没有认出时为空")
    words: int | None = Field(description="字数")
    errors: int | None = Field(description="错误")
    warnings: int | None = Field(description="提醒")


class FileList(Out):
    items: list[FileOut] = Field(description="按收到的次序")


class BatchWanted(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"edition": "2024-caq", "unit": 3, "name": "第一批"}})
    edition: str = Field(max_length=60, description="版（届）")
    unit: int | None = Field(default=None, ge=1, lt=2**31, description="推荐单位的编号，可不写")
    name: str = Field(default="", max_length=500, description="名称，可不写")


class Received(Out):
    state: str = Field(description="refused 未接收，原因见文件列表；waiting 已收，在后台审读")


@router.get("", response_model=BatchList, responses={200: LISTED, **problems()}, summary="各批")
def listed(
    request: Request, db: context.Db, viewer: context.Staff, page: Annotated[int, Query(ge=1, le=100_000, description="第几页")] = 1
) -> Response:
    """每页 50 批。"""
    found, total = batches.listed(db, viewer, page=page)
    headers = pages(request, page=page, size=PAGE, total=total)
    return answer(BatchList(items=[BatchOut.model_validate(each) for each in found]), headers=headers)


@router.post("", status_code=201, response_model=BatchOut, responses=CHANGE, summary="新建一批")
def create(request: Request, db: context.Db, viewer: context.Staff, wanted: BatchWanted, key: Key = None) -> Response:
    """一个空的批次；再逐个上传文件。"""
    edition = edition_known(wanted.edition)

    def work() -> Response:
        made = batches.create(db, viewer, edition=edition.id, unit=wanted.unit, name=wanted.name.replace("\x00", ""))
        return answer(BatchOut.model_validate(batches.one(db, viewer, made)), 201, location=f"/api/v1/batches/{made}")

    return done_once(request, db, viewer, key, work, asked=(wanted.model_dump_json(),))


@router.get("/{id}", response_model=BatchOut, responses=READ, summary="一批")
def one(db: context.Db, viewer: context.Staff, id: BatchId) -> Response:  # noqa: A002 - as the address has it
    """收了几份，各到哪一步。"""
    return answer(BatchOut.model_validate(batches.one(db, viewer, id)))


@router.get("/{id}/files", response_model=FileList, responses=READ, summary="一批的文件")
def files(db: context.Db, viewer: context.Staff, id: BatchId) -> Response:  # noqa: A002
    """每个文件一行，最多 1,000 行。"""
    batches.one(db, viewer, id)
    return answer(FileList(items=[FileOut.model_validate(each) for each in batches.rows(db, viewer, id)]))


@router.post("/{id}/files", status_code=202, response_model=Received, responses=UPLOAD, summary="上传一个文件")
def receive(
    request: Request,
    db: context.Db,
    viewer: context.Staff,
    store: context.Store,
    settings: context.Settings,
    id: BatchId,  # noqa: A002
    file: Annotated[UploadFile, File(description="材料：Word、WPS、PDF 或纯文本")],
    key: Key = None,
) -> Response:
    """一个文件一份申报材料；读不了的也记一行，写明原因。"""
    batch = batches.one(db, viewer, id)
    uploads.allow(db, viewer, an_hour=settings.uploads_an_hour)
    data, name = file.file.read(), file.filename or ""

    def work() -> Response:
        rules = rulebook.load(batch.edition)
        state = batches.receive(
            db, viewer, store, id, data=data, name=name, edition=rules, current=context.current(request), most_mb=settings.upload_mb
        )
        return answer(Received(state=state), 202, location=f"/api/v1/batches/{id}/files")

    return done_once(request, db, viewer, key, work, asked=(id, name, digest_of(data)))
