"""What others see of a clinician: the rules themselves asked, one viewer after another, and never described from memory.

Every cell of the table is what a statement of the pages gives back for that viewer, narrowed to the clinician, or the answer of a
rule of ``dashboard.access``; a rule that changes changes the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection

from dashboard.access import (
    Role,
    Scope,
    Viewer,
    can_answer_flag,
    can_enter,
    can_export,
    can_read_goal,
    can_write_goal,
    can_write_in_meeting,
    first_look,
    narrowed,
    scope_for,
)
from dashboard.errors import NotAllowed
from dashboard.estimate_view import LEAST_IN_PRACTICE, LEAST_SHOWN, EstimateView, estimate_view, on_paper
from queries import caseload, growth, meetings, patterns, people, snapshots, visibility
from queries.frames import read_frame

MOST = 3  # project default: people of a kind who are asked about; the rules are the same for all of them
ME, SUPERVISOR, DIRECTOR, ADMIN, COLLEAGUE = "Me", "My supervisor", "Clinical director", "Administrator", "Colleagues"


@dataclass(frozen=True)
class Group:
    """People who see alike. ``names``: who they are, for people; ``viewers``: those of them who may sign in."""

    label: str
    names: Sequence[str]
    viewers: Sequence[Viewer]


@dataclass(frozen=True)
class Seen:
    """One cell: what they see in a few words, and what is withheld and why (empty: nothing)."""

    what: str
    why: str = ""


@dataclass(frozen=True)
class Row:
    """A kind of data, and what each group sees of it, in the order of the groups."""

    kind: str
    cells: Sequence[Seen]


def _within(viewer: Viewer, clinician_id: int) -> Scope | None:
    try:
        return narrowed(scope_for(viewer), clinician_id)
    except NotAllowed:
        return None


def supervisors_of(connection: Connection, scope: Scope, today: date) -> list[dict[str, Any]]:
    """Who supervises the one clinician of a scope today: name, from_day, to_day, username and role (null: does not sign in)."""
    return read_frame(connection, visibility.supervisors(scope, today)).to_dicts()


def groups(connection: Connection, viewer: Viewer, scope: Scope, today: date) -> list[Group]:
    """Everybody beside whom the table is made: the viewer, their supervisors, directors, administrators and colleagues."""
    above = supervisors_of(connection, scope, today)
    others = read_frame(connection, visibility.others(scope)).to_dicts()
    over = {row["username"] for row in above if row["username"] is not None and row["role"] != Role.CLINICIAN}

    def found(names: Sequence[str]) -> list[Viewer]:
        asked = [people.viewer(connection, name, today) for name in names[:MOST]]
        return [one for one in asked if one is not None]

    def having(role: str) -> list[dict[str, Any]]:
        return [row for row in others if row["role"] == role]

    colleagues = [
        row for row in others if row["role"] in (Role.CLINICIAN, Role.SUPERVISOR) and row["username"] not in over
    ]
    supervising = sorted(over)
    return [
        Group(ME, [viewer.name or viewer.username], [viewer]),
        Group(SUPERVISOR, list(dict.fromkeys(row["name"] for row in above)), found(supervising)),
        *(
            Group(label, [row["name"] for row in having(role)], found([row["username"] for row in having(role)]))
            for label, role in ((DIRECTOR, Role.DIRECTOR), (ADMIN, Role.ADMIN))
        ),
        Group(COLLEAGUE, [], found([row["username"] for row in colleagues])),
    ]


class _Asked:
    """What one viewer sees of one clinician."""

    def __init__(self, connection: Connection, viewer: Viewer, clinician_id: int, first_days: int, today: date) -> None:
        self.connection, self.viewer, self.clinician_id = connection, viewer, clinician_id
        self.scope = _within(viewer, clinician_id)
        self.first = first_look(viewer, first_days, today)
        self.first_days = first_days
        self.is_me = viewer.clinician_id == clinician_id

    def _height(self, statement: Any) -> int:
        return read_frame(self.connection, statement).height

    @property
    def _nothing(self) -> Seen:
        return Seen("nothing", "no client data" if self.viewer.role is Role.ADMIN else "not in their scope")

    def episodes(self) -> Seen:
        if self.scope is None:
            return self._nothing
        every = read_frame(self.connection, caseload.states(self.scope, open_only=False))
        still = every.filter(pl.col("closed_on").is_null()).height
        return Seen(f"{still} open, {every.height - still} closed", "with every session, score and text in them")

    def signals(self) -> Seen:
        if self.scope is None:
            return self._nothing
        shown = self._height(caseload.flags(self.scope, first=self.first))
        if self.first is None or self.is_me:
            return Seen(f"{shown} standing, at once")
        held = self._height(caseload.held_back(self.scope, self.first))
        return Seen(
            f"{shown} standing",
            f"{held} withheld at present: you see a signal {self.first_days} days before, unless you answer it earlier; "
            "safety items at once",
        )

    def estimates(self, look: EstimateView) -> Seen:
        if self.scope is None:
            return Seen("nothing", "only counted in the practice's range, with nobody named")
        rows = read_frame(self.connection, patterns.estimates(self.scope, look))
        shown = rows.filter(pl.col("shown")).height
        least = LEAST_SHOWN if self.clinician_id in look.close else LEAST_IN_PRACTICE
        if rows.is_empty():
            return Seen("nothing yet", "nothing was evaluated")
        return Seen(f"{shown} of {rows.height} measures", f"each from {least} closed episodes on")

    def goals(self) -> Seen:
        if self.scope is None:
            return self._nothing
        seen = self._height(growth.goals(self.scope, self.viewer))
        if can_read_goal(self.viewer, self.clinician_id, shared=False):
            return Seen(f"{seen}, shared or not")
        return Seen(f"{seen} shared", "a goal that you do not share is yours alone")

    def meetings(self) -> Seen:
        about = read_frame(self.connection, meetings.supervisees(self.viewer))
        count = about.filter(pl.col("clinician_id") == self.clinician_id)["meeting_id"].n_unique()
        if self.scope is None:
            # a group meeting is also about others, who take part in it and see that a colleague has a case there
            return (
                Seen(f"{count} that are also about them", "of your episodes only that a colleague has a case there")
                if count
                else self._nothing
            )
        writes = can_write_in_meeting(self.viewer, self.viewer.username, frozenset({self.clinician_id}))
        return Seen(f"{count} about you", "writes in those they lead or take part in" if writes else "reads")

    def snapshots(self) -> Seen:
        held = read_frame(self.connection, snapshots.holding(scope_for(self.viewer), self.clinician_id))
        count = int(held["snapshots"].sum())
        if self.scope is None:
            return self._nothing
        return Seen(f"{count} with your episodes", "and those only that hold nobody outside their scope")

    def writes(self) -> Seen:
        can = [
            words
            for words, may in (
                ("enter sessions", can_enter(self.viewer, self.clinician_id)),
                ("answer signals", can_answer_flag(self.viewer, self.clinician_id)),
                ("set and share goals", can_write_goal(self.viewer, self.clinician_id)),
            )
            if may
        ]
        return Seen(", ".join(can) if can else "nothing")

    def log(self) -> Seen:
        if self.scope is not None:
            return Seen("all of it" if self.is_me else "the part about you, by an export")
        if self.viewer.role is Role.ADMIN and can_export(self.viewer.role, "audit"):
            return Seen("by an export, without episodes")
        return self._nothing


KINDS = (
    ("Episodes, sessions, scores", _Asked.episodes),
    ("Signals", _Asked.signals),
    ("Figures of your closed episodes, on screen", lambda one: one.estimates(estimate_view(one.viewer))),
    ("The same on paper", lambda one: one.estimates(on_paper(estimate_view(one.viewer)))),
    ("Growth goals", _Asked.goals),
    ("Meetings", _Asked.meetings),
    ("Snapshots", _Asked.snapshots),
    ("May write", _Asked.writes),
    ("This access log", _Asked.log),
)


def _together(cells: Sequence[Seen]) -> Seen:
    """One cell for several people of a group; where they differ, each answer once."""
    if not cells:
        return Seen("nobody else at present")
    different = list(dict.fromkeys(cells))
    if len(different) == 1:
        return different[0]
    return Seen("; ".join(dict.fromkeys(one.what for one in different)), different[0].why)


def what_they_see(
    connection: Connection, them: Sequence[Group], clinician_id: int, first_days: int, today: date
) -> list[Row]:
    """A row per kind of data with a cell per group; ``first_days``: the head start of clinicians in this practice."""
    asked = [[_Asked(connection, one, clinician_id, first_days, today) for one in group.viewers] for group in them]
    return [Row(kind, [_together([ask(one) for one in group]) for group in asked]) for kind, ask in KINDS]
