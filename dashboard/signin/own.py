"""What a signed-in person changes about their own sign-in; each act needs the password again and leaves an audit row."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from dashboard.access import Viewer
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.settings import Settings
from dashboard.signin.accepted import Caller
from dashboard.signin.attempt import note_failure, reserve, settle
from dashboard.signin.checking import right_password
from dashboard.signin.passwords import SAME, check_policy, hashed
from queries import credentials, people, sessions
from queries.engine import reading, writing
from queries.sessions import SignedIn

NOT_YOURS = "That is not your password, or there were too many tries. Type it again, or wait a while."
NO_SUCH_SESSION = "That sign-in is over already, or is not yours."
DISAGREE = "The two do not agree. Type the same password twice."


def prove(engine: Engine, settings: Settings, viewer: Viewer, password: str, caller: Caller, now: datetime) -> None:
    """Asks for the password again. Raises UnusableInput where it is wrong or tries are paused: the same words for both."""
    reservation, person = reserve(engine, settings, viewer.username, caller, now)
    if not right_password(password, None if person is None else person.password_hash):
        note_failure(engine, viewer.username, reservation, now)
        raise UnusableInput(NOT_YOURS)
    settle(engine, settings, reservation, now, whole=False)


def choose_password(engine: Engine, settings: Settings, viewer: Viewer, first: str, second: str, now: datetime) -> None:
    """Replaces one's own password; every session of theirs ends, this one too, and known browsers are forgotten.

    Raises UnusableInput, in words, for one that will not do, that differs from its repetition, or that is the old one.
    """
    if first != second:
        raise UnusableInput(DISAGREE)
    with reading(engine) as connection:
        person = credentials.by_name(connection, viewer.username)
    if person is None:
        raise NotAllowed("You can no longer sign in here. Ask your administrator.")
    check_policy(first, context=(person.username, person.practice), shortest=settings.password_min_length)
    if right_password(first, person.password_hash):
        raise UnusableInput(SAME)
    secret = hashed(first)
    with writing(engine) as connection:
        people.set_password(
            connection,
            practice_id=viewer.practice_id,
            username=viewer.username,
            password_hash=secret,
            must_change=False,
            now=now,
            actor=viewer.username,
        )


def own_sign_ins(engine: Engine, settings: Settings, viewer: Viewer, now: datetime) -> list[SignedIn]:
    """Where the viewer is signed in at this moment, the newest first."""
    with reading(engine) as connection:
        return sessions.sign_ins_of(
            connection,
            viewer.username,
            now,
            idle_minutes=settings.session_idle_minutes,
            absolute_hours=settings.session_absolute_hours,
        )


def end_one(engine: Engine, viewer: Viewer, sign_in_id: str, now: datetime) -> None:
    """Ends one sign-in of the viewer. Raises NotAllowed for one that is over, or that is somebody else's."""
    with writing(engine) as connection:
        if not sessions.end_sign_in(connection, viewer.username, sign_in_id, now):
            raise NotAllowed(NO_SUCH_SESSION)


def end_all(engine: Engine, viewer: Viewer, now: datetime) -> None:
    """Signs the viewer out everywhere and forgets the browsers that knew them."""
    with writing(engine) as connection:
        people.end_every_session(connection, practice_id=viewer.practice_id, username=viewer.username, now=now)


def remove_factor(engine: Engine, viewer: Viewer, now: datetime) -> None:
    """Takes the viewer's second factor away; every session of theirs ends. Raises UnusableInput where there is none."""
    with writing(engine) as connection:
        people.remove_second_factor(
            connection, practice_id=viewer.practice_id, username=viewer.username, now=now, actor=viewer.username
        )
