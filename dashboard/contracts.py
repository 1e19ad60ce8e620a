"""The frames that flow through the product: named columns, types, key and closed vocabularies.

``as_of`` is a column, not an argument: a frame may hold the same episode as it was known on several days (each under an
``episode_id`` of its own), so that one set of rules serves today's evaluation and the replay of every past day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from dashboard.errors import ContractError

ENDINGS = ("planned", "mutual", "unilateral", "transferred", "moved", "other", "unknown")
STATUSES = ("booked", "attended", "no_show", "late_cancelled", "cancelled_by_client", "cancelled_by_clinician")
MODES = ("in_person", "video", "phone")
KINDS = ("individual", "couple", "family", "group")
PREFERENCES = ("yes", "no", "unknown")
RESPONDENTS = ("client", "clinician")
CHANGE_CATEGORIES = (
    "recovered",
    "reliable_improvement",
    "no_reliable_change",
    "reliable_worsening",
    "not_enough_data",
)
RUPTURES = ("none", "open", "repaired", "unrepaired", "unrated", "not_enough_data")
ALLIANCE_MARKS = ("none", "minor", "major", "repaired")
PRIORITIES = ("talk_first", "worth_discussing", "no_signals", "not_enough_data")
FAMILIES = ("safety", "outcome", "alliance", "retention", "fit", "data")
FLAG_STATES = ("open", "answered", "snoozed", "cleared")


@dataclass(frozen=True)
class Contract:
    """A frame's promise: ``schema`` (column to type), ``key`` (unique together) and ``required`` (never null)."""

    name: str
    schema: dict[str, pl.DataType | type[pl.DataType]]
    key: tuple[str, ...] = ()
    required: tuple[str, ...] = field(default=())

    def empty(self) -> pl.DataFrame:
        """The frame of a practice without data: right columns and types, no rows."""
        return pl.DataFrame(schema=self.schema)

    def from_rows(self, rows: Sequence[dict[str, object]]) -> pl.DataFrame:
        """A checked frame from plain rows; columns left out are null."""
        return self.check(pl.DataFrame(list(rows), schema=self.schema, orient="row"))

    def check(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame itself, or a ContractError that names the contract, the column and the count."""
        missing = [column for column in self.schema if column not in frame.columns]
        if missing:
            raise ContractError(f"{self.name}: columns missing: {', '.join(missing)}")
        for column, dtype in self.schema.items():
            if frame.schema[column] != dtype:
                raise ContractError(f"{self.name}.{column}: expected {dtype}, got {frame.schema[column]}")
        for column in self.required:
            if nulls := frame[column].null_count():
                raise ContractError(f"{self.name}.{column}: {nulls} nulls where none are allowed")
        if self.key and (doubled := frame.height - frame.select(self.key).n_unique()):
            raise ContractError(f"{self.name}: {doubled} rows repeat the key {', '.join(self.key)}")
        return frame


EPISODES = Contract(
    "episodes",
    {
        "episode_id": pl.Int64(),
        "client_id": pl.Int64(),
        "clinician_id": pl.Int64(),
        "as_of": pl.Date(),
        "opened_on": pl.Date(),
        "referred_on": pl.Date(),
        "closed_on": pl.Date(),
        "ending": pl.String(),
        "problem_area": pl.String(),
        "kind": pl.String(),
        "planned_sessions": pl.Int64(),
        "preference_met": pl.String(),
        "change_requested_on": pl.Date(),
    },
    key=("episode_id",),
    required=("episode_id", "client_id", "clinician_id", "as_of", "opened_on", "kind"),
)

APPOINTMENTS = Contract(
    "appointments",
    {
        "episode_id": pl.Int64(),
        "appointment_id": pl.Int64(),
        "starts_at": pl.Datetime("us"),
        "status": pl.String(),
        "mode": pl.String(),
    },
    key=("episode_id", "appointment_id"),
    required=("episode_id", "appointment_id", "starts_at", "status"),
)

# As recorded: totals, subscales and single items, both respondents.
SCORES = Contract(
    "scores",
    {
        "episode_id": pl.Int64(),
        "taken_on": pl.Date(),
        "instrument": pl.String(),
        "scale": pl.String(),
        "respondent": pl.String(),
        "value": pl.Float64(),
    },
    key=("episode_id", "instrument", "scale", "respondent", "taken_on"),
    required=("episode_id", "taken_on", "instrument", "scale", "respondent", "value"),
)

# After items became totals and subscales; `prorated` says that a missing item was stood in for.
TOTALS = Contract(
    "totals",
    {
        "episode_id": pl.Int64(),
        "taken_on": pl.Date(),
        "instrument": pl.String(),
        "scale": pl.String(),
        "respondent": pl.String(),
        "value": pl.Float64(),
        "prorated": pl.Boolean(),
    },
    key=("episode_id", "instrument", "scale", "respondent", "taken_on"),
    required=("episode_id", "taken_on", "instrument", "scale", "respondent", "value", "prorated"),
)

# Safety items answered (any value), in time order; outside every score, rank and model.
RISK_ANSWERS = Contract(
    "risk_answers",
    {
        "episode_id": pl.Int64(),
        "taken_on": pl.Date(),
        "instrument": pl.String(),
        "item": pl.Int64(),
        "value": pl.Float64(),
    },
    required=("episode_id", "taken_on", "instrument", "item", "value"),
)

SAFETY_CHECKS = Contract(
    "safety_checks",
    {"episode_id": pl.Int64(), "signal": pl.String(), "since": pl.Date(), "checked_on": pl.Date()},
    required=("episode_id", "signal", "since", "checked_on"),
)

RAISED = Contract(
    "raised",
    {
        "episode_id": pl.Int64(),
        "signal": pl.String(),
        "since": pl.Date(),
        "value": pl.Float64(),
        "threshold": pl.Float64(),
        "evidence": pl.String(),
    },
    key=("episode_id", "signal", "since"),
    required=("episode_id", "signal", "since", "evidence"),
)


# Leave of an episode's clinician; may overlap.
LEAVE = Contract(
    "leave",
    {"episode_id": pl.Int64(), "from_day": pl.Date(), "to_day": pl.Date()},
    required=("episode_id", "from_day", "to_day"),
)


@dataclass(frozen=True)
class Frames:
    """Everything an evaluation reads, as known on each row's ``as_of``: no later row, status or ending is in it."""

    episodes: pl.DataFrame
    appointments: pl.DataFrame
    scores: pl.DataFrame
    safety_checks: pl.DataFrame
    leave: pl.DataFrame = field(default_factory=lambda: LEAVE.empty())

    def check(self) -> Frames:
        """Checks every part against its contract."""
        EPISODES.check(self.episodes)
        APPOINTMENTS.check(self.appointments)
        SCORES.check(self.scores)
        SAFETY_CHECKS.check(self.safety_checks)
        LEAVE.check(self.leave)
        return self
