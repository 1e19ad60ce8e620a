"""How good probabilities were once the outcomes are known: AUC, calibration, Brier, net benefit (science 5.5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Events = NDArray[np.bool_]
STEPS = 50


def auc(scores: Reals, events: Events) -> float:
    """The chance that somebody with the event scored higher than somebody without, ties counting half; NaN without both."""
    with_event = int(events.sum())
    without = len(events) - with_event
    if not with_event or not without:
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[events].sum() - with_event * (with_event + 1) / 2) / (with_event * without))


def brier(probabilities: Reals, events: Events) -> float:
    """Mean squared distance between probability and outcome."""
    return float(((probabilities - events) ** 2).mean())


def scaled_brier(probabilities: Reals, events: Events) -> float:
    """1 - Brier score over that of the mean rate: 1 is perfect, 0 no better than the rate."""
    rate = events.mean()
    return float(1 - brier(probabilities, events) / (rate * (1 - rate)))


def log_loss(probabilities: Reals, events: Events) -> float:
    """Mean negative log likelihood."""
    return float(-np.log(np.where(events, probabilities, 1 - probabilities)).mean())


def auc_error(area: float, events: int, others: int) -> float:
    """Standard error of an AUC (Hanley & McNeil 1982)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (events - 1) * (q1 - area**2) + (others - 1) * (q2 - area**2)
    return float(np.sqrt(max(0.0, spread) / (events * others)))


def net_benefit(true_positives: float, false_positives: float, n: int, threshold: float) -> float:
    """Events found less the false alarms' price at the threshold, per person (Vickers & Elkin 2006)."""
    return true_positives / n - false_positives / n * threshold / (1 - threshold)


@dataclass(frozen=True)
class Calibration:
    """``in_the_large``: log odds to add so that totals agree, target 0. ``slope``: target 1, with ``intercept`` beside it.

    NaN where there is nothing to learn it from: no event or nothing else, or one probability for all. ``*_error``: standard
    errors.
    """

    in_the_large: float
    slope: float
    intercept: float
    in_the_large_error: float = float("nan")
    slope_error: float = float("nan")


def calibration(probabilities: Reals, events: Events) -> Calibration:
    """Logistic recalibration of the log odds, once as an offset and once with a slope. Needs probabilities within 0 to 1."""
    if not events.any() or events.all():
        return Calibration(float("nan"), float("nan"), float("nan"))
    eta = np.log(probabilities / (1 - probabilities))
    ones = np.ones_like(eta)[:, None]
    shift, shift_error = _logistic(ones, events, eta)
    if np.ptp(eta) == 0:
        return Calibration(float(shift[0]), float("nan"), float("nan"), float(shift_error[0]))
    both, errors = _logistic(np.column_stack([ones, eta]), events, np.zeros_like(eta))
    return Calibration(float(shift[0]), float(both[1]), float(both[0]), float(shift_error[0]), float(errors[1]))


def _logistic(x: Reals, events: Events, offset: Reals) -> tuple[Reals, Reals]:
    """Coefficients and their standard errors; NaN where events and others part completely and there is no best answer."""
    b, information = np.zeros(x.shape[1]), np.eye(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ b + offset, -35, 35)))
        information = (x * (p * (1 - p))[:, None]).T @ x
        try:
            step = np.linalg.solve(information, x.T @ (events - p))
        except np.linalg.LinAlgError:
            break
        b = b + step
        if np.abs(step).max() < 1e-10:
            return b, np.sqrt(np.diag(np.linalg.inv(information)))
    return np.full(x.shape[1], np.nan), np.full(x.shape[1], np.nan)
