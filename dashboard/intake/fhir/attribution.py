"""To which episode of care something belongs: the one that is named, the client's own that fits, or one made for it.

1. Named: an Encounter or score that points to an EpisodeOfCare (or to an Encounter that does) belongs there.
2. A client with EpisodeOfCare: the one that holds the day, else the nearest; among several the one of the same clinician, then
   the one opened last.
3. A client without: one episode per practitioner named, ``Patient/ID/Practitioner/ID``. What names nobody goes to the one who
   saw the client that day, else last before, else first after; without any, to the client's general practitioner; without
   that to ``Patient/ID`` with a stated stand-in.
A client for whom an episode was made in an earlier call stays with rule 3, so that nothing is counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

EVENTS = {"patient": pl.String(), "practitioner": pl.String(), "named": pl.String(), "day": pl.Date()}
CARE = {
    "episode_id": pl.String(), "patient": pl.String(), "clinician": pl.String(), "opened": pl.Date(), "closed": pl.Date(),
}  # fmt: skip
STAND_IN = "(not named)"  # no FHIR id has brackets, so it is nobody's id
MADE = r"^Patient/([^/]+)(?:/Practitioner/([^/]+))?$"


@dataclass(frozen=True)
class KnownCare:
    """What earlier imports of the source brought: ids of clients and clinicians, CARE, and by table the rows that wait."""

    clients: frozenset[str] = frozenset()
    clinicians: frozenset[str] = frozenset()
    episodes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CARE))
    waiting: dict[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def own(self) -> pl.DataFrame:
        """Episodes that an EpisodeOfCare (or the practice's own table) brought, those that wait for their client among them."""
        every = self.episodes
        if (waiting := self.waiting.get("episodes")) is not None:
            named = {"patient": "client_id", "clinician": "clinician_id", "opened": "opened_on", "closed": "closed_on"}
            more = waiting.select("episode_id", *(pl.col(theirs).alias(ours) for ours, theirs in named.items()))
            every = pl.concat([every, more.join(every, on="episode_id", how="anti")])
        return every.filter(~pl.col("episode_id").str.contains(MADE)).unique(
            "episode_id", keep="last", maintain_order=True
        )

    @property
    def made(self) -> pl.DataFrame:
        """Episodes made by rule 3, with the practitioner in their id."""
        return self.episodes.filter(pl.col("episode_id").str.contains(MADE)).with_columns(
            practitioner=pl.col("episode_id").str.extract(MADE, 2)
        )


def made_id(patient: str = "patient", practitioner: str = "practitioner") -> pl.Expr:
    """The id of the episode that rule 3 makes."""
    alone = pl.format("Patient/{}", pl.col(patient))
    with_one = pl.format("Patient/{}/Practitioner/{}", pl.col(patient), pl.col(practitioner))
    return pl.when(pl.col(practitioner).is_null()).then(alone).otherwise(with_one)


def _nearest(events: pl.DataFrame, care: pl.DataFrame) -> pl.DataFrame:
    """Rule 2: event number and episode_id."""
    pairs = events.join(care, on="patient", how="inner")
    before, after = pl.col("opened") - pl.col("day"), pl.col("day") - pl.col("closed")
    away = (
        pl.when(before > pl.duration(days=0)).then(before).when(after > pl.duration(days=0)).then(after).otherwise(None)
    )
    pairs = pairs.with_columns(
        away=away.dt.total_days().fill_null(0),
        other=(pl.col("clinician") != pl.col("practitioner")).fill_null(True),
    )
    order = ["event", "outside", "other", "away", "opened", "episode_id"]
    down = [False, False, False, False, True, False]
    return (
        pairs.with_columns(outside=pl.col("away") > 0)
        .sort(order, descending=down, nulls_last=True)
        .unique("event", keep="first", maintain_order=True)
        .select("event", "episode_id")
    )


def _practitioners(events: pl.DataFrame, made: pl.DataFrame, general: pl.DataFrame) -> pl.DataFrame:
    """Rule 3: event number and the practitioner whose episode it is, null where the client has none at all."""
    seen = pl.concat(
        [
            events.select("patient", "practitioner", "day"),
            made.select("patient", "practitioner", pl.col("opened").alias("day")),
        ]
    ).drop_nulls(["patient", "practitioner"])
    one = seen.group_by("patient").agg(pl.col("practitioner").n_unique().alias("n"), pl.col("practitioner").first())
    only = one.filter(pl.col("n") == 1).select("patient", pl.col("practitioner").alias("only"))
    # an unnamed episode of an earlier call keeps what names nobody
    kept = made.filter(pl.col("practitioner").is_null()).select("patient").unique()
    unnamed = events.filter(pl.col("practitioner").is_null())
    held = unnamed.join(kept, on="patient", how="semi").select("event", pl.lit(None, pl.String).alias("practitioner"))
    unnamed = unnamed.join(kept, on="patient", how="anti")
    single = unnamed.join(only, on="patient", how="inner").select("event", pl.col("only").alias("practitioner"))
    unnamed = unnamed.join(only, on="patient", how="anti")
    several = unnamed.join(seen.select("patient").unique(), on="patient", how="semi")
    nobody = unnamed.join(seen.select("patient").unique(), on="patient", how="anti")
    days = seen.drop_nulls("day").unique().sort(["day", "practitioner"], descending=[False, True])
    first = days.sort(["day", "practitioner"]).rename({"practitioner": "next"})
    both = several.drop("practitioner").sort("day")
    if both.height:
        both = both.with_columns(pl.col("day").fill_null(pl.date(1900, 1, 1))).sort("day")
        both = both.join_asof(days, on="day", by="patient", strategy="backward", check_sortedness=False).join_asof(
            first, on="day", by="patient", strategy="forward", check_sortedness=False
        )
        both = both.with_columns(practitioner=pl.coalesce("practitioner", "next"))
    else:
        both = both.with_columns(practitioner=pl.lit(None, pl.String))
    doctor = nobody.drop("practitioner").join(general, on="patient", how="left")
    return pl.concat(
        [
            part.select("event", "practitioner")
            for part in (events.filter(pl.col("practitioner").is_not_null()), held, single, both, doctor)
        ]
    )


def attributed(events: pl.DataFrame, care: pl.DataFrame, known: KnownCare, general: pl.DataFrame) -> pl.Series:
    """The episode_id of each event (EVENTS), in their order; null only where there is no patient.

    ``care``: the EpisodeOfCare resources of the call (CARE). ``general``: patient and practitioner, for who names nobody.
    """
    numbered = events.with_row_index("event")
    made = known.made
    own = pl.concat([care, known.own.join(care, on="episode_id", how="anti")])
    own = own.join(made.select("patient").unique(), on="patient", how="anti")
    rest = numbered.filter(pl.col("named").is_null() & pl.col("patient").is_not_null())
    with_care = rest.join(own.select("patient").unique(), on="patient", how="semi")
    without = rest.join(own.select("patient").unique(), on="patient", how="anti")
    by_care = _nearest(with_care, own)
    whose = _practitioners(without, made, general)
    by_hand = without.drop("practitioner").join(whose, on="event").select("event", made_id().alias("episode_id"))
    named = numbered.filter(pl.col("named").is_not_null()).select("event", pl.col("named").alias("episode_id"))
    found = pl.concat([named, by_care, by_hand])
    return numbered.join(found, on="event", how="left", maintain_order="left")["episode_id"]
