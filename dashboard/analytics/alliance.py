"""The working alliance as the client rates it: level, own reference, falls, repair, and ratings that say nothing."""

from __future__ import annotations

import polars as pl

from dashboard.analytics import reliable_change as rc
from dashboard.analytics.outcome import chosen
from dashboard.analytics.rupture import Judged, judge
from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules

MARKS_SCHEMA = {
    "episode_id": pl.Int64(),
    "taken_on": pl.Date(),
    "instrument": pl.String(),
    "value": pl.Float64(),
    "reference": pl.Float64(),
    "major_below": pl.Float64(),
    "mark": pl.String(),
    "state": pl.String(),
    "rupture_since": pl.Date(),
    "nadir": pl.Float64(),
    "back": pl.Boolean(),
}


def _judged(series: list[tuple[tuple[float, ...], float]]) -> list[list[Judged]]:
    """Judges each series once; one that is the beginning of another shares its work (replayed days often are)."""
    known: dict[tuple[tuple[float, ...], float], list[Judged]] = {}
    for ratings, floor in sorted(set(series), key=lambda s: -len(s[0])):
        if (ratings, floor) not in known:
            whole = judge(list(ratings), floor)
            for length in range(1, len(ratings) + 1):
                known.setdefault((ratings[:length], floor), whole[:length])
    return [known[one] for one in series]


def marks(totals: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """Every client rating of the episode's alliance instrument with what it said on its day (MARKS_SCHEMA, in points)."""
    rated = chosen(totals, rc.thresholds(instruments), "alliance").sort(["episode_id", "taken_on"])
    if rated.is_empty():
        return pl.DataFrame(schema=MARKS_SCHEMA)
    width = pl.col("maximum") - pl.col("minimum")
    scaled = rated.with_columns(
        s=pl.when(pl.col("direction") > 0)
        .then((pl.col("value") - pl.col("minimum")) / width)
        .otherwise((pl.col("maximum") - pl.col("value")) / width)
        .round(9)
    )
    series = scaled.group_by("episode_id", maintain_order=True).agg("s", pl.col("sem").first())
    found = _judged([(tuple(s), sem) for s, sem in zip(series["s"].to_list(), series["sem"].to_list(), strict=True)])
    flat = [one for part in found for one in part]
    own = pl.DataFrame(
        {
            "reference": [j.reference for j in flat],
            "major_below": [j.major_below for j in flat],
            "mark": [j.mark for j in flat],
            "state": [j.state for j in flat],
            "start": [j.start for j in flat],
            "nadir": [j.nadir for j in flat],
            "back": [j.back for j in flat],
        },
        schema={
            "reference": pl.Float64(),
            "major_below": pl.Float64(),
            "mark": pl.String(),
            "state": pl.String(),
            "start": pl.Int64(),
            "nadir": pl.Float64(),
            "back": pl.Boolean(),
        },
    )
    joined = scaled.hstack(own)

    def points(name: str) -> pl.Expr:
        up = pl.col("minimum") + pl.col(name) * width
        return pl.when(pl.col("direction") > 0).then(up).otherwise(pl.col("maximum") - pl.col(name) * width).alias(name)

    position = pl.int_range(pl.len(), dtype=pl.Int64)
    joined = joined.with_columns(row=position).with_columns(first=pl.col("row").min().over("episode_id"))
    since = joined["taken_on"].gather(joined["first"] + joined["start"].fill_null(0))
    return joined.with_columns(
        points("reference"),
        points("major_below"),
        points("nadir"),
        rupture_since=pl.when(pl.col("start").is_not_null()).then(pl.Series("rupture_since", since)),
    ).select(MARKS_SCHEMA.keys())


def _ceiling(rated: pl.DataFrame, instruments: dict[str, Instrument], rules: Rules) -> pl.DataFrame:
    best = pl.DataFrame(
        [
            {"instrument": key, "best": one.maximum if one.better == "higher" else one.minimum}
            for key, one in instruments.items()
            if one.kind == "alliance" and one.usable
        ],
        schema={"instrument": pl.String(), "best": pl.Float64()},
    )
    at_best = rated.join(best, on="instrument").with_columns(miss=pl.col("value") != pl.col("best"))
    run = (
        at_best.sort(["episode_id", "taken_on"])
        .with_columns(
            breaks=pl.col("miss").cum_sum().over("episode_id"), all_breaks=pl.col("miss").sum().over("episode_id")
        )
        .filter(~pl.col("miss") & (pl.col("breaks") == pl.col("all_breaks")))
    )
    return (
        run.group_by("episode_id", maintain_order=True)
        .agg(length=pl.len(), ceiling_since=pl.col("taken_on").get(rules.ceiling_sessions - 1, null_on_oob=True))
        .filter(pl.col("length") >= rules.ceiling_sessions)
        .select("episode_id", pl.lit(True).alias("ceiling"), "ceiling_since")
    )


def alliance(
    marked: pl.DataFrame,
    episodes: pl.DataFrame,
    attended: pl.DataFrame,
    instruments: dict[str, Instrument],
    rules: Rules,
) -> pl.DataFrame:
    """One row per episode with a client alliance rating; input from ``marks``, ``dated`` sessions and the episodes.

    ``rupture`` is the latest major episode's state: open becomes unrated where sessions followed without a rating, and
    unrepaired where the episode closed or the client has not returned within the dropout limit. ``alliance_reference``
    comes from earlier ratings only. ``rupture_back``: the latest rating is near the reference again.
    """
    last = marked.group_by("episode_id", maintain_order=True).agg(
        alliance_instrument=pl.col("instrument").first(),
        alliance_scores=pl.len().cast(pl.Int64),
        alliance_latest=pl.col("value").last(),
        alliance_latest_on=pl.col("taken_on").last(),
        alliance_reference=pl.col("reference").last(),
        alliance_major_below=pl.col("major_below").last(),
        alliance_mark_latest=pl.col("mark").last(),
        state=pl.col("state").last(),
        rupture_since=pl.col("rupture_since").last(),
        rupture_nadir=pl.col("nadir").last(),
        rupture_back=pl.col("back").last(),
    )
    after = (
        attended.join(last.select("episode_id", "alliance_latest_on"), on="episode_id")
        .group_by("episode_id")
        .agg(unrated=(pl.col("day") > pl.col("alliance_latest_on")).sum(), seen_on=pl.col("day").max())
    )
    frame = (
        last.join(episodes.select("episode_id", "as_of", "closed_on"), on="episode_id")
        .join(after, on="episode_id", how="left")
        .join(_ceiling(marked, instruments, rules), on="episode_id", how="left")
    )
    gone = pl.col("closed_on").is_not_null() | (
        (pl.col("as_of") - pl.col("seen_on")).dt.total_days() >= rules.dropout_days
    ).fill_null(False)
    is_open = pl.col("state") == "open"
    rupture = (
        pl.when(is_open & (pl.col("unrated").fill_null(0) > 0))
        .then(pl.lit("unrated"))
        .when(is_open & gone)
        .then(pl.lit("unrepaired"))
        .otherwise(pl.col("state"))
    )
    direction = pl.col("alliance_instrument").replace_strict(
        {key: one.direction for key, one in instruments.items()}, return_dtype=pl.Int64
    )
    return frame.with_columns(
        rupture=rupture,
        alliance_drop=(pl.col("alliance_reference") - pl.col("alliance_latest")) * direction,
        ceiling=pl.col("ceiling").fill_null(False),
    ).drop("as_of", "closed_on", "state", "unrated", "seen_on")
