"""Submissions: listed, read, decided. Reviewers have /reviews instead."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from service import rulebook
from service.credit_code import credit_code as checked_code
from service.errors import ServiceError
from service.programme import analyses, applications, dismissals, listing, submissions, triage, units, uploads
from service.programme.submissions import Contact, Submission, Uploaded
from service.programme.triage import Action
from service.programme.uploads import Checked
from service.programme.viewer import Viewer
from service.render.json import report_json
from service.web import context
from service.web.api.common import (
    CHANGE,
    GUARDED,
    LISTED,
    READ,
    SIGNED_IN,
    TAGGED,
    UNCHANGED,
    UPLOAD,
    IfMatch,
    Json,
    Key,
    Moment,
    Out,
    answer,
    digest_of,
    done_once,
    expected,
    failed_precondition,
    known,
    pages,
    problems,
    received,
)
from service.web.api.drafts import ReceiptOut
from service.web.pages.editions import known as edition_known
from service.web.rendering import today

router = APIRouter(prefix="/submissions", tags=["申报材料"], dependencies=SIGNED_IN)
Party = Annotated[Viewer, Depends(context.allow("applicant", "unit", "office", "admin"), scope="function")]
Sender = Annotated[Viewer, Depends(context.allow("applicant", "office", "admin"), scope="function")]
State = Literal["", "received", "passed", "returned", "set_aside", "withdrawn"]
SubmissionId = Annotated[int, Path(ge=1, description="申报材料的编号（供接口用，不是申报编号）")]
Upload = Annotated[UploadFile, File(description="材料：Word、WPS、PDF 或纯文本")]


class RowOut(Out):
    id: int = Field(description="编号（供接口用）")
    number: str = Field(description="申报编号", examples=["2024-caq-0007"])
    edition: str = Field(description="版（届）")
    organisation: str = Field(description="单位")
    title: str = Field(description="题目")
    unit_name: str | None = Field(description="推荐单位")
    rank: int | None = Field(description="推荐顺序")
    area: str | None = Field(description="主要方向：更正过的，否则程序判断的")
    words: int | None = Field(description="字数")
    errors: int | None = Field(description="错误，不含已忽略的")
    warnings: int | None = Field(description="提醒，不含已忽略的")
    similarity: float | None = Field(description="相似比例，0～1")
    flag: str | None = Field(description="near_duplicate 高度相似、reuse 有沿用、related 主题相近")
    state: str = Field(description="received 待形审、passed 已通过、returned 退回修改、set_aside 搁置、withdrawn 已撤回")
    revision: int = Field(description="改动一次加一，即 ETag 里的数")
    version: int = Field(description="第几版")
    analysis_state: str = Field(description="waiting、running、done、failed")
    submitted_at: Moment
    changed_at: Moment


class RowList(Out):
    items: list[RowOut]


class ContactOut(Out):
    name: str | None = Field(description="联系人")
    phone: str | None = Field(description="电话")
    email: str | None = Field(description="邮箱")


class DismissalOut(Out):
    id: int = Field(description="编号")
    rule: str = Field(description="规则")
    quote: str = Field(description="所标的文字")
    reason: str = Field(description="为什么忽略")
    by: str = Field(description="谁")
    at: Moment


class AnalysisOut(Out):
    state: str = Field(description="waiting、running、done、failed")
    reason: str | None = Field(description="为什么没有审读成")
    ahead: int = Field(description="前面还有几份")


class DecisionOut(Out):
    action: str = Field(description="pass、return、set_aside、reopen、withdraw")
    reasons: str | None = Field(description="理由")
    by: str = Field(description="谁")
    at: Moment


class SubmissionOut(Out):
    id: int = Field(description="编号（供接口用）")
    number: str = Field(description="申报编号")
    edition: str = Field(description="版（届）")
    unit: int | None = Field(description="推荐单位的编号")
    unit_name: str | None = Field(description="推荐单位")
    rank: int | None = Field(description="推荐顺序")
    organisation: str = Field(description="单位")
    credit_code: str | None = Field(description="统一社会信用代码")
    contact: ContactOut | None = Field(description="联系方式")
    title: str = Field(description="题目")
    areas: list[str] = Field(description="申报单位所选的方向")
    area: str | None = Field(description="办公室更正的主要方向")
    state: str = Field(description="received、passed、returned、set_aside、withdrawn")
    revision: int = Field(description="改动一次加一，即 ETag 里的数")
    version: int = Field(description="第几版")
    file_name: str = Field(description="文件名")
    sha256: str = Field(description="文件的 SHA-256")
    size: int = Field(description="字节数")
    submitted_at: Moment
    changed_at: Moment
    analysis: AnalysisOut = Field(description="审读的进度")
    decisions: list[DecisionOut] = Field(description="形审的经过，新的在前")
    dismissals: list[DismissalOut] = Field(description="已忽略的问题（仅办公室可见）")


class Entered:
    """What staff enters with a file."""

    def __init__(
        self,
        title: Annotated[str, Form(max_length=2000, description="题目")],
        organisation: Annotated[str, Form(max_length=2000, description="单位")],
        credit_code: Annotated[str, Form(max_length=100, description="统一社会信用代码，可不写")] = "",
        unit: Annotated[int | None, Form(ge=1, lt=2**31, description="推荐单位的编号，可不写")] = None,
    ) -> None:
        self.title, self.organisation, self.credit_code, self.unit = title, organisation, credit_code, unit

    def __repr__(self) -> str:
        return repr((self.title, self.organisation, self.credit_code, self.unit))


class Deciding(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"action": "return", "reasons": "请补写近三年数据。"}})
    action: Action = Field(description="pass 通过、return 退回修改、set_aside 搁置、reopen 重新受理、withdraw 撤回（申报单位只能撤回）")
    reasons: str = Field(default="", max_length=20_000, description="理由，申报单位能看到；退回时必写")


class Dismissing(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"rule": "2024-caq/4.4", "start": 1520, "end": 1544, "reason": "是引用客户的原话"}}
    )
    rule: str = Field(max_length=80, description="规则编号，见报告的 outcomes[].rule")
    start: int = Field(ge=0, le=10**9, description="该处的起点，见报告的 findings[].start")
    end: int = Field(ge=0, le=10**9, description="终点")
    reason: str = Field(max_length=2000, description="为什么忽略，规则的维护者会看到")


class Correcting(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"areas": ["digitalization", "tqm"]}})
    areas: list[str] = Field(min_length=1, max_length=20, description="方向的编号，主要的在前")


class Asked(BaseModel):
    """What the list's address asks for; the same names as on the page of the list."""

    edition: str = Field(default="", max_length=60, description="版（届）")
    unit: int | None = Field(default=None, ge=0, le=10**8, description="推荐单位的编号；0：没有推荐单位的")
    area: str = Field(default="", max_length=80, description="主要方向的编号；-：无法判断的")
    state: State = Field(default="", description="状态")
    has: Literal["", "errors", "warnings", "clean"] = Field(default="", description="有错误、有提醒、都没有")
    rule: str = Field(default="", max_length=80, description="有这条规则的问题")
    flag: Literal["", "near_duplicate", "reuse", "related"] = Field(default="", description="相似内容的程度")
    share: int | None = Field(default=None, ge=0, le=100, description="相似比例至少百分之几")
    analysis: Literal["", "waiting", "failed", "partial"] = Field(default="", description="审读的进度")
    batch: int | None = Field(default=None, ge=1, le=10**8, description="批次的编号")
    assigned: Literal["", "yes", "no"] = Field(default="", description="是否已分给评审专家")
    q: str = Field(default="", max_length=200, description="单位、题目、编号、文件名或信用代码里的词")
    sort: str = Field(
        default="", max_length=30, description="number、organisation、title、words、errors、similarity、submitted 等，前加 - 为倒序"
    )
    page: int = Field(default=1, ge=1, le=100_000, description="第几页")
    size: Literal["50", "100", "200"] = Field(default="50", description="每页几条")


@router.get("", response_model=RowList, responses={200: LISTED, **problems()}, summary="申报材料列表")
def listed(request: Request, db: context.Db, viewer: Party, asked: Annotated[Asked, Query()]) -> Response:
    """看得到的材料：办公室全部，推荐单位本单位推荐的，申报单位自己的。"""
    filters = listing.parse({name: str(value) for name, value in asked.model_dump(exclude_none=True).items()})
    found = listing.listed(db, viewer, filters)
    headers = pages(request, page=asked.page, size=filters.size, total=found.total)
    rows = found.rows if found.filters.page == asked.page else ()
    return answer(RowList(items=[RowOut.model_validate(each) for each in rows]), headers=headers)


@router.post("", status_code=202, response_model=ReceiptOut, responses=UPLOAD, summary="代为提交一份材料")
def submit(
    request: Request,
    db: context.Db,
    viewer: context.Staff,
    store: context.Store,
    file: Upload,
    edition: Annotated[str, Form(max_length=60, description="版（届）")],
    entered: Annotated[Entered, Depends()],
    key: Key = None,
) -> Response:
    """办公室代为提交。申报单位请先建草稿，再 POST /drafts/{id}/submission。"""
    rules = edition_known(edition)
    checked = received(request, db, viewer, file)
    _unit(db, entered.unit)

    def work() -> Response:
        kept = _kept(db, store, checked)
        wanted = analyses.want(db, sha256=kept.sha256, file_name=kept.file_name, edition=rules, current=context.current(request))
        made = submissions.submit(
            db,
            viewer,
            edition=rules.id,
            file=kept,
            analysis=wanted,
            title=entered.title,
            organisation=entered.organisation,
            credit_code=checked_code(entered.credit_code) if entered.credit_code.strip() else None,
            contact=Contact(),
            unit=entered.unit,
        )
        receipt = ReceiptOut(submission=made.id, number=made.number, receipt=made.receipt, version=made.version)
        return answer(receipt, 202, location=f"/api/v1/submissions/{made.id}")

    return done_once(request, db, viewer, key, work, asked=(edition, entered, checked.file_name, digest_of(checked.data)))


@router.get("/{id}", response_model=SubmissionOut, responses={200: TAGGED, **READ, **UNCHANGED}, summary="一份申报材料")
def one(request: Request, db: context.Db, viewer: Party, id: SubmissionId) -> Response:  # noqa: A002 - as the address has it
    """登记内容、状态、经过和审读的进度。ETag 随改动变化，更改时放进 If-Match。"""
    row = submissions.one(db, viewer, id)
    progress = analyses.state(db, row.analysis)
    if request.headers.get("if-none-match") and progress.state == "done" and (same := known(request, row.etag)) is not None:
        return same
    return answer(_out(db, viewer, row), etag=row.etag)


@router.get("/{id}/report", response_model=dict[str, Any], responses=CHANGE, summary="审读报告")
def report(db: context.Db, viewer: Party, id: SubmissionId) -> Response:  # noqa: A002
    """最新一版的报告，与命令行 `biaogan check --json` 相同的对象（docs/report.md）；忽略的问题也在其中。还没有审读完时答 409。"""
    row = submissions.one(db, viewer, id)
    made = analyses.report(db, row.analysis, file_name=row.file_name)
    if made is None:
        raise ServiceError("analysis_not_done", "还没有审读完，或没有审读成，暂时没有报告。进度见这一项的 analysis。", status=409)
    return Json(report_json(made))


@router.post("/{id}/versions", status_code=202, response_model=ReceiptOut, responses={**UPLOAD, **GUARDED}, summary="上传新版本")
def add_version(
    request: Request,
    db: context.Db,
    viewer: Sender,
    store: context.Store,
    id: SubmissionId,  # noqa: A002
    file: Upload,
    match: IfMatch = None,
    key: Key = None,
) -> Response:
    """退回修改后，或截止以前，上传新的一版；得到新的回执。"""
    row = submissions.one(db, viewer, id)
    checked = received(request, db, viewer, file)

    def work() -> Response:
        _held(db, viewer, id, match)
        kept = _kept(db, store, checked)
        rules = rulebook.load(row.edition)
        wanted = analyses.want(db, sha256=kept.sha256, file_name=kept.file_name, edition=rules, current=context.current(request))
        if viewer.role == "applicant":
            made = applications.renew(db, viewer, id, file=kept, analysis=wanted, today=today())
        else:
            made = submissions.new_version(db, viewer, id, file=kept, analysis=wanted)
        receipt = ReceiptOut(submission=made.id, number=made.number, receipt=made.receipt, version=made.version)
        return answer(receipt, 202, location=f"/api/v1/submissions/{made.id}")

    return done_once(request, db, viewer, key, work, asked=(id, checked.file_name, digest_of(checked.data)))


@router.post("/{id}/decision", response_model=SubmissionOut, responses={200: TAGGED, **GUARDED}, summary="形审")
def decide(
    request: Request,
    db: context.Db,
    viewer: Sender,
    id: SubmissionId,  # noqa: A002
    deciding: Deciding,
    match: IfMatch = None,
    key: Key = None,
) -> Response:
    """通过、退回修改、搁置、重新受理；申报单位只能撤回自己的。"""

    def work() -> Response:
        expect = _held(db, viewer, id, match)
        triage.decide(db, viewer, id, deciding.action, reasons=deciding.reasons, expect=expect)
        return _changed(db, viewer, id)

    return done_once(request, db, viewer, key, work, asked=(id, match, deciding.model_dump_json()))


@router.post("/{id}/dismissals", status_code=201, response_model=SubmissionOut, responses={201: TAGGED, **GUARDED}, summary="忽略一个问题")
def dismiss(
    db: context.Db,
    viewer: context.Staff,
    id: SubmissionId,  # noqa: A002
    dismissing: Dismissing,
    match: IfMatch = None,
) -> Response:
    """不再计数，以后的版本里同样的文字也不计；列给规则的维护者。"""
    row = submissions.one(db, viewer, id)
    expect = _held(db, viewer, id, match)
    made = analyses.report(db, row.analysis, file_name=row.file_name)
    if made is None:
        raise ServiceError("analysis_not_done", "还没有审读完，暂时没有报告。请稍后再试。", status=409)
    place = (dismissing.rule, dismissing.start, dismissing.end)
    triage.dismiss(db, viewer, id, report=made, place=place, reason=dismissing.reason, expect=expect)
    return _changed(db, viewer, id, status=201)


@router.delete("/{id}/dismissals/{dismissal}", response_model=SubmissionOut, responses={200: TAGGED, **GUARDED}, summary="恢复忽略的问题")
def restore(
    db: context.Db,
    viewer: context.Staff,
    id: SubmissionId,  # noqa: A002
    dismissal: Annotated[int, Path(ge=1, lt=2**31, description="忽略的编号")],
    match: IfMatch = None,
) -> Response:
    """重新计数。"""
    row = submissions.one(db, viewer, id)
    expect = _held(db, viewer, id, match)
    made = analyses.report(db, row.analysis, file_name=row.file_name)
    triage.restore(db, viewer, id, dismissal, report=made, expect=expect)
    return _changed(db, viewer, id)


@router.put("/{id}/area", response_model=SubmissionOut, responses={200: TAGGED, **GUARDED}, summary="更正重点方向")
def correct(
    db: context.Db,
    viewer: context.Staff,
    id: SubmissionId,  # noqa: A002
    correcting: Correcting,
    match: IfMatch = None,
) -> Response:
    """连同程序原来的判断一并保存，供以后训练。"""
    row = submissions.one(db, viewer, id)
    expect = _held(db, viewer, id, match)
    triage.correct_area(db, viewer, id, correcting.areas, edition=rulebook.load(row.edition), expect=expect)
    return _changed(db, viewer, id)


# --- inside --------------------------------------------------------------------------------------------------------------------------


def _held(db: Connection, viewer: Viewer, id_: int, match: str | None) -> int | None:
    """Holds the row for a change; the revision that it must have. 404 stands before 428, 428 before 412."""
    submissions.held(db, viewer, id_)
    expect = expected(match, id_)
    try:
        submissions.held(db, viewer, id_, expect=expect)
    except ServiceError as error:
        raise failed_precondition(error) from error
    return expect


def _changed(db: Connection, viewer: Viewer, id_: int, *, status: int = 200) -> Response:
    row = submissions.one(db, viewer, id_)
    return answer(_out(db, viewer, row), status, etag=row.etag)


def _out(db: Connection, viewer: Viewer, row: Submission) -> SubmissionOut:
    own = set(SubmissionOut.model_fields) - {"analysis", "decisions", "dismissals", "contact", "areas"}
    return SubmissionOut(
        **{name: getattr(row, name) for name in own},
        areas=list(row.areas),
        contact=None if row.contact is None else ContactOut.model_validate(row.contact),
        analysis=AnalysisOut.model_validate(analyses.state(db, row.analysis)),
        decisions=[DecisionOut.model_validate(each) for each in triage.history(db, viewer, row.id)],
        dismissals=[DismissalOut.model_validate(each) for each in dismissals.of(db, row.id)] if viewer.is_staff else [],
    )


def _kept(db: Connection, store: context.Store, checked: Checked) -> Uploaded:
    return uploads.stored(db, store, checked)


def _unit(db: Connection, unit: int | None) -> None:
    if unit is not None and unit not in {each.id for each in units.listed(db)}:
        raise ServiceError("unit_unknown", "没有这个推荐单位。请核对编号。", status=422)
