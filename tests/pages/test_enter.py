"""Entering by hand on the pages: who may, what is shown, what is asked, and that hostile text stays text."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import NO_EPISODE, scope_for
from dashboard.entering import enter_session, new_token
from dashboard.entering_episodes import open_episode, suggested_code
from dashboard.entry.episode_rows import NewClient, NewEpisode
from dashboard.entry.session_form import read_form
from dashboard.staffing import add_clinician
from dashboard.ui.entry_form import Answer
from pages.enter import NOT_YOURS, _saving
from queries import caseload, entries, people
from queries.engine import reading
from queries.frames import read_frame
from tests.pages.conftest import words
from tests.pages.test_pages import BLAME

SignIn = Callable[..., AppTest]
HOSTILE = "<img src=x onerror=alert(1)> **bold** [x](javascript:1)"


def viewer(username: str) -> Any:
    with reading(runtime.engine()) as connection:
        found = people.viewer(connection, username, runtime.settings().today())
    assert found is not None
    return found


def usernames(role: str) -> list[str]:
    with reading(runtime.engine()) as connection:
        return list(
            connection.execute(
                text("SELECT username FROM app_user WHERE role = :role ORDER BY username"), {"role": role}
            ).scalars()
        )


def episodes(username: str) -> list[dict[str, Any]]:
    with reading(runtime.engine()) as connection:
        return read_frame(connection, entries.episodes(scope_for(viewer(username)), open_only=True)).to_dicts()


def clinician() -> str:
    return next(one for one in usernames("clinician") if episodes(one))


def form_of(app: AppTest) -> dict[str, Any] | None:
    drawn = [one.proto for one in app.get("bidi_component") if one.proto.component_name.endswith("supervision.entry")]
    return json.loads(drawn[0].json) if drawn else None


def own_episode(username: str, problem_area: str = "") -> str:
    """A new episode by hand, of the clinician of that name."""
    settings, who = runtime.settings(), viewer(username)
    with reading(runtime.engine()) as connection:
        own = read_frame(connection, entries.clinicians(scope_for(who), settings.today())).to_dicts()
    whose = next(row for row in own if row["clinician_id"] == who.clinician_id)
    given = NewEpisode(settings.today() - timedelta(days=9), problem_area=problem_area)
    client = NewClient(suggested_code(runtime.engine(), who))
    return open_episode(
        runtime.engine(), settings, who, token=new_token(), client=client, clinician=whose["clinician_public_id"],
        given=given, now=settings.now(),
    )  # fmt: skip


def entry(**changed: Any) -> dict[str, Any]:
    return {
        "token": new_token(), "appointment": "new", "day": f"{runtime.settings().today()}", "time": "00:00",
        "status": "attended", "mode": "", "measures": [], "agreed": [], "number": 1,
    } | changed  # fmt: skip


def items(value: str) -> dict[str, Any]:
    return {"key": "phq9", "respondent": "client", "values": {f"item_{i}": value for i in range(1, 10)}}


@pytest.mark.parametrize("role", ["clinician", "supervisor", "director", "admin"])
def test_who_may_enter_what(practice: Path, sign_in: SignIn, role: str) -> None:
    person = clinician() if role == "clinician" else usernames(role)[0]
    app = sign_in(person, "enter")
    assert not app.exception
    said = words(app)
    assert not BLAME.search(said)
    if role == "admin":
        assert "not part of your role" in said
        return
    assert "Whose session was it, and what happened?" in said
    who = viewer(person)
    mine = [row for row in episodes(person) if row["clinician_id"] == who.clinician_id]
    others = [row for row in episodes("director") if row["clinician_id"] != who.clinician_id]
    if mine:
        app = sign_in(person, "enter", episode=mine[0]["public_id"])
        assert form_of(app) is not None
        assert not BLAME.search(words(app))
    for row in (others[0], next((one for one in others if one["clinician_id"] in who.supervisee_ids), others[0])):
        app = sign_in(person, "enter", episode=row["public_id"])
        if role == "director":
            assert form_of(app) is not None
        else:
            assert form_of(app) is None
            assert (NOT_YOURS if row["clinician_id"] in who.supervisee_ids else NO_EPISODE) in unescape(words(app))
    assert not app.exception


def test_the_form_offers_the_episodes_sessions_and_questionnaires(practice: Path, sign_in: SignIn) -> None:
    person = "director"
    with reading(runtime.engine()) as connection:
        used = read_frame(connection, entries.scores(scope_for(viewer(person))))
    one = next(row for row in episodes(person) if row["episode_id"] in set(used["episode_id"]))
    drawn = form_of(sign_in(person, "enter", episode=one["public_id"]))
    assert drawn is not None
    assert drawn["slots"][-1]["ref"] == "new"
    assert all(slot["fixed"] for slot in drawn["slots"][:-1]), "these came from files: scores only"
    shown = {measure["sheet"]["key"] for measure in drawn["measures"]}
    assert shown == set(used.filter(used["episode_id"] == one["episode_id"])["instrument"])


def test_an_entry_from_the_browser_is_saved_asked_about_or_refused_in_words(practice: Path) -> None:
    person = clinician()
    who, episode = viewer(person), own_episode(person)
    held: dict[str, Any] = {"token": "0" * 16, "answer": Answer()}
    act = _saving(who, episode, held)
    for garbage in (None, [], "x", {"number": 3}, entry(token="0" * 16, day="soon"), entry(status=["attended"])):
        act(garbage)
        assert held["answer"].trouble
        assert "said" not in held
    act(entry())
    assert "said" not in held, "a form of another opening is not saved twice"
    act(entry(token=held["token"], measures=[items("1")], number=7))
    assert held.pop("said").startswith("Saved:")
    assert held["answer"] == Answer(7)
    act(entry(token=held["token"], measures=[items("2")], number=8))
    assert [code.split()[0] for code, _ in held["answer"].questions] == ["session", "replace"]
    agreed = [code for code, _ in held["answer"].questions]
    act(entry(token=held["token"], measures=[items("2")], number=9, agreed=agreed, time="00:15"))
    assert [code.split()[0] for code, _ in held["answer"].questions] == ["session"], "another time is another question"
    other = next(row for row in episodes("director") if row["clinician_id"] != who.clinician_id)
    _saving(who, other["public_id"], held)(entry(token=held["token"], number=10))
    assert held["answer"].trouble == NO_EPISODE


def test_what_was_entered_stands_in_the_list_with_who_and_can_be_deleted_and_brought_back(
    practice: Path, sign_in: SignIn
) -> None:
    person = clinician()
    who, episode, settings = viewer(person), own_episode(person, HOSTILE), runtime.settings()
    enter_session(runtime.engine(), settings, who, episode, read_form(entry(measures=[items("2")])), settings.now())
    app = sign_in(person, "enter", episode=episode)
    said = words(app)
    assert f"Entered by {person}" in said
    assert "PHQ-9 18 (9 items)" in said
    assert "a risk item was answered above zero" in said, "the check is asked for at once"
    assert "<img" not in said
    link = said.split("entry=")[1].split('"')[0]
    app = sign_in(person, "enter", episode=episode, entry=link)
    drawn = form_of(app)
    assert drawn is not None
    assert drawn["measures"][0]["values"]["item_9"] == "2"
    assert drawn["seen"]
    next(one for one in app.button if one.label.startswith("Delete")).click()
    app.run()
    assert not app.exception
    assert "No session and no score is here yet." in words(app)
    next(one for one in app.button if one.label.startswith("Bring back")).click()
    app.run()
    assert "PHQ-9 18 (9 items)" in words(app)


def test_an_episode_is_opened_closed_and_opened_again_by_its_forms(practice: Path, sign_in: SignIn) -> None:
    person = clinician()
    app = sign_in(person, "enter", new="episode")
    suggested = app.text_input[0].value
    assert any(one.isdigit() for one in suggested) or "-" in suggested
    app.text_input[0].input("Maria")
    press(app, "Open the episode")
    assert "may be a name" in app.error[0].value
    app.text_input[0].input("9Z-001")
    press(app, "Open the episode")
    assert not app.exception
    assert "Add a session: 9Z-001" in words(app)
    press(app, "Close this episode")
    assert "Choose one of the endings" in app.error[0].value
    next(one for one in app.selectbox if one.label == "How did it end?").select("mutual")
    press(app, "Close this episode")
    assert "ended by agreement" in words(app)
    press(app, "Open it again")
    assert "The episode is open again." in words(app)
    with reading(runtime.engine()) as connection:
        rows = read_frame(connection, caseload.states(scope_for(viewer(person))))
    assert "9Z-001" in set(rows["client_code"])
    assert "Add a session" in words(sign_in(person, "caseload"))


def test_only_of_a_code_that_looks_like_a_name_is_asked_whether_it_is_none(practice: Path, sign_in: SignIn) -> None:
    app = sign_in(clinician(), "enter", new="episode")
    assert not app.checkbox
    app.text_input[0].input("Morgenstern")
    press(app, "Open the episode")
    assert len(app.checkbox) == 1
    app.checkbox[0].check()
    press(app, "Open the episode")
    assert "Add a session: Morgenstern" in words(app)


def press(app: AppTest, label: str) -> None:
    next(one for one in app.button if one.label == label).click()
    app.run()


@pytest.mark.parametrize("role", ["director", "admin"])
def test_whoever_manages_staff_adds_a_clinician_and_only_an_administrator_sees_who_signs_in(
    practice: Path, sign_in: SignIn, role: str
) -> None:
    person = usernames(role)[0]
    settings = runtime.settings()
    add_clinician(
        runtime.engine(), settings, viewer(person), key="X1", name=HOSTILE, started_on=None, is_trainee=False,
        now=settings.now(),
    )  # fmt: skip
    app = sign_in(person, "people")
    assert not app.exception
    said = words(app)
    assert "<img" not in said
    assert ("People who may sign in" in said) == (role == "admin")
    next(one for one in app.text_input if one.label == "Name").input("Nia O")
    press(app, "Add the clinician")
    assert not app.exception
    assert "Nia O" in words(app)


def test_a_practice_with_nothing_says_where_to_begin(practice: Path, sign_in: SignIn) -> None:
    person = clinician()
    with runtime.engine().begin() as connection:
        connection.execute(text("UPDATE episode SET closed_on = opened_on, ending = 'other'"))
    assert "Begin with a new one" in words(sign_in(person, "enter"))
