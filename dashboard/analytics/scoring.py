"""Items to totals and subscales; risk answers apart from every score.

Missing items are stood in for by the mean of those answered, up to the instrument's limit (science section 1), rounded half
up to a whole point of the sum. Where items make a total, they win over a total that was given.
"""

from __future__ import annotations

import polars as pl

from dashboard.contracts import RISK_ANSWERS, TOTALS
from dashboard.instruments.instrument import Instrument

OCCASION = ["episode_id", "taken_on", "instrument", "respondent"]
FACTORS = {"sum_x4": 4.0, "sum_x2": 2.0}


def _items(scores: pl.DataFrame) -> pl.DataFrame:
    return scores.filter(pl.col("scale").str.starts_with("item_")).with_columns(
        item=pl.col("scale").str.slice(5).cast(pl.Int64, strict=False)
    )


def _of_scale(items: pl.DataFrame, one: Instrument, scale: str, numbers: tuple[int, ...], allowed: int) -> pl.DataFrame:
    count = len(numbers)
    low, high = float(one.item_minimum or 0), float(one.item_maximum or 0)
    answered = (
        items.filter((pl.col("instrument") == one.key) & pl.col("item").is_in(list(numbers)))
        .with_columns(
            answer=pl.when(pl.col("item").is_in(list(one.reverse)))
            .then(low + high - pl.col("value"))
            .otherwise(pl.col("value"))
        )
        .group_by(OCCASION)
        .agg(summed=pl.col("answer").sum(), given=pl.len().cast(pl.Int64))
        .filter(pl.col("given") >= count - allowed)
    )
    full = pl.col("summed") * count / pl.col("given")
    whole = pl.when(pl.col("given") == count).then(pl.col("summed")).otherwise((full + 0.5 + 1e-9).floor())
    if one.scoring in ("mean", "mean_x10"):
        value = pl.col("summed") / pl.col("given") * (10.0 if one.scoring == "mean_x10" else 1.0)
    else:
        value = whole * FACTORS.get(one.scoring, 1.0)
    return answered.select(
        *OCCASION[:3],
        pl.lit(scale).alias("scale"),
        "respondent",
        value.cast(pl.Float64).alias("value"),
        (pl.col("given") < count).alias("prorated"),
    )


def derived(scores: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """Totals and subscales that the items give (TOTALS); none where too many items are missing."""
    items = _items(scores)
    if items.is_empty():
        return TOTALS.empty()
    parts = [TOTALS.empty()]
    for key in items["instrument"].unique().sort().to_list():
        one = instruments.get(key)
        if one is None or not one.items or one.item_minimum is None:
            continue
        everything = tuple(range(1, one.items + 1))
        allowed = one.prorate_missing * max(1, len(one.subscales)) if one.prorate_per_subscale else one.prorate_missing
        total = _of_scale(items, one, "total", everything, allowed)
        scales = [_of_scale(items, one, name, numbers, one.prorate_missing) for name, numbers in one.subscales.items()]
        if one.prorate_per_subscale:
            for scale in scales:  # a total stands only where each subscale does
                total = total.join(scale.select(OCCASION), on=OCCASION, how="semi")
        parts += [total, *scales]
    return pl.concat(parts)


def totals(scores: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """Totals and subscales of both respondents (TOTALS), sorted; what items give, else what was recorded."""
    given = scores.filter(~pl.col("scale").str.starts_with("item_")).with_columns(prorated=pl.lit(False))
    made = derived(scores, instruments)
    if made.height:
        key = [*OCCASION, "scale"]
        given = pl.concat(
            [made.select(TOTALS.schema.keys()), given.select(TOTALS.schema.keys()).join(made, on=key, how="anti")]
        )
    return given.select(TOTALS.schema.keys()).sort(["episode_id", "instrument", "scale", "respondent", "taken_on"])


def disagreements(scores: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """Recorded totals and subscales that differ from what their items give: OCCASION, scale, given, made."""
    made = derived(scores, instruments)
    return (
        scores.filter(~pl.col("scale").str.starts_with("item_"))
        .join(made.rename({"value": "made"}), on=[*OCCASION, "scale"], how="inner")
        .filter((pl.col("value") - pl.col("made")).abs() > 1e-6)
        .select(*OCCASION, "scale", pl.col("value").alias("given"), "made")
        .sort([*OCCASION, "scale"])
    )


def risk_answers(scores: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """The client's answers to risk items (RISK_ANSWERS), in time order; never part of a score, rank or model."""
    wanted = pl.DataFrame(
        [{"instrument": key, "item": item} for key, one in instruments.items() for item in one.risk_items],
        schema={"instrument": pl.String(), "item": pl.Int64()},
    )
    return (
        _items(scores.filter(pl.col("respondent") == "client"))
        .join(wanted, on=["instrument", "item"], how="inner")
        .select(RISK_ANSWERS.schema.keys())
        .sort(["episode_id", "instrument", "item", "taken_on"])
    )
