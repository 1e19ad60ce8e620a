"""Alliance and fit: whose episodes it shows, what of colleagues it never shows, and how it looks with little to show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import scope_for
from dashboard.analytics.fit import BY_KEY
from queries import alliance, caseload, people
from queries.engine import reading, writing
from queries.frames import read_frame
from tests.pages.conftest import words

SignIn = Callable[..., AppTest]


def viewer(username: str):
    with reading(runtime.engine()) as connection:
        found = people.viewer(connection, username, runtime.settings().today())
    assert found is not None
    return found


def states(username: str) -> list[dict[str, object]]:
    with reading(runtime.engine()) as connection:
        return read_frame(connection, alliance.open_states(scope_for(viewer(username)))).to_dicts()


def clinicians() -> list[str]:
    with reading(runtime.engine()) as connection:
        rows = connection.execute(text("SELECT username FROM app_user WHERE role = 'clinician' ORDER BY username"))
        return [str(row[0]) for row in rows]


def everything(app: AppTest) -> str:
    figures = [figure.proto.spec + figure.proto.alt for figure in app.get("plotly_chart")]
    return unescape(words(app)) + "\n".join(figures)


def test_a_clinician_sees_only_their_own_codes_also_in_the_figures(practice: Path, sign_in: SignIn) -> None:
    codes = {str(row["client_code"]) for row in states("director")}
    for username in clinicians():
        own = {str(row["client_code"]) for row in states(username)}
        said = everything(sign_in(username, "alliance"))
        assert not [code for code in codes - own if code in said], username


def test_a_supervisor_picks_one_clinician_by_an_opaque_address(practice: Path, sign_in: SignIn) -> None:
    with reading(runtime.engine()) as connection:
        found = read_frame(connection, caseload.clinicians(scope_for(viewer("supervisor")))).to_dicts()
    app = sign_in("supervisor", "alliance")
    assert app.selectbox(key="whose_alliance").value == ""
    other = next(row for row in found if row["clinician_id"] != viewer("supervisor").clinician_id)
    one = sign_in("supervisor", "alliance", clinician=str(other["public_id"]))
    assert one.selectbox(key="whose_alliance").value == other["public_id"]
    assert str(other["display_name"]) in unescape(words(one))


def test_an_address_outside_the_scope_shows_ones_own_and_says_so(practice: Path, sign_in: SignIn) -> None:
    username = clinicians()[0]
    own = {str(row["client_code"]) for row in states(username)}
    with reading(runtime.engine()) as connection:
        everyone = read_frame(connection, caseload.clinicians(scope_for(viewer("director")))).to_dicts()
    foreign = next(row for row in everyone if row["clinician_id"] != viewer(username).clinician_id)
    said = everything(sign_in(username, "alliance", clinician=str(foreign["public_id"])))
    assert "not yours or your supervisees'" in said
    codes = {str(row["client_code"]) for row in states("director")}
    assert not [code for code in codes - own if code in said]


def test_each_fit_question_of_an_episode_stands_on_the_page_with_its_grade(practice: Path, sign_in: SignIn) -> None:
    said = unescape(words(sign_in("director", "alliance")))
    asked = {key for row in states("director") for key in str(row["fit_questions"] or "").split(";") if key}
    assert asked
    for key in asked:
        assert BY_KEY[key].title in said
        assert BY_KEY[key].evidence in said
    assert not re.search(r"mismatch|match score(?!\.)", said.replace("never a match score", ""))


def test_what_a_client_asked_for_stands_first(practice: Path, sign_in: SignIn) -> None:
    with writing(runtime.engine()) as connection:
        connection.execute(
            text(
                "UPDATE episode_state SET fit_questions = 'change_requested', fit_since = '2026-01-05' WHERE closed_on IS NULL"
            )
        )
    said = words(sign_in("director", "alliance"))
    rows = said.split("Fit questions by episode</caption>")[1].split("</table>")[0]
    assert rows.count(BY_KEY["change_requested"].title) == len(states("director"))


def test_an_episode_page_shows_its_fit_questions(practice: Path, sign_in: SignIn) -> None:
    row = next(row for row in states("director") if row["fit_questions"])
    said = unescape(words(sign_in("director", "episode", episode=str(row["public_id"]))))
    assert "Fit questions to explore" in said
    assert BY_KEY[str(row["fit_questions"]).split(";")[0]].question in said
    without = next(row for row in states("director") if not row["fit_questions"])
    assert "Fit questions to explore" not in words(sign_in("director", "episode", episode=str(without["public_id"])))


def test_colleagues_are_named_only_once_the_practice_agreed(practice: Path, sign_in: SignIn) -> None:
    username = clinicians()[0]
    said = unescape(words(sign_in(username, "alliance")))
    assert "share_experience = true" in said
    assert "Colleagues (episodes seen)" not in said
    runtime.configure(replace(runtime.settings(), share_experience=True), runtime.engine())
    said = unescape(words(sign_in(username, "alliance")))
    assert "share_experience = true" not in said
    counts = re.findall(
        r"\((\d+)\)", said.split("Colleagues to ask, by problem area</caption>")[1].split("</table>")[0]
    )
    assert counts
    assert all(int(count) >= 3 for count in counts)


@pytest.mark.parametrize("kept", [0, 1])
def test_a_practice_of_one_open_episode_or_none_has_words(practice: Path, sign_in: SignIn, kept: int) -> None:
    with writing(runtime.engine()) as connection:
        connection.execute(
            text(
                "UPDATE episode_state SET closed_on = '2026-01-01' WHERE closed_on IS NULL AND episode_id NOT IN "
                "(SELECT episode_id FROM episode_state WHERE closed_on IS NULL LIMIT :kept)"
            ),
            {"kept": kept},
        )
    app = sign_in("director", "alliance")
    assert not app.exception
    said = unescape(words(app))
    assert f"{kept} open episode" in said
    assert ("No open episodes on" in said) is (kept == 0)


def test_the_practice_behind_the_points_is_counts_without_a_code(practice: Path, sign_in: SignIn) -> None:
    app = sign_in(clinicians()[0], "alliance")
    figure = next((f for f in app.get("plotly_chart") if "session 3" in f.proto.alt), None)
    if figure is None:
        pytest.skip("no point and no cloud on this day")
    traces = json.loads(figure.proto.spec)["data"]
    behind = [one for one in traces if one["marker"].get("symbol") == "square"]
    assert all(re.fullmatch(r"practice: \d+ episodes near here", words) for one in behind for words in one["text"])
