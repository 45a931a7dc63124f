"""Passwords: argon2id, what is accepted, and nothing that tells whether an account exists.

No rules of composition and no forced changes (NIST SP 800-63B, ASVS 6.2): long enough, and not among those that are tried first.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import cache
from itertools import product

from pwdlib import PasswordHash

from service.errors import ServiceError

LEAST, ADVISED, MOST = 8, 15, 200  # characters
_REST = 8  # characters that must be left without the account's own names
_AT_ONCE = 4  # computations at a time: each takes 64 MiB
_PATIENCE = 10.0  # seconds for a turn
_hashing = threading.BoundedSemaphore(_AT_ONCE)

# What is tried first: words, mostly with some digits behind them; runs along the keyboard; the same again and again.
_WORDS = (
    *("a", "aa", "aaa", "abc", "abcd", "admin", "admin@", "administrator", "asd", "asdf", "asdfgh", "biaogan", "changeme", "china"),
    *("demo", "guest", "hello", "iloveyou", "letmein", "login", "manager", "master", "office", "office@", "p@ss", "p@ssw0rd", "p@ssword"),
    *(
        "pass",
        "pass@",
        "passw0rd",
        "password",
        "password@",
        "q",
        "qaz",
        "qazwsx",
        "qq",
        "quality",
        "qwe",
        "qwer",
        "qwert",
        "qwerty",
        "root",
    ),
    *(
        "root@",
        "secret",
        "super",
        "test",
        "test@",
        "user",
        "welcome",
        "woaini",
        "woaizhongguo",
        "zaq",
        "zhiliang",
        "zhongguo",
        "zxc",
        "zxcv",
    ),
)
_TAILS = (
    *(
        "",
        "!",
        "!@#",
        "!@#$",
        "#",
        "@",
        "@1",
        "@12",
        "@123",
        "@1234",
        "@123456",
        "0",
        "000",
        "0000",
        "000000",
        "007",
        "1",
        "11",
        "111",
        "1111",
    ),
    *("111111", "11111111", "12", "123", "123!", "123#", "123@", "123123", "1234", "12345", "123456", "1234567", "12345678", "123456789"),
    *("1234567890", "123abc", "123qwe", "1314", "1314520", "2018", "2019", "2020", "2021", "2022", "2023", "2024", "2025", "2026", "2027"),
    *("321", "520", "5201314", "54321", "654321", "66", "666", "6666", "666666", "678", "789", "88", "888", "8888", "888888", "99", "999"),
)
_RUNS = (
    *("01234567890123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"),
    *("q1w2e3r4t5y6u7i8o9p0", "1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgbyhnujm", "zaqxswcdevfrbgtnhymju", "qweasdzxcrtyfghvbn", "147258369"),
    *("!@#$%^&*()", "1a2b3c4d5e6f7g8h", "a1b2c3d4e5f6g7h8", "一二三四五六七八九十"),
)


def hashed(password: str) -> str:
    with _turn():
        return _hasher().hash(_folded(password))


def verify(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Whether it is right, and a hash to keep instead where the old one is of weaker parameters. As long without a `kept` one."""
    with _turn():
        nobodys = _nobodys()
        right, better = _hasher().verify_and_update(_folded(password), kept or nobodys)
    return right and kept is not None, better if kept is not None else None


def refuse_weak(password: str, *, own: tuple[str | None, ...] = ()) -> None:
    """ServiceError where it is too short, too long, or among what is tried first. `own`: the account's names."""
    given = _folded(password)
    if len(given) < LEAST:
        _refuse(f"密码至少要 {LEAST} 个字符（建议 {ADVISED} 个以上，例如几个不相干的词）。请换一个。")
    if len(given) > MOST:
        _refuse(f"密码最多 {MOST} 个字符。请换一个短些的。")
    plain = given.casefold()
    if plain in _common() or _is_run(plain) or _is_repeated(plain):
        _refuse("这个密码太常见，容易被猜到。请换一个，例如几个不相干的词。")
    for word in (*own, "biaogan", "标杆审读"):
        bare = _folded(word or "").strip().casefold()
        if len(bare) >= 3 and bare in plain and len(plain.replace(bare, "")) < _REST:
            _refuse("密码里含有登录名、姓名、单位名称或本系统的名称，容易被猜到。请换一个。")


def _refuse(message: str) -> None:
    raise ServiceError("password_weak", message, status=422)


def _folded(password: str) -> str:
    """Full-width letters of a Chinese keyboard are the same as plain ones (NFKC, as SP 800-63B asks)."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())


@cache
def _common() -> frozenset[str]:
    return frozenset(word + tail for word, tail in product(_WORDS, _TAILS)) | frozenset(
        tail + word for word, tail in product(_WORDS, _TAILS)
    )


def _is_run(plain: str) -> bool:
    return any(plain in run or plain in run[::-1] or plain in run * 2 for run in _RUNS)


def _is_repeated(plain: str) -> bool:
    """One to four characters again and again."""
    return any((plain[:size] * len(plain))[: len(plain)] == plain for size in range(1, 5))


@cache
def _hasher() -> PasswordHash:
    """argon2id, 64 MiB, three passes: RFC 9106's second recommendation."""
    return PasswordHash.recommended()


@cache
def _nobodys() -> str:
    """A hash that no account has, so that an unknown name takes as long as a wrong password."""
    return _hasher().hash("nobody's")


class _turn:  # noqa: N801 - read as a word: `with _turn()`
    """One of the few places in which a hash may be computed."""

    def __enter__(self) -> None:
        if not _hashing.acquire(timeout=_PATIENCE):
            raise ServiceError("too_many_sign_ins", "现在登录的人太多。请过几秒钟再试。", status=503)

    def __exit__(self, *_: object) -> None:
        _hashing.release()
