"""The tables that an import writes, as an undoing compares them: what names a row, what it says, what it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from queries.store_scores import SCORE_KEY
from queries.store_versions import EPISODE_FIELDS
from queries.tables import (
    Appointment,
    AppointmentVersion,
    Client,
    ClientVersion,
    Clinician,
    ClinicianVersion,
    Episode,
    EpisodeVersion,
    Leave,
    LeaveVersion,
    Score,
    ScoreVersion,
    SupervisionLink,
    SupervisionLinkVersion,
)


@dataclass(frozen=True)
class Compared:
    """``key``: columns that name a row of a source; ``versioned``: what its versions hold too; ``only_now``: what they do not.

    ``belongs``: column to the contract table whose row it names; ``named``: column of the contract's key to the column here.
    ``leaves``: a row that never was leaves the table; else it keeps its place for what people wrote about it.
    """

    table: Any
    versions: Any
    key: tuple[str, ...]
    versioned: tuple[str, ...]
    only_now: tuple[str, ...] = ()
    belongs: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    leaves: bool = False

    @property
    def own_source(self) -> bool:
        """Whether the table has its rows by source and id."""
        return self.key == ("source_id",)

    @property
    def says(self) -> tuple[str, ...]:
        """Everything that a current row says, beside its key."""
        return (*(c for c in self.versioned if c not in self.key), *self.only_now)


COMPARED: dict[str, Compared] = {
    "clinicians": Compared(
        Clinician,
        ClinicianVersion,
        ("source_id",),
        ("display_name", "started_on", "ended_on", "is_trainee", "known_from"),
        ("public_id",),
        named={"clinician_id": "source_id"},
    ),
    "clients": Compared(
        Client,
        ClientVersion,
        ("source_id",),
        ("given_code", "birth_year", "gender", "ethnicity", "known_from"),
        ("client_code", "merged_into_id"),
        belongs={"merged_into_id": "clients"},
        named={"client_id": "source_id"},
    ),
    "leave": Compared(
        Leave,
        LeaveVersion,
        ("clinician_id", "from_day", "to_day"),
        ("cover_id", "known_from"),
        belongs={"clinician_id": "clinicians", "cover_id": "clinicians"},
        named={"clinician_id": "clinician_id", "from": "from_day", "to": "to_day"},
    ),
    "supervision": Compared(
        SupervisionLink,
        SupervisionLinkVersion,
        ("supervisor_id", "supervisee_id", "from_day"),
        ("to_day", "known_from"),
        belongs={"supervisor_id": "clinicians", "supervisee_id": "clinicians"},
        named={"supervisor_id": "supervisor_id", "supervisee_id": "supervisee_id", "from": "from_day"},
        leaves=True,
    ),
    "episodes": Compared(
        Episode,
        EpisodeVersion,
        ("source_id",),
        (*EPISODE_FIELDS, "ending_known_from", "known_from"),
        ("public_id", "withdrawn_on"),
        belongs={"client_id": "clients", "clinician_id": "clinicians"},
        named={"episode_id": "source_id"},
    ),
    "appointments": Compared(
        Appointment,
        AppointmentVersion,
        ("source_id",),
        ("episode_id", "starts_at", "status", "mode", "known_from", "status_known_from"),
        ("withdrawn_on",),
        belongs={"episode_id": "episodes"},
        named={"appointment_id": "source_id"},
    ),
    "scores": Compared(
        Score,
        ScoreVersion,
        tuple(SCORE_KEY),
        (*SCORE_KEY, "value", "appointment_ref", "source", "known_from"),
        belongs={"episode_id": "episodes"},
        named={name: name for name in SCORE_KEY},
        leaves=True,
    ),
}
