"""What administrators do in the browser: accounts, units, rounds, the record, the system."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from service import lexicon, programme
from service.programme import accounts, audit, rounds, units
from service.programme.accounts import Wanted
from service.programme.viewer import SYSTEM, Viewer

GOOD = "窗外 四棵 白杨 树"
ADDRESSES = ("users", "users/new", "units", "rounds", "events", "events/check", "events/export.csv", "events/export.json", "system")


@pytest.fixture(name="admin")
def _admin(site: Any) -> Any:
    return site.as_("admin")


@pytest.mark.parametrize("role", ["office", "reviewer", "applicant", "unit"])
def test_others_see_nothing_of_it(site: Any, role: str) -> None:
    client = site.as_(role)
    for address in ADDRESSES:
        assert client.get(f"/admin/{address}").status_code == 403, address
    assert client.submit("/admin/users/new", {"name": "mine", "role": "admin"}).status_code == 403


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_opens(admin: Any, address: str) -> None:
    assert admin.get(f"/admin/{address}").status_code == 200


# --- accounts ---------------------------------------------------------------------------------------------------------------------------


def test_a_new_account_gets_a_link_that_is_shown_once(site: Any, admin: Any) -> None:
    made = admin.submit("/admin/users/new", {"name": "Wang5", "role": "reviewer", "shown": "王五", "email": "w@example.com"})
    link = re.search(r'value="http://testserver(/welcome/[\w-]+)"', made.text)
    assert link is not None
    page = admin.get("/admin/users?q=wang").text
    assert "王五" in page
    assert "未启用" in page
    address = re.search(r"/admin/users/\d+", page)
    assert address is not None
    assert "/welcome/" not in admin.get(address[0]).text
    assert "wang5" in site.as_(None).get(link[1]).text
    again = admin.submit(f"{address[0]}/link")
    assert "/welcome/" in again.text
    assert site.as_(None).get(link[1]).status_code == 404


def test_a_form_that_is_not_right_keeps_what_was_filled_in(admin: Any) -> None:
    answer = admin.submit("/admin/users/new", {"name": "zhou", "role": "unit", "shown": "<b>周</b>", "organisation": "构造厂"})
    assert answer.status_code == 422
    assert "选定一个推荐单位" in answer.text
    assert "&lt;b&gt;周&lt;/b&gt;" in answer.text
    assert "<b>周</b>" not in answer.text
    for wrong, told in (
        ({"code": "1"}, "信用代码"),
        ({"role": "king"}, "没有角色"),
        ({"email": "x"}, "电子邮箱"),
        ({"unit": "x"}, "推荐单位"),
    ):
        answer = admin.submit("/admin/users/new", {"name": "zhou", "role": "unit", **wrong})
        assert answer.status_code == 422
        assert told in answer.text


def test_an_account_is_changed_disabled_and_enabled(site: Any, admin: Any) -> None:
    client = site.as_("office", name="li")
    url = f"/admin/users/{client.user}"
    assert 'value="office" checked' in admin.get(f"{url}/edit").text
    assert admin.submit(f"{url}/edit", {"role": "office", "shown": "李四"}).status_code == 303
    assert client.get("/account").status_code == 200  # a new name takes no rights away
    assert admin.submit(f"{url}/edit", {"role": "reviewer", "shown": "李四"}).status_code == 303
    assert client.get("/account", follow_redirects=False).status_code == 303
    other = site.as_("reviewer", name="li")
    assert admin.submit(f"{url}/disable").status_code == 303
    assert other.get("/account", follow_redirects=False).status_code == 303
    assert "已停用" in admin.get("/admin/users?state=disabled").text
    assert admin.submit(f"{url}/enable").status_code == 303
    with site.connection() as db:
        assert accounts.one(db, SYSTEM, client.user).active


def test_an_administrator_does_not_lock_himself_out(site: Any, admin: Any) -> None:
    for change, data in (("disable", {}), ("edit", {"role": "office"})):
        answer = admin.submit(f"/admin/users/{admin.user}/{change}", data)
        assert answer.status_code in (409, 422)
        assert "自己" in answer.text
    assert admin.get("/admin/users").status_code == 200


def test_a_long_list_has_pages(site: Any, admin: Any) -> None:
    with site.connection() as db:
        for number in range(120):
            accounts.add(db, SYSTEM, Wanted(f"user{number:03}", "applicant", organisation="构造厂"))
    first, second = admin.get("/admin/users").text, admin.get("/admin/users?page=2").text
    assert "共 121 条" in first
    assert "user001" in first
    assert "user001" not in second
    assert "user119" in second
    assert admin.get("/admin/users?page=99").status_code == 200
    assert admin.get("/admin/users?page=0").status_code == 422
    assert admin.get(f"/admin/users/{10**12}").status_code == 422


# --- units and rounds -------------------------------------------------------------------------------------------------------------------


def test_units_get_quotas(site: Any, admin: Any) -> None:
    assert admin.submit("/admin/units", {"name": "某市工信局（构造）"}).status_code == 303
    assert admin.submit("/admin/units", {"name": "某市工信局（构造）"}).status_code == 422
    with site.connection() as db:
        (unit,) = units.listed(db)
    data = {"edition": "2022-hebei", f"places-{unit.id}": "7", "places-999": "3", "places-x": "1"}
    assert admin.submit("/admin/units/quotas", data).status_code == 303
    assert 'value="7"' in admin.get("/admin/units?edition=2022-hebei").text
    assert 'value="7"' not in admin.get("/admin/units?edition=2024-caq").text
    for wrong in ("-1", "1.5", "七", "99999999"):
        assert admin.submit("/admin/units/quotas", {"edition": "2022-hebei", f"places-{unit.id}": wrong}).status_code == 422
    assert admin.submit("/admin/units/quotas", {"edition": "1999", f"places-{unit.id}": "1"}).status_code == 404
    assert admin.submit("/admin/units/quotas", {"edition": "2022-hebei", f"places-{unit.id}": ""}).status_code == 303
    assert admin.submit(f"/admin/units/{unit.id}", {"name": "某市工信局（新名，构造）"}).status_code == 303
    with site.connection() as db:
        (unit,) = units.listed(db)
    assert (unit.name, unit.active, unit.quotas) == ("某市工信局（新名，构造）", False, {})


def test_a_round_is_opened_until_a_day(site: Any, admin: Any) -> None:
    data = {"accepting": "1", "opens_on": "2026-03-01", "closes_on": "2099-12-31", "note": "纸质材料寄到<某处>"}
    assert admin.submit("/admin/rounds/2022-hebei", data).status_code == 303
    page = admin.get("/admin/rounds").text
    assert "正在接收" in page
    assert "纸质材料寄到&lt;某处&gt;" in page
    for wrong, told in (({"closes_on": "2026-02-01"}, "早于"), ({"opens_on": "明天"}, "开始日期"), ({"note": "字" * 501}, "最多")):
        answer = admin.submit("/admin/rounds/2022-hebei", {**data, **wrong})
        assert answer.status_code == 422
        assert told in answer.text
    assert admin.submit("/admin/rounds/1999", data).status_code == 404
    assert admin.submit("/admin/rounds/2022-hebei", {}).status_code == 303
    with site.connection() as db:
        assert not rounds.of(db, "2022-hebei").accepting


# --- the record -------------------------------------------------------------------------------------------------------------------------


def _record(site: Any) -> None:
    with site.connection() as db:
        who = Viewer(None, "x", '=HYPERLINK("http://evil.example","点我")', "office", address="10.0.0.9")
        audit.record(
            db, who, "submission.returned", "submission:12", details={"reason": "<img src=x onerror=alert(1)>", "role": "admin", "z": None}
        )
        audit.record(db, SYSTEM, "draft.expired", "draft:abc")


def test_the_record_is_shown_and_narrowed(site: Any, admin: Any) -> None:
    _record(site)
    page = admin.get("/admin/events").text
    assert "退回修改" in page
    assert '<a href="/submissions/12">' in page
    assert "&lt;img src=x" in page
    assert "<img src=x" not in page
    assert '<span class="muted">理由</span>' in page
    assert '<span class="muted">角色</span> 管理员' in page
    assert "草稿到期删除" not in admin.get("/admin/events?action=submission.").text.partition("<tbody>")[2]
    assert "没有符合条件" in admin.get("/admin/events?until=2020-01-01").text
    assert admin.get("/admin/events?since=x").status_code == 422
    assert admin.get(f"/admin/events?before={10**30}").status_code == 422


def test_the_record_is_exported_safely(site: Any, admin: Any) -> None:
    _record(site)
    answer = admin.get("/admin/events/export.csv?action=submission.returned")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 2
    assert rows[1][2].startswith("'=HYPERLINK")
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_the_exported_record_can_be_verified_by_anyone(site: Any, admin: Any) -> None:
    """As docs/accounts.md describes it."""
    _record(site)
    last = None
    for event in admin.get("/admin/events/export.json").json():
        told = {name: event[name] for name in ("at", "actor", "actor_name", "address", "action", "object", "details")}
        line = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert event["previous"] == last
        last = hashlib.sha256(bytes.fromhex(last or "") + line.encode()).hexdigest()
        assert event["hash"] == last
    assert last is not None
    assert last in admin.get("/admin/events/check").text


def test_a_changed_record_is_found_out(site: Any, admin: Any) -> None:
    _record(site)
    assert "与写入时一致" in admin.get("/admin/events/check").text
    with site.connection() as db:
        db.execute(text("ALTER TABLE events DISABLE TRIGGER USER"))
        db.execute(text("UPDATE events SET actor_name = '别人' WHERE action = 'draft.expired'"))
    assert "与写入时不同" in admin.get("/admin/events/check").text


def test_every_action_that_the_program_records_has_words() -> None:
    root = Path(programme.__path__[0]).parent
    found: set[str] = set()
    for path in root.rglob("*.py"):
        found |= set(re.findall(r'audit\.record\([^"]*"([a-z]+\.[a-z_]+)"', path.read_text("utf8")))
    assert len(found) > 20
    words = lexicon.load("events")["actions"]
    assert sorted(found - set(words)) == []
    told = (root.parent / "docs" / "accounts.md").read_text("utf8")
    assert [action for action, said in words.items() if f"| `{action}` | {said} |" not in told] == []


def test_nothing_secret_stands_on_the_page_of_the_system(site: Any, admin: Any) -> None:
    page = admin.get("/admin/system").text
    assert "PostgreSQL" in page
    assert "/welcome/" not in page
