"""How much clinicians differ beyond chance and case-mix: one random intercept per clinician around what was expected.

Dropout, improvement and worsening: logit p = offset + mu + u_j; outcome: gain - expected = mu + u_j + error; u_j ~ N(0, tau^2).
The offset is the case-mix expectation without any clinician (science 6.2), mu where this practice's average clinician stands.

Everything a clinician's cases say about mu + u_j is one curve: their log likelihood at each shift. Curves are made once from
the rows; after that 200,000 episodes cost no more than their clinicians, and integrals over u_j are sums over the curve, more
exact than Laplace's approximation (glmer with nAGQ = 1), which they agree with.

``most_likely`` gives one tau; ``belief`` keeps all that fit, because with few clinicians tau is hardly known and limits drawn
as if it were known are too narrow. What is expected of clinician j comes from the *other* clinicians: nobody widens, or moves,
the limits they are held against (Marshall & Spiegelhalter 2007; Ohlssen, Sharples & Spiegelhalter 2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.newton import chance

Reals = NDArray[np.float64]
Whole = NDArray[np.int64]

HALF = 300  # shifts on either side of none
STEP = 1 / 30  # of the scale, between shifts
COARSE = 12  # steps between shifts at which the rows are read; a cubic fills in
TAUS = np.linspace(0.05, 3.0, 30)  # times the scale: no difference to three times the published one
WIDTH, MUS = 6.0, 15  # sd of mu on either side, and how many values of it
ZOOMS = 7  # each eight times finer: a millionth of the range
TINY = 1e-300


@dataclass(frozen=True)
class Curves:
    """One row per clinician. ``n`` cases, ``observed`` sum, ``shift`` the points of the curves, ``loglik`` at each (highest 0).

    ``mean``: what their caseload would average at each shift, on the scale of the rates. ``information`` at no shift.
    ``scale``: the size of tau the grid is cut for. ``error_sd`` of a single case; null for yes-or-no measures.
    """

    n: Whole
    observed: Reals
    shift: Reals
    loglik: Reals
    mean: Reals
    information: Reals
    scale: float
    error_sd: float | None = None


@dataclass(frozen=True)
class Fit:
    """``mu``, ``tau``, and per clinician the effect ``u``, its posterior ``sd`` and ``reliability`` (0-1, science 6.4)."""

    mu: float
    tau: float
    u: Reals
    sd: Reals
    reliability: Reals


def _shifts(scale: float) -> Reals:
    return np.asarray(np.arange(-HALF, HALF + 1) * (STEP * scale), dtype=np.float64)


def logistic_curves(y: Reals, offset: Reals, group: Whole, groups: int, scale: float) -> Curves:
    """Curves of a yes-or-no measure. Rows sorted by ``group`` (0 … groups-1, each with a row); ``offset`` in log odds."""
    shift = _shifts(scale)
    coarse = shift[::COARSE]
    starts = np.searchsorted(group, np.arange(groups))
    n = np.diff(np.append(starts, len(group)))
    observed = np.add.reduceat(y, starts)
    level, mean, slope = (np.empty((groups, len(coarse))) for _ in range(3))
    for place, one in enumerate(coarse):
        p = chance(offset + one)
        level[:, place] = np.add.reduceat(np.log1p(-p), starts)
        mean[:, place] = np.add.reduceat(p, starts)
        slope[:, place] = mean[:, place] - np.add.reduceat(p * p, starts)
    # sum of y * offset is the same at every shift, so it is left out
    loglik = _filled(level + observed[:, None] * coarse, observed[:, None] - mean, coarse)
    middle = len(coarse) // 2
    return Curves(
        n,
        observed,
        shift,
        loglik - loglik.max(axis=1, keepdims=True),
        _filled(mean, slope, coarse) / n[:, None],
        slope[:, middle],
        scale,
    )


def _filled(value: Reals, slope: Reals, coarse: Reals) -> Reals:
    """Values at every shift from values and slopes at every COARSE-th (cubic Hermite)."""
    width = coarse[1] - coarse[0]
    t = np.arange(COARSE) / COARSE
    a, b = (1 + 2 * t) * (1 - t) ** 2, t**2 * (3 - 2 * t)
    c, d = t * (1 - t) ** 2 * width, t**2 * (t - 1) * width
    inside = (
        value[:, :-1, None] * a + value[:, 1:, None] * b + slope[:, :-1, None] * c + slope[:, 1:, None] * d
    ).reshape(len(value), -1)
    return np.concatenate([inside, value[:, -1:]], axis=1)


def gaussian_curves(n: Whole, total: Reals, expected: Reals, error_sd: float, scale: float) -> Curves:
    """Curves of a measure in units; ``n`` cases, ``total`` and ``expected`` sum; ``error_sd`` per case."""
    shift = _shifts(scale)
    away = (total - expected) / n
    information = n / error_sd**2
    loglik = -0.5 * information[:, None] * (shift - away[:, None]) ** 2
    return Curves(
        n,
        total,
        shift,
        loglik - loglik.max(axis=1, keepdims=True),
        expected[:, None] / n[:, None] + shift,
        information,
        scale,
        error_sd,
    )


def reml(n: Whole, mean: Reals, within: float) -> tuple[float, float, float]:
    """mu, tau and error sd of a Gaussian random intercept by restricted maximum likelihood.

    ``mean`` residual per clinician, ``within`` the sum of squares around those means. Needs more cases than one.
    """

    def parts(ratio: Reals) -> tuple[Reals, Reals, Reals]:
        weight = n / (1 + n * ratio[:, None] ** 2)
        mu = (weight @ mean) / weight.sum(axis=1)
        s2 = (within + (weight * (mean - mu[:, None]) ** 2).sum(axis=1)) / (n.sum() - 1)
        s2 = np.maximum(s2, TINY)
        lost = (n.sum() - 1) * np.log(s2) + np.log1p(n * ratio[:, None] ** 2).sum(axis=1) + np.log(weight.sum(axis=1))
        return -0.5 * lost, mu, s2

    ratio = _highest(lambda tried: parts(tried)[0], 0.0, 2.0)
    _, mu, s2 = parts(np.array([ratio]))
    sd = float(np.sqrt(s2[0]))
    return float(mu[0]), ratio * sd, sd


def _highest(f: Callable[[Reals], Reals], low: float, high: float) -> float:
    """Where a function of one peak is highest, by looking at ever finer grids."""
    for _ in range(ZOOMS):
        tried = np.linspace(low, high, 17)
        best = int(np.argmax(f(tried)))
        low, high = float(tried[max(best - 1, 0)]), float(tried[min(best + 1, 16)])
    return (low + high) / 2


def _normal(curves: Curves, mu: Reals, tau: Reals) -> Reals:
    """Normal weights over the shifts, one column per (mu, tau), each summing to one."""
    weights = np.exp(-0.5 * ((curves.shift[:, None] - mu) / tau) ** 2)
    return np.asarray(weights / np.maximum(weights.sum(axis=0), TINY))


def _profile(curves: Curves, tau: Reals, mu_sd: float) -> tuple[Reals, Reals, Reals]:
    """For every tau the most likely mu, the log likelihood there and its information on mu."""
    likelihood, mu = np.exp(curves.loglik), np.zeros(len(tau))
    for _ in range(50):
        weights = _normal(curves, mu, tau)
        mass = np.maximum(likelihood @ weights, TINY)
        first = likelihood @ (weights * curves.shift[:, None]) / mass
        second = likelihood @ (weights * curves.shift[:, None] ** 2) / mass
        information = (1 / tau**2 - (second - first**2) / tau**4).sum(axis=0)
        information = np.maximum(information, 1e-9 / curves.scale**2) + mu_sd**-2
        move = ((first - mu).sum(axis=0) / tau**2 - mu / mu_sd**2) / information
        mu = mu + np.clip(move, -curves.scale, curves.scale)
        if np.abs(move).max() < 1e-9 * curves.scale:
            break
    return mu, np.log(mass).sum(axis=0) - 0.5 * (mu / mu_sd) ** 2, information


def most_likely(
    curves: Curves,
    log_prior: Callable[[Reals], Reals] | None = None,
    *,
    mu_sd: float = np.inf,
    restricted: bool = False,
) -> Fit:
    """The tau of highest likelihood (times the prior of tau, if given) with the effects that belong to it.

    ``restricted`` averages over mu, which takes away most of the bias towards 0 that few clinicians bring.
    """

    def height(tau: Reals) -> Reals:
        _, loglik, information = _profile(curves, tau, mu_sd)
        return loglik - (0.5 * np.log(information) if restricted else 0) + (log_prior(tau) if log_prior else 0)

    return fit_at(curves, _highest(height, TAUS[0] * curves.scale, TAUS[-1] * curves.scale), mu_sd=mu_sd)


def fit_at(curves: Curves, tau: float, *, mu_sd: float = np.inf) -> Fit:
    """Effects given a tau above 0."""
    mu = _profile(curves, np.array([tau]), mu_sd)[0]
    weights = _normal(curves, mu, np.array([tau]))[:, 0] * np.exp(curves.loglik)
    weights /= weights.sum(axis=1, keepdims=True)
    mean = weights @ curves.shift
    sd = np.sqrt(np.maximum(weights @ curves.shift**2 - mean**2, 0.0))
    return Fit(float(mu[0]), tau, mean - mu[0], sd, reliability(curves.information, tau))


def reliability(information: Reals, tau: float) -> Reals:
    """w = tau^2 / (tau^2 + 1 / information): the share of a clinician's deviation that is not chance (science 6.3)."""
    return np.asarray(information * tau**2 / (1 + information * tau**2))


def ordinary(curves: Curves, log_prior: Reals, tau: Reals, mu_sd: float) -> Reals:
    """For each clinician the chance of each shift, were they an ordinary one of this practice, as the others tell.

    ``tau`` values with ``log_prior`` of each. Rows sum to one. Times exp(``curves.loglik``) it is the clinician's posterior.
    """
    centre, _, information = _profile(curves, tau, mu_sd)
    away = np.linspace(-WIDTH, WIDTH, MUS)
    mu = (centre[:, None] + away / np.sqrt(information)[:, None]).ravel()
    spread = np.repeat(tau, MUS)
    # each value of mu stands for a stretch of it as wide as its tau's sd
    prior = np.repeat(log_prior - 0.5 * np.log(information), MUS) - 0.5 * (mu / mu_sd) ** 2
    weights = _normal(curves, mu, spread)
    own = np.log(np.maximum(np.exp(curves.loglik) @ weights, TINY))
    others = prior + own.sum(axis=0) - own
    belief = np.exp(others - others.max(axis=1, keepdims=True))
    return np.asarray(belief @ weights.T / belief.sum(axis=1, keepdims=True))
