"""Judging a risk up to a session when some clients cannot be followed that far: weights by the chance of being followed.

``duration``: sessions from the one judged, counted from 1, to the one after which the client left, else to the last known not
to have been the last without agreement. ``event``: left. An agreed ending is a censoring, as in the model: the estimate is of
leaving while therapy goes on. At ties events come before censorings. G is the Kaplan-Meier curve of censoring (science 5.5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Whole = NDArray[np.int64]
Events = NDArray[np.bool_]


def followed(duration: Whole, event: Events, upto: int) -> Reals:
    """G(0) … G(upto): the chance of not being censored up to and at each session; G(0) is 1."""
    curve = np.ones(upto + 1)
    for at in range(1, upto + 1):
        still = int((duration > at).sum() + ((duration == at) & ~event).sum())
        lost = int(((duration == at) & ~event).sum())
        curve[at] = curve[at - 1] * (1 - lost / still if still else 1.0)
    return curve


def weights(duration: Whole, event: Events, tau: int) -> tuple[Reals, Events]:
    """Weight per client and whether it is one who left within ``tau`` sessions; 0 for those not followed that far."""
    curve = followed(duration, event, tau)
    left = event & (duration <= tau)
    with np.errstate(divide="ignore"):
        inverse = np.where(curve > 0, 1 / curve, 0.0)
    found = np.zeros(len(duration))
    found[left] = inverse[duration[left] - 1]
    found[duration > tau] = inverse[tau]
    return found, left


def chance_by(duration: Whole, event: Events, tau: int) -> float:
    """The Kaplan-Meier chance of leaving within ``tau`` sessions: what is known without looking at anybody."""
    stay = 1.0
    for at in range(1, tau + 1):
        if here := int((duration >= at).sum()):
            stay *= 1 - int((event & (duration == at)).sum()) / here
    return 1 - stay


def weighted_brier(risk: Reals, duration: Whole, event: Events, tau: int) -> float:
    """BS(tau) = 1/n * sum[I(T<=tau, E=1)(1-p)^2 / G(T-) + I(T>tau) p^2 / G(tau)]."""
    weight, left = weights(duration, event, tau)
    return float((weight * (left - risk) ** 2).sum() / len(risk))


def weighted_auc(risk: Reals, duration: Whole, event: Events, tau: int) -> float:
    """The chance that one who left within ``tau`` had the higher risk than one who stayed longer, ties half; NaN without both.

    Cumulative cases and dynamic controls, each weighted as in ``weights`` (Uno 2007, Hung & Chiang 2010).
    """
    weight, left = weights(duration, event, tau)
    cases, controls = weight * left, weight * ~left
    if not cases.sum() or not controls.sum():
        return float("nan")
    values, place = np.unique(risk, return_inverse=True)
    case, control = (np.bincount(place, one, len(values)) for one in (cases, controls))
    below = np.cumsum(control) - control
    return float((case * (below + control / 2)).sum() / (case.sum() * control.sum()))
