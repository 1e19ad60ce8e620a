"""Mean and spread of alliance ratings per instrument, so that one model reads a practice that uses several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.instruments.instrument import Instrument

NORM_WEIGHT = 50  # project default: clients' worth of belief in the norm one starts from
SMALLEST_SD = 0.02  # on the 0-1 scale: a practice in which everybody rates alike has no spread to measure by
UNKNOWN = ""  # the norm of an instrument without one of its own


@dataclass(frozen=True)
class Norm:
    """Mean and SD of single ratings over clients and sessions, 0-1, higher better.

    The defaults are project defaults, near a WAI-SR item mean of 4 of 5. In validation a norm wrong by .1 in mean or by a third
    in spread cost one to two points of the share on day one and nothing once measured.
    """

    mean: float = 0.75
    sd: float = 0.144


Norms = dict[str, Norm]
DEFAULT_NORMS: Norms = {
    UNKNOWN: Norm(),
    "srs": Norm(0.88, 0.11),
}  # SRS: ratings pile up near 40 (science 4.5); project default


def stated_norms(instruments: dict[str, Instrument]) -> Norms:
    """The default norms and those of the alliance instruments that state a clinical mean and SD."""
    norms = dict(DEFAULT_NORMS)
    for key, one in instruments.items():
        if one.kind != "alliance" or one.mean_clinical is None or not one.sd_clinical:
            continue
        if one.minimum is None or one.maximum is None:
            continue
        width = one.maximum - one.minimum
        from_worst = one.mean_clinical - one.minimum if one.direction > 0 else one.maximum - one.mean_clinical
        norms[key] = Norm(from_worst / width, one.sd_clinical / width)
    return norms


def measured_norms(sessions: pl.DataFrame, start: Norms | None = None) -> Norms:
    """The practice's own norms, each blended with ``start`` (weight NORM_WEIGHT clients); endings are not needed.

    ``sessions``: episode_id, alliance, alliance_instrument, of every session known by the day, open episodes too. An
    instrument without ratings keeps the norm it starts from; ratings of an unnamed one measure UNKNOWN.
    """
    norms = dict(DEFAULT_NORMS if start is None else start)
    rated = sessions.select(
        "episode_id", pl.col("alliance").fill_nan(None), pl.col("alliance_instrument").fill_null(UNKNOWN)
    ).drop_nulls()
    found = rated.group_by("alliance_instrument").agg(
        pl.col("alliance").mean().alias("mean"),
        pl.col("alliance").var(ddof=0).alias("variance"),
        pl.col("episode_id").n_unique().alias("clients"),
    )
    for key, mean, variance, clients in found.sort("alliance_instrument").iter_rows():
        before = norms.get(key, norms[UNKNOWN])
        weight = clients / (clients + NORM_WEIGHT)
        # rounded so that the order of sums on another machine cannot make another model
        norms[key] = Norm(
            round(weight * mean + (1 - weight) * before.mean, 6),
            round(max((weight * variance + (1 - weight) * before.sd**2) ** 0.5, SMALLEST_SD), 6),
        )
    return norms


@dataclass(frozen=True)
class NormTables:
    """``code``: the instrument of each row; ``mean`` and ``sd``: a row per set of norms, a column per instrument."""

    code: NDArray[np.int64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]

    def of(
        self, which: NDArray[np.int64], rows: NDArray[np.int64] | slice = slice(None)
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and SD of some rows (else of all), each by the set ``which`` names."""
        return self.mean[which, self.code[rows]], self.sd[which, self.code[rows]]


def norm_tables(instrument: pl.Series, sets: Sequence[Norms]) -> NormTables:
    """The norms of every row's instrument by several sets; that of UNKNOWN where it has none or is null."""
    names = instrument.drop_nulls().unique().sort().to_list()
    places = {name: at for at, name in enumerate(names)}
    code = instrument.replace_strict(places, default=None, return_dtype=pl.Int64).fill_null(len(names)).to_numpy()
    found = [[norms.get(name, norms[UNKNOWN]) for name in [*names, UNKNOWN]] for norms in sets]
    mean, sd = (np.array([[getattr(one, part) for one in row] for row in found]) for part in ("mean", "sd"))
    return NormTables(code, mean, sd)
