"""The fit questions at their edges, each from what was known on the row's own day (science 7)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics.alliance_low import low_below
from dashboard.analytics.alliance_norms import DEFAULT_NORMS, UNKNOWN, Norm
from dashboard.analytics.experience import SEEN, earlier_episodes, new_areas, whom_to_ask
from dashboard.analytics.features import FEATURES
from dashboard.analytics.fit import BY_KEY, FIT_QUESTIONS, fit_questions, joined
from dashboard.replay.priority import priorities
from dashboard.signals import BY_KEY as SIGNALS
from tests.building import INSTRUMENTS, RULES, START, week

NOBODY = earlier_episodes(pl.DataFrame(schema=SEEN), pl.lit(START))


def features(**given: Any) -> pl.DataFrame:
    row = {
        "episode_id": 1, "clinician_id": 1, "as_of": week(10), "is_open": True, "opened_on": START,
        "sessions_attended": 4, "scores": 0, "rupture": "none",
    }  # fmt: skip
    return pl.DataFrame([row | given], schema=FEATURES.schema)


def asked(**given: Any) -> list[tuple[str, date]]:
    return fit_questions(features(**given), NOBODY, RULES).select("question", "since").rows()


LOW = {"alliance_low_since": week(2)}
FALLEN = {"rupture": "open", "rupture_since": week(5)}
OFF = {"on_track": "not_on_track", "off_track_since": week(6)}


@pytest.mark.parametrize(
    ("state", "questions"),
    [
        ({}, []),
        (LOW | {"sessions_attended": 2}, []),
        (LOW | {"sessions_attended": 3}, [("early_alliance_low", week(2))]),
        (LOW | {"sessions_attended": 6}, [("early_alliance_low", week(2))]),
        (LOW | {"sessions_attended": 7}, []),
        (FALLEN, [("rupture_not_mended", week(5))]),
        (FALLEN | {"rupture": "unrated"}, [("rupture_not_mended", week(5))]),
        (FALLEN | {"rupture": "repaired"}, []),
        (FALLEN | {"rupture": "unrepaired", "rupture_back": True}, []),
        (FALLEN | {"rupture": "unrepaired", "rupture_back": False}, [("rupture_not_mended", week(5))]),
        ({"agreement_since": week(4)}, [("goal_task_below_bond", week(4))]),
        ({"preference_met": "no"}, [("preference_unmet", START)]),
        ({"preference_met": "unknown"}, []),
        (OFF, []),
        (OFF | FALLEN, [("off_track_and_alliance", week(6)), ("rupture_not_mended", week(5))]),
        (OFF | LOW | {"sessions_attended": 9}, [("off_track_and_alliance", week(6))]),
        (FALLEN | {"on_track": "on_track"}, [("rupture_not_mended", week(5))]),
        ({"change_requested_on": week(1)}, [("change_requested", week(1))]),
        ({"change_requested_on": week(1), "is_open": False}, []),
    ],
)
def test_a_question_is_asked_at_its_edge_and_not_before(state: dict[str, Any], questions: list[Any]) -> None:
    assert asked(**state) == questions


def test_codes_are_sorted_joined_and_told_with_their_days() -> None:
    found = joined(fit_questions(features(preference_met="no", change_requested_on=week(3)), NOBODY, RULES))
    assert found.rows() == [(1, "change_requested;preference_unmet", "2026-01-26;2026-01-05")]
    assert joined(fit_questions(features().clear(), NOBODY, RULES)).is_empty()


def seen(*rows: tuple[int, int, str | None, int], **given: Any) -> pl.DataFrame:
    """(episode, clinician, problem area, day opened)"""
    made = [
        {
            "episode_id": episode, "clinician_id": clinician, "problem_area": area,
            "opened_on": START + timedelta(days=day), "valid_from": START + timedelta(days=day), **given,
        }
        for episode, clinician, area, day in rows
    ]  # fmt: skip
    return pl.DataFrame(made, schema=SEEN)


EARLIER = [(10, 1, "Grief", 0), (11, 1, "grief;anxiety", 1), (12, 1, "grief", 2)]


@pytest.mark.parametrize(
    ("others", "new"),
    [
        ([], True),
        (EARLIER[:2], True),
        (EARLIER, False),
        ([*EARLIER[:2], (12, 2, "grief", 2)], True),
        ([*EARLIER[:2], (12, 1, "anxiety;grief", 2)], True),
        ([*EARLIER[:2], (12, 1, "grief", 9)], True),
        ([*EARLIER[:2], (12, 1, "grief", 12)], True),
    ],
    ids=["none", "two", "three", "a colleague's", "another main area", "the same day", "later"],
)
def test_an_area_is_new_where_the_clinician_has_seen_at_most_two_earlier(others: list[Any], new: bool) -> None:
    everyone = seen(*others, (1, 1, "grief", 9))
    assert (1 in new_areas(everyone, week(10))) is new
    earlier = earlier_episodes(everyone, pl.lit(week(10)))
    found = fit_questions(features(problem_area="grief"), earlier, RULES)["question"].to_list()
    assert found == (["new_area"] if new else [])


def test_only_what_was_known_by_the_day_counts_as_seen() -> None:
    told_late = seen(*EARLIER, (1, 1, "grief", 9)).with_columns(
        valid_from=pl.when(pl.col("episode_id") == 12).then(pl.lit(week(8))).otherwise("valid_from")
    )
    assert 1 in new_areas(told_late, week(8) - timedelta(days=1))
    assert 1 not in new_areas(told_late, week(8))


def test_an_episode_without_a_problem_area_asks_nothing() -> None:
    assert earlier_episodes(seen((1, 1, None, 0), (2, 1, "", 0)), pl.lit(week(3))).is_empty()


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["grief", "anxiety", None]), st.integers(0, 4)), max_size=12),
    st.randoms(use_true_random=False),
)
def test_earlier_episodes_are_those_counted_by_hand_in_any_order(rows: list[Any], draw: Any) -> None:
    numbered = [(place, *row) for place, row in enumerate(rows)]
    mixed = draw.sample(numbered, len(numbered))
    found = dict(earlier_episodes(seen(*mixed), pl.lit(week(9))).rows())
    assert found == {
        episode: sum(c == clinician and a == area and d < day for _, c, a, d in numbered)
        for episode, clinician, area, day in numbered
        if area is not None
    }


def test_whom_to_ask_names_from_three_episodes_on_and_equals_by_alphabet() -> None:
    counts = pl.DataFrame(
        {
            "clinician": ["Cy", "Cy", "Bo", "An", "Di", "El", "Bo"],
            "problem_area": ["grief", "Grief;trauma", "grief", "grief", "grief", "grief", "trauma"],
            "episodes": [2, 2, 3, 3, 3, 2, 9],
        }
    )
    found = whom_to_ask(counts, ["grief"])
    assert found.rows() == [("grief", "Cy", 4), ("grief", "An", 3), ("grief", "Bo", 3), ("grief", "Di", 3)]
    assert whom_to_ask(counts.clear(), ["grief"]).is_empty()


def below(ratings: int, instrument: str | None = "srs") -> float | None:
    row = pl.DataFrame(
        {"alliance_instrument": [instrument], "alliance_scores": [ratings]},
        schema_overrides={"alliance_instrument": pl.String},
    )
    return low_below(row, [DEFAULT_NORMS | {UNKNOWN: Norm(0.75, 0.144)}], np.zeros(row.height, dtype=np.int64)).item()


def test_the_fewer_the_ratings_the_lower_a_mean_must_be() -> None:
    """Worked by hand: .88 - 1.2816 * .11 * sqrt(.58) * (.58 + .42 / n) / .58."""
    assert below(1) is None
    assert below(3, None) is None
    assert below(2) == pytest.approx(0.733763, abs=1e-6)
    assert below(3) == pytest.approx(0.746720, abs=1e-6)
    limits = [below(n) or 0.0 for n in range(2, 9)]
    assert limits == sorted(limits)
    assert below(3, "arm5") == pytest.approx(0.75 - 1.2816 * 0.144 * 0.58**0.5 * (0.58 + 0.14) / 0.58, abs=1e-6)


@pytest.mark.parametrize("one", FIT_QUESTIONS, ids=lambda one: one.number)
def test_every_question_has_words_a_grade_a_source_and_never_speaks_of_a_match(one: Any) -> None:
    assert one.question.endswith("?")
    assert all((one.title, one.grade, one.source))
    assert not any(word in f"{one.title} {one.question}".lower() for word in ("mismatch", "match score", "bad fit"))


def test_questions_that_repeat_others_and_information_have_no_flag() -> None:
    silent = {one.key for one in FIT_QUESTIONS if not one.signal}
    assert silent == {"rupture_not_mended", "off_track_and_alliance", "new_area"}
    assert all(SIGNALS[one.signal].family == "fit" for one in FIT_QUESTIONS if one.signal)
    assert not silent & set(SIGNALS)
    assert len(BY_KEY) == len(FIT_QUESTIONS) == 7


@pytest.mark.parametrize(
    ("signals", "word"),
    [
        (["change_requested"], "worth_discussing"),
        (["early_alliance_low", "rupture_open"], "worth_discussing"),
        (["goal_task_below_bond", "alliance_fall", "ceiling"], "worth_discussing"),
        (["early_alliance_low", "off_track"], "talk_first"),
        (["change_requested", "rupture_open"], "talk_first"),
        (["preference_unmet", "change_requested"], "worth_discussing"),
    ],
)
def test_questions_read_from_the_same_ratings_as_a_rupture_are_no_second_family(signals: list[str], word: str) -> None:
    raised = pl.DataFrame([{"episode_id": 1, "signal": key, "family": SIGNALS[key].family} for key in signals])
    assert priorities(features(), raised, INSTRUMENTS)["priority"].item() == word
