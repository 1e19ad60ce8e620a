"""Server-side sessions and people on both databases: when a session lives, when it ends, whose rows it opens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select

from dashboard.access import Role, scope_for
from dashboard.errors import UnusableInput
from queries import credentials, people, practices, sessions
from queries.engine import reading, writing
from queries.keys import next_id
from queries.tables import Audit, Clinician, SupervisionLink, UserSession

NOW = datetime(2026, 11, 20, 9)
LIMITS = {"idle_minutes": 15, "absolute_hours": 12}


@pytest.fixture
def practice_id(engine: Engine) -> int:
    """A practice with three clinicians and a supervisor called ada."""
    with writing(engine) as connection:
        practice = practices.ensure_practice(connection, "P", NOW)
        for number, name in enumerate(("one", "two", "three"), start=1):
            connection.execute(
                insert(Clinician).values(
                    id=number, practice_id=practice, source="files", source_id=f"c{number}", display_name=name,
                    public_id=f"p{number}", known_from=NOW.date(),
                )
            )  # fmt: skip
        add(engine, connection, practice, "ada", Role.SUPERVISOR, 1)
    return practice


def add(engine: Engine, connection: object, practice: int, username: str, role: Role, clinician: int | None) -> None:
    people.add_user(
        connection, practice_id=practice, username=username, role=role, clinician_id=clinician,
        password_hash="$2b$hash", must_change=False, now=NOW, actor="test",
    )  # type: ignore[arg-type]  # fmt: skip


def started(engine: Engine, now: datetime = NOW) -> str:
    """Signs ada in and claims the session, as the browser does."""
    with writing(engine) as connection:
        sessions.start(connection, "ada", "first", "code", now)
        assert sessions.redeem(connection, "code", "cookie", now)
    return "cookie"


def whose(engine: Engine, session: str, now: datetime) -> str | None:
    with reading(engine) as connection:
        found = sessions.username_of(connection, session, now, **LIMITS)
    return None if found is None else found[0]


def test_only_hashes_of_sessions_and_codes_are_stored(engine: Engine, practice_id: int) -> None:
    started(engine)
    with reading(engine) as connection:
        stored = [row.id_hash for row in connection.execute(select(UserSession.id_hash))]
    assert len(stored) == 2
    assert all(len(one) == 64 and one not in ("first", "cookie") for one in stored)


def test_a_one_time_code_works_once_and_for_half_a_minute(engine: Engine, practice_id: int) -> None:
    started(engine)
    with writing(engine) as connection:
        assert not sessions.redeem(connection, "code", "thief", NOW)
        sessions.start(connection, "ada", "second", "late", NOW)
        assert not sessions.redeem(connection, "late", "thief", NOW + timedelta(seconds=31))
        assert not sessions.redeem(connection, "never given", "thief", NOW)
    assert whose(engine, "thief", NOW) is None


@pytest.mark.parametrize(("minutes", "lives"), [(15, True), (16, False)])
def test_an_idle_session_ends_after_its_limit(engine: Engine, practice_id: int, minutes: int, lives: bool) -> None:
    started(engine)
    assert (whose(engine, "cookie", NOW + timedelta(minutes=minutes)) == "ada") is lives


def test_a_session_in_use_still_ends_after_its_absolute_limit(engine: Engine, practice_id: int) -> None:
    started(engine)
    for minutes in range(10, 12 * 60 + 1, 10):
        at = NOW + timedelta(minutes=minutes)
        assert whose(engine, "cookie", at) == "ada"
        with writing(engine) as connection:
            sessions.touch(connection, "cookie", at)
    assert whose(engine, "cookie", NOW + timedelta(hours=12, minutes=1)) is None


def test_a_code_does_nothing_once_its_sign_in_is_over(engine: Engine, practice_id: int) -> None:
    with writing(engine) as connection:
        sessions.start(connection, "ada", "first", "code", NOW)
        sessions.end(connection, "first", NOW)
        assert sessions.redeem(connection, "code", "thief", NOW) is None
        sessions.start(connection, "ada", "second", "code2", NOW)
        people.end_every_session(connection, practice_id=practice_id, username="ada", now=NOW)
        assert sessions.redeem(connection, "code2", "thief", NOW) is None


def test_a_code_that_two_processes_spend_at_once_binds_one_browser(engine: Engine, practice_id: int) -> None:
    with writing(engine) as connection:
        sessions.start(connection, "ada", "first", "code", NOW)

    def spend(name: str) -> bool:
        with writing(engine) as connection:
            return sessions.redeem(connection, "code", name, NOW) is not None

    with ThreadPoolExecutor(6) as pool:
        spent = list(pool.map(spend, [f"browser {n}" for n in range(6)]))
    assert sum(spent) == 1
    assert [whose(engine, f"browser {n}", NOW) for n in range(6)].count("ada") == 1


def test_people_see_and_end_their_own_sign_ins_only(engine: Engine, practice_id: int) -> None:
    started(engine)
    with writing(engine) as connection:
        add(engine, connection, practice_id, "bo", Role.ADMIN, None)
        opening = sessions.Opening(sessions.PROVIDER, "192.0.2.7", "Mozilla/5.0")
        theirs = sessions.start(connection, "bo", "of bo", "code3", NOW, opening)
        seen = sessions.sign_ins_of(connection, "ada", NOW, **LIMITS)
        assert len(seen) == 1, "both halves of a sign-in are one"
        assert not sessions.end_sign_in(connection, "ada", theirs, NOW)
        assert [one.address for one in sessions.sign_ins_of(connection, "bo", NOW, **LIMITS)] == ["192.0.2.7"]
        assert sessions.end_sign_in(connection, "ada", seen[0].sign_in_id, NOW)
        assert sessions.sign_ins_of(connection, "ada", NOW, **LIMITS) == []
    assert [whose(engine, one, NOW) for one in ("cookie", "first", "of bo")] == [None, None, "bo"]


def test_a_sign_in_that_has_run_out_is_not_listed(engine: Engine, practice_id: int) -> None:
    started(engine)
    with reading(engine) as connection:
        assert len(sessions.sign_ins_of(connection, "ada", NOW + timedelta(minutes=15), **LIMITS)) == 1
        assert sessions.sign_ins_of(connection, "ada", NOW + timedelta(minutes=16), **LIMITS) == []


def test_signing_out_ends_both_halves_of_a_sign_in_and_no_other(engine: Engine, practice_id: int) -> None:
    started(engine)
    with writing(engine) as connection:
        sessions.start(connection, "ada", "elsewhere", "code2", NOW + timedelta(minutes=1))
        sessions.end(connection, "cookie", NOW + timedelta(minutes=2))
    at = NOW + timedelta(minutes=3)
    assert [whose(engine, one, at) for one in ("cookie", "first", "elsewhere")] == [None, None, "ada"]


@pytest.mark.parametrize("change", ["disable", "reset", "link", "e-mail", "everywhere"])
def test_a_change_of_access_ends_every_session_at_once(engine: Engine, practice_id: int, change: str) -> None:
    started(engine)
    whom = {"practice_id": practice_id, "username": "ada", "now": NOW, "actor": "adm"}
    with writing(engine) as connection:
        match change:
            case "disable":
                people.set_active(connection, active=False, **whom)  # type: ignore[arg-type]
            case "reset":
                people.set_password(connection, password_hash="x", must_change=True, **whom)  # type: ignore[arg-type]
            case "e-mail":
                people.set_email(connection, email="a@b.example", **whom)  # type: ignore[arg-type]
            case "everywhere":
                people.end_every_session(connection, practice_id=practice_id, username="ada", now=NOW)
            case _:
                people.set_clinician(connection, clinician_id=None, **whom)  # type: ignore[arg-type]
    assert whose(engine, "cookie", NOW) is None
    with reading(engine) as connection:
        actions = list(connection.execute(select(Audit.action).order_by(Audit.id)).scalars())
    assert actions[-1].startswith(("change ", "sign_out"))


def test_an_unknown_name_is_noted_without_being_repeated(engine: Engine, practice_id: int) -> None:
    with writing(engine) as connection:
        sessions.record_failure(connection, "my-password-by-mistake", NOW)
    with reading(engine) as connection:
        rows = [tuple(row) for row in connection.execute(select(Audit.username, Audit.detail, Audit.action))]
    assert ("unknown", "", "refuse sign_in") in [(u, d or "", a) for u, d, a in rows]
    assert "my-password" not in str(rows)


@pytest.mark.parametrize(
    ("start", "end", "sees"),
    [
        (None, None, True),
        (NOW.date(), None, True),
        (NOW.date() + timedelta(days=1), None, False),
        (None, NOW.date(), True),
        (None, NOW.date() - timedelta(days=1), False),
    ],
)
def test_a_supervision_link_opens_rows_on_its_days_only(
    engine: Engine, practice_id: int, start: object, end: object, sees: bool
) -> None:
    with writing(engine) as connection:
        connection.execute(
            insert(SupervisionLink).values(
                id=next_id(connection, SupervisionLink), practice_id=practice_id, supervisor_id=1, supervisee_id=2,
                from_day=start, to_day=end, known_from=NOW.date(),
            )
        )  # fmt: skip
        viewer = people.viewer(connection, "ada", NOW.date())
    assert viewer is not None
    assert scope_for(viewer).clinician_ids == (frozenset({1, 2}) if sees else frozenset({1}))


def test_a_clinician_sees_nobody_elses_rows_whatever_links_say(engine: Engine, practice_id: int) -> None:
    with writing(engine) as connection:
        add(engine, connection, practice_id, "cy", Role.CLINICIAN, 1)
        viewer = people.viewer(connection, "cy", NOW.date())
    assert viewer is not None
    assert scope_for(viewer).clinician_ids == frozenset({1})


def test_a_name_is_taken_in_every_practice(engine: Engine, practice_id: int) -> None:
    with writing(engine) as connection:
        other = practices.ensure_practice(connection, "Q", NOW, single=False)
        with pytest.raises(UnusableInput, match="taken"):
            add(engine, connection, other, "ada", Role.ADMIN, None)


def test_an_address_is_taken_once_in_whatever_case(engine: Engine, practice_id: int) -> None:
    whom = {"practice_id": practice_id, "now": NOW, "actor": "adm"}
    with writing(engine) as connection:
        add(engine, connection, practice_id, "bo", Role.ADMIN, None)
        people.set_email(connection, username="ada", email="ada@practice.example", **whom)  # type: ignore[arg-type]
        found = credentials.by_email(connection, " Ada@Practice.Example ")
        with pytest.raises(UnusableInput, match="belongs to another"):
            people.set_email(connection, username="bo", email="ada@practice.example", **whom)  # type: ignore[arg-type]
        people.set_email(connection, username="ada", email=None, **whom)  # type: ignore[arg-type]
        people.set_email(connection, username="bo", email=None, **whom)  # type: ignore[arg-type]
        gone = credentials.by_email(connection, "ada@practice.example")
    assert found is not None
    assert found.username == "ada"
    assert gone is None
