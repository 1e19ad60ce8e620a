"""Entering by hand, on both databases: nothing doubled, nothing lost, nobody else's; the past replays; a practice lives on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import Engine, select, text

from dashboard.access import Role, Viewer, scope_for
from dashboard.entering import OVERTAKEN, bring_back, delete_occasion, enter_session, occasions_of
from dashboard.entering_episodes import (
    change_episode,
    clients_for,
    clinicians_for,
    end_episode,
    hand_over,
    open_episode,
    reopen_episode,
    suggested_code,
)
from dashboard.entry.episode_rows import NewClient, NewEpisode
from dashboard.entry.questions import Asked
from dashboard.entry.record import Occasion
from dashboard.entry.session_form import read_form
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.evaluation import ensure_current
from dashboard.staffing import add_clinician, add_leave, add_link, change_clinician, end_link
from dashboard.ui.entry_reading import read_choices, read_episode
from queries import entries, people, practices
from queries.engine import open_engine, reading, writing
from queries.frames import read_frame
from queries.people import clinician_of
from queries.tables import Appointment, Audit, Import, Score
from tests.integration.test_known_when import BASE, give
from tests.integration.test_main_job import SETTINGS, exported, fresh

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 15, 7)
DAY = timedelta(days=1)


def viewer(engine: Engine, username: str, now: datetime = NOW) -> Viewer:
    with reading(engine) as connection:
        found = people.viewer(connection, username, now.date())
    assert found is not None
    return found


Hand = tuple[Engine, Viewer, Viewer]


def _begin(engine: Engine) -> Hand:
    """A practice without a file: a director, who adds clinician T01; rosa signs in as them."""
    with writing(engine) as connection:
        practices.ensure_practice(connection, "Practice", NOW - 90 * DAY)
    director = person(engine, "dora", Role.DIRECTOR, None)
    early = NOW - 60 * DAY
    add_clinician(engine, SETTINGS, director, key="T01", name="Rosa K", started_on=None, is_trainee=False, now=early)
    return engine, director, person(engine, "rosa", Role.CLINICIAN, "T01")


@pytest.fixture
def hand(engine: Engine) -> Hand:
    """The practice on both databases, for what the database could do otherwise."""
    return _begin(engine)


@pytest.fixture(scope="module")
def begun_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The practice as a file."""
    folder = tmp_path_factory.mktemp("begun")
    engine = fresh(folder)
    _begin(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return folder / "p.sqlite"


@pytest.fixture
def quick(begun_file: Path, tmp_path: Path) -> Iterator[Hand]:
    """A copy of the practice, for rules that no database decides."""
    shutil.copy(begun_file, tmp_path / "p.sqlite")
    engine = open_engine(f"sqlite:///{tmp_path / 'p.sqlite'}")
    yield engine, viewer(engine, "dora"), viewer(engine, "rosa")
    engine.dispose()


def person(engine: Engine, username: str, role: Role, clinician: str | None) -> Viewer:
    """Somebody who may sign in (with no password: nobody does here)."""
    with writing(engine) as connection:
        practice = practices.find_practice(connection, None)
        linked = None if clinician is None else clinician_of(connection, practice, clinician)
        people.add_user(
            connection, practice_id=practice, username=username, role=role, clinician_id=linked, password_hash="",
            must_change=False, now=NOW, actor="test",
        )  # fmt: skip
    return viewer(engine, username)


def begun(
    engine: Engine,
    who: Viewer,
    now: datetime,
    code: str = "4F-210",
    clinician: int | None = None,
    token: str = "e" * 16,
) -> str:
    with reading(engine) as connection:
        able = clinicians_for(connection, who, now.date())
    mine = next(row for row in able if row["clinician_id"] == (clinician or who.clinician_id))
    return open_episode(
        engine, SETTINGS, who, token=token, client=NewClient(code, birth_year=1980), clinician=mine["clinician_public_id"],
        given=NewEpisode(now.date(), problem_area="low mood", planned_sessions=12), now=now,
    )  # fmt: skip


def sent(number: int, day: date, values: Mapping[str, str] | None = None, **changed: Any) -> dict[str, Any]:
    measures = [{"key": "phq9", "respondent": "client", "values": dict(values)}] if values else []
    return {
        "token": f"{number:016x}", "appointment": "new", "day": f"{day}", "time": "14:00", "status": "attended",
        "mode": "video", "nextDay": "", "nextTime": "", "measures": measures, "agreed": [], "seen": "",
    } | changed  # fmt: skip


def enter(engine: Engine, who: Viewer, episode: str, now: datetime, number: int, *given: Any, **changed: Any) -> bool:
    form = read_form(sent(number, *(given or (now.date(),)), **changed))
    return enter_session(engine, SETTINGS, who, episode, form, now)


def known(engine: Engine, who: Viewer, episode: str) -> list[Occasion]:
    with reading(engine) as connection:
        return occasions_of(connection, who, episode)


def count(engine: Engine, table: Any) -> int:
    with reading(engine) as connection:
        return len(connection.execute(select(table.id)).all())


def audited(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(Audit.action).order_by(Audit.id)).scalars())


def state(engine: Engine, as_of: date | None = None, now: datetime = NOW) -> dict[str, Any]:
    return exported(engine, "episodes", as_of=as_of, now=now).row(0, named=True)


# ------------------------------------------------------------------ a practice that lives on it


def test_a_practice_without_any_file_lives_on_entering_by_hand(hand: Hand) -> None:
    engine, director, rosa = hand
    start = NOW - 35 * DAY
    episode = begun(engine, rosa, start)
    for week in range(5):
        at = start + 7 * week * DAY
        items = {f"item_{i}": "2" if week < 3 else "1" for i in range(1, 10)}
        following = {"nextDay": f"{(at + 7 * DAY).date()}", "nextTime": "14:00"}
        waiting = [one for one in known(engine, rosa, episode) if one.session and one.session["status"] == "booked"]
        chosen = {"appointment": waiting[0].ref} if waiting else {}
        assert enter(engine, rosa, episode, at, week, at.date(), items, **following, **chosen)
    row = state(engine)
    assert (row["client_code"], row["clinician_id"], row["sessions_attended"], row["scores"]) == ("4F-210", "T01", 5, 5)
    assert (row["baseline"], row["latest"], row["next_booked_on"]) == (18.0, 9.0, TODAY)
    assert count(engine, Appointment) == 6, "each booking became the session that it was"
    with reading(engine) as connection:
        choice = read_choices(connection, rosa, NOW, 14)
        read = read_episode(connection, rosa, episode, NOW)
    assert [(one.code, one.waiting) for one in choice] == [("4F-210", datetime(2026, 11, 20, 14))]
    assert read is not None
    assert read.sheet("0" * 16, NOW).chosen == choice_of(read.occasions)
    assert read.state is not None
    assert read.state["sessions_attended"] == 5

    seen = read.episode["import_id"]
    left = end_episode(engine, SETTINGS, rosa, episode, ending="mutual", closed_on=TODAY - 7 * DAY, seen=seen, now=NOW)
    assert left == 1, "one session is still booked after the last day, and that is said"
    row = state(engine)
    assert (row["closed_on"], row["ending"]) == (TODAY - 7 * DAY, "mutual")
    assert exported(engine, "endings").height == 1
    with reading(engine) as connection:
        assert not read_choices(connection, rosa, NOW, 14)
        kinds = {tuple(row) for row in connection.execute(select(Import.kind, Import.source))}
    assert kinds == {("entered", "by hand")}
    assert audited(engine).count("change session entered") == 5
    for action in ("change clinician added", "change episode opened", "change episode closed"):
        assert audited(engine).count(action) == 1
    assert not director.supervisee_ids


def choice_of(found: list[Occasion]) -> str:
    return next(one.ref for one in found if one.session and one.session["status"] == "booked")


def test_what_is_entered_by_hand_evaluates_as_the_same_files_would(quick: Hand, tmp_path: Path) -> None:
    engine, _, rosa = quick
    episode = begun(engine, rosa, NOW - 35 * DAY)
    for week in range(3):
        day = (NOW - (35 - 7 * week) * DAY).date()
        enter(engine, rosa, episode, NOW, week, day, {"total": str(18 - week)})
    mine = exported(engine, "episodes").drop("episode_id")
    tables = {
        "clinicians": [{"clinician_id": "T01", "display_name": "Rosa K", "is_trainee": "no"}],
        "clients": [{"client_id": "k", "client_code": "4F-210", "birth_year": 1980}],
        "episodes": [
            {"episode_id": "e", "client_id": "k", "clinician_id": "T01", "opened_on": "2026-10-16",
             "problem_area": "low mood", "planned_sessions": 12}
        ],
        "appointments": [
            {"appointment_id": f"a{n}", "episode_id": "e", "starts_at": f"{date(2026, 10, 16) + 7 * n * DAY}T14:00",
             "status": "attended", "mode": "video"}
            for n in range(3)
        ],
        "scores": [
            {"episode_id": "e", "taken_on": str(date(2026, 10, 16) + 7 * n * DAY), "instrument": "phq9",
             "scale": "total", "value": 18 - n, "appointment_id": f"a{n}"}
            for n in range(3)
        ],
    }  # fmt: skip
    other = fresh(tmp_path / "other")
    give(other, tmp_path / "files", tables, now=NOW)
    assert_frame_equal(mine, exported(other, "episodes").drop("episode_id"))
    other.dispose()


# ------------------------------------------------------------------ twice, at once, in between


def test_the_same_form_sent_twice_is_one_session(quick: Hand) -> None:
    engine, _, rosa = quick
    episode = begun(engine, rosa, NOW - 10 * DAY)
    following = {"nextDay": "2026-11-27", "nextTime": "14:00"}
    assert enter(engine, rosa, episode, NOW, 1, TODAY, {"total": "12"}, **following)
    before = (count(engine, Appointment), count(engine, Score), count(engine, Import), audited(engine))
    assert not enter(engine, rosa, episode, NOW + timedelta(seconds=1), 1, TODAY, {"total": "12"}, **following)
    assert (count(engine, Appointment), count(engine, Score), count(engine, Import), audited(engine)) == before
    again = begun(engine, rosa, NOW)
    assert again == episode, "the form of a new episode sent twice opens one"


def test_two_people_entering_the_same_session_at_once_make_one_and_a_question(
    hand: Hand,
) -> None:
    engine, director, rosa = hand
    episode = begun(engine, rosa, NOW - 10 * DAY)

    def one(given: tuple[Viewer, int]) -> str:
        who, number = given
        try:
            enter(engine, who, episode, NOW, number, TODAY, {"total": str(10 + number)})
        except Asked as asked:
            return " ".join(words for _, words in asked.questions)
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(one, [(rosa, 1), (director, 2)]), key=len)
    assert said[0] == "saved"
    assert "is there already" in said[1]
    assert (count(engine, Appointment), count(engine, Score)) == (1, 1)


def test_another_value_of_the_day_wants_a_yes_and_is_then_a_correction(quick: Hand) -> None:
    engine, _, rosa = quick
    episode = begun(engine, rosa, NOW - 10 * DAY)
    enter(engine, rosa, episode, NOW - DAY, 1, TODAY - DAY, {"total": "12"})
    later = {"status": "scores_only", "time": ""}
    with pytest.raises(Asked) as asked:
        enter(engine, rosa, episode, NOW, 2, TODAY - DAY, {"total": "14"}, **later)
    assert state(engine)["latest"] == 12
    agreed = [code for code, _ in asked.value.questions]
    assert enter(engine, rosa, episode, NOW, 2, TODAY - DAY, {"total": "14"}, agreed=agreed, **later)
    assert state(engine)["latest"] == 14
    assert state(engine, as_of=TODAY - DAY)["latest"] == 12


def test_a_change_is_refused_where_somebody_changed_it_in_between(quick: Hand) -> None:
    engine, director, rosa = quick
    episode = begun(engine, rosa, NOW - 10 * DAY)
    enter(engine, rosa, episode, NOW, 1, TODAY, {"total": "12"})
    (opened,) = known(engine, rosa, episode)
    change = {"appointment": opened.ref, "seen": opened.fingerprint}
    assert enter(engine, director, episode, NOW, 2, TODAY, {"total": "13"}, **change)
    with pytest.raises(UnusableInput, match=OVERTAKEN):
        enter(engine, rosa, episode, NOW, 3, TODAY, {"total": "11"}, **change)
    with pytest.raises(UnusableInput, match=OVERTAKEN):
        delete_occasion(engine, SETTINGS, rosa, episode, opened.ref, opened.fingerprint, NOW)
    assert state(engine)["latest"] == 13


# ------------------------------------------------------------------ changed, deleted, brought back: the past stays


def test_a_change_and_a_deletion_leave_every_earlier_day_as_it_was(hand: Hand) -> None:
    engine, _, rosa = hand
    episode = begun(engine, rosa, NOW - 30 * DAY)
    for week in range(3):
        at = NOW - (28 - 7 * week) * DAY
        enter(engine, rosa, episode, at, week, at.date(), {f"item_{i}": "2" for i in range(1, 10)})
    asked = [("episodes", TODAY - DAY), ("sessions", TODAY - 8 * DAY), ("flags", TODAY - DAY)]
    before = {(name, day): exported(engine, name, as_of=day) for name, day in asked}
    last, first = known(engine, rosa, episode)[0], known(engine, rosa, episode)[2]
    enter(
        engine, rosa, episode, NOW, 9, last.day, {f"item_{i}": "1" for i in range(1, 10)}, status="no_show",
        appointment=last.ref, seen=last.fingerprint,
    )  # fmt: skip
    delete_occasion(engine, SETTINGS, rosa, episode, first.ref, first.fingerprint, NOW + timedelta(minutes=1))
    row = state(engine)
    assert (row["sessions_attended"], row["scores"], row["latest"]) == (1, 2, 9.0)
    for (name, day), frame in before.items():
        assert_frame_equal(frame, exported(engine, name, as_of=day), check_row_order=False)
    with reading(engine) as connection:
        read = read_episode(connection, rosa, episode, NOW)
    assert read is not None
    assert read.earlier_scores.height == 18
    assert set(read.earlier_scores["username"]) == {"rosa"}

    bring_back(engine, SETTINGS, rosa, episode, NOW + timedelta(minutes=2))
    row = state(engine)
    assert (row["sessions_attended"], row["scores"], row["baseline"]) == (2, 3, 18.0)
    assert {one.ref for one in known(engine, rosa, episode)} >= {first.ref}
    with pytest.raises(UnusableInput, match="Nothing is left to bring back"):
        bring_back(engine, SETTINGS, rosa, episode, NOW + timedelta(minutes=3))
    said = audited(engine)
    assert [said.count(f"change {one}") for one in ("session changed", "entry deleted", "entry brought back")] == [
        1,
        1,
        1,
    ]


def test_what_was_entered_in_its_place_is_not_overwritten_by_bringing_back(quick: Hand) -> None:
    engine, _, rosa = quick
    episode = begun(engine, rosa, NOW - 10 * DAY)
    enter(engine, rosa, episode, NOW, 1, TODAY, {"total": "12"})
    (one,) = known(engine, rosa, episode)
    delete_occasion(engine, SETTINGS, rosa, episode, one.ref, one.fingerprint, NOW + timedelta(minutes=1))
    assert not known(engine, rosa, episode)
    enter(engine, rosa, episode, NOW + timedelta(minutes=2), 2, TODAY, {"total": "15"})
    with pytest.raises(UnusableInput, match="in its place"):
        bring_back(engine, SETTINGS, rosa, episode, NOW + timedelta(minutes=3))
    assert state(engine)["latest"] == 15


def test_a_session_moved_to_another_day_takes_its_scores_along(quick: Hand) -> None:
    engine, _, rosa = quick
    episode = begun(engine, rosa, NOW - 10 * DAY)
    enter(engine, rosa, episode, NOW - 2 * DAY, 1, TODAY - 2 * DAY, {"total": "12"})
    (one,) = known(engine, rosa, episode)
    moved = {"appointment": one.ref, "seen": one.fingerprint, "time": "09:30"}
    assert enter(engine, rosa, episode, NOW, 2, TODAY - 3 * DAY, {"total": "12"}, **moved)
    row = state(engine)
    assert (row["scores"], row["latest_on"], row["last_attended_on"]) == (1, TODAY - 3 * DAY, TODAY - 3 * DAY)
    assert state(engine, as_of=TODAY - DAY)["latest_on"] == TODAY - 2 * DAY


def test_an_ending_taken_back_is_open_from_today_and_was_closed_until_yesterday(
    quick: Hand,
) -> None:
    engine, _, rosa = quick
    episode = begun(engine, rosa, NOW - 30 * DAY)
    enter(engine, rosa, episode, NOW - 20 * DAY, 1, TODAY - 20 * DAY, {"total": "12"})

    def seen() -> int:
        with reading(engine) as connection:
            return int(read_frame(connection, entries.episodes(scope_for(rosa), public_id=episode))["import_id"][0])

    opened = seen()
    day = TODAY - 10 * DAY
    end_episode(engine, SETTINGS, rosa, episode, ending="unilateral", closed_on=day, seen=opened, now=NOW - 10 * DAY)
    with pytest.raises(UnusableInput, match=OVERTAKEN):
        reopen_episode(engine, SETTINGS, rosa, episode, seen=opened, now=NOW)
    reopen_episode(engine, SETTINGS, rosa, episode, seen=seen(), now=NOW)
    assert (state(engine)["closed_on"], state(engine)["ending"]) == (None, None)
    assert state(engine, as_of=TODAY - DAY)["ending"] == "unilateral"
    end_episode(engine, SETTINGS, rosa, episode, ending="planned", closed_on=TODAY, seen=seen(), now=NOW)
    assert state(engine)["ending"] == "planned"
    change_episode(
        engine, SETTINGS, rosa, episode, NewEpisode(TODAY - 30 * DAY, problem_area="grief"), seen=seen(), now=NOW
    )
    with reading(engine) as connection:
        row = read_frame(connection, entries.episodes(scope_for(rosa), public_id=episode)).row(0, named=True)
    assert (row["problem_area"], row["planned_sessions"]) == ("grief", 12)


# ------------------------------------------------------------------ beside files


def test_scores_by_hand_go_to_a_files_session_and_the_file_does_not_overwrite_them(
    engine: Engine, tmp_path: Path
) -> None:
    give(engine, tmp_path / "1", BASE, now=NOW)
    with reading(engine) as connection:
        practice = practices.find_practice(connection, None)
        mine = Viewer("c", Role.CLINICIAN, practice, clinician_of(connection, practice, "c1"))
        (row,) = read_frame(connection, entries.episodes(scope_for(mine))).to_dicts()
    episode = row["public_id"]
    newest = known(engine, mine, episode)[0]
    gad = [{"key": "gad7", "respondent": "client", "values": {"total": "9"}}]
    assert enter(engine, mine, episode, NOW, 1, TODAY, appointment=newest.ref, status="no_show", measures=gad)
    (there,) = [one for one in known(engine, mine, episode) if one.ref == newest.ref]
    assert there.session is not None
    assert there.session["status"] == "attended", "what a file says of a session is not changed by hand"
    assert [row["value"] for row in there.scores_by_hand] == [9.0]
    with pytest.raises(UnusableInput, match="Its source corrects it"):
        enter(engine, mine, episode, NOW, 2, newest.day, {"total": "3"}, status="scores_only")
    with pytest.raises(UnusableInput, match="came from a file"):
        end_episode(engine, SETTINGS, mine, episode, ending="planned", closed_on=TODAY, seen=row["import_id"], now=NOW)
    untouched = known(engine, mine, episode)[1]
    with pytest.raises(UnusableInput, match="came from a file"):
        delete_occasion(engine, SETTINGS, mine, episode, untouched.ref, untouched.fingerprint, NOW)
    other = BASE["scores"][7] | {"instrument": "gad7", "value": 12}
    give(engine, tmp_path / "2", {"scores": [other]}, now=NOW + DAY)
    (there,) = [one for one in known(engine, mine, episode) if one.ref == newest.ref]
    assert [row["value"] for row in there.scores_by_hand] == [9.0]
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM pending_row")).scalar() == 0


# ------------------------------------------------------------------ who may


def test_nobody_enters_into_anothers_episode_and_nothing_is_written(quick: Hand) -> None:
    engine, director, rosa = quick
    add_clinician(engine, SETTINGS, director, key="T02", name="Sam L", started_on=None, is_trainee=True, now=NOW)
    sam = person(engine, "sam", Role.SUPERVISOR, "T02")
    episode = begun(engine, rosa, NOW - 10 * DAY)
    assert rosa.clinician_id is not None
    assert sam.clinician_id is not None
    with pytest.raises(NotAllowed, match="not in your caseload"):
        enter(engine, sam, episode, NOW, 1)
    add_link(engine, SETTINGS, director, sam.clinician_id, rosa.clinician_id, first=TODAY, now=NOW)
    sam = viewer(engine, "sam")
    assert sam.supervisee_ids == {rosa.clinician_id}
    with pytest.raises(NotAllowed, match="Only the clinician of this episode"):
        enter(engine, sam, episode, NOW, 1)
    with pytest.raises(NotAllowed, match="Only a clinical director"):
        hand_over(engine, SETTINGS, rosa, episode, token="f" * 16, to="x", on=TODAY, seen=None, now=NOW)
    with pytest.raises(NotAllowed):
        open_episode(
            engine, SETTINGS, rosa, token="a" * 16, client=NewClient("4F-9"), clinician="unknown",
            given=NewEpisode(TODAY), now=NOW,
        )  # fmt: skip
    with pytest.raises(NotAllowed):
        enter(engine, Viewer("a", Role.ADMIN, rosa.practice_id), episode, NOW, 1)
    with pytest.raises(NotAllowed):
        add_clinician(engine, SETTINGS, rosa, key="T03", name="X", started_on=None, is_trainee=False, now=NOW)
    assert count(engine, Appointment) == 0
    with reading(engine) as connection:
        links = connection.execute(text("SELECT id FROM supervision_link")).scalars().all()
    with pytest.raises(UnusableInput, match="before the first"):
        end_link(engine, SETTINGS, director, links[0], last=TODAY - DAY, now=NOW)
    end_link(engine, SETTINGS, director, links[0], last=TODAY, now=NOW)
    assert not viewer(engine, "sam", NOW + DAY).supervisee_ids


def test_a_director_gives_an_episode_to_another_clinician_as_one_act(quick: Hand) -> None:
    engine, director, rosa = quick
    add_clinician(engine, SETTINGS, director, key="T02", name="Sam L", started_on=None, is_trainee=False, now=NOW)
    episode = begun(engine, rosa, NOW - 10 * DAY)
    with reading(engine) as connection:
        sam = next(row for row in clinicians_for(connection, director, TODAY) if row["source_id"] == "T02")
        seen = read_frame(connection, entries.episodes(scope_for(director), public_id=episode))["import_id"][0]
    given = {"token": "d" * 16, "to": sam["clinician_public_id"], "on": TODAY, "seen": seen, "now": NOW}
    made = hand_over(engine, SETTINGS, director, episode, **given)
    assert hand_over(engine, SETTINGS, director, episode, **given) == made
    rows = exported(engine, "episodes").sort("clinician_id").select("client_code", "clinician_id", "ending").rows()
    assert rows == [("4F-210", "T01", "transferred"), ("4F-210", "T02", None)]
    with reading(engine) as connection:
        assert len(clients_for(connection, director)) == 1


def test_a_code_is_taken_once_in_a_practice_and_a_suggested_one_is_free(quick: Hand) -> None:
    engine, director, rosa = quick
    begun(engine, rosa, NOW, "4F-210")
    with pytest.raises(UnusableInput, match="is taken in this practice"):
        begun(engine, director, NOW, "4f-210", clinician=rosa.clinician_id, token="1" * 16)
    code = suggested_code(engine, rosa)
    assert begun(engine, rosa, NOW, code, token="2" * 16)
    with reading(engine) as connection:
        again = clients_for(connection, rosa)
    second = open_episode(
        engine, SETTINGS, rosa, token="3" * 16, client=again[0]["client_id"],
        clinician=clinicians_of(engine, rosa), given=NewEpisode(TODAY), now=NOW,
    )  # fmt: skip
    assert second
    assert exported(engine, "episodes").height == 3


def clinicians_of(engine: Engine, who: Viewer) -> str:
    with reading(engine) as connection:
        return str(clinicians_for(connection, who, TODAY)[0]["clinician_public_id"])


def test_leave_and_corrections_of_clinicians_are_kept_with_their_earlier_version(
    quick: Hand,
) -> None:
    engine, director, rosa = quick
    assert rosa.clinician_id is not None
    change_clinician(
        engine, SETTINGS, director, rosa.clinician_id, name="Rosa M", started_on=TODAY - 400 * DAY, ended_on=None,
        is_trainee=True, now=NOW,
    )  # fmt: skip
    add_leave(
        engine, SETTINGS, director, rosa.clinician_id, first=TODAY + DAY, last=TODAY + 8 * DAY, cover_id=None, now=NOW
    )
    with reading(engine) as connection:
        assert connection.execute(text("SELECT display_name FROM clinician_version")).scalars().all() == ["Rosa K"]
        assert connection.execute(text("SELECT count(*) FROM leave")).scalar() == 1
    with pytest.raises(UnusableInput, match="earlier than"):
        add_leave(engine, SETTINGS, director, rosa.clinician_id, first=TODAY, last=TODAY - DAY, cover_id=None, now=NOW)
    for key, name in (("T01", "X"), ("t01", "X"), ("<b>", "X"), ("T 1", "X"), ("T09", " ")):
        with pytest.raises(UnusableInput):
            add_clinician(engine, SETTINGS, director, key=key, name=name, started_on=None, is_trainee=False, now=NOW)
    assert not ensure_current(engine, SETTINGS, rosa.practice_id, NOW).episodes, "evaluated at once"


def test_a_refused_row_leaves_nothing_behind(quick: Hand) -> None:
    engine, _, rosa = quick
    episode = begun(engine, rosa, NOW)
    before = (count(engine, Import), audited(engine))
    for values in ({"total": "28"}, {"item_1": "9"}, {"total": "x"}):
        with pytest.raises(UnusableInput, match="Not saved"):
            enter(engine, rosa, episode, NOW, 1, TODAY, values)
    assert (count(engine, Import), audited(engine)) == before
    assert count(engine, Appointment) == 0
