"""Quantiles and distribution functions that the standard library and numpy do not have."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import atan, cos, erf, exp, lgamma, log, pi, sin, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
EXACT_UP_TO = 30  # degrees of freedom of t; beyond, the expansion is right to seven digits
_Z = np.linspace(-8, 8, 8001)
_BELOW = np.array([0.5 * (1 + erf(z / sqrt(2))) for z in _Z])  # numpy has no error function


def normal_quantile(share: float) -> float:
    """The z below which this share (strictly between 0 and 1) of a standard normal lies."""
    return NormalDist().inv_cdf(share)


def normal_cdf(z: Reals) -> Reals:
    """The share of a standard normal below each z, right to 2e-7."""
    return np.asarray(np.interp(z, _Z, _BELOW), dtype=np.float64)


def _t_within(t: float, df: int) -> float:
    """The share of Student's t between -t and t: the finite sums of Abramowitz & Stegun 26.7.3 and 26.7.4."""
    angle = atan(t / sqrt(df))
    square, term, total = cos(angle) ** 2, 1.0, 1.0
    first = 2 if df % 2 else 1
    for k in range(first, df - 2, 2):
        term *= square * k / (k + 1)
        total += term
    if df % 2 == 0:
        return sin(angle) * total
    return 2 / pi * (angle + (sin(angle) * cos(angle) * total if df > 1 else 0.0))


@lru_cache(maxsize=4096)
def t_quantile(share: float, df: int) -> float:
    """The t below which this share (a half or more) of Student's t with ``df`` (1 or more) degrees of freedom lies."""
    if df > EXACT_UP_TO:  # Abramowitz & Stegun 26.7.5
        z = normal_quantile(share)
        return (
            z
            + (z**3 + z) / (4 * df)
            + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * df**3)
            + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * df**4)
        )
    return _solved(lambda t: _t_within(t, df) - (2 * share - 1), 0.0, 1e6)


def _gamma_below(shape: float, x: float) -> float:
    """The share of a gamma distribution (scale 1) below x: Abramowitz & Stegun 6.5.29 and 6.5.31."""
    if x <= 0:
        return 0.0
    front = exp(shape * log(x) - x - lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        k = shape
        while term > total * 1e-16:
            k += 1
            term *= x / k
            total += term
        return front * total
    b = x + 1 - shape
    c, d = 1e300, 1 / b
    fraction = d
    for k in range(1, 10_000):
        a = -k * (k - shape)
        b += 2
        d = 1 / (a * d + b)
        c = b + a / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return 1 - front * fraction


@lru_cache(maxsize=4096)
def chi_square_quantile(share: float, df: float) -> float:
    """The value below which this share of a chi-square with ``df`` (above 0, not only whole) degrees of freedom lies."""
    return 2 * _solved(lambda x: _gamma_below(df / 2, x) - share, 0.0, df / 2 + 20 * sqrt(df) + 100)


def _solved(f: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero, by halving."""
    while high - low > 1e-12 * max(1.0, abs(high)):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return (low + high) / 2


def log_choose(n: int) -> Reals:
    """log(n over r) for r = 0 … n."""
    steps = np.log(np.arange(1, n + 1))
    factorial = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(factorial[-1] - factorial - factorial[::-1])


def binomial(n: int, p: Reals) -> Reals:
    """Chance of 0 … n of n for every p strictly between 0 and 1; one row per p."""
    r = np.arange(n + 1)
    return np.asarray(np.exp(log_choose(n) + np.log(p)[:, None] * r + np.log1p(-p)[:, None] * (n - r)))
