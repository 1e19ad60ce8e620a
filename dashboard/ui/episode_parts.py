"""Parts of the episode page: the change table and the chance of an ending without agreement, as blocks."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from dashboard.analytics.changes import changes
from dashboard.analytics.hazard_terms import REASONS
from dashboard.analytics.refits import mostly_priors
from dashboard.instruments.instrument import Instrument
from dashboard.replay.learning import Models
from dashboard.signals import BY_KEY
from dashboard.signals.wording import frequency, short_name
from dashboard.ui.status import CHANGE
from dashboard.ui.view import Block, Cell, Facts, Heading, RaisedSignal
from dashboard.ui.words import MISSING, day, score, signed, weeks


def change_rows(made: pl.DataFrame, instruments: dict[str, Instrument]) -> tuple[list[list[str | Cell]], list[str]]:
    """Rows of the change table, and what is measurement error in each questionnaire."""
    rows: list[list[str | Cell]] = []
    notes = []
    for row in changes(made, instruments).to_dicts():
        one = instruments[row["instrument"]]
        whose = "" if row["respondent"] == "client" else ", by the clinician"
        scale = "" if row["scale"] == "total" else f", {row['scale']}"
        is_outcome_total = row["kind"] == "outcome" and row["scale"] == "total"
        crossed = (
            MISSING if row["crossed"] is None else "crossed to the community side" if row["crossed"] else "not crossed"
        )
        rows.append(
            [
                Cell(f"{short_name(one)}{scale}{whose}", sub=f"{one.better} is better"),
                str(row["scores"]),
                Cell(score(row["baseline"]), sub=day(row["baseline_on"])),
                Cell(score(row["latest"]), sub=day(row["latest_on"])) if row["scores"] > 1 else MISSING,
                signed(row["change"]),
                _reliable(row) if is_outcome_total else MISSING,
                Cell(
                    crossed if is_outcome_total else MISSING,
                    sub=f"cut-off {score(row['cutoff'])}" if row["cutoff"] else "",
                ),
            ]
        )
        if is_outcome_total and row["rc"] is not None:
            under = "under" if one.rc_inclusive else "up to"
            notes.append(f"{short_name(one)}: changes {under} {score(row['rc'])} points can be chance")
    return rows, notes


def _reliable(row: dict[str, Any]) -> Cell:
    if row["rc"] is None:
        return Cell(MISSING, sub="no threshold known")
    return Cell(mark=CHANGE[row["change_category"]])


def leaving_blocks(state: dict[str, Any], fitted: Models, endings: int) -> list[Block]:
    """The chance of an ending without agreement in natural numbers, its interval, its reasons, and where it comes from.

    ``endings``: how many are known in the whole practice.
    """
    low, high = frequency(state["dropout_next_4_low"]), frequency(state["dropout_next_4_high"])
    reasons = [REASONS[code] for code in (state["dropout_reasons"] or "").split(";") if code in REASONS]
    model = fitted.hazard
    learned = (
        "published priors only; nothing learned in this practice yet"
        if not model.rows
        else f"{'mostly published priors, ' if mostly_priors(endings) else ''}{model.events} endings without agreement "
        f"in {model.episodes} episodes of this practice"
    )
    return [
        Heading("May end without agreement", "An estimate about clients like this one; most of them stay."),
        Facts(
            [
                ("In the next four sessions", f"{frequency(state['dropout_next_4'])} ({low} to {high}, 80 % interval)"),
                (f"Usual at session {state['sessions_attended']}", frequency(state["dropout_usual_4"])),
                ("What speaks for it", ", ".join(reasons) or "nothing above what is usual"),
                ("Learned from", learned),
            ]
        ),
    ]


def _answer(flag: dict[str, Any], replies: pl.DataFrame) -> str:
    """The newest reply within the flag's life, in words."""
    said = replies.filter((pl.col("signal") == flag["signal"]) & (pl.col("replied_on") >= flag["raised_on"]))
    if flag["state"] not in ("answered", "snoozed") or said.is_empty():
        return ""
    one = said.row(-1, named=True)
    how = "answered" if one["kind"] == "answered" else f"put off until {day(one['until_day'])}"
    return f"{one['username']} {how} on {day(one['replied_on'])}: {one['reason']}"


def _when(flag: dict[str, Any], as_of: date) -> str:
    gone = "" if flag["cleared_on"] is None else f" · no longer raised since {day(flag['cleared_on'])}"
    return f"Since {day(flag['since'])} ({weeks(flag['since'], as_of)}) · first known {day(flag['raised_on'])}{gone}"


def raised_signals(
    flags: pl.DataFrame, replies: pl.DataFrame, as_of: date
) -> tuple[list[RaisedSignal], list[RaisedSignal]]:
    """Standing and past signals in the registry's order, each with the newest reply within its life."""
    standing_ones: list[RaisedSignal] = []
    past: list[tuple[date, RaisedSignal]] = []
    order = list(BY_KEY)
    known = [flag for flag in flags.to_dicts() if flag["signal"] in BY_KEY]
    for flag in sorted(known, key=lambda flag: (order.index(flag["signal"]), flag["since"])):
        signal = BY_KEY[flag["signal"]]
        stands = flag["cleared_on"] is None
        made = RaisedSignal(
            signal.title,
            _when(flag, as_of),
            flag["evidence"],
            signal.prompt,
            f"Source: {signal.source}",
            stands,
            _answer(flag, replies),
        )
        if stands:
            standing_ones.append(made)
        else:
            past.append((flag["cleared_on"], made))
    return standing_ones, [made for _, made in sorted(past, key=lambda one: one[0], reverse=True)]
