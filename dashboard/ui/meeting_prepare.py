"""Preparing a meeting on screen: the agenda with its minutes, what is left out, what changed since."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from dashboard.harmless import escape
from dashboard.meetings.plans import KINDS, LENGTHS, plan_of
from dashboard.supervising import Room
from dashboard.ui.meeting_blocks import (
    ACTION_COLUMNS,
    action_rows,
    coverage_facts,
    initials,
    item_words,
    left_out_blocks,
    mark_of,
    since_blocks,
)
from dashboard.ui.meeting_hold import SAID
from dashboard.ui.meeting_loading import Sitting
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Block, Heading, Notice, Para, Table
from dashboard.ui.words import day, plural

Act = Callable[..., None]
FAMILIAR = 12  # minutes offered for a case that somebody adds


def _row(sitting: Sitting, room: Room, act: Act, row: dict[str, Any], last: int) -> None:
    item, words = row["item_id"], item_words(row)
    who = sitting.people.of(row["clinician_id"]) if len(sitting.people.names) > 1 else ""
    sub = " · ".join(part for part in (who, row["stratum"] or "", "added" if row["added_by"] else "") if part)
    href = f"meeting?meeting={room.public_id}&item={item}"
    icon, tone = mark_of(row)
    with st.container(key=f"item-{item}", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<div class="sv agenda-item"><a href="{escape(href)}" target="_self">'
            f'<i class="{tone}" aria-hidden="true">{icon}</i> {escape(words)}</a>'
            f"<small>{escape(sub)}</small></div>",
            width="stretch",
        )
        if not (sitting.leads and sitting.writes):
            st.html(f'<div class="sv"><p class="quiet">{row["minutes"]} min</p></div>', width="content")
            return

        def lengthened() -> None:
            act(partial(room.set_minutes, item), int(st.session_state[f"min-{item}"]))

        st.session_state[f"min-{item}"] = row["minutes"]
        st.number_input(
            f"Minutes for item {row['position']}", 1, 120, step=1, key=f"min-{item}", on_change=lengthened, width=92,
            label_visibility="collapsed",
        )  # fmt: skip
        st.button(
            "↑", key=f"up-{item}", help="Move up", disabled=row["position"] == 1, on_click=act,
            args=(room.move, item, -1),
        )  # fmt: skip
        st.button(
            "↓", key=f"down-{item}", help="Move down", disabled=row["position"] == last, on_click=act,
            args=(room.move, item, 1),
        )  # fmt: skip
        st.button(
            "✕", key=f"off-{item}", disabled=row["kind"] == "safety", on_click=act,
            help="Safety items stay on the agenda." if row["kind"] == "safety" else "Leave out",
            args=(room.take_off, item),
        )  # fmt: skip


def _adding(sitting: Sitting, room: Room, act: Act) -> None:
    """One list for everything that is not on the agenda: what was left out first, then the other open episodes."""
    waiting = {f"item:{row['item_id']}": item_words(row) for row in sitting.items if row["position"] is None}
    there = {row["episode_id"] for row in sitting.items if row["episode_id"] is not None}
    others = {
        f"episode:{row['public_id']}": f"{row['client_code']} · {plural(row['sessions_attended'], 'session')}"
        for row in sitting.read.open_states.sort("client_code").to_dicts()
        if row["episode_id"] not in there
    }
    offered = waiting | others
    if not offered:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Add to the agenda", list(offered), format_func=lambda key: offered[key], index=None,
            placeholder="An episode or a part left out", key="adding", width=420,
        )  # fmt: skip

        def add() -> None:
            kind, _, key = str(chosen).partition(":")
            if kind == "item":
                minutes = next(row["minutes"] for row in sitting.items if row["item_id"] == int(key))
                act(room.put_on, int(key), minutes or FAMILIAR)
            else:
                act(room.add_case, key, FAMILIAR)
            st.session_state["adding"] = None

        st.button("Add", on_click=add, disabled=chosen is None)


def _take_back(room: Room, act: Act) -> None:
    act(room.discard)
    if SAID not in st.session_state:
        st.query_params.clear()


def _settings(sitting: Sitting, room: Room, act: Act) -> None:
    """Length and day, a new proposal, and taking back a meeting that never was."""
    offered = sorted({*LENGTHS, sitting.row["minutes"]})
    with st.expander("Length and day"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            minutes = st.selectbox(
                "Length in minutes", offered, index=offered.index(sitting.row["minutes"]), key="length", width=160
            )
            st.button(
                "Propose again", on_click=act, args=(room.propose_again, minutes, sitting.row["kind"]),
                help="A new proposal for this length and today's data. What people added or wrote stays.",
            )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            when = st.date_input("Day", value=sitting.row["held_on"], format="YYYY-MM-DD", key="day", width=160)
            st.button("Put it on this day", on_click=act, args=(room.put_off, when))
        st.button(
            "Take this meeting back", on_click=_take_back, args=(room, act),
            help="For a meeting that was prepared by mistake. Nothing may have been written in it.",
        )  # fmt: skip


def prepare_parts(sitting: Sitting) -> list[Block]:
    """What stands beside the agenda: coverage, since we last met, earlier actions."""
    as_of = sitting.now.as_of
    blocks: list[Block] = []
    if as_of is not None:
        blocks.append(coverage_facts(sitting.read, as_of))
    blocks += since_blocks(sitting.read, sitting.met)
    rows = action_rows(sitting.read.actions.reverse(), sitting.points, sitting.people)
    blocks.append(Heading("What was agreed earlier"))
    blocks.append(
        Table("Agreed actions, newest first", ACTION_COLUMNS, rows[:12])
        if rows
        else Para("Nothing has been agreed in an earlier meeting.", quiet=True)
    )
    return blocks


def draw(sitting: Sitting, room: Room, act: Act) -> None:
    """The agenda on the left, what to know on the right."""
    plan = plan_of(sitting.row["kind"], sitting.row["minutes"])
    total = sitting.planned + plan.apart
    left, right = st.columns([1.35, 1], gap="large")
    with left:
        over = total - sitting.row["minutes"]
        show_blocks(
            [
                Heading(
                    "Agenda",
                    f"{total} of {sitting.row['minutes']} minutes, {plan.apart} of them for checking in and confirming",
                ),
                *([Notice(f"{plural(over, 'minute')} more than the meeting has.", "orange")] if over > 0 else []),
            ]
        )
        if not sitting.agenda:
            show_blocks([Para("Nothing is on the agenda. Add an episode, or propose again once there is data.")])
        for row in sitting.agenda:
            _row(sitting, room, act, row, len(sitting.agenda))
        if sitting.agenda:
            first = f"meeting?meeting={room.public_id}&item={sitting.agenda[0]['item_id']}"
            words = "Start the meeting" if sitting.writes else "Look at the first item"
            st.html(f'<div class="sv"><p><a class="go" href="{escape(first)}" target="_self">{words}</a></p></div>')
        show_blocks(left_out_blocks(sitting.items, sitting.people))
        if sitting.writes:
            _adding(sitting, room, act)
        if sitting.writes and sitting.leads:
            _settings(sitting, room, act)
    with right:
        show_blocks(prepare_parts(sitting))


def title(sitting: Sitting) -> str:
    """With whom."""
    return "Meeting about the practice" if sitting.row["kind"] == "director" else f"Meeting with {sitting.people.all}"


def line(sitting: Sitting) -> str:
    """When, how long, by whom, and as of when its figures are."""
    row = sitting.row
    leader = initials(row["leader_name"]) if sitting.people.hidden else row["leader_name"]
    when = f"{row['held_on']:%a} {day(row['held_on'])}"
    return f"{KINDS[row['kind']]} · {when} · {row['minutes']} min · led by {leader} · {sitting.now.line}"
