"""Editions: rules, areas and dates."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import Field

from service import rulebook
from service.model import Edition
from service.programme import rounds
from service.render.edition import EditionShown, RuleShown, edition_shown
from service.web import context
from service.web.api.common import READ, SIGNED_IN, UNCHANGED, Out, answer, known, problems
from service.web.pages.editions import Run, run
from service.web.pages.editions import known as edition_known

router = APIRouter(tags=["版（届）"], dependencies=SIGNED_IN)
EditionId = Annotated[str, Path(max_length=60, description="版（届）的编号", examples=["2024-caq"])]


class RoundOut(Out):
    state: str = Field(description="open 正在受理、early 尚未开始、over 已截止、stopped 不再受理、none 没有安排")
    opens_on: date | None = Field(description="开始受理的日期")
    closes_on: date | None = Field(description="截止日期（含当日，北京时间）")
    days_left: int | None = Field(description="距截止还有几天；0 是最后一天")
    note: str = Field(description="办公室的说明")


class EditionOut(Out):
    id: str = Field(description="编号", examples=["2024-caq"])
    name: str = Field(description="名称")
    document: str = Field(description="文号")
    issuer: str = Field(description="发文单位")
    date: str | None = Field(description="发文日期；存档的通知没有写时为空")
    year: int = Field(description="申报年度")
    rules: int = Field(description="规则条数")
    round: RoundOut = Field(description="在本系统的受理情况")


class EditionList(Out):
    items: list[EditionOut] = Field(description="各届，新的在前")


class SectionOut(Out):
    key: str | None = Field(description="部分的键；几个部分合计时为空")
    name: str = Field(description="通知里的名称")
    required: bool | None = Field(description="是否必备；合计时为空")
    allowed: str = Field(description="字数要求，如“≤ 1,000”；没有要求时为空串")
    headings: list[str] = Field(description="也认作这一部分的标题")


class AreaOut(Out):
    id: str = Field(description="编号")
    name: str = Field(description="名称")
    wording: str = Field(description="通知的原文")
    clause: str = Field(description="条款")


class CriterionOut(Out):
    id: str = Field(description="编号")
    name: str = Field(description="名称")
    wording: str = Field(description="原文")
    clause: str = Field(description="条款")


class RuleOut(Out):
    id: str = Field(description="编号", examples=["2022-hebei/2.3"])
    check: str = Field(description="检查的键")
    name: str = Field(description="检查的名称")
    severity: str = Field(description="error 错误、warning 提醒、advice 建议")
    basis: str = Field(description="notice 通知、programme 惯例、ours 本系统")
    clause: str | None = Field(description="条款")
    message: str = Field(description="不符时的提示；〔〕内为审读时填入的内容")
    asked: str = Field(description="参数，用文字写出")
    unavailable: str | None = Field(description="为什么不判断；判断的规则为空")


class EditionFull(EditionOut):
    hash: str = Field(description="规则文件的 SHA-256；改动规则后变化")
    tolerance: float = Field(description="超出上限多少以内不算超出，0～1")
    choice: str = Field(description="one 只报一个方向、several 可报几个")
    sections: list[SectionOut]
    areas: list[AreaOut]
    criteria: list[CriterionOut]
    rule_list: list[RuleOut]


@router.get("/editions", response_model=EditionList, responses=problems(), summary="各届")
def listed(db: context.Db, _viewer: context.Anyone) -> Response:
    """全部规则文件，连同在本系统的受理情况。"""
    running = rounds.listed(db)
    editions = sorted((rulebook.load(each.id) for each in rulebook.editions()), key=lambda each: (-each.year, each.id))
    return answer(EditionList(items=[_head(each, run(running.get(each.id))) for each in editions]))


@router.get("/editions/{id}", response_model=EditionFull, responses={**READ, **UNCHANGED}, summary="一届的全部规则")
def one(request: Request, db: context.Db, _viewer: context.Anyone, id: EditionId) -> Response:  # noqa: A002 - as the address has it
    """各部分、方向、评选标准和逐条规则，都写明条款。"""
    edition = edition_known(id)
    running = run(rounds.listed(db).get(id))
    etag = f'"{edition.hash[:16]}-{running.state}-{running.days_left}"'
    return known(request, etag) or answer(_full(edition_shown(edition), running), etag=etag)


def _head(edition: Edition, running: Run) -> EditionOut:
    names = ("id", "name", "document", "issuer", "date", "year")
    plain = {name: getattr(edition, name) for name in names}
    return EditionOut(**plain, rules=len(edition.rules), round=RoundOut.model_validate(running))


def _full(shown: EditionShown, running: Run) -> EditionFull:
    edition = shown.edition
    return EditionFull(
        **_head(edition, running).model_dump(),
        hash=edition.hash,
        tolerance=edition.tolerance,
        choice=edition.choice,
        sections=[SectionOut(**{name: getattr(each, name) for name in SectionOut.model_fields}) for each in shown.sections],
        areas=[AreaOut.model_validate(each) for each in edition.areas],
        criteria=[CriterionOut.model_validate(each) for each in edition.criteria],
        rule_list=[_rule(each) for each in (*shown.rules, *shown.unjudged)],
    )


def _rule(shown: RuleShown) -> RuleOut:
    rule = shown.rule
    return RuleOut(
        id=rule.id,
        check=rule.check,
        name=shown.name,
        severity=rule.severity,
        basis=rule.basis,
        clause=rule.clause,
        message=shown.plain,
        asked=shown.asked,
        unavailable=rule.unavailable,
    )
