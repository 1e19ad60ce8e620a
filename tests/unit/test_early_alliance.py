"""Low early ratings through the whole replay: raised from the third session to the sixth, never from what came later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.replay import assess
from tests.building import INSTRUMENTS, RULES, START, week
from tests.unit.test_replay import a_score, a_visit, an_episode, history

DAYS = [week(n) for n in range(8)]


def said(ratings: list[float | None], day: int) -> tuple[str | None, list[str]]:
    past = history(
        [an_episode()],
        [a_visit(n, day) for n, day in enumerate(DAYS)],
        [a_score(day, value, instrument="srs") for day, value in zip(DAYS, ratings, strict=False) if value is not None],
    )
    found = assess(past, START + timedelta(days=day), INSTRUMENTS, RULES)
    standing = found.flags.filter(found.flags["cleared_on"].is_null())["signal"].to_list()
    return found.states["fit_questions"].item(), standing


@pytest.mark.parametrize(
    ("ratings", "day", "raised"),
    [
        ([29.0, 29.0, 29.0], 14, True),  # .725: under .7467 for three ratings
        ([30.0, 30.0, 30.0], 14, False),  # .75
        ([29.0, 29.0, 29.0], 7, False),  # second session
        ([29.0, None, None], 14, False),  # one rating
        ([29.0, 29.0, None], 14, True),
        ([29.0] * 6, 35, True),
        ([29.0] * 7, 42, False),  # seventh session
        ([29.0, 29.0, 29.0, 40.0, 40.0], 28, False),
    ],
)
def test_low_early_ratings_are_asked_about_and_flagged(ratings: list[float | None], day: int, raised: bool) -> None:
    questions, standing = said(ratings, day)
    assert ("early_alliance_low" in (questions or "").split(";")) is raised
    assert ("early_alliance_low" in standing) is raised


def test_evidence_is_in_the_questionnaires_points() -> None:
    past = history(
        [an_episode()],
        [a_visit(n, day) for n, day in enumerate(DAYS[:3])],
        [a_score(day, 29, instrument="srs") for day in DAYS[:3]],
    )
    flags = assess(past, week(2), INSTRUMENTS, RULES).flags
    row = flags.filter(flags["signal"] == "early_alliance_low").row(0, named=True)
    assert row["since"] == week(1)
    assert row["evidence"] == (
        "SRS: mean of 3 ratings up to session 3 is 29; after so many ratings 29.9 or worse is low for this practice."
    )
