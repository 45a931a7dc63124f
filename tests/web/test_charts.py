"""Charts: the same numbers drawn and in the table, names escaped, nothing inline, an axis whose numbers are whole."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from service.web import charts
from service.web.charts import Mark, Stack

HOSTILE = '<script>alert(1)</script>"&'


def read(chart: Markup) -> ET.Element:
    return ET.fromstring(str(chart))


def words(chart: Markup) -> str:
    return " ".join(read(chart).itertext())


@pytest.mark.parametrize(
    "chart",
    [
        charts.bars([Mark(HOSTILE, 3, "error", "/x?a=1&b=2"), Mark("绿色低碳", 0)], title=HOSTILE),
        charts.columns([Mark("11-20", 5), Mark(HOSTILE, 12)], title="每天收到"),
        charts.stacks([Stack(HOSTILE, (3, 4))], [("待形审", ""), ("已通过", "good")], title="推荐单位"),
        charts.histogram([3100, 3900, 5200, 8100], step=1000, title="字数", least=3500, most=5000),
    ],
)
def test_it_is_well_formed_and_has_nothing_inline(chart: Markup) -> None:
    assert "<script" not in chart
    assert not re.search(r"\sstyle=|\son\w+=", str(chart))
    assert read(chart).find(".//table") is not None
    assert read(chart).find("svg") is not None


def test_the_table_has_the_numbers_and_the_links() -> None:
    chart = read(charts.bars([Mark("绿色低碳", 1234, href="/submissions?area=c"), Mark("供应链", 7)], title="方向", unit="份"))
    rows = [list(row.itertext()) for row in chart.findall(".//tbody/tr")]
    assert rows == [["绿色低碳", "1,234"], ["供应链", "7"]]
    link = chart.find(".//tbody//a")
    assert link is not None and link.get("href") == "/submissions?area=c"


def test_a_histogram_counts_every_value_once_and_marks_what_is_out_of_bounds() -> None:
    chart = read(charts.histogram([2999, 3000, 3001, 5000, 5999], step=1000, title="字数", least=3000, most=5000))
    counts = [int(row[1].text or "") for row in chart.findall(".//tbody/tr")]
    assert counts == [1, 2, 0, 2]
    kinds = [one.get("class") for one in chart.iter("rect")]
    assert kinds == ["mark error", "mark", "mark", "mark error"]
    assert "上限 5,000" in " ".join(chart.itertext())


def test_a_long_name_is_cut_in_the_drawing_alone() -> None:
    name = "构造省构造市工业和信息化局质量与技术创新处"
    chart = read(charts.bars([Mark(name, 2)], title="推荐单位"))
    assert chart.find(".//svg/text/title").text == name  # type: ignore[union-attr]
    assert name in " ".join(chart.find(".//table").itertext())  # type: ignore[union-attr]


def test_nothing_to_show_is_said() -> None:
    for chart in (charts.bars([], title="方向"), charts.histogram([], step=500, title="字数"), charts.columns([], title="每天")):
        assert "还没有数据" in chart


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60))
def test_columns_stay_inside_the_drawing(values: list[int]) -> None:
    chart = read(charts.columns([Mark(str(number), value) for number, value in enumerate(values)], title="收到"))
    svg = chart.find("svg")
    assert svg is not None
    height = float((svg.get("viewBox") or "").split()[3])
    for one in svg.iter("rect"):
        assert float(one.get("y", "")) >= 0
        assert float(one.get("y", "")) + float(one.get("height", "")) <= height
        assert 0 <= float(one.get("x", "")) <= 600 - float(one.get("width", "")) + 0.2
