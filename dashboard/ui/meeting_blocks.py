"""The meeting as parts of a view: agenda, what changed since, actions, coverage. The page and the paper share them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from dashboard.meeting_reading import Caseloads, lacks_data
from dashboard.meetings import follow_up
from dashboard.meetings.coverage import LATELY_DAYS, coverage
from dashboard.meetings.since import since
from dashboard.meetings.words import TITLES
from dashboard.signals import BY_KEY
from dashboard.ui.status import PRIORITY
from dashboard.ui.view import Block, Cell, Facts, Fold, Heading, Para, Table
from dashboard.ui.words import MISSING, day, plural, score, share, signed, weeks

MOST_LISTED = 8  # rows before the rest is folded away


@dataclass(frozen=True)
class People:
    """Names of clinicians; initials where names are hidden for a shared screen."""

    names: Mapping[int, str]
    hidden: bool = False

    def of(self, clinician_id: int | None) -> str:
        """The name, or initials."""
        name = self.names.get(clinician_id or 0, "")
        return initials(name) if self.hidden else name

    @property
    def all(self) -> str:
        """Everyone, joined."""
        return ", ".join(self.of(one) for one in self.names)


def initials(name: str) -> str:
    """A. Mensah becomes AM; a bare id stays as it is."""
    parts = [part for part in name.replace(".", " ").split() if part]
    return name if len(parts) < 2 else "".join(part[0].upper() for part in parts)


def item_words(row: Mapping[str, Any]) -> str:
    """What an agenda item is about: its code and the first of its signals, or the part's title."""
    title = TITLES[row["kind"]]
    if row["episode_id"] is None:
        return title
    code = row["client_code"] or "an episode outside your scope"
    signals = [BY_KEY[key].title for key in (row["signals"] or "").split(";") if key in BY_KEY]
    if row["kind"] in ("well", "longest"):
        return f"{code} · {title[0].lower()}{title[1:]}"
    said = signals[0][0].lower() + signals[0][1:] if signals else title[0].lower() + title[1:]
    more = f" and {len(signals) - 1} more" if len(signals) > 1 else ""
    return f"{code} · {said}{more}"


def mark_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """The status mark of a case and its tone; a triangle for what went well; nothing for the other parts."""
    if row["kind"] == "well":
        return "▲", "blue"
    if row["episode_id"] is None or row["priority"] not in PRIORITY:
        return "", ""
    status = PRIORITY[row["priority"]]
    return status.icon, status.tone


def left_out_blocks(items: Sequence[Mapping[str, Any]], people: People) -> list[Block]:
    """What does not fit, and why."""
    waiting = [row for row in items if row["position"] is None]
    if not waiting:
        return []
    rows: list[list[str | Cell]] = [
        [
            Cell(
                row["client_code"] or TITLES[row["kind"]],
                sub=people.of(row["clinician_id"]) if len(people.names) > 1 else "",
                href=f"episode?episode={row['public_id']}" if row["public_id"] else "",
            ),
            Cell(item_words(row).split(" · ")[-1], sub=row["stratum"] or ""),
            row["left_out"] or "",
        ]
        for row in waiting
    ]
    table = Table(
        "Left out of the agenda",
        ("Episode", "What about", "Why not"),
        rows,
        note="Equal cases stand in an order that is drawn once for this meeting and kept; safety items are never drawn.",
    )
    return [Fold(f"Left out ({len(rows)})", [table])]


def since_blocks(read: Caseloads, met: date | None) -> list[Block]:
    """New, cleared, ended and first measured since the last meeting."""
    if met is None:
        return [Heading("Since we last met"), Para("No earlier meeting is recorded here.", quiet=True)]
    found = since(read.flags, read.states, met)
    blocks: list[Block] = [Heading("Since we last met", day(met))]
    if found.is_empty:
        return [*blocks, Para("Nothing new was raised, cleared, ended or measured for the first time.")]
    codes = {row["episode_id"]: row for row in read.states.select("episode_id", "client_code", "public_id").to_dicts()}

    def flagged(frame: pl.DataFrame, column: str) -> list[list[str | Cell]]:
        return [
            [_code(codes.get(row["episode_id"], {})), BY_KEY[row["signal"]].title, day(row[column])]
            for row in frame.sort([column, "episode_id"], descending=[True, False]).to_dicts()
            if row["signal"] in BY_KEY
        ]

    def states(frame: pl.DataFrame, what: str, column: str) -> list[list[str | Cell]]:
        return [[_code(row), what, day(row[column])] for row in frame.sort(column, descending=True).to_dicts()]

    parts = [
        ("New signals", flagged(found.raised, "raised_on")),
        ("No longer raised", flagged(found.cleared, "cleared_on")),
        ("Ended", states(found.ended, "episode ended", "closed_on")),
        ("First measured", states(found.measured, "first outcome score", "baseline_on")),
    ]
    blocks.append(Facts([(name, str(len(rows))) for name, rows in parts]))
    columns = ("Episode", "What", "Since")
    return blocks + [Fold(f"{name} ({len(rows)})", [Table(name, columns, rows)]) for name, rows in parts if rows]


def _code(row: Mapping[str, Any]) -> Cell:
    return Cell(
        row.get("client_code") or MISSING, href=f"episode?episode={row['public_id']}" if row.get("public_id") else ""
    )


def coverage_facts(read: Caseloads, as_of: date) -> Facts:
    """How much of the caseload was talked about, measured and booked."""
    found = coverage(read.open_states, as_of)
    lacking = read.open_states.filter(lacks_data()).height
    return Facts(
        [
            (f"Discussed in the last {LATELY_DAYS // 7} weeks", share(found.lately, found.episodes)),
            ("Never discussed", plural(found.never, "open episode")),
            ("No score, no rating or no booking", plural(lacking, "open episode")),
        ]
    )


def undiscussed_table(read: Caseloads, people: People, as_of: date) -> list[Block]:
    """Open episodes in the order in which nobody has talked about them for longest."""
    waiting = read.open_states.filter(pl.col("sessions_attended") > 0).sort(
        ["last_discussed_on", "opened_on", "client_code"], nulls_last=False
    )
    if waiting.is_empty():
        return [Para("No open episode with a session yet.")]
    rows: list[list[str | Cell]] = [
        [
            Cell(row["client_code"], sub=people.of(row["clinician_id"]), href=f"episode?episode={row['public_id']}"),
            "never" if row["last_discussed_on"] is None else Cell(day(row["last_discussed_on"])),
            Cell(mark=PRIORITY[row["priority"]]),
            weeks(row["opened_on"], as_of),
        ]
        for row in waiting.to_dicts()
    ]
    columns = ("Episode", "Last discussed", "Now", "Open for")
    table = Table("Longest not discussed first", columns, rows[:MOST_LISTED])
    rest = Table("The others", columns, rows[MOST_LISTED:])
    return [table, *([Fold(f"The others ({len(rest.rows)})", [rest])] if rest.rows else [])]


def gaps_table(read: Caseloads) -> list[Block]:
    """Which episodes lack what: a dash is missing, never nought."""
    lacking = read.open_states.filter(lacks_data()).sort("client_code")
    if lacking.is_empty():
        return [Para("Every open episode has a score, a rating and a booking.")]
    rows: list[list[str | Cell]] = [
        [
            Cell(row["client_code"], sub=plural(row["sessions_attended"], "session"), href=f"episode?episode={row['public_id']}"),
            day(row["latest_on"]) if row["scores"] else "no score yet",
            day(row["alliance_latest_on"]) if row["alliance_latest_on"] else "no rating yet",
            day(row["next_booked_on"]) if row["next_booked_on"] else "nothing booked",
        ]
        for row in lacking.to_dicts()
    ]  # fmt: skip
    return [Table("What is missing", ("Episode", "Outcome score", "Alliance rating", "Next booking"), rows)]


def safety_table(read: Caseloads, people: People) -> list[Block]:
    """Risk answers nobody has recorded as checked, newest first."""
    waiting = read.safety.sort(["since", "client_code"], descending=[True, False])
    rows: list[list[str | Cell]] = [
        [
            Cell(row["client_code"], sub=people.of(row["clinician_id"]), href=f"episode?episode={row['public_id']}"),
            row["evidence"],
            "open" if row["closed_on"] is None else f"closed {day(row['closed_on'])}",
        ]
        for row in waiting.to_dicts()
    ]
    if not rows:
        return [Para("No risk answer waits for a check.")]
    return [Table("Risk answers waiting for a check", ("Episode", "What was answered", "State"), rows)]


def action_rows(
    actions: pl.DataFrame, points: Mapping[int, list[tuple[date, float]]], people: People
) -> list[list[str | Cell]]:
    """One row per action: what, who, look again, state, scores before and since. ``points``: totals per episode in time order."""
    rows: list[list[str | Cell]] = []
    for row in actions.to_dicts():
        found = follow_up.scores_around(points.get(row["episode_id"], []), row["agreed_on"])
        rows.append(
            [
                Cell(
                    row["client_code"] or people.of(row["clinician_id"]) or "Caseload",
                    sub=f"agreed {day(row['agreed_on'])}",
                    href=f"episode?episode={row['public_id']}" if row["public_id"] else "",
                ),
                Cell(row["what"], sub=initials(row["who"]) if people.hidden else row["who"]),
                Cell(day(row["look_again_on"])),
                Cell(follow_up.STATES[row["state"]], sub=day(row["state_on"]) if row["state_on"] else ""),
                scores_words(found) if row["episode_id"] is not None else MISSING,
            ]
        )
    return rows


def scores_words(found: follow_up.Scores) -> Cell:
    """18 before, then 17, 14 (−4); or that nothing was measured since."""
    before = score(found.before[1]) if found.before else MISSING
    if not found.since:
        return Cell(f"{before} before", sub="no score since")
    values = ", ".join(score(value) for _, value in found.since[-4:])
    change = f" ({signed(found.change)})" if found.change is not None else ""
    return Cell(f"{before} before, then {values}{change}", sub=f"latest {day(found.since[-1][0])}")


ACTION_COLUMNS = ("About", "What was agreed", "Look again on", "State", "Scores before and since")
