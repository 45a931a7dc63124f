"""Hands in constructed write-ups through the domain functions, as the pages do, for the tests of the office's pages."""

from __future__ import annotations

from typing import Any

from service import rulebook
from service.programme import analyses, submissions
from service.programme.submissions import Submitted, Uploaded
from service.programme.viewer import Viewer

TEXT = """# {title}

## 一、企业概况

示例公司是一家装备制造企业，现有职工300人，主要产品为液压阀。

## 二、实施背景

客户对泄漏的投诉逐年增加，急需改进质量管理。{background}

## 三、实施过程

{process}

## 四、实施成效

2021年一次合格率为90.4%，2022年为93.1%，2023年为96.8%。
"""
PROCESS = (
    "质量部成立六西格玛项目小组，用DMAIC方法分解问题，开展测量系统分析和正交试验，确定珩磨转速与油石粒度的最优组合，并固化为作业标准。"
)


def text(*, title: str = "实施六西格玛DMAIC降低内泄漏的经验", background: str = "", process: str = PROCESS) -> bytes:
    return TEXT.format(title=title, background=background, process=process).encode()


def viewer(site: Any, role: str, **account: Any) -> Viewer:
    id_ = site.user(role, **account)
    return Viewer(id_, role, role, role, unit=account.get("unit"))  # type: ignore[arg-type]


def hand_in(site: Any, data: bytes | None = None, *, by: Viewer | None = None, file_name: str = "申报书.md", **more: Any) -> Submitted:
    """One that waits for its analysis; `site.run_jobs()` does it."""
    data = data or text()
    told = {"edition": "2024-caq", "title": "实施六西格玛降低内泄漏的经验", "organisation": "示例液压公司（构造）", **more}
    with site.connection() as db:
        file = Uploaded(site.files.put(data), file_name, len(data))
        made = analyses.want(
            db, sha256=file.sha256, file_name=file_name, edition=rulebook.load(told["edition"]), current=analyses.current()
        )
        return submissions.submit(db, by or viewer(site, "applicant"), file=file, analysis=made, **told)


def send_again(site: Any, id_: int, data: bytes, *, by: Viewer | None = None, file_name: str = "申报书 修改.md") -> Submitted:
    with site.connection() as db:
        file = Uploaded(site.files.put(data), file_name, len(data))
        made = analyses.want(db, sha256=file.sha256, file_name=file_name, edition=rulebook.load("2024-caq"), current=analyses.current())
        return submissions.new_version(db, by or viewer(site, "applicant"), id_, file=file, analysis=made)
