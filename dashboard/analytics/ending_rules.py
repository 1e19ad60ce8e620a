"""What became of each episode by one definition of leaving early, how often, and how far the definitions agree.

Five published definitions (analytics.endings) and the model's own (the coded ending, else no return) are kept apart, because
one episode can be a dropout by one and not by another: fewer than 1 in 100 met all three of Xiao 2023 (science 5.2).
"""

from __future__ import annotations

from itertools import combinations

import polars as pl

from dashboard.analytics.endings import AGREED, NOT_A_DROPOUT
from dashboard.analytics.intervals import wilson

LEFT, AS_AGREED, OTHERWISE, NOT_KNOWN_YET = "left", "agreed", "otherwise", "not_known_yet"
OUTCOMES = (LEFT, AS_AGREED, OTHERWISE, NOT_KNOWN_YET)

# definition -> its column; "own" is the model's target
DEFINITIONS = {
    "own": "dropout",
    "d1": "d1_unilateral",
    "d2": "d2_no_return",
    "d3": "d3_missed_last",
    "d4": "d4_below_planned",
    "d5": "d5_not_improved",
}
PUBLISHED = tuple(key for key in DEFINITIONS if key != "own")
KNOWN_ONLY_LATER = ("own", "d2")  # false today may be true once the limit of days has passed
FEW = 10  # design: no percentage and no interval under so many
FEW_PAIRS = 20  # project default: with fewer episodes judged by both, the standard error of kappa is about .2 or more


def by_definition(states: pl.DataFrame, definition: str) -> pl.DataFrame:
    """``states`` of the episodes that started, with ``session`` (the last attended one) and ``outcome`` (OUTCOMES or null).

    left: the definition says so. agreed: planned or mutual. otherwise: transferred, moved, another ending, or closed and not
    left by this definition. not_known_yet: open, or closed without a code before the limit of days has passed. Null: closed,
    and this definition cannot judge it (no code, no plan, under two scores); such an episode is left out, not called a no.
    """
    said = pl.col(DEFINITIONS[definition])
    is_open = pl.col("closed_on").is_null()
    elsewhere = pl.col("ending").is_in(NOT_A_DROPOUT).fill_null(False)
    agreed = pl.col("ending").is_in(AGREED).fill_null(False)
    waits = ~agreed & ~elsewhere if definition in KNOWN_ONLY_LATER else pl.lit(False)
    outcome = (
        pl.when(said.fill_null(False))
        .then(pl.lit(LEFT))
        .when(is_open | (waits & said.is_not_null()))
        .then(pl.lit(NOT_KNOWN_YET))
        .when(elsewhere)
        .then(pl.lit(OTHERWISE))
        .when(said.is_null())
        .then(pl.lit(None, dtype=pl.String))
        .when(agreed)
        .then(pl.lit(AS_AGREED))
        .otherwise(pl.lit(OTHERWISE))
    )
    started = states.filter(pl.col("sessions_attended") > 0)
    return started.with_columns(session=pl.col("sessions_attended"), outcome=outcome)


def _judged(states: pl.DataFrame, definition: str) -> pl.Series:
    """What a definition says of each started episode; null where it cannot say, or cannot say yet."""
    found = by_definition(states, definition)
    unsettled = pl.col("outcome").is_null() | (pl.col("outcome") == NOT_KNOWN_YET)
    return found.select(pl.when(~unsettled).then(pl.col(DEFINITIONS[definition])).alias(definition)).to_series()


def rates(states: pl.DataFrame) -> pl.DataFrame:
    """Per definition: ``left`` of ``judged`` episodes, ``share`` with its 95 % Wilson ``low`` and ``high``.

    ``judged``: settled, and the definition can say yes or no. The last three are null under FEW judged.
    """
    rows = []
    for definition in DEFINITIONS:
        known = _judged(states, definition).drop_nulls()
        left, judged = int(known.sum()), len(known)
        interval = wilson(left, judged) if judged >= FEW else None
        low, high = interval or (None, None)
        rows.append((definition, left, judged, left / judged if interval else None, low, high))
    return pl.DataFrame(
        rows,
        schema={"definition": pl.String, "left": pl.Int64, "judged": pl.Int64}
        | dict.fromkeys(("share", "low", "high"), pl.Float64),
        orient="row",
    )


def kappa(one: pl.Series, other: pl.Series) -> float | None:
    """Cohen's kappa of two yes/no series of equal length (Cohen 1960): agreement beyond what the two rates alone would give.

    Pairs with a null are left out. Null without a pair, and where chance alone makes them agree always (both constant).
    """
    pairs = pl.DataFrame({"a": one, "b": other}).drop_nulls()
    if pairs.is_empty():
        return None
    a, b = float(pairs["a"].mean() or 0), float(pairs["b"].mean() or 0)  # type: ignore[arg-type]
    observed = float((pairs["a"] == pairs["b"]).mean() or 0)  # type: ignore[arg-type]
    by_chance = a * b + (1 - a) * (1 - b)
    return None if by_chance > 1 - 1e-12 else (observed - by_chance) / (1 - by_chance)


def agreement(states: pl.DataFrame) -> pl.DataFrame:
    """Per pair of the published definitions: ``judged`` by both, ``same`` answer, ``both`` yes, and ``kappa``.

    ``kappa`` is null under FEW_PAIRS judged by both and where it is undefined.
    """
    said = {definition: _judged(states, definition) for definition in PUBLISHED}
    rows = []
    for one, other in combinations(PUBLISHED, 2):
        pairs = pl.DataFrame({"a": said[one], "b": said[other]}).drop_nulls()
        same, both = int((pairs["a"] == pairs["b"]).sum()), int((pairs["a"] & pairs["b"]).sum())
        found = kappa(pairs["a"], pairs["b"]) if pairs.height >= FEW_PAIRS else None
        rows.append((one, other, pairs.height, same, both, found))
    return pl.DataFrame(
        rows,
        schema={"one": pl.String, "other": pl.String}
        | dict.fromkeys(("judged", "same", "both"), pl.Int64)
        | {"kappa": pl.Float64},
        orient="row",
    )


def before_the_first_session(states: pl.DataFrame) -> dict[str, int]:
    """The stage of its own before any session: ``opened`` episodes, ``seen``, ``closed_unseen``, ``waiting`` (open, not seen)."""
    seen = pl.col("sessions_attended") > 0
    closed = pl.col("closed_on").is_not_null()
    counted = states.select(
        opened=pl.len(), seen=seen.sum(), closed_unseen=(~seen & closed).sum(), waiting=(~seen & ~closed).sum()
    )
    return {name: int(value) for name, value in counted.row(0, named=True).items()}
