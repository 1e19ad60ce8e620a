"""Rows as a file would hold them, from a form, and what the checks of files say of them in the form's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from dashboard.entry.questionnaires import scale_words
from dashboard.entry.session_form import SessionForm
from dashboard.errors import UnusableInput
from dashboard.instruments.instrument import Instrument
from dashboard.intake.batch import PLACE, TABLES, Batch
from dashboard.intake.check import Day, checked
from dashboard.intake.repeats import check_ranges, settle_repeats
from dashboard.signals.wording import short_name

PLACE_NAME = "by hand"  # where a file's name stands in messages
FIELDS = {
    "starts_at": "the day and time",
    "taken_on": "the day",
    "client_code": "the code",
    "birth_year": "the year of birth",
    "opened_on": "the first day",
    "referred_on": "the day of referral",
    "closed_on": "the last day",
    "planned_sessions": "the planned sessions",
    "started_on": "the first day",
    "ended_on": "the last day",
    "from": "the first day",
    "to": "the last day",
}
PARENTS = ("episode_id", "client_id", "clinician_id", "supervisor_id", "supervisee_id", "cover_id")
# tables whose own id bears the name of another's parent
OWN_ID = {"clinicians": "clinician_id", "clients": "client_id", "episodes": "episode_id"}
Rows = Mapping[str, Sequence[Mapping[str, str | None]]]


def appointment_key(token: str) -> str:
    """The id of a session entered on a form: the same entry sent again is the same row."""
    return f"s-{token}"


def next_key(token: str) -> str:
    """The id of the booking made on the same form."""
    return f"n-{token}"


def session_rows(form: SessionForm, episode: str, appointment: str | None) -> dict[str, list[dict[str, str | None]]]:
    """Appointment and scores of a session as rows of text, by table.

    ``appointment``: the id of the appointment that is written, or that imported scores belong to; null for scores alone.
    """
    starts = f"{form.day}T{form.time}"
    own = (
        []
        if appointment is None or not form.has_session
        else [_appointment(appointment, episode, starts, form.status, form.mode)]
    )
    if form.next_day:
        booked = f"{form.next_day}T{form.next_time}"
        own.append(_appointment(next_key(form.token), episode, booked, "booked", form.mode))
    scores: list[dict[str, str | None]] = [
        {
            "episode_id": episode, "taken_on": form.day, "instrument": instrument, "scale": scale, "value": value,
            "respondent": respondent, "appointment_id": appointment,
        }
        for (instrument, scale, respondent), value in form.values.items()
    ]  # fmt: skip
    return {name: rows for name, rows in (("appointments", own), ("scores", scores)) if rows}


def withdrawals(
    episode: str, appointments: Sequence[Mapping[str, Any]], scores: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, str | None]]]:
    """Rows entered by hand that are to be known never to have been: their keys, by table."""
    slots: list[dict[str, str | None]] = [
        {"appointment_id": row["source_id"], "episode_id": episode, "withdrawn": "yes"} for row in appointments
    ]
    values: list[dict[str, str | None]] = [
        {
            "episode_id": episode, "taken_on": row["taken_on"].isoformat(), "instrument": row["instrument"],
            "scale": row["scale"], "respondent": row["respondent"], "withdrawn": "yes",
        }
        for row in scores
    ]  # fmt: skip
    return {name: rows for name, rows in (("appointments", slots), ("scores", values)) if rows}


def rows_again(
    episode: str, appointments: Sequence[Mapping[str, Any]], scores: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, str | None]]]:
    """Rows that stood, as they stood, by table."""
    slots = [
        _appointment(row["source_id"], episode, row["starts_at"].isoformat(), row["status"], row["mode"] or "")
        for row in appointments
    ]
    values: list[dict[str, str | None]] = [
        {
            "episode_id": episode, "taken_on": row["taken_on"].isoformat(), "instrument": row["instrument"],
            "scale": row["scale"], "value": repr(row["value"]), "respondent": row["respondent"],
            "appointment_id": row["appointment_ref"],
        }
        for row in scores
    ]  # fmt: skip
    return {name: rows for name, rows in (("appointments", slots), ("scores", values)) if rows}


def together(*parts: Rows) -> dict[str, list[Mapping[str, str | None]]]:
    """Several forms' rows as one, by table."""
    found: dict[str, list[Mapping[str, str | None]]] = {}
    for part in parts:
        for name, rows in part.items():
            found.setdefault(name, []).extend(rows)
    return found


def _appointment(key: str, episode: str, starts: str, status: str, mode: str) -> dict[str, str | None]:
    return {
        "appointment_id": key, "episode_id": episode, "starts_at": starts, "status": status, "mode": mode or None,
    }  # fmt: skip


def batch_of(given: Rows, *, today: date, timezone: str, instruments: dict[str, Instrument]) -> Batch:
    """The rows through the checks of files, all of them or none: what a file would set aside is refused here.

    Raises UnusableInput that names the field, the value and the rule.
    """
    day = Day(today, timezone)
    tables = {}
    ids = sorted({str(row[c]) for rows in given.values() for row in rows for c in PARENTS if row.get(c)})
    # ids of other sources go past the cleaning of text, which they went through when their own file came
    stand_in = {one: f"@{number}" for number, one in enumerate(ids)}
    meant = {short: one for one, short in stand_in.items()}
    for name, rows in given.items():
        parents = [c for c in TABLES[name] if c in PARENTS and c != OWN_ID.get(name)]
        raw = pl.DataFrame(
            [{column: row.get(column) for column in TABLES[name]} for row in rows],
            schema=dict.fromkeys(TABLES[name], pl.String()),
            orient="row",
        ).with_columns(pl.col(c).replace(stand_in) for c in parents)
        placed = raw.with_columns(file=pl.lit(PLACE_NAME), line=pl.int_range(pl.len(), dtype=pl.Int64))
        table = checked(name, placed, day)
        if name == "scores":
            check_ranges(table, instruments)
        settle_repeats(table)
        if table.aside:
            raise UnusableInput(_said(name, pl.concat(table.aside).row(0, named=True), rows, instruments))
        clean = table.rows.select(*TABLES[name], *PLACE)
        tables[name] = clean.with_columns(pl.col(c).replace(meant) for c in parents)
    return Batch(tables, files=[PLACE_NAME])


def _said(
    name: str,
    first: Mapping[str, object],
    rows: Sequence[Mapping[str, str | None]],
    instruments: Mapping[str, Instrument],
) -> str:
    column, value, reason = str(first["column"] or ""), first["value"], str(first["reason"])
    what = FIELDS.get(column, column.replace("_", " "))
    if name == "scores" and column == "value":
        row = rows[int(str(first["line"]))]
        one = instruments.get(str(row["instrument"]))
        known = short_name(one) if one else str(row["instrument"])
        found = one.range_of(str(row["scale"])) if one else None
        what = f"{known}, {scale_words(str(row['scale']))}"
        if found and reason.startswith("outside"):
            reason = f"it goes from {found[0]:g} to {found[1]:g}"
    given = "" if value is None else f" '{value}'"
    return f"Not saved. {what[:1].upper()}{what[1:]}{given}: {reason}. Correct it and save again."
