"""The random intercepts against lme4, statsmodels and published worked examples."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from dashboard.analytics import random_intercept as ri
from dashboard.analytics.clinician_estimates import latent_sd
from dashboard.analytics.newton import chance

# lme4's own example `cbpp` (Lesnoff et al. 2004): herd, cases, size, period; separated by blanks and commas
CBPP = """1,2,14,1 1,3,12,2 1,4,9,3 1,0,5,4 2,3,22,1 2,1,18,2 2,1,21,3 3,8,22,1 3,2,16,2 3,0,16,3 3,2,20,4 4,2,10,1
4,0,10,2 4,2,9,3 4,0,6,4 5,5,18,1 5,0,25,2 5,0,24,3 5,1,4,4 6,3,17,1 6,0,17,2 6,0,18,3 6,1,20,4 7,8,16,1 7,1,10,2
7,3,9,3 7,0,5,4 8,12,34,1 9,2,9,1 9,0,6,2 9,0,8,3 9,0,6,4 10,1,22,1 10,1,22,2 10,0,18,3 10,2,22,4 11,0,25,1 11,5,27,2
11,3,22,3 11,1,22,4 12,2,10,1 12,1,8,2 12,0,6,3 12,0,5,4 13,1,21,1 13,2,24,2 13,0,19,3 13,0,23,4 14,11,19,1 14,0,2,2
14,0,3,3 14,0,2,4 15,1,19,1 15,1,15,2 15,1,15,3 15,0,15,4"""
# glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), family = binomial), nAGQ = 1
PERIODS = {1: 0.0, 2: -0.991925, 3: -1.128216, 4: -1.579745}
INTERCEPT, HERD_SD = -1.398343, 0.6420699
LAPLACE = 0.0055  # how far exact integrals and Laplace's may differ (data.md, section 4)


def herds() -> tuple[ri.Reals, ri.Reals, ri.Whole]:
    rows = [tuple(int(one) for one in row.split(",")) for row in CBPP.split()]
    y = np.concatenate([np.arange(size) < cases for _, cases, size, _ in rows]).astype(float)
    offset = np.concatenate([np.full(size, PERIODS[period]) for _, _, size, period in rows])
    herd = np.concatenate([np.full(size, one - 1) for one, _, size, _ in rows])
    return y, offset, herd


def clustered(clinicians: int, tau: float, seed: int) -> tuple[ri.Reals, ri.Reals, ri.Whole]:
    draw = np.random.default_rng(seed)
    group = np.repeat(np.arange(clinicians), draw.integers(100, 500, clinicians))
    offset = draw.normal(-1.3, 0.6, len(group))
    y = draw.random(len(group)) < chance(offset + draw.normal(0, tau, clinicians)[group])
    return y.astype(float), offset, group


@pytest.mark.parametrize("scale", [0.3, 0.5, 0.7])
def test_logistic_agrees_with_glmer_whatever_the_grid(scale: float) -> None:
    y, offset, herd = herds()
    fit = ri.most_likely(ri.logistic_curves(y, offset + INTERCEPT, herd, 15, scale))
    assert fit.mu == pytest.approx(0, abs=LAPLACE)
    assert fit.tau == pytest.approx(HERD_SD, abs=LAPLACE)


def test_logistic_is_the_maximum_of_integrals_done_by_scipy() -> None:
    from scipy import integrate, optimize

    y, offset, group = clustered(6, 0.6, 2)
    keep = np.flatnonzero(np.arange(len(y)) % 12 == 0)
    y, offset, group = y[keep], offset[keep], group[keep]

    def lost(at: ri.Reals) -> float:
        mu, tau = float(at[0]), float(np.exp(at[1]))
        total = 0.0
        for one in range(6):
            eta, own = offset[group == one], y[group == one]

            def density(u: float, eta: ri.Reals = eta, own: ri.Reals = own) -> float:
                p = chance(eta + mu + u)
                likelihood = np.prod(np.where(own > 0, p, 1 - p)) * 1e12
                return float(likelihood * np.exp(-0.5 * (u / tau) ** 2) / tau)

            total += np.log(integrate.quad(density, -6 * tau, 6 * tau, epsabs=0, epsrel=1e-9, limit=200)[0])
        return -total

    best = optimize.minimize(
        lost, np.array([0.0, np.log(0.5)]), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}
    )
    fit = ri.most_likely(ri.logistic_curves(y, offset, group, 6, 0.5))
    assert (fit.mu, fit.tau) == pytest.approx((best.x[0], np.exp(best.x[1])), abs=1e-3)


def test_logistic_effects_agree_with_the_bayesian_model_of_statsmodels() -> None:
    """Its variational fit has a prior of its own; given its tau, effects and their sd are ours."""
    y, offset, group = clustered(20, 0.4, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

        design = np.eye(20)[group]
        model = BinomialBayesMixedGLM(y, offset[:, None], design, np.zeros(20, dtype=int), vcp_p=2, fe_p=10)
        found = model.fit_map()
    curves = ri.logistic_curves(y, offset * found.fe_mean[0], group, 20, 0.5)
    fit = ri.fit_at(curves, float(np.exp(found.vcp_mean[0])), mu_sd=1e-6)  # it has no intercept here
    assert np.corrcoef(fit.u, found.vc_mean)[0, 1] > 0.9999
    assert np.abs(fit.u - found.vc_mean).max() < 0.01
    assert ri.most_likely(curves).tau == pytest.approx(0.4, abs=0.12)


@pytest.mark.parametrize(("seed", "tau"), [(1, 0.3), (2, 0.5), (3, 0.8), (4, 0.25)])
def test_gaussian_agrees_with_statsmodels_to_three_decimals(seed: int, tau: float) -> None:
    draw = np.random.default_rng(seed)
    n = draw.integers(3, 60, 25)
    group = np.repeat(np.arange(25), n)
    y = draw.normal(0, tau, 25)[group] + draw.normal(0.1, 0.9, len(group))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.regression.mixed_linear_model import MixedLM

        theirs = MixedLM(y, np.ones((len(y), 1)), groups=group).fit(reml=True, method="bfgs", gtol=1e-9)
    mean = np.bincount(group, y) / n
    mu, own_tau, error = ri.reml(n, mean, float(((y - mean[group]) ** 2).sum()))
    assert mu == pytest.approx(theirs.fe_params[0], abs=5e-4)
    assert own_tau == pytest.approx(np.sqrt(np.asarray(theirs.cov_re)[0, 0]), abs=5e-4)
    assert error == pytest.approx(np.sqrt(theirs.scale), abs=5e-4)
    curves = ri.gaussian_curves(n, n * mean, np.zeros(25), error, 0.5)
    fit = ri.fit_at(curves, own_tau)
    assert fit.u == pytest.approx([float(one.iloc[0]) for one in theirs.random_effects.values()], abs=5e-4)
    assert ri.most_likely(curves, restricted=True).tau == pytest.approx(own_tau, abs=2e-3)


def test_no_differences_between_clinicians_gives_no_tau() -> None:
    assert ri.reml(np.full(5, 10), np.zeros(5), 50.0)[1] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("n", "w"), [(15, 0.4412), (30, 0.6122), (45, 0.7031), (76, 0.8000)])
def test_reliability_is_the_worked_one(n: int, w: float) -> None:
    """Science, test 26: a share of 5 % of variance between clinicians."""
    assert ri.reliability(np.array([n / 0.95]), np.sqrt(0.05))[0] == pytest.approx(w, abs=1e-4)


def test_shrinkage_is_the_worked_one() -> None:
    """Science, test 26: mean residual .40 of 12 cases, 5 % of variance between clinicians, gives .1548."""
    curves = ri.gaussian_curves(np.array([12]), np.array([4.8]), np.zeros(1), np.sqrt(0.95), np.sqrt(0.05))
    fit = ri.fit_at(curves, np.sqrt(0.05), mu_sd=1e-6)
    assert fit.reliability[0] == pytest.approx(0.3871, abs=1e-4)
    assert fit.u[0] == pytest.approx(0.1548, abs=1e-4)
    assert fit.sd[0] ** 2 == pytest.approx(0.05 * (1 - 0.3871), abs=1e-5)  # tau^2 (1 - w), science 6.3


def test_two_steps_of_shrinkage_are_the_worked_ones() -> None:
    """Science, test 27: clinician, then clinician within a domain around that; tau^2 .05 and .02, error variance .93."""
    error = np.sqrt(0.93)
    clinician = ri.fit_at(
        ri.gaussian_curves(np.array([40]), np.array([8.0]), np.zeros(1), error, 0.22), np.sqrt(0.05), mu_sd=1e-6
    )
    assert clinician.reliability[0] == pytest.approx(0.6826, abs=1e-4)
    assert clinician.u[0] == pytest.approx(0.1365, abs=1e-4)
    domain = ri.fit_at(
        ri.gaussian_curves(np.array([12]), np.array([-3.6]), 12 * clinician.u, error, 0.22), np.sqrt(0.02), mu_sd=1e-6
    )
    assert domain.reliability[0] == pytest.approx(0.2051, abs=1e-4)
    assert clinician.u[0] + domain.u[0] == pytest.approx(0.0470, abs=1e-4)


@pytest.mark.parametrize(("share", "sd"), [(0.057, 0.4459), (0.126, 0.6887)])
def test_a_share_of_variance_becomes_a_sd_of_log_odds(share: float, sd: float) -> None:
    """Science, test 25."""
    assert latent_sd(share) == pytest.approx(sd, abs=1e-4)


def test_what_is_expected_of_a_clinician_does_not_depend_on_their_own_cases() -> None:
    n, expected = np.array([40, 40, 40, 40]), np.zeros(4)
    taus, prior = np.array([0.1, 0.3, 0.5]), np.zeros(3)
    usual, far = (ri.gaussian_curves(n, np.array([own, 4.0, -6.0, 2.0]), expected, 0.9, 0.3) for own in (1.0, 60.0))
    one, other = (ri.ordinary(curves, prior, taus, 0.6) for curves in (usual, far))
    assert one.sum(axis=1) == pytest.approx(np.ones(4))
    assert np.abs(one[0] - other[0]).max() < 1e-3
    assert np.abs(one[1] - other[1]).max() > 1e-3
