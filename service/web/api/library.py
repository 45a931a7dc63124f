"""Past benchmarks: found and read."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.library import areas, read
from service.library.benchmark import Benchmark
from service.library.read import Part, Wanted
from service.render.wording import printable
from service.web import context
from service.web.api.common import LISTED, READ, SIGNED_IN, Out, answer, pages, problems
from service.web.pages.library import Reader, found, indexer

router = APIRouter(tags=["往年标杆"], dependencies=SIGNED_IN)
BenchmarkId = Annotated[str, Path(max_length=20, description="编号", examples=["2022-0007"])]


class BenchmarkOut(Out):
    id: str = Field(description="编号", examples=["2022-0007"])
    year: int = Field(description="入选年度")
    level: str | None = Field(description="national 国家级、province 省级、city 市级")
    organisation: str | None = Field(description="单位")
    former_names: list[str] = Field(description="曾用名")
    title: str = Field(description="题目")
    edition: str | None = Field(description="当年的规则")
    areas: list[str] = Field(description="重点方向，通知里的名称")
    status: str = Field(description="in_force 有效、revoked 已撤销")
    revoked_reason: str | None = Field(description="撤销的原因")
    revoked_on: date | None = Field(description="撤销的日期")
    words: int | None = Field(description="字数；只有题目时为空")


class BenchmarkList(Out):
    items: list[BenchmarkOut]


class SectionOut(Out):
    key: str = Field(description="部分的键")
    heading: str | None = Field(description="文中的标题")
    start: int = Field(description="在 text 里的起点（按字符）")
    end: int = Field(description="终点")
    words: int = Field(description="字数")


class BenchmarkFull(BenchmarkOut):
    text: str | None = Field(description="正文，个人信息已遮盖；只有题目时为空")
    sections: list[SectionOut]


class Asked(BaseModel):
    q: str = Field(default="", max_length=100, description="题目、单位或正文里的词，空格隔开")
    year: int | None = Field(default=None, ge=1900, le=2100, description="年度")
    level: Literal["", "national", "province", "city"] = Field(default="", description="级别")
    area: str = Field(default="", max_length=100, description="重点方向，通知里的名称")
    status: Literal["", "in_force", "revoked"] = Field(default="", description="状态")
    page: int = Field(default=1, ge=1, le=100_000, description="第几页")
    size: int = Field(default=50, ge=1, le=200, description="每页几条")


@router.get("/library", response_model=BenchmarkList, responses={200: LISTED, **problems()}, summary="查找往年标杆")
def listed(request: Request, db: context.Db, _viewer: Reader, asked: Annotated[Asked, Query()]) -> Response:
    """不带 q 时按年度从新到旧；带 q 时按相关程度。"""
    area = printable(asked.area).strip()
    keys = areas.keys_of(area, read.spread_areas(db)) if area else ()
    wanted = Wanted(year=asked.year, level=asked.level or None, status=asked.status or None, areas=keys)
    said, skip = printable(asked.q).split(), (asked.page - 1) * asked.size
    if said:
        words = indexer(request)
        parts = [Part(part, tuple(words.query_words(part))) for part in dict.fromkeys(said)]
        hits, total = read.search(db, parts, wanted, most=asked.size, skip=skip)
        several = [hit.benchmark for hit in hits]
    else:
        total, _ = read.counted(db, wanted)
        several = read.listed(db, wanted, most=asked.size, skip=skip)
    items = [BenchmarkOut(**_values(each)) for each in several]  # type: ignore[arg-type]
    return answer(BenchmarkList(items=items), headers=pages(request, page=asked.page, size=asked.size, total=total))


@router.get("/library/{id}", response_model=BenchmarkFull, responses=READ, summary="一份往年标杆")
def one(db: context.Db, _viewer: Reader, id: BenchmarkId) -> Response:  # noqa: A002 - as the address has it
    """登记内容、正文和各部分的位置。"""
    past = found(db, id)
    submission = past.submission
    sections = () if submission is None else submission.sections
    return answer(
        BenchmarkFull(
            **_values(past.benchmark),  # type: ignore[arg-type]
            text=None if submission is None else submission.text,
            sections=[SectionOut.model_validate(each) for each in sections],
        )
    )


def _values(benchmark: Benchmark) -> dict[str, object]:
    row = benchmark.row()
    told = {name: row[name] for name in BenchmarkOut.model_fields}
    return {**told, "areas": list(areas.names_of(benchmark.entry))}
