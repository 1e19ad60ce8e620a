"""The snapshot button and the page of snapshots, for each role."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import Viewer, scope_for
from dashboard.packets import Reader, caseload_draft
from dashboard.snapshots import make
from pages.snapshots import Row, comparison, load
from queries import people
from queries.engine import reading, writing
from tests.pages.conftest import words
from tests.snapshots import as_drawn

SignIn = Callable[..., AppTest]


def person(username: str) -> Viewer:
    with reading(runtime.engine()) as connection:
        found = people.viewer(connection, username, runtime.settings().today())
    assert found is not None
    return found


def snapshot(maker: str, clinician_id: int, most: int = 2) -> str:
    settings, who = runtime.settings(), person(maker)
    with reading(runtime.engine()) as connection:
        draft = caseload_draft(Reader(connection, scope_for(who), settings.today()), {clinician_id}, most=most)
    raw = [as_drawn(one) for one in draft.content.figures]
    return make(runtime.engine(), settings, who, draft, raw, settings.now()).public_id


def clinician() -> tuple[str, int]:
    with reading(runtime.engine()) as connection:
        row = connection.execute(
            text("SELECT username, clinician_id FROM app_user WHERE role = 'clinician' ORDER BY username LIMIT 1")
        ).one()
    return str(row[0]), int(row[1])


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return app.run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


@pytest.mark.parametrize("role", ["clinician", "supervisor", "director"])
def test_the_list_shows_what_is_in_scope_and_only_directors_delete(practice: Path, sign_in: SignIn, role: str) -> None:
    name, clinician_id = clinician()
    public_id = snapshot("director", clinician_id)
    app = sign_in(name if role == "clinician" else role, "snapshots")
    assert not app.exception
    supervises = clinician_id in person("supervisor").supervisee_ids
    sees = role != "supervisor" or supervises
    assert ("Caseload of" in words(app)) == sees
    assert ('href="/download/' in words(app)) == sees
    assert public_id not in words(app)
    assert ("Make practice summary" in labels(app)) == (role == "director")
    assert ("Delete its files for good" in labels(app)) == (role == "director")


def test_nothing_made_yet_says_how_to_begin(practice: Path, sign_in: SignIn) -> None:
    assert "No snapshot has been made yet" in words(sign_in("director", "snapshots"))


def test_an_administrator_has_no_such_page(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("admin", "snapshots")
    assert "This page is not part of your role" in words(app)


def test_a_practice_summary_is_asked_for_once_and_stored(practice: Path, sign_in: SignIn) -> None:
    app = press(sign_in("director", "snapshots"), "Make practice summary")
    assert "It names no client and no clinician." in words(app)
    app = press(app, "Make it")
    assert "The snapshot is stored." in words(app)
    assert "Make it" not in labels(app)
    with reading(runtime.engine()) as connection:
        kinds = connection.execute(text("SELECT kind, audience FROM snapshot")).all()
    assert [tuple(row) for row in kinds] == [("practice", "practice")]


def test_not_now_makes_nothing(practice: Path, sign_in: SignIn) -> None:
    app = press(press(sign_in("director", "snapshots"), "Make practice summary"), "Not now")
    assert "Make it" not in labels(app)
    with reading(runtime.engine()) as connection:
        assert connection.execute(text("SELECT count(*) FROM snapshot")).scalar() == 0


@pytest.mark.parametrize("page", [None, "episode"])
def test_a_caseload_and_an_episode_warn_and_hand_their_figures_to_the_browser(
    practice: Path, sign_in: SignIn, page: str | None
) -> None:
    name, clinician_id = clinician()
    with reading(runtime.engine()) as connection:
        episode = connection.execute(
            text(
                "SELECT e.public_id FROM episode e JOIN appointment a ON a.episode_id = e.id "
                "WHERE e.clinician_id = :x AND e.closed_on IS NULL GROUP BY e.id ORDER BY count(*) DESC LIMIT 1"
            ),
            {"x": clinician_id},
        ).scalar()
    app = press(sign_in(name, page, **({"episode": str(episode)} if page else {})), "Make snapshot")
    assert "This file contains client-level information." in words(app)
    app = press(app, "Make it")
    assert not app.exception
    sent = [one.proto for one in app.get("bidi_component") if "drawing" in one.proto.component_name]
    assert sent
    assert '"figures"' in sent[0].json


def test_deleting_asks_for_a_reason_and_keeps_the_line(practice: Path, sign_in: SignIn) -> None:
    snapshot("director", clinician()[1])
    app = sign_in("director", "snapshots")
    app.selectbox[0].select_index(0)
    app = press(app, "Delete its files for good")
    assert "Say why it is deleted" in words(app)
    app.selectbox[0].select_index(0)
    app.text_input[0].input("made by mistake")
    app = press(app, "Delete its files for good")
    assert "deleted by director" in words(app)
    assert "made by mistake" in words(app)
    assert 'href="/download/' not in words(app)


def test_a_changed_file_is_told_on_the_list(practice: Path, sign_in: SignIn) -> None:
    snapshot("director", clinician()[1])
    with writing(runtime.engine()) as connection:
        connection.execute(text("UPDATE snapshot_file SET data = :x WHERE format = 'html'"), {"x": b"<p>forged"})
    assert "changed since it was made" in words(sign_in("director", "snapshots"))


def rows() -> list[Row]:
    with reading(runtime.engine()) as connection:
        return load(connection, person("director"), 25)[0]


def test_two_are_compared_by_what_differs(practice: Path, sign_in: SignIn) -> None:
    _, clinician_id = clinician()
    snapshot("director", clinician_id)
    snapshot("director", clinician_id)
    app = sign_in("director", "snapshots")
    assert "The two say the same of every episode on their lists." in words(app)
    with reading(runtime.engine()) as connection:
        statement = "SELECT clinician_id FROM app_user WHERE role = 'clinician' AND clinician_id != :x ORDER BY 1"
        other = connection.execute(text(statement), {"x": clinician_id}).scalar()
    snapshot("director", int(str(other)))
    newest, *_, oldest = rows()
    said = str(comparison(oldest, newest))
    assert "new on the list" in said or "no longer on the list" in said
