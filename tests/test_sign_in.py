"""Accounts, passwords, throttling, sessions, links and tokens, on the database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from service.database.engine import close, connect
from service.database.programme_tables import events, sign_in_failures, users
from service.database.programme_tables import sessions as session_rows
from service.errors import ServiceError
from service.programme import accounts, audit, links, passwords, sessions, signing_in, throttle, tokens, units
from service.programme.accounts import Filter, Wanted
from service.programme.viewer import SYSTEM, Viewer

GOOD = "窗外 四棵 白杨 树"
HERE = "10.0.0.1"


@pytest.fixture(name="db")
def _db(place: Any) -> Iterator[Connection]:
    engine = connect(place)
    with engine.connect() as connection:
        yield connection
    close(engine)


def _with_password(db: Connection, name: str = "zhang", role: str = "office", **more: Any) -> int:
    id_ = accounts.add(db, SYSTEM, Wanted(name, role, **more))
    assert accounts.set_by_link(db, links.make(db, SYSTEM, id_), GOOD, address=HERE) == id_
    return id_


def _enter(db: Connection, id_: int) -> str:
    return signing_in.enter(db, id_, by="password", hours=12, address=HERE, agent="Test")


# --- passwords ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "1234567",
        "12345678",
        "87654321",
        "88888888",
        "qwertyuiop",
        "Password123",
        "P@ssw0rd",
        "admin@123",
        "１２３４５６７８",
        "abcabcabc",
        "1qaz2wsx",
        "woaini1314",
        "zhangsan1",
        "biaogan2024",
        "长风机械厂123",
        "x" * 8,
        "字" * 201,
        "5201314a",
        "qq123456",
    ],
)
def test_passwords_that_are_tried_first_are_refused(weak: str) -> None:
    with pytest.raises(ServiceError, match="密码"):
        passwords.refuse_weak(weak, own=("zhangsan", "张三", "长风机械厂", None))


@pytest.mark.parametrize(
    "good", [GOOD, "gV7-kk2-pp", "correct horse battery", "白杨树下的旧自行车", "zhangsan walks home at ten", "q" * 7 + "wz" * 96]
)
def test_other_passwords_are_taken_whatever_they_are_made_of(good: str) -> None:
    passwords.refuse_weak(good, own=("zhangsan", "张三"))


def test_a_password_is_kept_as_argon2id_and_never_fits_nobody() -> None:
    kept = passwords.hashed("ＡＢcd 白杨树")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,")
    assert passwords.verify("ABcd 白杨树", kept)[0]
    assert not passwords.verify("abcd 白杨树", kept)[0]
    assert not passwords.verify("nobody's", None)[0]


# --- accounts -----------------------------------------------------------------------------------------------------------------------


def test_an_account_begins_without_a_password(db: Connection) -> None:
    id_ = accounts.add(db, SYSTEM, Wanted(" ZhangSan ", "office", "张三", email="z@example.com"))
    account = accounts.one(db, SYSTEM, id_)
    assert (account.name, account.shown, account.role, account.state) == ("zhangsan", "张三", "office", "invited")
    assert signing_in.attempt(db, "zhangsan", "", address=HERE).user is None


def test_names_differ_by_more_than_capitals_and_width(db: Connection) -> None:
    accounts.add(db, SYSTEM, Wanted("zhang3", "office"))
    for name in ("ZHANG3", "ｚｈａｎｇ３", " zhang3 "):
        with pytest.raises(ServiceError, match="已被使用") as told:
            accounts.add(db, SYSTEM, Wanted(name, "office"))
        assert told.value.status == 409


@pytest.mark.parametrize(
    "wrong",
    [
        Wanted("x", "office"),
        Wanted("a b", "office"),
        Wanted("a" * 65, "office"),
        Wanted("<script>", "office"),
        Wanted("good", "king"),
        Wanted("good", "unit"),
        Wanted("good", "unit", unit=99),
        Wanted("good", "office", "a\u202eb"),
        Wanted("good", "office", email="x"),
        Wanted("good", "applicant", organisation="字" * 121),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(db: Connection, wrong: Wanted) -> None:
    with pytest.raises(ServiceError):
        accounts.add(db, SYSTEM, wrong)


@pytest.mark.parametrize("role", ["office", "reviewer", "applicant", "unit"])
def test_only_administrators_manage_accounts(db: Connection, role: Any) -> None:
    id_ = accounts.add(db, SYSTEM, Wanted("someone", "office"))
    other = Viewer(id_ + 1, "o", "o", role)
    for refused in (
        lambda: accounts.add(db, other, Wanted("other", "admin")),
        lambda: accounts.change(db, other, id_, Wanted("", "admin")),
        lambda: accounts.disable(db, other, id_),
        lambda: accounts.enable(db, other, id_),
        lambda: accounts.one(db, other, id_),
        lambda: accounts.listed(db, other, Filter(), limit=1),
    ):
        with pytest.raises(ServiceError) as told:
            refused()
        assert told.value.status == 403


def test_accounts_are_found(db: Connection) -> None:
    accounts.add(db, SYSTEM, Wanted("wang", "reviewer", "王五"))
    _with_password(db, "li", "applicant", organisation="构造机械厂")
    accounts.disable(db, SYSTEM, _with_password(db, "zhao"))
    for wanted, names in (
        (Filter(), ["li", "wang", "zhao"]),
        (Filter("机械"), ["li"]),
        (Filter("%"), []),
        (Filter(role="reviewer"), ["wang"]),
        (Filter(state="active"), ["li"]),
        (Filter(state="invited"), ["wang"]),
        (Filter(state="disabled"), ["zhao"]),
    ):
        found, total = accounts.listed(db, SYSTEM, wanted, limit=9)
        assert ([account.name for account in found], total) == (names, len(names))


def test_the_last_administrator_stays(db: Connection) -> None:
    first, other = _with_password(db, "first", "admin"), accounts.add(db, SYSTEM, Wanted("other", "admin"))
    me = Viewer(first, "first", "first", "admin")
    with pytest.raises(ServiceError, match="自己"):
        accounts.disable(db, me, first)
    with pytest.raises(ServiceError, match="唯一"):
        accounts.disable(db, SYSTEM, first)
    with pytest.raises(ServiceError, match="唯一"):
        accounts.change(db, SYSTEM, first, Wanted("", "office"))
    accounts.disable(db, me, other)
    accounts.enable(db, me, other)
    assert accounts.set_by_link(db, links.make(db, me, other), GOOD, address=HERE) == other
    accounts.change(db, Viewer(other, "other", "other", "admin"), first, Wanted("", "office"))
    assert accounts.one(db, SYSTEM, first).role == "office"


# --- rights change at once ------------------------------------------------------------------------------------------------------------


def test_sessions_end_with_the_password_the_role_and_the_account(db: Connection) -> None:
    id_ = _with_password(db)
    one = units.add(db, SYSTEM, "某市（构造）")

    def ends(change: Any) -> None:
        token = _enter(db, id_)
        viewer = sessions.viewer(db, token)
        assert viewer is not None
        change(viewer)
        assert sessions.viewer(db, token) is None

    ends(lambda _: accounts.change(db, SYSTEM, id_, Wanted("", "reviewer")))
    ends(lambda _: accounts.change(db, SYSTEM, id_, Wanted("", "unit", unit=one)))
    ends(lambda viewer: accounts.change_password(db, viewer, old=GOOD, new=GOOD + "二"))
    ends(lambda _: accounts.set_by_link(db, links.make(db, SYSTEM, id_), GOOD, address=HERE))
    ends(lambda _: accounts.disable(db, SYSTEM, id_))
    accounts.enable(db, SYSTEM, id_)
    token = _enter(db, id_)
    accounts.change(db, SYSTEM, id_, Wanted("", "unit", "新名称", unit=one))
    assert sessions.viewer(db, token) is not None  # a name gives no rights


def test_a_token_dies_with_its_account(db: Connection) -> None:
    id_ = _with_password(db)
    viewer = Viewer(id_, "zhang", "zhang", "office")
    token = tokens.make(db, viewer, name="脚本", days=30)
    found = tokens.viewer(db, token)
    assert found is not None
    assert (found.id, found.csrf) == (id_, "")
    accounts.disable(db, SYSTEM, id_)
    accounts.enable(db, SYSTEM, id_)
    assert tokens.viewer(db, token) is None


def test_tokens_are_their_makers_alone(db: Connection) -> None:
    mine = Viewer(_with_password(db, "mine"), "mine", "mine", "office")
    other = Viewer(_with_password(db, "other"), "other", "other", "admin")
    token = tokens.make(db, mine, name="脚本", days=90)
    (listed,) = tokens.of(db, mine)
    assert tokens.of(db, other) == []
    with pytest.raises(ServiceError) as told:
        tokens.revoke(db, other, listed.id)
    assert told.value.status == 404
    tokens.revoke(db, mine, listed.id)
    assert tokens.viewer(db, token) is None
    for wrong in ({"name": "", "days": 30}, {"name": "x", "days": 9999}):
        with pytest.raises(ServiceError):
            tokens.make(db, mine, **wrong)
    later = tokens.make(db, mine, name="x", days=30)
    db.execute(text("UPDATE api_tokens SET expires_at = now() - interval '1 second'"))
    assert tokens.viewer(db, later) is None
    assert tokens.of(db, mine)[0].over


# --- sessions -----------------------------------------------------------------------------------------------------------------------


def test_a_session_is_kept_as_a_hash_and_ends(db: Connection) -> None:
    id_ = _with_password(db)
    token = _enter(db, id_)
    kept = db.execute(session_rows.select()).one()
    assert token.encode() not in kept.token_hash
    assert len(kept.token_hash) == 32
    for ending in ("expires_at = now()", "seen_at = now() - interval '121 minutes'"):
        token = _enter(db, id_)
        assert sessions.viewer(db, token) is not None
        db.execute(text(f"UPDATE sessions SET {ending}"))
        assert sessions.viewer(db, token) is None
        sessions.sweep(db)
        assert db.execute(session_rows.select()).all() == []


def test_use_keeps_a_session_alive_and_is_noted_once_a_minute(db: Connection) -> None:
    token = _enter(db, _with_password(db))
    db.execute(text("UPDATE sessions SET seen_at = now() - interval '100 minutes'"))
    assert sessions.viewer(db, token) is not None
    assert db.execute(text("SELECT seen_at = now() FROM sessions")).scalar_one()
    db.execute(text("UPDATE sessions SET seen_at = now() - interval '30 seconds'"))
    sessions.viewer(db, token)
    assert not db.execute(text("SELECT seen_at = now() FROM sessions")).scalar_one()


def test_one_sees_and_ends_ones_own_sessions_alone(db: Connection) -> None:
    mine, other = _with_password(db, "mine"), _with_password(db, "other")
    here, there, theirs = _enter(db, mine), _enter(db, mine), _enter(db, other)
    keys = {session.key for session in sessions.of(db, mine)}
    assert len(keys) == 2
    assert not sessions.close_one(db, mine, sessions.digest(theirs).hex())
    assert not sessions.close_one(db, mine, "nonsense")
    assert sessions.close_one(db, mine, sessions.digest(there).hex())
    again = _enter(db, mine)
    assert sessions.close_all(db, mine, but=here) == 1
    assert sessions.viewer(db, again) is None
    assert sessions.viewer(db, here) is not None
    assert sessions.viewer(db, theirs) is not None


# --- links --------------------------------------------------------------------------------------------------------------------------


def test_a_link_is_used_once_and_only_the_newest_counts(db: Connection) -> None:
    id_ = accounts.add(db, SYSTEM, Wanted("zhang", "office"))
    old, new = links.make(db, SYSTEM, id_), links.make(db, SYSTEM, id_)
    assert links.look(db, old) is None
    assert accounts.set_by_link(db, old, GOOD, address=HERE) is None
    for _ in range(2):
        assert links.look(db, new) is not None  # looking does not use it
    with pytest.raises(ServiceError):
        accounts.set_by_link(db, new, "zhang123", address=HERE)
    assert accounts.set_by_link(db, new, GOOD, address=HERE) == id_
    assert links.use(db, new) is None
    assert accounts.set_by_link(db, new, GOOD, address=HERE) is None


def test_a_link_is_over_in_time_and_with_its_account(db: Connection) -> None:
    id_ = accounts.add(db, SYSTEM, Wanted("zhang", "office"))
    link = links.make(db, SYSTEM, id_)
    db.execute(text("UPDATE one_time_links SET expires_at = now()"))
    assert links.look(db, link) is None
    link = links.make(db, SYSTEM, id_)
    accounts.disable(db, SYSTEM, id_)
    accounts.enable(db, SYSTEM, id_)
    assert links.look(db, link) is None
    with pytest.raises(ServiceError):
        links.make(db, SYSTEM, id_ + 9)


def test_the_first_link_is_for_who_administers_and_stops_when_somebody_can(db: Connection) -> None:
    accounts.add(db, SYSTEM, Wanted("admin", "applicant"))  # somebody else took the usual name
    first = links.first_link(db)
    again = links.first_link(db)
    assert first is not None
    assert again is not None
    assert links.look(db, first) is None
    link = links.look(db, again)
    assert link is not None
    assert link.name == "admin2"
    accounts.set_by_link(db, again, GOOD, address=None)
    assert links.first_link(db) is None
    assert db.execute(users.select().where(users.c.role == "admin")).one().name == "admin2"


def test_a_demonstration_link_sets_no_password(db: Connection) -> None:
    link = links.demo(db, accounts.add(db, SYSTEM, Wanted("demo", "office")))
    assert links.look(db, link) is None
    assert accounts.set_by_link(db, link, GOOD, address=None) is None
    for _ in range(2):
        assert links.look(db, link, purpose="demo") is not None


# --- signing in ---------------------------------------------------------------------------------------------------------------------


def test_the_right_password_signs_in_and_nothing_else_does(db: Connection) -> None:
    id_ = _with_password(db)
    assert signing_in.attempt(db, "Zhang ", GOOD, address=HERE).user == id_
    disabled = _with_password(db, "li")
    accounts.disable(db, SYSTEM, disabled)
    accounts.add(db, SYSTEM, Wanted("new", "office"))
    told = {
        signing_in.attempt(db, name, password, address=f"10.0.0.{number}").message
        for number, (name, password) in enumerate(
            (("zhang", "x"), ("li", GOOD), ("new", ""), ("nobody", GOOD), ("\x00", GOOD), ("\ud800", "\ud800"))
        )
    }
    assert len(told) == 1
    assert "登录名或密码不对" in told.pop()


def test_wrong_passwords_make_a_name_wait_longer_and_longer(db: Connection) -> None:
    id_ = _with_password(db)
    for name in ("zhang", "nobody"):
        waits = [signing_in.attempt(db, name, "wrong", address=f"10.1.0.{number}").seconds for number in range(5)]
        assert waits[:4] == [0] * 4
        assert waits[4] in (29, 30)
        stopped = signing_in.attempt(db, name, GOOD, address="10.2.0.1")
        assert stopped.user is None
        assert "请等" in stopped.message
    db.execute(text("UPDATE sign_in_failures SET at = at - interval '31 seconds'"))
    assert signing_in.attempt(db, "zhang", "wrong", address=HERE).seconds in (59, 60)
    db.execute(text("UPDATE sign_in_failures SET at = at - interval '61 seconds'"))
    assert signing_in.attempt(db, "zhang", GOOD, address=HERE).user == id_
    assert db.execute(sign_in_failures.select().where(sign_in_failures.c.name == "zhang")).all() == []


def test_guesses_at_the_same_moment_count_like_guesses_in_a_row(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    monkeypatch.setattr(passwords, "verify", lambda password, _: (tried.append(password), (False, None))[1])
    monkeypatch.setattr(signing_in, "_TRIES", 200)
    monkeypatch.setattr(signing_in, "_PAUSE", 0.01)
    engine = connect(place)

    def guess(number: int) -> None:
        with engine.begin() as db:
            signing_in.attempt(db, "zhang", f"guess {number}", address=f"10.3.0.{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(40)))
    close(engine)
    assert len(tried) == 5


def test_an_address_that_tries_many_names_waits(db: Connection) -> None:
    id_ = _with_password(db)
    for number in range(20):
        throttle.failed(db, f"name{number}", HERE)
    assert 890 <= signing_in.attempt(db, "zhang", GOOD, address=HERE).seconds <= 900
    assert signing_in.attempt(db, "zhang", GOOD, address="10.0.0.2").user == id_
    db.execute(text("UPDATE sign_in_failures SET at = at - interval '16 minutes'"))
    assert signing_in.attempt(db, "zhang", GOOD, address=HERE).user == id_


def test_a_new_link_lets_a_throttled_name_in(db: Connection) -> None:
    id_ = _with_password(db)
    for _ in range(9):
        throttle.failed(db, "zhang", "10.9.9.9")
    assert throttle.seconds_to_wait(db, "zhang", HERE) > 100
    links.make(db, SYSTEM, id_)
    assert throttle.seconds_to_wait(db, "zhang", HERE) == 0


def test_a_session_left_open_is_no_way_to_guess_the_password(db: Connection) -> None:
    viewer = replace(Viewer(_with_password(db), "zhang", "zhang", "office"), address=HERE)
    told = [accounts.change_password(db, viewer, old="wrong", new=GOOD + "二") for _ in range(6)]
    assert all("不对" in str(one) for one in told[:5])
    assert "请等" in str(told[5])


def test_the_record_tells_of_accounts_and_keeps_no_secrets(db: Connection) -> None:
    id_ = _with_password(db)
    signing_in.attempt(db, "zhang", "wrong secret", address=HERE)
    signing_in.attempt(db, "my secret instead of a name", "x", address=HERE)
    token = _enter(db, id_)
    viewer = sessions.viewer(db, token)
    assert viewer is not None
    signing_in.leave(db, viewer, token)
    rows = db.execute(events.select().order_by(events.c.id)).all()
    assert [row.action for row in rows] == [
        *("user.added", "user.link_made", "user.password_set", "user.sign_in_failed", "user.sign_in_failed"),
        *("user.signed_in", "user.signed_out"),
    ]
    everything = repr([tuple(row) for row in rows])
    assert not [secret for secret in ("secret", GOOD, token, "argon2") if secret in everything]
    assert audit.verify(db).broken is None


# --- registration and other identities -----------------------------------------------------------------------------------------------


def test_who_registers_is_an_applicant_whatever_he_asks(db: Connection) -> None:
    wanted = Wanted("chang", "admin", "张工", "长风机械厂（构造）", "91350100M000100Y43")
    id_ = accounts.register(db, wanted, GOOD, address=HERE)
    account = accounts.one(db, SYSTEM, id_)
    assert (account.role, account.state, account.credit_code) == ("applicant", "active", "91350100M000100Y43")
    with pytest.raises(ServiceError):
        accounts.register(db, replace(wanted, name="other", credit_code=None), GOOD, address=HERE)


def test_another_identity_is_bound_to_the_one_account_with_its_address(db: Connection) -> None:
    id_ = accounts.add(db, SYSTEM, Wanted("zhang", "office", email="Zhang@Example.com"))
    for _ in range(2):
        accounts.add(db, SYSTEM, Wanted(f"twin{_}", "office", email="twin@example.com"))
    find = lambda subject, email: signing_in.by_subject(db, subject=subject, email=email, address=HERE)  # noqa: E731
    assert find("idp|1", None) is None
    assert find("idp|1", "unknown@example.com") is None
    assert find("idp|1", "twin@example.com") is None
    assert find("idp|1", "zhang@example.com") == id_
    assert find("idp|1", None) == id_
    assert find("idp|2", "zhang@example.com") is None  # taken
    accounts.disable(db, SYSTEM, id_)
    assert find("idp|1", "zhang@example.com") is None
