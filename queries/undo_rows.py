"""One table put as it would have been without an import; what had been known of its rows is kept for the days in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, func, select

from dashboard.intake.batch import KEYS
from queries.frames import insert_frame, read_frame, update_frame
from queries.keys import next_id, of_source
from queries.place import Place
from queries.tables import Episode, Score
from queries.undo_tables import COMPARED, Compared

MANY_IDS = 30_000
REQUIRED = ("episode_id", "client_id", "clinician_id", "supervisor_id", "supervisee_id")


@dataclass
class Undoing:
    """Two databases side by side: the real one, and ``scratch``, what it would be. ``place.import_id`` is the undoing itself.

    ``since``: the day of the undone import; ``import_ids``: imports there to imports here. Filled on the way: ``ids`` (ids there
    to ids here) and ``names`` (a parent's name in a file to its id here), by table, and the episodes ``touched``.
    """

    connection: Connection
    scratch: Connection
    place: Place
    since: date
    today: date
    import_ids: dict[int, int]
    ids: dict[str, pl.DataFrame] = field(default_factory=dict)
    names: dict[str, pl.DataFrame] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)

    @property
    def keeps_the_days_between(self) -> bool:
        """An import undone on its own day leaves no trace."""
        return self.since < self.today


@dataclass(frozen=True)
class _Rows:
    """Current rows and versions with the id of their key; of real ones also ``own_id`` and ``version_id``."""

    now: pl.DataFrame
    versions: pl.DataFrame


def put_as_without(work: Undoing, name: str, keys: pl.DataFrame) -> dict[str, int]:
    """Puts the rows of ``keys`` as they are in the scratch database. Returns how many came, changed and went."""
    spec = COMPARED[name]
    real, never = _real(work, spec)
    wanted = _wanted(work, spec, name, real, never)
    concerned = _here(work, spec, name, keys)
    on = list(spec.key)
    real = _Rows(*(frame.join(concerned, on=on, how="semi", nulls_equal=True) for frame in (real.now, real.versions)))
    wanted = _Rows(
        *(frame.join(concerned, on=on, how="semi", nulls_equal=True) for frame in (wanted.now, wanted.versions))
    )
    ids = _differing(spec, real, wanted)
    if not len(ids):
        return {"new": 0, "changed": 0, "taken_back": 0}
    real = _Rows(*(frame.filter(pl.col("id").is_in(ids.implode())) for frame in (real.now, real.versions)))
    wanted = _Rows(*(frame.filter(pl.col("id").is_in(ids.implode())) for frame in (wanted.now, wanted.versions)))
    _set_apart(work, spec, real, wanted)
    _write(work, spec, real, wanted, never)
    _touch(work, name, real, wanted)
    before, after = real.now["id"], wanted.now["id"]
    both = int(before.is_in(after.implode()).sum())
    return {"new": len(after) - both, "changed": both, "taken_back": len(before) - both}


# --------------------------------------------------------------------------- reading both sides


def _read(connection: Connection, work: Undoing, spec: Compared) -> _Rows:
    """Rows of the source, current and as versions; versions have their row's key."""
    table, versions = spec.table, spec.versions
    names = dict.fromkeys([*spec.key, *spec.says])
    now = select(table.id, table.import_id, *(getattr(table, c) for c in names))
    old = select(
        versions.version_id, versions.id, versions.import_id, versions.superseded_on,
        *(getattr(versions, c) for c in spec.versioned),
    ).where(versions.practice_id == work.place.practice_id, versions.undo_id.is_(None))  # fmt: skip
    now = now.where(table.practice_id == work.place.practice_id)
    if spec.own_source:
        now = now.where(table.source == work.place.source)
    if table is not Score:
        current = read_frame(connection, now)
        keyed = current.select("id", *(c for c in spec.key if c not in spec.versioned))
        return _Rows(current, read_frame(connection, old).join(keyed, on="id", how="inner", maintain_order="left"))
    frames = []
    for statement, owner in ((now, table.episode_id), (old, versions.episode_id)):
        of = statement.add_columns(Episode.source.label("of")).join(Episode, Episode.id == owner)
        found = read_frame(connection, of)
        frames.append(found.filter(pl.coalesce("source", "of") == work.place.source).drop("of"))
    return _Rows(*frames)


def _real(work: Undoing, spec: Compared) -> tuple[_Rows, pl.DataFrame]:
    """What stands here, and the rows that earlier undoings left behind; a key that had several ids goes by the newest."""
    found = _read(work.connection, work, spec)
    undone = pl.col("import_id").is_in(list(work.place.undoings)).fill_null(False)
    never, now = found.now.filter(undone), found.now.filter(~undone)
    everyone = pl.concat([now.select("id", *spec.key), found.versions.select("id", *spec.key)])
    one_id = everyone.group_by(spec.key).agg(key_id=pl.col("id").max())
    frames = []
    for frame in (now, found.versions):
        with_id = frame.join(one_id, on=list(spec.key), how="left", nulls_equal=True, maintain_order="left")
        frames.append(with_id.rename({"id": "own_id", "key_id": "id"}))
    return _Rows(*frames), never


def _wanted(work: Undoing, spec: Compared, name: str, real: _Rows, never: pl.DataFrame) -> _Rows:
    """The scratch database's rows with ids of here: those of the same key, else new ones."""
    found = _read(work.scratch, work, spec)
    now, versions = (_translated(work, spec, name, frame) for frame in (found.now, found.versions))
    keys = pl.concat([now.select(spec.key), versions.select(spec.key)]).unique(maintain_order=True)
    known = pl.concat(
        [
            real.now.select("id", *spec.key),
            real.versions.select("id", *spec.key),
            never.select("id", *spec.key),
        ]
    ).unique(spec.key, keep="first", maintain_order=True)
    new = keys.join(known, on=list(spec.key), how="anti", nulls_equal=True)
    first = _next(work.connection, spec)
    numbered = new.with_columns(id=pl.int_range(pl.len(), dtype=pl.Int64) + first)
    ids = pl.concat([known, numbered.select(known.columns)])
    on = list(spec.key)
    now, versions = (
        frame.rename({"id": "there"}).join(ids, on=on, how="left", nulls_equal=True, maintain_order="left")
        for frame in (now, versions)
    )
    if name in ("clinicians", "clients", "episodes"):
        seeded = _others(work, spec)
        work.ids[name] = pl.concat([now.select("there", here="id"), seeded.select(there="id", here="id")])
        named = [of_source(*row) for row in seeded.select("source", "source_id").iter_rows()]
        work.names[name] = pl.concat(
            [
                pl.concat([ids.select("source_id", "id"), _left(never, ids)]),
                seeded.select(source_id=pl.Series(named, dtype=pl.String), id="id"),
            ]
        )
    if name == "clients":
        now = _column_here(work, now, "merged_into_id", "clients")
    return _Rows(now.drop("there"), versions.drop("there"))


def _left(never: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    return never.select("source_id", "id").join(ids, on="source_id", how="anti")


def _others(work: Undoing, spec: Compared) -> pl.DataFrame:
    """Rows of other sources that rows entered by hand belong to: the same in both databases."""
    table = spec.table
    statement = select(table.id, table.source, table.source_id).where(table.practice_id == work.place.practice_id)
    found = read_frame(work.connection, statement.where(table.source != work.place.source))
    return found if work.place.by_hand else found.clear()


def _translated(work: Undoing, spec: Compared, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    for column, owner in spec.belongs.items():
        if column in frame.columns and owner != name:
            frame = _column_here(work, frame, column, owner)
            if column in REQUIRED:
                frame = frame.drop_nulls(column)
    imports = pl.col("import_id").replace_strict(work.import_ids, default=None, return_dtype=pl.Int64)
    return frame.with_columns(import_id=imports if work.import_ids else pl.lit(None, dtype=pl.Int64))


def _column_here(work: Undoing, frame: pl.DataFrame, column: str, owner: str) -> pl.DataFrame:
    ids = work.ids[owner].rename({"there": column, "here": "here_id"})
    joined = frame.join(ids, on=column, how="left", maintain_order="left")
    return joined.with_columns(pl.col("here_id").alias(column)).drop("here_id")


def _here(work: Undoing, spec: Compared, name: str, keys: pl.DataFrame) -> pl.DataFrame:
    """Keys as files name them, in the columns and with the ids of here; those of parents never stored are no row's."""
    frame = keys.rename(spec.named)
    for column, owner in spec.belongs.items():
        if column in frame.columns and column in spec.key:
            names = work.names[owner].rename({"source_id": column, "id": "here_id"})
            frame = frame.join(names, on=column, how="inner").with_columns(pl.col("here_id").alias(column))
            frame = frame.drop("here_id")
    return frame.select(spec.key)


def _next(connection: Connection, spec: Compared) -> int:
    used = connection.execute(select(func.coalesce(func.max(spec.versions.id), 0))).scalar_one()
    return max(next_id(connection, spec.table), int(used) + 1)


def _told(versions: pl.DataFrame) -> pl.DataFrame:
    """Without versions that were over before they began."""
    return versions.filter(pl.col("known_from").is_null() | (pl.col("known_from") < pl.col("superseded_on")))


def _differing(spec: Compared, real: _Rows, wanted: _Rows) -> pl.Series:
    """Ids of which something would stand otherwise."""
    found = [pl.Series("id", [], dtype=pl.Int64)]
    now = ["id", *dict.fromkeys([*spec.key, *spec.says])]
    old = ["id", *spec.versioned, "superseded_on"]
    for one, other, columns in (
        (real.now, wanted.now, now),
        (_told(real.versions), _told(wanted.versions), old),
    ):
        found.append(one.join(other, on=columns, how="anti", nulls_equal=True)["id"])
        found.append(other.join(one, on=columns, how="anti", nulls_equal=True)["id"])
    return pl.concat(found).unique().sort()


# --------------------------------------------------------------------------- writing


def _in_parts(connection: Connection, statement: Any, column: Any, ids: list[int]) -> None:
    for start in range(0, len(ids), MANY_IDS):
        connection.execute(statement.where(column.in_(ids[start : start + MANY_IDS])))


def _add_versions(work: Undoing, spec: Compared, rows: pl.DataFrame, undo_id: int | None) -> None:
    if rows.is_empty():
        return
    frame = rows.select(
        "id", *spec.versioned, "import_id", "superseded_on", practice_id=pl.lit(work.place.practice_id),
        version_id=pl.int_range(pl.len(), dtype=pl.Int64) + next_id(work.connection, spec.versions),
        undo_id=pl.lit(undo_id, dtype=pl.Int64),
    )  # fmt: skip
    insert_frame(work.connection, spec.versions.__table__, frame)


def _set_apart(work: Undoing, spec: Compared, real: _Rows, wanted: _Rows) -> None:
    """What is known of these rows by now becomes the undoing's, or is gone where no day read it."""
    ids = real.versions["version_id"].to_list()
    # a link says who may see what: it is gone at once, and no evaluation ever reads an earlier one
    if not work.keeps_the_days_between or spec.table is COMPARED["supervision"].table:
        _in_parts(work.connection, delete(spec.versions), spec.versions.version_id, ids)
        return
    tagged = real.versions.select("version_id", undo_id=pl.lit(work.place.import_id))
    update_frame(work.connection, spec.versions.__table__, tagged, key="version_id")
    until = pl.lit(work.today)
    if "withdrawn_on" in real.now.columns:
        until = pl.coalesce("withdrawn_on", until)
    stood = real.now.drop("id").rename({"own_id": "id"}).with_columns(superseded_on=until)
    _add_versions(work, spec, stood, work.place.import_id)
    # a row that comes only now was not there on the days in between
    absent = pl.concat([wanted.now.select("id", *spec.versioned), wanted.versions.select("id", *spec.versioned)])
    known = pl.concat([real.now["id"], real.versions["id"]])
    absent = absent.unique("id", keep="first", maintain_order=True).filter(~pl.col("id").is_in(known.implode()))
    no_day = {"known_from": pl.lit(work.today), "superseded_on": pl.lit(work.today)}
    none = pl.lit(None, dtype=pl.Int64)
    _add_versions(work, spec, absent.with_columns(import_id=none, **no_day), work.place.import_id)


def _write(work: Undoing, spec: Compared, real: _Rows, wanted: _Rows, never: pl.DataFrame) -> None:
    table = spec.table.__table__
    columns = list(dict.fromkeys([*spec.key, *spec.says]))
    # the table may hold a score under the older of two ids that its key had
    own = real.now.select("id", "own_id")
    present = pl.concat([real.now["own_id"], never["id"]])
    now = wanted.now.join(own, on="id", how="left", maintain_order="left").with_columns(id=pl.coalesce("own_id", "id"))
    here = now.filter(pl.col("id").is_in(present.implode()))
    update_frame(work.connection, table, here.select("id", *columns, "import_id"))
    new = now.filter(~pl.col("id").is_in(present.implode())).select("id", *columns, "import_id")
    new = new.with_columns(practice_id=pl.lit(work.place.practice_id))
    if spec.own_source:
        new = new.with_columns(source=pl.lit(work.place.source))
    gone = real.now.filter(~pl.col("id").is_in(wanted.now["id"].implode()))
    if spec.leaves:
        ids = gone["own_id"].to_list()
        if spec.table is not Score:
            _in_parts(work.connection, delete(spec.versions), spec.versions.id, ids)
        _in_parts(work.connection, delete(spec.table), spec.table.id, ids)
    else:
        marks = {"import_id": pl.lit(work.place.import_id)}
        if "withdrawn_on" in spec.says:
            marks |= {"withdrawn_on": pl.lit(work.today), "known_from": pl.lit(work.today)}
        update_frame(work.connection, table, gone.select(id="own_id", **marks))
    insert_frame(work.connection, table, _without_others(work, spec, new))
    _add_versions(work, spec, _told(wanted.versions), None)


def _without_others(work: Undoing, spec: Compared, new: pl.DataFrame) -> pl.DataFrame:
    """Scores that another source has given in the meantime stay as it gave them."""
    if spec.table is not Score or new.is_empty():
        return new
    statement = select(*(getattr(Score, c) for c in spec.key)).where(Score.practice_id == work.place.practice_id)
    return new.join(read_frame(work.connection, statement), on=list(spec.key), how="anti")


def _touch(work: Undoing, name: str, real: _Rows, wanted: _Rows) -> None:
    column = {"episodes": "id", "appointments": "episode_id", "scores": "episode_id"}.get(name)
    if column:
        for frame in (real.now, real.versions, wanted.now, wanted.versions):
            work.touched.update(frame[column].to_list())


def concerned_tables() -> list[str]:
    """In the order in which their rows refer to each other."""
    return [name for name in COMPARED if name in KEYS]
