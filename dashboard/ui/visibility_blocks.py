"""My visibility as blocks: who looked, how often, and what others see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl

from dashboard.seeing import ADMIN, DIRECTOR, Group, Row
from dashboard.ui.look_words import KIND_WORDS, detail_words, what_words, who_words, why_words
from dashboard.ui.view import Block, Cell, Heading, Lead, Para, Table
from dashboard.ui.words import MISSING, day, plural
from queries.visibility import KINDS

LOG_NOTE = (
    "Every look, export and change of this program is here from its first day on; looks at pages other than an episode or a "
    "meeting since this version. What somebody reads who holds the database itself, without this program, it cannot know."
)
WHOLE_NOTE = "Imports name no episodes, so each of them is listed for everybody."


def when(at: datetime) -> str:
    """20 Nov 2026, 14:05."""
    return f"{day(at.date())}, {at:%H:%M}"


def lead(counted: pl.DataFrame, period: str) -> Lead:
    """How many people did how much; nobody in words."""
    total = int(counted["looks"].sum()) if counted.height else 0
    if not total:
        return Lead(f"Nobody else opened, exported or changed anything of yours {period}.")
    people = counted["username"].n_unique()
    often = "once" if total == 1 else plural(total, "time")
    who = "One other person" if people == 1 else f"{people} others"
    return Lead(f"{who} opened, exported or changed something of yours {often} {period}.")


def counts_table(counted: pl.DataFrame) -> list[Block]:
    """Who, how often of each kind, and when last."""
    if counted.is_empty():
        return []
    rows: list[list[str | Cell]] = []
    for key, part in counted.group_by(["name", "username"], maintain_order=True):
        first = part.row(0, named=True)
        name, role = who_words(first)
        by_kind = dict(part.select("kind", "looks").iter_rows())
        last = part["last_at"].max()
        assert isinstance(last, datetime), key  # noqa: S101 - every group has a row
        rows.append(
            [Cell(name, sub=role), *(str(by_kind.get(kind, 0)) for kind in KINDS), when(last)],
        )
    columns = ("Who", *(KIND_WORDS[kind] for kind in KINDS), "Last")
    return [Table("How often, by person and kind", columns, rows, numeric=frozenset({1, 2, 3, 4}))]


def looks_table(rows: Sequence[Mapping[str, Any]], caption: str, note: str = "") -> Table:
    """When, who, what and why, the newest first."""
    made: list[list[str | Cell]] = []
    for row in rows:
        name, role = who_words(row)
        own = f"episode?episode={row['public_id']}" if row["public_id"] and row["client_code"] else ""
        made.append(
            [
                Cell(day(row["at"].date()), sub=f"{row['at']:%H:%M}"),
                Cell(name, sub=role),
                Cell(what_words(row), sub=detail_words(row), href=own),
                why_words(row) or MISSING,
            ]
        )
    return Table(caption, ("When", "Who", "What", "Why"), made, note=note)


def acts_table(rows: Sequence[Mapping[str, Any]], caption: str) -> Table:
    """When and what somebody did themselves, whose it was, and what they said it was for."""
    made: list[list[str | Cell]] = []
    for row in rows:
        whose = "everybody" if row["is_whole"] else row["whose"] or MISSING
        made.append(
            [
                Cell(day(row["at"].date()), sub=f"{row['at']:%H:%M}"),
                Cell(what_words(row), sub=detail_words(row)),
                whose,
                why_words(row) or MISSING,
            ]
        )
    return Table(caption, ("When", "What", "Who sees it", "Why"), made)


def _until(row: Mapping[str, Any]) -> str:
    since = f"since {day(row['from_day'])}" if row["from_day"] else "since the beginning"
    return since + (f", until {day(row['to_day'])}" if row["to_day"] else ", open-ended")


def who_they_are(them: Sequence[Group], above: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Who supervises, since and until when; who else there is; who may change it."""
    lines = [
        f"{row['name']} supervises you {_until(row)}" + ("" if row["username"] else "; they do not sign in here") + "."
        for row in above
    ] or ["Nobody supervises you here at present."]
    named = {group.label: ", ".join(group.names) or "nobody besides you" for group in them}
    lines.append(f"Clinical director: {named[DIRECTOR]}.")
    lines.append(
        f"Administrators, who see no client data: {named[ADMIN]}. "
        "A clinical director or an administrator changes who supervises whom, under People; that change is in this list too."
    )
    return [Para(line) for line in lines]


def seen_table(them: Sequence[Group], rows: Sequence[Row]) -> list[Block]:
    """A row per kind of data, a column per group: what they see, and what is withheld and why."""
    made: list[list[str | Cell]] = [[row.kind, *(Cell(cell.what, sub=cell.why) for cell in row.cells)] for row in rows]
    columns = ("What", *(group.label for group in them))
    note = "Asked of the program's own rules at this moment, for each of these people; nothing here is written from memory."
    return [Table("What each of them sees of yours", columns, made, note=note)]


def heading_of_preview(name: str, today: date) -> list[Block]:
    """What stands before a preview."""
    return [
        Heading(
            f"Your caseload as {name} sees it", f"On {day(today)}; made by the page that they open, narrowed to you."
        ),
    ]
