"""Small FHIR resources, and what reading them gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from dashboard.intake import Limits
from dashboard.intake.fhir import FhirTables, KnownCare, read_fhir
from dashboard.intake.fhir.codes import GAD7, LOINC, PHQ9
from dashboard.intake.mapping import Code

Resource = dict[str, Any]
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
ISO = "http://hl7.org/fhir/StructureDefinition/iso21090-CO-value"
DATA = Path(__file__).parent / "data" / "fhir"
LETTERS = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")
CODES = {"phq9": PHQ9, "gad7": GAD7}


def ref(target: str | None, **more: str) -> dict[str, str]:
    """A Reference."""
    return {"reference": target, **more} if target else dict(more)


def patient(own: str = "p1", **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": own, **more}


def practitioner(own: str = "d1", family: str = "Noor", **more: Any) -> Resource:
    return {"resourceType": "Practitioner", "id": own, "name": [{"family": family}], **more}


def observation(
    value: Any = 12, code: str = "44261-6", day: str = "2026-01-05", system: str = LOINC, **more: Any
) -> Resource:
    """A total of the PHQ-9, unless told otherwise."""
    made = {
        "resourceType": "Observation", "id": "o1", "status": "final", "code": {"coding": [{"system": system, "code": code}]},
        "subject": ref("Patient/p1"), "effectiveDateTime": day, "valueQuantity": {"value": value}, **more,
    }  # fmt: skip
    return {name: one for name, one in made.items() if one is not None}


def coded(answer: int | str, ordinal: float | None = None, url: str = ORDINAL) -> Resource:
    """An answer by its LOINC letter code (0 to 3) or any other code, with an ordinal extension where one is given."""
    code = LETTERS[answer] if isinstance(answer, int) else answer
    coding: Resource = {"system": LOINC, "code": code}
    if ordinal is not None:
        coding["extension"] = [{"url": url, "valueDecimal": ordinal}]
    return {"valueCoding": coding}


def items(answers: list[Any], instrument: str = "phq9", slash: str = "/") -> list[Resource]:
    """Items whose link ids are LOINC codes."""
    given = [coded(one) if isinstance(one, int | str) else one for one in answers]
    codes = CODES[instrument]
    return [{"linkId": f"{slash}{code}", "answer": [one]} for code, one in zip(codes, given, strict=False)]


def response(given: list[Resource], day: str = "2026-01-05", **more: Any) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse", "id": "q1", "status": "completed", "subject": ref("Patient/p1"),
        "authored": day, "item": given, **more,
    }  # fmt: skip


def appointment(
    status: str = "fulfilled", own: str = "a1", start: str = "2026-01-05T10:00:00Z", **more: Any
) -> Resource:
    people = [{"actor": ref(one), "status": "accepted"} for one in ("Patient/p1", "Practitioner/d1")]
    return {"resourceType": "Appointment", "id": own, "status": status, "start": start, "participant": people, **more}


def encounter(status: str = "finished", own: str = "e1", start: str = "2026-01-05T10:03:00Z", **more: Any) -> Resource:
    made = {
        "resourceType": "Encounter", "id": own, "status": status, "class": {"code": "AMB"}, "subject": ref("Patient/p1"),
        "participant": [{"individual": ref("Practitioner/d1")}], "period": {"start": start}, **more,
    }  # fmt: skip
    return {name: one for name, one in made.items() if one is not None}


def care(own: str = "c1", who: str = "p1", status: str = "active", **more: Any) -> Resource:
    return {
        "resourceType": "EpisodeOfCare", "id": own, "status": status, "patient": ref(f"Patient/{who}"),
        "period": {"start": "2026-01-01"}, "careManager": ref("Practitioner/d1"), **more,
    }  # fmt: skip


def bundle(*resources: Resource, **more: Any) -> Resource:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources], **more}


def write(folder: Path, name: str, *resources: Resource) -> Path:
    """A file of that name: NDJSON, a single resource, or a Bundle of several."""
    path = folder / name
    if ".ndjson" in name:
        path.write_text("".join(json.dumps(one) + "\n" for one in resources))
    else:
        path.write_text(json.dumps(resources[0] if len(resources) == 1 else bundle(*resources)))
    return path


def read(
    folder: Path,
    *resources: Resource,
    codes: tuple[Code, ...] = (),
    known: KnownCare | None = None,
    timezone: str = "UTC",
) -> FhirTables:
    """What NDJSON of these resources gives."""
    return read_fhir([write(folder, "all.ndjson", *resources)], Limits(), timezone=timezone, codes=codes, known=known)


def table(found: FhirTables, name: str) -> pl.DataFrame:
    """One table of it; empty where there is none."""
    return next((one.rows for one in found.tables if one.name == name), pl.DataFrame())


def rows(found: FhirTables, name: str, *columns: str) -> list[tuple[Any, ...]]:
    """Cells of a table's columns, row by row."""
    frame = table(found, name)
    return frame.select(columns).rows() if frame.height else []


def reasons(found: FhirTables) -> list[str]:
    """Why something was set aside or reported."""
    return found.aside["reason"].to_list()
