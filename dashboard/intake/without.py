"""What a source's imports would have been without one of them: which rows that could concern, and those rows again in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from dashboard.intake.batch import KEYS, PLACE, TABLES, Batch

SERIES = ("episode_id", "instrument", "scale", "respondent")
SMALL = ("clinicians", "clients", "leave", "supervision")  # replayed whole: the other tables' rows hang on them


@dataclass(frozen=True)
class Without:
    """``keys``: by table, the keys (KEYS) of rows that may stand differently; ``batches``: import and rows, in order.

    The batches hold every row of those keys, and those that they need to belong to; a row that only repeats what was said of
    its key before is left out.
    """

    keys: dict[str, pl.DataFrame]
    batches: list[tuple[int, Batch]]


@dataclass(frozen=True)
class _Concerned:
    """Keys of one table: of rows that say something new in the import, and those of them whose very being hangs on it."""

    changed: pl.DataFrame
    founded: pl.DataFrame


def _together(contents: Sequence[tuple[int, Batch]], name: str) -> pl.DataFrame:
    schema = {**TABLES[name], **PLACE}
    parts = [pl.DataFrame(schema={**schema, "import_id": pl.Int64()})]
    for import_id, batch in contents:
        if name in batch.tables:
            rows = batch.tables[name].select(*schema)
            parts.append(rows.with_columns(import_id=pl.lit(import_id, dtype=pl.Int64)))
    return pl.concat(parts).with_row_index("order")


def _concerned(name: str, rows: pl.DataFrame, left_out: int) -> _Concerned:
    key = list(KEYS[name])
    mine = rows.filter(pl.col("import_id") == left_out)
    before = rows.filter(pl.col("import_id") < left_out).unique(key, keep="last", maintain_order=True)
    same = mine.join(before, on=list(TABLES[name]), how="semi", nulls_equal=True)
    changed = mine.join(same.select(key), on=key, how="anti", nulls_equal=True)
    first = changed.join(before.select(key), on=key, how="anti", nulls_equal=True).select(key)
    founded = [first]
    if "withdrawn" in rows.columns:
        gone = pl.concat([changed, before.join(changed.select(key), on=key, how="semi")]).filter("withdrawn")
        founded.append(gone.select(key))
    if "merged_into" in rows.columns:
        founded.append(changed.drop_nulls("merged_into").select(key))
    return _Concerned(changed.select(key), pl.concat(founded).unique())


def _naming(name: str, rows: pl.DataFrame, found: dict[str, pl.Series]) -> pl.DataFrame:
    """Keys of rows that belong to a row of ``found`` (column to ids)."""
    hit = pl.any_horizontal(*(pl.col(column).is_in(ids.implode()).fill_null(False) for column, ids in found.items()))
    return rows.filter(hit).select(KEYS[name])


def _with_upstream(clients: pl.DataFrame, ids: pl.Series) -> pl.Series:
    """Also the records merged into one of these, and into those."""
    merged = clients.drop_nulls("merged_into")
    while True:
        more = merged.filter(pl.col("merged_into").is_in(ids.implode()))["client_id"]
        wider = pl.concat([ids, more]).unique()
        if len(wider) == len(ids):
            return wider
        ids = wider


def _once(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Without rows that repeat the one before them under their key: storing those changes nothing."""
    ordered = rows.sort([*KEYS[name], "order"])
    same = pl.all_horizontal(*(pl.col(c).eq_missing(pl.col(c).shift(1)) for c in TABLES[name]))
    first = pl.int_range(pl.len()) == 0
    return ordered.filter(first | ~same).sort("order")


def without(contents: Sequence[tuple[int, Batch]], left_out: int) -> Without:
    """``contents``: every import of the source that counts, in order, with what it held; ``left_out``: the one to do without."""
    rows = {name: _together(contents, name) for name in TABLES}
    own = {name: _concerned(name, rows[name], left_out) for name in TABLES}
    clinicians = own["clinicians"].founded["clinician_id"]
    clients = _with_upstream(rows["clients"], own["clients"].founded["client_id"])
    theirs = _naming("episodes", rows["episodes"], {"client_id": clients, "clinician_id": clinicians})
    founded = pl.concat([own["episodes"].founded, theirs]).unique()["episode_id"]
    links = {"supervisor_id": clinicians, "supervisee_id": clinicians}
    also = {
        "clinicians": own["clinicians"].founded,
        "clients": _naming("clients", rows["clients"], {"merged_into": clients, "client_id": clients}),
        "leave": _naming("leave", rows["leave"], {"clinician_id": clinicians, "cover_id": clinicians}),
        "supervision": _naming("supervision", rows["supervision"], links),
        "episodes": theirs,
        "appointments": _naming("appointments", rows["appointments"], {"episode_id": founded}),
        "scores": _naming("scores", rows["scores"], {"episode_id": founded}),
    }
    # rows that waited, and for which rows of this import stood, wait again
    over = next(batch.stands_for for import_id, batch in contents if import_id == left_out)
    keys = {
        name: pl.concat([own[name].changed, also[name], *([over[name]] if name in over else [])]).unique()
        for name in TABLES
    }
    return Without(keys, _batches(contents, rows, keys, left_out))


def _batches(
    contents: Sequence[tuple[int, Batch]], rows: dict[str, pl.DataFrame], keys: dict[str, pl.DataFrame], left_out: int
) -> list[tuple[int, Batch]]:
    others = {name: frame.filter(pl.col("import_id") != left_out) for name, frame in rows.items()}
    visits = others["appointments"].join(keys["appointments"], on=KEYS["appointments"], how="semi")
    # a score moved to another day is told by the one withdrawn in its place
    series = keys["scores"].select(SERIES).unique()
    scores = others["scores"].join(series, on=list(SERIES), how="semi")
    named = pl.concat([visits["episode_id"], scores["episode_id"], keys["episodes"]["episode_id"]]).unique()
    episodes = others["episodes"].filter(pl.col("episode_id").is_in(named.implode()))
    wanted = {name: others[name] for name in SMALL}
    wanted |= {"episodes": episodes, "appointments": visits, "scores": scores}
    parts = {
        name: _once(name, frame).partition_by("import_id", as_dict=True, include_key=False, maintain_order=True)
        for name, frame in wanted.items()
    }
    found = []
    for import_id, batch in contents:
        tables = {name: part[(import_id,)].drop("order") for name, part in parts.items() if (import_id,) in part}
        if tables:
            found.append((import_id, Batch(tables, stands_for=batch.stands_for)))
    return found
