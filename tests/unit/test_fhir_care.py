"""FHIR to clients, clinicians, episodes and appointments: whose episode, which slot, and what is never kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dashboard.intake import KnownCare, Limits
from dashboard.intake.batch import whole
from dashboard.intake.fhir import read_fhir
from dashboard.intake.fhir.attribution import CARE
from tests.fhir import (
    Resource,
    appointment,
    bundle,
    care,
    encounter,
    observation,
    patient,
    practitioner,
    read,
    reasons,
    ref,
    rows,
    table,
    write,
)

SLOT = ("appointment_id", "status", "mode")
REASON = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


def _because(code: str) -> Resource:
    return {"cancelationReason": {"coding": [{"system": REASON, "code": code}]}}


def _with(*who: str, **more: Any) -> Resource:
    return {"participant": [{"individual": ref(f"Practitioner/{one}")} for one in who], **more}


def test_a_clients_name_address_and_full_date_of_birth_stay_behind(tmp_path: Path) -> None:
    person = patient(
        "007", birthDate="1980-05-17", gender="female", name=[{"family": "Secretname"}], telecom=[{"value": "555-1234"}],
        address=[{"city": "Hiddenville"}], identifier=[{"system": "urn:mrn", "value": "99887766"}],
    )  # fmt: skip
    found = read(tmp_path, person, observation(subject=ref("Patient/007")))
    assert rows(found, "clients", "client_id", "birth_year", "gender") == [("007", "1980", "female")]
    everything = " ".join(str(one.rows.to_dicts()) for one in found.tables) + str(found.aside.to_dicts())
    for kept_back in ("Secretname", "555-1234", "Hiddenville", "99887766", "05-17"):
        assert kept_back not in everything


def test_leading_zeros_of_ids_stay_and_ids_are_unique_per_type(tmp_path: Path) -> None:
    found = read(tmp_path, patient("01"), patient("1"), practitioner("01"), observation(subject=ref("Patient/01")))
    assert rows(found, "clients", "client_id") == [("01",), ("1",)]
    assert rows(found, "scores", "episode_id") == [("Patient/01",)]
    assert rows(found, "clinicians", "clinician_id", "display_name")[0] == ("01", "Noor")


def test_a_client_without_an_episode_of_care_gets_one_per_practitioner(tmp_path: Path) -> None:
    met = [encounter(own=f"e{n}", start=f"2026-01-0{n}T10:00:00Z", **_with(f"d{n}")) for n in (1, 2)]
    found = read(tmp_path, patient(), *met)
    assert sorted(rows(found, "episodes", "episode_id", "clinician_id", "opened_on")) == [
        ("Patient/p1/Practitioner/d1", "d1", "2026-01-01"),
        ("Patient/p1/Practitioner/d2", "d2", "2026-01-02"),
    ]


@pytest.mark.parametrize(
    ("day", "whose"), [("2026-01-01", "d1"), ("2026-01-05", "d1"), ("2026-01-09", "d2"), ("2025-12-01", "d1")]
)
def test_a_score_that_names_nobody_goes_to_who_saw_the_client_last(tmp_path: Path, day: str, whose: str) -> None:
    met = [encounter(own=f"e{n}", start=f"2026-01-0{n}T10:00:00Z", **_with(one)) for n, one in ((2, "d1"), (9, "d2"))]
    found = read(tmp_path, patient(), *met, observation(day=day))
    assert rows(found, "scores", "episode_id") == [(f"Patient/p1/Practitioner/{whose}",)]


@pytest.mark.parametrize(
    ("general", "clinician"), [([], "(not named)"), ([ref("Practitioner/gp", display="Dr. G")], "gp")]
)
def test_where_nobody_is_named_the_stand_in_is_stated(tmp_path: Path, general: list[Resource], clinician: str) -> None:
    found = read(tmp_path, patient(generalPractitioner=general) if general else patient(), observation())
    assert rows(found, "episodes", "clinician_id", "opened_on") == [(clinician, "2026-01-05")]
    assert [one[0] for one in rows(found, "clinicians", "clinician_id")] == [clinician]


def test_a_practitioner_that_is_only_referred_to_is_kept_with_the_name_of_the_reference(tmp_path: Path) -> None:
    who = {"participant": [{"individual": ref("Practitioner/d7", display="Dr. Seven")}]}
    found = read(tmp_path, patient(), encounter(**who))
    assert rows(found, "clinicians", "clinician_id", "display_name") == [("d7", "Dr. Seven")]


def test_a_role_stands_for_its_practitioner(tmp_path: Path) -> None:
    role = {"resourceType": "PractitionerRole", "id": "r1", "practitioner": ref("Practitioner/d1")}
    met = encounter(participant=[{"individual": ref("PractitionerRole/r1")}])
    found = read(tmp_path, patient(), role, practitioner(), met)
    assert rows(found, "episodes", "clinician_id") == [("d1",)]


@pytest.mark.parametrize(
    ("day", "episode"),
    [("2026-01-05", "c1"), ("2026-03-05", "c2"), ("2025-12-30", "c1"), ("2026-02-14", "c1"), ("2026-02-27", "c2")],
)
def test_a_client_with_episodes_of_care_keeps_to_the_one_that_holds_the_day_or_is_nearest(
    tmp_path: Path, day: str, episode: str
) -> None:
    first = care("c1", status="finished", period={"start": "2026-01-01", "end": "2026-02-01"})
    second = care("c2", period={"start": "2026-03-01"})
    found = read(
        tmp_path, patient(), practitioner(), first, second, observation(day=day, performer=[ref("Practitioner/other")])
    )
    assert rows(found, "scores", "episode_id") == [(episode,)]
    assert sorted(rows(found, "episodes", "episode_id", "closed_on")) == [("c1", "2026-02-01"), ("c2", None)]


def test_an_episode_of_care_without_manager_or_beginning_takes_them_from_what_is_in_it(tmp_path: Path) -> None:
    bare = {"resourceType": "EpisodeOfCare", "id": "c1", "status": "active", "patient": ref("Patient/p1")}
    found = read(tmp_path, patient(), practitioner(), bare, encounter(), observation(day="2025-12-30"))
    assert rows(found, "episodes", "episode_id", "clinician_id", "opened_on") == [("c1", "d1", "2025-12-30")]


def test_a_closed_episode_of_care_without_an_end_is_set_aside_and_what_is_in_it_waits(tmp_path: Path) -> None:
    found = read(tmp_path, patient(), practitioner(), care(status="finished"), observation())
    assert rows(found, "episodes", "episode_id") == []
    assert rows(found, "scores", "episode_id") == [("c1",)]
    assert "the day it closed is not known" in reasons(found)[0]


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        (appointment("booked"), "booked"),
        (appointment("arrived"), "attended"),
        (appointment("checked-in"), "attended"),
        (appointment("fulfilled"), "attended"),
        (appointment("noshow"), "no_show"),
        (appointment("cancelled", **_because("pat-dec")), "cancelled_by_client"),
        (appointment("cancelled", **_because("prov-pers")), "cancelled_by_clinician"),
        (appointment("cancelled", **_because("maint")), "cancelled_by_clinician"),
        (appointment("cancelled", **_because("other")), None),
        (appointment("cancelled"), None),
        (appointment("proposed"), None),
        (encounter("planned"), "booked"),
        (encounter("finished"), "attended"),
        (encounter("in-progress"), "attended"),
        (encounter("cancelled"), None),
        (encounter("unknown"), None),
        (encounter("finished", **{"class": {"code": "IMP"}}), None),
        (encounter("finished", partOf=ref("Encounter/e0")), None),
    ],
)
def test_a_status_becomes_ours_only_where_it_says_enough(tmp_path: Path, given: Resource, ours: str | None) -> None:
    found = read(tmp_path, patient(), practitioner(), given)
    assert [one[1] for one in rows(found, "appointments", *SLOT)] == ([ours] if ours else [])
    if ours is None:
        assert reasons(found) or found.unused


def test_a_client_that_declined_cancelled(tmp_path: Path) -> None:
    people = [
        {"actor": ref("Patient/p1"), "status": "declined"},
        {"actor": ref("Practitioner/d1"), "status": "accepted"},
    ]
    found = read(tmp_path, patient(), practitioner(), appointment("cancelled", participant=people))
    assert [one[1] for one in rows(found, "appointments", *SLOT)] == ["cancelled_by_client"]


@pytest.mark.parametrize("link", [[ref("Appointment/a1")], ref("Appointment/a1")])
def test_an_encounter_of_an_appointment_is_that_one_appointment(tmp_path: Path, link: Any) -> None:
    virtual = encounter(appointment=link, participant=None, **{"class": {"code": "VR"}})
    if isinstance(link, dict):  # STU3: one reference, and encounters have no VR there but the same class element
        virtual["length"] = {"value": 50}
    found = read(tmp_path, patient(), practitioner(), appointment("booked"), virtual)
    assert rows(found, "appointments", *SLOT) == [("a1", "attended", "video")]
    assert rows(found, "appointments", "starts_at") == [("2026-01-05T10:00:00",)]
    alone = read(tmp_path, patient(), practitioner(), virtual | {"participant": encounter()["participant"]})
    assert rows(alone, "appointments", *SLOT) == [("a1", "attended", "video")]
    free = read(tmp_path, patient(), practitioner(), encounter())
    assert rows(free, "appointments", *SLOT) == [("Encounter/e1", "attended", None)]


def test_references_are_followed_across_bundles_files_and_forms(tmp_path: Path) -> None:
    urn = "urn:uuid:5a2f0c9e-0000-4000-8000-000000000001"
    one = bundle()
    one["entry"] = [
        {"fullUrl": urn, "resource": {"resourceType": "Patient"}},
        {"fullUrl": "urn:uuid:d", "resource": {"resourceType": "Practitioner", "name": [{"text": "Dr. D"}]}},
        {
            "fullUrl": "urn:uuid:e",
            "resource": encounter(subject=ref(urn), participant=[{"individual": ref("urn:uuid:d")}]),
        },
    ]
    people = [{"actor": ref(target), "status": "accepted"} for target in (urn, "urn:uuid:d")]
    one["entry"].append({"resource": appointment(participant=people)})
    files = [
        write(tmp_path, "a.ndjson", observation(id="o1", subject=ref("https://x.org/fhir/Patient/p1/_history/3"))),
        write(tmp_path, "b.json", one),
        write(tmp_path, "c.ndjson", observation(id="o2", subject={"identifier": {"system": "urn:mrn", "value": "77"}})),
        write(tmp_path, "z.ndjson", patient(), patient("p2", identifier=[{"system": "urn:mrn", "value": "77"}])),
    ]
    found = read_fhir(files, Limits(), timezone="UTC")
    new = urn.removeprefix("urn:uuid:")
    assert {one[0] for one in rows(found, "clients", "client_id")} == {new, "p1", "p2"}
    assert rows(found, "scores", "episode_id") == [("Patient/p1",), ("Patient/p2",)]
    assert {one[0] for one in rows(found, "appointments", "episode_id")} == {f"Patient/{new}/Practitioner/d"}
    assert ("d", "Dr. D") in rows(found, "clinicians", "clinician_id", "display_name")


def test_a_contained_practitioner_is_known_by_an_identifier(tmp_path: Path) -> None:
    inner = {"resourceType": "Practitioner", "id": "in", "identifier": [{"system": "urn:npi", "value": "0123"}]}
    met = encounter(contained=[inner], participant=[{"individual": ref("#in")}])
    found = read(tmp_path, patient(), met)
    assert rows(found, "episodes", "clinician_id") == [("0123",)]


def test_what_is_not_of_a_patient_is_set_aside(tmp_path: Path) -> None:
    found = read(tmp_path, observation(subject=ref("Group/g1")), observation(id="o2", subject=None))
    assert table(found, "scores").is_empty()
    assert reasons(found) == ["no Patient that can be followed"] * 2


def test_entered_in_error_never_makes_an_episode(tmp_path: Path) -> None:
    found = read(
        tmp_path, patient(), practitioner(), encounter("entered-in-error"), observation(status="entered-in-error")
    )
    assert rows(found, "episodes", "episode_id") == []


def _known(*episodes: tuple[str, str, str], waiting: tuple[tuple[str, str], ...] = ()) -> KnownCare:
    rows_ = [(own, who, doctor, date(2026, 1, 1), None) for own, who, doctor in episodes]
    given = [{"episode_id": own, "taken_on": date.fromisoformat(day), "value": 3.0} for own, day in waiting]
    scores = whole("scores", pl.DataFrame(given)) if given else None
    return KnownCare(
        frozenset({"p1"}),
        frozenset({"d1"}),
        pl.DataFrame(rows_, schema=CARE, orient="row"),
        {} if scores is None else {"scores": scores},
    )


def test_a_later_file_keeps_to_the_episodes_that_are_there(tmp_path: Path) -> None:
    of_care = read(tmp_path, observation(), known=_known(("c9", "p1", "d1")))
    assert rows(of_care, "scores", "episode_id") == [("c9",)]
    assert rows(of_care, "episodes", "episode_id") == []
    made = read(tmp_path, observation(), known=_known(("Patient/p1/Practitioner/d1", "p1", "d1")))
    assert rows(made, "scores", "episode_id") == [("Patient/p1/Practitioner/d1",)]
    assert rows(made, "episodes", "episode_id") == []


def test_an_episode_of_care_after_one_was_made_is_set_aside_so_that_nothing_counts_twice(tmp_path: Path) -> None:
    found = read(tmp_path, care(), observation(), known=_known(("Patient/p1", "p1", "(not named)")))
    assert rows(found, "episodes", "episode_id") == []
    assert rows(found, "scores", "episode_id") == [("Patient/p1",)]
    assert "undo that import" in reasons(found)[0]


def test_rows_that_waited_for_their_client_move_to_its_episode_of_care(tmp_path: Path) -> None:
    known = _known(waiting=(("Patient/p1", "2026-02-01"), ("Patient/nobody", "2026-02-01")))
    found = read(tmp_path, patient(), practitioner(), care(), known=known)
    assert rows(found, "scores", "episode_id", "taken_on", "value") == [("c1", "2026-02-01", "3.0")]
    assert found.stands_for["scores"]["episode_id"].to_list() == ["Patient/p1"]
    without = read(tmp_path, patient(), known=known)
    assert without.stands_for == {}
    assert rows(without, "episodes", "episode_id", "opened_on") == [("Patient/p1", "2026-02-01")]
