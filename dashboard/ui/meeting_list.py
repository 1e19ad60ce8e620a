"""All meetings of a viewer: what is due, what is planned, what was, and preparing another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import streamlit as st

from dashboard.charts.discussing import discussing
from dashboard.meetings.effect import AHEAD, ENOUGH, Effect
from dashboard.meetings.plans import KINDS, LENGTHS, USUAL
from dashboard.ui.meeting_blocks import People
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Block, Cell, Figure, Fold, Heading, Para, Table
from dashboard.ui.words import day, plural, score

Prepare = Callable[[list[str], date, int, str], None]
SHOWN = 12


def meeting_rows(listed: pl.DataFrame, about: pl.DataFrame) -> list[list[str | Cell]]:
    """One row per meeting: when, with whom, kind, agenda, state."""
    names = {
        key[0]: ", ".join(str(row["display_name"] or row["source_id"]) for row in part.to_dicts())
        for key, part in about.partition_by("meeting_id", as_dict=True, maintain_order=True).items()
    }
    rows: list[list[str | Cell]] = []
    for row in listed.to_dicts():
        who = "the practice" if row["kind"] == "director" else names.get(row["meeting_id"], "")
        rows.append(
            [
                Cell(
                    f"{row['held_on']:%a} {day(row['held_on'])}",
                    sub=f"led by {row['leader_name']}",
                    href=f"meeting?meeting={row['public_id']}",
                ),
                Cell(who, sub=KINDS[row["kind"]]),
                Cell(plural(row["entries"], "item"), sub=f"{row['minutes']} min"),
                "closed" if row["closed_at"] is not None else "open",
            ]
        )
    return rows


def list_blocks(listed: pl.DataFrame, about: pl.DataFrame) -> list[Block]:
    """Meetings that are open, then those that were."""
    blocks: list[Block] = []
    columns = ("When", "With", "Agenda", "State")
    ahead = listed.filter(pl.col("closed_at").is_null())
    past = listed.filter(pl.col("closed_at").is_not_null())
    blocks.append(Heading("Open meetings"))
    blocks.append(
        Table("Meetings that are open", columns, meeting_rows(ahead, about))
        if ahead.height
        else Para("No meeting is prepared.", quiet=True)
    )
    if past.height:
        rows = meeting_rows(past, about)
        blocks.append(Heading("Earlier meetings"))
        blocks.append(Table("Meetings that are closed", columns, rows[:SHOWN]))
        if rows[SHOWN:]:
            blocks.append(Fold(f"Older ({len(rows) - SHOWN})", [Table("Older meetings", columns, rows[SHOWN:])]))
    return blocks


def transfer_blocks(found: pl.DataFrame, people: People) -> list[Block]:
    """What happened after a change of clinician, newest first; numbers only where both episodes used the same questionnaire."""
    if found.is_empty():
        return []
    rows: list[list[str | Cell]] = [
        [
            Cell(
                row["client_code"],
                sub=f"transferred {day(row['closed_on'])}" + (", had asked for a change" if row["asked"] else ""),
                href=f"episode?episode={row['public_id']}",
            ),
            Cell(
                f"{people.of(row['before_clinician_id'])} to {people.of(row['clinician_id'])}",
                sub=f"from {day(row['opened_on'])}",
            ),
            f"{score(row['before_alliance'])} to {score(row['alliance'])}",
            f"{score(row['before_score'])} to {score(row['score'])}",
            Cell(plural(row["sessions_attended"], "session"), sub="open" if row["is_open"] else "closed"),
        ]
        for row in found.to_dicts()
    ]  # fmt: skip
    columns = ("Client", "Change", "Alliance, last before and latest", "Outcome, last before and latest", "Since then")
    note = "A dash: not measured, or with different questionnaires. One client's course says nothing about either clinician."
    return [
        Heading("After a change of clinician"),
        Table("What happened next", columns, rows[:SHOWN], note=note),
        *([Fold(f"Older ({len(rows) - SHOWN})", [Table("Older changes", columns, rows[SHOWN:])]) ] if rows[SHOWN:] else []),
    ]  # fmt: skip


def helped_blocks(found: Effect, as_of: date, theme: str) -> list[Block]:
    """The comparison with enough pairs; before that, the count still needed."""
    blocks: list[Block] = [Heading("Did discussing help?")]
    if found.needed:
        words = (
            f"Needs {ENOUGH} comparable pairs of discussed and not discussed cases, followed for {AHEAD} sessions; "
            f"has {found.pairs}. Which of equal cases comes first is drawn, so that they can be compared."
        )
        return [*blocks, Para(words, quiet=True)]
    return [*blocks, Figure(discussing(found, as_of=as_of, theme=theme))]


def prepare_form(people: list[dict[str, Any]], own: int | None, alone: bool, today: date, act: Prepare) -> None:
    """Whom, when, how long: one choice is enough, the rest has the usual values."""
    names = {
        row["public_id"]: str(row["display_name"] or row["source_id"]) for row in people if row["clinician_id"] != own
    }
    kinds = [kind for kind in KINDS if kind != "director" or alone]
    with st.container(key="prepare"):
        show_blocks([Heading("Prepare a meeting")])
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kind = st.selectbox("Kind", kinds, format_func=lambda key: KINDS[key], key="kind", width=180)
            chosen: list[str] = []
            if kind == "one_to_one":
                one = st.selectbox(
                    "With", list(names), format_func=lambda key: names[key], index=None, placeholder="Choose", key="with",
                    width=260,
                )  # fmt: skip
                chosen = [one] if one else []
            elif kind == "group":
                chosen = st.multiselect(
                    "With", list(names), format_func=lambda key: names[key], key="with-all", width=360
                )
            else:
                chosen = list(names) + [row["public_id"] for row in people if row["clinician_id"] == own]
            held_on = st.date_input("On", value=today, format="YYYY-MM-DD", key="held-on", width=150)
            usual = USUAL[kind or "one_to_one"]
            minutes = st.selectbox("Minutes", LENGTHS, index=LENGTHS.index(usual), key=f"minutes-{kind}", width=110)
            st.button(
                "Prepare", type="primary", disabled=not chosen,
                on_click=lambda: act(chosen, held_on if isinstance(held_on, date) else today, int(minutes), str(kind)),
            )  # fmt: skip
