"""One clinician's patterns as blocks: their own four measures, change, endings; and what only they and their supervisor see."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.own_growth import trend
from dashboard.charts.change_quadrant import change_quadrant
from dashboard.charts.ending_types import ending_types
from dashboard.charts.own_trend import own_trend
from dashboard.estimate_view import LEAST_SHOWN
from dashboard.own_reading import Own
from dashboard.pattern_reading import Patterns
from dashboard.ui.growth_blocks import goal_blocks
from dashboard.ui.measure_words import MEASURES
from dashboard.ui.outcome_blocks import Drawing, change_blocks, coverage_of, interval_blocks, lead, vlad_block
from dashboard.ui.own_growth_blocks import WORDS, area_blocks, gain_blocks, own_residuals
from dashboard.ui.view import Block, Figure, Heading, Para, Slot
from dashboard.ui.words import share

GROWTH, FOLLOWED = "growth", "followed"
NOTHING = "No episode has ended yet. What became of episodes appears here once they have."


def own_blocks(found: Patterns, own: Own, drawing: Drawing, clinician_id: int) -> list[Block]:
    """What became of one clinician's ended episodes: four measures beside the practice's range, change, ways of ending."""
    ended = found.ended
    if ended.is_empty():
        return [Para(NOTHING)]
    blocks: list[Block] = [lead(ended)]
    blocks += interval_blocks(found, tuple(MEASURES), drawing, clinician_id)
    blocks += change_blocks(ended, found.instruments, drawing)
    blocks += [_endings(found, own, drawing), quadrant_block(own, drawing)]
    return blocks


def _course(ended: pl.DataFrame, drawing: Drawing) -> Block:
    return Figure(
        own_trend(
            trend(ended),
            whose=drawing.whose,
            coverage=coverage_of(ended, "outcome"),
            as_of=drawing.as_of,
            theme=drawing.theme,
        )
    )


def _endings(found: Patterns, own: Own, drawing: Drawing) -> Block:
    return Figure(
        ending_types(
            own.endings.to_dicts(), WORDS, whose=drawing.whose, coverage=coverage_of(found.ended, "dropout"),
            as_of=drawing.as_of, theme=drawing.theme,
        )
    )  # fmt: skip


def quadrant_block(own: Own, drawing: Drawing) -> Block:
    """Alliance change beside outcome change, open and ended episodes."""
    told = own.points.drop_nulls(["alliance_change", "outcome_change"]).height
    return Figure(
        change_quadrant(
            own.points.to_dicts(), whose=drawing.whose,
            coverage=f"two scores and two ratings in {share(told, own.points.height)} episodes", as_of=drawing.as_of,
            theme=drawing.theme,
        )
    )  # fmt: skip


def goal_part(own: Own, drawing: Drawing, clinician_id: int, *, is_own: bool) -> list[Block]:
    """The growth goal with its sign; of somebody else only where it is shared."""
    return goal_blocks(own.goals, clinician_id, own.sign_now, drawing.as_of, own=is_own)


def pattern_blocks(found: Patterns, own: Own, drawing: Drawing, clinician_id: int, *, is_close: bool) -> list[Block]:
    """The pattern part of a meeting: own past first, the practice's range second; ways of ending, quadrant, own course."""
    ended = found.ended
    if ended.is_empty():
        return [Para(NOTHING)]
    blocks: list[Block] = [lead(ended)]
    if is_close:
        blocks.append(_course(ended, drawing))
    blocks.append(quadrant_block(own, drawing))
    blocks += [_endings(found, own, drawing), *interval_blocks(found, tuple(MEASURES), drawing, clinician_id)]
    return blocks + (gain_blocks(ended, own.edge) if is_close else [])


def growth_parts(found: Patterns, own: Own, drawing: Drawing, clinician_id: int, *, is_own: bool) -> list[Block]:
    """Own growth, for the clinician and who supervises them: goal, course over time, gains to learn from, experience.

    Endings one by one only where the clinician wants that.
    """
    ended = found.ended
    blocks: list[Block] = [*goal_part(own, drawing, clinician_id, is_own=is_own), Slot(GROWTH)]
    if ended.is_empty():
        return [*blocks, Para(NOTHING)]
    blocks.append(_course(ended, drawing))
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
