"""Clients, episodes and their endings by hand: who may, what is checked, one transaction, an audit row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine

from dashboard.access import NO_EPISODE, Viewer, can_enter, check_can_enter, check_can_hand_over, scope_for
from dashboard.entering import OVERTAKEN, Room, evaluated, new_token, room_of, stored
from dashboard.entry.episode_rows import NewClient, NewEpisode, checked_code, client_row, ended, episode_row, known_row
from dashboard.entry.rows import batch_of
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.settings import Settings
from queries import entries, practices, store_entries
from queries.engine import reading, writing
from queries.frames import read_frame
from queries.keys import BY_HAND, made_code, of_source, public_id

NOT_HERE = "This episode came from a file. Its source says when and how it ended, and the next import brings it."


def clinicians_for(connection: Connection, viewer: Viewer, today: date) -> list[dict[str, Any]]:
    """Clinicians for whom the viewer may open an episode: themselves; a director for anyone who works there today."""
    found = read_frame(connection, entries.clinicians(scope_for(viewer), today)).to_dicts()
    return [row for row in found if can_enter(viewer, row["clinician_id"])]


def clients_for(connection: Connection, viewer: Viewer) -> list[dict[str, Any]]:
    """Clients whom the viewer may see, by code: for a further episode of the same person."""
    return read_frame(connection, entries.clients(scope_for(viewer))).to_dicts()


def suggested_code(engine: Engine, viewer: Viewer) -> str:
    """A code that says nothing and is free."""
    with reading(engine) as connection:
        while True:
            code = made_code(new_token())
            if not store_entries.code_taken(connection, viewer.practice_id, code):
                return code


def open_episode(
    engine: Engine,
    settings: Settings,
    viewer: Viewer,
    *,
    token: str,
    client: NewClient | int,
    clinician: str,
    given: NewEpisode,
    now: datetime,
) -> str:
    """A new episode, of a new client or of one in the viewer's scope (internal id); gives its opaque id.

    ``token``: drawn when the form was opened; the same form sent twice opens one episode. ``clinician``: opaque id.
    Raises NotAllowed for somebody else's caseload, UnusableInput for a code that is taken and whatever the checks refuse.
    """
    with writing(engine) as connection:
        people = clinicians_for(connection, viewer, now.date())
        person = next((row for row in people if row["clinician_public_id"] == clinician), None)
        if person is None:
            raise NotAllowed(
                "You can open episodes of your own; a clinical director can for anyone who works here today."
            )
        check_can_enter(viewer, person["clinician_id"])
        made = public_id(practices.secret_of(connection, viewer.practice_id), "episode", BY_HAND, f"e-{token}")
        if read_frame(connection, entries.episodes(scope_for(viewer), public_id=made)).height:
            return made  # the same form sent again
        if store_entries.there_already(connection, viewer.practice_id, made):
            raise UnusableInput(OVERTAKEN)  # another form's token: storing under it would take that episode away
        rows: dict[str, list[dict[str, str | None]]] = {}
        if isinstance(client, NewClient):
            code = checked_code(client)
            if store_entries.code_taken(connection, viewer.practice_id, code):
                raise UnusableInput(f"The code '{code}' is taken in this practice. Choose another.")
            key = f"c-{token}"
            rows["clients"] = [client_row(key, client)]
        else:
            known = next((row for row in clients_for(connection, viewer) if row["client_id"] == client), None)
            if known is None:
                raise NotAllowed("This client is not in your caseload. Ask your clinical director to open the episode.")
            key = of_source(known["source"], known["client_source_id"])
        rows["episodes"] = [episode_row(f"e-{token}", key, _named(person), given, now.date())]
        batch = batch_of(rows, today=now.date(), timezone=settings.timezone, instruments={})
        result = store_entries.store(
            connection, viewer, batch, now=now, action="episode opened", clinician_id=person["clinician_id"]
        )
    evaluated(engine, settings, viewer, result, now)
    return made


def _named(person: Mapping[str, Any]) -> str:
    return of_source(person["source"], person["source_id"])


def _own(room: Room) -> dict[str, str | None]:
    """The episode's row as a file would hold it. Raises UnusableInput where it came from one."""
    if room.episode["source"] != BY_HAND:
        raise UnusableInput(NOT_HERE)
    one = room.episode
    client = of_source(one["client_source"], one["client_source_id"])
    return known_row(one, client, of_source(one["clinician_source"], one["clinician_source_id"]))


def _unchanged(room: Room, seen: int | None) -> None:
    if room.episode["import_id"] != seen:
        raise UnusableInput(OVERTAKEN)


def end_episode(
    engine: Engine, settings: Settings, viewer: Viewer, episode: str, *, ending: str, closed_on: date, seen: int | None,
    now: datetime,
) -> int:  # fmt: skip
    """Closes an episode with its ending, or corrects an ending that stands; gives how many sessions are still booked after it.

    ``seen``: the import that the form was filled from. Raises UnusableInput where somebody changed it since, or it is a file's.
    """
    with room_of(engine, viewer, episode) as room:
        _unchanged(room, seen)
        row = ended(_own(room), ending, closed_on, now.date())
        result = stored(
            room, settings, {"episodes": [row]}, now, what="episode closed", detail=f"{ending}, {closed_on}"
        )
        left = _booked_after(room, closed_on)
    evaluated(engine, settings, viewer, result, now)
    return left


def _booked_after(room: Room, day: date) -> int:
    slots = [one.session for one in room.occasions if one.session is not None]
    return sum(row["status"] == "booked" and row["starts_at"].date() > day for row in slots)


def reopen_episode(
    engine: Engine, settings: Settings, viewer: Viewer, episode: str, *, seen: int | None, now: datetime
) -> None:
    """Takes an ending back: from today the episode is known to be open; until yesterday it was known as closed."""
    with room_of(engine, viewer, episode) as room:
        _unchanged(room, seen)
        row = {**_own(room), "reopened": "yes"}
        if room.episode["closed_on"] is None:
            raise UnusableInput("This episode is open.")
        result = stored(room, settings, {"episodes": [row]}, now, what="episode reopened")
    evaluated(engine, settings, viewer, result, now)


def change_episode(
    engine: Engine,
    settings: Settings,
    viewer: Viewer,
    episode: str,
    given: NewEpisode,
    *,
    seen: int | None,
    now: datetime,
) -> None:
    """Corrects what is known of an episode; what is left empty stays as it is."""
    with room_of(engine, viewer, episode) as room:
        _unchanged(room, seen)
        own = _own(room)
        row = episode_row(str(own["episode_id"]), str(own["client_id"]), str(own["clinician_id"]), given, now.date())
        closed = room.episode["closed_on"]
        if closed is not None and given.opened_on > closed:
            raise UnusableInput("The first day is after the day on which it was closed. Correct one of them.")
        result = stored(room, settings, {"episodes": [row]}, now, what="episode changed")
    evaluated(engine, settings, viewer, result, now)


def hand_over(
    engine: Engine, settings: Settings, viewer: Viewer, episode: str, *, token: str, to: str, on: date, seen: int | None,
    now: datetime,
) -> str:  # fmt: skip
    """Closes an episode as transferred and opens one of the same client with another clinician; gives its opaque id.

    A clinical director does it. Both or neither are saved.
    """
    check_can_hand_over(viewer)
    with room_of(engine, viewer, episode) as room:
        made = public_id(practices.secret_of(room.connection, viewer.practice_id), "episode", BY_HAND, f"e-{token}")
        if read_frame(room.connection, entries.episodes(scope_for(viewer), public_id=made)).height:
            return made
        _unchanged(room, seen)
        own = _own(room)
        people = clinicians_for(room.connection, viewer, now.date())
        person = next((row for row in people if row["clinician_public_id"] == to), None)
        if person is None or person["clinician_id"] == room.episode["clinician_id"]:
            raise UnusableInput("Choose another clinician who works here today.")
        if room.episode["closed_on"] is not None:
            raise UnusableInput("This episode is closed already. Open a new one of the same client.")
        begins = NewEpisode(
            opened_on=on, kind=room.episode["kind"], problem_area=room.episode["problem_area"] or "",
            planned_sessions=None,
        )  # fmt: skip
        rows: Sequence[Mapping[str, str | None]] = [
            ended(own, "transferred", on, now.date()),
            episode_row(f"e-{token}", str(own["client_id"]), _named(person), begins, now.date()),
        ]
        result = stored(room, settings, {"episodes": rows}, now, what="episode handed over", detail=str(on))
    evaluated(engine, settings, viewer, result, now)
    return made


def code_of(connection: Connection, viewer: Viewer, episode: str) -> str:
    """The client's code of an episode in scope. Raises NotAllowed outside it."""
    found: pl.DataFrame = read_frame(connection, entries.episodes(scope_for(viewer), public_id=episode))
    if found.is_empty():
        raise NotAllowed(NO_EPISODE)
    return str(found["client_code"][0])
