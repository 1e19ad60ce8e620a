"""Ended episodes as cases for comparison: what became of each, and what was known of it at intake (science 6.2).

Only what was there before the work began is a characteristic of the case. Alliance, missed appointments and the course of
scores are partly the clinician's own work and are no case mix. Answers to risk items stay outside every model.
"""

from __future__ import annotations

import polars as pl

from dashboard.analytics.case_mix import CASES
from dashboard.analytics.endings import NOT_A_DROPOUT
from dashboard.analytics.scoring import totals
from dashboard.instruments.instrument import Instrument

IMPROVED = ("recovered", "reliable_improvement")
WORSENED = ("reliable_worsening",)
NOT_JUDGED = "not_enough_data"


def _judged(categories: tuple[str, ...]) -> pl.Expr:
    said = pl.col("change_category")
    return pl.when(said != NOT_JUDGED).then(said.is_in(categories))


def second_baselines(scores: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """episode_id, second_instrument, second_baseline: the first total of the most used other outcome questionnaire.

    ``scores`` (SCORES): of the start of each episode, without its own instrument. Of several questionnaires the one that most
    episodes have counts, so that as many as can be are compared on the same one.
    """
    found = totals(scores, instruments).filter((pl.col("scale") == "total") & (pl.col("respondent") == "client"))
    first = found.sort("episode_id", "instrument", "taken_on").unique(
        ["episode_id", "instrument"], keep="first", maintain_order=True
    )
    spread = first.with_columns(having=pl.len().over("instrument"))
    return (
        spread.sort(["episode_id", "having", "instrument"], descending=[False, True, False])
        .unique("episode_id", keep="first", maintain_order=True)
        .select("episode_id", second_instrument="instrument", second_baseline="value")
    )


def cases(
    ended: pl.DataFrame,
    intake: pl.DataFrame,
    births: pl.DataFrame,
    scores: pl.DataFrame,
    instruments: dict[str, Instrument],
) -> pl.DataFrame:
    """Ended episodes as CASES, in order of their ids.

    ``ended``: states. ``intake``: episode_id, problem_area, kind, referred_on. ``births``: client_id, birth_year,
    superseded_on. ``dropout`` is null after a transfer, a move or another ending that says nothing about leaving; ``improved``
    and ``worsened`` where there are under two scores or no published reliable change. ``age`` is in years at opening.
    """
    born = births.sort("client_id", "superseded_on", nulls_last=True).unique(
        "client_id", keep="first", maintain_order=True
    )
    directions = {key: one.direction for key, one in instruments.items()}
    thresholds = {key: one.reliable_threshold for key, one in instruments.items()}
    measured = (pl.col("scores") >= 2) & pl.col("baseline").is_not_null()
    elsewhere = pl.col("ending").is_in(NOT_A_DROPOUT).fill_null(False)
    areas = pl.col("problem_area").str.split(";").list.eval(pl.element().str.strip_chars().replace("", None))
    frame = (
        ended.join(intake, on="episode_id", how="left")
        .join(born.select("client_id", "birth_year"), on="client_id", how="left")
        .join(second_baselines(scores, instruments), on="episode_id", how="left")
    )
    found = (
        frame.with_columns(
            ended_on=pl.coalesce("closed_on", "last_attended_on"),
            instrument=pl.col("outcome_instrument"),
            direction=pl.col("outcome_instrument").replace_strict(directions, default=None, return_dtype=pl.Int8),
            reliable_change=pl.col("outcome_instrument").replace_strict(
                thresholds, default=None, return_dtype=pl.Float64
            ),
            baseline=pl.when(measured).then("baseline"),
            latest=pl.when(measured).then("latest"),
            dropout=pl.when(~elsewhere).then("dropout"),
            improved=_judged(IMPROVED),
            worsened=_judged(WORSENED),
            age=(pl.col("opened_on").dt.year() - pl.col("birth_year")).cast(pl.Float64),
            problems=areas.list.drop_nulls().list.len().cast(pl.Int64),
            waiting_days=(pl.col("opened_on") - pl.col("referred_on")).dt.total_days(),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in CASES.schema.items())
        .sort("episode_id")
    )
    return CASES.check(found)
