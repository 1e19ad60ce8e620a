"""Each shipped mapping on a small made-up export of its format: what is taken in, what is told, what is left alone."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from dashboard.errors import UnusableInput
from dashboard.instruments import BUILT_IN
from dashboard.intake import Batch, Limits, read_batch

TODAY = date(2026, 11, 20)

OPENEMR = {
    "users": "id,username,fname,lname,password\n4,ann,Ann,Ash,x\n5,bo,Bo,Birch,x\n",
    "patient_data": "id,pid,fname,lname,DOB,sex,ethnicity,providerID\n"
    "1,1,No,Name,1980-01-01,F,,4\n2,2,No,Name,1990-01-01,M,,0\n3,3,No,Name,1990-01-01,M,,5\n",
    "openemr_postcalendar_events": "pc_eid,pc_pid,pc_eventDate,pc_startTime,pc_apptstatus,pc_recurrtype\n"
    "11,1,2026-03-12,09:00:00,>,0\n10,1,2026-03-05,09:00:00,@,0\n12,1,2026-03-19,09:00:00,?,0\n"
    "13,1,2026-03-26,09:00:00,%,0\n14,1,2026-04-02,09:00:00,#,0\n15,1,2026-04-02,,-,1\n16,,2026-04-02,,-,0\n",
    "form_phq9": "id,date,pid,activity,interest_score,hopeless_score,sleep_score,fatigue_score,appetite_score,failure_score,"
    "focus_score,psychomotor_score,suicide_score,difficulty\n"
    "1,2026-03-05 10:00:00,1,1,1,2,3,0,1,2,3,0,0,1\n2,2026-03-12 10:00:00,1,0,1,2,3,0,1,2,3,0,0,1\n"
    "3,2026-03-19 10:00:00,1,1,1,2,3,0,1,2,3,0,undef,1\n",
}

IAPT = {
    "IDS001MPI": "LocalPatientId,NHSNumber,EthnicCategory\nP01,1,A\nP02,2,Z\n",
    "IDS101Referral": "ServiceRequestId,LocalPatientId,ReferralRequestReceivedDate,EndCode,ServDischDate\n"
    "R1,P01,2026-01-02,46,2026-05-01\nR2,P02,2026-02-02,,\nR3,P01,2026-06-01,,\n",
    "IDS201CareContact": "CareContactId,ServiceRequestId,CareContDate,CareContTime,PlannedCareContIndicator,AttendOrDNACode\n"
    "C1,R1,2026-01-12,09:30:00,Y,5\nC2,R1,2026-01-19,,Y,3\nC3,R1,2026-01-26,09:30:00,N,\nC4,R2,2026-02-12,09:30:00,Y,4\n",
    "IDS202CareActivity": "CareActId,CareContactId,CarePersLocalId\nA1,C1,T1\nA3,C3,T2\nA4,C4,T1\n",
    "IDS606CodedScoreAssessmentRefer": "ServiceRequestId,CodedAssToolType,PersScore,AssToolCompDate\n"
    "R1,720433000,17,2026-01-05\n",
    "IDS607CodedScoreAssessmentAct": "CareActId,CodedAssToolType,PersScore\nA1,720433000,15\nA1,445455005,22\n"
    "A3,445455005,9\nA3,747891000000106,4\n",
}

OMOP = {
    "person": "person_id,year_of_birth,gender_source_value,race_source_value\n7,1980,F,\n",
    "provider": "provider_id,provider_name\n3,Ann Ash\n",
    "visit_occurrence": "visit_occurrence_id,person_id,visit_start_date,provider_id\n22,7,2026-02-09,3\n21,7,2026-02-02,3\n"
    "23,7,2026-02-16,\n",
    "concept": "concept_id,concept_code,vocabulary_id,concept_name\n900,44261-6,LOINC,total\n901,44249-1,LOINC,panel\n"
    "902,70274-6,LOINC,total\n903,69725-0,LOINC,item\n904,44250-9,LOINC,item\n",
    "measurement": "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,visit_occurrence_id\n"
    "1,7,900,2026-02-02,14,21\n2,7,901,2026-02-02,14,21\n3,7,902,2026-02-09,11,22\n4,7,903,2026-02-09,3,22\n"
    "5,7,904,2026-02-02,2,21\n6,7,900,2026-02-16,9,23\n7,7,900,2026-02-09,,22\n",
}


def read(folder: Path, mapping: str, files: dict[str, str]) -> Batch:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return read_batch(
        [folder], today=TODAY, timezone="UTC", mapping=mapping, limits=Limits(), known_instruments=BUILT_IN
    )


def told(batch: Batch) -> set[tuple[str, int, str]]:
    return set(batch.set_aside.select("file", "line", "value").rows())


def test_openemr_gives_an_episode_per_patient_with_a_provider_from_the_first_appointment(tmp_path: Path) -> None:
    batch = read(tmp_path, "openemr", OPENEMR)
    assert batch.tables["clinicians"].select("clinician_id", "display_name").rows() == [
        ("4", "Ann Ash"), ("5", "Bo Birch")
    ]  # fmt: skip
    assert batch.tables["episodes"].select("episode_id", "clinician_id", "opened_on").rows() == [
        ("1", "4", date(2026, 3, 5))
    ]
    assert batch.tables["appointments"].select("appointment_id", "starts_at", "status").rows() == [
        ("11", datetime(2026, 3, 12, 9), "attended"),
        ("10", datetime(2026, 3, 5, 9), "attended"),
        ("12", datetime(2026, 3, 19, 9), "no_show"),
        ("13", datetime(2026, 3, 26, 9), "late_cancelled"),
    ]
    scores = batch.tables["scores"]
    assert scores.filter(pl.col("taken_on") == date(2026, 3, 5))["value"].to_list() == [1, 2, 3, 0, 1, 2, 3, 0, 0]
    assert scores["taken_on"].unique().sort().to_list() == [date(2026, 3, 5), date(2026, 3, 19)]
    assert told(batch) == {("openemr_postcalendar_events.csv", 6, "#"), ("form_phq9.csv", 4, "undef")}
    assert batch.ignored_columns["form_gad7"] == ["it was not given; what the mapping makes from it is left out"]


def test_talking_therapies_referrals_contacts_and_scores(tmp_path: Path) -> None:
    batch = read(tmp_path, "nhs_talking_therapies", IAPT)
    assert batch.tables["episodes"].select("episode_id", "clinician_id", "closed_on", "ending").rows() == [
        ("R1", "T2", date(2026, 5, 1), "mutual"),
        ("R2", "T1", None, None),
        ("R3", "unassigned", None, None),
    ]
    assert set(batch.tables["clinicians"]["clinician_id"]) == {"T1", "T2", "unassigned"}
    appointments = batch.tables["appointments"].sort("appointment_id")
    assert appointments.select("appointment_id", "starts_at", "status").rows() == [
        ("C1", datetime(2026, 1, 12, 9, 30), "attended"),
        ("C2", datetime(2026, 1, 19), "no_show"),
        ("C3", datetime(2026, 1, 26, 9, 30), "attended"),
        ("C4", datetime(2026, 2, 12, 9, 30), "cancelled_by_clinician"),
    ]
    assert batch.tables["scores"].sort("taken_on").select("episode_id", "taken_on", "instrument", "value").rows() == [
        ("R1", date(2026, 1, 5), "phq9", 17.0),
        ("R1", date(2026, 1, 12), "phq9", 15.0),
        ("R1", date(2026, 1, 26), "gad7", 9.0),
    ]
    assert told(batch) == {("IDS607CodedScoreAssessmentAct.csv", 3, "22")}  # beyond the GAD-7's range


def test_omop_takes_totals_and_items_by_loinc_and_never_a_panel(tmp_path: Path) -> None:
    batch = read(tmp_path, "omop", OMOP)
    assert batch.tables["episodes"].select("episode_id", "opened_on").rows() == [("7-3", date(2026, 2, 2))]
    assert batch.tables["appointments"].select("appointment_id", "episode_id").rows() == [("22", "7-3"), ("21", "7-3")]
    assert batch.tables["scores"].select("taken_on", "instrument", "scale", "value").rows() == [
        (date(2026, 2, 2), "phq9", "total", 14.0),
        (date(2026, 2, 9), "gad7", "total", 11.0),
        (date(2026, 2, 9), "gad7", "item_1", 3.0),
        (date(2026, 2, 2), "phq9", "item_1", 2.0),
    ]
    assert told(batch) == {("measurement.csv", 8, None)}
    scores = next(one for one in batch.accounts if one.get("file") == "measurement")
    assert (scores["read"], scores["not_meant"], scores["rows"]) == (7, 2, 5)


def weekly(person: int, answers: int, checks: dict[int, str], usual: str, strange: dict[int, str]) -> str:
    cells = [checks.get(place) or strange.get(place, usual) for place in range(answers + len(checks))]
    return ",".join(["arm", f"{person:05}", "2", *cells])


def test_the_survey_goes_by_place_sums_nothing_and_sets_an_inattentive_row_aside_whole(tmp_path: Path) -> None:
    checks = {8: "经常如此", 11: "偶尔如此"}
    head = ",".join(str(n) for n in range(17))
    rows = [
        weekly(1, 12, checks, "总是如此", {0: "从来没有"}),
        weekly(2, 12, checks | {8: "偶尔如此", 11: "总是如此"}, "总是如此", {}),
        weekly(3, 12, checks, "有时如此", {1: "5"}),
        weekly(4, 12, checks, "有时如此", {1: "not sure"}),
    ]
    batch = read(tmp_path, "wai_survey", {"therapeutic_relationship": "\n".join([head, *rows, ""])})
    scores = batch.tables["scores"]
    assert scores.filter(pl.col("episode_id") == "00001")["value"].to_list() == [1.0, *[5.0] * 11]
    assert scores["taken_on"].unique().to_list() == [date(2024, 1, 8)]
    assert "00002" not in scores["episode_id"].to_list()
    assert scores.filter(pl.col("episode_id") == "00003")["value"].to_list()[:2] == [3.0, 5.0]
    assert told(batch) == {
        ("therapeutic_relationship.csv", 3, "偶尔如此"),
        ("therapeutic_relationship.csv", 5, "not sure"),
    }


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_row_of_the_real_survey_is_in(shared_data: Path, kind: str) -> None:
    folder = shared_data / "llm_rct_simulated_wai"
    paths = [folder / f"{name}.{kind}" for name in ("therapeutic_relationship", "mental_health_survey")]
    batch = read_batch(
        paths, today=TODAY, timezone="UTC", mapping="wai_survey", limits=Limits(), known_instruments=BUILT_IN
    )
    assert batch.set_aside.is_empty()
    assert batch.tables["scores"].group_by("instrument").len().sort("instrument").rows() == [
        ("dass21", 80 * 21),
        ("wai_sr", 80 * 12),
    ]
    first = "00001" if kind == "xlsx" else "1"  # the spreadsheet keeps the zeros that its own CSV lost
    assert batch.tables["episodes"]["episode_id"].to_list()[0] == first
    assert batch.tables["appointments"].height == 80
    with pytest.raises(UnusableInput, match="both what the mapping calls"):
        read_batch(
            [folder], today=TODAY, timezone="UTC", mapping="wai_survey", limits=Limits(), known_instruments=BUILT_IN
        )
