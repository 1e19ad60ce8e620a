"""Funnel limits and overdispersion against published and hand-worked figures."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dashboard.analytics import funnel
from dashboard.analytics.distributions import binomial, chi_square_quantile, normal_cdf, t_quantile

# FunnelPlotR's own test of its overdispersion (science, test 29)
OBSERVED = np.array([100.0, 150, 180, 80, 120, 225])
EXPECTED = np.array([108.0, 112, 165, 95, 100, 220])


@pytest.mark.parametrize(
    ("expected", "tail", "low", "high"),
    [
        (15, funnel.TAIL95, 0.5596924, 1.649348),
        (20, funnel.TAIL95, 0.6108260, 1.544419),
        (30, funnel.TAIL95, 0.6746958, 1.427562),
        (15, funnel.TAIL998, 0.3862650, 2.082907),
        (20, funnel.TAIL998, 0.4479107, 1.902094),
        (30, funnel.TAIL998, 0.5289724, 1.702771),
    ],
)
def test_ratio_limits_are_those_of_funnelplotr(expected: float, tail: float, low: float, high: float) -> None:
    """FunnelPlotR's test of its Poisson limits (science, test 28)."""
    assert funnel.ratio_limits(expected, tail) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(
    ("n", "tail", "tau2", "limits"),
    [
        (30, funnel.TAIL95, 0.0, (0.0789, 0.3591)),
        (30, funnel.TAIL998, 0.0, (0.0326, 0.4604)),
        (30, funnel.TAIL95, 0.01, (0.0388, 0.4437)),
    ],
)
def test_arcsine_limits_are_the_worked_ones(n: int, tail: float, tau2: float, limits: tuple[float, float]) -> None:
    """Science, test 30."""
    assert funnel.arcsine_limits(n, 0.20, tail, tau2) == pytest.approx(limits, abs=1e-4)


@pytest.mark.parametrize(("tail", "limits"), [(funnel.TAIL95, (0.0708, 0.3191)), (funnel.TAIL998, (0.0163, 0.3999))])
def test_exact_limits_are_the_worked_ones(tail: float, limits: tuple[float, float]) -> None:
    """Science, test 30, after the appendix of Spiegelhalter 2005."""
    assert funnel.binomial_limits(40, 0.20, tail) == pytest.approx(limits, abs=1e-4)


@pytest.mark.parametrize(
    ("winsorised", "phi", "tau2"), [(0.0, 2.948033, 0.019478), (funnel.WINSORISED, 2.149053, 0.012118)]
)
def test_overdispersion_is_that_of_funnelplotr(winsorised: float, phi: float, tau2: float) -> None:
    """Untrimmed: FunnelPlotR's test; winsorised: worked by hand with linear quantiles (science, test 29)."""
    found = funnel.overdispersion(*funnel.ratio_scores(OBSERVED, EXPECTED), winsorised)
    assert found.phi == pytest.approx(phi, abs=1e-6)
    assert found.tau2 == pytest.approx(tau2, abs=1e-6)


def test_winsorising_makes_plain_chance_look_smaller_and_the_correction_undoes_it() -> None:
    c = NormalDist().inv_cdf(0.9)
    square = 0.8 - 2 * c * NormalDist().pdf(c) + 0.2 * c * c
    assert pytest.approx(square, abs=1e-6) == funnel.WINSORISED_SQUARE
    z = np.random.default_rng(1).normal(0, 1, 200_000)
    plain, corrected = (funnel.overdispersion(z, np.ones_like(z), corrected=one) for one in (False, True))
    assert plain.phi == pytest.approx(0.679, abs=0.01)
    assert corrected.phi == pytest.approx(1, abs=0.01)


def test_overdispersion_refuses_a_correction_made_for_something_else() -> None:
    with pytest.raises(ValueError, match="correction is for"):
        funnel.overdispersion(np.ones(4), np.ones(4), 0.05, corrected=True)


@pytest.mark.parametrize(("n", "target"), [(0, 0.2), (10, 0.0), (10, 1.0)])
def test_limits_refuse_what_has_none(n: int, target: float) -> None:
    with pytest.raises(ValueError, match="a case and a target"):
        funnel.binomial_limits(n, target, 0.025)


@given(st.integers(1, 400), st.floats(0.01, 0.99))
def test_limits_hold_the_target_and_narrow_as_the_tail_grows(n: int, target: float) -> None:
    for low, high in (
        (funnel.binomial_limits(n, target, 0.001), funnel.binomial_limits(n, target, 0.025)),
        (funnel.arcsine_limits(n, target, 0.001), funnel.arcsine_limits(n, target, 0.025)),
    ):
        assert 0 <= low[0] <= high[0] <= high[1] <= low[1] <= 1
    wide = funnel.arcsine_limits(n, target, 0.025, 0.01)
    assert wide[0] <= funnel.arcsine_limits(n, target, 0.025)[0] <= target + 1e-9


@pytest.mark.parametrize("share", [0.5, 0.6, 0.9, 0.975, 0.999])
@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 8, 9, 30, 31, 100, 5000])
def test_quantiles_of_t_are_those_of_scipy(df: int, share: float) -> None:
    assert t_quantile(share, df) == pytest.approx(stats.t.ppf(share, df), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("share", [0.001, 0.025, 0.5, 0.975, 0.999])
@pytest.mark.parametrize("df", [1, 2, 3.3, 30, 32, 201.5, 5000])
def test_quantiles_of_chi_square_are_those_of_scipy(df: float, share: float) -> None:
    assert chi_square_quantile(share, df) == pytest.approx(stats.chi2.ppf(share, df), rel=1e-8, abs=1e-10)


def test_normal_and_binomial_chances_are_those_of_scipy() -> None:
    z = np.linspace(-9, 9, 1001)
    assert normal_cdf(z) == pytest.approx(stats.norm.cdf(z), abs=3e-7)
    for n, p in ((1, 0.5), (40, 0.2), (900, 0.03)):
        assert binomial(n, np.array([p]))[0] == pytest.approx(stats.binom.pmf(np.arange(n + 1), n, p), abs=1e-12)
