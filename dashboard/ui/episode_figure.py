"""The figure of an episode from what was read of it: expected range, flagged points, appointments."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from dashboard.analytics.expected_range import band, origin
from dashboard.analytics.scoring import totals
from dashboard.charts.episode_course import Course, Slot, episode_course
from dashboard.charts.panel import Panel
from dashboard.instruments.instrument import Instrument
from dashboard.signals.wording import short_name
from dashboard.ui.caseload_rows import client_totals, on_ratings
from dashboard.ui.episode_parts import raised_signals
from dashboard.ui.episode_reading import Data
from dashboard.ui.status import ATTENDANCE, CHANGE
from dashboard.ui.view import (
    RaisedSignal,
)
from dashboard.ui.words import plural

OFF_COURSE = ("reliable_worsening", "off_track")


def _expected(data: Data, one: Instrument, first: tuple[date, float]) -> tuple[list[tuple[date, float, float]], str]:
    """The expected range on the day of each session from the first score on, and where it comes from."""
    model = data.models.ranges.get(one.key)
    attended = data.appointments.filter(pl.col("status") == "attended").sort("starts_at")
    days = [when.date() for when in attended["starts_at"].to_list()]
    if model is None or not model.usable or data.now.as_of is None:
        return [], ""
    days = [day for day in days if day <= data.now.as_of]
    numbered = [(number, day) for number, day in enumerate(days, start=1) if number >= 2 and day > first[0]]
    limits = band(model, first[1], [number for number, _ in numbered])
    said = [
        (day, low, high)
        for (_, day), low, high in zip(numbered, limits["low"].to_list(), limits["high"].to_list(), strict=True)
        if low is not None
    ]
    return ([(first[0], first[1], first[1]), *said], origin(model)) if said else ([], "")


def _course(
    kind: str, one: Instrument | None, made: pl.DataFrame, flagged: frozenset[date], words: str, data: Data
) -> Course | None:
    if one is None or one.minimum is None or one.maximum is None:
        return None
    points = client_totals(made).get((data.state["episode_id"], one.key), []) if data.state else []
    if not points:
        return None
    expected, note = _expected(data, one, points[0]) if kind == "outcome" else ([], "")
    return Course(
        name=short_name(one),
        better=one.better,
        low=one.minimum,
        high=one.maximum,
        cutoff=one.cutoff,
        points=points,
        flagged=flagged,
        flag_words=words,
        band=expected,
        band_note=note,
    )


def _slots(appointments: pl.DataFrame, as_of: date) -> list[Slot]:
    shown = []
    for row in appointments.sort("starts_at").to_dicts():
        when = row["starts_at"].date()
        mark, words = ATTENDANCE[row["status"]]
        if mark == "b" and when <= as_of:
            words = "not recorded yet"
        shown.append(Slot(when, mark, words))
    return shown


def _headline(state: dict[str, Any], standing_ones: list[RaisedSignal]) -> str:
    worth = [one.title for one in standing_ones]
    if worth:
        more = f" and {plural(len(worth) - 1, 'other signal')}" if len(worth) > 1 else ""
        return f"{worth[0]}{more}"
    if state["change"] is None:
        return state["missing"] or "Not enough data yet"
    return f"{CHANGE[state['change_category']].word}; nothing raised"


def figure(data: Data, *, chart_theme: str, measure: str | None = None) -> Panel:
    """The course of the episode: scores with their expected range, ratings, appointments. Needs ``state`` and an evaluation.

    ``measure`` is the key of another outcome questionnaire to draw in place of the one the signals use.
    """
    state, as_of = data.state, data.now.as_of
    assert state is not None  # noqa: S101 - the caller has looked
    assert as_of is not None  # noqa: S101
    made = totals(data.scores, data.instruments)
    began = state["first_attended_on"] or state["opened_on"]
    chosen = data.instruments.get(measure or state["outcome_instrument"] or "")
    off = data.flags.filter(pl.col("signal").is_in(OFF_COURSE) & pl.col("cleared_on").is_null())
    off_since = off["since"].min()
    is_own = chosen is not None and chosen.key == state["outcome_instrument"]
    days = frozenset(d for d in data.scores["taken_on"].to_list() if off_since is not None and d >= off_since)
    ratings = client_totals(made).get((state["episode_id"], state["alliance_instrument"] or ""), [])
    fell = on_ratings((row["starts_at"].date() for row in data.falls.to_dicts()), ratings)
    outcome = _course("outcome", chosen, made, days if is_own else frozenset(), "", data)
    alliance = _course(
        "alliance",
        data.instruments.get(state["alliance_instrument"] or ""),
        made,
        fell,
        "fall in the rating: possible rupture",
        data,
    )
    ordinary, _ = raised_signals(data.flags.filter(pl.col("family") != "safety"), data.replies, as_of)
    return episode_course(
        code=state["client_code"],
        headline=_headline(state, ordinary),
        outcome=outcome,
        alliance=alliance,
        slots=_slots(data.appointments, as_of),
        origin=began,
        as_of=as_of,
        theme=chart_theme,
    )
