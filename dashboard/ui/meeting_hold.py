"""Holding a meeting on screen: one item at a time, large and calm, with a place for what is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl
import streamlit as st

from dashboard.errors import SupervisionError
from dashboard.harmless import escape
from dashboard.meetings import follow_up
from dashboard.meetings.clearing import CLEARS
from dashboard.meetings.words import MOST_WORDS, OBSTACLE_QUESTIONS, OBSTACLES, TITLES
from dashboard.settings import Rules
from dashboard.signals import BY_KEY
from dashboard.supervising import LONGEST_TEXT, Room
from dashboard.ui.autosave import Box, autosave
from dashboard.ui.meeting_blocks import (
    ACTION_COLUMNS,
    People,
    action_rows,
    gaps_table,
    initials,
    item_words,
    mark_of,
    safety_table,
    scores_words,
    undiscussed_table,
)
from dashboard.ui.meeting_loading import Points, Sitting
from dashboard.ui.scripts import run_script
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Block, Cell, Heading, Para, RaisedSignal, Signals, Table
from dashboard.ui.words import day, plural

SAID = "_said"  # what the page has to say of an act that did not work
ACTIVE = "_active"  # somebody wrote: a part of the page that runs by itself must not let their session run out
POLL_SECONDS = 4  # how soon the other's saved text shows
SetState = Callable[[int, str, int], None]


def neighbours(sitting: Sitting, item_id: int) -> tuple[int | None, int | None]:
    """The items before and after."""
    order = [row["item_id"] for row in sitting.agenda]
    at = order.index(item_id)
    return (order[at - 1] if at else None, order[at + 1] if at + 1 < len(order) else None)


def _address(room: Room, item_id: int | None, *, closing: bool = False) -> str:
    if closing:
        return f"meeting?meeting={room.public_id}&step=close"
    return f"meeting?meeting={room.public_id}" + (f"&item={item_id}" if item_id else "")


def agenda_list(sitting: Sitting, room: Room, item_id: int) -> None:
    """The agenda as links, the present item marked; how many minutes the items before it were given."""
    rows = []
    for row in sitting.agenda:
        here = row["item_id"] == item_id
        icon, tone = mark_of(row)
        written = any(sitting.box(row["item_id"], field).text for field in ("what", "note", "obstacle"))
        rows.append(
            f'<li{" class=here" if here else ""}><a href="{escape(_address(room, row["item_id"]))}" target="_self"'
            f'{" aria-current=step" if here else ""}><i class="{tone}" aria-hidden="true">{icon}</i> '
            f"{escape(item_words(row))}</a><small>{row['minutes']} min{' · written' if written else ''}</small></li>"
        )
    before, after = neighbours(sitting, item_id)
    steps = []
    if before is not None:
        steps.append(f'<a data-step="back" href="{escape(_address(room, before))}" target="_self">← Previous</a>')
    if after is not None:
        steps.append(f'<a data-step="on" href="{escape(_address(room, after))}" target="_self">Next →</a>')
    elif sitting.leads and not sitting.is_closed:
        close = escape(_address(room, None, closing=True))
        steps.append(f'<a data-step="on" href="{close}" target="_self">Close the meeting →</a>')
    st.html(
        f'<div class="sv"><h2>Agenda</h2><ol class="agenda">{"".join(rows)}</ol><p class="steps">{"".join(steps)}</p>'
        f'<p class="quiet"><a href="{escape(_address(room, None))}" target="_self">Change the agenda</a></p>'
        '<p class="quiet">The arrow keys ← → move between items; H hides or shows names.</p></div>'
    )
    run_script("meeting_keys")


def signal_blocks(flags: pl.DataFrame, rules: Rules) -> list[Block]:
    """Each standing signal with its numbers, its question, its rule and what would clear it."""
    order = list(BY_KEY)
    known = [flag for flag in flags.to_dicts() if flag["signal"] in BY_KEY and flag["cleared_on"] is None]
    found = []
    for flag in sorted(known, key=lambda flag: (order.index(flag["signal"]), flag["since"])):
        signal = BY_KEY[flag["signal"]]
        rule = f"Rule: {signal.rule_words(rules)} Clears with: {CLEARS[signal.key][0].lower()}{CLEARS[signal.key][1:]}"
        found.append(
            RaisedSignal(signal.title, f"Since {day(flag['since'])}", flag["evidence"], signal.prompt, rule, True)
        )
    return [Signals(found)] if found else [Para("No signal stands in this episode.")]


def answers(flags: pl.DataFrame, replies: pl.DataFrame, hidden: bool) -> list[Block]:
    """What the clinician said to the signals that stand, newest first; without the user name where names are hidden."""
    standing = set(flags.filter(pl.col("cleared_on").is_null())["signal"])
    said = [row for row in replies.reverse().to_dicts() if row["signal"] in standing]
    if not said:
        return [Heading("The clinician's answers"), Para("No signal has been answered beforehand.", quiet=True)]
    blocks: list[Block] = [Heading("The clinician's answers")]
    for row in said:
        who = "" if hidden else f"{row['username']}, "
        blocks.append(Para(f"{BY_KEY[row['signal']].title}: {row['reason']} ({who}{day(row['replied_on'])})"))
    return blocks


def last_decision(sitting: Sitting, episode_id: int) -> list[Block]:
    """What was decided last time about this episode, and the scores before and since."""
    own = sitting.read.actions.filter(
        (pl.col("episode_id") == episode_id) & (pl.col("meeting_id") != sitting.row["meeting_id"])
    )
    if own.is_empty():
        return []
    row = own.row(-1, named=True)
    found = follow_up.scores_around(sitting.points.get(episode_id, []), row["agreed_on"])
    cell = scores_words(found)
    named = initials(row["who"]) if sitting.people.hidden else row["who"]
    who = f", {named}" if named else ""
    return [
        Heading("Last decision", f"{day(row['agreed_on'])}{who} · {follow_up.STATES[row['state']].lower()}"),
        Para(row["what"]),
        Para(f"{cell.text}. {cell.sub[0].upper() + cell.sub[1:]}.", quiet=True),
    ]


def _saver(room: Room, item_id: int, field: str) -> Callable[[str, int], int | None]:
    def save(text: str, seen: int) -> int | None:
        st.session_state[ACTIVE] = True
        try:
            return room.write(item_id, field, text, seen)
        except SupervisionError as error:
            st.session_state[SAID] = str(error)
            return seen

    return save


def _choice(room: Room, item_id: int, field: str, stored: Box, text: str) -> None:
    """Saves a choice made by clicking; where somebody was first, theirs stays and that is said."""
    if _saver(room, item_id, field)(text, stored.version) is None:
        st.session_state[SAID] = (
            f"Not saved: {stored.username or 'somebody'} changed this at the same time. It is shown as it is now."
        )


def deciding(sitting: Sitting, room: Room, row: dict[str, Any], boxes: Mapping[tuple[int, str], Box]) -> None:
    """Why stuck, what, who, look again on, notes: each saved by itself."""
    item, closed = row["item_id"], not sitting.writes

    def box(field: str) -> Box:
        return boxes.get((item, field), Box())

    if row["episode_id"] is not None:
        stored = box("obstacle")
        chosen = set(filter(None, stored.text.split(";")))
        show_blocks([Heading("What might be getting in the way?")])
        for key, words in OBSTACLES.items():
            name = f"obstacle-{item}-{key}-{stored.version}"

            def changed(key: str = key, name: str = name) -> None:
                picked = chosen | {key} if st.session_state[name] else chosen - {key}
                _choice(room, item, "obstacle", stored, ";".join(one for one in OBSTACLES if one in picked))

            st.checkbox(
                words, value=key in chosen, key=name, on_change=changed, help=OBSTACLE_QUESTIONS[key], disabled=closed
            )
    show_blocks([Heading("What will be done?")])
    autosave(
        "What", key=f"what-{item}", stored=box("what"), save=_saver(room, item, "what"), longest=LONGEST_TEXT["what"],
        words=MOST_WORDS, rows=2, read_only=closed,
    )  # fmt: skip
    who, again = box("who"), box("look_again_on")
    named = [*sitting.people.names.values(), sitting.row["leader_name"], who.text]
    people = [name for name in dict.fromkeys(named) if name]
    who_key, again_key = f"who-{item}-{who.version}", f"again-{item}-{again.version}"
    st.selectbox(
        "Who", people, index=people.index(who.text) if who.text else None, placeholder="Choose", key=who_key,
        format_func=initials if sitting.people.hidden else str, disabled=closed,
        on_change=lambda: _choice(room, item, "who", who, st.session_state[who_key] or ""),
    )  # fmt: skip
    st.date_input(
        "Look again on", value=date.fromisoformat(again.text) if again.text else None, format="YYYY-MM-DD", key=again_key,
        on_change=lambda: _choice(
            room, item, "look_again_on", again,
            st.session_state[again_key].isoformat() if st.session_state[again_key] else "",
        ),
        disabled=closed,
    )  # fmt: skip
    autosave(
        "Notes", key=f"note-{item}", stored=box("note"), save=_saver(room, item, "note"), longest=LONGEST_TEXT["note"],
        rows=4, read_only=closed,
    )  # fmt: skip


def _elsewhere(words: str, page: Cell, shows: str) -> list[Block]:
    return [Para(words), Table("Where to look", ("Page", "What it shows"), [[page, shows]])]


def other_parts(sitting: Sitting, row: dict[str, Any]) -> list[Block]:
    """The screen of an item that is no single episode; actions are drawn by the page, which can change them."""
    kind, read = row["kind"], sitting.read
    as_of = sitting.now.as_of
    match kind:
        case "safety":
            return [
                *safety_table(read, sitting.people),
                Para(
                    "A check is recorded on the caseload page. Nothing here replaces the practice's crisis procedure."
                ),
            ]
        case "gaps":
            return gaps_table(read)
        case "coverage":
            return undiscussed_table(read, sitting.people, as_of) if as_of else []
        case "theme":
            return _elsewhere(
                "Which endings came early, and what was visible before? The curve of the whole practice is on the page.",
                Cell("Retention", href="retention"),
                "when episodes end early",
            )
        case "asking":
            return _elsewhere(
                "Who in the practice has worked with this before and could be asked?",
                Cell("Alliance and fit", href="alliance"),
                "whom to ask, by counts",
            )
        case _:
            return []


def draw_actions(actions: pl.DataFrame, sitting_points: Points, people: People, set_state: SetState) -> None:
    """Each action with its scores before and since, and what became of it."""
    if actions.is_empty():
        show_blocks([Para("Nothing is due.", quiet=True)])
        return
    rows = action_rows(actions, sitting_points, people)
    for row, cells in zip(actions.to_dicts(), rows, strict=True):
        show_blocks([Table("An agreed action", ACTION_COLUMNS, [cells])])
        name = f"action-{row['action_id']}-{row['version']}"

        def changed(row: dict[str, Any] = row, name: str = name) -> None:
            if picked := st.session_state[name]:
                set_state(row["action_id"], picked, row["version"])

        st.segmented_control(
            "What became of it", list(follow_up.STATES), format_func=lambda key: follow_up.STATES[key],
            default=row["state"], key=name, on_change=changed, label_visibility="collapsed",
        )  # fmt: skip


def heading(row: dict[str, Any], sitting: Sitting) -> tuple[str, str]:
    """The item's title and the quieter line under it."""
    if row["episode_id"] is None:
        return TITLES[row["kind"]], f"{row['minutes']} min"
    found = sitting.read.states.filter(pl.col("episode_id") == row["episode_id"]).to_dicts()
    if not found:
        return "An episode outside your scope", f"{row['minutes']} min"
    state = found[0]
    talked = state["last_discussed_on"]
    said = "never discussed" if talked is None else f"last discussed {day(talked)}"
    who = f"{sitting.people.of(row['clinician_id'])} · " if len(sitting.people.names) > 1 else ""
    return item_words(row), f"{who}{plural(state['sessions_attended'], 'session')} · {said} · {row['minutes']} min"
