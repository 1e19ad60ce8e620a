"""On which days the models are fitted anew, from nothing but the days on which endings became known (contract, sessions)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

ENOUGH_NEWS = 20  # endings known since the last fit
SETTLED = 300  # known endings from which only the first of a month counts


def mostly_priors(endings: int) -> bool:
    """Whether the models still say mostly what was published: under SETTLED endings are known in the practice."""
    return endings < SETTLED


def _next_first(day: date) -> date:
    """The first of a month on or after the day."""
    return day if day.day == 1 else (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def refit_days(known_on: Sequence[date], until: date) -> list[date]:
    """The days of a refit up to ``until``, in order; ``known_on``: the days on which endings became known, in order.

    Below SETTLED known endings the day on which ENOUGH_NEWS more have become known; from then on the first of a month, if
    ENOUGH_NEWS became known since the last fit. Endings known on a day belong to that day's fit. A later ending never
    moves an earlier refit.
    """
    days: list[date] = []
    fitted = at = 0
    while fitted + ENOUGH_NEWS <= len(known_on):
        at = fitted + ENOUGH_NEWS
        day = known_on[at - 1]
        if not mostly_priors(_known_by(known_on, day, at)):
            day = _next_first(day)
        if day > until:
            break
        days.append(day)
        fitted = _known_by(known_on, day, at)
    return days


def _known_by(known_on: Sequence[date], day: date, at: int) -> int:
    """How many endings were known at the end of the day, at least ``at``."""
    while at < len(known_on) and known_on[at] <= day:
        at += 1
    return at
