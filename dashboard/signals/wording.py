"""Numbers, days and instrument names as people read them, as Polars expressions."""

from __future__ import annotations

import polars as pl

from dashboard.instruments.instrument import Instrument

MOST, TWENTIETHS_FROM, LEAST = 0.975, 1 / 7, 1 / 200


def day(column: str) -> pl.Expr:
    """20 Nov 2026."""
    return pl.col(column).dt.strftime("%-d %b %Y")


def number(expression: pl.Expr) -> pl.Expr:
    """Whole where it is whole, else one decimal; a true minus sign."""
    rounded = expression.round(1)
    whole = rounded.cast(pl.Int64, strict=False).cast(pl.String)
    text = pl.when(rounded == rounded.round(0)).then(whole).otherwise(rounded.cast(pl.String))
    return text.str.replace("-", "−", literal=True)


def frequency(chance: float | None) -> str:
    """A chance in natural numbers: about 3 in 20, about 1 in 14; never a bare percentage. Empty for none.

    From one in seven on twentieths, which can be told apart; below it one in so many.
    """
    if chance is None:
        return ""
    if chance >= MOST:
        return "about 19 in 20 or more"
    if chance >= TWENTIETHS_FROM:
        return f"about {round(chance * 20)} in 20"
    return f"about 1 in {round(1 / chance)}" if chance >= LEAST else "fewer than 1 in 200"


def in_frequency(chance: pl.Expr, *, capital: bool = False) -> pl.Expr:
    """``frequency`` of a column; null stays null."""
    said = chance.map_elements(frequency, return_dtype=pl.String)
    return said.str.slice(0, 1).str.to_uppercase() + said.str.slice(1) if capital else said


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
