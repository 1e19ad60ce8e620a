"""Scores into their table. A withdrawn score leaves it and is a version from then on; one of another source is never changed."""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import Connection, delete, func, select

from dashboard.intake.batch import SET_ASIDE
from queries.frames import insert_frame, read_frame, update_frame
from queries.keys import next_id
from queries.place import Count, Place
from queries.tables import Episode, Score, ScoreVersion
from queries.versions import corrected, filled, keep_versions

SCORE_KEY = ["episode_id", "taken_on", "instrument", "scale", "respondent"]
SERIES = ["episode_id", "instrument", "scale", "respondent"]
STORED = [*SCORE_KEY, "value", "appointment_ref", "source", "known_from", "import_id"]
MANY_IDS = 30_000  # below SQLite's limit of bound values in one statement
FEW_EPISODES = 5_000


def _present(connection: Connection, place: Place, rows: pl.DataFrame) -> pl.DataFrame:
    """The scores that stand of the episodes that this source may speak of, with ``own``: whether they came from it."""
    columns = [getattr(Score, c) for c in ["id", *STORED]]
    if not place.by_hand:
        owners = select(Episode.id).where(Episode.practice_id == place.practice_id, Episode.source == place.source)
        found = read_frame(connection, select(*columns).where(Score.episode_id.in_(owners)))
        return found.with_columns(own=(pl.col("source") == place.source).fill_null(True))
    statement = (
        select(*columns, Episode.source.label("of"))
        .join(Episode, Episode.id == Score.episode_id)
        .where(Score.practice_id == place.practice_id)
    )
    ids = rows["episode_id"].unique().to_list()
    if len(ids) <= FEW_EPISODES:
        statement = statement.where(Score.episode_id.in_(ids))
    found = read_frame(connection, statement)
    return found.with_columns(own=pl.coalesce("source", "of") == place.source).drop("of")


def _sources(connection: Connection, place: Place, rows: pl.DataFrame) -> pl.DataFrame:
    """Adds ``source``: null where a score has the source of its episode."""
    if not place.by_hand:
        return rows.with_columns(source=pl.lit(None, dtype=pl.String))
    of = read_frame(
        connection,
        select(Episode.id.label("episode_id"), Episode.source.label("of")).where(
            Episode.practice_id == place.practice_id, Episode.id.in_(rows["episode_id"].unique().to_list())
        ),
    )
    named = pl.when(pl.col("of") != place.source).then(pl.lit(place.source))
    return rows.join(of, on="episode_id", how="left", maintain_order="left").with_columns(source=named).drop("of")


def _gone_before(connection: Connection, place: Place, rows: pl.DataFrame) -> pl.DataFrame:
    """The newest version of each score of ``rows`` that was withdrawn and does not stand."""
    if rows.is_empty():
        return pl.DataFrame(
            schema={
                **rows.select(SCORE_KEY).schema,
                "version_id": pl.Int64(),
                "superseded_on": pl.Date(),
                "source": pl.String(),
            }
        )
    statement = select(
        *(getattr(ScoreVersion, c) for c in SCORE_KEY),
        ScoreVersion.version_id,
        ScoreVersion.superseded_on,
        ScoreVersion.source,
    ).where(ScoreVersion.practice_id == place.practice_id, ScoreVersion.undo_id.is_(None))
    return (
        read_frame(connection, statement)
        .join(rows.select(SCORE_KEY), on=SCORE_KEY, how="semi")
        .sort("superseded_on", "version_id")
        .unique(SCORE_KEY, keep="last", maintain_order=True)
    )


def _revive(connection: Connection, place: Place, versions: list[int]) -> pl.DataFrame:
    """Scores withdrawn earlier on the same day stand again as they did: nothing of the day is left of the withdrawal."""
    parts = []
    columns = [getattr(ScoreVersion, c) for c in ["id", *STORED]]
    for start in range(0, len(versions), MANY_IDS):
        some = versions[start : start + MANY_IDS]
        parts.append(read_frame(connection, select(*columns).where(ScoreVersion.version_id.in_(some))))
        connection.execute(delete(ScoreVersion).where(ScoreVersion.version_id.in_(some)))
    back = pl.concat(parts)
    insert_frame(connection, Score.__table__, back.with_columns(practice_id=pl.lit(place.practice_id)))
    return back


def _not_ours(present: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """SET_ASIDE rows for scores that another source has given otherwise, and the rows that remain to be stored."""
    theirs = rows.join(
        present.filter(~pl.col("own")).select(*SCORE_KEY, stands="value"),
        on=SCORE_KEY,
        how="inner",
        maintain_order="left",
    )
    differs = pl.col("withdrawn") | (pl.col("value") != pl.col("stands"))
    said = theirs.filter(differs).select(
        "file",
        "line",
        pl.lit("value").alias("column"),
        pl.col("value").cast(pl.String),
        pl.lit("another source gave this score; it stands, and only that source can change it").alias("reason"),
    )
    return said.cast(pl.Schema(SET_ASIDE)), rows.join(theirs.select(SCORE_KEY), on=SCORE_KEY, how="anti")


def store_scores(
    connection: Connection, place: Place, rows: pl.DataFrame, today: date
) -> tuple[Count, list[int], pl.DataFrame]:
    """``rows``: internal episode_id, the rest of the key, value, appointment_ref, recorded_on, withdrawn, file, line.

    A score given under another day in the call that withdraws it, that is one of the same episode, instrument, scale and
    respondent, is known from the day of the import, unless recorded_on says else. Returns the count, the episodes touched and
    the SET_ASIDE rows of scores that another source had given already.
    """
    rows = _sources(connection, place, rows.sort(SCORE_KEY))
    present = _present(connection, place, rows)
    all_rows = rows.height
    aside, rows = _not_ours(present, rows)
    the_same = all_rows - rows.height - aside.height
    gone, rows = rows.filter("withdrawn"), rows.filter(~pl.col("withdrawn"))
    present = present.filter("own").drop("own")
    hit = present.join(gone.select(*SCORE_KEY, "recorded_on"), on=SCORE_KEY)
    absent = rows.join(present.select(SCORE_KEY), on=SCORE_KEY, how="anti")
    before = _gone_before(connection, place, absent)
    again = before.join(absent.select(*SCORE_KEY, "source"), on=[*SCORE_KEY, "source"], how="semi", nulls_equal=True)
    again = again.filter(pl.col("superseded_on") == today)
    revived = present.clear()
    if again.height:
        revived = _revive(connection, place, again["version_id"].to_list())
        present = pl.concat([present, revived.select(present.columns)])
        absent = absent.join(revived.select(SCORE_KEY), on=SCORE_KEY, how="anti")
    back = absent.join(before.select(SCORE_KEY), on=SCORE_KEY, how="semi").select(*SCORE_KEY, back=pl.lit(True))
    moved = hit.select(SERIES).unique().with_columns(moved=pl.lit(True))
    marked = absent.join(moved, on=SERIES, how="left", maintain_order="left").join(
        back, on=SCORE_KEY, how="left", maintain_order="left"
    )
    new = marked.select(
        *SCORE_KEY,
        "value",
        "appointment_ref",
        "source",
        known_from=pl.when("back").then(pl.lit(today))
        .when("moved").then(pl.coalesce("recorded_on", pl.lit(today)))
        .otherwise(pl.coalesce("recorded_on", "taken_on")),
    )  # fmt: skip
    _insert(connection, place, new)
    both = present.join(rows.select(*SCORE_KEY, "value", "appointment_ref"), on=SCORE_KEY, suffix="_new")
    corrects = pl.col("value") != pl.col("value_new")
    came_back = revived.select("id").with_columns(came_back=pl.lit(True))
    changed = (
        both.join(came_back, on="id", how="left")
        .filter(corrects | filled("appointment_ref") | corrected("appointment_ref") | pl.col("came_back"))
        .with_columns(is_correction=corrects)
    )
    stored = ["id", *STORED]
    keep_versions(connection, ScoreVersion, place.practice_id, changed.filter("is_correction").select(stored), today)
    current = changed.with_columns(
        value=pl.col("value_new"),
        appointment_ref=pl.coalesce("appointment_ref_new", "appointment_ref"),
        known_from=pl.when("is_correction").then(pl.lit(today)).otherwise("known_from"),
        import_id=pl.lit(place.import_id),
    )
    update_frame(
        connection, Score.__table__, current.select("id", "value", "appointment_ref", "known_from", "import_id")
    )
    over = hit.with_columns(superseded_on=pl.coalesce("recorded_on", pl.lit(today)))
    keep_versions(connection, ScoreVersion, place.practice_id, over.select(*stored, "superseded_on"), today)
    ids = hit["id"].to_list()
    for start in range(0, len(ids), MANY_IDS):
        connection.execute(delete(Score).where(Score.id.in_(ids[start : start + MANY_IDS])))
    touched = pl.concat(frame.select("episode_id") for frame in (new, changed, hit))["episode_id"].unique().to_list()
    unchanged = both.height - changed.height + gone.height - hit.height + the_same
    return Count(new.height, changed.height + hit.height, unchanged, aside=aside.height), touched, aside


def _insert(connection: Connection, place: Place, new: pl.DataFrame) -> None:
    if new.is_empty():
        return
    # a withdrawn score keeps its id in its versions, so that no other may ever have it
    used = connection.execute(select(func.coalesce(func.max(ScoreVersion.id), 0))).scalar_one()
    first = max(next_id(connection, Score), int(used) + 1)
    frame = new.with_columns(
        id=pl.int_range(pl.len(), dtype=pl.Int64) + first,
        practice_id=pl.lit(place.practice_id),
        import_id=pl.lit(place.import_id),
    )
    insert_frame(connection, Score.__table__, frame)
