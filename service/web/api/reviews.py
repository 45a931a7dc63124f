"""A reviewer's own assignments: declared, read, commented on."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from service import rulebook
from service.errors import ServiceError
from service.programme import analyses, reviews
from service.programme.reviews import Task, Work, Written
from service.programme.viewer import Viewer
from service.render.json import report_json
from service.render.reading import veiled
from service.web import context
from service.web.api.common import (
    CHANGE,
    GUARDED,
    READ,
    SIGNED_IN,
    TAGGED,
    UNCHANGED,
    IfMatch,
    Json,
    Moment,
    Out,
    answer,
    expected,
    failed_precondition,
    known,
    problems,
)

router = APIRouter(prefix="/reviews", tags=["评审"], dependencies=SIGNED_IN)
AssignmentId = Annotated[int, Path(ge=1, description="评审任务的编号")]


class TaskOut(Out):
    id: int = Field(description="评审任务的编号")
    edition: str = Field(description="版（届）")
    title: str = Field(description="题目")
    organisation: str = Field(description="单位")
    state: str = Field(description="assigned 待评审、started 评审中、finished 已完成、conflict 已回避")
    at: Moment
    changed_at: Moment | None = Field(description="最近一次保存")
    finished_at: Moment | None = Field(description="完成的时刻")


class TaskList(Out):
    items: list[TaskOut] = Field(description="未完成的在前")


class ReviewOut(TaskOut):
    declared: bool = Field(description="是否已声明有无回避情形；没有声明前只有题目和单位")
    number: str | None = Field(description="申报编号")
    version: int | None = Field(description="第几版")
    notes: str = Field(description="私人笔记，只有自己能看到")
    comments: dict[str, str] = Field(description="评语：标准 → 文字")
    overall: str = Field(description="总体评语")
    revision: int = Field(description="保存一次加一，即 ETag 里的数")


class Declaring(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"conflict": False, "reason": ""}})
    conflict: bool = Field(description="有没有需要回避的情形")
    reason: str = Field(default="", max_length=2000, description="需要回避时写明原因")


class Commenting(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"comments": {"science": "方法与数据对应清楚。"}, "overall": "建议通过。"}},
    )
    notes: str = Field(default="", max_length=100_000, description="私人笔记")
    comments: dict[str, str] = Field(default={}, max_length=50, description="评语：标准的编号 → 文字")
    overall: str = Field(default="", max_length=100_000, description="总体评语")


@router.get("", response_model=TaskList, responses=problems(), summary="我的评审")
def listed(db: context.Db, viewer: context.Reviewer) -> Response:
    """分给自己的材料。"""
    return answer(TaskList(items=[TaskOut.model_validate(each) for each in reviews.listed(db, viewer)]))


@router.get("/{id}", response_model=ReviewOut, responses={200: TAGGED, **READ, **UNCHANGED}, summary="一份评审")
def one(request: Request, db: context.Db, viewer: context.Reviewer, id: AssignmentId) -> Response:  # noqa: A002 - as the address has it
    """声明无回避情形后才有评语。"""
    task, declared = reviews.task(db, viewer, id)
    work = reviews.work(db, viewer, id) if declared and task.state != "conflict" else None
    etag = _etag(id, 0 if work is None else work.revision)
    if work is not None and (same := known(request, etag)) is not None:
        return same
    return answer(_out(task, work, declared=declared), etag=etag)


@router.post("/{id}/declaration", response_model=ReviewOut, responses=CHANGE, summary="声明有无回避情形")
def declare(db: context.Db, viewer: context.Reviewer, id: AssignmentId, declaring: Declaring) -> Response:  # noqa: A002
    """有回避情形的，材料不再对您开放，由办公室改派。"""
    reviews.declare(db, viewer, id, conflict=declaring.conflict, reason=declaring.reason.replace("\x00", ""))
    task, _ = reviews.task(db, viewer, id)
    work = None if task.state == "conflict" else reviews.work(db, viewer, id)
    return answer(_out(task, work, declared=True), etag=_etag(id, 0 if work is None else work.revision))


@router.get("/{id}/report", response_model=dict[str, Any], responses=CHANGE, summary="审读报告")
def report(db: context.Db, viewer: context.Reviewer, id: AssignmentId) -> Response:  # noqa: A002
    """与命令行 `biaogan check --json` 相同的对象，联系方式和信用代码已遮盖。"""
    work = reviews.work(db, viewer, id)
    made = analyses.report(db, work.analysis, file_name="申报材料")
    if made is None:
        raise ServiceError("analysis_not_done", "这份材料还没有审读完，请稍后再读取。", status=409)
    return Json(report_json(veiled(made, hidden=work.hidden)))


@router.put("/{id}/comments", response_model=ReviewOut, responses={200: TAGGED, **GUARDED}, summary="保存评语")
def save(
    db: context.Db,
    viewer: context.Reviewer,
    id: AssignmentId,  # noqa: A002
    commenting: Commenting,
    match: IfMatch = None,
) -> Response:
    """笔记、评语和总体评语一起保存；还没有保存过时 ETag 的数是 0。"""
    work = reviews.work(db, viewer, id)
    seen = expected(match, id)
    written = Written(commenting.notes, commenting.comments, commenting.overall)
    with_revision = work.revision if seen is None else seen
    try:
        reviews.save(db, viewer, id, written, edition=rulebook.load(work.edition), revision=with_revision)
    except ServiceError as error:
        raise failed_precondition(error) from error
    return _told(db, viewer, id)


@router.post("/{id}/finish", response_model=ReviewOut, responses={200: TAGGED, **GUARDED}, summary="完成评审")
def finish(db: context.Db, viewer: context.Reviewer, id: AssignmentId, match: IfMatch = None) -> Response:  # noqa: A002
    """评语交给办公室，不能再改。"""
    work = reviews.work(db, viewer, id)
    seen = expected(match, id)
    try:
        reviews.finish(db, viewer, id, revision=work.revision if seen is None else seen)
    except ServiceError as error:
        raise failed_precondition(error) from error
    return _told(db, viewer, id)


def _told(db: Connection, viewer: Viewer, id_: int) -> Response:
    task, _ = reviews.task(db, viewer, id_)
    work = reviews.work(db, viewer, id_)
    return answer(_out(task, work, declared=True), etag=_etag(id_, work.revision))


def _etag(id_: int, revision: int) -> str:
    return f'"{id_}-{revision}"'


def _out(task: Task, work: Work | None, *, declared: bool) -> ReviewOut:
    return ReviewOut(
        **TaskOut.model_validate(task).model_dump(),
        declared=declared,
        number=None if work is None else work.number,
        version=None if work is None else work.version,
        notes="" if work is None else work.notes,
        comments={} if work is None else dict(work.comments),
        overall="" if work is None else work.overall,
        revision=0 if work is None else work.revision,
    )
