"""Reads what the entry page shows: one episode in scope with its occasions, or the episodes to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection

from dashboard.access import Viewer, can_enter, scope_for
from dashboard.analytics.scoring import totals
from dashboard.entering import occasions_of
from dashboard.entry.record import Occasion
from dashboard.entry.sheet import Sheet, change_sheet, new_sheet
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.ui.reading import Standing, standing
from queries import caseload, entries, load, store_entries
from queries.frames import read_frame
from queries.keys import BY_HAND

LATELY_DAYS = 180  # project default: what the practice used in the last half year is what it uses


@dataclass(frozen=True)
class Entered:
    """One episode as the page shows it; ``state`` null where nothing was evaluated of it yet."""

    now: Standing
    episode: Mapping[str, Any]
    state: Mapping[str, Any] | None
    occasions: Sequence[Occasion]
    appointments: pl.DataFrame
    scores: pl.DataFrame
    made: pl.DataFrame
    earlier_sessions: pl.DataFrame
    earlier_scores: pl.DataFrame
    deleted: store_entries.Deletion | None
    safety: pl.DataFrame
    in_episode: Sequence[str]
    in_practice: Sequence[str]
    instruments: dict[str, Instrument]
    own_keys: frozenset[str]
    may: bool

    def sheet(self, token: str, now: datetime) -> Sheet:
        """The form for a new entry."""
        refs = {one.session["appointment_id"]: one.ref for one in self.occasions if one.session is not None}
        return new_sheet(
            token, self.appointments, refs, self.scores, now=now, own_source=BY_HAND, in_episode=self.in_episode,
            in_practice=self.in_practice, instruments=self.instruments, own_keys=self.own_keys,
        )  # fmt: skip

    def change(self, token: str, ref: str) -> Sheet | None:
        """The form for a change of one occasion; null where it is gone or nothing of it was entered by hand."""
        found = self.occasion(ref)
        if found is None or not found.can_be_changed:
            return None
        return change_sheet(
            token, found, in_episode=self.in_episode, instruments=self.instruments, own_keys=self.own_keys
        )

    def occasion(self, ref: str) -> Occasion | None:
        """The occasion with that opaque word."""
        return next((one for one in self.occasions if one.ref == ref), None)


def read_episode(connection: Connection, viewer: Viewer, public_id: str, now: datetime) -> Entered | None:
    """The episode, or null where it is outside the viewer's scope or does not exist."""
    scope = scope_for(viewer)
    found = read_frame(connection, entries.episodes(scope, public_id=public_id)).to_dicts()
    if not found:
        return None
    own = load.own_instruments(connection, scope)
    instruments = registry(own)
    scores = read_frame(connection, entries.scores(scope, public_id=public_id))
    states = read_frame(connection, caseload.states(scope, open_only=False, public_id=public_id)).to_dicts()
    lately = now.date() - timedelta(days=LATELY_DAYS)
    waiting = read_frame(connection, caseload.waiting_safety(scope)).filter(pl.col("public_id") == public_id)
    return Entered(
        now=standing(connection, scope),
        episode=found[0],
        state=states[0] if states else None,
        occasions=occasions_of(connection, viewer, public_id),
        appointments=read_frame(connection, entries.appointments(scope, public_id=public_id)),
        scores=scores,
        made=totals(scores, instruments),
        earlier_sessions=read_frame(connection, entries.earlier_appointments(scope, public_id=public_id)),
        earlier_scores=read_frame(connection, entries.earlier_scores(scope, public_id=public_id)),
        deleted=store_entries.last_deletion(connection, scope.practice_id, found[0]["episode_id"]),
        safety=waiting,
        in_episode=read_frame(connection, entries.instruments_used(scope, public_id=public_id))["instrument"].to_list(),
        in_practice=read_frame(connection, entries.instruments_used(scope, since=lately))["instrument"].to_list(),
        instruments=instruments,
        own_keys=frozenset(row["key"] for row in own),
        may=can_enter(viewer, found[0]["clinician_id"]),
    )


@dataclass(frozen=True)
class Choosable:
    """An episode one can enter something into, with the booking that waits for what became of it."""

    public_id: str
    code: str
    clinician: str
    waiting: datetime | None


def read_choices(connection: Connection, viewer: Viewer, now: datetime, back_days: int) -> list[Choosable]:
    """Open episodes the viewer may enter into: those with a booking by hand of these days first, then by code."""
    scope = scope_for(viewer)
    open_ones = read_frame(connection, entries.episodes(scope, open_only=True)).to_dicts()
    slots = read_frame(connection, entries.appointments(scope, since=now.date() - timedelta(days=back_days)))
    waits = slots.filter(
        (pl.col("source") == BY_HAND) & (pl.col("status") == "booked") & (pl.col("starts_at").dt.date() <= now.date())
    )
    latest = dict(waits.group_by("episode_id").agg(pl.col("starts_at").max()).iter_rows())
    found = [
        Choosable(row["public_id"], row["client_code"], row["clinician"], latest.get(row["episode_id"]))
        for row in open_ones
        if can_enter(viewer, row["clinician_id"])
    ]
    return sorted(found, key=lambda one: (one.waiting is None, one.waiting or now, one.code.lower()))
