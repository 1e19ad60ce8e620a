"""What one import call holds after reading and checking: typed tables, and the rows that were set aside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

_TEXT, _DAY, _WHOLE = pl.String(), pl.Date(), pl.Int64()

# The contract's columns per table, typed. `ending_recorded_on` is the day the practice learned of an ending; a row that is
# `withdrawn` needs its key only; `merged_into` is another client_id of the same person; `reopened` takes an ending back.
TABLES: dict[str, dict[str, pl.DataType]] = {
    "clinicians": {
        "clinician_id": _TEXT,
        "display_name": _TEXT,
        "started_on": _DAY,
        "ended_on": _DAY,
        "is_trainee": pl.Boolean(),
        "recorded_on": _DAY,
    },
    "leave": {"clinician_id": _TEXT, "from": _DAY, "to": _DAY, "cover_id": _TEXT, "recorded_on": _DAY},
    "supervision": {"supervisor_id": _TEXT, "supervisee_id": _TEXT, "from": _DAY, "to": _DAY, "recorded_on": _DAY},
    "clients": {
        "client_id": _TEXT,
        "client_code": _TEXT,
        "birth_year": _WHOLE,
        "gender": _TEXT,
        "ethnicity": _TEXT,
        "recorded_on": _DAY,
        "merged_into": _TEXT,
    },
    "episodes": {
        "episode_id": _TEXT,
        "client_id": _TEXT,
        "clinician_id": _TEXT,
        "opened_on": _DAY,
        "referred_on": _DAY,
        "closed_on": _DAY,
        "ending": _TEXT,
        "problem_area": _TEXT,
        "kind": _TEXT,
        "planned_sessions": _WHOLE,
        "preference_met": _TEXT,
        "change_requested_on": _DAY,
        "recorded_on": _DAY,
        "ending_recorded_on": _DAY,
        "withdrawn": pl.Boolean(),
        "reopened": pl.Boolean(),
    },
    "appointments": {
        "appointment_id": _TEXT,
        "episode_id": _TEXT,
        "starts_at": pl.Datetime("us"),
        "status": _TEXT,
        "mode": _TEXT,
        "booked_on": _DAY,
        "recorded_on": _DAY,
        "withdrawn": pl.Boolean(),
    },
    "scores": {
        "episode_id": _TEXT,
        "taken_on": _DAY,
        "instrument": _TEXT,
        "scale": _TEXT,
        "value": pl.Float64(),
        "respondent": _TEXT,
        "appointment_id": _TEXT,
        "recorded_on": _DAY,
        "withdrawn": pl.Boolean(),
    },
}
KEYS: dict[str, tuple[str, ...]] = {
    "clinicians": ("clinician_id",),
    "leave": ("clinician_id", "from", "to"),
    "supervision": ("supervisor_id", "supervisee_id", "from"),
    "clients": ("client_id",),
    "episodes": ("episode_id",),
    "appointments": ("appointment_id",),
    "scores": ("episode_id", "taken_on", "instrument", "scale", "respondent"),
}
PLACE: dict[str, pl.DataType] = {"file": _TEXT, "line": _WHOLE}
SET_ASIDE: dict[str, pl.DataType] = {"file": _TEXT, "line": _WHOLE, "column": _TEXT, "value": _TEXT, "reason": _TEXT}
# names the row that was refused whole, so that a later file that mends it is known to; null for a value only reported
REFUSED: dict[str, pl.DataType] = {"table_name": _TEXT, "row_key": _TEXT}
SAID_OR_NOT = ("withdrawn", "reopened")  # an empty cell means no
UNSAID = {"respondent": "client"}  # what an empty cell of a key means


def row_key(table: str, prefix: str = "") -> pl.Expr:
    """The key of a row as one text; ``prefix`` for the columns that hold the cells as they came."""
    return pl.concat_str(
        *(pl.col(f"{prefix}{c}").cast(pl.String).fill_null(UNSAID.get(c, "")) for c in KEYS[table]), separator="\x1f"
    )


@dataclass(frozen=True)
class Batch:
    """``tables`` by name, each with TABLES' columns and the place (file, line) of every row; SET_ASIDE beside them.

    ``set_aside`` may carry REFUSED. ``rows_in``: how many rows each table's files held, ``repeated``: how many of them were
    the same row over again; a table that is absent there has as many rows as ``tables`` says, and none repeated.
    ``accounts``: per table how many rows were given, accepted, set aside and repeated, and with a mapping per source how its
    rows became those; nothing is unaccounted for.
    ``unmapped``: codes of FHIR files that nobody mapped, with counts. ``stands_for``: by table the keys of rows that wait since
    earlier imports and that rows of this batch stand for, because only now their episode is known.
    """

    tables: dict[str, pl.DataFrame]
    instruments: list[dict[str, Any]] = field(default_factory=list)
    set_aside: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SET_ASIDE))
    files: list[str] = field(default_factory=list)
    ignored_columns: dict[str, list[str]] = field(default_factory=dict)
    rows_in: dict[str, int] = field(default_factory=dict)
    repeated: dict[str, int] = field(default_factory=dict)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    unmapped: list[dict[str, Any]] = field(default_factory=list)
    stands_for: dict[str, pl.DataFrame] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: dict[str, pl.DataFrame]) -> Batch:
        """A batch from partial frames: absent columns are null, absent places are the table's name and row."""
        return cls({name: whole(name, frame) for name, frame in tables.items()}, files=sorted(tables))


def whole(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every column of its table, typed; a row without a place gets the table's name and its number."""
    schema = TABLES[name]
    frame = frame.with_columns(pl.lit(None, dtype=t).alias(c) for c, t in schema.items() if c not in frame.columns)
    if "file" not in frame.columns:
        frame = frame.with_columns(file=pl.lit(name), line=pl.int_range(pl.len(), dtype=pl.Int64) + 2)
    typed = frame.select(*(pl.col(c).cast(t) for c, t in {**schema, **PLACE}.items()))
    return typed.with_columns(pl.col(c).fill_null(False) for c in SAID_OR_NOT if c in schema)
