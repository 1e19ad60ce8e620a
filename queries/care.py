"""What earlier imports of a source brought of clients, clinicians and episodes, for files that name no episode themselves."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, select

from dashboard.access import Scope
from dashboard.intake.fhir.attribution import CARE, KnownCare
from queries.frames import read_frame
from queries.place import Place
from queries.scope import of_the_whole_practice
from queries.tables import Client, Clinician, Episode
from queries.waiting import waiting_rows

WAITING = ("episodes", "appointments", "scores")


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
    place = Place(scope.practice_id, "", source, 0)
    waiting = waiting_rows(connection, place) if scope.clinician_ids is None else {}
    return KnownCare(
        frozenset(read_frame(connection, clients)["source_id"]),
        frozenset(read_frame(connection, clinicians)["source_id"]),
        read_frame(connection, episodes).select(*CARE).cast(pl.Schema(CARE)),
        {name: rows for name, rows in waiting.items() if name in WAITING},
    )
