"""What every clinical page reads first: the current evaluation in the viewer's scope, and how fresh the data is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from dashboard.access import Scope
from dashboard.ui.words import day, weeks
from queries import caseload, quality
from queries.frames import read_frame

STALE_DAYS = 7  # project default: days without a recorded appointment after which a banner says so


@dataclass(frozen=True)
class Standing:
    """The evaluation a page shows. ``as_of`` null: nothing has been evaluated in this scope."""

    as_of: date | None
    rules_version: str
    imported_on: date | None
    newest_on: date | None = None
    model_version: str = ""

    @property
    def line(self) -> str:
        """As-of day, freshness and rules, for the first line of a page."""
        if self.as_of is None:
            return "nothing evaluated yet"
        fresh = f" · data last imported {day(self.imported_on)}" if self.imported_on else ""
        return f"as of {day(self.as_of)}{fresh} · rules {self.rules_version[:6]}"

    def stale(self, today: date) -> str:
        """The banner's words where nothing was recorded for a while; empty otherwise."""
        if self.newest_on is None or (today - self.newest_on).days <= STALE_DAYS:
            return ""
        return (
            f"The newest session in the data was on {day(self.newest_on)}, {weeks(self.newest_on, today)} ago. Recent sessions "
            "may be missing, and signals that count days, such as no contact, go on counting."
        )


def standing(connection: Connection, scope: Scope, evaluation_id: int | None = None) -> Standing:
    """The current evaluation (or one of the past) and the last import, for a scope."""
    found = read_frame(connection, caseload.evaluation(scope, evaluation_id=evaluation_id)).to_dicts()
    imported = read_frame(connection, quality.last_import(scope)).to_dicts()
    when = imported[0]["imported_on"] if imported else None
    if not found:
        return Standing(None, "", when)
    newest = read_frame(connection, quality.newest_record(scope, found[0]["as_of"]))["newest"][0]
    return Standing(
        found[0]["as_of"],
        found[0]["rules_version"],
        when,
        None if newest is None else newest.date(),
        found[0]["model_version"] or "",
    )
