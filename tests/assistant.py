"""Small invented sources for the import assistant's tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from dashboard.assist.profile import Source


def source(stem: str, columns: Mapping[str, Sequence[str | None]]) -> Source:
    """A file of text cells as the assistant holds it."""
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String()))
    placed = frame.with_columns(file=pl.lit(f"{stem}.csv"), line=pl.int_range(pl.len(), dtype=pl.Int64) + 2)
    return Source(stem, f"{stem}.csv", list(columns), placed)


def wide_survey(rows: int = 30) -> dict[str, list[str]]:
    """Twelve items answered in words, a check of attention, a client and a week."""
    words = ("Never", "Sometimes", "Fairly often", "Very often", "Always")
    made = {"client": [f"{n % 6:03d}" for n in range(rows)], "week": [str(n // 6 + 1) for n in range(rows)]}
    for item in range(1, 13):
        if item == 7:
            made["To show that you read this, please choose Never"] = [
                "Never" if n % 10 else "Always" for n in range(rows)
            ]
        made[f"Statement {'ABCDEFGHIJKL'[item - 1]}"] = [words[(n * item) % 5] for n in range(rows)]
    return made
