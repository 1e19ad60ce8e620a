"""Files in: read, map, check, set aside, and hand over one clean batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from dashboard.errors import UnusableInput
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.instruments.own import own_instruments, read_own
from dashboard.intake.batch import PLACE, REFUSED, SET_ASIDE, TABLES, Batch
from dashboard.intake.check import Checked, Day, checked, needed_columns
from dashboard.intake.fhir import FhirTables, KnownCare, is_fhir, read_fhir
from dashboard.intake.mapped import mapped_tables, sessions_of_scores
from dashboard.intake.mapping import Mapping, read_mapping
from dashboard.intake.read import OWN, Limits, RawTable, decoded, files_in, raw_tables, source_table, stem_of
from dashboard.intake.repeats import check_ranges, settle_repeats

__all__ = ["Batch", "KnownCare", "Limits", "read_batch"]

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
    mapping: str | None,
    limits: Limits,
    known_instruments: dict[str, Instrument],
    known_care: Callable[[], KnownCare] | None = None,
    progress: Progress = None,
) -> Batch:
    """Reads and checks the files of one call. ``known_care`` is asked for what earlier imports brought where FHIR files come.

    Raises UnusableInput where the call is refused: a path, file, encoding, column or size that cannot be used. Rows that break
    a rule are in ``set_aside``, never dropped unsaid.
    """
    own: list[dict[str, Any]] = []
    ignored: dict[str, list[str]] = {}
    chosen = None if mapping is None else read_mapping(mapping)
    found = files_in(paths)
    files = [path.name for path in found]
    raws: list[RawTable] = []
    sources: dict[str, tuple[list[str], pl.DataFrame, pl.DataFrame]] = {}
    for number, path in enumerate(found, start=1):
        if path.name == OWN:
            own += read_own(decoded(path, path.name, limits), path.name)
            continue
        if is_fhir(path):
            continue
        if chosen is None or not chosen.table:
            raws += raw_tables(path, limits)
        elif stem_of(path) in chosen.sources:
            sources[stem_of(path)] = source_table(path, limits)
        elif stem_of(path) not in chosen.unused:
            ignored[path.name] = ["the whole file: the mapping does not name it"]
        if progress:
            progress(f"Reading {path.name}", 0.3 * number / len(found))
    aside = [pl.DataFrame(schema={**SET_ASIDE, **REFUSED})]
    if chosen is not None:
        own += own_instruments(list(chosen.instrument), f"mapping {chosen.name}")
        made, ragged = mapped_tables(sources, chosen)
        raws += made
        aside.append(ragged)
    if (fhir := _fhir(paths, found, limits, timezone, chosen, known_care, progress)) is not None:
        raws += fhir.tables
        aside.append(fhir.aside)
        ignored |= fhir.unused
    instruments = known_instruments | {key: one for key, one in registry(own).items() if key in {o["key"] for o in own}}
    day = Day(today, timezone)
    tables: dict[str, pl.DataFrame] = {}
    rows_in: dict[str, int] = {}
    repeated: dict[str, int] = {}
    for name in TABLES:
        parts = [raw for raw in raws if raw.name == name]
        if not parts:
            continue
        for raw in parts:
            if unknown := _known_columns(raw):
                ignored[raw.file] = unknown
            aside.append(raw.ragged)
        rows = pl.concat(
            [raw.rows.select(c for c in raw.rows.columns if c in TABLES[name] or c in PLACE) for raw in parts],
            how="diagonal",
        )
        table = checked(name, rows, day)
        tables[name] = _finished(name, table, instruments)
        rows_in[name] = rows.height + sum(raw.ragged.height for raw in parts)
        repeated[name] = table.repeated
        aside += table.aside
        if progress:
            progress(f"Checking {name}", 0.4)
    if chosen is not None and chosen.derive.sessions == "from_scores" and "scores" in tables:
        derived = sessions_of_scores(tables["scores"]).select(*TABLES["appointments"], *PLACE)
        tables["appointments"] = pl.concat([tables["appointments"], derived]) if "appointments" in tables else derived
        rows_in["appointments"] = rows_in.get("appointments", 0) + derived.height
    batch = Batch(tables, own, pl.concat(aside, how="diagonal"), files, ignored, rows_in, repeated)
    return batch if fhir is None else replace(batch, unmapped=fhir.unmapped, stands_for=fhir.stands_for)
