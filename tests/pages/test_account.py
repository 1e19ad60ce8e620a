"""One's own sign-in: the second step, the page Your sign-in, and what has to be done before anything opens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import Role, Viewer
from dashboard.people import reset_person
from dashboard.signin import passwords, second
from queries import sessions
from queries.engine import reading, writing
from tests.pages.conftest import PASSWORD, words

SignIn = Callable[..., AppTest]
DIRECTOR = Viewer("director", Role.DIRECTOR, 1)
NEW = "seven grey herons"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "COST", 4)
    monkeypatch.setattr(second, "SCRYPT", {"n": 2, "r": 1, "p": 1})
    passwords.nobodys_hash.cache_clear()
    yield
    passwords.nobodys_hash.cache_clear()


def sql(statement: str, **parameters: object) -> list[tuple[object, ...]]:
    with reading(runtime.engine()) as connection:
        return [tuple(row) for row in connection.execute(text(statement), parameters)]


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return app.run()


def type_in(app: AppTest, label: str, what: str) -> None:
    next(box for box in app.text_input if box.label == label).input(what)


def sign_in_by_form(app: AppTest, username: str, password: str) -> AppTest:
    type_in(app, "User name", username)
    type_in(app, "Password", password)
    return press(app, "Sign in")


def set_up(at: float | None = None) -> tuple[str, list[str]]:
    """The director's app, confirmed with the code of a little while ago, so that the present one is still good."""
    before = (time.time() if at is None else at) - 2 * second.STEP_SECONDS
    now = runtime.settings().now()
    secret = second.offer(runtime.engine(), DIRECTOR, now)
    return secret, second.confirm(runtime.engine(), DIRECTOR, pyotp.TOTP(secret).at(int(before)), now, before)


def require(roles: str) -> None:
    runtime.configure(replace(runtime.settings(), second_factor_roles=roles), runtime.engine())


def title(app: AppTest) -> str:
    return " ".join(one.value for one in app.title) + words(app)


def test_the_code_comes_after_the_password_and_before_everything(practice: Path, sign_in: SignIn) -> None:
    secret, _ = set_up()
    app = sign_in_by_form(sign_in(None), "director", PASSWORD)
    assert "One more step" in words(app)
    assert "Caseloads" not in words(app)
    assert "_session_id" not in app.session_state
    assert sql("SELECT count(*) FROM user_session") == [(0,)]
    type_in(app, "Code", "000000")
    press(app, "Sign in")
    assert "That code did not work" in app.error[0].value
    type_in(app, "Code", pyotp.TOTP(secret).now())
    press(app, "Sign in")
    assert not app.exception
    assert "Caseloads" in words(app)
    assert sql("SELECT method FROM user_session") == [("password and code",)]
    assert sql("SELECT detail FROM audit WHERE action = 'sign_in'") == [("password and code",)]


def test_a_code_on_paper_stands_in_for_a_lost_phone(practice: Path, sign_in: SignIn) -> None:
    _, codes = set_up()
    app = sign_in_by_form(sign_in(None), "director", PASSWORD)
    type_in(app, "Code", codes[0])
    press(app, "Sign in")
    assert "Caseloads" in words(app)
    assert sql("SELECT method FROM user_session") == [("password and recovery code",)]


def test_the_second_step_can_be_left_and_runs_out(
    practice: Path, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up()
    app = sign_in_by_form(sign_in(None), "director", PASSWORD)
    press(app, "Start again")
    assert "Sign in to see" in words(app)
    app = sign_in_by_form(app, "director", PASSWORD)
    assert "One more step" in words(app)
    monkeypatch.setattr("dashboard.signin.begin.HALF_SECONDS", -1)
    assert "Sign in to see" in words(app.run())


def test_a_role_that_has_to_have_a_second_factor_sets_it_up_before_anything_else(
    practice: Path, sign_in: SignIn
) -> None:
    require("director")
    app = sign_in_by_form(sign_in(None), "director", PASSWORD)
    assert "Set up your second factor" in title(app)
    assert "Caseloads" not in words(app)
    secret = str(sql("SELECT secret FROM second_factor")[0][0])
    assert second.in_fours(secret) in words(app)
    type_in(app, "Code that the app shows now", "12345")
    press(app, "Confirm")
    assert "not the one" in app.error[0].value
    type_in(app, "Code that the app shows now", pyotp.TOTP(secret).now())
    press(app, "Confirm")
    assert "Your second factor is in force" in title(app)
    codes = app.code[0].value.split()
    assert len(codes) == second.CODES
    assert "Caseloads" not in words(app)
    press(app, "I have kept them")
    assert not app.exception
    assert "Caseloads" in words(app)
    assert codes[0] not in str(app)


def test_others_are_not_asked(practice: Path, sign_in: SignIn) -> None:
    require("director")
    assert "Set up" not in title(sign_in_by_form(sign_in(None), "supervisor", PASSWORD))


def test_a_password_is_changed_with_the_old_one_and_sessions_end(practice: Path, sign_in: SignIn) -> None:
    elsewhere = sign_in("supervisor")
    app = sign_in("supervisor", "account")
    for old, first, again, reason in (
        ("not it", NEW, NEW, "not your password"),
        (PASSWORD, NEW, "other words", "do not agree"),
        (PASSWORD, "supervisor2026", "supervisor2026", "your user name"),
        (PASSWORD, PASSWORD, PASSWORD, "password you have now"),
    ):
        type_in(app, "Your password now", old)
        type_in(app, "New password", first)
        type_in(app, "The new one again", again)
        press(app, "Change it")
        assert reason in app.error[0].value
    type_in(app, "Your password now", PASSWORD)
    type_in(app, "New password", NEW)
    type_in(app, "The new one again", NEW)
    press(app, "Change it")
    assert not app.exception
    assert "Sign in to see" in words(app)
    assert "Sign in to see" in words(elsewhere.run())
    assert sql("SELECT username, detail FROM audit WHERE action = 'change password'") == [("supervisor", "supervisor")]
    assert "caseloads" in words(sign_in_by_form(sign_in(None), "supervisor", NEW))


def test_guessing_the_old_password_on_an_open_page_comes_to_a_pause(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("supervisor", "account")
    for given in ["wrong"] * runtime.settings().max_sign_in_attempts + [PASSWORD]:
        type_in(app, "Your password now", given)
        type_in(app, "New password", NEW)
        type_in(app, "The new one again", NEW)
        press(app, "Change it")
        assert "not your password" in app.error[0].value


def test_an_app_is_set_up_and_removed_on_ones_own_page(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("director", "account")
    boxes = [box for box in app.text_input if box.label == "Your password now"]
    boxes[-1].input("not it")
    press(app, "Go on")
    assert "not your password" in app.error[0].value
    assert sql("SELECT count(*) FROM second_factor") == [(0,)]
    [box for box in app.text_input if box.label == "Your password now"][-1].input(PASSWORD)
    press(app, "Go on")
    secret = str(sql("SELECT secret FROM second_factor")[0][0])
    assert "data:image/svg+xml" in words(app)
    type_in(app, "Code that the app shows now", pyotp.TOTP(secret).now())
    press(app, "Confirm")
    first = app.code[0].value.split()
    press(app, "I have kept them")
    assert "in force" in words(app)
    assert secret not in words(app).replace(" ", "")
    [box for box in app.text_input if box.label == "Your password now"][-1].input(PASSWORD)
    press(app, "Do it")
    second_codes = app.code[0].value.split()
    assert not set(first) & set(second_codes)
    press(app, "I have kept them")
    next(box for box in app.selectbox if box.label == "What").select("Remove the second factor")
    [box for box in app.text_input if box.label == "Your password now"][-1].input(PASSWORD)
    press(app, "Do it")
    assert not app.exception
    assert "Sign in to see" in words(app)
    assert sql("SELECT count(*) FROM second_factor") == [(0,)]
    assert "Caseloads" in words(sign_in_by_form(sign_in(None), "director", PASSWORD))


def test_a_role_that_has_to_have_one_cannot_remove_it(practice: Path, sign_in: SignIn) -> None:
    set_up()
    require("director,admin")
    app = sign_in("director", "account")
    assert [box.options for box in app.selectbox if box.label == "What"] == [["Make new recovery codes"]]


def test_ones_own_sign_ins_are_listed_without_their_ids_and_can_be_ended(practice: Path, sign_in: SignIn) -> None:
    now = runtime.settings().now()
    with writing(runtime.engine()) as connection:
        phone = sessions.Opening(sessions.PASSWORD, "192.0.2.7", "Mozilla/5.0 (iPhone) Safari/604.1")
        sessions.start(connection, "supervisor", "on the phone", "its code", now, phone)
        theirs = sessions.start(connection, "director", "of the director", "another", now, phone)
    app = sign_in("supervisor", "account")
    said = unescape(words(app))
    assert "Safari on an iPhone" in said
    assert "192.0.2.7" in said
    assert "(this one)" in said
    assert "on the phone" not in said
    assert sessions.fingerprint("on the phone") not in said
    chosen = next(box for box in app.selectbox if box.label == "Another sign-in of yours")
    assert len(chosen.options) == 1
    assert theirs not in str(chosen.proto)
    press(app, "End this one")
    assert "has ended" in app.success[0].value
    found = sql("SELECT revoked FROM user_session WHERE id_hash = :i", i=sessions.fingerprint("on the phone"))
    assert found == [(1,)]
    assert sql("SELECT count(*) FROM user_session WHERE NOT revoked") == [(2,)]


def test_signing_out_everywhere_ends_this_sign_in_too(practice: Path, sign_in: SignIn) -> None:
    elsewhere = sign_in("supervisor")
    app = press(sign_in("supervisor", "account"), "Sign out everywhere")
    assert not app.exception
    assert "Sign in to see" in words(app)
    assert "Sign in to see" in words(elsewhere.run())
    assert sql("SELECT username FROM audit WHERE action = 'sign_out everywhere'") == [("supervisor",)]


def test_an_administrator_resets_a_second_factor_on_the_page(practice: Path, sign_in: SignIn) -> None:
    set_up()
    app = sign_in("admin", "people")
    assert "has a second factor" in words(app)
    next(box for box in app.selectbox if box.label == "Who").select("director")
    next(box for box in app.selectbox if box.label == "What").select("Reset the second factor")
    press(app, "Do it")
    assert not app.exception
    assert "without a second factor" in app.success[0].value
    assert sql("SELECT count(*) FROM second_factor") == [(0,)]
    assert sql("SELECT username FROM audit WHERE action = 'change second factor removed'") == [("admin",)]


@pytest.mark.parametrize(
    ("email", "stored", "said"),
    [
        ("Ruth.Okafor@Practice.Example", "ruth.okafor@practice.example", "is known to single sign-on as"),
        ("no address", None, "is no e-mail address"),
    ],
)
def test_an_administrator_enters_an_address(
    practice: Path, sign_in: SignIn, email: str, stored: str | None, said: str
) -> None:
    app = sign_in("admin", "people")
    next(box for box in app.selectbox if box.label == "Who").select("director")
    next(box for box in app.selectbox if box.label == "What").select("Set the e-mail")
    type_in(app, "E-mail (to set it)", email)
    press(app, "Do it")
    assert said in " ".join(one.value for one in [*app.success, *app.error])
    assert sql("SELECT email FROM app_user WHERE username = 'director'") == [(stored,)]


def test_after_a_reset_the_password_that_was_handed_over_will_not_do_again(practice: Path, sign_in: SignIn) -> None:
    given = reset_person(runtime.engine(), practice=None, username="director", now=runtime.settings().now())
    app = sign_in_by_form(sign_in(None), "director", given)
    type_in(app, "New password", given)
    type_in(app, "The same again", given)
    press(app, "Save password")
    assert "password you have now" in app.error[0].value


def test_single_sign_on_that_is_not_set_up_completely_says_so(practice: Path, sign_in: SignIn) -> None:
    assert "Sign in with" not in str([one.label for one in sign_in(None).button])
    given = {"oidc_discovery_url": "https://p.example/.well-known/openid-configuration", "oidc_label": "Heron House"}
    runtime.configure(replace(runtime.settings(), **given), runtime.engine())
    app = press(sign_in(None), "Sign in with Heron House")
    assert not app.exception
    assert "not set up completely" in app.error[0].value
