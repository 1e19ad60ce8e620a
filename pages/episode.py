"""Episode: what has happened in this episode, and since when?"""

from __future__ import annotations

from datetime import date

import polars as pl
import streamlit as st

from dashboard import runtime
from dashboard.access import (
    NO_EPISODE,
    Viewer,
    can_answer_flag,
    can_enter,
    can_make_snapshot,
    first_look,
    scope_for,
    screen_scope,
)
from dashboard.analytics.changes import changes
from dashboard.analytics.scoring import totals
from dashboard.harmless import escape
from dashboard.replies import reply
from dashboard.signals import BY_KEY
from dashboard.signals.wording import short_name
from dashboard.supervising import mark
from dashboard.ui.caseload_rows import client_totals
from dashboard.ui.closed_caseload import closed_to, open_form, opened_words
from dashboard.ui.discussed_words import earlier_meetings
from dashboard.ui.ending_words import ENDING
from dashboard.ui.entry_links import enter_link
from dashboard.ui.episode_figure import figure
from dashboard.ui.episode_parts import change_rows, leaving_blocks, raised_signals
from dashboard.ui.episode_reading import Data, load
from dashboard.ui.fit_blocks import episode_questions
from dashboard.ui.frame import current_viewer
from dashboard.ui.mark_form import Mark, mark_form
from dashboard.ui.meeting_blocks import People
from dashboard.ui.opened import note_opening
from dashboard.ui.reply_form import Reply, reply_form
from dashboard.ui.show import show, theme
from dashboard.ui.status import PRIORITY, RUPTURE
from dashboard.ui.view import (
    Block,
    Facts,
    Figure,
    Fold,
    Heading,
    Lead,
    Notice,
    Para,
    Signals,
    Split,
    Table,
    View,
)
from dashboard.ui.view import Slot as Place
from dashboard.ui.words import day, plural, score
from pages import BY_NAME
from queries.engine import reading

PAGE = BY_NAME["episode"]


def build(data: Data, *, today: date, chart_theme: str, measure: str | None = None, why: str = "") -> View:
    """The figure, the signals with evidence and questions, the change table and the numbers; ``measure`` as in ``figure``.

    ``why``: why the episode shows, where it is of no usual caseload of the viewer's.
    """
    state = data.state
    if state is None or data.now.as_of is None:
        return View(PAGE.title, PAGE.question, "", None, [Para(NO_EPISODE), Place("back")])
    as_of = data.now.as_of
    made = totals(data.scores, data.instruments)
    standing_ones, past = raised_signals(data.flags, data.replies, as_of)
    ended = state["closed_on"] is not None
    reason = f" ({why})" if why else ""
    scope_line = f"You are seeing: one episode of {data.clinician}{reason} · {data.now.line}"
    blocks: list[Block] = [Place("back")]
    if stale := data.now.stale(today):
        blocks.append(Notice(stale))
    last = ENDING.get(state["ending"] or "unknown", "ended")
    blocks.append(
        Lead(
            f"Closed {day(state['closed_on'])}: {last}" if ended else "",
            f"{plural(state['sessions_attended'], 'session')} · opened {day(state['opened_on'])} · "
            f"last session {day(state['last_attended_on'])} · next booked {day(state['next_booked_on'])}",
            None if ended else PRIORITY[state["priority"]],
        )
    )
    blocks += [Place("enter"), Place("marks")]
    panel = figure(data, chart_theme=chart_theme, measure=measure)
    beside: list[Block] = [Heading("Signals")]
    if standing_ones:
        beside += [Signals(standing_ones), Place("reply")]
    else:
        beside.append(Para("No signal stands." + (f" {state['missing']}" if state["missing"] else "")))
    if past:
        beside.append(Fold(f"No longer raised ({len(past)})", [Signals(past)]))
    beside += episode_questions(state)
    blocks += [Place("snapshot"), Split([Place("measure"), Figure(panel)], beside)]
    rows, notes = change_rows(made, data.instruments)
    if state["dropout_next_4"] is not None:
        blocks += leaving_blocks(state, data.models, data.endings)
    points = client_totals(made)
    key = (state["episode_id"], state["outcome_instrument"] or "")
    people = People({state["clinician_id"]: data.clinician})
    blocks += earlier_meetings(data.discussed, data.actions, {key[0]: points.get(key, [])}, people)
    blocks.append(Heading("Change"))
    if rows:
        blocks.append(
            Table(
                "Baseline, latest and change of each questionnaire",
                ("Questionnaire", "Scores", "Baseline", "Latest", "Change", "Reliable?", "Cut-off?"),
                rows,
                numeric=frozenset({1, 4}),
                note="; ".join(notes) + "." if notes else "",
            )
        )
    else:
        blocks.append(Para("No questionnaire has been answered in this episode yet."))
    if state["alliance_latest"] is None:
        blocks.append(Para("No alliance questionnaire has been answered by the client in this episode."))
        return View(f"Episode {state['client_code']}", PAGE.question, scope_line, as_of, blocks)
    blocks.append(
        Facts(
            [
                ("Alliance", RUPTURE[state["rupture"]]),
                ("Client's own usual rating", score(state["alliance_reference"])),
                ("Latest rating", f"{score(state['alliance_latest'])} ({day(state['alliance_latest_on'])})"),
            ]
        )
    )
    return View(f"Episode {state['client_code']}", PAGE.question, scope_line, as_of, blocks)


def _measures(data: Data) -> dict[str, str]:
    keys = [row["instrument"] for row in changes(totals(data.scores, data.instruments), data.instruments).to_dicts()
            if row["kind"] == "outcome" and row["scale"] == "total" and row["respondent"] == "client"]  # fmt: skip
    first = data.state["outcome_instrument"] if data.state else None
    ordered = sorted(dict.fromkeys(keys), key=lambda key: (key != first, key))
    return {key: short_name(data.instruments[key]) for key in ordered}


def _pick(names: dict[str, str]) -> None:
    st.segmented_control(
        "Outcome measure shown",
        list(names),
        format_func=lambda key: names[key],
        default=next(iter(names)),
        required=True,
        key="measure",
    )


def render() -> None:
    """Reads the episode named in the address, writes down who opened it, and shows it."""
    viewer = current_viewer()
    public_id = st.query_params.get("episode", "")
    with reading(runtime.engine()) as connection:
        head_start = first_look(viewer, runtime.settings().clinician_first_days, runtime.settings().today())
        data = load(connection, screen_scope(viewer), public_id, head_start)
    if data.state is None and (closed := closed_to(viewer, episode=public_id)) is not None:
        open_form(viewer, closed)
        return
    slots = {"back": lambda: _back(data)}
    if data.state is not None and can_make_snapshot(scope_for(viewer), frozenset({data.state["clinician_id"]})):
        slots["snapshot"] = lambda: _snapshot(viewer, public_id)
    if data.state is not None and can_enter(viewer, data.state["clinician_id"]):
        slots["enter"] = lambda: enter_link(public_id)
    measure = None
    if data.state is not None:
        note_opening(data.state)
        answerable = _answerable(data)
        if answerable and can_answer_flag(viewer, data.state["clinician_id"]):
            slots["reply"] = lambda: reply_form(answerable, runtime.settings().today(), _replying(viewer, public_id))
        if data.state["closed_on"] is None and can_answer_flag(viewer, data.state["clinician_id"]):
            slots["marks"] = lambda: mark_form(set(data.marks), _marking(viewer, public_id))
        names = _measures(data)
        if len(names) > 1:
            slots["measure"] = lambda: _pick(names)
            picked = st.session_state.get("measure")
            measure = picked if picked in names else None
    why = opened_words(viewer, data.state["clinician_id"]) if data.state is not None else ""
    show(build(data, today=runtime.settings().today(), chart_theme=theme(), measure=measure, why=why), slots)


def _answerable(data: Data) -> dict[str, str]:
    standing_ones = data.flags.filter(pl.col("cleared_on").is_null() & (pl.col("family") != "safety"))
    return {key: BY_KEY[key].title for key in BY_KEY if key in set(standing_ones["signal"])}


def _replying(viewer: Viewer, public_id: str) -> Reply:
    def act(signal: str, kind: str, reason: str, until_day: date | None) -> None:
        settings = runtime.settings()
        reply(
            runtime.engine(), settings, viewer, public_id, signal=signal, kind=kind, reason=reason, until_day=until_day,
            now=settings.now(),
        )  # fmt: skip

    return act


def _marking(viewer: Viewer, public_id: str) -> Mark:
    def act(kind: str, is_set: bool) -> None:
        mark(runtime.engine(), viewer, public_id, kind, is_set, runtime.settings().now())

    return act


def _snapshot(viewer: Viewer, public_id: str) -> None:
    from dashboard.ui.page_snapshots import episode_snapshot  # reads through this page: not before it is there

    episode_snapshot(viewer, public_id)


def _back(data: Data) -> None:
    own = current_viewer().clinician_id
    if data.state is None or data.state["clinician_id"] == own:
        href, words = "./", "Back to the caseload"
    else:
        href, words = f"./?clinician={data.clinician_public_id}", f"Back to the caseload of {data.clinician}"
    show_link(href, words)


def show_link(href: str, words: str) -> None:
    """A plain link within the app."""
    st.html(f'<div class="sv"><p><a href="{escape(href)}" target="_self">{escape(words)}</a></p></div>')


if __name__ == "__main__":
    render()
