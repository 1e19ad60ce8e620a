"""Another system's database into ours through a mapping: read only, from the last mark on, with the same checks as files."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Engine

from dashboard.errors import UnusableInput
from dashboard.importing import ImportReport, Progress, import_batch, known_instruments
from dashboard.intake import mapped_batch
from dashboard.intake.mapping import Mapping
from dashboard.intake.references import columns_read
from dashboard.intake.sources import SourceTable
from dashboard.settings import Settings
from queries import practices
from queries.engine import reading
from queries.source import address_of, reading_source
from queries.sync_marks import keep_marks, marks

DEFAULT_SOURCE = "sync"


def _since(mark: str, overlap_days: int, table: str) -> str:
    """The mark, or the same time some days earlier in the same writing."""
    if not overlap_days:
        return mark
    earlier = timedelta(days=overlap_days)
    try:
        if len(mark) == len("2026-01-31"):
            return (date.fromisoformat(mark) - earlier).isoformat()
        return (datetime.fromisoformat(mark) - earlier).isoformat(sep=mark[10])
    except (ValueError, OverflowError):
        raise UnusableInput(
            f"overlap_days of '{table}' needs a watermark of days or times, and its column holds '{mark[:40]}'. "
            "Remove it from the mapping. Nothing was imported."
        ) from None


def _starts(mapping: Mapping, found: dict[str, str]) -> dict[str, str]:
    """Where reading may begin, by table. A table that others are joined to is read whole: its old rows are still asked for."""
    joined = {join.file.lower() for target in mapping.table for join in target.join}
    return {
        name.lower(): _since(found[name.lower()], one.overlap_days, name)
        for name, one in mapping.watermark.items()
        if name.lower() in found and name.lower() not in joined
    }


def sync(
    engine: Engine,
    settings: Settings,
    *,
    source_db: str,
    mapping: Mapping,
    practice: str | None = None,
    source: str = DEFAULT_SOURCE,
    everything: bool = False,
    dry_run: bool = False,
    username: str | None,
    now: datetime,
    progress: Progress | None = None,
) -> ImportReport:
    """Reads the columns that the mapping names, stores them with the new marks in one transaction, then evaluates.

    Without ``everything`` only rows from the last mark on are read, where the mapping names a watermark and neither it nor the
    address has changed since. What the source deletes is not noticed. Raises UnusableInput for an address, table or column that
    cannot be used and SupervisionError where either database fails; then nothing is written and no mark moves.
    """
    where = address_of(source_db)
    read_with = hashlib.blake2b(f"{where}\x1f{mapping.model_dump_json()}".encode(), digest_size=16).hexdigest()
    with reading(engine) as connection:
        known = practices.find_or_none(connection, practice, settings.practice)
        found = {} if known is None or everything else marks(connection, known, source, read_with)
    starts = _starts(mapping, found)
    watermarks = {name.lower(): one.column for name, one in mapping.watermark.items()}
    wanted = columns_read(mapping)
    tables: dict[str, SourceTable] = {}
    newest: dict[str, str] = {}
    with reading_source(source_db, settings.timezone) as theirs:
        for number, (name, spelled) in enumerate(sorted(mapping.spelled.items()), start=1):
            if mapping.layout(name).optional and not theirs.has(spelled):
                continue
            if progress:
                progress(f"Reading {spelled}", 0.4 * number / len(mapping.sources))
            read = theirs.read(spelled, wanted[name], watermarks.get(name), starts.get(name))
            columns = [column for column in read.rows.columns if column not in ("file", "line")]
            tables[name] = SourceTable.of(columns, read.rows)
            if (mark := read.mark or found.get(name)) is not None and name in watermarks:
                newest[name] = mark
    batch = mapped_batch(
        tables, mapping, [], today=now.date(), timezone=settings.timezone,
        known_instruments=known_instruments(engine, settings, practice), files=sorted(mapping.spelled.values()),
        progress=progress,
    )  # fmt: skip

    def alongside(connection: Connection, practice_id: int) -> None:
        keep_marks(connection, practice_id, source, read_with, newest, now)

    return import_batch(
        engine, settings, batch, practice=practice, source=source, kind="sync", origin=where, dry_run=dry_run,
        username=username, now=now, progress=progress, alongside=alongside,
    )  # fmt: skip
