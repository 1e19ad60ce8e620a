"""Guessing is slow on both databases: for a name, an address and a known browser, however many try at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import bcrypt
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from dashboard.access import Role
from dashboard.settings import Settings
from dashboard.signin import passwords
from dashboard.signin.accepted import Caller
from dashboard.signin.attempt import try_password
from queries import devices, people, practices
from queries.credentials import Credentials
from queries.engine import reading, writing
from queries.sign_in_tables import SignInCounter, UserDevice
from queries.tables import Audit, User

NOW = datetime(2026, 11, 20, 9)
SETTINGS = Settings(timezone="UTC")
LIMIT, MINUTES = SETTINGS.max_sign_in_attempts, SETTINGS.lock_minutes
RIGHT = "seven grey herons"
HOME, AWAY = "192.0.2.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "COST", 4)
    passwords.nobodys_hash.cache_clear()
    yield
    passwords.nobodys_hash.cache_clear()


@pytest.fixture
def practice(engine: Engine) -> Engine:
    """Ada, and Bo who may no longer sign in."""
    with writing(engine) as connection:
        practice_id = practices.ensure_practice(connection, "P", NOW)
        for name in ("ada", "bo"):
            people.add_user(
                connection, practice_id=practice_id, username=name, role=Role.ADMIN, clinician_id=None,
                password_hash=passwords.hashed(RIGHT), must_change=False, now=NOW, actor="test",
            )  # fmt: skip
        people.set_active(connection, practice_id=practice_id, username="bo", active=False, now=NOW, actor="test")
    return engine


def attempt(
    engine: Engine,
    password: str,
    name: str = "ada",
    *,
    at: datetime = NOW,
    address: str | None = HOME,
    device: str = "",
) -> Credentials | None:
    caller = Caller(address, None, device or None)
    found = try_password(engine, SETTINGS, username=name, password=password, caller=caller, now=at)
    return None if found is None else found.person


def wear_out(engine: Engine, name: str = "ada", *, address: str | None = HOME, device: str = "") -> None:
    for _ in range(LIMIT):
        assert attempt(engine, "wrong", name, address=address, device=device) is None


def known_browser(engine: Engine, at: datetime = NOW) -> str:
    with writing(engine) as connection:
        user = connection.execute(sa.select(User.id).where(User.username == "ada")).scalar_one()
        return devices.remember(connection, user, "ada", None, at)


def test_the_right_password_works_and_a_wrong_one_does_not(practice: Engine) -> None:
    assert attempt(practice, "wrong") is None
    assert attempt(practice, RIGHT, "  ADA ") is not None


def test_many_at_once_never_get_more_tries_than_the_limit(practice: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    really = passwords.nobodys_hash()
    compare = bcrypt.checkpw

    def counted(password: bytes, stored: bytes) -> bool:
        compared.append("real" if stored.decode() != really.removeprefix(passwords.SCHEME) else "dummy")
        return compare(password, stored)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda n: attempt(practice, f"wrong {n}"), range(24)))
    assert found == [None] * 24
    assert compared.count("real") == LIMIT
    assert len(compared) == 24, "whoever is turned away waits as long"
    assert attempt(practice, RIGHT) is None


@pytest.mark.parametrize("minutes", [MINUTES / LIMIT, MINUTES])
def test_a_full_counter_leaks_one_try_after_another(practice: Engine, minutes: float) -> None:
    wear_out(practice)
    soon = NOW + timedelta(minutes=minutes) - timedelta(seconds=1)
    assert (attempt(practice, RIGHT, at=soon) is None) is (minutes == MINUTES / LIMIT)
    assert attempt(practice, RIGHT, at=NOW + timedelta(minutes=minutes)) is not None


def test_a_clock_set_back_gives_nobody_a_try(practice: Engine) -> None:
    wear_out(practice)
    assert attempt(practice, RIGHT, at=NOW - timedelta(hours=1)) is None


def test_a_sign_in_empties_the_counter(practice: Engine) -> None:
    for _ in range(3):
        for _ in range(LIMIT - 1):
            assert attempt(practice, "wrong") is None
        assert attempt(practice, RIGHT) is not None


def test_a_colleague_who_was_here_before_is_not_shut_out_by_a_stranger(practice: Engine) -> None:
    browser = known_browser(practice)
    wear_out(practice, address=AWAY)
    assert attempt(practice, RIGHT, address=AWAY) is None
    assert attempt(practice, RIGHT, device="made up") is None
    assert attempt(practice, RIGHT, device=browser) is not None


def test_a_known_browser_has_no_more_tries_than_any(practice: Engine) -> None:
    browser = known_browser(practice)
    wear_out(practice, device=browser)
    assert attempt(practice, RIGHT, device=browser) is None
    assert attempt(practice, RIGHT) is not None, "the account's own counter was charged nothing"


@pytest.mark.parametrize("change", ["reset", "everywhere", "old", "somebody else"])
def test_a_browser_is_forgotten_when_it_should_be(practice: Engine, change: str) -> None:
    browser, name, at = known_browser(practice), "ada", NOW
    whom = {"practice_id": 1, "username": "ada", "now": NOW}
    with writing(practice) as connection:
        match change:
            case "reset":
                people.set_password(connection, password_hash="x", must_change=True, actor="adm", **whom)  # type: ignore[arg-type]
            case "everywhere":
                people.end_every_session(connection, **whom)  # type: ignore[arg-type]
            case "old":
                at = NOW + timedelta(days=devices.DAYS, seconds=1)
            case _:
                name = "bo"
        assert devices.known(connection, name, browser, at) is None


def test_a_browser_keeps_its_word_and_only_some_are_kept(practice: Engine) -> None:
    first = known_browser(practice)
    with writing(practice) as connection:
        user = connection.execute(sa.select(User.id).where(User.username == "ada")).scalar_one()
        assert devices.remember(connection, user, "ada", first, NOW + timedelta(days=1)) == first
        planted = devices.remember(connection, user, "ada", "planted by a stranger", NOW)
        assert planted != "planted by a stranger"
        for minute in range(devices.MOST):
            devices.remember(connection, user, "ada", None, NOW + timedelta(minutes=minute))
        stored = list(connection.execute(sa.select(UserDevice.secret_hash)).scalars())
    assert len(stored) == devices.MOST
    assert first not in str(stored)


def test_an_address_has_a_limit_of_its_own_over_all_names(practice: Engine) -> None:
    for number in range(SETTINGS.max_sign_in_attempts_per_address):
        attempt(practice, "wrong", f"name{number}")
    assert attempt(practice, RIGHT) is None
    assert attempt(practice, RIGHT, address=AWAY) is not None
    assert attempt(practice, RIGHT, device=known_browser(practice)) is not None


def test_this_machine_itself_is_counted_by_name_only(practice: Engine) -> None:
    for number in range(SETTINGS.max_sign_in_attempts_per_address + 1):
        attempt(practice, "wrong", f"name{number}", address=None)
    assert attempt(practice, RIGHT, address=None) is not None


def test_unknown_disabled_paused_and_mistyped_names_cost_the_same(
    practice: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = bcrypt.hashpw(RIGHT.encode(), bcrypt.gensalt(4)).decode()
    with writing(practice) as connection:
        people.add_user(
            connection, practice_id=1, username="old", role=Role.ADMIN, clinician_id=None, password_hash=old,
            must_change=False, now=NOW, actor="test",
        )  # fmt: skip
    wear_out(practice, "paused")
    computed: list[str] = []
    compare, make = bcrypt.checkpw, bcrypt.hashpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *a: (computed.append("compared"), compare(*a))[1])
    monkeypatch.setattr(bcrypt, "hashpw", lambda *a: (computed.append("made"), make(*a))[1])
    for name in ("ada", "bo", "nobody.here", "paused", "old"):
        for given in ("wrong", "x" * 100, RIGHT if name != "ada" and name != "old" else "no"):
            computed.clear()
            assert attempt(practice, given, name) is None
            assert computed == ["compared"], name


def test_nobody_learns_from_pauses_who_exists(practice: Engine) -> None:
    def counters(name: str) -> list[tuple[float, int]]:
        with writing(practice) as connection:
            connection.execute(sa.delete(SignInCounter))
        for _ in range(LIMIT + 2):
            attempt(practice, "wrong", name, address=None)
        with reading(practice) as connection:
            return [tuple(row) for row in connection.execute(sa.select(SignInCounter.level, SignInCounter.refused))]

    assert counters("ada") == counters("bo") == counters("nobody.here") == [(float(LIMIT), 2)]
    with reading(practice) as connection:
        assert "nobody" not in str(connection.execute(sa.select(SignInCounter.name)).all())


def test_a_pause_is_noted_once_and_a_stranger_cannot_fill_the_disk(practice: Engine) -> None:
    wear_out(practice)
    for _ in range(4):
        attempt(practice, "wrong")
    with reading(practice) as connection:
        notes = connection.execute(sa.select(Audit.detail).where(Audit.action == "refuse sign_in")).scalars().all()
        assert notes == [None] * LIMIT + ["paused"]
    attempt(practice, "wrong", "other", at=NOW + timedelta(minutes=MINUTES, seconds=1))
    with reading(practice) as connection:
        assert len(connection.execute(sa.select(SignInCounter.name)).all()) == 2, "counters that ran empty are gone"


def test_a_hash_of_the_old_kind_still_works_and_is_made_anew(practice: Engine) -> None:
    def stored() -> str:
        with reading(practice) as connection:
            return connection.execute(sa.select(User.password_hash).where(User.username == "ada")).scalar_one()

    with writing(practice) as connection:
        old = bcrypt.hashpw(RIGHT.encode(), bcrypt.gensalt(4)).decode()
        connection.execute(sa.update(User).where(User.username == "ada").values(password_hash=old))
    assert attempt(practice, "wrong") is None
    assert stored() == old
    assert attempt(practice, RIGHT) is not None
    better = stored()
    assert better.startswith(passwords.SCHEME)
    assert attempt(practice, RIGHT) is not None
    assert stored() == better
