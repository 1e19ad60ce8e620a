"""From the evaluation's frames to the rows of the caseload table: words and small pictures, nothing computed anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from dashboard.charts.gaps import breaks
from dashboard.instruments.instrument import Instrument
from dashboard.signals import BY_KEY
from dashboard.signals.wording import frequency, short_name
from dashboard.ui.caseload_table import CaseloadRow, Series
from dashboard.ui.status import ATTENDANCE, CHANGE, RUPTURE
from dashboard.ui.words import day, plural, score, weeks

LAST_APPOINTMENTS = 8
A_YEAR = 52  # weeks
UNSORTED = "9999"


def ago(since: date | None, as_of: date) -> str:
    """since 6 weeks; new in the first week; the day itself after a year; empty for nothing."""
    if since is None:
        return ""
    count = (as_of - since).days // 7
    if count > A_YEAR:
        return f"since {day(since)}"
    return "new this week" if count < 1 else f"since {plural(count, 'week')}"


def _series(
    totals: dict[tuple[int, str], list[tuple[date, float]]],
    episode_id: int,
    one: Instrument | None,
    flagged: set[date],
    sessions: list[date],
) -> Series | None:
    if one is None or one.minimum is None or one.maximum is None:
        return None
    points = totals.get((episode_id, one.key), [])
    if not points:
        return None
    gaps = breaks([when for when, _ in points], sessions)
    words = ", ".join(f"{score(value)} on {day(when)}" for when, value in points[-3:])
    line = f"cut-off {score(one.cutoff)}" if one.cutoff is not None else "no cut-off"
    name = short_name(one)
    return Series(
        name=name,
        better=one.better,
        low=one.minimum,
        high=one.maximum,
        cutoff=one.cutoff,
        points=[
            (float(when.toordinal()), value, when in flagged, gap)
            for (when, value), gap in zip(points, gaps, strict=True)
        ],
        latest=points[-1][1],
        label=f"{name}, {one.better} is better, {line}, {plural(len(points), 'score')}; latest {words}",
    )


def _by_weight(flags: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In the registry's order: what is about the client before what is about the data."""
    order = list(BY_KEY)
    return sorted((f for f in flags if f["signal"] in BY_KEY), key=lambda f: (order.index(f["signal"]), f["since"]))


def _by_episode(frame: pl.DataFrame) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in frame.to_dicts():
        found.setdefault(row["episode_id"], []).append(row)
    return found


def client_totals(totals: pl.DataFrame) -> dict[tuple[int, str], list[tuple[date, float]]]:
    """(episode, instrument) to the client's totals in time order."""
    found: dict[tuple[int, str], list[tuple[date, float]]] = {}
    mine = totals.filter((pl.col("scale") == "total") & (pl.col("respondent") == "client")).sort("taken_on")
    for episode_id, instrument, taken_on, value in mine.select(
        "episode_id", "instrument", "taken_on", "value"
    ).iter_rows():
        found.setdefault((episode_id, instrument), []).append((taken_on, value))
    return found


def on_ratings(fell: Iterable[date], points: Sequence[tuple[date, float]]) -> frozenset[date]:
    """The days of the ratings that fell: a rating may have been given before the session that it belongs to."""
    days = [when for when, _ in points]
    found = (max((one for one in days if one <= fall), default=None) for fall in fell)
    return frozenset(one for one in found if one is not None)


def marks_of(slots: list[dict[str, Any]], as_of: date) -> list[tuple[str, str]]:
    """The last appointments and the next one as (mark, words); an unrecorded past one is left out."""
    past = [s for s in slots if s["starts_at"].date() <= as_of and s["status"] != "booked"]
    ahead = [s for s in slots if s["starts_at"].date() > as_of and s["status"] == "booked"]
    shown = past[-LAST_APPOINTMENTS:] + ahead[:1]
    return [(ATTENDANCE[s["status"]][0], f"{ATTENDANCE[s['status']][1]} {day(s['starts_at'].date())}") for s in shown]


def caseload_rows(
    states: pl.DataFrame,
    flags: pl.DataFrame,
    totals: pl.DataFrame,
    appointments: pl.DataFrame,
    falls: pl.DataFrame,
    instruments: dict[str, Instrument],
    as_of: date,
    talked: Mapping[int, str] | None = None,
) -> list[CaseloadRow]:
    """One row per open episode. Safety flags are not among the signals: they stand above the table.

    ``talked``: episode to the words about when it was last discussed.
    """
    raised = _by_episode(flags.filter(pl.col("family") != "safety").sort(["episode_id", "since", "signal"]))
    slots = _by_episode(appointments.sort(["episode_id", "starts_at"]))
    fell = _by_episode(falls)
    scored = client_totals(totals)
    rows = []
    for state in states.to_dicts():
        key = state["episode_id"]
        standing = raised.get(key, [])
        since = standing[0]["since"] if standing else None
        worse = min((f["since"] for f in standing if f["signal"] in ("reliable_worsening", "off_track")), default=None)
        outcome, alliance = (instruments.get(state[f"{kind}_instrument"] or "") for kind in ("outcome", "alliance"))
        attended = [s["starts_at"].date() for s in slots.get(key, []) if s["status"] == "attended"]
        outcome_days = {d for d, _ in scored.get((key, outcome.key), [])} if outcome else set()
        ratings = scored.get((key, alliance.key), []) if alliance else []
        fallen = on_ratings((one["starts_at"].date() for one in fell.get(key, [])), ratings)
        flagged = {d for d in outcome_days if worse is not None and d >= worse}
        rows.append(
            CaseloadRow(
                public_id=state["public_id"],
                code=state["client_code"],
                sessions=f"{plural(state['sessions_attended'], 'session')} · "
                f"{weeks(state['first_attended_on'] or state['opened_on'], as_of)}",
                priority=state["priority"],
                since=ago(since, as_of),
                since_sort=since.isoformat() if since else UNSORTED,
                outcome=_series(scored, key, outcome, flagged, attended),
                change=state["change_category"],
                alliance=_series(scored, key, alliance, set(fallen), attended),
                alliance_words=RUPTURE[state["rupture"]] if state["alliance_latest"] is not None else "No rating yet",
                appointments=marks_of(slots.get(key, []), as_of),
                signals=[BY_KEY[f["signal"]].title for f in _by_weight(standing)],
                leaving=(frequency(state["dropout_next_4"]), frequency(state["dropout_usual_4"])),
                missing=state["missing"] or "",
                discussed=(talked or {}).get(key, ""),
            )
        )
    return rows


def change_word(category: str) -> str:
    """The word for a category of change."""
    return CHANGE[category].word
