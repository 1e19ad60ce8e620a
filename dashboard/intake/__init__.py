"""Files in: read, map, check, set aside, and hand over one clean batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Named
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from dashboard.errors import UnusableInput
from dashboard.harmless import HIDDEN, LONGEST_CELL, one_line
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.instruments.own import own_instruments, read_own
from dashboard.intake.batch import PLACE, REFUSED, SET_ASIDE, TABLES, Batch
from dashboard.intake.check import Checked, Day, checked, needed_columns
from dashboard.intake.fhir import FhirTables, KnownCare, is_fhir, read_fhir
from dashboard.intake.mapped import mapped_tables, sessions_of_scores
from dashboard.intake.mapping import Mapping, read_mapping
from dashboard.intake.read import OWN, Limits, RawTable, decoded, files_in, raw_tables
from dashboard.intake.repeats import check_ranges, settle_repeats
from dashboard.intake.sources import SourceTable, read_sources

__all__ = ["Batch", "KnownCare", "Limits", "checked_batch", "mapped_batch", "read_batch"]

Progress = Callable[[str, float], None] | None


def _known_columns(raw: RawTable) -> list[str]:
    """Names what is not used; raises UnusableInput where a required column is missing."""
    missing = [c for c in needed_columns(raw.name, raw.columns) if c not in raw.columns]
    if missing:
        raise UnusableInput(
            f"{raw.file}: the required column '{missing[0]}' is missing. Add it and import again. Nothing was imported."
        )
    return [c for c in raw.columns if c not in TABLES[raw.name]]


def _finished(name: str, table: Checked, instruments: dict[str, Instrument]) -> pl.DataFrame:
    if name == "scores":
        check_ranges(table, instruments)
    settle_repeats(table)
    return table.rows.select(*TABLES[name], *PLACE)


def _account(table: Checked, given: int, accepted: int) -> dict[str, Any]:
    """Rows of one table: given = accepted + set aside + repeated (the same row again, or a value that a later one replaced)."""
    refused = sum(int(part["table_name"].is_not_null().sum()) for part in table.aside)
    return {
        "table": table.name,
        "given": given,
        "accepted": accepted,
        "set_aside": refused,
        "repeated": given - accepted - refused,
    }


def _fhir(
    paths: list[Path],
    found: list[Path],
    limits: Limits,
    timezone: str,
    mapping: Mapping | None,
    known: Callable[[], KnownCare] | None,
    progress: Progress,
) -> FhirTables | None:
    """The FHIR files among those found; null where there is none."""
    files = [path for path in found if is_fhir(path)]
    if not files:
        return None

    def step(done: int) -> None:
        if progress:
            progress(f"Reading {files[done - 1].name}", 0.3 * done / len(files))

    return read_fhir(
        files, limits, timezone=timezone, codes=mapping.code if mapping else (), known=known() if known else None,
        in_folder=frozenset(files) - frozenset(paths), progress=step,
    )  # fmt: skip


def read_batch(
    paths: list[Path],
    *,
    today: date,
    timezone: str,
    mapping: str | Mapping | None,
    limits: Limits,
    known_instruments: dict[str, Instrument],
    known_care: Callable[[], KnownCare] | None = None,
    progress: Progress = None,
) -> Batch:
    """Reads and checks the files of one call; ``mapping`` is a name, a file or a mapping already read.

    ``known_care`` is asked for what earlier imports brought where FHIR files come.

    Raises UnusableInput where the call is refused: a path, file, encoding, column or size that cannot be used. Rows that break
    a rule are in ``set_aside``, never dropped unsaid.
    """
    own: list[dict[str, Any]] = []
    chosen = read_mapping(mapping) if isinstance(mapping, str) else mapping
    found = files_in(paths)
    for path in found:
        if path.name == OWN:
            own += read_own(decoded(path, path.name, limits), path.name)
    fhir = _fhir(paths, found, limits, timezone, chosen, known_care, progress)
    data = [path for path in found if path.name != OWN and not is_fhir(path)]
    files = [path.name for path in found]
    raws = list(fhir.tables) if fhir else []
    if chosen is not None and chosen.table:
        sources, ignored = read_sources(data, chosen, limits, progress)
        batch = mapped_batch(
            sources, chosen, own, today=today, timezone=timezone, known_instruments=known_instruments, files=files,
            ignored=ignored | (fhir.unused if fhir else {}), more=raws, aside=fhir.aside if fhir else None,
            progress=progress,
        )  # fmt: skip
    else:
        if chosen is not None:
            own += own_instruments(list(chosen.instrument), f"mapping {chosen.name}")
        for number, path in enumerate(data, start=1):
            raws += raw_tables(path, limits)
            if progress:
                progress(f"Reading {path.name}", 0.3 * number / len(data))
        batch = checked_batch(
            raws, own, today=today, timezone=timezone, known_instruments=known_instruments, files=files,
            ignored=fhir.unused if fhir else None, aside=fhir.aside if fhir else None, progress=progress,
        )  # fmt: skip
    if fhir is None:
        return batch
    told = [
        {name: one_line(value) if isinstance(value, str) else value for name, value in code.items()}
        for code in fhir.unmapped
    ]
    return replace(batch, unmapped=told, stands_for=fhir.stands_for)


def mapped_batch(
    sources: Named[str, SourceTable],
    mapping: Mapping,
    own: list[dict[str, Any]],
    *,
    today: date,
    timezone: str,
    known_instruments: dict[str, Instrument],
    files: list[str],
    ignored: dict[str, list[str]] | None = None,
    more: Sequence[RawTable] = (),
    aside: pl.DataFrame | None = None,
    progress: Progress = None,
) -> Batch:
    """A batch from source tables through a mapping, whatever they were read from; ``more`` and ``aside`` come beside them.

    Raises UnusableInput where a source or column that the mapping names is not there.
    """
    own = own + own_instruments(list(mapping.instrument), f"mapping {mapping.name}")
    mapped = mapped_tables(sources, mapping)
    refused = mapped.aside if aside is None else pl.concat([aside, mapped.aside], how="diagonal")
    batch = checked_batch(
        [*more, *mapped.tables], own, today=today, timezone=timezone, known_instruments=known_instruments,
        files=files, ignored=(ignored or {}) | mapped.absent, aside=refused,
        progress=progress,
    )  # fmt: skip
    batch.accounts.extend(asdict(tally) for tally in mapped.tallies)
    if mapping.derive.sessions == "from_scores" and "scores" in batch.tables:
        derived = sessions_of_scores(batch.tables["scores"]).select(*TABLES["appointments"], *PLACE)
        appointments = batch.tables.get("appointments")
        batch.tables["appointments"] = derived if appointments is None else pl.concat([appointments, derived])
        batch.rows_in["appointments"] = batch.rows_in.get("appointments", 0) + derived.height
    return batch


def checked_batch(
    raws: list[RawTable],
    own: list[dict[str, Any]],
    *,
    today: date,
    timezone: str,
    known_instruments: dict[str, Instrument],
    files: list[str],
    ignored: dict[str, list[str]] | None = None,
    aside: pl.DataFrame | None = None,
    progress: Progress = None,
) -> Batch:
    """Types, rules and repeats of raw tables in our columns. Raises UnusableInput where a required column is missing."""
    ignored = dict(ignored or {})
    parts_aside = [pl.DataFrame(schema={**SET_ASIDE, **REFUSED}), *([] if aside is None else [aside])]
    instruments = known_instruments | {key: one for key, one in registry(own).items() if key in {o["key"] for o in own}}
    day = Day(today, timezone)
    tables: dict[str, pl.DataFrame] = {}
    rows_in: dict[str, int] = {}
    repeated: dict[str, int] = {}
    accounts: list[dict[str, Any]] = []
    for name in TABLES:
        parts = [raw for raw in raws if raw.name == name]
        if not parts:
            continue
        for raw in parts:
            if unknown := _known_columns(raw):
                ignored[raw.file] = unknown
            parts_aside.append(raw.ragged)
        rows = pl.concat(
            [raw.rows.select(c for c in raw.rows.columns if c in TABLES[name] or c in PLACE) for raw in parts],
            how="diagonal",
        )
        table = checked(name, rows, day)
        tables[name] = _finished(name, table, instruments)
        rows_in[name] = rows.height + sum(raw.ragged.height for raw in parts)
        repeated[name] = table.repeated
        parts_aside += table.aside
        accounts.append(_account(table, rows.height, tables[name].height))
        if progress:
            progress(f"Checking {name}", 0.4)
    aside = pl.concat(parts_aside, how="diagonal").with_columns(
        pl.col("file", "column", "value").str.head(2 * LONGEST_CELL).str.replace_all(HIDDEN, "").str.head(LONGEST_CELL)
    )
    return Batch(tables, own, aside, files, ignored, rows_in, repeated, accounts)
