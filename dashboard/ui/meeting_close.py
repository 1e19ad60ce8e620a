"""Closing a meeting on screen: what was talked about, what was agreed, signatures, additions."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.meetings.words import OBSTACLES
from dashboard.supervising import LONGEST_TEXT, Room
from dashboard.ui.meeting_blocks import initials, item_words
from dashboard.ui.meeting_loading import Sitting
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Block, Cell, Heading, Para, Table
from dashboard.ui.words import MISSING, day, plural

Act = Callable[..., None]
WRITTEN = ("what", "note", "obstacle")


def decided_rows(sitting: Sitting, only: int | None = None) -> list[list[str | Cell]]:
    """One row per item in which something was written, or of one item; initials where names are hidden."""
    rows: list[list[str | Cell]] = []
    for row in sitting.written:
        if only is not None and row["item_id"] != only:
            continue
        said = {field: sitting.box(row["item_id"], field).text for field in (*WRITTEN, "who", "look_again_on")}
        if not any(said[field] for field in WRITTEN):
            continue
        stuck = ", ".join(OBSTACLES[key].lower() for key in said["obstacle"].split(";") if key in OBSTACLES)
        rows.append(
            [
                Cell(item_words(row), sub=stuck),
                Cell(said["what"] or MISSING, sub=said["note"]),
                (initials(said["who"]) if sitting.people.hidden else said["who"]) or MISSING,
                said["look_again_on"] or MISSING,
            ]
        )
    return rows


def closing_blocks(sitting: Sitting) -> list[Block]:
    """What was written, for confirming or reading again."""
    rows = decided_rows(sitting)
    if not rows:
        return [Para("Nothing has been written in this meeting.")]
    return [Table("What was agreed", ("About", "What", "Who", "Look again on"), rows)]


def _confirm(sitting: Sitting, room: Room, act: Act) -> None:
    names = {row["item_id"]: item_words(row) for row in sitting.written}
    touched = [
        row["item_id"] for row in sitting.agenda if any(sitting.box(row["item_id"], field).text for field in WRITTEN)
    ]
    chosen = st.multiselect(
        "What was talked about", list(names), default=touched, format_func=lambda key: names[key], key="talked",
        help="Decides when an episode counts as discussed. Items in which something was written are chosen already.",
    )  # fmt: skip
    st.button(
        "Confirm and close", type="primary", on_click=act, args=(room.close, chosen),
        help="Afterwards the meeting can be added to, never altered.",
    )  # fmt: skip


def _sign(sitting: Sitting, room: Room, act: Act) -> None:
    rows: list[list[str | Cell]] = [
        [row["username"], row["part"], f"{day(row['signed_at'].date())} {row['signed_at']:%H:%M}"]
        for row in sitting.signed.to_dicts()
    ]
    show_blocks(
        [
            Heading("Signatures"),
            Table("Who signed", ("Who", "As", "When"), rows) if rows else Para("Nobody has signed yet.", quiet=True),
        ]
    )
    mine = room.viewer.username in set(sitting.signed["username"])
    takes_part = sitting.leads or room.viewer.clinician_id in sitting.clinicians
    if takes_part and not mine:
        st.button("Sign", type="primary", on_click=act, args=(room.sign,))


def _add(sitting: Sitting, room: Room, act: Act) -> None:
    show_blocks([Heading("Added afterwards")])
    for row in sitting.additions.to_dicts():
        show_blocks([Para(f"{row['text']} ({row['username']}, {day(row['added_at'].date())} {row['added_at']:%H:%M})")])
    if sitting.additions.is_empty():
        show_blocks([Para("Nothing was added.", quiet=True)])
    if not (sitting.leads or room.viewer.clinician_id in sitting.clinicians):
        return

    def added() -> None:
        act(room.add_after, st.session_state["adding_after"])
        st.session_state["adding_after"] = ""

    with st.expander("Add something"):
        st.text_area("What to add", max_chars=LONGEST_TEXT["note"], key="adding_after")
        st.button("Add it", on_click=added)


def draw(sitting: Sitting, room: Room, act: Act) -> None:
    """Before closing: confirm; afterwards: sign and add."""
    show_blocks(closing_blocks(sitting))
    if sitting.is_closed:
        done = sum(1 for row in sitting.items if row["discussed"])
        when = sitting.row["closed_at"]
        show_blocks(
            [Para(f"Closed {day(when.date())} {when:%H:%M} · {plural(done, 'item')} talked about.", quiet=True)]
        )
        _sign(sitting, room, act)
        _add(sitting, room, act)
    elif sitting.leads:
        _confirm(sitting, room, act)
    else:
        show_blocks([Para("Who leads the meeting closes it; then both sign.")])
