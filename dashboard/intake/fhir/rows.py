"""What is kept of a resource while the files are read: a few plain cells in columns, never the resource itself."""

from __future__ import annotations

from typing import Any

import polars as pl

WHO = {"rid": pl.String(), "version": pl.Int64(), "updated": pl.String(), "file": pl.String(), "line": pl.Int64()}
PATIENTS = {**WHO, "birth": pl.String(), "gender": pl.String(), "practitioner": pl.String(), "replaced_by": pl.String()}
PRACTITIONERS = {**WHO, "name": pl.String()}
ROLES = {**WHO, "practitioner": pl.String()}
EPISODES = {
    **WHO, "patient": pl.String(), "practitioner": pl.String(), "shown": pl.String(), "status": pl.String(),
    "start": pl.String(), "end": pl.String(),
}  # fmt: skip
VISITS = {
    **WHO, "patient": pl.String(), "practitioner": pl.String(), "shown": pl.String(), "status": pl.String(),
    "reason": pl.String(), "starts": pl.String(), "created": pl.String(), "mode": pl.String(), "klass": pl.String(),
    "appointment": pl.String(), "episode": pl.String(), "part_of": pl.String(),
}  # fmt: skip
# a resource with scores; `unit` ties its VALUES to it
UNITS = {
    **WHO, "unit": pl.Int64(), "patient": pl.String(), "practitioner": pl.String(), "shown": pl.String(),
    "status": pl.String(), "context": pl.String(), "taken": pl.String(), "issued": pl.String(), "rater": pl.String(),
}  # fmt: skip
# `codes`: system|code of every coding, by line feeds; `number` null where only an answer code says what it is worth
VALUES = {
    "unit": pl.Int64(), "codes": pl.String(), "questionnaire": pl.String(), "link": pl.String(),
    "number": pl.String(), "answer": pl.String(), "fault": pl.String(),
}  # fmt: skip
CHUNK = 100_000


class Rows:
    """A table that grows by rows and is kept by columns."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """Empty."""
        self.schema = schema
        self.waiting: list[tuple[Any, ...]] = []
        self.done: list[pl.DataFrame] = [pl.DataFrame(schema=schema)]

    def add(self, row: tuple[Any, ...]) -> None:
        """One row, in the order of the schema."""
        self.waiting.append(row)
        if len(self.waiting) >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        if self.waiting:
            columns = zip(self.schema.items(), zip(*self.waiting, strict=True), strict=True)
            self.done.append(pl.DataFrame([pl.Series(name, cells, dtype=kind) for (name, kind), cells in columns]))
            self.waiting.clear()

    def frame(self) -> pl.DataFrame:
        """All rows so far, in order."""
        self._flush()
        return pl.concat(self.done)
