"""What earlier imports of a source brought of clients, clinicians and episodes, for files that name no episode themselves."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, select

from dashboard.access import Scope
from dashboard.intake.fhir.attribution import CARE, KnownCare
from queries.frames import read_frame
from queries.scope import of_the_whole_practice
from queries.tables import Client, Clinician, Episode, PendingRow

DAYS = {"scores": "taken_on", "appointments": "starts_at"}


def known_care(connection: Connection, scope: Scope, source: str) -> KnownCare:
    """The source's own ids; nothing for a scope that does not hold the whole practice. Withdrawn episodes are left out."""
    mine = [of_the_whole_practice(scope)]
    clients = select(Client.source_id).where(*mine, Client.practice_id == scope.practice_id, Client.source == source)
    clinicians = select(Clinician.source_id).where(
        *mine, Clinician.practice_id == scope.practice_id, Clinician.source == source
    )
    episodes = (
        select(
            Episode.source_id.label("episode_id"),
            Client.source_id.label("patient"),
            Clinician.source_id.label("clinician"),
            Episode.opened_on.label("opened"),
            Episode.closed_on.label("closed"),
        )
        .join(Client, Client.id == Episode.client_id)
        .join(Clinician, Clinician.id == Episode.clinician_id)
        .where(*mine, Episode.practice_id == scope.practice_id, Episode.source == source)
        .where(Client.source == source, Episode.withdrawn_on.is_(None))
    )
    waiting = select(PendingRow.table_name, PendingRow.row).where(
        *mine,
        PendingRow.practice_id == scope.practice_id,
        PendingRow.source == source,
        PendingRow.table_name.in_(list(DAYS)),
    )
    return KnownCare(
        frozenset(read_frame(connection, clients)["source_id"]),
        frozenset(read_frame(connection, clinicians)["source_id"]),
        read_frame(connection, episodes).select(*CARE).cast(pl.Schema(CARE)),
        _days(read_frame(connection, waiting)),
    )


def _days(rows: pl.DataFrame) -> pl.DataFrame:
    """episode_id and day of rows that wait for their episode."""
    columns = dict.fromkeys(["episode_id", *DAYS.values()], pl.String())
    cells = rows["row"].str.json_decode(pl.Struct(columns)).struct.unnest()
    day = pl.coalesce("taken_on", "starts_at").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return cells.select("episode_id", day.alias("day")).unique().sort("episode_id", "day")
