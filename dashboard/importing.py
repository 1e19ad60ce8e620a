"""A practice's data into the database: read, check, store, evaluate. All or nothing per call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine

from dashboard.access import operator_scope
from dashboard.evaluation import evaluate
from dashboard.harmless import one_line
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.intake import Batch, KnownCare, Limits, read_batch
from dashboard.intake.mapping import Mapping
from dashboard.saved_mappings import find_mapping
from dashboard.settings import Settings
from dashboard.typed import checked_name
from queries import audit, care, load, practices
from queries.engine import reading, writing
from queries.store import store_batch

Progress = Callable[[str, float], None]
SHOWN_COLUMNS = 40  # columns of a file that are named; the report has them all
TOLD = ("new", "changed", "unchanged", "waiting", "set_aside", "had_waited")


@dataclass(frozen=True)
class ImportReport:
    """What one import did. ``set_aside`` counts the rows of this call that were not taken in as given.

    Of each table in ``counts``: new + changed + unchanged + waiting + set_aside = rows_in + had_waited, where rows_in are the
    rows that the files held and had_waited those of earlier calls that were taken in now.
    """

    practice: str
    source: str
    dry_run: bool
    import_id: int | None
    files: list[str]
    counts: dict[str, dict[str, int]]
    set_aside: int
    set_aside_rows: list[dict[str, Any]]
    ignored_columns: dict[str, list[str]]
    accounts: list[dict[str, Any]] = field(default_factory=list)
    unmapped: list[dict[str, Any]] = field(default_factory=list)
    signals: str | None = None
    kept_rows: int = field(default=20)

    @property
    def count_lines(self) -> list[str]:
        """What was done in counts, without a value of any row: for somebody who may not see client data."""
        lines = []
        for table, count in self.counts.items():
            words = [f"{count[kind]:,} {kind.replace('_', ' ')}" for kind in TOLD if count.get(kind)]
            if words:
                lines.append(f"{table}: {', '.join(words)}")
        if not any(count.get("new") or count.get("changed") for count in self.counts.values()):
            lines.insert(0, "Nothing new: what these files say was here already.")
        if self.dry_run:
            lines.insert(0, "Dry run: nothing was written.")
        for one in self.accounts:
            if one.get("not_meant"):
                lines.append(f"{one['file']}: {one['not_meant']:,} rows are not meant for {one['table']}.")
        if self.set_aside:
            lines.append(f"{self.set_aside:,} rows were set aside or reported.")
        return lines

    @property
    def summary_lines(self) -> list[str]:
        """For the terminal and the upload form."""
        lines = self.count_lines
        for file, columns in sorted(self.ignored_columns.items()):
            more = f" and {len(columns) - SHOWN_COLUMNS:,} more" if len(columns) > SHOWN_COLUMNS else ""
            lines.append(f"{file}: not used: {', '.join(one_line(c, 80) for c in columns[:SHOWN_COLUMNS])}{more}")
        lines += unmapped_lines(self.unmapped, self.kept_rows)
        if self.set_aside:
            for row in self.set_aside_rows[: self.kept_rows]:
                where = f"{row['file']}" + (f" line {row['line']}" if row["line"] else "")
                column = f", {row['column']}" if row["column"] else ""
                said = one_line(f"{where}{column}: {row['reason']}")
                lines.append(f"  {said}")
            if self.set_aside > self.kept_rows:
                lines.append("  … the rest: supervision export set_aside")
        if self.signals:
            lines.append(self.signals)
        if self.import_id is not None:
            lines.append(f"This is import number {self.import_id}.")
        return lines

    def as_json(self) -> dict[str, Any]:
        """For ``--report``."""
        return {
            "practice": self.practice,
            "source": self.source,
            "dry_run": self.dry_run,
            "import_id": self.import_id,
            "files": self.files,
            "counts": self.counts,
            "set_aside": self.set_aside,
            "set_aside_rows": self.set_aside_rows,
            "ignored_columns": self.ignored_columns,
            "accounts": self.accounts,
            "unmapped": self.unmapped,
        }


def known_instruments(engine: Engine, settings: Settings, practice: str | None) -> dict[str, Instrument]:
    """The instruments that a batch may name: the built-in ones and the practice's own."""
    with reading(engine) as connection:
        known = practices.find_or_none(connection, practice, settings.practice)
        return registry(load.own_instruments(connection, operator_scope(known)) if known is not None else [])


def unmapped_lines(unmapped: list[dict[str, Any]], most: int) -> list[str]:
    """Codes of FHIR files that nobody mapped, the most frequent first, and what to do about them."""
    if not unmapped:
        return []
    lines = [f"Codes that are not mapped to an instrument ({len(unmapped):,}); a [[code]] in a mapping file does it:"]
    for one in unmapped[:most]:
        code = f"{one['system']} {one['code']}".strip()
        link = f"{one['questionnaire']} linkId {one['link_id']}".strip() if one["link_id"] else ""
        lines.append(f"  {' '.join((link or code or '(no code)').split())[:160]}: {one['count']:,}")
    if len(unmapped) > most:
        lines.append("  … the rest: supervision import --report FILE.json")
    return lines


def _known_care(engine: Engine, settings: Settings, practice: str | None, source: str) -> KnownCare:
    with reading(engine) as connection:
        known = practices.find_or_none(connection, practice, settings.practice)
        return KnownCare() if known is None else care.known_care(connection, operator_scope(known), source)


def mapping_named(engine: Engine, settings: Settings, practice: str | None, name: str) -> Mapping:
    """A mapping by name or file: shipped, a file, or one that the practice saved. Raises UnusableInput where there is none."""
    with reading(engine) as connection:
        known = practices.find_or_none(connection, practice, settings.practice)
        return find_mapping(connection, None if known is None else operator_scope(known), name)


def import_files(
    engine: Engine,
    settings: Settings,
    *,
    practice: str | None,
    paths: list[Path],
    source: str = "files",
    mapping: str | Mapping | None = None,
    dry_run: bool = False,
    username: str | None,
    purpose: str | None = None,
    now: datetime,
    progress: Progress | None = None,
) -> ImportReport:
    """Reads, checks and stores the files in one transaction, then evaluates the episodes they touched.

    Raises UnusableInput where the call is refused (nothing written) and SupervisionError where the database fails.
    """
    if progress:
        progress("Reading files", 0.05)
    chosen = mapping_named(engine, settings, practice, mapping) if isinstance(mapping, str) else mapping
    batch = read_batch(
        paths,
        today=now.date(),
        timezone=settings.timezone,
        mapping=chosen,
        limits=Limits(unpacked_mb=settings.max_unpacked_mb),
        known_instruments=known_instruments(engine, settings, practice),
        known_care=lambda: _known_care(engine, settings, practice, source),
        progress=progress,
    )
    return import_batch(
        engine, settings, batch, practice=practice, source=source, dry_run=dry_run, username=username, now=now,
        purpose=purpose, progress=progress,
    )  # fmt: skip


def import_batch(
    engine: Engine,
    settings: Settings,
    batch: Batch,
    *,
    practice: str | None,
    source: str,
    kind: str = "files",
    origin: str | None = None,
    dry_run: bool = False,
    username: str | None,
    purpose: str | None = None,
    now: datetime,
    progress: Progress | None = None,
    alongside: Callable[[Connection, int], None] | None = None,
) -> ImportReport:
    """Stores a checked batch of any origin in one transaction, then evaluates the episodes it touched.

    ``kind`` as import.kind; ``origin`` is what the audit says instead of the file names; ``alongside`` (connection, practice_id)
    writes in the same transaction. Raises SupervisionError where the database fails.
    """

    def step(what: str, share: float) -> None:
        if progress:
            progress(what, share)

    checked_name(source, "a source")
    step("Storing", 0.5)
    with writing(engine) as connection:
        practice_id = practices.ensure_practice(connection, practice or settings.practice, now, single=practice is None)
        result = store_batch(
            connection, practice_id, source, batch, today=now.date(), now=now, username=username, kind=kind
        )
        name = practices.name_of(connection, practice_id)
        if not dry_run:
            if alongside is not None:
                alongside(connection, practice_id)
            names = origin or ", ".join(Path(f).name for f in batch.files)
            audit.record(
                connection,
                at=now,
                practice_id=practice_id,
                username=username or "operator",
                purpose=purpose,
                action="import",
                detail=one_line(f"{source}: {names}"),
            )
        else:
            connection.rollback()
    signals = None
    if not dry_run:
        step("Evaluating", 0.8)
        touched = None if result.rules_touched else sorted(result.touched_episode_ids)
        signals = evaluate(
            engine,
            settings,
            practice_id,
            as_of=now.date(),
            now=now,
            touched=touched,
            import_before=result.import_before,
        ).line
    step("Done", 1.0)
    reported: pl.DataFrame = result.set_aside
    return ImportReport(
        practice=name,
        source=source,
        dry_run=dry_run,
        import_id=None if dry_run else result.import_id,
        files=[Path(f).name for f in batch.files],
        counts=result.counts,
        set_aside=reported.height,
        set_aside_rows=reported.select("file", "line", "column", "value", "reason").to_dicts(),
        ignored_columns=batch.ignored_columns,
        accounts=batch.accounts,
        unmapped=batch.unmapped,
        signals=signals,
    )
