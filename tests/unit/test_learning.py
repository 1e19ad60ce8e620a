"""What a fit may count: not the last weeks, in which only those who came back are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from dashboard.analytics.alliance_norms import Norms
from dashboard.analytics.hazard import HazardModel, day_one
from dashboard.analytics.hazard_terms import PRIOR
from dashboard.replay import Replay, learning
from tests.building import INSTRUMENTS, RULES, START
from tests.unit.test_replay import a_visit, an_episode, history

COUNT = 40


def _practice() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    episodes, visits = [], []
    for number in range(1, COUNT + 1):
        ended = START + timedelta(days=7 * 4 + number)
        closing = {"closed_on": ended, "ending": "unilateral", "ending_known_from": ended} if number <= 20 else {}
        episodes.append(an_episode(episode_id=number, client_id=number, **closing))
        for week in range(4 if closing else 14):
            visit = a_visit(number * 100 + week, START + timedelta(days=7 * week))
            visits.append(visit | {"episode_id": number})
    return episodes, visits


def test_sessions_of_the_last_weeks_are_left_out_of_a_fit_for_all_alike() -> None:
    episodes, visits = _practice()
    as_of = START + timedelta(days=7 * 14)
    learned = Replay(history(episodes, visits, []), as_of, INSTRUMENTS, RULES).learn({})
    fitted = learned.models[-1]
    oldest_left_out = fitted.fitted_on - timedelta(days=RULES.dropout_days)
    days = pl.Series([visit["starts_at"].date() for visit in visits])  # type: ignore[attr-defined]
    counted = days.filter(days <= oldest_left_out)
    assert len(learned.models) == 2
    assert fitted.hazard.rows == len(counted)
    assert fitted.hazard.events == 0
    assert 0 < fitted.hazard.rows < len(days)


def test_learning_again_from_the_same_data_takes_the_fits_over() -> None:
    episodes, visits = _practice()
    as_of = START + timedelta(days=7 * 14)
    first = Replay(history(episodes, visits, []), as_of, INSTRUMENTS, RULES).learn({})
    again = Replay(history(episodes, visits, []), as_of, INSTRUMENTS, RULES).learn(first.by_data())
    assert (first.fits, again.fits) == (1, 0)
    assert first.versions == again.versions


def test_a_fit_that_started_from_other_priors_is_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a practice would keep, after an update, estimates made with terms that now mean something else."""
    episodes, visits = _practice()
    as_of = START + timedelta(days=7 * 14)
    first = Replay(history(episodes, visits, []), as_of, INSTRUMENTS, RULES).learn({})

    def other_start(*, norms: Norms) -> HazardModel:
        return day_one((replace(PRIOR[0], mean=-3.0), *PRIOR[1:]), norms)

    monkeypatch.setattr(learning, "day_one", other_start)
    again = Replay(history(episodes, visits, []), as_of, INSTRUMENTS, RULES).learn(first.by_data())
    assert again.fits == 1
