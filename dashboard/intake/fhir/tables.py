"""All that a call's FHIR files say, as our tables: clinicians, clients, episodes, appointments and scores, cells as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from dashboard.intake.batch import PLACE, SET_ASIDE, TABLES
from dashboard.intake.fhir.aside import Aside
from dashboard.intake.fhir.attribution import MADE, STAND_IN, KnownCare, attributed, made_id
from dashboard.intake.fhir.collect import Collected
from dashboard.intake.fhir.newest import newest
from dashboard.intake.fhir.rows import WHO
from dashboard.intake.fhir.scores import one_response_a_day, scores, usable
from dashboard.intake.fhir.times import as_date, practice_day
from dashboard.intake.fhir.visits import WITHDRAWN, visits
from dashboard.intake.read import RawTable

FILE = "FHIR"
STAND_IN_NAME = "Practitioner not named"
OPEN = ("active", "onhold", "planned", "waitlist")
CLOSED = ("finished", "cancelled")
NO_CLIENT = "no Patient that can be followed in its subject"
TWICE = "this id stands more than once with different content in one version"


@dataclass(frozen=True)
class FhirTables:
    """``moved``: rows waiting from earlier calls (episode_id, day) and the episode that they now belong to (new_id)."""

    tables: list[RawTable]
    aside: pl.DataFrame
    unmapped: list[dict[str, Any]]
    unused: dict[str, list[str]]
    moved: pl.DataFrame


class _People:
    """References of a call settled to ids of clients and clinicians."""

    def __init__(self, collected: Collected) -> None:
        self.references = collected.references
        roles = collected.roles.frame()
        who = self.references.settled(roles["practitioner"])
        self.roles = {
            f"PractitionerRole/{rid}": target for rid, target in zip(roles["rid"], who, strict=True) if target
        }

    def column(self, frame: pl.DataFrame, name: str, kind: str) -> pl.Series:
        settled = self.references.settled(frame[name])
        if kind == "Practitioner" and self.roles:
            settled = settled.replace(self.roles)
        of_kind = settled.str.starts_with(f"{kind}/")
        only = pl.when(of_kind).then(settled.str.strip_prefix(f"{kind}/"))
        return pl.select(only.alias(name)).to_series()

    def settle(self, frame: pl.DataFrame, **kinds: str) -> pl.DataFrame:
        """The frame with bare ids in the columns named."""
        return frame.with_columns(self.column(frame, name, kind) for name, kind in kinds.items())


def _once(frame: pl.DataFrame, aside: Aside, more: tuple[str, ...] = ()) -> pl.DataFrame:
    content = [*(c for c in frame.columns if c not in WHO and c not in ("unit", "content")), *more]
    good, clash = newest(frame, content)
    aside.report(clash, "id", "rid", TWICE)
    return good


def _raw(name: str, frame: pl.DataFrame) -> RawTable:
    columns = [c for c in TABLES[name] if c in frame.columns]
    rows = frame.select(*(pl.col(c).cast(pl.String) for c in columns), *PLACE)
    return RawTable(name, FILE, columns, rows, pl.DataFrame(schema=SET_ASIDE))


def _units(collected: Collected, aside: Aside) -> tuple[pl.DataFrame, pl.DataFrame]:
    units, values = collected.units.frame(), collected.values.frame()
    if (units["rid"].is_duplicated() & units["rid"].is_not_null()).any():
        text = pl.concat_str(pl.col(c).cast(pl.String).fill_null("") for c in values.columns if c != "unit")
        content = (
            values.group_by("unit", maintain_order=True)
            .agg(text.alias("content"))
            .select("unit", pl.col("content").list.join("\n"))
        )
        units = units.join(content, on="unit", how="left", maintain_order="left")
        units = _once(units, aside, ("content",)).drop("content")
    return units, values


def _care(people: _People, collected: Collected, known: KnownCare, timezone: str, aside: Aside) -> pl.DataFrame:
    """EpisodeOfCare rows that count, with opened_on and closed_on as text."""
    given = people.settle(_once(collected.episodes.frame(), aside), patient="Patient", practitioner="Practitioner")
    lost = pl.col("patient").is_null()
    aside.report(given.filter(lost), "patient", None, "no Patient that can be followed")
    given = given.filter(~lost)
    late = given.join(known.made.select("patient").unique(), on="patient", how="semi").filter(
        ~pl.col("rid").is_in(known.episodes["episode_id"].implode())
    )
    aside.report(
        late, "patient", "patient",
        "came after an episode was made for this client from earlier files; undo that import to take it in",
    )  # fmt: skip
    given = given.join(late.select("rid"), on="rid", how="anti")
    odd = ~pl.col("status").is_in([*OPEN, *CLOSED, WITHDRAWN])
    aside.report(given.filter(odd), "status", "status", "not a status of an episode of care")
    given = given.filter(~odd)
    given = given.with_columns(
        opened_on=practice_day(given["start"], timezone), ended_on=practice_day(given["end"], timezone)
    )
    closed = pl.col("status").is_in(CLOSED)
    return given.with_columns(closed_on=pl.when(closed).then(pl.col("ended_on")), is_closed=closed)


def _events(*parts: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([part.select("patient", "practitioner", "named", "day") for part in parts])


def _made(events: pl.DataFrame, clients: frozenset[str], known: KnownCare) -> pl.DataFrame:
    """Episodes of rule 3 that are new, or now begin earlier: episode_id, client_id, clinician_id, opened_on and place."""
    made = events.filter(pl.col("episode_id").str.contains(MADE)).with_columns(
        client_id=pl.col("episode_id").str.extract(MADE, 1), clinician_id=pl.col("episode_id").str.extract(MADE, 2)
    )
    made = made.filter(pl.col("client_id").is_in(list(clients)) & pl.col("day").is_not_null())
    first = made.sort(["day", "file", "line"]).unique("episode_id", keep="first", maintain_order=True)
    before = known.episodes.select("episode_id", "opened")
    first = first.join(before, on="episode_id", how="left", maintain_order="left")
    first = first.filter(pl.col("opened").is_null() | (pl.col("day") < pl.col("opened")))
    return first.select(
        "episode_id",
        "client_id",
        pl.col("clinician_id").fill_null(STAND_IN),
        pl.col("day").cast(pl.String).alias("opened_on"),
        "file",
        "line",
    )


def _named_care(care: pl.DataFrame, events: pl.DataFrame, known: KnownCare, aside: Aside) -> pl.DataFrame:
    """EpisodeOfCare as our episodes; a missing clinician or beginning comes from what is in the episode."""
    inside = events.filter(pl.col("episode_id").is_in(care["rid"].implode()))
    most = (
        inside.drop_nulls("practitioner")
        .group_by("episode_id", "practitioner")
        .len()
        .sort(["len", "practitioner"], descending=[True, False])
        .unique("episode_id", keep="first", maintain_order=True)
        .select("episode_id", pl.col("practitioner").alias("most"))
    )
    first = inside.group_by("episode_id").agg(pl.col("day").min().cast(pl.String).alias("first"))
    before = known.episodes.select("episode_id", "clinician", pl.col("opened").cast(pl.String))
    both = care.rename({"rid": "episode_id"})
    for more in (most, first, before):
        both = both.join(more, on="episode_id", how="left", maintain_order="left")
    both = both.select(
        "episode_id",
        pl.col("patient").alias("client_id"),
        pl.coalesce("practitioner", "clinician", "most", pl.lit(STAND_IN)).alias("clinician_id"),
        pl.coalesce("opened_on", "opened", "first").alias("opened_on"),
        "closed_on",
        "is_closed",
        "status",
        *PLACE,
    )
    unbegun = pl.col("opened_on").is_null() & (pl.col("status") != WITHDRAWN)
    aside.report(both.filter(unbegun), "period", None, "no period.start, and nothing in it from which it could be told")
    unended = pl.col("is_closed") & pl.col("closed_on").is_null() & ~unbegun
    aside.report(both.filter(unended), "period", "status", "closed without period.end: the day it closed is not known")
    return both.filter(~unbegun & ~unended)


def _clinicians(collected: Collected, referred: pl.DataFrame, known: KnownCare, aside: Aside) -> pl.DataFrame:
    """Practitioners of the call, and those that are only referred to, by the name that stands with the reference."""
    given = _once(collected.practitioners.frame(), aside)
    given = given.filter(pl.col("rid").is_not_null()).select(
        pl.col("rid").alias("clinician_id"), pl.col("name").alias("display_name"), *PLACE
    )
    there = [*given["clinician_id"], *known.clinicians]
    only = (
        referred.filter(pl.col("clinician_id").is_not_null() & ~pl.col("clinician_id").is_in(there))
        .sort(["clinician_id", "display_name", "file", "line"], nulls_last=True)
        .unique("clinician_id", keep="first", maintain_order=True)
    )
    return pl.concat([given, only.select(given.columns)])


def assembled(collected: Collected, known: KnownCare, timezone: str, aside: Aside) -> FhirTables:
    """The tables of a call once all of its files are read."""
    people = _People(collected)
    patients = _once(collected.patients.frame(), aside)
    patients = people.settle(patients, practitioner="Practitioner", replaced_by="Patient").filter(
        pl.col("rid").is_not_null()
    )
    care = _care(people, collected, known, timezone, aside)
    met = people.settle(
        _once(collected.encounters.frame(), aside),
        patient="Patient", practitioner="Practitioner", episode="EpisodeOfCare", appointment="Appointment",
    )  # fmt: skip
    met = met.filter(pl.col("rid").is_not_null())
    booked = people.settle(
        _once(collected.appointments.frame(), aside), patient="Patient", practitioner="Practitioner"
    ).filter(pl.col("rid").is_not_null())
    seen = visits(booked, met, timezone, aside)
    aside.report(seen.filter(pl.col("patient").is_null()), "subject", None, NO_CLIENT)
    seen = seen.filter(pl.col("patient").is_not_null()).with_columns(named=pl.col("episode"), day=as_date("starts_at"))

    units, values = _units(collected, aside)
    units = usable(people.settle(units, patient="Patient", practitioner="Practitioner"), timezone, aside)
    units = units.with_columns(context=people.references.settled(units["context"]))
    aside.report(units.filter(pl.col("patient").is_null()), "subject", None, NO_CLIENT)
    units = units.filter(pl.col("patient").is_not_null())
    score_rows, unmapped = scores(units, values, collected.book, aside)
    # what gives no score tells nothing of an episode: a blood pressure of long ago is not its beginning
    units = units.join(score_rows.select("unit").unique(), on="unit", how="semi", maintain_order="left")

    general = patients.select(pl.col("rid").alias("patient"), "practitioner").drop_nulls().unique("patient")
    spans = care.filter(pl.col("status") != WITHDRAWN).select(
        pl.col("rid").alias("episode_id"), "patient", pl.col("practitioner").alias("clinician"),
        as_date("opened_on").alias("opened"), as_date("closed_on").alias("closed"),
    )  # fmt: skip
    met_in = met.filter(pl.col("part_of").is_null()).select(
        context=pl.format("Encounter/{}", "rid"), with_whom=pl.col("practitioner"), within=pl.col("episode"),
        slot=pl.col("appointment"),
    )  # fmt: skip
    slots = seen.filter(pl.col("encounter").is_not_null() | pl.col("appointment_id").is_not_null()).select(
        slot=pl.col("appointment_id"), slot_whom=pl.col("practitioner"), slot_within=pl.col("named")
    )
    units = units.join(met_in, on="context", how="left", maintain_order="left").join(
        slots.unique("slot"), on="slot", how="left", maintain_order="left"
    )
    directly = pl.when(pl.col("context").str.starts_with("EpisodeOfCare/")).then(
        pl.col("context").str.strip_prefix("EpisodeOfCare/")
    )
    units = units.with_columns(
        named=pl.coalesce(directly, "within", "slot_within"),
        practitioner=pl.coalesce("with_whom", "slot_whom", "practitioner"),
        day=as_date("taken_on"),
    )
    clients = frozenset(patients["rid"]) | known.clients
    waited = known.waiting.with_columns(
        patient=pl.col("episode_id").str.extract(MADE, 1), practitioner=pl.col("episode_id").str.extract(MADE, 2)
    )
    waited = waited.filter(pl.col("patient").is_in(list(clients))).with_columns(
        named=pl.lit(None, pl.String), file=pl.lit(FILE), line=pl.lit(None, pl.Int64)
    )
    events = pl.concat(
        [part.select("patient", "practitioner", "named", "day", *PLACE) for part in (seen, units, waited)]
    )
    events = events.with_columns(episode_id=attributed(_events(events), spans, known, general))
    seen = seen.with_columns(episode_id=events["episode_id"].head(seen.height))
    units = units.with_columns(episode_id=events["episode_id"].slice(seen.height, units.height))
    waited = waited.with_columns(new_id=events["episode_id"].slice(seen.height + units.height))

    made = _made(events, clients, known)
    episodes = _named_care(care, events, known, aside)
    score_rows = score_rows.join(units.select("unit", "episode_id"), on="unit", maintain_order="left")
    score_rows = one_response_a_day(score_rows, aside)
    shown = pl.concat(
        [
            part.select(pl.col("practitioner").alias("clinician_id"), pl.col("shown").alias("display_name"), *PLACE)
            for part in (seen, units, care)
        ]
    )
    stand_in = pl.concat([episodes.select("clinician_id", *PLACE), made.select("clinician_id", *PLACE)]).with_columns(
        display_name=pl.when(pl.col("clinician_id") == STAND_IN).then(pl.lit(STAND_IN_NAME))
    )
    referred = pl.concat([shown, stand_in.select(shown.columns)])
    tables = {
        "clinicians": _clinicians(collected, referred, known, aside),
        "clients": patients.select(
            pl.col("rid").alias("client_id"), pl.col("birth").alias("birth_year"), "gender",
            pl.col("replaced_by").alias("merged_into"), *PLACE,
        ),
        "episodes": pl.concat([episodes, made], how="diagonal"),
        "appointments": seen.with_columns(status=pl.col("became")),
        "scores": score_rows,
    }  # fmt: skip
    tables = _withdrawn(tables, aside)
    return FhirTables(
        [_raw(name, frame) for name, frame in tables.items() if frame.height],
        aside.frame(),
        unmapped,
        aside.unused_words(),
        waited.filter(pl.col("new_id") != pl.col("episode_id")).select("episode_id", "day", "new_id"),
    )


def _withdrawn(tables: dict[str, pl.DataFrame], aside: Aside) -> dict[str, pl.DataFrame]:
    """Rows entered in error: withdrawn where our table can say so, else left out and reported."""
    for name in ("episodes", "appointments", "scores"):
        frame = tables[name]
        wrong = (pl.col("status") == WITHDRAWN).fill_null(False)
        if "withdrawn" in TABLES[name]:
            tables[name] = frame.with_columns(withdrawn=pl.when(wrong).then(pl.lit("yes")))
        else:
            aside.report(frame.filter(wrong), "status", "status", "entered in error, so left out")
            tables[name] = frame.filter(~wrong)
    return tables
