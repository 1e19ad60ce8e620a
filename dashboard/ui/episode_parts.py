"""Parts of the episode page: the change table and the chance of an ending without agreement, as blocks."""

from __future__ import annotations

from typing import Any

import polars as pl

from dashboard.analytics.changes import changes
from dashboard.analytics.hazard_terms import REASONS
from dashboard.instruments.instrument import Instrument
from dashboard.replay.learning import Models
from dashboard.signals.wording import frequency, short_name
from dashboard.ui.status import CHANGE
from dashboard.ui.view import Block, Cell, Facts, Heading
from dashboard.ui.words import MISSING, day, score, signed

FEW_EPISODES = 300  # product: "mostly published priors" under about so many known endings


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


def leaving_blocks(state: dict[str, Any], fitted: Models) -> list[Block]:
    """The chance of an ending without agreement in natural numbers, its interval, its reasons, and where it comes from."""
    low, high = frequency(state["dropout_next_4_low"]), frequency(state["dropout_next_4_high"])
    reasons = [REASONS[code] for code in (state["dropout_reasons"] or "").split(";") if code in REASONS]
    known = fitted.hazard.episodes
    learned = (
        "published priors only; no ending of this practice is known yet"
        if not known
        else f"{'mostly published priors, ' if known < FEW_EPISODES else ''}{fitted.hazard.events} endings without agreement "
        f"in {known} episodes of this practice"
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
