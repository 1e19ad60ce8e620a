"""What people do on the pages: sign in and out, record a check, add and change people, load files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import downloads, runtime
from dashboard.access import FirstLook, Role, first_look, scope_for
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.safety import record_check
from pages.caseload import load as load_caseload
from queries import caseload, people
from queries.engine import reading
from queries.frames import read_frame
from tests.pages.conftest import PASSWORD, words

SignIn = Callable[..., AppTest]


def sql(statement: str, **parameters: object) -> list[tuple[object, ...]]:
    with reading(runtime.engine()) as connection:
        return [tuple(row) for row in connection.execute(text(statement), parameters)]


def viewer(username: str):
    with reading(runtime.engine()) as connection:
        found = people.viewer(connection, username, runtime.settings().today())
    assert found is not None
    return found


def submit(app: AppTest, username: str, password: str) -> AppTest:
    app.text_input[0].input(username)
    app.text_input[1].input(password)
    app.button[0].click()
    return app.run()


def test_the_right_password_opens_the_pages_and_leaves_an_audit_row(practice: Path, sign_in: SignIn) -> None:
    app = submit(sign_in(None), "director", PASSWORD)
    assert not app.exception
    assert "Caseloads" in words(app)
    assert sql("SELECT username FROM audit WHERE action = 'sign_in'") == [("director",)]


def test_the_sign_in_page_holds_nothing_that_draws_it_again(practice: Path, sign_in: SignIn) -> None:
    app = sign_in(None)
    assert len(app.text_input) == 2
    assert not app.get("component_instance")
    assert not app.get("bidi_component")


def test_wrong_unknown_disabled_and_locked_read_the_same(practice: Path, sign_in: SignIn) -> None:
    from dashboard.people import disable_person

    disable_person(runtime.engine(), practice=None, username="admin", now=runtime.settings().now())
    said = [
        words(submit(sign_in(None), "director", "not the password")),
        words(submit(sign_in(None), "nobody.here", "not the password")),
        words(submit(sign_in(None), "admin", PASSWORD)),
    ]
    for _ in range(runtime.settings().max_sign_in_attempts):
        submit(sign_in(None), "supervisor", "wrong again")
    said.append(words(submit(sign_in(None), "supervisor", PASSWORD)))
    assert len(set(said)) == 1
    assert "Sign-in did not work" in said[0]


def test_signing_out_ends_the_session_on_the_server(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("director")
    session_id = app.session_state["_session_id"]
    next(button for button in app.button if button.label == "Sign out").click()
    app.run()
    assert "Sign in to see" in words(app)
    again = AppTest.from_file(str(Path(__file__).parents[2] / "dashboard" / "app.py"))
    again.session_state["_session_id"] = session_id
    assert "Sign in to see" in words(again.run())


def test_disabling_somebody_ends_what_they_have_open(practice: Path, sign_in: SignIn) -> None:
    from dashboard.people import disable_person

    app = sign_in("supervisor")
    assert "caseloads" in words(app)
    disable_person(runtime.engine(), practice=None, username="supervisor", now=runtime.settings().now())
    app.run()
    assert "Sign in to see" in words(app)


def test_a_role_is_read_again_on_every_rerun(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("supervisor")
    with runtime.engine().begin() as connection:
        connection.execute(text("UPDATE app_user SET role = 'admin' WHERE username = 'supervisor'"))
    app.run()
    said = words(app)
    assert "no client data" in said
    assert "caseloads" not in said


def test_a_reset_person_chooses_a_password_before_anything_else(practice: Path, sign_in: SignIn) -> None:
    from dashboard.people import reset_person

    reset_person(runtime.engine(), practice=None, username="director", now=runtime.settings().now())
    app = sign_in("director")
    said = words(app)
    assert "Choose your own password" in "".join([*said, *[t.value for t in app.title]])
    assert "open episode" not in said
    app.text_input[0].input("another long pass")
    app.text_input[1].input("another long pass")
    app.button[0].click()
    app.run()
    assert "Sign in to see" in words(app)
    assert sql("SELECT must_change FROM app_user WHERE username = 'director'") == [(0,)]


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("short", "short", "at least"),
        ("long enough for all", "long enough for no one", "do not agree"),
        ("x" * 129,) * 2 + ("at most",),
        ("director2026",) * 2 + ("your user name",),
        ("password123456",) * 2 + ("tried first",),
    ],
)
def test_a_password_that_will_not_do_says_why(
    practice: Path, sign_in: SignIn, first: str, second: str, reason: str
) -> None:
    from dashboard.people import reset_person

    reset_person(runtime.engine(), practice=None, username="director", now=runtime.settings().now())
    app = sign_in("director")
    app.text_input[0].input(first)
    app.text_input[1].input(second)
    app.button[0].click()
    app.run()
    assert reason in app.error[0].value


def _waiting(username: str) -> list[dict[str, object]]:
    with reading(runtime.engine()) as connection:
        return read_frame(connection, caseload.waiting_safety(scope_for(viewer(username)))).to_dicts()


def test_recording_a_check_clears_the_safety_flag_and_says_who(practice: Path, sign_in: SignIn) -> None:
    waiting = _waiting("director")
    assert waiting, "the practice of this test has risk answers"
    chosen = str(waiting[0]["public_id"])
    app = sign_in("director")
    assert "risk item was answered above zero" in words(app)
    app.multiselect[0].set_value([chosen])
    next(button for button in app.button if "Record" in button.label).click()
    app.run()
    assert not app.exception
    assert chosen not in {row["public_id"] for row in _waiting("director")}
    assert sql("SELECT DISTINCT username FROM safety_check") == [("director",)]
    assert sql("SELECT count(*) FROM audit WHERE action = 'change safety check recorded'") == [(1,)]


def test_nobody_records_a_check_outside_their_scope(practice: Path) -> None:
    names = [str(row[0]) for row in sql("SELECT username FROM app_user WHERE role = 'clinician'")]
    foreign = next(
        (name, row["public_id"])
        for name in names
        for row in _waiting("director")
        if row["public_id"] not in {own["public_id"] for own in _waiting(name)}
    )
    now = runtime.settings().now()
    with pytest.raises(UnusableInput):
        record_check(
            runtime.engine(),
            runtime.settings(),
            viewer(foreign[0]),
            [str(foreign[1])],
            checked_on=now.date(),
            note="",
            now=now,
        )
    assert sql("SELECT count(*) FROM safety_check") == [(0,)]


def test_an_administrator_adds_somebody_who_can_then_sign_in(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("admin", "people")
    app.text_input[0].input("new.person")
    app.selectbox[0].select("director")
    next(button for button in app.button if button.label == "Add").click()
    app.run()
    assert not app.exception
    password = app.code[0].value
    assert "new.person can sign in" in app.success[0].value
    again = submit(sign_in(None), "new.person", password)
    assert "Choose your own password" in "".join(t.value for t in again.title)
    app.run()
    assert password not in words(app), "a password is shown once"


@pytest.mark.parametrize("username", ["", "X", "has space", "director", "a" * 60, "<b>x</b>"])
def test_a_name_that_will_not_do_is_refused_in_words(practice: Path, sign_in: SignIn, username: str) -> None:
    app = sign_in("admin", "people")
    before = sql("SELECT count(*) FROM app_user")
    app.text_input[0].input(username)
    app.selectbox[0].select("admin")
    next(button for button in app.button if button.label == "Add").click()
    app.run()
    assert app.error
    assert not app.exception
    assert sql("SELECT count(*) FROM app_user") == before


@pytest.mark.parametrize(
    ("verb", "check"),
    [
        ("Disable", "SELECT is_active = 0 FROM app_user WHERE username = 'supervisor'"),
        ("Reset the password", "SELECT must_change = 1 FROM app_user WHERE username = 'supervisor'"),
        ("Link to a clinician", "SELECT clinician_id IS NULL FROM app_user WHERE username = 'supervisor'"),
        ("Set the e-mail", "SELECT email IS NULL FROM app_user WHERE username = 'supervisor'"),
    ],
)
def test_an_administrator_changes_a_person(practice: Path, sign_in: SignIn, verb: str, check: str) -> None:
    app = sign_in("admin", "people")
    app.selectbox[2].select("supervisor")
    app.selectbox[3].select(verb)
    next(button for button in app.button if button.label == "Do it").click()
    app.run()
    assert not app.exception
    assert sql(check) == [(1,)]
    assert sql("SELECT count(*) FROM audit WHERE username = 'admin' AND action LIKE 'change %'")[0][0] == 1


def test_an_administrator_cannot_lock_themselves_out(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("admin", "people")
    app.selectbox[2].select("admin")
    app.selectbox[3].select("Disable")
    next(button for button in app.button if button.label == "Do it").click()
    app.run()
    assert "cannot disable yourself" in app.error[0].value


def test_a_download_link_works_for_its_person_role_and_quarter_of_an_hour_only(practice: Path) -> None:
    from datetime import timedelta

    now = runtime.settings().now()
    director = viewer("director")
    token = downloads.link(director, "set_aside", now).rsplit("/", 1)[1]
    assert downloads.open_link(runtime.engine(), director, token, now).data.startswith(b"import_id,file,line")
    assert sql("SELECT username FROM audit WHERE action = 'export set_aside'") == [("director",)]
    with pytest.raises(NotAllowed):
        downloads.open_link(runtime.engine(), viewer("admin"), token, now)
    with pytest.raises(NotAllowed):
        downloads.open_link(runtime.engine(), director, token, now + timedelta(minutes=16))
    with pytest.raises(NotAllowed):
        downloads.open_link(runtime.engine(), director, token[:-4] + "AAAA", now)
    clinician = next(name for (name,) in sql("SELECT username FROM app_user WHERE role = 'clinician'"))
    link = downloads.link(viewer(str(clinician)), "set_aside", now).rsplit("/", 1)[1]
    with pytest.raises(NotAllowed):
        downloads.open_link(runtime.engine(), viewer(str(clinician)), link, now)


def test_a_director_loads_files_on_the_page(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("director", "data_quality")
    content = b"client_id,client_code\nNEW1,9Z-001\n,9Z-002\n"
    app.file_uploader[0].set_value([("clients.csv", content, "text/csv")])
    next(button for button in app.button if button.label == "Read the files").click()
    app.run()
    assert not app.exception
    assert sql("SELECT client_code FROM client WHERE source_id = 'NEW1'") == [("9Z-001",)]
    said = unescape(words(app))
    assert "clients: 1 new" in said
    assert sql("SELECT count(*) FROM set_aside") == [(1,)]
    assert sql("SELECT username FROM audit WHERE action = 'import'") == [("director",)]


def test_a_file_that_cannot_be_read_is_refused_in_words(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("director", "data_quality")
    app.file_uploader[0].set_value([("clients.csv", b"\xff\xfe\x00", "text/csv")])
    next(button for button in app.button if button.label == "Read the files").click()
    app.run()
    assert not app.exception
    assert "UTF-16" in " ".join(str(one.proto.body) for one in app.get("html"))


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.SUPERVISOR])
def test_only_director_and_administrator_see_the_upload_form(practice: Path, sign_in: SignIn, role: Role) -> None:
    names = [str(row[0]) for row in sql("SELECT username FROM app_user WHERE role = :r", r=role.value)]
    assert not sign_in(names[0], "data_quality").get("file_uploader")


def test_another_systems_export_is_uploaded_through_its_mapping(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("director", "data_quality")
    content = b'"ID","time","BDI","med","med.time"\n1,0,25,0,30\n1,29,34,0,30\n'
    app.file_uploader[0].set_value([("BDIdata.csv", content, "text/csv")])
    next(box for box in app.selectbox if box.label == "How to read them").select("enrichd")
    next(button for button in app.button if button.label == "Read the files").click()
    app.run()
    assert not app.exception
    assert "scores: 2 new" in unescape(words(app))


def _clinician_with_a_signal() -> tuple[str, dict[str, object], str]:
    with reading(runtime.engine()) as connection:
        listed = [name for name, role, *_ in people.list_users(connection, 1) if role == "clinician"]
        for name in listed:
            scope = scope_for(viewer(name))
            flags = read_frame(connection, caseload.flags(scope)).filter(pl.col("family") != "safety")
            states = {row["episode_id"]: row for row in read_frame(connection, caseload.states(scope)).to_dicts()}
            for flag in flags.to_dicts():
                if flag["episode_id"] in states:
                    return name, states[flag["episode_id"]], flag["signal"]
    raise AssertionError("the practice of the tests has a clinician with a signal")


def test_a_clinician_answers_a_signal_and_the_supervisor_reads_it(practice: Path, sign_in: SignIn) -> None:
    name, state, signal = _clinician_with_a_signal()
    app = sign_in(name, "episode", episode=str(state["public_id"]))
    next(box for box in app.selectbox if box.label == "Signal").select(signal)
    next(box for box in app.text_input if box.label.startswith("Why")).input("on holiday, <b>back</b> on Monday")
    next(button for button in app.button if button.label == "Save").click()
    app.run()
    assert not app.exception
    said = words(sign_in("director", "episode", episode=str(state["public_id"])))
    assert "on holiday, &lt;b&gt;back&lt;/b&gt; on Monday" in said
    answered = sql("SELECT count(*) FROM flag WHERE state = 'answered' AND signal = :signal", signal=signal)
    assert answered == [(1,)]
    assert sql("SELECT username, detail FROM audit WHERE action = 'change signal answered'") == [(name, signal)]


def test_a_signal_put_off_no_longer_counts_until_its_day(practice: Path, sign_in: SignIn) -> None:
    from dashboard.replies import reply

    name, state, _ = _clinician_with_a_signal()
    now = runtime.settings().now()
    standing = sql(
        "SELECT DISTINCT signal FROM flag WHERE episode_id = :e AND cleared_on IS NULL AND family <> 'safety'",
        e=state["episode_id"],
    )
    for (signal,) in standing:
        reply(
            runtime.engine(), runtime.settings(), viewer(name), str(state["public_id"]), signal=str(signal), kind="snoozed",
            reason="agreed pause", until_day=now.date() + timedelta(days=10), now=now,
        )  # fmt: skip
    found = sql("SELECT priority FROM episode_state WHERE episode_id = :e", e=state["episode_id"])
    assert found[0][0] in ("no_signals", "not_enough_data")


@pytest.mark.parametrize(
    ("change", "words_of_refusal"),
    [
        ({"signal": "risk_item"}, "Record that it was checked"),
        ({"reason": "  "}, "in a few words"),
        ({"kind": "snoozed", "until_day": None}, "Choose a day ahead"),
        ({"kind": "praised"}, "Choose a signal"),
        ({"reason": "x" * 201}, "200 characters"),
    ],
)
def test_a_reply_that_says_nothing_or_hides_a_risk_is_refused(
    practice: Path, change: dict[str, object], words_of_refusal: str
) -> None:
    from dashboard.replies import reply

    name, state, signal = _clinician_with_a_signal()
    given: dict[str, object] = {"signal": signal, "kind": "answered", "reason": "because", "until_day": None} | change
    with pytest.raises(UnusableInput, match=words_of_refusal):
        reply(
            runtime.engine(), runtime.settings(), viewer(name), str(state["public_id"]), now=runtime.settings().now(), **given
        )  # type: ignore[arg-type] # fmt: skip


def test_nobody_answers_for_somebody_else(practice: Path, sign_in: SignIn) -> None:
    from dashboard.replies import reply

    name, state, signal = _clinician_with_a_signal()
    assert "Answer a signal" not in str(sign_in("director", "episode", episode=str(state["public_id"])).expander)
    with pytest.raises(NotAllowed):
        reply(
            runtime.engine(), runtime.settings(), viewer("director"), str(state["public_id"]), signal=signal, kind="answered",
            reason="because", until_day=None, now=runtime.settings().now(),
        )  # fmt: skip
    assert name != "director"


def test_a_clinician_sees_a_signal_before_the_supervisor_where_the_practice_says_so(practice: Path) -> None:
    name, state, _ = _clinician_with_a_signal()
    today = runtime.settings().today()
    everyone = scope_for(viewer("director"))
    with reading(runtime.engine()) as connection:
        first = first_look(viewer("director"), 10_000, today)
        whole = read_frame(connection, caseload.flags(everyone))
        seen = read_frame(connection, caseload.flags(everyone, first=first))
        own = read_frame(
            connection, caseload.flags(scope_for(viewer(name)), first=first_look(viewer(name), 10_000, today))
        )
        states = load_caseload(connection, everyone, whole=True, first=first).states
    assert set(seen["family"]) <= {"safety"}
    assert whole.filter(pl.col("family") == "safety").height == seen.height
    assert own.filter(pl.col("episode_id") == state["episode_id"]).height > 0
    assert set(states["priority"]) <= {"no_signals", "not_enough_data"}


def test_without_a_head_start_the_status_words_are_those_of_the_evaluation(practice: Path) -> None:
    scope = scope_for(viewer("director"))
    long_ago = FirstLook(None, runtime.settings().today() + timedelta(days=1))
    with reading(runtime.engine()) as connection:
        stored = load_caseload(connection, scope, whole=True).states.sort("episode_id")
        again = load_caseload(connection, scope, whole=True, first=long_ago).states.sort("episode_id")
    assert stored["priority"].to_list() == again["priority"].to_list()
