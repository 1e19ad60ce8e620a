"""Reads one meeting for the page, within the viewer's scope: agenda, what was written, the caseloads it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection

from dashboard import named_meetings
from dashboard.access import FirstLook, Scope, Viewer, can_write_in_meeting, scope_for
from dashboard.analytics.scoring import totals
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.meeting_reading import Caseloads, caseloads, last_met
from dashboard.ui.autosave import Box
from dashboard.ui.caseload_rows import client_totals
from dashboard.ui.meeting_blocks import People
from dashboard.ui.reading import Standing, standing
from queries import load, meetings
from queries.frames import read_frame

Points = Mapping[int, list[tuple[date, float]]]


@dataclass(frozen=True)
class Sitting:
    """One meeting: ``row`` as stored, its people, agenda (left-out items have no position), boxes by item and field."""

    row: dict[str, Any]
    people: People
    clinicians: frozenset[int]
    items: Sequence[dict[str, Any]]
    boxes: Mapping[tuple[int, str], Box]
    signed: pl.DataFrame
    additions: pl.DataFrame
    read: Caseloads
    points: Points
    instruments: dict[str, Instrument]
    now: Standing
    met: date | None
    writes: bool
    leads: bool

    @property
    def agenda(self) -> list[dict[str, Any]]:
        """Items on the agenda, in order."""
        return [row for row in self.items if row["position"] is not None]

    @property
    def written(self) -> list[dict[str, Any]]:
        """The agenda, then what was left out but holds text: nothing that was written is passed over."""
        held = {item for (item, _), box in self.boxes.items() if box.text}
        return [*self.agenda, *(row for row in self.items if row["position"] is None and row["item_id"] in held)]

    @property
    def is_closed(self) -> bool:
        """It can be added to, not altered."""
        return self.row["closed_at"] is not None

    @property
    def planned(self) -> int:
        """Minutes given to items."""
        return sum(row["minutes"] for row in self.agenda)

    def box(self, item_id: int, field: str) -> Box:
        """What is written there."""
        return self.boxes.get((item_id, field), Box())


def names_of(frame: pl.DataFrame) -> dict[int, str]:
    """clinician_id to name, in the frame's order."""
    return {row["clinician_id"]: str(row["display_name"] or row["source_id"]) for row in frame.to_dicts()}


def boxes_of(frame: pl.DataFrame) -> dict[tuple[int, str], Box]:
    """By item and field."""
    return {
        (row["item_id"], row["field"]): Box(row["text"], row["version"], row["username"], f"{row['saved_at']:%H:%M}")
        for row in frame.to_dicts()
    }


def action_points(connection: Connection, scope: Scope, read: Caseloads, instruments: dict[str, Instrument]) -> Points:
    """Totals of each episode's outcome questionnaire, for episodes about which something was agreed."""
    if read.actions.is_empty():
        return {}
    scored = client_totals(totals(read_frame(connection, meetings.action_scores(scope)), instruments))
    own = dict(read.states.select("episode_id", "outcome_instrument").iter_rows())
    return {episode: points for (episode, key), points in scored.items() if own.get(episode) == key}


def sitting(connection: Connection, viewer: Viewer, public_id: str, first: FirstLook | None) -> Sitting | None:
    """The meeting, or null where the viewer may not see it or it does not exist."""
    found = named_meetings.listed(connection, viewer, public_id).to_dicts()
    if not found:
        return None
    row = found[0]
    about = named_meetings.people(connection, viewer)
    own = names_of(about.filter(pl.col("meeting_id") == row["meeting_id"]))
    ids = frozenset(own)
    whole = scope_for(viewer)
    allowed = ids if whole.clinician_ids is None else ids & whole.clinician_ids
    scope = Scope(whole.practice_id, allowed, whole.reason)
    read = caseloads(connection, scope, first)
    instruments = registry(load.own_instruments(connection, scope))
    same = about.group_by("meeting_id").agg(pl.col("clinician_id").sort())
    with_same = same.filter(pl.col("clinician_id") == pl.lit(sorted(ids), dtype=pl.List(pl.Int64)))
    listed = named_meetings.listed(connection, viewer).join(with_same, on="meeting_id", how="semi")
    return Sitting(
        row,
        People(own, bool(row["hides_names"])),
        ids,
        named_meetings.agenda(connection, viewer, row["meeting_id"]).to_dicts(),
        boxes_of(read_frame(connection, meetings.fields(viewer, row["meeting_id"]))),
        read_frame(connection, meetings.signed(viewer, row["meeting_id"])),
        read_frame(connection, meetings.additions(viewer, row["meeting_id"])),
        read,
        action_points(connection, scope, read, instruments),
        instruments,
        standing(connection, scope),
        last_met(listed, row["held_on"]),
        can_write_in_meeting(viewer, row["leader"], ids) and row["closed_at"] is None,
        viewer.username == row["leader"],
    )
