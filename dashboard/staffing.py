"""Who works here, who is away, who supervises whom, entered by hand by a director or an administrator, checked as files are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine

from dashboard.access import Viewer, check_can_manage_staff, scope_for
from dashboard.entering import evaluated
from dashboard.entry.rows import batch_of
from dashboard.errors import UnusableInput
from dashboard.evaluation import ensure_current
from dashboard.reach import staff_scope
from dashboard.settings import Settings
from dashboard.typed import on_one_line
from queries import staff, store_entries
from queries.acting import widening
from queries.engine import writing
from queries.keys import BY_HAND, of_source

ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")
LONGEST_NAME = 80


def suggested_id(taken: Sequence[str]) -> str:
    """The next free id of the kind T01, T02."""
    used = set(taken)
    return next(one for one in (f"T{number:02d}" for number in range(1, len(used) + 2)) if one not in used)


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _saved(
    connection: Connection, settings: Settings, viewer: Viewer, rows: Mapping[str, Sequence[Mapping[str, str | None]]],
    now: datetime, action: str, detail: str, clinician_id: int | None = None,
) -> store_entries.Stored:  # fmt: skip
    batch = batch_of(rows, today=now.date(), timezone=settings.timezone, instruments={})
    return store_entries.store(
        connection, viewer, batch, now=now, action=action, clinician_id=clinician_id, detail=detail
    )


def _person(people: pl.DataFrame, clinician_id: int) -> dict[str, Any]:
    found = people.filter(pl.col("clinician_id") == clinician_id).to_dicts()
    if not found:
        raise UnusableInput("Choose a clinician of this practice.")
    return found[0]


def _named(person: Mapping[str, Any]) -> str:
    return of_source(person["source"], person["source_id"])


def add_clinician(
    engine: Engine, settings: Settings, viewer: Viewer, *, key: str, name: str, started_on: date | None, is_trainee: bool,
    now: datetime,
) -> None:  # fmt: skip
    """A clinician who is not here yet. Raises UnusableInput for an id that is taken or holds odd characters, or no name."""
    check_can_manage_staff(viewer.role)
    said = on_one_line(name, LONGEST_NAME, f"Give a name of up to {LONGEST_NAME} characters.")
    if not ID.fullmatch(key):
        raise UnusableInput("An id has up to 40 letters, digits, . _ or -, as in T07.")
    if not said:
        raise UnusableInput(f"Give a name of up to {LONGEST_NAME} characters. Supervisors and directors see it.")
    with widening(staff_scope(scope_for(viewer))), writing(engine) as connection:
        people = staff.clinicians(connection, viewer.practice_id)
        if key.lower() in {one.lower() for one in people["source_id"]}:
            raise UnusableInput(f"The id '{key}' is taken. Choose another.")
        row = {
            "clinician_id": key, "display_name": said, "started_on": _day(started_on),
            "is_trainee": "yes" if is_trainee else "no",
        }  # fmt: skip
        result = _saved(connection, settings, viewer, {"clinicians": [row]}, now, "clinician added", key)
    evaluated(engine, settings, viewer, result, now)


def change_clinician(
    engine: Engine, settings: Settings, viewer: Viewer, clinician_id: int, *, name: str, started_on: date | None,
    ended_on: date | None, is_trainee: bool, now: datetime,
) -> None:  # fmt: skip
    """Corrects a clinician entered by hand; an empty day stays as it is. Raises UnusableInput for one of a file."""
    check_can_manage_staff(viewer.role)
    said = on_one_line(name, LONGEST_NAME, f"Give a name of up to {LONGEST_NAME} characters.")
    if not said:
        raise UnusableInput(f"Give a name of up to {LONGEST_NAME} characters.")
    with widening(staff_scope(scope_for(viewer))), writing(engine) as connection:
        person = _person(staff.clinicians(connection, viewer.practice_id), clinician_id)
        if person["source"] != BY_HAND:
            raise UnusableInput("This clinician came from a file. Change clinicians.csv and import it again.")
        row = {
            "clinician_id": person["source_id"], "display_name": said, "started_on": _day(started_on),
            "ended_on": _day(ended_on), "is_trainee": "yes" if is_trainee else "no",
        }  # fmt: skip
        _saved(
            connection,
            settings,
            viewer,
            {"clinicians": [row]},
            now,
            "clinician changed",
            person["source_id"],
            clinician_id,
        )
    ensure_current(engine, settings, viewer.practice_id, now)


def add_leave(
    engine: Engine, settings: Settings, viewer: Viewer, clinician_id: int, *, first: date, last: date, cover_id: int | None,
    now: datetime,
) -> None:  # fmt: skip
    """Days on which somebody is away, and who covers. Raises UnusableInput where the last day is before the first."""
    check_can_manage_staff(viewer.role)
    if cover_id == clinician_id:
        raise UnusableInput("Somebody else covers, or nobody.")
    with widening(staff_scope(scope_for(viewer))), writing(engine) as connection:
        people = staff.clinicians(connection, viewer.practice_id)
        person = _person(people, clinician_id)
        row = {
            "clinician_id": _named(person), "from": _day(first), "to": _day(last),
            "cover_id": None if cover_id is None else _named(_person(people, cover_id)),
            "recorded_on": _day(min(first, now.date())),
        }  # fmt: skip
        _saved(connection, settings, viewer, {"leave": [row]}, now, "leave entered", f"{first} to {last}", clinician_id)
    ensure_current(engine, settings, viewer.practice_id, now)


def add_link(
    engine: Engine, settings: Settings, viewer: Viewer, supervisor_id: int, supervisee_id: int, *, first: date | None,
    now: datetime,
) -> None:  # fmt: skip
    """Says who supervises whom from a day on: it opens the supervisee's episodes to the supervisor."""
    check_can_manage_staff(viewer.role)
    with widening(staff_scope(scope_for(viewer))), writing(engine) as connection:
        people = staff.clinicians(connection, viewer.practice_id)
        above, below = _person(people, supervisor_id), _person(people, supervisee_id)
        row = {"supervisor_id": _named(above), "supervisee_id": _named(below), "from": _day(first)}
        said = f"{above['source_id']} supervises {below['source_id']}"
        result = _saved(
            connection, settings, viewer, {"supervision": [row]}, now, "supervision entered", said, supervisee_id
        )
    evaluated(engine, settings, viewer, result, now)


def end_link(
    engine: Engine, settings: Settings, viewer: Viewer, link_id: int, *, last: date, now: datetime
) -> None:  # fmt: skip
    """Ends a supervision with a last day; a day before today closes the supervisee's episodes to the supervisor at once."""
    check_can_manage_staff(viewer.role)
    with widening(staff_scope(scope_for(viewer))), writing(engine) as connection:
        links = staff.supervision(connection, viewer.practice_id, now.date() - timedelta(days=1))
        found = links.filter(pl.col("link_id") == link_id).to_dicts()
        if not found:
            raise UnusableInput("This supervision is no longer there. Reload the page.")
        link = found[0]
        if link["from_day"] is not None and last < link["from_day"]:
            raise UnusableInput(f"The last day is before the first ({link['from_day']}).")
        people = staff.clinicians(connection, viewer.practice_id)
        above, below = _person(people, link["supervisor_id"]), _person(people, link["supervisee_id"])
        row = {
            "supervisor_id": _named(above), "supervisee_id": _named(below), "from": _day(link["from_day"]),
            "to": _day(last),
        }  # fmt: skip
        said = f"{above['source_id']} supervises {below['source_id']} until {last}"
        result = _saved(
            connection, settings, viewer, {"supervision": [row]}, now, "supervision ended", said, link["supervisee_id"]
        )
    evaluated(engine, settings, viewer, result, now)
