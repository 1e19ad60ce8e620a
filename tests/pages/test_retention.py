"""The retention page: who sees which episodes, the definition in the address, what it says of few, and how it says risk."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import FirstLook, Role, Viewer, operator_scope, scope_for
from dashboard.ui.markup import markup
from dashboard.ui.reading import Standing
from dashboard.ui.view import Figure, Fold, Slot, View
from dashboard.ui.words import plural
from pages.retention import Data, build
from queries import caseload, retention
from queries.engine import reading
from queries.frames import read_frame, schema_of
from tests.pages.conftest import words
from tests.pages.test_pages import BLAME, episodes, some_clinician, viewer

SignIn = Callable[..., AppTest]
SCOPE = operator_scope(1)
DAY = date(2026, 11, 20)


def people(username: str) -> list[dict[str, Any]]:
    with reading(runtime.engine()) as connection:
        return read_frame(connection, caseload.clinicians(scope_for(viewer(username)))).to_dicts()


def codes(said: str) -> set[str]:
    return set(re.findall(r'href="episode\?episode=[0-9a-f]+" target="_self">([^<]+)</a>', said))


def address(app: AppTest) -> dict[str, str]:
    return {key: one if isinstance(one, str) else one[0] for key, one in dict(app.query_params).items()}


@pytest.mark.parametrize("role", ["clinician", "supervisor", "director"])
def test_each_role_sees_the_episodes_of_its_own_scope_only(practice: Path, sign_in: SignIn, role: str) -> None:
    username = role if role != "clinician" else some_clinician()
    app = sign_in(username, "retention")
    assert not app.exception
    own = episodes(username)
    said = unescape(words(app))
    assert codes(said) <= {str(one["client_code"]) for one in own}
    assert plural(len(own), "episode") in said
    assert bool(app.selectbox(key="retention_definition").value)
    assert len(app.selectbox) == (1 if role == "clinician" else 2)


def test_the_director_sees_more_than_a_clinician_and_can_pick_one(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("director", "retention")
    everyone = codes(words(app))
    person = next(one for one in people("director") if one["clinician_id"] == viewer(some_clinician()).clinician_id)
    app.selectbox(key="retention_whose").select(person["public_id"]).run()
    assert address(app) == {"clinician": person["public_id"]}
    said = unescape(words(app))
    assert f"of {person['display_name']}" in said
    assert codes(said) < everyone
    app.selectbox(key="retention_definition").select("d1").run()
    assert address(app) == {"clinician": person["public_id"], "definition": "d1"}
    assert "D1 Coded as unilateral" in unescape(words(app))
    app.selectbox(key="retention_whose").select("").run()
    assert address(app) == {"definition": "d1"}


def test_a_clinicians_address_of_somebody_else_is_refused(practice: Path, sign_in: SignIn) -> None:
    username = some_clinician()
    foreign = next(one for one in people("director") if one["clinician_id"] != viewer(username).clinician_id)
    said = unescape(words(sign_in(username, "retention", clinician=foreign["public_id"])))
    assert "not yours or your supervisees'" in said
    assert codes(said) <= {str(one["client_code"]) for one in episodes(username)}
    assert str(foreign["display_name"]) not in said


@pytest.mark.parametrize("wanted", ["own", "d1", "d2", "d3", "d4", "d5", "d9", "' OR 1=1", "<b>x</b>"])
def test_the_definition_comes_from_the_address_and_an_unknown_one_is_the_usual(
    practice: Path, sign_in: SignIn, wanted: str
) -> None:
    app = sign_in("director", "retention", definition=wanted)
    assert not app.exception
    known = wanted if wanted in ("d1", "d2", "d3", "d4", "d5") else "own"
    assert app.selectbox(key="retention_definition").value == known
    assert "OR 1=1" not in words(app)
    assert "<b>x" not in words(app)


@pytest.mark.parametrize("role", ["clinician", "supervisor", "director"])
def test_words_never_blame_rank_or_give_a_bare_percentage_of_one_client(
    practice: Path, sign_in: SignIn, role: str
) -> None:
    said = unescape(words(sign_in(role if role != "clinician" else some_clinician(), "retention")))
    text_only = re.sub(r"<[^>]+>", " ", said)
    assert not BLAME.findall(text_only)
    assert "dropped out" not in text_only
    assert "patient" not in text_only.lower()
    for caption in re.findall(r"<caption>((?:High|Raised) chance[^<]*)</caption>(.*?)</table>", said, re.DOTALL):
        rows = re.findall(r"<tbody>(.*?)</tbody>", caption[1], re.DOTALL)[0]
        listed = re.findall(r'target="_self">([^<]+)</a>', rows)
        assert listed == sorted(listed)
        assert "%" not in rows
        assert rows.count("usual at session") == len(listed)


def data(*rows: dict[str, Any]) -> Data:
    schema = schema_of(retention.episodes(SCOPE))
    base = dict.fromkeys(schema) | {
        "episode_id": 1, "public_id": "a" * 16, "client_code": "1A-001", "clinician_id": 1, "opened_on": date(2026, 9, 1),
        "sessions_attended": 3, "last_attended_on": date(2026, 11, 10), "d2_no_return": False, "d3_missed_last": False,
        "dropout": False,
    }  # fmt: skip
    return Data(
        now=Standing(DAY, "abcdef", DAY, DAY),
        clinicians=pl.DataFrame(schema=schema_of(caseload.clinicians(SCOPE))),
        episodes=pl.DataFrame([base | row for row in rows], schema=schema),
        appointments=pl.DataFrame(schema=schema_of(retention.last_appointments(SCOPE, DAY))),
        flags=pl.DataFrame(schema=schema_of(retention.signals_before(SCOPE, DAY))),
        endings=0,
        fitted=None,
    )


def built(shown: Data, definition: str = "own") -> View:
    return build(
        Viewer("c", Role.CLINICIAN, 1, 1), shown, definition=definition, chosen=None, days=42, enough=10, today=DAY,
        chart_theme="light",
    )  # fmt: skip


def text_of(view: View) -> str:
    blocks = [block for block in view.blocks if not isinstance(block, Figure | Slot)]
    assert all(not isinstance(one, Figure) for block in blocks if isinstance(block, Fold) for one in block.blocks)
    return unescape(re.sub(r"<[^>]+>", " ", markup(blocks)))


@pytest.mark.parametrize("definition", ["own", "d1", "d2", "d3", "d4", "d5"])
@pytest.mark.parametrize(
    "row",
    [
        {},
        {"sessions_attended": 0, "last_attended_on": None, "dropout": None, "d2_no_return": None},
        {"closed_on": DAY, "ending": "unilateral", "d1_unilateral": True, "dropout": True},
        {"closed_on": DAY, "ending": "planned", "d1_unilateral": False, "d4_below_planned": False},
    ],
    ids=["open", "never seen", "left", "planned"],
)
def test_a_practice_of_one_episode_has_words_and_no_percentage(row: dict[str, Any], definition: str) -> None:
    said = text_of(built(data(row), definition))
    assert not re.search(r"\d %\)", said)
    assert "Learned here: nothing yet" in said


def test_no_episode_says_so_and_draws_nothing() -> None:
    view = built(data())
    assert "No episode on 20 Nov 2026" in text_of(view)
    assert not [block for block in view.blocks if isinstance(block, Figure)]


RISK = {
    "dropout_next_4": 0.15, "dropout_next_4_low": 0.08, "dropout_next_4_high": 0.26, "dropout_usual_4": 0.07,
    "dropout_relative": 2.0, "dropout_reasons": "missed_last;alliance_low",
}  # fmt: skip


def test_a_raised_chance_stands_beside_what_is_usual_in_natural_numbers() -> None:
    said = " ".join(text_of(built(data(RISK))).split())
    assert "Raised: 1 open episode" in said
    assert "about 3 in 20 usual at session 3: about 1 in 14 about 1 in 12 to 5 in 20" in said
    assert "missed the last appointment; alliance below what is usual here" in said


@pytest.mark.parametrize(
    ("relative", "high", "raised"),
    [(1.5, "none at present", "none at present"), (3.0, "none at present", "1 open episode"),
     (3.01, "1 open episode", "none at present")],
)  # fmt: skip
def test_the_bands_part_at_one_and_a_half_and_three_times(relative: float, high: str, raised: str) -> None:
    said = text_of(built(data(RISK | {"dropout_relative": relative})))
    assert f"High: {high}" in said
    assert f"Raised: {raised}" in said


def test_an_open_episode_silent_beyond_the_limit_counts_as_ended_and_is_not_listed_as_raised() -> None:
    said = text_of(built(data(RISK | {"dropout": True, "d2_no_return": True})))
    assert "Raised: none at present" in said
    assert "1 open episode with no session for longer than the practice's limit counts as ended" in said


def test_what_stood_before_the_last_session_is_shown_newest_first_and_no_more_than_two() -> None:
    shown = data({"closed_on": DAY, "ending": "unilateral", "d1_unilateral": True, "dropout": True})
    flags = [
        {"episode_id": 1, "signal": signal, "since": since, "raised_on": since, "cleared_on": cleared}
        for signal, since, cleared in (
            ("missed", date(2026, 9, 20), date(2026, 10, 4)),
            ("nothing_booked", date(2026, 10, 12), None),
            ("rupture_open", date(2026, 10, 20), None),
        )
    ]
    said = text_of(built(Data(**shown.__dict__ | {"flags": pl.DataFrame(flags, schema=shown.flags.schema)})))
    first, second = said.index("since 20 Oct 2026"), said.index("since 12 Oct 2026")
    assert first < second
    assert "20 Sep 2026" not in said
    assert "In 1 of 1 at least one signal stood" in said


def test_signals_that_a_clinician_is_to_see_first_are_kept_from_the_look_back_of_others(practice: Path) -> None:
    scope, long_ago = scope_for(viewer("director")), date(2000, 1, 1)
    with reading(runtime.engine()) as connection:
        every = read_frame(connection, retention.signals_before(scope, long_ago))
        states = read_frame(connection, retention.episodes(scope)).select("episode_id", "clinician_id")
        nobody = read_frame(connection, retention.signals_before(scope, long_ago, FirstLook(None, long_ago)))
        passed = read_frame(connection, retention.signals_before(scope, long_ago, FirstLook(None, date(2100, 1, 1))))
        own_id = every.join(states, on="episode_id")["clinician_id"][0]
        own = read_frame(connection, retention.signals_before(scope, long_ago, FirstLook(own_id, long_ago)))
    assert every.height > 0
    assert nobody.is_empty()
    assert passed.height == every.height
    assert set(own.join(states, on="episode_id")["clinician_id"]) == {own_id}
