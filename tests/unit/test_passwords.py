"""Passwords: what will do and what will not, in words; and how they are stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard.errors import UnusableInput
from dashboard.settings import load
from dashboard.signin import passwords
from dashboard.signin.checking import right_password
from dashboard.signin.client import counted_address
from dashboard.signin.passwords import check_policy, hashed
from dashboard.ui.browser_words import UNKNOWN, browser_in_words


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "COST", 4)
    passwords.nobodys_hash.cache_clear()
    yield
    passwords.nobodys_hash.cache_clear()


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "at least 12"),
        ("   elevenchars   ", "at least 12"),
        ("x" * 129, "at most 128"),
        ("password123456", "tried first"),
        ("passwordpassword", "tried first"),
        ("aaaaaaaaaaaaaaaa", "tried first"),
        ("1234567890123456", "tried first"),
        ("qwertyuiop1234", "tried first"),
        ("n.osei n.osei", "your user name"),
        ("supervision2026", "this program's"),
        ("mapleclinic2026", "the practice's name"),
        ("Maple Clinic 2026!", "the practice's name"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused_in_words(password: str, reason: str) -> None:
    with pytest.raises(UnusableInput, match=reason):
        check_policy(password, context=("n.osei", "Maple Clinic"))


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "seven grey herons",
        "käse zum frühstück",
        "x7!k9$w2%Lq8",
        "the maple outside my window is older than me",
        "several words " * 9,
        "supervision in a garden",
        "pxhtxh6fyq45xw",
    ],
)
def test_long_words_of_any_kind_will_do(password: str) -> None:
    check_policy(password, context=("n.osei", "Maple Clinic"))


def test_a_practice_may_ask_for_more() -> None:
    check_policy("seven grey herons", shortest=15)
    with pytest.raises(UnusableInput, match="at least 20"):
        check_policy("seven grey herons", shortest=20)
    with pytest.raises(UnusableInput, match="password_min_length"):
        load({"SUPERVISION_PASSWORD_MIN_LENGTH": "7"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a" * 72 + "one", "a" * 72 + "two"),
        ("before\0one", "before\0two"),
        ("käse" * 20, "käse" * 19 + "kase"),
    ],
)
def test_no_part_of_a_password_is_cut_off(one: str, other: str) -> None:
    stored = hashed(one)
    assert right_password(one, stored)
    assert not right_password(other, stored)


def test_a_letter_written_in_two_ways_is_one_letter() -> None:
    assert right_password("ka\u0308se zum fru\u0308hstu\u0308ck ", hashed("k\u00e4se zum fr\u00fchst\u00fcck"))


def test_the_same_password_is_stored_differently_each_time_and_never_itself() -> None:
    first, second = hashed("seven grey herons"), hashed("seven grey herons")
    assert first != second
    assert "herons" not in first


@pytest.mark.parametrize("stored", [None, "", "$2b$", "hmac-sha256:", "not a hash"])
def test_what_is_no_hash_lets_nobody_in(stored: str | None) -> None:
    assert not right_password("seven grey herons", stored)


def test_the_password_of_nobody_cannot_be_typed() -> None:
    assert not right_password("", None)
    assert not right_password("x" * 1000, None)


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        (None, None),
        ("a proxy's socket", None),
    ],
)
def test_tries_are_counted_by_the_network_that_one_household_has(given: object, counted: str | None) -> None:
    assert counted_address(given) == counted


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("trusted_proxies", "10.0.0.0/8, nginx"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("second_factor_roles", "director,boss"),
        ("oidc_second_factor", "never"),
        ("oidc_client_id", "alone"),
        ("max_sign_in_attempts", "0"),
        ("lock_minutes", "0"),
    ],
)
def test_a_setting_of_signing_in_that_cannot_be_meant_is_refused_in_words(setting: str, value: str) -> None:
    with pytest.raises(UnusableInput, match=setting.split("_")[0]):
        load({f"SUPERVISION_{setting.upper()}": value})


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17 Safari/605.1.15", "Safari on a Mac"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) CriOS/120 Mobile Safari/604.1", "Chrome on an iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        ("curl/8", UNKNOWN),
        ("<script>", UNKNOWN),
        (None, UNKNOWN),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_words_and_never_in_its_own(agent: str | None, said: str) -> None:
    assert browser_in_words(agent) == said
