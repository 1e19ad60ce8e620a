"""Alliance and fit: where might the working relationship need attention, and is it being repaired?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import streamlit as st
from sqlalchemy import Connection

from dashboard import runtime
from dashboard.access import FirstLook, Role, Scope, Viewer, counting_scope, first_look, narrowed, scope_for
from dashboard.analytics.alliance import MARKS_SCHEMA, marks
from dashboard.analytics.alliance_scales import subscale_marks
from dashboard.analytics.discrepancy import DISCREPANCY_SCHEMA
from dashboard.analytics.experience import LEAST_SHOWN, main_area
from dashboard.analytics.falls import falls
from dashboard.analytics.scoring import totals
from dashboard.analytics.third_session import SESSION, Cloud, cloud, points
from dashboard.charts.alliance_course import Fall, alliance_course
from dashboard.charts.alliance_outcome import PUBLISHED, Point, alliance_outcome
from dashboard.head_start import as_seen
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.practice_alliance import alliance_keys, experienced, practice_cloud, reflections
from dashboard.signals.wording import short_name
from dashboard.ui.fit_blocks import (
    difference_blocks,
    experience_blocks,
    quadrant_blocks,
    question_blocks,
    silent_blocks,
    subscale_blocks,
    with_fallen,
)
from dashboard.ui.frame import current_viewer
from dashboard.ui.opened import note_page
from dashboard.ui.reading import Standing, standing
from dashboard.ui.show import show, theme
from dashboard.ui.view import Block, Figure, Lead, Notice, Para, Slot, View
from dashboard.ui.words import day, plural, share
from pages import BY_NAME
from queries import alliance as reads
from queries import caseload
from queries import load as loads
from queries.acting import within
from queries.engine import reading
from queries.frames import read_frame

PAGE = BY_NAME["alliance"]


@dataclass(frozen=True)
class Data:
    """Open episodes in scope with their ratings, and the practice in counts. ``experience`` null: not switched on."""

    now: Standing
    states: pl.DataFrame
    marked: pl.DataFrame
    parts: pl.DataFrame
    ceilings: list[int]
    third: pl.DataFrame
    practice: Cloud
    differences: pl.DataFrame
    experience: pl.DataFrame | None
    instruments: dict[str, Instrument]


def load(
    connection: Connection, viewer: Viewer, scope: Scope, *, share_experience: bool, first: FirstLook | None = None
) -> Data:
    """Reads the page. Rows are of the scope only; of the practice, counts.

    With ``first`` the fit questions that rest on signals which clinicians are to see first are left out; ratings are not.
    """
    now = standing(connection, scope)
    instruments = registry(loads.own_instruments(connection, scope))
    stored = with_fallen(read_frame(connection, reads.open_states(scope)))
    states = as_seen(connection, scope, stored, first)
    if now.as_of is None or states.is_empty():
        nothing = cloud(points(pl.DataFrame(schema=THIRD), instruments))
        return Data(
            now, states, pl.DataFrame(schema=MARKS_SCHEMA), pl.DataFrame(), [], pl.DataFrame(schema=THIRD), nothing,
            pl.DataFrame(schema=DISCREPANCY_SCHEMA), None, instruments,
        )  # fmt: skip
    everyone = counting_scope(viewer)
    made = totals(read_frame(connection, reads.ratings(scope, alliance_keys(instruments), now.as_of)), instruments)
    flags = read_frame(connection, caseload.flags(scope, first=first)).filter(pl.col("signal") == "ceiling")
    areas = states.select(main_area()).to_series().drop_nulls().unique().sort().to_list()
    with within(connection, everyone):  # of colleagues only what a group has in common leaves these
        practice = practice_cloud(connection, everyone, instruments)
        differences = reflections(connection, everyone, states["episode_id"], instruments, now.as_of)
        experience = experienced(connection, everyone, areas) if share_experience else None
    return Data(
        now=now,
        states=states,
        marked=marks(made, instruments),
        parts=subscale_marks(made, instruments),
        ceilings=flags["episode_id"].to_list(),
        third=read_frame(connection, reads.at_session(scope, SESSION)).filter(pl.col("closed_on").is_null()),
        practice=practice,
        differences=differences,
        experience=experience,
        instruments=instruments,
    )


THIRD = {
    "episode_id": pl.Int64(),
    "client_code": pl.String(),
    "alliance_instrument": pl.String(),
    "alliance": pl.Float64(),
    "outcome_instrument": pl.String(),
    "change": pl.Float64(),
}


def _codes(states: pl.DataFrame) -> dict[int, str]:
    return {row["episode_id"]: row["client_code"] for row in states.select("episode_id", "client_code").to_dicts()}


def _falls(data: Data) -> list[Fall]:
    codes = _codes(data.states)
    unrated = data.states.filter(pl.col("rupture") == "unrated")["episode_id"].to_list()
    shown = []
    for row in falls(data.marked, unrated, data.instruments).to_dicts():
        one = data.instruments[row["instrument"]]
        if row["episode_id"] in codes:
            shown.append(
                Fall(
                    code=codes[row["episode_id"]],
                    instrument=short_name(one),
                    better=one.better,
                    low=float(one.minimum or 0),
                    high=float(one.maximum or 0),
                    since=row["since"],
                    reference=row["reference"],
                    lowest=row["lowest"],
                    latest=row["latest"],
                    word=row["word"],
                )
            )
    return shown


def _lead(data: Data, fallen: Sequence[Fall]) -> Lead:
    count = data.states.height
    lasting = sum(one.word != "recovered" for one in fallen)
    asked = data.states.filter(pl.col("fit_questions").str.split(";").list.set_difference(["new_area"]).list.len() > 0)
    rated = data.states.filter(pl.col("alliance_scores") > 0).height
    fell = (
        f"In {lasting} of {plural(count, 'open episode')} a marked fall in the rating is not back near the client's own earlier "
        "level"
        if lasting
        else f"No marked fall in the rating is still open in {plural(count, 'open episode')}"
    )
    explore = f"{asked.height or 'none'} {'have' if asked.height > 1 else 'has'} a fit question to explore"
    return Lead(
        f"{fell}; {explore}.",
        f"{share(rated, count)} have been rated by the client at least once",
    )


def build(data: Data, *, whose: str, today: date, chart_theme: str) -> View:
    """Two figures, the fit questions, and what the ratings cannot tell. ``whose``: whose episodes, in words."""
    count = data.states.height
    scope_line = f"You are seeing: {whose}, {plural(count, 'open episode')} · {data.now.line}"
    blocks: list[Block] = [Slot("picker")]
    if stale := data.now.stale(today):
        blocks.append(Notice(stale))
    as_of = data.now.as_of
    if as_of is None or not count:
        blocks.append(
            Para(f"No open episodes on {day(as_of or today)}. Episodes appear here once they are imported and open.")
        )
        return View(PAGE.title, PAGE.question, scope_line, as_of, blocks)
    fallen = _falls(data)
    rated = data.states.filter(pl.col("alliance_scores") > 0).height
    blocks.append(_lead(data, fallen))
    if rated:
        course = alliance_course(fallen, rated=rated, whose=whose, as_of=as_of, theme=chart_theme)
        blocks.append(Figure(course) if fallen else Para(f"{course.headline}. {NO_FALL}"))
    blocks += question_blocks(data.states)
    blocks += quadrant_blocks(data.states, data.marked, data.instruments)
    codes = dict(data.third.select("episode_id", "client_code").rows())
    dots = [
        Point(codes[row["episode_id"]], row["rating"], row["change"])
        for row in points(data.third, data.instruments).to_dicts()
    ]
    if dots or data.practice.cells.height:
        blocks.append(
            Figure(
                alliance_outcome(
                    dots,
                    data.practice.cells.rows(),
                    practice=data.practice.episodes,
                    middle=data.practice.mean,
                    whose=whose,
                    as_of=as_of,
                    theme=chart_theme,
                )
            )
        )
        blocks.append(Para(f"Published link between alliance and outcome: {PUBLISHED}.", quiet=True))
    blocks += subscale_blocks(data.states, data.parts, data.instruments)
    blocks += difference_blocks(data.states, data.differences)
    blocks += silent_blocks(data.states, data.ceilings)
    blocks += experience_blocks(data.states, data.experience, least=LEAST_SHOWN)
    return View(PAGE.title, PAGE.question, scope_line, as_of, blocks)


NO_FALL = "A quiet list does not prove that nothing happened: clients do not rate everything they feel."


def _name(row: dict[str, Any]) -> str:
    return str(row["display_name"] or row["source_id"])


def _pick(people: Sequence[dict[str, Any]], current: str | None) -> None:
    options = ["", *(row["public_id"] for row in people)]
    names = {row["public_id"]: _name(row) for row in people}

    def go() -> None:
        wanted = st.session_state["whose_alliance"]
        st.query_params.from_dict({"clinician": wanted} if wanted else {})

    st.session_state["whose_alliance"] = current if current in options else ""
    st.selectbox(
        "Whose episodes",
        options,
        format_func=lambda one: names.get(one, "Everyone in your view"),
        key="whose_alliance",
        on_change=go,
        width=320,
    )


def _whose(viewer: Viewer, person: dict[str, Any] | None) -> str:
    if person is not None and person["clinician_id"] != viewer.clinician_id:
        return f"episodes of {_name(person)}"
    if person is not None or viewer.role is Role.CLINICIAN:
        return "your episodes"
    scope = scope_for(viewer)
    return "the whole practice" if scope.clinician_ids is None else scope.reason


def render() -> None:
    """Reads the viewer's scope, narrowed to the clinician in the address, and shows it."""
    viewer = current_viewer()
    settings = runtime.settings()
    scope = scope_for(viewer)
    wanted = st.query_params.get("clinician")
    with reading(runtime.engine()) as connection:
        people = read_frame(connection, caseload.clinicians(scope)).to_dicts()
        person = next((row for row in people if row["public_id"] == wanted), None)
        own = narrowed(scope, person["clinician_id"]) if person else scope
        head_start = first_look(viewer, settings.clinician_first_days, settings.today())
        data = load(connection, viewer, own, share_experience=settings.share_experience, first=head_start)
    note_page("alliance", person["clinician_id"] if person else None)
    view = build(data, whose=_whose(viewer, person), today=settings.today(), chart_theme=theme())
    slots = {}
    if viewer.role in (Role.DIRECTOR, Role.SUPERVISOR):
        slots["picker"] = lambda: _pick(people, person["public_id"] if person else None)
    if wanted and person is None:
        st.html(
            '<div class="sv"><p class="notice" role="status">These episodes are not yours or your supervisees\'.</p></div>'
        )
    show(view, slots)


if __name__ == "__main__":
    render()
