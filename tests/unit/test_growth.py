"""The growth model against statsmodels' mixed model, and what it does where there is almost nothing to fit."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from dashboard.analytics import growth


def made(
    episodes: int, seed: int, *, spread: tuple[float, float, float] = (4.0, -1.0, 2.0), most: int = 15
) -> tuple[growth.Reals, ...]:
    """Episode, session, value and baseline of every score, 30 % of the scores missing."""
    draw = np.random.default_rng(seed)
    d00, d01, d11 = spread
    u = draw.multivariate_normal([0, 0], [[d00, d01], [d01, d11]], episodes)
    first = draw.normal(15, 5, episodes)
    episode = np.repeat(np.arange(episodes), draw.integers(2, most, episodes))
    session = 2.0 + np.arange(len(episode)) - np.searchsorted(episode, episode)
    x, y0 = np.log(session), first[episode] - 15
    y = 15 + u[episode, 0] + (u[episode, 1] - 2) * x + 0.7 * y0 - 0.1 * y0 * x + draw.normal(0, 2.2, len(x))
    kept = (draw.random(len(x)) < 0.7) | (session == 2)
    return episode[kept].astype(float), session[kept], y[kept], first[episode][kept]


def begins(episode: growth.Reals) -> np.ndarray:
    return np.flatnonzero(np.r_[True, episode[1:] != episode[:-1]])


def mixed_model(episode: growth.Reals, session: growth.Reals, y: growth.Reals, first: growth.Reals) -> list[float]:
    """The same model by statsmodels, maximum likelihood."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.regression.mixed_linear_model import MixedLM

        x, y0 = np.log(session), first - first[begins(episode)].mean()
        fixed = np.column_stack([np.ones_like(x), x, y0, y0 * x])
        found = MixedLM(y, fixed, groups=episode, exog_re=fixed[:, :2]).fit(reml=False, method="bfgs", gtol=1e-8)
    cov = np.asarray(found.cov_re)
    return [*found.fe_params, cov[0, 0], cov[0, 1], cov[1, 1], found.scale]


@pytest.mark.parametrize(
    ("episodes", "spread"), [(300, (4.0, -1.0, 2.0)), (80, (9.0, 0.5, 0.6)), (300, (1.0, 0.3, 4.0))]
)
def test_coefficients_and_variances_agree_with_statsmodels_to_three_decimals(
    episodes: int, spread: tuple[float, float, float]
) -> None:
    episode, session, y, first = made(episodes, seed=episodes, spread=spread)
    own = growth.fit(growth.sums(begins(episode), session, y, first))
    found = [own.b0, own.b1, own.b2, own.b3, own.d00, own.d01, own.d11, own.s2]
    assert found == pytest.approx(mixed_model(episode, session, y, first), abs=5e-4)


def test_a_start_elsewhere_ends_at_the_same_fit() -> None:
    episode, session, y, first = made(200, seed=3)
    data = growth.sums(begins(episode), session, y, first)
    other = growth.Growth(0, 0, 0, 0, 0, 0.1, 0.0, 9.0, 30.0, 0, 30, 2, 9)
    assert growth.fit(data, start=other).d11 == pytest.approx(growth.fit(data).d11, abs=1e-4)


@pytest.mark.parametrize(
    ("session", "value", "baseline"),
    [
        ([2.0], [9.0], [12.0]),
        ([2.0, 3.0], [9.0, 9.0], [12.0, 12.0]),
        ([2.0, 2.0, 2.0], [0.0, 0.0, 0.0], [5.0, 5.0, 5.0]),
        ([3.0, 40.0, 3.0], [27.0, 0.0, 27.0], [27.0, 27.0, 27.0]),
    ],
)
def test_almost_nothing_to_fit_gives_finite_numbers_within_what_was_seen(
    session: list[float], value: list[float], baseline: list[float]
) -> None:
    rows = np.arange(len(session)) if len(session) != 2 else np.array([0])
    own = growth.fit(growth.sums(rows, np.array(session), np.array(value), np.array(baseline)))
    for first_score, number in [(0.0, 2.0), (27.0, 200.0)]:
        middle, sd = own.mean(np.array([first_score]), np.array([number])), own.sd(np.array([number]))
        assert min(value) - 1e-6 <= middle[0] <= max(value) + 1e-6
        assert 0 < sd[0] < 40


def test_nothing_is_extrapolated_beyond_first_scores_and_sessions_seen() -> None:
    episode, session, y, first = made(100, seed=5)
    own = growth.fit(growth.sums(begins(episode), session, y, first))
    far, edge = (own.mean(np.array([b]), np.array([t])) for b, t in ((99.0, 500.0), (own.highest, own.longest)))
    assert far == edge
    assert own.sd(np.array([500.0])) == own.sd(np.array([own.longest]))
