"""Alliance up or down, symptoms better or worse: four places, each with a question of its own (science 4.1, 9).

Both are changes within one client and count only beyond measurement error; the rest is about the same. Early gain lifts
ratings and ratings lift gain, so neither is read as the other's cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import polars as pl

RELIABLE = 1.96 * sqrt(2)  # Jacobson & Truax 1991: standard errors of a difference


@dataclass(frozen=True)
class Quadrant:
    """One of the four: ``alliance`` up or down, ``symptoms`` better or worse, its words and its question."""

    alliance: str
    symptoms: str
    title: str
    question: str


QUADRANTS: tuple[Quadrant, ...] = (
    Quadrant(
        "down",
        "worse",
        "Relationship rated lower, scores worse",
        "What happened first, and would it help to look at the working relationship before anything else?",
    ),
    Quadrant(
        "up",
        "worse",
        "Relationship rated higher, scores worse",
        "Is there enough safety now for harder work to show, or are the two of you getting on without the problem moving?",
    ),
    Quadrant(
        "down",
        "better",
        "Relationship rated lower, scores better",
        "Is the client outgrowing the work, or did something between you go unsaid while things improved?",
    ),
    Quadrant(
        "up",
        "better",
        "Relationship rated higher, scores better",
        "What is going well here that could be named with the client, and is an ending in sight?",
    ),
)
ABOUT_THE_SAME = "One or both about the same: no change beyond measurement error"


def quadrants(frame: pl.DataFrame) -> pl.DataFrame:
    """episode_id, alliance (up, same, down), symptoms (better, same, worse); null where there is too little to say.

    ``frame``: episode_id, alliance_scores, alliance_first and alliance_latest (0-1, higher better), sem (0-1), fallen (a marked
    fall stands), change_category. A marked fall that stands is down, whatever the first rating was.
    """
    moved = (pl.col("alliance_latest") - pl.col("alliance_first")).round(9)
    limit = RELIABLE * pl.col("sem")
    symptoms = {
        "recovered": "better",
        "reliable_improvement": "better",
        "no_reliable_change": "same",
        "reliable_worsening": "worse",
    }
    return frame.select(
        "episode_id",
        alliance=pl.when(pl.col("fallen").fill_null(False))
        .then(pl.lit("down"))
        .when((pl.col("alliance_scores") < 2) | moved.is_null() | limit.is_null())
        .then(pl.lit(None, dtype=pl.String))
        .when(moved > limit)
        .then(pl.lit("up"))
        .when(moved < -limit)
        .then(pl.lit("down"))
        .otherwise(pl.lit("same")),
        symptoms=pl.col("change_category").replace_strict(symptoms, default=None, return_dtype=pl.String),
    )
