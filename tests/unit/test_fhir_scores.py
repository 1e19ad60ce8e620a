"""FHIR to scores: which code is which scale, what an answer is worth, and what is no score at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboard.intake import Limits
from dashboard.intake.fhir import read_fhir
from dashboard.intake.fhir.codes import GAD7, LOINC, PHQ9
from dashboard.intake.mapping import Code
from tests.fhir import (
    DATA,
    ISO,
    ORDINAL,
    Resource,
    care,
    coded,
    encounter,
    items,
    observation,
    patient,
    practitioner,
    read,
    reasons,
    ref,
    response,
    rows,
)

SCORE = ("instrument", "scale", "value")


def _scores(folder: Path, *resources: Resource, **more: Any) -> list[tuple[Any, ...]]:
    return rows(read(folder, patient(), *resources, **more), "scores", *SCORE)


@pytest.mark.parametrize(("code", "instrument"), [("44261-6", "phq9"), ("70274-6", "gad7")])
def test_the_code_of_a_total_is_a_total(tmp_path: Path, code: str, instrument: str) -> None:
    assert _scores(tmp_path, observation(9, code)) == [(instrument, "total", "9")]


@pytest.mark.parametrize(("code", "total"), [("44249-1", "44261-6"), ("69737-5", "70274-6")])
def test_a_panel_code_is_not_a_total(tmp_path: Path, code: str, total: str) -> None:
    found = read(tmp_path, patient(), observation(12, code))
    assert rows(found, "scores", *SCORE) == []
    assert total in reasons(found)[0]
    assert rows(found, "episodes", "episode_id") == []


@pytest.mark.parametrize(("instrument", "codes"), [("phq9", PHQ9), ("gad7", GAD7)])
def test_item_codes_are_the_items_in_the_published_order(
    tmp_path: Path, instrument: str, codes: tuple[str, ...]
) -> None:
    given = [n % 4 for n in range(len(codes))]
    assert _scores(tmp_path, response(items(given, instrument))) == [
        (instrument, f"item_{n}", str(one)) for n, one in enumerate(given, start=1)
    ]


@pytest.mark.parametrize("code", ["70221-7", "55758-7", "8867-4"])
def test_pcl_c_is_not_pcl_5_and_phq_2_is_not_phq_9(tmp_path: Path, code: str) -> None:
    found = read(tmp_path, patient(), observation(3, code))
    assert rows(found, "scores", *SCORE) == []
    assert [(one["code"], one["count"]) for one in found.unmapped] == [(code, 1)]
    assert reasons(found) == []


def test_a_response_of_the_first_two_items_alone_is_a_phq_2(tmp_path: Path) -> None:
    found = read(tmp_path, patient(), response(items([1, 2])))
    assert rows(found, "scores", *SCORE) == []
    assert sum(one["count"] for one in found.unmapped) == 2


@pytest.mark.parametrize("url", [ISO, ORDINAL, ORDINAL.replace("ordinalValue", "itemWeight")])
def test_an_ordinal_extension_wins_over_the_coding(tmp_path: Path, url: str) -> None:
    given = [coded(0, ordinal=3, url=url), coded(0, ordinal=2, url=url), coded(0, ordinal=1, url=url)]
    assert [one[2] for one in _scores(tmp_path, response(items(given)))] == ["3", "2", "1"]


def test_an_stu3_file_that_codes_every_answer_alike_gives_the_extensions_numbers(tmp_path: Path) -> None:
    found = read_fhir([DATA / "ahrq_phq9.stu3.json"], Limits(), timezone="UTC")
    first = [one for one in rows(found, "scores", "line", "scale", "value") if one[0] == 2]
    assert [value for _, _, value in first] == ["3", "2", "0", "2", "0", "1", "2", "3", "2", "15"]
    assert first[-1][1] == "total"
    assert [one[0] for one in rows(found, "clients", "client_id")] == ["384", "397", "375"]
    assert reasons(found) == []


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ({"valueInteger": 2}, "2"),
        ({"valueDecimal": 2.0}, "2"),
        ({"valueQuantity": {"value": 2}}, "2"),
        (coded(2), "2"),
        ({"valueCoding": {"code": "LA6570-1"}}, "2"),
    ],
)
def test_a_number_is_read_from_every_kind_of_value(tmp_path: Path, answer: Resource, number: str) -> None:
    assert [one[2] for one in _scores(tmp_path, response(items([0, 0, answer])))] == ["0", "0", number]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([{"valueString": "two"}], "not a number"),
        ([{"valueInteger": "2"}], "not a number"),
        ([{"valueCoding": {"system": "urn:x", "code": "often"}}], "give it a number in a mapping"),
        ([{"valueInteger": 1}, {"valueInteger": 2}], "several answers"),
        ([{"valueQuantity": {"value": 2, "comparator": "<"}}], "only a bound"),
        ([{"valueQuantity": {"unit": "points"}}], "no value"),
    ],
)
def test_an_answer_without_one_number_is_set_aside(tmp_path: Path, answers: list[Resource], reason: str) -> None:
    item = {"linkId": PHQ9[2], "answer": answers}
    found = read(tmp_path, patient(), response([item]))
    assert rows(found, "scores", *SCORE) == []
    assert reason in reasons(found)[0]


def test_items_are_found_in_nested_groups_and_under_answers(tmp_path: Path) -> None:
    three, four = items([1, 1, 2, 3])[2:]
    under = {"linkId": "why", "answer": [{"valueBoolean": True, "item": [four]}]}
    nested = {"linkId": "/44249-1", "item": [{"linkId": "g", "item": [three]}, under]}
    assert _scores(tmp_path, response([nested])) == [("phq9", "item_3", "2"), ("phq9", "item_4", "3")]


@pytest.mark.parametrize("link", ["/44259-0", "44259-0", "/44249-1/44259-0"])
def test_a_link_id_that_is_a_loinc_code_is_one_with_or_without_a_slash(tmp_path: Path, link: str) -> None:
    assert _scores(tmp_path, response([{"linkId": link, "answer": [coded(1)]}])) == [("phq9", "item_3", "1")]


def test_a_questionnaire_of_the_call_says_what_its_link_ids_are_whatever_the_version(tmp_path: Path) -> None:
    options = [
        {"valueCoding": {"system": "urn:a", "code": "lots"} | {"extension": [{"url": ORDINAL, "valueDecimal": 3}]}}
    ]
    item = {
        "linkId": "q3", "type": "choice", "code": [{"system": LOINC, "code": PHQ9[2]}], "answerOption": options,
    }  # fmt: skip
    asked = {"resourceType": "Questionnaire", "id": "qq", "status": "active", "url": "http://x/Q", "item": [item]}
    answer = {"linkId": "q3", "answer": [{"valueCoding": {"system": "urn:a", "code": "lots"}}]}
    for name in ("http://x/Q", "http://x/Q|2.1", "Questionnaire/qq"):
        given = response([answer], questionnaire=name)
        assert _scores(tmp_path, given, asked) == [("phq9", "item_3", "3")]


def test_a_practices_own_codes_link_ids_and_answers_are_mapped(tmp_path: Path) -> None:
    url = "http://x/PHQ"
    own = (
        Code(
            questionnaire=f"{url}|9",
            items=("a", "b", "c"),
            instrument="phq9",
            answers={"rarely": "1", "urn:w|often": "3"},
        ),
        Code(questionnaire=url, link_id="sum", instrument="phq9"),
        Code(system="urn:w", code="who", instrument="who5", times=4),
    )

    def said(link: str, code: str) -> Resource:
        return {"linkId": link, "answer": [{"valueCoding": {"system": "urn:w", "code": code}}]}

    given = response(
        [
            said("a", "rarely"),
            said("b", "often"),
            said("c", "rarely"),
            {"linkId": "sum", "answer": [{"valueInteger": 5}]},
        ],
        questionnaire=f"{url}|2",
    )
    raw = observation(11, "who", system="urn:w", id="o9")
    found = read(tmp_path, patient(), given, raw, codes=own)
    assert rows(found, "scores", *SCORE) == [
        ("phq9", "item_1", "1"), ("phq9", "item_2", "3"), ("phq9", "item_3", "1"), ("phq9", "total", "5"),
        ("who5", "total", "44.0"),
    ]  # fmt: skip
    assert found.unmapped == []


@pytest.mark.parametrize(
    ("status", "taken"),
    [("final", 1), ("amended", 1), ("corrected", 1), ("preliminary", 0), ("registered", 0), ("cancelled", 0)],
)
def test_only_a_final_observation_is_a_score(tmp_path: Path, status: str, taken: int) -> None:
    found = read(tmp_path, patient(), observation(status=status))
    assert len(rows(found, "scores", *SCORE)) == taken
    assert len(reasons(found)) == 1 - taken


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2026-01-05", "2026-01-05"),
        ("2026-01-05T23:30:00Z", "2026-01-06"),
        ("2026-01-06T06:30:00+09:00", "2026-01-05"),
        ("2026-01-05T23:30:00.123456789Z", "2026-01-06"),
        ("2026-01-05T23:30", "2026-01-05"),
        ("2026-01", "2026-01"),
        ("2026", "2026"),
    ],
)
def test_a_time_becomes_the_practices_day_and_a_month_alone_stays_what_it_is(
    tmp_path: Path, time: str, day: str
) -> None:
    found = read(tmp_path, patient(), observation(day=time), timezone="Europe/Berlin")
    assert [one[0] for one in rows(found, "scores", "taken_on")] == [day]


def test_issued_later_is_when_the_practice_came_to_know_and_last_updated_is_not(tmp_path: Path) -> None:
    meta = {"lastUpdated": "2026-02-01T00:00:00Z"}
    later = observation(issued="2026-01-09T08:00:00Z", meta=meta)
    earlier = observation(id="o2", day="2026-01-20", issued="2026-01-09T08:00:00Z", meta=meta)
    found = read(tmp_path, patient(), later, earlier)
    assert rows(found, "scores", "taken_on", "recorded_on") == [("2026-01-05", "2026-01-09"), ("2026-01-20", None)]


def test_components_of_a_panel_are_read_by_their_own_codes(tmp_path: Path) -> None:
    parts = [
        {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueInteger": value}
        for code, value in (("44259-0", 2), ("44261-6", 9))
    ]
    given = observation(code="44249-1", valueQuantity=None, component=parts)
    assert _scores(tmp_path, given) == [("phq9", "item_3", "2"), ("phq9", "total", "9")]


def test_the_newest_version_of_a_resource_counts_in_any_order(tmp_path: Path) -> None:
    versions = [observation(n, meta={"versionId": str(n)}) for n in (9, 10, 8)]
    assert _scores(tmp_path, *versions) == [("phq9", "total", "10")]
    same = [observation(5), observation(5)]
    assert _scores(tmp_path, *same) == [("phq9", "total", "5")]
    found = read(tmp_path, patient(), observation(5), observation(6))
    assert rows(found, "scores", *SCORE) == []
    assert "more than once with different content" in reasons(found)[0]


def test_answers_of_two_responses_of_one_day_are_never_mixed(tmp_path: Path) -> None:
    first, second = response(items([3] * 9)), response(items([1] * 8), id="q2")
    found = read(tmp_path, patient(), first, second)
    assert {one[2] for one in rows(found, "scores", *SCORE)} == {"1"}
    assert len(rows(found, "scores", *SCORE)) == 8
    assert "stands later in the file" in reasons(found)[0]


@pytest.mark.parametrize(
    ("source", "respondent"), [("Patient/p1", "client"), ("Practitioner/d1", "clinician"), ("RelatedPerson/r", None)]
)
def test_whoever_answered_is_the_respondent(tmp_path: Path, source: str, respondent: str | None) -> None:
    found = read(tmp_path, patient(), response(items([1] * 9), source=ref(source)))
    assert {one[0] for one in rows(found, "scores", "respondent")} == ({respondent} if respondent else set())


def test_a_score_goes_where_its_encounter_is(tmp_path: Path) -> None:
    met = [encounter(own=f"e{n}", participant=[{"individual": ref(f"Practitioner/d{n}")}]) for n in (1, 2)]
    found = read(tmp_path, patient(), *met, observation(encounter=ref("Encounter/e2")))
    assert rows(found, "scores", "episode_id") == [("Patient/p1/Practitioner/d2",)]


def test_a_score_in_another_clients_episode_is_set_aside(tmp_path: Path) -> None:
    others = encounter(subject=ref("Patient/p2"), episodeOfCare=[ref("EpisodeOfCare/c2")])
    found = read(
        tmp_path,
        patient(),
        patient("p2"),
        practitioner(),
        care("c2", "p2"),
        others,
        observation(encounter=ref("Encounter/e1")),
    )
    assert rows(found, "scores", *SCORE) == []
    assert reasons(found) == ["points to an episode of another client"]
