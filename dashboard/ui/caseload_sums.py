"""Caseloads side by side as a table: by name, never by load, without a weight for how hard they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from dashboard.analytics.caseload import INSIDE
from dashboard.analytics.completeness import RECENT_DAYS
from dashboard.ui.view import Block, Cell, Heading, Para, Table
from dashboard.ui.words import MISSING, plural, share, weeks

COLUMNS = (
    "Clinician",
    "Active episodes",
    "Off track",
    f"No outcome score in {RECENT_DAYS} days",
    "May end without agreement, next round",
)
NOTE = (
    "Off track: of the active episodes with enough data to say. May end without agreement, next round: the chances at each "
    "client's next session added up; the range below it holds the luck of who leaves "
    f"({round(100 * INSIDE)} %, exact for a sum of unequal chances), not the doubt about the chances themselves. "
    "Nothing here says how hard a caseload is: no tested measure of that exists."
)


def by_name(people: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """People in the order of a list of names, whatever the database's collation."""
    return sorted(people, key=lambda one: (_name(one).casefold(), str(one["source_id"])))


def _name(person: Mapping[str, Any]) -> str:
    return str(person["display_name"] or person["source_id"])


def caseload_blocks(caseloads: pl.DataFrame, people: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The table, one row per person in scope.

    ``caseloads``: CASELOADS. ``people``: clinician_id, public_id, display_name and source_id of whom the viewer may read. Who
    has no open episode is left out of the rows and counted below, so that those who left do not fill the table.
    """
    found = {row["clinician_id"]: row for row in caseloads.to_dicts()}
    rows: list[list[str | Cell]] = []
    without = 0
    for person in by_name(people):
        one = found.get(person["clinician_id"])
        if one is None or one["active"] + one["silent"] == 0:
            without += 1
            continue
        rows.append(_row(one, person))
    head = Heading("Caseloads", "Open episodes on this day, by name.")
    if not rows:
        return [head, Para("No open episodes. They appear here after a first attended session.")]
    rest = f" {plural(without, 'clinician')} without an open episode." if without else ""
    return [head, Table("Caseloads by clinician", COLUMNS, rows, numeric=frozenset({1}), note=NOTE + rest)]


def _row(one: Mapping[str, Any], person: Mapping[str, Any]) -> list[str | Cell]:
    silent = f"{one['silent']} more silent beyond the limit" if one["silent"] else ""
    unsaid = one["active"] - one["judged"]
    return [
        Cell(_name(person), href=f"caseload?clinician={person['public_id']}"),
        Cell(str(one["active"]), sub=silent),
        Cell(
            share(one["off_track"], one["judged"]) if one["judged"] else MISSING,
            sub=f"{unsaid} without enough data" if unsaid else "",
        ),
        share(one["unmeasured"], one["active"]) if one["active"] else MISSING,
        _expected(one),
    ]


def _expected(one: Mapping[str, Any]) -> Cell:
    if one["expected"] is None:
        return Cell(MISSING, sub="no estimate yet" if one["active"] else "")
    of = one["active"] - one["estimated"]
    mean = f"about {one['expected']:.1f}" if one["expected"] >= 0.1 else "fewer than 0.1"
    between = str(one["low"]) if one["low"] == one["high"] else f"{one['low']} to {one['high']}"
    return Cell(f"{mean} of {one['estimated']}", sub=f"{between}{f'; {of} without an estimate' if of else ''}")


def recent(states: pl.DataFrame, column: str, as_of: date) -> int:
    """How many episodes have a day in that column which is not long ago."""
    return states.filter(pl.col(column) >= as_of - timedelta(days=RECENT_DAYS)).height


def longest_gap(own: pl.DataFrame, as_of: date) -> str:
    """The longest time since a session among these episodes, in weeks; missing where none was attended."""
    last = own["last_attended_on"].drop_nulls()
    return MISSING if last.is_empty() else weeks(last.min(), as_of)  # type: ignore[arg-type]
