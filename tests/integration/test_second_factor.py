"""The second factor on both databases: codes of an app and codes on paper, each once, at the speed of passwords."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from dashboard.access import Role, Viewer
from dashboard.errors import UnusableInput
from dashboard.settings import Settings
from dashboard.signin import passwords, second
from dashboard.signin.accepted import Accepted, Caller
from dashboard.signin.attempt import try_password
from dashboard.signin.current import current
from queries import people, practices, second_factors, sessions
from queries.engine import reading, writing
from queries.sign_in_tables import RecoveryCode, SecondFactor
from queries.tables import Audit

NOW = datetime(2026, 11, 20, 9)
AT = 1_800_000_000.0
STEP = second.STEP_SECONDS
SETTINGS = Settings(timezone="UTC")
RIGHT = "seven grey herons"
ADA = Viewer("ada", Role.DIRECTOR, 1)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "COST", 4)
    monkeypatch.setattr(second, "SCRYPT", {"n": 2, "r": 1, "p": 1})
    passwords.nobodys_hash.cache_clear()
    yield
    passwords.nobodys_hash.cache_clear()


@pytest.fixture
def ada(engine: Engine) -> Engine:
    """A practice with a director who has no second factor."""
    with writing(engine) as connection:
        practice_id = practices.ensure_practice(connection, "P", NOW)
        people.add_user(
            connection, practice_id=practice_id, username="ada", role=Role.DIRECTOR, clinician_id=None,
            password_hash=passwords.hashed(RIGHT), must_change=False, now=NOW, actor="test",
        )  # fmt: skip
    return engine


def code(secret: str, at: float = AT) -> str:
    return pyotp.TOTP(secret).at(int(at))


def set_up(engine: Engine, at: float = AT) -> tuple[str, list[str]]:
    secret = second.offer(engine, ADA, NOW)
    return secret, second.confirm(engine, ADA, code(secret, at), NOW, at)


def password(engine: Engine, given: str = RIGHT) -> Accepted | None:
    return try_password(engine, SETTINGS, username="ada", password=given, caller=Caller(), now=NOW)


def tried(engine: Engine, typed: str, at: float) -> str | None:
    accepted = password(engine)
    assert accepted is not None
    assert accepted.needs_code
    return second.try_code(
        engine, SETTINGS, person=accepted.person, typed=typed, caller=Caller(), now=NOW, at=at
    )  # fmt: skip


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1: at 59 s the last six of 94287082, at 1111111109 s of 07081804."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert second.matching_step(secret, "287 082", 59) == 1
    assert second.matching_step(secret, "081804", 1_111_111_109) == 1_111_111_109 // 30


def test_an_offer_is_not_in_force_before_a_code_of_it_was_given(ada: Engine) -> None:
    secret = second.offer(ada, ADA, NOW)
    accepted = password(ada)
    assert accepted is not None
    assert not accepted.needs_code
    with pytest.raises(UnusableInput, match="not the one"):
        second.confirm(ada, ADA, "000000" if code(secret) != "000000" else "111111", NOW, AT)
    second.confirm(ada, ADA, code(secret), NOW, AT)
    again = password(ada)
    assert again is not None
    assert again.needs_code
    with pytest.raises(UnusableInput, match="already"):
        second.offer(ada, ADA, NOW)
    with pytest.raises(UnusableInput, match="not the one"):
        second.confirm(ada, ADA, code(secret, AT + STEP), NOW, AT + STEP)


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_good_one_step_either_way(ada: Engine, steps: int, good: bool) -> None:
    secret, _ = set_up(ada, AT - 100 * STEP)
    assert (tried(ada, code(secret, AT + steps * STEP), AT) == second.APP) is good


def test_a_code_is_accepted_once_and_none_before_it_afterwards(ada: Engine) -> None:
    secret, _ = set_up(ada)
    assert tried(ada, code(secret, AT), AT) is None, "the code that confirmed the app is spent"
    assert tried(ada, code(secret, AT + STEP), AT) == second.APP
    assert tried(ada, code(secret, AT + STEP), AT + STEP) is None
    assert tried(ada, code(secret, AT), AT + STEP) is None
    assert tried(ada, code(secret, AT + 2 * STEP), AT + 2 * STEP) == second.APP


def _at_once(engine: Engine, typed: str, at: float) -> list[str | None]:
    accepted = [password(engine) for _ in range(4)]
    persons = [one.person for one in accepted if one is not None]

    def one(person: object) -> str | None:
        return second.try_code(
            engine, SETTINGS, person=person, typed=typed, caller=Caller(), now=NOW, at=at
        )  # type: ignore[arg-type]  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, persons))


def test_a_code_that_is_given_four_times_at_once_opens_once(ada: Engine) -> None:
    secret, codes = set_up(ada)
    assert sorted(map(str, _at_once(ada, code(secret, AT + STEP), AT + STEP))) == ["None"] * 3 + [second.APP]
    assert sorted(map(str, _at_once(ada, codes[0], AT))) == ["None"] * 3 + [second.PAPER]


def test_guessing_codes_counts_with_guessing_passwords_and_a_password_does_not_empty_it(ada: Engine) -> None:
    secret, codes = set_up(ada)
    wrong = next(
        n for n in ("000000", "111111", "222222", "333333") if n not in {code(secret, AT + k * STEP) for k in range(4)}
    )
    accepted = password(ada)
    assert accepted is not None
    for number in range(SETTINGS.max_sign_in_attempts + 3):
        again = password(ada)
        assert (again is not None) is (number < SETTINGS.max_sign_in_attempts)
        second.try_code(ada, SETTINGS, person=accepted.person, typed=wrong, caller=Caller(), now=NOW, at=AT)
    for right in (code(secret, AT + STEP), codes[0]):
        given = {"person": accepted.person, "typed": right, "caller": Caller(), "now": NOW, "at": AT + STEP}
        assert second.try_code(ada, SETTINGS, **given) is None, "even the right one waits"  # type: ignore[arg-type]
    later = NOW + timedelta(minutes=SETTINGS.lock_minutes)
    given |= {"now": later, "typed": codes[0].upper().replace("-", " ")}
    assert second.try_code(ada, SETTINGS, **given) == second.PAPER  # type: ignore[arg-type]


def test_codes_on_paper_work_once_each_are_stored_hashed_and_new_ones_replace_them(ada: Engine) -> None:
    _, codes = set_up(ada)
    assert len(set(codes)) == second.CODES
    assert tried(ada, codes[3], AT) == second.PAPER
    assert tried(ada, codes[3], AT) is None
    with reading(ada) as connection:
        stored = list(connection.execute(sa.select(RecoveryCode.code_hash)).scalars())
        found = second_factors.factor_of(connection, "ada")
    assert not set(stored) & {one.replace("-", "") for one in codes}
    assert found is not None
    assert found.codes_left == second.CODES - 1
    assert found.secret not in repr(found)
    fresh = second.renew_codes(ada, ADA, NOW)
    assert tried(ada, codes[4], AT) is None
    assert tried(ada, fresh[4], AT) == second.PAPER


def test_somebody_whose_access_changed_between_the_two_steps_is_nobody(ada: Engine) -> None:
    secret, _ = set_up(ada)
    accepted = password(ada)
    assert accepted is not None
    whom = {"practice_id": 1, "username": "ada", "now": NOW, "actor": "adm"}
    with writing(ada) as connection:
        people.set_password(connection, password_hash="x", must_change=True, **whom)  # type: ignore[arg-type]
    given = {
        "person": accepted.person,
        "typed": code(secret, AT + STEP),
        "caller": Caller(),
        "now": NOW,
        "at": AT + STEP,
    }
    assert second.try_code(ada, SETTINGS, **given) is None  # type: ignore[arg-type]


def test_an_administrator_resets_it_and_sessions_end(ada: Engine) -> None:
    set_up(ada)
    with writing(ada) as connection:
        sessions.start(connection, "ada", "session", "code", NOW)
        people.remove_second_factor(connection, practice_id=1, username="ada", now=NOW, actor="adm")
        with pytest.raises(UnusableInput, match="no second factor"):
            people.remove_second_factor(connection, practice_id=1, username="ada", now=NOW, actor="adm")
    assert current(ada, SETTINGS, "session", NOW) is None
    accepted = password(ada)
    assert accepted is not None
    assert not accepted.needs_code
    with reading(ada) as connection:
        assert connection.execute(sa.select(SecondFactor.user_id)).all() == []
        assert connection.execute(sa.select(RecoveryCode.id)).all() == []
        said = connection.execute(sa.select(Audit.username, Audit.action, Audit.detail).order_by(Audit.id)).all()
    assert ("ada", "change second factor set up", None) in [tuple(row) for row in said]
    assert ("adm", "change second factor removed", "ada") in [tuple(row) for row in said]


@pytest.mark.parametrize(
    ("roles", "method", "whose", "ready"),
    [
        ("", sessions.PASSWORD, "provider", True),
        ("director, admin", sessions.PASSWORD, "provider", False),
        ("admin", sessions.PASSWORD, "provider", True),
        ("director", sessions.PROVIDER, "provider", True),
        ("director", sessions.PROVIDER, "here", False),
    ],
)
def test_a_role_that_has_to_have_one_is_not_ready_without(
    ada: Engine, roles: str, method: str, whose: str, ready: bool
) -> None:
    settings = Settings(timezone="UTC", second_factor_roles=roles, oidc_second_factor=whose)
    with writing(ada) as connection:
        sessions.start(connection, "ada", "session", "code", NOW, sessions.Opening(method))
    found = current(ada, settings, "session", NOW)
    assert found is not None
    assert found.viewer.is_ready is ready
    second.offer(ada, ADA, NOW)
    offered = current(ada, settings, "session", NOW)
    assert offered is not None
    assert offered.viewer.is_ready is ready, "an offer alone is none"
    set_up(ada, time.time())
    done = current(ada, settings, "session", NOW)
    assert done is not None
    assert done.viewer.is_ready


def test_the_picture_holds_the_secret_and_asks_nobody_outside() -> None:
    shown = second.picture("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "ada")
    assert shown.startswith("data:image/svg+xml;base64,")
    assert second.in_fours("ABCDEFGHI") == "ABCD EFGH I"
