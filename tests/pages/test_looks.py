"""Every look at somebody else's rows leaves one row of the audit, with what it was for; a rerun or a reload leaves none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, insert, select, update
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import Role, Viewer
from dashboard.downloads import link, open_link
from dashboard.errors import DatabaseUnavailable, NotAllowed, UnusableInput
from dashboard.looking import Purpose, check_purpose, checked_purpose, looked_at, says_purpose
from dashboard.settings import Settings
from queries import people, sessions, snapshots
from queries.engine import reading, writing
from queries.keys import next_id
from queries.tables import Audit, Clinician, Episode, SupervisionLink, User, UserSession
from tests.pages.conftest import words

SignIn = Callable[..., AppTest]
WHOLE = {  # page -> what a director's look at the whole practice is called, and whether it can be narrowed
    "caseload": ("view caseloads", "view caseload"),
    "alliance": ("view alliance", "view alliance"),
    "retention": ("view retention", "view retention"),
    "outcomes": ("view outcomes", "view outcomes"),
    "meeting": ("view meetings", None),
    "snapshots": ("view snapshots", None),
    "data_quality": ("view data quality", None),
    "enter": ("view open episodes", None),
    "about_signals": (None, None),
}


def looks(username: str) -> list[tuple[str, int | None, str | None]]:
    """What somebody is noted to have looked at: action, clinician, purpose."""
    with reading(runtime.engine()) as connection:
        rows = connection.execute(
            select(Audit.action, Audit.clinician_id, Audit.purpose)
            .where(Audit.username == username, Audit.action.like("view %"))
            .order_by(Audit.id)
        )
        return [(row.action, row.clinician_id, row.purpose) for row in rows]


def viewer_of(username: str) -> Viewer:
    settings = runtime.settings()
    with reading(runtime.engine()) as connection:
        found = people.viewer(connection, username, settings.today())
    assert found is not None
    return found


def public_of(clinician_id: int) -> str:
    with reading(runtime.engine()) as connection:
        return str(connection.execute(select(Clinician.public_id).where(Clinician.id == clinician_id)).scalar_one())


def link_two(supervisor: Viewer) -> list[int]:
    """Makes sure that the supervisor has exactly two supervisees, by no drawing of chance."""
    with writing(runtime.engine()) as connection:
        others = connection.execute(
            select(Clinician.id).where(Clinician.id != supervisor.clinician_id).order_by(Clinician.id).limit(2)
        ).scalars()
        chosen = [int(one) for one in others]
        connection.execute(delete(SupervisionLink).where(SupervisionLink.supervisor_id == supervisor.clinician_id))
        for one in chosen:
            connection.execute(
                insert(SupervisionLink).values(
                    id=next_id(connection, SupervisionLink), practice_id=supervisor.practice_id,
                    supervisor_id=supervisor.clinician_id, supervisee_id=one,
                )
            )  # fmt: skip
    return chosen


@pytest.mark.parametrize("page", WHOLE)
def test_a_page_over_several_caseloads_is_noted_once_for_each_person_it_shows(
    practice: Path, sign_in: SignIn, page: str
) -> None:
    whole, narrowed = WHOLE[page]
    supervisees = link_two(viewer_of("supervisor"))
    home = [("view caseloads", None, None)]
    home_of_two = [("view caseloads", one, None) for one in supervisees]
    sign_in("director", page).run()
    expected = [] if whole in (None, "view caseloads") else [(whole, None, None)]
    assert looks("director") == home + expected
    sign_in("supervisor", page)
    found = (
        [] if whole in (None, "view caseloads", "view open episodes") else [(whole, one, None) for one in supervisees]
    )
    assert looks("supervisor") == home_of_two + found
    if narrowed is None:
        return
    one = supervisees[0]
    sign_in("supervisor", page, clinician=public_of(one))
    assert looks("supervisor")[-1] == (narrowed, one, None)
    assert len(looks("supervisor")) == len(home_of_two + found) + (2 if page != "caseload" else 1)


def test_ones_own_pages_and_an_administrators_are_no_looks(practice: Path, sign_in: SignIn) -> None:
    with reading(runtime.engine()) as connection:
        name = connection.execute(select(User.username).where(User.role == "clinician").limit(1)).scalar_one()
    for page in ("caseload", "alliance", "retention", "outcomes", "meeting", "snapshots", "data_quality"):
        sign_in(name, page)
    sign_in("admin", "data_quality")
    assert looks(name) == []
    assert looks("admin") == []


def test_a_rerun_and_a_reload_are_the_same_look_and_another_session_or_purpose_another(
    practice: Path, sign_in: SignIn
) -> None:
    app = sign_in("director")
    app.run()
    session_id = app.session_state["_session_id"]
    again = AppTest.from_file(str(Path(__file__).resolve().parents[2] / "dashboard" / "app.py"), default_timeout=30)
    again.session_state["_session_id"] = session_id  # the same cookie, another window
    again.run()
    assert looks("director") == [("view caseloads", None, None)]
    again.radio(key="purpose-asked").set_value("appraisal").run()
    assert looks("director")[1:] == [("view caseloads", None, "appraisal")]
    app.run()  # the first window knows it too, and asks no more
    assert not [one for one in app.radio if one.key == "purpose-asked"]
    assert len(looks("director")) == 2
    sign_in("director")
    assert looks("director")[2:] == [("view caseloads", None, None)]


def test_a_look_that_cannot_be_saved_is_written_down_with_its_time_once_it_can(
    practice: Path, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr("dashboard.ui.opened.audit.noted_since", full)
        app = sign_in("director")
        app.run()
        assert "open episodes" in words(app)  # the page is read all the same
        assert looks("director") == []
        (waits,) = app.session_state["_looks_waiting"]
    app.run()
    assert looks("director") == [("view caseloads", None, None)]
    with reading(runtime.engine()) as connection:
        assert connection.execute(select(Audit.at).where(Audit.action == "view caseloads")).scalar_one() == waits.at
    assert "_looks_waiting" not in app.session_state


def test_an_episode_is_noted_with_its_person_and_purpose(practice: Path, sign_in: SignIn) -> None:
    with reading(runtime.engine()) as connection:
        row = connection.execute(select(Episode.public_id, Episode.clinician_id).order_by(Episode.id).limit(1)).one()
    app = sign_in("director", "episode", episode=row.public_id)
    app.run()
    assert looks("director")[1:] == [("view episode", row.clinician_id, None)]


def test_the_question_is_asked_until_answered_and_kept_with_everything_after(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("supervisor")
    question = app.radio(key="purpose-asked")
    assert question.value is None
    assert "My visibility" in words(app)
    question.set_value("supervision").run()
    session_id = app.session_state["_session_id"]
    with reading(runtime.engine()) as connection:
        session = sessions.signed_in(connection, session_id)
        said = connection.execute(select(Audit.detail, Audit.purpose).where(Audit.action == "change purpose")).one()
    assert session is not None
    assert session.purpose == "supervision"
    assert tuple(said) == ("not said to supervision", "supervision")
    with writing(runtime.engine()) as connection:
        sessions.end(connection, session_id, runtime.settings().now())
        assert not sessions.say_purpose(connection, session_id, "appraisal", runtime.settings().now())
        last = connection.execute(select(Audit.action, Audit.purpose).order_by(Audit.id.desc()).limit(1)).one()
    assert tuple(last) == ("sign_out", "supervision")


def test_nobody_else_is_asked(practice: Path, sign_in: SignIn) -> None:
    with reading(runtime.engine()) as connection:
        name = connection.execute(select(User.username).where(User.role == "clinician").limit(1)).scalar_one()
    for who in (name, "admin"):
        assert not [one for one in sign_in(who).radio if one.key == "purpose-asked"]


def test_a_practice_may_want_the_answer_first(practice: Path, sign_in: SignIn) -> None:
    runtime.configure(replace(runtime.settings(), purpose_required=True), runtime.engine())
    for page in ("data_quality", "about_signals", "caseload"):
        app = sign_in("director", page)
        assert "Say first what you look for" in words(app)
    assert looks("director") == []
    assert "Say first what you look for" not in words(sign_in("director", "people"))
    assert "Say first what you look for" not in words(sign_in("admin", "data_quality"))
    app.radio(key="purpose-asked").set_value("practice").run()
    assert "Say first what you look for" not in words(app)
    assert looks("director") == [("view caseloads", None, "practice")]
    with pytest.raises(NotAllowed, match="--purpose"):
        check_purpose(Viewer("d", Role.DIRECTOR, 1), required=True)


def test_the_purpose_follows_the_session_to_the_cookie_that_a_browser_gets(practice: Path) -> None:
    now = runtime.settings().now()
    with writing(runtime.engine()) as connection:
        sessions.start(connection, "director", "first", "code", now)
        assert sessions.say_purpose(connection, "first", "appraisal", now)
        assert sessions.redeem(connection, "code", "second", now + timedelta(seconds=1))
        connection.execute(update(UserSession).values(last_seen_at=now))
        found = sessions.signed_in(connection, "second")
    assert found is not None
    assert found.purpose == "appraisal"


def test_a_download_carries_the_purpose_of_the_browsers_session(practice: Path) -> None:
    from dashboard.signin.cookie import cookie_name
    from dashboard.web.who import signed_in

    now = runtime.settings().now()
    with writing(runtime.engine()) as connection:
        sessions.start(connection, "director", "first", "code", now)
        sessions.say_purpose(connection, "first", "appraisal", now)
        sessions.redeem(connection, "code", "second", now)
    viewer = signed_in(SimpleNamespace(cookies={cookie_name(): "second"}))  # type: ignore[arg-type]
    assert viewer is not None
    assert viewer.purpose == "appraisal"
    file = open_link(runtime.engine(), viewer, link(viewer, "set_aside", now).rsplit("/", 1)[1], now)
    assert file.name == "set_aside.csv"
    with reading(runtime.engine()) as connection:
        last = connection.execute(select(Audit.action, Audit.purpose).order_by(Audit.id.desc()).limit(1)).one()
    assert tuple(last) == ("export set_aside", "appraisal")


def test_two_snapshots_side_by_side_are_a_look_at_everyone_in_them(practice: Path, sign_in: SignIn) -> None:
    supervisees = link_two(viewer_of("supervisor"))
    now = runtime.settings().now()
    with writing(runtime.engine()) as connection:
        for one in supervisees:
            record = snapshots.Record(
                "caseload", "supervision", "A caseload", "x", now.date(), None, "r", "", "0" * 64, frozenset({one})
            )
            snapshots.store(
                connection, 1, record, {"json": ("x.json", b"{}")}, username="supervisor", now=now, purpose=None
            )
    sign_in("supervisor", "snapshots")
    found = [one for one in looks("supervisor") if one[0] == "view snapshot"]
    assert sorted(found, key=lambda row: row[1] or 0) == [("view snapshot", one, None) for one in supervisees]


@pytest.mark.parametrize(
    ("role", "own", "supervisees", "chosen", "expected"),
    [
        (Role.CLINICIAN, 1, (), None, []),
        (Role.CLINICIAN, 1, (), 1, []),
        (Role.SUPERVISOR, 1, (3, 2), None, [2, 3]),
        (Role.SUPERVISOR, 1, (3, 2), 1, []),
        (Role.SUPERVISOR, 1, (3, 2), 3, [3]),
        (Role.DIRECTOR, 1, (), None, [None]),
        (Role.DIRECTOR, 1, (), 1, []),
        (Role.DIRECTOR, None, (), 2, [2]),
        (Role.ADMIN, None, (), None, []),
    ],
)
def test_whose_rows_a_page_shows(
    role: Role, own: int | None, supervisees: tuple[int, ...], chosen: int | None, expected: list[int | None]
) -> None:
    assert looked_at(Viewer("u", role, 1, own, frozenset(supervisees)), chosen) == expected


def test_only_the_three_words_are_purposes() -> None:
    assert [checked_purpose(one.value) for one in Purpose] == ["supervision", "appraisal", "practice"]
    assert checked_purpose(None) is None
    with pytest.raises(UnusableInput, match="no purpose 'curiosity'"):
        checked_purpose("curiosity")
    assert [role for role in Role if says_purpose(role)] == [Role.SUPERVISOR, Role.DIRECTOR]
    assert Settings().purpose_required is False
