"""Who is who in a call: references settled to ids of clients and clinicians, and the practitioners as clinicians."""

from __future__ import annotations

import polars as pl

from dashboard.intake.batch import PLACE
from dashboard.intake.fhir.aside import Aside
from dashboard.intake.fhir.attribution import KnownCare
from dashboard.intake.fhir.collect import Collected
from dashboard.intake.fhir.newest import newest
from dashboard.intake.fhir.rows import WHO

TWICE = "this id stands more than once with different content in one version"


class People:
    """References of a call settled to ids of clients and clinicians."""

    def __init__(self, collected: Collected) -> None:
        """Learns the roles of practitioners."""
        self.references = collected.references
        roles = collected.roles.frame()
        who = self.references.settled(roles["practitioner"])
        self.roles = {
            f"PractitionerRole/{rid}": target for rid, target in zip(roles["rid"], who, strict=True) if target
        }

    def column(self, frame: pl.DataFrame, name: str, kind: str) -> pl.Series:
        """Bare ids of one type of resource; null for what is of another, or cannot be followed."""
        settled = self.references.settled(frame[name], (kind, f"{kind}Role"))
        if kind == "Practitioner" and self.roles:
            settled = settled.replace(self.roles)
        of_kind = settled.str.starts_with(f"{kind}/")
        only = pl.when(of_kind).then(settled.str.strip_prefix(f"{kind}/"))
        return pl.select(only.alias(name)).to_series()

    def settle(self, frame: pl.DataFrame, **kinds: str) -> pl.DataFrame:
        """The frame with bare ids in the columns named."""
        return frame.with_columns(self.column(frame, name, kind) for name, kind in kinds.items())


def once(frame: pl.DataFrame, aside: Aside, more: tuple[str, ...] = ()) -> pl.DataFrame:
    """Every resource once, the newest version; an id that stands for two things is set aside."""
    content = [*(c for c in frame.columns if c not in WHO and c not in ("unit", "content")), *more]
    good, clash = newest(frame, content)
    aside.report(clash, "id", "rid", TWICE)
    return good


def clinicians(collected: Collected, referred: pl.DataFrame, known: KnownCare, aside: Aside) -> pl.DataFrame:
    """Practitioners of the call, and those that are only referred to, by the name that stands with the reference."""
    given = once(collected.practitioners.frame(), aside)
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
