"""Signing in and out, one-time links, registration, one's own account, in the browser's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from service.programme import accounts, links, passwords, tokens
from service.programme.accounts import Wanted
from service.programme.viewer import SYSTEM, Viewer
from service.settings import Web

GOOD = "窗外 四棵 白杨 树"


@pytest.fixture(name="zhang")
def _zhang(site: Any) -> int:
    """An account with a password, of the office."""
    with site.connection() as db:
        id_ = accounts.add(db, SYSTEM, Wanted("zhang", "office", "张三"))
        accounts.set_by_link(db, links.make(db, SYSTEM, id_), GOOD, address=None)
    return id_


def form_token(client: Any, url: str = "/sign-in") -> str:
    """What the page's forms carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(url).text)
    assert found is not None
    return found[1]


def sign_in(client: Any, name: str = "zhang", password: str = GOOD, **more: str) -> Any:
    data = {"csrf": form_token(client), "name": name, "password": password, **more}
    return client.post("/sign-in", data=data, follow_redirects=False)


# --- name and password ----------------------------------------------------------------------------------------------------------------


def test_the_right_password_opens_a_session(site: Any, zhang: int) -> None:
    client = site.as_(None)
    answer = sign_in(client, "ZHANG")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("biaogan="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert "张三" in client.get("/account").text
    assert client.get("/sign-in", follow_redirects=False).headers["location"] == "/"


def test_under_https_the_cookie_is_bound_to_this_host(place: Any) -> None:
    from conftest import Site  # type: ignore[import-not-found]  # of this folder

    site = Site(place, settings=Web(url="https://biaogan.example.com"))
    try:
        with site.connection() as db:
            id_ = accounts.add(db, SYSTEM, Wanted("zhang", "office", "张三"))
            accounts.set_by_link(db, links.make(db, SYSTEM, id_), GOOD, address=None)
        client = site.as_(None)
        answer = sign_in(client)
        cookies = [value for value in answer.headers.get_list("set-cookie") if value.startswith("__Host-biaogan=")]
        assert cookies
        assert all(part in cookies[0] for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"))
        assert "Domain" not in cookies[0]
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert client.get("/account").status_code == 200
    finally:
        site.close()


@pytest.mark.parametrize(
    ("name", "password"), [("zhang", "wrong"), ("nobody", GOOD), ("", ""), ("zhang\x00", "\ud83d"), ("' OR 1=1 --", "x")]
)
def test_anything_else_is_told_the_same(site: Any, zhang: int, name: str, password: str) -> None:
    answer = sign_in(site.as_(None), name, password.encode("utf-8", "replace").decode())
    assert answer.status_code == 401
    assert "登录名或密码不对" in answer.text
    assert not [value for value in answer.headers.get_list("set-cookie") if value.startswith("biaogan=")]


def test_an_account_that_was_disabled_is_told_the_same(site: Any, zhang: int) -> None:
    with site.connection() as db:
        accounts.disable(db, SYSTEM, zhang)
    assert "登录名或密码不对" in sign_in(site.as_(None)).text


def test_after_five_failures_one_waits(site: Any, zhang: int) -> None:
    client = site.as_(None)
    answers = [sign_in(client, password="wrong") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 4 + [429]
    right = sign_in(client)
    assert right.status_code == 429
    assert 25 <= int(right.headers["retry-after"]) <= 30
    assert re.search(r"请等 \d+ 秒后再试", right.text)
    with site.connection() as db:
        db.execute(text("UPDATE sign_in_failures SET at = at - interval '1 minute'"))
    assert sign_in(client).status_code == 303


def test_a_session_that_the_browser_brought_is_not_taken_over(site: Any, zhang: int) -> None:
    """Fixation: whoever planted a session's token in a browser knows nothing of the one after signing in."""
    client = site.as_("applicant")
    planted = client.cookies["biaogan"]
    answer = client.submit("/sign-out")
    assert answer.status_code == 303
    client.bring(planted)
    assert sign_in(client).status_code == 303
    assert client.cookies["biaogan"] != planted
    with site.connection() as db:
        assert db.execute(text("SELECT count(*) FROM sessions")).scalar_one() == 1
    client.bring("a" * 43)
    assert sign_in(client).status_code == 303
    assert client.cookies["biaogan"] != "a" * 43


def test_signing_out_ends_the_session_on_the_server(site: Any) -> None:
    client = site.as_("office")
    token = client.cookies["biaogan"]
    assert client.get("/sign-out").status_code in (404, 405)  # no link, no picture signs anybody out
    client.submit("/sign-out")
    assert "biaogan" not in client.cookies
    client.bring(token)
    assert client.get("/account", follow_redirects=False).headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("ending", ["expires_at = now()", "seen_at = now() - interval '3 hours'"])
def test_a_session_that_is_over_leads_to_the_sign_in_and_back(site: Any, zhang: int, ending: str) -> None:
    client = site.as_("office", name="zhang")
    with site.connection() as db:
        db.execute(text(f"UPDATE sessions SET {ending}"))
    away = client.get("/account?x=1", follow_redirects=False)
    assert away.headers["location"] == "/sign-in?next=%2Faccount%3Fx%3D1"
    page = client.get(away.headers["location"])
    assert 'name="next" value="/account?x=1"' in page.text
    assert sign_in(client, next="/account?x=1").headers["location"] == "/account?x=1"


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/\t/evil.example"),
        *("/\n/evil.example", " //evil.example", "///evil.example", "/" + "x" * 3000, "evil.example", "/x\\..\\\\evil", ""),
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(site: Any, zhang: int, elsewhere: str) -> None:
    client = site.as_(None)
    assert sign_in(client, next=elsewhere).headers["location"] == "/"
    assert client.get("/sign-in", params={"next": elsewhere}, follow_redirects=False).headers["location"] == "/"


def test_a_form_before_sign_in_is_ours_alone(site: Any, zhang: int) -> None:
    """Login CSRF: nobody is signed in as someone else by another site's form."""
    client = site.as_(None)
    token = form_token(client)
    data = {"name": "zhang", "password": GOOD}
    for form, headers in (
        (data, {}),
        ({**data, "csrf": "x" * 43}, {}),
        ({**data, "csrf": token}, {"Sec-Fetch-Site": "cross-site"}),
        ({**data, "csrf": token}, {"Sec-Fetch-Site": "same-site"}),
        ({**data, "csrf": token}, {"Origin": "https://evil.example"}),
        ({**data, "csrf": token}, {"Origin": "null"}),
        ({**data, "csrf": token}, {"Origin": "http://testserver.evil.example"}),
        ({**data, "csrf": token}, {"Origin": "https://testserver"}),
    ):
        refused = client.post("/sign-in", data=form, headers=headers, follow_redirects=False)
        assert refused.status_code == 403, (form, headers)
        assert "刷新" in refused.text
    without_cookie = site.as_(None)
    assert without_cookie.post("/sign-in", data={**data, "csrf": token}, follow_redirects=False).status_code == 403
    ours = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/sign-in", data={**data, "csrf": token}, headers=ours, follow_redirects=False).status_code == 303


def test_what_was_typed_is_shown_as_text(site: Any) -> None:
    answer = sign_in(site.as_(None), "<script>alert(1)</script>", "x", next='/"><script>alert(2)</script>')
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


# --- one-time links -------------------------------------------------------------------------------------------------------------------


def test_a_link_sets_the_password_once(site: Any) -> None:
    with site.connection() as db:
        id_ = accounts.add(db, SYSTEM, Wanted("zhang", "office", "张三"))
        url = f"/welcome/{links.make(db, SYSTEM, id_)}"
    client = site.as_(None)
    for _ in range(2):
        assert "zhang" in client.get(url).text
    token = form_token(client, url)
    for wrong, told in (
        ({"password": GOOD, "again": "other"}, "不一样"),
        ({"password": "12345678", "again": "12345678"}, "太常见"),
        ({"password": "短", "again": "短"}, "至少"),
        ({}, "至少"),
    ):
        answer = client.post(url, data={"csrf": token, **wrong}, follow_redirects=False)
        assert answer.status_code == 422
        assert told in answer.text
        assert GOOD not in answer.text
    done = client.post(url, data={"csrf": token, "password": GOOD, "again": GOOD}, follow_redirects=False)
    assert done.status_code == 303
    assert "张三" in client.get("/account").text
    again = site.as_(None)
    gone = again.get(url)
    assert gone.status_code == 404
    assert "不能用了" in gone.text
    late = again.post(url, data={"csrf": form_token(again), "password": GOOD + "x", "again": GOOD + "x"}, follow_redirects=False)
    assert late.status_code == 404
    assert sign_in(again).status_code == 303


def test_a_demonstration_link_signs_in_as_often_as_one_likes(site: Any) -> None:
    with site.connection() as db:
        url = f"/demo/{links.demo(db, accounts.add(db, SYSTEM, Wanted('demo-office', 'office', '演示办公室')))}"
    for _ in range(2):
        client = site.as_(None)
        answer = client.post(url, data={"csrf": form_token(client, url)}, follow_redirects=False)
        assert answer.status_code == 303
        assert "演示办公室" in client.get("/account").text
    client = site.as_(None)
    assert client.get("/demo/nothing").status_code == 404
    assert client.get(url.replace("/demo/", "/welcome/")).status_code == 404


# --- registration ---------------------------------------------------------------------------------------------------------------------

_FORM = {
    "organisation": "长风机械厂（构造）",
    "credit_code": "91350100M000100Y43",
    "shown": "张工",
    "name": "changfeng",
    "password": GOOD,
    "again": GOOD,
    "role": "admin",
}


@pytest.fixture(name="open_site")
def _open_site(place: Any) -> Iterator[Any]:
    from conftest import Site

    site = Site(place, settings=Web(url="http://testserver", registration=True))
    yield site
    site.close()


def test_registration_is_shut_unless_the_settings_open_it(site: Any) -> None:
    client = site.as_(None)
    assert client.get("/register").status_code == 404
    assert client.post("/register", data={**_FORM, "csrf": form_token(client)}).status_code == 404
    assert "/register" not in client.get("/sign-in").text


def test_an_applicant_registers_and_is_nothing_more(open_site: Any) -> None:
    client = open_site.as_(None)
    assert "/register" in client.get("/sign-in").text
    answer = client.post("/register", data={**_FORM, "csrf": form_token(client, "/register")}, follow_redirects=False)
    assert answer.status_code == 303
    page = client.get("/account").text
    assert "申报单位" in page
    assert "长风机械厂（构造）" in page
    assert client.get("/admin/users").status_code == 403


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"credit_code": "91350100M000100Y44"}, "末位校验码"),
        ({"organisation": " "}, "单位全称"),
        ({"name": "a b"}, "登录名"),
        ({"again": "x"}, "不一样"),
        ({"password": "长风机械厂（构造）1", "again": "长风机械厂（构造）1"}, "单位名称"),
        ({"email": "nonsense"}, "电子邮箱"),
    ],
)
def test_a_registration_that_is_not_right_keeps_what_was_filled_in(open_site: Any, change: dict[str, str], told: str) -> None:
    client = open_site.as_(None)
    answer = client.post("/register", data={**_FORM, **change, "csrf": form_token(client, "/register")}, follow_redirects=False)
    assert answer.status_code == 422
    assert told in answer.text
    assert 'value="张工"' in answer.text
    assert GOOD not in answer.text


def test_one_address_does_not_register_without_end(open_site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hashed", lambda _: "unusable")
    codes = []
    for number in range(11):
        client = open_site.as_(None)
        data = {**_FORM, "name": f"name{number}", "csrf": form_token(client, "/register")}
        codes.append(client.post("/register", data=data, follow_redirects=False).status_code)
    assert codes == [303] * 10 + [429]


# --- one's own account ----------------------------------------------------------------------------------------------------------------


def _signed_in(site: Any) -> Any:
    client = site.as_(None)
    assert sign_in(client).status_code == 303
    client.csrf = form_token(client, "/account")
    return client


def test_a_new_password_ends_the_other_sessions(site: Any, zhang: int) -> None:
    here, there = _signed_in(site), _signed_in(site)
    new = GOOD + "二"
    for wrong, told in (
        ({"old": "wrong", "new": new, "again": new}, "现在的密码不对"),
        ({"old": GOOD, "new": new, "again": "x"}, "不一样"),
        ({"old": GOOD, "new": "zhang123", "again": "zhang123"}, "容易被猜到"),
    ):
        answer = here.submit("/account/password", wrong)
        assert answer.status_code == 422
        assert told in answer.text
    before = here.cookies["biaogan"]
    assert here.submit("/account/password", {"old": GOOD, "new": new, "again": new}).status_code == 303
    assert here.cookies["biaogan"] != before
    assert here.get("/account").status_code == 200
    assert there.get("/account", follow_redirects=False).status_code == 303
    assert sign_in(site.as_(None)).status_code == 401
    assert sign_in(site.as_(None), password=new).status_code == 303


def test_one_ends_ones_other_sessions(site: Any, zhang: int) -> None:
    here, there, far = (_signed_in(site) for _ in range(3))
    keys = re.findall(r'name="key" value="([0-9a-f]{64})"', here.get("/account").text)
    assert len(keys) == 2
    assert here.submit("/account/sessions/end", {"key": keys[0]}).status_code == 303
    assert here.submit("/account/sessions/end", {"key": keys[0]}).status_code == 404
    assert here.submit("/account/sessions/end").status_code == 303
    assert here.get("/account").status_code == 200
    for other in (there, far):
        assert other.get("/account", follow_redirects=False).status_code == 303


def test_nobody_ends_anothers_session(site: Any, zhang: int) -> None:
    mine, theirs = _signed_in(site), site.as_("reviewer")
    key = re.findall(r'name="key" value="([0-9a-f]{64})"', _signed_in(site).get("/account").text)[0]
    assert theirs.submit("/account/sessions/end", {"key": key}).status_code == 404
    assert mine.get("/account").status_code == 200


def test_an_api_token_is_shown_once_and_may_be_revoked(site: Any, zhang: int) -> None:
    client = _signed_in(site)
    made = client.submit("/account/tokens", {"name": "汇总脚本", "days": "30"})
    token = re.search(r'value="(biaogan_[\w-]{43})"', made.text)
    assert token is not None
    assert token[1] not in client.get("/account").text
    with site.connection() as db:
        assert tokens.viewer(db, token[1]) is not None
        assert token[1] not in repr(db.execute(text("SELECT * FROM api_tokens")).all())
    number = re.search(r"/account/tokens/(\d+)/revoke", client.get("/account").text)
    assert number is not None
    other = site.as_("admin")
    assert other.submit(number[0]).status_code == 404
    assert client.submit(number[0]).status_code == 303
    with site.connection() as db:
        assert tokens.viewer(db, token[1]) is None


def test_a_token_opens_the_api_alone_and_a_cookie_beside_it_counts_for_nothing(site: Any, zhang: int) -> None:
    with site.connection() as db:
        token = tokens.make(db, Viewer(zhang, "zhang", "张三", "office"), name="x", days=30)
    client = site.as_(None)
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/account", headers=headers, follow_redirects=False).status_code == 303
    signed_in = site.as_("admin")
    refused = signed_in.get("/api/v1/nothing-of-the-kind", headers={"Authorization": "Bearer nonsense"})
    assert refused.status_code in (401, 404)
