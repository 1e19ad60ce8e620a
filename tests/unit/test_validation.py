"""How the models did on what they had not seen: worked examples, too little data, and what must not leak."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from dashboard.analytics.alert_burden import Ruptures, burden, in_time, ruptures
from dashboard.analytics.calibration import auc, auc_error, calibration
from dashboard.analytics.censored import chance_by, followed, weighted_auc, weighted_brier
from dashboard.analytics.range_record import range_record
from dashboard.analytics.validation import (
    EPISODES_JUDGED,
    MOSTLY_PRIORS,
    SESSIONS_JUDGED,
    benefits,
    by_tenth,
    dropout_record,
    first_test_day,
    landmark,
    later_episodes,
    with_what_followed,
)

DAY = date(2026, 1, 5)
UNTIL = date(2030, 1, 1)
ALERTS = {"episode_id": pl.Int64(), "signal": pl.String(), "family": pl.String(), "raised_on": pl.Date()}


def episode(number: int, sessions: int = 5, *, opened: date = DAY, **given: Any) -> dict[str, object]:
    row: dict[str, object] = {
        "episode_id": number,
        "client_id": number,
        "clinician_id": 1,
        "opened_on": opened,
        "closed_on": opened + timedelta(weeks=sessions),
        "ending": "planned",
        "sessions_attended": sessions,
        "last_attended_on": opened + timedelta(weeks=sessions - 1) if sessions else None,
        "dropout": False if sessions else None,
        "outcome_instrument": "phq9",
        "baseline": 15.0,
        "rupture": "none",
    }
    return row | given


def left(number: int, sessions: int, **given: Any) -> dict[str, object]:
    return episode(number, sessions, ending="unilateral", dropout=True, **given)


def still_open(number: int, sessions: int, **given: Any) -> dict[str, object]:
    return episode(number, sessions, closed_on=None, ending=None, **given)


def judged(
    number: int, hazards: Sequence[float | None], *, opened: date = DAY, **given: Any
) -> list[dict[str, object]]:
    return [
        {
            "episode_id": number,
            "session_number": place + 1,
            "day": opened + timedelta(weeks=place),
            "dropout_hazard": hazard,
            "dropout_next_4": None if hazard is None else 1 - (1 - hazard) ** 4,
        }
        | given
        for place, hazard in enumerate(hazards)
    ]


def frames(rows: Sequence[dict[str, object]], said: Sequence[dict[str, object]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    return EPISODES_JUDGED.from_rows(list(rows)), SESSIONS_JUDGED.from_rows(list(said))


# ------------------------------------------------------------------- weights for clients not yet followed


def test_the_brier_score_of_clients_followed_for_unequal_times() -> None:
    """Worked example 19: events before censorings at ties, G(2) = .8333, G(4) = .625, BS(4) = .17981."""
    duration = np.array([1, 2, 2, 3, 4, 5, 6, 6])
    event = np.array([1, 0, 1, 1, 0, 1, 0, 0], dtype=bool)
    risk = np.array([0.4, 0.2, 0.35, 0.3, 0.2, 0.15, 0.1, 0.1])
    curve = followed(duration, event, 4)
    assert curve[2] == pytest.approx(0.8333, abs=1e-4)
    assert curve[4] == pytest.approx(0.625)
    assert weighted_brier(risk, duration, event, 4) == pytest.approx(0.17981, abs=1e-5)


def test_when_everybody_is_followed_the_weights_change_nothing() -> None:
    duration, event = np.array([1, 2, 9, 9, 9]), np.array([1, 1, 0, 0, 0], dtype=bool)
    risk = np.array([0.3, 0.8, 0.6, 0.2, 0.1])
    assert weighted_auc(risk, duration, event, 4) == pytest.approx(auc(risk, event))
    assert weighted_brier(risk, duration, event, 4) == pytest.approx(((risk - event) ** 2).mean())
    assert chance_by(duration, event, 4) == pytest.approx(0.4)


def test_ties_in_risk_count_half_and_one_kind_of_client_has_no_auc() -> None:
    duration = np.array([1, 9])
    assert weighted_auc(np.array([0.2, 0.2]), duration, np.array([True, False]), 4) == 0.5
    assert np.isnan(weighted_auc(np.array([0.2, 0.2]), duration, np.array([False, False]), 4))


def test_a_client_of_unknown_course_lowers_the_chance_of_being_followed_and_has_no_weight_of_their_own() -> None:
    """Two left, two stayed, one censored after session 2. By hand: G(4) = 2/3, and 4/5 * 3/4 stay to session 4."""
    duration, event = np.array([1, 2, 2, 9, 9]), np.array([1, 1, 0, 0, 0], dtype=bool)
    assert followed(duration, event, 4)[4] == pytest.approx(2 / 3)
    assert chance_by(duration, event, 4) == pytest.approx(1 - 4 / 5 * 3 / 4)


# ------------------------------------------------------------------- calibration where little is known


def test_without_an_event_there_is_no_calibration_and_with_one_probability_no_slope() -> None:
    p = np.array([0.1, 0.1, 0.1, 0.1])
    assert np.isnan(calibration(p, np.zeros(4, dtype=bool)).in_the_large)
    found = calibration(p, np.array([True, False, False, False]))
    assert found.in_the_large == pytest.approx(np.log(0.25 / 0.75) - np.log(0.1 / 0.9))
    assert np.isnan(found.slope)


def test_events_that_part_completely_from_the_rest_have_no_slope() -> None:
    found = calibration(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    assert np.isnan(found.slope)
    assert not np.isnan(found.in_the_large)


def test_the_errors_are_those_of_a_logistic_regression() -> None:
    """Against statsmodels' GLM with offset and with a slope."""
    import statsmodels.api as sm

    draw = np.random.default_rng(4)
    p = draw.uniform(0.02, 0.6, 300)
    y = draw.uniform(size=300) < p
    eta = np.log(p / (1 - p))
    large = sm.GLM(y.astype(float), np.ones((300, 1)), family=sm.families.Binomial(), offset=eta).fit()
    slope = sm.GLM(y.astype(float), np.column_stack([np.ones(300), eta]), family=sm.families.Binomial()).fit()
    found = calibration(p, y)
    assert found.in_the_large_error == pytest.approx(large.bse[0], rel=1e-4)
    assert (found.slope, found.slope_error) == pytest.approx((slope.params[1], slope.bse[1]), rel=1e-4)


def test_the_error_of_an_auc() -> None:
    """Hanley & McNeil 1982, formula by hand: A = .8, 10 events, 20 others: Q1 = .6667, Q2 = .7111."""
    by_hand = ((0.8 * 0.2 + 9 * (0.8 / 1.2 - 0.64) + 19 * (1.28 / 1.8 - 0.64)) / 200) ** 0.5
    assert auc_error(0.8, 10, 20) == pytest.approx(by_hand)


# ------------------------------------------------------------------- the split


def test_the_later_three_tenths_by_opening_day_are_the_test() -> None:
    rows = [episode(n, opened=DAY + timedelta(days=n)) for n in range(10)]
    frame = EPISODES_JUDGED.from_rows(rows)
    assert first_test_day(frame) == DAY + timedelta(days=7)
    assert later_episodes(frame)["episode_id"].to_list() == [7, 8, 9]


def test_a_day_lies_on_one_side_and_who_never_came_on_none() -> None:
    rows = [episode(n, opened=DAY + timedelta(days=n // 5)) for n in range(10)] + [episode(20, 0)]
    assert sorted(later_episodes(EPISODES_JUDGED.from_rows(rows))["episode_id"]) == [5, 6, 7, 8, 9]


def test_no_client_is_on_both_sides() -> None:
    rows = [episode(n, opened=DAY + timedelta(days=n)) for n in range(10)]
    rows[8] = rows[8] | {"client_id": 2}
    assert later_episodes(EPISODES_JUDGED.from_rows(rows))["episode_id"].to_list() == [7, 9]


# ------------------------------------------------------------------- what followed a session


@pytest.mark.parametrize(
    ("row", "followed_by"),
    [
        (left(1, 3), [False, False, True]),
        (episode(1, 3), [False, False, False]),
        (still_open(1, 3), [False, False, None]),
        (still_open(1, 3, dropout=True), [False, False, True]),  # silent beyond the practice's limit
        (episode(1, 3, ending="unknown"), [False, False, None]),
        (episode(1, 3, ending=None), [False, False, None]),
        (episode(1, 3, ending="transferred"), [False, False, False]),
    ],
    ids=["left", "agreed", "open", "silent", "unknown ending", "closed without ending", "transferred"],
)
def test_only_the_last_session_can_be_another_than_followed(
    row: dict[str, object], followed_by: list[bool | None]
) -> None:
    episodes, sessions = frames([row], judged(1, [0.1, 0.1, 0.1]))
    assert with_what_followed(episodes, sessions, UNTIL)["left"].to_list() == followed_by


def test_sessions_of_the_last_weeks_are_left_out_for_those_who_came_back_as_for_those_who_did_not() -> None:
    until = DAY + timedelta(weeks=1)
    episodes, sessions = frames([left(1, 3), left(2, 2)], judged(1, [0.1] * 3) + judged(2, [0.1] * 2))
    found = with_what_followed(episodes, sessions, until)
    assert found.select("episode_id", "left").rows() == [(1, False), (1, False), (2, False), (2, True)]


def test_two_sessions_on_one_day_are_judged_once_by_the_later() -> None:
    said = judged(1, [0.1, 0.1, 0.2])
    said[1]["day"] = said[2]["day"]
    episodes, sessions = frames([left(1, 3)], said)
    assert with_what_followed(episodes, sessions, UNTIL)["session_number"].to_list() == [1, 3]


def test_a_session_that_nothing_was_said_about_is_not_judged() -> None:
    episodes, sessions = frames([left(1, 3)], judged(1, [0.1, None, 0.1]))
    assert with_what_followed(episodes, sessions, UNTIL)["session_number"].to_list() == [1, 3]


# ------------------------------------------------------------------- the record


def practice(count: int, *, sessions: int = 6, seed: int = 3) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Clients whose hazard is known and true: the later ones are the test."""
    draw = np.random.default_rng(seed)
    rows, said = [], []
    for number in range(count):
        opened = DAY + timedelta(days=number)
        hazard = float(draw.uniform(0.02, 0.35))
        stayed = next((at + 1 for at in range(sessions) if draw.uniform() < hazard), None)
        rows.append(left(number, stayed, opened=opened) if stayed else episode(number, sessions, opened=opened))
        said += judged(number, [hazard] * (stayed or sessions), opened=opened)
    return frames(rows, said)


def test_true_probabilities_are_well_calibrated_and_better_than_the_rate() -> None:
    record = dropout_record(*practice(1500), UNTIL)
    assert record.events > 150
    assert record.intercept == pytest.approx(0, abs=0.2)
    assert record.slope == pytest.approx(1, abs=0.3)
    assert record.auc is not None
    assert 0.55 < record.auc < 0.8
    assert record.brier is not None
    assert record.brier_null is not None
    assert record.brier < record.brier_null
    assert record.expected == pytest.approx(record.events, rel=0.15)
    assert [one.session for one in record.landmarks] == [1, 3, 6]
    assert record.landmarks[0].auc is not None
    assert record.landmarks[0].auc > 0.55
    assert record.tenths is not None
    assert record.tenths["sessions"].sum() == record.sessions
    assert not record.warnings
    assert not record.why


def test_under_fifty_events_only_calibration_in_the_large_is_said_and_why() -> None:
    record = dropout_record(*practice(150), UNTIL)
    assert 0 < record.events < 50
    assert record.intercept is not None
    assert (record.auc, record.slope, record.brier, record.brier_null, record.tenths) == (None,) * 5
    assert record.landmarks == ()
    assert record.benefits == ()
    assert MOSTLY_PRIORS in record.why


def test_the_order_of_rows_changes_nothing() -> None:
    episodes, sessions = practice(1500)
    shuffled = dropout_record(episodes.sample(fraction=1, shuffle=True, seed=1), sessions.reverse(), UNTIL)
    record = dropout_record(episodes, sessions, UNTIL)
    assert shuffled.auc == pytest.approx(record.auc)
    assert shuffled.slope == pytest.approx(record.slope)
    assert shuffled.landmarks == record.landmarks


def test_without_rows_there_is_nothing_but_a_reason() -> None:
    record = dropout_record(EPISODES_JUDGED.empty(), SESSIONS_JUDGED.empty(), UNTIL)
    assert (record.since, record.episodes, record.events, record.intercept) == (None, 0, 0, None)
    assert record.why


def test_one_session_of_one_client_is_counted() -> None:
    record = dropout_record(*frames([left(1, 1)], judged(1, [0.1])), UNTIL)
    assert (record.episodes, record.sessions, record.events) == (1, 1, 1)
    assert record.intercept is None  # nobody stayed: there is no log odds of that


def test_an_estimate_that_knows_the_answer_is_suspected() -> None:
    episodes, sessions = practice(1500)
    lasts = episodes.filter("dropout").select("episode_id", session_number="sessions_attended", knew=pl.lit(True))
    knowing = sessions.join(lasts, on=["episode_id", "session_number"], how="left", maintain_order="left").with_columns(
        dropout_hazard=pl.when("knew").then(0.9).otherwise(0.02)
    )
    record = dropout_record(episodes, knowing, UNTIL)
    assert record.auc is not None
    assert record.auc > 0.85
    assert "leaked" in record.warnings[0]


def test_a_landmark_counts_who_left_within_four_sessions_from_it() -> None:
    rows = [left(1, 3), left(2, 9), episode(3, 9), still_open(4, 2)]
    said = [one for n, count in ((1, 3), (2, 9), (3, 9), (4, 2)) for one in judged(n, [0.1 * n] * count)]
    episodes, sessions = frames(rows, said)
    found = landmark(with_what_followed(episodes, sessions, UNTIL), 1)
    assert (found.session, found.clients, found.left) == (1, 4, 1)
    assert found.auc == 0.0  # the one who left had the lowest risk
    third = landmark(with_what_followed(episodes, sessions, UNTIL), 3)
    assert (third.clients, third.left) == (3, 1)
    assert landmark(with_what_followed(episodes, sessions, UNTIL), 12).brier is None


def test_net_benefit_against_talking_about_everyone() -> None:
    """Worked example 32 at one landmark: n = 100, 12 true and 18 false positives at .2 -> .075; everyone at .2 -> 0."""
    rows, said = [], []
    for n in range(100):
        gone, picked = n < 20, n < 12 or 20 <= n < 38
        rows.append(left(n, 1) if gone else episode(n, 5))
        said += judged(n, [0.1], dropout_next_4=0.4 if picked else 0.1)
        said += [] if gone else judged(n, [None] * 5)[1:]
    episodes, sessions = frames(rows, said)
    found = benefits(with_what_followed(episodes, sessions, UNTIL), [0.2])[0]
    assert found.estimate == pytest.approx(0.075)
    assert found.everyone == pytest.approx(0)


def test_tenths_hold_equal_estimates_together() -> None:
    p = np.array([0.1] * 150 + [0.2] * 150)
    found = by_tenth(p, np.arange(300) % 10 == 0)
    assert found["sessions"].to_list() == [150, 150]
    assert found["left"].to_list() == [15, 15]
    assert found["expected"].to_list() == pytest.approx([0.1, 0.2])


# ------------------------------------------------------------------- expected range, alerts, ruptures


def ranged(beyond: Sequence[int], scores: int = 10) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Episodes with ten judged scores each, so many of them above the range."""
    rows = [episode(n, scores, baseline=float(10 + n % 9)) for n in range(len(beyond))]
    said: list[dict[str, object]] = []
    for n, count in enumerate(beyond):
        for place, one in enumerate(judged(n, [None] * scores)):
            said.append(one | {"outcome": 20.0 if place < count else 12.0, "expected_low": 8.0, "expected_high": 16.0})
    return frames(rows, said)


def test_shares_inside_and_beyond_by_third_of_first_scores() -> None:
    record = range_record(*ranged([1] * 30), "phq9", -1)
    assert (record.episodes, record.scores, record.inside, record.beyond) == (30, 300, 270, 30)
    assert record.coverage == pytest.approx(0.9)
    assert record.share_beyond == pytest.approx(0.1)
    assert [one.third for one in record.thirds] == ["lower", "middle", "upper"]
    assert sum(one.scores for one in record.thirds) == 300
    assert not record.miscalibrated


def test_where_higher_is_better_the_unfavourable_edge_is_the_lower_one() -> None:
    record = range_record(*ranged([1] * 30), "phq9", +1)
    assert record.beyond == 0
    assert record.inside == 270


def test_a_range_is_called_miscalibrated_only_with_enough_scores() -> None:
    assert range_record(*ranged([2] * 60), "phq9", -1).miscalibrated
    few = range_record(*ranged([2] * 19), "phq9", -1)
    assert not few.miscalibrated
    assert few.coverage is None
    assert few.why


def test_scores_of_few_clients_that_go_together_prove_little() -> None:
    """A fifth of scores beyond, but all of them of five of 25 clients: the interval holds 10 %."""
    together = range_record(*ranged([10] * 5 + [0] * 20), "phq9", -1)
    apart = range_record(*ranged([2] * 25), "phq9", -1)
    assert together.share_beyond == apart.share_beyond == pytest.approx(0.2)
    assert apart.miscalibrated
    assert not together.miscalibrated


def test_another_instrument_and_no_scores_count_nothing() -> None:
    assert range_record(*ranged([1] * 30), "gad7", -1).scores == 0
    assert range_record(EPISODES_JUDGED.empty(), SESSIONS_JUDGED.empty(), "phq9", -1).coverage is None


def test_alerts_are_counted_per_clinician_and_week_with_a_session() -> None:
    episodes, sessions = frames(
        [episode(1, 4), episode(2, 4, clinician_id=2)], judged(1, [0.1] * 4) + judged(2, [0.1] * 4)
    )
    alerts = pl.DataFrame(
        [
            (1, "dropout_raised", "retention", DAY),
            (1, "rupture_open", "alliance", DAY + timedelta(weeks=1)),
            (2, "no_recent_measure", "data", DAY),
            (2, "dropout_raised", "retention", DAY - timedelta(days=1)),
        ],
        schema=ALERTS,
        orient="row",
    )
    found = burden(episodes, sessions, alerts, since=DAY, until=DAY + timedelta(weeks=8))
    assert (found.clinician_weeks, found.raised, found.every) == (8, 1, 2)
    assert found.per_week(found.every) == pytest.approx(0.25)
    assert burden(episodes.clear(), sessions.clear(), alerts.clear(), since=None, until=DAY).per_week(0) is None


def test_a_signal_counts_as_in_time_before_the_day_of_the_last_session() -> None:
    episodes, _ = frames([left(1, 5), left(2, 5), left(3, 1), episode(4, 5), still_open(5, 5)], [])
    last = DAY + timedelta(weeks=4)
    days = {1: last - timedelta(days=7), 2: last, 4: last, 5: last}
    alerts = pl.DataFrame(
        [(n, "dropout_raised", "retention", on) for n, on in days.items()], schema=ALERTS, orient="row"
    )
    found = in_time(episodes, alerts)
    assert (found.endings, found.named, found.after_one) == (3, 1, 1)
    assert (found.episodes, found.left) == (3, 2)


def test_clients_with_a_possible_rupture_are_counted_once() -> None:
    rows = [
        episode(1, client_id=1, rupture="repaired"),
        episode(2, client_id=1, rupture="none"),
        episode(3, client_id=2, rupture="none"),
        episode(4, client_id=3, rupture="not_enough_data"),
    ]
    found = ruptures(EPISODES_JUDGED.from_rows(rows))
    assert (found.clients, found.ruptured) == (2, 1)


@pytest.mark.parametrize(
    ("clients", "ruptured", "incredible"), [(100, 25, False), (100, 4, True), (100, 51, True), (19, 0, False)]
)
def test_a_share_outside_5_to_50_percent_is_not_believed(clients: int, ruptured: int, incredible: bool) -> None:
    """Science 4.4: Larsson 2018 found a quarter."""
    assert Ruptures(clients, ruptured).incredible is incredible
