"""Who leaves early, and who is measured, by group of clients: the whole practice, small numbers withheld, no clinician.

A difference is a question, not a finding about a group: groups also differ in what they came with, when they came and whom they
saw. Exact counts stay inside this module; what leaves it is rounded to 5, and shares are worked out from the rounded counts, so
that they tell nothing that the counts do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from dashboard.analytics.distributions import chi_square_quantile
from dashboard.analytics.ending_rules import LEFT, NOT_KNOWN_YET, by_definition
from dashboard.analytics.intervals import wilson
from dashboard.analytics.small_groups import sized_groups, told_groups
from dashboard.analytics.validation import with_what_followed
from dashboard.contracts import KINDS, MODES
from dashboard.snapshot.audience import rounded

NOT_RECORDED = "not recorded"
ATTRIBUTES = ("age_band", "gender", "ethnicity", "kind", "first_mode")
FREE_TEXT = ("gender", "ethnicity")
BANDS = (
    (30, "under 30"),
    (45, "30 to 44"),
    (65, "45 to 64"),
    (121, "65 and over"),
)  # years at opening: project default
LISTED = (*(words for _, words in BANDS), *KINDS, *MODES)  # groups in an order of their own; others by name
MEASURES = ("left", "two_scores", "alliance_rated")
LEAST_EXPECTED = 10  # project default: below it the exact 95 % interval of a ratio is wider than from half to twice

# An episode as the evaluation's day knew it. scores: on its outcome measure.
EQUITY_EPISODES = {
    "episode_id": pl.Int64(),
    "opened_on": pl.Date(),
    "closed_on": pl.Date(),
    "ending": pl.String(),
    "sessions_attended": pl.Int64(),
    "dropout": pl.Boolean(),
    "scores": pl.Int64(),
    "alliance_scores": pl.Int64(),
    "birth_year": pl.Int64(),
    "gender": pl.String(),
    "ethnicity": pl.String(),
    "kind": pl.String(),
    "first_mode": pl.String(),
}
# yes, of: rounded to 5; share, low, high (95 %, Wilson) from these; all null where the group is not told of in this measure
GROUPS = {
    "attribute": pl.String(),
    "group": pl.String(),
    "measure": pl.String(),
    "yes": pl.Int64(),
    "of": pl.Int64(),
    "share": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}
# ratio: left over estimated, from counts rounded to 5; low, high: exact 95 %; null with why: few, or withheld
AUDIT = {
    "attribute": pl.String(),
    "group": pl.String(),
    "ratio": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "why": pl.String(),
}
Sides = Mapping[str, tuple[int, int]]


def with_groups(episodes: pl.DataFrame) -> pl.DataFrame:
    """``episodes`` (EQUITY_EPISODES) that had a session, with one column per attribute in ATTRIBUTES; none is null.

    Free text counts as the same without regard to capitals and spaces, and is shown as first in the alphabet written.
    """
    age = pl.col("opened_on").dt.year() - pl.col("birth_year")
    band = pl.lit(None, dtype=pl.String)
    for below, words in reversed(BANDS):
        band = pl.when(age < below).then(pl.lit(words)).otherwise(band)
    started = episodes.filter(pl.col("sessions_attended") > 0)
    found = started.with_columns(
        pl.when(age >= 0).then(band).alias("age_band"),
        *(pl.col(name).str.strip_chars().str.replace_all(r"\s+", " ").alias(name) for name in FREE_TEXT),
    )
    found = found.with_columns(
        pl.when(~pl.col(name).str.to_lowercase().is_in(["", NOT_RECORDED]))
        .then(pl.col(name).min().over(pl.col(name).str.to_lowercase()))
        .alias(name)
        for name in FREE_TEXT
    )
    return found.with_columns(pl.col(name).fill_null(NOT_RECORDED) for name in ATTRIBUTES)


def _judged(found: pl.DataFrame) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    """Per measure: which episodes count as yes, and which can be told at all."""
    said = pl.lit(by_definition(found, "own")["outcome"])
    return {
        "left": (said == LEFT, said != NOT_KNOWN_YET),
        "two_scores": (pl.col("scores") >= 2, pl.col("sessions_attended") >= 2),
        "alliance_rated": (pl.col("alliance_scores") >= 1, pl.lit(True)),
    }


def _sides(found: pl.DataFrame, attribute: str, yes: pl.Expr, known: pl.Expr) -> dict[str, tuple[int, int]]:
    counted = (
        found.with_columns(yes=yes.fill_null(False) & known.fill_null(False), known=known.fill_null(False))
        .group_by(attribute)
        .agg(pl.col("yes").sum().cast(pl.Int64), pl.col("known").sum().cast(pl.Int64))
        .sort(attribute)
    )
    return {row[0]: (row[1], row[2] - row[1]) for row in counted.rows()}


def _sized(found: pl.DataFrame, attribute: str) -> frozenset[str]:
    counted = found.group_by(attribute).len().sort(attribute)
    return sized_groups(dict(counted.rows()))


def by_group(episodes: pl.DataFrame) -> pl.DataFrame:
    """One row per attribute, group that occurs, and measure (GROUPS), by attribute and ``_place`` of the group.

    left: ended early by the practice's own definition, of the endings that are known. two_scores: two or more outcome scores, of
    episodes with two or more sessions. alliance_rated: rated at least once by the client. ``episodes``: EQUITY_EPISODES.
    """
    found = with_groups(episodes)
    rows: list[tuple[object, ...]] = []
    for attribute in ATTRIBUTES:
        sized = _sized(found, attribute)
        for measure, (yes, known) in _judged(found).items():
            sides = _sides(found, attribute, yes, known)
            told = told_groups(sides, sized)
            rows += [
                (attribute, group, measure, *(_said(sides[group]) if group in told else (None,) * 5)) for group in sides
            ]
    order = {name: n for n, name in enumerate((*ATTRIBUTES, *MEASURES))}
    rows.sort(key=lambda row: (order[str(row[0])], _place(str(row[1])), order[str(row[2])]))
    return pl.DataFrame(rows, schema=GROUPS, orient="row")


def _place(group: str) -> tuple[bool, int, str]:
    """Not recorded last; the product's own words in their own order, the practice's by name."""
    return group == NOT_RECORDED, LISTED.index(group) if group in LISTED else -1, group


def _said(sides: tuple[int, int]) -> tuple[int, int, float, float, float]:
    yes, no = (rounded(one) for one in sides)
    low, high = wilson(yes, yes + no) or (0.0, 1.0)
    return yes, yes + no, yes / (yes + no), low, high


def poisson_ratio(observed: int, expected: float) -> tuple[float, float, float]:
    """(ratio, low, high) of a count to what was expected, exact 95 % limits (Garwood 1936); ``expected`` above 0."""
    low = chi_square_quantile(0.025, 2 * observed) / 2 if observed else 0.0
    high = chi_square_quantile(0.975, 2 * observed + 2) / 2
    return observed / expected, low / expected, high / expected


def audit(episodes: pl.DataFrame, judged: pl.DataFrame, sessions: pl.DataFrame, until: date) -> pl.DataFrame:
    """Endings without agreement against what the estimate added up to, by group (AUDIT), in the order of ``by_group``.

    ``episodes``: EQUITY_EPISODES. ``judged`` and ``sessions``: EPISODES_JUDGED and SESSIONS_JUDGED, each session with the chance
    that the model of its own day gave. ``until``: the last day whose sessions are judged (``with_what_followed``).
    """
    found = with_groups(episodes)
    held = with_what_followed(judged, sessions, until).drop_nulls("left")
    each = held.group_by("episode_id").agg(expected=pl.col("dropout_hazard").sum(), went=pl.col("left").any())
    known = found.join(each, on="episode_id", how="left", maintain_order="left")
    rows: list[tuple[object, ...]] = []
    for attribute in ATTRIBUTES:
        sides = _sides(known, attribute, pl.col("went"), pl.col("went").is_not_null())
        told = told_groups(sides, _sized(found, attribute))
        sums = known.sort("episode_id").group_by(attribute).agg(pl.col("expected").sum())
        expected = {row[0]: float(row[1]) for row in sums.rows()}
        for group in sorted(sides, key=_place):
            if group not in told:
                rows.append((attribute, group, None, None, None, "withheld"))
            elif expected[group] < LEAST_EXPECTED:
                rows.append((attribute, group, None, None, None, "few"))
            else:
                rows.append((attribute, group, *poisson_ratio(rounded(sides[group][0]), expected[group]), None))
    return pl.DataFrame(rows, schema=AUDIT, orient="row")
