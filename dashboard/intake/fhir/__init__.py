"""FHIR R4 and STU3 files (Bundle, one resource, NDJSON; plain or .gz) to our tables, as text, for the usual checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dashboard.intake.fhir.aside import Aside
from dashboard.intake.fhir.attribution import KnownCare
from dashboard.intake.fhir.codes import CodeBook
from dashboard.intake.fhir.collect import Collected
from dashboard.intake.fhir.documents import NotFhir, resources
from dashboard.intake.fhir.models import READ, Judge
from dashboard.intake.fhir.tables import FhirTables, assembled
from dashboard.intake.mapping import Code
from dashboard.intake.read import Limits, RawTable, fhir_kind_of

__all__ = ["FhirTables", "KnownCare", "fhir_tables", "is_fhir", "read_fhir"]

STRANGER = "a modifierExtension may change its meaning, and this program does not know it"


def is_fhir(path: Path) -> bool:
    """True for the file names that are read as FHIR."""
    return fhir_kind_of(path) is not None


def _read(path: Path, limits: Limits, judge: Judge, collected: Collected, aside: Aside) -> None:
    file = path.name
    for one in resources(path, limits):
        if one.resource is None:
            aside.say(file, one.line, None, one.text, one.fault or "")
            continue
        kind = one.resource["resourceType"]
        if kind not in READ:
            aside.leave(file, f"{kind[:60]!r} resources are not read".replace("'", ""))
            continue
        fault, elsewhere = judge.objection(one.resource)
        if fault is None and (one.resource.get("modifierExtension") or one.resource.get("implicitRules")):
            fault = STRANGER
        if fault is not None:
            aside.say(file, one.line, kind, _named(one.resource), fault)
            continue
        if elsewhere is not None:
            aside.say(
                file, one.line, kind, _named(one.resource), f"taken; a part that is not read is not valid: {elsewhere}"
            )
        collected.take(one.resource, file, one.line, one.full_url)


def _named(resource: dict[str, object]) -> str | None:
    """The id as it stands, printable."""
    own = resource.get("id")
    return own.encode("utf-8", "replace").decode() if isinstance(own, str) else None


def read_fhir(
    paths: list[Path],
    limits: Limits,
    *,
    timezone: str = "",
    codes: tuple[Code, ...] = (),
    known: KnownCare | None = None,
    in_folder: frozenset[Path] = frozenset(),
    progress: Callable[[int], None] | None = None,
) -> FhirTables:
    """The tables of all FHIR files of a call; references are settled across them.

    ``codes``: the practice's own. ``known``: what earlier imports brought. ``in_folder``: files that nobody named, of which one
    that is no FHIR is left alone. Raises UnusableInput where a file cannot be used; a resource that cannot is set aside.
    """
    collected, aside, judge = Collected(CodeBook.of(codes)), Aside(), Judge()
    for number, path in enumerate(paths):
        collected.references.file = number
        try:
            _read(path, limits, judge, collected, aside)
        except NotFhir:
            if path not in in_folder:
                raise
            aside.leave(path.name, "document without a resourceType, so not FHIR")
        if progress:
            progress(number + 1)
    return assembled(collected, known or KnownCare(), timezone, aside)


def fhir_tables(path: Path, limits: Limits) -> list[RawTable]:
    """The tables of one FHIR file. Raises UnusableInput, and nothing else, where it cannot be used."""
    return read_fhir([path], limits).tables
