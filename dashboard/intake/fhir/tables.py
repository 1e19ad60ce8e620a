"""All that a call's FHIR files say, as our tables: clinicians, clients, episodes, appointments and scores, cells as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from dashboard.intake.batch import KEYS, PLACE, SET_ASIDE, TABLES
from dashboard.intake.fhir.aside import Aside
from dashboard.intake.fhir.attribution import EVENTS, MADE, STAND_IN, KnownCare, attributed
from dashboard.intake.fhir.collect import Collected
from dashboard.intake.fhir.episodes import care_of, made_episodes, named_episodes
from dashboard.intake.fhir.people import People, clinicians, once
from dashboard.intake.fhir.scores import mapped, numbered, one_response_a_day, usable
from dashboard.intake.fhir.times import as_date
from dashboard.intake.fhir.visits import WITHDRAWN, visits
from dashboard.intake.read import RawTable

FILE = "FHIR"
STAND_IN_NAME = "Practitioner not named"
NO_CLIENT = "no Patient that can be followed"
ANOTHERS = "points to an episode of another client"


@dataclass(frozen=True)
class FhirTables:
    """``unused``: by file what is left alone. ``stands_for``: keys of waiting rows for which rows of ``tables`` stand."""

    tables: list[RawTable]
    aside: pl.DataFrame
    unmapped: list[dict[str, Any]]
    unused: dict[str, list[str]]
    stands_for: dict[str, pl.DataFrame]


def _raw(name: str, frame: pl.DataFrame) -> RawTable:
    columns = [c for c in TABLES[name] if c in frame.columns]
    rows = frame.select(*(pl.col(c).cast(pl.String) for c in columns), *PLACE)
    return RawTable(name, FILE, columns, rows, pl.DataFrame(schema=SET_ASIDE))


def _with_client(frame: pl.DataFrame, aside: Aside) -> pl.DataFrame:
    lost = pl.col("patient").is_null()
    aside.report(frame.filter(lost), "subject", None, NO_CLIENT)
    return frame.filter(~lost)


def _seen(people: People, collected: Collected, timezone: str, aside: Aside) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Appointments, and the encounters that scores may point to."""
    met = people.settle(
        collected.encounters.frame(),
        patient="Patient", practitioner="Practitioner", episode="EpisodeOfCare", appointment="Appointment", part_of="Encounter",
    )  # fmt: skip
    met = once(met, aside).filter(pl.col("rid").is_not_null())
    booked = people.settle(collected.appointments.frame(), patient="Patient", practitioner="Practitioner")
    booked = once(booked, aside).filter(pl.col("rid").is_not_null())
    seen = _with_client(visits(booked, met, timezone, aside), aside)
    return seen.with_columns(named=pl.col("episode"), day=as_date("starts_at")), met


def _units(people: People, collected: Collected, aside: Aside) -> tuple[pl.DataFrame, pl.DataFrame]:
    units, values = collected.units.frame(), collected.values.frame()
    units = people.settle(units, patient="Patient", practitioner="Practitioner").with_columns(
        context=people.references.settled(units["context"]),
        rater=people.references.settled(units["rater"]).str.extract(r"^([A-Za-z]+)/", 1),
    )
    if (units["rid"].is_duplicated() & units["rid"].is_not_null()).any():
        text = pl.concat_str(pl.col(c).cast(pl.String).fill_null("") for c in values.columns if c != "unit")
        content = (
            values.group_by("unit", maintain_order=True)
            .agg(text.alias("content"))
            .select("unit", pl.col("content").list.join("\n"))
        )
        units = units.join(content, on="unit", how="left", maintain_order="left")
        units = once(units, aside, ("content",)).drop("content")
    return units, values


def _in_context(units: pl.DataFrame, met: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Whose and which episode a score is by the Encounter (and its Appointment) or EpisodeOfCare that it points to."""
    of_encounter = met.filter(pl.col("part_of").is_null()).select(
        context=pl.format("Encounter/{}", "rid"), with_whom=pl.col("practitioner"), within=pl.col("episode"),
        slot=pl.col("appointment"),
    )  # fmt: skip
    of_slot = seen.select(
        slot=pl.col("appointment_id"), slot_whom=pl.col("practitioner"), slot_within=pl.col("named")
    ).unique("slot")
    units = units.join(of_encounter, on="context", how="left", maintain_order="left")
    units = units.join(of_slot, on="slot", how="left", maintain_order="left")
    care = "EpisodeOfCare/"
    directly = pl.when(pl.col("context").str.starts_with(care)).then(pl.col("context").str.strip_prefix(care))
    return units.with_columns(
        named=pl.coalesce(directly, "within", "slot_within"),
        practitioner=pl.coalesce("with_whom", "slot_whom", "practitioner"),
        day=as_date("taken_on"),
    )


def _own_only(frame: pl.DataFrame, owners: pl.DataFrame, aside: Aside) -> pl.DataFrame:
    """Without what names an episode of somebody else: it would be read in the wrong record."""
    both = frame.join(owners, on="named", how="left", maintain_order="left")
    wrong = (pl.col("owner") != pl.col("patient")).fill_null(False)
    aside.report(both.filter(wrong), "episodeOfCare", "named", ANOTHERS)
    return both.filter(~wrong).drop("owner")


def _belonging(known: KnownCare) -> list[tuple[str, pl.DataFrame]]:
    """Waiting rows that belong to an episode."""
    return [(name, known.waiting[name]) for name in ("appointments", "scores") if name in known.waiting]


def _waited(known: KnownCare, clients: frozenset[str]) -> pl.DataFrame:
    """Rows that wait from earlier calls for a client who is known by now: events with their table and number."""
    parts = [pl.DataFrame(schema={**EVENTS, "status": pl.String(), **PLACE, "table": pl.String(), "row": pl.UInt32()})]
    for name, rows in _belonging(known):
        found = rows.filter(~pl.col("withdrawn")) if "withdrawn" in rows.columns else rows
        parts.append(
            found.with_row_index("row").select(
                pl.col("episode_id").str.extract(MADE, 1).alias("patient"),
                pl.col("episode_id").str.extract(MADE, 2).alias("practitioner"),
                pl.lit(None, pl.String).alias("named"),
                pl.col("taken_on" if name == "scores" else "starts_at").cast(pl.Date).alias("day"),
                pl.lit(None, pl.String).alias("status"),
                pl.lit(FILE).alias("file"),
                pl.lit(None, pl.Int64).alias("line"),
                pl.lit(name).alias("table"),
                "row",
            )
        )
    return pl.concat(parts).filter(pl.col("patient").is_in(list(clients)))


def _stood_for(known: KnownCare, waited: pl.DataFrame) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """By table: waiting rows with the episode found for them now (``new_id``), where it is another, and their keys till now."""
    rows, keys = {}, {}
    for name, waiting in _belonging(known):
        found = waiting.filter(~pl.col("withdrawn")) if "withdrawn" in waiting.columns else waiting
        theirs = waited.filter(pl.col("table") == name).select("row", "new_id")
        both = found.with_row_index("row").join(theirs, on="row", how="inner", maintain_order="left")
        both = both.filter(pl.col("new_id") != pl.col("episode_id"))
        if both.height:
            keys[name] = both.select(KEYS[name])
            place = [pl.lit(FILE).alias("file"), pl.lit(None, pl.Int64).alias("line")]
            rows[name] = both.with_columns(pl.col("new_id").alias("episode_id"), *place)
    return rows, keys


def assembled(collected: Collected, known: KnownCare, timezone: str, aside: Aside) -> FhirTables:
    """The tables of a call once all of its files are read."""
    people = People(collected)
    patients = people.settle(collected.patients.frame(), practitioner="Practitioner", replaced_by="Patient")
    patients = once(patients, aside).filter(pl.col("rid").is_not_null())
    clients = frozenset(patients["rid"]) | known.clients
    care = care_of(people, collected, known, timezone, aside)
    owners = (
        pl.concat(
            [
                care.select("rid", "patient").rename({"rid": "named"}),
                known.episodes.select(pl.col("episode_id").alias("named"), "patient"),
            ]
        )
        .unique("named", keep="first", maintain_order=True)
        .rename({"patient": "owner"})
    )
    seen, met = _seen(people, collected, timezone, aside)
    seen = _own_only(seen, owners, aside)

    units, values = _units(people, collected, aside)
    rows, unmapped = mapped(units, values, collected.book)
    # what gives no score tells nothing of an episode: a blood pressure of long ago is not its beginning
    units = units.join(rows.select("unit").unique(), on="unit", how="semi", maintain_order="left")
    units = _with_client(usable(units, timezone, aside), aside)
    units = _own_only(_in_context(units, met, seen), owners, aside)
    rows = numbered(rows, units, collected.book, aside)
    units = units.join(rows.select("unit").unique(), on="unit", how="semi", maintain_order="left")

    waited = _waited(known, clients)
    parts = (seen, units, waited)
    events = pl.concat([part.select(*EVENTS, "status", *PLACE) for part in parts])
    general = patients.select(pl.col("rid").alias("patient"), "practitioner").drop_nulls().unique("patient")
    spans = care.filter(pl.col("status") != WITHDRAWN).select(
        pl.col("rid").alias("episode_id"), "patient", pl.col("practitioner").alias("clinician"),
        as_date("opened_on").alias("opened"), as_date("closed_on").alias("closed"),
    )  # fmt: skip
    events = events.with_columns(episode_id=attributed(events.select(*EVENTS), spans, known, general))
    seen = seen.with_columns(events["episode_id"].head(seen.height))
    units = units.with_columns(events["episode_id"].slice(seen.height, units.height))
    waited = waited.with_columns(events["episode_id"].slice(seen.height + units.height).alias("new_id"))
    late, stands_for = _stood_for(known, waited)
    standing = events.filter(pl.col("status").is_null() | (pl.col("status") != WITHDRAWN))
    made = made_episodes(standing, clients, known)
    episodes = named_episodes(care, standing, known, aside)
    rows = rows.join(units.select("unit", "episode_id"), on="unit", maintain_order="left")
    rows = one_response_a_day(rows, aside)
    tables = {
        "clinicians": clinicians(collected, _referred(seen, units, care, episodes, made), known, aside),
        "clients": patients.select(
            pl.col("rid").alias("client_id"), pl.col("birth").alias("birth_year"), "gender",
            pl.col("replaced_by").alias("merged_into"), *PLACE,
        ),
        "episodes": pl.concat([episodes, made], how="diagonal"),
        "appointments": seen.with_columns(status=pl.col("became")),
        "scores": rows,
    }  # fmt: skip
    tables = _withdrawn(tables, aside)
    # what waited came before this call, so of one day the call is the later one
    raws = [_raw(name, frame) for name, frame in (*late.items(), *tables.items()) if frame.height]
    return FhirTables(raws, aside.frame(), unmapped, aside.unused_words(), stands_for)


def _referred(
    seen: pl.DataFrame, units: pl.DataFrame, care: pl.DataFrame, episodes: pl.DataFrame, made: pl.DataFrame
) -> pl.DataFrame:
    """Everybody an episode of the call needs as its clinician, by the name that stands with a reference to them."""
    shown = [
        part.select(pl.col("practitioner").alias("clinician_id"), pl.col("shown").alias("display_name"), *PLACE)
        for part in (seen, units, care)
    ]
    stand_in = pl.when(pl.col("clinician_id") == STAND_IN).then(pl.lit(STAND_IN_NAME)).alias("display_name")
    needed = pl.concat([part.select("clinician_id", stand_in, *PLACE) for part in (episodes, made)])
    return pl.concat([*(part.join(needed, on="clinician_id", how="semi") for part in shown), needed])


def _withdrawn(tables: dict[str, pl.DataFrame], aside: Aside) -> dict[str, pl.DataFrame]:
    """Rows entered in error: withdrawn where our table can say so, else left out and reported.

    A score entered in error gives way to a good one of the same day: it is that one's mistaken first writing.
    """
    for name in ("episodes", "appointments", "scores"):
        frame = tables[name]
        wrong = (pl.col("status") == WITHDRAWN).fill_null(False)
        if "withdrawn" not in TABLES[name]:
            aside.report(frame.filter(wrong), "status", "status", "entered in error, so left out")
            tables[name] = frame.filter(~wrong)
            continue
        key = list(KEYS[name])
        given_way = frame.filter(wrong).join(frame.filter(~wrong), on=key, how="anti", nulls_equal=True)
        tables[name] = pl.concat([frame.filter(~wrong), given_way]).with_columns(
            withdrawn=pl.when(wrong).then(pl.lit("yes"))
        )
    return tables
