"""What changed this week, at the top of a caseload; and the same as short text without any client data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from dashboard.meetings.week import Week
from dashboard.signals import BY_KEY
from dashboard.ui.view import Block, Cell, Facts, Fold, Table
from dashboard.ui.words import day, plural


def week_blocks(found: Week, states: pl.DataFrame, planned: Sequence[Block]) -> list[Block]:
    """Counts in a line, the episodes behind them folded away, and what is planned for the next meeting."""
    unmeasured = states.filter((pl.col("scores") == 0) & (pl.col("sessions_attended") > 0)).height
    facts = [
        ("New this week", f"{plural(found.raised.height, 'signal')} raised, {found.cleared.height} cleared"),
        ("Did not attend", f"{plural(found.missed.height, 'appointment')} this week"),
        ("Nothing booked", plural(found.unbooked.height, "episode")),
        ("Not answered yet", plural(found.unanswered.height, "signal")),
        ("No outcome score yet", plural(unmeasured, "episode")),
    ]
    codes = {row["episode_id"]: row for row in states.select("episode_id", "client_code", "public_id").to_dicts()}

    def cell(episode_id: int) -> Cell:
        row = codes.get(episode_id)
        return Cell(row["client_code"], href=f"episode?episode={row['public_id']}") if row else Cell()

    rows: list[list[str | Cell]] = []
    for frame, what, column in ((found.raised, "raised", "raised_on"), (found.cleared, "cleared", "cleared_on")):
        for row in frame.sort([column, "episode_id"], descending=[True, False]).to_dicts():
            if row["signal"] in BY_KEY:
                rows.append([cell(row["episode_id"]), f"{BY_KEY[row['signal']].title}: {what}", day(row[column])])
    for row in found.missed.sort("starts_at", descending=True).to_dicts():
        rows.append([cell(row["episode_id"]), "did not attend or cancelled late", day(row["starts_at"].date())])
    for row in found.unbooked.sort("client_code").to_dicts():
        rows.append([cell(row["episode_id"]), "nothing booked", ""])
    blocks: list[Block] = [Facts(facts)]
    if rows:
        table = Table("What changed this week", ("Episode", "What", "When"), rows)
        blocks.append(Fold(f"What changed, episode by episode ({len(rows)})", [table]))
    return [*blocks, *planned]


def planned_blocks(meeting: dict[str, Any] | None, codes: Sequence[str]) -> list[Block]:
    """The next meeting and which own episodes stand on its agenda."""
    if meeting is None:
        return []
    about = ", ".join(codes) or "none of these episodes so far"
    when = f"{meeting['held_on']:%a} {day(meeting['held_on'])}"
    words = f"{meeting['minutes']} minutes, led by {meeting['leader_name']}: {about}."
    link = Cell(when, href=f"meeting?meeting={meeting['public_id']}")
    return [Table("Next meeting", ("Next meeting", "What is planned"), [[link, words]])]


def digest_lines(found: Week, meeting: dict[str, Any] | None, items: int, as_of: date) -> list[str]:
    """The week in counts alone: nothing in it names a client, an episode or a score."""
    lines = [
        f"Your caseload as of {day(as_of)}:",
        f"- {plural(found.raised.height, 'new signal')}, {found.cleared.height} cleared this week",
        f"- {plural(found.unanswered.height, 'signal')} not answered yet",
        f"- {plural(found.missed.height, 'appointment')} not attended or cancelled late this week",
        f"- nothing booked in {plural(found.unbooked.height, 'open episode')}",
    ]
    if meeting is None:
        return [*lines, "- no meeting is prepared"]
    when = f"{meeting['held_on']:%a} {day(meeting['held_on'])}"
    return [*lines, f"- next meeting {when}, {meeting['minutes']} minutes, {plural(items, 'item')} on its agenda"]
