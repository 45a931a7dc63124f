"""biaogan user …: accounts from the terminal."""

from __future__ import annotations

import re
from typing import Any

import pytest

from service import cli
from service.database.engine import close, connect
from service.database.programme_tables import events
from service.programme import accounts, links
from service.programme.viewer import SYSTEM

GOOD = "窗外 四棵 白杨 树"


@pytest.fixture(name="call")
def _call(place: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("BIAOGAN_DATABASE_URL", place.database)
    monkeypatch.setenv("BIAOGAN_URL", "https://biaogan.example.com")

    def call(*arguments: str, code: int = 0) -> str:
        assert cli.main(["user", *arguments]) == code
        told = capsys.readouterr()
        return told.err if code else told.out

    return call


@pytest.fixture(name="db")
def _db(place: Any) -> Any:
    engine = connect(place)
    with engine.connect() as connection:
        yield connection
    close(engine)


def test_an_account_is_made_with_a_link_that_works(call: Any, db: Any) -> None:
    assert "user add" in call("list")
    told = call("add", "Zhang3", "--role", "admin", "--shown", "张三", "--email", "z@example.com")
    link = re.search(r"https://biaogan\.example\.com/welcome/([\w-]{43})$", told, re.MULTILINE)
    assert link is not None
    found = links.look(db, link[1])
    assert found is not None
    assert (found.name, found.shown) == ("zhang3", "张三")
    again = call("link", "ZHANG3")
    db.rollback()
    assert links.look(db, link[1]) is None
    assert "welcome/" in again
    assert {row.actor_name for row in db.execute(events.select())} == {"系统"}


def test_accounts_are_listed_in_columns(call: Any) -> None:
    call("add", "zhang", "--role", "office", "--shown", "张三")
    call("add", "局一", "--role", "unit", "--unit", "某市工信局（构造）")
    call("add", "another", "--role", "unit", "--unit", "某市工信局（构造）")
    lines = call("list").splitlines()
    assert len(lines) == 3
    assert lines[1] == "zhang    办公室    未启用  张三"
    assert lines[2] == "局一     推荐单位  未启用  局一     某市工信局（构造）"
    assert len(call("list", "--role", "office").splitlines()) == 1


def test_a_role_is_changed_and_an_account_is_disabled(call: Any, db: Any) -> None:
    call("add", "zhang", "--role", "office")
    assert "评审专家" in call("role", "zhang", "reviewer")
    assert "选定一个推荐单位" in call("role", "zhang", "unit", code=2)
    call("role", "zhang", "unit", "--unit", "某市工信局（构造）")
    call("disable", "zhang")
    assert "已停用" in call("list")
    assert "没有找到这个账号" in call("link", "zhang", code=2)
    call("enable", "zhang")
    account = accounts.by_name(db, SYSTEM, "zhang")
    assert (account.role, account.unit_name, account.state) == ("unit", "某市工信局（构造）", "invited")


def test_what_cannot_be_done_is_told(call: Any) -> None:
    call("add", "zhang", "--role", "office")
    assert "已被使用" in call("add", "ZHANG", "--role", "office", code=2)
    assert "没有登录名为“li”的账号" in call("link", "li", code=2)
    with pytest.raises(SystemExit):
        call("add", "li")
