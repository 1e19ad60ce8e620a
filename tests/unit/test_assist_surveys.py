"""Surveys with items as columns: items, checks of attention, numbers for answers, the instrument."""

from __future__ import annotations

import pytest

from dashboard.assist.propose import Ground, propose
from dashboard.assist.questions import blocked, topics
from dashboard.assist.scores import needs_own, own_key
from dashboard.assist.survey import attention_checks, label_numbers, likely_instruments, survey_of
from dashboard.instruments import BUILT_IN
from tests.assistant import source, wide_survey


def test_items_are_told_from_checks_of_attention() -> None:
    found = survey_of(source("alliance", wide_survey()))
    assert found is not None
    assert [item[-1] for item in found.items] == list("ABCDEFGHIJKL")
    assert found.checks == {"To show that you read this, please choose Never": "Never"}
    assert sum(found.labels.values()) == 12 * 30


@pytest.mark.parametrize(
    ("title", "labels", "answer"),
    [
        ("Please select 'Often' here", ["Often", "Never"], "Often"),
        ("本题检查您是否认真作答，请选择经常如此", ["经常如此", "偶尔如此"], "经常如此"),
        ("I often feel seen", ["Very often", "Never"], None),
        ("Choose very often now", ["Often", "Very often"], "Very often"),
        ("We never agree", ["Nev", "Always"], None),
    ],
)
def test_a_title_that_names_an_answer_is_a_check(title: str, labels: list[str], answer: str | None) -> None:
    assert attention_checks([title], labels).get(title) == answer


@pytest.mark.parametrize(
    ("labels", "key", "numbers", "sure"),
    [
        (["Never", "Always", "Often", "Sometimes", "Seldom"], "wai_sr", "Never=1 Seldom=2 Sometimes=3 Often=4 Always=5", True),
        (["Never", "Always"], "wai_sr", "Never=1 Always=2", False),
        (["0 - not at all", "3 - daily"], "phq9", "0 - not at all=0 3 - daily=3", True),
        (["purple", "green"], "phq9", "", False),
        (["1", "2,5"], None, "1=1 2,5=2.5", True),
    ],
)  # fmt: skip
def test_numbers_for_answers_are_proposed_only_where_their_order_is_known(
    labels: list[str], key: str | None, numbers: str, sure: bool
) -> None:
    idea = label_numbers(labels, BUILT_IN.get(key or ""))
    assert " ".join(f"{word}={number}" for word, number in idea.numbers.items()) == numbers
    assert idea.sure is sure
    assert idea.why


def test_an_instrument_is_likely_by_its_items_and_answers() -> None:
    one = source("weekly", wide_survey())
    survey = survey_of(one)
    assert survey is not None
    assert likely_instruments(survey, one, BUILT_IN)[0][0] == "wai_sr"


def test_a_survey_alone_becomes_clients_episodes_scores_and_sessions() -> None:
    found = propose(Ground({"weekly": source("weekly", wide_survey())}, BUILT_IN))
    assert [one.table for one in found.targets] == ["clinicians", "clients", "episodes", "scores"]
    scores = found.of_table("scores")[0]
    assert list(scores.spec["unpivot"].values()) == [f"item_{n}" for n in range(1, 13)]
    assert scores.spec["check"][0]["equals"] == "Never"
    assert scores.columns["taken_on"] == {"column": "week", "days_from": "\0first day", "step_days": 7, "first": 1}
    assert found.sessions_from_scores
    asked = topics(found, {}, {"weekly": source("weekly", wide_survey())}, BUILT_IN)
    assert [one.kind for one in asked if one.open] == ["first_day"]
    assert blocked(found, asked) == ["Still to be said: The first day."]
    found.first_day = "2026-01-05"
    assert found.mapping()["table"][3]["columns"]["taken_on"]["days_from"] == "2026-01-05"


def test_days_that_two_ways_can_read_are_asked_and_never_guessed() -> None:
    one = source("scores", {"client": ["1", "2"], "date": ["03/04/2026", "05/06/2026"], "PHQ-9": ["3", "4"]})
    found = propose(Ground({"scores": one}, BUILT_IN))
    assert all("date" not in spec for _, column, spec in found.specs() if column in ("taken_on", "opened_on"))
    reaches = {target.uid: {name: _own(one, name) for name in one.names} for target in found.targets}
    asked = [topic for topic in topics(found, reaches, {"scores": one}, BUILT_IN) if topic.blocks]
    assert {topic.column for topic in asked} == {"taken_on", "opened_on"}


def _own(one, name):  # type: ignore[no-untyped-def]
    from dashboard.assist.links import Reach

    return Reach(name, one.stem, name)


def test_columns_named_like_measures_each_feed_their_instrument() -> None:
    one = source("scores", {"client": ["1"], "date": ["2026-01-02"], "PHQ-9": ["3"], "GAD7 total": ["4"], "BDI": ["9"]})
    scores = propose(Ground({"scores": one}, BUILT_IN)).of_table("scores")[0]
    assert scores.spec["unpivot"] == {"PHQ-9": "phq9", "GAD7 total": "gad7", "BDI": "bdi"}


def test_an_instrument_that_nobody_knows_is_asked_for() -> None:
    one = source("bdidata", {"ID": ["1", "1"], "time": ["0", "9"], "BDI": ["12", "9"]})
    found = propose(Ground({"bdidata": one}, BUILT_IN))
    assert needs_own(found, BUILT_IN) == ["bdi"]
    found.instruments = [{"key": "bdi"}]
    assert needs_own(found, BUILT_IN) == []
    assert own_key("<b>量表 9</b>", BUILT_IN)[0].isalpha()
