"""Small practices in memory: imports made of a few rows each, and what is then stored and known, without internal ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select, update

from dashboard.access import operator_scope
from dashboard.intake.batch import KEYS, TABLES, Batch
from queries import load, practices
from queries.engine import open_engine, writing
from queries.frames import read_frame
from queries.store import ImportResult, store_batch
from queries.tables import Appointment, Base, Client, Clinician, Episode, Import, PendingRow, Practice
from queries.undo_tables import COMPARED

FIRST = date(2026, 6, 1)
Rows = dict[str, list[dict[str, Any]]]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


_FREE: list[Engine] = []  # making the tables takes longer than most examples


@contextmanager
def in_memory() -> Iterator[Connection]:
    """A connection to an empty practice, number 1; nothing of it is left afterwards."""
    if not _FREE:
        engine = open_engine("sqlite://")
        with writing(engine) as connection:
            Base.metadata.create_all(connection)
            practices.ensure_practice(connection, "Practice", datetime(2026, 1, 1), single=True)
            connection.execute(update(Practice).values(secret="ab" * 32))  # the same opaque ids in each
        _FREE.append(engine)
    engine = _FREE.pop()
    with writing(engine) as connection:
        yield connection
        connection.rollback()
    _FREE.append(engine)


def batch_of(rows: Rows) -> Batch:
    """Rows as reading gives them: one per key and table, the last where a key came twice."""
    tables = {}
    for name, given in rows.items():
        frame = pl.DataFrame(given, schema_overrides=dict(TABLES[name]), infer_schema_length=None)
        tables[name] = frame.unique([c for c in KEYS[name] if c in frame.columns], keep="last", maintain_order=True)
    return Batch.of(tables)


def give(connection: Connection, rows: Rows, on: date, *, source: str = "files") -> ImportResult:
    return store_batch(
        connection, 1, source, batch_of(rows), today=on, now=datetime.combine(on, time(9)), username=None
    )


# --------------------------------------------------------------------------- rows of a small practice

CLIENTS, CLINICIANS, EPISODES, VISITS = ("k1", "k2", "k3"), ("c1", "c2"), ("e1", "e2", "e3"), ("a1", "a2", "a3", "a4")
some_days = st.integers(0, 24).map(day)
recorded = st.one_of(st.none(), st.none(), st.integers(0, 3).map(day))
_clients = st.builds(
    lambda client, code, into: {"client_id": client, "client_code": code, "merged_into": into if into != client else None},
    st.sampled_from(CLIENTS), st.sampled_from([None, "A-1", "B-2"]), st.sampled_from([None, None, None, *CLIENTS]),
)  # fmt: skip
_clinicians = st.builds(
    lambda clinician, trainee: {"clinician_id": clinician, "is_trainee": trainee},
    st.sampled_from(CLINICIANS), st.sampled_from([None, True, False]),
)  # fmt: skip
_episodes = st.builds(
    lambda one, client, clinician, opened, closed, gone: (
        {"episode_id": one, "withdrawn": True}
        if gone
        else {
            "episode_id": one, "client_id": client, "clinician_id": clinician, "opened_on": opened,
            "closed_on": None if closed is None else max(closed, opened), "ending": None if closed is None else "planned",
        }
    ),
    st.sampled_from(EPISODES), st.sampled_from(CLIENTS), st.sampled_from(CLINICIANS), st.integers(0, 3).map(day),
    st.one_of(st.none(), st.none(), st.integers(10, 20).map(day)), st.sampled_from([False] * 7 + [True]),
)  # fmt: skip
_visits = st.builds(
    lambda one, episode, on, status, booked, gone: (
        {"appointment_id": one, "withdrawn": True}
        if gone
        else {
            "appointment_id": one, "episode_id": episode, "starts_at": datetime.combine(on, time(10)), "status": status,
            "booked_on": booked,
        }
    ),
    st.sampled_from(VISITS), st.sampled_from(EPISODES), some_days, st.sampled_from(["booked", "attended", "no_show"]),
    recorded, st.sampled_from([False] * 6 + [True]),
)  # fmt: skip
_scores = st.builds(
    lambda episode, on, value, told, gone: {
        "episode_id": episode, "taken_on": on, "instrument": "phq9", "scale": "total", "respondent": "client",
        "value": None if gone else float(value), "recorded_on": None if gone else told, "withdrawn": gone,
    },
    st.sampled_from(EPISODES[:2]), st.integers(3, 5).map(day), st.integers(5, 7), recorded, st.sampled_from([False] * 5 + [True]),
)  # fmt: skip
_leave = st.builds(
    lambda who, cover: {"clinician_id": who, "from": day(12), "to": day(14), "cover_id": cover},
    st.sampled_from(CLINICIANS), st.sampled_from([None, *CLINICIANS]),
)  # fmt: skip
_supervision = st.builds(
    lambda to: {"supervisor_id": "c1", "supervisee_id": "c2", "from": day(0), "to": to},
    st.one_of(st.none(), st.just(day(20))),
)
small_imports: st.SearchStrategy[Rows] = st.fixed_dictionaries(
    {},
    optional={
        "clients": st.lists(_clients, min_size=1, max_size=3),
        "clinicians": st.lists(_clinicians, min_size=1, max_size=2),
        "episodes": st.lists(_episodes, min_size=1, max_size=3),
        "appointments": st.lists(_visits, min_size=1, max_size=4),
        "scores": st.lists(_scores, min_size=1, max_size=4),
        "leave": st.lists(_leave, min_size=1, max_size=1),
        "supervision": st.lists(_supervision, min_size=1, max_size=1),
    },
)


# --------------------------------------------------------------------------- what is stored, and known


def _names(connection: Connection) -> dict[str, dict[int, str]]:
    found = {}
    for name, table in (("clinicians", Clinician), ("clients", Client), ("episodes", Episode)):
        rows = connection.execute(select(table.id, table.source, table.source_id))
        found[name] = {row.id: f"{row.source}:{row.source_id}" for row in rows}
    return found


def stored(connection: Connection) -> dict[str, pl.DataFrame]:
    """Every row that stands and every version that is ever read, by names instead of ids; and the rows that wait."""
    names = _names(connection)
    undoings = list(connection.execute(select(Import.id).where(Import.kind == "undo")).scalars())
    found = {}
    for name, spec in COMPARED.items():
        columns = list(dict.fromkeys([*spec.key, *spec.says]))
        now = read_frame(
            connection, select(spec.table.id, spec.table.import_id, *(getattr(spec.table, c) for c in columns))
        )
        now = now.filter(~pl.col("import_id").is_in(undoings).fill_null(False)).drop("import_id")
        old = select(
            spec.versions.id, spec.versions.superseded_on, *(getattr(spec.versions, c) for c in spec.versioned)
        )
        versions = read_frame(connection, old.where(spec.versions.undo_id.is_(None)))
        versions = versions.filter(pl.col("known_from").is_null() | (pl.col("known_from") < pl.col("superseded_on")))
        if name != "scores":
            versions = versions.join(now.select("id", *spec.key), on="id", how="inner")
        for label, frame in ((name, now), (f"{name} before", versions)):
            shown = frame.drop("id").with_columns(
                pl.col(column).replace_strict(names[owner], default=None, return_dtype=pl.String)
                for column, owner in spec.belongs.items()
                if column in frame.columns
            )
            found[label] = shown.unique().sort(pl.all(), nulls_last=True)
    waits = connection.execute(select(PendingRow.table_name, PendingRow.row))
    rows = sorted(f"{row.table_name} {sorted(row.row.items(), key=str)}" for row in waits)
    found["waiting"] = pl.DataFrame({"row": rows}, schema={"row": pl.String()})
    return found


def known(connection: Connection, as_of: date) -> dict[str, pl.DataFrame]:
    """What an evaluation of a day reads, by names instead of ids; what ended later than the day had not ended then."""
    history = load.history(connection, operator_scope(1), as_of)
    names = _names(connection)
    visits = {row.id: row.source_id for row in connection.execute(select(Appointment.id, Appointment.source_id))}
    parts = {
        "episodes": history.episodes, "appointments": history.appointments, "scores": history.scores, "leave": history.leave,
        "clinicians": history.clinicians, "links": history.links,
    }  # fmt: skip
    mapped: Mapping[str, Mapping[int, str]] = {
        "episode_id": names["episodes"], "client_id": names["clients"], "clinician_id": names["clinicians"],
        "appointment_id": visits,
    }  # fmt: skip
    found = {}
    for name, frame in parts.items():
        if name == "clinicians":  # those without an episode say nothing
            frame = frame.filter(pl.col("clinician_id").is_in(history.episodes["clinician_id"].unique().implode()))
        if "valid_to" in frame.columns:
            frame = frame.with_columns(valid_to=pl.when(pl.col("valid_to") <= as_of).then("valid_to"))
        shown = frame.with_columns(
            pl.col(c).replace_strict(ids, default=None, return_dtype=pl.String)
            for c, ids in mapped.items()
            if c in frame.columns
        )
        found[name] = shown.unique().sort(pl.all(), nulls_last=True)
    return found


def differences(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> str:
    """Rows that only one of two has, in words; empty where they are the same."""
    lines = []
    for name in one:
        mine, theirs = one[name], other[name].select(one[name].columns)
        columns = mine.columns
        for label, frame in (
            ("only here", mine.join(theirs, on=columns, how="anti", nulls_equal=True)),
            ("only there", theirs.join(mine, on=columns, how="anti", nulls_equal=True)),
        ):
            lines += [f"{name} {label}: {row}" for row in frame.iter_rows(named=True)]
    return "\n".join(lines)


def split(rows: Rows, places: Sequence[int]) -> list[Rows]:
    """The rows of one import over several, each row in the one that its place says; the order within a key stays."""
    parts: list[Rows] = [{} for _ in range(max(places, default=0) + 1)]
    flat = [(name, row) for name, given in rows.items() for row in given]
    for (name, row), place in zip(flat, places, strict=True):
        parts[place].setdefault(name, []).append(row)
    return parts
