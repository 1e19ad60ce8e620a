"""Numbers, days and instrument names as people read them, as Polars expressions."""

from __future__ import annotations

import polars as pl

from dashboard.instruments.instrument import Instrument


def day(column: str) -> pl.Expr:
    """20 Nov 2026."""
    return pl.col(column).dt.strftime("%-d %b %Y")


def number(expression: pl.Expr) -> pl.Expr:
    """Whole where it is whole, else one decimal; a true minus sign."""
    rounded = expression.round(1)
    whole = rounded.cast(pl.Int64, strict=False).cast(pl.String)
    text = pl.when(rounded == rounded.round(0)).then(whole).otherwise(rounded.cast(pl.String))
    return text.str.replace("-", "−", literal=True)


def in_frequency(chance: pl.Expr, *, capital: bool = False) -> pl.Expr:
    """A chance in natural numbers: about 3 in 20, about 1 in 14; never a bare percentage. Null stays null.

    From one in seven on twentieths, which can be told apart; below it one in so many.
    """
    about = "About" if capital else "about"
    twentieths = pl.max_horizontal((chance * 20).round(0), pl.lit(1.0)).cast(pl.Int64)
    one_in = (1 / chance).round(0).cast(pl.Int64, strict=False)
    return (
        pl.when(chance >= 0.975)
        .then(pl.lit(f"{about} 19 in 20 or more"))
        .when(chance >= 1 / 7)
        .then(pl.format(about + " {} in 20", twentieths))
        .when(chance >= 1 / 200)
        .then(pl.format(about + " 1 in {}", one_in))
        .when(chance.is_not_null())
        .then(pl.lit("fewer than 1 in 200" if not capital else "Fewer than 1 in 200"))
    )


def name(column: str, instruments: dict[str, Instrument]) -> pl.Expr:
    """The short name of an instrument, such as PHQ-9."""
    return pl.col(column).replace_strict(
        {key: short_name(one) for key, one in instruments.items()}, default=pl.col(column), return_dtype=pl.String
    )


SHORT = {
    "phq9": "PHQ-9",
    "gad7": "GAD-7",
    "core10": "CORE-10",
    "coreom": "CORE-OM",
    "oq452": "OQ-45",
    "ors": "ORS",
    "who5": "WHO-5",
    "wsas": "WSAS",
    "pcl5": "PCL-5",
    "k10": "K10",
    "dass21": "DASS-21",
    "wai_sr": "WAI-SR",
    "wai_sr_t": "WAI-SR therapist",
    "wai_36": "WAI",
    "srs": "SRS",
    "sai": "SAI",
    "arm5": "ARM-5",
    "arm12": "ARM-12",
    "haq2": "HAQ-II",
    "calpas": "CALPAS",
}


def short_name(one: Instrument) -> str:
    """The abbreviation the field uses; a practice's own instrument goes by its name."""
    return SHORT.get(one.key, one.name)
