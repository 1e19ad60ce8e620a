"""The parts of the Outcomes page as blocks: what became of ended episodes, and how sure one can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from dashboard.analytics.cases import IMPROVED, NOT_JUDGED, WORSENED
from dashboard.analytics.endings import NOT_A_DROPOUT
from dashboard.analytics.run_chart import run_chart as by_quarter
from dashboard.analytics.sequential import monitor
from dashboard.charts.change_scatter import change_scatter
from dashboard.charts.funnel import funnel
from dashboard.charts.interval_plot import interval_plot
from dashboard.charts.run_chart import run_chart
from dashboard.charts.vlad import vlad
from dashboard.estimate_view import LEAST_SHOWN
from dashboard.instruments.instrument import Instrument
from dashboard.pattern_reading import Patterns
from dashboard.signals.wording import short_name
from dashboard.ui.measure_words import CAVEAT, MEASURES
from dashboard.ui.view import Block, Figure, Lead, Para
from dashboard.ui.words import plural, share

MOST_QUESTIONNAIRES = 2  # drawn, those with most measured episodes; the others are named


@dataclass(frozen=True)
class Drawing:
    """What every figure of a page says alike: whose episodes, as of when, in which colours."""

    whose: str
    as_of: date
    theme: str


def coverage_of(ended: pl.DataFrame, measure: str) -> str:
    """How many ended episodes can be counted at all: with a known ending, or with two scores."""
    if measure == "dropout":
        coded = ended.filter(pl.col("ending").is_not_null() & (pl.col("ending") != "unknown")).height
        return f"ending coded in {share(coded, ended.height)}" if ended.height else "nothing ended yet"
    measured = ended.filter(pl.col("scores") >= 2).height
    return f"two scores in {share(measured, ended.height)} ended" if ended.height else "nothing ended yet"


def lead(ended: pl.DataFrame) -> Lead:
    """What became of the ended episodes in counts; one measure beside the other, never merged."""
    judged = ended.filter(pl.col("change_category") != NOT_JUDGED)
    better = judged.filter(pl.col("change_category").is_in(IMPROVED)).height
    worse = judged.filter(pl.col("change_category").is_in(WORSENED)).height
    known = ended.filter(pl.col("dropout").is_not_null() & ~pl.col("ending").is_in(NOT_A_DROPOUT).fill_null(False))
    left = known.filter(pl.col("dropout")).height
    sentence = (
        f"Reliable improvement in {share(better, judged.height)} measured episodes, reliable worsening in "
        f"{share(worse, judged.height)}; {share(left, known.height)} ended without a planned ending."
        if judged.height and known.height
        else f"{plural(ended.height, 'episode')} ended so far; not enough is measured yet to say what became of them."
    )
    counted = f"{coverage_of(ended, 'outcome')} · {coverage_of(ended, 'dropout')}"
    return Lead(sentence, f"{counted[0].upper()}{counted[1:]}. {CAVEAT}")


def labelled(rows: pl.DataFrame, measure: str, own: int | None) -> list[dict[str, Any]]:
    """The estimates of one measure with a ``label`` and whose they are."""
    found = rows.filter(pl.col("measure") == measure)
    return [
        {**row, "label": str(row["display_name"] or row["source_id"]), "own": row["clinician_id"] == own}
        for row in found.to_dicts()
    ]


def of_practice(found: Patterns, measure: str) -> Mapping[str, Any] | None:
    """The practice's row of a measure; null before anything ended."""
    rows = found.practice.filter(pl.col("measure") == measure).to_dicts()
    return rows[0] if rows else None


def interval_blocks(
    found: Patterns, measures: Sequence[str], drawing: Drawing, own: int | None, *, with_shrunken: bool = False
) -> list[Block]:
    """A figure per measure: clinicians by name beside the practice's range."""
    return [
        Figure(
            interval_plot(
                labelled(found.rows, measure, own), of_practice(found, measure), measure, whose=drawing.whose,
                coverage=coverage_of(found.ended, measure), as_of=drawing.as_of, theme=drawing.theme,
                with_shrunken=with_shrunken,
            )
        )
        for measure in measures
    ]  # fmt: skip


def funnel_block(found: Patterns, measure: str, drawing: Drawing) -> Block:
    """For those who see the whole practice."""
    return Figure(
        funnel(
            labelled(found.rows, measure, None), of_practice(found, measure), measure,
            coverage=coverage_of(found.ended, measure), as_of=drawing.as_of, theme=drawing.theme,
        )
    )  # fmt: skip


def change_blocks(ended: pl.DataFrame, instruments: Mapping[str, Instrument], drawing: Drawing) -> list[Block]:
    """First against latest scores, a figure per questionnaire: those with most measured episodes."""
    judged = ended.filter(pl.col("change_category") != NOT_JUDGED)
    counted = judged.group_by("outcome_instrument").len().sort(["len", "outcome_instrument"], descending=[True, False])
    keys = [key for key in counted["outcome_instrument"].to_list() if key in instruments]
    blocks: list[Block] = []
    for key in keys[:MOST_QUESTIONNAIRES]:
        of_it = ended.filter(pl.col("outcome_instrument") == key)
        blocks.append(
            Figure(
                change_scatter(
                    of_it.select("baseline", "latest", "change_category").to_dicts(), instruments[key],
                    short_name(instruments[key]), whose=drawing.whose, coverage=coverage_of(of_it, "outcome"),
                    as_of=drawing.as_of, theme=drawing.theme,
                )
            )
        )  # fmt: skip
    if not keys:
        blocks.append(Para("No ended episode has two scores on a questionnaire with a published reliable change yet."))
    if rest := keys[MOST_QUESTIONNAIRES:]:
        named = ", ".join(short_name(instruments[key]) for key in rest)
        blocks.append(Para(f"Not drawn, fewer episodes: {named}.", quiet=True))
    return blocks


def run_chart_block(ended: pl.DataFrame, drawing: Drawing, dropout_days: int) -> Block:
    """The practice by quarter. ``dropout_days``: the practice's limit, after which a quarter is complete."""
    judged = pl.col("change_category") != NOT_JUDGED
    counted = ended.with_columns(improved=pl.when(judged).then(pl.col("change_category").is_in(IMPROVED)))
    return Figure(
        run_chart(
            by_quarter(counted, drawing.as_of, dropout_days), whose=drawing.whose, coverage=coverage_of(ended, "outcome"),
            as_of=drawing.as_of, theme=drawing.theme,
        )
    )  # fmt: skip


def vlad_block(ended: pl.DataFrame, drawing: Drawing) -> Block:
    """Endings one by one against what was expected of each."""
    elsewhere = pl.col("ending").is_in(NOT_A_DROPOUT).fill_null(False)
    followed = monitor(
        ended.filter(~elsewhere).select(
            "ended_on", "episode_id", observed=pl.col("dropout"), expected=pl.col("dropout_expected")
        )
    )
    enough = followed.frame.height >= LEAST_SHOWN
    return Figure(
        vlad(
            followed.frame, threshold=followed.threshold if enough else None, years=followed.years, whose=drawing.whose,
            coverage=coverage_of(ended, "dropout"), as_of=drawing.as_of, theme=drawing.theme,
        )
    )  # fmt: skip


def measure_names() -> dict[str, str]:
    """The four measures by key, for a picker."""
    return {key: one.name for key, one in MEASURES.items()}
