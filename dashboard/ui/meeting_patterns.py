"""The pattern parts of a meeting: one clinician's own pattern and growth goal, or the practice as a whole for its director."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection

from dashboard.access import Scope, Viewer, narrowed, scope_for
from dashboard.analytics.own_endings import ORDER
from dashboard.charts.ending_types import ending_types
from dashboard.estimate_view import EstimateView
from dashboard.meeting_reading import Caseloads
from dashboard.meetings.agenda import GROWTH, PATTERN, PRACTICE
from dashboard.own_reading import own_reading
from dashboard.pattern_reading import patterns
from dashboard.ui.meeting_loading import Sitting
from dashboard.ui.outcome_blocks import Drawing, coverage_of, funnel_block, lead, run_chart_block
from dashboard.ui.own_growth_blocks import WORDS
from dashboard.ui.own_patterns import goal_part, pattern_blocks
from dashboard.ui.view import Block, Cell, Facts, Figure, Heading, Para, Table
from dashboard.ui.words import plural, share
from queries import endings
from queries.frames import read_frame

KINDS = (PATTERN, GROWTH, PRACTICE)
AGES = ((14, "under 2 weeks"), (42, "2 to 6 weeks"), (None, "over 6 weeks"))  # project default: bands of age
NOT_ONE = "This part is about one clinician."


def pattern_part(
    connection: Connection, viewer: Viewer, look: EstimateView, sat: Sitting, row: Mapping[str, Any], *, dropout_days: int,
    theme: str,
) -> list[Block]:  # fmt: skip
    """What stands on the screen, or the sheet, of one of KINDS. Reads within the viewer's scope and minimum numbers."""
    as_of = sat.now.as_of
    if as_of is None:
        return [Para("Nothing has been evaluated yet.")]
    if row["kind"] == PRACTICE:
        return _practice(connection, scope_for(viewer), look, sat.read, dropout_days, theme, as_of)
    if len(sat.clinicians) != 1:
        return [Para(NOT_ONE)]
    person = next(iter(sat.clinicians))
    scope = narrowed(scope_for(viewer), person)
    own = own_reading(connection, scope, viewer, person)
    is_own = person == viewer.clinician_id
    drawing = Drawing("your episodes" if is_own else f"episodes of {sat.people.of(person)}", as_of, theme)
    if row["kind"] == GROWTH:
        if person in look.close:
            return goal_part(own, drawing, person, is_own=is_own)
        shared = replace(own, goals=own.goals.filter("shared"))  # on paper others read it later, whoever made it
        return goal_part(shared, drawing, person, is_own=False)
    found = patterns(connection, scope, look)
    if sat.people.hidden:
        hidden = pl.lit(sat.people.of(person))
        found = replace(found, rows=found.rows.with_columns(display_name=hidden))
    return pattern_blocks(found, own, drawing, person, is_close=person in look.close)


def _practice(
    connection: Connection,
    scope: Scope,
    look: EstimateView,
    read: Caseloads,
    dropout_days: int,
    theme: str,
    as_of: date,
) -> list[Block]:
    found = patterns(connection, scope, look)
    drawing = Drawing("the whole practice", as_of, theme)
    blocks: list[Block] = [Facts(standing_facts(read, as_of)), signal_ages(read, as_of)]
    if found.ended.is_empty():
        return [*blocks, Para("No episode has ended yet.")]
    counts = read_frame(connection, endings.ending_counts(scope))
    return [
        *blocks,
        lead(found.ended),
        run_chart_block(found.ended, drawing, dropout_days),
        *([funnel_block(found, "dropout", drawing)] if look.whole_practice else []),
        Figure(
            ending_types(
                practice_endings(counts), WORDS, whose=drawing.whose, coverage=coverage_of(found.ended, "dropout"),
                as_of=as_of, theme=theme,
            )
        ),
        Heading("Where to look further"),
        Table(
            "Where to look further", ("Page", "What it shows"),
            [
                [Cell("Outcomes by clinician", href="outcomes"), "each measure by name, with what may be said"],
                [Cell("Endings one by one", href="outcomes?part=time"), "whether something has changed"],
                [Cell("Groups of clients", href="outcomes?part=groups"), "who leaves early and who is measured"],
                [Cell("Score integrity", href="outcomes?part=integrity"), "whether the scores can be trusted"],
                [Cell("Data quality", href="data-quality"), "what was not measured, and why"],
                [Cell("Snapshots", href="snapshots"), "counts that may leave the practice"],
            ],
        ),
    ]  # fmt: skip


def practice_endings(counts: pl.DataFrame) -> list[dict[str, Any]]:
    """Ways of ending of everybody counted, in the order of the vocabulary; ``counts``: clinician_id, ending, episodes."""
    known = counts.with_columns(pl.col("ending").fill_null("unknown")).group_by("ending").agg(pl.col("episodes").sum())
    n = dict(known.iter_rows())
    return [{"ending": one, "n": int(n[one]), "practice_share": None} for one in ORDER if n.get(one)]


def standing_facts(read: Caseloads, as_of: date) -> list[tuple[str, str]]:
    """Open episodes, how many were measured lately, and what still waits for a decision."""
    count = read.open_states.height
    recent = as_of - timedelta(days=30)
    waiting = read.actions.filter(pl.col("state") == "open").height
    return [
        ("Open episodes", str(count)),
        ("Outcome score in 30 days", share(read.open_states.filter(pl.col("latest_on") >= recent).height, count)),
        (
            "Alliance rating in 30 days",
            share(read.open_states.filter(pl.col("alliance_latest_on") >= recent).height, count),
        ),
        ("Agreed and still open", plural(waiting, "action")),
    ]


def signal_ages(read: Caseloads, as_of: date) -> Block:
    """Signals that stand, by how long they have stood; old ones ask whether anybody has looked."""
    ages = (
        read.standing.filter(pl.col("state") != "snoozed")
        .select(pl.col("episode_id"), age=(pl.lit(as_of) - pl.col("since")).dt.total_days())
        .sort("episode_id")
    )
    rows: list[list[str | Cell]] = []
    low = 0
    for high, words in AGES:
        band = ages.filter((pl.col("age") >= low) & (pl.col("age") < high if high else pl.lit(True)))
        rows.append([words, str(band.height), str(band["episode_id"].n_unique())])
        low = high or low
    return Table(
        "Signals that stand, by age", ("Since", "Signals", "Episodes"), rows, numeric=frozenset({1, 2}),
        note="Without those put off and without safety items.",
    )  # fmt: skip
