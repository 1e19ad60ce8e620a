"""A million scores from FHIR NDJSON beside the bare JSON parser on the same file, and what the model library alone would cost.

Rates are by the clock; ratios are of seconds of computing, which other work on the machine does not change.

``python -m tests.benchmarks fhir`` or ``python -m tests.benchmarks.fhir 100000`` for another number of scores.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from fhir.resources.R4B.observation import Observation
from pydantic_core import from_json

from dashboard import importing
from dashboard.intake import Limits
from dashboard.intake.fhir import read_fhir
from dashboard.intake.fhir.codes import LOINC, PHQ9
from dashboard.settings import Settings
from queries.engine import open_engine
from queries.schema import migrate

TODAY = date(2026, 11, 20)
WEEKS = 20
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
LETTERS = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")


def _observations(scores: int) -> Iterator[dict[str, object]]:
    """Weekly totals as a bulk export writes them, 20 to a patient."""
    values = np.random.default_rng(1).integers(0, 28, scores)
    first = TODAY - timedelta(days=300)
    for number in range(scores):
        who, week = divmod(number, WEEKS)
        day = first + timedelta(days=7 * week)
        yield {
            "resourceType": "Observation",
            "id": f"o{number:08}",
            "meta": {"versionId": "1", "lastUpdated": f"{day}T12:{number % 60:02}:00.000+00:00"},
            "status": "final",
            "category": [{"coding": [{"system": CATEGORY, "code": "survey"}]}],
            "code": {"coding": [{"system": LOINC, "code": "44261-6", "display": "Total"}]},
            "subject": {"reference": f"Patient/{who:07}"},
            "effectiveDateTime": f"{day}T10:{number % 60:02}:00+00:00",
            "issued": f"{day}T11:{number % 60:02}:00.000+00:00",
            "performer": [{"reference": f"Practitioner/d{who % 20:02}"}],
            "valueQuantity": {"value": int(values[number]), "unit": "{score}"},
        }  # fmt: skip


def _responses(scores: int) -> Iterator[dict[str, object]]:
    """The same as responses of nine answers each."""
    answers = np.random.default_rng(2).integers(0, 4, (scores // len(PHQ9), len(PHQ9)))
    first = TODAY - timedelta(days=300)
    for number, given in enumerate(answers):
        who, week = divmod(number, WEEKS)
        yield {
            "resourceType": "QuestionnaireResponse",
            "id": f"q{number:08}",
            "meta": {"versionId": "1", "lastUpdated": f"{first}T12:{number % 60:02}:00.000+00:00"},
            "questionnaire": "http://example.org/Questionnaire/phq9|1.0",
            "status": "completed",
            "subject": {"reference": f"Patient/{who:07}"},
            "authored": f"{first + timedelta(days=7 * week)}T10:{number % 60:02}:00+00:00",
            "item": [
                {"linkId": f"/{code}", "answer": [{"valueCoding": {"system": LOINC, "code": LETTERS[one]}}]}
                for code, one in zip(PHQ9, given, strict=True)
            ],
        }


def _write(path: Path, resources: Iterator[dict[str, object]]) -> Path:
    with path.open("w") as file:
        for one in resources:
            file.write(json.dumps(one, separators=(",", ":")) + "\n")
    return path


def _people(folder: Path, patients: int) -> Path:
    doctors = ({"resourceType": "Practitioner", "id": f"d{n:02}", "name": [{"family": f"D{n}"}]} for n in range(20))
    who = (
        {"resourceType": "Patient", "id": f"{n:07}", "gender": "female", "birthDate": "1980"} for n in range(patients)
    )
    _write(folder / "Practitioner.ndjson", doctors)
    return _write(folder / "Patient.ndjson", who)


def _bare(path: Path) -> float:
    """Seconds of computing that the parser alone takes for every line of the file."""
    began = time.process_time()
    with path.open("rb") as file:
        for line in file:
            from_json(line)
    return time.process_time() - began


def _library(path: Path, most: int = 2_000) -> float:
    """Microseconds that the model library takes for one whole resource."""
    with path.open("rb") as file:
        some = [from_json(line) for line, _ in zip(file, range(most), strict=False)]
    for one in some[:100]:
        Observation.model_validate(one)
    began = time.process_time()
    for one in some:
        Observation.model_validate(one)
    return (time.process_time() - began) / len(some) * 1e6


def run(scores: int = 1_000_000) -> None:
    """Prints the rates of reading and of the whole import, and their ratios to the bare parser on the same file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (files := folder / "files").mkdir()
        people = _people(files, scores // WEEKS)
        responses = _write(folder / "responses.ndjson", _responses(scores))
        observations = _write(files / "Observation.ndjson", _observations(scores))
        for what, path in (("Observations", observations), ("answers in QuestionnaireResponses", responses)):
            bare = _bare(path)
            began, computed = time.perf_counter(), time.process_time()
            found = read_fhir([people, path], Limits(), timezone="UTC")
            took, computed = time.perf_counter() - began, time.process_time() - computed
            height = next(one.rows.height for one in found.tables if one.name == "scores")
            del found
            print(
                f"fhir: {height:,} {what} read and validated in {took:.1f} s ({height / took:,.0f} rows/s), "
                f"{computed:.1f} s of computing, {computed / bare:.1f} times the bare parser "
                f"({bare:.1f} s for {path.stat().st_size / 1e6:,.0f} MB)"
            )
        alone = _library(observations)
        print(
            f"fhir: the library alone, without keeping what it accepted, takes {alone:.0f} microseconds an Observation"
        )
        bare = _bare(observations)
        took, computed = _import(folder, files)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"fhir: {scores:,} scores imported in {took:.1f} s ({scores / took:,.0f} rows/s) without evaluation, "
        f"{computed:.1f} s of computing, {computed / bare:.1f} times the bare parser ({bare:.1f} s), "
        f"peak memory of the process {peak:,.0f} MB"
    )


def _import(folder: Path, files: Path) -> tuple[float, float]:
    """Seconds of an import into an empty database, by the clock and of computing; its evaluation is not among them."""
    engine = open_engine(f"sqlite:///{folder / 'p.sqlite'}")
    migrate(engine)
    evaluated, apart = importing.evaluate, [0.0, 0.0]

    def timed(*args, **kwargs):  # type: ignore[no-untyped-def]
        began, computed = time.perf_counter(), time.process_time()
        try:
            return evaluated(*args, **kwargs)
        finally:
            apart[:] = [time.perf_counter() - began, time.process_time() - computed]

    importing.evaluate = timed
    try:
        began, computed = time.perf_counter(), time.process_time()
        importing.import_files(
            engine,
            Settings(timezone="UTC"),
            practice=None,
            paths=[files],
            username=None,
            now=datetime(2026, 11, 20, 12),
        )
        return time.perf_counter() - began - apart[0], time.process_time() - computed - apart[1]
    finally:
        importing.evaluate = evaluated
        engine.dispose()


if __name__ == "__main__":
    run(*(int(one) for one in sys.argv[1:]))
