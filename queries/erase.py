"""A client's erasure: who they were goes, what statistics count stays.

Ids, codes, gender, ethnicity and every text about their episodes are gone afterwards. Days, sessions, scores, endings, the
problem area and the year of birth stay, under ids that were drawn anew: the figures of clinicians and of the practice are made
from them. (Gender and ethnicity enter no figure but the count of groups in the practice audit.)
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection, Engine, case, func, select, text, update

from dashboard.errors import UnusableInput
from queries import audit
from queries.erase_texts import (
    Names,
    empty_snapshots,
    empty_texts,
    forget_contents,
    forget_set_aside,
    forget_waiting,
    mask_texts,
)
from queries.erased import SOURCE, Key, hashed, remember
from queries.failures import clear_errors
from queries.frames import read_frame, update_frame
from queries.intake_tables import ErasedKey
from queries.place import survivors
from queries.practices import all_practices, secret_of
from queries.tables import Appointment, Client, ClientVersion, Episode, Score, ScoreVersion

PART = 500  # ids in one statement


@dataclass(frozen=True)
class Erasure:
    """What an erasure did, in counts; ``rows_kept``: appointments and scores that stay for the statistics."""

    clients: int = 0
    episodes: int = 0
    rows_kept: int = 0
    texts: int = 0
    snapshots: int = 0
    set_aside: int = 0
    waiting: int = 0
    import_rows: int = 0

    @property
    def words(self) -> str:
        """For people and for the audit."""
        return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in asdict(self).items())


def _people(connection: Connection, practice_id: int) -> pl.DataFrame:
    """Every record of a client that is not erased, with the surviving record of the same person."""
    columns = (Client.id, Client.source, Client.source_id, Client.merged_into_id)
    found = read_frame(connection, select(*columns).where(Client.practice_id == practice_id, Client.source != SOURCE))
    return found.with_columns(survivor_id=survivors(found)["survivor_id"])


def _all_records(people: pl.DataFrame, chosen: Iterable[int]) -> list[int]:
    same = people.filter(
        pl.col("survivor_id").is_in(people.filter(pl.col("id").is_in(list(chosen)))["survivor_id"].implode())
    )
    return sorted(same["id"].to_list())


def find_client(connection: Connection, practice_id: int, source_id: str, source: str | None) -> list[int]:
    """All records of the person with an id of the practice's own: this one, and those merged with it.

    Raises UnusableInput where there is none, several sources have it and none is named, or an episode is open.
    """
    people = _people(connection, practice_id)
    found = people.filter(pl.col("source_id") == source_id)
    if source is not None:
        found = found.filter(pl.col("source") == source)
    if found.is_empty():
        raise UnusableInput(f"There is no client '{source_id}'{f' of source {source!r}' if source else ''} here.")
    if found["survivor_id"].n_unique() > 1:
        sources = ", ".join(found["source"].sort())
        raise UnusableInput(f"Several sources have a client '{source_id}': {sources}. Name one with --source.")
    records = _all_records(people, found["id"])
    still = select(func.count()).where(
        Episode.client_id.in_(records), Episode.closed_on.is_(None), Episode.withdrawn_on.is_(None)
    )
    if connection.execute(still).scalar_one():
        raise UnusableInput(f"Client '{source_id}' has an open episode. Record its ending first, then erase.")
    return records


def due(connection: Connection, practice_id: int, years: int, today: date) -> list[list[int]]:
    """Who may be erased by rule: records of each person whose last episode closed so many years ago, and none is open."""
    leap = today.month == 2 and today.day == 29
    until = today.replace(year=today.year - years, day=28 if leap else today.day)
    people = _people(connection, practice_id)
    columns = (Episode.client_id.label("id"), Episode.closed_on)
    present = select(*columns).where(Episode.practice_id == practice_id, Episode.withdrawn_on.is_(None))
    closed = (
        people.join(read_frame(connection, present), on="id")
        .group_by("survivor_id")
        .agg(last=pl.col("closed_on").max(), open=pl.col("closed_on").is_null().any())
        .filter(~pl.col("open") & (pl.col("last") <= until))
        .sort("last", "survivor_id")
    )
    return [_all_records(people, [one]) for one in closed["survivor_id"]]


def _episode_ids(connection: Connection, clients: list[int]) -> list[int]:
    found: list[int] = []
    for start in range(0, len(clients), PART):
        of = Episode.client_id.in_(clients[start : start + PART])
        found += connection.execute(select(Episode.id).where(of)).scalars().all()
    return sorted(found)


def _names(connection: Connection, clients: list[int], episodes: list[int]) -> Names:
    keys: list[Key] = []
    words: list[str | None] = []
    for row in connection.execute(
        select(Client.source, Client.source_id, Client.client_code, Client.given_code).where(Client.id.in_(clients))
    ):
        keys.append((row.source, "clients", row.source_id))
        words += [row.source_id, row.client_code, row.given_code]
    words += connection.execute(select(ClientVersion.given_code).where(ClientVersion.id.in_(clients))).scalars().all()
    of_episodes = select(Episode.source, Episode.source_id, Episode.public_id).where(Episode.id.in_(episodes))
    for source, source_id, opaque in connection.execute(of_episodes).all():
        keys.append((source, "episodes", source_id))
        words += [source_id, opaque]
    slots = select(Appointment.source, Appointment.source_id).where(Appointment.episode_id.in_(episodes))
    keys += [(source, "appointments", source_id) for source, source_id in connection.execute(slots).all()]
    return Names.of(keys, words)


def _rename_appointments(connection: Connection, episodes: list[int]) -> int:
    """New ids of their appointments, and the scores that name one keep naming it. Returns how many rows were looked at."""
    slots = read_frame(
        connection,
        select(Appointment.id, Appointment.episode_id, Appointment.source_id).where(
            Appointment.episode_id.in_(episodes)
        ),
    )
    old = slots.select("episode_id", "source_id").unique(maintain_order=True)
    renamed = old.with_columns(new=pl.Series([secrets.token_hex(8) for _ in range(old.height)], dtype=pl.String))
    fresh = slots.join(renamed, on=["episode_id", "source_id"])
    update_frame(connection, Appointment.__table__, fresh.select("id", source_id=pl.col("new"), source=pl.lit(SOURCE)))
    count = slots.height
    for table, key in ((Score, "id"), (ScoreVersion, "version_id")):
        columns = (getattr(table, key), table.episode_id, table.appointment_ref)
        scores = read_frame(connection, select(*columns).where(table.episode_id.in_(episodes)))
        linked = scores.join(
            renamed, left_on=["episode_id", "appointment_ref"], right_on=["episode_id", "source_id"], how="left"
        )
        blank = pl.lit(None, dtype=pl.String)
        update_frame(connection, table.__table__, linked.select(key, appointment_ref="new", source=blank), key=key)
        count += scores.height
    return count


def _part(connection: Connection, practice_id: int, clients: list[int], username: str, now: datetime) -> Erasure:
    episodes = _episode_ids(connection, clients)
    names = _names(connection, clients, episodes)
    remember(connection, practice_id, secret_of(connection, practice_id), names.keys, now.date())
    texts = empty_texts(connection, episodes)
    texts += mask_texts(connection, practice_id, names, username, now)
    snapshots = empty_snapshots(connection, practice_id, names, username, now)
    waiting, spoke = forget_waiting(connection, practice_id, names)
    import_rows, places = forget_contents(connection, practice_id, names)
    aside = forget_set_aside(connection, practice_id, names, spoke, places)
    rows = _rename_appointments(connection, episodes)
    drawn = {one: secrets.token_hex(8) for one in episodes}
    if drawn:
        connection.execute(
            update(Episode)
            .where(Episode.id.in_(episodes))
            .values(
                source=SOURCE,
                source_id=case(drawn, value=Episode.id),
                public_id=case({one: secrets.token_hex(8) for one in episodes}, value=Episode.id),
            )
        )
    nobody = {"given_code": None, "gender": None, "ethnicity": None}
    connection.execute(update(ClientVersion).where(ClientVersion.id.in_(clients)).values(nobody))
    for one in clients:
        mark = secrets.token_hex(8)
        connection.execute(
            update(Client)
            .where(Client.id == one)
            .values(source=SOURCE, source_id=mark, client_code=f"erased {mark[:4]}", **nobody)
        )
    return Erasure(len(clients), len(episodes), rows, texts, snapshots, aside, waiting, import_rows)


def erase(
    connection: Connection, practice_id: int, clients: list[int], *, username: str, why: str, now: datetime,
    purpose: str | None = None,
) -> Erasure:  # fmt: skip
    """Erases records of clients in the caller's transaction, with one audit row that says how many and by whom, not whom."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    done = Erasure()
    for start in range(0, len(clients), 50):
        part = _part(connection, practice_id, clients[start : start + 50], username, now)
        done = Erasure(*(a + b for a, b in zip(asdict(done).values(), asdict(part).values(), strict=True)))
    audit.record(
        connection,
        at=now,
        practice_id=practice_id,
        username=username,
        action="change erase",
        purpose=purpose,
        detail=f"{why}: {done.words}",
    )
    return done


def keys_kept(connection: Connection) -> list[dict[str, object]]:
    """Every hash of an erased id in a database, to be carried into a copy that is older than the erasure."""
    columns = (ErasedKey.practice_id, ErasedKey.source, ErasedKey.table_name, ErasedKey.key_hash, ErasedKey.erased_on)
    return [dict(row._mapping) for row in connection.execute(select(*columns))]


def erase_again(connection: Connection, kept: list[dict[str, object]], now: datetime) -> Erasure:
    """Erases in a restored copy whom ``kept`` (of the database it replaces) knows as erased, and keeps those hashes too."""
    done = Erasure()
    for practice_id in all_practices(connection):
        secret = secret_of(connection, practice_id)
        marks = {str(row["key_hash"]) for row in kept if row["practice_id"] == practice_id}
        known = {str(one) for one in connection.execute(select(ErasedKey.key_hash)).scalars()}
        fresh = [row for row in kept if row["practice_id"] == practice_id and row["key_hash"] not in known]
        if fresh:
            connection.execute(ErasedKey.__table__.insert(), fresh)  # type: ignore[attr-defined]
        people = _people(connection, practice_id)
        back = [
            one
            for one, source, source_id in people.select("id", "source", "source_id").iter_rows()
            if hashed(secret, (source, "clients", source_id)) in marks
        ]
        if back:
            again = erase(
                connection, practice_id, _all_records(people, back), username="operator", why="erased before", now=now
            )
            done = Erasure(*(a + b for a, b in zip(asdict(done).values(), asdict(again).values(), strict=True)))
    return done


def scrub(engine: Engine) -> bool:
    """Rewrites the embedded file without what was deleted; lets PostgreSQL use its room again.

    False where somebody who reads at this moment keeps old pages from being written over.
    """
    with clear_errors(engine), engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM"))
            return True
        driver = connection.connection.driver_connection  # outside any transaction, as VACUUM wants it
        assert driver is not None  # noqa: S101 - an open connection has one
        driver.execute("VACUUM")
        busy = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy
