"""Step 5 of the assistant: what an import would accept and set aside, tried for real and taken back."""

from __future__ import annotations

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.assist.labels import COLUMNS, TABLES
from dashboard.assist.questions import blocked
from dashboard.assist.trying import Reason, Trial, tables_in_order, try_out
from dashboard.errors import SupervisionError
from dashboard.intake.mapping import parse_mapping
from dashboard.ui.assistant_state import MASK, Work
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Block, Cell, Heading, Lead, Notice, Para, Table
from dashboard.ui.words import plural

REASONS = 12  # shown; the rest are counted


def tried(work: Work, viewer: Viewer) -> Trial | str:
    """The dry run of the draft as it stands, made once for each state of it; words where it cannot be tried."""
    stop = blocked(work.draft, work.topics())
    if stop:
        return " ".join(stop)
    text = work.text()
    mark = f"{work.source_name}\0{text}"
    if work.trial is not None and work.trial[0] == mark:
        return work.trial[1]
    settings = runtime.settings()
    result: Trial | str
    try:
        with st.spinner("Trying it out", show_time=False):
            mapping = parse_mapping(text, "this draft")
            tables = {stem: table.read for stem, table in work.tables.items()}
            result = try_out(
                runtime.engine(), settings, viewer, tables, mapping, source=work.source_name, now=settings.now()
            )
    except SupervisionError as error:
        result = str(error).replace(" Nothing was imported.", "")
    work.trial = (mark, result)
    return result


def check_step(work: Work, viewer: Viewer) -> None:
    """Counts by table, then why rows would be set aside, with examples."""
    result = tried(work, viewer)
    if isinstance(result, str):
        show_blocks([Notice(result, "orange"), Para("Go back a step to say it.", quiet=True)])
        return
    show_blocks(_blocks(work, result))


def _blocks(work: Work, trial: Trial) -> list[Block]:
    names = tables_in_order(trial)
    new = sum(trial.counts[name]["new"] for name in names)
    lead = f"{new:,} rows would be new." if new else "Nothing would be new: what these files say is here already."
    blocks: list[Block] = [
        Lead(lead, "Tried with the same checks as an import, and taken back: nothing is stored yet.")
    ]
    rows: list[list[str | Cell]] = [
        [
            TABLES[name].name,
            *(f"{trial.counts[name].get(kind, 0):,}" for kind in ("new", "changed", "unchanged", "waiting")),
        ]
        for name in names
    ]
    blocks.append(
        Table(
            "What would be stored",
            ("Table", "New", "Changed", "Here already", "Waiting"),
            rows,
            numeric=frozenset({1, 2, 3, 4}),
        )
    )
    if any(trial.counts[name].get("waiting") for name in names):
        blocks.append(
            Para(
                "Waiting: rows whose client, clinician or episode is not known yet. A later import may bring it.",
                quiet=True,
            )
        )
    if not trial.set_aside:
        return [*blocks, Para("No row would be set aside.")]
    blocks.append(
        Heading(
            "Set aside or reported",
            f"{plural(trial.set_aside, 'row')}, kept with the reason and left out of every number",
        )
    )
    blocks.append(
        Table(
            "Why",
            ("File", "Column", "Reason", "Rows", "Such as"),
            [_row(one) for one in trial.reasons[:REASONS]],
            numeric=frozenset({3}),
        )
    )
    if len(trial.reasons) > REASONS:
        blocks.append(Para(f"{len(trial.reasons) - REASONS} more reasons.", quiet=True))
    if work.masked:
        blocks.append(Para("Values are withheld from administrators.", quiet=True))
    return blocks


def _row(one: Reason) -> list[str | Cell]:
    parts = [
        f"line {line}" + (f": {value}" if value not in (None, MASK) else "")
        for line, value in one.examples
        if line is not None
    ]
    return [one.file, COLUMNS.get(one.column, one.column or "–"), one.reason, f"{one.rows:,}", "; ".join(parts)]
