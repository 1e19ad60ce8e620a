"""The course of a questionnaire over the sessions of a practice's closed episodes: a random-slope growth model (science 3.3).

    y_it = (b0 + u0_i) + (b1 + u1_i) ln t + b2 y0_i + b3 y0_i ln t + e_it,   (u0, u1) ~ N(0, D),  e ~ N(0, s2)

t: attended sessions up to the score's day, from the second on; y0: the first score, centred. Maximum likelihood by EM. A
client's scores enter only as sums over the client (n, sum x, sum x^2, sum y, sum xy, sum y^2 with x = ln t), because the fixed
effects are the same two columns as the random ones, once plain and once times y0: a million scores cost no more than their
clients do. Every second step is extrapolated (Varadhan & Roland 2008, SQUAREM) and kept only where the likelihood agrees.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

TOLERANCE = 1e-7  # last step's largest move in a variance, relative to all of them: well under a third decimal
CYCLES = 300
SMALLEST_VARIANCE = 1e-4  # points squared: scores that lie on a line would otherwise leave no error to divide by


@dataclass(frozen=True)
class Sums:
    """One entry per episode: count of scores, sums of x, x squared, y, xy and y squared, first score, first and last session."""

    n: Reals
    x: Reals
    xx: Reals
    y: Reals
    xy: Reals
    yy: Reals
    y0: Reals
    earliest: Reals
    longest: Reals

    def of(self, which: NDArray[np.bool_]) -> Sums:
        """The episodes marked true."""
        return Sums(*(getattr(self, one.name)[which] for one in fields(self)))


@dataclass(frozen=True)
class Growth:
    """A fitted course. ``centre``: the mean first score; ``b0`` to ``b3``, ``d00``, ``d01``, ``d11``, ``s2`` as in the module.

    ``lowest`` and ``highest`` first score, ``earliest`` and ``longest`` session it was fitted on: nothing is extrapolated
    beyond them.
    """

    centre: float
    b0: float
    b1: float
    b2: float
    b3: float
    d00: float
    d01: float
    d11: float
    s2: float
    lowest: float
    highest: float
    earliest: float
    longest: float

    def mean(self, baseline: Reals, session: Reals) -> Reals:
        """Expected score in points of a client with this first score at this session."""
        x, y0 = self._ln(session), np.clip(baseline, self.lowest, self.highest) - self.centre
        return np.asarray(self.b0 + self.b1 * x + (self.b2 + self.b3 * x) * y0)

    def sd(self, session: Reals) -> Reals:
        """Spread in points of typical clients around that: differences between clients and within one together."""
        x = self._ln(session)
        return np.asarray(np.sqrt(np.maximum(self.d00 + 2 * self.d01 * x + self.d11 * x * x, 0.0) + self.s2))

    def _ln(self, session: Reals) -> Reals:
        return np.log(np.clip(session, self.earliest, self.longest))


def sums(first_rows: NDArray[np.int64], session: Reals, value: Reals, baseline: Reals) -> Sums:
    """The sums of every episode; rows sorted by episode, ``first_rows`` the row each begins with (at least one row)."""
    x = np.log(session)
    columns = (np.ones_like(x), x, x * x, value, x * value, value * value)
    added = [np.add.reduceat(column, first_rows) for column in columns]
    added += [baseline[first_rows], np.minimum.reduceat(session, first_rows), np.maximum.reduceat(session, first_rows)]
    return Sums(*added)


def fit(data: Sums, start: Growth | None = None, tolerance: float = TOLERANCE) -> Growth:
    """The maximum-likelihood course of at least one episode; ``start`` only saves steps.

    Where the episodes cannot tell two coefficients apart (all first scores alike, one session only), the smallest that
    explain them are taken.
    """
    centre = float(np.mean(data.y0))
    at = np.array([start.d00, start.d01, start.d11, start.s2]) if start else _guess(data)
    for _ in range(CYCLES):
        first, deviance, _ = _step(data, centre, at)
        second, deviance_first, _ = _step(data, centre, first)
        if np.abs(second - first).max() <= tolerance * _size(second):
            at = second
            break
        far = _extrapolated(at, first, second)
        if far is None:
            at = second
            continue
        beyond, deviance_far, _ = _step(data, centre, far)
        at = beyond if deviance_far <= min(deviance, deviance_first) else second
    _, _, b = _step(data, centre, at)
    fitted = [centre, *b.tolist(), *at.tolist(), data.y0.min(), data.y0.max(), data.earliest.min(), data.longest.max()]
    return Growth(*(float(one) for one in fitted))


def _guess(data: Sums) -> Reals:
    variance = max(float(data.yy.sum() / data.n.sum() - (data.y.sum() / data.n.sum()) ** 2), SMALLEST_VARIANCE)
    return np.array([variance / 3, 0.0, variance / 10, variance / 3])


def _size(at: Reals) -> float:
    return float(at[0] + at[2] + at[3])


def _extrapolated(at: Reals, first: Reals, second: Reals) -> Reals | None:
    """Where two steps point to; null where that is no covariance."""
    step = first - at
    bend = second - first - step
    if not bend.any():
        return None
    reach = max(1.0, float(np.linalg.norm(step) / np.linalg.norm(bend)))
    far = at + 2 * reach * step + reach**2 * bend
    d00, d01, d11, s2 = far
    valid = s2 > SMALLEST_VARIANCE and d00 >= 0 and d11 >= 0 and d00 * d11 >= d01 * d01
    return np.asarray(far) if valid else None


def _step(data: Sums, centre: float, at: Reals) -> tuple[Reals, float, Reals]:
    """One EM step: the next (d00, d01, d11, s2), the deviance of the given ones and their coefficients (b0, b1, b2, b3).

    With A = Z'Z, W = Z'V^-1 Z = S A and Z'V^-1 y = S Z'y where S = (s2 I + A D)^-1: no inverse of D or A is needed, so a
    client with one score and a D without spread do no harm.
    """
    d00, d01, d11, s2 = at
    n, x, xx, y0 = data.n, data.x, data.xx, data.y0 - centre
    m00, m01 = s2 + n * d00 + x * d01, n * d01 + x * d11
    m10, m11 = x * d00 + xx * d01, s2 + x * d01 + xx * d11
    determinant = m00 * m11 - m01 * m10
    s00, s01, s10, s11 = m11 / determinant, -m01 / determinant, -m10 / determinant, m00 / determinant
    w00, w01, w11 = s00 * n + s01 * x, s00 * x + s01 * xx, s10 * x + s11 * xx
    v0, v1 = s00 * data.y + s01 * data.xy, s10 * data.y + s11 * data.xy

    plain, crossed, squared = (
        np.array([[(h * w00).sum(), (h * w01).sum()], [(h * w01).sum(), (h * w11).sum()]])
        for h in (np.ones_like(y0), y0, y0 * y0)
    )
    left = np.block([[plain, crossed], [crossed, squared]])
    right = np.array([v0.sum(), v1.sum(), (y0 * v0).sum(), (y0 * v1).sum()])
    b0, b1, b2, b3 = np.linalg.lstsq(left, right, rcond=1e-12)[0]

    mean0, mean1 = b0 + b2 * y0, b1 + b3 * y0
    r0, r1 = data.y - n * mean0 - x * mean1, data.xy - x * mean0 - xx * mean1
    g0, g1 = s00 * r0 + s01 * r1, s10 * r0 + s11 * r1
    u0, u1 = d00 * g0 + d01 * g1, d01 * g0 + d11 * g1
    c00 = d00 - (d00 * d00 * w00 + 2 * d00 * d01 * w01 + d01 * d01 * w11)
    c01 = d01 - (d00 * d01 * w00 + (d00 * d11 + d01 * d01) * w01 + d01 * d11 * w11)
    c11 = d11 - (d01 * d01 * w00 + 2 * d01 * d11 * w01 + d11 * d11 * w11)
    squares = data.yy - mean0 * (data.y + r0) - mean1 * (data.xy + r1)
    rest = squares - 2 * (u0 * r0 + u1 * r1) + u0 * u0 * n + 2 * u0 * u1 * x + u1 * u1 * xx
    rest = rest + n * c00 + 2 * x * c01 + xx * c11
    total = float(n.sum())
    error = max(float(rest.sum() / total), SMALLEST_VARIANCE)
    deviance = float(
        (total - 2 * len(n)) * np.log(s2) + np.log(determinant).sum() + (squares - u0 * r0 - u1 * r1).sum() / s2
    )
    following = np.array([(u0 * u0 + c00).mean(), (u0 * u1 + c01).mean(), (u1 * u1 + c11).mean(), error])
    return following, deviance, np.array([b0, b1, b2, b3])
