"""What was not taken in as given, and why: the reports of one FHIR call."""

from __future__ import annotations

import polars as pl

from dashboard.intake.batch import SET_ASIDE


class Aside:
    """SET_ASIDE rows as they come, and counts of what is left alone by design."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.parts: list[pl.DataFrame] = [pl.DataFrame(schema=SET_ASIDE)]
        self.rows: list[tuple[str, int | None, str | None, str | None, str]] = []
        self.unused: dict[str, dict[str, int]] = {}

    def say(self, file: str, line: int | None, column: str | None, value: str | None, reason: str) -> None:
        """One row."""
        self.rows.append((file, line, column, None if value is None else value[:200], reason))

    def leave(self, file: str, what: str, count: int = 1) -> None:
        """Counts what the program does not read, by file."""
        counts = self.unused.setdefault(file, {})
        counts[what] = counts.get(what, 0) + count

    def leave_all(self, frame: pl.DataFrame, what: str) -> None:
        """Counts rows that are left alone."""
        for file, count in frame.group_by("file").len().sort("file").iter_rows():
            self.leave(file, what, count)

    def report(self, frame: pl.DataFrame, column: str | None, value: str | None, reason: str | pl.Expr) -> None:
        """Rows of a frame with file and line; ``value`` is the column whose text is shown."""
        if frame.is_empty():
            return
        shown = pl.lit(None, dtype=pl.String) if value is None else pl.col(value).cast(pl.String).str.slice(0, 200)
        self.parts.append(
            frame.select(
                "file",
                "line",
                pl.lit(column, dtype=pl.String).alias("column"),
                shown.alias("value"),
                (pl.lit(reason) if isinstance(reason, str) else reason).alias("reason"),
            ).cast(pl.Schema(SET_ASIDE))
        )

    def frame(self) -> pl.DataFrame:
        """All of it as SET_ASIDE."""
        return pl.concat([*self.parts, pl.DataFrame(self.rows, schema=SET_ASIDE, orient="row")])

    def unused_words(self) -> dict[str, list[str]]:
        """By file: what was left alone, with counts."""
        return {
            file: [f"{count:,} {what}" for what, count in sorted(counts.items())]
            for file, counts in sorted(self.unused.items())
        }
