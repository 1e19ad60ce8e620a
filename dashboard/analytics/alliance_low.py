"""Whether a client's ratings so far are low for this practice: the mean shrunken by how few they are (science 7, F1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.alliance_filter import ERROR, LEVEL, WOBBLE
from dashboard.analytics.alliance_norms import Norms, norm_tables

TENTH = -1.2816  # standard normal: one in ten lies below
RATINGS = 2  # science 4.2: a client's own level needs two ratings


def low_below(frame: pl.DataFrame, sets: Sequence[Norms], which: NDArray[np.int64]) -> pl.Series:
    """The mean of ratings so far (0-1, higher better) at or below which it is low, each row by the norms ``which`` names.

    ``frame``: alliance_instrument, alliance_scores. A mean of n ratings is drawn towards the practice's by
    LEVEL / (LEVEL + (WOBBLE + ERROR) / n): the share of it that is the client's own level. It is low where the drawn mean lies
    at or below the level under which one client in ten lies. Null under two ratings. The norm is the instrument's, or that of
    an unknown one.
    """
    mean, sd = norm_tables(frame["alliance_instrument"], sets).of(which)
    own = LEVEL / (LEVEL + (WOBBLE + ERROR) / pl.col("alliance_scores"))
    limit = pl.lit(pl.Series(mean)) + TENTH * pl.lit(pl.Series(sd)) * LEVEL**0.5 / own
    return frame.select(
        pl.when(pl.col("alliance_instrument").is_not_null() & (pl.col("alliance_scores") >= RATINGS))
        .then(limit.clip(0, 1).round(9))
        .alias("alliance_low_below")
    ).to_series()
