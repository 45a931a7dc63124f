"""From a draft to a receipt, and what an applicant sees of it afterwards."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from draft_desk import EDITION, FIRST, SECOND, upload
from sqlalchemy import func, select

from service.credit_code import check_digit
from service.database.programme_tables import rounds, submission_versions, submissions
from service.programme import triage
from service.programme.viewer import SYSTEM, Viewer
from service.web.rendering import today

SAMPLES = Path(__file__).resolve().parents[2] / "corpora/samples"
CODE = "91990000MB0000019" + check_digit("91990000MB0000019")
PAYLOAD = "<img src=x onerror=alert(1)>\"'&"


@pytest.fixture(name="client")
def _client(site: Any) -> Any:
    accept(site)
    return site.as_("applicant")


def accept(site: Any, *, days: int = 30, accepting: bool = True) -> None:
    with site.connection() as db:
        db.execute(rounds.delete())
        db.execute(rounds.insert().values(edition=EDITION, accepting=accepting, closes_on=today() + timedelta(days=days)))


def told(**changed: Any) -> dict[str, Any]:
    return {
        "title": "阀门装配防错质量管理经验",
        "organisation": "某阀门公司（构造）",
        "credit_code": CODE,
        "contact_name": "张某",
        "phone": "010-12345678",
        "email": "someone@example.com",
        "areas": ["tqm", "supply_chain"],
        "agreed": "1",
    } | changed


def handed_in(client: Any, content: str = FIRST, **changed: Any) -> tuple[str, str]:
    """Address of the draft, of the receipt."""
    address = upload(client, content)
    answer = client.submit(f"{address}/submit", told(**changed))
    assert answer.status_code == 303, answer.text
    return address, str(answer.headers["location"])


def number_of(site: Any, receipt: str) -> int:
    with site.connection() as db:
        wanted = submission_versions.c.receipt == receipt.rpartition("/")[2]
        return int(db.execute(select(submission_versions.c.submission).where(wanted)).scalar_one())


def test_a_draft_is_submitted_and_answered_with_a_receipt(site: Any, client: Any) -> None:
    address = upload(client)
    site.run_jobs()
    form = client.get(f"{address}/submit").text
    assert "缺少必备部分：实施成效" in form
    assert "阀门装配防错质量管理经验" in form
    answer = client.submit(f"{address}/submit", told())
    receipt = answer.headers["location"]
    page = client.get(receipt).text
    assert f"{EDITION}-0001" in page
    assert re.search(r"[0-9a-f]{64}", page)
    assert "材料.txt" in page
    plain = client.get(f"{receipt}.txt")
    assert "attachment" in plain.headers["content-disposition"]
    assert f"申报编号：{EDITION}-0001" in plain.text
    with site.connection() as db:
        row = db.execute(select(submissions)).one()
    assert (row.organisation, row.credit_code, row.contact_phone) == ("某阀门公司（构造）", CODE, "010-12345678")
    assert row.areas == ["tqm", "supply_chain"]
    assert f"{EDITION}-0001" in client.get("/my").text
    assert "已提交" in client.get("/drafts").text


def test_open_errors_are_named_and_forbid_nothing(site: Any) -> None:
    with site.connection() as db:
        db.execute(rounds.insert().values(edition="2022-hebei"))
    client = site.as_("applicant")
    address = upload(client, (SAMPLES / "s7.docx").read_bytes(), name="s7.docx", edition="2022-hebei")
    site.run_jobs()
    assert re.search(r"仍有 [1-9]\d* 项错误，确定提交？", client.get(f"{address}/submit").text)
    assert client.submit(f"{address}/submit", told(areas=["methods"])).status_code == 303


def test_submitting_twice_leads_to_the_same_receipt(site: Any, client: Any) -> None:
    address, receipt = handed_in(client)
    assert client.submit(f"{address}/submit", told(title="别的题目")).headers["location"] == receipt
    with site.connection() as db:
        assert db.execute(select(func.count()).select_from(submissions)).scalar_one() == 1
    assert "不必再提交" in client.get(f"{address}/submit").text


def test_the_draft_s_next_version_becomes_the_submission_s(site: Any, client: Any) -> None:
    address, receipt = handed_in(client)
    client.submit(f"{address}/versions", files={"file": ("二稿.txt", SECOND.encode())})
    assert "提交这个版本" in client.get(f"{address}/submit").text
    again = client.submit(f"{address}/submit").headers["location"]
    assert again != receipt
    assert "第 2 版" in client.get(again).text
    assert client.get(receipt).status_code == 200, "the first receipt stays"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("credit_code", "91990000MB00000190", "末位校验码"),
        ("credit_code", "", "请填写统一社会信用代码"),
        ("title", " ", "请填写题目"),
        ("title", "长" * 201, "超过 200 个字"),
        ("organisation", "", "请填写单位名称"),
        ("contact_name", "", "请填写联系人"),
        ("phone", "没有", "请填写手机或带区号的固定电话"),
        ("email", "nobody", "邮箱的写法不对"),
        ("areas", [], "请选择申报方向"),
        ("areas", ["elsewhere"], "请从列出的方向中选择"),
        ("agreed", "", "请确认内容真实"),
    ],
)
def test_what_is_wrong_is_told_beside_the_field(site: Any, client: Any, field: str, value: Any, message: str) -> None:
    address = upload(client)
    answer = client.submit(f"{address}/submit", told(**{field: value}))
    assert answer.status_code == 422
    assert message in answer.text
    assert "某阀门公司（构造）" in answer.text or field == "organisation", "what was typed is still there"
    with site.connection() as db:
        assert db.execute(select(func.count()).select_from(submissions)).scalar_one() == 0


def test_one_direction_where_the_edition_lets_one_be_chosen(site: Any) -> None:
    with site.connection() as db:
        db.execute(rounds.insert().values(edition="2016-jiangsu"))
    client = site.as_("applicant")
    address = upload(client, edition="2016-jiangsu")
    assert 'type="radio" name="areas"' in client.get(f"{address}/submit").text
    assert "只能选一个方向" in client.submit(f"{address}/submit", told(areas=["brand", "methods"])).text
    assert client.submit(f"{address}/submit", told(areas=["brand"])).status_code == 303


def test_the_recommending_unit_is_one_of_those_in_use(site: Any, client: Any) -> None:
    with site.connection() as db:
        unit = site.unit(db, "某省质量协会（构造）")
    address = upload(client)
    assert "某省质量协会（构造）" in client.get(f"{address}/submit").text
    for wrong in ("", "999999", "x"):
        assert "请选择推荐单位" in client.submit(f"{address}/submit", told(unit=wrong)).text
    receipt = client.submit(f"{address}/submit", told(unit=str(unit))).headers["location"]
    assert "某省质量协会（构造）" in client.get(receipt).text


def test_nothing_is_taken_after_the_deadline(site: Any, client: Any) -> None:
    address = upload(client)
    accept(site, days=-1)
    closed = (today() - timedelta(days=1)).isoformat()
    assert closed in client.get(f"{address}/submit").text
    answer = client.submit(f"{address}/submit", told())
    assert answer.status_code == 409
    assert f"已于 {closed} 截止" in answer.text
    accept(site, days=0)
    assert client.submit(f"{address}/submit", told()).status_code == 303, "the last day counts"


def test_an_edition_that_is_not_run_takes_nothing(site: Any) -> None:
    client = site.as_("applicant")
    address = upload(client)
    assert client.submit(f"{address}/submit", told()).status_code == 409


def test_what_is_returned_says_why_and_takes_a_new_version_after_the_deadline(site: Any, client: Any) -> None:
    _, receipt = handed_in(client)
    id_ = number_of(site, receipt)
    accept(site, days=-1)
    assert client.submit(f"/my/{id_}/versions", files={"file": ("b.txt", SECOND.encode())}).status_code == 409
    assert len(list(site.files.iterate())) == 1, "what is not taken is not kept"
    with site.connection() as db:
        office = Viewer(site.user("office"), "office", "李某", "office")
        triage.decide(db, office, id_, "return", reasons=f"缺少实施成效\n{PAYLOAD}")
    page = client.get(f"/my/{id_}").text
    assert "缺少实施成效" in page
    assert "<img" not in page
    assert "李某" not in page, "who of the office decided is the office's own"
    assert "退回修改" in client.get("/my").text
    answer = client.submit(f"/my/{id_}/versions", files={"file": ("b.txt", SECOND.encode())})
    assert answer.status_code == 303
    assert "第 2 版" in client.get(answer.headers["location"]).text
    site.run_jobs()
    page = client.get(f"/my/{id_}").text
    assert "与第 1 版相比" in page
    assert "待形审" in page
    assert client.get(f"/my/{id_}/file?version=1").content == FIRST.encode()
    assert client.get(f"/my/{id_}/report.html").status_code == 200


def test_the_same_file_again_has_the_same_receipt(site: Any, client: Any) -> None:
    _, receipt = handed_in(client)
    id_ = number_of(site, receipt)
    answer = client.submit(f"/my/{id_}/versions", files={"file": ("b.txt", FIRST.encode())})
    assert answer.headers["location"] == receipt


def test_a_submission_is_withdrawn_by_its_owner(site: Any, client: Any) -> None:
    _, receipt = handed_in(client)
    id_ = number_of(site, receipt)
    assert client.submit(f"/my/{id_}/withdraw", {"revision": "9"}).status_code == 409
    assert client.submit(f"/my/{id_}/withdraw", {"revision": "1"}).status_code == 303
    page = client.get(f"/my/{id_}").text
    assert "已撤回" in page
    assert "不能再上传新版本" in page
    assert client.submit(f"/my/{id_}/versions", files={"file": ("b.txt", SECOND.encode())}).status_code == 409


def test_who_may_see_a_receipt(site: Any, client: Any) -> None:
    with site.connection() as db:
        mine, other = site.unit(db, "甲协会（构造）"), site.unit(db, "乙协会（构造）")
    address = upload(client)
    receipt = client.submit(f"{address}/submit", told(unit=str(mine))).headers["location"]
    id_ = number_of(site, receipt)
    stranger = site.as_("applicant", name="another")
    for path in (receipt, f"{receipt}.txt", f"/my/{id_}", f"/my/{id_}/file", f"/my/{id_}/report.html", f"/my/{id_}/progress"):
        assert stranger.get(path).status_code == 404, path
    for path in ("versions", "withdraw"):
        assert stranger.submit(f"/my/{id_}/{path}", {"revision": "1"}, files={"file": ("b.txt", b"text")}).status_code == 404
    assert site.as_("reviewer").get(receipt).status_code == 404
    assert site.as_("unit", name="theirs", unit=other).get(receipt).status_code == 404
    assert site.as_("unit", name="ours", unit=mine).get(receipt).status_code == 200
    assert site.as_("office").get(receipt).status_code == 200
    assert site.as_("office").get(f"/my/{id_}").status_code == 403
    assert site.as_(None).get(receipt, follow_redirects=False).status_code == 303
    assert client.get("/receipts/0000-0000-0000-0000-0000").status_code == 404
    assert client.get("/receipts/%00").status_code == 404


def test_changes_need_the_token(site: Any, client: Any) -> None:
    address, receipt = handed_in(client)
    id_ = number_of(site, receipt)
    client.csrf = "wrong"
    assert client.submit(f"{address}/submit", told()).status_code == 403
    for path in ("versions", "withdraw"):
        assert client.submit(f"/my/{id_}/{path}", {"revision": "1"}, files={"file": ("b.txt", b"text")}).status_code == 403


def test_what_is_declared_is_shown_as_text(site: Any, client: Any) -> None:
    address = upload(client, name=f"{PAYLOAD}.txt")
    site.run_jobs()
    bad = told(title=f"题目{PAYLOAD}", organisation=f"单位{PAYLOAD}", contact_name=f"张{PAYLOAD}")
    receipt = client.submit(f"{address}/submit", bad).headers["location"]
    wrong = client.submit(f"{upload(client, SECOND)}/submit", bad | {"credit_code": PAYLOAD}).text
    pages = [client.get(path).text for path in ("/my", f"/my/{number_of(site, receipt)}", receipt, f"{address}/submit")]
    for page in (*pages, wrong):
        assert "<img src=x" not in page
        assert "&lt;img" in page


def test_the_draft_may_go_while_the_submission_stays(site: Any, client: Any) -> None:
    address, receipt = handed_in(client)
    site.run_jobs()
    client.submit(f"{address}/delete")
    id_ = number_of(site, receipt)
    assert client.get(f"/my/{id_}/file").content == FIRST.encode()
    assert "先看这里" in client.get(f"/my/{id_}").text
    assert client.get(receipt).status_code == 200


def test_a_second_application_begins_with_what_seldom_changes(site: Any, client: Any) -> None:
    handed_in(client)
    form = client.get(f"{upload(client, SECOND)}/submit").text
    assert CODE in form
    assert "010-12345678" in form
    assert "您在这一届已提交" in form


def test_the_system_itself_owns_no_drafts(site: Any) -> None:
    from service.programme import drafts

    with site.connection() as db:
        assert drafts.mine(db, SYSTEM) == []


def test_samples_of_other_formats_say_why_there_are_no_comments(site: Any) -> None:
    client = site.as_("applicant")
    data = (SAMPLES / "s1.pdf").read_bytes()
    answer = client.submit("/drafts/new", {"edition": EDITION}, files={"file": ("a.pdf", data)})
    site.run_jobs()
    page = client.get(answer.headers["location"]).text
    assert "批注只能写进 .docx。这份文件是PDF" in page
    assert client.get(f"{answer.headers['location']}/annotated.docx").status_code == 409
