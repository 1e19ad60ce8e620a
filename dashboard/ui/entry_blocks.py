"""An episode's sessions and scores as rows, with who entered each and when; what they said before; what was deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import polars as pl

from dashboard.entry.questionnaires import scale_words
from dashboard.entry.questions import said_by
from dashboard.entry.record import Occasion
from dashboard.entry.sheet import MODE_WORDS
from dashboard.instruments.instrument import Instrument
from dashboard.signals.wording import short_name
from dashboard.ui.status import ATTENDANCE
from dashboard.ui.view import Block, Cell, Fold, Para, Table
from dashboard.ui.words import MISSING, day, plural, score
from queries.store_entries import Deletion

SHOWN_AT_ONCE = 12  # project default: the latest occasions; the rest is folded away
READ_ONLY = (
    "Rows that came from a file are corrected by that source: change them there, and the next import brings the change."
)


def _name(instruments: Mapping[str, Instrument], key: str) -> str:
    return short_name(instruments[key]) if key in instruments else key


def scores_words(rows: Sequence[Mapping[str, Any]], totals: pl.DataFrame, instruments: Mapping[str, Instrument]) -> str:
    """PHQ-9 14 (9 items) · SRS 36 · WAI-SR 48 by the clinician. ``totals``: what the scores of the episode make."""
    parts = []
    for key, respondent in dict.fromkeys((row["instrument"], row["respondent"]) for row in rows):
        own = [row for row in rows if (row["instrument"], row["respondent"]) == (key, respondent)]
        items = sum(row["scale"].startswith("item_") for row in own)
        made = totals.filter(
            (pl.col("instrument") == key)
            & (pl.col("respondent") == respondent)
            & (pl.col("taken_on") == own[0]["taken_on"])
        )
        said = made.filter(pl.col("scale") == "total").to_dicts()
        if said:
            words = f"{_name(instruments, key)} {score(said[0]['value'])}"
            extra = [plural(items, "item")] if items else []
            extra += ["a missing item stood in for"] if said[0]["prorated"] else []
            words += f" ({', '.join(extra)})" if extra else ""
        else:
            rest = [
                f"{scale_words(row['scale']).lower()} {score(row['value'])}"
                for row in own
                if not row["scale"].startswith("item_")
            ]
            rest += [f"{plural(items, 'item')}, too few for a total"] if items else []
            words = f"{_name(instruments, key)} {', '.join(rest)}"
        parts.append(words if respondent == "client" else f"{words} by the clinician")
    return " · ".join(parts)


def _brought(one: Occasion) -> Cell:
    rows = [one.session] if one.session else []
    said = list(dict.fromkeys(said_by(row) for row in [*rows, *one.scores]))
    first = said[0] if said else MISSING
    return Cell(f"{first[:1].upper()}{first[1:]}", sub="; ".join(said[1:]))


def _row(
    one: Occasion, totals: pl.DataFrame, instruments: Mapping[str, Instrument], episode: str, may: bool
) -> list[str | Cell]:
    if one.session is None:
        when = Cell(day(one.day), sub="scores only")
        what = Cell(MISSING)
    else:
        when = Cell(day(one.day), sub=f"{one.session['starts_at']:%a, %H:%M}")
        what = Cell(ATTENDANCE[one.session["status"]][1].capitalize(), sub=MODE_WORDS.get(one.session["mode"], ""))
    link = (
        Cell("Change", href=f"enter?episode={quote(episode)}&entry={quote(one.ref)}")
        if may and one.can_be_changed
        else Cell("")
    )
    return [when, what, scores_words(one.scores, totals, instruments) or MISSING, _brought(one), link]


def occasion_blocks(
    found: Sequence[Occasion], totals: pl.DataFrame, instruments: Mapping[str, Instrument], episode: str, may: bool
) -> list[Block]:
    """The list, latest first; ``may``: whether the viewer may change rows entered by hand."""
    if not found:
        return [Para("No session and no score is here yet.")]
    rows = [_row(one, totals, instruments, episode, may) for one in found]
    columns = ("When", "Session", "Scores", "Where from", "")
    note = READ_ONLY if may and not all(one.can_be_changed for one in found) else ""
    blocks: list[Block] = [Table("Sessions and scores, the latest first", columns, rows[:SHOWN_AT_ONCE], note=note)]
    if rows[SHOWN_AT_ONCE:]:
        older = Table("Earlier sessions and scores", columns, rows[SHOWN_AT_ONCE:])
        blocks.append(Fold(f"Earlier ones ({len(older.rows)})", [older]))
    return blocks


def _from(row: Mapping[str, Any]) -> str:
    return said_by({**row, "source": row["brought_by"]})


def earlier_blocks(slots: pl.DataFrame, scores: pl.DataFrame, instruments: Mapping[str, Instrument]) -> list[Block]:
    """How rows were known before, and until when: nothing that was entered is lost."""
    rows: list[tuple[Any, list[str | Cell]]] = []
    for row in slots.to_dicts():
        parts = [ATTENDANCE[row["status"]][1], MODE_WORDS.get(row["mode"], "")]
        words = f"{day(row['starts_at'].date())}, {row['starts_at']:%H:%M}: {', '.join(filter(None, parts))}"
        rows.append((row["superseded_on"], [words, _from(row), day(row["superseded_on"])]))
    for row in scores.to_dicts():
        what = f"{_name(instruments, row['instrument'])}, {scale_words(row['scale']).lower()}"
        words = f"{day(row['taken_on'])}: {what} {score(row['value'])}"
        rows.append((row["superseded_on"], [words, _from(row), day(row["superseded_on"])]))
    if not rows:
        return []
    rows.sort(key=lambda one: one[0], reverse=True)
    table = Table("What was known before a change", ("What stood", "Where from", "Until"), [row for _, row in rows])
    return [Fold(f"Changed or deleted since ({len(rows)})", [table])]


def deleted_words(deleted: Deletion | None) -> str:
    """What a button says that brings the last deletion back; empty where none is left."""
    if deleted is None:
        return ""
    days = [at.date() for at in deleted.appointments["starts_at"]] or deleted.scores["taken_on"].to_list()
    what = f" of {day(days[0])}" if days else ""
    return f"Bring back the entry{what}, deleted by {deleted.username} on {day(deleted.at.date())}"
