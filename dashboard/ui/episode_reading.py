"""Reads one episode for its page, for a meeting and for paper, within a scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection

from dashboard.access import FirstLook, Scope
from dashboard.counting import known_endings
from dashboard.head_start import as_seen
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.replay.learning import Models, unlearned
from dashboard.ui.discussed_words import until
from dashboard.ui.reading import Standing, standing
from queries import caseload as reads
from queries import load as loads
from queries import meetings, models
from queries import replies as stored_replies
from queries.frames import read_frame

NOBODY = 0  # no row has this id


@dataclass(frozen=True)
class Data:
    """One episode's frames; ``state`` null where it is not in scope (or does not exist). ``endings``: known in the practice."""

    now: Standing
    state: dict[str, Any] | None
    clinician: str
    clinician_public_id: str
    flags: pl.DataFrame
    scores: pl.DataFrame
    appointments: pl.DataFrame
    falls: pl.DataFrame
    replies: pl.DataFrame
    instruments: dict[str, Instrument]
    models: Models
    discussed: pl.DataFrame
    actions: pl.DataFrame
    marks: frozenset[str]
    endings: int


def load(
    connection: Connection,
    scope: Scope,
    public_id: str,
    first: FirstLook | None = None,
    evaluation_id: int | None = None,
) -> Data:
    """Reads one episode within a scope; with ``first`` without the signals that its clinician is to see first.

    With ``evaluation_id`` state and signals are those of a past evaluation; scores and appointments stay as recorded now.
    """
    one: dict[str, Any] = {"public_id": public_id, "evaluation_id": evaluation_id}
    stored = read_frame(connection, reads.states(scope, open_only=False, **one))
    flags = read_frame(connection, reads.flags(scope, standing=False, first=first, **one))
    found = as_seen(connection, scope, stored, first, evaluation_id=evaluation_id).to_dicts()
    state = found[0] if found else None
    people = read_frame(connection, reads.clinicians(scope)).to_dicts()
    person = next((row for row in people if state and row["clinician_id"] == state["clinician_id"]), None)
    now = standing(connection, scope, evaluation_id)
    instruments = registry(loads.own_instruments(connection, scope))
    fitted = models.in_force(connection, scope.practice_id, now.as_of) if now.as_of else None
    return Data(
        now=now,
        state=state,
        clinician=str(person["display_name"] or person["source_id"]) if person else "",
        clinician_public_id=str(person["public_id"]) if person else "",
        flags=flags,
        scores=read_frame(connection, reads.scores(scope, open_only=False, public_id=public_id)),
        appointments=read_frame(connection, reads.appointments(scope, open_only=False, public_id=public_id)),
        falls=read_frame(connection, reads.falls(scope, open_only=False, **one)),
        replies=read_frame(connection, stored_replies.replies(scope, now.as_of or date.min, public_id=public_id)),
        instruments=instruments,
        models=fitted or unlearned(instruments),
        discussed=until(_own(read_frame(connection, meetings.discussed(scope)), state), "held_on", now.as_of),
        actions=until(_own(read_frame(connection, meetings.actions(scope)), state), "agreed_on", now.as_of),
        marks=frozenset(_own(read_frame(connection, meetings.marks(scope)), state)["kind"]),
        endings=known_endings(connection, scope),
    )


def _own(frame: pl.DataFrame, state: dict[str, Any] | None) -> pl.DataFrame:
    return frame.filter(pl.col("episode_id") == (state["episode_id"] if state else NOBODY))
