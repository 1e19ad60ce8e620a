"""The meeting on screen: prepared in few clicks, held item by item, closed, signed, followed up."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import NO_MEETING, scope_for
from dashboard.replies import reply
from dashboard.supervising import Room, prepare
from queries import caseload, meetings, people
from queries.engine import reading, writing
from queries.frames import read_frame
from tests.pages.conftest import words

SignIn = Callable[..., AppTest]


def viewer(username: str):
    with reading(runtime.engine()) as connection:
        found = people.viewer(connection, username, runtime.settings().today())
    assert found is not None
    return found


def supervisees() -> list[dict[str, object]]:
    """The supervisor's supervisees, those with most worth discussing first."""
    lead = viewer("supervisor")
    with reading(runtime.engine()) as connection:
        rows = read_frame(connection, caseload.clinicians(scope_for(lead)))
        states = read_frame(connection, caseload.states(scope_for(lead)))
        names = dict(
            connection.execute(text("SELECT clinician_id, username FROM app_user WHERE clinician_id IS NOT NULL")).all()
        )
    worth = states.filter(pl.col("priority").is_in(["talk_first", "worth_discussing"])).group_by("clinician_id").len()
    found = (
        rows.filter(pl.col("clinician_id") != lead.clinician_id)
        .join(worth, on="clinician_id", how="left")
        .sort(["len", "clinician_id"], descending=[True, False], nulls_last=True)
    )
    return [row | {"username": names.get(row["clinician_id"])} for row in found.to_dicts()]


def prepared(kind: str = "one_to_one", count: int = 1, minutes: int = 60) -> tuple[str, list[dict[str, object]]]:
    about = supervisees()[:count]
    settings = runtime.settings()
    public_id = prepare(
        runtime.engine(), settings, viewer("supervisor"), [str(row["public_id"]) for row in about],
        held_on=settings.today(), minutes=minutes, kind=kind, now=settings.now(),
    )  # fmt: skip
    return public_id, about


def agenda(public_id: str, username: str = "supervisor") -> pl.DataFrame:
    with reading(runtime.engine()) as connection:
        row = read_frame(connection, meetings.meetings(viewer(username), public_id=public_id)).row(0, named=True)
        items = read_frame(connection, meetings.items(viewer(username), row["meeting_id"]))
    return items.filter(pl.col("position").is_not_null())


def room(public_id: str, username: str = "supervisor") -> Room:
    with reading(runtime.engine()) as connection:
        row = read_frame(connection, meetings.meetings(viewer(username), public_id=public_id)).row(0, named=True)
    return Room(runtime.engine(), runtime.settings(), viewer(username), public_id, row["version"])


def first_case(public_id: str) -> dict[str, object]:
    return agenda(public_id).filter(pl.col("episode_id").is_not_null()).row(0, named=True)


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label == label)


def test_an_hour_is_prepared_with_one_choice_and_one_click(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("supervisor", "meeting")
    assert button(app, "Prepare").disabled
    name = next(one for one in app.selectbox if one.label == "With")
    name.set_value(supervisees()[0]["public_id"])
    app.run()
    button(app, "Prepare").click()
    app.run()
    said = unescape(words(app))
    assert not app.exception
    assert "Meeting with" in said
    assert "of 60 minutes" in said
    assert "Start the meeting" in said


def test_the_agenda_is_changed_by_buttons_and_says_its_minutes(practice: Path, sign_in: SignIn) -> None:
    public_id, _ = prepared()
    app = sign_in("supervisor", "meeting", meeting=public_id)
    before = agenda(public_id).filter(pl.col("kind") != "safety")["item_id"].to_list()
    next(one for one in app.button if one.key == f"down-{before[0]}").click()
    app.run()
    now = agenda(public_id)["item_id"].to_list()
    assert now.index(before[1]) < now.index(before[0])
    next(one for one in app.button if one.key == f"off-{before[1]}").click()
    app.run()
    assert before[1] not in agenda(public_id)["item_id"].to_list()
    assert "Left out (" in unescape(words(app))
    next(one for one in app.number_input if one.key == f"min-{before[0]}").set_value(33)
    app.run()
    assert agenda(public_id).filter(pl.col("item_id") == before[0])["minutes"].item() == 33
    assert not app.exception


def test_a_meeting_prepared_by_mistake_is_taken_back(practice: Path, sign_in: SignIn) -> None:
    public_id, _ = prepared()
    app = sign_in("supervisor", "meeting", meeting=public_id)
    button(app, "Take this meeting back").click()
    app.run()
    assert not app.exception
    assert "No meeting is prepared." in unescape(words(app))


def test_a_change_on_an_older_screen_is_said_and_not_made(practice: Path, sign_in: SignIn) -> None:
    public_id, _ = prepared()
    app = sign_in("supervisor", "meeting", meeting=public_id)
    there = agenda(public_id).filter(pl.col("kind") != "safety")["item_id"].to_list()
    room(public_id).move(there[-1], -1)
    after = agenda(public_id)["item_id"].to_list()
    next(one for one in app.button if one.key == f"off-{there[0]}").click()
    app.run()
    assert "Somebody changed this agenda" in " ".join(one.value for one in app.error)
    assert agenda(public_id)["item_id"].to_list() == after


def test_each_item_has_its_screen_with_figure_signals_and_a_place_to_write(practice: Path, sign_in: SignIn) -> None:
    public_id, _ = prepared()
    for row in agenda(public_id).to_dicts():
        app = sign_in("supervisor", "meeting", meeting=public_id, item=str(row["item_id"]))
        said = unescape(words(app))
        assert not app.exception, row["kind"]
        assert "What will be done?" in said
        if row["episode_id"] is not None:
            assert str(row["client_code"]) in said
            assert "What might be getting in the way?" in said
            assert app.get("plotly_chart")
            assert "Clears with:" in said or "No signal stands" in said


def test_why_stuck_who_and_when_are_saved_as_they_are_chosen(practice: Path, sign_in: SignIn) -> None:
    public_id, about = prepared()
    row = first_case(public_id)
    app = sign_in("supervisor", "meeting", meeting=public_id, item=str(row["item_id"]))
    next(one for one in app.checkbox if "people around" in one.label).check()
    app.run()
    next(one for one in app.selectbox if one.label == "Who").set_value(str(about[0]["display_name"]))
    app.run()
    when = runtime.settings().today() + timedelta(days=14)
    next(one for one in app.date_input if one.label == "Look again on").set_value(when)
    app.run()
    assert not app.exception
    with reading(runtime.engine()) as connection:
        found = connection.execute(
            text("SELECT field, text FROM meeting_field WHERE item_id = :i"), {"i": row["item_id"]}
        ).all()
    assert dict(map(tuple, found)) == {
        "obstacle": "support", "who": about[0]["display_name"], "look_again_on": when.isoformat(),
    }  # fmt: skip


def test_writing_in_a_meeting_keeps_the_session_and_looking_on_does_not(practice: Path, sign_in: SignIn) -> None:
    public_id, _ = prepared()
    row = first_case(public_id)
    app = sign_in("supervisor", "meeting", meeting=public_id, item=str(row["item_id"]))
    earlier = runtime.settings().now() - timedelta(minutes=5)

    def seen() -> str:
        with reading(runtime.engine()) as connection:
            return str(connection.execute(text("SELECT max(last_seen_at) FROM user_session")).scalar_one())

    with writing(runtime.engine()) as connection:
        connection.execute(text("UPDATE user_session SET last_seen_at = :at"), {"at": str(earlier)})
    before = seen()
    with reading(runtime.engine()):
        room(public_id)
    assert seen() == before
    next(one for one in app.checkbox if "people around" in one.label).check()
    app.run()
    assert seen() > before


def test_what_the_other_saved_is_shown_and_a_closed_meeting_takes_nothing(practice: Path, sign_in: SignIn) -> None:
    public_id, about = prepared()
    row = first_case(public_id)
    room(public_id, str(about[0]["username"])).write(int(str(row["item_id"])), "obstacle", "motivation", 0)
    app = sign_in("supervisor", "meeting", meeting=public_id, item=str(row["item_id"]))
    assert next(one for one in app.checkbox if "worth" in one.label or "wants from it" in one.label).value
    room(public_id).close([])
    next(one for one in app.checkbox if "people around" in one.label).check()
    app.run()
    assert "closed" in " ".join(one.value for one in app.error)


def test_the_clinician_s_answer_is_read_beside_the_case(practice: Path, sign_in: SignIn) -> None:
    public_id, about = prepared()
    row = first_case(public_id)
    clinician = viewer(str(about[0]["username"]))
    with reading(runtime.engine()) as connection:
        flags = read_frame(connection, caseload.flags(scope_for(clinician), public_id=str(row["public_id"])))
    standing = flags.filter(pl.col("family") != "safety")["signal"].to_list()
    if not standing:
        pytest.skip("no signal stands in the first case of this day's practice")
    settings = runtime.settings()
    reply(
        runtime.engine(), settings, clinician, str(row["public_id"]), signal=standing[0], kind="answered",
        reason="reads the scale backwards", until_day=None, now=settings.now(),
    )  # fmt: skip
    app = sign_in("supervisor", "meeting", meeting=public_id, item=str(row["item_id"]))
    assert "reads the scale backwards" in unescape(words(app))


def test_closing_signing_and_following_up_on_screen(practice: Path, sign_in: SignIn) -> None:
    public_id, about = prepared()
    row = first_case(public_id)
    item = int(str(row["item_id"]))
    room(public_id).write(item, "what", "Ask what has changed", 0)
    app = sign_in("supervisor", "meeting", meeting=public_id, step="close")
    assert next(one for one in app.multiselect if one.label == "What was talked about").value == [item]
    button(app, "Confirm and close").click()
    app.run()
    button(app, "Sign").click()
    app.run()
    said = unescape(words(app))
    assert "Ask what has changed" in said
    assert "supervisor" in said
    clinician = sign_in(str(about[0]["username"]), "meeting", meeting=public_id)
    button(clinician, "Sign").click()
    clinician.run()
    assert "supervisee" in unescape(words(clinician))
    home = unescape(words(sign_in(str(about[0]["username"]))))
    assert "discussed" in home
    assert "Ask what has changed" in home
    episode = unescape(words(sign_in(str(about[0]["username"]), "episode", episode=str(row["public_id"]))))
    assert "Earlier meetings" in episode
    assert "Ask what has changed" in episode


def test_a_group_screen_shows_no_clinician_s_name_once_names_are_hidden(practice: Path, sign_in: SignIn) -> None:
    public_id, about = prepared("group", 2, 90)
    names = [str(row["display_name"]) for row in about]
    app = sign_in("supervisor", "meeting", meeting=public_id)
    said = unescape(words(app))
    assert not app.exception
    assert not [name for name in names if name in said]
    for row in agenda(public_id).to_dicts():
        shown = unescape(words(sign_in("supervisor", "meeting", meeting=public_id, item=str(row["item_id"]))))
        assert not [name for name in names if name in shown], row["kind"]
        assert not re.search(r"outcome of the clinician|by clinician", shown)


@pytest.mark.parametrize("who", ["stranger", "admin"])
def test_somebody_outside_reads_the_same_as_for_no_meeting_at_all(practice: Path, sign_in: SignIn, who: str) -> None:
    public_id, about = prepared()
    if who == "stranger":
        taken = {row["username"] for row in about}
        with reading(runtime.engine()) as connection:
            names = connection.execute(
                text("SELECT username FROM app_user WHERE role = 'clinician' ORDER BY id")
            ).scalars()
            who = next(name for name in names if name not in taken)
    first = unescape(words(sign_in(who, "meeting", meeting=public_id)))
    second = unescape(words(sign_in(who, "meeting", meeting="0000000000000000")))
    assert ("Not part of your role" if who == "admin" else NO_MEETING) in first
    assert first == second


def test_a_director_reads_a_meeting_and_writes_nothing_in_it(practice: Path, sign_in: SignIn) -> None:
    public_id, _ = prepared()
    app = sign_in("director", "meeting", meeting=public_id)
    assert "Meeting with" in unescape(words(app))
    assert not [one for one in app.button if str(one.key or "").startswith(("up-", "off-"))]
    held = sign_in("director", "meeting", meeting=public_id, item=str(first_case(public_id)["item_id"]))
    assert all(one.disabled for one in held.checkbox)
    with reading(runtime.engine()) as connection:
        noted = connection.execute(
            text("SELECT count(*) FROM audit WHERE action = 'view meeting' AND username = 'director'")
        ).scalar_one()
    assert noted == 2


def test_the_director_s_half_hour_is_about_coverage_not_cases(practice: Path, sign_in: SignIn) -> None:
    settings = runtime.settings()
    with reading(runtime.engine()) as connection:
        everyone = read_frame(connection, caseload.clinicians(scope_for(viewer("director"))))["public_id"].to_list()
    public_id = prepare(
        runtime.engine(), settings, viewer("director"), everyone, held_on=settings.today(), minutes=30, kind="director",
        now=settings.now(),
    )  # fmt: skip
    kinds = agenda(public_id, "director")["kind"].to_list()
    assert "coverage" in kinds
    assert "case" not in kinds
    app = sign_in("director", "meeting", meeting=public_id)
    assert not app.exception
    assert "about the practice" in unescape(words(app))


def test_hostile_text_in_a_box_is_shown_as_text(practice: Path, sign_in: SignIn) -> None:
    public_id, _ = prepared()
    row = first_case(public_id)
    room(public_id).write(int(str(row["item_id"])), "what", "<img src=x onerror=alert(1)>", 0)
    app = sign_in("supervisor", "meeting", meeting=public_id, step="close")
    assert "<img src=x" not in "\n".join(element.proto.body for element in app.get("html"))


@pytest.mark.parametrize("code", ["<img src=x>", "![](https://outside.example/x.png)"])
def test_a_hostile_client_code_is_text_on_every_screen_of_a_meeting(practice: Path, sign_in: SignIn, code: str) -> None:
    with writing(runtime.engine()) as connection:
        connection.execute(text("UPDATE client SET client_code = :code"), {"code": code})
    public_id, _ = prepared()
    item = str(first_case(public_id)["item_id"])
    for more in ({}, {"item": item}, {"step": "close"}):
        app = sign_in("supervisor", "meeting", meeting=public_id, **more)
        assert not app.exception
        assert "<img src=x" not in "\n".join(element.proto.body for element in app.get("html"))
        read_as_markdown = [
            str(getattr(one.proto, name, "") or "")
            for kind in (app.button, app.number_input, app.selectbox, app.checkbox, app.toggle, app.markdown)
            for one in kind
            for name in ("label", "help", "body")
        ]
        assert not [words for words in read_as_markdown if code in words]


def test_the_digest_names_no_client(practice: Path) -> None:
    from dashboard.digest import digest

    about = supervisees()[0]
    prepared()
    lines = "\n".join(digest(runtime.engine(), runtime.settings(), username=str(about["username"]), practice=None))
    with reading(runtime.engine()) as connection:
        codes = read_frame(connection, caseload.states(scope_for(viewer("director")), open_only=False))["client_code"]
    assert "next meeting" in lines
    assert not [code for code in codes if code in lines]


def test_a_mark_is_set_on_the_episode_and_brings_the_case(practice: Path, sign_in: SignIn) -> None:
    about = supervisees()[0]
    with reading(runtime.engine()) as connection:
        states = read_frame(connection, caseload.states(scope_for(viewer(str(about["username"])))))
    calm = states.filter(pl.col("priority") == "no_signals")
    episode = str((calm if calm.height else states)["public_id"][0])
    app = sign_in(str(about["username"]), "episode", episode=episode)
    next(one for one in app.toggle if one.label == "Bring to supervision").set_value(True)
    app.run()
    public_id, _ = prepared()
    row = agenda(public_id).filter(pl.col("public_id") == episode).row(0, named=True)
    assert row["stratum"] == "brought by the clinician"
    with writing(runtime.engine()) as connection:
        noted = connection.execute(text("SELECT action FROM audit ORDER BY id DESC")).scalars().all()
    assert "change mark bring" in noted
