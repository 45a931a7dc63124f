"""The office's table: columns by their names, encodings, what its cells mean."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from library_shelf import submission
from openpyxl import Workbook

from service.credit_code import check_digit, credit_code
from service.errors import ServiceError
from service.library.benchmark import Entry, day, names, year
from service.library.describing import Given, area_id, area_ids, describe, given, meaning, title_only
from service.library.importing import items
from service.library.manifest import read

TABLE = """年度,级别,申报单位,统一社会信用代码,典型经验名称,文件名,备注
2022年,省级,澄岳阀门有限公司,,以防错为核心的装配质量管理经验,a.docx,好
2021,国家级,珞汀纸业有限公司,,纸机断纸预警实践,,
"""


def _written(tmp_path: Path, data: bytes, name: str = "清单.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_table_is_read_in_the_encodings_of_the_offices(tmp_path: Path, encoding: str, delimiter: str) -> None:
    found = read(_written(tmp_path, TABLE.replace(",", delimiter).encode(encoding)))
    assert found.taken == {
        "year": "年度",
        "level": "级别",
        "organisation": "申报单位",
        "credit_code": "统一社会信用代码",
        "title": "典型经验名称",
        "file": "文件名",
    }
    assert found.ignored == ("备注",)
    assert [row.line for row in found.rows] == [2, 3]
    assert found.rows[1].values == {"year": "2021", "level": "国家级", "organisation": "珞汀纸业有限公司", "title": "纸机断纸预警实践"}


def test_english_names_and_a_title_above_the_head(tmp_path: Path) -> None:
    data = "2022 winners,,\n\nFile Name,Year,Company\np01.md,2014,Chengyue\n"
    found = read(_written(tmp_path, data.encode()))
    assert found.taken == {"file": "File Name", "year": "Year", "organisation": "Company"}
    assert found.rows[0].line == 4


def test_a_workbook_is_read_with_its_dates_and_numbers(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["文件", "年度", "状态", "撤销日期", "原因"])
    sheet.append(["a.docx", 2022.0, "撤销", date(2023, 5, 1), "事故"])
    hidden = book.create_sheet("旧")
    hidden.sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    found = read(_written(tmp_path, stream.getvalue(), "清单.xlsx"))
    values = {"file": "a.docx", "year": "2022", "status": "撤销", "revoked_on": "2023-05-01", "revoked_reason": "事故"}
    assert found.rows[0].values == values
    said = given(values, Given())
    assert (said.year, said.status, said.revoked_on, said.revoked_reason) == (2022, "revoked", date(2023, 5, 1), "事故")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "manifest_columns"),
        ("序号,备注\n1,无\n".encode(), "manifest_columns"),
        (b"\x00\x01\x02\x03", "manifest_unreadable"),
        (b"PK\x03\x04 broken", "manifest_unreadable"),
        (b"\x81\xff\xff\x81", "manifest_unreadable"),
    ],
)
def test_what_is_no_table_is_refused_with_a_mend(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(ServiceError) as raised:
        read(_written(tmp_path, data))
    assert raised.value.code == code
    assert "请" in raised.value.message


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="文件或文件夹不存在"):
        read(tmp_path / "没有.csv")


def test_a_workbook_that_is_none_and_an_empty_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="已损坏"):
        read(_written(tmp_path, b"broken", "清单.xlsx"))
    with pytest.raises(ServiceError, match="是空的"):
        read(_written(tmp_path, b"", "清单.xlsx"))
    with pytest.raises(ServiceError, match="可写：国家级、省级、市级"):
        meaning("levels", "乡级")


@pytest.mark.parametrize(("said", "meant"), [("国家级", "national"), ("省", "province"), ("City", "city"), (" 市级 ", "city")])
def test_levels(said: str, meant: str) -> None:
    assert meaning("levels", said) == meant


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"level": "乡级"}, "manifest_value"),
        ({"status": "也许"}, "manifest_value"),
        ({"year": "二〇二二"}, "year_invalid"),
        ({"credit_code": "91990000MB00000198"}, "credit_code_invalid"),
        ({"edition": "1999"}, "edition_unknown"),
        ({"status": "撤销", "revoked_on": "2023-13-01"}, "date_invalid"),
    ],
)
def test_a_value_that_makes_no_sense_is_told(values: dict[str, str], code: str) -> None:
    with pytest.raises(ServiceError) as raised:
        given(values, Given())
    assert raised.value.code == code


def test_a_reason_without_revocation_is_none() -> None:
    assert given({"status": "有效", "revoked_reason": "无"}, Given()).revoked_reason is None


def test_areas_by_their_ids_and_official_names() -> None:
    assert area_ids("tqm，数字化", "2024-caq")[0] == "tqm"
    assert area_id("supply_chain") == "supply_chain"
    assert area_ids("自拟方向、tqm", "2024-caq") == ("自拟方向", "tqm")


def test_credit_codes() -> None:
    assert credit_code(" 91990000mb0000019 7") == "91990000MB00000197"
    assert check_digit("91350211MA2Y1PLC3") in "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for wrong in ("", "123", "91990000MB0000019I", "O1990000MB00000197"):
        with pytest.raises(ServiceError):
            credit_code(wrong)


def test_years_days_and_names() -> None:
    assert [year("2022年度"), year(2014), year("2019.0")] == [2022, 2014, 2019]
    assert [day("2023年5月1日"), day("2023/5/1"), day("2023-05-01 00:00:00")] == [date(2023, 5, 1)] * 3
    assert names("甲厂、乙厂；甲厂") == ("甲厂", "乙厂")


def test_rows_find_their_files(tmp_path: Path) -> None:
    files = [tmp_path / "2021" / "a.docx", tmp_path / "2022" / "a.docx", tmp_path / "2022" / "b.pdf", tmp_path / "c.docx"]
    stream = io.StringIO()
    csv.writer(stream).writerows(
        [["文件", "标题"], ["2022/a.docx", "甲"], ["B", "乙"], ["a.docx", "丙"], ["z.docx", "丁"], ["b.pdf", "戊"], ["", "己"]]
    )
    found = items(files, Given(), root=tmp_path, manifest=read(_written(tmp_path, stream.getvalue().encode())))
    by: dict[str, Any] = {item.name: item for item in found}
    assert by["2022/a.docx"].said.title == "甲"
    assert by["2022/b.pdf"].said.title == "乙"
    assert by["2021/a.docx"].said.title is by["c.docx"].said.title is None
    assert "有 2 个" in by["清单第 4 行"].error
    assert "没有文件“z.docx”" in by["清单第 5 行"].error
    assert "同一个文件" in by["清单第 6 行"].error
    assert by["清单第 7 行"].path is None


@pytest.mark.parametrize(
    ("name", "text", "year", "told"),
    [
        ("2019/a.md", "# 经验\n## 一、实施成效\n2018年降到2%。", 2019, ""),
        ("a2031.md", "# 2020年典型经验\n## 一、实施成效\n2018年降到2%。", 2020, "年度按封面里的年份记为 2020"),
        ("a.md", "# 经验\n2021年6月\n## 一、企业概况\n建于1990年。\n## 二、实施成效\n2018年降到2%。", 2021, "年度按封面里的年份记为 2021"),
        (
            "a.md",
            "# 经验\n## 一、企业概况\n公司成立于1990年，证书有效期至2024年5月。\n## 二、实施成效\n2018年3%，2020年2%。计划2023年1%。",
            2020,
            "年度按实施成效里最晚的年份记为 2020",
        ),
        ("a.md", "# 经验\n## 一、企业概况\n公司成立，证书2024年到期。", 2025, "文件里没有年份，年度记为今年（2025）"),
    ],
)
def test_a_year_is_guessed_from_what_was(tmp_path: Path, name: str, text: str, year: int, told: str) -> None:
    found = describe(submission(text), Given(organisation="厂", title="题"), path=tmp_path / name, root=tmp_path, today=date(2025, 3, 1))
    assert (found.entry.year, found.guessed) == (year, (told,) if told else ())


def test_a_title_only_row_needs_year_organisation_and_title() -> None:
    with pytest.raises(ServiceError, match="缺年度、单位"):
        title_only(Given(title="甲"))
    assert title_only(Given(year=2022, title=" 甲  乙 ", organisation="厂")) == Entry(2022, "厂", "甲 乙")
