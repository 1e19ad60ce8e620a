"""Two records of one client become one: the episodes go to the record that survives, known from the day of the import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection, select

from dashboard.intake.batch import SET_ASIDE
from queries.frames import read_frame, update_frame
from queries.place import Place, survivors
from queries.store_versions import EPISODE_FIELDS
from queries.tables import Client, Episode, EpisodeVersion
from queries.versions import keep_versions


@dataclass(frozen=True)
class Merged:
    """``otherwise_the_same``: how many records only this changed; ``episode_ids``: what went to another; ``aside``: SET_ASIDE."""

    otherwise_the_same: int
    episode_ids: list[int]
    aside: pl.DataFrame


def merge_clients(connection: Connection, place: Place, rows: pl.DataFrame, today: date) -> Merged:
    """``rows``: clients with ``merged_into``, a client_id of the same source that is stored already; file and line.

    A merge that would lead back to the same record, or a second one into another record, is set aside.
    """
    nothing = pl.DataFrame(schema=SET_ASIDE)
    if rows.is_empty():
        return Merged(0, [], nothing)
    clients = read_frame(
        connection,
        select(Client.id, Client.source_id, Client.source, Client.merged_into_id, Client.import_id).where(
            Client.practice_id == place.practice_id
        ),
    )
    ids = dict(clients.filter(pl.col("source") == place.source).select("source_id", "id").iter_rows())
    into = dict(clients.drop_nulls("merged_into_id").select("id", "merged_into_id").iter_rows())
    taken, refused = {}, []
    for row in rows.sort("client_id").iter_rows(named=True):
        old, new = ids[row["client_id"]], ids[row["merged_into"]]
        reason = _hindrance(into, old, new)
        if reason:
            refused.append({name: row.get(name) for name in SET_ASIDE} | _said(row, reason))
        elif into.get(old) != new:
            taken[old] = into[old] = new
    if taken:
        changed = pl.DataFrame({"id": list(taken), "merged_into_id": list(taken.values())}, strict=False)
        update_frame(connection, Client.__table__, changed.with_columns(import_id=pl.lit(place.import_id)))
    ends = survivors(
        clients.select("id", merged_into_id=pl.Series([into.get(one) for one in clients["id"]], dtype=pl.Int64))
    )
    moved = _move_episodes(connection, place, ends.filter(pl.col("id") != pl.col("survivor_id")), today)
    here_before = clients.filter(pl.col("id").is_in(list(taken)) & pl.col("import_id").ne_missing(place.import_id))
    return Merged(here_before.height, moved, pl.DataFrame(refused, schema=SET_ASIDE) if refused else nothing)


def _said(row: dict[str, object], reason: str) -> dict[str, object]:
    return {"column": "merged_into", "value": row["merged_into"], "reason": reason}


def _hindrance(into: dict[int, int], old: int, new: int) -> str | None:
    if into.get(old, new) != new:
        return "this client is merged into another record already"
    end = new
    while end in into:
        end = into[end]
    return "merging these records would lead back to the same one" if end == old else None


def _move_episodes(connection: Connection, place: Place, ends: pl.DataFrame, today: date) -> list[int]:
    columns = ["id", *EPISODE_FIELDS, "ending_known_from", "known_from", "import_id", "withdrawn_on"]
    found = read_frame(
        connection, select(*(getattr(Episode, c) for c in columns)).where(Episode.practice_id == place.practice_id)
    )
    moving = found.filter(~pl.col("import_id").is_in(list(place.undoings)).fill_null(False)).join(
        ends.select(client_id="id", survivor_id="survivor_id"), on="client_id"
    )
    if moving.is_empty():
        return []
    moving = moving.with_columns(superseded_on=pl.coalesce("withdrawn_on", pl.lit(today)))
    known = pl.col("known_from") < pl.col("superseded_on")  # one that nobody knew of before has no earlier version
    kept = [c for c in columns if c != "withdrawn_on"]
    keep_versions(
        connection, EpisodeVersion, place.practice_id, moving.filter(known).select(*kept, "superseded_on"), today
    )
    update_frame(
        connection,
        Episode.__table__,
        moving.select(
            "id",
            client_id="survivor_id",
            known_from=pl.when(known).then("superseded_on").otherwise("known_from"),
            import_id=pl.lit(place.import_id),
        ),
    )
    return moving["id"].to_list()
