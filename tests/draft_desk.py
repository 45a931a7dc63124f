"""Two constructed versions of a write-up, and how a test uploads one."""

from __future__ import annotations

from typing import Any

EDITION = "2024-caq"
FIRST = """阀门装配防错质量管理经验

一、企业概况
某阀门公司（构造）成立于1998年，主营工业阀门，现有员工860人，产品出口三十个国家和地区。

二、实施背景
装配环节漏装错装多发，顾客投诉集中，2021年质量损失率达到0.94%，公司决定导入防错管理。

三、实施过程
公司组建跨部门小组，识别高风险工序四十七处，逐一设计防错装置，并由班组每日点检。
员工精神面貌焕然一新，各项工作硕果累累，企业管理跃上新高度，得到各方一致好评。
"""
SECOND = FIRST.replace(
    "员工精神面貌焕然一新，各项工作硕果累累，企业管理跃上新高度，得到各方一致好评。\n",
    "\n四、实施成效\n质量损失率由2021年的0.94%降到2023年的0.52%，顾客满意度由90.1分提高到96.3分。\n",
)


def upload(client: Any, content: str | bytes = FIRST, *, name: str = "材料.txt", edition: str = EDITION, **fields: str) -> str:
    """Makes a draft; its address."""
    data = content.encode() if isinstance(content, str) else content
    answer = client.submit("/drafts/new", {"edition": edition, **fields}, files={"file": (name, data)})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])
