"""One clinician's patterns as blocks: their own four measures, change, endings; and what only they and their supervisor see."""

from __future__ import annotations

import polars as pl

from dashboard.access import LEAST_SHOWN
from dashboard.analytics.own_growth import trend
from dashboard.charts.ending_types import ending_types
from dashboard.charts.own_trend import own_trend
from dashboard.own_reading import Own
from dashboard.pattern_reading import Patterns
from dashboard.ui.measure_words import MEASURES
from dashboard.ui.outcome_blocks import Drawing, change_blocks, coverage_of, interval_blocks, lead, vlad_block
from dashboard.ui.own_growth_blocks import WORDS, area_blocks, gain_blocks, own_residuals
from dashboard.ui.view import Block, Figure, Heading, Para, Slot

GROWTH, FOLLOWED = "growth", "followed"
OWN_RANGE = (
    "Your own row stands beside the range of the practice; nobody else's is here, and yours is in nobody else's."
)


def own_blocks(found: Patterns, own: Own, drawing: Drawing, clinician_id: int, *, is_close: bool) -> list[Block]:
    """Everything about one clinician.

    ``is_close``: the viewer is that clinician or supervises them; only then is their course over time shown, and only where
    the estimate of their gains may be shown as well.
    """
    ended = found.ended
    if ended.is_empty():
        return [
            Para("No episode has ended yet. What became of episodes appears here once they have."),
            *_goal(is_close),
        ]
    blocks: list[Block] = [lead(ended), *_goal(is_close)]
    blocks += interval_blocks(found, tuple(MEASURES), drawing, clinician_id)
    blocks += change_blocks(ended, found.instruments, drawing)
    blocks.append(
        Figure(
            ending_types(
                own.endings.to_dicts(), WORDS, whose=drawing.whose, coverage=coverage_of(ended, "dropout"),
                as_of=drawing.as_of, theme=drawing.theme,
            )
        )
    )  # fmt: skip
    if is_close:
        blocks += close_blocks(found, own, drawing, clinician_id)
    return blocks


def _goal(is_close: bool) -> list[Block]:
    return [Slot(GROWTH)] if is_close else []


def close_blocks(found: Patterns, own: Own, drawing: Drawing, clinician_id: int) -> list[Block]:
    """Own course over time, gains to learn from, experience, and endings one by one where the clinician wants that."""
    ended = found.ended
    course = trend(ended)
    blocks: list[Block] = [Figure(own_trend(course, whose=drawing.whose, as_of=drawing.as_of, theme=drawing.theme))]
    blocks += gain_blocks(ended, own.edge)
    blocks += area_blocks(own_residuals(ended))
    known = ended.filter(pl.col("dropout").is_not_null()).height
    blocks.append(
        Heading("Endings one by one", "Only where the clinician has switched it on; they and their supervisor see it.")
    )
    blocks.append(Slot(FOLLOWED))
    if found.follows(clinician_id):
        blocks.append(
            vlad_block(ended, drawing)
            if known >= LEAST_SHOWN
            else Para(f"Needs {LEAST_SHOWN} known endings; has {known}.")
        )
    return blocks
