"""The dropout model keeps its lead on the invented practices (the whole contest: ``python -m tests.contests hazard``)."""

from __future__ import annotations

import pytest

from tests.contests.hazard import NO_ALLIANCE, PLAIN, contest, summary
from tests.simulators import WORLDS

SEEDS = (0, 1, 2)


@pytest.mark.parametrize("world", WORLDS)
def test_with_a_thousand_closed_episodes_it_reaches_four_fifths_of_what_can_be_known(world: str) -> None:
    found = [contest(world, seed, later=3000) for seed in SEEDS]
    scores = {label: summary([one[label] for one in found]) for label in found[0]}
    assert 0.5 <= scores[NO_ALLIANCE][0] <= 0.62  # three practices are few; twelve stay between .5 and .6
    share, slope, intercept, loss = scores["1,000 closed"]
    assert share >= 0.8
    assert 0.8 <= slope <= 1.25
    assert abs(intercept) <= 0.25
    assert loss < scores[PLAIN][3] < scores[NO_ALLIANCE][3]
    assert scores["day one"][0] >= 0.68
    assert 0.75 <= scores["day one"][1] <= 1.25  # twelve practices: .81 and more
    assert abs(scores["day one"][2]) <= 0.25
