"""A client's erasure, on request or by the practice's retention rule: first in counts only, then for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine

from dashboard.access import Viewer, check_can_erase, operator_scope
from dashboard.errors import DatabaseUnavailable, UnusableInput
from dashboard.keeping.automatic import copies_in, folder_of
from dashboard.settings import Settings
from queries import practices
from queries.acting import widening
from queries.engine import reading, writing
from queries.erase import Erasure, due, erase, find_client, scrub

Find = Callable[[Connection, int], list[int]]


def _run(
    engine: Engine, practice_id: int, find: Find, *, username: str, why: str, apply: bool, now: datetime,
    purpose: str | None = None,
) -> Erasure:  # fmt: skip
    # texts of everybody's meetings are looked through for the names
    with widening(operator_scope(practice_id)), writing(engine) as connection:
        clients = find(connection, practice_id)
        done = Erasure()
        if clients:
            done = erase(connection, practice_id, clients, username=username, why=why, now=now, purpose=purpose)
        if not apply:
            connection.rollback()  # the counts of the real thing, which never was
    return done


def _after(engine: Engine, settings: Settings) -> list[str]:
    lines = []
    try:
        whole = scrub(engine)
    except DatabaseUnavailable:
        whole = False
    if not whole:
        lines.append(
            "Pages that were open at the time may keep old bytes in the file: run `supervision retention` later."
        )
    copies = copies_in(folder_of(settings))
    kept = f"{len(copies)} automatic copies in {folder_of(settings)}" if copies else "Copies made before today"
    lines.append(f"{kept} still hold this data until they are removed; so do copies and snapshots kept elsewhere.")
    return lines


def erase_client(
    engine: Engine,
    settings: Settings,
    *,
    practice: str | None,
    client: str,
    source: str | None,
    apply: bool,
    now: datetime,
    viewer: Viewer | None = None,
) -> list[str]:
    """Erases one person, all their records; without ``apply`` only counts. ``viewer`` null: whoever holds the database.

    Raises NotAllowed for anyone but a director, UnusableInput where there is no such client or an episode is open.
    """
    if viewer is not None:
        check_can_erase(viewer.role)
        practice_id = viewer.practice_id
    else:
        with reading(engine) as connection:
            practice_id = practices.find_practice(connection, practice)
    done = _run(
        engine, practice_id, lambda connection, one: find_client(connection, one, client, source),
        username=viewer.username if viewer else "operator", why="on request", apply=apply, now=now,
        purpose=viewer.purpose if viewer else None,
    )  # fmt: skip
    if not apply:
        return [f"This would erase: {done.words}.", "Nothing was changed."]
    return [f"Erased: {done.words}.", *_after(engine, settings)]


def apply_retention(
    engine: Engine, settings: Settings, *, practice: str | None, apply: bool, now: datetime
) -> list[str]:
    """Erases everyone whose last episode closed more than ``retention_years`` ago; without ``apply`` only counts.

    Raises UnusableInput where the rule is switched off.
    """
    years = settings.retention_years
    if not years:
        raise UnusableInput(
            "No retention rule is set. Set SUPERVISION_RETENTION_YEARS to the years your practice keeps records."
        )
    with reading(engine) as connection:
        practice_id = practices.find_practice(connection, practice)

    def find(connection: Connection, one: int) -> list[int]:
        return [record for person in due(connection, one, years, now.date()) for record in person]

    why = f"kept for {years} years"
    done = _run(engine, practice_id, find, username="operator", why=why, apply=apply, now=now)
    if not done.clients:
        return [f"Nobody's last episode closed {years} years ago or earlier. Nothing was changed."]
    if not apply:
        return [f"This would erase: {done.words}.", "Nothing was changed; --apply does it."]
    return [f"Erased: {done.words}.", *_after(engine, settings)]
