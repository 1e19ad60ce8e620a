"""A dry run of a draft: the same mapping, checks and storing as an import, in a transaction that is taken back."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Named
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Engine

from dashboard.access import Role, Viewer, check_can_import, counting_scope, operator_scope
from dashboard.importing import ImportReport, import_batch
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.intake import mapped_batch
from dashboard.intake.batch import SET_ASIDE, TABLES, Batch
from dashboard.intake.mapping import Mapping
from dashboard.intake.sources import SourceTable
from dashboard.settings import Settings
from queries import load, practices
from queries.acting import widening
from queries.engine import reading, writing
from queries.store import store_batch

EXAMPLES = 3  # of each reason
WITHHELD = "the value breaks a rule (withheld)"


@dataclass(frozen=True)
class Reason:
    """Why rows were set aside: how many, from which file and column, with a few of them as (line, value)."""

    file: str
    column: str
    reason: str
    rows: int
    examples: tuple[tuple[int | None, str | None], ...]


@dataclass(frozen=True)
class Trial:
    """``counts`` as an import would report them by table, ``accepted`` rows after mapping and checks, and every reason."""

    counts: dict[str, dict[str, int]]
    accepted: dict[str, int]
    reasons: tuple[Reason, ...]
    set_aside: int


def known_instruments(engine: Engine, viewer: Viewer) -> dict[str, Instrument]:
    """The built-in instruments and the practice's own."""
    check_can_import(viewer.role)
    with reading(engine) as connection:
        return registry(load.own_instruments(connection, counting_scope(viewer)))


def _batch(
    engine: Engine,
    settings: Settings,
    viewer: Viewer,
    tables: Named[str, SourceTable],
    mapping: Mapping,
    files: list[str],
    now: datetime,
) -> Batch:
    return mapped_batch(
        {name: table for name, table in tables.items() if name in mapping.sources}, mapping, [], today=now.date(),
        timezone=settings.timezone, known_instruments=known_instruments(engine, viewer), files=files,
    )  # fmt: skip


def load_tables(
    engine: Engine,
    settings: Settings,
    viewer: Viewer,
    tables: Named[str, SourceTable],
    mapping: Mapping,
    *,
    files: list[str],
    source: str,
    now: datetime,
    progress: Callable[[str, float], None] | None = None,
) -> ImportReport:
    """Imports these tables through this mapping, as `supervision import --mapping` does with their files; audited.

    Raises NotAllowed for who may not import, UnusableInput where the call is refused, SupervisionError where the database fails.
    """
    check_can_import(viewer.role)
    batch = _batch(engine, settings, viewer, tables, mapping, files, now)
    with reading(engine) as connection:
        practice = practices.name_of(connection, viewer.practice_id)
    with widening(operator_scope(viewer.practice_id)):
        return import_batch(
            engine, settings, batch, practice=practice, source=source, username=viewer.username, now=now,
            progress=progress, purpose=viewer.purpose,
        )  # fmt: skip


def try_out(
    engine: Engine,
    settings: Settings,
    viewer: Viewer,
    tables: Named[str, SourceTable],
    mapping: Mapping,
    *,
    source: str,
    now: datetime,
) -> Trial:
    """What importing these tables through this mapping would do; nothing is written. Values are withheld from administrators.

    Raises NotAllowed for who may not import, UnusableInput where the call would be refused.
    """
    check_can_import(viewer.role)
    batch = _batch(engine, settings, viewer, tables, mapping, sorted(tables), now)
    with widening(operator_scope(viewer.practice_id)), writing(engine) as connection:
        result = store_batch(
            connection, viewer.practice_id, source, batch, today=now.date(), now=now, username=viewer.username
        )
        connection.rollback()
    return Trial(
        result.counts,
        {name: table.height for name, table in batch.tables.items()},
        _reasons(result.set_aside, masked=viewer.role is Role.ADMIN),
        result.set_aside.height,
    )


def _reasons(aside: pl.DataFrame, *, masked: bool) -> tuple[Reason, ...]:
    rows = aside.select(*SET_ASIDE).with_columns(pl.col("column").fill_null(""))
    if masked:
        # a reason may name a value: between quotation marks, or numbers of a client's own
        said = pl.col("reason")
        rows = rows.with_columns(
            value=pl.when(pl.col("value").is_not_null()).then(pl.lit("•••")),
            reason=pl.when(said.str.contains("'|differs from its items")).then(pl.lit(WITHHELD)).otherwise(said),
        )
    grouped = (
        rows.group_by("file", "column", "reason", maintain_order=True)
        .agg(pl.len().alias("rows"), pl.col("line").head(EXAMPLES), pl.col("value").head(EXAMPLES))
        .sort(["rows", "file", "column", "reason"], descending=[True, False, False, False])
    )
    return tuple(_reason(row) for row in grouped.iter_rows(named=True))


def _reason(row: dict[str, Any]) -> Reason:
    examples = tuple(zip(row["line"], row["value"], strict=True))
    return Reason(row["file"], row["column"], row["reason"], row["rows"], examples)


def tables_in_order(trial: Trial) -> list[str]:
    """The tables that a trial touched, as our files are listed."""
    return [name for name in TABLES if name in trial.counts]
