"""Whether a client's ratings so far are low for this practice: the mean shrunken by how few they are (science 7, F1)."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.alliance_filter import ERROR, LEVEL, WOBBLE
from dashboard.analytics.alliance_norms import UNKNOWN, Norms

TENTH = -1.2816  # standard normal: one in ten lies below
RATINGS = 2  # science 4.2: a client's own level needs two ratings


def low_below(norms: Norms) -> pl.Expr:
    """The mean of ratings so far (0-1, higher better) at or below which it is low; needs alliance_instrument, alliance_scores.

    A mean of n ratings is drawn towards the practice's by LEVEL / (LEVEL + (WOBBLE + ERROR) / n): the share of it that is the
    client's own level. It is low where the drawn mean lies at or below the level under which one client in ten lies. Null under
    two ratings. The norm is the instrument's, or that of an unknown one.
    """

    def of(name: str) -> pl.Expr:
        known = {key: float(getattr(one, name)) for key, one in norms.items() if key != UNKNOWN}
        return pl.col("alliance_instrument").replace_strict(
            known, default=float(getattr(norms[UNKNOWN], name)), return_dtype=pl.Float64
        )

    own = LEVEL / (LEVEL + (WOBBLE + ERROR) / pl.col("alliance_scores"))
    limit = of("mean") + TENTH * of("sd") * LEVEL**0.5 / own
    return pl.when(pl.col("alliance_instrument").is_not_null() & (pl.col("alliance_scores") >= RATINGS)).then(
        limit.clip(0, 1).round(9)
    )
