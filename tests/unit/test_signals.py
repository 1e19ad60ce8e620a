"""Every signal at its edge: just raised, just not, and what clears it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from dashboard.analytics.features import features
from dashboard.analytics.scoring import risk_answers
from dashboard.contracts import FAMILIES, RAISED
from dashboard.signals import SIGNALS, Context, evaluate, rules_version
from tests.building import INSTRUMENTS, RULES, START, episode, frames, scores, visits, week

SIX = ["attended"] * 6


def raised(
    statuses: list[str],
    rated: list[dict[str, Any]],
    *,
    days: int,
    checks: list[dict[str, Any]] | None = None,
    **given: Any,
) -> dict[str, dict[str, Any]]:
    as_of = START + timedelta(days=days)
    made = frames([episode(as_of=as_of, **given)], visits(statuses), rated, checks or [])
    context = Context(
        features(made, INSTRUMENTS, RULES),
        risk_answers(made.scores, INSTRUMENTS),
        made.safety_checks,
        INSTRUMENTS,
        RULES,
    )
    return {row["signal"]: row for row in evaluate(context).to_dicts()}


LAST = 35  # the day of the sixth weekly session
BOOKED = [*SIX, "booked"]
FINE = [18.0, 17.0, 16.0, 15.0, 14.0, 12.0]


def parts(bond: list[float | None], goal: list[float | None]) -> list[dict[str, Any]]:
    """WAI-SR ratings: total, bond and goal of each week."""
    whole = [None if b is None else 30.0 + b for b in bond]
    return [
        *scores(whole, "wai_sr"),
        *scores(bond, "wai_sr", scale="bond"),
        *scores(goal, "wai_sr", scale="goal"),
    ]


# one spread of a part is 0.087 of its range of 16 points: 1.4 points
PARTS_BELOW = parts([18, 18, 18, 18, 18, 18], [17, 16, 17, 17, 16, 16])
PARTS_BELOW_ONCE = parts([18, 18, 18, 18, 18, 18], [17, 16, 16, 17, 17, 16])


EDGES: list[tuple[Any, ...]] = [
    ("worse by 6 on PHQ-9", "reliable_worsening", BOOKED, scores([12, None, None, 18]), LAST, week(3)),
    ("worse by 5", None, BOOKED, scores([4, None, None, None, None, 9]), LAST, None),
    ("worse and back", None, BOOKED, scores([9, None, 16, None, None, 9]), LAST, None),
    ("session 6, clinical, 5 better", "no_improvement_by_6", BOOKED, scores([18, *[None] * 4, 13]), LAST, week(5)),
    ("session 6, clinical, 6 better", None, BOOKED, scores([18, *[None] * 4, 12]), LAST, None),
    ("session 6, began under the cut-off", None, BOOKED, scores([9, *[None] * 4, 9]), LAST, None),
    ("session 5", None, ["attended"] * 5 + ["booked"], scores([18, *[None] * 3, 18]), 28, None),
    ("28 days since the last session", None, SIX, scores(FINE), LAST + 28, "nothing_booked"),
    ("29 days", "no_contact", SIX, scores(FINE), LAST + 29, START + timedelta(days=LAST + 29)),
    (
        "29 days, something booked",
        None,
        [*SIX, *["cancelled_by_client"] * 4, "booked"],
        scores(FINE),
        LAST + 29,
        None,
    ),
    ("6 days, nothing booked", None, SIX, scores(FINE), LAST + 6, None),
    ("7 days, nothing booked", "nothing_booked", SIX, scores(FINE), LAST + 7, START + timedelta(days=LAST + 7)),
    ("1 of 4 missed", None, ["attended"] * 5 + ["no_show", "booked"], scores(FINE[:5]), LAST, None),
    (
        "2 of 4 missed",
        "missed_appointments",
        ["attended"] * 3 + ["no_show", "attended", "late_cancelled", "booked"],
        scores(FINE[:5]),
        LAST,
        week(5),
    ),
    (
        "2 of 5 missed",
        None,
        ["attended", "no_show", "attended", "attended", "attended", "no_show", "booked"],
        scores(FINE[:5]),
        LAST,
        None,
    ),
    (
        "cancelled by the clinician",
        None,
        [*["attended"] * 4, *["cancelled_by_clinician"] * 2, "booked"],
        scores(FINE[:4]),
        LAST,
        None,
    ),
    ("last score 21 days before the last session", None, BOOKED, scores([18, 17, 12]), LAST, None),
    ("28 days before", "no_recent_measure", BOOKED, scores([18, 12]), LAST, week(1) + timedelta(days=22)),
    ("never measured", "no_recent_measure", BOOKED, [], LAST, START + timedelta(days=22)),
    (
        "alliance fell by two spreads",
        "alliance_fall",
        BOOKED,
        [*scores(FINE), *scores([38, 37, 38, 37, 38, 31], "srs")],
        LAST,
        week(5),
    ),
    ("alliance wobbled", None, BOOKED, [*scores(FINE), *scores([38, 37, 38, 37, 38, 37], "srs")], LAST, None),
    ("a preference not met", "preference_unmet", BOOKED, scores(FINE), LAST, START, {"preference_met": "no"}),
    ("a preference met", None, BOOKED, scores(FINE), LAST, None, {"preference_met": "yes"}),
    ("a preference unknown", None, BOOKED, scores(FINE), LAST, None, {"preference_met": "unknown"}),
    ("a change asked for", "change_requested", BOOKED, scores(FINE), LAST, week(2), {"change_requested_on": week(2)}),
    ("goals below the bond twice", "goal_task_below_bond", BOOKED, [*scores(FINE), *PARTS_BELOW], LAST, week(4)),
    ("goals below the bond once", None, BOOKED, [*scores(FINE), *PARTS_BELOW_ONCE], LAST, None),
    ("three ceilings", "ceiling", BOOKED, [*scores(FINE), *scores([40, 40, 40, 40, 40, 40], "srs")], LAST, week(2)),
]


@pytest.mark.parametrize(
    ("words", "signal", "statuses", "rated", "days", "since", "given"),
    [row if len(row) == 7 else (*row, {}) for row in EDGES],
)
def test_a_signal_is_raised_at_its_limit_and_not_just_before(
    words: str,
    signal: str | None,
    statuses: list[str],
    rated: list[dict[str, Any]],
    days: int,
    since: object,
    given: dict[str, Any],
) -> None:
    found = raised(statuses, rated, days=days, **given)
    if signal is None:
        assert set(found) <= ({since} if isinstance(since, str) else set()), words
    else:
        assert signal in found, words
        assert found[signal]["since"] == since, words


def test_an_open_rupture_stands_until_the_rating_is_back() -> None:
    rated = [*scores(FINE), *scores([38, 37, 38, 28, 30], "srs")]
    assert {"rupture_open", "alliance_fall"} <= set(raised(["attended"] * 5 + ["booked"], rated, days=28))
    back = [*scores(FINE), *scores([38, 37, 38, 28, 38], "srs")]
    assert not {"rupture_open", "alliance_fall"} & set(raised(["attended"] * 5 + ["booked"], back, days=28))


RISK = [{**scores([1.0])[0], "scale": "item_9"}]


def test_a_risk_answer_above_zero_stands_until_somebody_records_a_check() -> None:
    assert "risk_item" in raised(["attended"], RISK, days=300)
    check = [{"episode_id": 1, "signal": "risk_item", "since": START, "checked_on": START}]
    assert "risk_item" not in raised(["attended"], RISK, days=300, checks=check)
    assert "risk_item" not in raised(["attended"], [RISK[0] | {"value": 0.0}], days=0)


def test_a_check_of_another_answer_does_not_clear_this_one() -> None:
    check = [{"episode_id": 1, "signal": "risk_item", "since": START - timedelta(days=7), "checked_on": START}]
    assert "risk_item" in raised(["attended"], RISK, days=0, checks=check)


def test_closing_an_episode_clears_every_signal_but_safety() -> None:
    found = raised(["attended"], RISK, days=300, closed_on=START + timedelta(days=100))
    assert set(found) == {"risk_item"}


def test_a_risk_answer_is_part_of_no_score_rule_or_priority() -> None:
    from dashboard.replay.priority import priorities

    with_risk = [*scores(FINE), {**RISK[0], "taken_on": week(5)}]
    for rated in (scores(FINE), with_risk):
        made = frames([episode(as_of=week(5))], visits(BOOKED), rated)
        found = features(made, INSTRUMENTS, RULES)
        context = Context(found, risk_answers(made.scores, INSTRUMENTS), made.safety_checks, INSTRUMENTS, RULES)
        assert priorities(found, evaluate(context), INSTRUMENTS)["priority"].item() == "no_signals"


def test_no_improvement_gives_way_to_worsening() -> None:
    found = raised(BOOKED, scores([15, *[None] * 4, 21]), days=LAST)
    assert "reliable_worsening" in found
    assert "no_improvement_by_6" not in found


def test_evidence_names_numbers_and_days_and_nothing_else_is_null() -> None:
    found = raised(BOOKED, scores([12, None, None, 18]), days=LAST)["reliable_worsening"]
    assert found["evidence"] == (
        "PHQ-9 12 on 5 Jan 2026, 18 on 26 Jan 2026: a change of 6 points; 6 or more is beyond measurement error."
    )
    assert (found["value"], found["threshold"]) == (18.0, 18.0)


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda one: one.key)
def test_every_signal_says_rule_question_minimum_source_and_limits(signal: Any) -> None:
    texts = (signal.rule_words(RULES), signal.prompt, signal.minimum_data, signal.source, signal.limits, signal.title)
    assert all(len(text.strip()) > 8 for text in texts)
    assert signal.prompt.rstrip().endswith("?")
    assert signal.family in FAMILIES
    assert date.fromisoformat(signal.reviewed_on)


def test_no_episodes_raise_nothing_with_the_right_columns() -> None:
    made = frames([])
    context = Context(
        features(made, INSTRUMENTS, RULES),
        risk_answers(made.scores, INSTRUMENTS),
        made.safety_checks,
        INSTRUMENTS,
        RULES,
    )
    found = evaluate(context)
    assert found.is_empty()
    assert set(RAISED.schema) <= set(found.columns)


def test_the_rules_version_changes_with_a_number_and_not_with_order() -> None:
    from dataclasses import replace

    shuffled = dict(reversed(list(INSTRUMENTS.items())))
    assert rules_version(RULES, INSTRUMENTS) == rules_version(RULES, shuffled)
    assert rules_version(RULES, INSTRUMENTS) != rules_version(replace(RULES, no_contact_days=29), INSTRUMENTS)


def test_shuffled_input_never_changes_a_result() -> None:
    from hypothesis import given, settings
    from hypothesis import strategies as st

    made = frames(
        [episode(n, as_of=week(9), opened_on=START) for n in range(1, 5)],
        [
            *visits(BOOKED, 1),
            *visits(["attended", "no_show", "attended", "no_show"], 2),
            *visits(["attended"] * 9, 3),
            *visits(["attended"] * 2, 4),
        ],
        [
            *scores(FINE, episode_id=1),
            *scores([38, 37, 38, 28, 30], "srs", 1),
            *scores([10, None, 16], episode_id=2),
            *scores([10.0, None, 16], "gad7", episode_id=2),
            *scores([40.0] * 9, "srs", 3),
            *scores([30.0] * 9, "wai_sr", 3),
            *({**row, "scale": f"item_{n}"} for n in range(1, 10) for row in scores([1, 2, 3], episode_id=4)),
        ],
    )
    context = Context(
        features(made, INSTRUMENTS, RULES),
        risk_answers(made.scores, INSTRUMENTS),
        made.safety_checks,
        INSTRUMENTS,
        RULES,
    )
    expected = (context.features, evaluate(context))

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def shuffled(seed: int) -> None:
        def mix(frame: pl.DataFrame) -> pl.DataFrame:
            return frame.sample(fraction=1, shuffle=True, seed=seed)

        again = type(made)(mix(made.episodes), mix(made.appointments), mix(made.scores), made.safety_checks)
        found = features(again, INSTRUMENTS, RULES)
        assert found.equals(expected[0])
        one = Context(found, risk_answers(again.scores, INSTRUMENTS), again.safety_checks, INSTRUMENTS, RULES)
        assert evaluate(one).equals(expected[1])

    shuffled()
